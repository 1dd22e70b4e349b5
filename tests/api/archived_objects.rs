//! Archiving an object over the real binary: what keeps it, that it is gone everywhere at once, and
//! that it stays so over a crash and in a snapshot.

use crate::support::{Fixture, text};
use serde_json::{Value, json};

fn names(fixture: &mut Fixture) -> Vec<Value> {
    let list = fixture.client.get("/api/custom-objects?custom_only=false").expect(200);
    let rows = list["results"].as_array().expect("a page has results");
    rows.iter().map(|row| row["name"].clone()).collect()
}

fn check_gone(fixture: &mut Fixture, id: &str, record: &str) {
    for path in [
        format!("/api/custom-objects/{id}"),
        format!("/api/custom-objects/{id}/fields"),
        format!("/api/custom-objects/{id}/categories"),
        format!("/api/records/{id}"),
        format!("/api/records/{id}/{record}?include_archived=true"),
        format!("/api/pipelines/{id}/stages"),
    ] {
        fixture.client.get(&path).expect_error(404, "not_found");
    }
    let path = format!("/api/records/{id}/{record}");
    fixture.client.delete(&format!("{path}?purge=true")).expect_error(404, "not_found");
    fixture.client.patch(&format!("{path}/unarchive"), &json!({})).expect_error(404, "not_found");
    fixture.client.delete(&format!("/api/custom-objects/{id}")).expect_error(404, "not_found");
}

#[test]
fn an_archived_object_is_gone_at_once_and_over_a_crash_and_in_a_snapshot() {
    let mut fixture = Fixture::new();
    let made = fixture.object("deals");
    let id = text(&made, "id").to_owned();
    let record = fixture.create("deals", "Acme", &json!({}));
    let record = text(&record, "id").to_owned();
    let path = "/api/custom-objects/deals";
    let blocked = fixture.client.delete(path).expect(400);
    assert_eq!(blocked["code"], "custom_object_archive_blocked");
    assert_eq!(blocked["errors"][0]["code"], "custom_object_archive_blocked");
    assert_eq!(blocked["detail"], "The object has live records; archive them first.");
    fixture.archive("deals", &record);
    fixture.client.delete(path).expect_empty(204);
    // At once: the crash comes before anything else can have been done about it.
    let mut fixture = fixture.after_a_crash();
    check_gone(&mut fixture, &id, &record);
    fixture.client.get(path).expect_error(404, "not_found");
    let again = fixture.object("deals");
    assert_ne!(again["id"], made["id"]);
    fixture.create("deals", "Acme", &json!({}));
    fixture.snapshot();
    let mut fixture = fixture.after_a_crash();
    check_gone(&mut fixture, &id, &record);
    assert_eq!(names(&mut fixture), ["client_client", "deals"]);
    let read = fixture.client.get(path).expect(200);
    assert_eq!((&read["id"], &read["number_of_records"]), (&again["id"], &json!(1)));
}

#[test]
fn activities_do_not_name_what_is_gone() {
    let mut fixture = Fixture::new();
    let made = fixture.object("deals");
    let record = fixture.create("deals", "Acme", &json!({}));
    let id = text(&record, "id").to_owned();
    let body = json!({
        "activity_object_name": "task", "due_datetime": "2030-01-01T00:00:00Z",
        "associated_entities": [{"custom_object_id": made["id"], "entity_id": id}],
    });
    let path = "/api/activities/scheduled-activity";
    let activity = fixture.client.post(path, &body).expect(201);
    assert_eq!(activity["associated_entities"].as_array().map(Vec::len), Some(1));
    let kind = json!({
        "name": "Visit", "association_mode": "selected_objects_associated",
        "associated_objects": [{"custom_object": {"id": made["id"]}}],
    });
    let kind = fixture.client.post("/api/activities", &kind).expect(201);
    assert_eq!(kind["associated_objects"].as_array().map(Vec::len), Some(1));
    fixture.archive("deals", &id);
    fixture.client.delete("/api/custom-objects/deals").expect_empty(204);
    let path = format!("{path}/{}", text(&activity, "id"));
    let read = fixture.client.get(&path).expect(200);
    assert_eq!(read["associated_entities"], json!([]));
    let read = fixture.client.get(&format!("/api/activities/{}", text(&kind, "id"))).expect(200);
    assert_eq!(read["associated_objects"], json!([]));
    fixture.client.patch(&path, &json!({"note": "still here"})).expect(200);
}
