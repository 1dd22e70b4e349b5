//! Objects are made, listed, read, changed and archived.

use crate::http::test_support::{NOW_TEXT, TestServer, UNKNOWN_ID};
use serde_json::{Value, json};

#[actix_web::test]
async fn a_new_object_is_answered_whole_and_read_back_the_same() {
    let server = TestServer::start().await;
    let meta: Value = serde_json::from_str(r#"{"a":1.50}"#).unwrap();
    let body = json!({
        "object_name": " Accounts ", "entity_name": "Account", "description": "Firms",
        "identifier_case": "sensitive", "default_on_activities": true,
        "meta": meta, "unique_constraints": [], "pipeline": null,
    });
    let made = server.post("/api/custom-objects", &body).await.expect(201);
    let id = made["id"].as_str().unwrap().to_owned();
    let mut expected = json!({
        "name": "accounts", "object_name": "Accounts", "entity_name": "Account",
        "object_type": "standard", "description": "Firms", "is_custom": true,
        "allow_relations": true, "has_commerce_data": false, "default_on_activities": true,
        "track_entity_value": false, "include_percentage_to_close": false,
        "use_ai_to_update_percentage": false, "ai_confidence_threshold": "0.80",
        "allow_on_forms": false, "default_color": "#085BEE", "default_icon": "bars-light",
        "rollup_related_leadsources": false, "association_source": "direct",
        "fetch_url": "standard", "created": NOW_TEXT, "number_of_records": 0,
        "access": {"view": true, "edit": true, "remove": true},
        "entity_access": {"view": true, "edit": true, "remove": true, "create": true},
        "unique_constraints": [],
    });
    // What is checked by itself, or is another part's business.
    for key in ["id", "owner", "meta", "identifier", "fields"] {
        expected[key] = made[key].clone();
    }
    assert_eq!(made, expected);
    assert_eq!(made["meta"].to_string(), r#"{"a":1.50}"#);
    assert_eq!(made["owner"]["email"], "admin@upsertd.invalid");
    assert_eq!(made["owner"]["deleted"], false);
    assert_eq!(made["identifier"]["case"], "sensitive");
    assert_eq!(made["identifier"]["field"]["name"], "name");
    let names: Vec<_> = made["fields"].as_array().unwrap().iter().map(|f| &f["name"]).collect();
    assert_eq!(names, ["name", "owner", "display_name", "created", "updated"]);
    for reference in ["accounts", &id, &id.to_uppercase(), "accounts/detail"] {
        let read = server.get(&format!("/api/custom-objects/{reference}")).await;
        assert_eq!(read.expect(200), made, "{reference}");
    }
}

async fn check_refused(server: &TestServer, body: Value, faults: &[(&str, &str)]) {
    let answer = server.post("/api/custom-objects", &body).await;
    assert_eq!(answer.status, 400, "{body}");
    let found = answer.faults();
    let found: Vec<_> = found.iter().map(|(code, place)| (&**code, &**place)).collect();
    assert_eq!(found, faults, "{body}");
    assert!(answer.body[faults[0].1].is_array(), "the form of older clients: {}", answer.body);
}

#[actix_web::test]
async fn all_faults_of_a_new_object_are_told_at_once() {
    let server = TestServer::start().await;
    let check = |body, faults| check_refused(&server, body, faults);
    check(json!({}), &[("required", "object_name")]).await;
    check(json!({"object_name": null}), &[("null", "object_name")]).await;
    check(json!({"object_name": 7}), &[("invalid", "object_name")]).await;
    check(
        json!({"object_name": "", "name": "team", "identifier_case": "upper"}),
        &[
            ("blank", "object_name"),
            ("invalid_choice", "identifier_case"),
            ("invalid_identifier", "name"),
        ],
    )
    .await;
    // What could not be read does not hide what could.
    check(
        json!({"meta": [], "has_commerce_data": "perhaps", "description": "x".repeat(501)}),
        &[
            ("invalid", "has_commerce_data"),
            ("invalid", "meta"),
            ("required", "object_name"),
            ("max_length", "description"),
        ],
    )
    .await;
    check(
        json!({"object_name": "Deals", "object_type": "pipeline", "pipeline": {"stages": []}}),
        &[("invalid", "pipeline.stages")],
    )
    .await;
    check(json!({"object_name": "Deals", "object_type": "pipeline"}), &[("required", "pipeline")])
        .await;
    check(
        json!({"object_name": "Deals", "object_type": "sphere"}),
        &[("invalid_choice", "object_type")],
    )
    .await;
    check(json!({"object_name": "Deals", "pipeline": {"stages": []}}), &[("invalid", "pipeline")])
        .await;
    check(
        json!({
            "object_name": "", "identifier_case": "upper",
            "unique_constraints": ["name", ["name"], ["name", 7, "vat", "created"]],
        }),
        &[
            ("invalid", "unique_constraints[0]"),
            ("invalid", "unique_constraints[2][1]"),
            ("blank", "object_name"),
            ("invalid_choice", "identifier_case"),
            ("invalid", "unique_constraints[1]"),
            ("does_not_exist", "unique_constraints[2][2]"),
            ("invalid", "unique_constraints[2][3]"),
        ],
    )
    .await;
    let list = server.get("/api/custom-objects").await.expect(200);
    assert_eq!(list["count"], 0, "nothing was made");
}

#[actix_web::test]
async fn a_taken_name_is_not_unique() {
    let server = TestServer::start().await;
    let body = json!({"object_name": "Accounts"});
    server.post("/api/custom-objects", &body).await.expect(201);
    let body = json!({"object_name": "Accounts", "name": "accounts"});
    check_refused(&server, body, &[("unique", "name")]).await;
}

#[actix_web::test]
async fn a_list_is_filtered_ordered_and_paged() {
    let server = TestServer::start().await;
    for (object_name, entity_name) in [("Plans", "Plan"), ("accounts", "Account")] {
        let body = json!({"object_name": object_name, "entity_name": entity_name});
        server.post("/api/custom-objects", &body).await.expect(201);
    }
    let body = json!({
        "object_name": "Deals", "entity_name": "Deal", "object_type": "pipeline",
        "pipeline": {"stages": [{"name": "New"}]},
    });
    server.post("/api/custom-objects", &body).await.expect(201);
    for (query, names) in [
        ("", &["plans", "accounts", "deals"][..]),
        ("?custom_only=false", &["client_client", "plans", "accounts", "deals"]),
        ("?custom_only=0&is_custom=false", &["client_client"]),
        ("?is_custom=false", &[]),
        ("?ordering=object_name", &["accounts", "deals", "plans"]),
        ("?ordering=-name", &["plans", "deals", "accounts"]),
        ("?ordering=created,name", &["accounts", "deals", "plans"]),
        ("?name=deals", &["deals"]),
        ("?name=Deals", &[]),
        ("?object_name=DEALS", &["deals"]),
        ("?search=LAN", &["plans"]),
        ("?object_type=standard&search=an", &["plans"]),
        ("?object_type=standard&search=deal", &[]),
        ("?object_type=pipeline", &["deals"]),
        ("?default_on_activities=true", &[]),
        ("?allow_relations=true&page_size=2", &["plans", "accounts"]),
        ("?page_size=2&page=2", &["deals"]),
    ] {
        let page = server.get(&format!("/api/custom-objects{query}")).await.expect(200);
        let rows = page["results"].as_array().unwrap();
        let found: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{query}");
        assert_eq!(page["access"], json!({"edit": true}));
        assert!(rows.iter().all(|row| row.get("fields").is_none() && row["id"].is_string()));
    }
    let first = server.get("/api/custom-objects?page_size=2").await.expect(200);
    let next = "http://crm.example.com/api/custom-objects?page_size=2&page=2";
    assert_eq!((&first["next"], &first["count"]), (&json!(next), &json!(3)));
    for (query, status, code) in [
        ("?page=3", 404, "not_found"),
        ("?is_custom=perhaps", 400, "invalid"),
        ("?object_type=sphere", 400, "invalid_choice"),
        ("?ordering=colour", 400, "does_not_exist"),
        ("?min_seq=5", 400, "invalid"),
        ("?strict=true&colour=red", 400, "unknown_parameter"),
    ] {
        let answer = server.get(&format!("/api/custom-objects{query}")).await;
        answer.expect_error(status, code);
    }
}

#[actix_web::test]
async fn an_object_is_changed_in_part() {
    let server = TestServer::start().await;
    let body = json!({"object_name": "Accounts", "description": "Firms"});
    let made = server.post("/api/custom-objects", &body).await.expect(201);
    let path = "/api/custom-objects/accounts";
    let change = json!({
        "object_name": " Firms ", "entity_name": "Firm", "meta": {"a": 1},
        "allow_on_forms": true, "object_type": "standard", "name": "accounts",
        "identifier_case": "insensitive",
    });
    let changed = server.patch(path, &change).await.expect(200);
    let mut expected = made.clone();
    expected.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    expected["object_name"] = json!("Firms");
    expected.as_object_mut().unwrap().remove("identifier_case");
    assert_eq!(changed, expected);
    assert_eq!(server.get(path).await.expect(200), expected);
    assert_eq!(server.put(path, &json!({})).await.expect(200), expected);
    for (change, code, key) in [
        (json!({"object_type": "pipeline"}), "immutable", "object_type"),
        (json!({"name": "firms"}), "immutable", "name"),
        (json!({"identifier_case": "upper"}), "invalid_choice", "identifier_case"),
        (json!({"object_name": ""}), "blank", "object_name"),
        (json!({"object_name": null}), "null", "object_name"),
        (json!({"unique_constraints": {}}), "invalid", "unique_constraints"),
        (json!({"unique_constraints": [["name", "owner"]]}), "invalid", "unique_constraints[0][1]"),
    ] {
        let answer = server.patch(path, &change).await;
        assert_eq!(answer.faults(), [(code.to_owned(), key.to_owned())], "{change}");
        answer.expect(400);
    }
    let list = server.get("/api/custom-objects").await.expect(200);
    assert_eq!(list["results"][0]["object_name"], "Firms");
}

#[actix_web::test]
async fn names_match_otherwise_where_they_still_differ() {
    let server = TestServer::start().await;
    let body = json!({"object_name": "Accounts", "identifier_case": "sensitive"});
    server.post("/api/custom-objects", &body).await.expect(201);
    let upsert = async |name: &str| {
        let body = json!({"lookup_value": name});
        server.post("/api/records/accounts/upsert", &body).await.expect(200)
    };
    let [small, great] = [upsert("acme").await, upsert("ACME").await];
    assert_ne!(small["id"], great["id"]);
    let path = "/api/custom-objects/accounts";
    let fold = json!({"identifier_case": "insensitive", "description": "Firms"});
    let great_path = format!("/api/records/accounts/{}", great["id"].as_str().unwrap());
    // An archived record keeps its name.
    for is_archived in [false, true] {
        if is_archived {
            assert_eq!(server.delete(&great_path).await.status, 204);
        }
        let refused = server.patch(path, &fold).await;
        let fault = ("constraint_violated".to_owned(), "identifier_case".to_owned());
        assert_eq!(refused.faults(), [fault]);
        let refused = refused.expect(400);
        let ids = json!([{"record_ids": [small["id"], great["id"]], "value": "acme"}]);
        assert_eq!((&refused["count"], &refused["violations"]), (&json!(1), &ids));
        let object = server.get(path).await.expect(200);
        assert_eq!(
            (&object["identifier"]["case"], &object["description"]),
            (&json!("sensitive"), &json!(""))
        );
    }
    assert_eq!(server.delete(&format!("{great_path}?purge=true")).await.status, 204);
    let changed = server.patch(path, &fold).await.expect(200);
    assert_eq!(
        (&changed["identifier"]["case"], &changed["description"]),
        (&json!("insensitive"), &json!("Firms"))
    );
    let again = upsert(" ACME ").await;
    assert_eq!((&again["id"], &again["version"]), (&small["id"], &json!(1)));
    let back = json!({"identifier_case": "sensitive"});
    server.patch(path, &back).await.expect(200);
    assert_eq!(upsert("ACME").await["action"], "created");
    assert_eq!(upsert("acme").await["id"], small["id"]);
    let answer = server.patch("/api/custom-objects/client_client", &back).await;
    assert_eq!(answer.faults(), [("immutable".to_owned(), "identifier_case".to_owned())]);
}

#[actix_web::test]
async fn an_archived_object_is_as_good_as_none() {
    let server = TestServer::start().await;
    let body = json!({"object_name": "Accounts"});
    let made = server.post("/api/custom-objects", &body).await.expect(201);
    let id = made["id"].as_str().unwrap();
    let path = "/api/custom-objects/accounts";
    let record = json!({"lookup_value": "Acme"});
    let record = server.post("/api/records/accounts/upsert", &record).await.expect(200);
    let blocked = server.delete(path).await;
    blocked.expect_error(400, "custom_object_archive_blocked");
    let record_path = format!("/api/records/accounts/{}", record["id"].as_str().unwrap());
    assert_eq!(server.delete(&record_path).await.status, 204);
    assert_eq!(server.delete(path).await.status, 204);
    server.delete(path).await.expect_error(404, "not_found");
    for name in ["accounts", id] {
        for path in [
            format!("/api/custom-objects/{name}"),
            format!("/api/custom-objects/{name}/fields"),
            format!("/api/records/{name}"),
            format!("/api/records/{name}/lookup?identifier=Acme"),
            format!("{record_path}?include_archived=true").replace("accounts", name),
        ] {
            server.get(&path).await.expect_error(404, "not_found");
        }
        let change = json!({"object_name": "B"});
        let path = format!("/api/custom-objects/{name}");
        server.patch(&path, &change).await.expect_error(404, "not_found");
        let path = format!("/api/records/{name}/upsert");
        let write = json!({"lookup_value": "B"});
        server.post(&path, &write).await.expect_error(404, "not_found");
    }
    let list = server.get("/api/custom-objects").await.expect(200);
    assert_eq!(list["count"], 0);
    let again = server.post("/api/custom-objects", &body).await.expect(201);
    assert_eq!(again["name"], "accounts");
    assert_eq!(again["number_of_records"], 0);
    let answer = server.delete(&format!("{path}?dry_run=true&strict=true")).await;
    answer.expect_error(400, "unknown_parameter");
}

#[actix_web::test]
async fn the_contact_object_names_what_cannot_be_deleted() {
    let server = TestServer::start().await;
    let contacts = server.get("/api/client/custom-object").await.expect(200);
    assert_eq!(
        (&contacts["name"], &contacts["fetch_url"]),
        (&json!("client_client"), &json!("client"))
    );
    assert_eq!(contacts["owner"], Value::Null);
    let undeletable = contacts["undeletable_fields"].as_object().unwrap();
    assert_eq!(undeletable.len(), contacts["fields"].as_array().unwrap().len());
    let email = &undeletable["email"];
    assert_eq!((&email["field_type"], &email["is_deletable"]), (&json!("email"), &json!(false)));
    let mut plain = contacts.clone();
    plain.as_object_mut().unwrap().remove("undeletable_fields");
    assert_eq!(server.get("/api/custom-objects/client_client").await.expect(200), plain);
}

#[actix_web::test]
async fn what_is_not_there_or_not_offered_says_so() {
    let server = TestServer::start().await;
    for path in [UNKNOWN_ID, "unknown", "Client_client", "unknown/detail", "unknown/categories"] {
        let answer = server.get(&format!("/api/custom-objects/{path}")).await;
        answer.expect_error(404, "not_found");
    }
    let one = "/api/custom-objects/client_client";
    server.delete(one).await.expect_error(405, "method_not_allowed");
    let answer = server.delete(one).await;
    assert_eq!(answer.headers.get("allow").unwrap(), "GET, HEAD, PATCH, PUT, OPTIONS");
    server.delete("/api/custom-objects/unknown").await.expect_error(404, "not_found");
    let body = json!({"object_name": "A", "colour": "red"});
    let strict = server.post("/api/custom-objects?strict=true", &body).await;
    assert_eq!(strict.faults(), [("unknown_parameter".to_owned(), "colour".to_owned())]);
    server.post("/api/custom-objects", &body).await.expect(201);
}
