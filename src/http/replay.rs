//! The answer to a write that was carried out before: what it was about, as it looks today.
//!
//! Labels and rights are those of this request; secrets are not shown again. What is gone, or may
//! no longer be seen, is as good as none. It must not know keys.

use crate::engine::Engine;
use crate::http::activity_access::{level_on_activity, level_on_logged};
use crate::http::admin_businesses::FoundedShape;
use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::objects;
use crate::http::problem::Problem;
use crate::http::target::Target;
use crate::http::wire::activities::{ActivityShape, ActivityTypeShape, LoggedShape};
use crate::http::wire::api_keys::NewKeyShape;
use crate::http::wire::business::{BusinessRow, BusinessShape, zone_of};
use crate::http::wire::groups::GroupShape;
use crate::http::wire::member_row::{MemberRow, RoleShape};
use crate::http::wire::pipelines::StageShape;
use crate::http::wire::roles::RoleRow;
use crate::http::wire::schema_fields::{CategoryShape, FieldShape, OptionShape};
use crate::model::catalog::permission::Level;
use crate::model::id::{
    ActivityId, ActivityTypeId, ApiKeyId, BusinessId, CategoryId, FieldId, LoggedActivityId,
    MemberId, ObjectId, OptionId, PermissionGroupId, RecordId, RoleId,
};
use crate::model::retry::{Answered, StoredOutcome};
use actix_web::web::Data;
use actix_web::{FromRequest as _, HttpRequest, HttpResponse};
use serde::Serialize;
use std::sync::Arc;

/// Shows an outcome; none where it is of a record that its own handler shows.
pub(super) async fn answer(
    request: &HttpRequest,
    outcome: &StoredOutcome,
) -> Result<Option<HttpResponse>, Problem> {
    let shown = match outcome.answered {
        Answered::Record(_) => return Ok(None),
        Answered::Nothing => HttpResponse::NoContent().finish(),
        Answered::RecordAlone(id) => record_alone(request, id)?,
        Answered::Object(id) => object(request, id).await?,
        Answered::Category(id) => category(request, id)?,
        Answered::Field(id) => field(request, id)?,
        Answered::Option(id) => option(request, id)?,
        Answered::Member(id) => member(&caller(request)?, id)?,
        Answered::Role(id) => role(&caller(request)?, id)?,
        Answered::PermissionGroup(id) => permission_group(&caller(request)?, id)?,
        Answered::ApiKey(id) => api_key(&caller(request)?, id)?,
        Answered::ActivityType(id) => activity_type(&caller(request)?, id)?,
        Answered::Activity(id) => activity(&caller(request)?, id)?,
        Answered::LoggedActivity(id) => logged_activity(&caller(request)?, id)?,
        Answered::Business(id) => business(request, id)?,
        Answered::Founded { business, member, key } => founded(request, (business, member, key))?,
    };
    Ok(Some(shown))
}

/// The status is that of before, whatever is built here.
fn shown(shape: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(shape)
}

fn caller(request: &HttpRequest) -> Result<Caller, Problem> {
    Caller::extract(request).into_inner()
}

fn engine(request: &HttpRequest) -> Arc<Engine> {
    let engine = request.app_data::<Data<Engine>>();
    engine.expect("the registration of the routes provides it").clone().into_inner()
}

fn record_alone(request: &HttpRequest, id: RecordId) -> Result<HttpResponse, Problem> {
    let target = Target::find(request)?;
    let table = target.table.shown();
    let schema = table.schema();
    let found = table.record(id).filter(|record| target.access.may_read(&schema, record));
    found.map(|_| HttpResponse::NoContent().finish()).ok_or_else(Problem::not_found)
}

async fn object(request: &HttpRequest, id: ObjectId) -> Result<HttpResponse, Problem> {
    let caller = caller(request)?;
    let table = caller.business.table(id).ok_or_else(Problem::not_found)?;
    if caller.access(&table).may_see_object() {
        return objects::answer(Target::of_object(request, &id.to_string())?).await;
    }
    // Its maker is shown it where it has no right on it; nobody else has this key.
    Ok(objects::answer_maker(&caller, &table.shown().schema()))
}

fn category(request: &HttpRequest, id: CategoryId) -> Result<HttpResponse, Problem> {
    let schema = Target::find(request)?.table.shown().schema();
    schema.category(id).map(|it| shown(&CategoryShape::of(it))).ok_or_else(Problem::not_found)
}

fn field(request: &HttpRequest, id: FieldId) -> Result<HttpResponse, Problem> {
    let target = Target::find(request)?;
    let schema = target.table.shown().schema();
    let rights = target.access.fields(&schema);
    if schema.any_field(id).is_some_and(|field| field.is_pending()) {
        // The other side is there, and this one is shown soon.
        return Err(Problem::new(Code::IdempotencyInProgress).retry_after(1));
    }
    let field = schema.by_id(id).filter(|field| rights.may_see(field.number));
    let field = field.ok_or_else(Problem::not_found)?;
    Ok(shown(&FieldShape::of(field, (&rights, &target.caller.related_tables()))))
}

/// Of a stage's route the option is a stage.
fn option(request: &HttpRequest, id: OptionId) -> Result<HttpResponse, Problem> {
    let target = Target::find(request)?;
    let schema = target.table.shown().schema();
    let rights = target.access.fields(&schema);
    let named = request.match_info().get("field");
    let field = match named {
        Some(named) => rights.find(&schema, named),
        None => schema.stage().filter(|stage| rights.may_see(stage.number)),
    };
    let choice = field.and_then(|field| field.options.by_id(id));
    let choice = choice.ok_or_else(Problem::not_found)?;
    Ok(match named {
        Some(_) => shown(&OptionShape::of(choice)),
        None => shown(&StageShape::of(choice)),
    })
}

fn member(caller: &Caller, id: MemberId) -> Result<HttpResponse, Problem> {
    let found = caller.catalog.members.get(&id).filter(|_| caller.rights.may_see_member(id));
    let found = found.ok_or_else(Problem::not_found)?;
    let roles = RoleShape::of_member(found, &caller.catalog.roles);
    Ok(shown(&MemberRow::new(found, roles, caller.business.time_zone())))
}

fn role(caller: &Caller, id: RoleId) -> Result<HttpResponse, Problem> {
    let role = caller.catalog.role(id).filter(|_| caller.rights.may_see_settings());
    role.map(|role| shown(&RoleRow::of(role))).ok_or_else(Problem::not_found)
}

fn permission_group(caller: &Caller, id: PermissionGroupId) -> Result<HttpResponse, Problem> {
    let group = caller.catalog.group(id).filter(|_| caller.rights.may_see_settings());
    group.map(|group| shown(&GroupShape::of(group, caller))).ok_or_else(Problem::not_found)
}

fn api_key(caller: &Caller, id: ApiKeyId) -> Result<HttpResponse, Problem> {
    let key = caller.catalog.api_keys.get(id);
    let key = key.filter(|key| caller.rights.may_hold_keys_of(key.member));
    let key = key.ok_or_else(Problem::not_found)?;
    Ok(shown(&NewKeyShape::of(key, None, caller.business.time_zone())))
}

fn activity_type(caller: &Caller, id: ActivityTypeId) -> Result<HttpResponse, Problem> {
    let found = caller.business.agenda().offered_type(id).ok_or_else(Problem::not_found)?;
    Ok(shown(&ActivityTypeShape::of(&found, caller)))
}

fn activity(caller: &Caller, id: ActivityId) -> Result<HttpResponse, Problem> {
    let found = caller.business.agenda().activity(id);
    let found = found.filter(|found| level_on_activity(caller, found) >= Level::View);
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(shown(&ActivityShape::of(&found, caller)))
}

fn logged_activity(caller: &Caller, id: LoggedActivityId) -> Result<HttpResponse, Problem> {
    let found = caller.business.agenda().logged(id);
    let found = found.filter(|found| level_on_logged(caller, found) >= Level::View);
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(shown(&LoggedShape::of(&found, caller)))
}

/// A member is shown its own business; to the operator one is a row among others.
fn business(request: &HttpRequest, id: BusinessId) -> Result<HttpResponse, Problem> {
    let found = engine(request).any_business(id).ok_or_else(Problem::not_found)?;
    Ok(match caller(request) {
        Ok(_) => shown(&BusinessShape::of(found.info())),
        Err(_) => shown(&BusinessRow::of(found.info())),
    })
}

/// A new business: of its key all but the secret.
fn founded(
    request: &HttpRequest,
    (business, member, key): (BusinessId, MemberId, ApiKeyId),
) -> Result<HttpResponse, Problem> {
    let found = engine(request).any_business(business).ok_or_else(Problem::not_found)?;
    let catalog = found.catalog();
    let member = catalog.members.get(&member).ok_or_else(Problem::not_found)?;
    let key = catalog.api_keys.get(key).ok_or_else(Problem::not_found)?;
    let zone = zone_of(found.info());
    Ok(shown(&FoundedShape {
        business: BusinessShape::of(found.info()),
        member: MemberRow::new(member, RoleShape::of_member(member, &catalog.roles), &zone),
        api_key: NewKeyShape::of(key, None, &zone),
    }))
}
