"""A tap with the library that most taps are made with: its spelling of a stream, not ours."""

import datetime
import decimal

import singer

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "label": {"type": ["null", "string"]},
        "price": {"type": ["null", "number"]},
        "seen": {"type": ["null", "string"], "format": "date-time"},
    },
}
SEEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)

singer.write_schema("products", SCHEMA, ["id"], bookmark_properties=["seen"])
singer.write_version("products", 1)
for number in range(1500):
    record = {
        "id": number,
        "label": f"Prodüct {number}",
        "price": decimal.Decimal("1.25"),
        "seen": singer.utils.strftime(SEEN),
    }
    singer.write_record("products", record, time_extracted=SEEN)
    if number % 400 == 399:
        singer.write_state({"bookmarks": {"products": number}})
singer.write_state(singer.write_bookmark({}, "products", "seen", "done"))
