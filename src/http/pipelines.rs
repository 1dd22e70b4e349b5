//! The routes of a pipeline's stages, and of moving a record from one to another.
//!
//! It must not know what a stage may be, nor what follows from a move: the model decides that.

use crate::http::body::Body;
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::{IF_MATCH, RouteGroup};
use crate::http::fault::{Fault, Faults, Place};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::precondition;
use crate::http::problem::{FieldsForm, Problem};
use crate::http::query::Query;
use crate::http::record_write::{RecordWrite, check_shape, parse};
use crate::http::records::entity_path;
use crate::http::schema_change::ask_for_schema;
use crate::http::schema_fault::{add_schema_faults, throwaway_ids};
use crate::http::target::{AddressedRecord, Target};
use crate::http::wire::pipelines::{
    RemovedStage, StageShape, read_move, read_new_stage, read_removed_stage,
};
use crate::model::id::OptionId;
use crate::model::schema::Schema;
use crate::model::schema::fault::SchemaFault;
use crate::model::schema::field::Field;
use crate::model::schema::option::Choice;
use crate::model::schema::stage::NewStage;
use crate::model::schema::system;
use crate::model::table::command::{Ask, Reply};
use crate::model::table::schema_command::SchemaAsk;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::ServiceConfig;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use std::future::{Ready, ready};
use std::sync::Arc;

/// Adds the routes. The word of a path stands before the ids of stages.
pub fn register(config: &mut ServiceConfig) {
    let all = Endpoint::at("/api/pipelines/{object_identifier}/stages");
    let remove = Endpoint::at("/api/pipelines/{object_identifier}/stages/remove-stage");
    let one = Endpoint::at("/api/pipelines/{object_identifier}/stages/{stage}");
    config
        .service(all.get(list).post(create))
        .service(remove.post_change(remove_stage))
        .service(one.patch(change))
        .service(Endpoint::at(entity_path!("/move")).patch(move_record));
}

/// The pipeline that the path names. An object of another type is as good as none here.
struct AddressedPipeline {
    target: Target,
    schema: Arc<Schema>,
    stage: Arc<Field>,
}

impl AddressedPipeline {
    fn find(request: &HttpRequest) -> Result<Self, Problem> {
        let target = Target::find(request)?;
        let schema = target.table.shown().schema();
        let rights = target.access.fields(&schema);
        let stage = schema.stage().filter(|stage| rights.may_see(stage.number));
        let stage = stage.ok_or_else(Problem::not_found)?.clone();
        Ok(Self { target, schema, stage })
    }
}

impl FromRequest for AddressedPipeline {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::find(request))
    }
}

async fn list(addressed: AddressedPipeline, request: HttpRequest) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(StageShape::all(&addressed.stage)))
}

async fn create(
    addressed: AddressedPipeline,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let AddressedPipeline { target, schema, stage } = addressed;
    let decide = |new: &NewStage| schema.decide_stage(&stage, new, &mut throwaway_ids());
    let asked = SchemaAsk::CreateStage(read(&request, &body, decide)?);
    let stage = ask_for_stage(&target, asked, body.bytes().len()).await?;
    Ok(HttpResponse::Created().json(StageShape::of(&stage)))
}

async fn change(
    addressed: AddressedPipeline,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let AddressedPipeline { target, stage: field, .. } = addressed;
    let id = request.match_info().get("stage").and_then(OptionId::parse);
    let held = id.and_then(|id| field.options.by_id(id)).ok_or_else(Problem::not_found)?;
    let change = read(&request, &body, |change| field.decide_stage_change(held, change))?;
    let asked = SchemaAsk::ChangeStage { stage: held.id, change };
    let stage = ask_for_stage(&target, asked, body.bytes().len()).await?;
    Ok(HttpResponse::Ok().json(StageShape::of(&stage)))
}

/// Answers with the stage that records of the removed one are in from now on.
async fn remove_stage(
    addressed: AddressedPipeline,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let AddressedPipeline { target, stage: field, .. } = addressed;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let RemovedStage { stage, successor } = read_removed_stage(&input, is_strict, &mut faults);
    if !faults.is_empty()
        && let Err(found) = field.decide_stage_removal(stage.as_deref(), successor.as_deref())
    {
        add_schema_faults(&found, &mut faults);
    }
    faults.check()?;
    let asked = SchemaAsk::RemoveStage { stage, successor };
    let stage = ask_for_stage(&target, asked, body.bytes().len()).await?;
    Ok(HttpResponse::Ok().json(StageShape::of(&stage)))
}

/// Reads the body; where its shape is at fault, `decide` tells what else is.
fn read(
    request: &HttpRequest,
    body: &Body,
    decide: impl Fn(&NewStage) -> Result<Choice, Vec<SchemaFault>>,
) -> Result<NewStage, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(request, RouteGroup::Write, &mut faults);
    let new = read_new_stage(&input, is_strict, &mut faults);
    if !faults.is_empty()
        && let Err(found) = decide(&new)
    {
        add_schema_faults(&found, &mut faults);
    }
    faults.check().map(|()| new)
}

async fn ask_for_stage(target: &Target, asked: SchemaAsk, bytes: usize) -> Result<Choice, Problem> {
    match ask_for_schema(target, Ask::ChangeSchema(asked), bytes).await? {
        Reply::Option(stage) => Ok(stage),
        Reply::Record(_)
        | Reply::NoMatch
        | Reply::Done
        | Reply::Field(_)
        | Reply::Category(_)
        | Reply::Rows(_)
        | Reply::Repeated(_)
        | Reply::AlreadyApplied
        | Reply::Tried(_) => {
            unreachable!("a change of a stage is answered with a stage")
        }
    }
}

/// Puts a record into another stage.
///
/// The reply means that the change is durable and visible to every reader.
async fn move_record(
    request: HttpRequest,
    target: Target,
    AddressedRecord(id): AddressedRecord,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input = parse(&body)?;
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let return_all_fields = query.boolean("return_all_fields", &mut faults).unwrap_or(false);
    let strict = query.is_strict();
    query.finish(RouteGroup::Transition, request.headers(), &[IF_MATCH], &mut faults);
    let precondition = precondition::read_match(request.headers(), &mut faults);
    let stage = read_move(&input, strict, &mut faults);
    if target.table.shown().schema().stage().is_none() {
        let fault = Fault::new(Code::Invalid, Place::Whole);
        faults.push(fault.saying("This object is not a pipeline."));
    }
    check_shape(faults, &FieldsForm::List(0))?;
    check_field_right(&target)?;
    let stage = stage.expect("a stage that is not given is a fault");

    let mut write = RecordWrite::without_fields(&target, body.bytes().len());
    write.return_all_fields = return_all_fields;
    let mut written = write
        .ask_for_record(&|_, _, _| Ok(Ask::Move { id, stage }.only_if(precondition.clone())))
        .await?;
    written.mentioned.push(system::STAGE);
    Ok(write.answer(written, StatusCode::OK))
}

/// A stage is unknown to whoever may not see the field of stages.
fn check_field_right(target: &Target) -> Result<(), Problem> {
    let rights = target.access.fields(&target.table.shown().schema());
    let fault = |code| Fault::new(code, Place::Body("stage_id".into()));
    if !rights.may_see(system::STAGE) {
        return Err(fault(Code::DoesNotExist).saying("Stage does not exist.").into());
    }
    if !rights.may_write(system::STAGE) {
        return Err(fault(Code::ForbiddenFieldWrite).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::{NOW_TEXT, TestServer, UNKNOWN_ID};
    use serde_json::{Value, json};

    const OBJECT: &str = "/api/custom-objects/deals";
    const STAGES: &str = "/api/pipelines/deals/stages";
    const RECORDS: &str = "/api/records/deals";

    fn body() -> Value {
        json!({
            "object_name": "Deals", "entity_name": "Deal", "object_type": "pipeline",
            "pipeline": {"stages": [
                {"name": "New", "percentage_chance_to_close": 0.10},
                {"name": "Won", "status": "won", "order": 5, "percentage_chance_to_close": "100"},
                {"name": "Lost", "status": "lost"},
            ]},
        })
    }

    async fn deals() -> TestServer {
        let server = TestServer::start().await;
        server.post("/api/custom-objects", &body()).await.expect(201);
        server
    }

    async fn stage_id(server: &TestServer, name: &str) -> String {
        let list = server.get(STAGES).await.expect(200);
        let found = list.as_array().unwrap().iter().find(|stage| stage["name"] == name);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    }

    async fn names(server: &TestServer) -> Vec<Value> {
        let list = server.get(STAGES).await.expect(200);
        list.as_array().unwrap().iter().map(|stage| stage["name"].clone()).collect()
    }

    async fn add(server: &TestServer, name: &str, stage: Option<&str>) -> String {
        let mut fields = json!({"name": name});
        if let Some(stage) = stage {
            fields["stage"] = json!({"name": stage});
        }
        let made = server.post(&format!("{RECORDS}/add"), &json!({"fields": fields})).await;
        made.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// The values that a record reads for the stage and the date on which it was closed.
    async fn reads(server: &TestServer, id: &str) -> [Value; 2] {
        let read = server.get(&format!("{RECORDS}/{id}")).await.expect(200);
        let fields = read["fields"].as_object().unwrap();
        ["stage", "actual_close_date"].map(|name| {
            let field = fields.values().find(|field| field["name"] == name);
            field.map_or(Value::Null, |field| field["value"].clone())
        })
    }

    #[actix_web::test]
    async fn a_pipeline_is_answered_with_its_stages_and_read_back_the_same() {
        let server = TestServer::start().await;
        let made = server.post("/api/custom-objects", &body()).await.expect(201);
        assert_eq!(
            (&made["object_type"], &made["fetch_url"]),
            (&json!("pipeline"), &json!("pipeline")),
        );
        let id = |at: usize| made["stages"][at]["id"].clone();
        let stage = |at: usize, name: &str, status: &str, order: i32, chance: Value| {
            json!({
                "id": id(at), "name": name, "status": status, "order": order,
                "percentage_chance_to_close": chance,
            })
        };
        let stages = json!([
            stage(0, "New", "open", 0, json!(0.1)),
            stage(1, "Lost", "lost", 2, Value::Null),
            stage(2, "Won", "won", 5, json!(100.0)),
        ]);
        assert_eq!(made["stages"], stages);
        assert_eq!(server.get(OBJECT).await.expect(200), made);
        assert_eq!(server.get(STAGES).await.expect(200), stages);
        let by_id = format!("/api/pipelines/{}/stages", made["id"].as_str().unwrap());
        assert_eq!(server.get(&by_id).await.expect(200), stages);
        let field = server.get(&format!("{OBJECT}/fields/stage")).await.expect(200);
        assert_eq!(
            (&field["field_type"], &field["is_required"]),
            (&json!("dropdown"), &json!(true))
        );
        let option = json!({
            "id": id(0), "name": "New", "code": "", "order": 0, "meta": {}, "status": "open",
        });
        assert_eq!(field["options"][0], option);
        let page = server.get(&format!("{OBJECT}/fields/stage/options")).await.expect(200);
        assert_eq!(page["results"], field["options"]);
    }

    #[actix_web::test]
    async fn stages_are_made_and_changed_and_shown_in_order() {
        let server = deals().await;
        let body = json!({"name": " Late ", "percentage_chance_to_close": 12.5});
        let made = server.post(STAGES, &body).await.expect(201);
        let expected = json!({
            "id": made["id"], "name": "Late", "status": "open", "order": 6,
            "percentage_chance_to_close": 12.5,
        });
        assert_eq!(made, expected);
        let path = format!("{STAGES}/{}", made["id"].as_str().unwrap());
        let change = json!({"order": -1, "percentage_chance_to_close": null});
        let changed = server.patch(&path, &change).await.expect(200);
        let mut expected = made.clone();
        expected.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(changed, expected);
        assert_eq!(server.patch(&path, &json!({"name": "LATE"})).await.expect(200)["name"], "LATE");
        assert_eq!(names(&server).await, ["LATE", "New", "Lost", "Won"]);
        for (body, code, place) in [
            (json!({}), "required", "name"),
            (json!({"name": null}), "null", "name"),
            (json!({"name": "NEW"}), "unique", "name"),
            (json!({"name": "A", "status": "closed"}), "invalid_choice", "status"),
            (json!({"name": "A", "order": "first"}), "invalid", "order"),
            (
                json!({"name": "A", "percentage_chance_to_close": 101}),
                "max_value",
                "percentage_chance_to_close",
            ),
            (
                json!({"name": "A", "percentage_chance_to_close": []}),
                "invalid",
                "percentage_chance_to_close",
            ),
        ] {
            let answer = server.post(STAGES, &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), place.to_owned())], "{body}");
            answer.expect(400);
            if body != json!({}) {
                let answer = server.patch(&path, &body).await;
                assert_eq!(answer.faults(), [(code.to_owned(), place.to_owned())], "{body}");
            }
        }
        assert_eq!(names(&server).await, ["LATE", "New", "Lost", "Won"]);
        let answer = server.delete(&path).await;
        answer.expect_error(405, "method_not_allowed");
    }

    #[actix_web::test]
    async fn stages_are_those_of_a_pipeline_alone() {
        let server = deals().await;
        server.post("/api/custom-objects", &json!({"object_name": "Firms"})).await.expect(201);
        let new = json!({"name": "A"});
        for object in ["firms", "client_client", "nothing", UNKNOWN_ID] {
            let stages = format!("/api/pipelines/{object}/stages");
            server.get(&stages).await.expect_error(404, "not_found");
            server.post(&stages, &new).await.expect_error(404, "not_found");
            let remove = format!("{stages}/remove-stage");
            server.post(&remove, &json!({})).await.expect_error(404, "not_found");
        }
        let firm = server.get("/api/custom-objects/firms").await.expect(200);
        assert_eq!(firm.get("stages"), None);
        for id in [UNKNOWN_ID, "new"] {
            let answer = server.patch(&format!("{STAGES}/{id}"), &new).await;
            answer.expect_error(404, "not_found");
        }
        for change in [json!({"pipeline": {"stages": [{"name": "A"}]}}), json!({"pipeline": {}})] {
            let answer = server.patch(OBJECT, &change).await;
            assert_eq!(answer.faults(), [("immutable".to_owned(), "pipeline".to_owned())]);
        }
        assert_eq!(names(&server).await, ["New", "Lost", "Won"]);
    }

    #[actix_web::test]
    async fn the_options_of_the_stage_field_are_not_changed_as_options() {
        let server = deals().await;
        let id = stage_id(&server, "New").await;
        let options = format!("{OBJECT}/fields/stage/options");
        let one = format!("{options}/{id}");
        let by = json!({"id": stage_id(&server, "Won").await});
        let field = format!("{OBJECT}/fields/stage");
        for answer in [
            server.post(&options, &json!({"name": "A"})).await,
            server.patch(&one, &json!({"name": "A"})).await,
            server.delete(&one).await,
            server.post(&format!("{one}/replace"), &by).await,
            server.patch(&field, &json!({"options": []})).await,
            server.patch(&field, &json!({"is_required": false})).await,
            server.patch(&field, &json!({"is_read_only": true})).await,
        ] {
            answer.expect_error(400, "immutable");
        }
        server.delete(&field).await.expect_error(400, "not_deletable");
        let renamed = server.patch(&field, &json!({"display_name": "Phase"})).await.expect(200);
        assert_eq!(renamed["display_name"], "Phase");
        assert_eq!(names(&server).await, ["New", "Lost", "Won"]);
    }

    #[actix_web::test]
    async fn a_record_moves_and_reads_its_stage() {
        let server = deals().await;
        let id = add(&server, "A", None).await;
        let won = stage_id(&server, "Won").await;
        let path = format!("{RECORDS}/{id}/move");
        let moved = server.patch(&path, &json!({"stage_id": won.to_uppercase()})).await;
        assert!(moved.headers.contains_key("etag"));
        let moved = moved.expect(200);
        assert_eq!((&moved["action"], &moved["version"]), (&json!("updated"), &json!(2)));
        let fields = moved["fields"].as_object().unwrap();
        let shown: Vec<_> = fields.values().map(|field| &field["name"]).collect();
        assert_eq!(shown, ["stage", "actual_close_date", "updated"]);
        let stage = json!({"id": won, "name": "Won", "status": "won", "order": 5});
        assert_eq!(fields.values().next().unwrap()["value"], stage);
        assert_eq!(reads(&server, &id).await, [stage, json!(NOW_TEXT)]);
        let again = server.patch(&path, &json!({"stage_id": won})).await.expect(200);
        assert_eq!(again["version"], 2, "it is there already");
        let lost = json!({"stage_id": stage_id(&server, "Lost").await});
        let all = server.patch(&format!("{path}?return_all_fields=true"), &lost).await.expect(200);
        assert!(all["fields"].as_object().unwrap().len() > 2);
        assert_eq!(reads(&server, &id).await[1], Value::Null);
    }

    #[actix_web::test]
    async fn a_move_that_cannot_be_says_why() {
        let server = deals().await;
        let id = add(&server, "A", None).await;
        let path = format!("{RECORDS}/{id}/move");
        for (body, code) in [
            (json!({}), "required"),
            (json!({"stage_id": null}), "null"),
            (json!({"stage_id": 7}), "invalid"),
            (json!({"stage_id": "Won"}), "invalid"),
            (json!({"stage_id": UNKNOWN_ID}), "does_not_exist"),
        ] {
            let answer = server.patch(&path, &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), "stage_id".to_owned())], "{body}");
            assert_eq!(answer.body["fields"], json!([]), "{body}");
            answer.expect(400);
        }
        let won = json!({"stage_id": stage_id(&server, "Won").await});
        let nobody = format!("{RECORDS}/{UNKNOWN_ID}/move");
        server.patch(&nobody, &won).await.expect_error(404, "not_found");
        server.delete(&format!("{RECORDS}/{id}")).await;
        server.patch(&path, &won).await.expect_error(404, "not_found");
        let contact = json!({"fields": {"email": "a@b.io"}});
        let contact = server.post("/api/records/client_client/add", &contact).await.expect(201);
        let path = format!("/api/records/client_client/{}/move", contact["id"].as_str().unwrap());
        let answer = server.patch(&path, &won).await;
        answer.expect_error(400, "invalid");
    }

    #[actix_web::test]
    async fn records_of_a_removed_stage_read_its_successor() {
        let server = deals().await;
        let id = add(&server, "A", Some("Won")).await;
        let [won, lost] = [stage_id(&server, "Won").await, stage_id(&server, "Lost").await];
        let path = format!("{STAGES}/remove-stage");
        for (body, faults) in [
            (json!({}), &[("required", "id"), ("required", "new_stage_id")][..]),
            (json!({"id": null, "new_stage_id": won}), &[("null", "id")]),
            (json!({"id": won, "new_stage_id": won}), &[("invalid", "new_stage_id")]),
            (json!({"id": UNKNOWN_ID, "new_stage_id": won}), &[("does_not_exist", "id")]),
            (json!({"id": won, "new_stage_id": UNKNOWN_ID}), &[("does_not_exist", "new_stage_id")]),
        ] {
            let answer = server.post(&path, &body).await;
            let found = answer.faults();
            let found: Vec<_> = found.iter().map(|(code, place)| (&**code, &**place)).collect();
            assert_eq!(found, faults, "{body}");
        }
        let answer = server.post(&path, &json!({"id": won, "new_stage_id": lost})).await;
        let left = answer.expect(200);
        assert_eq!((&left["id"], &left["name"]), (&json!(lost), &json!("Lost")));
        let stage = json!({"id": lost, "name": "Lost", "status": "lost", "order": 2});
        assert_eq!(reads(&server, &id).await, [stage, json!(NOW_TEXT)]);
        let read = server.get(&format!("{RECORDS}/{id}")).await.expect(200);
        assert_eq!(read["version"], 1);
        assert_eq!(names(&server).await, ["New", "Lost"]);
        let new = stage_id(&server, "New").await;
        server.post(&path, &json!({"id": new, "new_stage_id": lost})).await.expect(200);
        // The last one has none to take its place.
        let last = server.post(&path, &json!({"id": lost, "new_stage_id": lost})).await;
        last.expect_error(400, "invalid");
        assert_eq!(names(&server).await, ["Lost"]);
    }

    #[actix_web::test]
    async fn flags_of_a_pipeline_bring_their_fields_and_take_them_away() {
        let server = deals().await;
        let path = format!("{OBJECT}/fields/entity_value");
        server.get(&path).await.expect_error(404, "not_found");
        let write = json!({"fields": {"name": "A", "entity_value": 12.5}});
        let add = format!("{RECORDS}/add");
        server.post(&add, &write).await.expect_error(400, "does_not_exist");
        let on = json!({"track_entity_value": true, "include_percentage_to_close": true});
        let changed = server.patch(OBJECT, &on).await.expect(200);
        let names: Vec<_> =
            changed["fields"].as_array().unwrap().iter().map(|field| &field["name"]).collect();
        assert_eq!(
            names,
            [
                "name",
                "owner",
                "display_name",
                "stage",
                "entity_value",
                "estimated_close_date",
                "actual_close_date",
                "percentage_chance_to_close_low",
                "percentage_chance_to_close_high",
                "reasons_lost",
                "reasons_disqualified",
                "created",
                "updated",
            ],
        );
        let field = server.get(&path).await.expect(200);
        server.post(&add, &write).await.expect(201);
        let percent = json!({"fields": {"name": "B", "percentage_chance_to_close_low": 1.5}});
        server.post(&add, &percent).await.expect_error(400, "max_value");
        server.patch(OBJECT, &json!({"track_entity_value": false})).await.expect(200);
        server.get(&path).await.expect_error(404, "not_found");
        server.post(&add, &write).await.expect_error(400, "does_not_exist");
        let lookup = format!("{RECORDS}/lookup?identifier=A");
        let has_value = |record: &Value| {
            record["fields"].as_object().unwrap().values().any(|at| at["name"] == "entity_value")
        };
        assert!(!has_value(&server.get(&lookup).await.expect(200)));
        server.patch(OBJECT, &json!({"track_entity_value": true})).await.expect(200);
        assert_eq!(server.get(&path).await.expect(200), field, "it is the same field");
        assert!(has_value(&server.get(&lookup).await.expect(200)));
    }
}
