//! When two spellings name one record.

use crate::support::{Fixture, text};
use serde_json::json;

/// Two spellings, and whether they are one key where names have no case and where they have.
const SPELLINGS: &[(&str, &str, bool, bool)] = &[
    ("Acme", "Acme", true, true),
    ("Acme", "ACME", true, false),
    ("Acme", "  Acme\t\n", true, true),
    ("Acme", "\u{a0}Acme\u{2003}", true, true),
    ("Acme Corp", "Acme  Corp", false, false),
    ("Straße", "STRASSE", true, false),
    ("café", "cafe\u{301}", true, true),
    ("CAFÉ", "cafe\u{301}", true, false),
    ("Å", "\u{212b}", true, true),
    ("ΟΔΟΣ", "οδος", true, false),
    ("ﬀ", "FF", true, false),
    ("I", "ı", false, false),
    ("ｗｉｄｅ", "wide", false, false),
    ("Acme", "Acmé", false, false),
    ("a\u{200d}b", "ab", false, false),
];

#[test]
fn two_spellings_are_one_key_exactly_when_their_normal_forms_are() {
    let mut fixture = Fixture::new();
    for (row, (first, second, insensitive, sensitive)) in SPELLINGS.iter().enumerate() {
        for (case, is_one) in [("insensitive", insensitive), ("sensitive", sensitive)] {
            println!("{first:?} and {second:?} where names are {case}: {is_one}");
            let object = format!("{case}{row}");
            let body = json!({"object_name": object, "name": object, "identifier_case": case});
            fixture.client.post("/api/custom-objects", &body).expect(201);
            check(&mut fixture, &object, [*first, *second], *is_one);
        }
    }
}

/// Upsert, lookup and add must agree.
fn check(fixture: &mut Fixture, object: &str, [first, second]: [&str; 2], is_one: bool) {
    let created = fixture.create(object, first, &json!({}));
    let found = fixture.lookup(object, second);
    let add = format!("/api/records/{object}/add");
    let fields = json!({"fields": {"name": second}});
    if is_one {
        assert_eq!(found.expect(200)["id"], created["id"]);
        fixture.client.post(&add, &fields).expect_error(400, "unique");
    } else {
        found.expect_error(404, "not_found");
    }
    let upserted = fixture.upsert(object, &json!({"lookup_value": second})).expect(200);
    assert_eq!(upserted["id"] == created["id"], is_one, "{upserted}");
    let count = if is_one { 1 } else { 2 };
    assert_eq!(fixture.client.get(&format!("/api/records/{object}")).expect(200)["count"], count);
}

#[test]
fn a_name_keeps_its_spelling_and_loses_its_ends() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let created = fixture.create("accounts", "\t  Grüße  &  Söhne \u{2003}", &json!({}));
    assert_eq!(created["name"], "Grüße  &  Söhne");
}

#[test]
fn characters_that_nobody_can_see_are_refused_in_identifiers() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    for (character, in_identifiers_only) in [
        ('\0', false),
        ('\u{1}', false),
        ('\u{b}', false),
        ('\u{1f}', false),
        ('\u{200b}', true),
        ('\u{2060}', true),
        ('\u{feff}', true),
        ('\u{202e}', true),
        ('\u{2066}', true),
        ('\u{200e}', true),
    ] {
        let hidden = format!("a{character}b");
        let body = json!({"lookup_value": hidden});
        fixture.upsert("accounts", &body).expect_error(400, "invalid");
        let body = json!({"fields": {"name": hidden}});
        fixture.client.post("/api/records/accounts/add", &body).expect_error(400, "invalid");
        let body = json!({"lookup_value": "Acme", "fields": {"note": hidden}});
        let answer = fixture.upsert("accounts", &body);
        if in_identifiers_only {
            answer.expect(200);
        } else {
            answer.expect_error(400, "invalid");
        }
    }
    for character in ['\t', '\n', '\r', '\u{200d}', '\u{200c}'] {
        fixture.create("accounts", &format!("a{character}b"), &json!({}));
    }
}

#[test]
fn the_longest_identifier_fits_and_one_more_character_does_not() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let longest = "𝔘".repeat(255);
    let created = fixture.create("accounts", &format!("  {longest}  "), &json!({}));
    assert_eq!(text(&created, "name"), longest);
    fixture.lookup("accounts", &longest).expect(200);
    let body = json!({"lookup_value": format!("{longest}𝔘")});
    fixture.upsert("accounts", &body).expect_error(400, "max_length");
}
