//! Values that are unique together: what is refused, what a restore does, what a list becomes.

use crate::model::id::{ConstraintNumber, FieldNumber, RecordId};
use crate::model::key::Normalizer;
use crate::model::schema::change::SchemaChange;
use crate::model::schema::changed_field::ChangedField;
use crate::model::schema::fault::SchemaFaultKind;
use crate::model::schema::new_field::NewField;
use crate::model::schema::new_object::NewObject;
use crate::model::schema::{UNIQUES_MAX, system};
use crate::model::table::Table;
use crate::model::table::command::{ArchivedConflict, Ask, Place, Reply, RestoreConflict};
use crate::model::table::decide::keys::joint_claim;
use crate::model::table::decide::{Conflict, Rejection, Rule};
use crate::model::table::draft::View;
use crate::model::table::event_form::Misfit;
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::test_support::{Rig, SETTING, created, field, text};
use crate::model::table::tests::accounts::{
    Accounts, Modes, UNARCHIVE, conflict, entry, faults, good, required,
};
use crate::model::table::tests::pipeline_steps::pipeline;
use crate::model::table::tests::together_steps::constrained;
use crate::model::value::Value;
use crate::model::value::fault::ValueFault;

/// Accounts whose country and number are unique together.
struct Firms {
    accounts: Accounts,
    country: FieldNumber,
    number: FieldNumber,
}

impl Firms {
    fn new() -> Self {
        let mut accounts = Accounts::new();
        let country = accounts.rig.add_field(field("country", "text"));
        let number = accounts.rig.add_field(field("number", "integer"));
        accounts.rig.run(constrained(&[&["country", "number"]])).unwrap();
        Self { accounts, country, number }
    }

    fn add(&mut self, name: &str, country: &str, number: i32) -> Result<Reply, Rejection> {
        let number = (self.number, set(number));
        let country = (self.country, text(country));
        let writes = [(system::NAME, text(name)), self.accounts.region("north"), country, number];
        self.accounts.add(&writes, Modes::default())
    }

    fn live(&mut self, name: &str, country: &str, number: i32) -> RecordId {
        created(self.add(name, country, number))
    }

    fn archive(&mut self, id: RecordId) {
        self.accounts.rig.run(Ask::Archive(id)).unwrap();
    }
}

fn set(number: i32) -> crate::model::value::Change {
    crate::model::value::Change::Set(Value::Integer(number))
}

/// Who has the values together, and where the request gives them; it must be all there is.
#[track_caller]
fn taken(answer: Result<Reply, Rejection>) -> (Vec<Place>, RecordId) {
    let Err(Rejection::Taken(mut taken)) = answer else { panic!("not taken: {answer:?}") };
    assert!(taken.faults.is_empty() && taken.conflict.is_none() && taken.together.len() == 1);
    let together = taken.together.remove(0);
    (together.places, together.holder)
}

#[test]
fn values_that_are_taken_together_are_refused_and_each_alone_is_not() {
    let mut firms = Firms::new();
    let acme = firms.live("Acme", "DE", 1);
    let apex = firms.live("Apex", "DE", 2);
    firms.live("Zenith", "FR", 1);
    let (country, number) = (firms.country, firms.number);
    assert_eq!(
        taken(firms.add("Other", " de ", 1)),
        (vec![entry(2, country), entry(3, number)], acme)
    );
    // A part that the request does not name is told by its field.
    let update = firms.accounts.update(apex, &[(number, set(1))], ArchivedConflict::Refuse);
    assert_eq!(taken(update), (vec![Place::Field(country), entry(0, number)], acme));
    let upsert = firms.accounts.upsert("apex", &[(number, set(1))], Modes::default());
    assert_eq!(taken(upsert), (vec![Place::Field(country), entry(0, number)], acme));
    // Its own values are nobody else's, and what is freed is free at once.
    let same = [(country, text("De")), (number, set(1))];
    good(firms.accounts.update(acme, &same, ArchivedConflict::Refuse));
    good(firms.accounts.update(acme, &[(number, set(3))], ArchivedConflict::Refuse));
    good(firms.accounts.update(apex, &[(number, set(1))], ArchivedConflict::Refuse));
    firms.accounts.rig.check();
}

#[test]
fn a_blank_part_conflicts_with_nothing() {
    let mut firms = Firms::new();
    for name in ["A", "B"] {
        let writes =
            [(system::NAME, text(name)), firms.accounts.region("n"), (firms.country, text("DE"))];
        created(firms.accounts.add(&writes, Modes::default()));
    }
    let full = firms.live("C", "DE", 1);
    let clear = (firms.number, crate::model::value::Change::Clear);
    good(firms.accounts.update(full, &[clear], ArchivedConflict::Refuse));
    firms.live("D", "DE", 1);
    firms.accounts.rig.check();
}

#[test]
fn what_is_decided_and_not_yet_durable_is_taken_too() {
    let mut firms = Firms::new();
    let ask = |firms: &Firms, name: &str| {
        let writes = firms.accounts.rig.writes([
            (system::NAME, text(name)),
            firms.accounts.region("n"),
            (firms.country, text("DE")),
            (firms.number, set(1)),
        ]);
        let add = crate::model::table::command::Add {
            writes,
            archived_match: crate::model::table::command::ArchivedMatch::Prompt,
            restore_conflict: RestoreConflict::Refuse,
        };
        Ask::Add(Box::new(add))
    };
    let (first, second) = (ask(&firms, "A"), ask(&firms, "B"));
    let holder = created(firms.accounts.rig.decide(first));
    assert_eq!(taken(firms.accounts.rig.decide(second)).1, holder);
    let archive = firms.accounts.rig.decide(Ask::Archive(holder));
    assert!(archive.is_ok());
    let again = ask(&firms, "B");
    created(firms.accounts.rig.decide(again));
    firms.accounts.rig.apply_all();
    firms.accounts.rig.check();
}

#[test]
fn a_restored_record_does_not_take_back_what_a_live_one_has() {
    let mut firms = Firms::new();
    let old = firms.live("Acme", "DE", 1);
    firms.archive(old);
    let new = firms.live("Apex", "de", 1);
    let (country, number) = (firms.country, firms.number);
    let check = |answer| {
        let Conflict::UniqueOnRestore { record, clashes } = conflict(answer) else {
            panic!("another kind of conflict")
        };
        assert_eq!((record.id(), clashes.len(), clashes[0].holder), (old, 1, new));
        let values = vec![(country, Value::Text("DE".into())), (number, Value::Integer(1))];
        assert_eq!(clashes[0].parts, values);
    };
    check(firms.accounts.unarchive(old, None, RestoreConflict::Refuse));
    check(firms.accounts.upsert("acme", &[], UNARCHIVE));
    // What the request itself gives is its own fault; given values may also resolve it.
    let given = firms.accounts.upsert("acme", &[(number, set(1))], UNARCHIVE);
    assert_eq!(taken(given), (vec![Place::Field(country), entry(0, number)], new));
    good(firms.accounts.upsert("acme", &[(number, set(2))], UNARCHIVE));
    firms.archive(old);
    good(firms.accounts.unarchive(old, None, RestoreConflict::Clear));
    assert_eq!(firms.accounts.text_of(old, country).as_deref(), Some("DE"), "nothing was taken");
    firms.accounts.rig.check();
}

#[test]
fn clearing_on_restore_clears_all_of_the_values() {
    let mut firms = Firms::new();
    let old = firms.live("Acme", "DE", 1);
    firms.archive(old);
    firms.live("Apex", "DE", 1);
    good(firms.accounts.unarchive(old, None, RestoreConflict::Clear));
    let record = firms.accounts.rig.seen(old).unwrap();
    assert_eq!((record.value(firms.country), record.value(firms.number)), (None, None));
    assert!(record.value(firms.accounts.region).is_some());
    // A required one is missed where required fields are asked for.
    firms.accounts.rig.run(constrained(&[&["region", "number"]])).unwrap();
    let (region, number) = (firms.accounts.region, firms.number);
    good(firms.accounts.update(old, &[(number, set(7))], ArchivedConflict::Refuse));
    firms.archive(old);
    firms.live("Zenith", "FR", 7);
    let modes = Modes { restore_conflict: RestoreConflict::Clear, ..UNARCHIVE };
    assert_eq!(faults(firms.accounts.upsert("acme", &[], modes)), [required(Place::Field(region))]);
    firms.accounts.rig.check();
}

#[test]
fn a_list_is_refused_while_live_records_break_it() {
    let mut firms = Firms::new();
    let [first, second] = [firms.live("A", "DE", 1), firms.live("B", "de", 2)];
    let archived = firms.live("C", "DE", 3);
    firms.archive(archived);
    firms.live("D", "FR", 4);
    let list: &[&[&str]] = &[&["country", "number"], &["region", "country"]];
    let refused = firms.accounts.rig.run(constrained(list));
    let Err(Rejection::Violated(violated)) = refused else { panic!("{refused:?}") };
    assert_eq!((violated.rule, violated.count), (Rule::UniqueTogether(1), 1));
    assert_eq!(violated.first[0].records, [first, second]);
    let values = [Value::Text("north".into()), Value::Text("DE".into())];
    assert_eq!(violated.first[0].values, values);
    assert_eq!(firms.accounts.rig.schema().constraints().len(), 1, "nothing has changed");
    good(firms.accounts.update(second, &[(firms.country, text("IT"))], ArchivedConflict::Refuse));
    firms.accounts.rig.run(constrained(list)).unwrap();
    assert_eq!(taken(firms.add("E", "FR", 9)).0.len(), 2);
    firms.accounts.rig.check();
}

#[test]
fn a_normal_form_is_changed_only_where_the_values_stay_unique_together() {
    let mut firms = Firms::new();
    let normalize = |firms: &Firms, normalizer: Normalizer| {
        let normalizer = Some(normalizer.name().to_owned());
        let change =
            ChangedField { keys: NewField { normalizer, ..NewField::default() }, options: None };
        let (field, change) = (firms.country, Box::new(change));
        Ask::ChangeSchema(SchemaAsk::ChangeField { field, change })
    };
    firms.live("A", "DE", 1);
    firms.accounts.rig.run(normalize(&firms, Normalizer::Exact)).unwrap();
    firms.accounts.rig.check();
    let other = firms.live("B", "de", 1);
    let refused = firms.accounts.rig.run(normalize(&firms, Normalizer::Casefold));
    let Err(Rejection::Violated(violated)) = refused else { panic!("{refused:?}") };
    assert_eq!((violated.rule, violated.count), (Rule::Normalizer, 1));
    assert_eq!(violated.fields.len(), 2);
    firms.archive(other);
    firms.accounts.rig.run(normalize(&firms, Normalizer::Casefold)).unwrap();
    taken(firms.add("C", "dE", 1));
    firms.accounts.rig.check();
}

fn list(rig: &Rig) -> Vec<Vec<String>> {
    let schema = rig.schema();
    let names = |constraint| schema.parts(constraint).map(|field| field.name.clone()).collect();
    schema.constraints().iter().map(names).collect()
}

#[test]
fn a_constraint_goes_with_a_field_of_it() {
    let mut firms = Firms::new();
    firms.accounts.rig.run(constrained(&[&["country", "number"], &["code", "region"]])).unwrap();
    let delete = SchemaAsk::DeleteField(firms.number);
    firms.live("A", "DE", 1);
    firms.accounts.rig.run(Ask::ChangeSchema(delete)).unwrap();
    assert_eq!(list(&firms.accounts.rig), [["code", "region"]]);
    firms.accounts.rig.check();
    let mut moment = crate::model::moment::Moment::new(7, crate::model::table::test_support::BIRTH);
    let schema = pipeline(&mut || moment.id());
    let mut deals = Rig::born(schema, moment);
    let low = "percentage_chance_to_close_low";
    let flag = |is_on, list: Option<&[&str]>| {
        let list = list.map(|fields| vec![fields.iter().map(ToString::to_string).collect()]);
        let include_percentage_to_close = Some(is_on);
        let change = NewObject {
            include_percentage_to_close,
            unique_constraints: list,
            ..NewObject::default()
        };
        Ask::ChangeSchema(SchemaAsk::ChangeObject(Box::new(change)))
    };
    // A field that the same request wakes may be named, one that it puts to sleep may not.
    deals.run(flag(true, Some(&["name", low]))).unwrap();
    assert_eq!(list(&deals), [["name", low]]);
    assert!(matches!(deals.run(flag(false, Some(&["name", low]))), Err(Rejection::Schema(_))));
    deals.run(flag(false, None)).unwrap();
    assert_eq!(list(&deals), Vec::<Vec<String>>::new());
    deals.check();
}

#[test]
fn a_list_keeps_what_stays_and_gives_no_number_twice() {
    let mut firms = Firms::new();
    let rig = &mut firms.accounts.rig;
    let numbers = |rig: &Rig| {
        let schema = rig.schema();
        schema.constraints().iter().map(|it| it.number.0).collect::<Vec<_>>()
    };
    let sequence = rig.table.sequence();
    rig.run(constrained(&[&["country", "number"]])).unwrap();
    assert_eq!((rig.table.sequence(), numbers(rig)), (sequence, vec![1]), "no change");
    rig.run(constrained(&[&["code", "region"], &["country", "number"]])).unwrap();
    assert_eq!(numbers(rig), [2, 1]);
    rig.run(constrained(&[&["number", "country"]])).unwrap();
    assert_eq!(numbers(rig), [3], "in another order it is another one");
    rig.run(constrained(&[])).unwrap();
    rig.run(constrained(&[&["country", "number"]])).unwrap();
    assert_eq!(numbers(rig), [4]);
    let schema = rig.schema();
    let found = schema.constraint_of(&[firms.number, firms.country]).unwrap();
    assert_eq!(found.number, ConstraintNumber(4), "found in whichever order");
    assert_eq!(schema.constraint_of(&[firms.number]), None);
    rig.check();
}

#[test]
fn the_holder_of_a_key_is_found() {
    let mut firms = Firms::new();
    let acme = firms.live("Acme", "DE", 1);
    let rig = &firms.accounts.rig;
    let schema = rig.schema();
    let record = rig.seen(acme).unwrap();
    let constraint = &schema.constraints()[0];
    let claim = joint_claim(&schema, constraint, |field| record.value(field)).unwrap();
    let view = View { table: &rig.table, drafts: &[&rig.draft] };
    assert_eq!(view.claimant(&claim).map(|holder| holder.id()), Some(acme));
    assert_eq!(joint_claim(&schema, constraint, |_| None), None);
}

#[test]
fn what_is_wrong_with_a_list_is_told_with_its_place() {
    let mut firms = Firms::new();
    firms.accounts.rig.add_field(field("done", "checkbox"));
    let mut check = |list: &[&[&str]], expected: &[(&str, SchemaFaultKind)]| {
        let refused = firms.accounts.rig.run(constrained(list));
        let Err(Rejection::Schema(faults)) = refused else { panic!("{list:?}: {refused:?}") };
        let found: Vec<_> =
            faults.into_iter().map(|fault| (fault.place.to_string(), fault.fault)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(place, fault)| ((*place).to_owned(), fault.clone())).collect();
        assert_eq!(found, expected, "{list:?}");
    };
    let few = || {
        ValueFault::Invalid {
            what: "Name two fields at least; one alone is made unique by itself.",
        }
        .into()
    };
    let no_part =
        || ValueFault::Invalid { what: "This field cannot be part of a unique constraint." }.into();
    let unknown = || ValueFault::DoesNotExist { what: "Field" }.into();
    let double = || ValueFault::Invalid { what: "This field is in the constraint already." }.into();
    check(&[&[], &["code"]], &[("unique_constraints[0]", few()), ("unique_constraints[1]", few())]);
    check(
        &[&["code", "region"], &["nothing", "done", "created", "owner"]],
        &[
            ("unique_constraints[1][0]", unknown()),
            ("unique_constraints[1][1]", no_part()),
            ("unique_constraints[1][2]", no_part()),
            ("unique_constraints[1][3]", no_part()),
        ],
    );
    check(&[&["code", "region", "code"]], &[("unique_constraints[0][2]", double())]);
    let again = ValueFault::Invalid { what: "This constraint is in the list already." }.into();
    check(&[&["code", "region"], &["region", "code"]], &[("unique_constraints[1]", again)]);
    let many = ValueFault::LimitExceeded { what: "fields", max: 16 }.into();
    check(&[&["code"; 17]], &[("unique_constraints[0]", many)]);
}

#[test]
fn unique_fields_and_constraints_share_a_limit() {
    let mut rig = Rig::accounts();
    let names: Vec<String> = (0..8).map(|at| format!("f{at}")).collect();
    for name in &names {
        rig.add_field(field(name, "text"));
    }
    let pairs: Vec<[&str; 2]> = (0..names.len())
        .flat_map(|left| (0..left).map(move |right| (left, right)))
        .map(|(left, right)| [&*names[left], &*names[right]])
        .collect();
    let lists: Vec<&[&str]> = pairs.iter().map(|pair| &pair[..]).collect();
    let too_many =
        |max| SchemaFaultKind::LimitExceeded { what: "unique fields and unique constraints", max };
    for count in [UNIQUES_MAX, UNIQUES_MAX + 1] {
        let refused = rig.run(constrained(&lists[..count]));
        let Err(Rejection::Schema(faults)) = refused else { panic!("{refused:?}") };
        assert_eq!((faults.len(), &faults[0].fault), (1, &too_many(UNIQUES_MAX)));
    }
    // The name is unique too.
    rig.run(constrained(&lists[..UNIQUES_MAX - 1])).unwrap();
    let unique = NewField { is_unique: Some(true), ..field("more", "text") };
    let refused = rig.run(Ask::CreateField(Box::new(unique)));
    let Err(Rejection::Schema(faults)) = refused else { panic!("{refused:?}") };
    assert_eq!(faults[0].fault, too_many(UNIQUES_MAX));
}

/// A list that was stored is looked at before anything relies on it.
#[test]
fn a_stored_list_that_does_not_fit_is_refused() {
    let firms = Firms::new();
    let schema = firms.accounts.rig.schema();
    let held = schema.constraints()[0].clone();
    let check = |change: &dyn Fn(&mut crate::model::schema::constraint::Constraint)| {
        let mut constraint = held.clone();
        change(&mut constraint);
        let change = SchemaChange::ConstraintsChanged { constraints: vec![constraint] };
        schema.check_change(&change).is_ok()
    };
    assert!(check(&|_| {}));
    assert!(check(&|it| it.number = ConstraintNumber(2)));
    assert!(!check(&|it| it.number = ConstraintNumber(0)));
    assert!(!check(&|it| it.fields.reverse()), "the number is that of another one");
    let other = |fields: &[FieldNumber]| {
        let fields = fields.to_vec();
        check(&|it| {
            it.number = ConstraintNumber(2);
            it.fields.clone_from(&fields);
        })
    };
    assert!(other(&[firms.number, firms.country]));
    assert!(!other(&[firms.number]));
    assert!(!other(&[firms.number, firms.number]));
    assert!(!other(&[firms.number, FieldNumber(999)]));
    assert!(!other(&[firms.number, system::OWNER]));
}

/// A value that nobody relied on when it was stored is looked at when it becomes part of a key.
#[test]
fn a_damaged_value_is_found_when_a_constraint_needs_it() {
    let mut firms = Firms::new();
    firms.accounts.rig.run(constrained(&[])).unwrap();
    firms.live("A", "x", 1);
    let written = firms.accounts.rig.log.len() - 1;
    firms.accounts.rig.run(constrained(&[&["country", "number"]])).unwrap();
    firms.accounts.rig.check();
    let log = &mut firms.accounts.rig.log;
    let at = log[written].windows(2).rposition(|two| two == [0xa1, b'x']).unwrap();
    // What was a text is a number of the same length.
    log[written][at] = 0xcc;
    let refused = Table::from_birth(&log.concat(), SETTING);
    assert!(matches!(refused, Err(Misfit::Shape { what: "a value" })));
}
