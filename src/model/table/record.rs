//! One record in one allocation: header, key, body. It knows no schema.
//!
//! The header is in memory only; log and snapshot hold the id, the version, the sequence and the
//! body. The key (normal form of the identifier) stands before the body, unless the body holds the
//! same bytes already: then the header points there, and the key costs nothing.

use crate::model::id::{FieldNumber, MemberId, RecordId, Sequence, Slot, Timestamp, Version};
use crate::model::schema::system;
use crate::model::table::body::Body;
use crate::model::value::member;
use std::fmt;
use std::hint::black_box;
use triomphe::ThinArc;

/// id 16 | version 4 | sequence 8 | slot 4 | flags 1 | key offset 4 | key length 2, little-endian.
const HEADER: usize = 39;
/// Bytes that memory gives at once.
const LINE: usize = 64;
/// Of a large record the front is touched; it is read on in order, which memory foresees.
const LINES_TOUCHED_MAX: usize = 16;
const ARCHIVED: u8 = 1;
const KEYED: u8 = 2;

/// A record as of one version. Cloning shares it.
#[derive(Clone)]
pub struct Record(ThinArc<(), u8>);

/// What a record is made of.
pub struct Parts<'a> {
    pub id: RecordId,
    pub version: Version,
    pub sequence: Sequence,
    pub slot: Slot,
    /// None: the identifier is blank, so nothing can match it.
    pub key: Option<&'a [u8]>,
    /// A MessagePack run of number, value, number, value … in rising order of the numbers.
    pub body: &'a [u8],
}

impl Record {
    /// Builds the one allocation; `scratch` is reused between calls.
    ///
    /// # Panics
    /// On a key of more than 65,535 bytes or a record beyond 4 GiB: limits are checked before.
    #[must_use]
    pub fn new(parts: &Parts<'_>, scratch: &mut Vec<u8>) -> Self {
        let archived = Body::new(parts.body).get(system::ARCHIVED_AT).is_some();
        let inside = parts.key.and_then(|key| position_of(key, parts.body));
        let prefix = if inside.is_some() { &[][..] } else { parts.key.unwrap_or_default() };
        let key_at = HEADER + inside.unwrap_or(0);
        let key_len = parts.key.map_or(0, <[u8]>::len);
        scratch.clear();
        scratch.reserve(HEADER + prefix.len() + parts.body.len());
        scratch.extend_from_slice(parts.id.as_bytes());
        scratch.extend_from_slice(&parts.version.0.to_le_bytes());
        scratch.extend_from_slice(&parts.sequence.0.to_le_bytes());
        scratch.extend_from_slice(&parts.slot.0.to_le_bytes());
        scratch.push(u8::from(archived) | if parts.key.is_some() { KEYED } else { 0 });
        let key_at = u32::try_from(key_at).expect("a record is at most 2 MiB");
        scratch.extend_from_slice(&key_at.to_le_bytes());
        let key_len_stored =
            u16::try_from(key_len).expect("an identifier is at most 255 characters");
        scratch.extend_from_slice(&key_len_stored.to_le_bytes());
        // The body comes first where the key points into it; a key of its own stands behind.
        scratch.extend_from_slice(prefix);
        scratch.extend_from_slice(parts.body);
        Self(ThinArc::from_header_and_slice((), scratch))
    }

    fn bytes(&self) -> &[u8] {
        &self.0.slice
    }

    fn at<const N: usize>(&self, at: usize) -> [u8; N] {
        *self.bytes()[at..].first_chunk().expect("a record has a header")
    }

    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId::from_bytes(self.at(0))
    }

    /// The id's bytes, through which the index reads its key.
    #[must_use]
    pub fn id_bytes(&self) -> &[u8; 16] {
        self.bytes().first_chunk().expect("a record has a header")
    }

    #[must_use]
    pub fn version(&self) -> Version {
        Version(u32::from_le_bytes(self.at(16)))
    }

    /// The number of its last change in its table.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        Sequence(u64::from_le_bytes(self.at(20)))
    }

    #[must_use]
    pub fn slot(&self) -> Slot {
        Slot(u32::from_le_bytes(self.at(28)))
    }

    #[must_use]
    pub fn is_archived(&self) -> bool {
        self.bytes()[32] & ARCHIVED != 0
    }

    /// The normal form of its identifier; none where that is blank.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        (self.bytes()[32] & KEYED != 0).then(|| self.key_or_empty())
    }

    /// As `key`, and empty where there is none: what the index reads.
    #[must_use]
    pub fn key_or_empty(&self) -> &[u8] {
        let at = u32::from_le_bytes(self.at(33)) as usize;
        &self.bytes()[at..at + self.key_len()]
    }

    fn key_len(&self) -> usize {
        usize::from(u16::from_le_bytes(self.at(37)))
    }

    /// Its values.
    #[must_use]
    pub fn body(&self) -> Body<'_> {
        let key_at = u32::from_le_bytes(self.at(33)) as usize;
        // A key of its own begins right behind the header; inside the body, a value's number and
        // length stand before it, so the offset is never that of the header's end.
        let prefix = if key_at == HEADER { self.key_len() } else { 0 };
        Body::new(&self.bytes()[HEADER + prefix..])
    }

    /// The stored form of one value.
    #[must_use]
    pub fn value(&self, number: FieldNumber) -> Option<&[u8]> {
        self.body().get(number)
    }

    /// A time among the system values.
    #[must_use]
    pub fn time(&self, number: FieldNumber) -> Option<Timestamp> {
        self.value(number).and_then(|mut raw| rmp::decode::read_int(&mut raw).ok()).map(Timestamp)
    }

    /// The members who were put on it one by one, in the order they came.
    ///
    /// # Panics
    /// On a body that no decision has made.
    #[must_use]
    pub fn explicit_team(&self) -> Vec<MemberId> {
        let Some(mut raw) = self.value(system::TEAM_MEMBERS) else { return Vec::new() };
        member::decode_list(&mut raw).expect("a stored team is a list of ids")
    }

    /// Whether both are the same one in memory, or both none. One that is held is in no other's place.
    #[must_use]
    pub fn are_one(left: Option<&Self>, right: Option<&Self>) -> bool {
        left.map(|record| record.bytes().as_ptr()) == right.map(|record| record.bytes().as_ptr())
    }

    /// Asks memory for the fronts of records, so that they are there when they are looked at. Their
    /// misses overlap, and so each costs a fraction of one, because nothing else is done between
    /// them: a processor looks no further ahead than a few hundred instructions.
    pub fn touch<'r>(records: impl Iterator<Item = &'r Self> + Clone) {
        // Where a record ends is told at its start, so all starts come first.
        Self::touch_heads(records.clone());
        black_box(records.fold(0, |sum, record| sum ^ record.sum_of_lines()));
    }

    /// As `touch`, for whoever will only clone them: to clone is to count in the record itself.
    pub fn touch_heads<'r>(records: impl Iterator<Item = &'r Self>) {
        black_box(records.fold(0, |sum, record| sum ^ record.bytes()[0]));
    }

    /// Depends on a byte of each of its first lines. They begin anywhere in a line of memory, so
    /// the last byte may be in one more.
    fn sum_of_lines(&self) -> u8 {
        let bytes = self.bytes();
        let front = &bytes[..bytes.len().min(LINE * LINES_TOUCHED_MAX)];
        front.iter().step_by(LINE).chain(front.last()).fold(0, |sum, byte| sum ^ byte)
    }

    /// Bytes of the allocation, for limits and metrics.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Never: a record has a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// Where the body holds the key's bytes, at an offset above 0.
fn position_of(key: &[u8], body: &[u8]) -> Option<usize> {
    // The identifier stands near the front: its number is the lowest of all fields.
    let window = &body[..body.len().min(key.len() + 96)];
    if key.is_empty() || window.len() < key.len() {
        return None;
    }
    window.windows(key.len()).position(|bytes| bytes == key).filter(|at| *at > 0)
}

impl PartialEq for Record {
    /// The same record in the same version; the slot does not count.
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
            && self.version() == other.version()
            && self.sequence() == other.sequence()
            && self.key() == other.key()
            && self.body() == other.body()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}@{}#{}{} {:?}",
            String::from_utf8_lossy(self.key_or_empty()),
            self.version(),
            self.sequence(),
            if self.is_archived() { " archived" } else { "" },
            self.body()
        )
    }
}
