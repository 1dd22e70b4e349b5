//! Records in stages: where they begin, how they move, when they were closed, and what a change of a
//! stage leaves as it is.

use crate::model::id::{FieldNumber, OptionId, OptionNumber, RecordId, Timestamp};
use crate::model::moment::Moment;
use crate::model::schema::changed_field::ChangedField;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::new_object::NewObject;
use crate::model::schema::option::Choice;
use crate::model::schema::stage::NewStage;
use crate::model::schema::system;
use crate::model::table::command::{
    Add, ArchivedConflict, ArchivedMatch, Ask, Extent, FaultKind, Place, RecordFault, Reply,
    RestoreConflict, Unarchive, Update, Writes,
};
use crate::model::table::decide::Rejection;
use crate::model::table::intent::Intent;
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::test_support::{BIRTH, Rig, created, nobody, outcome, text};
use crate::model::table::tests::accounts::{entry, faults, good, required};
use crate::model::table::tests::pipeline_steps::pipeline;
use crate::model::value::fault::ValueFault;
use crate::model::value::{Change, Value};
use uuid::Uuid;

/// A pipeline of the stages New, Won and Lost.
struct Deals(Rig);

impl Deals {
    fn new() -> Self {
        let mut moment = Moment::new(7, BIRTH);
        let schema = pipeline(&mut || moment.id());
        Self(Rig::born(schema, moment))
    }

    fn stage(&self, name: &str) -> Choice {
        let schema = self.0.schema();
        schema.stage().unwrap().options.by_label(name).unwrap().clone()
    }

    /// A write of the stage.
    fn to(&self, name: &str) -> (FieldNumber, Change) {
        (system::STAGE, Change::Set(Value::Choice(self.stage(name).number)))
    }

    fn writes(&self, more: Vec<(FieldNumber, Change)>) -> Writes {
        self.0.writes(more)
    }

    fn add(&mut self, name: &str, more: Vec<(FieldNumber, Change)>) -> Result<Reply, Rejection> {
        let writes = [vec![(system::NAME, text(name))], more].concat();
        let (archived_match, restore_conflict) =
            (ArchivedMatch::default(), RestoreConflict::default());
        let writes = self.writes(writes);
        self.0.run(Ask::Add(Box::new(Add { writes, archived_match, restore_conflict })))
    }

    fn upsert(&mut self, name: &str, more: Vec<(FieldNumber, Change)>) -> (u32, RecordId) {
        let upsert = Intent {
            archived_match: ArchivedMatch::Unarchive,
            ..Intent::of_identifier(self.0.identifier(name), self.writes(more))
        };
        let outcome = outcome(self.0.run(Ask::Upsert(Box::new(upsert))));
        (outcome.record.version().0, outcome.record.id())
    }

    fn update(
        &mut self,
        id: RecordId,
        writes: Vec<(FieldNumber, Change)>,
        replace: bool,
    ) -> Result<Reply, Rejection> {
        let writes = self.writes(writes);
        let archived_conflict = ArchivedConflict::default();
        let extent = if replace { Extent::All } else { Extent::Mentioned };
        self.0.run(Ask::Update(Box::new(Update { id, writes, archived_conflict, extent })))
    }

    fn go(&mut self, id: RecordId, stage: &str) -> Vec<FieldNumber> {
        let stage = self.stage(stage).id;
        outcome(self.0.run(Ask::Move { id, stage })).changed
    }

    fn wait(&mut self, ms: i64) -> Timestamp {
        self.0.moment.set(Timestamp(self.0.moment.at().0 + ms));
        self.0.moment.at()
    }

    fn change(&mut self, asked: SchemaAsk) -> Result<Reply, Rejection> {
        self.0.run(Ask::ChangeSchema(asked))
    }

    fn set_status(&mut self, name: &str, status: &str) {
        let stage = self.stage(name).id;
        let change = NewStage { status: Some(status.into()), ..NewStage::default() };
        self.change(SchemaAsk::ChangeStage { stage, change }).unwrap();
    }

    fn remove(&mut self, name: &str, successor: &str) {
        let id = |name| Some(self.stage(name).id.to_string());
        let asked = SchemaAsk::RemoveStage { stage: id(name), successor: id(successor) };
        self.change(asked).unwrap();
    }

    /// The name of the record's stage, and when it was closed.
    fn reads(&self, id: RecordId) -> (String, Option<Timestamp>) {
        let record = self.0.seen(id).unwrap();
        let number = rmp::decode::read_int(&mut record.value(system::STAGE).unwrap()).unwrap();
        let schema = self.0.schema();
        let stage = schema.stage().unwrap().options.get(OptionNumber(number)).unwrap();
        let closed = record.value(system::ACTUAL_CLOSE_DATE);
        let closed = closed.map(|mut raw| Timestamp(rmp::decode::read_int(&mut raw).unwrap()));
        (stage.name.clone(), closed)
    }

    #[track_caller]
    fn check(&self, id: RecordId, stage: &str, closed: Option<Timestamp>) {
        assert_eq!(self.reads(id), (stage.to_owned(), closed));
    }
}

#[test]
fn a_record_begins_in_the_first_stage_by_order() {
    let mut deals = Deals::new();
    let first = created(deals.add("a", vec![]));
    deals.check(first, "New", None);
    let (stage, change) =
        (deals.stage("Lost").id, NewStage { order: Some(-1), ..NewStage::default() });
    deals.change(SchemaAsk::ChangeStage { stage, change }).unwrap();
    let (_, second) = deals.upsert("b", vec![]);
    deals.check(second, "Lost", None);
    // Of equal order, the older one is first.
    let stage = deals.stage("New").id;
    let change = NewStage { order: Some(-1), ..NewStage::default() };
    deals.change(SchemaAsk::ChangeStage { stage, change }).unwrap();
    let third = created(deals.add("c", vec![]));
    deals.check(third, "New", None);
    deals.0.check();
}

#[test]
fn a_record_is_closed_by_entering_a_won_stage_in_whatever_way() {
    let mut deals = Deals::new();
    let won = |deals: &Deals| vec![deals.to("Won")];
    let writes = won(&deals);
    let added = created(deals.add("added", writes));
    deals.check(added, "Won", Some(BIRTH));
    let at = deals.wait(5);
    let writes = won(&deals);
    let (_, upserted) = deals.upsert("upserted", writes.clone());
    deals.check(upserted, "Won", Some(at));
    let updated = created(deals.add("updated", vec![]));
    good(deals.update(updated, writes.clone(), false));
    deals.check(updated, "Won", Some(at));
    let moved = created(deals.add("moved", vec![]));
    let changed = deals.go(moved, "Won");
    assert_eq!(changed, [system::STAGE, system::ACTUAL_CLOSE_DATE]);
    deals.check(moved, "Won", Some(at));
    let restored = created(deals.add("restored", vec![]));
    deals.0.run(Ask::Archive(restored)).unwrap();
    deals.wait(5);
    let (version, id) = deals.upsert("restored", writes);
    assert_eq!((version, id), (3, restored));
    deals.check(restored, "Won", Some(deals.0.moment.at()));
    deals.0.check();
}

#[test]
fn a_record_that_leaves_is_open_and_one_that_stays_is_as_it_was() {
    let mut deals = Deals::new();
    let writes = vec![deals.to("Won")];
    let id = created(deals.add("a", writes.clone()));
    deals.wait(5);
    // The same stage again is no change, and another field none of the stage.
    good(deals.update(id, writes, false));
    assert_eq!(deals.0.seen(id).unwrap().version().0, 1);
    good(deals.update(id, vec![(system::NAME, text("b"))], true));
    deals.check(id, "Won", Some(BIRTH));
    deals.0.run(Ask::Archive(id)).unwrap();
    let unarchive = Unarchive { id, identifier: None, restore_conflict: RestoreConflict::Refuse };
    good(deals.0.run(Ask::Unarchive(unarchive)));
    deals.check(id, "Won", Some(BIRTH));
    let changed = deals.go(id, "Lost");
    assert_eq!(changed, [system::STAGE, system::ACTUAL_CLOSE_DATE]);
    deals.check(id, "Lost", None);
    assert_eq!(deals.go(id, "New"), [system::STAGE]);
    let at = deals.wait(5);
    deals.go(id, "Won");
    deals.check(id, "Won", Some(at));
    deals.0.check();
}

#[test]
fn a_record_stays_closed_from_one_won_stage_to_the_next() {
    let mut deals = Deals::new();
    deals.set_status("Lost", "won");
    let writes = vec![deals.to("Won")];
    let id = created(deals.add("a", writes));
    deals.wait(5);
    assert_eq!(deals.go(id, "Lost"), [system::STAGE]);
    deals.check(id, "Lost", Some(BIRTH));
}

#[test]
fn a_stage_that_becomes_won_or_ceases_to_be_rewrites_no_record() {
    let mut deals = Deals::new();
    let (open, closed) = (created(deals.add("open", vec![])), {
        let writes = vec![deals.to("Won")];
        created(deals.add("closed", writes))
    });
    deals.set_status("New", "won");
    deals.set_status("Won", "open");
    deals.check(open, "New", None);
    deals.check(closed, "Won", Some(BIRTH));
    assert_eq!(deals.0.seen(open).unwrap().version().0, 1);
    // The next move goes by what the stages are by then.
    let at = deals.wait(5);
    deals.set_status("Lost", "won");
    deals.go(open, "Lost");
    deals.go(closed, "Lost");
    deals.check(open, "Lost", Some(at));
    deals.check(closed, "Lost", Some(at));
    deals.0.check();
}

#[test]
fn records_of_a_removed_stage_are_in_its_successor_and_stay_closed() {
    let mut deals = Deals::new();
    let writes = vec![deals.to("Won")];
    let (open, closed) = (created(deals.add("open", vec![])), created(deals.add("won", writes)));
    deals.remove("Won", "Lost");
    deals.check(closed, "Lost", Some(BIRTH));
    let version = |deals: &Deals, id| deals.0.seen(id).unwrap().version().0;
    assert_eq!(version(&deals, closed), 1);
    let writes = vec![deals.to("Lost")];
    good(deals.update(closed, writes, false));
    assert_eq!(version(&deals, closed), 1, "it is there already");
    deals.set_status("Lost", "won");
    deals.remove("New", "Lost");
    deals.check(open, "Lost", None);
    deals.check(closed, "Lost", Some(BIRTH));
    let next = created(deals.add("next", vec![]));
    deals.check(next, "Lost", Some(BIRTH));
    deals.0.check();
}

#[test]
fn a_move_needs_a_live_record_and_a_stage_of_this_pipeline() {
    let mut deals = Deals::new();
    let id = created(deals.add("a", vec![]));
    let new = deals.stage("New").id;
    assert_eq!(
        deals.0.run(Ask::Move { id: nobody(), stage: OptionId(Uuid::nil()) }).err(),
        Some(Rejection::NotFound),
    );
    let answer = deals.0.run(Ask::Move { id, stage: OptionId(Uuid::nil()) });
    let kind = FaultKind::Value(ValueFault::DoesNotExist { what: "Stage" });
    assert_eq!(faults(answer), [RecordFault { place: Place::Stage, kind }]);
    assert_eq!(outcome(deals.0.run(Ask::Move { id, stage: new })).changed, []);
    deals.remove("New", "Won");
    faults(deals.0.run(Ask::Move { id, stage: new }));
    deals.0.run(Ask::Archive(id)).unwrap();
    let stage = deals.stage("Won").id;
    assert_eq!(deals.0.run(Ask::Move { id, stage }).err(), Some(Rejection::NotFound));
    assert_eq!(deals.0.seen(id).unwrap().version().0, 2);
}

#[test]
fn a_stage_cannot_be_cleared() {
    let mut deals = Deals::new();
    let clear = || vec![(system::STAGE, Change::Clear)];
    assert_eq!(faults(deals.add("a", clear())), [required(entry(1, system::STAGE))]);
    let id = created(deals.add("a", vec![]));
    assert_eq!(faults(deals.update(id, clear(), false)), [required(entry(0, system::STAGE))]);
    good(deals.update(id, vec![], true));
    deals.check(id, "New", None);
}

#[test]
fn a_value_waits_unseen_while_its_field_is_switched_off() {
    let mut deals = Deals::new();
    let write = (system::ENTITY_VALUE, Change::Set(Value::Decimal(12.into())));
    let id = created(deals.add("a", vec![write]));
    let field = deals.0.schema().by_number(system::ENTITY_VALUE).unwrap().clone();
    let track = |deals: &mut Deals, is_on| {
        let new = NewObject { track_entity_value: Some(is_on), ..NewObject::default() };
        deals.change(SchemaAsk::ChangeObject(Box::new(new))).unwrap();
    };
    let rule = |is_required| {
        let keys = NewField { is_required: Some(is_required), ..NewField::default() };
        let change = Box::new(ChangedField { keys, options: None });
        SchemaAsk::ChangeField { field: system::ENTITY_VALUE, change }
    };
    deals.change(rule(true)).unwrap();
    let count = deals.0.schema().field_count();
    track(&mut deals, false);
    let schema = deals.0.schema();
    assert_eq!(schema.by_id(field.id), None);
    assert_eq!((schema.by_name("entity_value"), schema.has_name("entity_value")), (None, true));
    assert_eq!(schema.field_count(), count);
    assert_eq!(deals.change(rule(false)).err(), Some(Rejection::UnknownField));
    // Nobody need give it, and clearing all that may be cleared leaves it alone.
    created(deals.add("b", vec![]));
    good(deals.update(id, vec![(system::NAME, text("c"))], true));
    deals.0.check();
    track(&mut deals, true);
    assert_eq!(deals.0.schema().by_number(system::ENTITY_VALUE), Some(&field), "but for its rule");
    let record = deals.0.seen(id).unwrap();
    let raw = record.value(system::ENTITY_VALUE).unwrap();
    assert_eq!(rmp::decode::read_str_from_slice(raw).unwrap().0, "12");
    deals.0.check();
}

#[test]
fn a_unique_field_that_is_switched_off_holds_nothing() {
    let mut deals = Deals::new();
    let percent = |deals: &mut Deals, is_on| {
        let new = NewObject { include_percentage_to_close: Some(is_on), ..NewObject::default() };
        deals.change(SchemaAsk::ChangeObject(Box::new(new))).unwrap();
    };
    percent(&mut deals, true);
    let keys = NewField { is_unique: Some(true), ..NewField::default() };
    let change = Box::new(ChangedField { keys, options: None });
    let asked = SchemaAsk::ChangeField { field: system::CHANCE_LOW, change };
    deals.change(asked).unwrap();
    let write = (system::CHANCE_LOW, Change::Set(Value::Decimal(1.into())));
    created(deals.add("a", vec![write.clone()]));
    deals.add("b", vec![write.clone()]).expect_err("the value is taken");
    percent(&mut deals, false);
    assert!(!deals.0.schema().has_further_unique_fields());
    percent(&mut deals, true);
    created(deals.add("b", vec![write]));
    deals.0.check();
}

#[test]
fn options_of_the_stage_field_are_left_to_the_stages() {
    let mut deals = Deals::new();
    let (field, option) = (system::STAGE, deals.stage("New").id);
    let by = Some(deals.stage("Won").id.to_string());
    let new = NewOption { name: Some("Late".into()), ..NewOption::default() };
    let change = Box::new(ChangedField { options: Some(vec![]), ..ChangedField::default() });
    for ask in [
        Ask::CreateOption { field, option: new.clone() },
        Ask::ChangeSchema(SchemaAsk::ChangeOption { field, option, change: new }),
        Ask::ChangeSchema(SchemaAsk::RemoveOption { field, option }),
        Ask::ChangeSchema(SchemaAsk::ReplaceOption { field, option, by }),
        Ask::ChangeSchema(SchemaAsk::ChangeField { field, change }),
    ] {
        match deals.0.run(ask) {
            Err(Rejection::Schema(faults)) => assert_eq!(faults.len(), 1, "{faults:?}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(deals.0.table.sequence().0, 1);
}
