//! What cannot be seen answers exactly as what does not exist.

use super::{Scene, on_accounts, records, request, shown};
use crate::support::{Answer, text};
use serde_json::{Value, json};

const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

/// May do with its own records whatever there is to be done.
fn on_own() -> Value {
    let more = json!({"create_record": true, "unarchive_associated": true});
    on_accounts(&records(0, 3, &more))
}

#[test]
fn a_record_that_cannot_be_seen_answers_as_an_unknown_one() {
    let mut scene = Scene::new(&on_own());
    let live = scene.record("others", false);
    let archived = scene.archived("others' archived", false);
    let member = scene.member.clone();
    let change = json!({"fields": {"note": "x"}});
    let none = Value::Null;
    for id in [&live, &archived] {
        for (method, rest, body) in [
            ("GET", "", &none),
            ("GET", "?include_archived=true", &none),
            ("PATCH", "", &change),
            ("PATCH", "", &json!({"fields": {"nobody": 1}})),
            ("PUT", "", &change),
            ("PUT", "?replace=true", &change),
            ("DELETE", "", &none),
            ("DELETE", "?purge=true", &none),
            ("PATCH", "/unarchive", &json!({})),
            ("PATCH", "/unarchive", &json!({"identifier": "other"})),
            ("GET", "/team-members", &none),
            ("PUT", &*format!("/team-members/{member}"), &none),
            ("DELETE", &*format!("/team-members/{member}"), &none),
        ] {
            let ask = |scene: &mut Scene, id: &str| {
                let path = format!("/api/records/accounts/{id}{rest}");
                scene.client.send(&request(method, &path, body))
            };
            let (seen, unknown) = (ask(&mut scene, id), ask(&mut scene, UNKNOWN));
            assert_eq!(shown(&seen, id, UNKNOWN), shown(&unknown, id, UNKNOWN), "{seen}");
            assert!([403, 404].contains(&seen.status), "{seen}");
        }
    }
    let lookup = |name: &str| format!("/api/records/accounts/lookup?identifier={name}");
    let seen = scene.client.send(&request("GET", &lookup("others"), &none));
    let unknown = scene.client.send(&request("GET", &lookup("nobody"), &none));
    assert_eq!(shown(&seen, "", ""), shown(&unknown, "", ""));
}

#[test]
fn an_object_that_cannot_be_seen_answers_as_an_unknown_one() {
    let mut scene = Scene::new(&json!({"sections": {"settings": 2, "team": 3}}));
    let object = scene.fixture.client.get("/api/custom-objects/accounts").expect(200);
    let object = text(&object, "id").to_owned();
    let record = scene.record("mine", true);
    let (none, empty) = (Value::Null, json!({}));
    let records = "/api/records/OBJECT";
    let schema = "/api/custom-objects/OBJECT";
    let paths = [
        ("GET", records.to_owned(), &none),
        ("POST", format!("{records}/search"), &empty),
        ("POST", format!("{records}/upsert"), &json!({"lookup_value": "mine"})),
        ("POST", format!("{records}/add"), &json!({"fields": {"name": "mine"}})),
        ("GET", format!("{records}/lookup?identifier=mine"), &none),
        ("GET", format!("{records}/{record}"), &none),
        ("PATCH", format!("{records}/{record}"), &empty),
        ("PUT", format!("{records}/{record}"), &empty),
        ("DELETE", format!("{records}/{record}"), &none),
        ("PATCH", format!("{records}/{record}/unarchive"), &empty),
        ("GET", format!("{records}/{record}/team-members"), &none),
        ("GET", schema.to_owned(), &none),
        ("GET", format!("{schema}/detail"), &none),
        ("GET", format!("{schema}/categories"), &none),
        ("GET", format!("{schema}/fields"), &none),
        ("POST", format!("{schema}/fields"), &json!({"field_type": "text"})),
        ("GET", format!("{schema}/fields/note"), &none),
        ("GET", format!("{schema}/fields/note/options"), &none),
        ("POST", format!("{schema}/fields/note/options"), &json!({"name": "x"})),
        ("GET", format!("{schema}/fields/note/tags"), &none),
    ];
    for (method, path, body) in paths {
        let mut ask = |object: &str| {
            scene.client.send(&request(method, &path.replace("OBJECT", object), body))
        };
        let unknown = ask("nobody");
        for reference in ["accounts", &object] {
            let seen = ask(reference);
            assert_eq!(shown(&seen, "", ""), shown(&unknown, "", ""), "{seen}");
            seen.expect_error(404, "not_found");
        }
    }
    let list = scene.client.get("/api/custom-objects?custom_only=false").expect(200);
    assert_eq!((&list["count"], &list["access"]), (&json!(0), &json!({"edit": false})));
    let group = json!({"name": "x", "objects": {"accounts": {"settings": 1}}});
    let unknown = json!({"name": "x", "objects": {"nobody": {"settings": 1}}});
    let path = "/api/permission-group";
    let seen = scene.client.send(&request("POST", path, &group));
    let unknown = scene.client.send(&request("POST", path, &unknown));
    assert_eq!(shown(&seen, "", ""), shown(&unknown, "nobody", "accounts"));
}

/// An answer that must not tell whose identifier is in the way.
#[track_caller]
fn tells_nothing_of(answer: &Answer, id: &str) {
    let body = answer.json().to_string();
    assert!(!body.contains(id) && !body.contains("conflicting_record_id"), "{answer}");
}

#[test]
fn an_identifier_of_others_is_refused_without_saying_whose_it_is() {
    let mut scene = Scene::new(&on_own());
    let others = scene.record("others", false);
    let mine = scene.record("mine", true);
    let upsert = |scene: &mut Scene, name: &str| {
        let body = json!({"lookup_value": name, "fields": {"note": "x"}});
        scene.client.post("/api/records/accounts/upsert", &body)
    };
    let refused = upsert(&mut scene, "OTHERS ");
    let body = refused.expect_error(403, "permission_required");
    assert_eq!(body["detail"], "You do not have permission to upsert this identifier.");
    tells_nothing_of(&refused, &others);

    let add = json!({"fields": {"name": "others"}});
    let taken = scene.client.post("/api/records/accounts/add", &add);
    taken.expect_error(400, "unique");
    tells_nothing_of(&taken, &others);
    let path = format!("/api/records/accounts/{mine}");
    let renamed = scene.client.patch(&path, &json!({"fields": {"name": "others"}}));
    renamed.expect_error(400, "unique");
    tells_nothing_of(&renamed, &others);
    let body = json!({"lookup_value": "new", "fields": {"name": "others"}});
    let created = scene.client.post("/api/records/accounts/upsert", &body);
    created.expect_error(400, "unique");
    tells_nothing_of(&created, &others);

    // Where it may be seen it is named.
    let add = json!({"fields": {"name": "mine"}});
    let own = scene.client.post("/api/records/accounts/add", &add).expect_error(400, "unique");
    assert_eq!(own["errors"][0]["conflicting_record_id"], json!(mine));
}

#[test]
fn an_archived_holder_that_cannot_be_seen_is_a_conflict_without_a_choice() {
    let mut scene = Scene::new(&on_own());
    let others = scene.archived("others", false);
    let own = scene.archived("own", true);
    let mine = scene.record("mine", true);
    let path = format!("/api/records/accounts/{mine}");
    let upsert = "/api/records/accounts/upsert";
    let add = "/api/records/accounts/add";
    for (name, holder) in [("others", None), ("own", Some(&own))] {
        let as_upsert = json!({"lookup_value": name});
        let as_add = json!({"fields": {"name": name}});
        for (answer, parameter, choices) in [
            (scene.client.post(upsert, &as_upsert), "oncreate_unarchive", 2),
            (scene.client.post(add, &as_add), "unarchive", 2),
            (scene.client.patch(&path, &as_add), "archived_conflict", 1),
        ] {
            let body = answer.expect_error(409, "conflict");
            let conflict = &body["conflict"];
            assert_eq!(
                (&conflict["kind"], &conflict["parameter"]),
                (&json!("archived_identifier"), &json!(parameter))
            );
            assert_eq!(conflict["value"], name);
            if let Some(holder) = holder {
                assert_eq!(conflict["archived_record"]["id"], json!(holder));
                assert_eq!(conflict["choices"].as_array().map(Vec::len), Some(choices), "{answer}");
                assert_eq!(body["errors"][0]["conflicting_record_id"], json!(holder));
            } else {
                assert_eq!(
                    (&conflict["archived_record"], &conflict["choices"]),
                    (&Value::Null, &json!([]))
                );
                tells_nothing_of(&answer, &others);
            }
        }
    }
    // Any other mode is refused, whatever it would do.
    for mode in ["unarchive", "overwrite"] {
        for (path, body) in [
            (upsert, json!({"lookup_value": "others", "oncreate_unarchive": mode})),
            (
                upsert,
                json!({"lookup_value": "others", "oncreate_unarchive": mode, "fields": {"name": "free"}}),
            ),
            (add, json!({"fields": {"name": "others"}, "unarchive": mode})),
        ] {
            let answer = scene.client.post(path, &body);
            answer.expect_error(403, "permission_required");
            tells_nothing_of(&answer, &others);
        }
    }
    let body = json!({"fields": {"name": "others"}, "archived_conflict": "overwrite"});
    let answer = scene.client.patch(&path, &body);
    answer.expect_error(403, "permission_required");
    tells_nothing_of(&answer, &others);
    let read = scene.fixture.read_archived("accounts", &others).expect(200);
    assert_eq!((&read["name"], &read["version"]), (&json!("others"), &json!(2)));
}

#[test]
fn the_choices_of_a_conflict_are_those_that_the_caller_has() {
    let mut scene = Scene::new(&on_own());
    scene.archived("own", true);
    for (rights, choices) in [
        (records(1, 1, &json!({"unarchive_all": true})), vec!["unarchive"]),
        (records(0, 2, &json!({"create_record": true})), vec!["overwrite"]),
        (records(2, 2, &json!({})), vec![]),
        (
            records(2, 2, &json!({"create_record": true, "unarchive_associated": true})),
            vec!["unarchive", "overwrite"],
        ),
    ] {
        scene.allow(&json!({"records": rights}));
        let body = json!({"lookup_value": "own"});
        let answer = scene.client.post("/api/records/accounts/upsert", &body);
        let body = answer.expect_error(409, "conflict");
        let offered = body["conflict"]["choices"].as_array().expect("choices");
        let offered: Vec<_> = offered.iter().map(|choice| text(choice, "value")).collect();
        assert_eq!(offered, choices, "{rights}");
    }
}

#[test]
fn a_unique_value_that_is_hidden_or_of_others_is_named_by_nothing() {
    let mut scene = Scene::new(&on_own());
    for name in ["code", "pin"] {
        let body =
            json!({"field_type": "text", "display_name": name, "name": name, "is_unique": true});
        scene.fixture.field("accounts", &body);
    }
    let more = json!({"create_record": true, "unarchive_all": true});
    scene.allow(&json!({"records": records(0, 3, &more), "fields": {"pin": 0}}));
    let member = scene.member.clone();
    let gone = scene.fixture.create(
        "accounts",
        "gone",
        &json!({"owner": member, "code": "c", "pin": "p"}),
    );
    let gone = text(&gone, "id").to_owned();
    scene.fixture.archive("accounts", &gone);
    let taker = scene.fixture.create("accounts", "taker", &json!({"code": "c", "pin": "p"}));
    let taker = text(&taker, "id").to_owned();

    let written = json!({"lookup_value": "new", "fields": {"code": "c"}});
    let refused = scene.client.post("/api/records/accounts/upsert", &written);
    let body = refused.expect_error(400, "unique");
    assert_eq!(body["errors"][0]["field"], "code");
    tells_nothing_of(&refused, &taker);

    let answer = scene.client.patch(&format!("/api/records/accounts/{gone}/unarchive"), &json!({}));
    let body = answer.expect_error(409, "conflict");
    tells_nothing_of(&answer, &taker);
    let nothing = json!({"field": null, "value": null, "held_by": null});
    let fields = &body["conflict"]["fields"];
    assert_eq!(fields.as_array().map(Vec::len), Some(2), "{answer}");
    assert_eq!(
        (&fields[0]["value"], &fields[0]["held_by"], &fields[1]),
        (&json!("c"), &Value::Null, &nothing)
    );
    assert!(!body.to_string().contains("pin"), "{answer}");
    assert!(body["errors"][1].get("field").is_none(), "{answer}");
    assert_eq!(body["non_field_errors"].as_array().map(Vec::len), Some(1), "{answer}");
}

/// The first stage that fails answers.
#[test]
fn rights_are_asked_for_in_their_order() {
    let mut scene = Scene::new(&on_own());
    let others = scene.record("others", false);
    let path = format!("/api/records/accounts/{others}");
    let bad_fields = json!({"fields": {"nobody": 1, "created": 2}});
    // What is wrong with the shape comes before every right, what is wrong with values behind it.
    let answer = scene.client.patch(&path, &json!({"fields": 5}));
    answer.expect_error(400, "invalid");
    scene.client.patch(&path, &bad_fields).expect_error(404, "not_found");
    scene.allow(&json!({"records": records(1, 2, &json!({}))}));
    scene.client.patch(&path, &bad_fields).expect_error(403, "permission_required");
    scene.allow(&json!({"records": records(2, 2, &json!({}))}));
    scene.client.patch(&path, &bad_fields).expect_error(403, "forbidden_field_write");
    scene
        .client
        .patch(&path, &json!({"fields": {"nobody": 1}}))
        .expect_error(400, "does_not_exist");
    let create = json!({"lookup_value": "new", "fields": {"nobody": 1}});
    scene
        .client
        .post("/api/records/accounts/upsert", &create)
        .expect_error(403, "permission_required");
    // Without any right that a write could need, nobody is looked for.
    scene.allow(&json!({"records": records(1, 1, &json!({}))}));
    let unknown = format!("/api/records/accounts/{UNKNOWN}");
    for path in [&path, &unknown] {
        scene.client.patch(path, &bad_fields).expect_error(403, "permission_required");
        scene.client.delete(path).expect_error(403, "permission_required");
    }
    let body = scene.client.patch(&path, &bad_fields).expect(403);
    let forms = (&body["fields"], &body["non_field_errors"]);
    assert_eq!(forms, (&json!({}), &json!([])), "the forms of a record's write");
}
