//! Bodies that are no JSON, JSON that could be read in two ways, and what is no object.

use crate::api::bad_input::judge::{faults, refusal};
use crate::api::bad_input::on_every_route;
use crate::api::bad_input::route::{Body, Holds, Route};
use crate::api::bad_input::scene::Scene;
use crate::support::Answer;

/// Objects in objects: as deep as is taken, with what is around them.
fn nested(depth: usize) -> Vec<u8> {
    let inside = depth - 1;
    format!("{{\"nonsense\":{}{}}}", "[".repeat(inside), "]".repeat(inside)).into_bytes()
}

fn texts() -> Vec<Vec<u8>> {
    let texts = [
        &b" "[..],
        b"{",
        b"}",
        b"{}{}",
        b"{} x",
        b"nonsense",
        b"'x'",
        b"{'a':1}",
        b"{\"a\":1,}",
        b"{\"a\":[1,]}",
        b"{a:1}",
        b"{\"a\":01}",
        b"{\"a\":.5}",
        b"{\"a\":+1}",
        b"{\"a\":NaN}",
        b"{\"a\":Infinity}",
        b"{\"a\":-}",
        b"{\"a\":1e}",
        b"{\"a\":0x10}",
        b"{\"a\":\"\\x41\"}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\\udc00\\ud800\"}",
        b"{\"a\":\"\x00\"}",
        b"{\"a\":\"\n\"}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"{\"a\":\"\xc0\x80\"}",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{",
        b"{\"a\":1,\"a\":1}",
        b"{\"a\":1,\"\\u0061\":2}",
        b"{\"a\":{\"b\":1,\"b\":1}}",
        b"{\"a\":[{\"b\":[{\"c\":1,\"c\":2}]}]}",
        b"{/* note */}",
        b"a=1&b=2",
    ];
    let mut texts: Vec<Vec<u8>> = texts.into_iter().map(<[u8]>::to_vec).collect();
    texts.push(nested(33));
    texts.push(nested(10_000));
    texts
}

fn send(scene: &mut Scene, route: &Route, content_type: &str, body: &[u8]) -> Answer {
    let request = route.request(&scene.target(route, ""));
    scene.send(&request.header("Content-Type", content_type).body(body))
}

fn send_json(scene: &mut Scene, route: &Route, body: &[u8]) -> Answer {
    send(scene, route, "application/json", body)
}

#[test]
fn what_is_not_unambiguous_json_is_a_parse_error() {
    let texts = texts();
    on_every_route(|scene, route| {
        if route.good_body().is_none() {
            return;
        }
        for text in &texts {
            check_parse_error(&send_json(scene, route, text), route);
        }
        if matches!(route.body, Body::Required(_)) {
            check_parse_error(&send_json(scene, route, b""), route);
        }
        let strict = route.request(&scene.target(route, "strict=true"));
        let deepest = scene.send(&strict.body(&nested(32)));
        let found = faults(&refusal(&deepest, route));
        let unknown = ("unknown_parameter".to_owned(), "nonsense".to_owned());
        assert!(found.contains(&unknown), "thirty-two levels are read: {deepest}");
    });
}

#[track_caller]
fn check_parse_error(answer: &Answer, route: &Route) {
    let body = refusal(answer, route);
    assert_eq!((answer.status, &body["code"]), (400, &"parse_error".into()), "{answer}");
}

#[test]
fn a_body_that_is_no_object_is_refused_as_a_whole() {
    on_every_route(|scene, route| {
        if route.good_body().is_none() {
            return;
        }
        let lists = if route.holds == Holds::Rows { &[][..] } else { &["[]", "[{}]"] };
        for text in ["null", "true", "0", "1e400", "\"text\""].iter().chain(lists) {
            let answer = send_json(scene, route, text.as_bytes());
            let body = refusal(&answer, route);
            assert_eq!(answer.status, 400, "{answer}");
            let errors = body["errors"].as_array().expect("a 400 lists its faults");
            let whole = &errors[0];
            assert_eq!(whole["code"], "invalid", "{answer}");
            assert!(whole.get("parameter").is_none() && whole.get("field").is_none(), "{answer}");
        }
    });
}

#[test]
fn only_json_is_taken_where_json_is_meant() {
    on_every_route(|scene, route| {
        let Some(good) = route.good_body() else { return };
        let body = scene.filled(good).to_string();
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/csv",
            "application/json; charset=latin1",
            "application/jsonp",
            "application",
            "*/*",
        ] {
            let answer = send(scene, route, content_type, body.as_bytes());
            check_unsupported(&answer, route);
        }
        if route.holds == Holds::One {
            let answer = send(scene, route, "application/x-ndjson", body.as_bytes());
            check_unsupported(&answer, route);
        }
        for encoding in ["gzip", "deflate", "br"] {
            let request = scene.good(route).header("Content-Encoding", encoding);
            check_unsupported(&scene.send(&request), route);
        }
    });
}

#[track_caller]
fn check_unsupported(answer: &Answer, route: &Route) {
    let body = refusal(answer, route);
    assert_eq!((answer.status, &body["code"]), (415, &"unsupported_media_type".into()), "{answer}");
}
