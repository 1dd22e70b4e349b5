//! A frame: the unit of writing, checking and tearing. Knows its layout and its checksum; knows
//! no file and no log, so that a fuzzer can call it.

use crate::model::id::Position;
use crate::storage::part::{Parts, parts};
use bytes::{Buf, BufMut};
use std::fmt;
use thiserror::Error;

/// First bytes of every frame.
pub const MAGIC: [u8; 4] = *b"upfr";
/// Version of the frame's layout.
pub const FORMAT_VERSION: u16 = 1;
/// Bytes before the payload.
pub const HEADER_LEN: usize = 32;
/// Bytes after the payload.
pub const TRAILER_LEN: usize = 4;
/// A longer payload was never written: a frame is left at 1 MiB and a commit has at most 8 MiB.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// How many times a partition has changed leaders; carried by every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub u64);

impl Term {
    /// The term of a node that is alone.
    pub const FIRST: Self = Self(1);
}

/// The checksum of a frame: its successor repeats it, so a lost, swapped or stale one is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Checksum(pub u32);

/// The log's secret, drawn once with its id: without it, bytes that a client stores could be made
/// to look like a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(secret)")
    }
}

impl Salt {
    /// The checksum of bytes of this log.
    #[must_use]
    pub fn checksum(&self, bytes: &[u8]) -> Checksum {
        Checksum(crc32c::crc32c_append(crc32c::crc32c(&self.0), bytes))
    }
}

/// The commits made durable together. One without payload is a seal.
///
/// Stored as `magic 4 bytes | format version u16 | 0 u16 | term u64 | position u64 | checksum of
/// the previous frame u32 | payload length u32 | payload | crc32c u32`, little-endian; the
/// checksum is seeded with the salt and covers everything before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    pub term: Term,
    pub position: Position,
    /// The checksum of the frame before this one in the log; 0 for the first.
    pub previous: Checksum,
    pub payload: &'a [u8],
}

/// Why bytes are no frame. Recovery treats these apart from a reader of a live log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    #[error("a frame is cut short")]
    Truncated,
    #[error("a frame does not begin with its magic bytes")]
    BadMagic,
    #[error("a frame has format version {found}, known is {FORMAT_VERSION}")]
    OtherVersion { found: u16 },
    #[error("a frame claims {claimed} bytes, more than was ever written")]
    TooLong { claimed: u32 },
    #[error("the checksum of a frame does not fit its bytes")]
    BadChecksum,
}

impl<'a> Frame<'a> {
    #[must_use]
    pub fn is_seal(&self) -> bool {
        self.payload.is_empty()
    }

    /// The parts, in the order they were appended.
    #[must_use]
    pub fn parts(&self) -> Parts<'a> {
        parts(self.payload)
    }

    /// Bytes of the stored form.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        HEADER_LEN + self.payload.len() + TRAILER_LEN
    }

    /// Appends the stored form and tells its checksum.
    ///
    /// # Panics
    /// If the payload is longer than [`PAYLOAD_BYTES_MAX`], which no committer writes.
    pub fn encode(&self, salt: &Salt, out: &mut Vec<u8>) -> Checksum {
        assert!(self.payload.len() <= PAYLOAD_BYTES_MAX, "the committer splits what is longer");
        let payload_len = u32::try_from(self.payload.len()).expect("the maximum fits in 32 bits");
        let start = out.len();
        out.reserve(self.encoded_len());
        out.put_slice(&MAGIC);
        out.put_u16_le(FORMAT_VERSION);
        out.put_u16_le(0);
        out.put_u64_le(self.term.0);
        out.put_u64_le(self.position.0);
        out.put_u32_le(self.previous.0);
        out.put_u32_le(payload_len);
        out.put_slice(self.payload);
        let checksum = salt.checksum(out.get(start..).expect("the frame was just put there"));
        out.put_u32_le(checksum.0);
        checksum
    }

    /// Splits the first frame off `bytes`, copying nothing.
    pub fn decode(bytes: &'a [u8], salt: &Salt) -> Result<(Self, Checksum, &'a [u8]), FrameError> {
        let header = FrameHeader::decode(bytes)?;
        let checked_len = HEADER_LEN + header.payload_len;
        let (checked, mut rest) =
            bytes.split_at_checked(checked_len).ok_or(FrameError::Truncated)?;
        let payload = checked.get(HEADER_LEN..).ok_or(FrameError::Truncated)?;
        let checksum = Checksum(rest.try_get_u32_le().map_err(|_| FrameError::Truncated)?);
        if salt.checksum(checked) != checksum {
            return Err(FrameError::BadChecksum);
        }
        let FrameHeader { term, position, previous, payload_len: _ } = header;
        Ok((Self { term, position, previous, payload }, checksum, rest))
    }
}

/// What a frame says before its payload; not believed before its checksum was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    term: Term,
    position: Position,
    previous: Checksum,
    payload_len: usize,
}

impl FrameHeader {
    /// Reads the header alone, so that a reader knows how much more to fetch.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let (header, _) = bytes.split_first_chunk::<HEADER_LEN>().ok_or(FrameError::Truncated)?;
        let mut fields = header.strip_prefix(&MAGIC).ok_or(FrameError::BadMagic)?;
        let version = fields.get_u16_le();
        if version != FORMAT_VERSION {
            return Err(FrameError::OtherVersion { found: version });
        }
        fields.advance(2);
        let term = Term(fields.get_u64_le());
        let position = Position(fields.get_u64_le());
        let previous = Checksum(fields.get_u32_le());
        let claimed = fields.get_u32_le();
        let payload_len = claimed as usize;
        if payload_len > PAYLOAD_BYTES_MAX {
            return Err(FrameError::TooLong { claimed });
        }
        Ok(Self { term, position, previous, payload_len })
    }

    /// Bytes of the whole frame.
    pub(crate) fn frame_len(&self) -> usize {
        HEADER_LEN + self.payload_len + TRAILER_LEN
    }
}

#[cfg(test)]
mod tests {
    use super::{Checksum, Frame, FrameError, HEADER_LEN, PAYLOAD_BYTES_MAX, Salt, Term};
    use crate::model::id::Position;

    const SALT: Salt = Salt([42; 16]);

    fn frame(payload: &[u8]) -> Frame<'_> {
        Frame { term: Term::FIRST, position: Position(9), previous: Checksum(77), payload }
    }

    fn encode(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame(payload).encode(&SALT, &mut bytes);
        bytes
    }

    #[test]
    fn a_frame_comes_back_as_it_was_written_with_what_follows_it() {
        for payload in [&b""[..], b"x", &[7; 5000]] {
            let mut bytes = b"before".to_vec();
            let checksum = frame(payload).encode(&SALT, &mut bytes);
            assert_eq!(bytes.len(), 6 + frame(payload).encoded_len());
            bytes.extend_from_slice(b"after");
            let expected = (frame(payload), checksum, &b"after"[..]);
            assert_eq!(Frame::decode(&bytes[6..], &SALT), Ok(expected));
        }
    }

    #[test]
    fn a_frame_without_payload_is_a_seal() {
        assert!(frame(b"").is_seal());
        assert!(!frame(b"x").is_seal());
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_found() {
        let bytes = encode(b"the events of a writer");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::decode(&flipped, &SALT).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_frame_cut_anywhere_is_truncated() {
        let bytes = encode(b"the events of a writer");
        for length in 0..bytes.len() {
            assert_eq!(Frame::decode(&bytes[..length], &SALT), Err(FrameError::Truncated));
        }
    }

    #[test]
    fn each_way_to_fail_has_its_name() {
        let check = |offset: usize, bytes: &[u8], expected: FrameError| {
            let mut bad = encode(b"payload");
            bad[offset..offset + bytes.len()].copy_from_slice(bytes);
            assert_eq!(Frame::decode(&bad, &SALT), Err(expected));
        };
        check(0, b"U", FrameError::BadMagic);
        check(4, &[2, 0], FrameError::OtherVersion { found: 2 });
        check(28, &[255; 4], FrameError::TooLong { claimed: u32::MAX });
        check(28, &200_u32.to_le_bytes(), FrameError::Truncated);
        check(HEADER_LEN, b"P", FrameError::BadChecksum);
    }

    #[test]
    fn a_frame_of_another_log_does_not_pass() {
        let bytes = encode(b"payload");
        assert_eq!(Frame::decode(&bytes, &Salt([43; 16])), Err(FrameError::BadChecksum));
    }

    #[test]
    fn the_longest_payload_passes() {
        let payload = vec![1; PAYLOAD_BYTES_MAX];
        let bytes = encode(&payload);
        let (read, _, rest) = Frame::decode(&bytes, &SALT).unwrap();
        assert_eq!((read.payload.len(), rest.len()), (PAYLOAD_BYTES_MAX, 0));
    }

    #[test]
    fn the_salt_is_not_shown() {
        assert_eq!(format!("{SALT:?}"), "Salt(secret)");
    }
}
