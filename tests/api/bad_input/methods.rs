//! Methods: those a path has, those it has not, and what is read without one.

use crate::api::bad_input::judge::refusal;
use crate::api::bad_input::on_every_route;
use crate::api::bad_input::route::Route;
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::support::Request;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"];

/// What these show changes by itself: a cursor says when it was given out.
const LIVE: [&str; 4] =
    ["/api/admin/status", "/metrics", "/api/records/changes", "/api/records/{object}/changes"];

/// The methods of each path as the table has them.
fn methods() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut methods: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for route in routes() {
        let of_path = methods.entry(shape(route.path)).or_default();
        of_path.insert(route.method);
        if route.method == "GET" {
            of_path.insert("HEAD");
        }
    }
    // A field may be called by the word that is a path too.
    let named_search = methods.get_mut("/api/custom-objects/{}/fields/search");
    let of_fields = ["GET", "HEAD", "PATCH", "PUT", "DELETE"];
    named_search.expect("the path is in the table").extend(of_fields);
    methods
}

/// The path without the names of what stands in it, in which routes of one path may differ.
pub(super) fn shape(path: &str) -> String {
    let segment = |segment: &str| if segment.starts_with('{') { "{}" } else { segment }.to_owned();
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// The document of the API has every route that is served; that it has is checked elsewhere.
#[test]
fn every_route_that_is_served_is_in_the_table() {
    let mut scene = Scene::new();
    let document = scene.fixture.client.get("/api/openapi.json").expect(200);
    let paths = document["paths"].as_object().expect("a document has paths");
    let served = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().expect("a path has methods").keys();
        let methods = methods.filter(|method| *method != "parameters");
        let line = |method: &String| format!("{} {}", method.to_uppercase(), shape(path));
        methods.map(line).collect::<Vec<_>>()
    };
    let served: BTreeSet<String> = paths.iter().flat_map(served).collect();
    let line = |route: Route| format!("{} {}", route.method, shape(route.path));
    let asked: BTreeSet<String> = routes().into_iter().map(line).collect();
    let missing: Vec<_> = served.difference(&asked).collect();
    assert!(missing.is_empty(), "no probe asks {missing:?}");
    let undocumented: Vec<_> = asked.difference(&served).collect();
    let aliases = ["GET /api/docs", "GET /api/docs/public/schema", "GET /api/docs/schema"];
    assert_eq!(undocumented, aliases.iter().collect::<Vec<_>>());
}

#[test]
fn a_path_has_the_methods_of_the_table_and_no_other() {
    let methods = methods();
    on_every_route(|scene, route| {
        let of_path = &methods[&shape(route.path)];
        let path = scene.path(route);
        for method in METHODS.iter().filter(|method| !of_path.contains(*method)) {
            let answer = scene.send(&with_method(route, method).request(&path));
            let body =
                refusal(&answer, &Route { writes_record: false, ..with_method(route, method) });
            assert_eq!(
                (answer.status, &body["code"]),
                (405, &"method_not_allowed".into()),
                "{answer}"
            );
            assert_eq!(body["detail"], format!("Method \"{method}\" not allowed."), "{answer}");
            assert_eq!(allowed(&answer), *of_path, "{answer}");
        }
        let options = scene.send(&with_method(route, "OPTIONS").request(&path));
        assert_eq!(options.status, 204, "{options}");
        assert_eq!(allowed(&options), *of_path, "{options}");
    });
}

fn with_method(route: &Route, method: &'static str) -> Route {
    Route { method, who: route.who, ..Route::new("GET /", 200) }
}

fn allowed(answer: &crate::support::Answer) -> BTreeSet<&str> {
    let named = answer.header("Allow").unwrap_or_else(|| panic!("no Allow: {answer}"));
    let mut named: BTreeSet<&str> = named.split(", ").collect();
    assert!(named.remove("OPTIONS"), "{answer}");
    named
}

#[test]
fn what_is_read_is_read_without_its_body_too() {
    on_every_route(|scene, route| {
        if route.method != "GET" {
            return;
        }
        for target in
            [scene.target(route, ""), scene.target(route, "strict=maybe"), scene.path(route)]
        {
            let get = scene.send(&route.request(&target));
            let head = scene.send(&with_method(route, "HEAD").request(&target));
            head.expect_empty(get.status);
            let length = if LIVE.contains(&route.path) { None } else { Some("Content-Length") };
            for name in ["Content-Type", "ETag", "WWW-Authenticate"].into_iter().chain(length) {
                assert_eq!(head.header(name), get.header(name), "{name}: {head}");
            }
        }
    });
}

/// Nothing reads such a body, so it must not be taken for the next request either.
#[test]
fn a_body_that_is_not_meant_changes_nothing() {
    on_every_route(|scene, route| {
        if route.method != "GET" {
            return;
        }
        let target = scene.target(route, "");
        let plain = scene.send(&route.request(&target));
        for body in ["{\"strict\":true}", "nonsense", "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"] {
            let request = route.request(&target).body(body.as_bytes());
            let answer = scene.send(&request);
            assert_eq!(answer.status, plain.status, "{answer}");
            if !LIVE.contains(&route.path) {
                assert_eq!(answer.body, plain.body, "{answer}");
            }
        }
    });
}

/// Reserved for later, or never offered: never a record, an object, or silence.
#[test]
fn what_is_not_offered_is_not_found() {
    let mut scene = Scene::new();
    let before = scene.state();
    let object = scene.own("object").to_owned();
    let words = ["merge", "plans", "digest", "mirrors", "aliases"];
    let mut targets: Vec<String> =
        words.iter().map(|word| format!("/api/records/{object}/{word}")).collect();
    targets.extend(
        [
            "/api/webhooks",
            "/api/automations",
            "/api/automations2",
            "/api/forms",
            "/api/dashboards",
            "/api/connectors",
            "/api/messages",
            "/api/files",
            "/api/saved-filters",
            "/api/client",
            "/api/client/search",
            "/api/pipelines/related-pipeline-records",
            "/api/records/accounts/related-pipeline-records",
            "/api/custom-objects/accounts/uploader",
            "/api/records",
            "/api/custom-objects/accounts/fields/region/nonsense",
        ]
        .map(str::to_owned),
    );
    for target in &targets {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let request = Request::new(method, target).header("Content-Type", "application/json");
            let answer = scene.send(&request.body(b"{}"));
            answer.expect_error(404, "not_found");
        }
    }
    assert_eq!(scene.state(), before);
}
