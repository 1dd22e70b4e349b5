//! Real answers against what the document says of them: nothing is missing, nothing is undescribed.

mod activities;
mod changes;
mod rows;

use crate::support::{Answer, Fixture, OPERATOR_KEY, Request, text};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A server and its document, which every answer is held against.
struct Judge {
    fixture: Fixture,
    document: Value,
    /// Schemas of the document, with no room for keys that they do not name.
    components: Value,
    /// Operations that have succeeded once.
    seen: BTreeSet<String>,
    /// Keys that were used.
    keys: usize,
}

impl Judge {
    fn new() -> Self {
        let mut fixture = Fixture::new();
        let document = fixture.client.get("/api/openapi.json").expect(200);
        let components = closed(&document);
        Self { fixture, document, components, seen: BTreeSet::new(), keys: 0 }
    }

    /// Asks an operation, whose placeholders are filled in order, and judges the answer.
    #[track_caller]
    fn ask(&mut self, method: &str, template: &str, values: &[&str], body: Option<Value>) -> Value {
        let mut target = template.to_owned();
        for value in values {
            let (start, end) = (target.find('{'), target.find('}'));
            target.replace_range(
                start.expect("a placeholder for each value")..=end.expect("it ends"),
                value,
            );
        }
        let request = Request::new(&method.to_uppercase(), &target);
        let request = request.header("X-OPERATOR-KEY", OPERATOR_KEY);
        let request = body.map_or(request.clone(), |body| request.json(&body));
        let path = template.split('?').next().expect("a split has a first part");
        let is_dry = template.contains("dry_run=true");
        if is_dry || !self.takes_key(method, path) {
            return self.judge(method, path, &request);
        }
        self.keys += 1;
        let request = request.header(KEY, &format!("key {}", self.keys));
        let first = self.judge(method, path, &request);
        if first["code"].is_null() {
            self.judge_again(method, path, &request, first.clone());
        }
        first
    }

    fn takes_key(&self, method: &str, path: &str) -> bool {
        let parameters = self.document["paths"][path][method]["parameters"].as_array();
        parameters.is_some_and(|all| all.iter().any(|parameter| parameter["name"] == KEY))
    }

    /// Sends a write once more: it is answered as before, but for secrets.
    #[track_caller]
    fn judge_again(&mut self, method: &str, path: &str, request: &Request, mut first: Value) {
        let answer = self.fixture.send(request);
        assert_eq!(answer.header("Idempotent-Replayed"), Some("true"), "{method} {path}: {answer}");
        let again = self.judge(method, path, request);
        hide_secrets(&mut first);
        assert_eq!(again, first, "{method} {path}");
    }

    #[track_caller]
    fn judge(&mut self, method: &str, path: &str, request: &Request) -> Value {
        let answer = self.fixture.send(request);
        let operation = self.document["paths"][path][method].clone();
        let response = &operation["responses"][answer.status.to_string()];
        assert!(!response.is_null(), "{method} {path}: {answer} is not described");
        let response = self.resolved(response);
        if (200..300).contains(&answer.status) {
            self.seen.insert(text(&operation, "operationId").to_owned());
        }
        let headers = response["headers"].as_object().into_iter().flatten();
        for (name, _) in headers.filter(|(name, _)| !is_seldom(name, &answer)) {
            assert!(answer.header(name).is_some(), "{method} {path}: no {name} in {answer}");
        }
        let Some(contents) = response["content"].as_object() else {
            assert!(answer.body.is_empty(), "{method} {path}: {answer} has a body");
            return Value::Null;
        };
        let given = answer.header("Content-Type").unwrap_or_default();
        let content =
            contents.iter().find(|(media_type, _)| given.starts_with(media_type.as_str()));
        let (media_type, content) =
            content.unwrap_or_else(|| panic!("{method} {path}: {given} is not described"));
        let body: Value = match media_type.as_str() {
            "application/json" => serde_json::from_slice(&answer.body).expect("the body is JSON"),
            "application/x-ndjson" => {
                let line = |line: &str| serde_json::from_str::<Value>(line).expect("it is JSON");
                String::from_utf8_lossy(&answer.body).lines().map(line).collect()
            }
            _ => return Value::Null,
        };
        let whole = std::slice::from_ref(&body);
        let parts = if media_type == "application/json" { whole } else { items(&body) };
        for part in parts {
            self.hold_against(&content["schema"], part, &format!("{method} {path}"));
        }
        body
    }

    #[track_caller]
    fn hold_against(&self, schema: &Value, body: &Value, asked: &str) {
        let mut schema = schema.clone();
        schema["components"] = self.components.clone();
        let validator = jsonschema::validator_for(&schema).expect("the schema is one");
        let faults: Vec<String> = validator
            .iter_errors(body)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{asked}: {faults:#?} in {body:#}");
    }

    fn resolved(&self, value: &Value) -> Value {
        let Some(reference) = value["$ref"].as_str() else { return value.clone() };
        let pointer = reference.strip_prefix('#').expect("references stay in the document");
        self.document.pointer(pointer).expect("references lead somewhere").clone()
    }
}

/// Headers that only some answers have: of a stream the head comes before anything is written.
fn is_seldom(header: &str, answer: &Answer) -> bool {
    let is_stream =
        answer.header("Content-Type").is_some_and(|it| it.starts_with("application/x-ndjson"));
    header == "Idempotent-Replayed" || (header == "X-Seq" && is_stream)
}

/// What an answer that is given again does not tell.
fn hide_secrets(answer: &mut Value) {
    if answer["secret"].is_string() {
        answer["secret"] = Value::Null;
    }
    if answer["api_key"]["secret"].is_string() {
        answer["api_key"]["secret"] = Value::Null;
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().expect("it is a list")
}

/// The components, where an object has no keys but those it names. Errors repeat keys of the
/// request, and what is a part of another schema cannot know the keys beside it.
fn closed(document: &Value) -> Value {
    let mut schemas = document["components"]["schemas"].clone();
    let parts: BTreeSet<String> = schemas
        .as_object()
        .expect("there are schemas")
        .values()
        .flat_map(|schema| schema["allOf"].as_array().cloned().unwrap_or_default())
        .filter_map(|part| Some(part["$ref"].as_str()?.rsplit('/').next()?.to_owned()))
        .collect();
    for (name, schema) in schemas.as_object_mut().expect("there are schemas") {
        if name.starts_with("Error") || parts.contains(name) {
            continue;
        }
        if schema["allOf"].is_array() {
            schema["unevaluatedProperties"] = json!(false);
        } else if schema["properties"].is_object() && schema["additionalProperties"].is_null() {
            schema["additionalProperties"] = json!(false);
        }
    }
    json!({"schemas": schemas})
}

const KEY: &str = "Idempotency-Key";
const RECORDS: &str = "/api/records/{object_identifier}";
const RECORD: &str = "/api/records/{object_identifier}/{entity_id}";
const OBJECTS: &str = "/api/custom-objects";
const FIELDS: &str = "/api/custom-objects/{object_identifier}/fields";

fn objects_and_fields(judge: &mut Judge) {
    let object = json!({"object_name": "Accounts", "name": "accounts", "meta": {"a": 1}});
    let made = judge.ask("post", OBJECTS, &[], Some(object));
    judge.ask("get", "/api/custom-objects?custom_only=false", &[], None);
    let one = format!("{OBJECTS}/{{object_identifier}}");
    judge.ask("get", &one, &[text(&made, "id")], None);
    judge.ask("get", &format!("{one}/detail"), &["accounts"], None);
    judge.ask("get", &format!("{one}/categories"), &["accounts"], None);
    judge.ask("get", "/api/client/custom-object", &[], None);
    for field in [
        json!({"field_type": "text", "display_name": "Note", "is_unique": true}),
        json!({"field_type": "decimal", "display_name": "Score", "decimal_options": {"min_value": 0}}),
        json!({"field_type": "dropdown", "display_name": "Region", "options": [{"name": "North"}]}),
        json!({"field_type": "dynamictags", "display_name": "Labels"}),
        json!({"field_type": "team_selector", "display_name": "Team", "allow_multiple": true}),
        json!({"field_type": "checkbox", "display_name": "Vip"}),
        json!({"field_type": "rating", "display_name": "Stars", "rating": {"max_value": 3}}),
        json!({"field_type": "money", "display_name": "Price", "money_options": {"currency": "EUR"}}),
        json!({
            "field_type": "phonenumber", "display_name": "Hotline",
            "phonenumber_options": {"enable_extension": true},
        }),
        json!({"field_type": "timezone", "display_name": "Zone"}),
        json!({
            "field_type": "relationship", "display_name": "Buyers",
            "relation": {"related_object": "client_client", "relation_type": "additional"},
        }),
        json!({
            "field_type": "status", "display_name": "Phase",
            "options": [{"name": "Done", "status": "won"}],
        }),
    ] {
        judge.ask("post", FIELDS, &["accounts"], Some(field));
    }
    judge.ask("get", FIELDS, &["accounts"], None);
    judge.ask("get", &format!("{FIELDS}/settings-search"), &["accounts"], None);
    let search = Some(json!({"search": "o"}));
    judge.ask("post", &format!("{FIELDS}/search"), &["accounts"], search);
    let field = format!("{FIELDS}/{{field}}");
    judge.ask("get", &field, &["accounts", "region"], None);
    for name in ["region", "buyers"] {
        judge.ask("get", &format!("{field}/references"), &["accounts", name], None);
        judge.ask("get", &format!("{field}/options"), &["accounts", name], None);
    }
    let options = format!("{field}/options");
    judge.ask("post", &options, &["accounts", "region"], Some(json!({"name": "South"})));
    changes_of_schemas(judge);
    pipelines(judge);
}

fn changes_of_schemas(judge: &mut Judge) {
    let object = format!("{OBJECTS}/{{object_identifier}}");
    let field = format!("{FIELDS}/{{field}}");
    let category = format!("{object}/categories/{{category}}");
    let made = judge.ask(
        "post",
        &format!("{object}/categories"),
        &["accounts"],
        Some(json!({"name": "X"})),
    );
    let id = text(&made, "id");
    judge.ask("patch", &category, &["accounts", id], Some(json!({"name": "Y", "order": 3})));
    judge.ask("delete", &category, &["accounts", id], None);
    let passing = json!({
        "field_type": "dropdown", "display_name": "Passing", "options": [{"name": "A"}, {"name": "B"}],
    });
    let made = judge.ask("post", FIELDS, &["accounts"], Some(passing));
    let [first, second] = [0, 1].map(|at| text(&made["options"][at], "id"));
    for method in ["patch", "put"] {
        judge.ask(method, &object, &["accounts"], Some(json!({"description": method})));
        judge.ask(method, &field, &["accounts", "passing"], Some(json!({"description": method})));
    }
    let constraints = json!({"unique_constraints": [["note", "score"]]});
    judge.ask("patch", &object, &["accounts"], Some(constraints));
    judge.ask("get", &format!("{field}/references"), &["accounts", "note"], None);
    let dry = format!("{field}?dry_run=true");
    judge.ask("patch", &dry, &["accounts", "passing"], Some(json!({"options": [{"id": first}]})));
    let new = json!({
        "field_type": "relationship", "display_name": "Sellers",
        "relation": {"related_object": "client_client", "relation_type": "primary"},
    });
    judge.ask("post", &format!("{FIELDS}?dry_run=true"), &["accounts"], Some(new));
    let (options, body) = (format!("{field}/options?dry_run=true"), json!({"name": "D"}));
    judge.ask("post", &options, &["accounts", "passing"], Some(body));
    let option = format!("{field}/options/{{option}}");
    let body = Some(json!({"name": "C"}));
    judge.ask("patch", &option, &["accounts", "passing", first], body);
    let body = Some(json!({"id": second}));
    judge.ask("post", &format!("{option}/replace"), &["accounts", "passing", first], body);
    judge.ask("delete", &option, &["accounts", "passing", second], None);
    judge.ask("delete", &field, &["accounts", "passing"], None);
}

fn pipelines(judge: &mut Judge) {
    let pipeline = json!({
        "object_name": "Deals", "name": "deals", "object_type": "pipeline",
        "pipeline": {"stages": [{"name": "New", "percentage_chance_to_close": 12.5}]},
        "track_entity_value": true, "include_percentage_to_close": true,
    });
    judge.ask("post", OBJECTS, &[], Some(pipeline));
    judge.ask("get", &format!("{OBJECTS}/{{object_identifier}}"), &["deals"], None);
    let stages = "/api/pipelines/{object_identifier}/stages";
    let made = judge.ask("post", stages, &["deals"], Some(json!({"name": "Won", "status": "won"})));
    let won = text(&made, "id");
    let first = judge.ask("get", stages, &["deals"], None)[0]["id"].clone();
    let change = Some(json!({"order": 7, "percentage_chance_to_close": "99"}));
    judge.ask("patch", &format!("{stages}/{{stage}}"), &["deals", won], change);
    let body = Some(json!({"lookup_value": "Big one"}));
    let made = judge.ask("post", &format!("{RECORDS}/upsert"), &["deals"], body);
    let deal = text(&made, "id");
    let body = Some(json!({"stage_id": won}));
    judge.ask("patch", &format!("{RECORD}/move?return_all_fields=true"), &["deals", deal], body);
    let body = Some(json!({"id": won, "new_stage_id": first}));
    judge.ask("post", &format!("{stages}/remove-stage"), &["deals"], body);
    judge.ask("get", RECORD, &["deals", deal], None);
    let labels = json!({"field_type": "dynamictags", "display_name": "Labels"});
    judge.ask("post", FIELDS, &["deals"], Some(labels));
    let tags = "/api/pipelines/{object_identifier}/fields/{field}/tags";
    judge.ask("get", tags, &["deals", "labels"], None);
    judge.ask("delete", RECORD, &["deals", deal], None);
    judge.ask("delete", &format!("{OBJECTS}/{{object_identifier}}"), &["deals"], None);
}

fn records(judge: &mut Judge) {
    let upsert = format!("{RECORDS}/upsert");
    let member = judge.ask("get", "/api/team", &[], None)[0]["id"].clone();
    let fields = json!({
        "note": "n", "score": 1.5, "region": "North", "labels": ["a", "b"], "team": [member],
        "vip": true, "stars": 3, "price": "9.50", "hotline": "+49 30 1234567", "phase": "Done",
        "zone": "Europe/Berlin",
    });
    let body = json!({"lookup_value": "Acme", "fields": fields});
    let made = judge.ask("post", &upsert, &["accounts"], Some(body));
    let id = text(&made, "id").to_owned();
    judge.ask("post", &upsert, &["accounts"], Some(json!({"lookup_value": "acme"})));
    upsert_options(judge, &upsert);
    let contact = json!({"lookup_value": "ada@example.com", "fields": [{"name": "first_name", "value": "Ada"}]});
    judge.ask("post", &upsert, &["client_client"], Some(contact));
    judge.ask(
        "post",
        &format!("{RECORDS}/add"),
        &["accounts"],
        Some(json!({"fields": {"name": "Globex"}})),
    );
    judge.ask("get", &format!("{RECORDS}/lookup?identifier=Acme"), &["accounts"], None);
    judge.ask("get", RECORDS, &["accounts"], None);
    judge.ask("get", RECORDS, &["client_client"], None);
    judge.ask("get", &format!("{RECORDS}?cursor=&ordering=-score"), &["accounts"], None);
    let search = json!({"query": [{"and": false, "filters": [
        {"field": "region", "condition": "is_any_of", "value": ["North"]},
        {"type": "scheduled_activities", "condition": "any_time"},
    ]}], "ordering": ["-score"], "search": "acme", "page_size": 5});
    let found = judge.ask("post", &format!("{RECORDS}/search"), &["accounts"], Some(search));
    assert_eq!(found["count"], 1);
    judge.ask("get", RECORD, &["accounts", &id], None);
    let buyers = json!({"fields": {"buyers": {"lookup_value": "ada@example.com"}}});
    judge.ask("patch", RECORD, &["accounts", &id], Some(buyers));
    let field = format!("{FIELDS}/{{field}}");
    let buyers = judge.ask("get", &field, &["accounts", "buyers"], None);
    let values = "/api/records/{entity_id}/field-values/{field_id}";
    let page = judge.ask("get", values, &[&id, text(&buyers, "id")], None);
    assert_eq!(page["count"], 1);
    judge.ask("get", &format!("{field}/options"), &["accounts", "buyers"], None);
    for method in ["patch", "put"] {
        let body = json!({"fields": {"note": null}});
        judge.ask(method, RECORD, &["accounts", &id], Some(body));
    }
    let team = format!("{RECORD}/team-members");
    let one = format!("{team}/{{member_id}}");
    let member = member.as_str().expect("an id is a text");
    judge.ask("put", &one, &["accounts", &id, member], None);
    judge.ask("get", &team, &["accounts", &id], None);
    judge.ask("delete", &one, &["accounts", &id, member], None);
    judge.ask("get", &format!("{FIELDS}/{{field}}/tags"), &["accounts", "labels"], None);
    judge.ask("get", "/api/client/fields/{field}/tags", &["tags"], None);
    bulk_actions(judge, &id);
    judge.ask("delete", RECORD, &["accounts", &id], None);
    judge.ask("get", &format!("{RECORDS}?archived=include"), &["accounts"], None);
    exports(judge);
    judge.ask("patch", &format!("{RECORD}/unarchive"), &["accounts", &id], None);
    judge.ask("patch", &format!("{RECORD}/unarchive"), &["accounts", &id], None);
}

fn exports(judge: &mut Judge) {
    let export = format!("{RECORDS}/export");
    for object in ["accounts", "client_client"] {
        for query in ["archived=include", "format=csv&labels=true&excel=true"] {
            let all = format!("{export}?{query}");
            judge.ask("get", &all, &[object], None);
        }
    }
    let found = json!({"query": [{"filters": [
        {"field": "name", "condition": "=", "value": "Globex"},
    ]}]});
    let lines = judge.ask("post", &export, &["accounts"], Some(found));
    assert_eq!(lines.as_array().map(Vec::len), Some(1), "{lines}");
    let stranger = Request::new("GET", "/api/records/accounts/export");
    let stranger = stranger.header("Accept", "application/json");
    let refused = judge.judge("get", &export, &stranger);
    assert_eq!(refused["code"], "not_acceptable");
}

fn upsert_options(judge: &mut Judge, upsert: &str) {
    let all = format!(
        "{upsert}?mode=get_or_create&blank=ignore&report_unchanged=true&changed_fields=true"
    );
    let body = json!({
        "lookup_value": "Acme", "set_on_create": {"note": "c"}, "set_on_update": [],
        "set_if_empty": {"note": "e"}, "client_ref": "r1", "oncreate_unarchive": "skip",
    });
    let found = judge.ask("post", &all, &["accounts"], Some(body));
    assert_eq!((&found["action"], &found["client_ref"]), (&json!("exists"), &json!("r1")));
    for name in ["Acme", "Imagined"] {
        let body = json!({"lookup_value": name, "fields": {"labels": ["imagined"]}});
        let dry = format!("{upsert}?dry_run=true");
        let answer = judge.ask("post", &dry, &["accounts"], Some(body));
        assert_eq!(answer["dry_run"], true);
    }
    let versioned = json!({"lookup_value": "Acme", "source": "crm", "source_version": 3});
    judge.ask("post", upsert, &["accounts"], Some(versioned.clone()));
    let stale = judge.ask("post", upsert, &["accounts"], Some(versioned));
    assert_eq!((&stale["action"], &stale["source_version"]), (&json!("stale"), &json!(3)));
    let by_note = format!("{upsert}?match=note&on_identity_conflict=first");
    let body = json!({"match_values": {"note": "n"}});
    let found = judge.ask("post", &by_note, &["accounts"], Some(body));
    assert_eq!(found["action"], "updated");
    let body = json!({"lookup_value": "Acme", "match": ["note", "name"]});
    judge.ask("post", upsert, &["accounts"], Some(body));
    let body = json!({"lookup_value": "Gone"});
    let gone = judge.ask("post", upsert, &["accounts"], Some(body));
    judge.ask("delete", RECORD, &["accounts", text(&gone, "id")], None);
    let body = json!({"lookup_value": "Gone", "oncreate_unarchive": "skip"});
    let skipped = judge.ask("post", upsert, &["accounts"], Some(body));
    assert_eq!(skipped["action"], "skipped_archived");
}

fn bulk_actions(judge: &mut Judge, record: &str) {
    let object = "/api/custom-objects/{object_identifier}";
    let unknown = "0192f7aa-0000-7000-8000-000000000000";
    let body = json!({"record_ids": [unknown], "send_email_notification": false});
    let archive = format!("{object}/bulk-archive-entity-record");
    judge.ask("post", &archive, &["accounts"], Some(body));
    let body = json!({
        "record_ids": [record], "field_id": "labels", "field_value": ["c"],
        "field_resolution": "add_only",
    });
    let change = format!("{object}/bulk-change-field-value");
    let answer = judge.ask("post", &change, &["accounts"], Some(body));
    let progress = "/api/bulk-action-progress";
    judge.ask("get", &format!("{progress}/{{id}}"), &[text(&answer, "status_id")], None);
    let listed = judge.ask("get", &format!("{progress}?completed=true"), &[], None);
    assert_eq!(listed["results"][1]["errors"][0]["code"], "not_found");
}

fn team(judge: &mut Judge) {
    let made = judge.ask("post", "/api/team", &[], Some(json!({"email": "ada@example.com"})));
    let id = text(&made, "id");
    let one = "/api/team/{member_id}";
    judge.ask("get", "/api/team?search=ada", &[], None);
    judge.ask("get", one, &[id], None);
    judge.ask("get", "/api/team/typeahead", &[], None);
    judge.ask("get", "/api/team/typeahead?page_size=1", &[], None);
    judge.ask("post", "/api/team/search", &[], Some(json!({"emails": ["ada@example.com"]})));
    judge.ask("patch", one, &[id], Some(json!({"title": "Countess", "first_name": null})));
    let (keys, key) = ("/api/api-keys", "/api/api-keys/{key_id}");
    let body = json!({"name": "sync", "member_id": id, "expires_at": "2030-01-01T00:00:00Z"});
    let made = judge.ask("post", keys, &[], Some(body));
    judge.ask("get", keys, &[], None);
    judge.ask("delete", key, &[text(&made, "id")], None);
    rights(judge, id);
    judge.ask("delete", one, &[id], None);
    let mine = "/api/business/mine";
    judge.ask("get", mine, &[], None);
    judge.ask("patch", mine, &[], Some(json!({"timezone": {"name": "Europe/Berlin"}})));
    judge.ask("put", mine, &[], Some(json!({"timezone": "UTC", "country": "DE"})));
}

fn rights(judge: &mut Judge, member: &str) {
    let (groups, group) = ("/api/permission-group", "/api/permission-group/{group_id}");
    let body = json!({
        "name": "Sales", "sections": {"team": 1}, "objects": {
            "*": {"settings": 1},
            "accounts": {"records": {"associated_records": 2}, "fields": {"region": 1}},
        },
    });
    let made = judge.ask("post", groups, &[], Some(body));
    let id = text(&made, "id");
    judge.ask("get", groups, &[], None);
    judge.ask("get", group, &[id], None);
    judge.ask("patch", group, &[id], Some(json!({"objects": {"*": null}})));
    judge.ask("put", group, &[id], Some(json!({"is_admin": false})));
    let right = json!({
        "custom_object": {"id": "accounts"}, "field": {"id": "region"}, "permission_level": 0,
    });
    judge.ask("patch", &format!("{group}/object-update"), &[id], Some(right));
    let references = "/api/custom-objects/{object_identifier}/fields/{field}/references";
    judge.ask("get", references, &["accounts", "region"], None);
    judge.ask("get", "/api/permissions/meta-data", &[], None);
    judge.ask("get", "/api/auth/access", &[], None);
    let (roles, role) = ("/api/role", "/api/role/{role_id}");
    let body = json!({"name": "Sellers", "permissions": ["x"], "permission_groups": [id]});
    let made = judge.ask("post", roles, &[], Some(body));
    let of_role = text(&made, "id");
    judge.ask("get", roles, &[], None);
    judge.ask("get", role, &[of_role], None);
    judge.ask("patch", role, &[of_role], Some(json!({"default_for_new_users": true})));
    let one = "/api/team/{member_id}";
    let grant = json!({"roles": [of_role], "permission_groups": [id]});
    judge.ask("patch", one, &[member], Some(grant));
    judge.ask("delete", role, &[of_role], None);
    judge.ask("delete", group, &[id], None);
}

fn process(judge: &mut Judge) {
    let (businesses, one) = ("/api/admin/businesses", "/api/admin/businesses/{business_id}");
    let body = json!({"name": "Other", "admin": {"email": "eve@example.com"}});
    let made = judge.ask("post", businesses, &[], Some(body));
    let id = text(&made["business"], "id");
    judge.ask("get", one, &[id], None);
    judge.ask("patch", one, &[id], Some(json!({"name": "Another"})));
    judge.ask("delete", one, &[id], None);
    judge.ask("get", businesses, &[], None);
    for path in ["/healthz", "/readyz", "/metrics", "/api/openapi.json", "/api/admin/status"] {
        judge.ask("get", path, &[], None);
    }
    judge.ask("post", "/api/admin/snapshot", &[], None);
}

fn refusals(judge: &mut Judge) {
    let upsert = format!("{RECORDS}/upsert");
    let archived = json!({"lookup_value": "Initech"});
    let made = judge.ask("post", &upsert, &["accounts"], Some(archived.clone()));
    judge.ask("delete", RECORD, &["accounts", text(&made, "id")], None);
    let conflict = judge.ask("post", &upsert, &["accounts"], Some(archived));
    assert_eq!(conflict["code"], "conflict");
    let wrong = json!({"lookup_value": "x", "fields": [{"name": "score", "value": "y"}, {"name": "z", "value": 1}]});
    assert_eq!(judge.ask("post", &upsert, &["accounts"], Some(wrong))["code"], "invalid");
    let body = json!({"lookup_value": "x"});
    assert_eq!(judge.ask("post", &upsert, &["nothing"], Some(body.clone()))["code"], "not_found");
    let stranger = Request::new("POST", "/api/records/accounts/upsert").without("X-API-KEY");
    let refused = judge.judge("post", &upsert, &stranger.json(&body));
    assert_eq!(refused["code"], "not_authenticated");
    let text = Request::new("POST", "/api/records/accounts/upsert").body(b"x");
    let refused = judge.judge("post", &upsert, &text.header("Content-Type", "text/plain"));
    assert_eq!(refused["code"], "unsupported_media_type");
}

/// Requests that ask for a state of the record, and find it in another, or in this one.
fn conditions(judge: &mut Judge) {
    let body = json!({"lookup_value": "Versioned"});
    let made = judge.ask("post", &format!("{RECORDS}/upsert"), &["accounts"], Some(body.clone()));
    let target = format!("/api/records/accounts/{}", text(&made, "id"));
    for (path, target) in [
        (RECORD.to_owned(), target.clone()),
        (format!("{RECORDS}/lookup"), "/api/records/accounts/lookup?identifier=versioned".into()),
    ] {
        let request = Request::new("GET", &target).header("If-None-Match", "*");
        assert_eq!(judge.judge("get", &path, &request), Value::Null);
    }
    let (upsert, unarchive) = (format!("{RECORDS}/upsert"), format!("{RECORD}/unarchive"));
    for (method, path, target, body) in [
        ("patch", RECORD, target.clone(), Some(json!({}))),
        ("put", RECORD, target.clone(), Some(json!({}))),
        ("delete", RECORD, target.clone(), None),
        ("patch", &unarchive, format!("{target}/unarchive"), Some(json!({}))),
        ("post", &upsert, "/api/records/accounts/upsert".into(), Some(body.clone())),
    ] {
        let request = Request::new(&method.to_uppercase(), &target).header("If-Match", "\"7\"");
        let request = body.map_or(request.clone(), |body| request.json(&body));
        assert_eq!(judge.judge(method, path, &request)["current_version"], 1);
    }
    let request = Request::new("POST", "/api/records/accounts/upsert").json(&body);
    let refused = judge.judge("post", &upsert, &request.header("If-None-Match", "*"));
    assert_eq!(refused["code"], "precondition_failed");
}

#[test]
fn every_operation_answers_as_it_is_described() {
    let mut judge = Judge::new();
    objects_and_fields(&mut judge);
    records(&mut judge);
    conditions(&mut judge);
    rows::batches(&mut judge);
    activities::activities(&mut judge);
    changes::changes(&mut judge);
    team(&mut judge);
    process(&mut judge);
    refusals(&mut judge);
    let paths = judge.document["paths"].as_object().expect("there are paths");
    let described: BTreeSet<String> = paths
        .values()
        .flat_map(|item| item.as_object().into_iter().flat_map(Map::values))
        .map(|operation| text(operation, "operationId").to_owned())
        .collect();
    let unasked: Vec<_> = described.difference(&judge.seen).collect();
    assert!(unasked.is_empty(), "described, and never asked here: {unasked:?}");
}
