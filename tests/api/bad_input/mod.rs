//! Bad input on every route: the contract's error, all faults of a stage at once, nothing changed.
//!
//! `table` says what each served route takes; the probes are made of it, so that a route that is
//! added there is asked everything the others are. What only some routes know has its own file.

mod body_keys;
mod body_syntax;
mod callers;
mod chance;
mod conditions;
mod floods;
mod hidden;
mod judge;
mod key;
mod lists;
mod methods;
mod parameters;
mod paths;
mod references;
mod retried;
mod route;
mod scene;
mod table;
mod values;

use crate::api::bad_input::route::Route;
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use serde_json::Value;

/// Asks every route, and checks after each that nothing has changed.
fn on_every_route(mut probe: impl FnMut(&mut Scene, &Route)) {
    let mut scene = Scene::new();
    let (before, mut commits) = (scene.state(), scene.commits());
    for route in routes() {
        println!("{}", route.line());
        probe(&mut scene, &route);
        let commits_now = scene.commits();
        // The one commit that no request asks for tells the hour in which a key was used.
        if commits != commits_now {
            assert_unchanged(&before, &scene.state(), &route.line());
        }
        commits = commits_now;
    }
    assert_unchanged(&before, &scene.state(), "one of them");
}

fn assert_unchanged(before: &Value, after: &Value, who: &str) {
    let parts = before.as_object().expect("the state has parts");
    for (part, before) in parts {
        assert_eq!(&after[part], before, "{who} has changed {part}");
    }
}

/// Otherwise the probes would be refused for what they have in common.
#[test]
fn every_good_request_is_taken() {
    let mut scene = Scene::new();
    for route in routes() {
        let request = scene.good(&route);
        let answer = scene.send(&request);
        assert_eq!(answer.status, route.status, "{answer}");
        assert_eq!(answer.body.is_empty(), route.status == 204, "{answer}");
    }
}
