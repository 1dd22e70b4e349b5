//! What a cell says.

use crate::api::imports::{accounts, actions, import};
use crate::support::text;
use serde_json::{Value, json};

#[test]
fn cells_are_read_as_their_fields_take_them() {
    let mut fixture = accounts();
    let table = "name,region,tiers,labels,seats,score,price,vip,since,seen,stars\n\
                 Acme,north,North|South\\|West|a\\\\b,x\\|y|z, 7 ,12.50,\"$1,250.50\",Yes,2026-11-24,\
                 2026-11-24T05:40:00Z,4\n";
    let (results, _) = import(&mut fixture, "", table);
    assert_eq!(actions(&results), ["created"], "{results:?}");
    let id = text(&results[0], "id").to_owned();
    let names = |value: &Value| -> Vec<Value> {
        value.as_array().expect("a list").iter().map(|value| value["name"].clone()).collect()
    };
    let mut value = |field: &str| fixture.value(("accounts", &id), field);
    assert_eq!(value("region")["name"], "North");
    assert_eq!(names(&value("tiers")), ["North", "South|West", "a\\b"]);
    assert_eq!(names(&value("labels")), ["x|y", "z"]);
    assert_eq!(value("price")["amount"].to_string(), "1250.50");
    assert_eq!(
        (value("seats"), value("score"), value("vip")),
        (json!(7), json!(12.5), json!(true))
    );
    assert_eq!((value("since"), value("stars")), (json!("2026-11-24"), json!(4)));
}

#[test]
fn a_blank_cell_leaves_its_field_alone_and_a_mark_clears_it() {
    let mut fixture = accounts();
    import(&mut fixture, "", "name,note,seats\nAcme,a,7\n");
    let acme = fixture.lookup("accounts", "Acme").expect(200);
    let id = text(&acme, "id").to_owned();
    for (query, row, note, seats) in [
        ("", "Acme, ,\n", json!("a"), json!(7)),
        ("blank=ignore", "Acme,#N/A,\n", Value::Null, json!(7)),
        ("blank=clear", "Acme,b,\n", json!("b"), Value::Null),
    ] {
        let (results, _) = import(&mut fixture, query, &format!("name,note,seats\n{row}"));
        assert_eq!(results[0]["status"], Value::Null, "{results:?}");
        assert_eq!(fixture.value(("accounts", &id), "note"), note, "{row}");
        assert_eq!(fixture.value(("accounts", &id), "seats"), seats, "{row}");
    }
}

#[test]
fn keys_of_a_row_are_columns_too_unless_a_field_has_the_name() {
    let mut fixture = accounts();
    let table = "lookup_value,client_ref,source,source_version,note\n\
                 Acme,r1,crm,7,a\nAcme,r2,crm,6,b\nAcme,,,,c\n";
    let (results, _) = import(&mut fixture, "", table);
    assert_eq!(actions(&results), ["created", "stale", "updated"], "{results:?}");
    assert_eq!(
        (&results[1]["client_ref"], &results[2]["client_ref"]),
        (&json!("r2"), &Value::Null)
    );
    fixture.text_field("accounts", "source");
    let (results, _) = import(&mut fixture, "", "name,source\nAcme,shop\n");
    let id = text(&results[0], "id");
    assert_eq!(fixture.value(("accounts", id), "source"), "shop");
}
