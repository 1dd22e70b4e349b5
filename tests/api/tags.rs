//! The tags of a field: one list under three paths, searched, ordered, paged, and kept.

use crate::support::{Fixture, text};
use serde_json::{Value, json};

const TAGS: &str = "/api/custom-objects/accounts/fields/labels/tags";

/// An object with two fields of tags, made in this order: zoo, Äpfel, and so on.
fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for name in ["labels", "others"] {
        let body = json!({"field_type": "dynamictags", "display_name": name, "name": name});
        fixture.field("accounts", &body);
    }
    let fields = json!({"labels": ["zoo", "Äpfel"], "others": ["zoo", "elsewhere"]});
    fixture.create("accounts", "A", &fields);
    fixture.create("accounts", "B", &json!({"labels": ["birne", "ZOO", "Apfelbaum"]}));
    let contact = json!({"tags": ["vip"], "titles": ["Dr.", "Prof. Dr."]});
    fixture.create("client_client", "ada@example.com", &contact);
    fixture
}

#[track_caller]
fn names(fixture: &mut Fixture, path: &str) -> Vec<String> {
    let page = fixture.client.get(path).expect(200);
    let rows = page["results"].as_array().expect("a page has results");
    assert_eq!(page["count"], rows.len(), "all of them are on the page");
    for row in rows {
        let keys: Vec<_> = row.as_object().expect("a tag is an object").keys().collect();
        assert_eq!(keys, ["id", "name"]);
    }
    rows.iter().map(|row| text(row, "name").to_owned()).collect()
}

#[test]
fn tags_are_searched_and_ordered_by_name() {
    let mut fixture = fixture();
    for (query, expected) in [
        ("", &["zoo", "Äpfel", "birne", "Apfelbaum"][..]),
        ("?ordering=name", &["Apfelbaum", "birne", "zoo", "Äpfel"]),
        ("?ordering=-name", &["Äpfel", "zoo", "birne", "Apfelbaum"]),
        ("?search=pfel", &["Äpfel", "Apfelbaum"]),
        ("?search=%20%C3%A4PF%20", &["Äpfel"]),
        ("?search=", &["zoo", "Äpfel", "birne", "Apfelbaum"]),
        ("?search=elsewhere", &[]),
        ("?search=pfel&ordering=name", &["Apfelbaum", "Äpfel"]),
    ] {
        assert_eq!(names(&mut fixture, &format!("{TAGS}{query}")), expected, "{query}");
    }
    let last = fixture.client.get(&format!("{TAGS}?ordering=name&page_size=3&page=2")).expect(200);
    assert_eq!((&last["count"], &last["results"][0]["name"]), (&json!(4), &json!("Äpfel")));
    let previous = text(&last, "previous").to_owned();
    let (_, path) = previous.split_once("/api").expect("the link leads to a path");
    let first = fixture.client.get(&format!("/api{path}")).expect(200);
    assert_eq!(first["results"].as_array().map(Vec::len), Some(3));
    assert!(text(&first, "next").ends_with("?ordering=name&page_size=3&page=2"));
}

#[test]
fn the_list_is_the_same_under_every_path_and_after_a_crash() {
    let mut fixture = fixture();
    let list = fixture.client.get(TAGS).expect(200)["results"].clone();
    let object = fixture.client.get("/api/custom-objects/accounts").expect(200);
    let field = fixture.client.get("/api/custom-objects/accounts/fields/labels").expect(200);
    let (object, field) = (text(&object, "id"), text(&field, "id"));
    let contacts = "/api/custom-objects/client_client/fields/titles/tags";
    let titles = fixture.client.get(contacts).expect(200)["results"].clone();
    assert_eq!(names(&mut fixture, contacts), ["Dr.", "Prof. Dr."]);
    for _ in 0..2 {
        for path in [TAGS, &format!("/api/custom-objects/{object}/fields/{field}/tags")] {
            assert_eq!(fixture.client.get(path).expect(200)["results"], list, "{path}");
        }
        let path = "/api/client/fields/titles/tags";
        assert_eq!(fixture.client.get(path).expect(200)["results"], titles);
        fixture = fixture.after_a_crash();
    }
}

#[test]
fn what_has_no_tags_is_not_found_and_other_orders_are_refused() {
    let mut fixture = fixture();
    for path in [
        "/api/custom-objects/accounts/fields/name/tags",
        "/api/custom-objects/accounts/fields/unknown/tags",
        "/api/custom-objects/unknown/fields/labels/tags",
        "/api/pipelines/accounts/fields/labels/tags",
        "/api/pipelines/unknown/fields/labels/tags",
        "/api/client/fields/labels/tags",
        "/api/client/fields/email/tags",
    ] {
        fixture.client.get(path).expect_error(404, "not_found");
    }
    let refused = fixture.client.get(&format!("{TAGS}?ordering=created"));
    assert_eq!(refused.expect_error(400, "does_not_exist")["errors"][0]["parameter"], "ordering");
    let strict = fixture.client.get(&format!("{TAGS}?strict=true&name=zoo"));
    strict.expect_error(400, "unknown_parameter");
    fixture.client.post(TAGS, &Value::Null).expect_error(405, "method_not_allowed");
}
