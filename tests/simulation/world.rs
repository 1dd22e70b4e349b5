//! The world as it ought to be: tables, records and activities written down the naive way, by what
//! the contract says and not by how the engine does it.
//!
//! Deciding gives the expected answer and the changes; a world after a crash is the old one with
//! the changes that survived. It knows no engine, no disk and no position in a log.

mod draft;

use crate::simulation::ask::Ask;
use crate::simulation::world::draft::Draft;
use std::collections::{BTreeMap, BTreeSet};
use upsertd::model::id::Timestamp;
use upsertd::model::table::command::Action;

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
    pub(crate) is_archived: bool,
    pub(crate) version: u32,
    pub(crate) sequence: u64,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) sequence: u64,
    pub(crate) fields: BTreeSet<&'static str>,
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
    /// The records that each activity is about.
    pub(crate) activities: Vec<BTreeSet<(TableName, RecordNumber)>>,
    /// The last follow-up of each table that the agenda has.
    pub(crate) received: BTreeMap<TableName, u64>,
}

/// What happens to a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Founded,
    Object(TableName),
    Field(TableName, &'static str),
    Put(TableName, RecordNumber, Record),
    Purged(TableName, RecordNumber),
    Scheduled(TableName, RecordNumber),
    /// The agenda has a follow-up about a purged record.
    Forgotten(TableName, u64, RecordNumber),
    Confirmed(TableName, u64),
}

/// What whoever asks must be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Record(Action, RecordNumber, Record),
    /// Done, with nothing to show.
    Done,
    NotFound,
    NotArchived,
    Taken(Taken),
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
            Change::Field(table, field) => {
                let table = self.table_mut(table);
                table.sequence += 1;
                table.fields.insert(field);
            }
            Change::Put(table, number, record) => self.table_mut(table).put(*number, record),
            Change::Purged(table, number) => self.table_mut(table).purge(*number),
            Change::Scheduled(table, number) => {
                self.activities.push(BTreeSet::from([(*table, *number)]));
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

    fn begin_table(&mut self, name: TableName) {
        self.tables.insert(name, Table { sequence: 1, ..Table::default() });
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
        let mut draft =
            Draft { name: table, table: self.tables[table].clone(), at, changes: vec![] };
        let answer = draft.decide(ask, addressed);
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

    /// The live record with this code.
    pub(crate) fn code_holder(&self, code: &str) -> Option<RecordNumber> {
        let is_held = |held: &Record| !held.is_archived && held.code.as_deref() == Some(code);
        self.records.iter().find(|(_, held)| is_held(held)).map(|(number, _)| *number)
    }
}
