//! The routes of objects, their categories, fields and options.

use crate::api::bad_input::key::{Key, any, api_name, choice, flag, integer, label, meta, text};
use crate::api::bad_input::route::Route;
use serde_json::json;

pub(super) fn reads() -> Vec<Route> {
    let filters = &["custom_only", "is_custom", "default_on_activities", "allow_relations"];
    vec![
        Route::new("GET /api/custom-objects", 200)
            .paged()
            .ordered()
            .words(&["object_type"])
            .flags(filters),
        Route::new("GET /api/custom-objects/{object}", 200),
        Route::new("GET /api/custom-objects/{object}/detail", 200),
        Route::new("GET /api/client/custom-object", 200),
        Route::new("GET /api/custom-objects/{object}/categories", 200),
        Route::new("GET /api/custom-objects/{object}/fields", 200),
        Route::new("GET /api/custom-objects/{object}/fields/settings-search", 200),
        Route::new("POST /api/custom-objects/{object}/fields/search", 200).reading().takes(
            json!({"search": "note"}),
            vec![any("search", "tn"), any("field_type", "tn"), any("name", "tn")],
        ),
        Route::new("GET /api/custom-objects/{object}/fields/{field}", 200),
        Route::new("GET /api/custom-objects/{object}/fields/{field}/references", 200),
        Route::new("GET /api/custom-objects/{object}/fields/{tags_field}/tags", 200)
            .paged()
            .ordered(),
        Route::new("GET /api/client/fields/{contact_tags}/tags", 200).paged().ordered(),
        Route::new("GET /api/custom-objects/{object}/fields/{field}/options", 200).paged(),
    ]
}

/// What the bodies that make and change an object have in common.
fn object_keys() -> Vec<Key> {
    vec![
        label("entity_name", "tn", 200),
        text("description", "tn", 500),
        text("default_color", "tn", 200),
        text("default_icon", "tn", 200),
        choice("identifier_case", "tn"),
        flag("has_commerce_data"),
        flag("default_on_activities"),
        flag("track_entity_value"),
        flag("include_percentage_to_close"),
        flag("allow_on_forms"),
        meta("meta", 16 * 1024),
        constraints(),
    ]
}

/// Lists of fields, of which a new object has the default ones.
fn constraints() -> Key {
    let bad = [
        (json!(["name"]), "invalid"),
        (json!([7]), "invalid"),
        (json!([[]]), "invalid"),
        (json!([["name"]]), "invalid"),
        (json!([["name", "name"]]), "invalid"),
        (json!([[7, "name"]]), "invalid"),
        (json!([["name", "owner"]]), "invalid"),
        (json!([["name", "created"]]), "invalid"),
        (json!([["country", "vat"]]), "does_not_exist"),
        (json!([vec!["x"; 17]]), "limit_exceeded"),
        (json!(vec![["x"]; 21]), "limit_exceeded"),
    ];
    bad.into_iter()
        .fold(any("unique_constraints", "ln"), |key, (value, code)| key.refuses(value, code))
}

/// What the bodies that make and change a field have in common.
fn field_keys() -> Vec<Key> {
    vec![
        text("description", "tn", 500),
        any("category", "tn").refuses(json!("nonsense"), "does_not_exist"),
        integer("order"),
        flag("is_required"),
        flag("is_read_only"),
        flag("is_hidden"),
        flag("allow_multiple"),
        flag("is_unique"),
        meta("meta", 16 * 1024),
        any("relation", "on"),
        any("decimal_options", "on"),
        any("money_options", "on"),
        any("rating", "on"),
        any("phonenumber_options", "on"),
    ]
}

/// What the bodies that make and change an option have in common.
fn option_keys() -> Vec<Key> {
    vec![text("code", "tn", 200), integer("order"), meta("meta", 4 * 1024)]
}

fn with(mut keys: Vec<Key>, more: Vec<Key>) -> Vec<Key> {
    keys.extend(more);
    keys
}

fn category(name: Key) -> Vec<Key> {
    vec![name, integer("order"), meta("meta", 16 * 1024)]
}

pub(super) fn writes() -> Vec<Route> {
    let mut routes = writes_of_objects();
    routes.extend(writes_of_fields());
    routes
}

fn writes_of_objects() -> Vec<Route> {
    let changed = || {
        let fixed = |path| any(path, "tn").refuses(json!("other"), "immutable");
        let more = vec![
            label("object_name", "t", 200),
            fixed("object_type"),
            fixed("name"),
            any("pipeline", "on").refuses(json!({"stages": []}), "immutable"),
        ];
        with(object_keys(), more)
    };
    let created = vec![
        label("object_name", "t", 200).required(),
        choice("object_type", "tn"),
        api_name("name", "tn").refuses(json!("team"), "invalid_identifier"),
        any("pipeline", "n"),
    ];
    vec![
        Route::new("POST /api/custom-objects", 201)
            .takes(json!({"object_name": "Plans"}), with(object_keys(), created)),
        Route::new("PATCH /api/custom-objects/{object}", 200)
            .takes(json!({"description": "Firms"}), changed()),
        Route::new("PUT /api/custom-objects/{object}", 200)
            .takes(json!({"description": "Companies"}), changed()),
        Route::new("POST /api/custom-objects/{object}/categories", 201)
            .takes(json!({"name": "Even More"}), category(label("name", "t", 200).required())),
        Route::new("PATCH /api/custom-objects/{object}/categories/{category}", 200)
            .takes(json!({"name": "Rest"}), category(label("name", "t", 200))),
    ]
}

fn writes_of_fields() -> Vec<Route> {
    let created = vec![
        label("display_name", "t", 200).required(),
        choice("field_type", "t").required(),
        api_name("name", "tn").refuses(json!("owner"), "invalid_identifier"),
        label("options[0].name", "t", 200),
        text("options[0].code", "tn", 200),
        integer("options[0].order"),
        meta("options[0].meta", 4 * 1024),
        any("options", "ln"),
    ];
    let changed = || {
        with(
            field_keys(),
            vec![
                label("display_name", "t", 200),
                any("field_type", "t").refuses(json!("text"), "immutable"),
                api_name("name", "tn"),
                any("options", "ln"),
            ],
        )
    };
    let choice = json!({
        "field_type": "dropdown", "display_name": "Choice", "options": [{"name": "First"}],
    });
    let options = "POST /api/custom-objects/{object}/fields/{field}/options";
    let option = "PATCH /api/custom-objects/{object}/fields/{field}/options/{option}";
    vec![
        Route::new("POST /api/custom-objects/{object}/fields", 201)
            .takes(choice, with(field_keys(), created))
            .flags(&["dry_run"]),
        Route::new("PATCH /api/custom-objects/{object}/fields/{field}", 200)
            .takes(json!({"description": "Where"}), changed())
            .flags(&["dry_run"]),
        Route::new("PUT /api/custom-objects/{object}/fields/{field}", 200)
            .takes(json!({"description": "There"}), changed())
            .flags(&["dry_run"]),
        Route::new(options, 201)
            .takes(
                json!({"name": "East"}),
                with(option_keys(), vec![label("name", "t", 200).required()]),
            )
            .flags(&["dry_run"]),
        Route::new(option, 200)
            .takes(json!({"name": "Far North"}), with(option_keys(), vec![label("name", "t", 200)]))
            .flags(&["dry_run"]),
        Route::new(
            "POST /api/custom-objects/{object}/fields/{field}/options/{option}/replace",
            200,
        )
        .takes(
            json!({"id": "{other_option}"}),
            vec![any("id", "t").required().refuses(json!("nonsense"), "invalid")],
        )
        .flags(&["dry_run"]),
    ]
}

pub(super) fn ends() -> Vec<Route> {
    vec![
        Route::new(
            "DELETE /api/custom-objects/{object}/fields/{field}/options/{other_option}",
            204,
        )
        .flags(&["dry_run"]),
        Route::new("DELETE /api/custom-objects/{object}/fields/{field}", 204).flags(&["dry_run"]),
        Route::new("DELETE /api/custom-objects/{object}/categories/{category}", 204),
        Route::new("DELETE /api/custom-objects/{spare_object}", 204),
    ]
}
