//! Changes of the schema: each one entry, with what it was about, also when that is gone.

use crate::api::changes::{all, each, end, entries, page};
use crate::support::{Fixture, assert_includes, text, until};
use serde_json::{Value, json};

struct Scene {
    fixture: Fixture,
    after: String,
}

impl Scene {
    fn new() -> Self {
        let mut fixture = Fixture::new();
        fixture.object("accounts");
        let after = end(&mut fixture.client, "accounts");
        Self { fixture, after }
    }

    /// What has come since the last look: what each entry says of the schema.
    #[track_caller]
    fn told(&mut self, expected: &[Value]) {
        let page = page(&mut self.fixture.client, "accounts", &format!("after={}", self.after));
        text(&page, "next_cursor").clone_into(&mut self.after);
        for entry in entries(&page) {
            let nothing = json!({
                "action": "schema", "id": null, "version": null, "keys": null, "changed_fields": [],
            });
            assert_includes(entry, &nothing);
        }
        assert_eq!(each(entries(&page), "schema"), expected);
    }

    fn patch(&mut self, path: &str, body: &Value) -> Value {
        self.fixture.client.patch(&format!("/api/custom-objects/accounts{path}"), body).expect(200)
    }
}

fn named(value: &Value) -> Value {
    json!({"id": value["id"], "name": value["name"]})
}

#[test]
fn fields_and_options_come_and_go_and_each_is_told_once() {
    let mut scene = Scene::new();
    let body = json!({
        "field_type": "dropdown", "display_name": "Region", "name": "region",
        "options": [{"name": "North"}, {"name": "South"}],
    });
    let region = scene.fixture.field("accounts", &body);
    let field = named(&region);
    scene.told(&[json!({"change": "field_created", "field": field})]);
    let [north, south] = [0, 1].map(|at| region["options"][at].clone());
    let options = "/api/custom-objects/accounts/fields/region/options";
    let east = scene.fixture.client.post(options, &json!({"name": "East"})).expect(201);
    scene.told(&[json!({"change": "option_created", "field": field, "option": named(&east)})]);
    let path = format!("/fields/region/options/{}", text(&north, "id"));
    let polar = scene.patch(&path, &json!({"name": "Polar"}));
    scene.told(&[json!({"change": "option_updated", "field": field, "option": named(&polar)})]);
    let replace = format!("{options}/{}/replace", text(&polar, "id"));
    scene.fixture.client.post(&replace, &json!({"id": south["id"]})).expect(200);
    scene.told(&[json!({
        "change": "option_replaced", "field": field, "option": named(&polar),
        "replaced_by": named(&south),
    })]);
    scene.fixture.client.delete(&format!("{options}/{}", text(&east, "id"))).expect_empty(204);
    scene.told(&[json!({"change": "option_deleted", "field": field, "option": named(&east)})]);
    let list = json!({"options": [{"id": south["id"], "name": "Down"}, {"name": "Up"}]});
    let changed = scene.patch("/fields/region", &list);
    let [down, up] = [0, 1].map(|at| named(&changed["options"][at]));
    scene.told(&[
        json!({"change": "option_updated", "field": field, "option": down}),
        json!({"change": "option_created", "field": field, "option": up}),
    ]);
    scene.patch("/fields/region", &json!({"description": "Where"}));
    scene.told(&[json!({"change": "field_updated", "field": field})]);
    scene.fixture.client.delete("/api/custom-objects/accounts/fields/region").expect_empty(204);
    scene.told(&[json!({"change": "field_deleted", "field": field})]);
    scene.patch("", &json!({"description": "x"}));
    scene.told(&[json!({"change": "object_updated"})]);
    // What was told of an option whose field is gone can no longer name the field.
    let found = all(&mut scene.fixture.client, "accounts", "");
    assert_eq!(found[2]["schema"], json!({"change": "option_created", "option": named(&east)}));
    assert_eq!(each(&found, "seq"), (1..=11).map(Value::from).collect::<Vec<_>>());
}

#[test]
fn a_removed_stage_names_the_one_that_its_records_are_in() {
    let mut fixture = Fixture::new();
    let body = json!({
        "object_name": "Deals", "name": "deals", "object_type": "pipeline",
        "pipeline": {"stages": [{"name": "New"}, {"name": "Old"}]},
    });
    fixture.client.post("/api/custom-objects", &body).expect(201);
    let stages = fixture.client.get("/api/pipelines/deals/stages").expect(200);
    let after = end(&mut fixture.client, "deals");
    let body = json!({"id": stages[0]["id"], "new_stage_id": stages[1]["id"]});
    let answer = fixture.client.post("/api/pipelines/deals/stages/remove-stage", &body);
    assert!((200..300).contains(&answer.status), "{answer}");
    let page = page(&mut fixture.client, "deals", &format!("after={after}"));
    assert_includes(
        &page["results"],
        &json!([{"schema": {
            "change": "stage_removed", "field": {"name": "stage"},
            "option": named(&stages[0]), "replaced_by": named(&stages[1]),
        }}]),
    );
}

#[test]
fn a_member_who_is_deleted_is_told_once_in_every_object_that_can_name_one() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let team: Vec<String> = ["ada", "bob"]
        .iter()
        .map(|name| {
            let body = json!({"email": format!("{name}@example.com")});
            text(&fixture.client.post("/api/team", &body).expect(201), "id").to_owned()
        })
        .collect();
    let removals = |fixture: &mut Fixture, object: &str| {
        let found = all(&mut fixture.client, object, "actions=schema");
        let schemas = each(&found, "schema").into_iter();
        schemas.filter(|schema| schema["change"] == "member_removed").collect::<Vec<_>>()
    };
    let told = |member: &String| json!({"change": "member_removed", "member": {"id": member}});
    for (at, member) in team.iter().enumerate() {
        fixture.client.delete(&format!("/api/team/{member}")).expect_empty(204);
        until("the object to hear of it", || {
            (removals(&mut fixture, "accounts").len() == at + 1).then_some(())
        });
    }
    // Made when they were gone already.
    fixture.object("later");
    fixture.snapshot();
    let mut fixture = fixture.after_a_crash();
    let expected: Vec<Value> = team.iter().map(told).collect();
    assert_eq!(removals(&mut fixture, "accounts"), expected);
    assert_eq!(removals(&mut fixture, "later"), [Value::Null; 0]);
    assert_eq!(removals(&mut fixture, "client_client"), [Value::Null; 0], "it names nobody");
}
