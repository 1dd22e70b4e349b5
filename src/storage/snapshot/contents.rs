//! The table of contents of a snapshot: `MessagePack`, so that any reader of it can find its way.
//! Knows no file.

use super::{ChunkHead, ChunkKind, FORMAT_VERSION, HEADER_LEN};
use crate::model::id::{HistoryId, Position, Sequence, WriterId};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// What a snapshot holds of one writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterEntry {
    pub writer: WriterId,
    /// The last frame whose events are in it. Frames behind it are the log's to tell.
    pub position: Position,
    /// The writer's last sequence at that position.
    pub sequence: Sequence,
    /// Tables have one.
    pub history: Option<HistoryId>,
    pub digest: u128,
    /// Records in all of its chunks.
    pub records: u64,
    pub chunks: Vec<ChunkEntry>,
}

/// Where a chunk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkEntry {
    pub kind: ChunkKind,
    pub records: u32,
    /// Of the chunk's header in the file.
    pub offset: u64,
    /// Of header and stored content.
    pub length: u64,
}

impl WriterEntry {
    /// What the header of one of its chunks must say.
    pub(super) fn head_of(&self, chunk: &ChunkEntry) -> ChunkHead {
        let Self { writer, position, sequence, .. } = *self;
        ChunkHead { writer, kind: chunk.kind, position, sequence, records: chunk.records }
    }
}

/// The stored form: maps with names, ids as binaries.
#[derive(Serialize, Deserialize)]
struct StoredContents {
    version: u16,
    writers: Vec<StoredWriter>,
}

#[derive(Serialize, Deserialize)]
struct StoredWriter {
    writer: Binary<{ WriterId::LEN }>,
    position: u64,
    sequence: u64,
    history: Option<Binary<16>>,
    digest: Binary<16>,
    records: u64,
    chunks: Vec<StoredChunk>,
}

#[derive(Serialize, Deserialize)]
struct StoredChunk {
    kind: u8,
    records: u32,
    offset: u64,
    length: u64,
}

pub(super) fn encode(writers: &[WriterEntry]) -> Vec<u8> {
    let stored = |entry: &WriterEntry| StoredWriter {
        writer: Binary(entry.writer.to_bytes()),
        position: entry.position.0,
        sequence: entry.sequence.0,
        history: entry.history.map(|history| Binary(*history.as_bytes())),
        digest: Binary(entry.digest.to_be_bytes()),
        records: entry.records,
        chunks: entry.chunks.iter().map(StoredChunk::of).collect(),
    };
    let writers = writers.iter().map(stored).collect();
    let contents = StoredContents { version: FORMAT_VERSION, writers };
    rmp_serde::to_vec_named(&contents).expect("plain data has a MessagePack form")
}

/// Reads a table of contents and sees to it that its chunks fill the file from the header to the
/// table. None if anything in it cannot be.
pub(super) fn decode(bytes: &[u8], contents_offset: u64) -> Option<Vec<WriterEntry>> {
    let stored: StoredContents = rmp_serde::from_slice(bytes).ok()?;
    if stored.version != FORMAT_VERSION {
        return None;
    }
    let writers: Vec<WriterEntry> =
        stored.writers.into_iter().map(StoredWriter::entry).collect::<Option<_>>()?;
    let mut chunks: Vec<&ChunkEntry> = writers.iter().flat_map(|entry| &entry.chunks).collect();
    chunks.sort_unstable_by_key(|chunk| chunk.offset);
    let mut end = HEADER_LEN as u64;
    for chunk in chunks {
        if chunk.offset != end {
            return None;
        }
        end = end.checked_add(chunk.length)?;
    }
    (end == contents_offset).then_some(writers)
}

impl StoredWriter {
    fn entry(self) -> Option<WriterEntry> {
        let chunks: Vec<ChunkEntry> =
            self.chunks.iter().map(StoredChunk::entry).collect::<Option<_>>()?;
        let records: u64 = chunks.iter().map(|chunk| u64::from(chunk.records)).sum();
        (records == self.records).then_some(WriterEntry {
            writer: WriterId::from_bytes(&self.writer.0)?,
            position: Position(self.position),
            sequence: Sequence(self.sequence),
            history: self.history.map(|history| HistoryId::from_bytes(history.0)),
            digest: u128::from_be_bytes(self.digest.0),
            records,
            chunks,
        })
    }
}

impl StoredChunk {
    fn of(chunk: &ChunkEntry) -> Self {
        let ChunkEntry { kind, records, offset, length } = *chunk;
        Self { kind: kind.to_byte(), records, offset, length }
    }

    fn entry(&self) -> Option<ChunkEntry> {
        let kind = ChunkKind::from_byte(self.kind)?;
        let Self { kind: _, records, offset, length } = *self;
        Some(ChunkEntry { kind, records, offset, length })
    }
}

/// Bytes that are a `MessagePack` binary, not an array of numbers.
struct Binary<const LEN: usize>([u8; LEN]);

impl<const LEN: usize> Serialize for Binary<LEN> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de, const LEN: usize> Deserialize<'de> for Binary<LEN> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BinaryVisitor)
    }
}

struct BinaryVisitor<const LEN: usize>;

impl<const LEN: usize> Visitor<'_> for BinaryVisitor<LEN> {
    type Value = Binary<LEN>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{LEN} bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        let bytes = bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))?;
        Ok(Binary(bytes))
    }
}
