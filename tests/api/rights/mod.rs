//! Who may do what, and what those who may not are told: nothing that an unknown thing would not
//! be told.

mod activities;
mod constraints;
mod fields;
mod groups;
mod leaks;
mod records;
mod relationships;
mod schema;
mod team;

use crate::support::{Answer, Client, Fixture, Request, text};
use serde_json::{Value, json};

const MEMBER_SECRET: &str = "a-secret-of-the-member";

/// An object with records of a member's team and of others, and the member with its rights.
struct Scene {
    fixture: Fixture,
    /// The member.
    member: String,
    group: String,
    client: Client,
}

impl Scene {
    /// `rights` are those of the one group that the member has.
    fn new(rights: &Value) -> Self {
        let mut fixture = Fixture::new();
        fixture.object("accounts");
        for name in ["note", "secret"] {
            fixture.text_field("accounts", name);
        }
        Self::around(fixture, rights)
    }

    fn around(mut fixture: Fixture, rights: &Value) -> Self {
        let group = make_group(&mut fixture, rights);
        let body = json!({"email": "ada@example.com", "permission_groups": [group]});
        let made = fixture.client.post("/api/team", &body).expect(201);
        let member = text(&made, "id").to_owned();
        let client = client_of(&mut fixture, &member, MEMBER_SECRET);
        Self { fixture, member, group, client }
    }

    /// A record of the member's, or of somebody else's.
    fn record(&mut self, name: &str, is_mine: bool) -> String {
        let owner = if is_mine { Some(&*self.member) } else { None };
        let fields = json!({"note": "n", "secret": "s"});
        let mut fields = fields;
        if let Some(owner) = owner {
            fields["owner"] = json!(owner);
        }
        text(&self.fixture.create("accounts", name, &fields), "id").to_owned()
    }

    fn archived(&mut self, name: &str, is_mine: bool) -> String {
        let id = self.record(name, is_mine);
        self.fixture.archive("accounts", &id);
        id
    }

    /// Says anew what the member may do with accounts.
    fn allow(&mut self, rights: &Value) {
        let body = json!({"objects": {"accounts": rights}});
        let path = format!("/api/permission-group/{}", self.group);
        self.fixture.client.patch(&path, &body).expect(200);
    }
}

/// Makes a permission group with these rights and gives its id.
fn make_group(fixture: &mut Fixture, rights: &Value) -> String {
    let mut body = rights.clone();
    body["name"] = json!("group");
    let made = fixture.client.post("/api/permission-group", &body).expect(201);
    text(&made, "id").to_owned()
}

/// A connection of a member, by a key that it gets.
fn client_of(fixture: &mut Fixture, member: &str, secret: &str) -> Client {
    let key = json!({"name": "key", "member_id": member, "secret": secret});
    fixture.client.post("/api/api-keys", &key).expect(201);
    let mut credentials = fixture.server.credentials();
    secret.clone_into(&mut credentials.api_key);
    member.clone_into(&mut credentials.user_id);
    Client::new(fixture.server.address(), &credentials)
}

/// A group with rights on records of accounts.
fn on_accounts(records: &Value) -> Value {
    json!({"objects": {"accounts": {"records": records}}})
}

/// Two levels, and further rights.
fn records(all: u8, associated: u8, more: &Value) -> Value {
    let mut records = json!({"all_records": all, "associated_records": associated});
    for (key, value) in more.as_object().expect("further rights are an object") {
        records[key] = value.clone();
    }
    records
}

/// The same request id for every request, so that whole answers can be compared.
fn comparable(request: Request) -> Request {
    request.header("X-Request-ID", "one-and-the-same")
}

fn request(method: &str, target: &str, body: &Value) -> Request {
    let request = comparable(Request::new(method, target));
    if body.is_null() { request } else { request.json(body) }
}

/// Status and body, where one name stands for another.
fn shown(answer: &Answer, name: &str, stands_for: &str) -> (u16, String) {
    let body = String::from_utf8(answer.body.clone()).expect("a body is UTF-8");
    (answer.status, body.replace(name, stands_for))
}
