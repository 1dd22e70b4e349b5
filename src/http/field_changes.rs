//! Changing and deleting a field.
//!
//! It must not know what may be changed: the model decides that.

use crate::http::body::Body;
use crate::http::dry_run::Run;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::fields::AddressedField;
use crate::http::problem::Problem;
use crate::http::relation_fields;
use crate::http::schema_change::ask_for_schema;
use crate::http::schema_fault::{add_schema_faults, throwaway_ids};
use crate::http::wire::schema_changes::read_changed_field;
use crate::http::wire::schema_fields::FieldShape;
use crate::model::schema::changed_field::ChangedField;
use crate::model::table::command::{Ask, Reply};
use crate::model::table::schema_command::SchemaAsk;
use actix_web::{HttpRequest, HttpResponse};

/// `PATCH` and `PUT`: what is not given stays.
pub(super) async fn change(
    addressed: AddressedField,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (change, run) = read_change(&addressed, &request, &body)?;
    let AddressedField { target, field, rights, .. } = addressed;
    let asked = SchemaAsk::ChangeField { field: field.number, change: Box::new(change) };
    let ask = run.ask(Ask::ChangeSchema(asked));
    let reply = ask_for_schema(&target, ask, body.bytes().len()).await?;
    let Reply::Field(field) = reply else {
        unreachable!("a change of a field is answered with the field")
    };
    let tables = target.caller.related_tables();
    Ok(run.answer(HttpResponse::Ok(), FieldShape::of(&field, (&rights, &tables))))
}

/// `DELETE`: the values of all records are gone from every read. Of a relationship both sides go.
pub(super) async fn delete(
    addressed: AddressedField,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let run = Run::of(&request, RouteGroup::FieldWrite)?;
    let AddressedField { target, field, .. } = addressed;
    if let Some(relation) = &field.relation {
        relation_fields::delete(&target, &field, relation, run).await?;
    } else {
        let ask = Ask::ChangeSchema(SchemaAsk::DeleteField(field.number));
        ask_for_schema(&target, run.ask(ask), 0).await?;
    }
    Ok(run.answer_nothing())
}

fn read_change(
    addressed: &AddressedField,
    request: &HttpRequest,
    body: &Body,
) -> Result<(ChangedField, Run), Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let (is_strict, run) = Run::read(request, RouteGroup::FieldWrite, &mut faults);
    let (change, relation) = read_changed_field(&input, is_strict, &mut faults);
    let AddressedField { target, schema, field, .. } = addressed;
    if let Some(keys) = relation {
        relation_fields::check_same(target, field, &keys, &mut faults);
    }
    if !faults.is_empty()
        && let Err(found) = schema.decide_field_change(field, &change, &mut throwaway_ids())
    {
        add_schema_faults(&found, &mut faults);
    }
    faults.check().map(|()| (change, run))
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::{Answer, TestServer};
    use serde_json::{Value, json};

    const FIELDS: &str = "/api/custom-objects/accounts/fields";
    const RECORDS: &str = "/api/records/accounts";

    /// Accounts with a text and a choice.
    async fn accounts() -> TestServer {
        let server = TestServer::start().await;
        let body = json!({"object_name": "Accounts", "entity_name": "Account"});
        server.post("/api/custom-objects", &body).await.expect(201);
        for body in [
            json!({"field_type": "text", "display_name": "Code"}),
            json!({
                "field_type": "dropdown", "display_name": "Region",
                "options": [{"name": "North"}, {"name": "South"}],
            }),
        ] {
            server.post(FIELDS, &body).await.expect(201);
        }
        server
    }

    async fn add(server: &TestServer, name: &str, more: &Value) -> String {
        let mut fields = json!({"name": name});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = server.post(&format!("{RECORDS}/add"), &json!({"fields": fields})).await;
        made.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// The value that a record reads for a field.
    async fn read(server: &TestServer, id: &str, name: &str) -> Option<Value> {
        let read = server.get(&format!("{RECORDS}/{id}")).await.expect(200);
        let fields = read["fields"].as_object().unwrap();
        fields.values().find(|field| field["name"] == name).map(|field| field["value"].clone())
    }

    async fn code(server: &TestServer, change: &Value) -> Answer {
        server.patch(&format!("{FIELDS}/code"), change).await
    }

    #[actix_web::test]
    async fn a_field_is_changed_in_part_and_no_record_changes() {
        let server = accounts().await;
        let id = add(&server, "A", &json!({"code": "x"})).await;
        let before = server.get(&format!("{FIELDS}/code")).await.expect(200);
        let change = json!({"display_name": "Kode", "name": "kode", "description": "short"});
        let changed = code(&server, &change).await.expect(200);
        let mut expected = before.clone();
        expected.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(changed, expected);
        assert_eq!(server.get(&format!("{FIELDS}/kode")).await.expect(200), expected);
        code(&server, &json!({})).await.expect_error(404, "not_found");
        assert_eq!(read(&server, &id, "kode").await, Some(json!("x")));
        let by_put = server.put(&format!("{FIELDS}/kode"), &json!({"order": 7})).await.expect(200);
        assert_eq!((&by_put["order"], &by_put["description"]), (&json!(7), &json!("short")));
        for (change, fault, key) in [
            (json!({"field_type": "integer"}), "immutable", "field_type"),
            (json!({"display_name": ""}), "blank", "display_name"),
            (json!({"name": "region"}), "unique", "name"),
            (json!({"name": "Kode"}), "invalid_identifier", "name"),
            (json!({"rating": {}}), "invalid", "rating"),
        ] {
            let answer = server.patch(&format!("{FIELDS}/kode"), &change).await;
            assert_eq!(answer.faults(), [(fault.to_owned(), key.to_owned())], "{change}");
            answer.expect(400);
        }
        let same = json!({"field_type": "text", "name": "kode", "is_unique": false});
        server.patch(&format!("{FIELDS}/kode"), &same).await.expect(200);
    }

    #[actix_web::test]
    async fn the_settings_of_a_type_are_changed_but_for_the_currency() {
        let server = accounts().await;
        for (field_type, block, given, same) in [
            ("rating", "rating", json!({"max_value": 7}), json!({"min_value": 1, "max_value": 7})),
            (
                "phonenumber",
                "phonenumber_options",
                json!({"enable_extension": true}),
                json!({"enable_extension": true}),
            ),
            ("money", "money_options", json!({"currency": "usd"}), json!({"currency": "USD"})),
        ] {
            let body = json!({"field_type": field_type, "display_name": format!("My {block}")});
            let path = format!("{FIELDS}/my_{block}");
            server.post(FIELDS, &body).await.expect(201);
            let changed = server.patch(&path, &json!({block: given})).await.expect(200);
            assert_eq!(changed[block], same);
            assert_eq!(server.get(&path).await.expect(200)[block], same, "{block}");
        }
        let path = format!("{FIELDS}/my_money_options");
        let euros = server.patch(&path, &json!({"money_options": {"currency": "EUR"}})).await;
        euros.expect_error(400, "immutable");
        let standing = json!({
            "field_type": "status", "display_name": "Standing",
            "options": [{"name": "Open"}, {"name": "Done", "status": "won"}],
        });
        let made = server.post(FIELDS, &standing).await.expect(201);
        let open = made["options"][0]["id"].as_str().unwrap();
        let path = format!("{FIELDS}/standing/options/{open}");
        let changed = server.patch(&path, &json!({"status": "lost"})).await.expect(200);
        assert_eq!((&changed["name"], &changed["status"]), (&json!("Open"), &json!("lost")));
        server.patch(&path, &json!({"status": "lose"})).await.expect_error(400, "invalid_choice");
    }

    #[actix_web::test]
    async fn a_deleted_field_takes_its_values_along() {
        let server = accounts().await;
        let id = add(&server, "A", &json!({"code": "x"})).await;
        let path = format!("{FIELDS}/code");
        let dry = server.delete(&format!("{path}?dry_run=true")).await;
        assert_eq!((dry.status, dry.headers.get("x-dry-run").is_some()), (204, true));
        assert_eq!(read(&server, &id, "code").await, Some(json!("x")));
        let deleted = server.delete(&path).await;
        assert_eq!((deleted.status, deleted.headers.get("x-dry-run")), (204, None));
        assert_eq!(read(&server, &id, "code").await, None);
        server.delete(&path).await.expect_error(404, "not_found");
        let write = json!({"fields": {"code": "y"}});
        let answer = server.patch(&format!("{RECORDS}/{id}"), &write).await;
        answer.expect_error(400, "does_not_exist");
        // A new field of the name is another field.
        let body = json!({"field_type": "text", "display_name": "Code"});
        server.post(FIELDS, &body).await.expect(201);
        assert_eq!(read(&server, &id, "code").await, None);
        let write = json!({"fields": {"region": "North"}});
        let written = server.patch(&format!("{RECORDS}/{id}"), &write).await.expect(200);
        assert_eq!(written["version"], 2);
        for name in ["name", "owner", "created", "display_name"] {
            let answer = server.delete(&format!("{FIELDS}/{name}")).await;
            answer.expect_error(400, "not_deletable");
        }
    }

    #[actix_web::test]
    async fn a_field_becomes_unique_where_no_live_record_shares_its_value() {
        let server = accounts().await;
        let first = add(&server, "A", &json!({"code": "x"})).await;
        let second = add(&server, "B", &json!({"code": "X"})).await;
        add(&server, "C", &json!({})).await;
        let unique = json!({"is_unique": true});
        for path in ["code", "code?dry_run=true"] {
            let refused = server.patch(&format!("{FIELDS}/{path}"), &unique).await;
            let refused = refused.expect_error(400, "constraint_violated");
            assert_eq!(refused["count"], 1);
            let violations = json!([{"record_ids": [first, second], "value": "x"}]);
            assert_eq!(refused["violations"], violations);
            assert_eq!(refused["errors"][0]["parameter"], "is_unique");
        }
        let exact = json!({"is_unique": true, "normalizer": "exact"});
        let dry = server.patch(&format!("{FIELDS}/code?dry_run=true"), &exact).await;
        assert_eq!(dry.headers.get("x-dry-run").unwrap(), "true");
        let dry = dry.expect(200);
        assert_eq!((&dry["dry_run"], &dry["is_unique"]), (&json!(true), &json!(true)));
        add(&server, "D", &json!({"code": "x"})).await;
        server.delete(&format!("{RECORDS}/{first}")).await;
        let changed = code(&server, &exact).await.expect(200);
        assert_eq!(changed.get("dry_run"), None);
        let body = json!({"fields": {"name": "E", "code": "x"}});
        let taken = server.post(&format!("{RECORDS}/add"), &body).await;
        assert_eq!(taken.faults(), [("unique".to_owned(), "code".to_owned())]);
        // The stricter form is refused, and an archived record with the value cannot come back.
        let refused = code(&server, &json!({"normalizer": "casefold"})).await;
        assert_eq!(refused.faults(), [("constraint_violated".to_owned(), "normalizer".to_owned())]);
        let back = server.patch(&format!("{RECORDS}/{first}/unarchive"), &json!({})).await;
        assert_eq!(back.expect(409)["conflict"]["kind"], "unique_on_restore");
        code(&server, &json!({"is_unique": false})).await.expect(200);
        server.post(&format!("{RECORDS}/add"), &body).await.expect(201);
    }

    #[actix_web::test]
    async fn a_field_becomes_required_where_every_live_record_has_a_value() {
        let server = accounts().await;
        add(&server, "A", &json!({"region": "North"})).await;
        let south = add(&server, "B", &json!({"region": "South"})).await;
        let path = format!("{FIELDS}/region");
        // The option that goes in the same request leaves a record without a value.
        let change = json!({"is_required": true, "options": [{"name": "North"}, {"name": "East"}]});
        let refused = server.patch(&path, &change).await.expect_error(400, "constraint_violated");
        let violations = json!([{"record_ids": [south], "value": null}]);
        assert_eq!((&refused["count"], &refused["violations"]), (&json!(1), &violations));
        let region = server.get(&path).await.expect(200);
        assert_eq!(region["options"].as_array().unwrap().len(), 2, "nothing has changed");
        let changed = server.patch(&path, &json!({"is_required": true})).await.expect(200);
        assert_eq!(changed["allows_nulls"], false);
        let body = json!({"fields": {"name": "C"}});
        let refused = server.post(&format!("{RECORDS}/add"), &body).await;
        assert_eq!(refused.faults(), [("required".to_owned(), "region".to_owned())]);
    }

    #[actix_web::test]
    async fn a_list_of_options_takes_the_place_of_the_old_one() {
        let server = accounts().await;
        let north = add(&server, "A", &json!({"region": "North"})).await;
        let south = add(&server, "B", &json!({"region": "South"})).await;
        let path = format!("{FIELDS}/region");
        let id = server.get(&path).await.expect(200)["options"][0]["id"].clone();
        let change = json!({"options": [{"name": "East"}, {"id": id, "name": "Up"}]});
        let changed = server.patch(&path, &change).await.expect(200);
        let labels: Vec<_> =
            changed["options"].as_array().unwrap().iter().map(|o| &o["name"]).collect();
        assert_eq!(labels, ["East", "Up"]);
        assert_eq!(changed["options"][1]["id"], id);
        assert_eq!(server.get(&path).await.expect(200), changed);
        assert_eq!(read(&server, &north, "region").await.unwrap()["name"], "Up");
        assert_eq!(read(&server, &south, "region").await, None);
        let references = server.get(&format!("{path}/references")).await.expect(200);
        let nothing =
            json!({"relationships": [], "unique_constraints": [], "permission_groups": []});
        assert_eq!(references, nothing);
    }
}
