//! Requests made by chance out of good ones: whatever comes, the answer is one of the contract's, and
//! nothing of another business moves. What was taken is there after a crash too.

use crate::api::bad_input::assert_unchanged;
use crate::api::bad_input::judge::refusal;
use crate::api::bad_input::route::Route;
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::support::{Answer, Request, Seed};
use serde_json::{Value, json};

/// So many requests: each is answered within a millisecond or two.
const REQUESTS: usize = 1_500;

/// Values as JSON spells them. None is good everywhere, most are good nowhere.
const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "1",
    "1.5",
    "-0.0",
    "1e400",
    "-1e400",
    "1e-400",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "2147483648",
    "0.1e1",
    "123456789012345678901234567890",
    r#""""#,
    r#"" ""#,
    r#""a""#,
    r#""\u0000""#,
    r#""\u202e""#,
    r#""\ufeff""#,
    r#""\u200d""#,
    r#""\ud83d\ude00""#,
    r#""e\u0301""#,
    r#""ß""#,
    r#""İ""#,
    r#""null""#,
    r#""NaN""#,
    r#""1e400""#,
    r#""-0""#,
    r#""../../etc/passwd""#,
    r#""{{7*7}}""#,
    r#""' or 1=1 --""#,
    r#""2026-02-30""#,
    r#""9999-12-31T23:59:59.999999999+23:59""#,
    r#""0001-01-01T00:00:00-23:59""#,
    r#""-9999-01-01""#,
    r#""00000000-0000-0000-0000-000000000000""#,
    r#""ffffffff-ffff-ffff-ffff-ffffffffffff""#,
    r#""a@b""#,
    r#""+1 650 253 0000""#,
    r#""is_me""#,
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    "[null]",
    r#"[""]"#,
    r#"{"":null}"#,
    r#"{"id":null}"#,
    r#"{"id":"x","name":"y"}"#,
    r#"{"amount":"1e400"}"#,
    r#"[1,"a",null,{},[]]"#,
    r#"{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}"#,
];

const FIELDS: &[&str] = &[
    "name", "note", "code", "story", "mail", "phone", "seats", "score", "worth", "since", "met",
    "vip", "sure", "region", "kinds", "labels", "stars", "zone", "manager", "papers", "owner",
    "created", "nonsense",
];

/// Makes requests out of good ones.
struct Monkey {
    seed: Seed,
}

impl Monkey {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.seed.below(of.len())]
    }

    /// A value from the list, or an id of either business.
    fn value(&mut self, scene: &Scene) -> String {
        let things = [
            "object",
            "record",
            "archived_record",
            "field",
            "option",
            "member",
            "type",
            "activity",
            "tag",
        ];
        match self.seed.below(8) {
            0 => json!(scene.own(self.one(&things))).to_string(),
            1 => json!(scene.thing(self.one(&things)).foreign).to_string(),
            2 => json!("x".repeat(self.seed.below(400))).to_string(),
            _ => self.one(VALUES).to_owned(),
        }
    }

    fn request(&mut self, scene: &Scene, route: &Route) -> Request {
        let target = self.target(scene, route);
        let request = route.request(&target);
        let Some(good) = route.good_body() else { return request };
        let body = self.body(scene, route, scene.filled(good));
        request.header("Content-Type", "application/json").body(&body)
    }

    fn target(&mut self, scene: &Scene, route: &Route) -> String {
        let mut parameters = Vec::new();
        let names: Vec<&str> =
            [route.flags, route.words, route.extensions.query, &["page", "page_size", "strict"]]
                .concat();
        for _ in 0..self.seed.below(3) {
            let name = self.one(&names);
            let value = self.one(&[
                "",
                "true",
                "0",
                "1",
                "-1",
                "%00",
                "%zz",
                "%f0%9f%98%80",
                "a,b,,",
                "x",
                "clear",
                "only",
            ]);
            parameters.push(format!("{name}={value}"));
        }
        scene.target(route, &parameters.join("&"))
    }

    /// The good body with some keys made otherwise, and sometimes with its bytes disturbed.
    fn body(&mut self, scene: &Scene, route: &Route, mut good: Value) -> Vec<u8> {
        let mut marks = Vec::new();
        for _ in 0..self.seed.below(4) {
            if route.keys.is_empty() {
                break;
            }
            let key = &route.keys[self.seed.below(route.keys.len())];
            let mark = format!("$mark{}$", marks.len());
            key.put(&mut good, json!(mark));
            let value = if key.path == "fields" { self.fields(scene) } else { self.value(scene) };
            marks.push((json!(mark).to_string(), value));
        }
        let mut text = good.to_string();
        for (mark, value) in &marks {
            text = text.replace(mark, value);
        }
        let mut bytes = text.into_bytes();
        if self.seed.below(8) == 0 {
            let at = self.seed.below(bytes.len());
            bytes[at] = u8::try_from(self.seed.below(256)).expect("it is a byte");
        }
        bytes
    }

    /// Some entries, in either form.
    fn fields(&mut self, scene: &Scene) -> String {
        let is_list = self.seed.below(2) == 0;
        let mut entries = Vec::new();
        for field in FIELDS.iter().filter(|_| self.seed.below(6) == 0).collect::<Vec<_>>() {
            let value = self.value(scene);
            let key = self.one(&["value", "value", "value", "add_values", "remove_values"]);
            entries.push(if is_list {
                format!(r#"{{"name":"{field}","{key}":{value}}}"#)
            } else {
                format!(r#""{field}":{value}"#)
            });
        }
        let entries = entries.join(",");
        if is_list { format!("[{entries}]") } else { format!("{{{entries}}}") }
    }
}

#[test]
fn whatever_comes_is_answered_as_the_contract_says() {
    let mut monkey = Monkey { seed: Seed::of_this_run("whatever_comes_is_answered") };
    let mut scene = Scene::new();
    let before = others(&mut scene);
    // Nothing is taken away, so that most requests reach what they are about.
    let routes: Vec<Route> =
        routes().into_iter().filter(|route| !matches!(route.method, "DELETE")).collect();
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..REQUESTS {
        let route = &routes[monkey.seed.below(routes.len())];
        let request = monkey.request(&scene, route);
        let answer = scene.send(&request);
        if answer.status < 300 {
            taken += 1;
        } else {
            check(&answer, route);
            refused += 1;
        }
    }
    println!("{taken} were taken, {refused} refused");
    assert_eq!(others(&mut scene), before, "the other business has changed");
    let before = scene.state();
    let mut scene = scene.after_a_crash();
    assert_unchanged(&before, &scene.state(), "the crash");
}

#[track_caller]
fn check(answer: &Answer, route: &Route) {
    assert!(answer.status < 500, "{answer}");
    refusal(answer, route);
}

/// What the operator sees of the other business's objects.
fn others(scene: &mut Scene) -> Value {
    let id = json!(scene.own("business"));
    let status = scene.status();
    let businesses = status["businesses"].as_array().expect("a status lists businesses");
    let other = businesses.iter().find(|business| business["id"] == id);
    other.expect("it is there")["objects"].clone()
}
