//! What each kind of relationship shows and moves.

use crate::api::relationships::{Pair, names_of, relationship};
use crate::support::{Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

#[test]
fn many_have_the_same_one() {
    let mut pair = Pair::related("primary");
    let [acme, bolt] = pair.make_all("companies", ["Acme", "Bolt"]);
    let [first, second] = pair.make_all("deals", ["First", "Second"]);
    let written = pair.set("deals", &first, "company", &json!(acme));
    let expected = json!({"id": acme, "name": "Acme", "display_name": "Acme"});
    assert_eq!(field_value(&written, "company"), Some(&expected));
    pair.set("deals", &second, "company", &json!({"lookup_value": " ACME "}));
    assert_eq!(pair.names("companies", &acme, "deals"), ["First", "Second"]);
    assert_eq!(pair.version("companies", &acme), 1, "the other side has no new version");
    // The same again is no change, in whichever way it is named.
    let again = pair.set("deals", &first, "company", &json!({"id": acme, "name": "Bolt"}));
    assert_eq!(again["version"], 2);

    // The mirror takes a record away from another company, and lets one go.
    let third = pair.make("deals", "Third");
    pair.set("deals", &third, "company", &json!(bolt));
    let written = pair.set("companies", &acme, "deals", &json!([third, first]));
    assert_eq!(names_of(field_value(&written, "deals")), ["First", "Third"]);
    assert_eq!(written["version"], 1, "its own values are as they were");
    assert_eq!(pair.names("companies", &bolt, "deals"), [""; 0]);
    assert_eq!(pair.names("deals", &third, "company"), ["Acme"]);
    assert_eq!(pair.names("deals", &second, "company"), [""; 0]);
    let versions = [&first, &second, &third].map(|id| pair.version("deals", id));
    assert_eq!(versions, [2, 3, 3]);
    let fields = json!([{"name": "deals", "add_values": [second], "remove_values": [third]}]);
    let path = format!("/api/records/companies/{bolt}");
    pair.fixture.client.patch(&path, &json!({"fields": fields})).expect(200);
    assert_eq!(pair.names("companies", &bolt, "deals"), ["Second"]);
    assert_eq!(pair.names("companies", &acme, "deals"), ["First", "Third"], "it was not there");
    let cleared = pair.set("companies", &acme, "deals", &json!(null));
    assert_eq!(field_value(&cleared, "deals"), Some(&Value::Null));
    assert_eq!(pair.names("deals", &first, "company"), [""; 0]);
}

#[test]
fn one_belongs_to_one() {
    let mut pair = Pair::related("one_to_one");
    let [acme, bolt] = pair.make_all("companies", ["Acme", "Bolt"]);
    let [first, second] = pair.make_all("deals", ["First", "Second"]);
    pair.set("deals", &first, "company", &json!(acme));
    let mirror = json!({"id": first, "name": "First", "display_name": "First"});
    let company = pair.fixture.read("companies", &acme).expect(200);
    assert_eq!(field_value(&company, "deals"), Some(&mirror));
    // The last write has it.
    pair.set("deals", &second, "company", &json!(acme));
    assert_eq!(pair.names("companies", &acme, "deals"), ["Second"]);
    assert_eq!(pair.names("deals", &first, "company"), [""; 0]);
    assert_eq!((pair.version("deals", &first), pair.version("deals", &second)), (3, 2));
    // And so from the other side.
    pair.set("companies", &bolt, "deals", &json!({"lookup_value": "second"}));
    assert_eq!(pair.names("companies", &acme, "deals"), [""; 0]);
    assert_eq!(pair.names("deals", &second, "company"), ["Bolt"]);
    pair.set("companies", &bolt, "deals", &json!(first));
    assert_eq!(pair.names("companies", &bolt, "deals"), ["First"]);
    assert_eq!(pair.names("deals", &second, "company"), [""; 0]);
    // What was archived meanwhile and has lost it comes back without it.
    pair.fixture.archive("deals", &first);
    assert_eq!(pair.names("companies", &bolt, "deals"), [""; 0]);
    pair.set("deals", &second, "company", &json!(bolt));
    let path = format!("/api/records/deals/{first}/unarchive");
    pair.fixture.client.patch(&path, &json!({})).expect(200);
    assert_eq!(pair.names("deals", &first, "company"), [""; 0]);
    assert_eq!(pair.names("companies", &bolt, "deals"), ["Second"]);
    // Without such a loss it comes back with it.
    pair.fixture.archive("deals", &second);
    let path = format!("/api/records/deals/{second}/unarchive");
    pair.fixture.client.patch(&path, &json!({})).expect(200);
    assert_eq!(pair.names("companies", &bolt, "deals"), ["Second"]);
    pair.set("companies", &bolt, "deals", &json!(null));
    assert_eq!(pair.names("deals", &second, "company"), [""; 0]);
}

#[test]
fn many_have_many() {
    for relation_type in ["additional", "additional_for"] {
        let mut pair = Pair::related(relation_type);
        let [acme, bolt, cord] = pair.make_all("companies", ["Acme", "Bolt", "Cord"]);
        let [first, second] = pair.make_all("deals", ["First", "Second"]);
        let both = json!([bolt, {"lookup_value": "acme"}, bolt]);
        let written = pair.set("deals", &first, "company", &both);
        let mut names = names_of(field_value(&written, "company"));
        if relation_type == "additional" {
            assert_eq!(names, ["Bolt", "Acme"], "in the order given");
        }
        names.sort();
        assert_eq!(names, ["Acme", "Bolt"], "{relation_type}");
        let add = json!([{"name": "deals", "add_values": [second, first]}]);
        let path = format!("/api/records/companies/{bolt}");
        pair.fixture.client.patch(&path, &json!({"fields": add})).expect(200);
        assert_eq!(pair.names("deals", &second, "company"), ["Bolt"]);
        assert_eq!(pair.names("companies", &bolt, "deals"), ["First", "Second"]);
        let edit = json!([{
            "name": "company", "add_values": [cord], "remove_values": [bolt, acme],
        }]);
        let path = format!("/api/records/deals/{first}");
        pair.fixture.client.patch(&path, &json!({"fields": edit})).expect(200);
        assert_eq!(pair.names("deals", &first, "company"), ["Cord"]);
        assert_eq!(pair.names("companies", &acme, "deals"), [""; 0]);
        assert_eq!(pair.names("companies", &bolt, "deals"), ["Second"]);
        let both = json!({"value": [first], "add_values": [second], "name": "deals"});
        let path = format!("/api/records/companies/{cord}");
        let answer = pair.fixture.client.patch(&path, &json!({"fields": [both]}));
        answer.expect_error(400, "invalid");
    }
}

#[test]
fn a_record_may_be_related_to_its_own_kind() {
    let mut pair = Pair { fixture: Fixture::new() };
    pair.fixture.object("people");
    let mut field = relationship("manager", "people", "primary");
    field["relation"]["related_name"] = json!("Reports");
    pair.fixture.field("people", &field);
    let [ann, bob, cid] = pair.make_all("people", ["Ann", "Bob", "Cid"]);
    pair.set("people", &bob, "manager", &json!(ann));
    pair.set("people", &ann, "reports", &json!([cid, ann]));
    assert_eq!(pair.names("people", &ann, "reports"), ["Ann", "Cid"]);
    assert_eq!(pair.names("people", &bob, "manager"), [""; 0]);
    assert_eq!(pair.names("people", &cid, "manager"), ["Ann"]);
    let path = "/api/custom-objects/people/fields/reports";
    pair.fixture.client.delete(path).expect_empty(204);
    for name in ["reports", "manager"] {
        let path = format!("/api/custom-objects/people/fields/{name}");
        pair.fixture.client.get(&path).expect_error(404, "not_found");
    }
    assert_eq!(pair.names("people", &cid, "manager"), [""; 0]);
}

#[test]
fn contacts_are_shown_with_their_names() {
    let mut pair = Pair { fixture: Fixture::new() };
    pair.fixture.object("deals");
    pair.fixture.field("deals", &relationship("buyer", "client_client", "primary"));
    let deal = pair.make("deals", "First");
    let ada = json!({"first_name": "Ada", "last_name": "Lovelace"});
    let ada = pair.fixture.create("client_client", "ada@example.com", &ada);
    let ada = text(&ada, "id").to_owned();
    let buyer = json!({"lookup_value": "ADA@example.com"});
    let written = pair.set("deals", &deal, "buyer", &buyer);
    let shown = json!({
        "id": ada, "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com",
        "display_name": "Ada Lovelace",
    });
    assert_eq!(field_value(&written, "buyer"), Some(&shown));
    let path = "/api/custom-objects/deals/fields/buyer";
    let buyer = pair.fixture.client.get(path).expect(200);
    assert_eq!(buyer["relation"]["fetch_url"], "client");
    let row = json!({
        "id": ada, "first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace",
        "email": "ada@example.com", "display_name": "Ada Lovelace",
    });
    let values = format!("/api/records/{deal}/field-values/{}", text(&buyer, "id"));
    for path in [&*values, &format!("{path}/options?search=love")] {
        let page = pair.fixture.client.get(path).expect(200);
        assert_eq!((&page["count"], &page["results"]), (&json!(1), &json!([row])), "{path}");
    }
    // A name that changes reads at once as it is, and the deal has no new version.
    let change = json!({"first_name": "Augusta"});
    pair.patch("client_client", &ada, &change).expect(200);
    let read = pair.fixture.read("deals", &deal).expect(200);
    let value = field_value(&read, "buyer").expect("it is still there");
    assert_includes(value, &json!({"first_name": "Augusta", "display_name": "Augusta Lovelace"}));
    assert_eq!(read["version"], 2);
}

#[test]
fn what_is_archived_comes_and_goes_by_itself() {
    let mut pair = Pair::related("additional");
    let [acme, bolt] = pair.make_all("companies", ["Acme", "Bolt"]);
    let [first, second] = pair.make_all("deals", ["First", "Second"]);
    for deal in [&first, &second] {
        pair.set("deals", deal, "company", &json!([acme, bolt]));
    }
    pair.fixture.archive("companies", &acme);
    pair.fixture.archive("deals", &first);
    assert_eq!(pair.names("deals", &second, "company"), ["Bolt"]);
    assert_eq!(pair.names("companies", &bolt, "deals"), ["Second"]);
    let answer = pair.patch("deals", &second, &json!({"company": [acme]}));
    answer.expect_error(400, "does_not_exist");
    for (object, id) in [("companies", &acme), ("deals", &first)] {
        let path = format!("/api/records/{object}/{id}/unarchive");
        pair.fixture.client.patch(&path, &json!({})).expect(200);
    }
    assert_eq!(pair.names("deals", &second, "company"), ["Acme", "Bolt"]);
    assert_eq!(pair.names("companies", &acme, "deals"), ["First", "Second"]);
    assert_eq!(pair.version("deals", &second), 2);
    for (object, id) in [("companies", &acme), ("deals", &first)] {
        pair.fixture.archive(object, id);
        let path = format!("/api/records/{object}/{id}?purge=true");
        pair.fixture.client.delete(&path).expect_empty(204);
    }
    assert_eq!(pair.names("deals", &second, "company"), ["Bolt"]);
    assert_eq!(pair.names("companies", &bolt, "deals"), ["Second"]);
}
