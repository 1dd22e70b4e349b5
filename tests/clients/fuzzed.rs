//! A fuzzer that knows the document: everything that is in it is sent right and wrong, by callers
//! of two businesses, and every answer is as the document says.
//!
//! Its seed is fixed and its examples are few: what it finds is found on every machine. What it
//! cannot know of the API is said in `fuzzer/hooks.py`.

use crate::clients::workshop::{Workshop, other_business};
use crate::support::{Client, Credentials, Fixture, OPERATOR_KEY, custom_object, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SETTINGS: &str = include_str!("fuzzer/schemathesis.toml");

/// What ends callers: after one of these nobody is let in any more, and no other route is reached.
const ENDS_CALLERS: [&str; 4] =
    ["admin_businesses_destroy", "api_keys_destroy", "team_destroy", "team_partial_update"];

/// Values for the placeholders of paths, of both businesses: whoever asks finds the own ones, and
/// must not find the others.
#[derive(Default)]
struct Places(BTreeMap<&'static str, Vec<String>>);

impl Places {
    fn add(&mut self, placeholder: &'static str, value: &str) {
        self.0.entry(placeholder).or_default().push(value.to_owned());
    }

    /// Makes one thing of each kind in a business.
    fn fill(&mut self, client: &mut Client) {
        let mut post = |path: &str, body: &Value, status| client.post(path, body).expect(status);
        for field in [
            json!({
                "field_type": "dropdown", "display_name": "Region",
                "options": [{"name": "North"}, {"name": "South"}],
            }),
            // The document's own example names it.
            json!({
                "field_type": "dropdown", "display_name": "Account region",
                "options": [{"name": "North"}],
            }),
            json!({"field_type": "integer", "display_name": "Seats"}),
            json!({"field_type": "dynamictags", "display_name": "Labels"}),
        ] {
            let made = post("/api/custom-objects/accounts/fields", &field, 201);
            for option in made["options"].as_array().into_iter().flatten() {
                self.add("option", text(option, "id"));
            }
        }
        for name in ["a", "b"] {
            let body =
                json!({"lookup_value": name, "fields": {"region": "North", "labels": ["x"]}});
            self.add("entity_id", text(&post("/api/records/accounts/upsert", &body, 200), "id"));
        }
        let body = json!({"activity_object_name": "task", "due_datetime": "2030-01-01T00:00:00Z"});
        self.add("id", text(&post("/api/activities/scheduled-activity", &body, 201), "id"));
        let body = json!({"related_objects": []});
        self.add("id", text(&post("/api/activities/task/log-activity", &body, 201), "id"));
        let body = json!({"email": "somebody@example.com"});
        self.add("member_id", text(&post("/api/team", &body, 201), "id"));
        let body = json!({"name": "Other"});
        let path = "/api/custom-objects/accounts/categories";
        self.add("category", text(&post(path, &body, 201), "id"));
    }

    /// Their part of the fuzzer's settings.
    fn settings(&self) -> String {
        let dictionary = |(placeholder, values): (&&str, &Vec<String>)| {
            format!("\n[dictionaries.{placeholder}]\nvalues = {}\n", json!(values))
        };
        let parameter = |placeholder: &&str| {
            let drawn = format!("{{ dictionary = \"{placeholder}\", probability = 0.8 }}");
            format!("\"path.{placeholder}\" = {drawn}\n")
        };
        let dictionaries: String = self.0.iter().map(dictionary).collect();
        let parameters: String = self.0.keys().map(parameter).collect();
        format!("{dictionaries}\n[parameters]\n{parameters}")
    }
}

/// A caller as the fuzzer is told of one.
fn caller(name: &str, credentials: &Credentials) -> Value {
    let header = |name: &str, value: &str| json!({"name": name, "value": value});
    json!({"name": name, "fixedHeaders": [
        header("X-API-KEY", &credentials.api_key),
        header("X-BUSINESS-ID", &credentials.business_id),
        header("X-USER-ID", &credentials.user_id),
    ]})
}

/// A server with two businesses, and the fuzzer's settings for it.
fn scene(workshop: &Workshop) -> Fixture {
    let mut fixture = Fixture::new();
    let (mut other, credentials) = other_business(&mut fixture);
    let mut places = Places::default();
    for client in [&mut fixture.client, &mut other] {
        custom_object(client, "accounts");
        places.fill(client);
    }
    for name in ["accounts", "client_client"] {
        places.add("object_identifier", name);
    }
    for name in ["region", "labels", "seats", "tags", "name"] {
        places.add("field", name);
    }
    places.add("reference", "task");
    let callers = [caller("ada", &fixture.server.credentials()), caller("eve", &credentials)];
    workshop.write("callers.json", &json!({"auth": callers}).to_string());
    workshop.take(&["fuzzer/hooks.py"]);
    workshop.write("schemathesis.toml", &(SETTINGS.to_owned() + &places.settings()));
    fixture
}

/// Runs the fuzzer on operations that end callers, or on all others.
#[track_caller]
fn fuzz(ends_callers: bool) {
    let Some(workshop) = Workshop::open() else { return };
    let mut fixture = scene(&workshop);
    let document = fixture.client.get("/api/openapi.json").expect(200);
    // It reads the document, and does not ask for it once more.
    let is_meant = |operation: &&Value| {
        let id = text(operation, "operationId");
        id != "openapi" && ENDS_CALLERS.contains(&id) == ends_callers
    };
    let items = document["paths"].as_object().expect("a document has paths").values();
    let operations = items.flat_map(|item| item.as_object().expect("a path has methods").values());
    let count = operations.filter(is_meant).count();
    let choice = if ends_callers { "--include" } else { "--exclude" };
    let choice = format!("{choice}-operation-id-regex=^({})$", ENDS_CALLERS.join("|"));
    let address = format!("http://{}/api/openapi.json", fixture.server.address());
    let bounds = ["--seed", "20261124", "--max-examples", "20"];
    let settings = ["--config-file", "schemathesis.toml", "run", &choice, &address];
    let environment = [("OPERATOR_KEY", OPERATOR_KEY)];
    let said = workshop.run("schemathesis", &[&settings[..], &bounds].concat(), &environment);
    assert!(said.contains(&format!("\n  Tested: {count}\n")), "not {count} were tested:\n{said}");
    // The first connection has idled too long; who is let in does not matter here.
    let metrics = fixture.server.client().get("/metrics");
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    assert!(metrics.contains("\nupsertd_http_panics_total 0\n"), "a handler has panicked");
    let operator = "route=\"/api/admin/businesses\",method=\"GET\",status=\"200\"";
    assert!(ends_callers || metrics.contains(operator), "the operator was not let in");
}

#[test]
fn the_fuzzer_finds_nothing() {
    fuzz(false);
}

#[test]
fn the_fuzzer_finds_nothing_where_callers_are_ended() {
    fuzz(true);
}
