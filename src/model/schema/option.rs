//! Options of a choice field, and how they are found.
//!
//! Must not know which field they belong to or who refers to them.

use crate::model::id::{OptionId, OptionNumber};
use crate::model::key::{self, Key};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// One option.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    pub number: OptionNumber,
    pub id: OptionId,
    /// The label; no two of a field are equal without case.
    pub name: String,
    /// A word for programs; empty when none was given.
    pub code: String,
    pub order: i32,
    /// The text of a JSON object, kept as it was given.
    pub meta: String,
    /// Of an option of a status field, and of a stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Standing>,
    /// Of a stage that was given one: how likely its records are to close. Nothing follows from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<Decimal>,
}

/// What an option of a status field, or a stage, says about how things stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    #[default]
    Open,
    Won,
    Lost,
    Disqualified,
}

impl Standing {
    pub const ALL: [Self; 4] = [Self::Open, Self::Won, Self::Lost, Self::Disqualified];

    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Disqualified => "disqualified",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.name() == name)
    }
}

/// The options of one field, and what became of those that were replaced. Stored as a plain list;
/// the look-ups are made when it is loaded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<StoredChoice>", into = "Vec<StoredChoice>")]
pub struct Choices {
    list: Vec<Choice>,
    /// What a value that chose a replaced option means now. Never a chain: the target is in `list`.
    successors: BTreeMap<OptionNumber, OptionNumber>,
    by_number: HashMap<OptionNumber, usize>,
    by_id: HashMap<OptionId, usize>,
    by_code: HashMap<Key, usize>,
    by_label: HashMap<Key, usize>,
}

impl Choices {
    /// The option that a stored number means now: its own, or the one that has replaced it.
    #[must_use]
    pub fn get(&self, number: OptionNumber) -> Option<&Choice> {
        let number = self.successors.get(&number).unwrap_or(&number);
        self.by_number.get(number).map(|at| &self.list[*at])
    }

    /// What is left of stored numbers, each option once, in the order given.
    #[must_use]
    pub fn left(&self, numbers: &[OptionNumber]) -> Vec<OptionNumber> {
        let mut left: Vec<OptionNumber> = Vec::with_capacity(numbers.len());
        for choice in numbers.iter().filter_map(|number| self.get(*number)) {
            if !left.contains(&choice.number) {
                left.push(choice.number);
            }
        }
        left
    }

    #[must_use]
    pub fn by_id(&self, id: OptionId) -> Option<&Choice> {
        self.by_id.get(&id).map(|at| &self.list[*at])
    }

    /// By code, without case; of several with the same code the oldest.
    #[must_use]
    pub fn by_code(&self, code: &str) -> Option<&Choice> {
        self.by_code.get(&key::option_key(code)).map(|at| &self.list[*at])
    }

    /// By label, without case.
    #[must_use]
    pub fn by_label(&self, label: &str) -> Option<&Choice> {
        self.by_label.get(&key::option_key(label)).map(|at| &self.list[*at])
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them as they are shown: of equal order, the older one first.
    #[must_use]
    pub fn in_order(&self) -> Vec<&Choice> {
        let mut shown: Vec<&Choice> = self.list.iter().collect();
        shown.sort_by_key(|choice| choice.order);
        shown
    }

    /// The first of them as they are shown.
    #[must_use]
    pub fn first(&self) -> Option<&Choice> {
        self.list.iter().min_by_key(|choice| choice.order)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, Choice> {
        self.list.iter()
    }

    /// Adds one. That its label is new was checked by whoever decided it.
    pub fn push(&mut self, choice: Choice) {
        self.note(&choice, self.list.len());
        self.list.push(choice);
    }

    /// Puts an option in the place of the one of its number.
    ///
    /// # Panics
    /// Where there is none: an event fits the schema it was decided on.
    pub fn change(&mut self, choice: Choice) {
        let at = *self.by_number.get(&choice.number).expect("the event's option is in the schema");
        self.list[at] = choice;
        self.note_all();
    }

    /// Takes an option out. Values that mean it mean its successor from now on, or nothing.
    pub fn remove(&mut self, number: OptionNumber, successor: Option<OptionNumber>) {
        self.list.retain(|choice| choice.number != number);
        match successor {
            Some(successor) => {
                let own = self.successors.values_mut().filter(|target| **target == number);
                own.for_each(|target| *target = successor);
                self.successors.insert(number, successor);
            }
            None => self.successors.retain(|_, target| *target != number),
        }
        self.note_all();
    }

    fn note(&mut self, choice: &Choice, at: usize) {
        self.by_number.insert(choice.number, at);
        self.by_id.insert(choice.id, at);
        if !choice.code.is_empty() {
            self.by_code.entry(key::option_key(&choice.code)).or_insert(at);
        }
        self.by_label.entry(key::option_key(&choice.name)).or_insert(at);
    }

    /// Makes the look-ups anew.
    fn note_all(&mut self) {
        let (list, successors) =
            (std::mem::take(&mut self.list), std::mem::take(&mut self.successors));
        *self = Self { successors, ..Self::default() };
        for choice in list {
            self.push(choice);
        }
    }
}

impl PartialEq for Choices {
    /// The look-ups follow from the rest.
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list && self.successors == other.successors
    }
}

impl From<Vec<Choice>> for Choices {
    fn from(list: Vec<Choice>) -> Self {
        let mut choices = Self::default();
        for choice in list {
            choices.push(choice);
        }
        choices
    }
}

impl<'a> IntoIterator for &'a Choices {
    type Item = &'a Choice;
    type IntoIter = std::slice::Iter<'a, Choice>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// An entry of the stored list: an option, or the number of one that was replaced, and by which.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct StoredChoice {
    number: OptionNumber,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<OptionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Standing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chance: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    successor: Option<OptionNumber>,
}

/// A stored list of options that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("option {number} is neither an option nor replaced by one")]
struct NoChoice {
    number: OptionNumber,
}

impl From<Choices> for Vec<StoredChoice> {
    fn from(choices: Choices) -> Self {
        let shown = choices.list.into_iter().map(|choice| StoredChoice {
            number: choice.number,
            id: Some(choice.id),
            name: Some(choice.name),
            code: Some(choice.code),
            order: Some(choice.order),
            meta: Some(choice.meta),
            status: choice.status,
            chance: choice.chance,
            successor: None,
        });
        let replaced = choices.successors.into_iter().map(|(number, successor)| StoredChoice {
            number,
            successor: Some(successor),
            ..StoredChoice::default()
        });
        shown.chain(replaced).collect()
    }
}

impl TryFrom<Vec<StoredChoice>> for Choices {
    type Error = NoChoice;

    fn try_from(stored: Vec<StoredChoice>) -> Result<Self, NoChoice> {
        let mut choices = Self::default();
        for entry in stored {
            let number = entry.number;
            let StoredChoice { id, name, code, order, meta, status, chance, successor, .. } = entry;
            match (id, name, code, order, meta, successor) {
                (Some(id), Some(name), Some(code), Some(order), Some(meta), None) => {
                    choices.push(Choice { number, id, name, code, order, meta, status, chance });
                }
                (None, None, None, None, None, Some(successor)) => {
                    choices.successors.insert(number, successor);
                }
                (_, _, _, _, _, _) => return Err(NoChoice { number }),
            }
        }
        let is_there = |target| choices.by_number.contains_key(target);
        match choices.successors.iter().find(|(_, target)| !is_there(target)) {
            Some((number, _)) => Err(NoChoice { number: *number }),
            None => Ok(choices),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn choice(number: u32, name: &str) -> Choice {
        Choice {
            number: OptionNumber(number),
            id: OptionId(Uuid::from_u128(number.into())),
            name: name.to_owned(),
            code: name.to_lowercase(),
            order: 0,
            meta: "{}".to_owned(),
            status: (number.is_multiple_of(2)).then_some(Standing::Won),
            chance: (number == 3).then(|| Decimal::new(25, 2)),
        }
    }

    fn choices() -> Choices {
        vec![choice(1, "North"), choice(2, "South"), choice(3, "East"), choice(4, "West")].into()
    }

    /// What each of the numbers 1 to 5 means; 0 is nothing.
    fn check(choices: &Choices, expected: [u32; 5]) {
        let stored = rmp_serde::to_vec_named(choices).unwrap();
        let read: Choices = rmp_serde::from_slice(&stored).unwrap();
        assert_eq!(&read, choices);
        for choices in [choices, &read] {
            let meaning =
                |number| choices.get(OptionNumber(number)).map_or(0, |held| held.number.0);
            assert_eq!([1, 2, 3, 4, 5].map(meaning), expected);
            for held in choices {
                assert_eq!(choices.by_id(held.id), Some(held));
                assert_eq!(choices.by_label(&held.name.to_uppercase()), Some(held));
                assert_eq!(choices.by_code(&held.code), Some(held));
            }
        }
    }

    #[test]
    fn a_replaced_option_means_its_successor_however_often_that_is_replaced() {
        let mut choices = choices();
        choices.remove(OptionNumber(1), Some(OptionNumber(2)));
        check(&choices, [2, 2, 3, 4, 0]);
        choices.remove(OptionNumber(2), Some(OptionNumber(3)));
        check(&choices, [3, 3, 3, 4, 0]);
        choices.remove(OptionNumber(4), None);
        check(&choices, [3, 3, 3, 0, 0]);
        choices.remove(OptionNumber(3), None);
        check(&choices, [0; 5]);
        assert_eq!(choices, Choices::default(), "nothing is kept of what means nothing");
    }

    #[test]
    fn a_changed_option_is_found_by_its_new_names_alone() {
        let mut choices = choices();
        choices.change(choice(2, "Down"));
        check(&choices, [1, 2, 3, 4, 0]);
        assert_eq!(choices.by_label("south"), None);
        assert_eq!(choices.by_code("south"), None);
        let order: Vec<_> = choices.iter().map(|held| held.number.0).collect();
        assert_eq!(order, [1, 2, 3, 4], "it keeps its place");
    }

    #[test]
    fn a_stored_list_that_leads_nowhere_is_refused() {
        let check = |stored: StoredChoice| {
            let bytes = rmp_serde::to_vec_named(&vec![stored]).unwrap();
            assert!(rmp_serde::from_slice::<Choices>(&bytes).is_err());
        };
        let number = OptionNumber(7);
        check(StoredChoice { number, ..StoredChoice::default() });
        let successor = Some(OptionNumber(8));
        check(StoredChoice { number, successor, ..StoredChoice::default() });
    }
}
