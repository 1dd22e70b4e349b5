//! Cursors: the texts that say behind which entry a reader goes on. There are two kinds, and
//! neither is taken for the other.

use crate::model::id::{HistoryId, LogId, Position, Sequence, Timestamp};
use bytes::{Buf as _, BufMut as _};
use data_encoding::BASE64URL_NOPAD;

/// The first byte of each kind. Another one is no cursor of ours.
const OF_TABLE: u8 = 1;
const OF_LOG: u8 = 2;

/// A place in the feed of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableCursor {
    pub history: HistoryId,
    /// Of the last entry that was passed.
    pub sequence: Sequence,
    /// Of that entry; none if it was no longer on the disk.
    pub checksum: Option<u32>,
    /// When it was given out: it vouches for an entry that is gone by now.
    pub issued: Timestamp,
}

/// A place in the feed over all objects of a business, which is one in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogCursor {
    pub log: LogId,
    /// Of the last frame of which something was passed.
    pub position: Position,
    /// The part of that frame that was read last; `u32::MAX` where all of them were.
    pub part: u32,
    /// Entries of that part which were passed.
    pub passed: u32,
    /// Of that frame; none if it was no longer on the disk.
    pub checksum: Option<u32>,
    pub issued: Timestamp,
}

impl TableCursor {
    #[must_use]
    pub fn write(&self) -> String {
        let mut bytes = Vec::with_capacity(38);
        bytes.put_u8(OF_TABLE);
        bytes.put_slice(self.history.as_bytes());
        bytes.put_u64_le(self.sequence.0);
        bytes.put_i64_le(self.issued.0);
        put_checksum(self.checksum, &mut bytes);
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The inverse of `write`; none for what it has not written.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let mut rest = bytes.strip_prefix(&[OF_TABLE])?;
        let history = HistoryId::from_bytes(take_id(&mut rest)?);
        let sequence = Sequence(rest.try_get_u64_le().ok()?);
        let issued = Timestamp(rest.try_get_i64_le().ok()?);
        let (has_checksum, checksum) = take_checksum(&mut rest)?;
        let checksum = has_checksum.then_some(checksum);
        rest.is_empty().then_some(Self { history, sequence, checksum, issued })
    }
}

impl LogCursor {
    #[must_use]
    pub fn write(&self) -> String {
        let mut bytes = Vec::with_capacity(46);
        bytes.put_u8(OF_LOG);
        bytes.put_slice(self.log.as_bytes());
        bytes.put_u64_le(self.position.0);
        bytes.put_u32_le(self.part);
        bytes.put_u32_le(self.passed);
        bytes.put_i64_le(self.issued.0);
        put_checksum(self.checksum, &mut bytes);
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The inverse of `write`; none for what it has not written.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let mut rest = bytes.strip_prefix(&[OF_LOG])?;
        let log = LogId::from_bytes(take_id(&mut rest)?);
        let position = Position(rest.try_get_u64_le().ok()?);
        let part = rest.try_get_u32_le().ok()?;
        let passed = rest.try_get_u32_le().ok()?;
        let issued = Timestamp(rest.try_get_i64_le().ok()?);
        let (has_checksum, checksum) = take_checksum(&mut rest)?;
        let checksum = has_checksum.then_some(checksum);
        rest.is_empty().then_some(Self { log, position, part, passed, checksum, issued })
    }
}

fn put_checksum(checksum: Option<u32>, bytes: &mut Vec<u8>) {
    bytes.put_u8(u8::from(checksum.is_some()));
    bytes.put_u32_le(checksum.unwrap_or_default());
}

/// Whether there is one, and which.
fn take_checksum(rest: &mut &[u8]) -> Option<(bool, u32)> {
    let has_checksum = match rest.try_get_u8().ok()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    Some((has_checksum, rest.try_get_u32_le().ok()?))
}

fn take_id(rest: &mut &[u8]) -> Option<[u8; 16]> {
    let (id, after) = rest.split_first_chunk::<16>()?;
    *rest = after;
    Some(*id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_written_and_is_of_one_kind() {
        let of_table = |checksum| TableCursor {
            history: HistoryId::from_bytes([3; 16]),
            sequence: Sequence(u64::MAX),
            checksum,
            issued: Timestamp(-1),
        };
        let of_log = LogCursor {
            log: LogId::from_bytes([4; 16]),
            position: Position(9),
            part: 3,
            passed: u32::MAX,
            checksum: Some(7),
            issued: Timestamp(i64::MAX),
        };
        for cursor in [of_table(None), of_table(Some(0)), of_table(Some(u32::MAX))] {
            let text = cursor.write();
            assert_eq!((TableCursor::read(&text), LogCursor::read(&text)), (Some(cursor), None));
        }
        let text = of_log.write();
        assert_eq!((TableCursor::read(&text), LogCursor::read(&text)), (None, Some(of_log)));
        let plain = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        assert!(plain(&text) && plain(&of_table(Some(1)).write()));
    }

    #[test]
    fn what_was_not_written_is_no_cursor() {
        let cursor = TableCursor {
            history: HistoryId::from_bytes([3; 16]),
            sequence: Sequence(1),
            checksum: Some(1),
            issued: Timestamp(1),
        };
        let bytes = BASE64URL_NOPAD.decode(cursor.write().as_bytes()).unwrap();
        for length in 0..bytes.len() {
            let cut = BASE64URL_NOPAD.encode(&bytes[..length]);
            assert_eq!((TableCursor::read(&cut), LogCursor::read(&cut)), (None, None), "{length}");
        }
        let longer = BASE64URL_NOPAD.encode(&[&bytes[..], &[0]].concat());
        for text in ["", "now", "1", "~", "ä", &longer] {
            assert_eq!((TableCursor::read(text), LogCursor::read(text)), (None, None), "{text}");
        }
    }
}
