//! Fields that a member may not see: no read shows them, and to name one is to name nothing.

use crate::api::bad_input::assert_unchanged;
use crate::api::bad_input::route::Who;
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::support::{Answer, Request, text};
use serde_json::{Value, json};

/// The hidden fields, by type and what the record has in them.
fn fields() -> Vec<(&'static str, Value, Value)> {
    vec![
        ("sekret_text", json!({"field_type": "text"}), json!("hush text")),
        ("sekret_code", json!({"field_type": "text", "is_unique": true}), json!("hush code")),
        ("sekret_number", json!({"field_type": "integer"}), json!(987_654_321)),
        (
            "sekret_choice",
            json!({"field_type": "dropdown", "options": [{"name": "hush choice"}]}),
            json!("hush choice"),
        ),
        ("sekret_tags", json!({"field_type": "dynamictags"}), json!(["hush tag"])),
        ("sekret_team", json!({"field_type": "team_selector"}), json!("{member}")),
    ]
}

/// A member who may do everything with records but see these fields.
struct Hidden {
    scene: Scene,
    /// The member's headers.
    ada: [(&'static str, String); 2],
    /// The fields by name and id.
    fields: Vec<(&'static str, String)>,
}

impl Hidden {
    fn new() -> Self {
        let mut scene = Scene::new();
        let object = scene.own("object").to_owned();
        let target = format!("/api/custom-objects/{object}/fields");
        let (mut made, mut values, mut access) = (Vec::new(), json!({}), json!({}));
        for (name, mut body, value) in fields() {
            body["name"] = json!(name);
            body["display_name"] = json!(name);
            let field = scene.fixture.client.post(&target, &body).expect(201);
            made.push((name, text(&field, "id").to_owned()));
            values[name] = value;
            access[name] = json!(0);
        }
        let record = format!("/api/records/{object}/{}", scene.own("record"));
        let values = scene.filled(&json!({"fields": values}));
        scene.fixture.client.patch(&record, &values).expect(200);
        let all = json!({
            "all_records": 3, "associated_records": 3, "create_record": true, "unarchive_all": true,
            "unarchive_associated": true, "bulk_actions": true, "export": true,
        });
        let mut objects = json!({});
        objects[&object] = json!({"settings": 3, "records": all, "fields": access});
        let group = json!({"name": "Blind", "objects": objects});
        let group = scene.fixture.client.post("/api/permission-group", &group).expect(201);
        let ada = scene.key_of_ada();
        let member = format!("/api/team/{}", scene.own("member"));
        let groups = json!({"permission_groups": [group["id"]]});
        scene.fixture.client.patch(&member, &groups).expect(200);
        Self { scene, ada, fields: made }
    }

    fn ask(&mut self, request: Request) -> Answer {
        let with =
            |request: Request, (name, value): &(&'static str, String)| request.header(name, value);
        let request = self.ada.iter().fold(request, with);
        self.scene.send(&request)
    }
}

#[test]
fn no_read_shows_a_hidden_field() {
    let mut hidden = Hidden::new();
    let mut secrets = vec!["sekret".to_owned(), "hush".to_owned(), "987654321".to_owned()];
    secrets.extend(hidden.fields.iter().map(|(_, id)| id.clone()));
    let mut shown = 0;
    for route in routes().iter().filter(|route| route.who == Who::Member && route.reads()) {
        for more in
            ["", "archived=include", "include_hidden_fields=true", "all_fields=true", "search=hush"]
        {
            let target = hidden.scene.target(route, more);
            let request = match route.good_body() {
                Some(body) => route.request(&target).json(&hidden.scene.filled(body)),
                None => route.request(&target),
            };
            let answer = hidden.ask(request);
            assert!(answer.status < 500, "{answer}");
            let said = String::from_utf8_lossy(&answer.body).replace("search=hush", "");
            let told: Vec<_> = secrets.iter().filter(|secret| said.contains(*secret)).collect();
            assert!(told.is_empty(), "{told:?} in {answer}");
            shown += usize::from(answer.status == 200);
        }
    }
    assert!(shown > 50, "only {shown} reads were answered");
}

/// Requests that name a field, `$` being its name or its id.
fn naming() -> Vec<(&'static str, &'static str, Value)> {
    let patch = "PATCH /api/records/{object}/{record}";
    let search = "POST /api/records/{object}/search";
    let upsert = "POST /api/records/{object}/upsert";
    let list = "GET /api/records/{object}";
    let condition = |word: &str, value: Value| json!({"query": [{"filters": [{"field": "$", "condition": word, "value": value}]}]});
    vec![
        (patch, "", json!({"fields": {"$": "x"}})),
        (patch, "", json!({"fields": {"$": null, "note": "x"}})),
        (
            patch,
            "",
            json!({"fields": [{"name": "$", "value": "x"}, {"id": "$", "add_values": ["x"]}]}),
        ),
        ("PUT /api/records/{object}/{record}", "replace=true", json!({"fields": {"$": "x"}})),
        (upsert, "", json!({"lookup_value": "Acme", "fields": {"$": "hush code"}})),
        (upsert, "", json!({"lookup_value": "New", "fields": [{"id": "$", "value": "hush code"}]})),
        (
            "POST /api/records/{object}/add",
            "",
            json!({"fields": {"name": "New", "$": "hush code"}}),
        ),
        (search, "", condition("is_blank", json!(true))),
        (search, "", condition("=", json!("hush text"))),
        (search, "", json!({"ordering": "-$"})),
        (search, "", json!({"field_names": ["$"], "field_ids": ["$"]})),
        (search, "", json!({"search": "hush", "search_within_field_names": ["$"]})),
        (search, "", json!({"search": "hush", "search_within_field_ids": ["$"]})),
        (list, "ordering=$", Value::Null),
        (list, "field_names=$&field_ids=$", Value::Null),
        ("GET /api/records/{object}/lookup", "by=$", Value::Null),
        ("GET /api/records/{object}/{record}", "field_names=$&field_ids=$", Value::Null),
        (
            "POST /api/custom-objects/{object}/bulk-change-field-value",
            "",
            json!({"record_ids": ["{record}"], "field_id": "$", "field_value": "hush code"}),
        ),
    ]
}

#[test]
fn to_name_a_hidden_field_is_to_name_nothing() {
    let mut hidden = Hidden::new();
    let (before, routes) = (hidden.scene.state(), routes());
    for (line, query, body) in naming() {
        let Some(route) = routes.iter().find(|route| route.line() == line) else {
            panic!("the table has no {line}");
        };
        for (name, id) in hidden.fields.clone() {
            let random = hidden.scene.random_id();
            for (named, unknown) in [(name, "no_such_field"), (&*id, &*random)] {
                let mut told = |name: &str| {
                    let target = hidden.scene.target(route, &query.replace('$', name));
                    let mut request = route.request(&target);
                    if !body.is_null() {
                        let body = hidden.scene.filled(&body).to_string().replace('$', name);
                        request = request
                            .header("Content-Type", "application/json")
                            .body(body.as_bytes());
                    }
                    let answer = hidden.ask(request);
                    let mut said = answer.json();
                    said.as_object_mut().map(|said| said.remove("request_id"));
                    format!("{} {}", answer.status, said.to_string().replace(name, "$"))
                };
                assert_eq!(told(named), told(unknown), "{line} {query}{body}");
            }
        }
    }
    assert_unchanged(&before, &hidden.scene.state(), "a hidden field");
}
