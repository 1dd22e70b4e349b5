//! Who may export, and what is not in the export of those who may not see it.

use crate::api::exports::{EXPORT, fill, lines, rows};
use crate::support::{Client, Fixture, Request, text};
use serde_json::{Value, json};
use std::io::Read;

/// An object, and a member who may do so much with it.
struct Scene {
    fixture: Fixture,
    member: String,
    group: String,
    key: String,
    client: Client,
}

impl Scene {
    fn new(rights: &Value) -> Self {
        let mut fixture = Fixture::new();
        fixture.object("accounts");
        for name in ["note", "secret"] {
            fixture.text_field("accounts", name);
        }
        let body = json!({"name": "group", "objects": {"accounts": rights}});
        let group = fixture.client.post("/api/permission-group", &body).expect(201);
        let body = json!({"email": "ada@example.com", "permission_groups": [group["id"]]});
        let member = fixture.client.post("/api/team", &body).expect(201);
        let secret = "a-secret-of-the-member";
        let body = json!({"name": "key", "member_id": member["id"], "secret": secret});
        let key = fixture.client.post("/api/api-keys", &body).expect(201);
        let mut credentials = fixture.server.credentials();
        secret.clone_into(&mut credentials.api_key);
        text(&member, "id").clone_into(&mut credentials.user_id);
        let client = Client::new(fixture.server.address(), &credentials);
        let [member, group, key] = [&member, &group, &key].map(|it| text(it, "id").to_owned());
        Self { fixture, member, group, key, client }
    }

    fn allow(&mut self, rights: &Value) {
        let body = json!({"objects": {"accounts": rights}});
        let path = format!("/api/permission-group/{}", self.group);
        self.fixture.client.patch(&path, &body).expect(200);
    }
}

fn rights(all: u8, associated: u8, export: bool) -> Value {
    json!({"records": {"all_records": all, "associated_records": associated, "export": export}})
}

#[test]
fn the_right_to_export_is_asked_for() {
    let mut scene = Scene::new(&rights(3, 3, false));
    scene.client.get(EXPORT).expect_error(403, "permission_required");
    scene.client.post(EXPORT, &json!({})).expect_error(403, "permission_required");
    for unknown in ["nothing", "client_client"] {
        let target = format!("/api/records/{unknown}/export");
        scene.client.get(&target).expect_error(404, "not_found");
    }
    scene.allow(&rights(1, 1, true));
    assert_eq!(lines(&scene.client.get(EXPORT)).len(), 0);
    let archived = format!("{EXPORT}?archived=include");
    scene.client.get(&archived).expect_error(403, "permission_required");
    scene.client.put(EXPORT, &json!({})).expect_error(405, "method_not_allowed");
}

#[test]
fn what_cannot_be_seen_is_in_no_line_and_in_no_column() {
    let mut scene = Scene::new(&rights(0, 1, true));
    let member = scene.member.clone();
    let fields = json!({"owner": member, "note": "n", "secret": "s"});
    scene.fixture.create("accounts", "Own", &fields);
    scene.fixture.create("accounts", "Other", &json!({"note": "n"}));
    let found = lines(&scene.client.get(EXPORT));
    assert_eq!((found.len(), &found[0]["name"]), (1, &json!("Own")));
    assert_eq!(found[0]["fields"]["secret"], "s");
    let mut less = rights(0, 1, true);
    less["fields"] = json!({"secret": 0});
    scene.allow(&less);
    let answer = scene.client.get(EXPORT);
    assert!(lines(&answer)[0]["fields"].get("secret").is_none(), "{answer}");
    let table = rows(&scene.client.get(&format!("{EXPORT}?format=csv&field_names=secret,note")));
    assert_eq!(table[0], "id,note");
    let query =
        json!({"query": [{"filters": [{"field": "secret", "condition": "=", "value": "s"}]}]});
    scene.client.post(EXPORT, &query).expect_error(400, "does_not_exist");
}

#[test]
fn an_export_breaks_off_when_its_reader_is_not_let_in_any_more() {
    for revoked in [true, false] {
        let mut scene = Scene::new(&rights(3, 3, true));
        fill(&mut scene.fixture, 8_000, &"x".repeat(250));
        let mut credentials = scene.fixture.server.credentials();
        "a-secret-of-the-member".clone_into(&mut credentials.api_key);
        scene.member.clone_into(&mut credentials.user_id);
        let client = Client::new(scene.fixture.server.address(), &credentials);
        // A note of 250 characters is 700 bytes a line: more than connections take in unread, twice.
        let mut stream = client.send_unread(&Request::new("GET", EXPORT)).into_stream();
        let mut begun = vec![0; 1_000];
        stream.read_exact(&mut begun).expect("the answer begins");
        assert!(begun.starts_with(b"HTTP/1.1 200"));
        if revoked {
            let path = format!("/api/api-keys/{}", scene.key);
            scene.fixture.client.delete(&path).expect_empty(204);
        } else {
            scene.allow(&rights(3, 3, false));
        }
        // Whether the connection is closed or reset: there is no end of the body.
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest));
        assert!(!rest.ends_with(b"\r\n0\r\n\r\n"), "it is a part and looks whole");
    }
}
