//! Writes of related records: what is refused, what a new record gets, who wins a race.

use crate::api::relationships::{Pair, names_of};
use crate::support::{Request, assert_includes, field_value, send_together, text};
use serde_json::json;

#[test]
fn what_names_no_record_is_refused_and_nothing_is_written() {
    let mut pair = Pair::related("primary");
    let acme = pair.make("companies", "Acme");
    let deal = pair.make("deals", "First");
    let unknown = "00000000-0000-7000-8000-000000000000";
    for (object, id, field, value, code) in [
        ("deals", &deal, "company", json!(unknown), "does_not_exist"),
        ("deals", &deal, "company", json!(deal), "does_not_exist"),
        ("deals", &deal, "company", json!("Acme"), "does_not_exist"),
        ("deals", &deal, "company", json!({"lookup_value": "Bolt"}), "does_not_exist"),
        ("deals", &deal, "company", json!([acme]), "invalid"),
        ("deals", &deal, "company", json!(7), "invalid"),
        ("companies", &acme, "deals", json!([deal, unknown]), "does_not_exist"),
        ("companies", &acme, "deals", json!([deal, 7]), "invalid"),
    ] {
        let fields = json!([
            {"name": "name", "value": "Renamed"}, {"name": field, "value": value},
        ]);
        let path = format!("/api/records/{object}/{id}");
        let answer = pair.fixture.client.patch(&path, &json!({"fields": fields}));
        let error = answer.expect_error(400, code);
        let fault = json!([{"field": field, "index": 1, "code": code}]);
        assert_includes(&error["errors"], &fault);
    }
    for (object, id) in [("deals", &deal), ("companies", &acme)] {
        assert_eq!(pair.version(object, id), 1);
    }
    assert_eq!(pair.names("companies", &acme, "deals"), [""; 0]);
    // Where the owning side must have a value, the mirror takes none away.
    pair.set("deals", &deal, "company", &json!(acme));
    let path = "/api/custom-objects/deals/fields/company";
    pair.fixture.client.patch(path, &json!({"is_required": true})).expect(200);
    let answer = pair.patch("companies", &acme, &json!({"deals": [], "name": "Renamed"}));
    assert_includes(&answer.expect_error(400, "required")["errors"], &json!([{"field": "deals"}]));
    assert_eq!(pair.version("companies", &acme), 1);
    let mirror = "/api/custom-objects/companies/fields/deals";
    let answer = pair.fixture.client.patch(mirror, &json!({"is_required": true}));
    answer.expect_error(400, "invalid");
    pair.fixture.client.patch(path, &json!({"is_read_only": true})).expect(200);
    let answer = pair.patch("companies", &acme, &json!({"deals": [deal]}));
    answer.expect_error(403, "forbidden_field_write");
}

#[test]
fn a_new_record_is_related_at_once_and_replace_spares_mirrors() {
    let mut pair = Pair::related("primary");
    let [first, second] = pair.make_all("deals", ["First", "Second"]);
    let fields = json!({"deals": [first, {"lookup_value": "second"}]});
    let acme = pair.fixture.create("companies", "Acme", &fields);
    assert_eq!(names_of(field_value(&acme, "deals")), ["First", "Second"]);
    let acme = text(&acme, "id").to_owned();
    let body = json!({"lookup_value": "acme", "fields": {"deals": [second]}});
    let updated = pair.fixture.upsert("companies", &body).expect(200);
    assert_eq!((&updated["action"], &updated["version"]), (&json!("updated"), &json!(1)));
    assert_eq!(names_of(field_value(&updated, "deals")), ["Second"]);
    let path = format!("/api/records/companies/{acme}?replace=true");
    pair.fixture.client.put(&path, &json!({"fields": {"name": "Acme"}})).expect(200);
    assert_eq!(pair.names("companies", &acme, "deals"), ["Second"]);
    let path = format!("/api/records/deals/{second}?replace=true");
    pair.fixture.client.put(&path, &json!({"fields": {"name": "Second"}})).expect(200);
    assert_eq!(pair.names("companies", &acme, "deals"), [""; 0]);
}

#[test]
fn clients_that_race_for_one_record_leave_it_with_one() {
    const CLIENTS: usize = 16;
    let mut pair = Pair::related("one_to_one");
    let acme = pair.make("companies", "Acme");
    let deals: Vec<String> =
        (0..CLIENTS).map(|number| pair.make("deals", &format!("Deal {number:02}"))).collect();
    let server = &pair.fixture.server;
    let requests = deals.iter().enumerate().map(|(number, deal)| {
        let request = if number % 2 == 0 {
            let body = json!({"fields": {"company": acme}});
            Request::new("PATCH", &format!("/api/records/deals/{deal}")).json(&body)
        } else {
            let body = json!({"fields": {"deals": deal}});
            Request::new("PATCH", &format!("/api/records/companies/{acme}")).json(&body)
        };
        (server.client(), request)
    });
    for answer in send_together(requests.collect()) {
        answer.expect(200);
    }
    let winner = pair.names("companies", &acme, "deals");
    assert_eq!(winner.len(), 1);
    let related: Vec<_> =
        deals.iter().filter(|deal| !pair.names("deals", deal, "company").is_empty()).collect();
    assert_eq!(related.len(), 1, "who lost it has nothing");
    let name = pair.fixture.read("deals", related[0]).expect(200)["name"].clone();
    assert_eq!(json!(winner), json!([name]));
}
