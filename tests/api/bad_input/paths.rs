//! What a path addresses: unknown, malformed, or another business's, which must be the same.

use crate::api::bad_input::judge::{refusal, without_request_id};
use crate::api::bad_input::on_every_route;
use crate::api::bad_input::route::Route;
use crate::api::bad_input::scene::Scene;
use crate::support::{Answer, Request};

/// The names between the braces of a route's path.
pub(super) fn names(route: &Route) -> Vec<&'static str> {
    let segments = route.path.split('/');
    segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect()
}

/// A request that is good but for one name of its path.
pub(super) fn addressing(scene: &Scene, route: &Route, name: &str, given: &str) -> Request {
    let path = scene.path_with(route, name, given);
    let query = if route.query.is_empty() { String::new() } else { format!("?{}", route.query) };
    let request = route.request(&format!("{path}{query}"));
    match route.good_body() {
        Some(body) => request.json(&scene.filled(body)),
        None => request,
    }
}

fn ask(scene: &mut Scene, route: &Route, name: &str, given: &str) -> Answer {
    let request = addressing(scene, route, name, given);
    scene.send(&request)
}

#[track_caller]
fn check_not_found(answer: &Answer, route: &Route) {
    let body = refusal(answer, route);
    assert_eq!((answer.status, &body["code"]), (404, &"not_found".into()), "{answer}");
    assert_eq!(body["detail"], "Not found.", "{answer}");
}

#[test]
fn what_is_of_another_business_is_what_does_not_exist() {
    on_every_route(|scene, route| {
        for name in names(route) {
            let random = scene.random_id();
            let unknown = ask(scene, route, name, &random);
            check_not_found(&unknown, route);
            let Some(foreign) = scene.thing(name).foreign.clone() else { continue };
            let foreign = ask(scene, route, name, &foreign);
            assert_eq!(without_request_id(&foreign), without_request_id(&unknown), "{foreign}");
        }
    });
}

#[test]
fn what_is_no_id_is_not_found() {
    on_every_route(|scene, route| {
        for name in names(route) {
            let own = scene.own(name).to_owned();
            let braced = format!("%7B{own}%7D");
            let without_hyphens = own.replace('-', "");
            let longer = format!("{own}0");
            for given in [
                "nonsense",
                "0",
                "-",
                "null",
                "undefined",
                "%00",
                "%ff",
                "a%20b",
                "%27%20or%201%3D1",
                "%E2%80%AE",
                &braced,
                &without_hyphens,
                &longer,
                &own[1..],
            ] {
                check_not_found(&ask(scene, route, name, given), route);
            }
        }
    });
}

/// The word is the other business's name of the same thing.
#[test]
fn a_name_of_another_business_is_no_name_here() {
    on_every_route(|scene, route| {
        if names(route).contains(&"object") {
            let foreign = ask(scene, route, "object", "rivals");
            let unknown = ask(scene, route, "object", "nobodys");
            check_not_found(&unknown, route);
            assert_eq!(without_request_id(&foreign), without_request_id(&unknown), "{foreign}");
        }
    });
}

/// The contract has ids in any case on input.
#[test]
fn an_id_in_capitals_is_the_same_id() {
    let mut scene = Scene::new();
    for route in crate::api::bad_input::table::routes() {
        for name in names(&route) {
            // A stream has a name, and no id.
            if route.method == "GET" && name != "stream" {
                let capitals = scene.own(name).to_uppercase();
                let answer = ask(&mut scene, &route, name, &capitals);
                assert_eq!(answer.status, 200, "{answer}");
            }
        }
    }
}

/// Things that exist but not under this name: of another kind, of another object, or gone.
const MISPLACED: &[(&str, &str)] = &[
    ("object", "record"),
    ("object", "field"),
    ("record", "archived_record"),
    ("record", "contact"),
    ("record", "object"),
    ("field", "contact_tags"),
    ("field", "option"),
    ("tags_field", "contact_tags"),
    ("contact_tags", "tags_field"),
    ("option", "kind"),
    ("option", "field"),
    ("category", "object"),
    ("member", "deleted_member"),
    ("member", "role"),
    ("type", "deleted_type"),
    ("type", "activity"),
    ("activity", "logged"),
    ("logged", "activity"),
    ("key", "member"),
    ("business", "me"),
    ("pipeline", "deal"),
    ("deal", "record"),
    ("deal", "stage"),
    ("stage", "option"),
    ("stage", "removed_stage"),
    ("pipeline_tags", "tags_field"),
    ("role", "group"),
    ("group", "role"),
    ("bulk", "record"),
    ("spare_object", "record"),
];

#[test]
fn what_is_not_there_is_not_found_wherever_else_it_is() {
    on_every_route(|scene, route| {
        for (name, kind) in MISPLACED.iter().filter(|(name, _)| names(route).contains(name)) {
            let random = scene.random_id();
            let unknown = ask(scene, route, name, &random);
            let other = scene.own(kind).to_owned();
            let answer = ask(scene, route, name, &other);
            // The one route that shows archived records without being asked to.
            if *kind == "archived_record" && route.path.ends_with("/history") {
                assert_eq!(answer.status, 200, "{answer}");
                continue;
            }
            check_not_found(&answer, route);
            assert_eq!(without_request_id(&answer), without_request_id(&unknown), "{answer}");
        }
    });
}
