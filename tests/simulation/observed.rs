//! What readers see of a running machine, copied out whole. It knows the engine's read side and
//! judges nothing.

use crate::simulation::ask::{CODE, KIND, LABELS, MIRROR, NOTE, OPTIONS, PARTNER, STAGE};
use crate::simulation::judge::Fields;
use crate::simulation::world::people::{FOUNDER, Person};
use crate::simulation::world::{Action, Field, Record, TableName, key_of};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use upsertd::model::agenda;
use upsertd::model::agenda::bulk::BulkAction;
use upsertd::model::catalog::CatalogView;
use upsertd::model::catalog::member::Member;
use upsertd::model::id::{FieldNumber, MemberId, PermissionGroupId, RecordId, RoleId};
use upsertd::model::key::Key;
use upsertd::model::schema::option::Choice;
use upsertd::model::schema::{Schema, system};
use upsertd::model::table::Shown;
use upsertd::model::table::link::{Link, Tables};
use upsertd::model::table::order::Wanted;
use upsertd::model::table::record::Record as StoredRecord;
use upsertd::model::value::Value;

/// Every role and every group that is ever made.
const STAFF_NAMES: [&str; 4] = ["sellers", "buyers", "readers", "writers"];
/// More records than any run makes.
const RECORDS_MAX: usize = 10_000;

/// Everything that readers see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    pub(crate) tables: BTreeMap<TableName, ObservedTable>,
    pub(crate) people: Staff,
    /// Objects that are archived and have their name still, and those that have it no more.
    pub(crate) leaving: BTreeSet<TableName>,
    pub(crate) left: usize,
    pub(crate) actions: Vec<Action>,
    /// Activities about each record of which there ever was an answer.
    pub(crate) activities: BTreeMap<RecordId, usize>,
}

/// Everybody but the founder, with the level that rights give, and what they may have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Staff {
    pub(crate) members: BTreeMap<String, (Person, u8)>,
    pub(crate) roles: BTreeMap<&'static str, BTreeSet<&'static str>>,
    pub(crate) groups: BTreeMap<&'static str, u8>,
}

impl Staff {
    pub(crate) fn of(view: &CatalogView) -> Self {
        let group = |id: &PermissionGroupId| Some(known(&view.group(*id)?.name));
        let role = |id: &RoleId| Some(known(&view.role(*id)?.name));
        let groups = view.groups.iter();
        let member = |member: &Arc<Member>| {
            let roles = member.roles.iter().filter_map(role).collect();
            let rights = view.rights_of(member.id).expect("a member has rights");
            let level = rights.sections().settings as u8;
            let person = Person { is_active: member.is_active, roles };
            (member.email.clone(), (person, level))
        };
        let custom = view.roles.iter().filter(|role| !role.is_admin);
        Self {
            members: view.members.iter().skip(1).map(member).collect(),
            roles: custom
                .map(|it| {
                    (known(&it.name), it.permission_groups.iter().filter_map(group).collect())
                })
                .collect(),
            groups: groups.map(|it| (known(&it.name), it.sections.settings as u8)).collect(),
        }
    }
}

fn known(name: &str) -> &'static str {
    let found = STAFF_NAMES.into_iter().find(|known| *known == name);
    found.unwrap_or_else(|| panic!("nobody made {name}"))
}

/// What became of every action, in the order in which they were begun.
pub(crate) fn actions(agenda: &agenda::Shown) -> Vec<Action> {
    let mut all = agenda.bulk_actions();
    all.sort_by_key(|action| action.id);
    let action = |held: &Arc<BulkAction>| Action {
        records: held.records,
        succeeded: held.succeeded,
        failed: held.failed(),
        is_finished: held.finished.is_some(),
    };
    all.iter().map(action).collect()
}

/// How records name a member as their owner.
pub(crate) fn owner_name(view: &CatalogView, id: MemberId) -> Option<String> {
    let founder = view.members.iter().next().map(|member| member.id);
    if founder == Some(id) {
        return Some(FOUNDER.to_owned());
    }
    view.members.get(&id).map(|member| member.email.clone())
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(crate) struct ObservedTable {
    pub(crate) sequence: u64,
    pub(crate) fields: Fields,
    /// In creation order.
    pub(crate) records: Vec<(RecordId, Record)>,
    /// What a lookup finds for the keys of the records and of every name that is ever used.
    pub(crate) holders: BTreeMap<String, RecordId>,
    pub(crate) holder_count: usize,
    /// The same for the unique codes.
    pub(crate) code_holders: BTreeMap<String, RecordId>,
    pub(crate) code_holder_count: usize,
    /// What is found by the ids of the records.
    pub(crate) by_id: BTreeMap<RecordId, Record>,
    pub(crate) by_id_count: usize,
    pub(crate) live_count: usize,
    /// What live records read in their relationship field, where that is anything.
    pub(crate) related: BTreeMap<RecordId, Vec<RecordId>>,
    pub(crate) follow_up_last: u64,
    pub(crate) follow_ups_open: BTreeMap<u64, RecordId>,
}

impl ObservedTable {
    /// Looks at a table; `names` and `codes` are looked up whoever holds them.
    pub(crate) fn of(
        shown: &Shown,
        view: &CatalogView,
        (names, codes): (&[&str], &[&str]),
    ) -> Self {
        let schema = shown.schema();
        let records: Vec<StoredRecord> = shown.order.page(Wanted::All, 0, RECORDS_MAX);
        let mut observed = Self {
            sequence: shown.sequence().0,
            fields: fields(&schema),
            holder_count: shown.keys.len(),
            by_id_count: shown.ids.len(),
            live_count: shown.live_count(),
            follow_up_last: shown.follow_ups().last.0,
            follow_ups_open: open_follow_ups(shown),
            ..Self::default()
        };
        for stored in &records {
            let record = plain(shown, view, stored);
            if let Some(found) = shown.record(stored.id()) {
                observed.by_id.insert(found.id(), plain(shown, view, &found));
            }
            observed.look_up(shown, &record.name);
            observed.records.push((stored.id(), record));
        }
        for name in names {
            observed.look_up(shown, name);
        }
        if let Some(field) = schema.by_name(CODE).filter(|field| field.is_unique) {
            let kept = observed.fields[CODE].clone();
            let index = shown.unique(field.number).expect("a unique field has its index");
            observed.code_holder_count = index.len();
            for code in codes {
                let key = Value::Text((*code).into()).unique_key(field.normalizer);
                let key = key.expect("the simulation has no blank codes");
                if let Some(found) = index.get(&key) {
                    observed.code_holders.insert(kept.normal(code), found.id());
                }
            }
        }
        observed
    }

    fn look_up(&mut self, shown: &Shown, name: &str) {
        let key = key_of(name);
        if let Some(found) = shown.holder(&Key::of(key.as_bytes())) {
            self.holders.insert(key, found.id());
        }
    }
}

fn fields(schema: &Schema) -> Fields {
    let field = |name: &&'static str| {
        let held = schema.by_name(name)?;
        let field = Field {
            label: held.display_name.clone(),
            is_unique: held.is_unique,
            normalizer: held.normalizer.filter(|_| *name == CODE),
            options: held.options.in_order().into_iter().map(option).collect(),
        };
        Some((*name, field))
    };
    [NOTE, CODE, LABELS, KIND, STAGE, PARTNER, MIRROR].iter().filter_map(field).collect()
}

fn option(choice: &Choice) -> &'static str {
    let found = OPTIONS.into_iter().find(|known| *known == choice.name);
    found.unwrap_or_else(|| panic!("nobody made an option {}", choice.name))
}

fn open_follow_ups(shown: &Shown) -> BTreeMap<u64, RecordId> {
    shown.follow_ups().open.iter().map(|(number, record)| (number.0, *record)).collect()
}

/// What the live records of a table read in their relationship field.
pub(crate) fn related(shown: &Shown, tables: &Tables<'_>) -> BTreeMap<RecordId, Vec<RecordId>> {
    let schema = shown.schema();
    let field = [PARTNER, MIRROR].into_iter().find_map(|name| schema.by_name(name));
    let Some(link) = field.and_then(|field| Link::of(field, tables)) else {
        return BTreeMap::new();
    };
    let records: Vec<StoredRecord> = shown.order.page(Wanted::Live, 0, RECORDS_MAX);
    let read = |record: &StoredRecord| {
        let mut read = Vec::new();
        link.each(record, &mut |found| {
            read.push(found.id());
            true
        });
        (record.id(), read)
    };
    records.iter().map(read).filter(|(_, read)| !read.is_empty()).collect()
}

/// A record in plain words.
pub(crate) fn plain(shown: &Shown, view: &CatalogView, stored: &StoredRecord) -> Record {
    let schema = &shown.schema();
    let text = |number: FieldNumber| {
        let mut raw = stored.value(number)?;
        let field = schema.by_number(number).unwrap_or_else(|| schema.identifier());
        match Value::decode(field, &mut raw) {
            Ok(Value::Text(text)) => Some(String::from(text)),
            other => panic!("{number:?} holds {other:?}"),
        }
    };
    let named = |name: &str| text(schema.by_name(name)?.number);
    Record {
        name: text(schema.identifier().number).unwrap_or_default(),
        displaced_from: text(system::DISPLACED_FROM),
        note: named(NOTE),
        code: named(CODE),
        labels: labels(shown, schema, stored),
        choices: [KIND, STAGE]
            .into_iter()
            .filter_map(|name| Some((name, choice(schema, stored, name)?)))
            .collect(),
        owner: owner(schema, stored).and_then(|id| owner_name(view, id)),
        partner: None,
        is_archived: stored.is_archived(),
        version: stored.version().0,
        sequence: stored.sequence().0,
    }
}

fn owner(schema: &Schema, stored: &StoredRecord) -> Option<MemberId> {
    let field = schema.by_name("owner")?;
    let mut raw = stored.value(field.number)?;
    match Value::decode(field, &mut raw) {
        Ok(Value::Member(member)) => Some(member),
        other => panic!("the owner is {other:?}"),
    }
}

fn choice(schema: &Schema, stored: &StoredRecord, name: &str) -> Option<&'static str> {
    let field = schema.by_name(name)?;
    let mut raw = stored.value(field.number)?;
    let Ok(Value::Choice(number)) = Value::decode(field, &mut raw) else {
        panic!("{name} holds no option")
    };
    let left = field.options.left(&[number]);
    Some(option(field.options.get(*left.first()?).expect("what is left is there")))
}

fn labels(shown: &Shown, schema: &Schema, stored: &StoredRecord) -> Vec<String> {
    let Some(field) = schema.by_name(LABELS) else { return Vec::new() };
    let Some(mut raw) = stored.value(field.number) else { return Vec::new() };
    let Ok(Value::Tags(numbers)) = Value::decode(field, &mut raw) else {
        panic!("{LABELS} holds no tags")
    };
    let name = |number| shown.tags.by_number(number).expect("a record's tags are there");
    numbers.into_iter().map(|number| String::from(name(number).name.clone())).collect()
}
