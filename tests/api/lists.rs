//! Lists: pages, order, search, and what the archive hides.

use crate::support::{Fixture, Request, assert_includes, send_together, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// More than one page of any size.
const RECORDS: usize = 1_050;

/// Twenty-five accounts, `n01` to `n25`, the odd ones in the north.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    for number in 1..=25 {
        let fields =
            if number % 2 == 1 { json!({"note": format!("north {number}")}) } else { json!({}) };
        fixture.create("accounts", &format!("n{number:02}"), &fields);
    }
    fixture
}

fn names(page: &Value) -> Vec<&str> {
    let results = page["results"].as_array().unwrap_or_else(|| panic!("no results in {page}"));
    results.iter().map(|row| text(row, "name")).collect()
}

fn numbered(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("n{number:02}")).collect()
}

#[test]
fn pages_follow_each_other_in_creation_order() {
    let mut fixture = accounts();
    let first = "/api/records/accounts?page_size=10&field_names=note";
    let page = fixture.client.get(first).expect(200);
    assert_includes(&page, &json!({"count": 25, "previous": null, "errors": null}));
    assert_eq!(names(&page), numbered(1..=10));

    let second = follow(&mut fixture, &page["next"]);
    assert_eq!(names(&second), numbered(11..=20));
    let third = follow(&mut fixture, &second["next"]);
    assert_eq!(names(&third), numbered(21..=25));
    assert_includes(&third, &json!({"count": 25, "next": null}));
    assert_eq!(names(&follow(&mut fixture, &third["previous"])), numbered(11..=20));
    for link in [&page["next"], &second["previous"], &third["previous"]] {
        let link = link.as_str().expect("an absolute URL");
        assert!(link.contains("field_names=note") && link.contains("page_size=10"), "{link}");
    }
}

/// Follows an absolute URL of a page.
fn follow(fixture: &mut Fixture, link: &Value) -> Value {
    let link = link.as_str().expect("the page has a neighbour");
    let origin = format!("http://{}", fixture.server.address());
    let target = link.strip_prefix(&*origin);
    let target = target.unwrap_or_else(|| panic!("{link} is not below {origin}")).to_owned();
    fixture.client.get(&target).expect(200)
}

/// A query, and the names it gives; none: `Invalid page.`
type Listing = (&'static str, Option<Vec<String>>);

fn listings() -> Vec<Listing> {
    vec![
        ("", Some(numbered(1..=25))),
        ("?page=1", Some(numbered(1..=25))),
        ("?page=2", None),
        ("?page=0", None),
        ("?page=-1", None),
        ("?page=x", None),
        ("?page=", None),
        ("?page=3&page_size=10", Some(numbered(21..=25))),
        ("?page=4&page_size=10", None),
        ("?page_size=25", Some(numbered(1..=25))),
        ("?page_size=0", Some(numbered(1..=25))),
        ("?page_size=-5", Some(numbered(1..=25))),
        ("?page_size=many", Some(numbered(1..=25))),
        ("?name=n07&page_size=1", Some(numbered([1]))),
    ]
}

#[test]
fn every_query_gives_its_rows() {
    let mut fixture = accounts();
    for (query, expected) in listings() {
        println!("list{query}");
        let answer = fixture.client.get(&format!("/api/records/accounts{query}"));
        if let Some(expected) = expected {
            assert_eq!(names(&answer.expect(200)), expected);
        } else {
            let body = answer.expect_error(404, "not_found");
            assert_eq!(body["detail"], "Invalid page.");
        }
    }
}

#[test]
fn page_one_of_nothing_is_empty() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let empty = json!({"count": 0, "next": null, "previous": null, "results": [], "errors": null});
    assert_eq!(fixture.client.get("/api/records/accounts").expect(200), empty);
    fixture.client.get("/api/records/accounts?page=2").expect_error(404, "not_found");
    fixture.client.get("/api/records/unknown").expect_error(404, "not_found");
}

#[test]
fn archived_records_are_listed_only_when_asked_for() {
    let mut fixture = accounts();
    for number in [3, 4] {
        let record = fixture.lookup("accounts", &format!("n{number:02}")).expect(200);
        fixture.archive("accounts", text(&record, "id"));
    }
    for (query, count) in
        [("", 23), ("?archived=exclude", 23), ("?archived=include", 25), ("?archived=only", 2)]
    {
        let page = fixture.client.get(&format!("/api/records/accounts{query}")).expect(200);
        assert_eq!(page["count"], count, "{query}");
        assert_eq!(names(&page).contains(&"n03"), count != 23, "{query}");
    }
    let only = fixture.client.get("/api/records/accounts?archived=only").expect(200);
    assert_eq!(names(&only), numbered([3, 4]));
    let wrong = fixture.client.get("/api/records/accounts?archived=perhaps");
    wrong.expect_error(400, "invalid_choice");
    let object = fixture.client.get("/api/custom-objects/accounts").expect(200);
    assert_eq!(object["number_of_records"], 23, "the object counts the live ones");
}

#[test]
fn a_page_holds_at_most_a_thousand_rows_and_no_row_twice() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for first in (0..RECORDS).step_by(50) {
        let upserts = (first..first + 50).map(|number| {
            let body = json!({"lookup_value": format!("record {number}")});
            let upsert = Request::new("POST", "/api/records/accounts/upsert").json(&body);
            (fixture.server.client(), upsert)
        });
        for answer in send_together(upserts.collect()) {
            assert_eq!(answer.expect(200)["action"], "created");
        }
    }
    let page = fixture.client.get("/api/records/accounts?page_size=5000").expect(200);
    assert_eq!(names(&page).len(), 1_000);
    let rest = follow(&mut fixture, &page["next"]);
    let mut ids = BTreeSet::new();
    for row in
        [page["results"].as_array(), rest["results"].as_array()].into_iter().flatten().flatten()
    {
        assert!(ids.insert(text(row, "id").to_owned()), "{row} is listed twice");
    }
    assert_eq!(ids.len(), RECORDS);
    let default = fixture.client.get("/api/records/accounts").expect(200);
    assert_eq!(names(&default).len(), 100);
}
