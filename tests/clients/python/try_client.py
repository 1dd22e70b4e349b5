"""What a generated Python client can do with a real server.

The caller names the server and the three headers in the environment, and has made an object
`accounts` with a text field `note`.
"""

import os

from upsertd_client import Client
from upsertd_client.api.records import (
    records_lookup_retrieve,
    records_search_create,
    records_upsert_create,
)
from upsertd_client.models.search_condition import SearchCondition
from upsertd_client.models.error_400 import Error400
from upsertd_client.models.error_400_code import Error400Code
from upsertd_client.models.error_404 import Error404
from upsertd_client.models.field_entry import FieldEntry
from upsertd_client.models.group import Group
from upsertd_client.models.record_read import RecordRead
from upsertd_client.models.upsert_written import UpsertWritten
from upsertd_client.models.upsert_written_action import UpsertWrittenAction
from upsertd_client.models.search_body import SearchBody
from upsertd_client.models.upsert_body import UpsertBody


def upsert(client: Client, lookup_value: str, note: str) -> UpsertWritten:
    fields = [FieldEntry(name="note", value=note)]
    body = UpsertBody(lookup_value=lookup_value, fields=fields)
    written = records_upsert_create.sync("accounts", client=client, body=body)
    assert isinstance(written, UpsertWritten), written
    return written


def try_upsert(client: Client) -> UpsertWritten:
    made = upsert(client, "Acme", "first")
    assert made.action is UpsertWrittenAction.CREATED, made
    again = upsert(client, " ACME ", "second")
    assert again.action is UpsertWrittenAction.UPDATED, again
    assert (again.id, again.version) == (made.id, made.version + 1), again
    # Null where a right hides the field, which the types say.
    assert made.created is not None and again.updated is not None, again
    assert again.updated >= made.created, again
    return again


def try_reads(client: Client, expected: UpsertWritten) -> None:
    read = records_lookup_retrieve.sync("accounts", client=client, identifier="acme")
    assert isinstance(read, RecordRead), read
    assert (read.id, read.name, read.version) == (expected.id, "Acme", expected.version), read
    notes = [
        field.value
        for field in read.fields.additional_properties.values()
        if field.name == "note"
    ]
    assert notes == ["second"], read

    condition = SearchCondition(field="note", condition="starts_with", value="SEC")
    body = SearchBody(query=[Group(filters=[condition])])
    page = records_search_create.sync("accounts", client=client, body=body)
    assert page is not None and not isinstance(page, Error400), page
    assert getattr(page, "count") == 1, page

    none = records_lookup_retrieve.sync("accounts", client=client, identifier="nobody")
    assert isinstance(none, Error404), none


def try_refusal(client: Client) -> None:
    fields = [FieldEntry(name="colour", value="red")]
    body = UpsertBody(lookup_value="Acme", fields=fields)
    answer = records_upsert_create.sync_detailed("accounts", client=client, body=body)
    assert answer.status_code == 400, answer
    refused = answer.parsed
    assert isinstance(refused, Error400), refused
    assert refused.code is Error400Code.DOES_NOT_EXIST, refused
    assert isinstance(refused.errors, list), refused
    [fault] = refused.errors
    assert (fault.field, fault.index, fault.retryable) == ("colour", 0, False), fault


def main() -> None:
    headers = {
        "X-API-KEY": os.environ["API_KEY"],
        "X-BUSINESS-ID": os.environ["BUSINESS_ID"],
        "X-USER-ID": os.environ["USER_ID"],
    }
    client = Client(base_url=os.environ["SERVER"], headers=headers)
    try_reads(client, try_upsert(client))
    try_refusal(client)


main()
