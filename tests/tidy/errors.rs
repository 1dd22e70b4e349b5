//! The page of errors: it has every code of the list, with its status, and reserves those alone
//! that nobody answers.

use crate::tidy::source::{check, root, rust};
use std::collections::BTreeMap;
use std::fs;

const LIST: &str = "src/http/code.rs";
const PAGE: &str = "docs/errors.md";

/// A code as the list or the page has it.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    status: String,
    /// Of the list: how sources name it. Of the page: the heading it stands under.
    place: String,
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `Variant = STATUS "code",` of the list.
fn listed(source: &str) -> BTreeMap<String, Entry> {
    let mut found = BTreeMap::new();
    for line in source.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [variant, "=", status, code] = words.as_slice()
            && let Some(code) = code.strip_prefix('"').and_then(|code| code.strip_suffix("\","))
        {
            let entry = Entry { status: number(status), place: (*variant).to_owned() };
            assert!(found.insert(code.to_owned(), entry).is_none(), "{code} is listed twice");
        }
    }
    found
}

/// The number of a status that the list calls by name.
fn number(name: &str) -> String {
    let status = match name {
        "BAD_REQUEST" => 400,
        "UNAUTHORIZED" => 401,
        "FORBIDDEN" => 403,
        "NOT_FOUND" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "NOT_ACCEPTABLE" => 406,
        "CONFLICT" => 409,
        "GONE" => 410,
        "PRECONDITION_FAILED" => 412,
        "PAYLOAD_TOO_LARGE" => 413,
        "UNSUPPORTED_MEDIA_TYPE" => 415,
        "UNPROCESSABLE_ENTITY" => 422,
        "TOO_MANY_REQUESTS" => 429,
        "INTERNAL_SERVER_ERROR" => 500,
        "SERVICE_UNAVAILABLE" => 503,
        other => panic!("the test does not know the status {other}"),
    };
    status.to_string()
}

/// The rows of the page's tables that have a column of codes and one of statuses.
fn described(page: &str) -> BTreeMap<String, Entry> {
    let (mut found, mut heading, mut is_of_codes) = (BTreeMap::new(), "", false);
    for line in page.lines() {
        if let Some(text) = line.strip_prefix("## ") {
            heading = text;
        }
        is_of_codes &= line.starts_with('|');
        is_of_codes |= line.starts_with("| code | status |");
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", code, status, ..] = cells.as_slice()
            && let Some(code) = code.strip_prefix('`').and_then(|code| code.strip_suffix('`'))
            && is_of_codes
        {
            let entry = Entry { status: (*status).to_owned(), place: heading.to_owned() };
            assert!(found.insert(code.to_owned(), entry).is_none(), "{code} stands there twice");
        }
    }
    found
}

#[test]
fn the_page_has_every_code_with_its_status_and_no_other() {
    let (listed, described) = (listed(&read(LIST)), described(&read(PAGE)));
    assert!(listed.len() > 40, "the list is not written as the test reads it");
    let mut breaches = Vec::new();
    for (code, entry) in &listed {
        match described.get(code) {
            None => breaches.push(format!("{PAGE} lacks {code}")),
            Some(row) if row.status != entry.status => {
                breaches
                    .push(format!("{PAGE} says {} of {code}, not {}", row.status, entry.status));
            }
            Some(_) => {}
        }
    }
    let unknown = described.keys().filter(|code| !listed.contains_key(*code));
    breaches.extend(unknown.map(|code| format!("{PAGE} has {code}, which is no code")));
    check(breaches);
}

#[test]
fn what_is_reserved_is_answered_by_nobody_and_all_else_by_somebody() {
    let described = described(&read(PAGE));
    let sources = rust();
    let answers: Vec<_> = sources
        .iter()
        .filter(|source| source.path.starts_with("src/http/") && source.path != LIST)
        .collect();
    let mut breaches = Vec::new();
    for (code, entry) in listed(&read(LIST)) {
        let name = format!("Code::{}", entry.place);
        let is_named = |text: &str| {
            text.match_indices(&name).any(|(at, _)| {
                !text[at + name.len()..].starts_with(|next: char| next.is_ascii_alphanumeric())
            })
        };
        let is_answered =
            answers.iter().any(|source| source.code().any(|(_, line)| is_named(line)));
        let is_reserved = described.get(&code).is_some_and(|row| row.place == "Reserved");
        match (is_answered, is_reserved) {
            (true, true) => breaches.push(format!("{code} is answered: {PAGE} must say how")),
            (false, false) => breaches.push(format!("nobody answers {code}: {PAGE} reserves it")),
            (true, false) | (false, true) => {}
        }
    }
    check(breaches);
}

#[test]
fn a_list_and_a_page_are_read_as_they_are_written() {
    let list = "    /// Text.\n    NotFound = NOT_FOUND \"not_found\",\n    let x = 5;\n";
    let entry = |status: &str, place: &str| Entry { status: status.into(), place: place.into() };
    assert_eq!(listed(list), [("not_found".into(), entry("404", "NotFound"))].into());
    let page = "## A\n| code | status |\n| --- | --- |\n| `x` | 400 | more |\n\n| `y` | 1 |\n";
    assert_eq!(described(page), [("x".into(), entry("400", "A"))].into());
}
