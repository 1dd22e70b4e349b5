//! One name in the hands of one client: what was answered, what is unknown, what is found later.
//!
//! Only its client touches the name, so after a crash it is in one of two states: the one that was
//! answered last, or the one that the single unanswered request leads to.

use crate::support::{Answer, Client, Request, Seed, field_value, text};
use serde_json::{Value, json};
use std::io;

/// An object that the clients write to, and how its records are named.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) object: &'static str,
    identifier: &'static str,
    ending: &'static str,
}

pub(crate) const KINDS: [Kind; 2] = [
    Kind { object: "accounts", identifier: "name", ending: "" },
    Kind { object: "client_client", identifier: "email", ending: "@example.com" },
];

#[derive(Clone, Debug, PartialEq)]
enum State {
    Absent,
    Live(Known),
    Archived(Known),
}

#[derive(Clone, Debug, PartialEq)]
struct Known {
    id: String,
    name: String,
    note: String,
    version: u64,
}

/// What a client does next to its record.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Create,
    Upsert,
    Patch,
    Rename,
    Archive,
    UnarchiveByUpsert,
    UnarchiveById,
    Displace,
}

/// A step with its new name and note; a step uses what it needs.
#[derive(Clone, Debug)]
struct Intent {
    step: Step,
    name: String,
    note: String,
}

/// What became of the request that nobody answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    NothingWasAsked,
    Happened,
    DidNotHappen,
}

#[derive(Debug)]
pub(crate) struct Slot {
    kind: &'static Kind,
    stem: String,
    turn: u32,
    state: State,
    unanswered: Option<Intent>,
    /// Records that lost their name to a newer one: id and version, archived for ever.
    displaced: Vec<(String, u64)>,
}

impl Slot {
    pub(crate) fn new(kind: &'static Kind, stem: String) -> Self {
        Self { kind, stem, turn: 0, state: State::Absent, unanswered: None, displaced: Vec::new() }
    }

    /// Every record that must be there, and no other.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        let current = match &self.state {
            State::Absent => None,
            State::Live(known) | State::Archived(known) => Some(&*known.id),
        };
        current.into_iter().chain(self.displaced.iter().map(|(id, _)| &**id))
    }

    pub(crate) fn object(&self) -> &'static str {
        self.kind.object
    }

    /// Takes one step. An error means that nobody knows whether it was taken.
    pub(crate) fn advance(&mut self, client: &mut Client, seed: &mut Seed) -> io::Result<()> {
        self.turn += 1;
        let name = format!("{}-{}{}", self.stem, self.turn, self.kind.ending);
        let note = format!("note {} of {}", self.turn, self.stem);
        let intent = Intent { step: self.choose(seed), name, note };
        let request = self.request(&intent);
        self.unanswered = Some(intent.clone());
        let answer = client.try_send(&request)?;
        self.unanswered = None;
        self.accept(&intent, &answer);
        Ok(())
    }

    fn choose(&self, seed: &mut Seed) -> Step {
        let steps: &[Step] = match &self.state {
            State::Absent => &[Step::Create],
            State::Live(_) => {
                &[Step::Upsert, Step::Upsert, Step::Patch, Step::Rename, Step::Archive]
            }
            State::Archived(_) => &[Step::UnarchiveByUpsert, Step::UnarchiveById, Step::Displace],
        };
        steps[seed.below(steps.len())]
    }

    fn known(&self) -> Option<&Known> {
        match &self.state {
            State::Absent => None,
            State::Live(known) | State::Archived(known) => Some(known),
        }
    }

    fn request(&self, intent: &Intent) -> Request {
        let path = |suffix: &str| format!("/api/records/{}{suffix}", self.kind.object);
        let of_record = |method: &str, suffix: &str| {
            let known = self.known().expect("the step is one of a known record");
            Request::new(method, &path(&format!("/{}{suffix}", known.id)))
        };
        let upsert = |name: &str, mode: Option<&str>| {
            let fields = json!({"note": intent.note});
            let body = json!({"lookup_value": name, "fields": fields, "oncreate_unarchive": mode});
            Request::new("POST", &path("/upsert")).json(&body)
        };
        let own_name = || &*self.known().expect("the step is one of a known record").name;
        match intent.step {
            Step::Create => upsert(&intent.name, None),
            Step::Upsert => upsert(own_name(), None),
            Step::UnarchiveByUpsert => upsert(own_name(), Some("unarchive")),
            Step::Displace => upsert(own_name(), Some("overwrite")),
            Step::Patch => of_record("PATCH", "").json(&json!({"fields": {"note": intent.note}})),
            Step::Rename => {
                of_record("PATCH", "").json(&json!({"fields": {self.kind.identifier: intent.name}}))
            }
            Step::Archive => of_record("DELETE", ""),
            Step::UnarchiveById => of_record("PATCH", "/unarchive"),
        }
    }

    fn accept(&mut self, intent: &Intent, answer: &Answer) {
        if intent.step == Step::Archive {
            answer.expect_empty(204);
            let id = self.known().expect("only a known record is archived").id.clone();
            self.state = self.after(intent, id);
            return;
        }
        let record = answer.expect(200);
        let action = match intent.step {
            Step::Create | Step::Displace => "created",
            Step::UnarchiveByUpsert | Step::UnarchiveById => "unarchived",
            Step::Upsert | Step::Patch | Step::Rename | Step::Archive => "updated",
        };
        assert_eq!(record["action"], action, "{answer}");
        let next = self.after(intent, text(&record, "id").to_owned());
        let State::Live(known) = &next else { panic!("{next:?} after {intent:?}") };
        assert_eq!(record["version"].as_u64(), Some(known.version), "{answer}");
        self.remember_displaced(intent);
        self.state = next;
    }

    /// Where the step leads. `id` is the record's, also where the step makes it.
    fn after(&self, intent: &Intent, id: String) -> State {
        let Intent { step, name, note } = intent.clone();
        let Some(known) = self.known().cloned() else {
            return State::Live(Known { id, name, note, version: 1 });
        };
        let version = known.version + 1;
        match step {
            Step::Create | Step::Displace => {
                State::Live(Known { id, name: known.name, note, version: 1 })
            }
            Step::Upsert | Step::Patch | Step::UnarchiveByUpsert => {
                State::Live(Known { note, version, ..known })
            }
            Step::Rename => State::Live(Known { name, version, ..known }),
            Step::Archive => State::Archived(Known { version, ..known }),
            Step::UnarchiveById => State::Live(Known { version, ..known }),
        }
    }

    fn remember_displaced(&mut self, intent: &Intent) {
        if intent.step == Step::Displace
            && let Some(known) = self.known()
        {
            self.displaced.push((known.id.clone(), known.version + 1));
        }
    }

    /// Asserts that the server has what was answered, or what the unanswered request leads to.
    pub(crate) fn settle(&mut self, client: &mut Client) -> Fate {
        let found = self.observe(client);
        let fate = match self.unanswered.take() {
            None => {
                assert_eq!(found, self.state, "an answered write is lost");
                Fate::NothingWasAsked
            }
            Some(intent) => self.judge(&intent, found),
        };
        self.check_lookup(client);
        for (id, version) in &self.displaced {
            let record = self.read(client, id).expect(200);
            assert_eq!(record["version"].as_u64(), Some(*version), "{record}");
            assert!(record["archived_at"].is_string(), "{record}");
            assert!(self.name_of(&record).contains("_discarded_"), "{record}");
        }
        fate
    }

    fn judge(&mut self, intent: &Intent, found: State) -> Fate {
        if found == self.state {
            return Fate::DidNotHappen;
        }
        let (State::Live(known) | State::Archived(known)) = &found else {
            panic!("{intent:?} of {:?} left nothing", self.state)
        };
        let next = self.after(intent, known.id.clone());
        assert_eq!(found, next, "{intent:?} of {:?} was done by half", self.state);
        self.remember_displaced(intent);
        self.state = found;
        Fate::Happened
    }

    fn observe(&self, client: &mut Client) -> State {
        let intent = self.unanswered.as_ref();
        if let Some(intent) = intent.filter(|it| matches!(it.step, Step::Create | Step::Displace)) {
            let name = self.known().map_or(&intent.name, |known| &known.name);
            let found = self.lookup(client, name);
            if found.status == 200 {
                return self.state_of(&found.json());
            }
            found.expect_error(404, "not_found");
        }
        match self.known() {
            None => State::Absent,
            Some(known) => self.state_of(&self.read(client, &known.id).expect(200)),
        }
    }

    /// A live record is found by its name, an archived one is not.
    fn check_lookup(&self, client: &mut Client) {
        match &self.state {
            State::Absent => {}
            State::Live(known) => {
                assert_eq!(self.lookup(client, &known.name).expect(200)["id"], known.id);
            }
            State::Archived(known) => {
                self.lookup(client, &known.name).expect_error(404, "not_found");
            }
        }
    }

    fn state_of(&self, record: &Value) -> State {
        let note = field_value(record, "note").and_then(Value::as_str);
        let known = Known {
            id: text(record, "id").to_owned(),
            name: self.name_of(record).to_owned(),
            note: note.unwrap_or_default().to_owned(),
            version: record["version"].as_u64().expect("a version is a number"),
        };
        if record["archived_at"].is_string() { State::Archived(known) } else { State::Live(known) }
    }

    fn name_of<'a>(&self, record: &'a Value) -> &'a str {
        let name = field_value(record, self.kind.identifier).and_then(Value::as_str);
        name.unwrap_or_else(|| panic!("no identifier in {record}"))
    }

    fn read(&self, client: &mut Client, id: &str) -> Answer {
        client.get(&format!("/api/records/{}/{id}?include_archived=true", self.kind.object))
    }

    fn lookup(&self, client: &mut Client, name: &str) -> Answer {
        client.get(&format!("/api/records/{}/lookup?identifier={name}", self.kind.object))
    }
}
