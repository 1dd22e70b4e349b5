//! The keys of bodies: each with what it must not take, one at a time and all at once.

use crate::api::bad_input::judge::{faults, only_fault, refusal};
use crate::api::bad_input::route::Route;
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::api::bad_input::{assert_unchanged, on_every_route};
use crate::support::Answer;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn send(scene: &mut Scene, route: &Route, body: &Value) -> Answer {
    let target = scene.target(route, "");
    let request = route.request(&target).json(&scene.filled(body));
    scene.send(&request)
}

#[test]
fn each_key_refuses_what_it_does_not_take() {
    let mut wrong = Vec::new();
    on_every_route(|scene, route| {
        let Some(good) = route.good_body() else { return };
        for key in &route.keys {
            for (value, code) in key.refused() {
                let mut body = good.clone();
                key.put(&mut body, value);
                let answer = send(scene, route, &body);
                if !blames(&answer, route, code, key.path) {
                    wrong.push(format!("not {code} at {}: {answer}", key.path));
                }
            }
        }
    });
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether the one thing wrong is what was made wrong: a code, at the key or inside it, in the form
/// of older clients too.
fn blames(answer: &Answer, route: &Route, code: &str, path: &str) -> bool {
    if answer.status != 400 {
        return false;
    }
    let body = refusal(answer, route);
    // A key that is called like one of the error's own has no older form.
    let is_told = |place: &str| place == "code" || body[place].is_array();
    let is_it = |(found, place): &(String, String)| {
        found == code && place.starts_with(path) && is_told(place)
    };
    faults(&body).iter().all(is_it)
}

#[test]
fn each_key_that_must_be_there_is_required() {
    on_every_route(|scene, route| {
        let Some(good) = route.good_body() else { return };
        for key in route.keys.iter().filter(|key| key.is_required) {
            let mut body = good.clone();
            key.take(&mut body);
            let answer = send(scene, route, &body);
            only_fault(&answer, route, "required", key.path);
            let message = answer.json()[key.path][0].clone();
            assert_eq!(message, "This field is required.", "{answer}");
        }
    });
}

/// Each key of the body itself is wrong in its first way; every one of them must be told.
#[test]
fn all_faults_of_a_body_are_told_at_once() {
    on_every_route(|scene, route| {
        let mut body = json!({});
        let mut expected = BTreeSet::new();
        for key in route.keys.iter().filter(|key| !key.path.contains(['.', '['])) {
            let Some((value, code)) = key.refused().into_iter().next() else { continue };
            key.put(&mut body, value);
            expected.insert((code.to_owned(), key.path.to_owned()));
        }
        if expected.is_empty() {
            return;
        }
        let answer = send(scene, route, &body);
        let refused = refusal(&answer, route);
        let found: BTreeSet<_> = faults(&refused).into_iter().collect();
        let missing: Vec<_> = expected.difference(&found).collect();
        assert!(missing.is_empty(), "{missing:?} of {answer}");
    });
}

/// Changes can be made again and again, so each key can be as large as it may be.
#[test]
fn each_key_takes_what_its_limit_allows() {
    let mut scene = Scene::new();
    for route in routes().iter().filter(|route| ["PATCH", "PUT"].contains(&route.method)) {
        let Some(good) = route.good_body() else { continue };
        for key in &route.keys {
            let Some(largest) = &key.largest else { continue };
            let mut body = good.clone();
            key.put(&mut body, largest.clone());
            let answer = send(&mut scene, route, &body);
            assert_eq!(answer.status, route.status, "{} of {answer}", key.path);
        }
    }
}

/// What a new member refers to is told at once, and then what of it another one has.
#[test]
fn all_that_is_wrong_with_a_new_member_is_told_at_once() {
    let mut scene = Scene::new();
    let line = "POST /api/team";
    let route = routes().into_iter().find(|route| route.line() == line).expect("the table has it");
    let (before, nobody) = (scene.state(), scene.random_id());
    let ada = json!({"id": "{member}", "user_id": "{member}", "email": "ADA@accounts.example"});
    let mut lost = ada.clone();
    lost["roles"] = json!([nobody]);
    lost["permission_groups"] = json!([nobody]);
    for (body, code, keys) in [
        (lost, "does_not_exist", &["roles", "permission_groups"][..]),
        (ada, "unique", &["id", "user_id", "email"]),
    ] {
        let answer = send(&mut scene, &route, &body);
        let refused = refusal(&answer, &route);
        let expected: Vec<_> =
            keys.iter().map(|key| (code.to_owned(), (*key).to_owned())).collect();
        assert_eq!(faults(&refused), expected, "{answer}");
    }
    assert_unchanged(&before, &scene.state(), line);
}
