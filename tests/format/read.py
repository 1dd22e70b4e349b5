#!/usr/bin/env python3
"""Reads a data directory from docs/file-format.md alone, without any code of upsertd.

Usage: read.py DIRECTORY

Checks everything that page says on the way, prints what the directory holds as JSON, and exits
with 1 at the first thing that is not as it says. Needs `msgpack` and `zstandard` from PyPI.
"""

import json
import struct
import sys
import uuid
from pathlib import Path

import msgpack
import zstandard

CRC32C = []
for byte in range(256):
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    CRC32C.append(byte)


def crc32c(*pieces):
    crc = 0xFFFFFFFF
    for piece in pieces:
        for byte in piece:
            crc = CRC32C[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def check(condition, what):
    if not condition:
        sys.exit(f"not as docs/file-format.md says: {what}")


def writer_name(raw):
    kind = ["root", "catalog", "agenda", "table"][raw[0]]
    return f"{kind} {uuid.UUID(bytes=bytes(raw[1:]))}"


def read_parts(payload):
    at = 0
    while at < len(payload):
        check(len(payload) - at >= 41, "a part is cut short")
        writer = payload[at : at + 17]
        sequence, time, count, length = struct.unpack_from("<QqII", payload, at + 17)
        events = payload[at + 41 : at + 41 + length]
        check(len(events) == length, "the events of a part are cut short")
        yield {
            "writer": writer_name(writer),
            "first_sequence": sequence,
            "time": time,
            "events": count,
            "bytes": length,
        }
        at += 41 + length


def read_segment(path, named_end):
    data = path.read_bytes()
    header = data[:4096]
    check(header[:8] == b"upsertdL", f"{path.name}: magic")
    (version,) = struct.unpack_from("<H", header, 8)
    check(version == 1, f"{path.name}: version {version}")
    check(struct.unpack_from("<I", header, 4092)[0] == crc32c(header[:4092]), f"{path.name}: header")
    ids = header[16:64]
    salt = header[32:48]
    previous, _, checksum, segment_bytes, ahead = struct.unpack_from("<QQIQQ", header, 72)
    check(path.name == f"log-{previous + 1:020}.upsertd", f"{path.name}: name")
    position, at, begins, frames = previous, 4096, [4096, 4096], []
    while named_end is None or position < named_end[0]:
        frame = data[at : at + 32]
        if len(frame) < 32 or frame[:4] != b"upfr":
            break
        version, _, term, found, before, length = struct.unpack_from("<HHQQII", frame, 4)
        body = data[at : at + 32 + length]
        stored = data[at + 32 + length : at + 36 + length]
        if len(stored) < 4 or struct.unpack("<I", stored)[0] != crc32c(salt, body):
            break
        check((version, term, found) == (1, 1, position + 1), f"{path.name}: frame at {at}")
        check(before == checksum, f"{path.name}: chain at {at}")
        frames.append({"position": found, "parts": list(read_parts(body[32:]))})
        begins.append(at)
        position, checksum, at = found, struct.unpack("<I", stored)[0], at + 36 + length
    if named_end is None:
        check(not any(data[at:]), f"{path.name}: bytes behind its last frame")
        least = min(begins[-2] + ahead, segment_bytes) - max(ahead // 16, 1)
        check(len(data) > least, f"{path.name}: cut short")
    else:
        check((position, at, checksum) == named_end, f"{path.name}: end")
    return ids, (position, at, checksum), frames


def read_log(directory):
    paths = sorted(directory.glob("log-*.upsertd"))
    ends = []
    for successor in paths[1:]:
        ends.append(struct.unpack_from("<QQI", successor.read_bytes(), 72))
    log_ids, found = None, []
    for path, end in zip(paths, [*ends, None]):
        ids, end, frames = read_segment(path, end)
        check(log_ids in (None, ids), f"{path.name}: of another log")
        log_ids = ids
        found += frames
        index = path.with_suffix(".index")
        if index.exists():
            read_index(index, ids[:16], end, frames)
    return log_ids, found


def read_index(path, log_id, end, frames):
    data = path.read_bytes()
    check(data[:8] == b"upsertdI", f"{path.name}: magic")
    check(struct.unpack("<I", data[-4:])[0] == crc32c(data[:-4]), f"{path.name}: checksum")
    version, _, marks, writer_marks = struct.unpack_from("<HHII", data, 8)
    check((version, data[20:36]) == (1, log_id), f"{path.name}: version or log")
    first, last, offset, checksum, _ = struct.unpack_from("<QQQIq", data, 36)
    check(first == frames[0]["position"], f"{path.name}: first position")
    check((last, offset, checksum) == end, f"{path.name}: end")
    check(len(data) == 72 + 16 * marks + 41 * writer_marks + 4, f"{path.name}: length")
    starts = {(part["writer"], part["first_sequence"], frame["position"])
              for frame in frames for part in frame["parts"]}
    for number in range(writer_marks):
        at = 72 + 16 * marks + 41 * number
        sequence, position, _ = struct.unpack_from("<QQQ", data, at + 17)
        mark = (writer_name(data[at : at + 17]), sequence, position)
        check(mark in starts, f"{path.name}: mark {mark}")


def read_snapshot(path, log_id):
    data = path.read_bytes()
    check(data[:8] == b"upsertdS", f"{path.name}: magic")
    check(struct.unpack_from("<I", data, 64)[0] == crc32c(data[:64]), f"{path.name}: header")
    version, = struct.unpack_from("<H", data, 8)
    check((version, data[16:32]) == (1, log_id), f"{path.name}: version or log")
    created, began = struct.unpack_from("<qQ", data, 48)
    check(path.name.startswith(f"snapshot-{began:020}-"), f"{path.name}: name")
    table_at, length, checksum = struct.unpack_from("<QII", data, len(data) - 24)
    check(data[-8:] == b"upsertdE", f"{path.name}: trailer")
    table = data[table_at : table_at + length]
    check(table_at + length == len(data) - 24, f"{path.name}: table's place")
    check(crc32c(table) == checksum, f"{path.name}: table's checksum")
    contents = msgpack.unpackb(table)
    check(contents["version"] == 1, f"{path.name}: table's version")
    covered, found = [], []
    for entry in contents["writers"]:
        check(entry["position"] >= began, f"{path.name}: position of a writer")
        unpacked = [read_chunk(path, data, entry, chunk) for chunk in entry["chunks"]]
        check(sum(c["records"] for c in entry["chunks"]) == entry["records"], "records")
        covered += [(chunk["offset"], chunk["length"]) for chunk in entry["chunks"]]
        found.append({
            "writer": writer_name(entry["writer"]),
            "position": entry["position"],
            "sequence": entry["sequence"],
            "history": entry["history"] and str(uuid.UUID(bytes=entry["history"])),
            "digest": int.from_bytes(entry["digest"], "big"),
            "records": entry["records"],
            "bytes": sum(unpacked),
        })
    at = 68
    for offset, length in sorted(covered):
        check(offset == at, f"{path.name}: a gap before {offset}")
        at += length
    check(at == table_at, f"{path.name}: a gap before the table")
    return {"file": path.name, "position": began, "created": created, "writers": found}


def read_chunk(path, data, entry, chunk):
    at = chunk["offset"]
    check(data[at : at + 4] == b"upch", f"{path.name}: chunk at {at}")
    position, sequence, records, length, stored, zero, checksum = struct.unpack_from(
        "<QQIIIII", data, at + 22)
    check(58 + stored == chunk["length"] and zero == 0, f"{path.name}: chunk at {at}")
    packed = data[at + 58 : at + 58 + stored]
    check(checksum == crc32c(data[at : at + 54], packed), f"{path.name}: chunk at {at}")
    said = (data[at + 4], data[at + 5 : at + 22], position, sequence, records)
    listed = (chunk["kind"], entry["writer"], entry["position"], entry["sequence"], chunk["records"])
    check(said == listed, f"{path.name}: chunk at {at} is not as listed")
    content = zstandard.ZstdDecompressor().decompress(packed, max_output_size=max(length, 1))
    check(len(content) == length, f"{path.name}: content of the chunk at {at}")
    return length


def main():
    directory = Path(sys.argv[1])
    ids, frames = read_log(directory)
    check(ids is not None, "there is a log")
    snapshots = [read_snapshot(path, ids[:16]) for path in sorted(directory.glob("snapshot-*.upsertd"))]
    summary = {"log_id": str(uuid.UUID(bytes=ids[:16])), "frames": frames, "snapshots": snapshots}
    json.dump(summary, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
