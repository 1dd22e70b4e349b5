//! The judge: whether what readers see is the world as it ought to be. Knows neither engine nor
//! disk, so it is tested itself, with faults that are planted.

use crate::simulation::observed::{Observed, ObservedTable, Staff};
use crate::simulation::world::people::{People, Person};
use crate::simulation::world::{
    ACCOUNTS, Action, Field, PIPELINE, Record, RecordNumber, Table, TableName, World, key_of,
};
use std::collections::{BTreeMap, BTreeSet};
use upsertd::model::id::RecordId;

/// The ids of the records, as far as somebody was told or has seen them.
pub(crate) type Ids = BTreeMap<(TableName, RecordNumber), RecordId>;

/// What is not as it ought to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    #[error("the tables are {found:?} instead of {expected:?}")]
    Tables { expected: Vec<TableName>, found: Vec<TableName> },
    #[error("{table}: the fields are {found:?} instead of {expected:?}")]
    Fields { table: TableName, expected: Fields, found: Fields },
    #[error("{table}: the last change has number {found} instead of {expected}")]
    Sequence { table: TableName, expected: u64, found: u64 },
    #[error("{table}: record {number:?} is lost: {record:?}")]
    Lost { table: TableName, number: RecordNumber, record: Box<Record> },
    #[error("{table}: record {id} was never made, or was taken back: {record:?}")]
    Unexpected { table: TableName, id: RecordId, record: Box<Record> },
    #[error("{table}: record {id} stands there twice")]
    Twice { table: TableName, id: RecordId },
    #[error("{table}: record {number:?} is {found:?} instead of {expected:?}")]
    Differs { table: TableName, number: RecordNumber, expected: Box<Record>, found: Box<Record> },
    #[error("{table}: the records are not in the order in which they were made")]
    Order { table: TableName },
    #[error("{table}: the key {key:?} is held by two records")]
    HeldByTwo { table: TableName, key: String },
    #[error("{table}: a lookup of {key:?} finds {found:?} instead of {expected:?}")]
    Holder { table: TableName, key: String, expected: Option<RecordId>, found: Option<RecordId> },
    #[error("{table}: {what} are {found} instead of {expected}")]
    Count { table: TableName, what: &'static str, expected: usize, found: usize },
    #[error("{table}: by its id, record {id} is {found:?}")]
    ById { table: TableName, id: RecordId, found: Option<Box<Record>> },
    #[error("{table}: the follow-ups are {found:?} instead of {expected:?}")]
    FollowUps { table: TableName, expected: FollowUps, found: FollowUps },
    #[error("{table}: {found} activities are about record {id} instead of {expected}")]
    Activities { table: TableName, id: RecordId, expected: usize, found: usize },
    #[error("the archived objects are {found:?} instead of {expected:?}")]
    Archived { expected: ArchivedObjects, found: ArchivedObjects },
    #[error("the actions on many records are {found:?} instead of {expected:?}")]
    Actions { expected: Vec<Action>, found: Vec<Action> },
    #[error("the people are {found:?} instead of {expected:?}")]
    People { expected: Box<Staff>, found: Box<Staff> },
    #[error("{table}: record {id} is related to {found:?} instead of {expected:?}")]
    Related { table: TableName, id: RecordId, expected: Vec<RecordId>, found: Vec<RecordId> },
    #[error("{table}: an activity is about record {number:?}, which is gone for good")]
    Orphan { table: TableName, number: RecordNumber },
}

/// Objects that have their name still, and how many have it no more.
pub(crate) type ArchivedObjects = (BTreeSet<TableName>, usize);

/// The fields by name.
pub(crate) type Fields = BTreeMap<&'static str, Field>;

/// The last number that was given out, and what is not confirmed; none where nobody ever heard of
/// the record's id.
pub(crate) type FollowUps = (u64, BTreeMap<u64, Option<RecordId>>);

/// Compares what is seen with what ought to be, and learns the ids of records whose creation was
/// never answered.
pub(crate) fn judge(observed: &Observed, world: &World, ids: &mut Ids) -> Result<(), Violation> {
    let expected: Vec<TableName> = world.tables.keys().copied().collect();
    let found: Vec<TableName> = observed.tables.keys().copied().collect();
    if expected != found {
        return Err(Violation::Tables { expected, found });
    }
    if (&world.leaving, world.left) != (&observed.leaving, observed.left) {
        let expected = (world.leaving.clone(), world.left);
        return Err(Violation::Archived {
            expected,
            found: (observed.leaving.clone(), observed.left),
        });
    }
    if world.actions != observed.actions {
        let (expected, found) = (world.actions.clone(), observed.actions.clone());
        return Err(Violation::Actions { expected, found });
    }
    for (name, table) in &world.tables {
        let people = &world.people;
        let case = Case { name, table, people, observed: &observed.tables[name] };
        case.judge(ids)?;
    }
    judge_related(observed, world, ids)?;
    judge_people(&observed.people, &world.people)?;
    judge_activities(observed, world, ids)
}

fn judge_people(found: &Staff, people: &People) -> Result<(), Violation> {
    let member = |(email, person): (&String, &Person)| {
        (email.clone(), (person.clone(), people.level(person)))
    };
    let members = people.members.iter().map(member).collect();
    let expected = Staff { members, roles: people.roles.clone(), groups: people.groups.clone() };
    if expected == *found {
        Ok(())
    } else {
        Err(Violation::People { expected: Box::new(expected), found: Box::new(found.clone()) })
    }
}

/// Each record reads what it is related to, from either side.
fn judge_related(observed: &Observed, world: &World, ids: &Ids) -> Result<(), Violation> {
    for (table, number) in
        world.tables.iter().flat_map(|(name, it)| it.records.keys().map(|at| (*name, *at)))
    {
        let id = ids[&(table, number)];
        let other = if table == PIPELINE { ACCOUNTS } else { PIPELINE };
        let related = world.related(table, number).into_iter();
        let expected: Vec<RecordId> = related.map(|number| ids[&(other, number)]).collect();
        let found = observed.tables[table].related.get(&id).cloned().unwrap_or_default();
        if expected != found {
            return Err(Violation::Related { table, id, expected, found });
        }
    }
    Ok(())
}

fn judge_activities(observed: &Observed, world: &World, ids: &Ids) -> Result<(), Violation> {
    for about in world.activities.iter().flatten() {
        let (name, number) = *about;
        let table = &world.tables[name];
        let is_on_its_way = table.follow_ups_open.values().any(|open| *open == number);
        if !table.records.contains_key(&number) && !is_on_its_way {
            return Err(Violation::Orphan { table: name, number });
        }
    }
    let is_there = |(table, _): &&(TableName, RecordNumber)| world.tables.contains_key(table);
    for (about, id) in ids.iter().filter(|(about, _)| is_there(about)) {
        let (table, number) = about;
        let expected = world.activities_about(table, *number);
        let found = observed.activities.get(id).copied().unwrap_or(0);
        if expected != found {
            return Err(Violation::Activities { table, id: *id, expected, found });
        }
    }
    Ok(())
}

/// One table: as it ought to be, and as it is seen.
struct Case<'a> {
    name: TableName,
    table: &'a Table,
    people: &'a People,
    observed: &'a ObservedTable,
}

impl Case<'_> {
    fn judge(&self, ids: &mut Ids) -> Result<(), Violation> {
        let (name, table, observed) = (self.name, self.table, self.observed);
        if table.fields != observed.fields {
            let (expected, found) = (table.fields.clone(), observed.fields.clone());
            return Err(Violation::Fields { table: name, expected, found });
        }
        self.judge_records(ids)?;
        if table.sequence != observed.sequence {
            let (expected, found) = (table.sequence, observed.sequence);
            return Err(Violation::Sequence { table: name, expected, found });
        }
        self.judge_by_id()?;
        self.judge_keys(ids)?;
        self.judge_codes(ids)?;
        self.judge_counts()?;
        self.judge_follow_ups(ids)
    }

    /// What is on its way, in its order. A record that was purged before anybody heard of its id is
    /// known by its follow-up alone.
    fn judge_follow_ups(&self, ids: &mut Ids) -> Result<(), Violation> {
        let (name, table, observed) = (self.name, self.table, self.observed);
        for (follow_up, number) in &table.follow_ups_open {
            let Some(id) = observed.follow_ups_open.get(follow_up) else { continue };
            if !ids.values().any(|known| known == id) {
                ids.entry((name, *number)).or_insert(*id);
            }
        }
        let id_of = |(follow_up, number): (&u64, &RecordNumber)| {
            (*follow_up, ids.get(&(name, *number)).copied())
        };
        let seen_of = |(follow_up, id): (&u64, &RecordId)| (*follow_up, Some(*id));
        let expected = (
            table.follow_up_last,
            table.follow_ups_open.iter().map(id_of).collect::<BTreeMap<_, _>>(),
        );
        let open = observed.follow_ups_open.iter().map(seen_of).collect();
        let found = (observed.follow_up_last, open);
        if expected == found {
            Ok(())
        } else {
            Err(Violation::FollowUps { table: name, expected, found })
        }
    }

    /// Each record once, with its values, in the order of creation.
    fn judge_records(&self, ids: &mut Ids) -> Result<(), Violation> {
        let (table, mut seen) = (self.name, BTreeMap::new());
        for (id, record) in &self.observed.records {
            if seen.insert(*id, record).is_some() {
                return Err(Violation::Twice { table, id: *id });
            }
        }
        let known: BTreeSet<RecordId> = self
            .table
            .records
            .keys()
            .filter_map(|number| ids.get(&(table, *number)).copied())
            .collect();
        let mut unknown = self.observed.records.iter().filter(|(id, _)| !known.contains(id));
        for (number, expected) in &self.table.records {
            let lost =
                || Violation::Lost { table, number: *number, record: Box::new(expected.clone()) };
            let id = match ids.get(&(table, *number)) {
                Some(id) => *id,
                None => unknown.next().ok_or_else(lost)?.0,
            };
            let found = *seen.get(&id).ok_or_else(lost)?;
            // Related records are read elsewhere.
            let owner = self.people.reads(expected.owner.as_ref());
            let expected = &Record { partner: None, owner, ..expected.clone() };
            if expected != found {
                let (expected, found) = (Box::new(expected.clone()), Box::new(found.clone()));
                return Err(Violation::Differs { table, number: *number, expected, found });
            }
            ids.insert((table, *number), id);
        }
        if let Some((id, record)) = unknown.next() {
            return Err(Violation::Unexpected { table, id: *id, record: Box::new(record.clone()) });
        }
        let due = self.table.records.keys().map(|number| ids[&(table, *number)]);
        if due.eq(self.observed.records.iter().map(|(id, _)| *id)) {
            Ok(())
        } else {
            Err(Violation::Order { table })
        }
    }

    fn judge_by_id(&self) -> Result<(), Violation> {
        for (id, record) in &self.observed.records {
            let found = self.observed.by_id.get(id);
            if found != Some(record) {
                let found = found.cloned().map(Box::new);
                return Err(Violation::ById { table: self.name, id: *id, found });
            }
        }
        Ok(())
    }

    /// Each key is held by the very record that has it, and no other key by anybody.
    fn judge_keys(&self, ids: &Ids) -> Result<(), Violation> {
        let mut due = BTreeMap::new();
        for (number, record) in &self.table.records {
            let key = key_of(&record.name);
            if due.insert(key.clone(), ids[&(self.name, *number)]).is_some() {
                return Err(Violation::HeldByTwo { table: self.name, key });
            }
        }
        self.compare_holders(&due, &self.observed.holders)
    }

    fn judge_codes(&self, ids: &Ids) -> Result<(), Violation> {
        let mut due = BTreeMap::new();
        for (number, record) in self.table.records.iter().filter(|(_, record)| !record.is_archived)
        {
            let field = self.table.code_field();
            let code = field.zip(record.code.as_ref()).map(|(field, code)| field.normal(code));
            let Some(code) = code else { continue };
            if due.insert(code.clone(), ids[&(self.name, *number)]).is_some() {
                return Err(Violation::HeldByTwo { table: self.name, key: code });
            }
        }
        self.compare_holders(&due, &self.observed.code_holders)
    }

    fn compare_holders(
        &self,
        due: &BTreeMap<String, RecordId>,
        seen: &BTreeMap<String, RecordId>,
    ) -> Result<(), Violation> {
        for key in due.keys().chain(seen.keys()) {
            let (expected, found) = (due.get(key).copied(), seen.get(key).copied());
            if expected != found {
                return Err(Violation::Holder {
                    table: self.name,
                    key: key.clone(),
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    /// Nothing is in an index that no record accounts for.
    fn judge_counts(&self) -> Result<(), Violation> {
        let records = &self.table.records;
        let live = records.values().filter(|record| !record.is_archived);
        let has_code = |record: &&Record| record.code.is_some();
        let is_unique = self.table.code_field().is_some();
        let codes = if is_unique { live.clone().filter(has_code).count() } else { 0 };
        for (what, expected, found) in [
            ("live records", live.count(), self.observed.live_count),
            ("ids", records.len(), self.observed.by_id_count),
            ("keys", records.len(), self.observed.holder_count),
            ("codes", codes, self.observed.code_holder_count),
        ] {
            if expected != found {
                return Err(Violation::Count { table: self.name, what, expected, found });
            }
        }
        Ok(())
    }
}
