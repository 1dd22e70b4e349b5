//! Two businesses with one of everything, and how to ask for it: the caller is the first one's
//! administrator, whom nothing of the second may concern.

use crate::api::bad_input::key::unknown_id;
use crate::api::bad_input::route::Route;
use crate::support::{Answer, Fixture, OPERATOR_KEY, Request, assert_includes, text, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One thing that paths and bodies refer to.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) own: String,
    /// The same of the other business; none where nothing is another's.
    pub(super) foreign: Option<String>,
}

pub(super) struct Scene {
    pub(super) fixture: Fixture,
    things: BTreeMap<&'static str, Thing>,
    /// The headers of the other business's administrator.
    other: [(&'static str, String); 3],
    /// How many answers were asked for; the random ids are made of it.
    asked: usize,
}

/// What each business has, by the names that stand between the braces of paths.
type Things = BTreeMap<&'static str, String>;

impl Scene {
    pub(super) fn new() -> Self {
        let mut fixture = Fixture::new();
        let own = furnish(&mut fixture, &[]);
        let (business, other) = found_other(&mut fixture);
        let foreign = furnish(&mut fixture, &other);
        let mut things: BTreeMap<_, _> = own
            .into_iter()
            .map(|(name, own)| (name, Thing { own, foreign: foreign.get(name).cloned() }))
            .collect();
        things.insert("business", Thing { own: business, foreign: None });
        let mut scene = Self { fixture, things, other, asked: 0 };
        scene.wait_for_key_uses();
        scene
    }

    /// Kills the server and starts it again on what it left.
    pub(super) fn after_a_crash(self) -> Self {
        Self { fixture: self.fixture.after_a_crash(), ..self }
    }

    pub(super) fn thing(&self, name: &str) -> &Thing {
        self.things.get(name).unwrap_or_else(|| panic!("the scene has no {name}"))
    }

    pub(super) fn own(&self, name: &str) -> &str {
        &self.thing(name).own
    }

    pub(super) fn other(&self) -> &[(&'static str, String)] {
        &self.other
    }

    /// An id that nothing has.
    pub(super) fn random_id(&mut self) -> String {
        self.asked += 1;
        unknown_id(0x00ab_cdef_0000 + self.asked)
    }

    /// The path of a route, its names replaced.
    pub(super) fn path(&self, route: &Route) -> String {
        self.path_with(route, "", "")
    }

    /// The same with another value for one of the names.
    pub(super) fn path_with(&self, route: &Route, replaced: &str, by: &str) -> String {
        let segment = |segment: &str| {
            let name = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            match name {
                None => segment.to_owned(),
                Some(name) if name == replaced => by.to_owned(),
                Some(name) => self.own(name).to_owned(),
            }
        };
        route.path.split('/').map(segment).collect::<Vec<_>>().join("/")
    }

    /// A request that is good.
    pub(super) fn good(&self, route: &Route) -> Request {
        let request = route.request(&self.target(route, ""));
        match route.good_body() {
            Some(body) => request.json(&self.filled(body)),
            None => request,
        }
    }

    /// The good request's target with more in its query.
    pub(super) fn target(&self, route: &Route, more: &str) -> String {
        let query: Vec<&str> =
            [route.query, more].into_iter().filter(|part| !part.is_empty()).collect();
        let path = self.path(route);
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// The body with ids for the names between braces.
    pub(super) fn filled(&self, body: &Value) -> Value {
        match body {
            Value::String(text) => {
                let name = text.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
                json!(name.map_or(text.as_str(), |name| self.own(name)))
            }
            Value::Array(list) => list.iter().map(|value| self.filled(value)).collect(),
            Value::Object(object) => {
                object.iter().map(|(key, value)| (key.clone(), self.filled(value))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => body.clone(),
        }
    }

    /// The headers of the member who is no administrator.
    pub(super) fn key_of_ada(&mut self) -> [(&'static str, String); 2] {
        let secret = "a secret of nobody else";
        let ada = self.own("member").to_owned();
        let body = json!({"name": "ada", "member_id": ada, "secret": secret});
        self.fixture.client.post("/api/api-keys", &body).expect(201);
        [("X-API-KEY", secret.to_owned()), ("X-USER-ID", ada)]
    }

    pub(super) fn send(&mut self, request: &Request) -> Answer {
        self.fixture.send(request)
    }

    /// All that a refused request must leave as it was, of both businesses.
    pub(super) fn state(&mut self) -> Value {
        let record = format!("/api/records/{}/{}", self.own("object"), self.own("record"));
        let team = format!("{record}/team-members");
        let archived = format!("/api/records/{}?archived=include", self.own("object"));
        let categories = format!("/api/custom-objects/{}/categories", self.own("object"));
        let object = format!("/api/custom-objects/{}", self.own("object"));
        let pipeline = format!("/api/custom-objects/{}", self.own("pipeline"));
        let deals = format!("/api/records/{}", self.own("pipeline"));
        let logged = format!("/api/activities/logged/{}", self.own("logged"));
        let mut state = json!({});
        for target in [
            "/api/custom-objects?custom_only=false",
            "/api/client/custom-object",
            "/api/records/client_client?archived=include",
            "/api/activities",
            "/api/activities/scheduled-activity",
            "/api/bulk-action-progress",
            "/api/team?include_service=true",
            "/api/role",
            "/api/permission-group",
            "/api/api-keys",
            "/api/business/mine",
            &record,
            &team,
            &archived,
            &categories,
            &object,
            &pipeline,
            &deals,
            &logged,
        ] {
            state[target] = self.fixture.client.get(target).expect(200);
        }
        for target in ["/api/admin/businesses", "/api/admin/status"] {
            state[target] = self.ask_as_operator(target);
        }
        // The status counts time and bytes too, which change by themselves.
        state["/api/admin/status"] = state["/api/admin/status"]["businesses"].clone();
        for key in state["/api/api-keys"]["results"].as_array_mut().into_iter().flatten() {
            key["last_used_at"] = Value::Null;
        }
        state
    }

    /// How many commits there were: nothing is written without one.
    pub(super) fn commits(&mut self) -> Value {
        self.status()["commits"].clone()
    }

    pub(super) fn status(&mut self) -> Value {
        self.ask_as_operator("/api/admin/status")
    }

    fn ask_as_operator(&mut self, target: &str) -> Value {
        let request = Request::new("GET", target).header("X-OPERATOR-KEY", OPERATOR_KEY);
        self.fixture.send(&request).expect(200)
    }

    /// The first use of a key is kept by a commit for which no request waits.
    fn wait_for_key_uses(&mut self) {
        until("the use of the key to be kept", || {
            let keys = self.fixture.client.get("/api/api-keys").expect(200);
            keys["results"]
                .as_array()?
                .iter()
                .any(|key| !key["last_used_at"].is_null())
                .then_some(())
        });
    }
}

/// Makes the second business and gives its id and its administrator's headers.
fn found_other(fixture: &mut Fixture) -> (String, [(&'static str, String); 3]) {
    let body = json!({"name": "Other", "admin": {"email": "other@example.com"}});
    let request = Request::new("POST", "/api/admin/businesses").json(&body);
    let founded = fixture.send(&request.header("X-OPERATOR-KEY", OPERATOR_KEY)).expect(201);
    let business = text(&founded["business"], "id").to_owned();
    let headers = [
        ("X-API-KEY", text(&founded["api_key"], "secret").to_owned()),
        ("X-BUSINESS-ID", business.clone()),
        ("X-USER-ID", text(&founded["member"], "user_id").to_owned()),
    ];
    (business, headers)
}

/// Makes one of everything as the member with these headers.
fn furnish(fixture: &mut Fixture, headers: &[(&'static str, String)]) -> Things {
    let mut maker = Maker { fixture, headers };
    let mut things = Things::new();
    let is_other = !headers.is_empty();
    let name = if is_other { "rivals" } else { "accounts" };
    let object = maker.make("/api/custom-objects", &json!({"object_name": name}));
    things.insert("object", object.clone());
    let spare = maker.make("/api/custom-objects", &json!({"object_name": "Spare"}));
    things.insert("spare_object", spare);
    make_fields(&mut maker, &object, &mut things);
    make_pipeline(&mut maker, &mut things);
    let categories = format!("/api/custom-objects/{object}/categories");
    things.insert("category", maker.make(&categories, &json!({"name": "More"})));
    let member = json!({"email": format!("ada@{name}.example"), "first_name": "Ada"});
    things.insert("member", maker.make("/api/team", &member));
    let gone = maker.make("/api/team", &json!({"email": format!("gone@{name}.example")}));
    maker.delete(&format!("/api/team/{gone}"));
    things.insert("deleted_member", gone);
    let team = maker.get("/api/team");
    things.insert("role", text(&team[0]["roles"][0], "id").to_owned());
    things.insert("me", text(&team[0], "id").to_owned());
    things.insert("spare_role", maker.make("/api/role", &json!({"name": "Spare"})));
    let group = json!({"name": "Group", "objects": {"client_client": {"settings": 1}}});
    things.insert("group", maker.make("/api/permission-group", &group));
    make_records(&mut maker, &object, &mut things);
    make_activities(&mut maker, &mut things);
    things.insert("key", maker.make("/api/api-keys", &json!({"name": "spare"})));
    things
}

fn make_fields(maker: &mut Maker<'_>, object: &str, things: &mut Things) {
    let fields = format!("/api/custom-objects/{object}/fields");
    for (name, more) in [
        ("note", json!({"field_type": "text"})),
        ("code", json!({"field_type": "text", "is_unique": true})),
        ("sealed", json!({"field_type": "text", "is_read_only": true})),
        ("must", json!({"field_type": "text"})),
        ("story", json!({"field_type": "longtext"})),
        ("mail", json!({"field_type": "email"})),
        ("phone", json!({"field_type": "phonenumber"})),
        ("seats", json!({"field_type": "integer"})),
        ("score", json!({"field_type": "decimal"})),
        ("worth", json!({"field_type": "money"})),
        ("since", json!({"field_type": "date"})),
        ("met", json!({"field_type": "datetime"})),
        ("vip", json!({"field_type": "checkbox"})),
        ("sure", json!({"field_type": "yesnomaybe"})),
        (
            "region",
            json!({"field_type": "dropdown", "options": [{"name": "North"}, {"name": "South"}]}),
        ),
        ("kinds", json!({"field_type": "checkboxes", "options": [{"name": "A"}, {"name": "B"}]})),
        ("labels", json!({"field_type": "dynamictags"})),
        ("stars", json!({"field_type": "rating"})),
        ("zone", json!({"field_type": "timezone"})),
        ("manager", json!({"field_type": "team_selector"})),
        ("papers", json!({"field_type": "files"})),
        ("friends", json!({"field_type": "relationship"})),
    ] {
        let mut body = more;
        body["name"] = json!(name);
        body["display_name"] = json!(name);
        if name == "friends" {
            body["relation"] = json!({"related_object": object, "relation_type": "additional"});
        }
        let made = maker.post(&fields, &body);
        match name {
            "region" => {
                things.insert("field", text(&made, "id").to_owned());
                things.insert("option", text(&made["options"][0], "id").to_owned());
                things.insert("other_option", text(&made["options"][1], "id").to_owned());
            }
            "kinds" => {
                things.insert("kind", text(&made["options"][0], "id").to_owned());
            }
            "friends" => {
                things.insert("relation", text(&made, "id").to_owned());
            }
            "labels" => {
                things.insert("tags_field", text(&made, "id").to_owned());
            }
            _ => {}
        }
    }
    let contacts = maker.get("/api/custom-objects/client_client/fields?name=tags");
    things.insert("contact_tags", text(&contacts[0], "id").to_owned());
}

fn make_pipeline(maker: &mut Maker<'_>, things: &mut Things) {
    let stages = json!([{"name": "New"}, {"name": "Won", "status": "won"}, {"name": "Gone"}]);
    let body = json!({
        "object_name": "Deals", "object_type": "pipeline", "pipeline": {"stages": stages},
    });
    let made = maker.post("/api/custom-objects", &body);
    let pipeline = text(&made, "id").to_owned();
    let tags = json!({"display_name": "Labels", "field_type": "dynamictags"});
    let fields = format!("/api/custom-objects/{pipeline}/fields");
    things.insert("pipeline_tags", maker.make(&fields, &tags));
    for (at, name) in ["stage", "other_stage", "removed_stage"].into_iter().enumerate() {
        things.insert(name, text(&made["stages"][at], "id").to_owned());
    }
    let removed = json!({"id": things["removed_stage"], "new_stage_id": things["stage"]});
    let path = format!("/api/pipelines/{pipeline}/stages/remove-stage");
    maker.send(Request::new("POST", &path).json(&removed)).expect(200);
    let deal = json!({"lookup_value": "Deal"});
    things.insert("deal", maker.upsert(&format!("/api/records/{pipeline}/upsert"), &deal));
    things.insert("pipeline", pipeline);
}

fn make_records(maker: &mut Maker<'_>, object: &str, things: &mut Things) {
    let records = format!("/api/records/{object}");
    let upsert = format!("{records}/upsert");
    let fields = json!({"note": "before", "code": "c-1", "region": "North", "labels": ["vip"]});
    let record = maker.upsert(&upsert, &json!({"lookup_value": "Acme", "fields": fields}));
    let tags =
        maker.get(&format!("/api/custom-objects/{object}/fields/{}/tags", things["tags_field"]));
    things.insert("tag", text(&tags["results"][0], "id").to_owned());
    let archived = maker.upsert(&upsert, &json!({"lookup_value": "Gone"}));
    maker.delete(&format!("{records}/{archived}"));
    let bulk = format!("/api/custom-objects/{object}/bulk-archive-entity-record");
    let request = Request::new("POST", &bulk).json(&json!({"record_ids": [archived]}));
    things.insert("bulk", text(&maker.send(request).expect(200), "status_id").to_owned());
    // Streams are named by their senders; this one has a name that only this business uses.
    let named = things["object"].clone();
    let stream = Request::new("POST", &format!("{records}/bulk-upsert?stream_id={named}"))
        .header("Content-Type", "application/x-ndjson");
    let line = json!({"offset": 0, "lookup_value": "Acme", "fields": {"code": "c-1"}}).to_string();
    maker.send(stream.body(line.as_bytes()));
    things.insert("stream", named);
    things.insert("record", record);
    things.insert("archived_record", archived);
    let contact = json!({"lookup_value": "ada@example.com"});
    things.insert("contact", maker.upsert("/api/records/client_client/upsert", &contact));
}

fn make_activities(maker: &mut Maker<'_>, things: &mut Things) {
    things.insert("type", maker.make("/api/activities", &json!({"name": "Call"})));
    let about = json!({"custom_object_id": things["object"], "entity_id": things["record"]});
    let scheduled = json!({
        "activity_object_name": "call", "due_datetime": "2026-12-01", "associated_entities": [about],
        "employee_id": things["member"], "role_id": things["role"],
    });
    let activity = maker.make("/api/activities/scheduled-activity", &scheduled);
    let log = json!({"related_objects": [about], "notes": "it rang"});
    things.insert("activity", activity);
    things.insert("logged", maker.make("/api/activities/call/log-activity", &log));
    let gone = maker.make("/api/activities", &json!({"name": "Fax"}));
    maker.delete(&format!("/api/activities/{gone}"));
    things.insert("deleted_type", gone);
}

/// Makes things for one of the businesses.
struct Maker<'f> {
    fixture: &'f mut Fixture,
    headers: &'f [(&'static str, String)],
}

impl Maker<'_> {
    fn send(&mut self, request: Request) -> Answer {
        let with =
            |request: Request, (name, value): &(&'static str, String)| request.header(name, value);
        self.fixture.send(&self.headers.iter().fold(request, with))
    }

    fn get(&mut self, target: &str) -> Value {
        self.send(Request::new("GET", target)).expect(200)
    }

    fn post(&mut self, target: &str, body: &Value) -> Value {
        self.send(Request::new("POST", target).json(body)).expect(201)
    }

    /// Makes something and gives its id.
    fn make(&mut self, target: &str, body: &Value) -> String {
        text(&self.post(target, body), "id").to_owned()
    }

    fn upsert(&mut self, target: &str, body: &Value) -> String {
        let made = self.send(Request::new("POST", target).json(body)).expect(200);
        assert_includes(&made, &json!({"action": "created"}));
        text(&made, "id").to_owned()
    }

    fn delete(&mut self, target: &str) {
        self.send(Request::new("DELETE", target)).expect_empty(204);
    }
}
