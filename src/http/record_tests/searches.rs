//! Searches: groups, words, orders, cursors, and what is refused.

use super::{ACCOUNTS, CONTACT, NewField, NewOption, World, new_field};
use crate::http::test_support::Answer;
use serde_json::{Value, json};
use std::time::Duration;

/// Fields of the types that accounts do not have yet; those of options offer `A` and `B`.
fn further_fields() -> Vec<NewField> {
    let option = |name: &str| NewOption { name: Some(name.to_owned()), ..NewOption::default() };
    let choice = |name: &str, field_type: &str| NewField {
        options: Some(vec![option("A"), option("B")]),
        ..new_field(name, field_type)
    };
    vec![
        new_field("phone", "phonenumber"),
        new_field("price", "money"),
        new_field("stars", "rating"),
        new_field("zone", "timezone"),
        choice("size", "radio"),
        choice("kind", "choices"),
        choice("state", "status"),
        choice("pick", "selector"),
        NewField { allow_multiple: Some(true), ..choice("picks", "selector") },
        choice("boxes", "checkboxes"),
        new_field("sure", "yesnomaybe"),
        new_field("papers", "files"),
    ]
}

/// Three accounts: one full, one full of other values, one blank.
pub(super) async fn world() -> World {
    let world = World::start().await;
    for field in further_fields() {
        world.add_field(field).await;
    }
    let full = json!({"remark": "Über Mut", "note": "A long Note", "mail": "Ann@Example.com",
        "seats": 10, "rate": "2.50", "active": true, "since": "2026-11-24",
        "seen": "2026-11-24T23:30:00Z", "region": {"name": "North"}, "labels": ["vip", "new"],
        "agent": {"email": "bot@example.com"}, "helpers": [{"email": "bot@example.com"}],
        "phone": "+12025550123", "price": "2.50", "stars": 4, "zone": "Europe/Berlin", "size": "A", "kind": "A",
        "state": "A", "pick": "A", "picks": ["A", "B"], "boxes": ["A", "B"], "sure": "yes",
        "papers": [super::BOT.to_string(), world.admin()]});
    let other = json!({"remark": "muted", "note": "other", "mail": "bob@example.org",
        "seats": -5, "rate": 3, "active": false, "since": "2025-01-31",
        "seen": "2026-11-25T00:00:00Z", "region": {"name": "South"}, "labels": ["new"],
        "agent": world.admin(), "helpers": [world.admin(), {"email": "bot@example.com"}],
        "phone": "+12025550199", "price": 3, "stars": 2, "zone": "UTC", "size": "B", "kind": "B", "state": "B",
        "pick": "B", "picks": ["B"], "boxes": ["B"], "sure": "no",
        "papers": [world.admin()]});
    world.created("full", &full).await;
    world.created("other", &other).await;
    world.created("blank", &json!({})).await;
    world
}

pub(super) async fn search(world: &World, query: &str, body: &Value) -> Answer {
    world.server.post(&format!("{ACCOUNTS}/search{query}"), body).await
}

pub(super) fn names(page: &Value) -> Vec<String> {
    let rows = page["results"].as_array().unwrap_or_else(|| panic!("no results in {page}"));
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn one(condition: &Value) -> Value {
    json!({"query": [{"filters": [condition]}]})
}

pub(super) const FULL: &[&str] = &["full"];
pub(super) const OTHER: &[&str] = &["other"];
pub(super) const BLANK: &[&str] = &["blank"];
pub(super) const BOTH: &[&str] = &["full", "other"];
pub(super) const NOT_FULL: &[&str] = &["other", "blank"];
pub(super) const NOT_OTHER: &[&str] = &["full", "blank"];
pub(super) const ALL: &[&str] = &["full", "other", "blank"];
pub(super) const NONE: &[&str] = &[];

#[actix_web::test]
async fn conditions_are_taken_in_the_forms_of_other_clients() {
    let world = world().await;
    let remark = world.field("remark");
    let region = world.region("North");
    for condition in [
        json!({"type": "fields_v2", "subtype": "custom", "field": format!("\"custom\"::{remark}"),
            "condition": "contains", "value": "über"}),
        json!({"type": "fields", "subtype": "non_custom", "field": "name", "condition": "=",
            "value": "full"}),
        json!({"field": remark, "condition": "starts_with", "value": "ÜBER"}),
        json!({"field": "region", "condition": "=", "value": region}),
        json!({"field": "labels", "condition": "has_any",
            "value": [world.label("vip").to_string()]}),
    ] {
        let page = search(&world, "", &one(&condition)).await.expect(200);
        assert_eq!(names(&page), FULL, "{condition}");
    }
}

#[actix_web::test]
async fn groups_combine_as_they_say() {
    let world = world().await;
    let is = |name: &str| json!({"field": "name", "condition": "=", "value": name});
    let any = |filters: &[Value]| json!({"and": false, "filters": filters});
    let all = |filters: &[Value]| json!({"filters": filters});
    let has_seats = json!({"field": "seats", "condition": "is_not_blank"});
    for (body, expected) in [
        (json!({}), ALL),
        (json!({"query": []}), ALL),
        (json!({"query": null}), ALL),
        (json!({"query": [all(&[])]}), ALL),
        (json!({"and": false, "query": [all(&[]), all(&[is("full")])]}), FULL),
        (json!({"query": [all(&[is("full"), is("other")])]}), NONE),
        (json!({"query": [any(&[is("full"), is("other")])]}), BOTH),
        (json!({"query": [all(&[is("full")]), all(&[is("other")])]}), NONE),
        (json!({"and": false, "query": [all(&[is("full")]), all(&[is("blank")])]}), NOT_OTHER),
        (
            json!({"query": [{"and": true, "query": [
                any(&[is("full"), is("blank")]), {"id": "x", "filters": [has_seats]}]}]}),
            FULL,
        ),
    ] {
        let page = search(&world, "", &body).await.expect(200);
        assert_eq!(names(&page), expected, "{body}");
    }
    assert_eq!(
        names(
            &world
                .server
                .send(actix_web::test::TestRequest::post().uri(&format!("{ACCOUNTS}/search")),)
                .await
                .expect(200)
        ),
        ALL,
        "a search without a body finds all"
    );
}

#[actix_web::test]
async fn limits_of_a_filter_are_told() {
    let world = world().await;
    let is = json!({"field": "name", "condition": "=", "value": "full"});
    let wide = |count: usize| json!({"query": [{"and": false, "filters": vec![&is; count]}]});
    assert_eq!(names(&search(&world, "", &wide(200)).await.expect(200)), FULL);
    let answer = search(&world, "", &wide(201)).await;
    assert_eq!(answer.faults(), [("limit_exceeded".to_owned(), "query".to_owned())]);
    let deep = |levels: usize| {
        let innermost = json!({"filters": [is]});
        let group = (1..levels).fold(innermost, |group, _| json!({"query": [group]}));
        json!({"query": [group]})
    };
    assert_eq!(names(&search(&world, "", &deep(5)).await.expect(200)), FULL);
    search(&world, "", &deep(6)).await.expect_error(400, "limit_exceeded");
    let many = vec!["x"; 1001];
    let labels = json!({"field": "labels", "condition": "has_any", "value": many});
    search(&world, "", &one(&labels)).await.expect_error(400, "limit_exceeded");
}

#[actix_web::test]
async fn a_condition_that_means_nothing_is_refused_where_it_stands() {
    let world = world().await;
    let asked = |field: &str, condition: &str, value: Value| json!({"field": field, "condition": condition, "value": value});
    for (condition, code, key) in [
        (asked("nothing", "=", json!(1)), "does_not_exist", "field"),
        (asked("secret", "=", json!(1)), "does_not_exist", "field"),
        (json!({"condition": "=", "value": 1}), "required", "field"),
        (json!({"field": "name", "value": 1}), "required", "condition"),
        (json!({"field": "name", "condition": "="}), "required", "value"),
        (asked("name", "=", json!(null)), "invalid", "value"),
        (asked("name", "=", json!(" ")), "invalid", "value"),
        (asked("name", "contains", json!([])), "invalid", "value"),
        (asked("name", "is_blank", json!("perhaps")), "invalid", "value"),
        (asked("seats", "<", json!("many")), "invalid", "value"),
        (asked("seats", "between", json!([1])), "invalid", "value"),
        (asked("since", "=", json!("soon")), "invalid", "value"),
        (asked("seen", ">", json!(5)), "invalid", "value"),
        (asked("since", "month_equals", json!(13)), "invalid", "value"),
        (asked("region", "=", json!("West")), "does_not_exist", "value"),
        (asked("region", "=", json!(null)), "invalid", "value"),
        (asked("region", "is_any_of", json!([])), "invalid", "value"),
        (asked("labels", "has", json!([world.admin()])), "does_not_exist", "value"),
        (asked("agent", "=", json!("nobody")), "does_not_exist", "value"),
        (asked("name", "<", json!("a")), "unsupported_filter", "condition"),
        (asked("note", "=", json!("a")), "unsupported_filter", "condition"),
        (asked("active", "is_blank", json!(true)), "unsupported_filter", "condition"),
        (asked("seats", "month_equals", json!(1)), "unsupported_filter", "condition"),
        (asked("phone", "contains", json!("none")), "invalid", "value"),
        (asked("phone", "!=", json!("1")), "unsupported_filter", "condition"),
        (asked("stars", "between", json!([1, 2])), "unsupported_filter", "condition"),
        (asked("papers", "=", json!(1)), "unsupported_filter", "condition"),
        (asked("boxes", "=", json!("A")), "unsupported_filter", "condition"),
        (asked("zone", "=", json!("Mars/Base")), "does_not_exist", "value"),
        (json!({"type": "automations", "condition": "="}), "unsupported_filter", "type"),
        (json!({"type": "tags", "condition": "has", "ids": []}), "unsupported_filter", "type"),
        (
            json!({"type": "fields", "subtype": "other", "field": "name", "condition": "=",
                "value": "x"}),
            "unsupported_filter",
            "subtype",
        ),
    ] {
        let answer = search(&world, "", &one(&condition)).await;
        assert_eq!(answer.status, 400, "{condition} {}", answer.body);
        let expected = (code.to_owned(), format!("query[0].filters[0].{key}"));
        assert_eq!(answer.faults(), [expected], "{condition}");
    }
    for key in ["group_id", "in_group_ids", "not_in_group_ids"] {
        let answer = search(&world, "", &json!({key: ["x"]})).await;
        assert_eq!(answer.faults(), [("unsupported_filter".to_owned(), key.to_owned())]);
        search(&world, "", &json!({key: null})).await.expect(200);
    }
    let unknown = json!({"query": [{"filters": [], "other": 1}]});
    search(&world, "", &unknown).await.expect(200);
    search(&world, "?strict=true", &unknown).await.expect_error(400, "unknown_parameter");
}

#[actix_web::test]
async fn words_must_all_occur_in_the_searched_fields() {
    let world = world().await;
    for (body, expected) in [
        (json!({"search": "ULL"}), FULL),
        (json!({"search": "  "}), ALL),
        (json!({"search": "f x"}), NONE),
        (json!({"search": "l f"}), FULL),
        (json!({"search": "mut"}), NONE),
        (json!({"search": "mut", "search_within_field_names": ["remark"]}), BOTH),
        (json!({"search": "MUT ann", "search_within_field_names": ["remark", "mail"]}), FULL),
        (json!({"search": "note", "search_within_field_ids": [world.field("note")]}), FULL),
        (json!({"search": "x", "search_within_field_names": []}), NONE),
    ] {
        let page = search(&world, "", &body).await.expect(200);
        assert_eq!(names(&page), expected, "{body}");
    }
    let list = world.server.get(&format!("{ACCOUNTS}?search=ull")).await;
    assert_eq!(names(&list.expect(200)), FULL);
    // The query wins over the body.
    let both = search(&world, "?search=other", &json!({"search": "full"})).await;
    assert_eq!(names(&both.expect(200)), OTHER);
    for (body, code, key) in [
        (json!({"search": "x".repeat(256)}), "max_length", "search"),
        (json!({"search": []}), "invalid", "search"),
        (
            json!({"search": "x", "search_within_field_names": ["seats"]}),
            "invalid",
            "search_within_field_names",
        ),
        (
            json!({"search": "x", "search_within_field_names": ["secret"]}),
            "does_not_exist",
            "search_within_field_names",
        ),
    ] {
        let answer = search(&world, "", &body).await;
        assert_eq!(answer.faults(), [(code.to_owned(), key.to_owned())], "{body}");
    }
}

#[actix_web::test]
async fn contacts_are_searched_by_their_names_and_tags() {
    let world = World::start().await;
    for (email, fields) in [
        (
            "ada@example.com",
            json!({"first_name": "Ada", "last_name": "Lovelace", "tags": ["x"],
            "home_phone": "+12025550123"}),
        ),
        ("bob@example.org", json!({"first_name": "Bob", "titles": ["x"]})),
    ] {
        let body = json!({"lookup_value": email, "fields": fields});
        world.server.post(&format!("{CONTACT}/upsert"), &body).await.expect(200);
    }
    let tags = |condition: &str, ids: Value| {
        one(&json!({"type": "tags", "condition": condition, "ids": ids}))
    };
    for (body, expected) in [
        (json!({"search": "LOVE ada"}), 0..1),
        (json!({"search": "example"}), 0..2),
        (json!({"search": "ada 5550"}), 0..1),
        (one(&json!({"field": "full_name", "condition": "=", "value": "ADA lovelace"})), 0..1),
        (one(&json!({"field": "display_name", "condition": "=", "value": "bob"})), 1..2),
        (tags("has", json!(["X"])), 0..1),
        (tags("has_not", json!(["x"])), 1..2),
        (tags("has_any", json!(["x", "y"])), 0..1),
        (tags("has_none", json!(["x", "y"])), 1..2),
        (tags("is_blank", json!(null)), 1..2),
        (tags("is_not_blank", json!(null)), 0..1),
    ] {
        let page = world.server.post(&format!("{CONTACT}/search"), &body).await.expect(200);
        let expected: Vec<_> = ["Ada Lovelace", "Bob"][expected].to_vec();
        assert_eq!(names(&page), expected, "{body}");
    }
    let wrong = tags("=", json!(["x"]));
    let answer = world.server.post(&format!("{CONTACT}/search"), &wrong).await;
    answer.expect_error(400, "unsupported_filter");
}

#[actix_web::test]
async fn records_are_ordered_by_up_to_three_fields_with_blanks_last() {
    let world = world().await;
    for (ordering, expected) in [
        ("seats", ["other", "full", "blank"]),
        ("-seats", ["full", "other", "blank"]),
        ("rate", ["full", "other", "blank"]),
        ("name", ["blank", "full", "other"]),
        ("-display_name", ["other", "full", "blank"]),
        ("-remark", ["full", "other", "blank"]),
        ("mail", ["full", "other", "blank"]),
        ("since", ["other", "full", "blank"]),
        ("-seen", ["other", "full", "blank"]),
        ("region", ["full", "other", "blank"]),
        ("-region", ["other", "full", "blank"]),
        ("price", ["full", "other", "blank"]),
        ("phone", ["full", "other", "blank"]),
        ("stars", ["other", "full", "blank"]),
        ("-zone", ["other", "full", "blank"]),
        ("-pick", ["other", "full", "blank"]),
        ("active", ["other", "blank", "full"]),
        ("-active,-name", ["full", "other", "blank"]),
        ("active,updated,name", ["blank", "other", "full"]),
        ("created", ["full", "other", "blank"]),
        // All were made in the same instant: what is equal is closed by the id.
        ("-created", ["full", "other", "blank"]),
        ("", ["full", "other", "blank"]),
    ] {
        for target in [format!("?ordering={ordering}"), format!("?ordering={ordering}&page_size=3")]
        {
            let page = world.server.get(&format!("{ACCOUNTS}{target}")).await.expect(200);
            assert_eq!(names(&page), expected, "{target}");
        }
        let pages = pages(&world, &format!("?page_size=1&ordering={ordering}")).await;
        assert_eq!(pages, expected, "{ordering}");
    }
    let by_id = json!({"ordering": [format!("-{}", world.field("seats"))]});
    assert_eq!(names(&search(&world, "", &by_id).await.expect(200)), ALL);
    for (ordering, code) in [
        ("nothing", "does_not_exist"),
        ("secret", "does_not_exist"),
        ("labels", "invalid"),
        ("picks", "invalid"),
        ("name,seats,rate,mail", "limit_exceeded"),
    ] {
        let answer = world.server.get(&format!("{ACCOUNTS}?ordering={ordering}")).await;
        assert_eq!(answer.faults(), [(code.to_owned(), "ordering".to_owned())]);
    }
}

/// The names on all pages, one after the other, as the links lead.
async fn pages(world: &World, query: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut target = format!("{ACCOUNTS}{query}");
    loop {
        let page = world.server.get(&target).await.expect(200);
        assert_eq!(page["count"], 3);
        found.extend(names(&page));
        let Some(next) = page["next"].as_str() else { return found };
        target = next.strip_prefix("http://crm.example.com").expect("its own origin").to_owned();
    }
}

#[actix_web::test]
async fn a_cursor_leads_through_every_order() {
    let world = world().await;
    for ordering in ["", "seats", "-seats", "remark", "-active,name", "-created", "region,-rate"] {
        let at_once = world.server.get(&format!("{ACCOUNTS}?ordering={ordering}")).await;
        let at_once = names(&at_once.expect(200));
        for size in 1..=4 {
            let query = format!("?cursor=&page_size={size}&ordering={ordering}");
            assert_eq!(pages(&world, &query).await, at_once, "{query}");
        }
    }
}

#[actix_web::test]
async fn a_cursor_outlives_the_record_it_stands_behind() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for number in 1..=9 {
        ids.push(world.created(&format!("n{number}"), &json!({"seats": number})).await);
    }
    for ordering in ["", "seats"] {
        let query = format!("{ACCOUNTS}?cursor=&page_size=3&ordering={ordering}");
        let page = world.server.get(&query).await.expect(200);
        let (count, last) = (page["count"].as_u64().unwrap(), names(&page)[2].clone());
        let next = page["next"].as_str().expect("there is more").to_owned();
        // The record that the cursor names goes, and one that was listed changes.
        let gone = page["results"][2]["id"].as_str().unwrap();
        world.archive(gone).await;
        world.server.delete(&format!("{ACCOUNTS}/{gone}?purge=true")).await;
        let body = json!({"fields": {"remark": "changed"}});
        let listed = page["results"][0]["id"].as_str().unwrap();
        world.server.patch(&format!("{ACCOUNTS}/{listed}"), &body).await.expect(200);
        let next = next.strip_prefix("http://crm.example.com").unwrap();
        let page = world.server.get(next).await.expect(200);
        assert_eq!(page["count"].as_u64(), Some(count - 1));
        let number: u32 = last[1..].parse().unwrap();
        let expected: Vec<_> = (number + 1..=number + 3).map(|next| format!("n{next}")).collect();
        assert_eq!(names(&page), expected, "{ordering}");
        assert_eq!(page["previous"], Value::Null);
    }
}

#[actix_web::test]
async fn what_is_no_cursor_of_this_order_is_refused() {
    let world = world().await;
    let page = world.server.get(&format!("{ACCOUNTS}?cursor=&page_size=1&ordering=seats")).await;
    let page = page.expect(200);
    let next = page["next"].as_str().unwrap();
    let cursor = next.split("cursor=").nth(1).unwrap().split('&').next().unwrap();
    for query in [
        "cursor=x".to_owned(),
        "cursor=AAAA".to_owned(),
        format!("cursor={cursor}"),
        format!("cursor={cursor}&ordering=-seats"),
        format!("cursor={cursor}&ordering=rate"),
    ] {
        let answer = world.server.get(&format!("{ACCOUNTS}?{query}")).await;
        assert_eq!(answer.faults(), [("invalid".to_owned(), "cursor".to_owned())], "{query}");
    }
    let both = world.server.get(&format!("{ACCOUNTS}?cursor=&page=2")).await;
    assert_eq!(both.faults(), [("invalid".to_owned(), "page".to_owned())]);
    let in_body = json!({"cursor": "", "page_size": 2, "ordering": "seats"});
    let page = search(&world, "", &in_body).await.expect(200);
    assert_eq!(names(&page), ["other", "full"]);
    let next = page["next"].as_str().unwrap().strip_prefix("http://crm.example.com").unwrap();
    // The link's cursor wins over the one that is still in the body.
    let page = world.server.post(next, &in_body).await.expect(200);
    assert_eq!((names(&page), &page["next"]), (vec!["blank".to_owned()], &Value::Null));
}

#[actix_web::test]
async fn pages_of_a_search_are_exact_and_end() {
    let world = world().await;
    let filter = one(&json!({"field": "seats", "condition": "is_not_blank"}));
    let first = search(&world, "?page_size=1", &filter).await.expect(200);
    assert_eq!((names(&first), &first["count"]), (vec!["full".to_owned()], &json!(2)));
    let second = search(&world, "?page_size=1&page=2", &filter).await.expect(200);
    assert_eq!((names(&second), &second["next"]), (vec!["other".to_owned()], &Value::Null));
    search(&world, "?page_size=1&page=3", &filter).await.expect_error(404, "not_found");
    let far = format!("?page={}", u64::MAX);
    search(&world, &far, &filter).await.expect_error(404, "not_found");
    let sorted = search(&world, &format!("{far}&ordering=name"), &filter).await;
    sorted.expect_error(404, "not_found");
    let in_body = json!({"page": 2, "page_size": "2", "ordering": "-name"});
    assert_eq!(names(&search(&world, "", &in_body).await.expect(200)), ["blank"]);
}

#[actix_web::test]
async fn rows_show_the_fields_that_are_asked_for() {
    let world = world().await;
    let shown = |page: &Value| {
        let row = &page["results"][0];
        let fields = row["fields"].as_object().unwrap().values();
        fields.map(|field| field["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let body = json!({"field_names": ["seats", "unknown"], "field_ids": [world.field("rate")]});
    let page = search(&world, "", &body).await.expect(200);
    let mut fields = shown(&page);
    fields.sort_unstable();
    assert_eq!(fields, ["rate", "seats"]);
    assert!(shown(&search(&world, "", &json!({})).await.expect(200)).len() > 10);
}

#[actix_web::test]
async fn archived_records_are_found_when_asked_for() {
    let world = world().await;
    let id = world.server.get(&format!("{ACCOUNTS}/lookup?identifier=full")).await.expect(200);
    world.archive(id["id"].as_str().unwrap()).await;
    let filter = |archived: &str| {
        let mut body = one(&json!({"field": "seats", "condition": "is_not_blank"}));
        body["archived"] = json!(archived);
        body
    };
    for (archived, expected) in [("exclude", OTHER), ("include", BOTH), ("only", FULL)] {
        let page = search(&world, "", &filter(archived)).await.expect(200);
        assert_eq!(names(&page), expected, "{archived}");
        let cursor = search(&world, "?cursor=", &filter(archived)).await.expect(200);
        assert_eq!(names(&cursor), expected, "{archived}");
    }
    search(&world, "", &filter("perhaps")).await.expect_error(400, "invalid_choice");
}

#[actix_web::test]
async fn a_search_that_takes_too_long_says_what_to_narrow() {
    let world = World::with(|options| options.search_timeout = Duration::ZERO).await;
    world.created("full", &json!({})).await;
    let words = search(&world, "?ordering=name", &json!({"search": "x"})).await;
    let body = words.expect_error(503, "overloaded");
    let detail = body["detail"].as_str().unwrap();
    assert!(detail.ends_with("Narrow search, ordering."), "{detail}");
    // What looks at no record takes no time.
    world.server.get(ACCOUNTS).await.expect(200);
    search(&world, "?cursor=", &json!({})).await.expect(200);
}
