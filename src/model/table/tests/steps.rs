//! Random commands on tables with few names, few values and several unique fields, so that they
//! collide all the time.

use crate::model::id::{FieldNumber, OptionId, OptionNumber, RecordId, TagNumber, Timestamp};
use crate::model::moment::Moment;
use crate::model::schema::changed_field::ChangedField;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::{default_fields, system};
use crate::model::table::command::{
    Add, Ask, EntryIndex, EntryKey, Extent, FaultKind, Identifier, Place, RecordFault, TeamEdit,
    Unarchive, Update, Write, Writes,
};
use crate::model::table::event::FollowUpNumber;
use crate::model::table::intent::Intent;
use crate::model::table::record::Record;
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::test_support::{BIRTH, Rig, field, member, nobody, object, text};
use crate::model::table::tests::options::{
    Modes, Options, any_modes, any_options, restore_conflict,
};
use crate::model::table::tests::pipeline_steps::{self, PipelineStep, any_pipeline_step, pipeline};
use crate::model::table::tests::together_steps::{self, TogetherStep, any_together_step};
use crate::model::value::fault::ValueFault;
use crate::model::value::text::is_email;
use crate::model::value::{Change, ListChange, TagRef, Value};
use proptest::prelude::*;

/// Which object the records are of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Insensitive,
    Sensitive,
    Contacts,
    Pipeline,
}

pub(super) const CODE: FieldNumber = FieldNumber(64);
pub(super) const SERIAL: FieldNumber = FieldNumber(65);
pub(super) const REGION: FieldNumber = FieldNumber(66);
pub(super) const DONE: FieldNumber = FieldNumber(67);
pub(super) const LABELS: FieldNumber = FieldNumber(68);
pub(super) const CREW: FieldNumber = FieldNumber(69);
pub(super) const STATUS: FieldNumber = FieldNumber(70);
pub(super) const LOCKED: FieldNumber = FieldNumber(71);
pub(super) const PLACE: FieldNumber = FieldNumber(72);
/// Fields that a step makes come behind.
pub(super) const LATE: FieldNumber = FieldNumber(73);
const LATE_MAX: usize = 4;

const NAMES: [&str; 8] = ["Ann", "ann", "ANN", "Bob", "bob", "Straße", "STRASSE", "Cid"];
const ADDRESSES: [&str; 8] =
    ["ann@x.io", "Ann@X.io", "ANN@x.io", "bob@x.io", "Bob@x.io", "cid@x.io", "ann", "dee@x.io"];
const CODES: [&str; 4] = ["c1", "C1", "c2", "c3"];
const LABEL_NAMES: [&str; 4] = ["hot", "HOT", "cold", "Warm"];

/// A name out of the list, or one that a displaced record has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    Listed(u8),
    Displaced(u8),
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Clear,
    Value(u8),
    Name(Name),
    Replace(Vec<u8>),
    Edit { add: Vec<u8>, remove: Vec<u8> },
    Fault,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Upsert {
        name: Name,
        writes: Vec<(u8, What)>,
        modes: Modes,
        options: Options,
        is_stale: bool,
    },
    Add {
        name: Name,
        writes: Vec<(u8, What)>,
        modes: Modes,
    },
    Update {
        who: u8,
        writes: Vec<(u8, What)>,
        modes: Modes,
        extent: Extent,
        is_stale: bool,
    },
    Archive(u8),
    Unarchive {
        who: u8,
        name: Option<Name>,
        clear: bool,
    },
    Purge(u8),
    Team {
        who: u8,
        member: u8,
        present: bool,
    },
    NewField(bool),
    NewOption(u8),
    /// An option goes; values of it go too, or mean another.
    DropOption {
        which: u8,
        by: Option<u8>,
    },
    /// A field goes, mostly one that may.
    DropField(u8),
    /// A field becomes unique or required, or ceases to be.
    Switch {
        which: u8,
        is_unique: Option<bool>,
        is_required: Option<bool>,
    },
    Pipeline(PipelineStep),
    Together(TogetherStep),
    /// Names match otherwise from then on.
    Case(bool),
    Confirm(u8),
    Wait(u8),
    /// Member 4 leaves the business, or comes back.
    Member(bool),
}

fn any_name() -> impl Strategy<Value = Name> {
    prop_oneof![6 => (0..8_u8).prop_map(Name::Listed), 1 => any::<u8>().prop_map(Name::Displaced)]
}

fn any_writes() -> impl Strategy<Value = Vec<(u8, What)>> {
    any_writes_below(5)
}

pub(super) fn any_few_writes() -> impl Strategy<Value = Vec<(u8, What)>> {
    any_writes_below(3)
}

fn any_writes_below(max: usize) -> impl Strategy<Value = Vec<(u8, What)>> {
    let few = || prop::collection::vec(0..4_u8, 0..3);
    let what = prop_oneof![
        2 => Just(What::Clear),
        8 => any::<u8>().prop_map(What::Value),
        3 => any_name().prop_map(What::Name),
        2 => few().prop_map(What::Replace),
        3 => (few(), few()).prop_map(|(add, remove)| What::Edit { add, remove }),
        1 => Just(What::Fault),
    ];
    prop::collection::vec((any::<u8>(), what), 0..max)
}

fn any_extent() -> impl Strategy<Value = Extent> {
    prop_oneof![3 => Just(Extent::Mentioned), 1 => Just(Extent::All), 1 => Just(Extent::Blank)]
}

fn any_step() -> impl Strategy<Value = Step> {
    let rarely = || prop::bool::weighted(0.03);
    prop_oneof![
        12 => (any_name(), any_writes(), any_modes(), any_options(), rarely()).prop_map(
            |(name, writes, modes, options, is_stale)|
                Step::Upsert { name, writes, modes, options, is_stale }
        ),
        5 => (any_name(), any_writes(), any_modes())
            .prop_map(|(name, writes, modes)| Step::Add { name, writes, modes }),
        8 => (any::<u8>(), any_writes(), any_modes(), any_extent(), rarely()).prop_map(
            |(who, writes, modes, extent, is_stale)|
                Step::Update { who, writes, modes, extent, is_stale }
        ),
        6 => any::<u8>().prop_map(Step::Archive),
        5 => (any::<u8>(), prop::option::weighted(0.3, any_name()), any::<bool>())
            .prop_map(|(who, name, clear)| Step::Unarchive { who, name, clear }),
        2 => any::<u8>().prop_map(Step::Purge),
        2 => (any::<u8>(), 1..4_u8, any::<bool>())
            .prop_map(|(who, member, present)| Step::Team { who, member, present }),
        1 => any::<bool>().prop_map(Step::NewField),
        1 => (0..3_u8).prop_map(Step::NewOption),
        2 => (any::<u8>(), prop::option::of(any::<u8>()))
            .prop_map(|(which, by)| Step::DropOption { which, by }),
        1 => (0..6_u8).prop_map(Step::DropField),
        2 => (0..3_u8, any::<Option<bool>>(), any::<Option<bool>>()).prop_map(
            |(which, is_unique, is_required)| Step::Switch { which, is_unique, is_required }
        ),
        4 => any_pipeline_step().prop_map(Step::Pipeline),
        2 => any_together_step().prop_map(Step::Together),
        2 => any::<bool>().prop_map(Step::Case),
        1 => (0..4_u8).prop_map(Step::Confirm),
        3 => (0..3_u8).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Member),
    ]
}

pub(super) fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Insensitive),
        1 => Just(Kind::Sensitive),
        2 => Just(Kind::Contacts),
        2 => Just(Kind::Pipeline)
    ]
}

pub(super) fn any_steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any_step(), 1..max)
}

/// A table with the fields above.
pub(super) fn start(kind: Kind) -> Rig {
    let mut moment = Moment::new(7, BIRTH);
    let schema = match kind {
        Kind::Insensitive => object("insensitive", &mut moment),
        Kind::Sensitive => object("sensitive", &mut moment),
        Kind::Contacts => default_fields::contacts(BIRTH, &mut || moment.id()),
        Kind::Pipeline => pipeline(&mut || moment.id()),
    };
    let mut rig = Rig::born(schema, moment);
    let yes = Some(true);
    let unique = |name, field_type| NewField { is_unique: yes, ..field(name, field_type) };
    let option = |name: &str| NewOption { name: Some(name.into()), ..NewOption::default() };
    let fields = [
        unique("code", "text"),
        unique("serial", "integer"),
        NewField { is_required: yes, ..field("region", "text") },
        field("done", "checkbox"),
        field("labels", "dynamictags"),
        NewField { allow_multiple: yes, ..field("crew", "team_selector") },
        NewField {
            options: Some(vec![option("one"), option("two")]),
            ..field("status_of_it", "dropdown")
        },
        NewField { is_read_only: yes, ..field("locked", "text") },
        field("place", "text"),
    ];
    for (number, new) in (CODE.0..).zip(fields) {
        assert_eq!(rig.add_field(new).0, number);
    }
    rig.run(together_steps::constrained(&[&["region", "place"]])).unwrap();
    rig
}

/// What a step asks, as of what the rig has applied. None: it only moves the clock or a member.
pub(super) fn ask(step: &Step, rig: &Rig, known: &[RecordId]) -> Option<Ask> {
    let edge = Edge { rig };
    // Mostly one that the step is for; now and then any, or nobody.
    let one = |who: u8, is_wanted: &dyn Fn(&Record) -> bool| {
        let at = usize::from(who / 8);
        let fit = |id: &&RecordId| rig.seen(**id).is_some_and(|record| is_wanted(&record));
        let fitting: Vec<&RecordId> = known.iter().filter(fit).collect();
        if who.is_multiple_of(8) || fitting.is_empty() {
            return known.get(at % (known.len() + 1)).copied().unwrap_or_else(nobody);
        }
        *fitting[at % fitting.len()]
    };
    let live = |who: u8| one(who, &|record| !record.is_archived());
    let archived = |who: u8| one(who, &Record::is_archived);
    Some(match step {
        Step::Upsert { name, writes, modes, options, is_stale } => {
            let writes =
                if *is_stale { edge.writes(writes, true) } else { edge.new_writes(writes, *modes) };
            let mut intent = Intent::of_identifier(edge.identifier(*name), writes);
            intent.archived_match = modes.archived_match();
            intent.archived_conflict = modes.archived_conflict();
            intent.restore_conflict = restore_conflict(modes.clear);
            options.give(&mut intent, &edge);
            Ask::Upsert(Box::new(intent))
        }
        Step::Add { name, writes, modes } => Ask::Add(Box::new(Add {
            writes: {
                // Mostly with a name, so that something is added.
                let mut writes = writes.clone();
                if !modes.lacks_region {
                    writes.push((0, What::Name(*name)));
                }
                edge.new_writes(&writes, *modes)
            },
            archived_match: modes.archived_match(),
            restore_conflict: restore_conflict(modes.clear),
        })),
        Step::Update { who: at, writes, modes, extent, is_stale } => {
            Ask::Update(Box::new(Update {
                id: live(*at),
                writes: edge.writes(writes, *is_stale),
                archived_conflict: modes.archived_conflict(),
                extent: *extent,
            }))
        }
        Step::Archive(at) => Ask::Archive(live(*at)),
        Step::Unarchive { who: at, name, clear } => Ask::Unarchive(Unarchive {
            id: archived(*at),
            identifier: name.map(|name| edge.identifier(name)),
            restore_conflict: restore_conflict(*clear),
        }),
        Step::Purge(at) => Ask::Purge(archived(*at)),
        Step::Team { who: at, member: number, present } => {
            Ask::Team(TeamEdit { id: live(*at), member: member(*number), present: *present })
        }
        Step::NewField(is_unique) => edge.new_field(*is_unique)?,
        Step::NewOption(number) => edge.new_option(*number),
        Step::DropOption { which, by } => edge.drop_option(*which, *by)?,
        Step::DropField(which) => edge.drop_field(*which),
        Step::Switch { which, is_unique, is_required } => {
            edge.switch(*which, *is_unique, *is_required)
        }
        Step::Case(is_sensitive) => pipeline_steps::case(*is_sensitive),
        Step::Pipeline(step) => pipeline_steps::ask(*step, rig, live)?,
        Step::Together(step) => together_steps::ask(step, &rig.schema()),
        Step::Confirm(number) => Ask::ConfirmFollowUp(FollowUpNumber(u64::from(*number))),
        Step::Wait(_) | Step::Member(_) => return None,
    })
}

/// Moves clock and members as a step says.
pub(super) fn stir(step: &Step, rig: &mut Rig) {
    match step {
        Step::Wait(ms) => rig.moment.set(Timestamp(rig.moment.at().0 + i64::from(*ms))),
        Step::Member(is_there) => {
            let all = crate::model::table::test_support::members();
            let mut some = crate::model::catalog::member::Members::default();
            let stays = |id| *is_there || id != member(4);
            all.iter().filter(|held| stays(held.id)).for_each(|held| some.add(held.clone()));
            rig.caller.members = std::sync::Arc::new(some);
        }
        Step::Upsert { .. }
        | Step::Add { .. }
        | Step::Update { .. }
        | Step::Archive(_)
        | Step::Unarchive { .. }
        | Step::Purge(_)
        | Step::Team { .. }
        | Step::NewField(_)
        | Step::NewOption(_)
        | Step::DropOption { .. }
        | Step::DropField(_)
        | Step::Switch { .. }
        | Step::Pipeline(_)
        | Step::Together(_)
        | Step::Case(_)
        | Step::Confirm(_) => {}
    }
}

/// Reads steps as the edge reads a request: with the schema and tags that are durable.
pub(super) struct Edge<'a> {
    rig: &'a Rig,
}

impl Edge<'_> {
    fn name(&self, name: Name) -> String {
        let listed = if self.rig.schema().is_contacts() { ADDRESSES } else { NAMES };
        let at = match name {
            Name::Listed(at) => return listed[usize::from(at)].to_owned(),
            Name::Displaced(at) => usize::from(at),
        };
        let identifier = self.rig.schema().identifier().number;
        let records = crate::model::table::test_support::all_records(&self.rig.table);
        let displaced: Vec<String> = records
            .iter()
            .filter(|record| record.value(system::DISPLACED_FROM).is_some())
            .filter_map(|record| record.value(identifier))
            .filter_map(|raw| rmp::decode::read_str_from_slice(raw).ok())
            .map(|(text, _)| text.to_owned())
            .collect();
        let picked = displaced.get(at % displaced.len().max(1)).cloned();
        picked.unwrap_or_else(|| listed[at % listed.len()].to_owned())
    }

    fn identifier(&self, name: Name) -> Identifier {
        let text = self.name(name);
        let key = self.rig.schema().identifier_key(&text).unwrap();
        let fault = (self.rig.schema().is_contacts() && !is_email(&text))
            .then_some(ValueFault::Invalid { what: "Enter a valid email address." });
        Identifier { text: text.into(), key, fault }
    }

    fn new_writes(&self, given: &[(u8, What)], modes: Modes) -> Writes {
        let mut writes = self.writes(given, false);
        let is_at_fault = |fault: &RecordFault| matches!(fault.place, Place::Entry { field, .. } if field == REGION);
        let is_named = writes.entries.iter().any(|write| write.field == REGION)
            || writes.faults.iter().any(is_at_fault);
        if !is_named && !modes.lacks_region {
            let change = text("north");
            writes.entries.push(Write { index: EntryIndex::of_fields(90), field: REGION, change });
        }
        writes
    }

    pub(super) fn writes(&self, given: &[(u8, What)], is_stale: bool) -> Writes {
        let schema = self.rig.schema();
        let number = schema.number();
        let stale = crate::model::id::SchemaNumber(number.0 - 1);
        let mut writes =
            Writes { schema: if is_stale { stale } else { number }, ..Writes::default() };
        let mut seen = Vec::new();
        for (slot, what) in given {
            let field = self.field(*slot, what);
            if seen.contains(&field) {
                continue; // The edge refuses a field that is named twice.
            }
            seen.push(field);
            let index = EntryIndex::of_fields(u32::try_from(seen.len() - 1).unwrap());
            if field == LOCKED {
                writes.forbidden.push((index, field));
                continue;
            }
            match self.change(field, what) {
                Ok(change) => writes.entries.push(Write { index, field, change }),
                Err(fault) => writes.faults.push(RecordFault {
                    place: Place::Entry { index, field, key: EntryKey::Value },
                    kind: FaultKind::Value(fault),
                }),
            }
        }
        writes
    }

    /// The field that a slot means, among those that fit what is to be done.
    fn field(&self, slot: u8, what: &What) -> FieldNumber {
        let schema = self.rig.schema();
        let identifier = schema.identifier().number;
        let mut plain = vec![CODE, SERIAL, CODE, SERIAL, CODE, REGION, DONE, STATUS, PLACE, PLACE];
        plain.extend(schema.owner().map(|owner| owner.number));
        let late = schema.fields().iter().map(|field| field.number).filter(|at| *at >= LATE);
        plain.extend(late);
        plain.extend(pipeline_steps::writable(&schema));
        let fit = match what {
            What::Name(_) => vec![identifier],
            What::Replace(_) | What::Edit { .. } => vec![LABELS, CREW],
            What::Value(_) => plain,
            What::Clear | What::Fault => {
                plain.extend([identifier, LABELS, CREW, LOCKED]);
                plain
            }
        };
        fit[usize::from(slot) % fit.len()]
    }

    fn change(&self, field: FieldNumber, what: &What) -> Result<Change, ValueFault> {
        Ok(match what {
            What::Fault => return Err(ValueFault::Invalid { what: "Not a valid string." }),
            What::Clear if self.is_checkbox(field) => Change::Set(Value::Boolean(false)),
            What::Clear => Change::Clear,
            What::Name(name) => {
                let name = self.name(*name);
                if self.rig.schema().is_contacts() && !is_email(&name) {
                    return Err(ValueFault::Invalid { what: "Enter a valid email address." });
                }
                text(&name)
            }
            What::Value(value) => {
                let change = self.value(field, *value);
                let Change::Set(Value::Member(owner)) = change else { return Ok(change) };
                let members = &self.rig.caller.members;
                let known = members.get(&owner).ok_or(ValueFault::DoesNotExist { what: "Member" });
                known.map(|_| change)?
            }
            What::Replace(list) if field == CREW => {
                let crew = distinct(list.iter().map(|at| member(1 + at % 4)));
                if crew.is_empty() { Change::Clear } else { Change::Set(Value::Members(crew)) }
            }
            What::Replace(list) if list.is_empty() => Change::Clear,
            What::Replace(list) => Change::Tags(ListChange::Replace(self.tags(list))),
            What::Edit { add, remove } if field == CREW => Change::Members(ListChange::Edit {
                add: distinct(add.iter().map(|at| member(1 + at % 4))),
                remove: distinct(remove.iter().map(|at| member(1 + at % 4))),
            }),
            What::Edit { add, remove } => {
                Change::Tags(ListChange::Edit { add: self.tags(add), remove: self.tags(remove) })
            }
        })
    }

    fn value(&self, field: FieldNumber, value: u8) -> Change {
        let few = usize::from(value);
        Change::Set(match field {
            SERIAL => Value::Integer(i32::from(value % 3)),
            DONE => Value::Boolean(value.is_multiple_of(2)),
            STATUS | system::STAGE => Value::Choice(self.option(field, few)),
            system::ENTITY_VALUE => Value::Decimal((value % 3).into()),
            system::OWNER => Value::Member(member(1 + value % 4)),
            REGION => Value::Text(["north", "south"][few % 2].into()),
            late if late >= LATE && self.is_checkbox(late) => {
                Value::Boolean(value.is_multiple_of(2))
            }
            _ => Value::Text(CODES[few % 4].into()),
        })
    }

    fn option(&self, field: FieldNumber, at: usize) -> OptionNumber {
        let schema = self.rig.schema();
        let options: Vec<OptionNumber> =
            schema.by_number(field).unwrap().options.iter().map(|choice| choice.number).collect();
        options[at % options.len()]
    }

    fn new_option(&self, which: u8) -> Ask {
        let name = Some(format!("option {}", self.rig.schema().next_option()));
        let field = [STATUS, CODE, FieldNumber(999)][usize::from(which)];
        Ask::CreateOption { field, option: NewOption { name, ..NewOption::default() } }
    }

    /// One that may not go, one that is not there, late ones.
    fn drop_field(&self, which: u8) -> Ask {
        let field = match which {
            0 => self.rig.schema().identifier().number,
            1 => FieldNumber(999),
            late => FieldNumber(LATE.0 + u32::from(late) - 2),
        };
        Ask::ChangeSchema(SchemaAsk::DeleteField(field))
    }

    fn switch(&self, which: u8, is_unique: Option<bool>, is_required: Option<bool>) -> Ask {
        let schema = self.rig.schema();
        let field = [CODE, SERIAL, REGION][usize::from(which)];
        let field = schema.by_number(field).expect("no step drops it").number;
        let keys = NewField { is_required, is_unique, ..NewField::default() };
        let change = Box::new(ChangedField { keys, options: None });
        Ask::ChangeSchema(SchemaAsk::ChangeField { field, change })
    }

    /// One that is there goes; the last one stays.
    fn drop_option(&self, which: u8, by: Option<u8>) -> Option<Ask> {
        let schema = self.rig.schema();
        let options: Vec<OptionId> =
            schema.by_number(STATUS).unwrap().options.iter().map(|choice| choice.id).collect();
        if options.len() < 2 {
            return None;
        }
        let id = |at: u8| options[usize::from(at) % options.len()];
        let (field, option) = (STATUS, id(which));
        Some(Ask::ChangeSchema(match by {
            None => SchemaAsk::RemoveOption { field, option },
            Some(by) => SchemaAsk::ReplaceOption { field, option, by: Some(id(by).to_string()) },
        }))
    }

    fn is_checkbox(&self, field: FieldNumber) -> bool {
        self.rig.schema().by_number(field).unwrap().field_type.is_checkbox()
    }

    /// Tags by name, and one that there is by its number.
    fn tags(&self, list: &[u8]) -> Vec<TagRef> {
        let refer = |at: &u8| {
            let known = self.rig.table.shown.tags.len();
            if *at == 3 && known > 0 {
                return TagRef::Known(TagNumber(1));
            }
            TagRef::Named(LABEL_NAMES[usize::from(*at)].into())
        };
        list.iter().map(refer).collect()
    }

    fn new_field(&self, is_unique: bool) -> Option<Ask> {
        let schema = self.rig.schema();
        let late = schema.fields().iter().filter(|field| field.number >= LATE).count();
        if late >= LATE_MAX {
            return None;
        }
        let name = format!("late_{}", schema.next_field());
        let new = if is_unique {
            NewField { is_unique: Some(true), ..field(&name, "text") }
        } else {
            field(&name, "checkbox")
        };
        Some(Ask::CreateField(Box::new(new)))
    }
}

fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}
