//! The naive table's rules for values that are unique together.

use crate::model::id::{FieldNumber, RecordId};
use crate::model::key::{Key, Normalizer};
use crate::model::schema::field::Field;
use crate::model::table::command::Writes;
use crate::model::table::tests::naive::{Answer, Draft, Held, Naive, NaiveRecord, Together};
use std::collections::BTreeMap;

type Values = BTreeMap<FieldNumber, Held>;

impl Naive {
    /// Constraints that the values after a request would break, but for those of a record that comes
    /// back of which the request writes nothing.
    pub(super) fn taken_together(
        &self,
        at: Option<usize>,
        writes: &Writes,
        draft: &Draft,
    ) -> Vec<Together> {
        let is_back = at.is_some_and(|at| self.records[at].archived.is_some());
        let mut taken = Vec::new();
        for fields in &self.constraints {
            if is_back && !is_written(fields, writes, draft) {
                continue;
            }
            if let Some(holder) = self.holder_together(fields, &draft.values, at) {
                let place = |field: &FieldNumber| {
                    let write = writes.entries.iter().find(|write| write.field == *field);
                    draft.place_of(write.map(|write| write.index), *field)
                };
                taken.push((fields.iter().map(place).collect(), holder));
            }
        }
        taken
    }

    /// Those of a record that comes back of which the request writes nothing.
    pub(super) fn clashes_together(
        &self,
        at: usize,
        writes: &Writes,
        draft: &Draft,
    ) -> Vec<(Vec<FieldNumber>, RecordId)> {
        let unwritten = self.constraints.iter().filter(|fields| !is_written(fields, writes, draft));
        let clash = |fields: &Vec<FieldNumber>| {
            let holder = self.holder_together(fields, &draft.values, Some(at))?;
            Some((fields.clone(), holder))
        };
        unwritten.filter_map(clash).collect()
    }

    fn holder_together(
        &self,
        fields: &[FieldNumber],
        values: &Values,
        but: Option<usize>,
    ) -> Option<RecordId> {
        let keys = self.keys(fields, values)?;
        let mut live = self.records.iter().enumerate().filter(|(_, it)| it.archived.is_none());
        let found = live.find(|(at, record)| {
            Some(*at) != but && self.keys(fields, &record.values).as_ref() == Some(&keys)
        });
        found.map(|(_, record)| record.id)
    }

    /// None where a value is blank.
    fn keys(&self, fields: &[FieldNumber], values: &Values) -> Option<Vec<Key>> {
        self.keys_in(fields, values, |field| field.normalizer)
    }

    fn keys_in(
        &self,
        fields: &[FieldNumber],
        values: &Values,
        form: impl Fn(&Field) -> Option<Normalizer>,
    ) -> Option<Vec<Key>> {
        let mut keys = Vec::new();
        for number in fields {
            let Some(Held::Plain(value)) = values.get(number) else { return None };
            let field = self.schema.by_number(*number).expect("constraints are of such fields");
            keys.push(value.unique_key(form(field))?);
        }
        Some(keys)
    }

    /// Takes another list of constraints, each given by the names of its fields.
    pub(super) fn change_constraints(&mut self, given: &[Vec<String>]) -> Answer {
        let mut list: Vec<Vec<FieldNumber>> = Vec::new();
        for names in given {
            let mut fields = Vec::new();
            for name in names {
                let Some(field) = self.schema.by_name(name) else { return Answer::SchemaFaults };
                if fields.contains(&field.number) || !field.field_type.may_be_unique() {
                    return Answer::SchemaFaults;
                }
                fields.push(field.number);
            }
            let mut sorted = fields.clone();
            sorted.sort();
            let is_double = list.iter().any(|other| {
                let mut other = other.clone();
                other.sort();
                other == sorted
            });
            if fields.len() < 2 || is_double {
                return Answer::SchemaFaults;
            }
            list.push(fields);
        }
        for fields in list.iter().filter(|fields| !self.constraints.contains(fields)) {
            if let Some(violated) = self.broken(fields, |field| field.normalizer) {
                return violated;
            }
        }
        if list != self.constraints {
            self.sequence += 1;
            self.constraints = list;
        }
        Answer::Done
    }

    /// Gives a field another normal form.
    pub(super) fn normalize(&mut self, number: FieldNumber, normalizer: &str) -> Answer {
        let normalizer = Normalizer::parse(normalizer);
        let field = self.schema.by_number(number).expect("no step drops it");
        if normalizer == field.normalizer {
            return Answer::Field(number);
        }
        let form =
            |field: &Field| if field.number == number { normalizer } else { field.normalizer };
        let alone = field.is_unique.then(|| vec![number]);
        let together = self.constraints.iter().filter(|fields| fields.contains(&number)).cloned();
        for fields in alone.into_iter().chain(together) {
            if let Some(violated) = self.broken(&fields, form) {
                return violated;
            }
        }
        self.sequence += 1;
        Answer::Field(number)
    }

    /// What breaks it that these values are unique together.
    fn broken(
        &self,
        fields: &[FieldNumber],
        form: impl Fn(&Field) -> Option<Normalizer>,
    ) -> Option<Answer> {
        let keys = |record: &NaiveRecord| self.keys_in(fields, &record.values, &form);
        let live = || self.records.iter().filter(|record| record.archived.is_none());
        let mut shared: Vec<Vec<RecordId>> = Vec::new();
        for record in live().filter(|record| keys(record).is_some()) {
            let same = live().filter(|other| keys(other) == keys(record));
            let group: Vec<_> = same.map(|other| other.id).collect();
            if group.len() > 1 && !shared.contains(&group) {
                shared.push(group);
            }
        }
        if shared.is_empty() { None } else { Some(Answer::Violated(shared.len(), shared)) }
    }
}

/// An identifier that the request gives in another way is among what was filled in.
fn is_written(fields: &[FieldNumber], writes: &Writes, draft: &Draft) -> bool {
    let is_given = |field: &FieldNumber| {
        draft.filled.contains(field) || writes.entries.iter().any(|write| write.field == *field)
    };
    fields.iter().any(is_given)
}
