//! The world as it ought to be: tables, records and activities written down the naive way, by what
//! the contract says and not by how the engine does it.
//!
//! Deciding gives the expected answer and the changes; a world after a crash is the old one with
//! the changes that survived. It knows no engine, no disk and no position in a log.

mod draft;
pub(crate) mod people;
pub(crate) mod relate;
pub(crate) mod reshape;

use crate::simulation::ask::{Ask, CODE, KIND, KINDS, PARTNER, STAGE, STAGES};
use crate::simulation::world::draft::Draft;
use crate::simulation::world::people::{People, Staffed};
use crate::simulation::world::relate::Mirror;
use crate::simulation::world::reshape::Shape;
use std::collections::{BTreeMap, BTreeSet};
use upsertd::model::id::Timestamp;
use upsertd::model::key::Normalizer;
use upsertd::model::table::command;

/// API name of a table.
pub(crate) type TableName = &'static str;

/// A record by the order of creation in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordNumber(pub(crate) u32);

/// A record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) displaced_from: Option<String>,
    pub(crate) note: Option<String>,
    /// Unique among live records.
    pub(crate) code: Option<String>,
    pub(crate) labels: Vec<String>,
    /// The option of each field, as it reads now.
    pub(crate) choices: BTreeMap<&'static str, &'static str>,
    /// By e-mail, there or not.
    pub(crate) owner: Option<String>,
    /// The account that it is related to, wherever that is now.
    pub(crate) partner: Option<RecordNumber>,
    pub(crate) is_archived: bool,
    pub(crate) version: u32,
    pub(crate) sequence: u64,
}

/// A field, as far as one is told from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) label: String,
    pub(crate) is_unique: bool,
    pub(crate) normalizer: Option<Normalizer>,
    /// In order.
    pub(crate) options: Vec<&'static str>,
}

impl Field {
    /// As it is made.
    pub(crate) fn new(name: &'static str) -> Self {
        let (label, options) = match name {
            KIND => (name, KINDS.to_vec()),
            STAGE => ("Stage", STAGES.to_vec()),
            name => (name, Vec::new()),
        };
        let normalizer = (name == CODE).then_some(Normalizer::Casefold);
        Self { label: label.to_owned(), is_unique: name == CODE, normalizer, options }
    }

    /// What is compared of a value.
    pub(crate) fn normal(&self, value: &str) -> String {
        if self.normalizer == Some(Normalizer::Exact) {
            value.to_owned()
        } else {
            value.to_lowercase()
        }
    }
}

/// The object whose records are in stages, and lead to those of another.
pub(crate) const PIPELINE: TableName = "deals";
pub(crate) const ACCOUNTS: TableName = "accounts";

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) sequence: u64,
    pub(crate) fields: BTreeMap<&'static str, Field>,
    pub(crate) mirror: Mirror,
    /// Its relation leads to an object that was lost when a snapshot was restored.
    pub(crate) is_cut_off: bool,
    pub(crate) records: BTreeMap<RecordNumber, Record>,
    pub(crate) purged: BTreeSet<RecordNumber>,
    next: u32,
    pub(crate) follow_up_last: u64,
    pub(crate) follow_ups_open: BTreeMap<u64, RecordNumber>,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) tables: BTreeMap<TableName, Table>,
    pub(crate) people: People,
    /// Objects that their tables have archived, and the directory has not followed.
    pub(crate) leaving: BTreeSet<TableName>,
    /// How many it has followed.
    pub(crate) left: usize,
    /// The records that each activity is about.
    pub(crate) activities: Vec<BTreeSet<(TableName, RecordNumber)>>,
    /// In the order in which they were begun.
    pub(crate) actions: Vec<Action>,
    /// The last follow-up of each table that the agenda has.
    pub(crate) received: BTreeMap<TableName, u64>,
}

/// An action on many records, and what became of so many of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) records: u32,
    pub(crate) succeeded: u32,
    pub(crate) failed: u32,
    pub(crate) is_finished: bool,
}

/// What happens to a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Founded,
    Object(TableName),
    /// The object is gone, and its name is taken until it is given free.
    ObjectArchived(TableName),
    NameFreed(TableName),
    Field(TableName, &'static str),
    Reshaped(TableName, Shape),
    /// The mirror is there, and shown to nobody.
    MirrorMade(TableName),
    MirrorShown(TableName),
    MirrorDropped(TableName),
    Staffed(Staffed),
    Put(TableName, RecordNumber, Record),
    Purged(TableName, RecordNumber),
    Scheduled(TableName, RecordNumber),
    /// The action at a place is new, or as it is now.
    Acted(usize, Action),
    /// The agenda has a follow-up about a purged record.
    Forgotten(TableName, u64, RecordNumber),
    Confirmed(TableName, u64),
}

/// What whoever asks must be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Record(command::Action, RecordNumber, Record),
    /// Done, with nothing to show.
    Done,
    NotFound,
    NotArchived,
    Taken(Taken),
    /// Live records break the rule that was asked for.
    Violated,
    /// The object is in use.
    Blocked,
}

/// Whose values are in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Live records with a value of the request.
    pub(crate) holders: BTreeSet<RecordNumber>,
    /// The archived record with the wanted identifier.
    pub(crate) archived: Option<RecordNumber>,
    /// Live records with a value that a record had before it was archived.
    pub(crate) clashes: BTreeSet<RecordNumber>,
}

/// Answer and changes of one command.
pub(crate) type Decision = (Answer, Vec<Change>);

/// The normal form of the simulation's names: they are ASCII.
pub(crate) fn key_of(name: &str) -> String {
    name.trim().to_lowercase()
}

impl World {
    /// Lets a change happen.
    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Founded => self.begin_table("client_client"),
            Change::Object(name) => self.begin_table(name),
            Change::ObjectArchived(name) => {
                self.tables.remove(name);
                self.leaving.insert(name);
                self.received.remove(name);
                self.forget_what_is_gone();
            }
            Change::NameFreed(name) => {
                self.leaving.remove(name);
                self.left += 1;
            }
            Change::Field(table, field) => {
                let table = self.table_mut(table);
                table.sequence += 1;
                table.fields.insert(field, Field::new(field));
            }
            Change::Reshaped(table, shape) => self.table_mut(table).reshape(shape),
            Change::MirrorMade(table) => self.table_mut(table).turn_mirror(Mirror::Pending),
            Change::MirrorShown(table) => self.table_mut(table).turn_mirror(Mirror::Shown),
            Change::MirrorDropped(table) => self.table_mut(table).turn_mirror(Mirror::Missing),
            Change::Staffed(change) => self.people.staff(change),
            Change::Put(table, number, record) => self.table_mut(table).put(*number, record),
            Change::Purged(table, number) => self.table_mut(table).purge(*number),
            Change::Scheduled(table, number) => {
                self.activities.push(BTreeSet::from([(*table, *number)]));
            }
            Change::Acted(at, action) => {
                self.actions.truncate(*at);
                self.actions.push(*action);
            }
            Change::Forgotten(table, follow_up, number) => {
                for about in &mut self.activities {
                    about.remove(&(*table, *number));
                }
                self.received.insert(table, *follow_up);
            }
            Change::Confirmed(table, follow_up) => {
                self.table_mut(table).follow_ups_open.retain(|open, _| open > follow_up);
            }
        }
    }

    /// Activities are about nothing that is in no table.
    fn forget_what_is_gone(&mut self) {
        for about in &mut self.activities {
            about.retain(|(table, _)| self.tables.contains_key(table));
        }
    }

    /// What a table makes of being archived; none where something is on its way to or from it.
    pub(crate) fn decide_archiving(&self, name: TableName) -> Option<Decision> {
        let table = self.tables.get(name)?;
        let mirror = self.tables.get(ACCOUNTS).map(|accounts| accounts.mirror);
        let is_settled = table.follow_ups_open.is_empty()
            && (table.fields.contains_key(PARTNER) || mirror != Some(Mirror::Pending));
        if !is_settled {
            return None;
        }
        let is_blocked = !self.live(name).is_empty()
            || table.fields.contains_key(PARTNER)
            || table.mirror != Mirror::Missing;
        if is_blocked {
            return Some((Answer::Blocked, Vec::new()));
        }
        Some((Answer::Done, vec![Change::ObjectArchived(name)]))
    }

    fn begin_table(&mut self, name: TableName) {
        let stage = (name == PIPELINE).then(|| (STAGE, Field::new(STAGE)));
        let fields = stage.into_iter().collect();
        self.tables.insert(name, Table { sequence: 1, fields, ..Table::default() });
    }

    fn table_mut(&mut self, name: TableName) -> &mut Table {
        self.tables.get_mut(name).expect("a table changes after its object was created")
    }

    /// Activities about a record.
    pub(crate) fn activities_about(&self, table: TableName, number: RecordNumber) -> usize {
        self.activities.iter().filter(|about| about.contains(&(table, number))).count()
    }

    /// What the agenda makes of a follow-up.
    pub(crate) fn decide_forget(
        &self,
        table: TableName,
        follow_up: u64,
        number: RecordNumber,
    ) -> Decision {
        let has_it = self.received.get(table).is_some_and(|last| *last >= follow_up);
        let change = (!has_it).then_some(Change::Forgotten(table, follow_up, number));
        (Answer::Done, change.into_iter().collect())
    }

    /// What a table makes of a follow-up's receipt.
    pub(crate) fn decide_confirm(&self, table: TableName, follow_up: u64) -> Decision {
        let is_open = self.tables[table].follow_ups_open.range(..=follow_up).next().is_some();
        let change = is_open.then_some(Change::Confirmed(table, follow_up));
        (Answer::Done, change.into_iter().collect())
    }

    /// What a table makes of a command about records; `addressed` is the record named by id.
    pub(crate) fn decide(
        &self,
        table: TableName,
        ask: &Ask,
        addressed: Option<RecordNumber>,
        at: Timestamp,
    ) -> Decision {
        let live_accounts = self.live(ACCOUNTS);
        let (name, table) = (table, self.tables[table].clone());
        let people = &self.people;
        let mut draft = Draft { name, table, people, live_accounts, at, changes: Vec::new() };
        let mut answer = draft.decide(ask, addressed);
        if let Answer::Record(_, _, record) = &mut answer {
            record.owner = people.reads(record.owner.as_ref());
        }
        let is_refused = !matches!(answer, Answer::Record(..) | Answer::Done);
        (answer, if is_refused { Vec::new() } else { draft.changes })
    }
}

impl Table {
    fn put(&mut self, number: RecordNumber, record: &Record) {
        self.sequence = record.sequence;
        self.next = self.next.max(number.0 + 1);
        self.records.insert(number, record.clone());
    }

    fn purge(&mut self, number: RecordNumber) {
        self.sequence += 1;
        self.records.remove(&number);
        self.purged.insert(number);
        self.follow_up_last += 1;
        self.follow_ups_open.insert(self.follow_up_last, number);
    }

    /// Who holds an identifier, live or archived.
    pub(crate) fn holder(&self, name: &str) -> Option<RecordNumber> {
        let key = key_of(name);
        self.records.iter().find(|(_, held)| key_of(&held.name) == key).map(|(number, _)| *number)
    }

    /// What is compared of the codes, where each is a record's own.
    pub(crate) fn code_field(&self) -> Option<&Field> {
        self.fields.get(CODE).filter(|field| field.is_unique)
    }

    /// The live record with this code.
    pub(crate) fn code_holder(&self, code: &str) -> Option<RecordNumber> {
        let field = self.code_field()?;
        let wanted = field.normal(code);
        let is_held = |held: &Record| {
            !held.is_archived && held.code.as_ref().is_some_and(|it| field.normal(it) == wanted)
        };
        self.records.iter().find(|(_, held)| is_held(held)).map(|(number, _)| *number)
    }
}
