//! The routes of an object's fields: listing, reading and making them, and the tags of one.
//!
//! It must not know what a field may be: the model decides that.

use crate::http::body::Body;
use crate::http::dry_run::Run;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::field_changes;
use crate::http::field_references;
use crate::http::ordering::ListOrder;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::relation_fields::NewRelationship;
use crate::http::schema_change::ask_for_schema;
use crate::http::schema_fault::{add_schema_faults, throwaway_ids};
use crate::http::shape::{Presence, Shape};
use crate::http::target::Target;
use crate::http::wire::keys;
use crate::http::wire::objects::in_order;
use crate::http::wire::schema_fields::{FieldShape, TagShape, read_new_field};
use crate::model::access::FieldRights;
use crate::model::key::tag_key;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::schema::new_field::NewField;
use crate::model::schema::object::CONTACTS;
use crate::model::table::Shown;
use crate::model::table::command::{Ask, Reply};
use crate::model::table::event::Tag;
use crate::model::value::FieldType;
use actix_web::dev::Payload;
use actix_web::web::{Path, ServiceConfig};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use std::future::{Ready, ready};
use std::sync::Arc;

/// Adds the routes. The words of paths stand before the references to fields.
pub fn register(config: &mut ServiceConfig) {
    let search = Endpoint::at("/api/custom-objects/{object_identifier}/fields/search");
    config
        .service(
            Endpoint::at("/api/custom-objects/{object_identifier}/fields")
                .running_dry()
                .get(list)
                .post(create),
        )
        .service(
            Endpoint::at("/api/custom-objects/{object_identifier}/fields/settings-search")
                .get(list),
        )
        .service(
            search
                .get(retrieve_the_one_named_search)
                .running_dry()
                .post_read(search_fields)
                .patch(field_changes::change)
                .put(field_changes::change)
                .delete(field_changes::delete),
        )
        .service(
            Endpoint::at("/api/custom-objects/{object_identifier}/fields/{field}")
                .running_dry()
                .get(retrieve)
                .patch(field_changes::change)
                .put(field_changes::change)
                .delete(field_changes::delete),
        )
        .service(
            Endpoint::at("/api/custom-objects/{object_identifier}/fields/{field}/references")
                .get(field_references::list),
        )
        .service(
            Endpoint::at("/api/custom-objects/{object_identifier}/fields/{field}/tags")
                .get(list_tags),
        )
        .service(
            Endpoint::at("/api/pipelines/{object_identifier}/fields/{field}/tags")
                .get(list_tags_of_pipeline),
        )
        .service(Endpoint::at("/api/client/fields/{field}/tags").get(list_tags_of_contacts));
}

/// The field that the path names, in the caller's table.
pub(crate) struct AddressedField {
    pub(crate) target: Target,
    pub(crate) schema: Arc<Schema>,
    pub(crate) field: Arc<Field>,
    /// What the caller may do with the fields.
    pub(crate) rights: FieldRights,
}

impl AddressedField {
    fn find(request: &HttpRequest) -> Result<Self, Problem> {
        let target = Target::find(request)?;
        let schema = target.table.shown().schema();
        // The one path that names a field without saying which: see `register`.
        let reference = request.match_info().get("field").unwrap_or("search");
        let rights = target.access.fields(&schema);
        let field = rights.find(&schema, reference).ok_or_else(Problem::not_found)?.clone();
        Ok(Self { target, schema, field, rights })
    }
}

impl FromRequest for AddressedField {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::find(request))
    }
}

async fn list(target: Target, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let mut text = |name, faults: &mut Faults| query.text(name, faults).map(str::to_owned);
    let filter = FieldFilter {
        search: text("search", &mut faults),
        field_type: text("field_type", &mut faults),
        name: text("name", &mut faults),
    };
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    Ok(filter.answer(&target))
}

/// The same list, its filters in the body.
async fn search_fields(
    target: Target,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Read, &mut faults);
    let mut shape = Shape::of_body(&input, &mut faults);
    let mut text =
        |key, faults: &mut Faults| keys::text(&mut shape, key, Presence::Nullable, faults);
    let filter = FieldFilter {
        search: text("search", &mut faults),
        field_type: text("field_type", &mut faults),
        name: text("name", &mut faults),
    };
    shape.finish(is_strict, RouteGroup::Read, &mut faults);
    faults.check()?;
    Ok(filter.answer(&target))
}

/// Which fields a list is of.
#[derive(Debug, Default)]
struct FieldFilter {
    search: Option<String>,
    field_type: Option<String>,
    name: Option<String>,
}

impl FieldFilter {
    /// The fields in order, those that the schema hides left out.
    fn answer(&self, target: &Target) -> HttpResponse {
        let (schema, tables) = (target.table.shown().schema(), target.caller.related_tables());
        let rights = target.access.fields(&schema);
        let search = self.search.as_ref().map(|text| text.trim().to_lowercase());
        let is_found = |field: &Field| {
            search.as_ref().is_none_or(|part| {
                [&field.name, &field.display_name]
                    .iter()
                    .any(|text| text.to_lowercase().contains(part))
            })
        };
        let takes = |field: &&Field| {
            !field.is_hidden
                && self.name.as_ref().is_none_or(|name| *name == field.name)
                && self.field_type.as_ref().is_none_or(|name| name == field.field_type.name())
                && is_found(field)
        };
        let fields = in_order(&schema, &rights).into_iter().filter(takes);
        let fields = fields.map(|field| FieldShape::of(field, (&rights, &tables)));
        HttpResponse::Ok().json(fields.collect::<Vec<_>>())
    }
}

async fn create(target: Target, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let (New { field, relationship }, run) = read_create(&target, &request, &body)?;
    let bytes = body.bytes().len();
    let (field, partner) = match (relationship, run) {
        (None, _) => (create_alone(&target, field, run, bytes).await?, None),
        (Some(relationship), Run::Real) => (relationship.make(&target, bytes).await?, None),
        (Some(relationship), Run::Dry) => {
            let (field, partner) = relationship.try_both(&target, bytes).await?;
            (field, Some(partner))
        }
    };
    let mut schema = target.table.shown().schema();
    if run == Run::Dry && schema.by_number(field.number).is_none() {
        // What the caller may do with it is what it could do then.
        schema = Arc::new(schema.with_field(Field::clone(&field)));
    }
    let (rights, tables) = (target.access.fields(&schema), target.caller.related_tables());
    let mut shape = FieldShape::of(&field, (&rights, &tables));
    if let Some(partner) = &partner {
        shape = shape.related_by(&field, partner, &tables);
    }
    Ok(run.answer(HttpResponse::Created(), shape))
}

/// A field to be, and the relationship that it is one side of.
struct New {
    field: NewField,
    relationship: Option<NewRelationship>,
}

async fn create_alone(
    target: &Target,
    new: NewField,
    run: Run,
    bytes: usize,
) -> Result<Arc<Field>, Problem> {
    match ask_for_schema(target, run.ask(Ask::CreateField(Box::new(new))), bytes).await? {
        Reply::Field(field) => Ok(field),
        Reply::Record(_)
        | Reply::NoMatch
        | Reply::Done
        | Reply::Option(_)
        | Reply::Category(_)
        | Reply::Rows(_)
        | Reply::Repeated(_)
        | Reply::AlreadyApplied
        | Reply::Tried(_) => {
            unreachable!("the creation of a field is answered with the field")
        }
    }
}

fn read_create(target: &Target, request: &HttpRequest, body: &Body) -> Result<(New, Run), Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let (is_strict, run) = Run::read(request, RouteGroup::FieldWrite, &mut faults);
    let (mut new, relation) = read_new_field(&input, is_strict, &mut faults);
    let relationship = relation
        .as_ref()
        .and_then(|keys| NewRelationship::read(target, &mut new, keys, &mut faults));
    let schema = target.table.shown().schema();
    // A relationship asks two tables: each is to be right before the first is asked.
    if (relationship.is_some() || !faults.is_empty())
        && let Err(mut found) = schema.decide_field(&new, &mut throwaway_ids())
    {
        // Its own faults are noted.
        found.retain(|fault| {
            relation.is_none() || new.relation.is_some() || !fault.is_about("relation")
        });
        add_schema_faults(&found, &mut faults);
    }
    faults.check().map(|()| (New { field: new, relationship }, run))
}

async fn retrieve(
    addressed: AddressedField,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    let AddressedField { target, field, rights, .. } = addressed;
    let tables = target.caller.related_tables();
    Ok(HttpResponse::Ok().json(FieldShape::of(&field, (&rights, &tables))))
}

/// A field may be called by the word that is a path too.
async fn retrieve_the_one_named_search(
    target: Target,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let schema = target.table.shown().schema();
    let rights = target.access.fields(&schema);
    let field = rights.find(&schema, "search").ok_or_else(Problem::not_found)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    let tables = target.caller.related_tables();
    Ok(HttpResponse::Ok().json(FieldShape::of(field, (&rights, &tables))))
}

async fn list_tags(
    addressed: AddressedField,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    answer_tags(addressed.target.table.shown(), &addressed.field, &request)
}

/// An object of another type is as good as none here.
async fn list_tags_of_pipeline(
    addressed: AddressedField,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    addressed.schema.stage().ok_or_else(Problem::not_found)?;
    list_tags(addressed, request).await
}

async fn list_tags_of_contacts(
    reference: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Target { table, access, .. } = Target::of_object(&request, CONTACTS)?;
    let schema = table.shown().schema();
    let rights = access.fields(&schema);
    let field = rights.find(&schema, &reference).ok_or_else(Problem::not_found)?;
    answer_tags(table.shown(), field, &request)
}

pub(super) fn answer_tags(
    shown: &Shown,
    field: &Field,
    request: &HttpRequest,
) -> Result<HttpResponse, Problem> {
    if field.field_type != FieldType::Dynamictags {
        return Err(Problem::not_found());
    }
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let search = query.text("search", &mut faults).map(|text| text.trim().to_lowercase());
    let order = ListOrder::of_query(&mut query, &[("name", ())], &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let takes = |tag: &Arc<Tag>| {
        tag.field == field.number
            && search.as_ref().is_none_or(|part| tag.name.to_lowercase().contains(part))
    };
    let mut found: Vec<_> = shown.tags.first(shown.tags.len()).into_iter().filter(takes).collect();
    order.sort(&mut found, |(), left, right| tag_key(&left.name).cmp(&tag_key(&right.name)));
    let places = page.places(found.len())?;
    let rows = found[places].iter().map(|tag| TagShape::of(tag)).collect();
    Ok(HttpResponse::Ok().json(page.envelope(found.len(), rows, &Address::of_request(request))))
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::{TestServer, UNKNOWN_ID};
    use serde_json::{Value, json};

    const FIELDS: &str = "/api/custom-objects/accounts/fields";

    async fn accounts() -> TestServer {
        let server = TestServer::start().await;
        let body = json!({"object_name": "Accounts", "entity_name": "Account"});
        server.post("/api/custom-objects", &body).await.expect(201);
        server
    }

    async fn names(server: &TestServer, path: &str) -> Vec<String> {
        let list = server.get(path).await.expect(200);
        let name = |field: &Value| field["name"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(name).collect()
    }

    #[actix_web::test]
    async fn a_new_field_is_answered_whole_and_read_back_the_same() {
        let server = accounts().await;
        let categories = server.get("/api/custom-objects/accounts/categories").await.expect(200);
        let body = json!({
            "field_type": "decimal", "display_name": "Score", "description": "0 to 5",
            "is_unique": true, "is_read_only": true, "meta": {"b": 1, "a": 2},
            "decimal_options": {"min_value": "-0.50", "max_value": 5, "precision": 2},
        });
        let made = server.post(FIELDS, &body).await.expect(201);
        let expected = json!({
            "id": made["id"], "name": "score", "display_name": "Score", "description": "0 to 5",
            "field_type": "decimal", "category": categories[0]["id"], "order": 5,
            "is_default": false, "is_required": false, "is_read_only": true, "is_hidden": false,
            "is_deletable": true, "allows_nulls": true, "allows_empty": false,
            "allow_multiple": false, "meta": {"b": 1, "a": 2}, "properties": {},
            "decimal_options": {"min_value": -0.5, "max_value": 5.0, "precision": 2},
            "access": {"view": true, "edit": false},
            "is_hideable": true, "is_suppressed": false, "description_visibility": "all",
            "is_unique": true, "normalizer": null,
        });
        assert_eq!(made, expected);
        for reference in ["score", made["id"].as_str().unwrap()] {
            let read = server.get(&format!("{FIELDS}/{reference}")).await.expect(200);
            assert_eq!(read, made);
        }
        let list = server.get(FIELDS).await.expect(200);
        assert!(list.as_array().unwrap().contains(&made));
    }

    #[actix_web::test]
    async fn the_flags_of_absence_follow_from_the_type() {
        let server = accounts().await;
        for (field_type, is_required, allows_nulls, allows_empty) in [
            ("text", false, true, true),
            ("longtext", false, true, true),
            ("text", true, false, false),
            ("integer", false, true, false),
            ("checkbox", false, false, false),
        ] {
            let body = json!({
                "field_type": field_type, "display_name": "A", "is_required": is_required,
            });
            let made = server.post(FIELDS, &body).await.expect(201);
            let found = (&made["allows_nulls"], &made["allows_empty"]);
            assert_eq!(found, (&json!(allows_nulls), &json!(allows_empty)), "{body}");
        }
    }

    async fn check_refused(server: &TestServer, body: Value, faults: &[(&str, &str)]) {
        let answer = server.post(FIELDS, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        let found = answer.faults();
        let found: Vec<_> = found.iter().map(|(code, place)| (&**code, &**place)).collect();
        assert_eq!(found, faults, "{body}");
    }

    #[actix_web::test]
    async fn all_faults_of_a_new_field_are_told_at_once() {
        let server = accounts().await;
        let check = |body, faults| check_refused(&server, body, faults);
        check(json!({}), &[("required", "display_name"), ("required", "field_type")]).await;
        check(
            json!({
                "field_type": "sphere", "display_name": "", "name": "owner",
                "category": UNKNOWN_ID,
            }),
            &[
                ("blank", "display_name"),
                ("does_not_exist", "category"),
                ("invalid_identifier", "name"),
                ("invalid_choice", "field_type"),
            ],
        )
        .await;
        check(
            json!({
                "field_type": "dropdown", "display_name": "A", "is_required": "perhaps",
                "options": [{"name": "North"}, "South", {"name": "north", "meta": 1}, {}],
            }),
            &[
                ("invalid", "is_required"),
                ("invalid", "options[1]"),
                ("invalid", "options[2].meta"),
                ("required", "options[1].name"),
                ("unique", "options[2].name"),
                ("required", "options[3].name"),
            ],
        )
        .await;
        check(
            json!({
                "field_type": "decimal", "display_name": "A",
                "decimal_options": {"min_value": "x", "max_value": [], "precision": 7},
            }),
            &[
                ("invalid", "decimal_options.max_value"),
                ("invalid", "decimal_options.min_value"),
                ("invalid", "decimal_options.precision"),
            ],
        )
        .await;
        check(
            json!({"field_type": "text", "display_name": "A", "rating": {"max_value": 5}}),
            &[("invalid", "rating")],
        )
        .await;
        assert_eq!(names(&server, FIELDS).await.len(), 5, "nothing was made");
    }

    #[actix_web::test]
    async fn a_list_is_ordered_filtered_and_without_hidden_fields() {
        let server = accounts().await;
        for body in [
            json!({"field_type": "text", "display_name": "Last", "order": 90}),
            json!({"field_type": "date", "display_name": "Since"}),
            json!({"field_type": "text", "display_name": "Secret", "is_hidden": true}),
            json!({"field_type": "text", "display_name": "First", "order": -1}),
            json!({"field_type": "text", "display_name": "Search", "name": "search"}),
        ] {
            server.post(FIELDS, &body).await.expect(201);
        }
        let all = [
            "first",
            "name",
            "owner",
            "display_name",
            "created",
            "updated",
            "last",
            "since",
            "search",
        ];
        for (query, expected) in [
            ("", &all[..]),
            ("/settings-search", &all),
            ("?search=LAST", &["updated", "last"]),
            ("?field_type=date", &["since"]),
            ("/settings-search?field_type=text&search=na", &["name", "display_name"]),
            ("?name=last", &["last"]),
            ("?name=secret", &[]),
        ] {
            let found = names(&server, &format!("{FIELDS}{query}")).await;
            assert_eq!(found, expected, "{query}");
        }
        let list = server.post(&format!("{FIELDS}/search"), &json!({"search": "last"})).await;
        assert_eq!(
            list.expect(200),
            server.get(&format!("{FIELDS}?search=last")).await.expect(200)
        );
        // A field that is called like the path is still a field, and a hidden one is still there.
        for name in ["search", "secret"] {
            let field = server.get(&format!("{FIELDS}/{name}")).await.expect(200);
            assert_eq!(field["name"], name);
        }
    }

    #[actix_web::test]
    async fn what_is_not_there_or_not_offered_says_so() {
        let server = accounts().await;
        let body = json!({"field_type": "text", "display_name": "A"});
        let unknown = server.post("/api/custom-objects/unknown/fields", &body).await;
        unknown.expect_error(404, "not_found");
        // Nothing of the body is looked at before the object is known.
        let unknown = server.post("/api/custom-objects/unknown/fields/search", &json!([])).await;
        unknown.expect_error(404, "not_found");
        for path in ["unknown", UNKNOWN_ID, "unknown/tags", "name/tags", "unknown/options"] {
            server.get(&format!("{FIELDS}/{path}")).await.expect_error(404, "not_found");
        }
        let answer = server.post(&format!("{FIELDS}/name"), &json!({})).await;
        answer.expect_error(405, "method_not_allowed");
        assert_eq!(names(&server, FIELDS).await.len(), 5);
    }

    #[actix_web::test]
    async fn a_field_without_tags_has_an_empty_page_of_them() {
        let server = accounts().await;
        let empty =
            json!({"count": 0, "next": null, "previous": null, "results": [], "errors": null});
        for path in [
            "/api/custom-objects/client_client/fields/tags/tags?ordering=-name&search=a",
            "/api/client/fields/titles/tags",
        ] {
            assert_eq!(server.get(path).await.expect(200), empty, "{path}");
        }
    }

    /// The tags of any object were once listed under the path of pipelines.
    #[actix_web::test]
    async fn the_path_of_pipelines_knows_no_other_object() {
        let server = accounts().await;
        let pipeline = json!({"stages": [{"name": "New"}]});
        let body = json!({"object_name": "Deals", "object_type": "pipeline", "pipeline": pipeline});
        server.post("/api/custom-objects", &body).await.expect(201);
        for (object, status) in [("deals", 200), ("accounts", 404), ("client_client", 404)] {
            let fields = format!("/api/custom-objects/{object}/fields");
            let body = json!({"field_type": "dynamictags", "display_name": "Labels"});
            server.post(&fields, &body).await.expect(201);
            server.get(&format!("{fields}/labels/tags")).await.expect(200);
            let of_pipeline = format!("/api/pipelines/{object}/fields/labels/tags");
            server.get(&of_pipeline).await.expect(status);
        }
    }
}
