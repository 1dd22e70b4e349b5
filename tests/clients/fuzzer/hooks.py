"""What the fuzzer must know of the API that no schema can say.

Two of its checks are asked here with what they cannot know, and one is added.
"""

import json
from typing import Any

import schemathesis
from schemathesis.specs.openapi import checks

# A request may be right by its schema and still be refused for what is stored. These codes say so
# wherever they come.
OF_WHAT_IS_STORED = {
    "constraint_violated",
    "custom_object_archive_blocked",
    "does_not_exist",
    "duplicate_field",
    "immutable",
    "invalid_identifier",
    "limit_exceeded",
    "not_archived",
    "not_deletable",
    "unique",
    "unsupported_filter",
}

# Keys that only some values of other keys allow or ask for, and lists too long for a schema.
OF_OTHER_KEYS = {
    "activity_name": {"invalid"},  # not together with activity_id
    "activity_object_id": {"required"},  # or activity_object_name
    "activity_object_name": {"invalid"},  # the same type as activity_object_id
    "atomic": {"invalid"},  # of JSON alone
    "match": {"invalid", "invalid_choice", "required"},  # in one place, and of unique fields
    "source_version": {"invalid"},  # of eight bytes
    "actions": {"invalid_choice"},  # words between commas
    "after": {"invalid"},  # opaque
    "exclude_origin": {"invalid"},  # characters of origins, as only_origin
    "in_batch_duplicates": {"invalid_choice"},  # of JSON alone
    "only_origin": {"invalid"},
    "allow_multiple": {"invalid"},  # of some types of field
    "associated_objects": {"invalid"},  # as association_mode says
    "condition": {"required"},  # but of related objects
    "country": {"invalid_choice"},
    "cursor": {"invalid"},  # opaque
    "custom_object": {"invalid"},  # id or name, and not both forms
    "custom_object_id": {"invalid", "required"},
    "decimal_options": {"invalid"},  # of one type of field, as the next ones
    "employee_ids": {"invalid"},  # ids between commas, as role_ids
    "entity": {"invalid"},
    "entity_id": {"invalid", "required"},
    "fields": {"required"},  # not empty where a record is made
    "field": {"required"},  # but in conditions on something else
    "field_resolution": {"invalid"},  # what a type of field knows
    "field_value": {"invalid"},
    "ids": {"invalid", "required"},
    "lookup_value": {"invalid", "null", "required"},  # of contacts an e-mail; needless with match
    "If-None-Match": {"invalid"},  # not together with If-Match
    "is_unique": {"invalid"},
    "max_errors": {"invalid"},  # of streams, as results
    "max_value": {"invalid"},  # a number, but not of any size
    "min_seq": {"invalid"},  # opaque
    "min_value": {"invalid"},
    "money_options": {"invalid"},
    "name": {"required"},
    "normalizer": {"invalid"},
    "note": {"required"},  # or notes
    "notes": {"invalid"},
    "object_type": {"invalid_choice"},  # a pipeline has stages
    "options": {"invalid", "required"},
    "page": {"invalid"},  # not together with cursor
    "phone_default_region": {"invalid_choice"},
    "phonenumber_options": {"invalid"},
    "pipeline": {"invalid", "required"},  # of pipelines
    "rating": {"invalid"},
    "relation": {"invalid", "required"},  # of relationship fields
    "results": {"invalid"},
    "role_ids": {"invalid"},
    "set_if_empty": {"required"},  # an entry names its field, as in the next two
    "set_on_create": {"required"},
    "set_on_update": {"required"},
    "status": {"invalid"},
    "timezone": {"invalid_choice"},
    "unique_constraints": {"invalid"},  # of fields that may be unique
    "value": {"invalid", "required"},
}

# Rules of texts, which would be a long pattern at each, and what a type of field has.
OF_TEXTS_AND_TYPES = (
    "Control characters are not allowed",
    "This field has no options",
    "This object is not a pipeline",
)


@schemathesis.serializer("application/x-ndjson")
def lines(_: Any, row: Any) -> bytes:
    """A stream of one row."""
    return json.dumps(row).encode()


@schemathesis.serializer("text/csv")
def table(_: Any, text: Any) -> bytes:
    """A table as it is."""
    return str(text).encode()


def given(body: Any, path: str) -> Any:
    """What stands at a path like `options[0].name`."""
    for step in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(body, dict) and step in body:
            body = body[step]
        elif isinstance(body, list) and step.isdigit() and int(step) < len(body):
            body = body[int(step)]
        else:
            return None
    return body


def is_of_data(fault: dict[str, Any], case: schemathesis.Case) -> bool:
    """Whether a schema could not have told that this would be refused."""
    code = fault["code"]
    if code in OF_WHAT_IS_STORED or fault["message"].startswith(OF_TEXTS_AND_TYPES):
        return True
    if code == "unknown_parameter":
        return str(case.query.get("strict")).lower() in ("true", "1")
    if "index" in fault or "field" in fault:
        # The value of a record's field: its type is known to nobody but the server.
        return True
    path = fault.get("parameter", "")
    key = path.rsplit(".", 1)[-1].split("[")[0]
    if code in OF_OTHER_KEYS.get(key, ()):
        return True
    # The fuzzer fills a text that may be null like this, whatever its format.
    return given(case.query, path) == "" or given(case.body, path) == ""


@schemathesis.check
def refused_for_a_reason(ctx: Any, response: Any, case: schemathesis.Case) -> None:
    """A request that is right by its schema is refused only for what no schema can say."""
    mode = case.meta.generation.mode if case.meta is not None else None
    if response.status_code != 400 or mode is None or not mode.is_positive:
        return
    if case.path.endswith("/import") and case.media_type == "text/csv":
        # The columns of a table: which there are is known to nobody but the server.
        return
    for fault in response.json()["errors"]:
        place = fault.get("parameter") or fault.get("field")
        assert is_of_data(fault, case), f"{fault['code']} at {place}: {fault['message']}"


@schemathesis.check
def wrong_requests_are_refused(ctx: Any, response: Any, case: schemathesis.Case) -> bool | None:
    """As the fuzzer's own check; but a page size that cannot be is the default, by contract, and a
    wrong row is refused in its result."""
    if response.status_code == 200 and case.path.endswith(("/bulk-upsert", "/import")):
        return None
    places = [place for place in (case.query, case.body) if isinstance(place, dict)]
    cut = ("page_size", "limit", "wait")  # more is cut
    sizes = [place[name] for place in places for name in cut if name in place]
    if all(str(size).isdigit() and int(size) < 2**31 for size in sizes):
        return checks.negative_data_rejection(ctx, response, case)
    return None


@schemathesis.check
def methods_are_told(ctx: Any, response: Any, case: schemathesis.Case) -> bool | None:
    """As the fuzzer's own check; but a field may be called by the word of a path."""
    if case.path.endswith("/fields/search"):
        return None
    return checks.allow_header_conformance(ctx, response, case)
