//! Whoever is not let in learns nothing: neither what exists nor what is wrong with the key.

use crate::api::bad_input::judge::{refusal, without_request_id};
use crate::api::bad_input::paths::{addressing, names};
use crate::api::bad_input::route::{Route, Who};
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::api::bad_input::{assert_unchanged, on_every_route};
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
                check(scene, route, &good.clone().header(header, "  "), "not_authenticated");
                // Which of two would count is nobody's to guess.
                let twice = good.header(header, "x").header(header, "x");
                check(scene, route, &twice, "not_authenticated");
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

/// A member to whom nobody gave a right sees no object, and learns of no id whether it is there.
#[test]
fn a_member_without_rights_learns_of_nothing() {
    let mut scene = Scene::new();
    let ada = scene.key_of_ada();
    let (before, routes) = (scene.state(), routes());
    for route in routes.iter().filter(|route| route.who == Who::Member) {
        println!("{}", route.line());
        // Types of activity are for everybody, and the activity of the scene is her own to do.
        let is_hers = |name: &&str| ["type", "activity"].contains(name);
        for name in names(route).into_iter().filter(|name| !is_hers(name)) {
            let unknown = scene.random_id();
            // The member's own row is hers to see.
            let own = scene.own(if name == "member" { "me" } else { name }).to_owned();
            let by_ada = |request| {
                ada.iter()
                    .fold(request, |request: Request, (name, value)| request.header(name, value))
            };
            let there = by_ada(addressing(&scene, route, name, &own));
            let there = scene.send(&there);
            let nowhere = by_ada(addressing(&scene, route, name, &unknown));
            let nowhere = scene.send(&nowhere);
            assert_eq!(without_request_id(&there), without_request_id(&nowhere), "{there}");
            let status = if route.path.contains("{object}") { 404 } else { there.status };
            assert_eq!(there.status, status, "{there}");
            assert!([403, 404].contains(&there.status), "{there}");
            refusal(&there, &bare(route));
        }
    }
    assert_unchanged(&before, &scene.state(), "a member without rights");
}
