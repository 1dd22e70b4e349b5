//! What many routes have in common, as the document of the API describes it.
//!
//! It must not know any route.

use serde::Serialize;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::{
    KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// An object.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ObjectPath {
    /// Id or API name of the object.
    pub object_identifier: String,
}

/// Which page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// From 1; one past the end is not found.
    #[param(schema_with = whole_number)]
    pub page: Option<u64>,
    /// 100 if left out or not a number, 1000 at most.
    #[param(schema_with = whole_number)]
    pub page_size: Option<u64>,
}

/// In what order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrderingQuery {
    /// Up to three keys, separated by commas; `-` in front means descending.
    pub ordering: Option<String>,
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub struct Page<T> {
    /// Of all pages together.
    pub count: u64,
    /// Address of the next page.
    #[schema(required = true)]
    pub next: Option<String>,
    /// Address of the previous page.
    #[schema(required = true)]
    pub previous: Option<String>,
    pub results: Vec<T>,
    #[schema(required = true, schema_with = always_null)]
    pub errors: (),
}

/// A number of any size.
#[must_use]
pub fn whole_number() -> Schema {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).build().into()
}

/// RFC 3339, or a day of the business's time zone.
#[must_use]
pub fn time_or_day() -> Schema {
    let text = |format| {
        let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
        text.format(Some(SchemaFormat::KnownFormat(format))).build()
    };
    let time = text(KnownFormat::DateTime);
    OneOfBuilder::new().item(time).item(text(KnownFormat::Date)).build().into()
}

/// Pages carry a key for errors, and there are none where there is a page.
#[must_use]
pub fn always_null() -> Schema {
    let null = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null));
    null.description(Some("Always null.")).build().into()
}

/// A member as the value of a field, or where an activity names one.
#[derive(Serialize, ToSchema)]
pub struct MemberValue {
    pub id: Uuid,
    pub deleted: bool,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub display_name: String,
}

/// What the caller may do with a thing.
#[derive(Serialize, ToSchema)]
pub struct Access {
    pub view: bool,
    pub edit: bool,
    pub remove: bool,
}
