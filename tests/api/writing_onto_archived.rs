//! Creating where a live or an archived record holds the key: every row, for both kinds of object.

use crate::support::{Answer, Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

/// Which route creates.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Upsert,
    Add,
}

/// Who holds the key before the call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Holder {
    Nobody,
    Live,
    Archived,
}

/// How the request says what to do with an archived holder.
#[derive(Clone, Copy, Debug)]
enum Mode {
    Absent,
    Null,
    Text(&'static str),
}

/// What the call must do.
#[derive(Clone, Copy, Debug)]
enum Effect {
    /// The live record has the given fields.
    Updated,
    /// There is a record that was not there before.
    Created,
    /// The archived record is live again and has the given fields.
    Unarchived,
    /// The archived record has lost its identifier to a new one.
    Displaced,
    /// Nothing: an error with this status and code.
    Refused(u16, &'static str),
}

use Call::{Add, Upsert};
use Effect::{Created, Displaced, Refused, Unarchived, Updated};
use Holder::{Archived, Live, Nobody};
use Mode::{Absent, Null, Text};

const CONFLICT: Effect = Refused(409, "conflict");
const NOT_A_MODE: Effect = Refused(400, "invalid_choice");

const ROWS: &[(Call, Holder, Mode, Effect)] = &[
    (Upsert, Live, Absent, Updated),
    (Upsert, Live, Null, Updated),
    (Upsert, Live, Text("prompt"), Updated),
    (Upsert, Live, Text("unarchive"), Updated),
    (Upsert, Live, Text("overwrite"), Updated),
    (Upsert, Live, Text("restore"), NOT_A_MODE),
    (Upsert, Nobody, Absent, Created),
    (Upsert, Nobody, Null, Created),
    (Upsert, Nobody, Text("prompt"), Created),
    (Upsert, Nobody, Text("unarchive"), Created),
    (Upsert, Nobody, Text("overwrite"), Created),
    (Upsert, Nobody, Text("Overwrite"), NOT_A_MODE),
    (Upsert, Archived, Absent, CONFLICT),
    (Upsert, Archived, Null, CONFLICT),
    (Upsert, Archived, Text("prompt"), CONFLICT),
    (Upsert, Archived, Text("unarchive"), Unarchived),
    (Upsert, Archived, Text("overwrite"), Displaced),
    (Upsert, Archived, Text(""), NOT_A_MODE),
    (Add, Live, Absent, Refused(400, "unique")),
    (Add, Live, Null, Refused(400, "unique")),
    (Add, Live, Text("prompt"), Refused(400, "unique")),
    (Add, Live, Text("unarchive"), Refused(400, "unique")),
    (Add, Live, Text("overwrite"), Refused(400, "unique")),
    (Add, Live, Text("restore"), NOT_A_MODE),
    (Add, Nobody, Absent, Created),
    (Add, Nobody, Text("overwrite"), Created),
    (Add, Nobody, Text("restore"), NOT_A_MODE),
    (Add, Archived, Absent, CONFLICT),
    (Add, Archived, Null, CONFLICT),
    (Add, Archived, Text("prompt"), CONFLICT),
    (Add, Archived, Text("unarchive"), Unarchived),
    (Add, Archived, Text("overwrite"), Displaced),
    (Add, Archived, Text("restore"), NOT_A_MODE),
];

/// One row on one object: who holds the key, and what was asked and answered.
struct Scene<'a> {
    fixture: &'a mut Fixture,
    object: &'static str,
    identifier: &'static str,
    key: String,
    holder: Option<Value>,
    call: Call,
}

#[test]
fn every_row_holds_for_a_custom_object() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    check_rows(&mut fixture, "accounts", "name");
}

#[test]
fn every_row_holds_for_contacts() {
    check_rows(&mut Fixture::new(), "client_client", "email");
}

fn check_rows(fixture: &mut Fixture, object: &'static str, identifier: &'static str) {
    fixture.text_field(object, "note");
    fixture.text_field(object, "kept");
    for (row, (call, holder, mode, effect)) in ROWS.iter().enumerate() {
        println!("{object}: {call:?} onto {holder:?} with {mode:?} gives {effect:?}");
        let key = if identifier == "email" {
            format!("row{row}@example.com")
        } else {
            format!("Row {row}")
        };
        let holder = hold(fixture, object, &key, *holder);
        let scene = Scene { fixture, object, identifier, key, holder, call: *call };
        scene.check(*mode, *effect);
    }
}

fn hold(fixture: &mut Fixture, object: &str, key: &str, holder: Holder) -> Option<Value> {
    let fields = json!({"note": "before", "kept": "stays"});
    match holder {
        Nobody => None,
        Live => Some(fixture.create(object, key, &fields)),
        Archived => Some(fixture.create_archived(object, key, &fields)),
    }
}

impl Scene<'_> {
    fn check(mut self, mode: Mode, effect: Effect) {
        let answer = self.ask(mode);
        match effect {
            Updated => self.check_updated(&answer),
            Created => self.check_created(&answer),
            Unarchived => self.check_unarchived(&answer),
            Displaced => self.check_displaced(&answer),
            Refused(status, code) => self.check_refused(&answer, status, code),
        }
    }

    fn ask(&mut self, mode: Mode) -> Answer {
        let object = self.object;
        let (mut body, route, parameter) = match self.call {
            Upsert => {
                let body = json!({"lookup_value": self.key, "fields": {"note": "after"}});
                (body, "upsert", "oncreate_unarchive")
            }
            Add => (
                json!({"fields": {self.identifier: self.key, "note": "after"}}),
                "add",
                "unarchive",
            ),
        };
        match mode {
            Absent => {}
            Null => body[parameter] = Value::Null,
            Text(mode) => body[parameter] = json!(mode),
        }
        self.fixture.client.post(&format!("/api/records/{object}/{route}"), &body)
    }

    fn success(&self) -> u16 {
        if self.call == Add { 201 } else { 200 }
    }

    fn holder(&self) -> &Value {
        self.holder.as_ref().expect("the row has a holder")
    }

    /// The holder as it is now, live or archived.
    fn holder_now(&mut self) -> Value {
        let id = text(self.holder(), "id").to_owned();
        self.fixture.read_archived(self.object, &id).expect(200)
    }

    fn found(&mut self) -> Answer {
        self.fixture.lookup(self.object, &self.key)
    }

    fn check_updated(&mut self, answer: &Answer) {
        let record = answer.expect(self.success());
        let expected = json!({"action": "updated", "id": self.holder()["id"], "version": 2});
        assert_includes(&record, &expected);
        self.check_live(&record, Some("stays"));
    }

    fn check_created(&mut self, answer: &Answer) {
        let record = answer.expect(self.success());
        assert_includes(&record, &json!({"action": "created", "version": 1}));
        self.check_live(&record, None);
    }

    fn check_unarchived(&mut self, answer: &Answer) {
        let record = answer.expect(self.success());
        let archived_version = 2;
        let expected = json!({
            "action": "unarchived", "id": self.holder()["id"], "version": archived_version + 1,
            "created": self.holder()["created"],
        });
        assert_includes(&record, &expected);
        self.check_live(&record, Some("stays"));
    }

    fn check_displaced(&mut self, answer: &Answer) {
        let record = answer.expect(self.success());
        assert_includes(&record, &json!({"action": "created", "version": 1}));
        assert_ne!(record["id"], self.holder()["id"], "an archived record must not come back");
        self.check_live(&record, None);
        let displaced = self.holder_now();
        let archived_version = 2;
        assert_eq!(displaced["version"], archived_version + 1);
        assert!(displaced["archived_at"].is_string(), "{displaced}");
        assert_eq!(field_value(&displaced, "note"), Some(&json!("before")));
        let name = field_value(&displaced, self.identifier).and_then(Value::as_str);
        let stem = format!("{}_discarded_", self.key);
        let moment = name.and_then(|name| name.strip_prefix(&*stem));
        let moment = moment.unwrap_or_else(|| panic!("{name:?} does not begin with {stem}"));
        assert!(moment.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_'), "{moment}");
    }

    fn check_live(&mut self, record: &Value, kept: Option<&str>) {
        let found = self.found().expect(200);
        assert_eq!(found["id"], record["id"]);
        assert_eq!(field_value(&found, "note"), Some(&json!("after")));
        assert_eq!(field_value(&found, "kept"), kept.map(|kept| json!(kept)).as_ref());
        assert_eq!(found.get("archived_at"), None, "a live record has no archive time");
    }

    /// An error leaves the holder, or the absence of one, exactly as it was.
    fn check_refused(&mut self, answer: &Answer, status: u16, code: &str) {
        let body = answer.expect_error(status, code);
        if code == "conflict" {
            self.check_conflict(&body);
        }
        let Some(before) = self.holder.clone() else {
            self.found().expect_error(404, "not_found");
            return;
        };
        let now = self.holder_now();
        assert_eq!(field_value(&now, "note"), Some(&json!("before")), "nothing may be written");
        let is_archived = now.get("archived_at").is_some();
        let version = before["version"].as_u64().map(|version| version + u64::from(is_archived));
        assert_eq!(now["version"].as_u64(), version);
        if is_archived {
            self.found().expect_error(404, "not_found");
        }
    }

    fn check_conflict(&mut self, body: &Value) {
        let (id, key) = (self.holder()["id"].clone(), self.key.clone());
        let parameter = if self.call == Add { "unarchive" } else { "oncreate_unarchive" };
        let archived = self.holder_now();
        assert_includes(
            body,
            &json!({
                "conflict": {
                    "kind": "archived_identifier", "field": {"name": self.identifier}, "value": key,
                    "archived_record": {
                        "id": id, "display_name": key, "archived_at": archived["archived_at"],
                        "archived_by": {},
                    },
                    "parameter": parameter,
                    "choices": [
                        {"value": "unarchive", "result": "unarchived", "record_id": id},
                        {"value": "overwrite", "result": "created"},
                    ],
                },
                "non_field_errors": [],
                "errors": [{
                    "code": "conflict", "field": self.identifier, "conflicting_record_id": id,
                    "retryable": false,
                }],
            }),
        );
    }
}

#[test]
fn restoring_keeps_what_the_request_does_not_give() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let archived = fixture.create_archived("accounts", "Acme", &json!({"note": "kept"}));
    let body = json!({"lookup_value": "ACME", "oncreate_unarchive": "unarchive"});
    let restored = fixture.upsert("accounts", &body).expect(200);
    assert_includes(
        &restored,
        &json!({"action": "unarchived", "id": archived["id"], "name": "Acme"}),
    );
    let read = fixture.lookup("accounts", "Acme").expect(200);
    assert_eq!(field_value(&read, "note"), Some(&json!("kept")));
    assert_eq!(field_value(&read, "owner"), field_value(&archived, "owner"));
    assert_ne!(read["updated"], archived["updated"], "restoring is a change");
}

#[test]
fn a_displaced_identifier_is_cut_to_fit_and_its_key_is_free() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let long = "ä".repeat(255);
    let archived = fixture.create_archived("accounts", &long, &json!({}));
    let body = json!({"lookup_value": long, "oncreate_unarchive": "overwrite"});
    fixture.upsert("accounts", &body).expect(200);
    let displaced = fixture.read_archived("accounts", text(&archived, "id")).expect(200);
    let name = text(&displaced, "name");
    assert!(name.chars().count() <= 255, "{name}");
    assert!(name.contains("ä_discarded_"), "{name}");
    let held = json!({"lookup_value": name});
    fixture.upsert("accounts", &held).expect_error(409, "conflict");
}

#[test]
fn a_key_can_be_displaced_again_and_again() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.create("accounts", "Acme", &json!({}));
    for _ in 0..5 {
        let live = fixture.lookup("accounts", "Acme").expect(200);
        fixture.archive("accounts", text(&live, "id"));
        let body = json!({"lookup_value": "Acme", "oncreate_unarchive": "overwrite"});
        let created = fixture.upsert("accounts", &body).expect(200);
        assert_eq!(created["action"], "created");
        assert_ne!(created["id"], live["id"]);
    }
    let list = fixture.client.get("/api/records/accounts?archived=only").expect(200);
    assert_eq!(list["count"], 5);
}

#[test]
fn a_field_that_names_another_archived_key_asks_about_that_one() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let archived = fixture.create_archived("accounts", "taken", &json!({}));
    let mut body = json!({"lookup_value": "free", "fields": {"name": "taken"}});
    let conflict = fixture.upsert("accounts", &body).expect_error(409, "conflict");
    let expected =
        json!({"parameter": "oncreate_unarchive", "archived_record": {"id": archived["id"]}});
    assert_includes(&conflict["conflict"], &expected);
    body["oncreate_unarchive"] = json!("overwrite");
    let created = fixture.upsert("accounts", &body).expect(200);
    assert_includes(&created, &json!({"action": "created", "name": "taken"}));
}

#[test]
fn overwrite_frees_nothing_that_the_new_record_does_not_need() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let archived = fixture.create_archived("accounts", "asked for", &json!({}));
    let body = json!({
        "lookup_value": "asked for", "fields": {"name": "written"}, "oncreate_unarchive": "overwrite",
    });
    let created = fixture.upsert("accounts", &body).expect(200);
    assert_includes(&created, &json!({"action": "created", "name": "written"}));
    let kept = fixture.read_archived("accounts", text(&archived, "id")).expect(200);
    assert_includes(&kept, &json!({"name": "asked for", "version": 2}));
}
