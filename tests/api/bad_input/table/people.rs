//! The routes of members, keys and businesses, and those of the operator.

use crate::api::bad_input::key::{Key, any, choice, id, ids, label, text, time};
use crate::api::bad_input::route::Route;
use serde_json::json;

pub(super) fn reads() -> Vec<Route> {
    vec![
        Route::new("GET /api/team", 200).query("page_size=9").paged().flags(&["include_service"]),
        Route::new("GET /api/employee", 200)
            .query("page_size=9")
            .paged()
            .flags(&["include_service"]),
        Route::new("GET /api/team/typeahead", 200).query("page_size=9").paged(),
        Route::new("POST /api/team/search", 200)
            .reading()
            .paged()
            .may_take(
                json!({"search": "ada"}),
                vec![
                    any("search", "tn"),
                    ids("ids"),
                    any("emails", "ln").refuses(json!([7]), "invalid"),
                ],
            )
            .flags(&["include_service"]),
        Route::new("GET /api/team/{member}", 200),
        Route::new("GET /api/api-keys", 200).paged(),
        Route::new("GET /api/business/mine", 200),
        Route::new("GET /api/admin/businesses", 200).of_operator().paged(),
        Route::new("GET /api/admin/businesses/{business}", 200).of_operator(),
        Route::new("GET /api/admin/status", 200).of_operator(),
    ]
}

/// An e-mail, of a member or of the first of a business.
fn email(path: &'static str) -> Key {
    any(path, "t")
        .refuses(json!(""), "blank")
        .refuses(json!("nonsense"), "invalid")
        .refuses(json!("a@b@c.de"), "invalid")
        .refuses(json!("a\u{200b}@b.cd"), "invalid")
        .refuses(json!("a\u{0}@b.cd"), "invalid")
        .refuses(json!(format!("{}@b.cd", "x".repeat(250))), "max_length")
}

fn names() -> Vec<Key> {
    vec![
        text("first_name", "tn", 255),
        text("last_name", "tn", 255),
        text("title", "tn", 255),
        ids("roles"),
        ids("permission_groups"),
    ]
}

fn with(mut keys: Vec<Key>, more: Vec<Key>) -> Vec<Key> {
    keys.extend(more);
    keys
}

/// What may be changed of a business.
fn business_keys() -> Vec<Key> {
    let country = |path| any(path, "tn").refuses(json!("XX"), "invalid_choice");
    vec![
        id("id"),
        any("timezone", "ton")
            .refuses(json!({"name": 7}), "invalid")
            .refuses(json!("Mars/Olympus"), "invalid_choice"),
        country("country").refuses(json!(""), "invalid_choice"),
        country("phone_default_region"),
    ]
}

fn key_keys() -> Vec<Key> {
    let secret = any("secret", "tn")
        .refuses(json!("0123456789abcde"), "invalid")
        .refuses(json!("x".repeat(257)), "invalid")
        .refuses(json!("0123456789\tabcdef"), "invalid");
    vec![
        label("name", "t", 200).required(),
        id("member_id"),
        label("origin", "tn", 64),
        time("expires_at", "tn"),
        secret,
    ]
}

pub(super) fn writes() -> Vec<Route> {
    let new_member =
        vec![email("email").required(), id("id"), id("user_id"), choice("account_type", "tn")];
    let changed_member = vec![
        email("email"),
        id("id"),
        id("user_id"),
        choice("account_type", "t"),
        any("is_active", "b"),
    ];
    let changed_business = || with(business_keys(), vec![label("name", "t", 200)]);
    let new_business = vec![
        label("name", "t", 200).required(),
        email("admin.email").required(),
        any("admin", "o").required(),
        id("admin.id"),
        id("admin.user_id"),
        text("admin.first_name", "tn", 255),
        text("admin.last_name", "tn", 255),
    ];
    vec![
        Route::new("POST /api/team", 201)
            .takes(json!({"email": "new@example.com"}), with(names(), new_member)),
        Route::new("PATCH /api/team/{member}", 200)
            .takes(json!({"title": "Countess"}), with(names(), changed_member)),
        Route::new("POST /api/api-keys", 201).takes(json!({"name": "sync"}), key_keys()),
        Route::new("PATCH /api/business/mine", 200)
            .takes(json!({"name": "Mine"}), changed_business()),
        Route::new("PUT /api/business/mine", 200)
            .takes(json!({"name": "Ours"}), changed_business()),
        Route::new("POST /api/admin/businesses", 201).of_operator().takes(
            json!({"name": "Third", "admin": {"email": "third@example.com"}}),
            with(business_keys(), new_business),
        ),
        Route::new("PATCH /api/admin/businesses/{business}", 200)
            .of_operator()
            .takes(json!({"name": "Theirs"}), changed_business()),
        Route::new("POST /api/admin/snapshot", 202).of_operator().unkeyed(),
    ]
}

pub(super) fn ends() -> Vec<Route> {
    vec![
        Route::new("DELETE /api/api-keys/{key}", 204),
        Route::new("DELETE /api/team/{member}", 204),
        Route::new("DELETE /api/admin/businesses/{business}", 204).of_operator(),
    ]
}
