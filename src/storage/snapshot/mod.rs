//! Snapshots: one file per round with all writers of a partition as independent chunks, closed by a
//! table of contents. Knows layout and checksums; what a chunk's content says is the engine's.
//!
//! A file has its name only after it was written aside, synced, and read back from the device. So
//! a name stands for a snapshot that can be used.

mod contents;
mod reader;
mod rounds;
mod writer;

pub use contents::{ChunkEntry, WriterEntry};
pub use reader::SnapshotReader;
pub use rounds::Snapshots;
pub use writer::{SnapshotWriter, WriterSummary, WrittenSnapshot};

use crate::model::id::{LogId, Position, Sequence, Timestamp, WriterId};
use crate::storage::segment::{DamageKind, DigestKey, HeaderFault, checked, read_version};
use bytes::{Buf, BufMut};

/// First bytes of every snapshot.
const MAGIC: [u8; 8] = *b"upsertdS";
/// First bytes of every chunk.
const CHUNK_MAGIC: [u8; 4] = *b"upch";
/// Last bytes of every snapshot.
const END_MAGIC: [u8; 8] = *b"upsertdE";
/// Version of the layout of snapshots.
pub const FORMAT_VERSION: u16 = 1;
/// Bytes of the header.
pub(crate) const HEADER_LEN: usize = 68;
/// Bytes of a chunk before its stored content.
const CHUNK_HEADER_LEN: usize = 58;
/// Bytes of the trailer.
const TRAILER_LEN: usize = 24;
/// A chunk has at most so much content, before it is compressed.
pub const CHUNK_BYTES_MAX: usize = 64 << 20;

/// What stands at the beginning of a snapshot.
///
/// Stored as `magic 8 bytes | format version u16 | 0 u16 | 0 u32 | log id 16 bytes | digest key 16
/// bytes | created at i64 | position u64 | crc32c u32`, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    pub log_id: LogId,
    pub digest_key: DigestKey,
    pub created: Timestamp,
    /// Where the round began: no writer is as of an earlier position.
    pub position: Position,
}

impl SnapshotHeader {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        bytes.put_slice(&MAGIC);
        bytes.put_u16_le(FORMAT_VERSION);
        bytes.put_bytes(0, 6);
        bytes.put_slice(self.log_id.as_bytes());
        bytes.put_slice(&self.digest_key.0);
        bytes.put_i64_le(self.created.0);
        bytes.put_u64_le(self.position.0);
        bytes.put_u32_le(crc32c::crc32c(&bytes));
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        if let Err(fault) = read_version(bytes, MAGIC, FORMAT_VERSION) {
            let rotten = HeaderFault::Damaged(DamageKind::BadChecksum);
            return Err(if is_ours_but_for_its_version(bytes) { rotten } else { fault });
        }
        let header = bytes.get(..HEADER_LEN).ok_or(HeaderFault::Damaged(DamageKind::Truncated))?;
        let body = checked(header).ok_or(HeaderFault::Damaged(DamageKind::BadChecksum))?;
        Self::decode_body(body).ok_or(HeaderFault::Damaged(DamageKind::Truncated))
    }

    fn decode_body(body: &[u8]) -> Option<Self> {
        let mut fields = body.get(16..)?;
        let (mut log_id, mut digest_key) = ([0; 16], [0; 16]);
        fields.try_copy_to_slice(&mut log_id).ok()?;
        fields.try_copy_to_slice(&mut digest_key).ok()?;
        let created = Timestamp(fields.try_get_i64_le().ok()?);
        let position = Position(fields.try_get_u64_le().ok()?);
        if position == Position(u64::MAX) {
            return None;
        }
        let (log_id, digest_key) = (LogId::from_bytes(log_id), DigestKey(digest_key));
        Some(Self { log_id, digest_key, created, position })
    }
}

/// Whether the checksum fits once the version is ours: then that alone has rotted, and the file is
/// damaged instead of being of another format.
fn is_ours_but_for_its_version(bytes: &[u8]) -> bool {
    let Some(mut header) = bytes.first_chunk::<HEADER_LEN>().copied() else { return false };
    header[MAGIC.len()..][..2].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    header.starts_with(&MAGIC) && checked(&header).is_some()
}

/// What a chunk's content is a piece of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChunkKind {
    /// All of a writer that is not records: schema, members, outcomes …
    State,
    Records,
}

impl ChunkKind {
    fn to_byte(self) -> u8 {
        match self {
            Self::State => 0,
            Self::Records => 1,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::State),
            1 => Some(Self::Records),
            _ => None,
        }
    }
}

/// What a chunk says about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkHead {
    pub writer: WriterId,
    pub kind: ChunkKind,
    /// The last frame whose events the content has.
    pub position: Position,
    /// The writer's last sequence at that position.
    pub sequence: Sequence,
    pub records: u32,
}

/// A chunk's header.
///
/// Stored as `magic 4 bytes | kind u8 | writer 17 bytes | position u64 | sequence u64 | record
/// count u32 | content length u32 | stored length u32 | 0 u32 | crc32c u32`, little-endian; then
/// the stored content, one zstd frame. The checksum covers the header before it and the stored
/// content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ChunkHeader {
    head: ChunkHead,
    content_len: u32,
    stored_len: u32,
    checksum: u32,
}

impl ChunkHeader {
    /// The stored form of a chunk.
    fn encode(head: &ChunkHead, content_len: u32, stored: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.put_slice(&CHUNK_MAGIC);
        out.put_u8(head.kind.to_byte());
        out.put_slice(&head.writer.to_bytes());
        out.put_u64_le(head.position.0);
        out.put_u64_le(head.sequence.0);
        out.put_u32_le(head.records);
        out.put_u32_le(content_len);
        out.put_u32_le(u32::try_from(stored.len()).expect("a chunk is at most 64 MiB"));
        out.put_u32_le(0);
        let covered = out.get(start..).expect("the header was just put there");
        let checksum = crc32c::crc32c_append(crc32c::crc32c(covered), stored);
        out.put_u32_le(checksum);
        out.put_slice(stored);
    }

    /// Reads a header; none if it is not one that this layout can have.
    fn decode(bytes: &[u8; CHUNK_HEADER_LEN]) -> Option<Self> {
        let mut fields = bytes.strip_prefix(&CHUNK_MAGIC)?;
        let kind = ChunkKind::from_byte(fields.get_u8())?;
        let mut writer = [0; WriterId::LEN];
        fields.copy_to_slice(&mut writer);
        let writer = WriterId::from_bytes(&writer)?;
        let position = Position(fields.get_u64_le());
        let sequence = Sequence(fields.get_u64_le());
        let records = fields.get_u32_le();
        let head = ChunkHead { writer, kind, position, sequence, records };
        let (content_len, stored_len) = (fields.get_u32_le(), fields.get_u32_le());
        fields.advance(4);
        Some(Self { head, content_len, stored_len, checksum: fields.get_u32_le() })
    }
}

/// The last bytes of a snapshot: where its table of contents stands.
///
/// Stored as `offset u64 | length u32 | crc32c u32 of the table | magic 8 bytes`, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Trailer {
    offset: u64,
    length: u32,
    checksum: u32,
}

impl Trailer {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64_le(self.offset);
        out.put_u32_le(self.length);
        out.put_u32_le(self.checksum);
        out.put_slice(&END_MAGIC);
    }

    fn decode(bytes: &[u8; TRAILER_LEN]) -> Option<Self> {
        let mut fields = bytes.strip_suffix(&END_MAGIC)?;
        let offset = fields.get_u64_le();
        Some(Self { offset, length: fields.get_u32_le(), checksum: fields.get_u32_le() })
    }
}

#[cfg(test)]
mod tests;
