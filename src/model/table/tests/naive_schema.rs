//! The naive table's rules for changes of the schema: what becomes of values, and what is in the way
//! of a new rule.

use crate::model::id::{FieldNumber, MemberId, OptionId, OptionNumber, RecordId};
use crate::model::schema::changed_field::ChangedField;
use crate::model::schema::field::Field;
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::tests::naive::{Answer, Held, Naive, NaiveRecord};
use crate::model::value::Value;

impl Naive {
    pub(super) fn change_schema(&mut self, asked: &SchemaAsk) -> Answer {
        match asked {
            SchemaAsk::RemoveOption { field, option } => self.drop_option(*field, *option, None),
            SchemaAsk::ReplaceOption { field, option, by } => {
                let by = by.as_deref().and_then(OptionId::parse).expect("steps name an id");
                self.drop_option(*field, *option, Some(by))
            }
            SchemaAsk::DeleteField(field) => self.delete_field(*field),
            SchemaAsk::ChangeField { field, change } => match change.keys.normalizer.as_deref() {
                Some(normalizer) => self.normalize(*field, normalizer),
                None => self.switch(*field, change),
            },
            SchemaAsk::ChangeObject(change) => self.change_object(change),
            SchemaAsk::CreateStage(_) => self.create_stage(),
            SchemaAsk::ChangeStage { stage, change } => self.change_stage(*stage, change),
            SchemaAsk::RemoveStage { stage, successor } => {
                let id = |given: &Option<String>| given.clone().expect("steps name an id");
                self.remove_stage(&id(stage), &id(successor))
            }
            SchemaAsk::ChangeOption { .. }
            | SchemaAsk::RemoveMember(_)
            | SchemaAsk::ShowMirror(_)
            | SchemaAsk::DropMirror(_)
            | SchemaAsk::ArchiveObject
            | SchemaAsk::CreateCategory(_)
            | SchemaAsk::ChangeCategory { .. }
            | SchemaAsk::DeleteCategory(_) => panic!("no step asks for {asked:?}"),
        }
    }

    fn drop_option(&mut self, field: FieldNumber, gone: OptionId, by: Option<OptionId>) -> Answer {
        let number = |id: OptionId| {
            let held = self.schema.by_number(field).and_then(|field| field.options.by_id(id));
            held.expect("steps name options that are there").number
        };
        let (gone, successor) = (number(gone), by.map(number));
        if successor == Some(gone) {
            return Answer::SchemaFaults;
        }
        self.sequence += 1;
        self.gone.push((gone, successor));
        if successor.is_some() { Answer::Option } else { Answer::Done }
    }

    fn delete_field(&mut self, number: FieldNumber) -> Answer {
        match self.schema.by_number(number) {
            None => Answer::UnknownField,
            Some(field) if !field.is_deletable => Answer::SchemaFaults,
            Some(_) => {
                self.sequence += 1;
                self.constraints.retain(|fields| !fields.contains(&number));
                for record in &mut self.records {
                    record.values.remove(&number);
                }
                Answer::Done
            }
        }
    }

    /// Switches whether a field is unique or required.
    fn switch(&mut self, number: FieldNumber, change: &ChangedField) -> Answer {
        let Some(held) = self.schema.by_number(number) else { return Answer::UnknownField };
        let is_required = change.keys.is_required.unwrap_or(held.is_required);
        let is_unique = change.keys.is_unique.unwrap_or(held.is_unique);
        let live = || self.records.iter().filter(|record| record.archived.is_none());
        if is_required && !held.is_required {
            let lacks = |record: &&NaiveRecord| {
                record.values.get(&number).is_none_or(|value| self.is_blank(value))
            };
            let lacking: Vec<_> = live().filter(lacks).map(|record| vec![record.id]).collect();
            if !lacking.is_empty() {
                return Answer::Violated(lacking.len(), lacking);
            }
        }
        if is_unique && !held.is_unique {
            let mut shared: Vec<Vec<RecordId>> = Vec::new();
            for record in live() {
                let same = |other: &&NaiveRecord| share(held, record, other);
                let group: Vec<_> = live().filter(same).map(|other| other.id).collect();
                if group.len() > 1 && !shared.contains(&group) {
                    shared.push(group);
                }
            }
            if !shared.is_empty() {
                return Answer::Violated(shared.len(), shared);
            }
        }
        if (is_required, is_unique) != (held.is_required, held.is_unique) {
            self.sequence += 1;
        }
        Answer::Field(number)
    }

    /// The option that a value means now.
    pub(super) fn means(&self, held: &Held) -> Option<OptionNumber> {
        let Held::Plain(Value::Choice(option)) = held else { return None };
        let went = |option: OptionNumber| self.gone.iter().find(|(gone, _)| *gone == option);
        let mut option = *option;
        while let Some((_, successor)) = went(option) {
            option = (*successor)?;
        }
        Some(option)
    }

    /// Those of a value's members who are there.
    pub(super) fn left(&self, held: &Held) -> Option<Vec<MemberId>> {
        let members = match held {
            Held::Plain(Value::Member(member)) => vec![*member],
            Held::Plain(Value::Members(members)) => members.clone(),
            Held::Plain(_) | Held::Tags(_) => return None,
        };
        Some(members.into_iter().filter(|member| self.members.get(member).is_some()).collect())
    }

    /// Whether a value was of an option, or of members, that are gone.
    pub(super) fn is_blank(&self, held: &Held) -> bool {
        let is_of_option = matches!(held, Held::Plain(Value::Choice(_)));
        let is_of_nobody = self.left(held).is_some_and(|left| left.is_empty());
        is_of_nobody || (is_of_option && self.means(held).is_none())
    }
}

/// Whether two records have the same value of a field.
fn share(field: &Field, left: &NaiveRecord, right: &NaiveRecord) -> bool {
    let key = |record: &NaiveRecord| match record.values.get(&field.number) {
        Some(Held::Plain(value)) => value.unique_key(field.normalizer),
        Some(Held::Tags(_)) | None => None,
    };
    key(left).is_some() && key(left) == key(right)
}
