//! `upsertd import` and `upsertd diff`: a file, what it would do, what it does, and what is left.

use crate::support::{Exit, Fixture, Relay, Tool, field_value};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A server with an object, and a folder for files.
struct Scene {
    fixture: Fixture,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let mut fixture = Fixture::new();
        fixture.object("accounts");
        fixture.text_field("accounts", "note");
        let seats = json!({"field_type": "integer", "display_name": "Seats", "name": "seats"});
        fixture.field("accounts", &seats);
        Self { fixture, folder: TempDir::new().expect("a folder can be made") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("the folder takes a file");
    }

    fn run(&self, words: &[&str]) -> Exit {
        Tool::of(&self.fixture.server, words).in_folder(self.folder.path()).run()
    }

    fn count(&mut self) -> Value {
        let answer = self.fixture.client.get("/api/records/accounts?page_size=1").expect(200);
        answer["count"].clone()
    }

    fn sequence(&mut self) -> Value {
        let path = "/api/records/accounts/changes?limit=1000";
        let entries = self.fixture.client.get(path).expect(200)["results"].clone();
        entries.as_array().expect("a list").last().expect("the object was made")["seq"].clone()
    }
}

fn table(rows: usize, note: &str) -> String {
    let rows: Vec<String> = (0..rows).map(|at| format!("A{at},\"{note}, {at}\",{at}\n")).collect();
    "name,note,Seats\n".to_owned() + &rows.concat()
}

#[test]
fn a_file_is_tried_written_and_written_again() {
    let mut scene = Scene::new();
    scene.write("accounts.csv", &table(1_300, "a"));
    let told = scene.run(&["import", "accounts", "accounts.csv", "--dry-run"]).expect_code(0);
    assert_eq!(told.stdout, "1300 rows: 1300 created (dry run, nothing is written)");
    assert_eq!(scene.count(), 0);
    for told in ["1300 rows: 1300 created", "1300 rows: 1300 unchanged"] {
        let exit = scene.run(&["import", "accounts", "accounts.csv"]).expect_code(0);
        assert_eq!(exit.stdout, told);
    }
    let record = scene.fixture.lookup("accounts", "A7").expect(200);
    assert_eq!(field_value(&record, "note"), Some(&json!("a, 7")));
    assert_eq!((field_value(&record, "seats"), scene.count()), (Some(&json!(7)), json!(1_300)));
}

#[test]
fn a_dry_run_sees_in_each_row_what_those_before_it_would_do() {
    let mut scene = Scene::new();
    let twice =
        table(900, "a") + table(900, "b").strip_prefix("name,note,Seats\n").expect("a head");
    scene.write("twice.csv", &twice);
    let words = ["import", "accounts", "twice.csv", "--output", "json"];
    let dry = scene.run(&[&words[..], &["--dry-run"]].concat()).expect_code(0);
    let counts = json!({"created": 900, "updated": 900});
    for (said, is_dry) in [(dry, true), (scene.run(&words).expect_code(0), false)] {
        let told: Value = serde_json::from_str(&said.stdout).expect("the sum is JSON");
        let expected = json!({
            "object": "accounts", "dry_run": is_dry, "rows": 1_800, "counts": counts,
            "ignored_columns": [],
        });
        assert_eq!(told, expected);
    }
    assert_eq!(scene.count(), 900);
}

#[test]
fn refused_rows_come_back_as_a_file_that_can_be_mended() {
    let mut scene = Scene::new();
    let bad = "name,note,seats\nA,a,1\nB,b,many\n\"C\nC\",\"c, c\",few\nD,d,4\n";
    scene.write("accounts.csv", bad);
    let words = ["import", "accounts", "accounts.csv", "--rejects", "bad.csv"];
    let exit = scene.run(&words).expect_code(1).expect_stderr("line 3: 400 invalid");
    assert_eq!(exit.stdout, "4 rows: 2 created, 2 failed");
    exit.expect_stderr("line 4: ").expect_stderr("2 rows were refused");
    let rejects = fs::read_to_string(scene.path("bad.csv")).expect("the file is there");
    assert_eq!(rejects, "name,note,seats\nB,b,many\n\"C\nC\",\"c, c\",few\n");
    // The file of an earlier run is somebody's work.
    scene.run(&words).expect_code(8).expect_stderr("rejects_failed");
    scene.write("mended.csv", &rejects.replace("many", "2").replace("few", "3"));
    scene.run(&["import", "accounts", "mended.csv"]).expect_code(0);
    assert_eq!(scene.count(), 4);
}

#[test]
fn columns_are_mapped_left_out_or_refused_before_the_first_row() {
    let mut scene = Scene::new();
    scene.write("export.csv", "Company;Remark;Color\nAcme;good;red\n");
    let words = ["import", "accounts", "export.csv", "--delimiter", ";"];
    let exit = scene.run(&words).expect_code(7).expect_stderr("does_not_exist");
    assert_eq!((exit.stdout.as_str(), scene.count()), ("", json!(0)));
    let maps = ["--map", "Company=name", "--map", "Remark=note", "--map", "Color="];
    let exit = scene.run(&[&words[..], &maps].concat()).expect_code(0);
    assert!(exit.stdout.starts_with("1 row: 1 created"), "{}", exit.stdout);
    let record = scene.fixture.lookup("accounts", "Acme").expect(200);
    assert_eq!(field_value(&record, "note"), Some(&json!("good")));
    scene.run(&[&words[..], &["--map", "Company"]].concat()).expect_code(2);
    scene.run(&["import", "accounts", "nowhere.csv"]).expect_code(2).expect_stderr("nowhere.csv");
}

#[test]
fn lines_of_json_come_from_a_pipe() {
    let mut scene = Scene::new();
    let words = ["import", "accounts", "-", "--format", "ndjson", "--origin", "pipe"];
    let lines = "{\"name\":\"A\",\"note\":\"a\"}\n\n{\"name\":\"B\",\"seats\":2}\n";
    let exit = Tool::of(&scene.fixture.server, &words).run_with(lines).expect_code(0);
    assert_eq!((exit.stdout.as_str(), scene.count()), ("2 rows: 2 created", json!(2)));
    let feed = scene.fixture.client.get("/api/records/accounts/changes?only_origin=pipe");
    assert_eq!(feed.expect(200)["results"].as_array().map(Vec::len), Some(2));
}

#[test]
fn an_import_goes_on_over_a_killed_server() {
    let scene = Scene::new();
    let relay = Relay::to(scene.fixture.server.address());
    let words = ["import", "accounts", "-"];
    let mut running = Tool::of(&scene.fixture.server, &words).at(&relay.url()).start();
    let all = table(3_000, "a");
    let half = all.match_indices('\n').nth(1_500).expect("there are so many lines").0 + 1;
    running.write(&all[..half]);
    // Parts of the first half are written before it dies.
    let mut client = scene.fixture.server.client();
    crate::support::until("the first rows", || {
        let count = client.get("/api/records/accounts?page_size=1").expect(200)["count"].as_u64();
        count.filter(|count| *count > 0)
    });
    let launch = scene.fixture.server.kill();
    running.write(&all[half..]);
    running.wait_for("trying again");
    let mut fixture = Fixture::of(launch.start());
    relay.lead_to(fixture.server.address());
    let exit = running.end().expect_code(0).expect_stderr("answers again");
    assert!(exit.stdout.starts_with("3000 rows: "), "{}", exit.stdout);
    let answer = fixture.client.get("/api/records/accounts?page_size=1").expect(200);
    assert_eq!(answer["count"], 3_000);
}

#[test]
fn a_diff_tells_row_by_row_and_writes_nothing() {
    let mut scene = Scene::new();
    scene.write("accounts.csv", "name,note,seats\nA,a,1\nB,b,2\n");
    scene.run(&["import", "accounts", "accounts.csv"]).expect_code(0);
    let exit = scene.run(&["diff", "accounts", "accounts.csv"]).expect_code(0);
    assert_eq!(exit.stdout, "", "all is as it is there");
    scene.write("accounts.csv", "name,note,seats\nA,a,1\nB,c,3\nC,c,3\nD,d,many\n");
    let before = scene.sequence();
    let exit = scene.run(&["diff", "accounts", "accounts.csv"]).expect_code(1);
    let lines: Vec<&str> = exit.stdout.lines().collect();
    assert_eq!(lines[0], "line 3: updated (note, seats)");
    assert!(lines[1].starts_with("line 4: created (name"), "{lines:?}");
    assert!(lines[2].starts_with("line 5: refused, 400 invalid"), "{lines:?}");
    exit.expect_stderr("3 rows differ");
    let exit = scene.run(&["diff", "accounts", "accounts.csv", "--output", "json"]).expect_code(1);
    let first: Value =
        exit.stdout.lines().next().map(serde_json::from_str).expect("a line").expect("JSON");
    assert_eq!((&first["line"], &first["action"]), (&json!(3), &json!("updated")));
    assert_eq!((scene.sequence(), scene.count()), (before, json!(2)));
}

#[test]
fn an_export_is_imported_as_unchanged() {
    let mut scene = Scene::new();
    scene
        .write("accounts.csv", &table(700, "a|b\\c \"quoted\"").replace("\"quoted\"", "\"\"q\"\""));
    scene.run(&["import", "accounts", "accounts.csv"]).expect_code(0);
    scene.run(&["export", "accounts", "--format", "csv", "-o", "export.csv"]).expect_code(0);
    let before = scene.sequence();
    let exit = scene.run(&["import", "accounts", "export.csv"]).expect_code(0);
    assert!(exit.stdout.starts_with("700 rows: 700 unchanged"), "{}", exit.stdout);
    assert_eq!(scene.sequence(), before, "nothing is written");
}
