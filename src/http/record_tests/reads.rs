//! Lookup, the list, and which fields a read shows.

use super::{ACCOUNTS, World, id_of, values};
use crate::http::test_support::Answer;
use serde_json::{Value, json};

fn names(record: &Value) -> Vec<String> {
    let values = values(record);
    values.as_object().unwrap().keys().cloned().collect()
}

#[actix_web::test]
async fn lookup_finds_by_the_key_or_by_the_exact_spelling() {
    let world = World::start().await;
    let id = world.created("Straße", &json!({})).await;
    let check = async |query: &str, is_found: bool| {
        let answer = world.server.get(&format!("{ACCOUNTS}/lookup?{query}")).await;
        if is_found {
            assert!(answer.headers.contains_key("etag"));
            let body = answer.expect(200);
            assert_eq!((&body["id"], body.get("action")), (&json!(id), None), "{query}");
        } else {
            answer.expect_error(404, "not_found");
        }
    };
    check("identifier=STRASSE", true).await;
    check("identifier=%20stra%C3%9Fe%20", true).await;
    check("identifier=STRASSE&match_case=true", false).await;
    check("identifier=+Stra%C3%9Fe&match_case=1", true).await;
    check("identifier=Strasse+2", false).await;
    check("identifier=STRASSE&by=name", true).await;
}

#[actix_web::test]
async fn lookup_by_another_unique_field_reads_the_value_as_that_field_does() {
    let world = World::start().await;
    let unique = json!({"external_id": "X-1", "seats": 8, "mail": "Jo@Example.com"});
    let id = world.created("Acme", &unique).await;
    let lookup = async |query: &str| -> Answer {
        world.server.get(&format!("{ACCOUNTS}/lookup?{query}")).await
    };
    for query in [
        "by=external_id&identifier=x-1",
        "by=seats&identifier=8.0",
        "by=mail&identifier=jo@example.COM",
    ] {
        assert_eq!(id_of(&lookup(query).await.expect(200)), id, "{query}");
    }
    for (query, code, at) in [
        ("by=remark&identifier=a", "invalid_choice", "by"),
        ("by=nothing&identifier=a", "does_not_exist", "by"),
        ("by=seats&identifier=many", "invalid", "identifier"),
        ("by=external_id", "required", "identifier"),
        ("identifier=", "blank", "identifier"),
        ("identifier=+", "blank", "identifier"),
        ("identifier=a&match_case=maybe", "invalid", "match_case"),
    ] {
        let answer = lookup(query).await;
        assert_eq!(answer.faults(), [(code.to_owned(), at.to_owned())], "{query}");
        // A read has no `fields` to mirror.
        assert_eq!(answer.expect_error(400, code).get("fields"), None);
    }
    lookup("by=seats&identifier=9").await.expect_error(404, "not_found");
    world.archive(&id).await;
    lookup("by=external_id&identifier=X-1").await.expect_error(404, "not_found");
}

#[actix_web::test]
async fn a_read_shows_the_fields_that_are_asked_for() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({"remark": "r", "secret": "s"})).await;
    let default = ["created", "display_name", "name", "owner", "updated"];
    let all = ["active", "created", "display_name", "name", "owner", "remark", "updated"];
    let remark = world.field("remark");
    let check = async |query: &str, expected: &[&str]| {
        for path in [format!("{ACCOUNTS}/{id}?"), format!("{ACCOUNTS}/lookup?identifier=acme&")] {
            let read = world.server.get(&format!("{path}{query}")).await.expect(200);
            let mut names = names(&read);
            names.sort_unstable();
            assert_eq!(names, expected, "{path}{query}");
        }
    };
    check("", &all).await;
    check("all_fields=true", &all).await;
    check("all_fields=false", &default).await;
    check("field_names=", &default).await;
    check("field_ids=&field_names=", &default).await;
    check("field_names=remark,nothing,note", &["remark"]).await;
    check(&format!("field_ids={remark}&field_names=active,remark"), &["active", "remark"]).await;
    check("field_names=remark&all_fields=true", &all).await;
    check("field_names=secret,name", &["name"]).await;
}

#[actix_web::test]
async fn the_list_shows_live_records_oldest_first_and_page_by_page() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(world.created(name, &json!({})).await);
    }
    world.archive(&ids[1]).await;
    let list = async |query: &str| world.server.get(&format!("{ACCOUNTS}?{query}")).await;
    let shown = |page: &Value| -> Vec<String> {
        let rows = page["results"].as_array().unwrap().iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = list("page_size=3&field_names=name").await.expect(200);
    assert_eq!(
        (&first["count"], shown(&first)),
        (&json!(4), ["a", "c", "d"].map(String::from).into())
    );
    let next = "http://crm.example.com/api/records/accounts?page_size=3&field_names=name&page=2";
    assert_eq!((&first["next"], &first["previous"]), (&json!(next), &Value::Null));
    assert_eq!(
        (names(&first["results"][0]), &first["errors"]),
        (vec!["name".into()], &Value::Null)
    );
    let second = list("page_size=3&page=2").await.expect(200);
    assert_eq!((shown(&second), &second["next"]), (vec!["e".into()], &Value::Null));
    list("page_size=3&page=3").await.expect_error(404, "not_found");

    let only = list("archived=only").await.expect(200);
    assert_eq!((&only["count"], shown(&only)), (&json!(1), vec!["b".into()]));
    assert_eq!(only["results"][0]["archived_by"]["id"], json!(world.admin()));
    let all = list("archived=include").await.expect(200);
    assert_eq!((&all["count"], shown(&all).len()), (&json!(5), 5));
    assert_eq!(all["results"][0].get("archived_at"), None);
    let bad = list("archived=maybe").await;
    assert_eq!(bad.faults(), [("invalid_choice".to_owned(), "archived".to_owned())]);
}
