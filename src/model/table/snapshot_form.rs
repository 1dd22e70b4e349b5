//! A table in a snapshot: how it is taken out at one instant, and how it is built again.
//!
//! One state chunk (a MessagePack array: format, sequence, last tag number, last follow-up,
//! open follow-ups, schema, tags, and, if there are any, outcomes, then streams), then chunks of records in creation order, each record an array of
//! id, version, sequence, body.

use crate::model::id::{HistoryId, Position, RecordId, Sequence, Slot, TagNumber, Version};
use crate::model::retry::StoredOutcome;
use crate::model::retry::outcomes::{self, Outcomes};
use crate::model::schema::Schema;
use crate::model::table::apply::restore_record;
use crate::model::table::decide::keys::claims_of;
use crate::model::table::digest::{item_hash, record_hash, stored_hash};
use crate::model::table::event::{FollowUpNumber, Tag};
use crate::model::table::event_form::{
    Misfit, decode_stream, decode_tag, encode_stream, encode_tag, put_array, put_bin, put_named,
    put_nil, put_uint, take_array, take_bin, take_body, take_id, take_named, take_nil,
    take_sequence, take_u32, take_uint,
};
use crate::model::table::index::{ById, ByKey};
use crate::model::table::record::Record;
use crate::model::table::scan::Scan;
use crate::model::table::streams::{self, Streams};
use crate::model::table::{FollowUps, Setting, Shown, Table};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const FORMAT: u64 = 1;
const STATE_FIELDS: u32 = 7;
const STATE_FIELDS_WITH_OUTCOMES: u32 = 8;
/// With the streams too.
const STATE_FIELDS_MAX: u32 = 9;
const RECORD_FIELDS: u32 = 4;
const STREAM_FIELDS: u32 = 3;

/// A table at one instant: small copies, and a scan over the rest.
pub struct Image {
    pub scan: Arc<Scan>,
    pub shown: Arc<Shown>,
    pub history: HistoryId,
    pub sequence: Sequence,
    schema: Arc<Schema>,
    tag_count: usize,
    tag_number: TagNumber,
    follow_ups: Arc<FollowUps>,
    outcomes: outcomes::Image,
    streams: streams::Held,
    records_digest: u128,
    digest_key: [u8; 16],
}

impl Table {
    /// Takes the table's image and sets the scan up. The writer calls it when nothing of the table
    /// is undurable; `position` is the newest durable frame.
    pub fn open_image(&mut self, position: Position) -> Image {
        let scan = Scan::open(position, self.slots);
        self.scans.push(scan.clone());
        Image {
            scan,
            shown: self.shown.clone(),
            history: self.history,
            sequence: self.sequence,
            schema: self.shown.schema(),
            tag_count: self.shown.tags.len(),
            tag_number: self.tag_number,
            follow_ups: self.shown.follow_ups(),
            outcomes: self.outcomes.image(),
            streams: self.shown.streams.image(),
            records_digest: self.digest.records(),
            digest_key: self.digest.key(),
        }
    }
}

impl Image {
    /// The content of the state chunk.
    #[must_use]
    pub fn encode_state(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let outcomes = self.outcomes.iter().count();
        let fields = match (outcomes, self.streams.is_empty()) {
            (0, true) => STATE_FIELDS,
            (_, true) => STATE_FIELDS_WITH_OUTCOMES,
            (_, false) => STATE_FIELDS_MAX,
        };
        put_array(fields as usize, &mut out);
        put_uint(FORMAT, &mut out);
        put_uint(self.sequence.0, &mut out);
        put_uint(u64::from(self.tag_number.0), &mut out);
        put_uint(self.follow_ups.last.0, &mut out);
        put_array(self.follow_ups.open.len(), &mut out);
        for (number, record) in &self.follow_ups.open {
            put_array(2, &mut out);
            put_uint(number.0, &mut out);
            put_bin(record.as_bytes(), &mut out);
        }
        let schema = rmp_serde::to_vec_named(&*self.schema).expect("a schema has a stored form");
        put_bin(&schema, &mut out);
        put_array(self.tag_count, &mut out);
        for tag in self.shown.tags.first(self.tag_count) {
            encode_tag(&tag, &mut out);
        }
        if fields >= STATE_FIELDS_WITH_OUTCOMES {
            put_array(outcomes, &mut out);
            self.outcomes.iter().for_each(|outcome| encode_outcome(outcome, &mut out));
        }
        if fields == STATE_FIELDS_MAX {
            put_array(self.streams.len(), &mut out);
            for (key, state) in &self.streams {
                put_array(STREAM_FIELDS as usize, &mut out);
                encode_stream((key, Some(state)), &mut out);
            }
        }
        out
    }

    /// The digest of the table at that instant; `state` is the content of its state chunk.
    #[must_use]
    pub fn digest(&self, state: &[u8]) -> u128 {
        self.records_digest.wrapping_add(item_hash(&self.digest_key, state))
    }
}

impl Drop for Image {
    /// A round that ends early must not leave the writer keeping before-images for ever.
    fn drop(&mut self) {
        if !self.scan.is_done() {
            self.scan.give_up();
        }
    }
}

/// An outcome, and the record as its write left it: nil, or its sequence and its body.
fn encode_outcome(outcome: &StoredOutcome, out: &mut Vec<u8>) {
    put_array(2, out);
    put_named(outcome, out);
    match outcome.record().and_then(|answered| answered.record.as_ref()) {
        None => put_nil(out),
        Some(record) => {
            put_array(2, out);
            put_uint(record.sequence().0, out);
            put_bin(record.body().bytes(), out);
        }
    }
}

fn take_outcome(rest: &mut &[u8], schema: &Schema) -> Result<StoredOutcome, Misfit> {
    const WHAT: &str = "an outcome";
    if take_array(rest, WHAT)? != 2 {
        return Err(Misfit::Shape { what: WHAT });
    }
    let outcome: StoredOutcome = take_named(rest, WHAT)?;
    if take_nil(rest) {
        return Ok(outcome);
    }
    if take_array(rest, WHAT)? != 2 {
        return Err(Misfit::Shape { what: WHAT });
    }
    let (sequence, body) = (take_sequence(rest)?, take_body(rest)?);
    let answered = outcome.record().ok_or(Misfit::Shape { what: WHAT })?;
    // It is in no order: only the record as it is now has a place there.
    let numbers = (answered.version, sequence, Slot(0));
    let record = restore_record(schema, answered.id, numbers, body)?;
    Ok(outcome.with_record(Some(record)))
}

fn take_outcomes(rest: &mut &[u8], schema: &Schema, outcomes: &Outcomes) -> Result<(), Misfit> {
    for _ in 0..take_array(rest, "a list of outcomes")? {
        outcomes.load([Arc::new(take_outcome(rest, schema)?)]);
    }
    Ok(())
}

fn take_streams(rest: &mut &[u8], streams: &Streams) -> Result<(), Misfit> {
    for _ in 0..take_array(rest, "a list of streams")? {
        if take_array(rest, "a stream")? != STREAM_FIELDS {
            return Err(Misfit::Shape { what: "a stream" });
        }
        let (key, state) = decode_stream(rest)?;
        streams.put(&key, state.map(Arc::new).as_ref());
    }
    Ok(())
}

/// Appends one record to the content of a record chunk.
pub fn encode_record(record: &Record, out: &mut Vec<u8>) {
    put_array(RECORD_FIELDS as usize, out);
    put_bin(record.id_bytes(), out);
    put_uint(u64::from(record.version().0), out);
    put_uint(record.sequence().0, out);
    put_bin(record.body().bytes(), out);
}

/// The sum of the hashes of a chunk's records, and their count, without building any.
pub fn records_digest(digest_key: &[u8; 16], mut chunk: &[u8]) -> Result<(u128, u32), Misfit> {
    let (mut sum, mut count) = (0_u128, 0);
    while !chunk.is_empty() {
        let stored = take_stored(&mut chunk)?;
        let StoredRecord { id, version, sequence, body } = stored;
        sum = sum.wrapping_add(stored_hash(digest_key, (id, version, sequence), body));
        count += 1;
    }
    Ok((sum, count))
}

/// A record as a chunk holds it.
struct StoredRecord<'a> {
    id: RecordId,
    version: Version,
    sequence: Sequence,
    body: &'a [u8],
}

fn take_stored<'a>(chunk: &mut &'a [u8]) -> Result<StoredRecord<'a>, Misfit> {
    if take_array(chunk, "a record")? != RECORD_FIELDS {
        return Err(Misfit::Shape { what: "a record" });
    }
    Ok(StoredRecord {
        id: RecordId::from_bytes(take_id(chunk, "a record's id")?),
        version: Version(take_u32(chunk, "a version")?),
        sequence: take_sequence(chunk)?,
        body: take_body(chunk)?,
    })
}

/// Builds a table of chunks. Records may be loaded by several threads at once.
pub struct Loader {
    table: Table,
    schema: Arc<Schema>,
    state_digest: u128,
    /// Records with a key, and claims, as they were met.
    keys: AtomicUsize,
    claims: AtomicUsize,
}

impl Loader {
    /// From the content of the state chunk; `records` presizes the indexes. The history stands in
    /// the snapshot's table of contents, where a restore may write a new one.
    pub fn new(
        state: &[u8],
        history: HistoryId,
        setting: Setting,
        records: usize,
    ) -> Result<Self, Misfit> {
        let rest = &mut &*state;
        let fields = take_array(rest, "a table")?;
        if !(STATE_FIELDS..=STATE_FIELDS_MAX).contains(&fields) {
            return Err(Misfit::Shape { what: "a table" });
        }
        let format = take_uint(rest, "a table's format")?;
        if format != FORMAT {
            return Err(Misfit::Format { found: format });
        }
        let sequence = take_sequence(rest)?;
        let tag_number = TagNumber(take_u32(rest, "a tag's number")?);
        let follow_ups = take_follow_ups(rest)?;
        let schema: Schema = rmp_serde::from_slice(take_bin(rest, "a schema")?)
            .map_err(|_| Misfit::Shape { what: "a schema" })?;
        let schema = Arc::new(schema);
        let mut table = Table::empty(history, schema.clone(), setting, records);
        table.publish_sequence(sequence);
        table.tag_number = tag_number;
        table.shown.follow_ups.store(Arc::new(follow_ups));
        for _ in 0..take_array(rest, "tags")? {
            let tag: Tag = decode_tag(rest)?;
            table.shown.tags.put(tag);
        }
        if fields >= STATE_FIELDS_WITH_OUTCOMES {
            take_outcomes(rest, &schema, &table.outcomes)?;
        }
        if fields == STATE_FIELDS_MAX {
            take_streams(rest, &table.shown.streams)?;
        }
        if !rest.is_empty() {
            return Err(Misfit::Shape { what: "a table" });
        }
        let state_digest = item_hash(&setting.digest_key, state);
        let (keys, claims) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Ok(Self { table, schema, state_digest, keys, claims })
    }

    /// Loads the records of one chunk, the first of which gets `slot`. Gives the sum of their hashes.
    pub fn load(&self, mut chunk: &[u8], mut slot: Slot) -> Result<u128, Misfit> {
        let mut sum = 0_u128;
        let has_claims = self.schema.has_claims();
        while !chunk.is_empty() {
            let record = self.take_record(&mut chunk, slot)?;
            sum = sum.wrapping_add(record_hash(&self.table.digest.key(), &record));
            if has_claims && !record.is_archived() {
                self.load_claims(&record);
            }
            self.table.shown.load_owner(&self.schema, &record);
            let shown = &self.table.shown;
            if record.key().is_some() {
                self.keys.fetch_add(1, Relaxed);
                shown.keys.put(ByKey(record.clone()));
            }
            shown.ids.put(ById(record.clone()));
            shown.order.put(slot, Some(record));
            slot = slot.next();
        }
        Ok(sum)
    }

    fn take_record(&self, chunk: &mut &[u8], slot: Slot) -> Result<Record, Misfit> {
        let StoredRecord { id, version, sequence, body } = take_stored(chunk)?;
        restore_record(&self.schema, id, (version, sequence, slot), body)
    }

    fn load_claims(&self, record: &Record) {
        for claim in claims_of(&self.schema, record.body()) {
            if let Some(index) = self.table.shown.unique(claim.on) {
                self.claims.fetch_add(1, Relaxed);
                index.put(claim.key, record.clone());
            }
        }
    }

    /// The table, when all chunks are loaded: so many records, so great the sum of their hashes.
    /// Fails where two records share a key or a unique value, or the digest is another one.
    pub fn finish(mut self, records: u32, sum: u128, digest: u128) -> Result<Table, Misfit> {
        let found = self.table.shown.ids.len() as u64;
        if found != u64::from(records) {
            return Err(Misfit::Order {
                what: "a count of records",
                expected: u64::from(records),
                found,
            });
        }
        let claims = self.table.shown.claim_count();
        if (self.table.shown.keys.len(), claims)
            != (self.keys.into_inner(), self.claims.into_inner())
        {
            return Err(Misfit::Twice { what: "a unique value" });
        }
        if sum.wrapping_add(self.state_digest) != digest {
            return Err(Misfit::Digest);
        }
        self.table.digest.add_sum(sum);
        self.table.slots = records;
        self.table.make_archived_claims();
        Ok(self.table)
    }
}

fn take_follow_ups(rest: &mut &[u8]) -> Result<FollowUps, Misfit> {
    let mut follow_ups = FollowUps {
        last: FollowUpNumber(take_uint(rest, "a follow-up's number")?),
        ..FollowUps::default()
    };
    for _ in 0..take_array(rest, "open follow-ups")? {
        if take_array(rest, "an open follow-up")? != 2 {
            return Err(Misfit::Shape { what: "an open follow-up" });
        }
        let number = FollowUpNumber(take_uint(rest, "a follow-up's number")?);
        follow_ups.open.insert(number, RecordId::from_bytes(take_id(rest, "a record's id")?));
    }
    Ok(follow_ups)
}
