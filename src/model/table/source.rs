//! What a record keeps of the systems that write it: of each the highest version that was applied.
//!
//! Stored in the body: a MessagePack map from source to version, in the order of the sources. It must
//! not know what becomes of an older version.

use crate::model::schema::system;
use crate::model::table::body::Body;
use crate::model::table::event_form::{put_array, put_uint};
use crate::model::value::pack;
use std::cmp::Ordering;

/// Sources of one record: more are no systems but a mistake.
pub const SOURCES_MAX: usize = 100;
/// Characters of a source's name.
pub const SOURCE_CHARS_MAX: usize = 64;
const NANOSECONDS: u32 = 1_000_000_000;

/// The version of a record in the system that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceVersion {
    /// At most 2^63 - 1.
    Number(u64),
    /// Since 1970-01-01T00:00:00Z, to the nanosecond: versions that differ must not become equal.
    Time { seconds: i64, nanoseconds: u32 },
}

/// What an upsert says of the system that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    pub source: Box<str>,
    pub version: SourceVersion,
}

impl SourceVersion {
    /// None for a number and a time: they cannot be compared.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(own), Self::Number(other)) => Some(own.cmp(&other)),
            (
                Self::Time { seconds, nanoseconds },
                Self::Time { seconds: other_seconds, nanoseconds: other_nanoseconds },
            ) => Some((seconds, nanoseconds).cmp(&(other_seconds, other_nanoseconds))),
            (Self::Number(_), Self::Time { .. }) | (Self::Time { .. }, Self::Number(_)) => None,
        }
    }

    /// Appends the stored form: an integer, or an array of seconds and nanoseconds.
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => put_uint(number, out),
            Self::Time { seconds, nanoseconds } => {
                put_array(2, out);
                pack::write_integer(seconds, out);
                put_uint(u64::from(nanoseconds), out);
            }
        }
    }

    pub(super) fn decode(rest: &mut &[u8]) -> Option<Self> {
        if let Ok(number) = rmp::decode::read_int::<u64, _>(&mut &**rest) {
            pack::skip(rest).ok()?;
            return Some(Self::Number(number));
        }
        if rmp::decode::read_array_len(rest).ok()? != 2 {
            return None;
        }
        let seconds = rmp::decode::read_int(rest).ok()?;
        let nanoseconds = rmp::decode::read_int(rest).ok().filter(|part| *part < NANOSECONDS)?;
        Some(Self::Time { seconds, nanoseconds })
    }
}

/// Every source that a body knows, with its version.
fn sources(body: Body<'_>) -> Option<Vec<(&str, SourceVersion)>> {
    let Some(raw) = body.get(system::SOURCE_VERSIONS) else { return Some(Vec::new()) };
    let mut rest = raw;
    let count = rmp::decode::read_map_len(&mut rest).ok()?;
    let mut sources = Vec::new();
    for _ in 0..count {
        let source = pack::read_text(&mut rest).ok()?;
        sources.push((source, SourceVersion::decode(&mut rest)?));
    }
    let is_sorted = sources.is_sorted_by(|(left, _), (right, _)| left < right);
    (rest.is_empty() && is_sorted).then_some(sources)
}

/// Whether a body's sources can be read.
#[must_use]
pub(crate) fn are_readable(body: Body<'_>) -> bool {
    sources(body).is_some()
}

/// The version that a body keeps of a source.
///
/// # Panics
/// On a body that no decision has made.
#[must_use]
pub fn kept_version(body: Body<'_>, source: &str) -> Option<SourceVersion> {
    let sources = sources(body).expect("recovery has read it");
    sources.into_iter().find(|(known, _)| *known == source).map(|(_, version)| version)
}

/// Whether a body has room for a source.
pub(super) fn has_room(body: Body<'_>, source: &str) -> bool {
    let sources = sources(body).expect("recovery has read it");
    sources.len() < SOURCES_MAX || sources.iter().any(|(known, _)| *known == source)
}

/// Appends the stored form of what a body keeps, with another version of one source.
pub(super) fn put_raised(body: Body<'_>, guard: &Guard, out: &mut Vec<u8>) {
    let mut sources = sources(body).expect("recovery has read it");
    sources.retain(|(known, _)| *known != &*guard.source);
    let at = sources.partition_point(|(known, _)| *known < &*guard.source);
    sources.insert(at, (&guard.source, guard.version));
    let count = u32::try_from(sources.len()).expect("a record has few sources");
    rmp::encode::write_map_len(out, count).expect("a Vec takes every byte");
    for (source, version) in sources {
        pack::write_text(source, out);
        version.encode(out);
    }
}
