//! What tests of tables share: a table driven without a loop, and short ways to say a command.
//!
//! It stands in for the writer's loop: it decides on the draft, keeps what is not applied yet, and
//! writes the log a replay reads. It knows nothing of what the answers should be.

use crate::model::access::Rights;
use crate::model::catalog::member::{AccountType, Member, Members};
use crate::model::id::{
    BatchId, FieldNumber, HistoryId, MemberId, RecordId, Sequence, Timestamp, UserId,
};
use crate::model::key::Key;
use crate::model::moment::Moment;
use crate::model::schema::new_field::NewField;
use crate::model::schema::new_object::{Founder, NewObject};
use crate::model::schema::{Schema, default_fields};
use crate::model::state::State;
use crate::model::table::command::{
    Action, Ask, Caller, Command, EntryIndex, Identifier, Outcome, Reply, Write, Writes,
};
use crate::model::table::decide::Rejection;
use crate::model::table::draft::{Draft, View};
use crate::model::table::event::{Event, Stamp};
use crate::model::table::others::Others;
use crate::model::table::record::Record;
use crate::model::table::{Limits, Setting, Table};
use crate::model::value::{Change, Value};
use std::collections::VecDeque;
use std::sync::Arc;
use uuid::Uuid;

/// The time at which every test's table is born.
pub(crate) const BIRTH: Timestamp = Timestamp(1_700_000_000_000);
/// Limits that no small test reaches.
pub(crate) const SETTING: Setting = Setting {
    limits: Limits { record_bytes_max: 1 << 20, commit_bytes_max: 8 << 20 },
    digest_key: *b"a key for tests.",
};

pub(crate) fn member(number: u8) -> MemberId {
    MemberId::from_bytes([number; 16])
}

/// The members 1 to 4, all active.
pub(crate) fn members() -> Members {
    let mut members = Members::default();
    for number in 1..=4 {
        members.add(Arc::new(Member {
            id: member(number),
            user_id: UserId(member(number).0),
            email: format!("m{number}@example.com"),
            first_name: String::new(),
            last_name: String::new(),
            title: String::new(),
            account_type: AccountType::UserStandard,
            is_active: true,
            roles: Vec::new(),
            permission_groups: Vec::new(),
            created: BIRTH,
        }));
    }
    members
}

pub(crate) fn caller() -> Caller {
    Caller {
        member: member(1),
        members: Arc::new(members()),
        rights: Arc::new(Rights::administrator(member(1))),
        others: Others::default(),
        origin: "tests".into(),
        batch: BatchId::from_bytes([9; 16]),
        retry: None,
    }
}

/// An object whose names match as `identifier_case` says.
pub(crate) fn object(identifier_case: &str, moment: &mut Moment) -> Schema {
    let new = NewObject {
        object_name: Some("Accounts".into()),
        identifier_case: Some(identifier_case.into()),
        ..NewObject::default()
    };
    let founder = Founder { member: Some(member(1)), at: BIRTH };
    new.decide(founder, &|_| false, &mut || moment.id()).unwrap()
}

/// A new field of a type.
pub(crate) fn field(name: &str, field_type: &str) -> NewField {
    NewField {
        display_name: Some(name.into()),
        name: Some(name.into()),
        field_type: Some(field_type.into()),
        ..NewField::default()
    }
}

/// The stored form of the event that a rig's table began with.
pub(crate) fn encoded_birth(rig: &Rig) -> Vec<u8> {
    rig.log[0].clone()
}

/// A table, its draft, and the log of what was decided.
pub(crate) struct Rig {
    pub(crate) table: Table,
    pub(crate) draft: Draft,
    pub(crate) moment: Moment,
    pub(crate) caller: Caller,
    /// Commits that are decided and not applied.
    pub(crate) pending: VecDeque<Vec<Event>>,
    /// Every event in its stored form, the birth first.
    pub(crate) log: Vec<Vec<u8>>,
}

impl Rig {
    /// A table of custom records, without further fields.
    pub(crate) fn accounts() -> Self {
        let mut moment = Moment::new(7, BIRTH);
        let schema = object("insensitive", &mut moment);
        Self::born(schema, moment)
    }

    /// A table of contacts.
    pub(crate) fn contacts() -> Self {
        let mut moment = Moment::new(7, BIRTH);
        let schema = default_fields::contacts(BIRTH, &mut || moment.id());
        Self::born(schema, moment)
    }

    pub(crate) fn born(schema: Schema, moment: Moment) -> Self {
        Self::born_within(schema, moment, SETTING)
    }

    /// A table with limits of its own.
    pub(crate) fn born_within(schema: Schema, moment: Moment, setting: Setting) -> Self {
        let caller = caller();
        let stamp = Stamp {
            at: BIRTH,
            actor: caller.member,
            origin: caller.origin.clone(),
            batch: caller.batch,
        };
        let history = HistoryId::from_bytes([3; 16]);
        let sequence = Sequence(1);
        let birth = Event::ObjectCreated { stamp, sequence, history, schema: Arc::new(schema) };
        Self {
            table: Table::born(&birth, setting),
            draft: Draft::default(),
            moment,
            caller,
            pending: VecDeque::new(),
            log: vec![encoded(&birth)],
        }
    }

    /// Adds a field and gives its number.
    pub(crate) fn add_field(&mut self, new: NewField) -> FieldNumber {
        match self.run(Ask::CreateField(Box::new(new))) {
            Ok(Reply::Field(field)) => field.number,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn schema(&self) -> Arc<Schema> {
        self.table.shown.schema()
    }

    /// Decides, and lays what follows on the draft. Events of a refused command are dropped.
    pub(crate) fn decide(&mut self, ask: Ask) -> Result<Reply, Rejection> {
        let command = Command { caller: self.caller.clone(), ask };
        let is_barrier = Table::on_plain_state(&command);
        if is_barrier {
            self.apply_all();
        }
        let mut events = Vec::new();
        let answer = self.table.decide(&self.draft, command, &mut self.moment, &mut events)?;
        for event in &events {
            Table::lay(&mut self.draft, event);
            self.log.push(encoded(event));
        }
        if !events.is_empty() {
            self.pending.push_back(events);
        }
        if is_barrier {
            self.apply_all();
        }
        Ok(answer)
    }

    /// Decides, and applies at once.
    pub(crate) fn run(&mut self, ask: Ask) -> Result<Reply, Rejection> {
        let answer = self.decide(ask);
        self.apply_all();
        answer
    }

    /// Applies the oldest commit that is not applied. False: there is none.
    pub(crate) fn apply_one(&mut self) -> bool {
        let Some(events) = self.pending.pop_front() else { return false };
        for event in &events {
            self.table.apply(event);
            Table::lift(&mut self.draft, event);
        }
        true
    }

    pub(crate) fn apply_all(&mut self) {
        while self.apply_one() {}
    }

    /// A record as the next decision sees it.
    pub(crate) fn seen(&self, id: RecordId) -> Option<Record> {
        View { table: &self.table, drafts: &[&self.draft] }.record(id)
    }

    /// Who holds an identifier, as the next decision sees it.
    pub(crate) fn holder(&self, identifier: &str) -> Option<Record> {
        let key = self.schema().identifier_key(identifier)?;
        View { table: &self.table, drafts: &[&self.draft] }.holder(&key)
    }

    /// Writes parsed with the present schema, the entries counted from 0.
    pub(crate) fn writes(
        &self,
        entries: impl IntoIterator<Item = (FieldNumber, Change)>,
    ) -> Writes {
        let entries = (0..).zip(entries);
        let entries = entries.map(|(at, (field, change))| {
            let index = EntryIndex::of_fields(at);
            Write { index, field, change }
        });
        Writes {
            schema: self.schema().number(),
            entries: entries.collect(),
            faults: Vec::new(),
            forbidden: Vec::new(),
        }
    }

    /// An identifier as the edge reads one.
    pub(crate) fn identifier(&self, given: &str) -> Identifier {
        let text: Box<str> = given.trim().into();
        let key = self.schema().identifier_key(&text).expect("tests give no blank identifier");
        Identifier { text, key, fault: None }
    }

    /// The same table out of its log.
    pub(crate) fn replayed(&self) -> Table {
        replayed(&self.log)
    }

    /// Asserts that the table is whole, and exactly what its log gives.
    pub(crate) fn check(&self) {
        assert!(self.pending.is_empty() && self.draft.is_empty());
        assert_same(&self.table, &self.replayed());
    }
}

/// A table out of a log that begins with its birth.
pub(crate) fn replayed(log: &[Vec<u8>]) -> Table {
    let (table, count) = Table::from_birth(&log.concat(), SETTING).unwrap();
    assert_eq!(count as usize, log.len());
    table
}

pub(crate) fn encoded(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    Table::encode(event, &mut bytes);
    bytes
}

pub(crate) fn outcome(answer: Result<Reply, Rejection>) -> Outcome {
    match answer {
        Ok(Reply::Record(outcome)) => outcome,
        other => panic!("not a record: {other:?}"),
    }
}

/// The id of the record that a command must have created.
pub(crate) fn created(answer: Result<Reply, Rejection>) -> RecordId {
    let outcome = outcome(answer);
    assert_eq!(outcome.action, Action::Created);
    outcome.record.id()
}

pub(crate) fn text(text: &str) -> Change {
    if text.is_empty() { Change::Clear } else { Change::Set(Value::Text(text.into())) }
}

/// An id that no record has.
pub(crate) fn nobody() -> RecordId {
    RecordId(Uuid::from_u128(1))
}

/// All records in creation order, purged ones left out.
pub(crate) fn all_records(table: &Table) -> Vec<Record> {
    (0..table.slot_count())
        .filter_map(|slot| table.shown.order.get(crate::model::id::Slot(slot)))
        .collect()
}

/// Asserts that two tables hold the same: records, order, indexes, tags, schema, counters, digest.
pub(crate) fn assert_same(left: &Table, right: &Table) {
    let (mine, other) = (all_records(left), all_records(right));
    assert_eq!(mine, other, "records in creation order");
    assert_eq!(left.digest.records(), right.digest.records(), "digest");
    assert_eq!(left.sequence, right.sequence, "sequence");
    assert_eq!(left.shown.sequence(), right.shown.sequence(), "sequence shown");
    assert_eq!(left.tag_number, right.tag_number, "tag number");
    assert_eq!(left.shown.follow_ups(), right.shown.follow_ups(), "follow-ups");
    assert_eq!(left.shown.schema(), right.shown.schema(), "schema");
    assert_eq!(left.shown.streams.image(), right.shown.streams.image(), "streams");
    let (tags, other_tags) = (&left.shown.tags, &right.shown.tags);
    assert_eq!(tags.first(tags.len()), other_tags.first(other_tags.len()), "tags");
    assert_whole(left);
    assert_whole(right);
}

/// Asserts that a table's indexes hold exactly what follows from its records.
pub(crate) fn assert_whole(table: &Table) {
    use crate::model::table::decide::keys::{claims_of, identifier_key};
    use crate::model::table::order::Wanted;
    use crate::model::table::owners::related_ids;
    let records = all_records(table);
    let (schema, shown) = (table.shown.schema(), &table.shown);
    let mut sum = crate::model::table::digest::Digest::new(table.digest.key());
    let (mut keyed, mut live, mut claimed, mut former) = (0, 0, 0, 0);
    for record in &records {
        sum.add(record);
        assert_eq!(shown.record(record.id()).as_ref(), Some(record), "by id");
        let key = identifier_key(&schema, record.body());
        assert_eq!(key.as_ref().map(Key::as_bytes), record.key(), "its own key");
        if let Some(key) = key {
            keyed += 1;
            assert_eq!(shown.holder(&key).as_ref(), Some(record), "by key");
        }
        if record.is_archived() {
            for claim in claims_of(&schema, record.body()) {
                former += 1;
                let mut holders = table.archived_claims.holders(&claim);
                assert!(holders.any(|holder| holder == record.id()), "who had it before");
            }
            continue;
        }
        live += 1;
        for claim in claims_of(&schema, record.body()) {
            claimed += 1;
            let index = shown.unique(claim.on).unwrap();
            assert_eq!(index.get(&claim.key).as_ref(), Some(record), "by what it has alone");
        }
    }
    assert_eq!(table.archived_claims.len(), former, "nobody else had it before");
    for field in schema.owning_fields() {
        let index = shown.owners(field.number).unwrap();
        let mut led = 0;
        for record in records.iter().filter(|record| !record.is_archived()) {
            let raw = record.value(field.number);
            for related in raw.map_or_else(Vec::new, |raw| related_ids(field, raw)) {
                assert!(index.has(related, record.slot()), "by what it leads to");
                led += 1;
            }
        }
        assert_eq!(index.len(), led, "nothing leads where no record says so");
    }
    let claims = shown.claim_count();
    assert_eq!((shown.ids.len(), shown.keys.len(), claims), (records.len(), keyed, claimed));
    assert_eq!((shown.live_count(), shown.order.count(Wanted::All)), (live, records.len()));
    assert_eq!(shown.order.count(Wanted::Archived), records.len() - live);
    assert_eq!(sum.records(), table.digest.records(), "the digest follows from the records");
    for tag in shown.tags.first(shown.tags.len()) {
        let key = crate::model::key::tag_key(&tag.name);
        assert_eq!(shown.tags.by_name(tag.field, &key).as_ref(), Some(&tag));
        assert_eq!(shown.tags.by_number(tag.number).as_ref(), Some(&tag));
        assert_eq!(shown.tags.by_id(tag.id).as_ref(), Some(&tag));
        assert!(tag.number <= table.tag_number);
    }
}
