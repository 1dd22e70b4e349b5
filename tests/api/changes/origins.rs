//! Origins: what wrote a change, so that an integration can leave out its own.

use crate::api::changes::{all, each};
use crate::support::{Fixture, Request, text};
use serde_json::{Value, json};

#[test]
fn a_request_may_write_for_another_system_than_its_key() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let mut upsert = |name: &str, origin: Option<&str>| {
        let request = Request::new("POST", "/api/records/accounts/upsert");
        let request = request.json(&json!({"lookup_value": name}));
        let request = match origin {
            Some(origin) => request.header("X-Origin", origin),
            None => request,
        };
        fixture.send(&request).expect(200)
    };
    let shop = upsert("Shop", Some("shop-sync"));
    upsert("Crm", Some("CRM:eu_1.2"));
    upsert("Own", None);
    let names = |fixture: &mut Fixture, query: &str| {
        let found = all(&mut fixture.client, "accounts", &format!("actions=created&{query}"));
        found.iter().map(|entry| text(&entry["keys"], "name").to_owned()).collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("", vec!["Shop", "Crm", "Own"]),
        ("exclude_origin=shop-sync", vec!["Crm", "Own"]),
        ("exclude_origin=shop-sync,%20CRM:eu_1.2", vec!["Own"]),
        ("only_origin=CRM:eu_1.2,bootstrap", vec!["Crm", "Own"]),
        ("only_origin=crm:eu_1.2", vec![]),
        ("only_origin=shop-sync&exclude_origin=shop-sync", vec![]),
    ] {
        assert_eq!(names(&mut fixture, query), expected, "{query}");
    }
    let path = format!("/api/records/accounts/{}", text(&shop, "id"));
    let archive = Request::new("DELETE", &path).header("x-origin", "janitor");
    fixture.send(&archive).expect_empty(204);
    let history = fixture.client.get(&format!("{path}/history")).expect(200);
    let rows = history["results"].as_array().expect("a page has results");
    assert_eq!(each(rows, "origin"), ["janitor", "shop-sync"].map(Value::from));
}

#[test]
fn a_change_of_the_schema_has_an_origin_too() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let body = json!({"field_type": "text", "display_name": "Note"});
    let request = Request::new("POST", "/api/custom-objects/accounts/fields").json(&body);
    fixture.send(&request.header("X-Origin", "setup")).expect(201);
    let found = all(&mut fixture.client, "accounts", "only_origin=setup");
    assert_eq!(each(&found, "seq"), [json!(2)]);
}
