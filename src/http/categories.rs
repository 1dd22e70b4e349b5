//! The routes of an object's categories.
//!
//! It must not know what a category may be: the model decides that.

use crate::http::body::Body;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::schema_change::ask_for_schema;
use crate::http::schema_fault::{add_schema_faults, throwaway_ids};
use crate::http::target::Target;
use crate::http::wire::schema_changes::read_new_category;
use crate::http::wire::schema_fields::CategoryShape;
use crate::model::id::CategoryId;
use crate::model::schema::Schema;
use crate::model::schema::categories::NewCategory;
use crate::model::schema::fault::SchemaFault;
use crate::model::schema::object::Category;
use crate::model::table::command::{Ask, Reply};
use crate::model::table::schema_command::SchemaAsk;
use actix_web::dev::Payload;
use actix_web::web::ServiceConfig;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use std::future::{Ready, ready};
use std::sync::Arc;

/// Adds the routes.
pub fn register(config: &mut ServiceConfig) {
    let all = Endpoint::at("/api/custom-objects/{object_identifier}/categories");
    let one = Endpoint::at("/api/custom-objects/{object_identifier}/categories/{category}");
    config.service(all.get(list).post(create)).service(one.patch(change).delete(remove));
}

/// The category that the path names by its id, and its object.
struct AddressedCategory {
    target: Target,
    schema: Arc<Schema>,
    id: CategoryId,
}

impl AddressedCategory {
    fn find(request: &HttpRequest) -> Result<Self, Problem> {
        let target = Target::find(request)?;
        let schema = target.table.shown().schema();
        let id = request.match_info().get("category").and_then(CategoryId::parse);
        let id = id.filter(|id| schema.category(*id).is_some()).ok_or_else(Problem::not_found)?;
        Ok(Self { target, schema, id })
    }
}

impl FromRequest for AddressedCategory {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::find(request))
    }
}

async fn list(target: Target, request: HttpRequest) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    let schema = target.table.shown().schema();
    // Of equal order, the older one first.
    let mut categories: Vec<&Category> = schema.categories().iter().collect();
    categories.sort_by_key(|category| category.order);
    let shapes: Vec<_> = categories.into_iter().map(CategoryShape::of).collect();
    Ok(HttpResponse::Ok().json(shapes))
}

async fn create(target: Target, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let schema = target.table.shown().schema();
    let new = read(&request, &body, |new| schema.decide_category(new, &mut throwaway_ids()))?;
    let asked = SchemaAsk::CreateCategory(new);
    let category = ask_for_category(&target, asked, body.bytes().len()).await?;
    Ok(HttpResponse::Created().json(CategoryShape::of(&category)))
}

async fn change(
    addressed: AddressedCategory,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let AddressedCategory { target, schema, id } = addressed;
    let held = schema.category(id).ok_or_else(Problem::not_found)?;
    let change = read(&request, &body, |change| held.decide_change(change))?;
    let asked = SchemaAsk::ChangeCategory { category: id, change };
    let category = ask_for_category(&target, asked, body.bytes().len()).await?;
    Ok(HttpResponse::Ok().json(CategoryShape::of(&category)))
}

/// Its fields go to the first of the categories that are left.
async fn remove(
    addressed: AddressedCategory,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Write)?;
    let asked = SchemaAsk::DeleteCategory(addressed.id);
    ask_for_schema(&addressed.target, Ask::ChangeSchema(asked), 0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Reads the body; where its shape is at fault, `decide` tells what else is.
fn read(
    request: &HttpRequest,
    body: &Body,
    decide: impl Fn(&NewCategory) -> Result<Category, Vec<SchemaFault>>,
) -> Result<NewCategory, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(request, RouteGroup::Write, &mut faults);
    let new = read_new_category(&input, is_strict, &mut faults);
    if !faults.is_empty()
        && let Err(found) = decide(&new)
    {
        add_schema_faults(&found, &mut faults);
    }
    faults.check().map(|()| new)
}

async fn ask_for_category(
    target: &Target,
    asked: SchemaAsk,
    bytes: usize,
) -> Result<Category, Problem> {
    match ask_for_schema(target, Ask::ChangeSchema(asked), bytes).await? {
        Reply::Category(category) => Ok(category),
        Reply::Record(_)
        | Reply::NoMatch
        | Reply::Done
        | Reply::Field(_)
        | Reply::Option(_)
        | Reply::Rows(_)
        | Reply::Repeated(_)
        | Reply::AlreadyApplied
        | Reply::Tried(_) => {
            unreachable!("a change of a category is answered with the category")
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::{TestServer, UNKNOWN_ID};
    use serde_json::{Value, json};

    const CATEGORIES: &str = "/api/custom-objects/accounts/categories";

    async fn accounts() -> TestServer {
        let server = TestServer::start().await;
        let body = json!({"object_name": "Accounts", "entity_name": "Account"});
        server.post("/api/custom-objects", &body).await.expect(201);
        server
    }

    async fn names(server: &TestServer) -> Vec<Value> {
        let list = server.get(CATEGORIES).await.expect(200);
        list.as_array().unwrap().iter().map(|category| category["name"].clone()).collect()
    }

    #[actix_web::test]
    async fn an_object_starts_with_one_category() {
        let server = accounts().await;
        for (object, name) in [("client_client", "Contact Info"), ("accounts", "Account Info")] {
            let path = format!("/api/custom-objects/{object}/categories");
            let list = server.get(&path).await.expect(200);
            let expected = json!([{"id": list[0]["id"], "name": name, "order": 0, "meta": {}}]);
            assert_eq!(list, expected);
        }
    }

    #[actix_web::test]
    async fn categories_are_made_changed_and_shown_in_order() {
        let server = accounts().await;
        let body = json!({"name": " Billing ", "meta": {"a": 1}});
        let made = server.post(CATEGORIES, &body).await.expect(201);
        let expected = json!({"id": made["id"], "name": "Billing", "order": 1, "meta": {"a": 1}});
        assert_eq!(made, expected);
        assert_eq!(names(&server).await, ["Account Info", "Billing"]);
        let path = format!("{CATEGORIES}/{}", made["id"].as_str().unwrap());
        let changed = server.patch(&path, &json!({"order": -1})).await.expect(200);
        assert_eq!((&changed["name"], &changed["order"]), (&json!("Billing"), &json!(-1)));
        assert_eq!(server.patch(&path, &json!({})).await.expect(200), changed);
        assert_eq!(names(&server).await, ["Billing", "Account Info"]);
        for (body, code, place) in [
            (json!({}), "required", "name"),
            (json!({"name": ""}), "blank", "name"),
            (json!({"name": "A", "order": "x"}), "invalid", "order"),
        ] {
            let answer = server.post(CATEGORIES, &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), place.to_owned())], "{body}");
        }
        let answer = server.patch(&path, &json!({"name": "x".repeat(201)})).await;
        assert_eq!(answer.faults(), [("max_length".to_owned(), "name".to_owned())]);
        for id in [UNKNOWN_ID, "billing"] {
            let path = format!("{CATEGORIES}/{id}");
            server.patch(&path, &json!({})).await.expect_error(404, "not_found");
            server.delete(&path).await.expect_error(404, "not_found");
        }
    }

    #[actix_web::test]
    async fn the_fields_of_a_deleted_category_go_to_the_first_that_is_left() {
        let server = accounts().await;
        let made = server.post(CATEGORIES, &json!({"name": "Billing"})).await.expect(201);
        let body = json!({"field_type": "text", "display_name": "Code", "category": made["id"]});
        let fields = "/api/custom-objects/accounts/fields";
        let field = server.post(fields, &body).await.expect(201);
        assert_eq!(field["category"], made["id"]);
        let path = format!("{CATEGORIES}/{}", made["id"].as_str().unwrap());
        assert_eq!(server.delete(&path).await.status, 204);
        let left = server.get(CATEGORIES).await.expect(200)[0]["id"].clone();
        let field = server.get(&format!("{fields}/code")).await.expect(200);
        assert_eq!(field["category"], left);
        let path = format!("{CATEGORIES}/{}", left.as_str().unwrap());
        server.delete(&path).await.expect_error(400, "not_deletable");
        assert_eq!(names(&server).await, ["Account Info"]);
    }
}
