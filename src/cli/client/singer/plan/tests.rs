//! Plans of streams, and the rows they make.

use super::*;

fn schema(properties: &Value, keys: &[&str]) -> Schema {
    Schema {
        stream: "Users".to_owned(),
        properties: properties.as_object().unwrap().clone(),
        key_properties: keys.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn plan(properties: &Value, keys: &[&str], config: Value) -> Result<Plan, PlanError> {
    Plan::of(&schema(properties, keys), serde_json::from_value(config).unwrap())
}

fn row(plan: &Plan, record: &Value) -> Result<Value, KeyError> {
    let line = plan.row(record.as_object().unwrap().clone())?;
    Ok(serde_json::from_str(&line).unwrap())
}

fn id_and_note() -> Value {
    json!({"id": {"type": "integer"}, "note": {"type": ["null", "string"]}})
}

#[test]
fn each_json_type_has_a_field_type_that_takes_all_of_it() {
    for (schema, expected) in [
        (json!({"type": "string"}), "longtext"),
        (json!({"type": ["null", "string"], "maxLength": 255}), "text"),
        (json!({"type": "string", "maxLength": 256}), "longtext"),
        (json!({"type": ["string", "null"], "format": "date-time"}), "datetime"),
        (json!({"type": "string", "format": "date"}), "date"),
        (json!({"type": "string", "format": "uri"}), "longtext"),
        (json!({"type": "integer"}), "decimal"),
        (json!({"type": "integer", "minimum": 0, "maximum": 2_147_483_647}), "integer"),
        (json!({"type": "integer", "minimum": 0, "maximum": 2_147_483_648_u32}), "decimal"),
        (json!({"type": ["null", "integer", "number"]}), "decimal"),
        (json!({"type": ["null", "boolean"]}), "checkbox"),
        (json!({"type": ["integer", "string"]}), "longtext"),
        (json!({"type": "object"}), "longtext"),
        (json!({"type": ["null", "array"]}), "longtext"),
        (json!({"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}), "longtext"),
        (json!({"anyOf": [{"type": "boolean"}, {"type": "null"}]}), "checkbox"),
        (json!({}), "longtext"),
    ] {
        assert_eq!(field_type(&schema), expected, "{schema}");
    }
}

#[test]
fn one_key_is_the_identifier_and_no_field() {
    let plan = plan(&id_and_note(), &["id"], json!({})).unwrap();
    assert_eq!((&*plan.object, &*plan.label), ("users", "Users"));
    assert_eq!(plan.columns.keys().collect::<Vec<_>>(), ["note"]);
    let record = json!({"id": 12_345_678_901_234_u64, "note": "a", "unknown": 1});
    let expected = json!({"lookup_value": "12345678901234", "fields": {"note": "a"}});
    assert_eq!(row(&plan, &record), Ok(expected));
    let cleared = json!({"lookup_value": "x", "fields": {"note": null}});
    assert_eq!(row(&plan, &json!({"id": "x", "note": null})), Ok(cleared));
    for bad in [json!({"note": "a"}), json!({"id": null}), json!({"id": " "}), json!({"id": [1]})] {
        assert_eq!(row(&plan, &bad), Err(KeyError("id".to_owned())), "{bad}");
    }
}

#[test]
fn several_keys_are_one_text_that_no_other_keys_become() {
    let properties = json!({"a": {"type": "string"}, "b": {"type": "string"}});
    let plan = plan(&properties, &["a", "b"], json!({})).unwrap();
    assert_eq!(plan.columns.len(), 2);
    for (a, b, value) in [("x", "y", "x|y"), ("x|y", "z", r"x\|y|z"), (r"x\", "y", r"x\\|y")] {
        let made = row(&plan, &json!({"a": a, "b": b})).unwrap();
        assert_eq!(made["lookup_value"], value);
    }
}

#[test]
fn texts_take_what_is_no_text_as_json() {
    let properties = json!({
        "id": {"type": "string"}, "tags": {"type": "array"}, "any": {}, "flag": {"type": "boolean"},
    });
    let plan = plan(&properties, &["id"], json!({})).unwrap();
    let record = json!({"id": "1", "tags": ["a", 1], "any": 1.50, "flag": true});
    let fields = json!({"tags": "[\"a\",1]", "any": "1.5", "flag": true});
    assert_eq!(row(&plan, &record).unwrap()["fields"], fields);
}

#[test]
fn the_configuration_says_otherwise() {
    let config = json!({
        "object": "client_client", "match": ["external_id"],
        "fields": {"id": "external_id", "email": "email", "secret": null},
        "types": {"age": "integer"}, "oncreate_unarchive": "unarchive",
    });
    let properties = json!({
        "id": {"type": "integer"}, "email": {"type": "string"}, "age": {"type": "integer"},
        "secret": {"type": "string"},
    });
    let made = plan(&properties, &["id"], config).unwrap();
    assert_eq!((&*made.object, made.lookup.len()), ("client_client", 0));
    let column = &made.columns["id"];
    assert_eq!((&*column.field, &*column.field_type), ("external_id", "text"));
    assert!(column.is_unique && column.is_text);
    assert_eq!(made.columns["age"].field_type, "integer");
    let record = json!({"id": 7, "email": "a@b.c", "age": 5, "secret": "s"});
    let expected = json!({"fields": {"external_id": "7", "email": "a@b.c", "age": 5}});
    assert_eq!(row(&made, &record), Ok(expected));
    let lookup = plan(&id_and_note(), &[], json!({"lookup": "note"})).unwrap();
    assert_eq!(lookup.lookup, ["note"]);
    assert_eq!(lookup.columns["id"].field, "source_id");
}

#[test]
fn what_cannot_be_written_is_told_before_the_first_record() {
    assert_eq!(plan(&id_and_note(), &[], json!({})), Err(PlanError::NoKey));
    let absent = plan(&id_and_note(), &["uid"], json!({}));
    assert_eq!(absent, Err(PlanError::NoKeyProperty("uid".to_owned())));
    let properties = json!({"id": {}, "fooBar": {}, "foo_bar": {}});
    let same = plan(&properties, &["id"], json!({}));
    assert!(matches!(same, Err(PlanError::SameField(..))), "{same:?}");
}
