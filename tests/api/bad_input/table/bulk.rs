//! The routes of bulk actions.

use crate::api::bad_input::key::{Key, any, choice, flag, unknown_id};
use crate::api::bad_input::route::Route;
use serde_json::json;

pub(super) fn reads() -> Vec<Route> {
    vec![
        Route::new("GET /api/bulk-action-progress", 200).paged().flags(&["completed"]),
        Route::new("GET /api/bulk-action-progress/{bulk}", 200),
    ]
}

fn record_ids() -> Key {
    let many: Vec<String> = (0..1001).map(unknown_id).collect();
    any("record_ids", "l")
        .required()
        .refuses(json!([]), "required")
        .refuses(json!([7]), "invalid")
        .refuses(json!(["nonsense"]), "invalid")
        .refuses(json!([{"id": "{record}"}]), "invalid")
        .refuses(json!(many), "limit_exceeded")
}

/// What each of them leaves as it is: an archived record, a tag that the record has.
pub(super) fn writes() -> Vec<Route> {
    let change = json!({
        "record_ids": ["{record}"], "field_id": "{tags_field}", "field_value": ["vip"],
        "field_resolution": "add_only",
    });
    let keys = vec![
        record_ids(),
        any("field_id", "t")
            .required()
            .refuses(json!(""), "blank")
            .refuses(json!("nonsense"), "does_not_exist")
            .refuses(json!("x".repeat(101)), "max_length"),
        any("field_value", "nbtil")
            .required()
            .refuses(json!({"name": "vip"}), "invalid")
            .refuses(json!([{"name": "vip"}]), "invalid")
            .refuses(json!([null]), "invalid")
            .refuses(json!("x".repeat(101)), "max_length"),
        choice("field_resolution", "tn"),
        flag("send_email_notification"),
    ];
    vec![
        Route::new("POST /api/custom-objects/{object}/bulk-archive-entity-record", 200)
            .unkeyed()
            .takes(
                json!({"record_ids": ["{archived_record}"]}),
                vec![record_ids(), flag("send_email_notification")],
            ),
        Route::new("POST /api/custom-objects/{object}/bulk-change-field-value", 200)
            .unkeyed()
            .takes(change, keys),
    ]
}
