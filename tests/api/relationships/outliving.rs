//! What is related stays so over a crash, and what is not stays so too.

use crate::api::relationships::{Pair, relationship};
use serde_json::json;

#[test]
fn both_sides_are_there_again_after_a_crash() {
    let mut pair = Pair::related("one_to_one");
    pair.fixture.field("companies", &relationship("suppliers", "companies", "additional_for"));
    let [acme, bolt] = pair.make_all("companies", ["Acme", "Bolt"]);
    let deal = pair.make("deals", "First");
    pair.set("companies", &acme, "deals", &json!(deal));
    pair.set("companies", &acme, "suppliers", &json!([bolt]));
    let before = pair.fixture.client.get("/api/custom-objects/companies").expect(200);
    let mut pair = Pair { fixture: pair.fixture.after_a_crash() };
    assert_eq!(pair.fixture.client.get("/api/custom-objects/companies").expect(200), before);
    assert_eq!(pair.names("deals", &deal, "company"), ["Acme"]);
    assert_eq!(pair.names("companies", &acme, "deals"), ["First"]);
    assert_eq!(pair.names("companies", &acme, "suppliers"), ["Bolt"]);
    assert_eq!(pair.names("companies", &bolt, "deals_2"), ["Acme"]);
    // Deleting one side deletes the other, and that stays so.
    pair.fixture.client.delete("/api/custom-objects/companies/fields/deals").expect_empty(204);
    let mut pair = Pair { fixture: pair.fixture.after_a_crash() };
    for (object, field) in [("companies", "deals"), ("deals", "company")] {
        let path = format!("/api/custom-objects/{object}/fields/{field}");
        pair.fixture.client.get(&path).expect_error(404, "not_found");
    }
    assert_eq!(pair.names("deals", &deal, "company"), [""; 0]);
    assert_eq!(pair.names("companies", &acme, "suppliers"), ["Bolt"]);
}

#[test]
fn an_object_that_is_related_to_another_is_not_archived() {
    let mut pair = Pair::related("primary");
    pair.fixture.field("deals", &relationship("parent", "deals", "primary"));
    for object in ["companies", "deals"] {
        let path = format!("/api/custom-objects/{object}");
        pair.fixture.client.delete(&path).expect_error(400, "custom_object_archive_blocked");
    }
    pair.fixture.client.delete("/api/custom-objects/companies/fields/deals").expect_empty(204);
    // What leads home leads to nothing that is left.
    pair.fixture.client.delete("/api/custom-objects/deals").expect_empty(204);
    let mut pair = Pair { fixture: pair.fixture.after_a_crash() };
    pair.fixture.client.get("/api/custom-objects/deals").expect_error(404, "not_found");
    pair.make("companies", "Acme");
    pair.fixture.client.get("/api/custom-objects/companies").expect(200);
}
