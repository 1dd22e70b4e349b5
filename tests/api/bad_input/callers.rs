//! Whoever is not let in learns nothing: neither what exists nor what is wrong with the key.

use crate::api::bad_input::judge::{refusal, without_request_id};
use crate::api::bad_input::on_every_route;
use crate::api::bad_input::route::{Route, Who};
use crate::api::bad_input::scene::Scene;
use crate::support::{OPERATOR_KEY, Request};

const HEADERS: [&str; 3] = ["X-API-KEY", "X-BUSINESS-ID", "X-USER-ID"];

#[test]
fn a_request_without_credentials_is_not_authenticated() {
    on_every_route(|scene, route| match route.who {
        Who::Anybody => {}
        Who::Operator => {
            let target = scene.target(route, "");
            for request in [
                Request::new(route.method, &target),
                Request::new(route.method, &target).header("X-OPERATOR-KEY", ""),
                Request::new(route.method, &target).header("X-OPERATOR-KEY", " "),
            ] {
                check(scene, route, &request, "not_authenticated");
            }
        }
        Who::Member => {
            for header in HEADERS {
                let good = scene.good(route);
                check(scene, route, &good.clone().without(header), "not_authenticated");
                check(scene, route, &good.clone().header(header, ""), "not_authenticated");
                check(scene, route, &good.header(header, "  "), "not_authenticated");
            }
        }
    });
}

#[test]
fn wrong_credentials_are_all_answered_alike() {
    let mut told = None;
    on_every_route(|scene, route| {
        for request in wrong(scene, route) {
            check(scene, route, &request, "authentication_failed");
            let answer = scene.send(&request);
            let body = without_request_id(&answer);
            assert_eq!(told.get_or_insert_with(|| body.clone()), &body, "{answer}");
        }
    });
}

/// Good requests of callers whose credentials do not belong together.
fn wrong(scene: &mut Scene, route: &Route) -> Vec<Request> {
    let good = scene.good(route);
    if route.who != Who::Member {
        let longer = format!("{OPERATOR_KEY}x");
        let keys = if route.who == Who::Operator { vec!["x", &*longer] } else { vec![] };
        let target = scene.target(route, "");
        let as_stranger = |key| Request::new(route.method, &target).header("X-OPERATOR-KEY", key);
        return keys.into_iter().map(as_stranger).collect();
    }
    let random = scene.random_id();
    let (archived, ada) = (scene.own("deleted_member"), scene.own("member"));
    let mut wrong = vec![
        good.clone().header("X-API-KEY", "x"),
        good.clone()
            .header("X-API-KEY", "upd_aaaaaaaa_0000000000000000000000000000000000000000000"),
        good.clone().header("X-BUSINESS-ID", &random),
        good.clone().header("X-BUSINESS-ID", "nonsense"),
        good.clone().header("X-USER-ID", &random),
        good.clone().header("X-USER-ID", "nonsense"),
        // A member of this business whom the key does not belong to, and one who is gone.
        good.clone().header("X-USER-ID", ada),
        good.clone().header("X-USER-ID", archived),
    ];
    // Each header of the other business alone, then each pair.
    let other = scene.other();
    for (left_out, (name, value)) in other.iter().enumerate() {
        wrong.push(good.clone().header(name, value));
        let pair = other.iter().enumerate().filter(|(at, _)| *at != left_out);
        wrong.push(
            pair.fold(good.clone(), |request, (_, (name, value))| request.header(name, value)),
        );
    }
    wrong
}

#[track_caller]
fn check(scene: &mut Scene, route: &Route, request: &Request, code: &str) {
    let answer = scene.send(request);
    let body = refusal(&answer, &Route { writes_record: false, ..bare(route) });
    assert_eq!((answer.status, body["code"].as_str()), (401, Some(code)), "{answer}");
    assert!(body.get("fields").is_none(), "nothing of the request was looked at: {answer}");
}

/// The route without what it takes: who is not let in is answered before that matters.
fn bare(route: &Route) -> Route {
    Route { who: route.who, ..Route::new("GET /", 200) }
}
