//! Parameters of the query and headers: unknown ones, extensions that are not offered, booleans.

use crate::api::bad_input::judge::{faults, only_fault, refusal};
use crate::api::bad_input::methods::shape;
use crate::api::bad_input::on_every_route;
use crate::api::bad_input::route::{Route, Who};
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::support::{Answer, Request};
use serde_json::{Value, json};

fn request(scene: &Scene, route: &Route, query: &str) -> Request {
    let request = route.request(&scene.target(route, query));
    match route.good_body() {
        Some(body) => request.json(&scene.filled(body)),
        None => request,
    }
}

pub(super) fn ask(scene: &mut Scene, route: &Route, query: &str) -> Answer {
    let request = request(scene, route, query);
    scene.send(&request)
}

#[test]
fn a_strict_request_hears_of_every_name_that_is_unknown() {
    on_every_route(|scene, route| {
        if route.who == Who::Anybody {
            return;
        }
        let answer = ask(scene, route, "strict=true&nonsense=1");
        only_fault(&answer, route, "unknown_parameter", "nonsense");
        for value in ["maybe", "2", "", "yes"] {
            let answer = ask(scene, route, &format!("strict={value}"));
            only_fault(&answer, route, "invalid", "strict");
        }
        let answer = ask(scene, route, "strict=1&a=%zz&b=%ff&c=1");
        let refused = refusal(&answer, route);
        let found = faults(&refused);
        for place in ["a", "b", "c"] {
            assert!(found.iter().any(|(_, found)| found == place), "{place}: {answer}");
        }
        let Some(good) = route.good_body() else { return };
        let mut body = scene.filled(good);
        body["nonsense"] = json!(1);
        let request = route.request(&scene.target(route, "strict=TRUE")).json(&body);
        only_fault(&scene.send(&request), route, "unknown_parameter", "nonsense");
    });
}

#[test]
fn an_extension_that_is_not_offered_is_refused_by_name() {
    on_every_route(|scene, route| {
        for name in route.extensions.query {
            for value in ["1", ""] {
                let answer = ask(scene, route, &format!("{name}={value}"));
                only_fault(&answer, route, "unknown_parameter", name);
            }
        }
        for name in route.extensions.headers {
            let request = request(scene, route, "").header(&name.to_lowercase(), "\"1\"");
            only_fault(&scene.send(&request), route, "unknown_parameter", name);
        }
        for name in route.extensions.body {
            let good = route.good_body().expect("a route with extensions in its body has one");
            let mut body = scene.filled(good);
            body[name] = json!(null);
            let request = route.request(&scene.target(route, "")).json(&body);
            only_fault(&scene.send(&request), route, "unknown_parameter", name);
        }
    });
}

#[test]
fn a_condition_that_is_no_list_of_tags_is_invalid_where_one_is_taken() {
    on_every_route(|scene, route| {
        for name in route.conditions {
            for tags in
                ["", ",", "1", "1.a9", "\"1", "\"1\" \"2\"", "*, \"1\"", "w/\"1\"", "\"a b\""]
            {
                let request = request(scene, route, "").header(name, tags);
                only_fault(&scene.send(&request), route, "invalid", name);
            }
        }
    });
}

/// The document has the headers of conditions where they are taken, and nowhere else.
#[test]
fn every_condition_is_described_where_it_is_taken() {
    let mut scene = Scene::new();
    let document = scene.fixture.client.get("/api/openapi.json").expect(200);
    for route in routes() {
        let mut described = described(&document, &route, "header");
        described.retain(|name| ["If-Match", "If-None-Match"].contains(&&**name));
        assert_eq!(described, route.conditions, "{}", route.line());
    }
}

#[test]
fn an_origin_that_cannot_be_is_invalid_on_every_write() {
    on_every_route(|scene, route| {
        if !route.takes_origin() {
            return;
        }
        for origin in ["a b", "a,b", "\u{e4}", &"x".repeat(65)] {
            let request = request(scene, route, "").header("x-origin", origin);
            only_fault(&scene.send(&request), route, "invalid", "X-Origin");
        }
    });
}

#[test]
fn booleans_of_a_query_are_four_words() {
    on_every_route(|scene, route| {
        for flag in route.flags {
            for value in ["maybe", "2", "-1", "", "yes", "t", "null", "true,true", "%00"] {
                let answer = ask(scene, route, &format!("{flag}={value}"));
                only_fault(&answer, route, "invalid", flag);
            }
            let answer = ask(scene, route, &format!("{flag}=true&{flag}=false"));
            only_fault(&answer, route, "invalid", flag);
        }
        if let [first, .., last] = route.flags {
            let answer = ask(scene, route, &format!("{last}=x&{first}=x"));
            let refused = refusal(&answer, route);
            assert_eq!(faults(&refused).len(), 2, "all of them at once: {answer}");
        }
    });
}

/// What the document of the API describes is what a strict request may have.
#[test]
fn every_parameter_that_is_described_is_known() {
    let mut scene = Scene::new();
    let document = scene.fixture.client.get("/api/openapi.json").expect(200);
    let written = scene.send(&Request::new("PATCH", "/api/business/mine").json(&json!({})));
    let seq = written.header("X-Seq").unwrap_or_else(|| panic!("{written}")).to_owned();
    let mut asked = 0;
    for route in routes().iter().filter(|route| route.who != Who::Anybody) {
        for name in described(&document, route, "query") {
            // What names no state is refused before the rest is read.
            let value = if name == "min_seq" { &*seq } else { "x" };
            let query = format!("strict=true&nonsense=1&{name}={value}");
            let answer = ask(&mut scene, route, &query);
            let refused = refusal(&answer, route);
            let unknown: Vec<_> = faults(&refused)
                .into_iter()
                .filter(|(code, _)| code == "unknown_parameter")
                .collect();
            assert_eq!(
                unknown,
                [("unknown_parameter".to_owned(), "nonsense".to_owned())],
                "{answer}"
            );
            asked += 1;
        }
    }
    assert!(asked > 50, "the document describes {asked} parameters only");
}

/// The names of a route's parameters of one kind, as the document has them.
fn described(document: &Value, route: &Route, kind: &str) -> Vec<String> {
    let paths = document["paths"].as_object().expect("a document has paths");
    let found = paths.iter().find(|(path, _)| shape(path) == shape(route.path));
    let Some((_, path)) = found else { return Vec::new() };
    let of_path = path["parameters"].as_array();
    let of_method = path[route.method.to_lowercase()]["parameters"].as_array();
    let all = of_path.into_iter().chain(of_method).flatten().map(|parameter| {
        let reference =
            parameter["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(parameter)
    });
    let of_kind = all.filter(|parameter| parameter["in"] == kind);
    of_kind.filter_map(|parameter| Some(parameter["name"].as_str()?.to_owned())).collect()
}
