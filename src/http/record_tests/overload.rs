//! Writes while the queue of a table is full.

use crate::engine::admission::Ticket;
use crate::http::record_tests::{ACCOUNTS, World};
use actix_web::test::TestRequest;
use serde_json::json;

/// As many rows as may wait for a writer of a test server.
const ROWS_MAX: usize = 1 << 16;

fn fill(world: &World) -> Ticket {
    let admission = world.accounts.handle().admission();
    admission.admit(ROWS_MAX, 0).expect("nothing waits")
}

#[actix_web::test]
async fn a_full_queue_says_when_to_come_back_and_does_nothing() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({"remark": "before"})).await;
    let full = fill(&world);
    let one = format!("{ACCOUNTS}/{id}");
    let fields = json!({"fields": {"remark": "after", "name": "Other"}});
    let lookup = json!({"lookup_value": "Globex"});
    let post = |path: &str| TestRequest::post().uri(&format!("{ACCOUNTS}/{path}"));
    for request in [
        post("upsert").set_json(&lookup),
        post("upsert").set_json(json!({"lookup_value": "Acme", "fields": {"remark": "after"}})),
        post("add").set_json(&fields),
        TestRequest::patch().uri(&one).set_json(&fields),
        TestRequest::put().uri(&one).set_json(&fields),
        TestRequest::delete().uri(&one),
        TestRequest::patch().uri(&format!("{one}/unarchive")),
        TestRequest::put().uri(&format!("{one}/team-members/{}", world.admin())),
    ] {
        let answer = world.server.send(request).await;
        let wait = answer.headers.get("Retry-After").expect("it says when").to_str().unwrap();
        assert!(wait.parse::<u64>().unwrap() >= 1, "{wait}");
        let body = answer.expect_error(503, "overloaded");
        let detail = "Too many writes wait for this object; nothing of the request was done.";
        assert_eq!(body["detail"], detail);
    }
    // Reads do not wait for writers.
    let list = world.server.get(ACCOUNTS).await.expect(200);
    assert_eq!((&list["count"], &list["results"][0]["version"]), (&json!(1), &json!(1)));

    drop(full);
    assert_eq!(world.upsert(&lookup).await.expect(200)["action"], "created");
    assert_eq!(world.read(&id).await["version"], 1);
}
