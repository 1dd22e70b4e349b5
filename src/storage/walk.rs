//! Reading frames one after the other, and what to think of the place where that ends. Knows a
//! file, a salt and where to stop; what an end means for the log is recovery's.

use crate::model::id::Position;
use crate::storage::disk::DiskFile;
use crate::storage::error::{DamageReason, StorageError};
use crate::storage::frame::{Checksum, Frame, FrameError, FrameHeader, HEADER_LEN, MAGIC, Salt};

/// Read at once; a longer frame takes a read of its own.
const READ_BYTES: usize = 256 << 10;

/// Where a walk begins and ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WalkFrom {
    pub(crate) offset: u64,
    /// Bytes from here on are not looked at.
    pub(crate) end: u64,
    /// The position that the first frame must have.
    pub(crate) position: Position,
    /// The checksum that the first frame must repeat, where it is known.
    pub(crate) previous: Option<Checksum>,
}

/// Walks the frames of a segment in their order and checks each against the one before.
pub(crate) struct Walk<'a> {
    file: &'a dyn DiskFile,
    salt: &'a Salt,
    next: WalkFrom,
    buffer: Vec<u8>,
    /// The offset in the file of the buffer's first byte.
    buffer_offset: u64,
}

/// A frame and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Walked<'a> {
    pub(crate) frame: Frame<'a>,
    pub(crate) checksum: Checksum,
}

/// Why a walk cannot go on.
#[derive(Debug)]
pub(crate) enum WalkError {
    /// What stands at the walk's offset is not the next frame.
    Bad(DamageReason),
    Storage(StorageError),
}

impl From<StorageError> for WalkError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<FrameError> for WalkError {
    fn from(error: FrameError) -> Self {
        Self::Bad(error.into())
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(file: &'a dyn DiskFile, salt: &'a Salt, from: WalkFrom) -> Self {
        Self { file, salt, next: from, buffer: Vec::new(), buffer_offset: from.offset }
    }

    /// Where the next frame would stand, and the position it would have.
    pub(crate) fn next_place(&self) -> (u64, Position) {
        (self.next.offset, self.next.position)
    }

    /// The next frame; none at the end. After an error it gives the same error again.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Walked<'_>>, WalkError> {
        if self.next.offset >= self.next.end {
            return Ok(None);
        }
        let header_bytes = self.fetch(HEADER_LEN)?;
        let frame_len = FrameHeader::decode(header_bytes)?.frame_len();
        self.fetch(frame_len)?;
        let WalkFrom { offset, end, position, previous } = self.next;
        let start = usize::try_from(offset - self.buffer_offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(end - offset).unwrap_or(usize::MAX);
        let bytes = self.buffer.get(start..).unwrap_or_default();
        let bytes = bytes.get(..limit).unwrap_or(bytes);
        let (frame, checksum, _) = Frame::decode(bytes, self.salt)?;
        if frame.position != position {
            let found = frame.position;
            return Err(WalkError::Bad(DamageReason::WrongPosition { expected: position, found }));
        }
        if previous.is_some_and(|previous| previous != frame.previous) {
            return Err(WalkError::Bad(DamageReason::BrokenChain));
        }
        self.next.offset += frame_len as u64;
        self.next.position = position.next();
        self.next.previous = Some(checksum);
        Ok(Some(Walked { frame, checksum }))
    }

    /// The bytes from the walk's offset on: `wanted` of them if the file has so many.
    fn fetch(&mut self, wanted: usize) -> Result<&[u8], StorageError> {
        let offset = self.next.offset;
        let skipped = usize::try_from(offset - self.buffer_offset).unwrap_or(usize::MAX);
        let buffered = self.buffer.len().saturating_sub(skipped);
        if buffered < wanted {
            self.buffer.drain(..skipped.min(self.buffer.len()));
            self.buffer_offset = offset;
            self.buffer.resize(wanted.max(READ_BYTES), 0);
            let rest = self.buffer.get_mut(buffered..).unwrap_or_default();
            let read = self.file.read_at(rest, offset + buffered as u64)?;
            self.buffer.truncate(buffered + read);
            return Ok(self.buffer.get(..wanted).unwrap_or(&self.buffer));
        }
        Ok(self.buffer.get(skipped..skipped + wanted).unwrap_or_default())
    }
}

/// What stands where no next frame could be read in the last segment of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Only zeros, or nothing.
    Clean,
    /// Part of one frame: the power went while it was written, so nobody has been told of it.
    Torn { bytes: Vec<u8> },
    /// A frame behind it can be read. The next frame is never written before the last is durable,
    /// so the bad one was durable once.
    Damaged { good_offset: u64, good_position: Position },
}

/// Looks at everything from an offset to the end of the file.
pub(crate) fn examine_tail(
    file: &dyn DiskFile,
    salt: &Salt,
    offset: u64,
) -> Result<Tail, StorageError> {
    let length = file.length()?.saturating_sub(offset);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let read = file.read_at(&mut bytes, offset)?;
    bytes.truncate(read);
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if used == 0 {
        return Ok(Tail::Clean);
    }
    if let Some((place, good_position)) = find_frame(&bytes, used, salt) {
        return Ok(Tail::Damaged { good_offset: offset + place as u64, good_position });
    }
    bytes.truncate(used);
    Ok(Tail::Torn { bytes })
}

/// The first frame of this log that begins among the first `used` bytes. It may end in zeros, so
/// all bytes are given. Nobody who does not know the salt can have put it there.
fn find_frame(bytes: &[u8], used: usize, salt: &Salt) -> Option<(usize, Position)> {
    let mut place = 0;
    while place < used {
        let rest = bytes.get(place..)?;
        let skipped = rest.iter().position(|byte| *byte == MAGIC[0])?;
        place += skipped;
        if let Ok((frame, _, _)) = Frame::decode(bytes.get(place..)?, salt) {
            return Some((place, frame.position));
        }
        place += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{READ_BYTES, Tail, Walk, WalkError, WalkFrom, examine_tail};
    use crate::model::id::Position;
    use crate::storage::disk::Disk;
    use crate::storage::error::DamageReason;
    use crate::storage::frame::{Checksum, Frame, FrameError, Salt, Term};
    use crate::storage::memory_disk::MemoryDisk;

    const SALT: Salt = Salt([5; 16]);
    const START: usize = 100;

    /// A file whose frames have payloads of these lengths, and the offsets where they begin.
    fn file(lengths: &[usize]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = vec![0xee; START];
        let (mut offsets, mut previous) = (Vec::new(), Checksum(9));
        for (number, length) in (1..).zip(lengths) {
            offsets.push(bytes.len());
            let payload = vec![b'u'; *length];
            let frame = Frame {
                term: Term::FIRST,
                position: Position(number),
                previous,
                payload: &payload,
            };
            previous = frame.encode(&SALT, &mut bytes);
        }
        (bytes, offsets)
    }

    /// Walks to the end; the payload lengths read, and why it ended.
    fn walk(bytes: &[u8], from: WalkFrom) -> (Vec<usize>, Option<DamageReason>) {
        let disk = MemoryDisk::new();
        disk.put("a", bytes.to_vec());
        let file = disk.open("a").unwrap();
        let mut walk = Walk::new(&*file, &SALT, from);
        let mut read = Vec::new();
        loop {
            match walk.next_frame() {
                Ok(Some(walked)) => read.push(walked.frame.payload.len()),
                Ok(None) => return (read, None),
                Err(WalkError::Bad(reason)) => return (read, Some(reason)),
                Err(WalkError::Storage(error)) => panic!("{error}"),
            }
        }
    }

    fn all(bytes: &[u8]) -> WalkFrom {
        WalkFrom {
            offset: START as u64,
            end: bytes.len() as u64,
            position: Position(1),
            previous: Some(Checksum(9)),
        }
    }

    fn tail(bytes: &[u8], offset: usize) -> Tail {
        let disk = MemoryDisk::new();
        disk.put("a", bytes.to_vec());
        examine_tail(&*disk.open("a").unwrap(), &SALT, offset as u64).unwrap()
    }

    #[test]
    fn frames_of_all_lengths_are_walked() {
        let lengths = [0, 1, 5000, READ_BYTES, 0, READ_BYTES - 36, 3 * READ_BYTES, 7];
        let (bytes, _) = file(&lengths);
        assert_eq!(walk(&bytes, all(&bytes)), (lengths.to_vec(), None));
    }

    #[test]
    fn a_walk_from_the_middle_checks_what_it_knows() {
        let (bytes, offsets) = file(&[3, 4, 5]);
        let from = WalkFrom {
            offset: offsets[1] as u64,
            position: Position(2),
            previous: None,
            ..all(&bytes)
        };
        assert_eq!(walk(&bytes, from), (vec![4, 5], None));
        let from = WalkFrom { previous: Some(Checksum(1)), ..from };
        assert_eq!(walk(&bytes, from), (vec![], Some(DamageReason::BrokenChain)));
    }

    #[test]
    fn a_walk_never_looks_behind_its_end() {
        let (bytes, offsets) = file(&[3, 4, 5]);
        let check = |end: usize, expected| {
            assert_eq!(walk(&bytes, WalkFrom { end: end as u64, ..all(&bytes) }), expected);
        };
        check(offsets[2], (vec![3, 4], None));
        check(offsets[2] - 1, (vec![3], Some(FrameError::Truncated.into())));
        check(offsets[2] + 39, (vec![3, 4], Some(FrameError::Truncated.into())));
    }

    #[test]
    fn a_missing_a_swapped_and_a_repeated_frame_are_seen() {
        let (bytes, offsets) = file(&[3, 3, 3]);
        let frame = |number: usize| {
            let end = offsets.get(number + 1).copied().unwrap_or(bytes.len());
            &bytes[offsets[number]..end]
        };
        let check = |order: &[usize], good: usize, found| {
            let mut other = bytes[..START].to_vec();
            for number in order {
                other.extend_from_slice(frame(*number));
            }
            let expected = Position(good as u64 + 1);
            let reason = DamageReason::WrongPosition { expected, found: Position(found) };
            assert_eq!(walk(&other, all(&other)), (vec![3; good], Some(reason)));
        };
        check(&[1, 2], 0, 2);
        check(&[0, 2], 1, 3);
        check(&[0, 2, 1], 1, 3);
        check(&[0, 0, 1, 2], 1, 1);
    }

    #[test]
    fn a_frame_that_continues_another_one_is_seen() {
        let (bytes, offsets) = file(&[3, 3]);
        let (mut other, _) = file(&[4]);
        other.extend_from_slice(&bytes[offsets[1]..]);
        assert_eq!(walk(&other, all(&other)), (vec![4], Some(DamageReason::BrokenChain)));
    }

    #[test]
    fn a_tail_of_zeros_is_clean() {
        let (mut bytes, _) = file(&[3]);
        let end = bytes.len();
        assert_eq!(tail(&bytes, end), Tail::Clean);
        bytes.resize(end + 10_000, 0);
        assert_eq!(tail(&bytes, end), Tail::Clean);
    }

    #[test]
    fn every_cut_of_a_last_frame_is_torn() {
        let (bytes, offsets) = file(&[3, 300]);
        for end in offsets[1] + 1..bytes.len() {
            let mut cut = bytes[..end].to_vec();
            let written = cut[offsets[1]..].to_vec();
            cut.resize(bytes.len() + 500, 0);
            let Tail::Torn { bytes: mut kept } = tail(&cut, offsets[1]) else {
                panic!("cut at {end} is not torn");
            };
            assert!(kept.last().is_some_and(|byte| *byte != 0), "cut at {end}");
            kept.resize(written.len(), 0);
            assert_eq!(kept, written, "cut at {end}");
        }
    }

    #[test]
    fn a_bad_frame_before_a_good_one_is_damage() {
        let (bytes, offsets) = file(&[3, 300, 0]);
        for bit in 8 * offsets[1]..8 * offsets[2] {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped.resize(bytes.len() + 500, 0);
            let good = Tail::Damaged { good_offset: offsets[2] as u64, good_position: Position(3) };
            assert_eq!(tail(&flipped, offsets[1]), good, "bit {bit}");
        }
    }

    #[test]
    fn a_frame_that_a_client_has_made_up_is_no_frame() {
        let (bytes, offsets) = file(&[3, 300]);
        let mut forged = bytes[..offsets[1]].to_vec();
        let previous = Checksum(0);
        let frame = Frame { term: Term::FIRST, position: Position(3), previous, payload: b"x" };
        forged.push(1);
        frame.encode(&Salt([6; 16]), &mut forged);
        assert!(matches!(tail(&forged, offsets[1]), Tail::Torn { .. }));
    }
}
