//! What is kept of an outcome, for how long, and how it looks later.

use crate::api::retries::{KEY, accounts, again, first, furnish, is_replayed, noted, upsert};
use crate::support::{Client, Fixture, Launch, OPERATOR_KEY, Request, field_value, text, until};
use serde_json::{Value, json};

#[test]
fn an_answer_shows_the_record_as_the_write_left_it() {
    let mut fixture = accounts();
    let request = upsert("k", &noted("Acme", "first"));
    let made = first(&mut fixture.client, &request, 200);
    fixture.upsert("accounts", &noted("Acme", "second")).expect(200);
    let repeated = again(&mut fixture.client, &request, 200);
    assert_eq!(repeated.json(), made.json());
    for header in ["ETag", "X-Upsert-Action"] {
        assert_eq!(repeated.header(header), made.header(header));
    }
    assert_eq!(
        (&repeated.json()["version"], &repeated.json()["action"]),
        (&json!(1), &json!("created"))
    );
    let found = fixture.lookup("accounts", "Acme").expect(200);
    assert_eq!(found["version"], 2, "nothing was undone: {found}");
}

#[test]
fn labels_are_those_of_today() {
    let mut fixture = accounts();
    let region = json!({
        "field_type": "dropdown", "display_name": "Region", "options": [{"name": "North"}, {"name": "South"}],
    });
    let region = fixture.field("accounts", &region);
    let body = json!({"lookup_value": "Acme", "fields": {"note": "n", "region": "North"}});
    let request = upsert("k", &body);
    first(&mut fixture.client, &request, 200);
    let fields = "/api/custom-objects/accounts/fields";
    let option = format!("{fields}/region/options/{}", text(&region["options"][0], "id"));
    fixture.client.patch(&option, &json!({"name": "Far north"})).expect(200);
    fixture.client.patch(&format!("{fields}/region"), &json!({"display_name": "Area"})).expect(200);
    let shown = again(&mut fixture.client, &request, 200).json();
    assert_eq!(field_value(&shown, "region").expect("it is shown")["name"], "Far north");
    let area = shown["fields"][text(&region, "id")]["display_name"].clone();
    assert_eq!(area, "Area", "{shown}");
    // A field that is gone is shown no more, though the request still names it.
    fixture.client.delete(&format!("{fields}/region")).expect_empty(204);
    let shown = again(&mut fixture.client, &request, 200).json();
    assert!(field_value(&shown, "region").is_none(), "{shown}");
    assert_eq!(field_value(&shown, "note"), Some(&json!("n")), "{shown}");
}

#[test]
fn a_write_that_changes_nothing_is_kept_too() {
    let mut fixture = accounts();
    fixture.create("accounts", "Acme", &json!({"note": "same"}));
    let request = upsert("k", &noted("Acme", "same"));
    let unchanged = first(&mut fixture.client, &request, 200).json();
    assert_eq!(unchanged["version"], 1);
    fixture.upsert("accounts", &noted("Acme", "other")).expect(200);
    assert_eq!(again(&mut fixture.client, &request, 200).json(), unchanged);
    let found = fixture.lookup("accounts", "Acme").expect(200);
    assert_eq!(found["version"], 2, "the note stays as it is: {found}");
}

#[test]
fn a_refusal_is_not_kept_but_decided_anew() {
    let mut fixture = accounts();
    let held = fixture.create_archived("accounts", "Acme", &json!({}));
    let request = upsert("k", &noted("Acme", "n"));
    fixture.client.send(&request).expect_error(409, "conflict");
    let id = text(&held, "id");
    let purge = format!("/api/records/accounts/{id}?purge=true");
    fixture.client.delete(&purge).expect_empty(204);
    let made = first(&mut fixture.client, &request, 200).json();
    assert_eq!(made["action"], "created");
    again(&mut fixture.client, &request, 200);
    // The key of a refused request is free for another one.
    let wrong = json!({"lookup_value": "Globex", "fields": {"nothing": 1}});
    fixture.client.send(&upsert("free", &wrong)).expect_error(400, "does_not_exist");
    first(&mut fixture.client, &upsert("free", &noted("Globex", "n")), 200);
}

#[test]
fn of_a_purged_record_nothing_is_kept() {
    let mut fixture = accounts();
    let request = upsert("k", &noted("Acme", "a secret of the record"));
    let made = first(&mut fixture.client, &request, 200).json();
    let path = format!("/api/records/accounts/{}", text(&made, "id"));
    let archive = Request::new("DELETE", &path).header(KEY, "a");
    first(&mut fixture.client, &archive, 204);
    again(&mut fixture.client, &archive, 204);
    again(&mut fixture.client, &request, 200);
    let purge = Request::new("DELETE", &format!("{path}?purge=true")).header(KEY, "p");
    first(&mut fixture.client, &purge, 204);
    again(&mut fixture.client, &purge, 204);
    let check = |fixture: &mut Fixture| {
        for request in [&request, &archive] {
            let answer = fixture.client.send(request);
            answer.expect_error(404, "not_found");
            assert!(!is_replayed(&answer), "{answer}");
        }
        again(&mut fixture.client, &purge, 204);
    };
    check(&mut fixture);
    fixture.snapshot();
    let mut fixture = fixture.after_a_crash();
    check(&mut fixture);
    fixture.lookup("accounts", "Acme").expect_error(404, "not_found");
}

/// A member with these rights on accounts, and its client.
fn member(fixture: &mut Fixture, rights: &Value) -> (String, Client) {
    let group = json!({"name": "Group", "objects": {"accounts": rights}});
    let group = fixture.client.post("/api/permission-group", &group).expect(201);
    let ada = json!({"email": "ada@example.com", "permission_groups": [group["id"]]});
    let ada = fixture.client.post("/api/team", &ada).expect(201);
    let secret = "a secret of ada alone";
    let key = json!({"name": "ada", "member_id": ada["id"], "secret": secret});
    fixture.client.post("/api/api-keys", &key).expect(201);
    let mut credentials = fixture.server.credentials();
    secret.clone_into(&mut credentials.api_key);
    text(&ada, "user_id").clone_into(&mut credentials.user_id);
    let group = format!("/api/permission-group/{}", text(&group, "id"));
    (group, Client::new(fixture.server.address(), &credentials))
}

#[test]
fn rights_are_those_of_today() {
    let mut fixture = accounts();
    fixture.text_field("accounts", "secret");
    let rights = |all: u8, fields: Value| {
        json!({"records": {"all_records": all, "associated_records": all, "create_record": all > 1},
               "fields": fields})
    };
    let (group, mut ada) = member(&mut fixture, &rights(2, json!({})));
    let body = json!({"lookup_value": "Acme", "fields": {"note": "n", "secret": "s"}});
    let request = upsert("k", &body);
    let made = first(&mut ada, &request, 200).json();
    assert_eq!(field_value(&made, "secret"), Some(&json!("s")));
    let mut allow = |rights: Value| {
        let body = json!({"objects": {"accounts": rights}});
        fixture.client.patch(&group, &body).expect(200);
    };
    // Who may only read is still told what it did, but not what it may not see.
    allow(rights(1, json!({"secret": 0})));
    let shown = again(&mut ada, &request, 200).json();
    assert!(field_value(&shown, "secret").is_none(), "{shown}");
    assert_eq!(field_value(&shown, "note"), Some(&json!("n")));
    assert_eq!(shown["access"], json!({"view": true, "edit": false, "remove": false}));
    // Who may not see the record is told nothing.
    allow(json!({"settings": 1}));
    ada.send(&request).expect_error(404, "not_found");
    allow(rights(2, json!({})));
    assert_eq!(again(&mut ada, &request, 200).json(), made);
}

#[test]
fn the_status_is_that_of_the_first_answer() {
    let created = Launch::new().flag("--upsert-created-status", "201").start();
    let mut fixture = Fixture::of(created);
    furnish(&mut fixture);
    let made = upsert("made", &noted("Acme", "n"));
    first(&mut fixture.client, &made, 201);
    let changed = upsert("changed", &noted("Acme", "other"));
    first(&mut fixture.client, &changed, 200);
    let add = Request::new("POST", "/api/records/accounts/add");
    let add = add.json(&json!({"fields": {"name": "Globex"}})).header(KEY, "added");
    first(&mut fixture.client, &add, 201);
    // With other settings what was answered stays what it was.
    let directory = fixture.server.directory().clone();
    drop(fixture.server.kill());
    let mut fixture = Fixture::of(Launch::on(&directory).flag("--add-status", "200").start());
    again(&mut fixture.client, &made, 201);
    again(&mut fixture.client, &changed, 200);
    again(&mut fixture.client, &add, 201);
}

/// A write that each of the other writers decides.
fn of_other_writers() -> [Request; 4] {
    let task = json!({"activity_object_name": "task", "due_datetime": "2030-01-01"});
    let business = json!({"name": "Other", "admin": {"email": "eve@example.com"}});
    [
        Request::new("POST", "/api/role").json(&json!({"name": "R"})),
        Request::new("POST", "/api/activities/scheduled-activity").json(&task),
        Request::new("PATCH", "/api/business/mine").json(&json!({"name": "Mine"})),
        Request::new("POST", "/api/admin/businesses")
            .json(&business)
            .header("X-OPERATOR-KEY", OPERATOR_KEY),
    ]
    .map(|request| request.header(KEY, "of another writer"))
}

/// Many outcomes, from the log alone and from a snapshot, with what was written behind it.
#[test]
fn outcomes_survive_restarts_and_snapshots() {
    let mut fixture = accounts();
    let others = of_other_writers();
    let mut statuses = Vec::new();
    for request in &others {
        let answer = fixture.client.send(request);
        assert!([200, 201].contains(&answer.status) && !is_replayed(&answer), "{answer}");
        statuses.push(answer.status);
    }
    let requests: Vec<_> = (0..40)
        .map(|at| {
            upsert(&format!("k{at}"), &noted(&format!("Account {}", at % 7), &format!("{at}")))
        })
        .collect();
    let mut answers = Vec::new();
    for (at, request) in requests.iter().enumerate() {
        answers.push(first(&mut fixture.client, request, 200).json());
        if at == 25 {
            fixture.snapshot();
        }
    }
    for round in 0..3 {
        fixture = fixture.after_a_crash();
        for (request, answer) in requests.iter().zip(&answers) {
            assert_eq!(again(&mut fixture.client, request, 200).json(), *answer, "{round}");
        }
        for (request, status) in others.iter().zip(&statuses) {
            again(&mut fixture.client, request, *status);
        }
        fixture.snapshot();
    }
    let list = fixture.client.get("/api/records/accounts").expect(200);
    assert_eq!(list["count"], 7);
}

#[test]
fn an_outcome_is_forgotten_when_its_time_is_over() {
    let mut fixture = Fixture::with_flag("--idempotency-ttl", "1s");
    furnish(&mut fixture);
    let request = upsert("k", &noted("Acme", "n"));
    first(&mut fixture.client, &request, 200);
    let role = Request::new("POST", "/api/role").json(&json!({"name": "R"})).header(KEY, "k");
    first(&mut fixture.client, &role, 201);
    // Carried out anew: the upsert finds its record, the role is a second one.
    until("the outcomes to be forgotten", || {
        let answer = fixture.client.send(&request);
        (!is_replayed(&answer)).then(|| assert_eq!(answer.expect(200)["action"], "updated"))
    });
    until("the role's to be forgotten", || {
        let answer = fixture.client.send(&role);
        (!is_replayed(&answer)).then(|| answer.expect(201))
    });
}

#[test]
fn of_too_many_outcomes_the_oldest_go_first() {
    let mut fixture = Fixture::with_flag("--idempotency-bytes-max", "64KiB");
    furnish(&mut fixture);
    let request = |at: usize| {
        let name = format!("Account {at}");
        upsert(&format!("k{at}"), &noted(&name, &"x".repeat(200)))
    };
    for at in 0..400 {
        let answer = fixture.client.send(&request(at));
        assert_eq!(answer.expect(200)["action"], "created");
    }
    until("the first to be forgotten", || {
        let answer = fixture.client.send(&request(0));
        (!is_replayed(&answer)).then_some(())
    });
    again(&mut fixture.client, &request(399), 200);
    // From one that is kept on all newer ones are.
    let kept: Vec<bool> = (1..400)
        .rev()
        .map_while(|at| is_replayed(&fixture.client.send(&request(at))).then_some(true))
        .collect();
    assert!((20..399).contains(&kept.len()), "{} are kept", kept.len());
}
