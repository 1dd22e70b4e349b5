//! The naive table's rules for pipelines: where a record begins, what a move does, and when a record
//! was closed.

use crate::model::id::{OptionId, RecordId};
use crate::model::key::IdentifierCase;
use crate::model::schema::new_object::NewObject;
use crate::model::schema::option::Standing;
use crate::model::schema::stage::NewStage;
use crate::model::schema::system;
use crate::model::table::command::{ArchivedConflict, EntryIndex, Place, Write, Writes};
use crate::model::table::decide::ConflictParameter;
use crate::model::table::tests::naive::{Answer, Draft, Held, Naive, NaiveRecord, fault};
use crate::model::value::fault::ValueFault;
use crate::model::value::{Change, Value};

impl Naive {
    pub(super) fn fill_stage(&self, draft: &mut Draft) {
        let Some(field) = self.schema.stage() else { return };
        if draft.values.contains_key(&system::STAGE) || draft.blames(system::STAGE) {
            return;
        }
        let first = field.options.iter().min_by_key(|held| (held.order, held.number));
        let first = first.expect("a pipeline has a stage").number;
        draft.values.insert(system::STAGE, Held::Plain(Value::Choice(first)));
    }

    /// What a change of the stage makes of the date on which the record was closed.
    pub(super) fn settle(&self, at: Option<usize>, draft: &mut Draft) {
        let Some(field) = self.schema.stage() else { return };
        let means = |held: Option<&Held>| held.and_then(|held| self.means(held));
        let old = at.map(|at| &self.records[at].values);
        let before = means(old.and_then(|values| values.get(&system::STAGE)));
        let after = means(draft.values.get(&system::STAGE));
        if before == after {
            return;
        }
        let is_won = |stage| {
            let held = field.options.iter().find(|held| Some(held.number) == stage);
            held.is_some_and(|held| held.status == Some(Standing::Won))
        };
        let date = draft.values.remove(&system::ACTUAL_CLOSE_DATE);
        let date = match (is_won(before), is_won(after)) {
            (_, false) => None,
            (true, true) => date.or(Some(Held::Plain(Value::Datetime(self.at)))),
            (false, true) => Some(Held::Plain(Value::Datetime(self.at))),
        };
        draft.values.extend(date.map(|date| (system::ACTUAL_CLOSE_DATE, date)));
    }

    pub(super) fn move_record(&mut self, id: RecordId, stage: OptionId) -> Answer {
        let Some(at) = self.live(id) else { return Answer::NotFound };
        let held = self.schema.stage().and_then(|field| field.options.by_id(stage));
        let Some(stage) = held.map(|held| held.number) else {
            let why = ValueFault::DoesNotExist { what: "Stage" };
            return Answer::Faults(vec![fault(Place::Stage, why)]);
        };
        let change = Change::Set(Value::Choice(stage));
        let entries = vec![Write { index: EntryIndex::default(), field: system::STAGE, change }];
        let writes = Writes { entries, ..Writes::default() };
        self.change(at, &writes, (ArchivedConflict::Refuse, ConflictParameter::None), false)
    }

    pub(super) fn create_stage(&mut self) -> Answer {
        if self.schema.stage().is_none() {
            return Answer::UnknownField;
        }
        self.sequence += 1;
        Answer::Option
    }

    pub(super) fn change_stage(&mut self, stage: OptionId, change: &NewStage) -> Answer {
        let held = self.schema.stage().and_then(|field| field.options.by_id(stage));
        let Some(held) = held else { return Answer::UnknownField };
        let status = held.status.map(Standing::name);
        if (change.status.as_deref(), change.order) != (status, Some(held.order)) {
            self.sequence += 1;
        }
        Answer::Option
    }

    pub(super) fn remove_stage(&mut self, stage: &str, successor: &str) -> Answer {
        let Some(field) = self.schema.stage() else { return Answer::UnknownField };
        let number = |id| {
            let id = OptionId::parse(id).expect("steps name ids");
            field.options.by_id(id).map(|held| held.number)
        };
        match (number(stage), number(successor)) {
            (Some(gone), Some(successor)) if gone != successor => {
                self.sequence += 1;
                self.gone.push((gone, Some(successor)));
                Answer::Option
            }
            (_, _) => Answer::SchemaFaults,
        }
    }

    /// Switches a flag, or how names match.
    pub(super) fn change_object(&mut self, change: &NewObject) -> Answer {
        if let Some(case) = change.identifier_case.as_deref().and_then(IdentifierCase::parse) {
            return self.change_case(case);
        }
        if let Some(given) = &change.unique_constraints {
            return self.change_constraints(given);
        }
        if change.track_entity_value != Some(self.schema.object().track_entity_value) {
            self.sequence += 1;
        }
        Answer::Done
    }

    fn change_case(&mut self, case: IdentifierCase) -> Answer {
        if case == self.schema.identifier_case() {
            return Answer::Done;
        }
        if self.schema.is_contacts() {
            return Answer::SchemaFaults;
        }
        let key = |record: &NaiveRecord| {
            self.name_of(record).and_then(|name| case.normalizer().key(name))
        };
        let mut shared: Vec<Vec<RecordId>> = Vec::new();
        for record in &self.records {
            let same = self.records.iter().filter(|other| key(other) == key(record));
            let group: Vec<_> = same.map(|other| other.id).collect();
            if group.len() > 1 && key(record).is_some() && !shared.contains(&group) {
                shared.push(group);
            }
        }
        if shared.is_empty() {
            self.sequence += 1;
            return Answer::Done;
        }
        Answer::Violated(shared.len(), shared)
    }
}
