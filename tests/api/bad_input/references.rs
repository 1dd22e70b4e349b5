//! References in bodies and queries: to nothing, to what is gone, to another business's. All three
//! must be one.

use crate::api::bad_input::judge::{faults, refusal};
use crate::api::bad_input::route::Route;
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::support::Answer;
use serde_json::{Value, json};

/// A place of a request where an id stands.
struct Reference {
    line: &'static str,
    /// Added to the good request's query, `$` being the id.
    query: &'static str,
    /// Put into the good request's body, `$` being the id; null: nothing.
    body: Value,
    /// What the id is of.
    thing: &'static str,
    /// Other own things that are as good as none here.
    gone: &'static [&'static str],
    /// The code of the refusal; none where nothing is refused, but nothing is found either.
    code: Option<&'static str>,
}

fn in_body(line: &'static str, thing: &'static str, body: Value) -> Reference {
    Reference { line, query: "", body, thing, gone: &[], code: Some("does_not_exist") }
}

fn in_query(line: &'static str, thing: &'static str, query: &'static str) -> Reference {
    Reference { line, query, body: Value::Null, thing, gone: &[], code: None }
}

impl Reference {
    fn gone(self, gone: &'static [&'static str]) -> Self {
        Self { gone, ..self }
    }

    fn code(self, code: Option<&'static str>) -> Self {
        Self { code, ..self }
    }
}

const UPSERT: &str = "POST /api/records/{object}/upsert";
const ADD: &str = "POST /api/records/{object}/add";
const PATCH: &str = "PATCH /api/records/{object}/{record}";
const PUT: &str = "PUT /api/records/{object}/{record}";
const SEARCH: &str = "POST /api/records/{object}/search";
const SCHEDULE: &str = "POST /api/activities/scheduled-activity";
const RESCHEDULE: &str = "PATCH /api/activities/scheduled-activity/{activity}";
const RIGHT: &str = "PATCH /api/permission-group/{group}/object-update";
const LOG: &str = "POST /api/activities/{type}/log-activity";
const SCHEDULED: &str = "GET /api/activities/scheduled-activity";

/// References in the fields of records: fields themselves, options, members, tags.
fn of_records() -> Vec<Reference> {
    let mut references = Vec::new();
    for line in [UPSERT, ADD, PATCH, PUT] {
        let with = |thing, name: &str, value: Value| {
            let fields = json!({"fields": [{"name": "name", "value": "New"}, {"name": name, "value": value}]});
            in_body(line, thing, fields)
        };
        references.extend([
            in_body(line, "field", json!({"fields": [{"id": "$", "value": "North"}]})),
            in_body(line, "field", json!({"fields": {"$": "North"}})),
            with("option", "region", json!("$")),
            with("option", "region", json!({"id": "$"})),
            with("kind", "kinds", json!(["B", "$"])),
            with("member", "manager", json!("$")).gone(&["deleted_member"]),
            with("member", "manager", json!({"id": "$"})).gone(&["deleted_member"]),
            with("member", "owner", json!("$")).gone(&["deleted_member"]),
            with("tag", "labels", json!([{"id": "$"}])),
        ]);
    }
    references
}

/// References in searches.
fn of_searches() -> Vec<Reference> {
    let condition = |name: &str, condition: &str, value: Value| {
        let filter = json!({
            "type": "fields_v2", "subtype": "custom", "field": name,
            "condition": condition, "value": value,
        });
        json!({"query": [{"and": true, "filters": [filter]}]})
    };
    vec![
        in_body(SEARCH, "field", condition("$", "is_blank", json!(true))),
        in_body(SEARCH, "field", condition("\"custom\"::$", "is_blank", json!(true))),
        in_body(SEARCH, "option", condition("region", "=", json!("$"))),
        in_body(SEARCH, "option", condition("region", "is_any_of", json!(["North", "$"]))),
        in_body(SEARCH, "member", condition("manager", "=", json!("$"))),
        in_body(SEARCH, "tag", condition("labels", "has_any", json!(["$"]))),
        in_body(SEARCH, "field", json!({"ordering": "-$"})),
        in_body(SEARCH, "field", json!({"search": "x", "search_within_field_ids": ["$"]})),
        in_body(SEARCH, "field", json!({"field_ids": ["$"]})).code(None),
        in_query("GET /api/records/{object}", "field", "ordering=$").code(Some("does_not_exist")),
        in_query("GET /api/records/{object}", "field", "field_ids=$"),
        in_query("GET /api/records/{object}/{record}", "field", "field_ids=$"),
        in_query("GET /api/records/{object}/lookup", "field", "field_ids=$"),
    ]
}

/// References in everything else.
fn of_the_rest() -> Vec<Reference> {
    let about =
        |object: &str, record: &str| json!([{"custom_object_id": object, "entity_id": record}]);
    let mut references = vec![
        in_body("POST /api/custom-objects/{object}/fields", "category", json!({"category": "$"})),
        in_body(
            "PATCH /api/custom-objects/{object}/fields/{field}",
            "category",
            json!({"category": "$"}),
        ),
        in_body(
            "PATCH /api/custom-objects/{object}/fields/{field}",
            "option",
            json!({"options": [{"id": "$", "name": "x"}]}),
        ),
        in_body(
            "POST /api/custom-objects/{object}/fields/{field}/options/{option}/replace",
            "option",
            json!({"id": "$"}),
        ),
        in_body("POST /api/team", "role", json!({"roles": ["$"]})),
        in_body("PATCH /api/team/{member}", "role", json!({"roles": ["$"]})),
        in_body("PATCH /api/team/{member}", "group", json!({"permission_groups": ["$"]})),
        in_body("POST /api/role", "group", json!({"permission_groups": ["$"]})),
        in_body("PATCH /api/role/{role}", "group", json!({"permission_groups": ["$"]})),
        in_body("POST /api/permission-group", "object", json!({"objects": {"$": {}}})),
        in_body("PATCH /api/permission-group/{group}", "object", json!({"objects": {"$": {}}})),
        in_body(RIGHT, "object", json!({"custom_object": {"id": "$"}})),
        in_body(RIGHT, "field", json!({"field": {"id": "$"}})),
        in_body("POST /api/api-keys", "member", json!({"member_id": "$"}))
            .gone(&["deleted_member"]),
        in_body("POST /api/team/search", "member", json!({"ids": ["$"]}))
            .gone(&["deleted_member"])
            .code(None),
        in_body(
            "POST /api/activities",
            "object",
            json!({"associated_objects": [{"custom_object": {"id": "$"}}]}),
        ),
        in_query(SCHEDULED, "member", "employee_ids=$").gone(&["deleted_member"]),
        in_query(SCHEDULED, "role", "role_ids=$"),
        in_query(SCHEDULED, "record", "entity_id=$").gone(&["archived_record"]),
        in_query(SCHEDULED, "type", "activity_id=$").code(Some("does_not_exist")),
    ];
    for line in [SCHEDULE, RESCHEDULE] {
        references.extend([
            in_body(line, "type", json!({"activity_object_id": "$"})).gone(&["deleted_type"]),
            in_body(line, "member", json!({"employee_id": "$"})).gone(&["deleted_member"]),
            in_body(line, "role", json!({"role_id": "$"})),
            in_body(line, "member", json!({"mentions": ["$"]})).gone(&["deleted_member"]),
            in_body(line, "record", json!({"associated_entities": about("{object}", "$")}))
                .gone(&["archived_record", "contact"]),
            in_body(line, "object", json!({"associated_entities": about("$", "{record}")})),
        ]);
    }
    references.extend([
        in_body(LOG, "record", json!({"related_objects": about("{object}", "$")}))
            .gone(&["archived_record", "contact"]),
        in_body(LOG, "object", json!({"related_objects": about("$", "{record}")})),
        in_body(LOG, "member", json!({"mentions": ["$"]})).gone(&["deleted_member"]),
        in_body(LOG, "activity", json!({"scheduled_activity_id": "$"})),
    ]);
    references
}

/// References to stages. The one that takes a removed stage's place is told as the other one is.
fn of_pipelines() -> Vec<Reference> {
    let moving = "PATCH /api/records/{pipeline}/{deal}/move";
    let removing = "POST /api/pipelines/{pipeline}/stages/remove-stage";
    let references = [
        in_body(moving, "stage", json!({"stage_id": "$"})),
        in_body(removing, "other_stage", json!({"new_stage_id": "$"})),
    ];
    references.map(|reference| reference.gone(&["removed_stage", "option"])).into()
}

/// The value with an id for each `$`.
fn replaced(value: &Value, id: &str) -> Value {
    serde_json::from_str(&value.to_string().replace('$', id)).expect("an id breaks no JSON")
}

fn ask(scene: &mut Scene, route: &Route, reference: &Reference, id: &str) -> Answer {
    let target = scene.target(route, &reference.query.replace('$', id));
    let mut request = route.request(&target);
    if let Some(good) = route.good_body() {
        let mut body = good.clone();
        for (key, value) in replaced(&reference.body, id).as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        request = request.json(&scene.filled(&body));
    }
    scene.send(&request)
}

/// The answer but for its id and the reference itself, which some repeat.
fn told(answer: &Answer, id: &str) -> String {
    let mut body = answer.json();
    body.as_object_mut().map(|body| body.remove("request_id"));
    format!("{} {}", answer.status, body.to_string().replace(id, "$"))
}

#[test]
fn a_reference_to_another_business_is_one_to_nothing() {
    let mut scene = Scene::new();
    let (before, routes) = (scene.state(), routes());
    let references = [of_records(), of_searches(), of_pipelines(), of_the_rest()];
    for reference in references.iter().flatten() {
        println!("{} {}{}", reference.line, reference.query, reference.body);
        let route = routes.iter().find(|route| route.line() == reference.line);
        let route = route.unwrap_or_else(|| panic!("the table has no {}", reference.line));
        let random = scene.random_id();
        let unknown = ask(&mut scene, route, reference, &random);
        match reference.code {
            Some(code) => {
                let found = faults(&refusal(&unknown, route));
                assert!(found.iter().any(|(found, _)| found == code), "{code}: {unknown}");
            }
            None => assert_eq!(unknown.status, 200, "{unknown}"),
        }
        let foreign = scene.thing(reference.thing).foreign.clone().expect("another has one too");
        let gone = reference.gone.iter().map(|name| scene.own(name).to_owned());
        for other in gone.chain([foreign]).collect::<Vec<_>>() {
            let answer = ask(&mut scene, route, reference, &other);
            assert_eq!(told(&answer, &other), told(&unknown, &random), "{answer}");
        }
    }
    crate::api::bad_input::assert_unchanged(&before, &scene.state(), "a reference");
}

/// Otherwise all of them would be refused for something else.
#[test]
fn a_reference_to_what_is_there_is_answered_otherwise() {
    let mut scene = Scene::new();
    let routes = routes();
    for reference in [of_records(), of_searches(), of_pipelines(), of_the_rest()].iter().flatten() {
        let route = routes.iter().find(|route| route.line() == reference.line);
        let route = route.unwrap_or_else(|| panic!("the table has no {}", reference.line));
        let random = scene.random_id();
        let unknown = ask(&mut scene, route, reference, &random);
        let own = scene.own(reference.thing).to_owned();
        let answer = ask(&mut scene, route, reference, &own);
        assert_ne!(told(&answer, &own), told(&unknown, &random), "{answer}");
        if reference.code.is_some() && answer.status == 400 {
            let found = faults(&refusal(&answer, route));
            assert!(found.iter().all(|(found, _)| found != "does_not_exist"), "{answer}");
        }
    }
}
