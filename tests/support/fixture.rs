//! A server with an administrator's client, and the short way to an object, a field, a record.

use crate::support::client::{Answer, Client, Request};
use crate::support::deadline::until;
use crate::support::json::{field_value, text};
use crate::support::launch::Launch;
use crate::support::server::{OPERATOR_KEY, Server};
use serde_json::{Value, json};

/// A running server and one connection to it.
pub(crate) struct Fixture {
    pub(crate) server: Server,
    pub(crate) client: Client,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::of(Server::new())
    }

    pub(crate) fn with_flag(name: &str, value: &str) -> Self {
        Self::of(Launch::new().flag(name, value).start())
    }

    pub(crate) fn of(server: Server) -> Self {
        let client = server.client();
        Self { server, client }
    }

    /// Kills the server and starts it again on what it left.
    pub(crate) fn after_a_crash(self) -> Self {
        Self::of(self.server.kill().start())
    }

    /// Makes a custom object and gives it as the server shows it.
    pub(crate) fn object(&mut self, name: &str) -> Value {
        custom_object(&mut self.client, name)
    }

    /// Makes a field of an object and gives it as the server shows it.
    pub(crate) fn field(&mut self, object: &str, body: &Value) -> Value {
        self.client.post(&format!("/api/custom-objects/{object}/fields"), body).expect(201)
    }

    pub(crate) fn text_field(&mut self, object: &str, name: &str) -> Value {
        let body = json!({"field_type": "text", "display_name": name, "name": name});
        self.field(object, &body)
    }

    pub(crate) fn upsert(&mut self, object: &str, body: &Value) -> Answer {
        self.client.post(&format!("/api/records/{object}/upsert"), body)
    }

    /// Makes a record that must be new, and gives the answer.
    pub(crate) fn create(&mut self, object: &str, lookup_value: &str, fields: &Value) -> Value {
        let body = json!({"lookup_value": lookup_value, "fields": fields});
        let record = self.upsert(object, &body).expect(200);
        assert_eq!(record["action"], "created", "{record}");
        record
    }

    /// Makes a record that must be new, and archives it.
    pub(crate) fn create_archived(
        &mut self,
        object: &str,
        lookup_value: &str,
        fields: &Value,
    ) -> Value {
        let record = self.create(object, lookup_value, fields);
        self.archive(object, text(&record, "id"));
        record
    }

    pub(crate) fn archive(&mut self, object: &str, id: &str) {
        self.client.delete(&format!("/api/records/{object}/{id}")).expect_empty(204);
    }

    pub(crate) fn read(&mut self, object: &str, id: &str) -> Answer {
        self.client.get(&format!("/api/records/{object}/{id}"))
    }

    /// The record, archived or not.
    pub(crate) fn read_archived(&mut self, object: &str, id: &str) -> Answer {
        self.client.get(&format!("/api/records/{object}/{id}?include_archived=true"))
    }

    /// The record by its identifier, whatever characters that holds.
    pub(crate) fn lookup(&mut self, object: &str, identifier: &str) -> Answer {
        let identifier = percent_encoded(identifier);
        self.client.get(&format!("/api/records/{object}/lookup?identifier={identifier}"))
    }

    /// The value that a record of an object reads for a field; null where it is blank.
    pub(crate) fn value(&mut self, (object, id): (&str, &str), field: &str) -> Value {
        let record = self.read(object, id).expect(200);
        field_value(&record, field).cloned().unwrap_or_default()
    }

    /// Asks for a snapshot and waits for a file that was not there before.
    pub(crate) fn snapshot(&mut self) {
        let before = self.server.directory().files(is_snapshot);
        let request =
            Request::new("POST", "/api/admin/snapshot").header("X-OPERATOR-KEY", OPERATOR_KEY);
        let answer = self.send(&request);
        assert_eq!(answer.status, 202, "{answer}");
        let directory = self.server.directory().clone();
        until("the snapshot's file", || {
            directory.files(is_snapshot).into_iter().find(|path| !before.contains(path))
        });
    }

    pub(crate) fn send(&mut self, request: &Request) -> Answer {
        self.client.send(request)
    }
}

/// Makes a custom object and gives it as the server shows it.
pub(crate) fn custom_object(client: &mut Client, name: &str) -> Value {
    let body = json!({"object_name": name, "name": name});
    client.post("/api/custom-objects", &body).expect(201)
}

fn is_snapshot(name: &str) -> bool {
    name.starts_with("snapshot-") && name.ends_with(".upsertd")
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&data_encoding::HEXUPPER.encode(&[byte]));
        }
    }
    encoded
}
