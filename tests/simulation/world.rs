//! The world as it ought to be: tables, records and activities written down the naive way, by what
//! the contract says and not by how the engine does it.
//!
//! Deciding gives the expected answer and the changes; a world after a crash is the old one with
//! the changes that survived. It knows no engine, no disk and no position in a log.

use crate::simulation::ask::{Ask, Writes};
use std::collections::{BTreeMap, BTreeSet};
use upsertd::model::id::Timestamp;
use upsertd::model::table::command::{Action, ArchivedConflict, ArchivedMatch};

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

/// A table while one command changes it.
struct Draft {
    name: TableName,
    table: Table,
    at: Timestamp,
    changes: Vec<Change>,
}

impl Draft {
    fn decide(&mut self, ask: &Ask, addressed: Option<RecordNumber>) -> Answer {
        match ask {
            Ask::Upsert { lookup, writes, archived_match, archived_conflict } => {
                let modes = (*archived_match, *archived_conflict);
                self.upsert(lookup, writes, modes)
            }
            Ask::Add { writes, archived_match } => {
                self.create(writes, "", (*archived_match, ArchivedConflict::Refuse))
            }
            Ask::Update { writes, archived_conflict, .. } => match self.live(addressed) {
                Some(number) => self.update(number, writes, *archived_conflict),
                None => Answer::NotFound,
            },
            Ask::Archive(_) => match self.live(addressed) {
                Some(number) => {
                    let record = Record { is_archived: true, ..self.record(number).clone() };
                    self.put(number, record);
                    Answer::Done
                }
                None => Answer::NotFound,
            },
            Ask::Unarchive(_) => self.unarchive(addressed),
            Ask::Purge(_) => self.purge(addressed),
        }
    }

    fn record(&self, number: RecordNumber) -> &Record {
        &self.table.records[&number]
    }

    fn live(&self, addressed: Option<RecordNumber>) -> Option<RecordNumber> {
        let found = addressed.filter(|number| self.table.records.contains_key(number));
        found.filter(|number| !self.record(*number).is_archived)
    }

    /// The record's next version.
    fn put(&mut self, number: RecordNumber, mut record: Record) -> Record {
        record.version += 1;
        record.sequence = self.table.sequence + 1;
        self.table.put(number, &record);
        self.changes.push(Change::Put(self.name, number, record.clone()));
        record
    }

    fn upsert(
        &mut self,
        lookup: &str,
        writes: &Writes,
        modes: (ArchivedMatch, ArchivedConflict),
    ) -> Answer {
        match self.table.holder(lookup) {
            Some(found) if !self.record(found).is_archived => self.update(found, writes, modes.1),
            Some(archived) => match modes.0 {
                ArchivedMatch::Prompt => self.prompt(archived, writes),
                ArchivedMatch::Unarchive => self.restore(archived, writes, modes.1),
                ArchivedMatch::Overwrite => self.create(writes, lookup, modes),
                ArchivedMatch::Skip => unreachable!("no scenario passes archived records over"),
            },
            None => self.create(writes, lookup, modes),
        }
    }

    fn prompt(&self, archived: RecordNumber, writes: &Writes) -> Answer {
        let holders = self.code_holders(writes, None);
        Answer::Taken(Taken { holders, archived: Some(archived), ..Taken::default() })
    }

    fn create(
        &mut self,
        writes: &Writes,
        lookup: &str,
        modes: (ArchivedMatch, ArchivedConflict),
    ) -> Answer {
        let name = writes.name.as_deref().unwrap_or(lookup);
        let mut holders = self.code_holders(writes, None);
        let mut displaced = None;
        match self.table.holder(name) {
            Some(live) if !self.record(live).is_archived => {
                holders.insert(live);
            }
            Some(archived) => match modes.0 {
                ArchivedMatch::Prompt => return self.prompt(archived, writes),
                ArchivedMatch::Unarchive => return self.restore(archived, writes, modes.1),
                ArchivedMatch::Overwrite => displaced = Some(archived),
                ArchivedMatch::Skip => unreachable!("no scenario passes archived records over"),
            },
            None => {}
        }
        if !holders.is_empty() {
            return Answer::Taken(Taken { holders, ..Taken::default() });
        }
        if let Some(displaced) = displaced {
            self.displace(displaced);
        }
        let number = RecordNumber(self.table.next);
        let record = Record { name: name.trim().to_owned(), ..Record::default() };
        let record = self.put(number, with(&record, writes));
        Answer::Record(Action::Created, number, record)
    }

    fn update(&mut self, number: RecordNumber, writes: &Writes, mode: ArchivedConflict) -> Answer {
        let new = with(self.record(number), writes);
        let mut taken =
            Taken { holders: self.code_holders(writes, Some(number)), ..Taken::default() };
        let displaced = self.check_name(number, &new.name, mode, &mut taken);
        if taken != Taken::default() {
            return Answer::Taken(taken);
        }
        if new == *self.record(number) {
            return Answer::Record(Action::Updated, number, new);
        }
        if let Some(displaced) = displaced {
            self.displace(displaced);
        }
        let record = self.put(number, new);
        Answer::Record(Action::Updated, number, record)
    }

    /// Brings an archived record back, then lets the writes win.
    fn restore(&mut self, number: RecordNumber, writes: &Writes, mode: ArchivedConflict) -> Answer {
        let old = self.record(number);
        let new = with(&Record { is_archived: false, displaced_from: None, ..old.clone() }, writes);
        let mut taken =
            Taken { holders: self.code_holders(writes, Some(number)), ..Taken::default() };
        let displaced = self.check_name(number, &new.name, mode, &mut taken);
        if writes.code.is_none() && taken.archived.is_none() {
            taken.clashes = self.clashes(&new);
        }
        if taken != Taken::default() {
            return Answer::Taken(taken);
        }
        if let Some(displaced) = displaced {
            self.displace(displaced);
        }
        let record = self.put(number, new);
        Answer::Record(Action::Unarchived, number, record)
    }

    fn unarchive(&mut self, addressed: Option<RecordNumber>) -> Answer {
        let found = addressed.filter(|number| self.table.records.contains_key(number));
        let Some(number) = found else { return Answer::NotFound };
        let old = self.record(number).clone();
        if !old.is_archived {
            return Answer::Record(Action::Unchanged, number, old);
        }
        let mut new = Record { is_archived: false, displaced_from: None, ..old.clone() };
        if let Some(original) = old.displaced_from.filter(|name| self.table.holder(name).is_none())
        {
            new.name = original;
        }
        let clashes = self.clashes(&new);
        if !clashes.is_empty() {
            return Answer::Taken(Taken { clashes, ..Taken::default() });
        }
        let record = self.put(number, new);
        Answer::Record(Action::Unarchived, number, record)
    }

    fn purge(&mut self, addressed: Option<RecordNumber>) -> Answer {
        let found = addressed.filter(|number| self.table.records.contains_key(number));
        let Some(number) = found else { return Answer::NotFound };
        if !self.record(number).is_archived {
            return Answer::NotArchived;
        }
        self.table.purge(number);
        self.changes.push(Change::Purged(self.name, number));
        Answer::Done
    }

    /// Whether a record may take a name; who must give it up.
    fn check_name(
        &self,
        own: RecordNumber,
        name: &str,
        mode: ArchivedConflict,
        taken: &mut Taken,
    ) -> Option<RecordNumber> {
        let holder = self.table.holder(name).filter(|holder| *holder != own)?;
        if !self.record(holder).is_archived {
            taken.holders.insert(holder);
            return None;
        }
        match mode {
            ArchivedConflict::Overwrite => Some(holder),
            ArchivedConflict::Refuse => {
                taken.archived = Some(holder);
                None
            }
        }
    }

    /// Others that have the code which is written.
    fn code_holders(&self, writes: &Writes, own: Option<RecordNumber>) -> BTreeSet<RecordNumber> {
        let written = writes.code.as_deref().filter(|code| !code.is_empty());
        let holder = written.and_then(|code| self.table.code_holder(code));
        holder.filter(|holder| own != Some(*holder)).into_iter().collect()
    }

    /// Others that have the code of a record that comes back.
    fn clashes(&self, restored: &Record) -> BTreeSet<RecordNumber> {
        let holder = restored.code.as_deref().and_then(|code| self.table.code_holder(code));
        holder.into_iter().collect()
    }

    /// Frees an archived record's identifier.
    fn displace(&mut self, number: RecordNumber) {
        let old = self.record(number).clone();
        let mark = format!("{}_discarded_{}", old.name, self.at.0);
        let spellings =
            std::iter::once(mark.clone()).chain((2..).map(|again| format!("{mark}_{again}")));
        let name = spellings.into_iter().find(|name| self.table.holder(name).is_none());
        let name = name.expect("there are more spellings than records");
        let displaced_from = Some(old.displaced_from.clone().unwrap_or(old.name.clone()));
        self.put(number, Record { name, displaced_from, ..old });
    }
}

/// A record with the values of a request.
fn with(record: &Record, writes: &Writes) -> Record {
    let mut new = record.clone();
    let text = |given: &str| (!given.is_empty()).then(|| given.to_owned());
    if let Some(name) = &writes.name {
        new.name.clone_from(name);
    }
    if let Some(note) = &writes.note {
        new.note = text(note);
    }
    if let Some(code) = &writes.code {
        new.code = text(code);
    }
    if let Some(label) = &writes.label
        && !new.labels.contains(label)
    {
        new.labels.push(label.clone());
    }
    new
}
