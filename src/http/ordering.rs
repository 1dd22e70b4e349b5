//! `ordering`: keys of a list between commas, each with `-` in front of it to turn it round.
//!
//! It must not know what is listed.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults, Place, clipped};
use crate::http::query::Query;
use std::cmp::Ordering;

/// What a list is ordered by; the first key that differs decides, then the list's own order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOrder<K>(Vec<(K, Direction)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Rising,
    Falling,
}

impl<K: Copy> ListOrder<K> {
    /// Takes `ordering` from a query; a key that is none of `keys` has a fault.
    pub fn of_query(query: &mut Query<'_>, keys: &[(&str, K)], faults: &mut Faults) -> Self {
        let mut order = Vec::new();
        for given in query.list("ordering", faults).unwrap_or_default() {
            let (name, direction) = match given.strip_prefix('-') {
                Some(name) => (name, Direction::Falling),
                None => (&*given, Direction::Rising),
            };
            if let Some((_, key)) = keys.iter().find(|(known, _)| *known == name) {
                order.push((*key, direction));
            } else {
                let message = format!("\"{}\" does not exist.", clipped(name));
                let fault = Fault::new(Code::DoesNotExist, Place::Query("ordering".into()));
                faults.push(fault.saying(message));
            }
        }
        Self(order)
    }

    /// Orders a list; `compare` says how two of it stand by one key.
    pub fn sort<T>(&self, list: &mut [T], compare: impl Fn(K, &T, &T) -> Ordering) {
        if self.0.is_empty() {
            return;
        }
        list.sort_by(|left, right| {
            let by_key = |(key, direction): &(K, Direction)| {
                let rising = compare(*key, left, right);
                match direction {
                    Direction::Rising => rising,
                    Direction::Falling => rising.reverse(),
                }
            };
            self.0.iter().map(by_key).find(|by_key| by_key.is_ne()).unwrap_or(Ordering::Equal)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    enum Part {
        First,
        Last,
    }

    fn check(raw: &str, expected: &[&str], codes: &[Code]) {
        let mut faults = Faults::default();
        let mut query = Query::read(raw, &mut faults);
        let keys = [("first", Part::First), ("last", Part::Last)];
        let order = ListOrder::of_query(&mut query, &keys, &mut faults);
        let mut list = ["b1", "a2", "a1", "b2"];
        order.sort(&mut list, |part, left, right| match part {
            Part::First => left[..1].cmp(&right[..1]),
            Part::Last => left[1..].cmp(&right[1..]),
        });
        assert_eq!(list, expected, "{raw}");
        let found: Vec<_> = faults.as_slice().iter().map(|fault| fault.code).collect();
        assert_eq!(found, codes, "{raw}");
    }

    #[test]
    fn a_list_is_ordered_by_its_keys_one_after_the_other() {
        check("", &["b1", "a2", "a1", "b2"], &[]);
        check("ordering=first", &["a2", "a1", "b1", "b2"], &[]);
        check("ordering=first,last", &["a1", "a2", "b1", "b2"], &[]);
        check("ordering=-last,first", &["a2", "b2", "a1", "b1"], &[]);
        check("ordering=last,-first", &["b1", "a1", "b2", "a2"], &[]);
        check("ordering=colour,-", &["b1", "a2", "a1", "b2"], &[Code::DoesNotExist; 2]);
    }
}
