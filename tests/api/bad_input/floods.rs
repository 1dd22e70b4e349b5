//! Bodies of many faults: a small request must not become a large answer.
//!
//! A body of one megabyte was once answered by one of eighty, for which the server held four
//! hundred: each of half a million numbers in a list of objects was a fault of its own.

use crate::api::bad_input::assert_unchanged;
use crate::api::bad_input::judge::{faults, refusal};
use crate::api::bad_input::route::Route;
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::support::Answer;
use std::fmt::Write as _;

/// More of them than any list may have.
const MANY: usize = 50_000;

/// So long is the longest answer, by far, that names every fault there may be.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

fn numbers() -> String {
    format!("[{}7]", "7,".repeat(MANY - 1))
}

fn unknown_keys() -> String {
    let mut keys = String::new();
    for number in 0..MANY {
        write!(keys, ",\"k{number}\":0").expect("a string takes any text");
    }
    keys
}

fn send(scene: &mut Scene, line: &str, query: &str, body: &str) -> (Answer, Route) {
    let route = routes().into_iter().find(|route| route.line() == line);
    let route = route.unwrap_or_else(|| panic!("the table has no {line}"));
    let request = route.request(&scene.target(&route, query));
    (scene.send(&request.header("Content-Type", "application/json").body(body.as_bytes())), route)
}

/// Lists that have a limit are refused as a whole.
#[test]
fn a_list_that_is_far_too_long_is_one_fault() {
    let mut scene = Scene::new();
    let before = scene.state();
    let many = numbers();
    let groups = format!("[{}{{}}]", "{},".repeat(MANY - 1));
    let nested = format!("[{}{{\"filters\":[7]}}]", "{\"filters\":[7,7,7]},".repeat(MANY / 4));
    let options = |id: &str| {
        format!("{{\"field_type\":\"dropdown\",\"display_name\":\"x\"{id},\"options\":{many}}}")
    };
    let query = |groups: &str| format!("{{\"query\":{groups}}}");
    let search = "POST /api/records/{object}/search";
    for (line, body, place) in [
        ("POST /api/custom-objects/{object}/fields", options(""), "options"),
        ("PATCH /api/custom-objects/{object}/fields/{field}", options(""), "options"),
        (search, query(&many), "query"),
        (search, query(&groups), "query"),
        (search, query(&format!("[{{\"filters\":{many}}}]")), "query"),
        (search, query(&nested), "query"),
        (
            search,
            format!(
                "{{\"search\":\"x\",\"search_within_field_names\":{}}}",
                many.replace('7', "\"x\"")
            ),
            "search_within_field_names",
        ),
        (
            "POST /api/custom-objects",
            format!("{{\"object_name\":\"x\",\"pipeline\":{{\"stages\":{many}}}}}"),
            "pipeline.stages",
        ),
        (
            "POST /api/activities",
            format!("{{\"name\":\"x\",\"associated_objects\":{many}}}"),
            "associated_objects",
        ),
        ("POST /api/team", format!("{{\"email\":\"a@b.cd\",\"roles\":{many}}}"), "roles"),
    ] {
        let (answer, route) = send(&mut scene, line, "", &body);
        let body = refusal(&answer, &route);
        let limit = ("limit_exceeded".to_owned(), place.to_owned());
        assert!(faults(&body).contains(&limit), "{place}: {answer}");
        assert!(answer.body.len() < ANSWER_BYTES_MAX, "{} bytes for {place}", answer.body.len());
    }
    assert_unchanged(&before, &scene.state(), "a flood");
}

/// Everything else has a limit of faults that one answer tells.
#[test]
fn more_faults_than_anybody_reads_are_one_fault() {
    let mut scene = Scene::new();
    let before = scene.state();
    let keys = unknown_keys();
    let entry = format!("{{\"name\":\"note\",\"value\":1{keys}}}");
    for (line, query, body) in [
        (
            "POST /api/records/{object}/upsert",
            "strict=1",
            format!("{{\"lookup_value\":\"x\"{keys}}}"),
        ),
        ("POST /api/records/{object}/add", "strict=1", format!("{{\"fields\":[{entry}]}}")),
        ("POST /api/custom-objects", "strict=1", format!("{{\"object_name\":\"x\"{keys}}}")),
        (
            "POST /api/activities/scheduled-activity/search",
            "",
            format!("{{\"ordering\":{}}}", numbers().replace('7', "\"x\"")),
        ),
    ] {
        let (answer, route) = send(&mut scene, line, query, &body);
        let body = refusal(&answer, &route);
        assert_eq!(faults(&body), [("limit_exceeded".to_owned(), String::new())], "{answer}");
    }
    assert_unchanged(&before, &scene.state(), "a flood");
}
