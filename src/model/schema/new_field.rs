//! A new field or option as a request draws it up, and what it becomes.
//!
//! Owns what is required, allowed and filled in. Must not know JSON, rights or records: a new field
//! has no values that could break its rules.

use crate::model::id::{CategoryId, FieldId, OptionId, OptionNumber};
use crate::model::key::{self, Key, Normalizer};
use crate::model::schema::check::Checks;
use crate::model::schema::fault::{BodyPlace, SchemaFault, SchemaFaultKind};
use crate::model::schema::field::{DecimalOptions, Field};
use crate::model::schema::option::{Choice, Choices};
use crate::model::schema::{
    DESCRIPTION_CHARS_MAX, FIELDS_MAX, LABEL_CHARS_MAX, META_BYTES_MAX, OPTION_META_BYTES_MAX,
    OPTIONS_MAX, Schema, UNIQUE_FIELDS_MAX, name,
};
use crate::model::value::fault::ValueFault;
use crate::model::value::number::{DECIMAL_PLACES_MAX, parse_decimal};
use crate::model::value::{FieldType, Multiplicity};
use rust_decimal::Decimal;
use std::collections::HashSet;
use uuid::Uuid;

/// The body of a request for a new field, each key if it was given.
#[derive(Clone, Debug, Default)]
pub struct NewField {
    /// The label.
    pub display_name: Option<String>,
    pub field_type: Option<String>,
    /// The API name.
    pub name: Option<String>,
    pub description: Option<String>,
    /// The id of one.
    pub category: Option<String>,
    pub order: Option<i32>,
    pub is_required: Option<bool>,
    pub is_read_only: Option<bool>,
    pub is_hidden: Option<bool>,
    pub allow_multiple: Option<bool>,
    pub is_unique: Option<bool>,
    pub normalizer: Option<String>,
    /// The text of a JSON object.
    pub meta: Option<String>,
    pub options: Option<Vec<NewOption>>,
    pub decimal_options: Option<NewDecimalOptions>,
}

/// A new option, each key if it was given.
#[derive(Clone, Debug, Default)]
pub struct NewOption {
    /// The label.
    pub name: Option<String>,
    pub code: Option<String>,
    pub order: Option<i32>,
    /// The text of a JSON object.
    pub meta: Option<String>,
}

/// Limits of a new decimal field; numbers as they were written.
#[derive(Clone, Debug, Default)]
pub struct NewDecimalOptions {
    pub min_value: Option<String>,
    pub max_value: Option<String>,
    pub precision: Option<i64>,
}

impl Schema {
    /// The field that a request asks for, or everything that is wrong with it.
    pub fn decide_field(
        &self,
        new: &NewField,
        ids: &mut dyn FnMut() -> Uuid,
    ) -> Result<Field, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        if self.fields().len() >= FIELDS_MAX {
            checks.add(BodyPlace::Body, SchemaFaultKind::TooManyFields { max: FIELDS_MAX });
        }
        let display_name = checks.label("display_name", new.display_name.as_deref());
        let description =
            checks.text("description", new.description.as_deref(), DESCRIPTION_CHARS_MAX);
        let meta = checks.meta("meta", new.meta.as_deref(), META_BYTES_MAX);
        let category = self.read_category(new, &mut checks);
        let name = self.read_name(new, &display_name, &mut checks);
        let field_type = read_type(new, &mut checks);
        // Without a type nothing can be said about what depends on it.
        let typed = field_type.map(|field_type| self.read_typed(new, field_type, ids, &mut checks));
        checks.end()?;
        let typed = typed.expect("a missing or unknown type is a fault");
        Ok(Field {
            number: self.next_field(),
            id: FieldId(ids()),
            name,
            display_name,
            description,
            field_type: typed.field_type,
            category,
            order: new.order.unwrap_or_else(|| self.next_order()),
            is_default: false,
            is_required: new.is_required.unwrap_or_default(),
            is_read_only: new.is_read_only.unwrap_or_default(),
            is_hidden: new.is_hidden.unwrap_or_default(),
            is_deletable: true,
            allow_multiple: typed.allow_multiple,
            is_unique: new.is_unique.unwrap_or_default(),
            normalizer: typed.normalizer,
            meta,
            options: typed.options,
            decimal_options: typed.decimal_options,
        })
    }

    /// The option that a request asks for, or everything that is wrong with it.
    pub fn decide_option(
        &self,
        field: &Field,
        new: &NewOption,
        ids: &mut dyn FnMut() -> Uuid,
    ) -> Result<Choice, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        if !field.field_type.has_options() {
            checks.add(BodyPlace::Body, invalid("This field has no options."));
        } else if field.has_fixed_options() {
            checks.add(BodyPlace::Body, SchemaFaultKind::Immutable);
        }
        if field.options.len() >= OPTIONS_MAX {
            let fault = ValueFault::LimitExceeded { what: "options", max: OPTIONS_MAX };
            checks.add(BodyPlace::Body, fault);
        }
        let order = field.options.iter().map(|choice| choice.order).max();
        let mut choice = read_option(new, BodyPlace::Key, &mut checks);
        choice.order = new.order.unwrap_or_else(|| order.map_or(0, |last| last.saturating_add(1)));
        if field.options.by_label(&choice.name).is_some() {
            checks.add("name", SchemaFaultKind::Unique);
        }
        checks.end()?;
        Ok(Choice { number: self.next_option(), id: OptionId(ids()), ..choice })
    }

    fn read_category(&self, new: &NewField, checks: &mut Checks) -> CategoryId {
        let first = self.categories().first().expect("an object starts with a category").id;
        let Some(given) = &new.category else { return first };
        let asked = CategoryId::parse(given.trim());
        let found = self.categories().iter().find(|category| Some(category.id) == asked);
        found.map_or_else(
            || {
                checks.add("category", ValueFault::DoesNotExist { what: "Category" });
                first
            },
            |category| category.id,
        )
    }

    fn read_name(&self, new: &NewField, label: &str, checks: &mut Checks) -> String {
        let is_taken = |name: &str| self.by_name(name).is_some();
        let Some(given) = &new.name else { return name::derive_field_name(label, is_taken) };
        if let Err(fault) = name::check_field_name(given, is_taken) {
            checks.add("name", SchemaFaultKind::FieldName(fault));
        }
        given.clone()
    }

    /// What is right or wrong by the type.
    fn read_typed(
        &self,
        new: &NewField,
        field_type: FieldType,
        ids: &mut dyn FnMut() -> Uuid,
        checks: &mut Checks,
    ) -> Typed {
        let allow_multiple = match field_type.multiplicity() {
            Multiplicity::Many => true,
            Multiplicity::Chosen => new.allow_multiple.unwrap_or_default(),
            Multiplicity::One => {
                if new.allow_multiple == Some(true) {
                    checks.add("allow_multiple", invalid("This type holds one value."));
                }
                false
            }
        };
        if new.is_unique == Some(true) {
            if !field_type.may_be_unique() {
                checks.add("is_unique", invalid("A field of this type cannot be unique."));
            } else if self.unique_fields().count() >= UNIQUE_FIELDS_MAX {
                let max = UNIQUE_FIELDS_MAX;
                checks.add(
                    "is_unique",
                    SchemaFaultKind::LimitExceeded { what: "unique fields", max },
                );
            }
        }
        let options = new.options.as_deref().unwrap_or_default();
        if !options.is_empty() && !field_type.has_options() {
            checks.add("options", invalid("A field of this type has no options."));
        }
        if new.decimal_options.is_some() && field_type != FieldType::Decimal {
            checks.add("decimal_options", invalid("Only a decimal field has these."));
        }
        Typed {
            field_type,
            allow_multiple,
            normalizer: read_normalizer(new, field_type, checks),
            options: self.read_options(options, ids, checks),
            decimal_options: new.decimal_options.as_ref().map(|new| read_limits(new, checks)),
        }
    }

    fn read_options(
        &self,
        new: &[NewOption],
        ids: &mut dyn FnMut() -> Uuid,
        checks: &mut Checks,
    ) -> Choices {
        if new.len() > OPTIONS_MAX {
            checks.add("options", ValueFault::LimitExceeded { what: "options", max: OPTIONS_MAX });
            return Choices::default();
        }
        let mut labels: HashSet<Key> = HashSet::new();
        let mut number = self.next_option();
        let mut choices = Vec::with_capacity(new.len());
        for (index, (order, new)) in (0..).zip(new).enumerate() {
            let place = |key| BodyPlace::Entry { list: "options", index, key };
            let choice = read_option(new, place, checks);
            if !choice.name.is_empty() && !labels.insert(key::option_key(&choice.name)) {
                checks.add(place("name"), SchemaFaultKind::Unique);
            }
            let order = new.order.unwrap_or(order);
            choices.push(Choice { number, id: OptionId(ids()), order, ..choice });
            number = number.next();
        }
        choices.into()
    }

    fn next_order(&self) -> i32 {
        let last = self.fields().iter().map(|field| field.order).max();
        last.map_or(0, |last| last.saturating_add(1))
    }
}

/// What a new field is by its type.
struct Typed {
    field_type: FieldType,
    allow_multiple: bool,
    normalizer: Option<Normalizer>,
    options: Choices,
    decimal_options: Option<DecimalOptions>,
}

fn read_type(new: &NewField, checks: &mut Checks) -> Option<FieldType> {
    let Some(given) = &new.field_type else {
        checks.add("field_type", ValueFault::Required);
        return None;
    };
    let parsed = FieldType::parse(given);
    if parsed.is_none() {
        let given = given.as_str().into();
        checks.add("field_type", ValueFault::InvalidChoice { given });
    }
    parsed
}

fn read_normalizer(
    new: &NewField,
    field_type: FieldType,
    checks: &mut Checks,
) -> Option<Normalizer> {
    let allowed = field_type.normalizers();
    let Some(given) = &new.normalizer else { return allowed.first().copied() };
    let Some(normalizer) = Normalizer::parse(given) else {
        checks.add("normalizer", ValueFault::InvalidChoice { given: given.as_str().into() });
        return None;
    };
    if !allowed.contains(&normalizer) {
        checks.add("normalizer", invalid("This normalizer does not fit the field's type."));
    }
    Some(normalizer)
}

/// An option but for its number, id and order.
fn read_option(
    new: &NewOption,
    place: impl Fn(&'static str) -> BodyPlace,
    checks: &mut Checks,
) -> Choice {
    Choice {
        number: OptionNumber::default(),
        id: OptionId(Uuid::nil()),
        name: checks.label(place("name"), new.name.as_deref()),
        code: checks.text(place("code"), new.code.as_deref(), LABEL_CHARS_MAX),
        order: 0,
        meta: checks.meta(place("meta"), new.meta.as_deref(), OPTION_META_BYTES_MAX),
    }
}

fn read_limits(new: &NewDecimalOptions, checks: &mut Checks) -> DecimalOptions {
    let place = |key| BodyPlace::Inner { map: "decimal_options", key };
    let mut limit = |key, given: Option<&String>| -> Option<Decimal> {
        let limit = parse_decimal(given?);
        if limit.is_none() {
            checks.add(place(key), invalid("A valid number is required."));
        }
        limit
    };
    let min_value = limit("min_value", new.min_value.as_ref());
    let max_value = limit("max_value", new.max_value.as_ref());
    if let (Some(min), Some(max)) = (min_value, max_value)
        && min > max
    {
        checks.add(place("max_value"), ValueFault::TooSmall { min });
    }
    let precision = new.precision.and_then(|given| {
        let places = u8::try_from(given).ok();
        let places = places.filter(|places| usize::from(*places) <= DECIMAL_PLACES_MAX);
        if places.is_none() {
            checks.add(place("precision"), invalid("Give a number of decimal places, 0 to 6."));
        }
        places
    });
    DecimalOptions { min_value, max_value, precision }
}

const fn invalid(what: &'static str) -> ValueFault {
    ValueFault::Invalid { what }
}
