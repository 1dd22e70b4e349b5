"""A sync in both directions with nothing but Python's own library.

    python3 sync.py accounts.ndjson

The file has an account a line, {"name": "Acme", "note": "…"}. They are pushed as a stream; each one
that is new gets a task; then what others changed is pulled. It may be killed anywhere and run
again: nothing is done twice, and nothing is missed.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ.get("UPSERTD_URL", "http://127.0.0.1:7171")
ORIGIN = "accounts-sync"
HEADERS = {
    "X-API-KEY": os.environ["UPSERTD_API_KEY"],
    "X-BUSINESS-ID": os.environ["UPSERTD_BUSINESS_ID"],
    "X-USER-ID": os.environ["UPSERTD_USER_ID"],
    # What is written here says so in the feed, which then leaves it out.
    "X-Origin": ORIGIN,
}
# Whoever sends before reading must not send more than the server takes without being read.
ROWS_AT_ONCE = 500
CURSOR_FILE = "accounts.cursor"


class Refused(Exception):
    """An answer that will not be another one later. Branch on `code`, never on the text."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body.get('code')}: {body.get('detail')}")
        self.code = body.get("code")


def send(method, path, body=None, content_type="application/json", key=None):
    """The bytes of the answer. Asks again as long as it makes sense: send only what may be repeated."""
    headers = {**HEADERS, "Content-Type": content_type}
    if key:
        headers["Idempotency-Key"] = key
    pause = 0.2
    for attempt in range(10):
        request = urllib.request.Request(URL + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=90) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            text = error.read()
            body_of_error = json.loads(text) if text.startswith(b"{") else {}
            in_progress = body_of_error.get("code") == "idempotency_in_progress"
            if error.code not in (429, 502, 503, 504) and not in_progress or attempt == 9:
                raise Refused(error.code, body_of_error) from error
            wait = float(error.headers.get("Retry-After") or pause)
        except OSError:  # Not reached, or broken off: what was sent may have been done or not.
            if attempt == 9:
                raise
            wait = pause
        time.sleep(wait)
        pause = min(pause * 2, 5)


def push(accounts):
    """Upserts all accounts, and gives those that are new."""
    created = []
    for start in range(0, len(accounts), ROWS_AT_ONCE):
        chunk = accounts[start : start + ROWS_AT_ONCE]
        rows = [{"lookup_value": a["name"], "fields": {"note": a["note"]}} for a in chunk]
        body = "\n".join(json.dumps(row) for row in rows).encode()
        while True:
            answer = send("POST", "/api/records/accounts/bulk-upsert", body, "application/x-ndjson")
            *results, last = [json.loads(line) for line in answer.splitlines()]
            if "summary" in last and last["summary"]["state"] != "aborted":
                break  # Without it the stream broke off, and upserts may be repeated.
        for account, result in zip(chunk, results):
            if result["action"] == "failed":
                print(f"{account['name']}: {result['code']}")
            else:
                print(f"{account['name']}: {result['action']}")
            if result["action"] == "created":
                created.append((account["name"], result["id"]))
    return created


def welcome(name, account_id):
    """A task for a new account. Making one is no upsert, so it has a key: one task, however often."""
    body = {
        "activity_object_name": "task",
        "due_datetime": "2030-01-01T00:00:00Z",
        "note": f"Welcome {name}",
        "associated_entities": [
            {"custom_object": {"name": "accounts"}, "entity": {"id": account_id}}
        ],
    }
    path = "/api/activities/scheduled-activity"
    send("POST", path, json.dumps(body).encode(), key=f"welcome-{account_id}")


def pull():
    """What others have changed since the last run."""
    cursor = None
    if os.path.exists(CURSOR_FILE):
        with open(CURSOR_FILE) as file:
            cursor = file.read()
    while True:
        query = {"exclude_origin": ORIGIN, "actions": "created,updated,archived", "limit": 1000}
        if cursor:
            query["after"] = cursor
        page = json.loads(
            send("GET", f"/api/records/accounts/changes?{urllib.parse.urlencode(query)}")
        )
        for entry in page["results"]:
            # Here the other system would be written to.
            print(f"{entry['keys']['name']}: {entry['action']} by {entry['origin']}")
        # Only now: what was not dealt with comes again.
        cursor = page["next_cursor"]
        with open(CURSOR_FILE + ".new", "w") as file:
            file.write(cursor)
        os.replace(CURSOR_FILE + ".new", CURSOR_FILE)
        if not page["has_more"]:
            return


def main(path):
    with open(path) as file:
        accounts = [json.loads(line) for line in file]
    for name, account_id in push(accounts):
        welcome(name, account_id)
    pull()


if __name__ == "__main__":
    main(sys.argv[1])
