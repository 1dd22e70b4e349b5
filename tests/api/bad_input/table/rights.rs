//! The routes of roles, permission groups and rights.

use crate::api::bad_input::key::{Key, any, flag, id, ids, label};
use crate::api::bad_input::route::Route;
use serde_json::json;

pub(super) fn reads() -> Vec<Route> {
    vec![
        Route::new("GET /api/role", 200).paged(),
        Route::new("GET /api/role/{role}", 200),
        Route::new("GET /api/permission-group", 200).paged(),
        Route::new("GET /api/permission-group/{group}", 200),
        Route::new("GET /api/permissions/meta-data", 200).paged(),
        Route::new("GET /api/auth/access", 200),
    ]
}

fn name() -> Key {
    label("name", "t", 200)
}

fn role_keys() -> Vec<Key> {
    let permissions = any("permissions", "ln").refuses(json!([7]), "invalid");
    vec![
        permissions.refuses(json!(["x".repeat(201)]), "max_length"),
        ids("permission_groups"),
        flag("default_for_new_users"),
    ]
}

fn level(path: &'static str) -> Key {
    let key = any(path, "in").refuses(json!(4), "invalid_choice");
    key.refuses(json!(-1), "invalid_choice").refuses(json!(1.5), "invalid_choice")
}

fn group_keys() -> Vec<Key> {
    let all = "objects.client_client.records.all_records";
    let of_field = "objects.client_client.fields.birthday";
    vec![
        flag("is_admin"),
        any("sections", "on"),
        level("sections.settings"),
        level("sections.team"),
        flag("sections.all_team_members"),
        flag("sections.create_objects"),
        any("objects", "on").refuses(json!({"nobody": {}}), "does_not_exist"),
        any("objects.client_client", "on"),
        level("objects.client_client.settings"),
        any("objects.client_client.records", "on"),
        level(all),
        level("objects.client_client.records.associated_records"),
        flag("objects.client_client.records.export"),
        any("objects.client_client.fields", "on").refuses(json!({"nobody": 1}), "does_not_exist"),
        any("objects.client_client.default_field_access", "in").refuses(json!(3), "invalid_choice"),
        any(of_field, "i").refuses(json!(3), "invalid_choice"),
    ]
}

fn with(mut keys: Vec<Key>, more: Vec<Key>) -> Vec<Key> {
    keys.extend(more);
    keys
}

pub(super) fn writes() -> Vec<Route> {
    let right = vec![
        any("custom_object", "o").required().refuses(json!({"id": 7}), "invalid"),
        any("field", "on").refuses(json!({"id": 7}), "invalid"),
        any("key", "tn").refuses(json!("nonsense"), "invalid_choice"),
        any("permission_level", "i").required().refuses(json!(4), "invalid_choice"),
    ];
    vec![
        Route::new("POST /api/role", 201)
            .takes(json!({"name": "Sellers"}), with(role_keys(), vec![name().required()])),
        Route::new("PATCH /api/role/{role}", 200)
            .takes(json!({"name": "Masters"}), with(role_keys(), vec![name(), id("id")])),
        Route::new("POST /api/permission-group", 201)
            .takes(json!({"name": "Few"}), with(group_keys(), vec![name().required()])),
        Route::new("PUT /api/permission-group/{group}", 200)
            .takes(json!({"name": "None"}), with(group_keys(), vec![name(), id("id")])),
        Route::new("PATCH /api/permission-group/{group}", 200)
            .takes(json!({"name": "Some"}), with(group_keys(), vec![name(), id("id")])),
        Route::new("PATCH /api/permission-group/{group}/object-update", 200)
            .takes(json!({"custom_object": {"id": "{object}"}, "permission_level": 1}), right),
    ]
}

pub(super) fn ends() -> Vec<Route> {
    vec![
        Route::new("DELETE /api/permission-group/{group}", 204),
        Route::new("DELETE /api/role/{spare_role}", 204),
    ]
}
