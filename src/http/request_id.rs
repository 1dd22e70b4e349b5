//! The id of one request: the client's own, or one made here.
//!
//! It must not know what an answer looks like.

use crate::ambient::{self, EntropyError};
use actix_web::http::header::HeaderValue;
use serde::{Serialize, Serializer};
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use uuid::Builder;

/// What `X-Request-ID` and `request_id` carry. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Rc<str>);

impl RequestId {
    /// The client's id, if it has 1 to 128 printable ASCII characters.
    #[must_use]
    pub fn from_client(given: &str) -> Option<Self> {
        const LEN_MAX: usize = 128;
        let printable = given.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let fits = !given.is_empty() && given.len() <= LEN_MAX;
        (printable && fits).then(|| Self(given.into()))
    }

    /// The id as a header's value.
    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("printable ASCII is a header value")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Makes ids for the requests of one HTTP worker.
///
/// They must be unlike each other, not secret, so two counters that start at random places and
/// are stirred will do; the operating system is asked once a worker, not once a request.
#[derive(Debug)]
pub struct RequestIds {
    high: Cell<u64>,
    low: Cell<u64>,
}

impl RequestIds {
    /// A source of its own.
    pub fn new() -> Result<Self, EntropyError> {
        let mut seed = [0; 16];
        ambient::fill(&mut seed)?;
        let seed = u128::from_le_bytes(seed);
        Ok(Self::from_seed(seed))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the seed are meant")]
    fn from_seed(seed: u128) -> Self {
        Self { high: Cell::new((seed >> 64) as u64), low: Cell::new(seed as u64) }
    }

    /// The next id, a UUID.
    #[must_use]
    pub fn next(&self) -> RequestId {
        let bits = u128::from(splitmix(&self.high)) << 64 | u128::from(splitmix(&self.low));
        let uuid = Builder::from_random_bytes(bits.to_be_bytes()).into_uuid();
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        RequestId(Rc::from(&*uuid.as_hyphenated().encode_lower(&mut text)))
    }
}

/// One step of splitmix64: every state comes once before any comes again.
fn splitmix(state: &Cell<u64>) -> u64 {
    let next = state.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
    state.set(next);
    let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use uuid::Uuid;

    fn check(given: &str, taken: bool) {
        assert_eq!(RequestId::from_client(given).is_some(), taken, "{given:?}");
    }

    #[test]
    fn a_client_id_is_taken_within_its_limits_only() {
        check("a", true);
        check("order 66 / ~", true);
        check(&"x".repeat(128), true);
        check("", false);
        check(&"x".repeat(129), false);
        check("line\nbreak", false);
        check("é", false);
        check("\u{7f}", false);
    }

    #[test]
    fn made_ids_are_uuids_and_unlike_each_other() {
        let ids = RequestIds::from_seed(7);
        let mut seen = HashSet::new();
        for _ in 0..10_000 {
            let id = ids.next().to_string();
            let uuid = Uuid::parse_str(&id).unwrap();
            assert_eq!((uuid.get_version_num(), uuid.to_string()), (4, id.clone()));
            assert!(seen.insert(id));
        }
    }
}
