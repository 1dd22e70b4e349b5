//! Every condition of every type of field, as data.

use super::ACCOUNTS;
use super::searches::{ALL, BLANK, BOTH, FULL, NONE, NOT_FULL, NOT_OTHER, OTHER};
use super::searches::{names, one, search, world};
use serde_json::{Value, json};

/// A field, a condition on it, its value, and who is found.
type Row = (&'static str, &'static str, Value, &'static [&'static str]);

fn rows_of_texts() -> Vec<Row> {
    vec![
        ("remark", "=", json!("ÜBER mut "), FULL),
        ("remark", "=", json!("ÜBER"), NONE),
        ("remark", "!=", json!("MUTED"), NOT_OTHER),
        ("remark", "contains", json!("MUT"), BOTH),
        ("remark", "contains", json!("r m"), FULL),
        ("remark", "!contains", json!("ted"), NOT_OTHER),
        ("remark", "starts_with", json!("über"), FULL),
        ("remark", "!starts_with", json!("über"), NOT_FULL),
        ("remark", "ends_with", json!("MUT"), FULL),
        ("remark", "!ends_with", json!("MUT"), NOT_FULL),
        ("remark", "is_blank", json!(true), BLANK),
        ("remark", "is_blank", json!(false), BOTH),
        ("remark", "is_not_blank", json!(true), BOTH),
        ("mail", "=", json!("ann@example.com"), FULL),
        ("mail", "!=", json!("ann@example.com"), NOT_FULL),
        ("mail", "contains", json!("@EXAMPLE"), BOTH),
        ("mail", "!contains", json!("ann"), NOT_FULL),
        ("mail", "starts_with", json!("BOB"), OTHER),
        ("mail", "!starts_with", json!("BOB"), NOT_OTHER),
        ("mail", "ends_with", json!(".org"), OTHER),
        ("mail", "!ends_with", json!(".org"), NOT_OTHER),
        ("mail", "is_blank", json!("true"), BLANK),
        ("note", "contains", json!("LONG note"), FULL),
        ("note", "is_blank", json!(true), BLANK),
        ("note", "is_not_blank", json!(null), BOTH),
        ("name", "starts_with", json!("OTH"), OTHER),
        ("display_name", "=", json!("Blank"), BLANK),
        ("display_name", "is_blank", json!(true), NONE),
    ]
}

fn rows_of_numbers() -> Vec<Row> {
    vec![
        ("seats", "=", json!(10), FULL),
        ("seats", "=", json!(10.5), NONE),
        ("seats", "!=", json!("10"), NOT_FULL),
        ("seats", "<", json!(10), OTHER),
        ("seats", "<", json!(10.5), BOTH),
        ("seats", "<=", json!(10), BOTH),
        ("seats", ">", json!(-5), FULL),
        ("seats", ">=", json!(-5), BOTH),
        ("seats", "between", json!([-5, "10"]), BOTH),
        ("seats", "between", json!([-4, 10]), FULL),
        ("seats", "between", json!([10, -5]), NONE),
        ("seats", "is_blank", json!(true), BLANK),
        ("rate", "=", json!("2.5"), FULL),
        ("rate", "!=", json!(2.5), NOT_FULL),
        ("rate", "<", json!(3), FULL),
        ("rate", "<=", json!(3), BOTH),
        ("rate", ">", json!(2.5), OTHER),
        ("rate", ">=", json!(2.5), BOTH),
        ("rate", "between", json!([2.5, 2.9]), FULL),
        ("rate", "is_blank", json!(false), BOTH),
        ("active", "=", json!(true), FULL),
        ("active", "=", json!("no"), NOT_FULL),
    ]
}

fn rows_of_times() -> Vec<Row> {
    vec![
        ("since", "=", json!("2026-11-24"), FULL),
        ("since", "!=", json!("2026-11-24"), NOT_FULL),
        ("since", "<", json!("2026-11-24"), OTHER),
        ("since", "<=", json!("2026-11-24"), BOTH),
        ("since", ">", json!("2025-01-31"), FULL),
        ("since", ">=", json!("2025-01-31"), BOTH),
        ("since", "between", json!(["2025-01-31", "2026-11-24"]), BOTH),
        ("since", "between", json!(["2025-02-01", "2026-11-23"]), NONE),
        ("since", "month_equals", json!(11), FULL),
        ("since", "month_equals", json!("1"), OTHER),
        ("since", "is_blank", json!(true), BLANK),
        ("seen", "=", json!("2026-11-24"), FULL),
        ("seen", "=", json!("2026-11-25T01:00:00+01:00"), OTHER),
        ("seen", "!=", json!("2026-11-24"), NOT_FULL),
        ("seen", "<", json!("2026-11-25"), FULL),
        ("seen", "<=", json!("2026-11-25"), BOTH),
        ("seen", ">", json!("2026-11-24"), OTHER),
        ("seen", ">=", json!("2026-11-24"), BOTH),
        ("seen", "between", json!(["2026-11-24", "2026-11-24"]), FULL),
        ("seen", "between", json!(["2026-11-24", "2026-11-25"]), BOTH),
        ("seen", "month_equals", json!(11), BOTH),
        ("seen", "month_equals", json!(12), NONE),
        ("seen", "is_blank", json!(true), BLANK),
        ("created", "=", json!("2026-11-24"), ALL),
        ("updated", "<", json!("2026-11-24"), NONE),
    ]
}

fn rows_of_references() -> Vec<Row> {
    let bot = super::BOT.to_string();
    vec![
        ("region", "=", json!("n"), FULL),
        ("region", "=", json!({"name": "north"}), FULL),
        ("region", "!=", json!("North"), NOT_FULL),
        ("region", "is_any_of", json!(["North", "South"]), BOTH),
        ("region", "is_any_of", json!("South"), OTHER),
        ("region", "is_none_of", json!(["North", "South"]), BLANK),
        ("region", "is_blank", json!(true), BLANK),
        ("labels", "has", json!(["VIP"]), FULL),
        ("labels", "has", json!(["vip", "new"]), FULL),
        ("labels", "!has", json!(["vip"]), NOT_FULL),
        ("labels", "has_any", json!(["vip", "new"]), BOTH),
        ("labels", "has_any", json!(["nobody has it"]), NONE),
        ("labels", "!has_any", json!(["vip", "new"]), BLANK),
        ("labels", "has_all", json!(["new", {"name": "vip"}]), FULL),
        ("labels", "has_all", json!(["new", "nobody has it"]), NONE),
        ("labels", "has_none", json!(["vip"]), NOT_FULL),
        ("labels", "is_blank", json!(true), BLANK),
        ("agent", "=", json!(bot), FULL),
        ("agent", "!=", json!({"email": "BOT@example.com"}), NOT_FULL),
        ("agent", "=", json!("is_me"), OTHER),
        ("agent", "is_any_of", json!(["is_me", bot]), BOTH),
        ("agent", "is_none_of", json!(["is_me"]), NOT_OTHER),
        ("agent", "is_blank", json!(true), BLANK),
        ("helpers", "=", json!(bot), BOTH),
        ("helpers", "is_any_of", json!(["is_me"]), OTHER),
        ("helpers", "is_none_of", json!([bot]), BLANK),
        ("owner", "=", json!("is_me"), ALL),
    ]
}

fn rows_of_further_types() -> Vec<Row> {
    let mut rows: Vec<Row> = vec![
        ("price", "=", json!("2.5"), FULL),
        ("price", "!=", json!(2.5), NOT_FULL),
        ("price", "<", json!(3), FULL),
        ("price", "<=", json!(3), BOTH),
        ("price", ">", json!(2.5), OTHER),
        ("price", ">=", json!(2.5), BOTH),
        ("price", "between", json!([2, 2.9]), FULL),
        ("price", "is_blank", json!(true), BLANK),
        ("stars", "=", json!("4"), FULL),
        ("stars", "!=", json!(4), NOT_FULL),
        ("stars", "<", json!(4), OTHER),
        ("stars", "<=", json!(4), BOTH),
        ("stars", ">", json!(2), FULL),
        ("stars", ">=", json!(2), BOTH),
        ("stars", "is_any_of", json!(["4", 5]), FULL),
        ("stars", "is_none_of", json!(["4", 5]), NOT_FULL),
        ("stars", "is_blank", json!(true), BLANK),
        ("zone", "=", json!("europe/berlin"), FULL),
        ("zone", "!=", json!("Europe/Berlin"), NOT_FULL),
        ("zone", "is_any_of", json!(["UTC", "Europe/Berlin"]), BOTH),
        ("zone", "is_none_of", json!(["UTC"]), NOT_OTHER),
        ("zone", "is_blank", json!(true), BLANK),
        ("picks", "=", json!("B"), BOTH),
        ("picks", "!=", json!("A"), NOT_FULL),
        ("picks", "is_any_of", json!(["A"]), FULL),
        ("picks", "is_none_of", json!(["A", "B"]), BLANK),
        ("picks", "is_blank", json!(true), BLANK),
        ("boxes", "has", json!(["A", "B"]), FULL),
        ("boxes", "!has", json!(["A"]), NOT_FULL),
        ("boxes", "has_any", json!(["A", "B"]), BOTH),
        ("boxes", "!has_any", json!(["A", "B"]), BLANK),
        ("boxes", "has_all", json!(["A", "B"]), FULL),
        ("boxes", "has_none", json!(["A"]), NOT_FULL),
        ("boxes", "is_blank", json!(false), BOTH),
        ("phone", "=", json!("(202) 555-0123"), FULL),
        ("phone", "=", json!("1 202 555 0123"), FULL),
        ("phone", "=", json!("5550123"), NONE),
        ("phone", "contains", json!("555-01"), BOTH),
        ("phone", "contains", json!("0199"), OTHER),
        ("phone", "is_blank", json!(true), BLANK),
        ("sure", "=", json!("yes"), FULL),
        ("sure", "!=", json!("no"), NOT_OTHER),
        ("sure", "is_any_of", json!(["yes", "no"]), BOTH),
        ("sure", "is_none_of", json!(["no"]), NOT_OTHER),
        ("sure", "is_blank", json!(true), BLANK),
        ("papers", ">", json!(1), FULL),
        ("papers", ">=", json!(1), BOTH),
        ("papers", "<", json!(2), OTHER),
        ("papers", "is_blank", json!(true), BLANK),
    ];
    for field in ["size", "kind", "state", "pick"] {
        rows.extend([
            (field, "=", json!("A"), FULL),
            (field, "!=", json!("a"), NOT_FULL),
            (field, "is_any_of", json!(["A", {"name": "B"}]), BOTH),
            (field, "is_none_of", json!(["B"]), NOT_OTHER),
            (field, "is_blank", json!(true), BLANK),
        ] as [Row; 5]);
    }
    rows
}

#[actix_web::test]
async fn every_condition_of_every_type_finds_what_it_says() {
    let world = world().await;
    let rows = [
        rows_of_texts(),
        rows_of_numbers(),
        rows_of_times(),
        rows_of_references(),
        rows_of_further_types(),
    ];
    for (field, condition, value, expected) in rows.iter().flatten() {
        let body = one(&json!({"field": field, "condition": condition, "value": value}));
        let page = search(&world, "", &body).await.expect(200);
        assert_eq!(names(&page), *expected, "{field} {condition} {value}");
        assert_eq!(page["count"], expected.len(), "{field} {condition} {value}");
    }
}

#[actix_web::test]
async fn records_are_found_by_what_is_scheduled_about_them() {
    let world = world().await;
    let schedule = async |name: &str, due: &str| {
        let found = world.server.get(&format!("{ACCOUNTS}/lookup?identifier={name}")).await;
        let about = json!([{"custom_object_id": "accounts", "entity_id": found.expect(200)["id"]}]);
        let body = json!({"activity_object_name": "task", "due_datetime": due,
            "associated_entities": about});
        let path = "/api/activities/scheduled-activity";
        let activity = world.server.post(path, &body).await.expect(201);
        format!("{path}/{}", activity["id"].as_str().unwrap())
    };
    // It is the morning of 24 November.
    schedule("full", "2026-11-26T00:00:00Z").await;
    schedule("other", "2026-11-20T00:00:00Z").await;
    let done = schedule("blank", "2026-11-25T00:00:00Z").await;
    let body = json!({"completed_at": "2026-11-24T00:00:00Z"});
    world.server.patch(&done, &body).await.expect(200);
    let asked = |condition: &str, value: &Value| {
        one(&json!({"type": "scheduled_activities", "condition": condition, "value": value}))
    };
    for (condition, value, expected) in [
        ("any_time", json!(null), BOTH),
        ("not_scheduled", json!(null), BLANK),
        ("within_n_days", json!(2), FULL),
        ("within_n_days", json!("1"), NONE),
        ("between", json!(["2026-11-20", "2026-11-25"]), OTHER),
        ("between", json!(["2026-11-20", "2026-11-26"]), BOTH),
        ("overdue_more_than_n_days", json!(4), OTHER),
        ("overdue_more_than_n_days", json!(5), NONE),
        ("overdue_more_than_n_days", json!(0), OTHER),
    ] {
        let page = search(&world, "", &asked(condition, &value)).await.expect(200);
        assert_eq!(names(&page), expected, "{condition} {value}");
    }
    for (condition, value, code, key) in [
        ("sometimes", json!(1), "unsupported_filter", "condition"),
        ("within_n_days", json!(null), "invalid", "value"),
        ("within_n_days", json!(-1), "invalid", "value"),
        ("within_n_days", json!(36_501), "invalid", "value"),
        ("between", json!(["2026-11-20"]), "invalid", "value"),
    ] {
        let answer = search(&world, "", &asked(condition, &value)).await;
        let expected = (code.to_owned(), format!("query[0].filters[0].{key}"));
        assert_eq!(answer.faults(), [expected], "{condition} {value}");
    }
}
