//! Fields that are hidden from a member, or that it may only read.

use super::{Scene, records, request, shown};
use crate::support::{Request, assert_includes, field_value, text};
use serde_json::{Value, json};

/// May do everything with accounts, but `secret` does not exist for it.
fn hiding(fields: &Value) -> Value {
    let more = json!({"create_record": true, "unarchive_all": true});
    json!({"objects": {"accounts": {
        "settings": 1, "records": records(3, 3, &more), "fields": fields,
    }}})
}

fn id_of_field(scene: &mut Scene, name: &str) -> String {
    let path = format!("/api/custom-objects/accounts/fields/{name}");
    text(&scene.fixture.client.get(&path).expect(200), "id").to_owned()
}

#[test]
fn a_hidden_field_is_in_no_read() {
    let mut scene = Scene::new(&hiding(&json!({"secret": 0})));
    let record = scene.record("Acme", true);
    let secret = id_of_field(&mut scene, "secret");
    let path = format!("/api/records/accounts/{record}");
    let upsert = "/api/records/accounts/upsert?return_all_fields=true";
    let change = json!({"lookup_value": "Acme", "fields": {"note": "changed"}});
    for request in [
        Request::new("GET", &path),
        Request::new("GET", &format!("{path}?include_hidden_fields=true&all_fields=true")),
        Request::new("GET", &format!("{path}?field_names=secret,note")),
        Request::new("GET", &format!("{path}?field_ids={secret}")),
        Request::new("GET", "/api/records/accounts/lookup?identifier=Acme"),
        Request::new("GET", "/api/records/accounts?field_names=secret"),
        Request::new("POST", "/api/records/accounts/search").json(&json!({"query": []})),
        Request::new("POST", upsert).json(&change),
        Request::new("GET", "/api/custom-objects/accounts"),
        Request::new("GET", "/api/custom-objects/accounts/detail"),
        Request::new("GET", "/api/custom-objects/accounts/fields"),
        Request::new("GET", "/api/custom-objects/accounts/fields/settings-search"),
        Request::new("POST", "/api/custom-objects/accounts/fields/search").json(&json!({})),
    ] {
        let answer = scene.client.send(&request);
        let body = answer.expect(200).to_string();
        assert!(!body.contains("secret") && !body.contains(&secret), "{answer}");
        assert!(scene.fixture.send(&request).expect(200).to_string().contains(&secret), "{answer}");
    }
    // A restored record's hidden values come back, and stay hidden.
    scene.fixture.archive("accounts", &record);
    let restore = format!("{path}/unarchive?return_all_fields=true");
    let restored = scene.client.patch(&restore, &json!({})).expect(200);
    assert_eq!(field_value(&restored, "secret"), None);
    let read = scene.fixture.read("accounts", &record).expect(200);
    assert_eq!(field_value(&read, "secret"), Some(&json!("s")));
}

#[test]
fn naming_a_hidden_field_is_as_naming_one_that_is_not() {
    let mut scene = Scene::new(&hiding(&json!({"secret": 0})));
    let record = scene.record("Acme", true);
    let path = format!("/api/records/accounts/{record}");
    let field = "/api/custom-objects/accounts/fields";
    let condition = |name: &str| {
        let filter = json!({"field": name, "condition": "=", "value": "s"});
        json!({"query": [{"filters": [filter]}]})
    };
    let within = |name: &str| json!({"search": "s", "search_within_field_names": [name]});
    let tags = |filter: &str| format!("{field}/{filter}/tags");
    let mut check = |make: &dyn Fn(&str) -> Request, status: u16| {
        let hidden = scene.client.send(&make("secret"));
        let unknown = scene.client.send(&make("nobody"));
        assert_eq!(hidden.status, status, "{hidden}");
        assert_eq!(
            shown(&hidden, "nobody", "nobody"),
            shown(&unknown, "nobody", "secret"),
            "{hidden}"
        );
    };
    let none = Value::Null;
    check(&|name| request("PATCH", &path, &json!({"fields": {name: "x"}})), 400);
    check(&|name| request("PATCH", &path, &json!({"fields": [{"name": name, "value": "x"}]})), 400);
    check(&|name| request("PUT", &path, &json!({"fields": {name: null}})), 400);
    check(
        &|name| {
            let body = json!({"lookup_value": "New", "fields": {name: "x"}});
            request("POST", "/api/records/accounts/upsert", &body)
        },
        400,
    );
    let add = |name: &str| json!({"fields": {"name": "New", name: "x"}});
    check(&|name| request("POST", "/api/records/accounts/add", &add(name)), 400);
    let search = "/api/records/accounts/search";
    check(&|name| request("POST", search, &condition(name)), 400);
    check(&|name| request("POST", search, &within(name)), 400);
    for sign in ["", "-"] {
        let list = |name: &str| format!("/api/records/accounts?ordering={sign}{name}");
        check(&|name| request("GET", &list(name), &none), 400);
    }
    let by = |name: &str| format!("/api/records/accounts/lookup?identifier=s&by={name}");
    check(&|name| request("GET", &by(name), &none), 400);
    check(&|name| request("GET", &format!("{field}/{name}"), &none), 404);
    check(&|name| request("GET", &format!("{field}/{name}/options"), &none), 404);
    check(&|name| request("GET", &tags(name), &none), 404);
    let option = json!({"name": "North"});
    check(&|name| request("POST", &format!("{field}/{name}/options"), &option), 404);
    check(&|name| request("POST", &format!("{field}/search"), &json!({"name": name})), 200);
    let read = scene.fixture.read("accounts", &record).expect(200);
    assert_includes(&read, &json!({"version": 1}));
    assert_eq!(field_value(&read, "secret"), Some(&json!("s")));
}

#[test]
fn a_field_that_may_only_be_read_is_refused_by_name_all_at_once() {
    let mut scene = Scene::new(&hiding(&json!({"note": 1, "secret": 1, "name": 0})));
    let record = scene.record("Acme", true);
    let path = format!("/api/records/accounts/{record}");
    let read = scene.client.get(&path).expect(200);
    assert_eq!(field_value(&read, "secret"), Some(&json!("s")));
    assert_eq!(field_value(&read, "name"), Some(&json!("Acme")), "the identifier is always seen");
    let fields = scene.client.get("/api/custom-objects/accounts/fields").expect(200);
    for field in fields.as_array().expect("fields") {
        let is_read_only = field["is_read_only"] == true
            || ["note", "secret", "name"].contains(&text(field, "name"));
        assert_eq!(field["access"], json!({"view": true, "edit": !is_read_only}), "{field}");
    }
    let given = json!([{"name": "note", "value": "x"}, {"name": "owner", "value": scene.member},
        {"name": "secret", "value": "x"}, {"name": "name", "value": "Other"}]);
    let upsert = json!({"lookup_value": "Acme", "fields": given});
    let restore =
        json!({"lookup_value": "Gone", "fields": given, "oncreate_unarchive": "unarchive"});
    scene.archived("Gone", true);
    for request in [
        Request::new("PATCH", &path).json(&json!({"fields": given})),
        Request::new("PUT", &path).json(&json!({"fields": given})),
        Request::new("POST", "/api/records/accounts/upsert").json(&upsert),
        Request::new("POST", "/api/records/accounts/upsert").json(&restore),
    ] {
        let answer = scene.client.send(&request);
        let body = answer.expect_error(403, "forbidden_field_write");
        let named: Vec<_> = body["errors"].as_array().expect("errors").iter().collect();
        let named: Vec<_> =
            named.iter().map(|error| (text(error, "field"), &error["index"])).collect();
        let expected = [("note", &json!(0)), ("secret", &json!(2)), ("name", &json!(3))];
        assert_eq!(named, expected, "{answer}");
    }
    // The identifier of an upsert that creates needs no right on its field.
    let new = json!({"lookup_value": "New"});
    let made = scene.client.post("/api/records/accounts/upsert", &new).expect(200);
    assert_eq!((&made["action"], &made["name"]), (&json!("created"), &json!("New")));
}

#[test]
fn replacing_leaves_what_may_not_be_written() {
    let mut scene = Scene::new(&hiding(&json!({"secret": 0})));
    let record = scene.record("Acme", true);
    let path = format!("/api/records/accounts/{record}");
    scene.client.put(&format!("{path}?replace=true"), &json!({"fields": {}})).expect(200);
    let read = scene.fixture.read("accounts", &record).expect(200);
    assert_eq!(field_value(&read, "note"), None);
    assert_eq!(field_value(&read, "secret"), Some(&json!("s")));
}

#[test]
fn a_hidden_name_of_a_contact_is_in_no_name_made_of_it() {
    let group = json!({"objects": {"client_client": {
        "records": records(2, 2, &json!({})), "fields": {"last_name": 0},
    }}});
    let mut scene = Scene::new(&group);
    let fields = json!({"first_name": "Ada", "last_name": "Lovelace"});
    scene.fixture.create("client_client", "ada@example.com", &fields);
    let read = scene.client.get("/api/records/client_client/lookup?identifier=ada@example.com");
    let read = read.expect(200);
    assert!(!read.to_string().contains("Lovelace"), "{read}");
    assert_includes(
        &read,
        &json!({
            "name": "", "display_name": "ada@example.com",
            "client_info": {
                "first_name": "Ada", "last_name": "", "full_name": "", "email": "ada@example.com",
            },
        }),
    );
    let search = "/api/records/client_client/search";
    for (words, count) in [("ada", 1), ("lovelace", 0), ("ada lovelace", 0)] {
        let found = scene.client.post(search, &json!({"search": words})).expect(200);
        assert_eq!(found["count"], count, "{words}");
    }
    for name in ["full_name", "display_name", "last_name"] {
        let filter = json!({"field": name, "condition": "contains", "value": "Love"});
        let answer = scene.client.post(search, &json!({"query": [{"filters": [filter]}]}));
        answer.expect_error(400, "does_not_exist");
        let list = format!("/api/records/client_client?ordering={name}");
        scene.client.get(&list).expect_error(400, "does_not_exist");
    }
}

#[test]
fn the_team_is_not_shown_by_a_field_that_is_hidden() {
    let mut scene = Scene::new(&hiding(&json!({"owner": 0})));
    let record = scene.record("Acme", false);
    let team = format!("/api/records/accounts/{record}/team-members");
    assert_eq!(scene.fixture.client.get(&team).expect(200)["count"], 1);
    assert_eq!(scene.client.get(&team).expect(200)["count"], 0);
}
