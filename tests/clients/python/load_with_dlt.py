"""Loads with the real dlt through the destination of the documents, twice, and once what it refuses."""

import datetime
import decimal

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed

from dlt_destination import upsertd

SEEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


def people(first_score):
    yield {
        "id": 1,
        "name": "Ada",
        "seen": SEEN,
        "day": SEEN.date(),
        "score": decimal.Decimal(first_score),
        "tags": ["a", "b"],
        "active": True,
        "never": None,
    }
    for number in range(2, 1201):
        yield {"id": number, "name": f"Person {number}", "score": decimal.Decimal("0.25")}


pipeline = dlt.pipeline("crm", destination=upsertd, pipelines_dir="pipelines")
merge = {"table_name": "people", "write_disposition": "merge", "primary_key": "id"}
for score in ("1.50", "2.50"):
    pipeline.run(people(score), **merge).raise_on_failed_jobs()

pairs = [{"a": "x|y", "b": "z", "note": "first"}, {"a": "x", "b": "y|z", "note": "second"}]
keys = {"table_name": "pairs", "write_disposition": "merge", "primary_key": ["a", "b"]}
pipeline.run(pairs, **keys).raise_on_failed_jobs()

for refused in (
    {**merge, "write_disposition": "replace"},
    {"table_name": "keyless", "write_disposition": "append"},
):
    try:
        pipeline.run([{"id": 1}], **refused)
    except PipelineStepFailed as error:
        said = "is to be replaced" if refused["table_name"] == "people" else "needs a primary_key"
        assert said in str(error), error
    else:
        raise AssertionError(f"{refused} was not refused")
    pipeline.drop_pending_packages()
