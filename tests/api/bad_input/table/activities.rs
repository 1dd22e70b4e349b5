//! The routes of activities and their types.

use crate::api::bad_input::key::{Key, any, choice, flag, id, ids, label, text, time};
use crate::api::bad_input::route::Route;
use serde_json::{Value, json};

const NOTE_CHARS_MAX: usize = 100_000;

const FILTERS: &[&str] = &["assigned_to_me", "completed"];

pub(super) fn reads() -> Vec<Route> {
    vec![
        Route::new("GET /api/activities", 200).paged(),
        Route::new("GET /api/activities/{type}", 200),
        Route::new("GET /api/activities/scheduled-activity", 200).paged().ordered().flags(FILTERS),
        Route::new("POST /api/activities/scheduled-activity/search", 200)
            .reading()
            .paged()
            .ordered()
            .may_take(json!({"completed": false}), filter_keys())
            .flags(FILTERS),
        Route::new("GET /api/activities/scheduled-activity/{activity}", 200),
        Route::new("GET /api/activities/logged/{logged}", 200),
        Route::new("POST /api/activities/{type}/responses", 200)
            .reading()
            .paged()
            .may_take(json!({}), Vec::new()),
    ]
}

/// A search takes in its body what a list takes in its query, so kinds are looked at leniently.
fn filter_keys() -> Vec<Key> {
    let given = "tinbl";
    vec![
        any("search", given),
        any("from_date", given).refuses(json!("soon"), "invalid"),
        any("to_date", given).refuses(json!("2026-13-01"), "invalid"),
        any("employee_ids", given).refuses(json!(["nonsense"]), "invalid"),
        any("role_ids", given).refuses(json!("nonsense"), "invalid"),
        any("assigned_to_me", given).refuses(json!("maybe"), "invalid"),
        any("completed", given).refuses(json!(2), "invalid"),
        any("activity_id", given).refuses(json!("nonsense"), "invalid"),
        any("activity_name", given).refuses(json!("nonsense"), "does_not_exist"),
        any("entity_id", given).refuses(json!("nonsense"), "invalid"),
        any("ordering", given).refuses(json!("nonsense"), "does_not_exist"),
    ]
}

fn note(path: &'static str) -> Key {
    text(path, "tn", NOTE_CHARS_MAX)
}

fn type_keys(name: Key) -> Vec<Key> {
    vec![
        name,
        text("description", "tn", 500),
        any("associated_objects", "ln")
            .refuses(json!([7]), "invalid")
            .refuses(json!([{}]), "required")
            .refuses(json!([{"custom_object": {"id": "nonsense"}}]), "does_not_exist"),
    ]
}

/// What the bodies that schedule and change an activity have in common.
fn schedule_keys(due: Key) -> Vec<Key> {
    let about = |record: Value| json!([{"custom_object_id": "{object}", "entity_id": record}]);
    vec![
        due,
        note("note"),
        id("employee_id"),
        id("role_id"),
        ids("mentions"),
        flag("notify_mentioned"),
        any("notifications", "ln").refuses(json!(["x".repeat(16 * 1024)]), "limit_exceeded"),
        any("associated_entities", "ln")
            .refuses(json!([7]), "invalid")
            .refuses(about(json!(7)), "invalid")
            .refuses(about(json!("nonsense")), "does_not_exist")
            .refuses(about(json!("{archived_record}")), "does_not_exist"),
    ]
}

pub(super) fn writes() -> Vec<Route> {
    let new_type = || {
        let mut keys = type_keys(label("name", "t", 200).required());
        keys.push(choice("association_mode", "tn"));
        keys
    };
    let change_type = || {
        let mut keys = type_keys(label("name", "t", 200));
        keys.push(choice("association_mode", "t"));
        keys.push(any("api_name", "tn").refuses(json!("other"), "immutable"));
        keys
    };
    let change = || {
        let mut keys = schedule_keys(time("due_datetime", "t"));
        keys.push(time("completed_at", "tn"));
        keys
    };
    let schedule = json!({"activity_object_id": "{type}", "due_datetime": "2026-12-02T08:00:00Z"});
    let one = |method| match method {
        "PATCH" => "PATCH /api/activities/scheduled-activity/{activity}",
        _ => "PUT /api/activities/scheduled-activity/{activity}",
    };
    vec![
        Route::new("POST /api/activities", 201).takes(json!({"name": "Visit"}), new_type()),
        Route::new("PATCH /api/activities/{type}", 200)
            .takes(json!({"description": "by phone"}), change_type()),
        Route::new("PUT /api/activities/{type}", 200)
            .takes(json!({"description": "by wire"}), change_type()),
        Route::new("POST /api/activities/scheduled-activity", 201)
            .takes(schedule, schedule_keys(time("due_datetime", "t").required())),
        Route::new(one("PATCH"), 200).takes(json!({"note": "soon"}), change()),
        Route::new(one("PUT"), 200).takes(json!({"note": "later"}), change()),
        Route::new("PATCH /api/activities/scheduled-activity/{activity}/notes", 200)
            .takes(json!({"note": "now"}), vec![note("note").required()]),
        Route::new("POST /api/activities/{type}/log-activity", 201).takes(
            json!({"related_objects": []}),
            vec![
                any("related_objects", "ln").required().refuses(json!([7]), "invalid"),
                note("notes"),
                id("scheduled_activity_id"),
                ids("mentions"),
            ],
        ),
    ]
}

pub(super) fn ends() -> Vec<Route> {
    vec![
        Route::new("DELETE /api/activities/scheduled-activity/{activity}", 204),
        Route::new("DELETE /api/activities/{type}", 204),
    ]
}
