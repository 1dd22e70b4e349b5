//! What is answered of activities, held against the document of the API.

use crate::api::described::{Judge, RECORDS};
use crate::support::text;
use serde_json::{Value, json};

const ACTIVITIES: &str = "/api/activities/scheduled-activity";

pub(super) fn activities(judge: &mut Judge) {
    let record =
        judge.ask("get", &format!("{RECORDS}/lookup?identifier=Acme"), &["accounts"], None);
    let about = json!([{"custom_object": {"name": "accounts"}, "entity_id": record["id"]}]);
    let member = judge.ask("get", "/api/employee", &[], None)[0]["id"].clone();
    let body = json!({
        "activity_object_name": "task", "due_datetime": "2030-01-01T00:00:00Z",
        "employee_id": member, "mentions": [member], "notifications": [{"minutes": 5}],
        "associated_entities": about,
    });
    let activity = judge.ask("post", ACTIVITIES, &[], Some(body));
    let activity = text(&activity, "id");
    let one = format!("{ACTIVITIES}/{{id}}");
    judge.ask("get", ACTIVITIES, &[], None);
    let search = json!({"entity_id": record["id"], "completed": false});
    let found = judge.ask("post", &format!("{ACTIVITIES}/search"), &[], Some(search));
    assert_eq!(found["count"], 1);
    judge.ask("get", &one, &[activity], None);
    judge.ask("patch", &one, &[activity], Some(json!({"completed_at": "2030-01-02T00:00:00Z"})));
    judge.ask("put", &one, &[activity], Some(json!({"completed_at": null, "note": "n"})));
    let note = Some(json!({"notes": "other"}));
    judge.ask("patch", &format!("{one}/notes"), &[activity], note);
    types_and_what_took_place(judge, activity, &about);
    judge.ask("delete", &one, &[activity], None);
}

fn types_and_what_took_place(judge: &mut Judge, scheduled: &str, about: &Value) {
    let (types, one) = ("/api/activities", "/api/activities/{reference}");
    let call = json!({
        "name": "Call", "association_mode": "selected_objects_associated",
        "associated_objects": [{"custom_object": {"name": "accounts"}}],
    });
    judge.ask("post", types, &[], Some(call));
    judge.ask("get", types, &[], None);
    judge.ask("get", one, &["call"], None);
    for method in ["patch", "put"] {
        judge.ask(method, one, &["call"], Some(json!({"description": "By telephone"})));
    }
    judge.ask("delete", one, &["call"], None);
    let log =
        json!({"related_objects": about, "scheduled_activity_id": scheduled, "notes": "done"});
    let logged = judge.ask("post", &format!("{one}/log-activity"), &["task"], Some(log));
    judge.ask("get", "/api/activities/logged/{id}", &[text(&logged, "id")], None);
    let page = Some(json!({"page_size": 5}));
    let page = judge.ask("post", &format!("{one}/responses"), &["task"], page);
    assert_eq!(page["count"], 1);
}
