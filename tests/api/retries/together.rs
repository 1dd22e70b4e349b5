//! The same request many times at once.

use crate::api::retries::{KEY, accounts, again, first, is_replayed, noted, upsert};
use crate::support::{Answer, Fixture, Request, send_together, text, until};
use serde_json::{Value, json};

const CLIENTS: usize = 24;

fn send_all(fixture: &Fixture, request: &Request) -> Vec<Answer> {
    send_together((0..CLIENTS).map(|_| (fixture.server.client(), request.clone())).collect())
}

/// One answer is the write's own, the others are the same again, or told to wait.
fn check(answers: &[Answer], status: u16) -> Value {
    let (mut own, mut replayed) = (Vec::new(), Vec::new());
    for answer in answers {
        if answer.status == 409 {
            answer.expect_error(409, "idempotency_in_progress");
            assert_eq!(answer.header("Retry-After"), Some("1"), "{answer}");
        } else if is_replayed(answer) {
            replayed.push(answer.expect(status));
        } else {
            own.push(answer.expect(status));
        }
    }
    assert_eq!(own.len(), 1, "carried out {} times", own.len());
    let own = own.remove(0);
    assert!(replayed.iter().all(|answer| *answer == own), "{own} is not {replayed:?}");
    own
}

#[test]
fn of_many_at_once_one_is_carried_out() {
    let mut fixture = accounts();
    for round in 0..20 {
        let request = upsert(&format!("k{round}"), &noted("Acme", &round.to_string()));
        let own = check(&send_all(&fixture, &request), 200);
        assert_eq!(own["version"], round + 1);
        assert_eq!(again(&mut fixture.client, &request, 200).json(), own);
    }
    let contact = json!({"fields": {"first_name": "Ada"}});
    let contact = Request::new("POST", "/api/records/client_client/add").json(&contact);
    let own = check(&send_all(&fixture, &contact.header(KEY, "k")), 201);
    let list = fixture.client.get("/api/records/client_client").expect(200);
    assert_eq!((&list["count"], &list["results"][0]["id"]), (&json!(1), &own["id"]));
    let role = Request::new("POST", "/api/role").json(&json!({"name": "Seller"}));
    let own = check(&send_all(&fixture, &role.header(KEY, "k")), 201);
    let roles = fixture.client.get("/api/role").expect(200);
    let made = roles["results"].as_array().expect("a page").iter();
    assert_eq!(made.filter(|role| role["name"] == "Seller").count(), 1, "{own}");
}

/// Both sides of a relation are made once, though two objects are asked.
#[test]
fn a_relation_is_made_once() {
    let mut fixture = accounts();
    fixture.object("deals");
    for (at, kind) in ["primary", "primary_for"].into_iter().enumerate() {
        let body = json!({
            "field_type": "relationship", "display_name": format!("Link {at}"),
            "relation": {"related_object": "accounts", "relation_type": kind, "related_name": format!("Back {at}")},
        });
        let path = "/api/custom-objects/deals/fields";
        let request = Request::new("POST", path).json(&body).header(KEY, &format!("k{at}"));
        let own = check(&send_all(&fixture, &request), 201);
        assert_eq!(again(&mut fixture.client, &request, 201).json(), own);
        fixture = fixture.after_a_crash();
        assert_eq!(again(&mut fixture.client, &request, 201).json(), own);
        let delete = Request::new("DELETE", &format!("{path}/{}", text(&own, "name")));
        let delete = delete.header(KEY, "d");
        first(&mut fixture.client, &delete, 204);
        again(&mut fixture.client, &delete, 204);
        fixture.client.send(&request).expect_error(404, "not_found");
    }
}

/// Whoever does not wait for the answer sends the request again, on another connection.
#[test]
fn a_request_whose_sender_has_gone_is_carried_out_once() {
    let mut fixture = accounts();
    for round in 0..50 {
        let body = json!({"fields": {"first_name": format!("Ada {round}")}});
        let request = Request::new("POST", "/api/records/client_client/add").json(&body);
        let request = request.header(KEY, &format!("k{round}"));
        fixture.server.client().send_unread(&request).reset();
        let made = until("an answer", || {
            let answer = fixture.client.send(&request);
            (answer.status != 409).then(|| answer.expect(201))
        });
        assert_eq!(again(&mut fixture.client, &request, 201).json(), made);
        let list = fixture.client.get("/api/records/client_client").expect(200);
        assert_eq!(list["count"], round + 1, "{list}");
    }
}
