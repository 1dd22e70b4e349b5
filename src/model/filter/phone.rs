//! How telephone numbers are searched: by their digits, without the extension.

use crate::model::key::{Key, Normalizer};

/// Where among the digits something must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equals,
    Contains,
}

/// What a number must be like.
#[derive(Clone, Debug, PartialEq)]
pub struct PhoneTest {
    relation: Relation,
    /// At least one digit.
    digits: Key,
}

impl PhoneTest {
    /// Of the digits in a text; none where there are none.
    #[must_use]
    pub fn new(relation: Relation, text: &str) -> Option<Self> {
        Normalizer::Phone.key(text).map(|digits| Self { relation, digits })
    }

    #[must_use]
    pub fn holds(&self, number: &str) -> bool {
        let Some(held) = Normalizer::Phone.key(number) else { return false };
        let (held, wanted) = (held.as_bytes(), self.digits.as_bytes());
        match self.relation {
            Relation::Equals => held == wanted,
            Relation::Contains => held.windows(wanted.len()).any(|digits| digits == wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_alone_are_compared() {
        let check = |relation, wanted: &str, number: &str, expected| {
            let test = PhoneTest::new(relation, wanted).unwrap();
            assert_eq!(test.holds(number), expected, "{wanted} in {number}");
        };
        check(Relation::Equals, "+1 (202) 555-0123", "+12025550123", true);
        check(Relation::Equals, "12025550123", "+12025550123;ext=4", true);
        check(Relation::Equals, "2025550123", "+12025550123", false);
        check(Relation::Contains, "202-555", "+12025550123", true);
        check(Relation::Contains, "555 0123", "+12025550123;ext=4", true);
        check(Relation::Contains, "01234", "+12025550123;ext=4", false);
        assert_eq!(PhoneTest::new(Relation::Contains, "no digits"), None);
    }
}
