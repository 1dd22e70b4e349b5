//! An export and the feed behind it: a reader of any speed, restarted at random, of a server that is
//! killed at random and written to meanwhile, arrives at exactly what the next export shows.

use crate::api::exports::{EXPORT, accounts, by_id};
use crate::support::{Client, Fixture, Seed, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// A copy of an object.
#[derive(Clone)]
struct Copy {
    /// Live records, by id, as exports show them.
    records: BTreeMap<String, Value>,
    /// Kept over restarts together with what it led to.
    after: String,
    /// Entries that were applied since the export.
    applied: usize,
}

impl Copy {
    fn begin(client: &mut Client) -> Self {
        let (records, after) = by_id(&client.get(EXPORT));
        Self { records, after, applied: 0 }
    }

    /// Takes one page of a random size; tells whether there is more.
    fn take(&mut self, client: &mut Client, seed: &mut Seed) -> bool {
        let (limit, after) = (1 + seed.below(9), &self.after);
        let target =
            format!("/api/records/accounts/changes?include=record&limit={limit}&after={after}");
        let page = client.get(&target).expect(200);
        for entry in page["results"].as_array().expect("a page has results") {
            let id = || text(entry, "id").to_owned();
            match text(entry, "action") {
                "created" | "updated" | "unarchived" => {
                    // What was purged since is told of without its values; its end comes later.
                    if entry["record"].is_object() {
                        self.records.insert(id(), named(&entry["record"]));
                    }
                }
                "archived" | "purged" => drop(self.records.remove(&id())),
                "schema" => {
                    *self = Self::begin(client);
                    return true;
                }
                strange => panic!("{strange} is no action"),
            }
            self.applied += 1;
        }
        text(&page, "next_cursor").clone_into(&mut self.after);
        page["has_more"] == true
    }
}

/// A read answer as a line of an export.
fn named(record: &Value) -> Value {
    let mut line = record.clone();
    let fields = line["fields"].take();
    let values = fields.as_object().expect("fields are an object").values();
    line["fields"] =
        values.map(|field| (text(field, "name").to_owned(), field["value"].clone())).collect();
    line
}

fn write(client: &mut Client, seed: &mut Seed) {
    let region = if seed.below(2) == 0 { Some("North") } else { None };
    let body = json!({
        "lookup_value": format!("Acme {}", seed.below(40)), "oncreate_unarchive": "unarchive",
        "fields": {"note": format!("{}", seed.below(4)), "region": region},
    });
    let record = client.post("/api/records/accounts/upsert", &body).expect(200);
    let path = format!("/api/records/accounts/{}", text(&record, "id"));
    match seed.below(30) {
        0..=3 => client.delete(&path).expect_empty(204),
        4 => {
            client.delete(&path).expect_empty(204);
            client.delete(&format!("{path}?purge=true")).expect_empty(204);
        }
        5 => {
            let fields = "/api/custom-objects/accounts/fields";
            let name = format!("extra{}", seed.below(1_000_000));
            let body = json!({"field_type": "checkbox", "display_name": name, "name": name});
            // The same name may have been drawn before.
            client.post(fields, &body);
            if seed.below(2) == 0 {
                client.delete(&format!("{fields}/{name}")).expect_empty(204);
            }
        }
        6 => {
            let options = "/api/custom-objects/accounts/fields/region/options";
            let south = json!({"name": format!("South {}", seed.below(1_000_000))});
            client.post(options, &south);
        }
        _ => {}
    }
}

fn round(fixture: &Fixture, seed: &mut Seed, mut copy: Copy) -> Copy {
    let is_written = AtomicBool::new(false);
    let mut writer_seed = seed.fork();
    let (mut client, mut writer) = (fixture.server.client(), fixture.server.client());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..60 {
                write(&mut writer, &mut writer_seed);
            }
            is_written.store(true, SeqCst);
        });
        // What a reader has stored when it dies; behind it it reads again.
        let mut stored = copy.clone();
        while !is_written.load(SeqCst) {
            match seed.below(12) {
                0 => copy = Copy::begin(&mut client),
                1 | 2 => copy = stored.clone(),
                3..=5 => stored = copy.clone(),
                _ => drop(copy.take(&mut client, seed)),
            }
        }
    });
    while copy.take(&mut client, seed) {}
    copy
}

#[test]
fn an_export_and_the_changes_behind_it_arrive_at_the_next_export() {
    let mut seed =
        Seed::of_this_run("an_export_and_the_changes_behind_it_arrive_at_the_next_export");
    let mut fixture = accounts();
    let body = json!({
        "field_type": "dropdown", "display_name": "Region", "options": [{"name": "North"}],
    });
    fixture.field("accounts", &body);
    let mut copy = Copy::begin(&mut fixture.client);
    let mut applied = 0;
    for at in 0..8 {
        copy = round(&fixture, &mut seed, copy);
        applied += copy.applied;
        let (truth, _) = by_id(&fixture.client.get(EXPORT));
        assert_eq!(copy.records, truth, "round {at}");
        match seed.below(3) {
            0 => fixture = fixture.after_a_crash(),
            1 => fixture.snapshot(),
            _ => {}
        }
    }
    assert!(applied > 0, "the feed had a part in it");
}
