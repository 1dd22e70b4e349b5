//! Changing the identifier where somebody holds the new key: every row, by every way to rename.

use crate::support::{Answer, Fixture, assert_includes, text};
use serde_json::{Value, json};

/// By which route the identifier is changed.
#[derive(Clone, Copy, Debug)]
enum Way {
    Patch,
    Put,
    Upsert,
}

/// Who holds the new key before the call.
#[derive(Clone, Copy, Debug)]
enum Holder {
    Nobody,
    Itself,
    Live,
    Archived,
}

/// What the call must do.
#[derive(Clone, Copy, Debug)]
enum Effect {
    Renamed,
    /// The archived holder has lost the key to the record.
    Displaced,
    Refused(u16, &'static str),
}

const WAYS: [Way; 3] = [Way::Patch, Way::Put, Way::Upsert];

/// The mode in the request; none: absent.
type Mode = Option<&'static str>;

const ROWS: &[(Holder, Mode, Effect)] = &[
    (Holder::Nobody, None, Effect::Renamed),
    (Holder::Nobody, Some("null"), Effect::Renamed),
    (Holder::Nobody, Some("\"overwrite\""), Effect::Renamed),
    (Holder::Itself, None, Effect::Renamed),
    (Holder::Itself, Some("\"overwrite\""), Effect::Renamed),
    (Holder::Live, None, Effect::Refused(400, "unique")),
    (Holder::Live, Some("null"), Effect::Refused(400, "unique")),
    (Holder::Live, Some("\"overwrite\""), Effect::Refused(400, "unique")),
    (Holder::Archived, None, Effect::Refused(409, "conflict")),
    (Holder::Archived, Some("null"), Effect::Refused(409, "conflict")),
    (Holder::Archived, Some("\"overwrite\""), Effect::Displaced),
    (Holder::Nobody, Some("\"unarchive\""), Effect::Refused(400, "invalid_choice")),
    (Holder::Itself, Some("\"prompt\""), Effect::Refused(400, "invalid_choice")),
    (Holder::Live, Some("\"unarchive\""), Effect::Refused(400, "invalid_choice")),
    (Holder::Archived, Some("\"unarchive\""), Effect::Refused(400, "invalid_choice")),
];

/// One row by one way: the record, its old name and the new one.
struct Scene<'a> {
    fixture: &'a mut Fixture,
    way: Way,
    old: String,
    new: String,
    record: Value,
    holder: Option<Value>,
}

#[test]
fn every_row_holds_by_every_way_to_rename() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for way in WAYS {
        for (row, (holder, mode, effect)) in ROWS.iter().enumerate() {
            println!("{way:?} onto {holder:?} with {mode:?} gives {effect:?}");
            let stem = format!("{way:?} {row}");
            let scene = Scene::set(&mut fixture, way, &stem, *holder);
            scene.check(*mode, *effect);
        }
    }
}

impl<'a> Scene<'a> {
    fn set(fixture: &'a mut Fixture, way: Way, stem: &str, holder: Holder) -> Self {
        let old = format!("{stem} old");
        let record = fixture.create("accounts", &old, &json!({}));
        let new = format!("{stem} new");
        let (new, holder) = match holder {
            Holder::Nobody => (new, None),
            Holder::Itself => (old.to_uppercase(), None),
            Holder::Live => {
                let holder = fixture.create("accounts", &new, &json!({}));
                (new, Some(holder))
            }
            Holder::Archived => {
                let holder = fixture.create_archived("accounts", &new, &json!({}));
                (new, Some(holder))
            }
        };
        Self { fixture, way, old, new, record, holder }
    }

    fn parameter(&self) -> &'static str {
        match self.way {
            Way::Patch | Way::Put => "archived_conflict",
            Way::Upsert => "onupdate_archived_conflict",
        }
    }

    fn ask(&mut self, mode: Mode) -> Answer {
        let mut body = json!({"fields": {"name": self.new}});
        if let Some(mode) = mode {
            body[self.parameter()] = serde_json::from_str(mode).expect("a mode is spelled as JSON");
        }
        let url = format!("/api/records/accounts/{}", text(&self.record, "id"));
        match self.way {
            Way::Patch => self.fixture.client.patch(&url, &body),
            Way::Put => self.fixture.client.put(&url, &body),
            Way::Upsert => {
                body["lookup_value"] = json!(self.old);
                self.fixture.upsert("accounts", &body)
            }
        }
    }

    fn check(mut self, mode: Mode, effect: Effect) {
        let answer = self.ask(mode);
        match effect {
            Effect::Renamed => self.check_renamed(&answer),
            Effect::Displaced => {
                self.check_renamed(&answer);
                self.check_displaced();
            }
            Effect::Refused(status, code) => self.check_refused(&answer, status, code),
        }
    }

    fn check_renamed(&mut self, answer: &Answer) {
        let renamed = answer.expect(200);
        let expected = json!({
            "action": "updated", "id": self.record["id"], "name": self.new, "version": 2,
        });
        assert_includes(&renamed, &expected);
        assert_eq!(self.fixture.lookup("accounts", &self.new).expect(200)["id"], self.record["id"]);
        if self.old.to_uppercase() != self.new {
            self.fixture.lookup("accounts", &self.old).expect_error(404, "not_found");
            // The old key is free at once.
            self.fixture.create("accounts", &self.old, &json!({}));
        }
    }

    fn check_displaced(&mut self) {
        let holder = self.holder.as_ref().expect("the row has a holder");
        let now = self.fixture.read_archived("accounts", text(holder, "id")).expect(200);
        assert!(text(&now, "name").starts_with(&format!("{}_discarded_", self.new)), "{now}");
        assert_includes(&now, &json!({"version": 3}));
        assert!(now["archived_at"].is_string(), "{now}");
    }

    fn check_refused(&mut self, answer: &Answer, status: u16, code: &str) {
        let body = answer.expect_error(status, code);
        if let Some(holder) = &self.holder
            && code != "invalid_choice"
        {
            let item =
                json!({"code": code, "field": "name", "conflicting_record_id": holder["id"]});
            assert_includes(&body["errors"], &json!([item]));
        }
        if code == "conflict" {
            let expected = json!({
                "kind": "archived_identifier", "value": self.new, "parameter": self.parameter(),
                "choices": [{"value": "overwrite", "result": "updated"}],
            });
            assert_includes(&body["conflict"], &expected);
        }
        let now = self.fixture.lookup("accounts", &self.old).expect(200);
        assert_includes(&now, &json!({"id": self.record["id"], "name": self.old, "version": 1}));
    }
}
