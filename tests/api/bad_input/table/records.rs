//! The routes of records.

use crate::api::bad_input::key::{Key, any, choice, flag, text};
use crate::api::bad_input::route::{Extensions, Route};
use serde_json::json;

const BATCH: Extensions =
    Extensions { query: &[], body: &[], headers: &["If-Match", "If-None-Match"] };

pub(super) fn reads() -> Vec<Route> {
    vec![
        Route::new("GET /api/records/{object}", 200).paged().ordered().words(&["archived"]),
        Route::new("POST /api/records/{object}/search", 200)
            .reading()
            .paged()
            .ordered()
            .words(&["archived"])
            .may_take(json!({"query": [], "search": "Acme"}), search_keys()),
        Route::new("GET /api/records/changes", 200).flags(&["compact"]).words(&["include"]),
        Route::new("GET /api/records/{object}/changes", 200)
            .flags(&["compact"])
            .words(&["include"]),
        Route::new("GET /api/records/{object}/export", 200)
            .flags(&["labels", "excel"])
            .words(&["archived", "format"]),
        Route::new("POST /api/records/{object}/export", 200)
            .reading()
            .flags(&["labels", "excel"])
            .words(&["archived", "format"])
            .may_take(json!({"query": []}), export_keys()),
        Route::new("GET /api/records/{object}/lookup", 200)
            .query("identifier=Acme")
            .flags(&["all_fields", "match_case"])
            .conditional(&["If-None-Match"]),
        Route::new("GET /api/records/{object}/{record}", 200)
            .flags(&["all_fields", "include_hidden_fields", "include_archived"])
            .conditional(&["If-None-Match"]),
        Route::new("GET /api/records/{object}/{record}/history", 200).paged(),
        Route::new("GET /api/records/{object}/{record}/team-members", 200).paged(),
        Route::new("GET /api/records/{record}/field-values/{relation}", 200).paged(),
    ]
}

fn search_keys() -> Vec<Key> {
    vec![
        any("query", "ln").refuses(json!([7]), "invalid"),
        flag("and"),
        any("field_names", "tln").refuses(json!([{}]), "invalid"),
        any("field_ids", "tln").refuses(json!([7]), "invalid"),
        any("ordering", "tln").refuses(json!("nonsense"), "does_not_exist"),
        any("search_within_field_names", "tln").refuses(json!(["nonsense"]), "does_not_exist"),
        any("search_within_field_ids", "tln").refuses(json!(["nonsense"]), "does_not_exist"),
        any("search", "tin").refuses(json!("x".repeat(256)), "max_length"),
        choice("archived", "tin"),
        any("cursor", "tin").refuses(json!("nonsense"), "invalid"),
        any("group_id", "bitlon").refuses(json!("nonsense"), "unsupported_filter"),
        any("in_group_ids", "bitlon").refuses(json!(["nonsense"]), "unsupported_filter"),
        any("not_in_group_ids", "bitlon").refuses(json!({}), "unsupported_filter"),
    ]
}

fn export_keys() -> Vec<Key> {
    vec![
        any("query", "ln").refuses(json!([7]), "invalid"),
        flag("and"),
        any("field_names", "tln").refuses(json!([{}]), "invalid"),
        choice("archived", "tin"),
        any("group_id", "bitlon").refuses(json!("nonsense"), "unsupported_filter"),
        any("in_group_ids", "bitlon").refuses(json!(["nonsense"]), "unsupported_filter"),
        any("not_in_group_ids", "bitlon").refuses(json!({}), "unsupported_filter"),
    ]
}

fn many() -> Route {
    let too_many: Vec<_> = (0..10_001).map(|at| json!({"lookup_value": at})).collect();
    Route::new("POST /api/records/{object}/bulk-upsert", 200)
        .takes(
            json!({"records": [{"lookup_value": "Many"}]}),
            vec![
                any("records", "l").required().refuses(json!(too_many), "limit_exceeded"),
                any("match", "tinbl")
                    .refuses(json!([]), "required")
                    .refuses(json!(""), "required")
                    .refuses(json!([7]), "invalid")
                    .refuses(json!(["nonsense"]), "does_not_exist")
                    .refuses(json!("name,nonsense"), "does_not_exist")
                    .refuses(json!([["name", "note"]]), "invalid_choice")
                    .refuses(json!("note"), "invalid_choice")
                    .refuses(json!(vec!["name"; 21]), "limit_exceeded"),
                choice("mode", "tinb"),
                choice("blank", "tinb"),
                choice("oncreate_unarchive", "tinb"),
                choice("onupdate_archived_conflict", "tinb"),
                choice("on_restore_conflict", "tinb"),
                choice("in_batch_duplicates", "tinb"),
                flag("atomic"),
                flag("report_unchanged"),
                flag("return_records"),
                flag("dry_run"),
            ],
        )
        .flags(&["atomic", "return_records", "report_unchanged", "changed_fields", "dry_run"])
        .words(&["on_restore_conflict", "mode", "blank", "in_batch_duplicates"])
        .extensions(BATCH)
        .taking_rows()
        .unkeyed()
}

/// Its rows are no JSON body, and are in tests of their own; without any there is nothing to do.
fn import() -> Route {
    Route::new("POST /api/records/{object}/import", 200)
        .flags(&[
            "return_records",
            "report_unchanged",
            "changed_fields",
            "ignore_unknown",
            "dry_run",
        ])
        .words(&["on_restore_conflict", "mode", "blank", "results", "delimiter"])
        .extensions(BATCH)
        .unkeyed()
}

/// What becomes of archived records, by a word.
fn archived(path: &'static str) -> Key {
    choice(path, "tn").refuses(json!("Overwrite"), "invalid_choice")
}

/// Entries of fields, as a list or as an object.
fn set(path: &'static str) -> Key {
    let many: Vec<_> = (0..501).map(|_| json!({"name": "note", "value": 1})).collect();
    any(path, "lo").refuses(json!(many), "limit_exceeded")
}

fn upsert_keys() -> Vec<Key> {
    let lookup = text("lookup_value", "ti", 255)
        .required()
        .refuses(json!(""), "blank")
        .refuses(json!(" \u{3000} "), "blank")
        .refuses(json!("a\u{200b}b"), "invalid")
        .refuses(json!("a\u{202e}b"), "invalid");
    vec![
        lookup,
        set("fields"),
        set("set_on_create"),
        set("set_on_update"),
        set("set_if_empty"),
        any("match", "ln")
            .refuses(json!([]), "required")
            .refuses(json!([7]), "invalid")
            .refuses(json!(["nonsense"]), "does_not_exist")
            .refuses(json!(["note"]), "invalid_choice")
            .refuses(json!([["name", "note"]]), "invalid_choice")
            .refuses(json!(vec!["name"; 21]), "limit_exceeded"),
        any("match_values", "on"),
        text("source", "tn", 64).refuses(json!(" "), "blank"),
        any("source_version", "itn")
            .up_to(json!(9_223_372_036_854_775_807_i64))
            .refuses(json!(9_223_372_036_854_775_808_u64), "invalid")
            .refuses(json!(-1), "invalid")
            .refuses(json!(1.5), "invalid")
            .refuses(json!("2026-11-24"), "invalid")
            .refuses(json!("soon"), "invalid"),
        any("client_ref", "tn")
            .up_to(json!("é".repeat(255)))
            .refuses(json!("é".repeat(256)), "max_length"),
        archived("oncreate_unarchive"),
        archived("onupdate_archived_conflict").refuses(json!("unarchive"), "invalid_choice"),
    ]
}

pub(super) fn writes() -> Vec<Route> {
    let fields = || set("fields");
    let update = || vec![fields(), archived("archived_conflict")];
    vec![
        Route::new("POST /api/records/{object}/upsert", 200)
            .takes(json!({"lookup_value": "Fresh"}), upsert_keys())
            .flags(&["return_all_fields", "report_unchanged", "changed_fields", "dry_run"])
            .words(&["on_restore_conflict", "on_identity_conflict", "mode", "blank"])
            .conditional(&["If-Match", "If-None-Match"])
            .writing_record(),
        many(),
        import(),
        Route::new("POST /api/records/{object}/add", 201)
            .takes(
                json!({"fields": {"name": "Added"}}),
                vec![fields().required(), archived("unarchive")],
            )
            .flags(&["return_all_fields", "dry_run"])
            .words(&["on_restore_conflict"])
            .writing_record(),
        Route::new("PATCH /api/records/{object}/{record}", 200)
            .takes(json!({"fields": {"note": "after"}}), update())
            .flags(&["return_all_fields", "dry_run"])
            .conditional(&["If-Match"])
            .writing_record(),
        Route::new("PUT /api/records/{object}/{record}", 200)
            .takes(json!({"fields": {"note": "later"}}), update())
            .flags(&["return_all_fields", "replace", "dry_run"])
            .conditional(&["If-Match"])
            .writing_record(),
        Route::new("PATCH /api/records/{object}/{archived_record}/unarchive", 200)
            .may_take(
                json!({}),
                vec![text("identifier", "tin", 255).refuses(json!("a\u{2066}b"), "invalid")],
            )
            .flags(&["return_all_fields"])
            .words(&["on_restore_conflict"])
            .conditional(&["If-Match"])
            .writing_record(),
        Route::new("PUT /api/records/{object}/{record}/team-members/{member}", 204)
            .writing_record(),
    ]
}

pub(super) fn ends() -> Vec<Route> {
    vec![
        Route::new("DELETE /api/records/{object}/{record}/team-members/{member}", 204)
            .writing_record(),
        Route::new("DELETE /api/records/{object}/{record}", 204)
            .flags(&["purge", "dry_run"])
            .conditional(&["If-Match"])
            .writing_record(),
    ]
}
