//! Lists of options and files: edited over what is not durable yet, limited as a whole, replayed.

use crate::model::id::{FieldNumber, FileId, OptionNumber, RecordId};
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::system;
use crate::model::table::command::{
    Add, ArchivedConflict, ArchivedMatch, Ask, Extent, FaultKind, Reply, RestoreConflict, Update,
};
use crate::model::table::decide::Rejection;
use crate::model::table::decide::keys::{options_left, stored};
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::test_support::{Rig, created, field, text};
use crate::model::value::fault::ValueFault;
use crate::model::value::{Change, ListChange, Value};
use uuid::Uuid;

/// A table with one record, which has a required field of options and one of files.
struct World {
    rig: Rig,
    picks: FieldNumber,
    papers: FieldNumber,
    record: RecordId,
}

fn options(numbers: &[u32]) -> Vec<OptionNumber> {
    numbers.iter().map(|number| OptionNumber(*number)).collect()
}

fn files(numbers: std::ops::Range<u128>) -> Vec<FileId> {
    numbers.map(|number| FileId(Uuid::from_u128(number))).collect()
}

impl World {
    fn new() -> Self {
        let mut rig = Rig::accounts();
        let option = |name: &str| NewOption { name: Some(name.into()), ..NewOption::default() };
        let picks = rig.add_field(NewField {
            options: Some(["a", "b", "c"].map(option).to_vec()),
            is_required: Some(true),
            ..field("picks", "checkboxes")
        });
        let papers = rig.add_field(field("papers", "files"));
        let chosen = Change::Set(Value::Choices(options(&[1, 2])));
        let writes = rig.writes([(system::NAME, text("Acme")), (picks, chosen)]);
        let (archived_match, restore_conflict) = (ArchivedMatch::Prompt, RestoreConflict::Refuse);
        let add = Add { writes, archived_match, restore_conflict };
        let record = created(rig.run(Ask::Add(Box::new(add))));
        Self { rig, picks, papers, record }
    }

    /// Decides a change and leaves it on the draft.
    fn decide(&mut self, field: FieldNumber, change: Change) -> Result<Reply, Rejection> {
        let writes = self.rig.writes([(field, change)]);
        let archived_conflict = ArchivedConflict::Refuse;
        let update =
            Update { id: self.record, writes, archived_conflict, extent: Extent::Mentioned };
        self.rig.decide(Ask::Update(Box::new(update)))
    }

    fn edit_picks(&mut self, add: &[u32], remove: &[u32]) -> Result<Reply, Rejection> {
        let (add, remove) = (options(add), options(remove));
        self.decide(self.picks, Change::Choices(ListChange::Edit { add, remove }))
    }

    fn edit_papers(&mut self, add: Vec<FileId>, remove: Vec<FileId>) -> Result<Reply, Rejection> {
        self.decide(self.papers, Change::Files(ListChange::Edit { add, remove }))
    }

    fn value(&self, field: FieldNumber) -> Option<Value> {
        let schema = self.rig.schema();
        let record = self.rig.seen(self.record).unwrap();
        record.value(field).map(|raw| stored(schema.by_number(field).unwrap(), raw))
    }

    fn check_picks(&self, expected: &[u32]) {
        assert_eq!(self.value(self.picks), Some(Value::Choices(options(expected))));
    }
}

/// Takes an option out; `by` is the one that takes its place.
fn take_option(world: &mut World, option: u32, by: Option<u32>) {
    let schema = world.rig.schema();
    let picks = schema.by_number(world.picks).unwrap();
    let id = |number| picks.options.get(OptionNumber(number)).unwrap().id;
    let (field, option) = (picks.number, id(option));
    let ask = match by {
        Some(by) => SchemaAsk::ReplaceOption { field, option, by: Some(id(by).0.to_string()) },
        None => SchemaAsk::RemoveOption { field, option },
    };
    world.rig.run(Ask::ChangeSchema(ask)).unwrap();
}

fn left(world: &World) -> Vec<OptionNumber> {
    let schema = world.rig.schema();
    let record = world.rig.seen(world.record).unwrap();
    let raw = record.value(world.picks).unwrap();
    options_left(schema.by_number(world.picks).unwrap(), raw).unwrap()
}

fn fault_of(refused: Result<Reply, Rejection>) -> FaultKind {
    match refused {
        Err(Rejection::Faults(mut faults)) => faults.remove(0).kind,
        other => panic!("it was not refused for its values: {other:?}"),
    }
}

#[test]
fn edits_follow_each_other_before_any_is_durable_and_are_replayed() {
    let mut world = World::new();
    world.edit_picks(&[3, 2], &[]).unwrap();
    world.check_picks(&[1, 2, 3]);
    world.edit_picks(&[1], &[1, 3]).unwrap();
    world.check_picks(&[2, 1]);
    let events = world.rig.log.len();
    world.edit_picks(&[1], &[3]).unwrap();
    assert_eq!(world.rig.log.len(), events, "nothing changed");
    world.edit_papers(files(1..3), files(0..9)).unwrap();
    world.edit_papers(Vec::new(), files(1..2)).unwrap();
    assert_eq!(world.value(world.papers), Some(Value::Files(files(2..3))));
    world.edit_papers(Vec::new(), files(2..3)).unwrap();
    assert_eq!(world.value(world.papers), None);
    world.rig.apply_all();
    world.rig.check();
    world.check_picks(&[2, 1]);
}

#[test]
fn what_is_left_is_held_to_the_limit_and_to_the_requirement() {
    let mut world = World::new();
    let all_gone = fault_of(world.edit_picks(&[], &[1, 2, 3]));
    assert_eq!(all_gone, FaultKind::Value(ValueFault::Required));
    world.edit_papers(files(0..100), Vec::new()).unwrap();
    let one_more = fault_of(world.edit_papers(files(100..101), Vec::new()));
    let limit = ValueFault::LimitExceeded { what: "values", max: 100 };
    assert_eq!(one_more, FaultKind::Value(limit));
    world.edit_papers(files(100..101), files(0..1)).unwrap();
    assert_eq!(world.value(world.papers), Some(Value::Files(files(1..101))));
    world.rig.apply_all();
    world.rig.check();
}

#[test]
fn what_was_removed_and_replaced_is_resolved_before_a_list_is_compared_or_edited() {
    let mut world = World::new();
    world.edit_picks(&[3], &[]).unwrap();
    world.rig.apply_all();
    take_option(&mut world, 1, Some(2));
    assert_eq!(left(&world), options(&[2, 3]), "the successor is there once");
    let events = world.rig.log.len();
    world.decide(world.picks, Change::Set(Value::Choices(options(&[2, 3])))).unwrap();
    world.edit_picks(&[2], &[]).unwrap();
    assert_eq!(world.rig.log.len(), events, "it reads so already");
    take_option(&mut world, 3, None);
    assert_eq!(left(&world), options(&[2]));
    let all_gone = fault_of(world.edit_picks(&[], &[2]));
    assert_eq!(all_gone, FaultKind::Value(ValueFault::Required));
    world.rig.check();
    take_option(&mut world, 2, None);
    assert_eq!(left(&world), options(&[]), "a value of which nothing is left is blank");
    world.rig.check();
}
