//! Fields and options of an object: the bodies that make them, and how answers show them.
//!
//! It must not know what is allowed: the model checks that.

use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::shape::{Presence, Shape};
use crate::http::wire::keys;
use crate::http::wire::related::RelationShape;
use crate::model::access::FieldRights;
use crate::model::id::{CategoryId, FieldId, OptionId, TagId};
use crate::model::input::Input;
use crate::model::key::Normalizer;
use crate::model::schema::OPTIONS_MAX;
use crate::model::schema::decimal_options::{DecimalOptions, NewDecimalOptions};
use crate::model::schema::field::Field;
use crate::model::schema::money_options::NewMoneyOptions;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::object::{Category, EMPTY_META};
use crate::model::schema::option::{Choice, Standing};
use crate::model::schema::phonenumber_options::NewPhonenumberOptions;
use crate::model::schema::rating_options::{NewRatingOptions, RatingOptions};
use crate::model::table::event::Tag;
use crate::model::table::link::Tables;
use crate::model::value::number::write_decimal;
use crate::model::value::{OptionSource, time_zone};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads the body that makes a field.
pub fn read_new_field(
    body: &Input<'_>,
    strict: bool,
    faults: &mut Faults,
) -> (NewField, Option<RelationKeys>) {
    let mut shape = Shape::of_body(body, faults);
    let keys = read_field_keys(&mut shape, strict, faults);
    let new = NewField { options: read_options(&mut shape, strict, faults), ..keys };
    let relation = read_relation(&mut shape, strict, faults);
    shape.finish(strict, RouteGroup::FieldWrite, faults);
    (new, relation)
}

/// The relation of a field as a request draws it up, each key if it was given.
#[derive(Clone, Debug, Default)]
pub struct RelationKeys {
    /// An id or an API name.
    pub related_object: Option<String>,
    /// The id of one of the related object.
    pub related_category: Option<String>,
    /// The label of the field on the other side.
    pub related_name: Option<String>,
    pub relation_type: Option<String>,
}

/// Reads the block of a relationship field. What answers add to it is passed over, so that it can be
/// written back.
pub(super) fn read_relation(
    shape: &mut Shape<'_>,
    strict: bool,
    faults: &mut Faults,
) -> Option<RelationKeys> {
    let mut inside = shape.object("relation", Presence::Nullable, faults)?;
    let mut text =
        |key, faults: &mut Faults| keys::text(&mut inside, key, Presence::Nullable, faults);
    let keys = RelationKeys {
        related_object: text("related_object", faults),
        related_category: text("related_category", faults),
        related_name: text("related_name", faults),
        relation_type: text("relation_type", faults),
    };
    for key in READ_ONLY_OF_RELATIONS {
        inside.raw(key);
    }
    inside.finish_inside(strict, faults);
    Some(keys)
}

const READ_ONLY_OF_RELATIONS: [&str; 6] = [
    "related_field",
    "related_object_name",
    "related_object_object_name",
    "related_entity_name",
    "cardinality",
    "fetch_url",
];

/// Reads each key of a field but its options and its relation.
pub(super) fn read_field_keys(
    shape: &mut Shape<'_>,
    strict: bool,
    faults: &mut Faults,
) -> NewField {
    let shape_of_body = &mut *shape;
    NewField {
        display_name: keys::text(shape_of_body, "display_name", Presence::Optional, faults),
        field_type: keys::text(shape_of_body, "field_type", Presence::Optional, faults),
        name: keys::text(shape_of_body, "name", Presence::Nullable, faults),
        description: keys::text(shape_of_body, "description", Presence::Nullable, faults),
        category: keys::text(shape_of_body, "category", Presence::Nullable, faults),
        order: keys::integer(shape_of_body, "order", faults),
        is_required: shape_of_body.boolean("is_required", Presence::Nullable, faults),
        is_read_only: shape_of_body.boolean("is_read_only", Presence::Nullable, faults),
        is_hidden: shape_of_body.boolean("is_hidden", Presence::Nullable, faults),
        allow_multiple: shape_of_body.boolean("allow_multiple", Presence::Nullable, faults),
        is_unique: shape_of_body.boolean("is_unique", Presence::Nullable, faults),
        normalizer: keys::text(shape_of_body, "normalizer", Presence::Nullable, faults),
        meta: keys::json_object(shape_of_body, "meta", faults),
        options: None,
        decimal_options: read_decimal_options(shape_of_body, strict, faults),
        money_options: read_money_options(shape_of_body, strict, faults),
        rating: read_rating(shape_of_body, strict, faults),
        phonenumber_options: read_phonenumber_options(shape_of_body, strict, faults),
        relation: None,
    }
}

/// The entries of `options`, if they are not too many.
pub(super) fn option_list<'i>(
    shape: &mut Shape<'i>,
    faults: &mut Faults,
) -> Option<&'i [Input<'i>]> {
    let list = shape.list("options", Presence::Nullable, faults)?;
    let limit = ("options", OPTIONS_MAX);
    (!keys::has_too_many(list, limit, shape.place("options"), faults)).then_some(list)
}

fn read_options(
    shape: &mut Shape<'_>,
    strict: bool,
    faults: &mut Faults,
) -> Option<Vec<NewOption>> {
    let list = option_list(shape, faults)?;
    let read = |(index, entry)| {
        let Some(mut shape) = Shape::of_entry("options", index, entry, faults) else {
            return NewOption::default();
        };
        let new = read_option(&mut shape, faults);
        shape.finish_inside(strict, faults);
        new
    };
    Some(list.iter().enumerate().map(read).collect())
}

/// Reads the body that makes an option.
pub fn read_new_option(body: &Input<'_>, strict: bool, faults: &mut Faults) -> NewOption {
    let mut shape = Shape::of_body(body, faults);
    let new = read_option(&mut shape, faults);
    shape.finish(strict, RouteGroup::FieldWrite, faults);
    new
}

/// Reads the body that names an option of the field: its id.
pub fn read_option_reference(
    body: &Input<'_>,
    strict: bool,
    faults: &mut Faults,
) -> Option<String> {
    let mut shape = Shape::of_body(body, faults);
    let id = keys::text(&mut shape, "id", Presence::Optional, faults);
    shape.finish(strict, RouteGroup::FieldWrite, faults);
    id
}

pub(super) fn read_option(shape: &mut Shape<'_>, faults: &mut Faults) -> NewOption {
    NewOption {
        name: keys::text(shape, "name", Presence::Optional, faults),
        code: keys::text(shape, "code", Presence::Nullable, faults),
        order: keys::integer(shape, "order", faults),
        meta: keys::json_object(shape, "meta", faults),
        status: keys::text(shape, "status", Presence::Nullable, faults),
    }
}

fn read_decimal_options(
    shape: &mut Shape<'_>,
    strict: bool,
    faults: &mut Faults,
) -> Option<NewDecimalOptions> {
    let mut inside = shape.object("decimal_options", Presence::Nullable, faults)?;
    let new = NewDecimalOptions {
        min_value: read_limit(&mut inside, "min_value", faults),
        max_value: read_limit(&mut inside, "max_value", faults),
        precision: keys::integer(&mut inside, "precision", faults),
    };
    inside.finish_inside(strict, faults);
    Some(new)
}

fn read_money_options(
    shape: &mut Shape<'_>,
    strict: bool,
    faults: &mut Faults,
) -> Option<NewMoneyOptions> {
    let mut inside = shape.object("money_options", Presence::Nullable, faults)?;
    let currency = keys::text(&mut inside, "currency", Presence::Nullable, faults);
    inside.finish_inside(strict, faults);
    Some(NewMoneyOptions { currency })
}

fn read_rating(
    shape: &mut Shape<'_>,
    strict: bool,
    faults: &mut Faults,
) -> Option<NewRatingOptions> {
    let mut inside = shape.object("rating", Presence::Nullable, faults)?;
    let new = NewRatingOptions {
        min_value: keys::integer(&mut inside, "min_value", faults),
        max_value: keys::integer(&mut inside, "max_value", faults),
    };
    inside.finish_inside(strict, faults);
    Some(new)
}

fn read_phonenumber_options(
    shape: &mut Shape<'_>,
    strict: bool,
    faults: &mut Faults,
) -> Option<NewPhonenumberOptions> {
    let mut inside = shape.object("phonenumber_options", Presence::Nullable, faults)?;
    let enable_extension = inside.boolean("enable_extension", Presence::Nullable, faults);
    inside.finish_inside(strict, faults);
    Some(NewPhonenumberOptions { enable_extension })
}

/// A number or a text that spells one; the model reads it.
fn read_limit(shape: &mut Shape<'_>, key: &'static str, faults: &mut Faults) -> Option<String> {
    match shape.value(key, Presence::Nullable, faults)? {
        Input::Number(spelling) | Input::Text(spelling) => Some(spelling.trim().to_owned()),
        Input::Null | Input::Boolean(_) | Input::List(_) | Input::Map(_) => {
            let fault = Fault::new(Code::Invalid, shape.place(key));
            faults.push(fault.saying("A valid number is required."));
            None
        }
    }
}

/// What may be done with a field.
#[derive(Debug, Serialize)]
struct FieldAccessShape {
    view: bool,
    edit: bool,
}

/// Properties, of which no field has any.
#[derive(Debug, Serialize)]
struct NoProperties {}

/// A field as answers show it.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own in the API")]
pub struct FieldShape<'a> {
    id: FieldId,
    name: &'a str,
    display_name: &'a str,
    description: &'a str,
    field_type: &'static str,
    category: CategoryId,
    order: i32,
    is_default: bool,
    is_required: bool,
    is_read_only: bool,
    is_hidden: bool,
    is_deletable: bool,
    allows_nulls: bool,
    allows_empty: bool,
    allow_multiple: bool,
    meta: &'a RawValue,
    properties: NoProperties,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Vec<OptionShape<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<RatingShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    money_options: Option<MoneyOptionsShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimal_options: Option<DecimalOptionsShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phonenumber_options: Option<PhonenumberOptionsShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relation: Option<RelationShape>,
    access: FieldAccessShape,
    is_hideable: bool,
    is_suppressed: bool,
    description_visibility: &'static str,
    is_unique: bool,
    normalizer: Option<&'static str>,
}

impl<'a> FieldShape<'a> {
    #[must_use]
    pub fn of(field: &'a Field, (rights, tables): (&FieldRights, &Tables<'_>)) -> Self {
        let allows_nulls = !field.is_required && !field.field_type.is_checkbox();
        let has_options = field.field_type.has_options();
        Self {
            id: field.id,
            name: &field.name,
            display_name: &field.display_name,
            description: &field.description,
            field_type: field.field_type.name(),
            category: field.category,
            order: field.order,
            is_default: field.is_default,
            is_required: field.is_required,
            is_read_only: field.is_read_only,
            is_hidden: field.is_hidden,
            is_deletable: field.is_deletable,
            allows_nulls,
            allows_empty: allows_nulls && field.field_type.is_text(),
            allow_multiple: field.allow_multiple,
            meta: keys::kept_json(&field.meta),
            properties: NoProperties {},
            options: has_options.then(|| OptionShape::all(field)),
            rating: field.rating.map(RatingShape::of),
            money_options: field
                .money_options
                .map(|options| MoneyOptionsShape { currency: options.currency.code() }),
            decimal_options: field.decimal_options.as_ref().map(DecimalOptionsShape::of),
            phonenumber_options: field.phonenumber_options.map(|options| PhonenumberOptionsShape {
                enable_extension: options.enable_extension,
            }),
            relation: RelationShape::of(field, tables),
            access: FieldAccessShape {
                view: rights.may_see(field.number),
                edit: !field.is_read_only && rights.may_write(field.number),
            },
            is_hideable: true,
            is_suppressed: false,
            description_visibility: "all",
            is_unique: field.is_unique,
            normalizer: field.normalizer.map(Normalizer::name),
        }
    }
}

impl FieldShape<'_> {
    /// The same field where its other side is not there yet.
    #[must_use]
    pub fn related_by(mut self, field: &Field, partner: &Field, tables: &Tables<'_>) -> Self {
        self.relation = RelationShape::between(field, Some(partner), tables);
        self
    }
}

/// What an option is called by.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum OptionKey<'a> {
    Id(OptionId),
    /// Of an option that follows from the field's type.
    Word(Cow<'a, str>),
}

/// An option as answers show it.
#[derive(Debug, Serialize)]
pub struct OptionShape<'a> {
    id: OptionKey<'a>,
    name: Cow<'a, str>,
    code: Cow<'a, str>,
    order: i32,
    meta: &'a RawValue,
    /// Of options of a status field, and of stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

impl<'a> OptionShape<'a> {
    #[must_use]
    pub fn of(choice: &'a Choice) -> Self {
        Self {
            id: OptionKey::Id(choice.id),
            name: Cow::Borrowed(&choice.name),
            code: Cow::Borrowed(&choice.code),
            order: choice.order,
            meta: keys::kept_json(&choice.meta),
            status: choice.status.map(Standing::name),
        }
    }

    /// The label.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An option that is id, code and label in one.
    fn of_word(order: i32, word: impl Into<Cow<'a, str>>) -> Self {
        let word = word.into();
        let id = OptionKey::Word(word.clone());
        let (name, code) = (word.clone(), word);
        Self { id, name, code, order, meta: keys::kept_json(EMPTY_META), status: None }
    }

    /// The options of a field as they are shown; of equal order, the older one first.
    #[must_use]
    pub fn all(field: &'a Field) -> Vec<Self> {
        match field.field_type.option_source() {
            OptionSource::None => Vec::new(),
            OptionSource::Schema | OptionSource::Answers => {
                field.options.in_order().into_iter().map(Self::of).collect()
            }
            OptionSource::TimeZones => {
                let names = (0..).zip(time_zone::names());
                names.map(|(order, name)| Self::of_word(order, name.as_str())).collect()
            }
            OptionSource::Bounds => {
                let bounds = field.rating.unwrap_or_default().bounds();
                let ratings = (0..).zip(bounds);
                ratings.map(|(order, rating)| Self::of_word(order, rating.to_string())).collect()
            }
        }
    }
}

/// The bounds of a rating field as answers show them.
#[derive(Debug, Serialize)]
struct RatingShape {
    min_value: u8,
    max_value: u8,
}

impl RatingShape {
    fn of(options: RatingOptions) -> Self {
        Self { min_value: options.min_value, max_value: options.max_value }
    }
}

/// What a phonenumber field keeps, as answers show it.
#[derive(Debug, Serialize)]
struct PhonenumberOptionsShape {
    enable_extension: bool,
}

/// The currency of a money field as answers show it.
#[derive(Debug, Serialize)]
struct MoneyOptionsShape {
    currency: &'static str,
}

/// The limits of a decimal field as answers show them.
#[derive(Debug, Serialize)]
struct DecimalOptionsShape {
    min_value: Option<Box<RawValue>>,
    max_value: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precision: Option<u8>,
}

impl DecimalOptionsShape {
    fn of(options: &DecimalOptions) -> Self {
        Self {
            min_value: options.min_value.map(shown_decimal),
            max_value: options.max_value.map(shown_decimal),
            precision: options.precision,
        }
    }
}

fn shown_decimal(decimal: Decimal) -> Box<RawValue> {
    let mut text = String::new();
    write_decimal(decimal, &mut text);
    RawValue::from_string(text).expect("a decimal is spelled as a JSON number")
}

/// A category as answers show it.
#[derive(Debug, Serialize)]
pub struct CategoryShape<'a> {
    id: CategoryId,
    name: &'a str,
    order: i32,
    meta: &'a RawValue,
}

impl<'a> CategoryShape<'a> {
    #[must_use]
    pub fn of(category: &'a Category) -> Self {
        Self {
            id: category.id,
            name: &category.name,
            order: category.order,
            meta: keys::kept_json(&category.meta),
        }
    }
}

/// A tag as answers show it.
#[derive(Debug, Serialize)]
pub struct TagShape<'a> {
    id: TagId,
    name: &'a str,
}

impl<'a> TagShape<'a> {
    #[must_use]
    pub fn of(tag: &'a Tag) -> Self {
        Self { id: tag.id, name: &tag.name }
    }
}
