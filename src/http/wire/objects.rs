//! Objects: the body that makes one, and how answers show them.
//!
//! It must not know what is allowed: the model checks that.

use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::page::Page;
use crate::http::shape::{Presence, Shape};
use crate::http::wire::keys;
use crate::http::wire::members::MemberValue;
use crate::http::wire::pipelines::{StageShape, read_pipeline};
use crate::http::wire::related::fetch_url;
use crate::http::wire::schema_fields::FieldShape;
use crate::model::access::{FieldRights, ObjectAccess};
use crate::model::catalog::member::Members;
use crate::model::catalog::permission::Level;
use crate::model::id::{FieldId, ObjectId};
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::schema::constraint::Constraint;
use crate::model::schema::field::Field;
use crate::model::schema::new_object::NewObject;
use crate::model::schema::object::Object;
use crate::model::table::link::Tables;
use crate::model::value::time::timestamp_text;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

const CONSTRAINTS: &str = "unique_constraints";

/// Reads the body that makes an object.
pub fn read_new_object(body: &Input<'_>, strict: bool, faults: &mut Faults) -> NewObject {
    let mut shape = Shape::of_body(body, faults);
    let new = read_object_keys(&mut shape, strict, faults);
    shape.finish(strict, RouteGroup::Write, faults);
    new
}

/// Reads the body that changes an object.
pub fn read_changed_object(body: &Input<'_>, strict: bool, faults: &mut Faults) -> NewObject {
    let mut shape = Shape::of_body(body, faults);
    let change = read_object_keys(&mut shape, strict, faults);
    shape.finish(strict, RouteGroup::Write, faults);
    change
}

fn read_object_keys(shape: &mut Shape<'_>, strict: bool, faults: &mut Faults) -> NewObject {
    let mut text = |key, presence, faults: &mut Faults| keys::text(shape, key, presence, faults);
    let mut new = NewObject {
        object_name: text("object_name", Presence::Optional, faults),
        entity_name: text("entity_name", Presence::Nullable, faults),
        object_type: text("object_type", Presence::Nullable, faults),
        name: text("name", Presence::Nullable, faults),
        description: text("description", Presence::Nullable, faults),
        default_color: text("default_color", Presence::Nullable, faults),
        default_icon: text("default_icon", Presence::Nullable, faults),
        identifier_case: text("identifier_case", Presence::Nullable, faults),
        ..NewObject::default()
    };
    let mut flag = |key, faults: &mut Faults| shape.boolean(key, Presence::Nullable, faults);
    new.has_commerce_data = flag("has_commerce_data", faults);
    new.default_on_activities = flag("default_on_activities", faults);
    new.track_entity_value = flag("track_entity_value", faults);
    new.include_percentage_to_close = flag("include_percentage_to_close", faults);
    new.allow_on_forms = flag("allow_on_forms", faults);
    new.meta = keys::json_object(shape, "meta", faults);
    new.pipeline = read_pipeline(shape, strict, faults);
    new.unique_constraints = read_constraints(shape, faults);
    new
}

/// Lists of fields. What is no list, or no name, leaves a gap, so that places stay.
fn read_constraints(shape: &mut Shape<'_>, faults: &mut Faults) -> Option<Vec<Vec<String>>> {
    let list = shape.list(CONSTRAINTS, Presence::Nullable, faults)?;
    let mut fault = |place: String, message: String| {
        faults.push(Fault::new(Code::Invalid, Place::Body(place.into())).saying(message));
    };
    let mut constraints = Vec::with_capacity(list.len());
    for (index, constraint) in list.iter().enumerate() {
        let place = format!("{}[{index}]", shape.path(CONSTRAINTS));
        let Input::List(names) = constraint else {
            fault(place, format!("Expected a list, not {}.", constraint.kind()));
            constraints.push(Vec::new());
            continue;
        };
        let mut read = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            if name.as_text().is_none() {
                fault(format!("{place}[{at}]"), "Not a valid string.".to_owned());
            }
            read.push(name.as_text().unwrap_or_default().to_owned());
        }
        constraints.push(read);
    }
    Some(constraints)
}

/// What may be done with an object.
#[derive(Debug, Serialize)]
pub struct ObjectAccessShape {
    view: bool,
    edit: bool,
    remove: bool,
}

impl ObjectAccessShape {
    #[must_use]
    pub fn of(access: &ObjectAccess, schema: &Schema) -> Self {
        Self {
            view: access.may_see_object(),
            edit: access.may_change_schema(),
            // Nobody may remove the contact object.
            remove: access.may_delete_schema() && schema.object().is_custom,
        }
    }
}

/// What may be done with records of an object.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a right of its own in the API")]
pub struct EntityAccess {
    view: bool,
    edit: bool,
    remove: bool,
    create: bool,
}

impl EntityAccess {
    /// What may be done with some record at least.
    #[must_use]
    pub fn of(access: &ObjectAccess) -> Self {
        let level = access.level_at_most();
        Self {
            view: level >= Level::View,
            edit: level >= Level::Edit,
            remove: level >= Level::Remove,
            create: access.may_create(),
        }
    }

    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self { view: false, edit: false, remove: false, create: false }
    }
}

/// An object as lists show it.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own in the API")]
pub struct ObjectRow<'a> {
    id: ObjectId,
    name: &'a str,
    object_name: &'a str,
    entity_name: &'a str,
    object_type: &'static str,
    description: &'a str,
    is_custom: bool,
    allow_relations: bool,
    has_commerce_data: bool,
    default_on_activities: bool,
    track_entity_value: bool,
    include_percentage_to_close: bool,
    use_ai_to_update_percentage: bool,
    ai_confidence_threshold: &'static str,
    allow_on_forms: bool,
    default_color: &'a str,
    default_icon: &'a str,
}

impl<'a> ObjectRow<'a> {
    #[must_use]
    pub fn of(object: &'a Object) -> Self {
        Self {
            id: object.id,
            name: &object.name,
            object_name: &object.object_name,
            entity_name: &object.entity_name,
            object_type: object.object_type.name(),
            description: &object.description,
            is_custom: object.is_custom,
            allow_relations: object.allow_relations,
            has_commerce_data: object.has_commerce_data,
            default_on_activities: object.default_on_activities,
            track_entity_value: object.track_entity_value,
            include_percentage_to_close: object.include_percentage_to_close,
            use_ai_to_update_percentage: false,
            ai_confidence_threshold: "0.80",
            allow_on_forms: object.allow_on_forms,
            default_color: &object.default_color,
            default_icon: &object.default_icon,
        }
    }
}

/// What the caller may do with the list of objects.
#[derive(Debug, Serialize)]
struct ListAccess {
    edit: bool,
}

/// A page of objects.
#[derive(Debug, Serialize)]
pub struct ObjectPage<'a> {
    #[serde(flatten)]
    page: Page<ObjectRow<'a>>,
    access: ListAccess,
}

impl<'a> ObjectPage<'a> {
    /// `may_edit`: the caller may make more of them.
    #[must_use]
    pub fn new(page: Page<ObjectRow<'a>>, may_edit: bool) -> Self {
        Self { page, access: ListAccess { edit: may_edit } }
    }
}

#[derive(Debug, Serialize)]
struct FieldName<'a> {
    id: FieldId,
    name: &'a str,
}

/// Which field names the records, and how names match.
#[derive(Debug, Serialize)]
struct Identifier<'a> {
    field: FieldName<'a>,
    case: &'static str,
}

/// An object as it is shown alone.
#[derive(Debug, Serialize)]
pub struct ObjectShape<'a> {
    #[serde(flatten)]
    row: ObjectRow<'a>,
    rollup_related_leadsources: bool,
    association_source: &'static str,
    fetch_url: &'static str,
    owner: Option<MemberValue<'a>>,
    created: String,
    meta: &'a RawValue,
    number_of_records: usize,
    access: ObjectAccessShape,
    entity_access: EntityAccess,
    fields: Vec<FieldShape<'a>>,
    /// Of pipelines.
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<Vec<StageShape<'a>>>,
    identifier: Identifier<'a>,
    /// Those of fields that the caller may see.
    unique_constraints: Vec<Vec<&'a str>>,
}

/// What answers about an object are made of.
#[derive(Clone, Copy)]
pub struct ObjectSource<'a> {
    pub schema: &'a Schema,
    /// The caller's.
    pub access: &'a ObjectAccess,
    pub rights: &'a FieldRights,
    /// Live ones that the caller may read.
    pub number_of_records: usize,
    pub members: &'a Members,
    pub time_zone: &'a TimeZone,
    /// Where relations lead.
    pub tables: &'a Tables<'a>,
}

impl<'a> ObjectShape<'a> {
    /// The object as the caller may see it.
    #[must_use]
    pub fn of(source: ObjectSource<'a>) -> Self {
        let ObjectSource { schema, access, rights, number_of_records, members, time_zone, tables } =
            source;
        let object = schema.object();
        let identifier = schema.identifier();
        Self {
            row: ObjectRow::of(object),
            rollup_related_leadsources: false,
            association_source: "direct",
            fetch_url: fetch_url(schema),
            owner: object.owner.and_then(|owner| MemberValue::find(members, owner)),
            created: timestamp_text(object.created, time_zone),
            meta: keys::kept_json(&object.meta),
            number_of_records,
            access: ObjectAccessShape::of(access, schema),
            entity_access: EntityAccess::of(access),
            fields: in_order(schema, rights)
                .into_iter()
                .map(|field| FieldShape::of(field, (rights, tables)))
                .collect(),
            stages: (schema.stage().filter(|field| rights.may_see(field.number)))
                .map(|field| StageShape::all(field)),
            identifier: Identifier {
                field: FieldName { id: identifier.id, name: &identifier.name },
                case: schema.identifier_case().name(),
            },
            unique_constraints: constraints(schema, rights, schema.constraints()),
        }
    }
}

/// The fields that exist for the caller, as they are shown; of equal order, the older one first.
#[must_use]
pub fn in_order<'s>(schema: &'s Schema, rights: &FieldRights) -> Vec<&'s Field> {
    let fields = schema.fields().iter().map(Arc::as_ref);
    let mut fields: Vec<&Field> = fields.filter(|field| rights.may_see(field.number)).collect();
    fields.sort_by_key(|field| field.order);
    fields
}

/// The names of the fields of each constraint, where the caller may see all of them.
#[must_use]
pub fn constraints<'s>(
    schema: &'s Schema,
    rights: &FieldRights,
    constraints: impl IntoIterator<Item = &'s Constraint>,
) -> Vec<Vec<&'s str>> {
    let is_seen =
        |constraint: &&Constraint| constraint.fields.iter().all(|field| rights.may_see(*field));
    let names = |constraint| schema.parts(constraint).map(|field| &*field.name).collect();
    constraints.into_iter().filter(is_seen).map(names).collect()
}

/// The contact object as it is shown alone.
#[derive(Debug, Serialize)]
pub struct ContactObjectShape<'a> {
    #[serde(flatten)]
    object: ObjectShape<'a>,
    /// By API name.
    undeletable_fields: BTreeMap<&'a str, FieldShape<'a>>,
}

impl<'a> ContactObjectShape<'a> {
    #[must_use]
    pub fn of(source: ObjectSource<'a>) -> Self {
        let (rights, tables) = (source.rights, source.tables);
        let fields = source.schema.fields().iter().filter(|field| rights.may_see(field.number));
        let undeletable = fields.filter(|field| !field.is_deletable);
        let shown =
            undeletable.map(|field| (&*field.name, FieldShape::of(field, (rights, tables))));
        Self { object: ObjectShape::of(source), undeletable_fields: shown.collect() }
    }
}
