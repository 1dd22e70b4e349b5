//! Parallel load must cost no client an error, nor make a second record.

use crate::support::{Fixture, Request, send_together, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CLIENTS: usize = 256;
const KEYS: usize = 10;

#[test]
fn of_many_clients_on_a_few_keys_none_hears_of_the_others() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let id = json!({
        "field_type": "text", "display_name": "external_id", "name": "external_id",
        "is_unique": true,
    });
    fixture.field("accounts", &id);
    let requests = (0..CLIENTS)
        .map(|client| {
            let key = client % KEYS;
            // Some know the name, some the number in another system.
            let by = if client % 3 == 0 { "external_id" } else { "name" };
            let body = json!({
                "match": [by], "match_values": {"external_id": format!("x-{key}")},
                "fields": {"name": format!("Account {key}"), "external_id": format!("X-{key}"),
                    "note": format!("of {client}")},
            });
            let request = Request::new("POST", "/api/records/accounts/upsert").json(&body);
            (fixture.server.client(), request)
        })
        .collect();
    let mut versions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for answer in send_together(requests) {
        let record: Value = answer.expect(200);
        let version = record["version"].as_u64().expect("a version is a number");
        versions.entry(text(&record, "id").to_owned()).or_default().push(version);
    }
    assert_eq!(versions.len(), KEYS, "a record for each key");
    for (id, mut of_record) in versions {
        of_record.sort_unstable();
        let gapless: Vec<u64> = (1..).take(of_record.len()).collect();
        assert_eq!(of_record, gapless, "every write of {id} is there, once");
    }
    assert_eq!(fixture.client.get("/api/records/accounts").expect(200)["count"], KEYS);
}
