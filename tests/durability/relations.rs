//! A write to a mirror is many commits: the server is killed between them, and the write repeated.

use crate::support::{Client, Fixture, Request, field_value, text, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::thread;

/// Far more than are under way at once.
const DEALS: usize = 600;
/// Kills that may come too late before one has to meet a write half done.
const ROUNDS_MAX: usize = 40;

#[test]
fn a_write_to_a_mirror_that_a_crash_cut_is_completed_by_repeating_it() {
    let mut fixture = Fixture::new();
    for name in ["companies", "deals"] {
        fixture.object(name);
    }
    let field = fixture.field(
        "deals",
        &json!({
            "field_type": "relationship", "display_name": "Company", "name": "company",
            "relation": {
                "related_object": "companies", "related_name": "deals", "relation_type": "primary",
            },
        }),
    );
    let mirror = text(&field["relation"]["related_field"], "id").to_owned();
    let name = |number: usize| format!("Deal {number}");
    let deals: Vec<String> = (0..DEALS)
        .map(|number| text(&fixture.create("deals", &name(number), &json!({})), "id").to_owned())
        .collect();
    let mut before = company(&mut fixture, "Company");
    write(&mut fixture.client, &before, &deals).expect(200);
    for round in 0..ROUNDS_MAX {
        let after = company(&mut fixture, &format!("Company {round}"));
        cut(&fixture, &after, &mirror, &deals);
        let (exit, launch) = fixture.server.ended();
        assert_eq!(exit.code, None, "it was killed: {}", exit.stderr);
        fixture = Fixture::of(launch.start());
        let moved = check(&mut fixture, [&before, &after], &mirror, &deals);
        write(&mut fixture.client, &after, &deals).expect(200);
        assert_eq!(check(&mut fixture, [&before, &after], &mirror, &deals), DEALS);
        // Whoever was moved before the crash is not written again.
        let versions = versions(&mut fixture, &deals);
        assert!(versions.iter().all(|version| *version == 3 + round as u64), "{versions:?}");
        println!("round {round}: {moved} of {DEALS} were moved when the server was killed");
        if (1..DEALS).contains(&moved) {
            return;
        }
        before = after;
    }
    panic!("no kill has met a write half done");
}

fn company(fixture: &mut Fixture, name: &str) -> String {
    text(&fixture.create("companies", name, &json!({})), "id").to_owned()
}

fn write(client: &mut Client, company: &str, deals: &[String]) -> crate::support::Answer {
    client.send(&request(company, deals))
}

fn request(company: &str, deals: &[String]) -> Request {
    let body = json!({"fields": {"deals": deals}});
    Request::new("PATCH", &format!("/api/records/companies/{company}")).json(&body)
}

/// Kills the server when some of the deals are seen at their new company.
fn cut(fixture: &Fixture, company: &str, mirror: &str, deals: &[String]) {
    let (mut writer, mut reader) = (fixture.server.client(), fixture.server.client());
    thread::scope(|scope| {
        scope.spawn(|| drop(writer.try_send(&request(company, deals))));
        until("a deal at its new company", || {
            (count(&mut reader, company, mirror) > 0).then_some(())
        });
        fixture.server.signal(Signal::KILL);
    });
}

fn count(client: &mut Client, company: &str, mirror: &str) -> u64 {
    let path = format!("/api/records/{company}/field-values/{mirror}?page_size=1");
    client.get(&path).expect(200)["count"].as_u64().expect("a page has a count")
}

/// Both sides agree: each deal is at one of the companies, which shows it. Gives how many are at the
/// second.
fn check(fixture: &mut Fixture, companies: [&str; 2], mirror: &str, deals: &[String]) -> usize {
    let mut kept = [BTreeSet::new(), BTreeSet::new()];
    for row in rows(&mut fixture.client, "/api/records/deals?page_size=1000") {
        let company = field_value(&row, "company").expect("it is moved, never lost");
        let at = companies.iter().position(|id| *id == text(company, "id"));
        kept[at.expect("it is at one of the two")].insert(text(&row, "id").to_owned());
    }
    assert_eq!(kept[0].len() + kept[1].len(), deals.len());
    for (company, kept) in companies.iter().zip(&kept) {
        let path = format!("/api/records/{company}/field-values/{mirror}?page_size=1000");
        let shown = rows(&mut fixture.client, &path);
        let shown: BTreeSet<String> = shown.iter().map(|row| text(row, "id").to_owned()).collect();
        assert_eq!(shown, *kept);
    }
    kept[1].len()
}

fn rows(client: &mut Client, path: &str) -> Vec<Value> {
    client.get(path).expect(200)["results"].as_array().expect("a page has results").clone()
}

fn versions(fixture: &mut Fixture, deals: &[String]) -> Vec<u64> {
    let rows = rows(&mut fixture.client, "/api/records/deals?page_size=1000");
    assert_eq!(rows.len(), deals.len());
    rows.iter().map(|row| row["version"].as_u64().expect("a number")).collect()
}
