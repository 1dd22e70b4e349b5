//! What columns are called, and what is no column.

use crate::api::imports::{IMPORT, accounts, actions, import, request};
use crate::support::text;
use serde_json::json;

#[test]
fn a_column_is_called_by_name_id_or_label_or_is_mapped() {
    let mut fixture = accounts();
    let field = fixture.client.get("/api/custom-objects/accounts/fields/seats").expect(200);
    let table = format!("Firm,The note,{},Junk\nAcme,n,7,zzz\n", text(&field, "id"));
    let (results, summary) =
        import(&mut fixture, "map.Firm=lookup_value&map.Junk=&delimiter=,", &table);
    assert_eq!(actions(&results), ["created"]);
    assert_eq!(summary["ignored_columns"], json!(["Junk"]));
    let id = text(&results[0], "id");
    assert_eq!(fixture.value(("accounts", id), "note"), "n");
    assert_eq!(fixture.value(("accounts", id), "seats"), 7);
}

#[test]
fn cells_stand_between_what_is_said() {
    let mut fixture = accounts();
    for (delimiter, between) in [("%3B", ';'), ("%09", '\t'), ("tab", '\t')] {
        let table = format!("name{between}note\nAcme, {delimiter}{between}\"x{between}y\"\n");
        let (results, _) = import(&mut fixture, &format!("delimiter={delimiter}"), &table);
        assert_eq!(actions(&results), ["created"], "{delimiter}");
        let id = text(&results[0], "id");
        assert_eq!(fixture.value(("accounts", id), "note"), format!("x{between}y"));
    }
}

#[test]
fn what_is_no_column_is_refused_before_the_first_row() {
    let mut fixture = accounts();
    let double = json!({"field_type": "text", "display_name": "The note", "name": "note2"});
    fixture.field("accounts", &double);
    for (query, table, code) in [
        ("", "name,nothing\nAcme,x\n", "does_not_exist"),
        ("map.note=nothing", "name,note\nAcme,x\n", "does_not_exist"),
        ("map.absent=note", "name\nAcme\n", "does_not_exist"),
        ("", "note\nAcme\n", "required"),
        ("", "name,note,note\nAcme,x,y\n", "duplicate_field"),
        ("", "name,The note\nAcme,x\n", "invalid"),
        ("", "name,\"note\nAcme,x\n", "parse_error"),
        ("", "", "required"),
    ] {
        fixture.send(&request(query, table.as_bytes())).expect_error(400, code);
    }
    fixture.lookup("accounts", "Acme").expect_error(404, "not_found");
    let (results, summary) = import(&mut fixture, "ignore_unknown=true", "name,nothing\nAcme,x\n");
    assert_eq!(actions(&results), ["created"]);
    assert_eq!(summary["ignored_columns"], json!(["nothing"]));
    // Without rows there is nothing to do.
    let (results, summary) = import(&mut fixture, "", "name,note");
    assert_eq!((results.len(), &summary["state"]), (0, &json!("completed")));
    fixture.client.get(IMPORT).expect_error(405, "method_not_allowed");
}

#[test]
fn what_nobody_can_write_is_passed_over() {
    let mut fixture = accounts();
    let body = json!({
        "field_type": "text", "display_name": "Fixed", "name": "fixed", "is_read_only": true,
    });
    fixture.field("accounts", &body);
    let table = "id,name,created,updated,display_name,fixed,archived_at\nx,Acme,y,z,D,f,w\n";
    let (results, summary) = import(&mut fixture, "", table);
    assert_eq!(actions(&results), ["created"], "{results:?}");
    let ignored = json!(["archived_at", "created", "display_name", "fixed", "id", "updated"]);
    assert_eq!(summary["ignored_columns"], ignored);
}
