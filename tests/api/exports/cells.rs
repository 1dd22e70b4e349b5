//! Exports as tables: columns, cells, and what a spreadsheet makes of them.

use crate::api::exports::{EXPORT, accounts, rows};
use crate::support::{Fixture, text};
use serde_json::json;

#[test]
fn columns_are_the_id_and_the_visible_fields() {
    let mut fixture = accounts();
    let made = fixture.create("accounts", "Acme, Inc.", &json!({"note": "say \"a\"\nb"}));
    let id = text(&made, "id");
    let table = fixture.client.get(&format!("{EXPORT}?format=csv&field_names=note,name,nothing"));
    let text = String::from_utf8(table.body.clone()).expect("an answer is UTF-8");
    assert_eq!(text, format!("id,note,name\r\n{id},\"say \"\"a\"\"\nb\",\"Acme, Inc.\"\r\n"));
    let all = rows(&fixture.client.get(&format!("{EXPORT}?format=csv&archived=only")));
    let list = fixture.client.get("/api/custom-objects/accounts/fields").expect(200);
    let fields = list.as_array().expect("a list of fields").iter();
    let visible = fields.filter(|field| field["is_hidden"] != true);
    let names: Vec<&str> = visible.map(|field| crate::support::text(field, "name")).collect();
    let mut expected: Vec<&str> = all[0].split(',').collect();
    assert_eq!((all.len(), expected.remove(0), expected.pop()), (1, "id", Some("archived_at")));
    expected.sort_unstable();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(expected, sorted);
}

fn choices() -> Fixture {
    let mut fixture = accounts();
    for (name, field_type) in [("region", "dropdown"), ("tiers", "checkboxes")] {
        let body = json!({
            "field_type": field_type, "display_name": name, "name": name,
            "options": [{"name": "North|West"}, {"name": "a\\b"}, {"name": "South"}],
        });
        fixture.field("accounts", &body);
    }
    for (name, field_type) in [
        ("labels", "dynamictags"),
        ("seats", "integer"),
        ("score", "decimal"),
        ("price", "money"),
        ("vip", "checkbox"),
        ("since", "date"),
        ("seen", "datetime"),
    ] {
        let body = json!({"field_type": field_type, "display_name": name, "name": name});
        fixture.field("accounts", &body);
    }
    fixture
}

#[test]
fn values_have_their_texts_and_lists_are_told_apart() {
    let mut fixture = choices();
    let fields = json!({
        "region": {"name": "North|West"}, "tiers": [{"name": "North|West"}, {"name": "a\\b"}, {"name": "South"}],
        "labels": ["x|y", "z"], "seats": -7, "score": "12.50", "price": "9.5", "vip": true,
        "since": "2026-11-24", "seen": "2026-11-24T05:40:00.123Z",
    });
    fixture.create("accounts", "Acme", &fields);
    fixture.create("accounts", "Globex", &json!({}));
    let columns = "region,tiers,labels,seats,score,price,vip,since,seen";
    let labelled = format!("{EXPORT}?format=csv&labels=true&field_names={columns}");
    let table = rows(&fixture.client.get(&labelled));
    let cell = |row: usize| table[row].split_once(',').expect("an id comes first").1.to_owned();
    assert_eq!(cell(0), columns);
    let expected = "North|West,North\\|West|a\\\\b|South,x\\|y|z,-7,12.5,9.50,true,2026-11-24,\
                    2026-11-24T05:40:00.123000+00:00";
    assert_eq!(cell(1), expected);
    assert_eq!(cell(2), ",,,,,,false,,");
    let plain = format!("{EXPORT}?format=csv&field_names=region,tiers,labels");
    let table = rows(&fixture.client.get(&plain));
    let options =
        fixture.client.get("/api/custom-objects/accounts/fields/tiers/options").expect(200);
    let id = |at: usize| text(&options["results"][at], "id").to_owned();
    let cells: Vec<&str> = table[1].split(',').collect();
    assert_eq!(cells[2], [id(0), id(1), id(2)].join("|"));
    assert_eq!(cells[3], "x\\|y|z", "tags have names alone");
}

#[test]
fn formulas_are_made_texts_where_that_is_asked_for() {
    let mut fixture = choices();
    for (name, note) in [("=1+1", "@x"), ("a", "+1"), ("b", "-1"), ("c", "a=1")] {
        fixture.create("accounts", name, &json!({"note": note, "seats": -3}));
    }
    let target = format!("{EXPORT}?format=csv&field_names=name,note,seats");
    let plain = rows(&fixture.client.get(&target));
    let excel = rows(&fixture.client.get(&format!("{target}&excel=true")));
    let cells = |row: &str| row.split_once(',').expect("an id comes first").1.to_owned();
    assert_eq!(cells(&plain[1]), "=1+1,@x,-3");
    let expected = [
        "name,note,seats",
        "\"'=1+1\",\"'@x\",\"'-3\"",
        "a,\"'+1\",\"'-3\"",
        "b,\"'-1\",\"'-3\"",
        "c,a=1,\"'-3\"",
    ];
    assert_eq!(excel.iter().map(|row| cells(row)).collect::<Vec<_>>(), expected);
}
