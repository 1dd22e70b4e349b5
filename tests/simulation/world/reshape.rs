//! Changes of a table's schema, written down the naive way: values that lose what they mean are
//! rewritten, where the engine leaves them as they are and reads them otherwise.

use crate::simulation::ask::{CODE, KIND, LABELS, NOTE, PARTNER, STAGE};
use crate::simulation::world::{Answer, Change, Decision, Field, Record, Table, TableName, World};
use upsertd::model::key::Normalizer;

/// What is asked of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reshape {
    Relabel(&'static str, &'static str),
    Delete(&'static str),
    /// Whether each code is a record's own.
    Unique(bool),
    /// What is compared of the codes.
    Normalize(Normalizer),
    AddOption(&'static str, &'static str),
    /// Of another field than the stage, which is only replaced.
    RemoveOption(&'static str, &'static str),
    /// The last one takes the place of the one before.
    ReplaceOption(&'static str, &'static str, &'static str),
}

impl Reshape {
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Relabel(field, _)
            | Self::Delete(field)
            | Self::AddOption(field, _)
            | Self::RemoveOption(field, _)
            | Self::ReplaceOption(field, ..) => field,
            Self::Unique(_) | Self::Normalize(_) => CODE,
        }
    }
}

/// What becomes of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Changed(&'static str, Field),
    Deleted(&'static str),
    OptionAdded(&'static str, &'static str),
    OptionRemoved(&'static str, &'static str, Option<&'static str>),
}

impl World {
    /// What a table makes of a change of its schema; none where it could only be refused for what
    /// is not there.
    pub(crate) fn decide_reshape(&self, name: TableName, asked: Reshape) -> Option<Decision> {
        let table = &self.tables[name];
        let held = table.fields.get(asked.field())?;
        let offers = |option: &str| held.options.contains(&option);
        let shape = match asked {
            Reshape::Relabel(field, label) => {
                Shape::Changed(field, Field { label: label.to_owned(), ..held.clone() })
            }
            Reshape::Delete(STAGE) | Reshape::RemoveOption(STAGE, _) => return None,
            Reshape::Delete(field) => Shape::Deleted(field),
            Reshape::Unique(is_unique) => Shape::Changed(CODE, Field { is_unique, ..held.clone() }),
            Reshape::Normalize(normalizer) => {
                Shape::Changed(CODE, Field { normalizer: Some(normalizer), ..held.clone() })
            }
            Reshape::AddOption(field, option) if !offers(option) => {
                Shape::OptionAdded(field, option)
            }
            Reshape::RemoveOption(field, option) if offers(option) => {
                Shape::OptionRemoved(field, option, None)
            }
            Reshape::ReplaceOption(field, option, by)
                if offers(option) && offers(by) && option != by =>
            {
                Shape::OptionRemoved(field, option, Some(by))
            }
            Reshape::AddOption(..) | Reshape::RemoveOption(..) | Reshape::ReplaceOption(..) => {
                return None;
            }
        };
        let changes = match &shape {
            Shape::Changed(_, field) if field == held => Vec::new(),
            Shape::Changed(_, field) if field.is_unique && table.has_doubles(field) => {
                return Some((Answer::Violated, Vec::new()));
            }
            Shape::Changed(..)
            | Shape::Deleted(_)
            | Shape::OptionAdded(..)
            | Shape::OptionRemoved(..) => vec![Change::Reshaped(name, shape)],
        };
        Some((Answer::Done, changes))
    }
}

impl Table {
    pub(super) fn reshape(&mut self, shape: &Shape) {
        self.sequence += 1;
        match shape {
            Shape::Changed(name, field) => {
                self.fields.insert(name, field.clone());
            }
            Shape::Deleted(name) => {
                self.fields.remove(name);
                self.is_cut_off &= *name != PARTNER;
                self.records.values_mut().for_each(|record| record.forget(name));
            }
            Shape::OptionAdded(field, option) => self.options_mut(field).push(option),
            Shape::OptionRemoved(field, option, successor) => {
                self.options_mut(field).retain(|held| held != option);
                for record in self.records.values_mut() {
                    if record.choices.get(field) == Some(option) {
                        match successor {
                            Some(successor) => drop(record.choices.insert(field, successor)),
                            None => drop(record.choices.remove(field)),
                        }
                    }
                }
            }
        }
    }

    fn options_mut(&mut self, field: &str) -> &mut Vec<&'static str> {
        &mut self.fields.get_mut(field).expect("a field that changes is there").options
    }

    /// Whether two live records have the same code, as this field compares them.
    fn has_doubles(&self, field: &Field) -> bool {
        let live = self.records.values().filter(|record| !record.is_archived);
        let mut codes: Vec<String> =
            live.filter_map(|record| Some(field.normal(record.code.as_ref()?))).collect();
        codes.sort();
        codes.windows(2).any(|pair| pair[0] == pair[1])
    }
}

impl Record {
    /// A record whose field is gone.
    fn forget(&mut self, field: &str) {
        match field {
            NOTE => self.note = None,
            CODE => self.code = None,
            LABELS => self.labels.clear(),
            KIND => drop(self.choices.remove(KIND)),
            PARTNER => self.partner = None,
            other => unreachable!("{other} is not deleted"),
        }
    }
}
