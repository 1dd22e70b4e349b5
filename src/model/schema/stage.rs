//! The stages of a pipeline: the options of its field `stage`, and what requests make of them.
//!
//! Must not know JSON, rights or records: values refer to stages by number.

use crate::model::id::{OptionId, OptionNumber};
use crate::model::key::{self, Key};
use crate::model::schema::check::Checks;
use crate::model::schema::fault::{BodyPlace, SchemaFault, SchemaFaultKind};
use crate::model::schema::field::Field;
use crate::model::schema::new_field::invalid;
use crate::model::schema::object::EMPTY_META;
use crate::model::schema::option::{Choice, Choices, Standing};
use crate::model::schema::{Schema, system};
use crate::model::value::fault::ValueFault;
use crate::model::value::number::parse_decimal;
use rust_decimal::Decimal;
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// Stages of one pipeline.
pub const STAGES_MAX: usize = 100;
/// Some write a chance as a part of one, some as one of a hundred: both are kept as they are.
const CHANCE_MAX: Decimal = Decimal::ONE_HUNDRED;

/// The body of a request for a stage, each key if it was given.
#[derive(Clone, Debug, Default)]
pub struct NewStage {
    pub name: Option<String>,
    pub status: Option<String>,
    pub order: Option<i32>,
    pub chance: NewChance,
}

/// What a request says about the chance of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NewChance {
    /// Nothing: it stays.
    #[default]
    Kept,
    Cleared,
    /// A number as it was written.
    Given(String),
}

impl Schema {
    /// The field whose options are the stages; pipelines alone have it.
    #[must_use]
    pub fn stage(&self) -> Option<&Arc<Field>> {
        self.by_number(system::STAGE)
    }

    /// The stage that a request asks for, or everything that is wrong with it.
    pub fn decide_stage(
        &self,
        field: &Field,
        new: &NewStage,
        ids: &mut dyn FnMut() -> Uuid,
    ) -> Result<Choice, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        if field.options.len() >= STAGES_MAX {
            let fault = ValueFault::LimitExceeded { what: "stages", max: STAGES_MAX };
            checks.add(BodyPlace::Body, fault);
        }
        let mut stage = read(new, BodyPlace::Key, &mut checks);
        if field.options.by_label(&stage.name).is_some() {
            checks.add("name", SchemaFaultKind::UniqueStage);
        }
        let last = field.options.iter().map(|held| held.order).max();
        stage.order = new.order.unwrap_or_else(|| last.map_or(0, |last| last.saturating_add(1)));
        checks.end()?;
        Ok(Choice { number: self.next_option(), id: OptionId(ids()), ..stage })
    }
}

impl Field {
    /// The stage as a request wants it: what is not given stays.
    pub fn decide_stage_change(
        &self,
        held: &Choice,
        change: &NewStage,
    ) -> Result<Choice, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        let mut changed = held.clone();
        if change.name.is_some() {
            changed.name = checks.label("name", change.name.as_deref());
            let other = self.options.by_label(&changed.name);
            if other.is_some_and(|other| other.number != held.number) {
                checks.add("name", SchemaFaultKind::UniqueStage);
            }
        }
        if change.status.is_some() {
            changed.status = Some(read_status(change, BodyPlace::Key, &mut checks));
        }
        changed.order = change.order.unwrap_or(held.order);
        if change.chance != NewChance::Kept {
            changed.chance = read_chance(change, BodyPlace::Key, &mut checks);
        }
        checks.end().map(|()| changed)
    }

    /// The stage that goes, and the one that takes its place, so that one is always left.
    pub fn decide_stage_removal(
        &self,
        stage: Option<&str>,
        successor: Option<&str>,
    ) -> Result<(OptionNumber, OptionNumber), Vec<SchemaFault>> {
        let mut checks = Checks::default();
        let stage = self.find_stage("id", stage, &mut checks);
        let successor = self.find_stage("new_stage_id", successor, &mut checks);
        if stage.is_some() && stage == successor {
            checks.add("new_stage_id", invalid("A stage cannot take its own place."));
        }
        checks.end()?;
        let found = stage.zip(successor);
        Ok(found.expect("a stage that is not there is a fault"))
    }

    fn find_stage(
        &self,
        key: &'static str,
        given: Option<&str>,
        checks: &mut Checks,
    ) -> Option<OptionNumber> {
        let Some(given) = given else {
            checks.add(key, ValueFault::Required);
            return None;
        };
        let Some(id) = OptionId::parse(given.trim()) else {
            checks.add(key, invalid("Must be a valid UUID."));
            return None;
        };
        let found = self.options.by_id(id);
        if found.is_none() {
            checks.add(key, ValueFault::DoesNotExist { what: "Stage" });
        }
        found.map(|stage| stage.number)
    }
}

/// The stages of a new pipeline; there must be one at least.
pub(super) fn read_stages(
    given: Option<&[NewStage]>,
    ids: &mut dyn FnMut() -> Uuid,
    checks: &mut Checks,
) -> Choices {
    const LIST: &str = "pipeline.stages";
    let place = BodyPlace::Inner { map: "pipeline", key: "stages" };
    let Some(given) = given else {
        checks.add(place, ValueFault::Required);
        return Choices::default();
    };
    if given.is_empty() {
        checks.add(place, invalid("A pipeline has one stage at least."));
    } else if given.len() > STAGES_MAX {
        checks.add(place, ValueFault::LimitExceeded { what: "stages", max: STAGES_MAX });
        return Choices::default();
    }
    let mut names: HashSet<Key> = HashSet::new();
    let mut stages = Vec::with_capacity(given.len());
    for (index, (number, new)) in (1..).zip(given).enumerate() {
        let place = |key| BodyPlace::Entry { list: LIST, index, key };
        let stage = read(new, place, checks);
        if !stage.name.is_empty() && !names.insert(key::option_key(&stage.name)) {
            checks.add(place("name"), SchemaFaultKind::UniqueStage);
        }
        let position = i32::try_from(index).expect("there are few stages");
        let order = new.order.unwrap_or(position);
        stages.push(Choice { number: OptionNumber(number), id: OptionId(ids()), order, ..stage });
    }
    stages.into()
}

/// A stage but for its number, id and order.
fn read(
    new: &NewStage,
    place: impl Fn(&'static str) -> BodyPlace + Copy,
    checks: &mut Checks,
) -> Choice {
    Choice {
        number: OptionNumber::default(),
        id: OptionId(Uuid::nil()),
        name: checks.label(place("name"), new.name.as_deref()),
        code: String::new(),
        order: 0,
        meta: EMPTY_META.to_owned(),
        status: Some(read_status(new, place, checks)),
        chance: read_chance(new, place, checks),
    }
}

fn read_status(
    new: &NewStage,
    place: impl Fn(&'static str) -> BodyPlace,
    checks: &mut Checks,
) -> Standing {
    checks.choice(place("status"), new.status.as_deref(), Standing::parse)
}

fn read_chance(
    new: &NewStage,
    place: impl Fn(&'static str) -> BodyPlace,
    checks: &mut Checks,
) -> Option<Decimal> {
    let given = match &new.chance {
        NewChance::Kept | NewChance::Cleared => return None,
        NewChance::Given(given) => given,
    };
    let place = place("percentage_chance_to_close");
    let Some(chance) = parse_decimal(given).map(|chance| chance.normalize()) else {
        checks.add(place, invalid("A valid number is required."));
        return None;
    };
    if chance < Decimal::ZERO {
        checks.add(place, ValueFault::TooSmall { min: Decimal::ZERO });
    } else if chance > CHANCE_MAX {
        checks.add(place, ValueFault::TooLarge { max: CHANCE_MAX });
    }
    Some(chance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::Timestamp;
    use crate::model::schema::new_object::{Founder, NewObject, NewPipeline};

    fn stage(name: &str) -> NewStage {
        NewStage { name: Some(name.to_owned()), ..NewStage::default() }
    }

    fn chance(spelling: &str) -> NewStage {
        NewStage { chance: NewChance::Given(spelling.to_owned()), ..NewStage::default() }
    }

    fn ids() -> impl FnMut() -> Uuid {
        let mut number = 0;
        move || {
            number += 1;
            Uuid::from_u128(number)
        }
    }

    fn decide(stages: Option<Vec<NewStage>>) -> Result<Schema, Vec<SchemaFault>> {
        let new = NewObject {
            object_name: Some("Deals".to_owned()),
            object_type: Some("pipeline".to_owned()),
            pipeline: Some(NewPipeline { stages }),
            ..NewObject::default()
        };
        new.decide(Founder { member: None, at: Timestamp(0) }, &|_| false, &mut ids())
    }

    /// Stages New, Won and Lost.
    fn deals() -> Schema {
        let status =
            |name: &str, status: &str| NewStage { status: Some(status.to_owned()), ..stage(name) };
        let won = NewStage { order: Some(7), ..status("Won", "won") };
        let new = NewStage { name: Some(" New ".to_owned()), ..chance("0.250") };
        decide(Some(vec![new, won, status("Lost", "lost")])).unwrap()
    }

    fn told<T>(answer: Result<T, Vec<SchemaFault>>) -> Vec<(String, SchemaFaultKind)> {
        let faults = answer.err().unwrap_or_default();
        faults.into_iter().map(|fault| (fault.place.to_string(), fault.fault)).collect()
    }

    fn at(place: &str, fault: impl Into<SchemaFaultKind>) -> (String, SchemaFaultKind) {
        (place.to_owned(), fault.into())
    }

    #[test]
    fn stages_are_open_and_in_the_order_given_unless_they_say_otherwise() {
        let schema = deals();
        let field = schema.stage().unwrap();
        assert!(field.is_required && field.number == system::STAGE);
        let found: Vec<_> = (field.options.iter())
            .map(|held| (held.number.0, &*held.name, held.status, held.order, held.chance))
            .collect();
        let quarter = Some(Decimal::new(25, 2));
        let expected = [
            (1, "New", Some(Standing::Open), 0, quarter),
            (2, "Won", Some(Standing::Won), 7, None),
            (3, "Lost", Some(Standing::Lost), 2, None),
        ];
        assert_eq!(found, expected);
        assert_eq!(schema.next_option(), OptionNumber(4));
        let shown: Vec<_> = field.options.in_order().iter().map(|held| held.number.0).collect();
        assert_eq!(shown, [1, 3, 2]);
        let last = schema.decide_stage(field, &stage("Late"), &mut ids()).unwrap();
        assert_eq!(
            (last.number, last.order, last.status),
            (OptionNumber(4), 8, Some(Standing::Open))
        );
    }

    #[test]
    fn what_is_wrong_with_the_stages_of_a_new_pipeline_is_told_with_its_place() {
        let list = "pipeline.stages";
        assert_eq!(told(decide(None)), [at(list, ValueFault::Required)]);
        let what = "A pipeline has one stage at least.";
        assert_eq!(told(decide(Some(vec![]))), [at(list, invalid(what))]);
        let many = |count: usize| (0..count).map(|number| stage(&format!("s{number}"))).collect();
        assert_eq!(told(decide(Some(many(100)))), []);
        let limit = ValueFault::LimitExceeded { what: "stages", max: 100 };
        assert_eq!(told(decide(Some(many(101)))), [at(list, limit)]);
        let wrong = NewStage { status: Some("Won".to_owned()), ..stage("NEW") };
        let faulty = decide(Some(vec![stage("New"), wrong, NewStage::default(), stage(" ")]));
        let choice = ValueFault::InvalidChoice { given: "Won".into() };
        let expected = [
            at("pipeline.stages[1].status", choice),
            at("pipeline.stages[1].name", SchemaFaultKind::UniqueStage),
            at("pipeline.stages[2].name", ValueFault::Required),
            at("pipeline.stages[3].name", ValueFault::Blank),
        ];
        assert_eq!(told(faulty), expected);
    }

    #[test]
    fn what_is_not_given_of_a_stage_stays() {
        let schema = deals();
        let field = schema.stage().unwrap();
        let held = field.options.by_label("new").unwrap();
        assert_eq!(field.decide_stage_change(held, &NewStage::default()).as_ref(), Ok(held));
        let change = NewStage {
            status: Some("won".to_owned()),
            order: Some(-3),
            chance: NewChance::Cleared,
            ..stage("NEW")
        };
        let expected = Choice {
            name: "NEW".to_owned(),
            status: Some(Standing::Won),
            order: -3,
            chance: None,
            ..held.clone()
        };
        assert_eq!(field.decide_stage_change(held, &change), Ok(expected));
    }

    #[test]
    fn a_bad_stage_is_refused_with_its_key() {
        let schema = deals();
        let field = schema.stage().unwrap();
        let held = field.options.by_label("New").unwrap();
        let check = |new: NewStage, expected: (String, SchemaFaultKind)| {
            let changed = field.decide_stage_change(held, &new);
            assert_eq!(told(changed), std::slice::from_ref(&expected));
            let new = NewStage { name: new.name.or(Some("Late".to_owned())), ..new };
            assert_eq!(told(schema.decide_stage(field, &new, &mut ids())), [expected]);
        };
        let key = "percentage_chance_to_close";
        check(stage("won"), at("name", SchemaFaultKind::UniqueStage));
        check(stage(" "), at("name", ValueFault::Blank));
        check(chance("-0.01"), at(key, ValueFault::TooSmall { min: Decimal::ZERO }));
        check(chance("100.000001"), at(key, ValueFault::TooLarge { max: CHANCE_MAX }));
        for spelling in ["half", "", "0.1234567"] {
            check(chance(spelling), at(key, invalid("A valid number is required.")));
        }
        for spelling in ["0", "-0", "100", "0.123456"] {
            assert!(field.decide_stage_change(held, &chance(spelling)).is_ok(), "{spelling}");
        }
        let status = NewStage { status: Some("closed".to_owned()), ..NewStage::default() };
        check(status, at("status", ValueFault::InvalidChoice { given: "closed".into() }));
    }

    #[test]
    fn a_pipeline_has_a_hundred_stages_and_no_more() {
        let mut schema = deals();
        let add = |schema: &Schema| {
            let new = stage(&format!("s{}", schema.next_option()));
            schema.decide_stage(schema.stage().unwrap(), &new, &mut ids())
        };
        while schema.stage().unwrap().options.len() < 100 {
            let made = add(&schema).unwrap();
            schema = schema.with_option(system::STAGE, made);
        }
        let limit = ValueFault::LimitExceeded { what: "stages", max: 100 };
        assert_eq!(told(add(&schema)), [at("body", limit)]);
    }

    #[test]
    fn a_stage_goes_only_where_another_takes_its_place() {
        let schema = deals();
        let field = schema.stage().unwrap();
        let id = |name: &str| field.options.by_label(name).unwrap().id.to_string();
        let (new, won) = (id("New"), id("Won"));
        let decide = |stage: Option<&str>, by: Option<&str>| field.decide_stage_removal(stage, by);
        let numbers = (OptionNumber(1), OptionNumber(2));
        assert_eq!(decide(Some(&new.to_uppercase()), Some(&won)), Ok(numbers));
        let required = || ValueFault::Required;
        let neither = [at("id", required()), at("new_stage_id", required())];
        assert_eq!(told(decide(None, None)), neither);
        let unknown = Uuid::nil().to_string();
        let nowhere = ValueFault::DoesNotExist { what: "Stage" };
        let no_id = invalid("Must be a valid UUID.");
        let faulty = [at("id", no_id), at("new_stage_id", nowhere)];
        assert_eq!(told(decide(Some("New"), Some(&unknown))), faulty);
        let own = invalid("A stage cannot take its own place.");
        assert_eq!(told(decide(Some(&new), Some(&new))), [at("new_stage_id", own)]);
    }
}
