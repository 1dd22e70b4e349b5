//! Finding records by those they are related to, and listing all of those.

use crate::api::relationships::{Pair, names_of};
use crate::support::{field_value, text};
use serde_json::{Value, json};

#[test]
fn records_are_found_by_what_they_are_related_to() {
    let (mut pair, [acme, bolt, cord], [first, second, third]) = deals_of_companies();
    let all = ["First", "Second", "Third"];
    let deals =
        |word: &str, value: Value| json!({"field": "company", "condition": word, "value": value});
    for (condition, expected) in [
        (deals("contains", json!(bolt)), &all[..2]),
        (deals("contains", json!([acme, bolt])), &all[..1]),
        (deals("!contains", json!(acme)), &all[1..]),
        (deals("is_any_of", json!([acme, cord])), &all[..2]),
        (deals("is_none_of", json!([{"id": acme}])), &all[1..]),
        (deals("is_blank", json!(true)), &all[2..]),
        (deals("is_blank", json!(false)), &all[..2]),
    ] {
        assert_eq!(found(&mut pair, "deals", &condition), expected, "{condition}");
    }
    let companies =
        |word: &str, value: Value| json!({"field": "deals", "condition": word, "value": value});
    for (condition, expected) in [
        (companies("contains", json!([first, second])), &["Bolt"][..]),
        (companies("is_any_of", json!([first, third])), &["Acme", "Bolt"]),
        (companies("is_none_of", json!([first])), &["Cord"]),
        (companies("is_blank", json!(false)), &["Acme", "Bolt", "Cord"]),
    ] {
        assert_eq!(found(&mut pair, "companies", &condition), expected, "{condition}");
    }
    pair.fixture.archive("companies", &acme);
    pair.fixture.archive("deals", &second);
    for (object, condition, expected) in [
        ("deals", deals("contains", json!(acme)), &[""; 0][..]),
        ("deals", deals("is_none_of", json!(acme)), &["First", "Third"]),
        ("companies", companies("is_blank", json!(true)), &["Cord"]),
        ("companies", companies("contains", json!(second)), &[]),
    ] {
        assert_eq!(found(&mut pair, object, &condition), expected, "{object} {condition}");
    }
    for (condition, code) in [
        (deals("=", json!(acme)), "unsupported_filter"),
        (deals("contains", json!("Acme")), "invalid"),
        (deals("contains", json!(null)), "invalid"),
    ] {
        refused(&mut pair, &condition, code);
    }
}

#[test]
fn records_are_found_by_what_their_related_records_are_like() {
    let (mut pair, [_, _, cord], _) = deals_of_companies();
    let all = ["First", "Second", "Third"];
    let related = |word: &str, filters: Value| {
        json!({
            "type": "related_object", "field": "company", "condition": word,
            "query": [{"filters": filters}],
        })
    };
    let named = |name: &str| json!([{"field": "name", "condition": "=", "value": name}]);
    let of_first = json!([{
        "type": "related_object", "field": "deals", "query": [{"filters": named("first")}],
    }]);
    for (condition, expected) in [
        (related("has", named("cord")), &all[1..2]),
        (related("!has", named("cord")), &[all[0], all[2]]),
        (related("has", json!([])), &all[..2]),
        (related("has", of_first), &all[..2]),
    ] {
        assert_eq!(found(&mut pair, "deals", &condition), expected, "{condition}");
    }
    pair.fixture.archive("companies", &cord);
    assert_eq!(found(&mut pair, "deals", &related("has", named("cord"))), [""; 0]);
    for (condition, code) in [
        (related("likes", json!([])), "unsupported_filter"),
        (related("has", json!([{"field": "no", "condition": "=", "value": 1}])), "does_not_exist"),
        (json!({"type": "related_object", "field": "name"}), "invalid"),
        (deeper(5), "limit_exceeded"),
    ] {
        refused(&mut pair, &condition, code);
    }
    found(&mut pair, "deals", &deeper(4));
}

/// Conditions on related objects inside each other, each in a group of its own; the outermost is
/// about deals.
fn deeper(depth: usize) -> Value {
    let mut filters = json!([]);
    for at in (0..depth).rev() {
        let field = if at % 2 == 0 { "company" } else { "deals" };
        let query = json!([{"filters": filters}]);
        filters = json!([{"type": "related_object", "field": field, "query": query}]);
    }
    filters[0].clone()
}

/// Two deals of companies, and one without.
fn deals_of_companies() -> (Pair, [String; 3], [String; 3]) {
    let mut pair = Pair::related("additional");
    let companies = pair.make_all("companies", ["Acme", "Bolt", "Cord"]);
    let deals = pair.make_all("deals", ["First", "Second", "Third"]);
    pair.set("deals", &deals[0], "company", &json!(companies[..2]));
    pair.set("deals", &deals[1], "company", &json!(companies[1..]));
    (pair, companies, deals)
}

fn refused(pair: &mut Pair, condition: &Value, code: &str) {
    let body = json!({"query": [{"filters": [condition]}]});
    let answer = pair.fixture.client.post("/api/records/deals/search", &body);
    answer.expect_error(400, code);
}

fn found(pair: &mut Pair, object: &str, condition: &Value) -> Vec<String> {
    let body = json!({"query": [{"filters": [condition]}]});
    let path = format!("/api/records/{object}/search?strict=true");
    let page = pair.fixture.client.post(&path, &body).expect(200);
    let names = names_of(Some(&page["results"]));
    assert_eq!(page["count"], names.len());
    names
}

#[test]
fn many_values_are_counted_and_listed_elsewhere() {
    let mut pair = Pair::related("additional");
    let names: Vec<String> = (0..101).map(|number| format!("Company {number:03}")).collect();
    let ids: Vec<String> = names.iter().map(|name| pair.make("companies", name)).collect();
    let deal = pair.make("deals", "First");
    let shown = pair.set("deals", &deal, "company", &json!(ids[..100]));
    assert_eq!(names_of(field_value(&shown, "company")).len(), 100);
    let written = pair.patch("deals", &deal, &json!({"company": ids})).expect(200);
    let fields = written["fields"].as_object().unwrap();
    let field = fields.values().find(|field| field["name"] == "company").unwrap();
    assert_eq!(field.get("value"), None);
    assert_eq!(field["value_summary"], json!({"count": 101}));
    let values = format!("/api/records/{deal}/field-values/{}", text(field, "id"));
    let page = pair.fixture.client.get(&format!("{values}?page_size=2&page=51")).expect(200);
    let last = json!([{"id": ids[100], "name": names[100], "display_name": names[100]}]);
    assert_eq!((&page["count"], &page["results"]), (&json!(101), &last));
    assert_eq!(page["next"], Value::Null);
    let page = pair.fixture.client.get(&format!("{values}?search=COMPANY%20%2005&page_size=3"));
    let page = page.expect(200);
    assert_eq!(page["count"], 11);
    let expected = [5, 50, 51].map(|at: usize| names[at].clone());
    assert_eq!(names_of(Some(&page["results"])), expected);
    assert!(text(&page, "next").contains("search=COMPANY%20%2005"), "{page}");
    let field = text(field, "id").to_owned();
    // The mirror is read the same way, from the other side.
    let mirror = pair.fixture.client.get("/api/custom-objects/companies/fields/deals").expect(200);
    let mirror = text(&mirror, "id").to_owned();
    let path = format!("/api/records/{}/field-values/{mirror}", ids[7]);
    let page = pair.fixture.client.get(&path).expect(200);
    assert_eq!(names_of(Some(&page["results"])), ["First"]);
    let unknown = "00000000-0000-7000-8000-000000000000";
    pair.fixture.archive("companies", &ids[8]);
    for (record, field) in [
        (&*deal, unknown),
        (unknown, &*field),
        (&*deal, &*mirror),
        (&*ids[8], &*mirror),
        (&*deal, "company"),
    ] {
        let path = format!("/api/records/{record}/field-values/{field}");
        pair.fixture.client.get(&path).expect_error(404, "not_found");
    }
    let options = "/api/custom-objects/deals/fields/company/options";
    let page = pair.fixture.client.get(&format!("{options}?page_size=1")).expect(200);
    assert_eq!(
        (&page["count"], names_of(Some(&page["results"]))),
        (&json!(100), vec![names[0].clone()])
    );
    assert_eq!(pair.fixture.client.get(&values).expect(200)["count"], 100);
    for path in [format!("{values}?page=3"), format!("{options}?page=3")] {
        pair.fixture.client.get(&path).expect_error(404, "not_found");
    }
}
