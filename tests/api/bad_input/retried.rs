//! Every write, sent again with its `Idempotency-Key`: one effect and one answer, also after a
//! crash.

use crate::api::bad_input::route::{Retries, Route};
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::support::{Answer, Request, until};
use serde_json::Value;

const KEY: &str = "Idempotency-Key";
/// So many looks without a change are taken for the end of it.
const STILL_LOOKS: u32 = 20;

/// A write that was carried out, and what it was answered when it was sent again.
struct Done {
    request: Request,
    again: Answer,
}

/// Carries out every route's good request, and sends each write again.
fn carry_out(scene: &mut Scene) -> Vec<Done> {
    let mut done = Vec::new();
    for route in routes() {
        println!("{}", route.line());
        let mut request = scene.good(&route);
        if route.retries == Retries::TakeKey || route.method == "GET" {
            request = request.header(KEY, "the same");
        }
        let first = scene.send(&request);
        assert_eq!(first.status, route.status, "{first}");
        assert_eq!(first.header("Idempotent-Replayed"), None, "{first}");
        if route.retries == Retries::TakeKey {
            let again = send_again(scene, &route, &request, &first);
            done.push(Done { request, again });
        }
    }
    done
}

fn send_again(scene: &mut Scene, route: &Route, request: &Request, first: &Answer) -> Answer {
    let before = Effects::of(scene);
    let again = scene.send(request);
    assert_eq!(again.status, route.status, "{again}");
    assert_eq!(again.header("Idempotent-Replayed"), Some("true"), "{again}");
    for header in ["ETag", "X-Upsert-Action"] {
        assert_eq!(again.header(header), first.header(header), "{again}");
    }
    assert_eq!(body_of(&again), without_secrets(body_of(first)), "{again}");
    let other = route.request(&scene.target(route, "other=1")).header(KEY, "the same");
    let other = match route.good_body() {
        Some(body) => other.json(&scene.filled(body)),
        None => other,
    };
    scene.send(&other).expect_error(422, "idempotency_key_reuse");
    before.check(scene, &route.line());
    again
}

/// What any write moves. The state itself cannot be read here: some of it is archived by and by.
struct Effects {
    commits: Value,
    /// The sequence and the counts of every object.
    businesses: Value,
}

impl Effects {
    fn of(scene: &mut Scene) -> Self {
        let status = scene.status();
        Self { commits: status["commits"].clone(), businesses: status["businesses"].clone() }
    }

    /// Once nothing moves by itself any more: a start tells tables again of members who were deleted,
    /// beside the first requests.
    fn once_still(scene: &mut Scene) -> Self {
        let (mut last, mut looks) = (Self::of(scene), 0);
        until("a server that is still", || {
            let now = Self::of(scene);
            looks = if now.businesses == last.businesses { looks + 1 } else { 0 };
            last = now;
            (looks == STILL_LOOKS).then_some(())
        });
        last
    }

    fn check(&self, scene: &mut Scene, who: &str) {
        let now = Self::of(scene);
        // Commits that no request asks for tell the hour in which a key was used, and follow up.
        if now.commits != self.commits {
            assert_eq!(now.businesses, self.businesses, "{who}");
        }
    }
}

fn body_of(answer: &Answer) -> Value {
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

/// The body, with nothing where a new key's secret stands.
fn without_secrets(mut body: Value) -> Value {
    let (own, founded) = (body.get("secret").is_some(), body.get("api_key").is_some());
    if own {
        body["secret"] = Value::Null;
    }
    if founded {
        body["api_key"]["secret"] = Value::Null;
    }
    body
}

#[test]
fn every_write_that_is_sent_twice_has_one_effect_and_one_answer() {
    let mut scene = Scene::new();
    let done = carry_out(&mut scene);
    assert!(done.len() > 50, "{} writes are not all of them", done.len());
    let mut scene = scene.after_a_crash();
    let before = Effects::once_still(&mut scene);
    for Done { request, again } in done {
        let later = scene.send(&request);
        // What is gone meanwhile is not shown; it is not made again either.
        if later.status == 404 {
            assert_ne!(again.status, 204, "{later}");
            continue;
        }
        assert_eq!(later.status, again.status, "{later}");
        assert_eq!(later.header("Idempotent-Replayed"), Some("true"), "{later}");
    }
    before.check(&mut scene, "what was sent again after the crash");
}
