//! `If-Match` and `If-None-Match`: what a request asks of the record that it is about.
//!
//! Of a write only the version in a tag counts: whether two clients see a record alike is no reason
//! to refuse one of them. A read is left out only where the whole tag is the same. It must not know
//! how a tag is made, nor what becomes of a request.

use crate::http::code::Code;
use crate::http::extension::{IF_MATCH, IF_NONE_MATCH};
use crate::http::fault::{Fault, Faults, Place};
use crate::model::id::Version;
use crate::model::table::precondition::Precondition;
use actix_web::http::header::{HeaderMap, HeaderValue};

const NO_TAGS: &str = "Expected *, or entity tags between quotes such as \"3.1f2e3d4c\" or \"3\".";
const ONLY_ANY: &str = "Only * is taken here.";
const BOTH: &str = "With If-Match there must be a record, so this cannot be asked too.";

/// What a header names.
#[derive(Debug, PartialEq, Eq)]
enum Tags<'h> {
    /// Any state of a record.
    Any,
    /// These: what stands between the quotes.
    Of(Vec<&'h [u8]>),
}

/// States of a record that the client has.
#[derive(Debug)]
pub struct Held<'h>(Option<Tags<'h>>);

impl<'h> Held<'h> {
    /// Reads `If-None-Match` of a read.
    pub fn read(headers: &'h HeaderMap, faults: &mut Faults) -> Self {
        Self(read(headers, IF_NONE_MATCH, faults))
    }

    /// Whether the state of this tag is among them.
    #[must_use]
    pub fn has(&self, etag: &HeaderValue) -> bool {
        match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::Of(tags)) => {
                let own = etag.as_bytes().strip_prefix(b"\"");
                let own = own.and_then(|own| own.strip_suffix(b"\""));
                own.is_some_and(|own| tags.contains(&own))
            }
        }
    }
}

/// Reads `If-Match`: there is a record, at one of these versions.
pub fn read_match(headers: &HeaderMap, faults: &mut Faults) -> Option<Precondition> {
    Some(match read(headers, IF_MATCH, faults)? {
        Tags::Any => Precondition::Present,
        // A tag that no version stands in is of no record.
        Tags::Of(tags) => Precondition::AtOneOf(tags.into_iter().filter_map(version_of).collect()),
    })
}

/// Reads what an upsert takes: besides that, that there is no record.
pub fn read_of_upsert(headers: &HeaderMap, faults: &mut Faults) -> Option<Precondition> {
    let present = read_match(headers, faults);
    let absent = read(headers, IF_NONE_MATCH, faults);
    let mut refuse = |message| {
        let place = Place::Header(IF_NONE_MATCH.into());
        faults.push(Fault::new(Code::Invalid, place).saying(message));
    };
    match absent {
        None => return present,
        Some(Tags::Of(_)) => refuse(ONLY_ANY),
        Some(Tags::Any) if present.is_some() => refuse(BOTH),
        Some(Tags::Any) => {}
    }
    Some(Precondition::Absent)
}

fn read<'h>(headers: &'h HeaderMap, name: &'static str, faults: &mut Faults) -> Option<Tags<'h>> {
    let values: Vec<&[u8]> = headers.get_all(name).map(HeaderValue::as_bytes).collect();
    if values.is_empty() {
        return None;
    }
    let tags = tags_of(&values);
    if tags.is_none() {
        faults.push(Fault::new(Code::Invalid, Place::Header(name.into())).saying(NO_TAGS));
    }
    tags
}

/// The tags of a header, however many lines it has. Weak ones are as good as others: no two states
/// of a record share a tag.
fn tags_of<'h>(values: &[&'h [u8]]) -> Option<Tags<'h>> {
    if let [only] = values
        && only.trim_ascii() == b"*"
    {
        return Some(Tags::Any);
    }
    let mut tags = Vec::new();
    for value in values {
        let mut rest = value.trim_ascii();
        while !rest.is_empty() {
            // A list may have elements without anything in them.
            if let Some(behind) = rest.strip_prefix(b",") {
                rest = behind.trim_ascii_start();
                continue;
            }
            let (tag, behind) = split_tag(rest)?;
            tags.push(tag);
            rest = behind.trim_ascii_start();
            if !rest.is_empty() && !rest.starts_with(b",") {
                return None;
            }
        }
    }
    (!tags.is_empty()).then_some(Tags::Of(tags))
}

/// The tag that a text begins with, without its quotes, and what stands behind.
fn split_tag(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let quoted = text.strip_prefix(b"W/").unwrap_or(text).strip_prefix(b"\"")?;
    let end = quoted.iter().position(|byte| *byte == b'"')?;
    let (tag, behind) = (&quoted[..end], &quoted[end + 1..]);
    let is_allowed = |byte: &u8| *byte == b'!' || (*byte >= b'#' && *byte != 0x7f);
    tag.iter().all(is_allowed).then_some((tag, behind))
}

/// The version that a tag names: what stands before its first point.
fn version_of(tag: &[u8]) -> Option<Version> {
    let digits = tag.split(|byte| *byte == b'.').next()?;
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
    digits.parse().ok().map(Version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderName;

    fn headers(given: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn faults_of(faults: &Faults) -> Vec<(&Place, &str)> {
        let faults = faults.as_slice().iter();
        faults.map(|fault| (&fault.place, &*fault.message)).collect()
    }

    fn match_of(values: &[&str]) -> Option<Precondition> {
        let given: Vec<_> = values.iter().map(|value| ("if-match", *value)).collect();
        let mut faults = Faults::default();
        let read = read_match(&headers(&given), &mut faults);
        let place = Place::Header("If-Match".into());
        let refused =
            if read.is_none() && !values.is_empty() { vec![(&place, NO_TAGS)] } else { vec![] };
        assert_eq!(faults_of(&faults), refused, "{values:?}");
        read
    }

    #[test]
    fn a_write_asks_for_versions_whatever_stands_behind_them() {
        let of = |versions: &[u32]| {
            let versions = versions.iter().copied().map(Version);
            Some(Precondition::AtOneOf(versions.collect()))
        };
        for (values, versions) in [
            (&["\"3\""][..], &[3][..]),
            (&["\"3.1f2e3d4c\""], &[3]),
            (&["W/\"3.a9\""], &[3]),
            (&["\"3.a9-gzip\""], &[3]),
            (&[" \"1\" , W/\"2.b\",\"3\" "], &[1, 2, 3]),
            (&["\"1\"", "\"2\", \"3\""], &[1, 2, 3]),
            (&[",\"4\",, ,"], &[4]),
            (&["\"a,b\",\"5\""], &[5]),
            (&["\"\"", "\"x\"", "\"-1\"", "\"+1\"", "\"1,5\"", "\"é\"", "\"4294967296\""], &[]),
        ] {
            assert_eq!(match_of(values), of(versions), "{values:?}");
        }
        assert_eq!(match_of(&["*"]), Some(Precondition::Present));
        assert_eq!(match_of(&[" * "]), Some(Precondition::Present));
        assert_eq!(match_of(&[]), None);
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for values in [
            &[""][..],
            &[" , ,"],
            &["3"],
            &["3.a9"],
            &["\"3"],
            &["3\""],
            &["w/\"3\""],
            &["W/ \"3\""],
            &["W/3"],
            &["\"1\" \"2\""],
            &["\"1\"2"],
            &["\"1 2\""],
            &["*, \"1\""],
            &["*,*"],
            &["*", "\"1\""],
            &["\"1\"", "*"],
        ] {
            assert_eq!(match_of(values), None, "{values:?}");
        }
    }

    #[test]
    fn an_upsert_asks_for_nothing_a_record_or_none() {
        let (any, tag) = (("if-none-match", "*"), ("if-none-match", "\"1\""));
        let bad = ("if-none-match", "x");
        let one = ("if-match", "\"1\"");
        let at_one = Precondition::AtOneOf(vec![Version(1)]);
        for (given, read, message) in [
            (&[][..], None, None),
            (&[any], Some(Precondition::Absent), None),
            (&[one], Some(at_one.clone()), None),
            (&[tag], Some(Precondition::Absent), Some(ONLY_ANY)),
            (&[one, tag], Some(Precondition::Absent), Some(ONLY_ANY)),
            (&[one, any], Some(Precondition::Absent), Some(BOTH)),
            (&[one, bad], Some(at_one), Some(NO_TAGS)),
        ] {
            let mut faults = Faults::default();
            assert_eq!(read_of_upsert(&headers(given), &mut faults), read, "{given:?}");
            let place = Place::Header("If-None-Match".into());
            let refused: Vec<_> = message.iter().map(|message| (&place, *message)).collect();
            assert_eq!(faults_of(&faults), refused, "{given:?}");
        }
    }

    #[test]
    fn a_read_is_known_by_its_whole_tag_alone() {
        for (given, has) in [
            (&[][..], false),
            (&["*"], true),
            (&["\"3.a9\""], true),
            (&["W/\"3.a9\""], true),
            (&["\"1\", \"3.a9\""], true),
            (&["\"3\""], false),
            (&["\"3.a8\""], false),
            (&["\"3.a9-gzip\""], false),
        ] {
            let given: Vec<_> = given.iter().map(|value| ("if-none-match", *value)).collect();
            let (headers, mut faults) = (headers(&given), Faults::default());
            let held = Held::read(&headers, &mut faults);
            assert!(faults.is_empty());
            assert_eq!(held.has(&HeaderValue::from_static("\"3.a9\"")), has, "{given:?}");
        }
    }
}
