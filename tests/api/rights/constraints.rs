//! Unique constraints and those who may not see all of their fields or records.

use super::{Scene, records};
use crate::support::text;
use serde_json::{Value, json};

const OBJECT: &str = "/api/custom-objects/accounts";

/// A scene whose notes and secrets are unique together; the member sees no secret.
fn scene(all: u8, associated: u8) -> Scene {
    let more = json!({"create_record": true, "unarchive_all": true});
    let entry = json!({
        "settings": 2, "records": records(all, associated, &more), "fields": {"secret": 0},
    });
    let mut scene = Scene::new(&json!({"objects": {"accounts": entry}}));
    let list = json!({"unique_constraints": [["note", "secret"]]});
    scene.fixture.client.patch(OBJECT, &list).expect(200);
    scene
}

fn constraints(scene: &mut Scene, is_member: bool) -> Value {
    let client = if is_member { &mut scene.client } else { &mut scene.fixture.client };
    client.get(OBJECT).expect(200)["unique_constraints"].clone()
}

#[test]
fn a_constraint_with_a_hidden_field_is_neither_shown_nor_named_nor_taken_away() {
    let mut scene = scene(2, 2);
    let hidden = json!([["note", "secret"]]);
    assert_eq!(constraints(&mut scene, true), json!([]));
    let references = format!("{OBJECT}/fields/note/references");
    let shown = scene.client.get(&references).expect(200)["unique_constraints"].clone();
    assert_eq!(shown, json!([]));
    let named = scene.client.patch(OBJECT, &json!({"unique_constraints": hidden}));
    let named = named.expect_error(400, "does_not_exist");
    assert_eq!(named["errors"][0]["parameter"], "unique_constraints[0][1]");
    let unknown = scene.client.patch(OBJECT, &json!({"unique_constraints": [["note", "no_such"]]}));
    assert_eq!(unknown.expect(400)["errors"], named["errors"], "as an unknown name");
    for (given, all) in [
        (json!([["note", "name"]]), json!([["note", "name"], ["note", "secret"]])),
        (json!([]), hidden),
    ] {
        let change = json!({"unique_constraints": given});
        let changed = scene.client.patch(OBJECT, &change).expect(200);
        assert_eq!(changed["unique_constraints"], given);
        assert_eq!(constraints(&mut scene, false), all, "what is not seen stays");
    }
}

#[test]
fn uniqueness_that_involves_a_hidden_field_names_nothing() {
    let mut scene = scene(2, 2);
    let fields = json!({"note": "n", "secret": "s"});
    let first = scene.fixture.create("accounts", "first", &fields);
    let other = scene.fixture.create("accounts", "other", &json!({"note": "m", "secret": "s"}));
    let path = format!("/api/records/accounts/{}", text(&other, "id"));
    let refused = scene.client.patch(&path, &json!({"fields": {"note": "n"}}));
    let refused = refused.expect_error(400, "unique");
    let error = json!({
        "code": "unique", "message": refused["errors"][0]["message"], "retryable": false,
    });
    assert_eq!(refused["errors"], json!([error]));
    assert_eq!(refused["non_field_errors"].as_array().map(Vec::len), Some(1));
    scene.fixture.archive("accounts", text(&first, "id"));
    scene.fixture.client.patch(&path, &json!({"fields": {"note": "n"}})).expect(200);
    let path = format!("/api/records/accounts/{}/unarchive", text(&first, "id"));
    for path in [path.clone(), format!("{path}?on_restore_conflict=clear")] {
        let refused = scene.client.patch(&path, &json!({})).expect_error(409, "conflict");
        let nothing = json!([{"field": null, "value": null, "held_by": null}]);
        assert_eq!(refused["conflict"]["fields"], nothing);
        assert_eq!(refused["errors"].as_array().map(Vec::len), Some(1));
        let text = refused.to_string();
        assert!(!text.contains("secret") && !text.contains(text_of(&other)), "{text}");
    }
}

fn text_of(record: &Value) -> &str {
    text(record, "id")
}

#[test]
fn a_holder_that_cannot_be_read_is_not_named() {
    let mut scene = scene(0, 2);
    let list = json!({"unique_constraints": [["note", "secret"], ["note", "name"]]});
    scene.fixture.client.patch(OBJECT, &list).expect(200);
    scene.allow(&json!({
        "settings": 2, "records": records(0, 2, &json!({"create_record": true})),
    }));
    let others = scene.record("others", false);
    let fields = json!({"note": "N", "secret": "S", "name": "mine"});
    let refused = scene.client.post("/api/records/accounts/add", &json!({"fields": fields}));
    let refused = refused.expect_error(400, "unique");
    let errors = refused["errors"].as_array().expect("errors");
    let named: Vec<_> = errors.iter().map(|error| &error["field"]).collect();
    assert_eq!(named, ["note", "secret"]);
    assert!(!refused.to_string().contains(&others), "{refused}");
}

/// A survey counts and names what the caller can read, and not a record or value more.
#[test]
fn a_survey_counts_only_what_can_be_read() {
    let entry = json!({"settings": 2, "records": records(0, 1, &json!({}))});
    let mut scene = Scene::new(&json!({"objects": {"accounts": entry}}));
    scene.fixture.text_field("accounts", "place");
    let mut make = |name: &str, is_mine: bool, note: &str| {
        let mut fields = json!({"note": note, "secret": "s", "place": note});
        if is_mine {
            fields["owner"] = json!(scene.member);
        }
        text(&scene.fixture.create("accounts", name, &fields), "id").to_owned()
    };
    make("a", false, "Shared");
    let mine = make("b", true, "shared");
    for name in ["c", "d"] {
        make(name, false, "others alone");
    }
    let note = format!("{OBJECT}/fields/note");
    let unique = json!({"is_unique": true});
    let seen = json!([{"record_ids": [mine], "value": "shared"}]);
    let refused = scene.client.patch(&note, &unique).expect_error(400, "constraint_violated");
    assert_eq!((&refused["count"], &refused["violations"]), (&json!(1), &seen));
    let list = json!({"unique_constraints": [["note", "secret"]]});
    let seen = json!([{"record_ids": [mine], "value": ["shared", "s"]}]);
    let refused = scene.client.patch(OBJECT, &list).expect_error(400, "constraint_violated");
    assert_eq!((&refused["count"], &refused["violations"]), (&json!(1), &seen));
    let refused = scene.fixture.client.patch(OBJECT, &list).expect(400);
    assert_eq!(refused["count"], 2, "an administrator sees all of it");
    // Where nothing of it can be seen the rule is refused all the same.
    scene.fixture.archive("accounts", &mine);
    let refused = scene.client.patch(&note, &unique).expect_error(400, "constraint_violated");
    assert_eq!((&refused["count"], &refused["violations"]), (&json!(0), &json!([])));
    let required = json!({"is_required": true});
    let blank = scene.fixture.create("accounts", "blank", &json!({}));
    let refused = scene.client.patch(&note, &required).expect_error(400, "constraint_violated");
    assert_eq!((&refused["count"], &refused["violations"]), (&json!(0), &json!([])));
    assert!(!refused.to_string().contains(text(&blank, "id")));
}

#[test]
fn a_survey_of_how_names_match_names_what_can_be_read() {
    let entry = json!({"settings": 2, "records": records(0, 1, &json!({}))});
    let mut scene = Scene::new(&json!({"objects": {"accounts": entry}}));
    let sensitive = json!({"identifier_case": "sensitive"});
    scene.fixture.client.patch(OBJECT, &sensitive).expect(200);
    let mine = scene.record("Mine", true);
    scene.record("MINE", false);
    scene.record("others", false);
    let archived = scene.archived("OTHERS", false);
    let fold = json!({"identifier_case": "insensitive"});
    let refused = scene.client.patch(OBJECT, &fold).expect_error(400, "constraint_violated");
    let seen = json!([{"record_ids": [mine], "value": "Mine"}]);
    assert_eq!((&refused["count"], &refused["violations"]), (&json!(1), &seen));
    let refused = scene.fixture.client.patch(OBJECT, &fold).expect(400);
    assert_eq!(refused["count"], 2);
    assert!(refused.to_string().contains(&archived), "whoever may read it is told");
}
