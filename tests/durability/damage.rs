//! Damaged files: the start is refused with file and offset, and nothing is dropped silently.

use crate::support::{DataDirectory, Exit, Fixture, Launch, field_value, until};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// A text that stands in the log as it was written, so that a test finds its record's bytes.
fn needle(number: usize) -> String {
    format!("needle-{number:03}-in-the-log")
}

const RECORDS: usize = 20;

/// A server that has written some records, one after the other, and was stopped cleanly.
fn stopped() -> Launch {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    for number in 0..RECORDS {
        fixture.create("accounts", &format!("a{number}"), &json!({"note": needle(number)}));
    }
    let (exit, launch) = fixture.server.stop();
    exit.expect_code(0);
    launch
}

/// The same launch on a copy that may be damaged.
fn on_a_copy(launch: &Launch) -> (Launch, DataDirectory) {
    let copy = launch.directory().copy();
    (Launch::on(&copy), copy)
}

/// The file that holds the text, and where.
fn find(directory: &DataDirectory, text: &str) -> (PathBuf, usize) {
    let found = directory.files(|_| true).into_iter().find_map(|path| {
        let bytes = fs::read(&path).expect("a file can be read");
        let at = bytes.windows(text.len()).position(|window| window == text.as_bytes());
        at.map(|at| (path, at))
    });
    found.unwrap_or_else(|| panic!("{text} is in no file"))
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("a file can be read");
    bytes[at] ^= 0x10;
    fs::write(path, bytes).expect("a file can be written");
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("a file has a name").to_string_lossy().into_owned()
}

/// Damaged data: exit 5, and standard error names the file.
#[track_caller]
fn check_refused(launch: Launch, path: &Path) -> Exit {
    launch.refused().expect_code(5).expect_stderr(&name_of(path))
}

#[test]
fn a_flipped_bit_in_any_record_stops_the_start() {
    let launch = stopped();
    // The last record too: the seal that a clean stop writes proves that it was complete.
    for number in [0, RECORDS / 2, RECORDS - 1] {
        let (damaged, directory) = on_a_copy(&launch);
        let (path, at) = find(&directory, &needle(number));
        flip(&path, at);
        let exit = check_refused(damaged, &path);
        let offset = offset_named(&exit, at);
        assert!(offset.is_some(), "no offset at or before {at} is named in:\n{}", exit.stderr);
    }
    let mut whole = Fixture::of(launch.start());
    for number in 0..RECORDS {
        let record = whole.lookup("accounts", &format!("a{number}")).expect(200);
        assert_eq!(field_value(&record, "note"), Some(&json!(needle(number))));
    }
}

/// The offset of the damaged frame: a number that is named, and lies shortly before the byte.
fn offset_named(exit: &Exit, at: usize) -> Option<usize> {
    let numbers = exit.stderr.split(|character: char| !character.is_ascii_digit());
    let near = at.saturating_sub(1024)..=at;
    numbers.filter_map(|digits| digits.parse().ok()).find(|named| near.contains(named))
}

#[test]
fn a_log_cut_in_its_middle_stops_the_start() {
    let launch = stopped();
    let (damaged, directory) = on_a_copy(&launch);
    let (path, at) = find(&directory, &needle(RECORDS / 2));
    let bytes = fs::read(&path).expect("a file can be read");
    fs::write(&path, &bytes[..at]).expect("a file can be written");
    // A crash never shortens a file, so a short one is damage whatever its last bytes look like.
    check_refused(damaged, &path);
}

#[test]
fn a_log_that_was_zeroed_in_its_middle_stops_the_start() {
    let launch = stopped();
    let (damaged, directory) = on_a_copy(&launch);
    let (path, at) = find(&directory, &needle(RECORDS / 2));
    let mut bytes = fs::read(&path).expect("a file can be read");
    bytes[at - 256..at + 256].fill(0);
    fs::write(&path, bytes).expect("a file can be written");
    check_refused(damaged, &path);
}

#[test]
fn a_frame_torn_by_a_power_cut_is_reported_and_costs_nothing() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture.create("accounts", "answered", &json!({"note": needle(0)}));
    let launch = fixture.server.kill();
    let (path, at) = find(launch.directory(), &needle(0));
    // A frame that was being written when the power went: its first bytes behind the last frame.
    let mut bytes = fs::read(&path).expect("a file can be read");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("the log is not empty") + 1;
    assert!(end > at);
    bytes.resize(bytes.len().max(end + 64), 0);
    bytes[end..end + 8].copy_from_slice(b"debris!!");
    fs::write(&path, bytes).expect("a file can be written");
    let mut fixture = Fixture::of(launch.start());
    let record = fixture.lookup("accounts", "answered").expect(200);
    assert_eq!(field_value(&record, "note"), Some(&json!(needle(0))));
    let server = &fixture.server;
    until("the report", || server.stderr().contains(&name_of(&path)).then_some(()));
}

#[test]
fn a_file_of_another_format_is_refused_by_name_and_left_alone() {
    let launch = stopped();
    let (damaged, directory) = on_a_copy(&launch);
    let (path, _) = find(&directory, &needle(0));
    let mut bytes = fs::read(&path).expect("a file can be read");
    bytes[..8].copy_from_slice(b"notours!");
    fs::write(&path, &bytes).expect("a file can be written");
    check_refused(damaged, &path);
    assert_eq!(
        fs::read(&path).expect("a file can be read"),
        bytes,
        "a refused start changes nothing"
    );
}
