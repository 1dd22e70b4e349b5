//! How a record and each type of value look.

use super::{ACCOUNTS, CONTACT, World, id_of, values};
use crate::http::test_support::{NOW_TEXT, TestServer};
use serde_json::{Value, json};

/// A value that is written to a field reads as `read`, in the write's answer and afterwards.
async fn check(world: &World, field: &str, written: Value, read: Value) {
    let fields = json!([{"name": field, "value": written}]);
    let id = world.created(&format!("{field} {written}"), &fields).await;
    let (path, body) = (format!("{ACCOUNTS}/{id}"), json!({"fields": fields}));
    let answer = world.server.patch(&path, &body).await.expect(200);
    assert_eq!(values(&answer)[field], read, "{field} {written}");
    let id_of_field = world.field(field);
    let shown = &answer["fields"][&id_of_field];
    assert_eq!((&shown["id"], &shown["name"]), (&json!(id_of_field), &json!(field)));
    let kept = values(&world.read(&id).await);
    let expected = if read.is_null() { None } else { Some(&read) };
    assert_eq!(kept.get(field), expected, "{field} {written}");
}

#[actix_web::test]
async fn every_type_reads_as_the_contract_says() {
    let world = World::start().await;
    let north = world.region("North");
    for (field, written, read) in [
        ("remark", json!("  a \"quote\" é\n"), json!("a \"quote\" é")),
        ("remark", json!(12.5), json!("12.5")),
        ("note", json!(" kept "), json!(" kept ")),
        ("mail", json!(" Jo@Example.com "), json!("Jo@Example.com")),
        ("seats", json!("8"), json!(8)),
        ("seats", json!(-7.0), json!(-7)),
        ("rate", json!(5), json!(5.0)),
        ("rate", json!("12.50"), json!(12.5)),
        ("rate", json!(1e-6), serde_json::from_str("0.000001").unwrap()),
        ("rate", json!(123_456_789_012_345_i64), json!(123_456_789_012_345.0)),
        ("active", json!("yes"), json!(true)),
        ("active", json!(null), json!(false)),
        ("since", json!("2026-11-24T23:00:00-08:00"), json!("2026-11-24")),
        ("seen", json!("2026-11-24T06:40:00.123999+01:00"), json!(NOW_TEXT)),
        ("seen", json!("2026-11-24"), json!("2026-11-24T00:00:00.000000+00:00")),
        ("region", json!("n"), json!({"id": north, "code": "n", "name": "North"})),
        ("region", json!({"id": north}), json!({"id": north, "code": "n", "name": "North"})),
        ("remark", json!(""), Value::Null),
        ("note", json!(null), Value::Null),
        ("labels", json!([]), Value::Null),
        ("secret", json!(null), Value::Null),
    ] {
        check(&world, field, written, read).await;
    }
}

#[actix_web::test]
async fn a_decimal_is_written_with_a_point_and_never_with_an_exponent() {
    let world = World::start().await;
    for (written, digits) in
        [("0.000001", "0.000001"), ("1e14", "100000000000000.0"), ("-0", "0.0")]
    {
        let fields = json!({"rate": written});
        let body = json!({"lookup_value": "Acme", "fields": fields});
        let answer = world.upsert(&body).await.expect(200).to_string();
        assert!(answer.contains(&format!("\"value\":{digits}}}")), "{written}: {answer}");
    }
}

#[actix_web::test]
async fn tags_and_members_read_as_what_they_refer_to() {
    let world = World::start().await;
    let bot = json!({"id": super::BOT.to_string(), "deleted": false, "first_name": "Ops",
        "last_name": "Bot", "email": "bot@example.com", "display_name": "Ops Bot"});
    let fields = json!({"labels": ["vip", "Big"], "agent": {"email": "BOT@example.com"},
        "helpers": [super::BOT.to_string()]});
    let id = world.created("Acme", &fields).await;
    let read = values(&world.read(&id).await);
    let (vip, big) = (world.label("vip"), world.label("Big"));
    let tags = json!([{"id": vip, "name": "vip"}, {"id": big, "name": "Big"}]);
    assert_eq!(read["labels"], tags);
    assert_eq!(read["agent"], bot);
    assert_eq!(read["helpers"], json!([bot]));
    assert_eq!(read["owner"]["id"], json!(world.admin()));
    assert_eq!(read["owner"]["display_name"], json!("admin@upsertd.invalid"));
}

#[actix_web::test]
async fn a_write_answer_is_that_of_the_contract() {
    let world = World::start().await;
    let north = world.region("North");
    let fields = json!([{"name": "region", "value": {"name": "North"}}]);
    let answer = world.upsert(&json!({"lookup_value": " Acme Corp ", "fields": fields})).await;
    assert_eq!(answer.headers.get("x-upsert-action").unwrap(), "created");
    let etag = answer.headers.get("etag").unwrap().to_str().unwrap().to_owned();
    assert!(etag.starts_with("\"1.") && etag.ends_with('"'), "{etag}");
    let body = answer.expect(200);
    let field = |name: &str, label: &str, field_type: &str, value: Value| {
        let id = world.field(name);
        let shown = json!({"id": id, "name": name, "display_name": label,
            "field_type": field_type, "value": value});
        (id, shown)
    };
    let admin = json!({"id": world.admin(), "deleted": false, "first_name": "", "last_name": "",
        "email": "admin@upsertd.invalid", "display_name": "admin@upsertd.invalid"});
    let region = json!({"id": north, "code": "n", "name": "North"});
    let fields: serde_json::Map<_, _> = [
        field("name", "Account Name", "text", json!("Acme Corp")),
        field("owner", "Owner", "team_selector", admin),
        field("region", "region", "dropdown", region),
        field("updated", "Last Modified", "datetime", json!(NOW_TEXT)),
    ]
    .into_iter()
    .collect();
    let id = id_of(&body);
    let expected = json!({
        "id": id, "object_type": "standard", "name": "Acme Corp", "display_name": "Acme Corp",
        "fields": fields, "access": {"view": true, "edit": true, "remove": true},
        "client_info": null, "num_upcoming_activities": 0, "num_associated_team_members": 1,
        "created": NOW_TEXT, "updated": NOW_TEXT, "version": 1, "action": "created"});
    assert_eq!(body, expected);
}

#[actix_web::test]
async fn a_contact_shows_its_name_or_its_address() {
    let server = TestServer::start().await;
    let check = async |fields: Value, name: &str, display_name: &str, info: Value| {
        let body = json!({"lookup_value": "jo@example.com", "fields": fields});
        let path = format!("{CONTACT}/upsert?return_all_fields=true");
        let body = server.post(&path, &body).await.expect(200);
        assert_eq!((&body["name"], &body["display_name"]), (&json!(name), &json!(display_name)));
        assert_eq!(body["client_info"], info);
        assert_eq!(body["num_associated_team_members"], 0);
        let full_name = values(&body).get("full_name").cloned();
        assert_eq!(full_name, Some(json!(name)).filter(|_| !name.is_empty()));
    };
    let info = |first: &str, last: &str, full: &str| json!({"first_name": first, "last_name": last, "full_name": full, "email": "jo@example.com"});
    check(json!([]), "", "jo@example.com", info("", "", "")).await;
    check(json!({"last_name": "Doe"}), "Doe", "Doe", info("", "Doe", "Doe")).await;
    check(json!({"first_name": "Jo"}), "Jo Doe", "Jo Doe", info("Jo", "Doe", "Jo Doe")).await;
}

#[actix_web::test]
async fn a_checkbox_that_came_later_reads_false_and_a_hidden_field_is_not_shown() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({"secret": "s"})).await;
    world.add_field(super::new_field("later", "checkbox")).await;
    let read = values(&world.read(&id).await);
    assert_eq!((&read["later"], read.get("secret")), (&json!(false), None));
    let hidden = format!("{ACCOUNTS}/{id}?include_hidden_fields=true");
    let read = values(&world.server.get(&hidden).await.expect(200));
    assert_eq!(read["secret"], "s");
}

#[actix_web::test]
async fn the_tag_of_a_record_changes_with_its_version_and_with_the_schema() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({})).await;
    let path = format!("{ACCOUNTS}/{id}");
    let etag = async || {
        let answer = world.server.get(&path).await;
        answer.headers.get("etag").unwrap().to_str().unwrap().to_owned()
    };
    let first = etag().await;
    assert_eq!(etag().await, first);
    let written = world.server.patch(&path, &json!({"fields": {"remark": "x"}})).await;
    let second = etag().await;
    assert_eq!(written.headers.get("etag").unwrap(), second.as_str());
    world.add_field(super::new_field("later", "text")).await;
    let third = etag().await;
    let version = |tag: &str| tag.split('.').next().unwrap().to_owned();
    let view = |tag: &str| tag.split('.').nth(1).unwrap().to_owned();
    assert_eq!((version(&first), version(&second)), ("\"1".into(), "\"2".into()));
    assert_eq!((version(&second), view(&first)), (version(&third), view(&second)));
    assert_ne!(view(&second), view(&third));
}
