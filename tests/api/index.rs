//! The index of the API's routes: each is served and described under its name, and no other is.

use crate::support::{Fixture, OPERATOR_KEY, Request, text};
use std::collections::{BTreeMap, BTreeSet};

/// A path, and the operations that its methods are. What a placeholder is called does not matter.
type Row = (&'static str, &'static [(&'static str, &'static str)]);

const RECORDS: &[Row] = &[
    ("/api/records/{o}", &[("GET", "records_list")]),
    ("/api/records/{o}/upsert", &[("POST", "records_upsert_create")]),
    ("/api/records/{o}/bulk-upsert", &[("POST", "records_bulk_upsert_create")]),
    ("/api/records/{o}/import", &[("POST", "records_import_create")]),
    ("/api/records/{o}/add", &[("POST", "records_add_create")]),
    ("/api/records/{o}/lookup", &[("GET", "records_lookup_retrieve")]),
    ("/api/records/{o}/search", &[("POST", "records_search_create")]),
    ("/api/records/{o}/changes", &[("GET", "records_changes_list")]),
    ("/api/records/changes", &[("GET", "records_changes_all_list")]),
    (
        "/api/records/{o}/export",
        &[("GET", "records_export_retrieve"), ("POST", "records_export_create")],
    ),
    ("/api/records/{o}/{uuid}/history", &[("GET", "records_history_list")]),
    (
        "/api/records/{o}/{uuid}",
        &[
            ("GET", "records_retrieve"),
            ("PATCH", "records_partial_update"),
            ("PUT", "records_update"),
            ("DELETE", "records_destroy"),
        ],
    ),
    ("/api/records/{o}/{uuid}/unarchive", &[("PATCH", "records_unarchive_partial_update")]),
    ("/api/records/{o}/{uuid}/move", &[("PATCH", "records_move_partial_update")]),
    ("/api/records/{uuid}/field-values/{f}", &[("GET", "records_field_values_list")]),
    ("/api/records/{o}/{uuid}/team-members", &[("GET", "records_team_members_list")]),
    (
        "/api/records/{o}/{uuid}/team-members/{uuid}",
        &[("PUT", "records_team_members_update"), ("DELETE", "records_team_members_destroy")],
    ),
];

const OBJECTS: &[Row] = &[
    ("/api/custom-objects", &[("GET", "custom_objects_list"), ("POST", "custom_objects_create")]),
    (
        "/api/custom-objects/{o}",
        &[
            ("GET", "custom_objects_retrieve"),
            ("PATCH", "custom_objects_partial_update"),
            ("PUT", "custom_objects_update"),
            ("DELETE", "custom_objects_destroy"),
        ],
    ),
    ("/api/custom-objects/{o}/detail", &[("GET", "custom_objects_detail_retrieve")]),
    (
        "/api/custom-objects/{o}/categories",
        &[("GET", "custom_objects_categories_list"), ("POST", "custom_objects_categories_create")],
    ),
    (
        "/api/custom-objects/{o}/categories/{uuid}",
        &[
            ("PATCH", "custom_objects_categories_partial_update"),
            ("DELETE", "custom_objects_categories_destroy"),
        ],
    ),
    ("/api/client/custom-object", &[("GET", "client_custom_object_retrieve")]),
    (
        "/api/custom-objects/{o}/bulk-archive-entity-record",
        &[("POST", "custom_objects_bulk_archive_entity_record_create")],
    ),
    (
        "/api/custom-objects/{o}/bulk-change-field-value",
        &[("POST", "custom_objects_bulk_change_field_value_create")],
    ),
    ("/api/bulk-action-progress", &[("GET", "bulk_action_progress_list")]),
    ("/api/bulk-action-progress/{uuid}", &[("GET", "bulk_action_progress_retrieve")]),
];

const FIELDS: &[Row] = &[
    (
        "/api/custom-objects/{o}/fields",
        &[("GET", "custom_objects_fields_list"), ("POST", "custom_objects_fields_create")],
    ),
    (
        "/api/custom-objects/{o}/fields/settings-search",
        &[("GET", "custom_objects_fields_settings_search_list")],
    ),
    ("/api/custom-objects/{o}/fields/search", &[("POST", "custom_objects_fields_search_create")]),
    (
        "/api/custom-objects/{o}/fields/{f}",
        &[
            ("GET", "custom_objects_fields_retrieve"),
            ("PATCH", "custom_objects_fields_partial_update"),
            ("PUT", "custom_objects_fields_update"),
            ("DELETE", "custom_objects_fields_destroy"),
        ],
    ),
    (
        "/api/custom-objects/{o}/fields/{f}/references",
        &[("GET", "custom_objects_fields_references_retrieve")],
    ),
    ("/api/custom-objects/{o}/fields/{f}/tags", &[("GET", "custom_objects_fields_tags_list")]),
    (
        "/api/custom-objects/{o}/fields/{f}/options",
        &[
            ("GET", "custom_objects_fields_options_list"),
            ("POST", "custom_objects_fields_options_create"),
        ],
    ),
    (
        "/api/custom-objects/{o}/fields/{f}/options/{uuid}",
        &[
            ("PATCH", "custom_objects_fields_options_partial_update"),
            ("DELETE", "custom_objects_fields_options_destroy"),
        ],
    ),
    (
        "/api/custom-objects/{o}/fields/{f}/options/{uuid}/replace",
        &[("POST", "custom_objects_fields_options_replace_create")],
    ),
    ("/api/client/fields/{f}/tags", &[("GET", "client_fields_tags_list")]),
    ("/api/pipelines/{o}/fields/{f}/tags", &[("GET", "pipelines_fields_tags_list")]),
    (
        "/api/pipelines/{o}/stages",
        &[("GET", "pipelines_stages_list"), ("POST", "pipelines_stages_create")],
    ),
    ("/api/pipelines/{o}/stages/{uuid}", &[("PATCH", "pipelines_stages_partial_update")]),
    ("/api/pipelines/{o}/stages/remove-stage", &[("POST", "pipelines_stages_remove_stage_create")]),
];

const ACTIVITIES: &[Row] = &[
    ("/api/activities", &[("GET", "activities_list"), ("POST", "activities_create")]),
    (
        "/api/activities/{o}",
        &[
            ("GET", "activities_retrieve"),
            ("PUT", "activities_update"),
            ("PATCH", "activities_partial_update"),
            ("DELETE", "activities_destroy"),
        ],
    ),
    ("/api/activities/{o}/log-activity", &[("POST", "activities_log_activity_create")]),
    ("/api/activities/{o}/responses", &[("POST", "activities_responses_create")]),
    ("/api/activities/logged/{uuid}", &[("GET", "activities_logged_retrieve")]),
    (
        "/api/activities/scheduled-activity",
        &[
            ("GET", "activities_scheduled_activity_list"),
            ("POST", "activities_scheduled_activity_create"),
        ],
    ),
    (
        "/api/activities/scheduled-activity/search",
        &[("POST", "activities_scheduled_activity_search_create")],
    ),
    (
        "/api/activities/scheduled-activity/{uuid}",
        &[
            ("GET", "activities_scheduled_activity_retrieve"),
            ("PUT", "activities_scheduled_activity_update"),
            ("PATCH", "activities_scheduled_activity_partial_update"),
            ("DELETE", "activities_scheduled_activity_destroy"),
        ],
    ),
    (
        "/api/activities/scheduled-activity/{uuid}/notes",
        &[("PATCH", "activities_scheduled_activity_notes_partial_update")],
    ),
];

const PEOPLE: &[Row] = &[
    ("/api/team", &[("GET", "team_list"), ("POST", "team_create")]),
    ("/api/team/typeahead", &[("GET", "team_typeahead_list")]),
    ("/api/team/search", &[("POST", "team_search_create")]),
    (
        "/api/team/{uuid}",
        &[("GET", "team_retrieve"), ("PATCH", "team_partial_update"), ("DELETE", "team_destroy")],
    ),
    ("/api/employee", &[("GET", "employee_list")]),
    ("/api/role", &[("GET", "role_list"), ("POST", "role_create")]),
    (
        "/api/role/{uuid}",
        &[("GET", "role_retrieve"), ("PATCH", "role_partial_update"), ("DELETE", "role_destroy")],
    ),
    (
        "/api/permission-group",
        &[("GET", "permission_group_list"), ("POST", "permission_group_create")],
    ),
    (
        "/api/permission-group/{uuid}",
        &[
            ("GET", "permission_group_retrieve"),
            ("PUT", "permission_group_update"),
            ("PATCH", "permission_group_partial_update"),
            ("DELETE", "permission_group_destroy"),
        ],
    ),
    (
        "/api/permission-group/{uuid}/object-update",
        &[("PATCH", "permission_group_object_update_partial_update")],
    ),
    ("/api/permissions/meta-data", &[("GET", "permissions_meta_data_list")]),
    ("/api/auth/access", &[("GET", "auth_access_retrieve")]),
    (
        "/api/business/mine",
        &[
            ("GET", "business_mine_retrieve"),
            ("PATCH", "business_mine_partial_update"),
            ("PUT", "business_mine_update"),
        ],
    ),
    ("/api/api-keys", &[("GET", "api_keys_list"), ("POST", "api_keys_create")]),
    ("/api/api-keys/{uuid}", &[("DELETE", "api_keys_destroy")]),
];

const PROCESS: &[Row] = &[
    (
        "/api/admin/businesses",
        &[("GET", "admin_businesses_list"), ("POST", "admin_businesses_create")],
    ),
    (
        "/api/admin/businesses/{uuid}",
        &[
            ("GET", "admin_businesses_retrieve"),
            ("PATCH", "admin_businesses_partial_update"),
            ("DELETE", "admin_businesses_destroy"),
        ],
    ),
    ("/api/admin/status", &[("GET", "admin_status_retrieve")]),
    ("/api/admin/snapshot", &[("POST", "admin_snapshot_create")]),
    ("/healthz", &[("GET", "healthz")]),
    ("/readyz", &[("GET", "readyz")]),
    ("/metrics", &[("GET", "metrics")]),
    ("/api/openapi.json", &[("GET", "openapi")]),
];

/// What is not served yet. Whoever serves one takes it out of here.
const NOT_YET: &[&str] = &[];

/// Not of any record or member.
const UNKNOWN_ID: &str = "0192f7aa-0000-7000-8000-00000000ffff";

fn rows() -> impl Iterator<Item = &'static Row> {
    [RECORDS, OBJECTS, FIELDS, ACTIVITIES, PEOPLE, PROCESS].into_iter().flatten()
}

/// Path, method and operation of everything in the index.
fn index() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    rows().flat_map(|(path, methods)| {
        methods.iter().map(move |(method, operation)| (*path, *method, *operation))
    })
}

/// A path whose placeholders have no names.
fn nameless(path: &str) -> String {
    let segments =
        path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn the_document_has_the_operations_of_the_index_and_no_other() {
    let document = Fixture::new().client.get("/api/openapi.json").expect(200);
    let mut described = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("a document has paths") {
        for (method, operation) in item.as_object().expect("a path has methods") {
            let place = (nameless(path), method.to_uppercase());
            described.insert(place, text(operation, "operationId").to_owned());
        }
    }
    let indexed = index().filter(|(_, _, operation)| !NOT_YET.contains(operation));
    let indexed: BTreeMap<_, _> = indexed
        .map(|(path, method, operation)| {
            ((nameless(path), method.to_owned()), operation.to_owned())
        })
        .collect();
    let lacking: Vec<_> =
        indexed.iter().filter(|(at, id)| described.get(*at) != Some(id)).collect();
    let strange: Vec<_> = described.iter().filter(|(at, _)| !indexed.contains_key(*at)).collect();
    assert!(lacking.is_empty() && strange.is_empty(), "lacking: {lacking:?}, strange: {strange:?}");
}

#[test]
fn every_route_of_the_index_is_served_or_known_to_wait() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let mut waiting = BTreeSet::new();
    for (path, methods) in rows() {
        let path =
            path.replace("{o}", "accounts").replace("{f}", "name").replace("{uuid}", UNKNOWN_ID);
        let request = Request::new("OPTIONS", &path);
        let request = request.header("X-OPERATOR-KEY", OPERATOR_KEY);
        let answer = fixture.send(&request);
        let allowed = if answer.status == 204 { answer.header("Allow") } else { None };
        let allowed: Vec<&str> = allowed.unwrap_or_default().split(", ").collect();
        let lacking = methods.iter().filter(|(method, _)| !allowed.contains(method));
        waiting.extend(lacking.map(|(_, operation)| *operation));
    }
    let known: BTreeSet<&str> = NOT_YET.iter().copied().collect();
    assert_eq!(waiting, known);
}

#[test]
fn no_operation_stands_twice_in_the_index() {
    let mut seen = BTreeSet::new();
    for (path, method, operation) in index() {
        assert!(seen.insert(operation), "{method} {path}: {operation}");
    }
    let unknown: Vec<_> = NOT_YET.iter().filter(|operation| !seen.contains(*operation)).collect();
    assert!(unknown.is_empty(), "{unknown:?} wait and are not in the index");
}
