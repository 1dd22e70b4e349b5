"""A dlt destination: every source of dlt can write to upsertd.

    import dlt
    from dlt_destination import upsertd

    pipeline = dlt.pipeline("crm", destination=upsertd)
    pipeline.run(rows, table_name="accounts", write_disposition="merge", primary_key="id")

The table becomes an object, its columns fields, and its primary key the identifier; what is missing
is made. Rows are upserted, so loading them again changes nothing. Rows that are gone stay, so what
is meant to replace a table is refused.
"""

import json

import dlt
from dlt.common.destination.exceptions import DestinationTerminalException
from dlt.sources.helpers import requests

# A field of these types takes every value of the column; all others are texts.
FIELD_TYPES = {"bool": "checkbox", "timestamp": "datetime", "date": "date"}
NUMBERS = {"bigint", "double", "decimal", "wei"}
# Names that the server keeps for its own fields.
RESERVED = set(
    "id name owner created updated archived status stage entity_value version fields action"
    " display_name first_name middle_name last_name full_name email home_phone business_phone"
    " mobile_phone birthday".split()
)


class Server:
    """One server and one caller. dlt's own client asks again when the server is busy or gone."""

    def __init__(self, url, api_key, business_id, user_id):
        self.url = url.rstrip("/")
        caller = {"X-API-KEY": api_key, "X-BUSINESS-ID": business_id, "X-USER-ID": user_id}
        # The feed can leave out what this pipeline wrote.
        self.headers = {**caller, "X-Origin": "dlt", "Content-Type": "application/json"}
        self.client = requests.Client(raise_for_status=False)

    def ask(self, method, path, body=None, missing_ok=False):
        data = None if body is None else json.dumps(body, default=str).encode()
        answer = self.client.request(method, self.url + path, headers=self.headers, data=data)
        if answer.status_code == 404 and missing_ok:
            return None
        if answer.status_code >= 500 or answer.status_code == 429:
            answer.raise_for_status()  # dlt runs the job again later.
        if not answer.ok:
            raise DestinationTerminalException(f"{method} {path}: {answer.text}")
        return answer.json()


def field_of(column):
    return f"source_{column}" if column in RESERVED else column


def prepare(server, table, keys):
    """Sees to it that the object and its fields are there."""
    name = table["name"]
    found = server.ask("GET", f"/api/custom-objects/{name}", missing_ok=True)
    if found is None:
        body = {"object_name": name, "name": name, "identifier_case": "sensitive"}
        found = server.ask("POST", "/api/custom-objects", body)
    there = {field["name"] for field in found["fields"]}
    for column, says in table["columns"].items():
        kind, field = says.get("data_type"), field_of(column)
        if kind is None or field in there or keys == [column]:
            continue
        field_type = "decimal" if kind in NUMBERS else FIELD_TYPES.get(kind, "longtext")
        body = {"field_type": field_type, "display_name": column, "name": field}
        server.ask("POST", f"/api/custom-objects/{name}/fields", body)


def row_of(item, columns, keys):
    parts = [str(item[key]) for key in keys]
    if len(parts) > 1:  # So that no two keys become the same text.
        parts = [part.replace("\\", "\\\\").replace("|", "\\|") for part in parts]
    fields = {
        field_of(column): json.dumps(value, default=str) if isinstance(value, (dict, list)) else value
        for column, value in item.items()
        # A column that never had a value has no type, and no field.
        if keys != [column] and columns[column].get("data_type")
    }
    return {"lookup_value": "|".join(parts), "fields": fields}


@dlt.destination(
    name="upsertd",
    batch_size=500,
    # Later rows must not be overtaken by earlier ones.
    loader_parallelism_strategy="table-sequential",
)
def upsertd(
    items,
    table,
    url: str = "http://127.0.0.1:7171",
    api_key: str = dlt.secrets.value,
    business_id: str = dlt.config.value,
    user_id: str = dlt.config.value,
) -> None:
    keys = [name for name, says in table["columns"].items() if says.get("primary_key")]
    if table.get("write_disposition") == "replace":
        raise DestinationTerminalException(f"{table['name']} is to be replaced: use merge")
    if not keys:
        raise DestinationTerminalException(f"{table['name']} needs a primary_key: rows are upserted by it")
    server = Server(url, api_key, business_id, user_id)
    prepare(server, table, keys)
    rows = [row_of(item, table["columns"], keys) for item in items]
    answer = server.ask("POST", f"/api/records/{table['name']}/bulk-upsert", {"records": rows})
    failed = [result for result in answer["results"] if result["action"] == "failed"]
    if failed:
        raise DestinationTerminalException(f"{len(failed)} rows were refused: {failed[:5]}")
