//! Options of a choice field, and how they are found.
//!
//! Must not know which field they belong to or who refers to them.

use crate::model::id::{OptionId, OptionNumber};
use crate::model::key::{self, Key};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

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
    /// Of an option of a status field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Standing>,
}

/// What an option of a status field says about how things stand.
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

/// The options of one field. Stored as a plain list; the look-ups are made when it is loaded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Choice>", into = "Vec<Choice>")]
pub struct Choices {
    list: Vec<Choice>,
    by_number: HashMap<OptionNumber, usize>,
    by_id: HashMap<OptionId, usize>,
    by_code: HashMap<Key, usize>,
    by_label: HashMap<Key, usize>,
}

impl Choices {
    #[must_use]
    pub fn get(&self, number: OptionNumber) -> Option<&Choice> {
        self.by_number.get(&number).map(|at| &self.list[*at])
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

    /// All of them, oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, Choice> {
        self.list.iter()
    }

    /// Adds one. That its label is new was checked by whoever decided it.
    pub fn push(&mut self, choice: Choice) {
        let at = self.list.len();
        self.by_number.insert(choice.number, at);
        self.by_id.insert(choice.id, at);
        if !choice.code.is_empty() {
            self.by_code.entry(key::option_key(&choice.code)).or_insert(at);
        }
        self.by_label.entry(key::option_key(&choice.name)).or_insert(at);
        self.list.push(choice);
    }
}

impl PartialEq for Choices {
    /// The look-ups follow from the list.
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
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

impl From<Choices> for Vec<Choice> {
    fn from(choices: Choices) -> Self {
        choices.list
    }
}

impl<'a> IntoIterator for &'a Choices {
    type Item = &'a Choice;
    type IntoIter = std::slice::Iter<'a, Choice>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
