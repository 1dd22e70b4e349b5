//! A segment: one file of the log, its header, and how it is made and written. Knows where frames
//! go and how they become durable; what they hold is the frame's and the index's.

use crate::model::id::{LogId, Position, Timestamp};
use crate::storage::disk::{Disk, DiskFile, discard};
use crate::storage::error::{Damage, DamageReason, Section, StorageError};
use crate::storage::frame::{Checksum, Salt};
use crate::storage::names;
use bytes::{Buf, BufMut};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// First bytes of every segment.
const MAGIC: [u8; 8] = *b"upsertdL";
/// Version of the layout of segments, their frames and their indexes.
pub const FORMAT_VERSION: u16 = 1;
/// Bytes of the header. Frames begin behind it, so that no later write touches its sectors.
pub const HEADER_LEN: usize = 4096;
/// Where the first frame of a segment stands.
pub const FRAMES_FROM: u64 = HEADER_LEN as u64;

/// The key of the digests of a log's tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DigestKey(pub [u8; 16]);

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(secret)")
    }
}

/// What is drawn once for a log and repeated in each of its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogIds {
    pub log_id: LogId,
    pub salt: Salt,
    pub digest_key: DigestKey,
}

/// How a log lays out its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentOptions {
    /// A segment that would grow beyond this is closed.
    pub segment_bytes: u64,
    /// How far ahead of the last frame zeros are written: overwriting them is faster than growing.
    pub zeros_ahead_bytes: u64,
}

impl Default for SegmentOptions {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, zeros_ahead_bytes: 4 << 20 }
    }
}

impl SegmentOptions {
    /// How far zeros reach when the next frame goes to an offset, give or take a step.
    fn zeroed_for(&self, offset: u64) -> u64 {
        offset.saturating_add(self.zeros_ahead_bytes).min(self.segment_bytes)
    }

    fn zeros_step(&self) -> u64 {
        (self.zeros_ahead_bytes / 16).max(1)
    }

    /// Whether a file of this length may hold a durable frame that begins at an offset.
    pub(crate) fn allows(&self, length: u64, frame_offset: u64) -> bool {
        length.saturating_add(self.zeros_step()) > self.zeroed_for(frame_offset)
    }
}

/// Where a segment ends: its last frame, the offset behind it, and its checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentEnd {
    pub position: Position,
    /// 0 in the header of a log's first segment: there is no file before it.
    pub offset: u64,
    pub checksum: Checksum,
}

/// What stands at the beginning of a segment.
///
/// Stored as `magic 8 bytes | format version u16 | 0 u16 | 0 u32 | log id 16 bytes | salt 16 bytes
/// | digest key 16 bytes | created at i64 | end of the segment before: position u64, offset u64,
/// checksum u32 | segment bytes u64 | zeros ahead u64 | zeros | crc32c u32`, little-endian, 4096
/// bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) ids: LogIds,
    pub(crate) created: Timestamp,
    /// Bytes of the segment before this one that lie behind its end are ignored for ever.
    pub(crate) previous: SegmentEnd,
    /// How the segment is laid out, which tells how long its file must be.
    pub(crate) options: SegmentOptions,
}

/// Why the beginning of a file is no header of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    Damaged(DamageKind),
    OtherFormat { found: u16 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DamageKind {
    Truncated,
    BadMagic,
    BadChecksum,
}

impl HeaderFault {
    pub(crate) fn at(self, path: &Path, section: Section, supported: u16) -> StorageError {
        let reason = match self {
            Self::OtherFormat { found } => {
                return StorageError::OtherFormat { path: path.to_owned(), found, supported };
            }
            Self::Damaged(DamageKind::Truncated) => DamageReason::Truncated(section),
            Self::Damaged(DamageKind::BadMagic) => DamageReason::BadMagic(section),
            Self::Damaged(DamageKind::BadChecksum) => DamageReason::BadChecksum(section),
        };
        Damage::of(path, 0, reason).into()
    }
}

/// Reads magic bytes and a version behind them: what every file of ours begins with.
pub(crate) fn read_version(
    bytes: &[u8],
    magic: [u8; 8],
    supported: u16,
) -> Result<&[u8], HeaderFault> {
    let damaged = |kind| Err(HeaderFault::Damaged(kind));
    let Some((found, mut rest)) = bytes.split_first_chunk::<8>() else {
        return damaged(DamageKind::Truncated);
    };
    if *found != magic {
        return damaged(DamageKind::BadMagic);
    }
    let Ok(version) = rest.try_get_u16_le() else { return damaged(DamageKind::Truncated) };
    if version == supported { Ok(rest) } else { Err(HeaderFault::OtherFormat { found: version }) }
}

/// Splits off a trailing `crc32c u32` that fits the bytes before it.
pub(crate) fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (body, checksum) = bytes.split_last_chunk::<4>()?;
    (crc32c::crc32c(body) == u32::from_le_bytes(*checksum)).then_some(body)
}

impl SegmentHeader {
    /// Position of the segment's first frame.
    pub(crate) fn first(&self) -> Position {
        self.previous.position.next()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        bytes.put_slice(&MAGIC);
        bytes.put_u16_le(FORMAT_VERSION);
        bytes.put_bytes(0, 6);
        bytes.put_slice(self.ids.log_id.as_bytes());
        bytes.put_slice(&self.ids.salt.0);
        bytes.put_slice(&self.ids.digest_key.0);
        bytes.put_i64_le(self.created.0);
        bytes.put_u64_le(self.previous.position.0);
        bytes.put_u64_le(self.previous.offset);
        bytes.put_u32_le(self.previous.checksum.0);
        bytes.put_u64_le(self.options.segment_bytes);
        bytes.put_u64_le(self.options.zeros_ahead_bytes);
        bytes.resize(HEADER_LEN - 4, 0);
        bytes.put_u32_le(crc32c::crc32c(&bytes));
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        read_version(bytes, MAGIC, FORMAT_VERSION)?;
        let header = bytes.get(..HEADER_LEN).ok_or(HeaderFault::Damaged(DamageKind::Truncated))?;
        let body = checked(header).ok_or(HeaderFault::Damaged(DamageKind::BadChecksum))?;
        Self::decode_body(body).ok_or(HeaderFault::Damaged(DamageKind::Truncated))
    }

    fn decode_body(body: &[u8]) -> Option<Self> {
        let mut fields = body.get(16..)?;
        let mut id = [[0; 16]; 3];
        for bytes in &mut id {
            fields.try_copy_to_slice(bytes).ok()?;
        }
        let [log_id, salt, digest_key] = id;
        let log_id = LogId::from_bytes(log_id);
        let ids = LogIds { log_id, salt: Salt(salt), digest_key: DigestKey(digest_key) };
        let created = Timestamp(fields.try_get_i64_le().ok()?);
        let position = Position(fields.try_get_u64_le().ok()?);
        if position == Position(u64::MAX) {
            return None;
        }
        let offset = fields.try_get_u64_le().ok()?;
        let checksum = Checksum(fields.try_get_u32_le().ok()?);
        let previous = SegmentEnd { position, offset, checksum };
        let segment_bytes = fields.try_get_u64_le().ok()?;
        let zeros_ahead_bytes = fields.try_get_u64_le().ok()?;
        let options = SegmentOptions { segment_bytes, zeros_ahead_bytes };
        Some(Self { ids, created, previous, options })
    }

    /// Reads the header of a segment file.
    pub(crate) fn read(file: &dyn DiskFile, path: &Path) -> Result<Self, StorageError> {
        let mut bytes = vec![0; HEADER_LEN];
        let read = file.read_at(&mut bytes, 0)?;
        bytes.truncate(read);
        Self::decode(&bytes).map_err(|fault| fault.at(path, Section::SegmentHeader, FORMAT_VERSION))
    }
}

impl Damage {
    /// Damage of which nothing more is known.
    pub(crate) fn of(path: &Path, offset: u64, reason: DamageReason) -> Self {
        Self { path: path.to_owned(), offset, reason, in_doubt: None, good_after: None }
    }
}

impl From<Damage> for StorageError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(Box::new(damage))
    }
}

/// What a new segment says about itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentBeginning {
    pub(crate) ids: LogIds,
    pub(crate) created: Timestamp,
    pub(crate) previous: SegmentEnd,
}

impl SegmentBeginning {
    /// Position of the segment's first frame.
    pub(crate) fn first(&self) -> Position {
        self.previous.position.next()
    }
}

/// A segment without a header and a name: room for the log to go on.
#[derive(Debug)]
pub(crate) struct PreparedSegment {
    file: Box<dyn DiskFile>,
    zeroed: u64,
    options: SegmentOptions,
}

/// The segment that is being written.
#[derive(Debug)]
pub(crate) struct OpenSegment {
    file: Arc<dyn DiskFile>,
    /// Where the next frame goes.
    end: u64,
    /// Up to here the file holds frames or zeros.
    zeroed: u64,
    options: SegmentOptions,
}

/// One name is enough: there is at most one prepared segment, and a leftover is removed.
fn prepared_name() -> String {
    names::temporary("segment")
}

impl PreparedSegment {
    /// Makes room for a segment. It is nothing yet: a start removes it.
    pub(crate) fn make(disk: &dyn Disk, options: SegmentOptions) -> Result<Self, StorageError> {
        let file = disk.create_new(&prepared_name())?;
        let mut prepared = Self { file, zeroed: FRAMES_FROM, options };
        match prepared.fill() {
            Ok(()) => Ok(prepared),
            Err(error) => {
                discard(disk, &prepared_name());
                Err(error)
            }
        }
    }

    fn fill(&mut self) -> Result<(), StorageError> {
        self.file.allocate(self.options.segment_bytes)?;
        let zeroed = self.options.zeroed_for(FRAMES_FROM).max(FRAMES_FROM);
        write_zeros(&*self.file, 0, zeroed)?;
        self.zeroed = zeroed;
        self.file.sync_data()
    }

    /// Gives the segment its header, perhaps a first frame, and its name, in this order: a name
    /// never stands for less than what it promises. Everything is durable afterwards.
    ///
    /// A segment of the same name, which can only be one without frames, is replaced.
    pub(crate) fn publish(
        self,
        disk: &dyn Disk,
        beginning: &SegmentBeginning,
        first_frame: &[u8],
    ) -> Result<OpenSegment, StorageError> {
        let end = FRAMES_FROM + first_frame.len() as u64;
        let zeroed = self.zeroed.max(end);
        let SegmentBeginning { ids, created, previous } = *beginning;
        let header = SegmentHeader { ids, created, previous, options: self.options };
        self.file.write_at(&header.encode(), 0)?;
        if !first_frame.is_empty() {
            self.file.write_at(first_frame, FRAMES_FROM)?;
        }
        self.file.sync_all()?;
        disk.rename(&prepared_name(), &names::segment(header.first()))?;
        disk.sync_directory()?;
        Ok(OpenSegment { file: Arc::from(self.file), end, zeroed, options: self.options })
    }
}

impl OpenSegment {
    pub(crate) fn file(&self) -> Arc<dyn DiskFile> {
        self.file.clone()
    }

    /// Whether a frame of so many bytes still belongs here. The first always does.
    pub(crate) fn takes(&self, frame_bytes: usize) -> bool {
        self.end == FRAMES_FROM || self.end + frame_bytes as u64 <= self.options.segment_bytes
    }

    /// Writes a frame behind the last one. It is durable afterwards, and so are zeros behind its
    /// beginning: a file that is shorter was cut.
    pub(crate) fn append(&mut self, frame: &[u8]) -> Result<(), StorageError> {
        self.write_zeros_ahead()?;
        self.file.write_at(frame, self.end)?;
        self.file.sync_data()?;
        self.end += frame.len() as u64;
        self.zeroed = self.zeroed.max(self.end);
        Ok(())
    }

    /// Writes zeros ahead of the frames, a step at a time: the sync of the next frame carries them
    /// along, so a step must be small.
    pub(crate) fn write_zeros_ahead(&mut self) -> Result<(), StorageError> {
        let target = self.options.zeroed_for(self.end);
        if self.zeroed + self.options.zeros_step() <= target {
            write_zeros(&*self.file, self.zeroed, target)?;
            self.zeroed = target;
        }
        Ok(())
    }
}

fn write_zeros(file: &dyn DiskFile, from: u64, to: u64) -> Result<(), StorageError> {
    const PIECE: u64 = 1 << 20;
    let zeros = vec![0; usize::try_from(PIECE.min(to - from)).expect("a piece is 1 MiB")];
    let mut at = from;
    while at < to {
        let length = (to - at).min(zeros.len() as u64);
        let piece = usize::try_from(length).ok().and_then(|length| zeros.get(..length));
        file.write_at(piece.expect("it is no longer than all zeros"), at)?;
        at += length;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        DamageKind, DigestKey, FORMAT_VERSION, FRAMES_FROM, HEADER_LEN, HeaderFault, LogIds,
        PreparedSegment, SegmentBeginning, SegmentEnd, SegmentHeader, SegmentOptions,
    };
    use crate::model::id::{LogId, Position, Timestamp};
    use crate::storage::disk::Disk;
    use crate::storage::frame::{Checksum, Salt};
    use crate::storage::memory_disk::{MemoryDisk, Survival};
    use crate::storage::names;

    const OPTIONS: SegmentOptions =
        SegmentOptions { segment_bytes: 64 << 10, zeros_ahead_bytes: 16 << 10 };

    fn header() -> SegmentHeader {
        SegmentHeader {
            ids: LogIds {
                log_id: LogId::from_bytes([1; 16]),
                salt: Salt([2; 16]),
                digest_key: DigestKey([3; 16]),
            },
            created: Timestamp(-4),
            previous: SegmentEnd {
                position: Position(5),
                offset: 6_000,
                checksum: Checksum(0xdead_beef),
            },
            options: OPTIONS,
        }
    }

    fn beginning() -> SegmentBeginning {
        let SegmentHeader { ids, created, previous, options: _ } = header();
        SegmentBeginning { ids, created, previous }
    }

    #[test]
    fn a_header_comes_back_as_it_was_written() {
        let bytes = header().encode();
        assert_eq!(bytes.len(), HEADER_LEN);
        assert_eq!(SegmentHeader::decode(&bytes), Ok(header()));
    }

    #[test]
    fn a_bad_header_is_told_apart_by_its_fault() {
        let check = |offset: usize, byte: u8, expected| {
            let mut bytes = header().encode();
            bytes[offset] = byte;
            assert_eq!(SegmentHeader::decode(&bytes), Err(expected));
        };
        check(0, b'U', HeaderFault::Damaged(DamageKind::BadMagic));
        check(8, 2, HeaderFault::OtherFormat { found: 2 });
        check(64, 9, HeaderFault::Damaged(DamageKind::BadChecksum));
        check(HEADER_LEN - 1, 9, HeaderFault::Damaged(DamageKind::BadChecksum));
        let bytes = header().encode();
        let cut = SegmentHeader::decode(&bytes[..HEADER_LEN - 1]);
        assert_eq!(cut, Err(HeaderFault::Damaged(DamageKind::Truncated)));
        assert_eq!(FORMAT_VERSION, 1);
    }

    #[test]
    fn a_published_segment_is_durable_with_its_name_and_first_frame() {
        let disk = MemoryDisk::new();
        let prepared = PreparedSegment::make(&disk, OPTIONS).unwrap();
        prepared.publish(&disk, &beginning(), b"frame").unwrap();
        let left = disk.after_power_cut(Survival::LoseAll);
        assert_eq!(left.names(), [names::segment(Position(6))]);
        let bytes = left.bytes_of(&names::segment(Position(6)));
        assert_eq!(SegmentHeader::decode(&bytes), Ok(header()));
        assert!(bytes[HEADER_LEN..].starts_with(b"frame\0"));
        assert_eq!(bytes.len() as u64, FRAMES_FROM + OPTIONS.zeros_ahead_bytes);
    }

    #[test]
    fn zeros_stay_ahead_of_the_frames_up_to_the_end_of_the_segment() {
        let disk = MemoryDisk::new();
        let prepared = PreparedSegment::make(&disk, OPTIONS).unwrap();
        let mut segment = prepared.publish(&disk, &beginning(), b"").unwrap();
        let frame = [7; 1000];
        while segment.takes(frame.len()) {
            segment.append(&frame).unwrap();
            segment.write_zeros_ahead().unwrap();
            let length = segment.file().length().unwrap();
            let ahead = length - segment.end;
            let is_at_the_end = length >= OPTIONS.segment_bytes - 1024;
            assert!(is_at_the_end || ahead > OPTIONS.zeros_ahead_bytes - 2048, "{ahead}");
            assert!(length <= OPTIONS.segment_bytes);
        }
        assert_eq!(segment.end, FRAMES_FROM + 61 * 1000);
    }

    #[test]
    fn a_frame_longer_than_a_segment_has_one_to_itself() {
        let disk = MemoryDisk::new();
        let prepared = PreparedSegment::make(&disk, OPTIONS).unwrap();
        let mut segment = prepared.publish(&disk, &beginning(), b"").unwrap();
        let frame = vec![7; 100 << 10];
        assert!(segment.takes(frame.len()));
        segment.append(&frame).unwrap();
        segment.write_zeros_ahead().unwrap();
        assert!(!segment.takes(1));
    }

    #[test]
    fn a_segment_that_finds_no_room_leaves_nothing_behind() {
        let disk = MemoryDisk::new();
        disk.set_capacity(Some(OPTIONS.segment_bytes - 1));
        let refused = PreparedSegment::make(&disk, OPTIONS).unwrap_err();
        assert!(refused.is_out_of_space());
        assert!(disk.list().unwrap().is_empty());
    }
}
