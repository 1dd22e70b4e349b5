//! The shape of a source file: its length, its first line, its functions, its words.

use crate::tidy::source::{Source, below, check, rust};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;

fn lines(sources: &[Source]) -> impl Iterator<Item = (String, &str)> {
    sources.iter().flat_map(|source| {
        let lines = (1..).zip(source.text.lines());
        lines.map(|(number, line)| (format!("{}:{number}", source.path), line))
    })
}

#[test]
fn a_file_has_at_most_six_hundred_lines() {
    check(rust().iter().filter_map(|source| {
        let count = source.text.lines().count();
        (count > FILE_LINES_MAX).then(|| format!("{} has {count} lines", source.path))
    }));
}

#[test]
fn a_file_opens_with_what_it_owns() {
    check(
        rust()
            .into_iter()
            .filter(|source| !source.text.starts_with("//! "))
            .map(|source| source.path),
    );
}

#[test]
fn a_function_fits_a_screen() {
    check(rust().iter().flat_map(|source| {
        functions(&source.text).filter(|(_, length)| *length > FUNCTION_LINES_MAX).map(
            |(number, length)| format!("{}:{number} is a function of {length} lines", source.path),
        )
    }));
}

/// The line and the length of each function, as the formatter lays it out: it ends with the first
/// brace that stands as far to the right as its head.
fn functions(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let heads = lines.clone().into_iter().enumerate().filter(|(_, line)| is_function(line));
    heads.map(move |(at, head)| {
        let end = format!("{}}}", &head[..head.len() - head.trim_start().len()]);
        let closes = head.ends_with('}') || head.ends_with(';');
        let body = lines[at..].iter().position(|line| *line == end);
        (at + 1, if closes { 1 } else { body.map_or(1, |body| body + 1) })
    })
}

fn is_function(line: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| {
        word.starts_with("pub") || matches!(*word, "const" | "async" | "unsafe" | "default")
    });
    words.next() == Some("fn")
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    let sources: Vec<Source> = rust().into_iter().filter(|source| !source.is_test()).collect();
    check(sources.iter().flat_map(|source| {
        let lines = source.code().filter(|(_, line)| line.contains(".unwrap()"));
        lines.map(|(number, _)| format!("{}:{number} unwraps", source.path))
    }));
}

/// Where a test may write a star: what it tests, and what a tool for tests says is its prelude.
const STARS_OF_TESTS: &[&str] = &["use super::*;", "use proptest::prelude::*;"];

#[test]
fn nothing_is_imported_by_a_star() {
    check(rust().iter().flat_map(|source| {
        let tests_from = source.tests_from();
        let lines = (1..).zip(source.text.lines());
        let stars =
            lines.filter(|(_, line)| line.contains("use ") && line.trim_end().ends_with("::*;"));
        let stars = stars.filter(move |(number, line)| {
            *number < tests_from || !STARS_OF_TESTS.contains(&line.trim())
        });
        stars.map(|(number, line)| format!("{}:{number} {line}", source.path)).collect::<Vec<_>>()
    }));
}

#[test]
fn what_is_to_be_done_names_an_issue() {
    let later = concat!("TO", "DO");
    let never = [concat!("FIX", "ME"), concat!("XX", "X:"), concat!("HA", "CK:")];
    let sources = below(
        &["src", "tests", "loadtests", "docs", "README.md", "ARCHITECTURE.md", ".ci", "Cargo.toml"],
        &[".rs", ".md", ".sh", ".lua", ".py", ".toml", ".ci/run"],
    );
    check(lines(&sources).filter_map(|(place, line)| {
        let names_issue = line.split(later).nth(1).is_none_or(|rest| rest.starts_with("(#"));
        let is_bad = !names_issue || never.iter().any(|word| line.contains(word));
        is_bad.then(|| format!("{place} {line}"))
    }));
}

#[test]
fn a_test_neither_sleeps_nor_is_left_out() {
    let banned =
        [concat!("thread::", "sleep"), concat!("time::", "sleep"), concat!("#[", "ignore")];
    check(rust().iter().flat_map(|source| {
        let tests = (1..).zip(source.text.lines()).skip(source.tests_from() - 1);
        let bad = tests.filter(|(_, line)| banned.iter().any(|word| line.contains(word)));
        bad.map(|(number, line)| format!("{}:{number} {line}", source.path)).collect::<Vec<_>>()
    }));
}

#[test]
fn no_path_of_one_machine_is_named() {
    let homes = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
    ];
    let sources = below(&["."], &[".rs", ".md", ".sh", ".lua", ".py", ".toml", ".ci/run", ".json"]);
    check(
        lines(&sources)
            .filter(|(_, line)| homes.iter().any(|home| line.contains(home)))
            .map(|(place, line)| format!("{place} {line}")),
    );
}

#[test]
fn functions_are_measured_from_head_to_brace() {
    let text = "fn one() {}\npub(crate) async fn two(\n    a: u8,\n) {\n    a;\n}\nimpl X {\n    fn three() {\n        fn_call();\n    }\n}\ntrait Y {\n    fn four();\n}\n";
    let measured: Vec<(usize, usize)> = functions(text).collect();
    assert_eq!(measured, [(1, 1), (2, 5), (8, 3), (13, 1)]);
}
