"""Keeps the accounts of a records API in step with a list of companies.

    python3 sync_accounts.py companies.json

A company is matched by its name. One that is new gets a call scheduled, one that was archived
comes back, and accounts of the listed regions that are not in the list are archived.
"""

import datetime
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# These four are all that names a server.
BASE_URL = os.environ["API_BASE_URL"]
HEADERS = {
    "X-API-KEY": os.environ["API_KEY"],
    "X-BUSINESS-ID": os.environ["BUSINESS_ID"],
    "X-USER-ID": os.environ["USER_ID"],
    "Content-Type": "application/json",
}

# Nothing was done, and the same request may succeed in a moment.
PASSING = ("throttled", "overloaded", "read_only", "shutting_down")


class ApiError(Exception):
    """An answer that is not 2xx. What to do about it is told by `code`, never by the text."""

    def __init__(self, body):
        super().__init__(body.get("detail"))
        self.code = body.get("code")
        self.body = body


def call(method, path, body=None):
    url = path if path.startswith("http") else BASE_URL + path
    data = None if body is None else json.dumps(body).encode()
    for attempt in range(5):
        request = urllib.request.Request(url, data, HEADERS, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            problem = ApiError(json.loads(error.read() or b"{}"))
            if problem.code not in PASSING or attempt == 4:
                raise problem from error
            time.sleep(int(error.headers.get("Retry-After", 1)))


def lookup(name):
    query = urllib.parse.urlencode({"identifier": name})
    try:
        return call("GET", f"/api/records/accounts/lookup?{query}")
    except ApiError as error:
        if error.code == "not_found":
            return None
        raise


def upsert(name, fields):
    path = "/api/records/accounts/upsert?return_all_fields=true"
    body = {"lookup_value": name, "fields": fields}
    try:
        return call("POST", path, body)
    except ApiError as error:
        if error.code != "conflict":
            raise
        # An archived account has this name: it comes back, and the fields are written over it.
        return call("POST", path, {**body, "oncreate_unarchive": "unarchive"})


def schedule_call(record):
    tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    body = {
        "activity_object_name": "task",
        "due_datetime": tomorrow.isoformat(),
        "note": f"Call {record['display_name']}",
        "associated_entities": [
            {"custom_object": {"name": "accounts"}, "entity": {"id": record["id"]}}
        ],
    }
    call("POST", "/api/activities/scheduled-activity", body)


def accounts_of(regions):
    fields = {field["name"]: field for field in call("GET", "/api/custom-objects/accounts/fields")}
    region = fields["region"]
    ids = [option["id"] for option in region["options"] if option["name"] in regions]
    condition = {
        "type": "fields_v2",
        "subtype": "custom",
        "field": f'"custom"::{region["id"]}',
        "condition": "is_any_of",
        "value": ids,
    }
    body = {"query": [{"and": True, "filters": [condition]}], "and": True}
    accounts, url = [], "/api/records/accounts/search?ordering=name&page_size=2"
    while url:
        page = call("POST", url, body)
        accounts += page["results"]
        url = page["next"]
    return accounts


def value(record, name):
    found = [field["value"] for field in record["fields"].values() if field["name"] == name]
    return found[0] if found else None


def sync(companies):
    """Gives the ids of the accounts that the list is about."""
    ids = set()
    for company in companies:
        name = company["name"]
        fields = [
            {"name": "region", "value": {"name": company["region"]}},
            {"name": "seats", "value": company["seats"]},
        ]
        known = lookup(name)
        if known:
            ids.add(known["id"])
        try:
            record = upsert(name, fields)
        except ApiError as error:
            # `fields` of the body mirrors the request's: {} for each field without a fault.
            faults = zip(fields, error.body.get("fields", []))
            print(f"{name}: {error.code}", *[field["name"] for field, fault in faults if fault])
            continue
        ids.add(record["id"])
        seats = f"{value(known, 'seats') if known else '-'} -> {value(record, 'seats')}"
        print(f"{name}: {record['action']}, seats {seats}")
        if record["action"] == "created":
            schedule_call(record)
    return ids


def archive_others(companies, ids):
    accounts = accounts_of({company["region"] for company in companies})
    gone = [account for account in accounts if account["id"] not in ids]
    for account in gone:
        print(f"{account['display_name']}: archived")
    if gone:
        body = {"record_ids": [account["id"] for account in gone]}
        call("POST", "/api/custom-objects/accounts/bulk-archive-entity-record", body)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        wanted = json.load(file)
    archive_others(wanted, sync(wanted))
