//! The stored form of a table's events.
//!
//! One MessagePack array an event: format, kind, time, actor, origin, batch, then the fields of the
//! kind. The key of a record is not stored: it follows from the value and the schema, and so do the
//! places a change takes and frees in the indexes.

use crate::model::id::{
    BatchId, FieldNumber, HistoryId, MemberId, RecordId, Sequence, TagId, TagNumber, Timestamp,
    Version,
};
use crate::model::retry::OutcomeChange;
use crate::model::schema::Schema;
use crate::model::schema::change::SchemaChange;
use crate::model::schema::field::Field;
use crate::model::schema::option::Choice;
use crate::model::table::body::Body;
use crate::model::table::event::{
    ChangeKind, Event, FollowUpNumber, KeyHash, Reason, RecordChange, Stamp, Tag,
};
use crate::model::table::source::{Guard, SourceVersion};
use crate::model::table::streams::{StreamKey, StreamState};
use crate::model::value::pack;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Format of the events below; another one is refused by name.
pub const FORMAT: u8 = 1;

/// The kinds' stored numbers. Never reused.
mod kind {
    pub(super) const OBJECT_CREATED: u64 = 1;
    pub(super) const FIELD_CREATED: u64 = 2;
    pub(super) const OPTION_CREATED: u64 = 3;
    pub(super) const SCHEMA_CHANGED: u64 = 4;
    pub(super) const RECORD_CREATED: u64 = 10;
    pub(super) const RECORD_UPDATED: u64 = 11;
    pub(super) const RECORD_ARCHIVED: u64 = 12;
    pub(super) const RECORD_UNARCHIVED: u64 = 13;
    pub(super) const TEAM_CHANGED: u64 = 14;
    pub(super) const PURGED: u64 = 15;
    pub(super) const SOURCE_KEPT: u64 = 16;
    pub(super) const FOLLOW_UP_CONFIRMED: u64 = 20;
    pub(super) const OUTCOME: u64 = 21;
    pub(super) const STREAM_MOVED: u64 = 22;
}

/// Format, kind, time, actor, origin, batch.
const HEAD_FIELDS: u32 = 6;
const REASON_IDENTIFIER_OVERWRITTEN: u64 = 1;
const INFALLIBLE: &str = "a Vec takes every byte";

/// Appends the stored form of an event.
pub fn encode(event: &Event, out: &mut Vec<u8>) {
    match event {
        Event::ObjectCreated { stamp, sequence, history, schema } => {
            let form = ObjectCreatedForm { history: *history, schema: schema.clone() };
            encode_schema_change(kind::OBJECT_CREATED, (*sequence, stamp), &form, out);
        }
        Event::FieldCreated { stamp, sequence, field } => {
            encode_schema_change(kind::FIELD_CREATED, (*sequence, stamp), field, out);
        }
        Event::OptionCreated { stamp, sequence, field, option } => {
            let form = OptionCreatedForm { field: *field, option: option.clone() };
            encode_schema_change(kind::OPTION_CREATED, (*sequence, stamp), &form, out);
        }
        Event::SchemaChanged { stamp, sequence, change } => {
            encode_schema_change(kind::SCHEMA_CHANGED, (*sequence, stamp), change, out);
        }
        Event::Record(change) => encode_change(change, out),
        Event::TeamChanged { stamp, record, .. } => {
            head(2, kind::TEAM_CHANGED, stamp, out);
            put_bin(record.id_bytes(), out);
            put_bin(record.body().bytes(), out);
        }
        Event::SourceKept(kept) => {
            head(3, kind::SOURCE_KEPT, &kept.stamp, out);
            put_bin(kept.record.id_bytes(), out);
            rmp::encode::write_str(out, &kept.guard.source).expect(INFALLIBLE);
            kept.guard.version.encode(out);
        }
        Event::Purged(purge) => {
            head(6, kind::PURGED, &purge.stamp, out);
            put_uint(purge.sequence.0, out);
            put_bin(purge.old.id_bytes(), out);
            put_uint(u64::from(purge.version().0), out);
            put_uint(purge.old.sequence().0, out);
            match purge.key_hash {
                Some(hash) => put_bin(&hash.0.to_be_bytes(), out),
                None => put_nil(out),
            }
            put_uint(purge.follow_up.0, out);
        }
        Event::FollowUpConfirmed { stamp, number } => {
            head(1, kind::FOLLOW_UP_CONFIRMED, stamp, out);
            put_uint(number.0, out);
        }
        Event::Outcome { stamp, change, .. } => {
            head(1, kind::OUTCOME, stamp, out);
            put_named(change, out);
        }
        Event::StreamMoved(moved) => {
            head(3, kind::STREAM_MOVED, &moved.stamp, out);
            encode_stream((&moved.stream, moved.after.as_deref()), out);
        }
    }
}

pub(crate) fn put_uint(number: u64, out: &mut Vec<u8>) {
    rmp::encode::write_uint(out, number).expect(INFALLIBLE);
}

pub(crate) fn put_bin(bytes: &[u8], out: &mut Vec<u8>) {
    rmp::encode::write_bin(out, bytes).expect(INFALLIBLE);
}

pub(crate) fn put_nil(out: &mut Vec<u8>) {
    rmp::encode::write_nil(out).expect(INFALLIBLE);
}

pub(crate) fn put_array(length: usize, out: &mut Vec<u8>) {
    let length = u32::try_from(length).expect("lists in events have limits far below");
    rmp::encode::write_array_len(out, length).expect(INFALLIBLE);
}

/// Opens the array for so many fields behind the head, and writes the head.
fn head(fields: u32, kind: u64, stamp: &Stamp, out: &mut Vec<u8>) {
    rmp::encode::write_array_len(out, HEAD_FIELDS + fields).expect(INFALLIBLE);
    put_uint(u64::from(FORMAT), out);
    put_uint(kind, out);
    rmp::encode::write_sint(out, stamp.at.0).expect(INFALLIBLE);
    put_bin(stamp.actor.as_bytes(), out);
    rmp::encode::write_str(out, &stamp.origin).expect(INFALLIBLE);
    put_bin(stamp.batch.as_bytes(), out);
}

/// Sequence, then the form as a binary of MessagePack with named fields.
fn encode_schema_change(
    kind: u64,
    (sequence, stamp): (Sequence, &Stamp),
    form: &impl Serialize,
    out: &mut Vec<u8>,
) {
    head(2, kind, stamp, out);
    put_uint(sequence.0, out);
    put_named(form, out);
}

/// A form: a binary of MessagePack with named fields.
pub(crate) fn put_named(form: &impl Serialize, out: &mut Vec<u8>) {
    put_bin(&rmp_serde::to_vec_named(form).expect("our own types have a stored form"), out);
}

/// Sequence, id, version, previous sequence, changed fields, reason, new tags, body.
fn encode_change(change: &RecordChange, out: &mut Vec<u8>) {
    let kind = match change.kind {
        ChangeKind::Created => kind::RECORD_CREATED,
        ChangeKind::Updated => kind::RECORD_UPDATED,
        ChangeKind::Archived => kind::RECORD_ARCHIVED,
        ChangeKind::Unarchived => kind::RECORD_UNARCHIVED,
    };
    let record = &change.record;
    head(8, kind, &change.stamp, out);
    put_uint(record.sequence().0, out);
    put_bin(record.id_bytes(), out);
    put_uint(u64::from(record.version().0), out);
    put_uint(change.previous.0, out);
    put_array(change.changed.len(), out);
    change.changed.iter().for_each(|number| put_uint(u64::from(number.0), out));
    match change.reason {
        None => put_nil(out),
        Some(Reason::IdentifierOverwritten) => put_uint(REASON_IDENTIFIER_OVERWRITTEN, out),
    }
    put_array(change.new_tags.len(), out);
    change.new_tags.iter().for_each(|tag| encode_tag(tag, out));
    put_bin(record.body().bytes(), out);
}

/// The member, the name, and nil or the state (a form).
pub(crate) fn encode_stream((key, state): (&StreamKey, Option<&StreamState>), out: &mut Vec<u8>) {
    put_bin(key.member.as_bytes(), out);
    rmp::encode::write_str(out, &key.id).expect(INFALLIBLE);
    match state {
        Some(state) => put_named(state, out),
        None => put_nil(out),
    }
}

/// The inverse of `encode_stream`.
pub(crate) fn decode_stream(rest: &mut &[u8]) -> Result<(StreamKey, Option<StreamState>), Misfit> {
    let member = MemberId::from_bytes(take_id(rest, "a stream's member")?);
    let id = take_str(rest, "a stream's name")?.into();
    let state = if take_nil(rest) { None } else { Some(take_named(rest, "a stream")?) };
    Ok((StreamKey { member, id }, state))
}

/// An array of field number, tag number, id, name.
pub(crate) fn encode_tag(tag: &Tag, out: &mut Vec<u8>) {
    put_array(4, out);
    put_uint(u64::from(tag.field.0), out);
    put_uint(u64::from(tag.number.0), out);
    put_bin(tag.id.as_bytes(), out);
    rmp::encode::write_str(out, &tag.name).expect(INFALLIBLE);
}

#[derive(Serialize, Deserialize)]
struct ObjectCreatedForm {
    history: HistoryId,
    schema: Arc<Schema>,
}

#[derive(Serialize, Deserialize)]
struct OptionCreatedForm {
    field: FieldNumber,
    option: Choice,
}

/// An event as it was stored: without what only memory knows.
#[derive(Debug)]
pub enum Stored<'a> {
    ObjectCreated { sequence: Sequence, history: HistoryId, schema: Arc<Schema> },
    FieldCreated { sequence: Sequence, field: Arc<Field> },
    OptionCreated { sequence: Sequence, field: FieldNumber, option: Choice },
    SchemaChanged { sequence: Sequence, change: Box<SchemaChange> },
    Record(StoredChange<'a>),
    TeamChanged { id: RecordId, body: &'a [u8] },
    SourceKept { id: RecordId, guard: Guard },
    Purged(StoredPurge),
    FollowUpConfirmed { number: FollowUpNumber },
    Outcome { change: OutcomeChange },
    StreamMoved { stream: StreamKey, after: Option<StreamState> },
}

impl Stored<'_> {
    /// The number of the change, if it is one that the feed shows.
    #[must_use]
    pub fn sequence(&self) -> Option<Sequence> {
        match self {
            Self::ObjectCreated { sequence, .. }
            | Self::FieldCreated { sequence, .. }
            | Self::OptionCreated { sequence, .. }
            | Self::SchemaChanged { sequence, .. } => Some(*sequence),
            Self::Record(change) => Some(change.sequence),
            Self::Purged(purge) => Some(purge.sequence),
            Self::TeamChanged { .. }
            | Self::SourceKept { .. }
            | Self::FollowUpConfirmed { .. }
            | Self::Outcome { .. }
            | Self::StreamMoved { .. } => None,
        }
    }
}

/// A record's change as it was stored.
#[derive(Debug)]
pub struct StoredChange<'a> {
    pub kind: ChangeKind,
    pub sequence: Sequence,
    pub id: RecordId,
    pub version: Version,
    pub previous: Sequence,
    pub changed: Vec<FieldNumber>,
    pub reason: Option<Reason>,
    pub new_tags: Vec<Tag>,
    /// A run of numbers and values, checked to be one.
    pub body: &'a [u8],
}

/// A purge as it was stored: the tombstone.
#[derive(Debug)]
pub struct StoredPurge {
    pub sequence: Sequence,
    pub id: RecordId,
    pub version: Version,
    pub previous: Sequence,
    pub key_hash: Option<KeyHash>,
    pub follow_up: FollowUpNumber,
}

/// Why stored bytes are not what a writer of this format has written, or do not follow.
#[derive(Debug, thiserror::Error)]
pub enum Misfit {
    #[error("an event of format {found}; this version reads {FORMAT}")]
    Format { found: u64 },
    #[error("an event of the unknown kind {found}")]
    Kind { found: u64 },
    #[error("{what} is not in the form this version writes")]
    Shape { what: &'static str },
    #[error("{what} {found} stands where {expected} was due")]
    Order { what: &'static str, expected: u64, found: u64 },
    #[error("the digest of the table is not that of its snapshot")]
    Digest,
    #[error("{what} stands there twice")]
    Twice { what: &'static str },
    #[error("events of a table stand before the creation of its object")]
    Unborn,
    #[error("record {id} is not there")]
    Missing { id: RecordId },
    #[error("{what} is not there")]
    Unknown { what: String },
}

/// Takes one event off the front, with its stamp.
pub fn decode<'a>(rest: &mut &'a [u8]) -> Result<(Stamp, Stored<'a>), Misfit> {
    let fields = take_array(rest, "an event")?;
    let format = take_uint(rest, "an event's format")?;
    if format != u64::from(FORMAT) {
        return Err(Misfit::Format { found: format });
    }
    let kind = take_uint(rest, "an event's kind")?;
    let stamp = Stamp {
        at: Timestamp(rmp::decode::read_int(rest).map_err(|_| Misfit::Shape { what: "a time" })?),
        actor: MemberId::from_bytes(take_id(rest, "an actor")?),
        origin: take_str(rest, "an origin")?.into(),
        batch: BatchId::from_bytes(take_id(rest, "a batch")?),
    };
    let (expected, stored) = decode_kind(kind, rest)?;
    if fields != HEAD_FIELDS + expected {
        return Err(Misfit::Shape { what: "an event" });
    }
    Ok((stamp, stored))
}

/// The fields of the kind, and how many they are.
fn decode_kind<'a>(kind: u64, rest: &mut &'a [u8]) -> Result<(u32, Stored<'a>), Misfit> {
    Ok(match kind {
        kind::OBJECT_CREATED => {
            let sequence = take_sequence(rest)?;
            let form: ObjectCreatedForm = take_named(rest, "an object")?;
            (2, Stored::ObjectCreated { sequence, history: form.history, schema: form.schema })
        }
        kind::FIELD_CREATED => {
            let sequence = take_sequence(rest)?;
            (2, Stored::FieldCreated { sequence, field: take_named(rest, "a field")? })
        }
        kind::OPTION_CREATED => {
            let sequence = take_sequence(rest)?;
            let form: OptionCreatedForm = take_named(rest, "an option")?;
            (2, Stored::OptionCreated { sequence, field: form.field, option: form.option })
        }
        kind::SCHEMA_CHANGED => {
            let sequence = take_sequence(rest)?;
            let change = take_named(rest, "a change of a schema")?;
            (2, Stored::SchemaChanged { sequence, change })
        }
        kind::RECORD_CREATED => (8, Stored::Record(decode_change(ChangeKind::Created, rest)?)),
        kind::RECORD_UPDATED => (8, Stored::Record(decode_change(ChangeKind::Updated, rest)?)),
        kind::RECORD_ARCHIVED => (8, Stored::Record(decode_change(ChangeKind::Archived, rest)?)),
        kind::RECORD_UNARCHIVED => {
            (8, Stored::Record(decode_change(ChangeKind::Unarchived, rest)?))
        }
        kind::TEAM_CHANGED => {
            let id = RecordId::from_bytes(take_id(rest, "a record's id")?);
            (2, Stored::TeamChanged { id, body: take_body(rest)? })
        }
        kind::SOURCE_KEPT => {
            let id = RecordId::from_bytes(take_id(rest, "a record's id")?);
            let source = take_str(rest, "a source")?.into();
            let version =
                SourceVersion::decode(rest).ok_or(Misfit::Shape { what: "a source's version" })?;
            (3, Stored::SourceKept { id, guard: Guard { source, version } })
        }
        kind::PURGED => (6, Stored::Purged(decode_purge(rest)?)),
        kind::FOLLOW_UP_CONFIRMED => {
            (1, Stored::FollowUpConfirmed { number: take_follow_up(rest)? })
        }
        kind::STREAM_MOVED => {
            let (stream, after) = decode_stream(rest)?;
            (3, Stored::StreamMoved { stream, after })
        }
        kind::OUTCOME => (1, Stored::Outcome { change: take_named(rest, "an outcome")? }),
        unknown => return Err(Misfit::Kind { found: unknown }),
    })
}

fn decode_change<'a>(kind: ChangeKind, rest: &mut &'a [u8]) -> Result<StoredChange<'a>, Misfit> {
    let sequence = take_sequence(rest)?;
    let id = RecordId::from_bytes(take_id(rest, "a record's id")?);
    let version = take_u32(rest, "a version").map(Version)?;
    let previous = take_sequence(rest)?;
    let mut changed = Vec::new();
    for _ in 0..take_array(rest, "changed fields")? {
        changed.push(FieldNumber(take_u32(rest, "a field's number")?));
    }
    let reason = if take_nil(rest) {
        None
    } else if take_uint(rest, "a reason")? == REASON_IDENTIFIER_OVERWRITTEN {
        Some(Reason::IdentifierOverwritten)
    } else {
        return Err(Misfit::Shape { what: "a reason" });
    };
    let mut new_tags = Vec::new();
    for _ in 0..take_array(rest, "new tags")? {
        new_tags.push(decode_tag(rest)?);
    }
    let body = take_body(rest)?;
    Ok(StoredChange { kind, sequence, id, version, previous, changed, reason, new_tags, body })
}

fn decode_purge(rest: &mut &[u8]) -> Result<StoredPurge, Misfit> {
    Ok(StoredPurge {
        sequence: take_sequence(rest)?,
        id: RecordId::from_bytes(take_id(rest, "a record's id")?),
        version: take_u32(rest, "a version").map(Version)?,
        previous: take_sequence(rest)?,
        key_hash: if take_nil(rest) {
            None
        } else {
            Some(KeyHash(u128::from_be_bytes(take_id(rest, "a hash of a key")?)))
        },
        follow_up: take_follow_up(rest)?,
    })
}

/// Takes a nil off the front, if one stands there.
pub(crate) fn take_nil(rest: &mut &[u8]) -> bool {
    let is_nil = rest.first() == Some(&rmp::Marker::Null.to_u8());
    if is_nil {
        *rest = &rest[1..];
    }
    is_nil
}

/// The inverse of `encode_tag`.
pub(crate) fn decode_tag(rest: &mut &[u8]) -> Result<Tag, Misfit> {
    if take_array(rest, "a tag")? != 4 {
        return Err(Misfit::Shape { what: "a tag" });
    }
    Ok(Tag {
        field: FieldNumber(take_u32(rest, "a tag's field")?),
        number: TagNumber(take_u32(rest, "a tag's number")?),
        id: TagId::from_bytes(take_id(rest, "a tag's id")?),
        name: take_str(rest, "a tag's name")?.into(),
    })
}

pub(crate) fn take_array(rest: &mut &[u8], what: &'static str) -> Result<u32, Misfit> {
    rmp::decode::read_array_len(rest).map_err(|_| Misfit::Shape { what })
}

pub(crate) fn take_uint(rest: &mut &[u8], what: &'static str) -> Result<u64, Misfit> {
    rmp::decode::read_int(rest).map_err(|_| Misfit::Shape { what })
}

pub(crate) fn take_u32(rest: &mut &[u8], what: &'static str) -> Result<u32, Misfit> {
    rmp::decode::read_int(rest).map_err(|_| Misfit::Shape { what })
}

pub(crate) fn take_sequence(rest: &mut &[u8]) -> Result<Sequence, Misfit> {
    take_uint(rest, "a sequence").map(Sequence)
}

fn take_follow_up(rest: &mut &[u8]) -> Result<FollowUpNumber, Misfit> {
    take_uint(rest, "a follow-up's number").map(FollowUpNumber)
}

pub(crate) fn take_bin<'a>(rest: &mut &'a [u8], what: &'static str) -> Result<&'a [u8], Misfit> {
    let misfit = |_| Misfit::Shape { what };
    let length = rmp::decode::read_bin_len(rest).map_err(misfit)?;
    let (bytes, after) = rest.split_at_checked(length as usize).ok_or(Misfit::Shape { what })?;
    *rest = after;
    Ok(bytes)
}

pub(crate) fn take_id(rest: &mut &[u8], what: &'static str) -> Result<[u8; 16], Misfit> {
    take_bin(rest, what)?.try_into().map_err(|_| Misfit::Shape { what })
}

fn take_str<'a>(rest: &mut &'a [u8], what: &'static str) -> Result<&'a str, Misfit> {
    pack::read_text(rest).map_err(|_| Misfit::Shape { what })
}

pub(crate) fn take_body<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Misfit> {
    let body = take_bin(rest, "a body")?;
    if Body::is_well_formed(body) { Ok(body) } else { Err(Misfit::Shape { what: "a body" }) }
}

pub(crate) fn take_named<T: DeserializeOwned>(
    rest: &mut &[u8],
    what: &'static str,
) -> Result<T, Misfit> {
    rmp_serde::from_slice(take_bin(rest, what)?).map_err(|_| Misfit::Shape { what })
}
