"""Reads a snapshot with nothing but a MessagePack library, and says as JSON what is in it.

The layout is told in docs/file-format.md; this script was written from that page, so it fails when
the page, or the file, is not what it says. Usage: read_snapshot.py FILE
"""

import json
import struct
import sys

import msgpack
import zstandard

HEADER = struct.Struct("<8sHHI16s16sqQI")
CHUNK = struct.Struct("<4sB17sQQIIIII")
TRAILER = struct.Struct("<QII8s")
RECORDS = 1


def crc32c_table():
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        yield value


TABLE = list(crc32c_table())


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def check(holds, what):
    if not holds:
        sys.exit(f"{sys.argv[1]}: {what}")


def contents_of(data):
    offset, length, checksum, magic = TRAILER.unpack(data[-TRAILER.size :])
    check(magic == b"upsertdE", "no trailer at its end")
    check(offset + length + TRAILER.size == len(data), "the table of contents is elsewhere")
    table = data[offset : offset + length]
    check(crc32c(table) == checksum, "the table of contents has another checksum")
    return msgpack.unpackb(table)


def content_of(data, writer, chunk):
    start, end = chunk["offset"], chunk["offset"] + chunk["length"]
    header, stored = data[start : start + CHUNK.size], data[start + CHUNK.size : end]
    magic, kind, name, position, sequence, records, length, stored_length, _, checksum = CHUNK.unpack(header)
    check(magic == b"upch", f"no chunk at {start}")
    check(stored_length == len(stored), f"the chunk at {start} has another length")
    check(crc32c(header[:-4] + stored) == checksum, f"the chunk at {start} has another checksum")
    told = (chunk["kind"], writer["writer"], writer["position"], writer["sequence"], chunk["records"])
    check(told == (kind, name, position, sequence, records), f"the chunk at {start} is told otherwise")
    content = zstandard.ZstdDecompressor().decompress(stored, max_output_size=length)
    check(len(content) == length, f"the chunk at {start} has other content")
    return content


def objects(content):
    """Every MessagePack object of a run; a run that does not end where its bytes do is damage."""
    unpacker = msgpack.Unpacker(max_buffer_size=max(len(content), 1), strict_map_key=False)
    unpacker.feed(content)
    for one in unpacker:
        yield one
    check(unpacker.tell() == len(content), "a run of MessagePack objects is cut")


def texts(one):
    """Every text in an object; the body of a record is a binary that holds a run of its own."""
    if isinstance(one, str):
        yield one
    elif isinstance(one, bytes):
        # Ids and digests are binaries too: read as a run, their bytes may be anything.
        try:
            inner = list(objects(one))
        except (msgpack.UnpackException, TypeError, ValueError, SystemExit):
            return
        for value in inner:
            yield from texts(value)
    elif isinstance(one, dict):
        for key, value in one.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(one, (list, tuple)):
        for value in one:
            yield from texts(value)


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    magic, version, *_, checksum = HEADER.unpack(data[: HEADER.size])
    check(magic == b"upsertdS", "not a snapshot")
    check(version == 1, f"of format version {version}")
    check(crc32c(data[: HEADER.size - 4]) == checksum, "the header has another checksum")
    found, records = set(), 0
    writers = contents_of(data)["writers"]
    for writer in writers:
        for chunk in writer["chunks"]:
            for one in objects(content_of(data, writer, chunk)):
                found.update(texts(one))
            if chunk["kind"] == RECORDS:
                records += chunk["records"]
        told = sum(chunk["records"] for chunk in writer["chunks"])
        check(told == writer["records"], "a writer's records are not those of its chunks")
    print(json.dumps({"writers": len(writers), "records": records, "texts": sorted(found)}))


main()
