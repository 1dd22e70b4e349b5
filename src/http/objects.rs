//! The routes of objects.
//!
//! It must not know what an object may be: the model decides that.

use crate::engine::Engine;
use crate::http::body::Body;
use crate::http::caller::{Caller, require};
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::fields::{ask_for_schema, of_schema_rejection};
use crate::http::ordering::ListOrder;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::refusal::of_ask_error;
use crate::http::schema_fault::{add_schema_faults, throwaway_ids};
use crate::http::search::count;
use crate::http::target::Target;
use crate::http::wire::objects::{
    ContactObjectShape, ObjectPage, ObjectRow, ObjectShape, ObjectSource, read_changed_object,
    read_new_object,
};
use crate::model::access::{FieldRights, ObjectAccess};
use crate::model::catalog::command::{Ask, Command, Reply};
use crate::model::key;
use crate::model::schema::Schema;
use crate::model::schema::new_object::{Founder, NewObject};
use crate::model::schema::object::{CONTACTS, Object, ObjectType};
use crate::model::table;
use crate::model::table::schema_command::SchemaAsk;
use actix_web::http::header::HeaderValue;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;

/// Adds the routes.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at("/api/custom-objects").get(list).post(create))
        .service(
            Endpoint::at("/api/custom-objects/{object_identifier}")
                .get(retrieve)
                .patch(change)
                .put(change)
                .delete(archive),
        )
        .service(Endpoint::at("/api/custom-objects/{object_identifier}/detail").get(retrieve))
        .service(Endpoint::at("/api/client/custom-object").get(retrieve_contacts));
}

async fn list(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let filter = ObjectFilter::of_query(&mut query, &mut faults);
    let order = ListOrder::of_query(&mut query, &ORDERS, &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let mut schemas = visible_schemas(&caller);
    schemas.retain(|schema| filter.takes(schema.object()));
    order.sort(&mut schemas, |by, left, right| by.compare(left.object(), right.object()));
    let places = page.places(schemas.len())?;
    let rows = schemas[places].iter().map(|schema| ObjectRow::of(schema.object())).collect();
    let page = page.envelope(schemas.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(ObjectPage::new(page, caller.rights.may_create_objects())))
}

/// What there is to list.
fn visible_schemas(caller: &Caller) -> Vec<Arc<Schema>> {
    caller.tables().iter().map(|(table, _)| table.shown().schema()).collect()
}

async fn create(
    engine: Data<Engine>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let new = read_create(&caller, &request, &body)?;
    require(caller.rights.may_create_objects())?;
    check_name(&caller, new.name.as_deref(), None)?;
    let command = Command { caller: caller.for_request(), ask: Ask::CreateObject(Box::new(new)) };
    let reply = engine.ask_catalog(&caller.business, command, body.bytes().len()).await?;
    let Reply::Object(schema) = reply else {
        unreachable!("the creation of an object is answered with its schema")
    };
    // Whoever makes an object is shown it once, also where it has no right on it.
    let (access, rights) = (caller.rights.on(schema.object().id), FieldRights::default());
    let source = source(&caller, &schema, (&access, &rights), 0);
    Ok(HttpResponse::Created().json(ObjectShape::of(source)))
}

/// Only an administrator says what an object is called by.
fn check_name(caller: &Caller, given: Option<&str>, held: Option<&str>) -> Result<(), Problem> {
    if given.is_none() || given == held || caller.rights.is_admin() {
        return Ok(());
    }
    Err(Fault::new(Code::ForbiddenFieldWrite, Place::Body("name".into())).into())
}

fn read_create(caller: &Caller, request: &HttpRequest, body: &Body) -> Result<NewObject, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(request, RouteGroup::Write, &mut faults);
    let new = read_new_object(&input, is_strict, &mut faults);
    if !faults.is_empty() {
        let founder = Founder { member: None, at: caller.member.created };
        let is_taken = |name: &str| caller.catalog.object_of_name(name).is_some();
        if let Err(found) = new.decide(founder, &is_taken, &mut throwaway_ids()) {
            add_schema_faults(&found, &mut faults);
        }
    }
    faults.check().map(|()| new)
}

/// `PATCH` and `PUT`: what is not given stays.
async fn change(target: Target, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let change = read_change(&target, &request, &body)?;
    require(target.access.may_change_schema())?;
    let held = target.table.shown().schema();
    check_name(&target.caller, change.name.as_deref(), Some(&held.object().name))?;
    let asked = SchemaAsk::ChangeObject(Box::new(change));
    let ask = table::command::Ask::ChangeSchema(asked);
    ask_for_schema(&target, ask, body.bytes().len()).await?;
    answer(target).await
}

fn read_change(target: &Target, request: &HttpRequest, body: &Body) -> Result<NewObject, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(request, RouteGroup::Write, &mut faults);
    let change = read_changed_object(&input, is_strict, &mut faults);
    if !faults.is_empty()
        && let Err(found) = target.table.shown().schema().decide_object_change(&change)
    {
        add_schema_faults(&found, &mut faults);
    }
    faults.check().map(|()| change)
}

/// The reply means that nothing of the object is found any more, also after a crash.
async fn archive(target: Target, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if target.table.shown().schema().is_contacts() {
        let allow = HeaderValue::from_static("GET, HEAD, PATCH, PUT, OPTIONS");
        return Err(Problem::method_not_allowed(request.method(), allow));
    }
    check_no_parameters(&request, RouteGroup::Write)?;
    require(target.access.may_delete_schema())?;
    let Target { engine, caller, table, .. } = &target;
    let answer = engine.archive_object(&caller.business, table, caller.for_request()).await;
    answer.map_err(|error| of_ask_error(error, |it| of_schema_rejection(&target, it)))?;
    Ok(HttpResponse::NoContent().finish())
}

async fn retrieve(target: Target, request: HttpRequest) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    answer(target).await
}

/// The object as it is now.
async fn answer(target: Target) -> Result<HttpResponse, Problem> {
    let count = count(&target).await?;
    let Target { caller, table, access, .. } = target;
    let schema = table.shown().schema();
    let rights = access.fields(&schema);
    let source = source(&caller, &schema, (&access, &rights), count);
    Ok(HttpResponse::Ok().json(ObjectShape::of(source)))
}

async fn retrieve_contacts(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let target = Target::of_object(&request, CONTACTS)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    let count = count(&target).await?;
    let Target { caller, table, access, .. } = target;
    let schema = table.shown().schema();
    let rights = access.fields(&schema);
    let source = source(&caller, &schema, (&access, &rights), count);
    Ok(HttpResponse::Ok().json(ContactObjectShape::of(source)))
}

fn source<'a>(
    caller: &'a Caller,
    schema: &'a Schema,
    (access, rights): (&'a ObjectAccess, &'a FieldRights),
    number_of_records: usize,
) -> ObjectSource<'a> {
    let time_zone = caller.business.time_zone();
    ObjectSource {
        schema,
        access,
        rights,
        number_of_records,
        members: &caller.catalog.members,
        time_zone,
    }
}

/// Which objects a list is of.
#[derive(Debug)]
struct ObjectFilter {
    custom_only: bool,
    name: Option<String>,
    object_name: Option<key::Key>,
    object_type: Option<ObjectType>,
    is_custom: Option<bool>,
    default_on_activities: Option<bool>,
    allow_relations: Option<bool>,
    /// In lower case.
    search: Option<String>,
}

const OBJECT_TYPES: [(&str, ObjectType); 2] =
    [("standard", ObjectType::Standard), ("pipeline", ObjectType::Pipeline)];

impl ObjectFilter {
    fn of_query(query: &mut Query<'_>, faults: &mut Faults) -> Self {
        Self {
            custom_only: query.boolean("custom_only", faults).unwrap_or(true),
            name: query.text("name", faults).map(str::to_owned),
            object_name: query.text("object_name", faults).map(key::option_key),
            object_type: query.choice("object_type", &OBJECT_TYPES, faults),
            is_custom: query.boolean("is_custom", faults),
            default_on_activities: query.boolean("default_on_activities", faults),
            allow_relations: query.boolean("allow_relations", faults),
            search: query.text("search", faults).map(|text| text.trim().to_lowercase()),
        }
    }

    fn takes(&self, object: &Object) -> bool {
        let flags = [
            (self.is_custom, object.is_custom),
            (self.default_on_activities, object.default_on_activities),
            (self.allow_relations, object.allow_relations),
        ];
        let labels = [&object.name, &object.object_name, &object.entity_name];
        (object.is_custom || !self.custom_only)
            && flags.iter().all(|(wanted, is)| wanted.is_none_or(|wanted| wanted == *is))
            && self.name.as_ref().is_none_or(|name| *name == object.name)
            && self.object_type.is_none_or(|wanted| wanted == object.object_type)
            && (self.object_name.as_ref())
                .is_none_or(|label| *label == key::option_key(&object.object_name))
            && (self.search.as_ref())
                .is_none_or(|part| labels.iter().any(|label| label.to_lowercase().contains(part)))
    }
}

/// What a list of objects may be ordered by.
#[derive(Clone, Copy, Debug)]
enum OrderBy {
    Name,
    ObjectName,
    EntityName,
    Created,
}

const ORDERS: [(&str, OrderBy); 4] = [
    ("name", OrderBy::Name),
    ("object_name", OrderBy::ObjectName),
    ("entity_name", OrderBy::EntityName),
    ("created", OrderBy::Created),
];

impl OrderBy {
    fn compare(self, left: &Object, right: &Object) -> std::cmp::Ordering {
        let by_label = |left, right| key::option_key(left).cmp(&key::option_key(right));
        match self {
            Self::Name => left.name.cmp(&right.name),
            Self::ObjectName => by_label(&left.object_name, &right.object_name),
            Self::EntityName => by_label(&left.entity_name, &right.entity_name),
            Self::Created => left.created.cmp(&right.created),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::{NOW_TEXT, TestServer, UNKNOWN_ID};
    use actix_web::test::TestRequest;
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
        check(
            json!({"object_name": "Deals", "object_type": "pipeline"}),
            &[("required", "pipeline")],
        )
        .await;
        check(
            json!({"object_name": "Deals", "object_type": "sphere"}),
            &[("invalid_choice", "object_type")],
        )
        .await;
        check(
            json!({"object_name": "Deals", "pipeline": {"stages": []}}),
            &[("invalid", "pipeline")],
        )
        .await;
        check(
            json!({"object_name": "Deals", "unique_constraints": [["country", "vat"]]}),
            &[("invalid", "unique_constraints")],
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
            ("?min_seq=5", 400, "unknown_parameter"),
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
            (json!({"identifier_case": "sensitive"}), "immutable", "identifier_case"),
            (json!({"identifier_case": "upper"}), "invalid_choice", "identifier_case"),
            (json!({"object_name": ""}), "blank", "object_name"),
            (json!({"object_name": null}), "null", "object_name"),
            (json!({"unique_constraints": [["name", "owner"]]}), "invalid", "unique_constraints"),
        ] {
            let answer = server.patch(path, &change).await;
            assert_eq!(answer.faults(), [(code.to_owned(), key.to_owned())], "{change}");
            answer.expect(400);
        }
        let list = server.get("/api/custom-objects").await.expect(200);
        assert_eq!(list["results"][0]["object_name"], "Firms");
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
        assert_eq!(
            (&email["field_type"], &email["is_deletable"]),
            (&json!("email"), &json!(false))
        );
        let mut plain = contacts.clone();
        plain.as_object_mut().unwrap().remove("undeletable_fields");
        assert_eq!(server.get("/api/custom-objects/client_client").await.expect(200), plain);
    }

    #[actix_web::test]
    async fn what_is_not_there_or_not_offered_says_so() {
        let server = TestServer::start().await;
        for path in [UNKNOWN_ID, "unknown", "Client_client", "unknown/detail", "unknown/categories"]
        {
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
        for header in ["Idempotency-Key", "X-Origin"] {
            let request = TestRequest::post().uri("/api/custom-objects").set_json(&body);
            let answer = server.send(request.insert_header((header, "x"))).await;
            answer.expect_error(400, "unknown_parameter");
        }
        server.post("/api/custom-objects", &body).await.expect(201);
    }
}
