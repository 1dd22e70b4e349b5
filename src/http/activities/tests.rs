//! Scheduled activities through the handlers: what is answered, listed, counted, refused.

use crate::http::test_support::{Answer, NOW_TEXT, TestServer, UNKNOWN_ID};
use serde_json::{Value, json};
use std::time::Duration;

const SCHEDULED: &str = "/api/activities/scheduled-activity";

/// A business with one account, and what refers to it.
struct Scene {
    server: TestServer,
    object: Value,
    record: String,
    me: Value,
}

impl Scene {
    async fn start() -> Self {
        let server = TestServer::start().await;
        let body = json!({"object_name": "Accounts"});
        let object = server.post("/api/custom-objects", &body).await.expect(201);
        let body = json!({"lookup_value": "Acme"});
        let record = server.post("/api/records/accounts/upsert", &body).await.expect(200);
        let record = record["id"].as_str().unwrap().to_owned();
        let me = object["owner"].clone();
        Self { server, object, record, me }
    }

    /// The body of a task, with `more` over it.
    fn task(&self, more: &Value) -> Value {
        let mut body = json!({
            "activity_object_name": "task", "due_datetime": "2026-12-01T12:00:00+02:00",
            "associated_entities": [self.entity()],
        });
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        body
    }

    fn entity(&self) -> Value {
        json!({"custom_object": {"name": "accounts"}, "entity": {"id": self.record}})
    }

    async fn schedule(&self, more: &Value) -> Answer {
        self.server.post(SCHEDULED, &self.task(more)).await
    }

    async fn upcoming(&self) -> u64 {
        let path = format!("/api/records/accounts/{}", self.record);
        let record = self.server.get(&path).await.expect(200);
        record["num_upcoming_activities"].as_u64().unwrap()
    }
}

fn path_of(activity: &Value) -> String {
    format!("{SCHEDULED}/{}", activity["id"].as_str().unwrap())
}

#[actix_web::test]
async fn an_activity_is_answered_whole_and_read_back_the_same() {
    let scene = Scene::start().await;
    let (me, roles) = (&scene.me, scene.server.get("/api/team").await.expect(200));
    let role = &roles[0]["roles"][0];
    let more = json!({
        "note": "Ring", "employee_id": me["id"], "role_id": role["id"],
        "mentions": [me["id"], me["id"]], "notify_mentioned": true,
        "notifications": [{"before": 15}],
    });
    let made = scene.schedule(&more).await.expect(201);
    let expected = json!({
        "id": made["id"], "note": "Ring",
        "due_datetime": "2026-12-01T10:00:00.000000+00:00",
        "original_due_datetime": "2026-12-01T10:00:00.000000+00:00",
        "completed_at": null, "logged_activity_id": null, "created": NOW_TEXT,
        "activity_object": {
            "id": made["activity_object"]["id"], "name": "Task", "api_name": "task",
            "association_mode": "all_objects_associated",
        },
        "employee": me, "role": {"id": role["id"], "name": "Administrator"},
        "mentions": [me], "associated_entities": [{
            "custom_object": {"id": scene.object["id"], "name": "accounts"},
            "entity": {"id": scene.record, "name": "Acme"},
        }],
        "notifications": [{"before": 15}],
        "access": {"view": true, "edit": true, "remove": true},
    });
    assert_eq!(made, expected);
    assert_eq!(scene.server.get(&path_of(&made)).await.expect(200), made);
    assert_eq!(scene.upcoming().await, 1);
}

#[actix_web::test]
async fn a_change_leaves_what_it_does_not_name() {
    let scene = Scene::start().await;
    let made = scene.schedule(&json!({"note": "Ring", "employee_id": scene.me["id"]})).await;
    let made = made.expect(201);
    let path = path_of(&made);
    let time = "2026-11-24T05:40:00.000000+00:00";
    for (body, key, value, upcoming) in [
        (json!({"completed_at": "2026-11-24T05:40:00Z"}), "completed_at", json!(time), 0),
        (json!({"completed_at": null}), "completed_at", Value::Null, 1),
        (json!({"note": null}), "note", json!(""), 1),
        (json!({"due_datetime": "2026-11-24T05:40:00"}), "due_datetime", json!(time), 1),
        (json!({"employee_id": null}), "employee", Value::Null, 1),
        (json!({"associated_entities": []}), "associated_entities", json!([]), 0),
        // What an answer says of the records can be sent back as it is.
        (
            json!({"associated_entities": made["associated_entities"]}),
            "associated_entities",
            made["associated_entities"].clone(),
            1,
        ),
    ] {
        let before = scene.server.get(&path).await.expect(200);
        let mut expected = before.clone();
        expected[key] = value;
        let changed = scene.server.patch(&path, &body).await.expect(200);
        assert_eq!(changed, expected, "{body}");
        assert_eq!(scene.upcoming().await, upcoming, "{body}");
        scene.server.patch(&path, &before_body(&before)).await.expect(200);
        assert_eq!(scene.server.put(&path, &body).await.expect(200), expected, "PUT {body}");
    }
    let first = scene.server.get(&path).await.expect(200);
    assert_eq!(first["original_due_datetime"], made["original_due_datetime"]);
    assert_eq!(scene.server.delete(&path).await.expect(204), Value::Null);
    assert_eq!(scene.upcoming().await, 0);
    scene.server.get(&path).await.expect_error(404, "not_found");
    scene.server.delete(&path).await.expect_error(404, "not_found");
    scene.server.patch(&path, &json!({})).await.expect_error(404, "not_found");
}

/// What brings an activity back to what an answer showed of it.
fn before_body(answer: &Value) -> Value {
    json!({
        "note": answer["note"], "due_datetime": answer["due_datetime"],
        "completed_at": answer["completed_at"], "employee_id": answer["employee"]["id"],
        "associated_entities": answer["associated_entities"],
    })
}

#[actix_web::test]
async fn a_record_is_named_by_every_published_form_and_by_no_other() {
    let scene = Scene::start().await;
    let (object, record) = (&scene.object["id"], &scene.record);
    let good = [
        json!({"custom_object_id": object, "entity_id": record}),
        json!({"custom_object": {"id": object}, "entity": {"id": record}}),
        json!({"custom_object": {"name": "accounts"}, "entity": {"name": " ACME "}}),
        json!({"custom_object": object, "entity_id": record}),
        json!({"custom_object_id": object, "custom_object": null, "entity_id": record}),
    ];
    for (entity, upcoming) in good.iter().zip(1..) {
        let twice = json!({"associated_entities": [entity, entity]});
        let made = scene.schedule(&twice).await.expect(201);
        assert_eq!(made["associated_entities"].as_array().map(Vec::len), Some(1), "{entity}");
        assert_eq!(scene.upcoming().await, upcoming, "{entity}");
    }
    for (entity, code, key) in [
        (json!({"entity_id": record}), "required", "custom_object_id"),
        (json!({"custom_object_id": object}), "required", "entity_id"),
        (json!({"custom_object_id": 7, "entity_id": record}), "invalid", "custom_object_id"),
        (json!({"custom_object_id": object, "entity": {}}), "invalid", "entity"),
        (
            json!({"custom_object_id": object, "custom_object": object, "entity_id": record}),
            "invalid",
            "custom_object",
        ),
        (json!({"custom_object": "nothing", "entity_id": record}), "does_not_exist", {
            "custom_object"
        }),
        (json!({"custom_object_id": object, "entity_id": UNKNOWN_ID}), "does_not_exist", {
            "entity_id"
        }),
        (json!({"custom_object_id": object, "entity": {"name": "x"}}), "does_not_exist", {
            "entity"
        }),
        (
            json!({"custom_object": {"name": "client_client"}, "entity_id": record}),
            "does_not_exist",
            "entity_id",
        ),
    ] {
        let answer = scene.schedule(&json!({"associated_entities": [entity]})).await;
        let place = format!("associated_entities[0].{key}");
        assert_eq!(answer.faults(), [(code.to_owned(), place)], "{entity}");
        answer.expect(400);
    }
    assert_eq!(scene.upcoming().await, 5);
}

#[actix_web::test]
async fn an_archived_record_keeps_its_activities_and_gets_no_new_ones() {
    let scene = Scene::start().await;
    let made = scene.schedule(&json!({})).await.expect(201);
    let record = format!("/api/records/accounts/{}", scene.record);
    scene.server.delete(&record).await.expect(204);
    scene.schedule(&json!({})).await.expect_error(400, "does_not_exist");
    let path = path_of(&made);
    let body = json!({"associated_entities": [scene.entity()], "note": "still"});
    let kept = scene.server.put(&path, &body).await.expect(200);
    assert_eq!(kept["associated_entities"], made["associated_entities"]);
    scene.server.patch(&format!("{record}/unarchive"), &json!({})).await.expect(200);
    assert_eq!(scene.upcoming().await, 1);
    scene.server.delete(&record).await.expect(204);
    scene.server.delete(&format!("{record}?purge=true")).await.expect(204);
    let without = scene.server.get(&path).await.expect(200);
    assert_eq!(without["associated_entities"], json!([]));
}

#[actix_web::test]
async fn all_faults_of_an_activity_are_told_at_once() {
    let scene = Scene::start().await;
    let task = scene.schedule(&json!({})).await.expect(201);
    let task = &task["activity_object"]["id"];
    for (body, faults) in [
        (json!({}), &[("required", "activity_object_id"), ("required", "due_datetime")][..]),
        (
            json!({
                "activity_object_name": "call", "due_datetime": "soon", "note": "a\u{1}",
                "employee_id": UNKNOWN_ID, "role_id": "x", "mentions": [UNKNOWN_ID],
                "notify_mentioned": 7, "notifications": {}, "associated_entities": ["x"],
            }),
            &[
                ("does_not_exist", "activity_object_name"),
                ("invalid", "due_datetime"),
                ("invalid", "note"),
                ("does_not_exist", "employee_id"),
                ("invalid", "role_id"),
                ("invalid", "notify_mentioned"),
                ("does_not_exist", "mentions"),
                ("invalid", "notifications"),
                ("invalid", "associated_entities[0]"),
            ],
        ),
        (
            json!({
                "activity_object_id": UNKNOWN_ID, "due_datetime": null,
                "associated_entities": vec![scene.entity(); 201],
                "notifications": ["x".repeat(16 * 1024)],
            }),
            &[
                ("does_not_exist", "activity_object_id"),
                ("null", "due_datetime"),
                ("limit_exceeded", "notifications"),
                ("limit_exceeded", "associated_entities"),
            ],
        ),
    ] {
        let answer = scene.server.post(SCHEDULED, &body).await;
        let found = answer.faults();
        let found: Vec<_> = found.iter().map(|(code, place)| (&**code, &**place)).collect();
        assert_eq!(found, faults, "{body}");
        answer.expect(400);
    }
    scene.schedule(&json!({"activity_object_id": task})).await.expect(201);
    assert_eq!(scene.upcoming().await, 2);
}

#[actix_web::test]
async fn a_list_is_filtered_ordered_and_paged() {
    let scene = Scene::start().await;
    let body = json!({"email": "ada@example.com"});
    let ada = scene.server.post("/api/team", &body).await.expect(201);
    let (ada, me) = (ada["id"].as_str().unwrap(), scene.me["id"].as_str().unwrap());
    for (note, due, employee, completed_at, entities) in [
        ("third", "2026-12-03T00:00:00Z", Some(me), None, json!([scene.entity()])),
        ("first", "2026-12-01T23:59:59Z", Some(ada), Some("2026-11-24"), json!([])),
        ("second", "2026-12-02T12:00:00Z", None, None, json!([])),
    ] {
        let more = json!({
            "note": note, "due_datetime": due, "employee_id": employee,
            "associated_entities": entities,
        });
        scene.server.hands.advance(Duration::from_secs(1));
        let made = scene.schedule(&more).await.expect(201);
        let body = json!({"completed_at": completed_at});
        scene.server.patch(&path_of(&made), &body).await.expect(200);
    }
    let record = &scene.record;
    for (query, notes) in [
        (String::new(), &["first", "second", "third"][..]),
        ("?completed=false".to_owned(), &["second", "third"]),
        ("?completed=1".to_owned(), &["first"]),
        ("?assigned_to_me=true".to_owned(), &["third"]),
        ("?assigned_to_me=false".to_owned(), &["first", "second", "third"]),
        (format!("?employee_ids={ada},{me}"), &["first", "third"]),
        (format!("?employee_ids={UNKNOWN_ID}"), &[]),
        (format!("?role_ids={UNKNOWN_ID}"), &[]),
        (format!("?entity_id={record}"), &["third"]),
        (format!("?entity_id={UNKNOWN_ID}"), &[]),
        ("?from_date=2026-12-02".to_owned(), &["second", "third"]),
        ("?to_date=2026-12-02".to_owned(), &["first", "second"]),
        ("?from_date=2026-12-02T12:00:00Z&to_date=2026-12-02T12:00:00Z".to_owned(), {
            &["second"]
        }),
        ("?activity_name=task&search=IR".to_owned(), &["first", "third"]),
        ("?search=task".to_owned(), &["first", "second", "third"]),
        ("?ordering=-due_datetime".to_owned(), &["third", "second", "first"]),
        ("?ordering=created".to_owned(), &["third", "first", "second"]),
        ("?ordering=-completed_at,created".to_owned(), &["first", "third", "second"]),
        ("?page_size=2&page=2".to_owned(), &["third"]),
    ] {
        let page = scene.server.get(&format!("{SCHEDULED}{query}")).await.expect(200);
        let rows = page["results"].as_array().unwrap();
        let found: Vec<_> = rows.iter().map(|row| row["note"].as_str().unwrap()).collect();
        assert_eq!(found, notes, "{query}");
    }
    for (query, status, code) in [
        ("?page=2", 404, "not_found"),
        ("?activity_name=call", 400, "does_not_exist"),
        ("?activity_id=00000000-0000-7000-8000-000000000000", 400, "does_not_exist"),
        ("?activity_id=00000000-0000-7000-8000-000000000000&activity_name=task", 400, "invalid"),
        ("?employee_ids=ada", 400, "invalid"),
        ("?entity_id=x", 400, "invalid"),
        ("?from_date=soon", 400, "invalid"),
        ("?ordering=note", 400, "does_not_exist"),
        ("?min_seq=1", 400, "invalid"),
    ] {
        let answer = scene.server.get(&format!("{SCHEDULED}{query}")).await;
        answer.expect_error(status, code);
    }
}

#[actix_web::test]
async fn a_search_takes_its_filters_in_the_body() {
    let scene = Scene::start().await;
    for (note, due) in [("second", "2026-12-02"), ("first", "2026-12-01"), ("third", "2026-12-03")]
    {
        scene.schedule(&json!({"note": note, "due_datetime": due})).await.expect(201);
    }
    let path = format!("{SCHEDULED}/search");
    let record = &scene.record;
    for (query, body, notes) in [
        ("", json!({}), &["first", "second", "third"][..]),
        ("", json!({"search": "IR"}), &["first", "third"]),
        ("?search=second", json!({"search": "IR"}), &["second"]),
        ("", json!({"completed": true}), &[]),
        ("", json!({"completed": false, "entity_id": record, "page_size": 1, "page": 2}), {
            &["second"]
        }),
        ("", json!({"employee_ids": [UNKNOWN_ID], "search": null}), &[]),
        ("", json!({"ordering": "-created,due_datetime", "activity_name": "task"}), {
            &["first", "second", "third"]
        }),
    ] {
        let page = scene.server.post(&format!("{path}{query}"), &body).await.expect(200);
        let rows = page["results"].as_array().unwrap();
        let found: Vec<_> = rows.iter().map(|row| row["note"].as_str().unwrap()).collect();
        assert_eq!(found, notes, "{query} {body}");
    }
    for (body, code, key) in [
        (json!({"completed": "perhaps"}), "invalid", "completed"),
        (json!({"employee_ids": ["x"]}), "invalid", "employee_ids"),
        (json!({"employee_ids": [{}]}), "invalid", "employee_ids"),
        (json!({"entity_id": {"id": 1}}), "invalid", "entity_id"),
        (json!({"activity_name": "call"}), "does_not_exist", "activity_name"),
        (json!({"ordering": "note"}), "does_not_exist", "ordering"),
    ] {
        let answer = scene.server.post(&path, &body).await;
        assert_eq!(answer.faults(), [(code.to_owned(), key.to_owned())], "{body}");
        assert!(answer.body[key].is_array(), "the form of older clients: {}", answer.body);
        answer.expect(400);
    }
    let strict = scene.server.post(&format!("{path}?strict=1"), &json!({"colour": {}})).await;
    assert_eq!(strict.faults(), [("unknown_parameter".to_owned(), "colour".to_owned())]);
    scene.server.post(&path, &json!([])).await.expect_error(400, "invalid");
    scene.server.post(&path, &json!({"colour": {}})).await.expect(200);
}

#[actix_web::test]
async fn a_note_is_changed_alone() {
    let scene = Scene::start().await;
    let made = scene.schedule(&json!({"note": "Ring"})).await.expect(201);
    let path = format!("{}/notes", path_of(&made));
    for (body, note) in [
        (json!({"note": "Write"}), "Write"),
        (json!({"notes": "Visit", "due_datetime": "soon"}), "Visit"),
        (json!({"note": null}), ""),
    ] {
        let mut expected = made.clone();
        expected["note"] = json!(note);
        let changed = scene.server.patch(&path, &body).await.expect(200);
        assert_eq!(changed, expected, "{body}");
    }
    for (body, code) in [
        (json!({}), "required"),
        (json!({"note": 7}), "invalid"),
        (json!({"note": "a", "notes": "b"}), "invalid"),
    ] {
        scene.server.patch(&path, &body).await.expect_error(400, code);
    }
    let unknown = format!("{SCHEDULED}/{UNKNOWN_ID}/notes");
    scene.server.patch(&unknown, &json!({"note": "a"})).await.expect_error(404, "not_found");
}
