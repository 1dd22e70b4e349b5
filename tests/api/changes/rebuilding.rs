//! The feed rebuilds the truth: a reader of any speed, restarted at random, of a server that is
//! killed at random, arrives at exactly what a list of all records shows.

use crate::api::changes::entries;
use crate::support::{Fixture, Seed, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A copy of an object that is kept by its feed alone.
#[derive(Default)]
struct Copy {
    /// Live records, by id.
    records: BTreeMap<String, Value>,
    /// Kept over restarts together with what it led to.
    after: Option<String>,
    /// The last entry's number.
    seq: u64,
}

impl Copy {
    /// Takes one page of a random size; tells whether there is more.
    fn take(&mut self, fixture: &mut Fixture, seed: &mut Seed) -> bool {
        let limit = 1 + seed.below(7);
        let after = self.after.as_ref().map(|after| format!("&after={after}"));
        let target = format!(
            "/api/records/accounts/changes?include=record&limit={limit}{}",
            after.unwrap_or_default()
        );
        let page = fixture.client.get(&target).expect(200);
        for entry in entries(&page) {
            self.seq += 1;
            assert_eq!(entry["seq"], self.seq, "without gaps and repetitions");
            self.apply(entry);
        }
        self.after = Some(text(&page, "next_cursor").to_owned());
        page["has_more"] == true
    }

    fn apply(&mut self, entry: &Value) {
        let id = || text(entry, "id").to_owned();
        match text(entry, "action") {
            "created" | "updated" | "unarchived" => {
                self.records.insert(id(), entry["record"].clone());
            }
            "archived" | "purged" => {
                self.records.remove(&id());
            }
            "schema" => {}
            strange => panic!("{strange} is no action"),
        }
    }
}

/// Every live record as a reader of the whole object sees it.
fn truth(fixture: &mut Fixture) -> BTreeMap<String, Value> {
    let list = fixture.client.get("/api/records/accounts?page_size=1000").expect(200);
    let rows = list["results"].as_array().expect("a page has results");
    rows.iter().map(|row| (text(row, "id").to_owned(), row.clone())).collect()
}

fn write(fixture: &mut Fixture, seed: &mut Seed, names: &[String]) {
    let name = &names[seed.below(names.len())];
    let body = json!({
        "lookup_value": name, "oncreate_unarchive": "unarchive",
        "fields": {"note": format!("{}", seed.below(4))},
    });
    let record = fixture.upsert("accounts", &body).expect(200);
    let path = format!("/api/records/accounts/{}", text(&record, "id"));
    match seed.below(8) {
        0 => fixture.client.delete(&path).expect_empty(204),
        1 => {
            fixture.client.delete(&path).expect_empty(204);
            fixture.client.delete(&format!("{path}?purge=true")).expect_empty(204);
        }
        2 => {
            let field = "/api/custom-objects/accounts/fields/note";
            let body = json!({"description": format!("{}", seed.below(100))});
            fixture.client.patch(field, &body).expect(200);
        }
        _ => {}
    }
}

#[test]
fn a_reader_of_any_speed_arrives_at_the_truth() {
    let mut seed = Seed::of_this_run("a_reader_of_any_speed_arrives_at_the_truth");
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let names: Vec<String> = (0..12).map(|at| format!("Acme {at}")).collect();
    let mut copy = Copy::default();
    // What a reader has stored when it dies; behind it it reads again.
    let mut stored = Copy::default();
    for step in 0..300 {
        write(&mut fixture, &mut seed, &names);
        match seed.below(40) {
            0 => fixture = fixture.after_a_crash(),
            1 => fixture.snapshot(),
            2..=5 => {
                let Copy { records, after, seq } = &stored;
                copy = Copy { records: records.clone(), after: after.clone(), seq: *seq };
            }
            6..=9 => {
                let Copy { records, after, seq } = &copy;
                stored = Copy { records: records.clone(), after: after.clone(), seq: *seq };
            }
            _ => {}
        }
        if seed.below(3) == 0 {
            copy.take(&mut fixture, &mut seed);
        }
        if step % 100 == 99 {
            while copy.take(&mut fixture, &mut seed) {}
            assert_eq!(copy.records, truth(&mut fixture), "after {step}");
        }
    }
}
