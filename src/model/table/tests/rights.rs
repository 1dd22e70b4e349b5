//! Who may do what to which record: every combination of rights against the rules as they are told.

use crate::model::access::Rights;
use crate::model::catalog::permission::{
    FieldAccess, Level, ObjectRights, PermissionGroup, RecordRights, Sections,
};
use crate::model::id::{FieldNumber, MemberId, PermissionGroupId, RecordId, Version};
use crate::model::schema::new_field::NewField;
use crate::model::schema::system;
use crate::model::state::State as _;
use crate::model::table::command::{
    Action, Add, ArchivedConflict, ArchivedMatch, Ask, Command, Extent, Reply, RestoreConflict,
    TeamEdit, Unarchive, Update,
};
use crate::model::table::decide::{Conflict, Rejection};
use crate::model::table::event::Event;
use crate::model::table::intent::Intent;
use crate::model::table::precondition::Precondition;
use crate::model::table::test_support::{Rig, created, field, member, text};
use crate::model::table::tests::rights::Expected::{Done, NoRight, NoRightToIdentifier, NotFound};
use crate::model::value::{Change, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The member whose rights are tested.
const ME: u8 = 1;

/// Records of the member's team, and of others.
struct World {
    rig: Rig,
    note: FieldNumber,
    live: [RecordId; 2],
    archived: [RecordId; 2],
}

const NAMES: [&str; 2] = ["mine", "others"];
const ARCHIVED_NAMES: [&str; 2] = ["my archived", "others' archived"];

fn group(entry: ObjectRights) -> PermissionGroup {
    PermissionGroup {
        id: PermissionGroupId::from_bytes([7; 16]),
        name: "group".into(),
        is_admin: false,
        sections: Sections::default(),
        others: entry,
        objects: BTreeMap::new(),
    }
}

fn rights(records: RecordRights) -> ObjectRights {
    ObjectRights { records, ..ObjectRights::default() }
}

impl World {
    fn new() -> Self {
        let mut rig = Rig::accounts();
        let note = rig.add_field(field("note", "text"));
        let mut make = |name: &str, owner: MemberId| {
            let owner = Change::Set(Value::Member(owner));
            let writes = rig.writes([(system::NAME, text(name)), (system::OWNER, owner)]);
            let (archived_match, restore_conflict) =
                (ArchivedMatch::Prompt, RestoreConflict::Refuse);
            let add = Add { writes, archived_match, restore_conflict };
            created(rig.run(Ask::Add(Box::new(add))))
        };
        let owners = [member(ME), member(2)];
        let live = [0, 1].map(|at| make(NAMES[at], owners[at]));
        let archived = [0, 1].map(|at| make(ARCHIVED_NAMES[at], owners[at]));
        for id in archived {
            assert!(rig.run(Ask::Archive(id)).is_ok());
        }
        Self { rig, note, live, archived }
    }

    fn allow(&mut self, entry: ObjectRights) {
        let rights = Rights::of(member(ME), false, vec![Arc::new(group(entry))]);
        self.rig.caller.rights = Arc::new(rights);
    }

    /// Decides without any consequence.
    fn decide(&mut self, ask: Ask) -> (Result<Reply, Rejection>, Vec<Event>) {
        let command = Command { caller: self.rig.caller.clone(), ask };
        let mut events = Vec::new();
        let Rig { table, draft, moment, .. } = &mut self.rig;
        let answer = table.decide(draft, command, moment, &mut events);
        (answer, events)
    }

    fn upsert(&self, name: &str, archived_match: ArchivedMatch) -> Ask {
        Ask::Upsert(Box::new(Intent {
            archived_match,
            ..Intent::of_identifier(
                self.rig.identifier(name),
                self.rig.writes([(self.note, text("n"))]),
            )
        }))
    }

    fn add(&self, name: &str, archived_match: ArchivedMatch) -> Ask {
        let writes = self.rig.writes([(system::NAME, text(name)), (self.note, text("n"))]);
        let restore_conflict = RestoreConflict::Refuse;
        Ask::Add(Box::new(Add { writes, archived_match, restore_conflict }))
    }

    fn update(&self, id: RecordId, change: (FieldNumber, Change)) -> Ask {
        let writes = self.rig.writes([change]);
        let archived_conflict = ArchivedConflict::Overwrite;
        Ask::Update(Box::new(Update { id, writes, archived_conflict, extent: Extent::Mentioned }))
    }

    fn unarchive(id: RecordId) -> Ask {
        Ask::Unarchive(Unarchive {
            id,
            identifier: None,
            restore_conflict: RestoreConflict::Refuse,
        })
    }
}

/// What the rules say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Done(Option<Action>),
    NotFound,
    NoRight,
    NoRightToIdentifier,
    Taken,
}

fn found(answer: &Result<Reply, Rejection>) -> Expected {
    match answer {
        Ok(Reply::Record(outcome)) => Done(Some(outcome.action)),
        Ok(Reply::Done) => Done(None),
        Err(Rejection::NotFound) => NotFound,
        Err(Rejection::NoRight) => NoRight,
        Err(Rejection::NoRightToIdentifier) => NoRightToIdentifier,
        Err(Rejection::Taken(_)) => Expected::Taken,
        other => panic!("{other:?}"),
    }
}

/// What is needed of a record that the caller must see first.
fn needs(level: Level, needed: Level, then: Option<Action>) -> Expected {
    match (level >= Level::View, level >= needed) {
        (false, _) => NotFound,
        (true, false) => NoRight,
        (true, true) => Done(then),
    }
}

fn if_may(may: bool, action: Action) -> Expected {
    if may { Done(Some(action)) } else { NoRight }
}

/// Every valid combination of rights on records that decides about one of them.
fn all_rights() -> Vec<RecordRights> {
    let mut all = Vec::new();
    for all_records in Level::ALL {
        for associated_records in Level::ALL {
            for create_record in [false, true] {
                for (unarchive_associated, unarchive_all) in
                    [(false, false), (true, false), (true, true)]
                {
                    let rights = RecordRights {
                        all_records,
                        associated_records,
                        create_record,
                        unarchive_all,
                        unarchive_associated,
                        ..RecordRights::default()
                    };
                    all.extend(rights.breaches().is_empty().then_some(rights));
                }
            }
        }
    }
    all
}

#[test]
fn every_right_lets_do_what_it_says_and_nothing_more() {
    let mut world = World::new();
    let all = all_rights();
    assert_eq!(all.len(), 51, "ten pairs of levels, seven of which may create");
    for records in all {
        world.allow(rights(records));
        for at in [0, 1] {
            let level = [records.associated_records, records.all_records][at];
            let may_restore = [records.unarchive_associated, records.unarchive_all][at];
            check_by_id(&mut world, records, at, (level, may_restore));
            check_by_identifier(&mut world, records, at, (level, may_restore));
        }
    }
}

#[track_caller]
fn expect(world: &mut World, records: RecordRights, ask: Ask, expected: Expected) -> Vec<Event> {
    let shown = format!("{ask:?} with {records:?}");
    let (answer, events) = world.decide(ask);
    assert_eq!(found(&answer), expected, "{shown}");
    assert!(answer.is_ok() || events.is_empty(), "{shown}");
    events
}

fn check_by_id(
    world: &mut World,
    records: RecordRights,
    at: usize,
    (level, may_restore): (Level, bool),
) {
    let (live, archived) = (world.live[at], world.archived[at]);
    let updated = Some(Action::Updated);
    let edited = needs(level, Level::Edit, updated);
    expect(world, records, world.update(live, (world.note, text("n"))), edited);
    let gone = world.update(archived, (world.note, text("n")));
    expect(world, records, gone, NotFound);
    let removed = needs(level, Level::Remove, None);
    expect(world, records, Ask::Archive(live), removed);
    expect(world, records, Ask::Archive(archived), NotFound);
    let edit = TeamEdit { id: live, member: member(3), present: true };
    expect(world, records, Ask::Team(edit), needs(level, Level::Edit, None));
    let unchanged = needs(level, Level::View, Some(Action::Unchanged));
    expect(world, records, World::unarchive(live), unchanged);
    let restored = match (level >= Level::View, may_restore) {
        (false, _) => NotFound,
        (true, may) => if_may(may, Action::Unarchived),
    };
    expect(world, records, World::unarchive(archived), restored);
    // Onto the identifier of an archived record, which is freed.
    for (holder, name) in [(0, ARCHIVED_NAMES[0]), (1, ARCHIVED_NAMES[1])] {
        let level_of_holder = [records.associated_records, records.all_records][holder];
        let renamed = match edited {
            Done(_) => if_may(level_of_holder >= Level::Edit, Action::Updated),
            other @ (NotFound | NoRight | NoRightToIdentifier | Expected::Taken) => other,
        };
        expect(world, records, world.update(live, (system::NAME, text(name))), renamed);
    }
}

fn check_by_identifier(
    world: &mut World,
    records: RecordRights,
    at: usize,
    (level, may_restore): (Level, bool),
) {
    let may_create = records.create_record;
    let (live, archived) = (NAMES[at], ARCHIVED_NAMES[at]);
    let found = match level {
        Level::None => NoRightToIdentifier,
        Level::View | Level::Edit | Level::Remove => {
            needs(level, Level::Edit, Some(Action::Updated))
        }
    };
    let restored = if_may(level >= Level::View && may_restore, Action::Unarchived);
    let freed = if_may(level >= Level::Edit && may_create, Action::Created);
    let skipped = if_may(level >= Level::View, Action::SkippedArchived);
    let modes = [
        ArchivedMatch::Prompt,
        ArchivedMatch::Unarchive,
        ArchivedMatch::Overwrite,
        ArchivedMatch::Skip,
    ];
    for mode in modes {
        expect(world, records, world.upsert(live, mode), found);
        let taken = if may_create { Expected::Taken } else { NoRight };
        expect(world, records, world.add(live, mode), taken);
        let expected = match mode {
            ArchivedMatch::Prompt => Expected::Taken,
            ArchivedMatch::Unarchive => restored,
            ArchivedMatch::Overwrite => freed,
            ArchivedMatch::Skip => skipped,
        };
        expect(world, records, world.upsert(archived, mode), expected);
        expect(world, records, world.add(archived, mode), expected);
        let is_made = if_may(may_create, Action::Created);
        for ask in [world.upsert("new", mode), world.add("new", mode)] {
            let events = expect(world, records, ask, is_made);
            for event in events {
                let Event::Record(change) = event else { panic!("{event:?}") };
                let sees_all = records.all_records >= Level::View;
                let team: &[MemberId] = if sees_all { &[] } else { &[member(ME)] };
                assert_eq!(change.record.explicit_team(), team, "{records:?}");
            }
        }
    }
}

#[test]
fn being_in_any_team_field_or_put_on_a_record_is_what_associates() {
    let mut world = World::new();
    let many = NewField { allow_multiple: Some(true), ..field("advisers", "team_selector") };
    let many = world.rig.add_field(many);
    let others = world.live[1];
    let is_seen = |world: &mut World| {
        let admin = world.rig.caller.clone();
        world.allow(rights(RecordRights {
            associated_records: Level::Edit,
            ..RecordRights::default()
        }));
        let (answer, _) = world.decide(world.update(others, (world.note, text("n"))));
        world.rig.caller = admin;
        found(&answer)
    };
    assert_eq!(is_seen(&mut world), NotFound);
    let run = |world: &mut World, ask: Ask, expected: Expected| {
        assert!(world.rig.run(ask).is_ok());
        assert_eq!(is_seen(world), expected);
    };
    let updated = Done(Some(Action::Updated));
    let put = TeamEdit { id: others, member: member(ME), present: true };
    run(&mut world, Ask::Team(put), updated);
    run(&mut world, Ask::Team(TeamEdit { present: false, ..put }), NotFound);
    let advisers = Change::Set(Value::Members(vec![member(3), member(ME)]));
    let ask = world.update(others, (many, advisers));
    run(&mut world, ask, updated);
    let ask = world.update(others, (many, Change::Clear));
    run(&mut world, ask, NotFound);
    let owner = Change::Set(Value::Member(member(ME)));
    let ask = world.update(others, (system::OWNER, owner));
    run(&mut world, ask, updated);
}

#[test]
fn replacing_clears_only_what_the_caller_may_write() {
    let mut world = World::new();
    let (kept, secret) =
        (world.rig.add_field(field("kept", "text")), world.rig.add_field(field("secret", "text")));
    let id = world.live[0];
    for number in [world.note, kept, secret] {
        let ask = world.update(id, (number, text("held")));
        assert!(world.rig.run(ask).is_ok());
    }
    let schema = world.rig.schema();
    let id_of = |number| schema.by_number(number).unwrap().id;
    let mut entry = rights(editing());
    entry.fields.insert(id_of(kept), FieldAccess::ReadOnly);
    entry.fields.insert(id_of(secret), FieldAccess::Hidden);
    world.allow(entry);
    let (writes, archived_conflict) = (world.rig.writes([]), ArchivedConflict::Refuse);
    let update = Update { id, writes, archived_conflict, extent: Extent::All };
    let (answer, _) = world.decide(Ask::Update(Box::new(update)));
    let Ok(Reply::Record(outcome)) = answer else { panic!("{answer:?}") };
    assert_eq!(outcome.changed, [world.note]);
    assert!(outcome.record.value(kept).is_some() && outcome.record.value(secret).is_some());
}

#[test]
fn restoring_clears_only_what_the_caller_may_write() {
    let mut world = World::new();
    let unique = |name| NewField { is_unique: Some(true), ..field(name, "text") };
    let (code, pin) = (world.rig.add_field(unique("code")), world.rig.add_field(unique("pin")));
    let id = world.live[0];
    let ask = world.rig.writes([(code, text("c")), (pin, text("p"))]);
    let archived_conflict = ArchivedConflict::Refuse;
    let update = Update { id, writes: ask, archived_conflict, extent: Extent::Mentioned };
    assert!(world.rig.run(Ask::Update(Box::new(update))).is_ok());
    assert!(world.rig.run(Ask::Archive(id)).is_ok());
    let writes = world.rig.writes([(code, text("c")), (pin, text("p"))]);
    let update = Update { id: world.live[1], writes, archived_conflict, extent: Extent::Mentioned };
    assert!(world.rig.run(Ask::Update(Box::new(update))).is_ok());
    let restore = || {
        let restore_conflict = RestoreConflict::Clear;
        Ask::Unarchive(Unarchive { id, identifier: None, restore_conflict })
    };
    let mut entry = rights(RecordRights { unarchive_all: true, ..editing() });
    let pin_id = world.rig.schema().by_number(pin).unwrap().id;
    for access in [FieldAccess::Hidden, FieldAccess::ReadOnly] {
        entry.fields.insert(pin_id, access);
        world.allow(entry.clone());
        let (answer, _) = world.decide(restore());
        let Err(Rejection::Taken(taken)) = answer else { panic!("{answer:?}") };
        let Some(Conflict::UniqueOnRestore { clashes, .. }) = taken.conflict else {
            panic!("{:?}", taken.conflict)
        };
        assert_eq!(clashes.iter().map(|clash| clash.parts[0].0).collect::<Vec<_>>(), [pin]);
    }
    entry.fields.insert(pin_id, FieldAccess::Write);
    world.allow(entry);
    assert_eq!(found(&world.decide(restore()).0), Done(Some(Action::Unarchived)));
}

fn editing() -> RecordRights {
    RecordRights {
        all_records: Level::Edit,
        associated_records: Level::Edit,
        ..RecordRights::default()
    }
}

#[test]
fn a_prompt_is_the_same_for_whoever_may_and_may_not_see_the_archived_record() {
    let mut world = World::new();
    world.allow(rights(RecordRights {
        associated_records: Level::Edit,
        create_record: true,
        ..RecordRights::default()
    }));
    // Who may see it is for whoever shows the conflict.
    for at in [0, 1] {
        let (answer, _) = world.decide(world.upsert(ARCHIVED_NAMES[at], ArchivedMatch::Prompt));
        let Err(Rejection::Taken(taken)) = answer else { panic!("{answer:?}") };
        let Some(Conflict::ArchivedIdentifier { holder, .. }) = taken.conflict else {
            panic!("{:?}", taken.conflict)
        };
        assert_eq!(holder.id(), world.archived[at]);
        assert!(taken.faults.is_empty());
    }
}

/// A version would tell of a record that its asker may not see.
#[test]
fn what_a_caller_may_not_see_has_no_version() {
    let mut world = World::new();
    let associated_records = Level::Edit;
    world.allow(rights(RecordRights { associated_records, ..RecordRights::default() }));
    for precondition in [Precondition::Present, Precondition::At(Version(7)), Precondition::Absent]
    {
        let Ask::Upsert(mut intent) = world.upsert(NAMES[1], ArchivedMatch::Prompt) else {
            unreachable!("it is an upsert")
        };
        intent.precondition = Some(precondition.clone());
        let (answer, _) = world.decide(Ask::Upsert(intent));
        assert_eq!(found(&answer), NoRightToIdentifier, "{precondition:?}");
        for id in [world.live[1], world.archived[1]] {
            let asks =
                [world.update(id, (world.note, text("n"))), Ask::Archive(id), World::unarchive(id)];
            for ask in asks {
                let (answer, _) = world.decide(ask.only_if(Some(precondition.clone())));
                assert_eq!(found(&answer), NotFound, "{precondition:?}");
            }
        }
    }
}
