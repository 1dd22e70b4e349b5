//! How texts are searched: without case, on their folded form.

use crate::model::key;
use crate::model::table::column::texts::Pattern;

/// Where in a text something must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
}

/// What a text must be like.
#[derive(Clone, Debug, PartialEq)]
pub struct TextTest {
    relation: Relation,
    /// Folded, never empty.
    part: Box<str>,
}

impl TextTest {
    /// # Panics
    /// On an empty part: it would say nothing.
    #[must_use]
    pub fn new(relation: Relation, part: &str) -> Self {
        let part: Box<str> = key::searched(part).into();
        assert!(!part.is_empty(), "an empty part says nothing about a text");
        Self { relation, part }
    }

    /// What finds it in a column.
    #[must_use]
    pub fn pattern(&self) -> Pattern {
        Pattern::new(self.relation, &self.part)
    }

    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        if text.is_ascii() {
            // Most texts: nothing is allocated, and folding is one bit.
            return self.holds_in_ascii(text.as_bytes());
        }
        self.holds_in_folded(&key::searched(text))
    }

    fn holds_in_ascii(&self, text: &[u8]) -> bool {
        let part = self.part.as_bytes();
        let is_part = |bytes: &[u8]| bytes.eq_ignore_ascii_case(part);
        match self.relation {
            Relation::Equals => is_part(text),
            Relation::Contains => text.windows(part.len()).any(is_part),
            Relation::StartsWith => text.get(..part.len()).is_some_and(is_part),
            Relation::EndsWith => {
                text.len().checked_sub(part.len()).is_some_and(|at| is_part(&text[at..]))
            }
        }
    }

    fn holds_in_folded(&self, text: &str) -> bool {
        match self.relation {
            Relation::Equals => *text == *self.part,
            Relation::Contains => text.contains(&*self.part),
            Relation::StartsWith => text.starts_with(&*self.part),
            Relation::EndsWith => text.ends_with(&*self.part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_searched_without_case_in_every_script() {
        let check = |relation, part: &str, text: &str, expected| {
            assert_eq!(TextTest::new(relation, part).holds(text), expected, "{part} in {text}");
        };
        check(Relation::Equals, "ACME", "acme", true);
        check(Relation::Equals, "acme", "acme corp", false);
        check(Relation::Equals, "STRASSE", "Straße", true);
        check(Relation::Equals, "Straße", "strasse", true);
        check(Relation::Contains, "ME c", "Acme Corp", true);
        check(Relation::Contains, "acme corp.", "Acme Corp", false);
        check(Relation::Contains, "É", "caf\u{e9}s", true);
        check(Relation::Contains, "e\u{301}", "CAFÉ", true);
        check(Relation::Contains, "é", "cafe", false);
        check(Relation::StartsWith, "AC", "acme", true);
        check(Relation::StartsWith, "cm", "acme", false);
        check(Relation::StartsWith, "acme corp", "acme", false);
        check(Relation::StartsWith, "ДО", "дом", true);
        check(Relation::EndsWith, "ME", "acme", true);
        check(Relation::EndsWith, "acm", "acme", false);
        check(Relation::EndsWith, "an acme", "acme", false);
        check(Relation::EndsWith, "ОМ", "дом", true);
    }
}
