//! What a new field is by its type: how many values it holds, whether it may be unique, its normal
//! form, its options and settings.
//!
//! Must not know what every field has alike.

use crate::model::key::Normalizer;
use crate::model::schema::check::Checks;
use crate::model::schema::constraint::too_many;
use crate::model::schema::decimal_options::DecimalOptions;
use crate::model::schema::fault::SchemaFaultKind;
use crate::model::schema::money_options::MoneyOptions;
use crate::model::schema::new_field::{NewField, invalid};
use crate::model::schema::option::Choices;
use crate::model::schema::phonenumber_options::PhonenumberOptions;
use crate::model::schema::rating_options::RatingOptions;
use crate::model::schema::relation::Relation;
use crate::model::schema::{Schema, UNIQUES_MAX};
use crate::model::value::fault::ValueFault;
use crate::model::value::{FieldType, Multiplicity, OptionSource};
use uuid::Uuid;

/// The values of such a field are the other side's.
pub(super) const MIRRORS_ARE_NOT_REQUIRED: &str =
    "The values of this field are kept by the other object: it cannot be required.";

/// What a new field is by its type.
pub(super) struct Typed {
    pub(super) field_type: FieldType,
    pub(super) allow_multiple: bool,
    pub(super) normalizer: Option<Normalizer>,
    pub(super) options: Choices,
    pub(super) decimal_options: Option<DecimalOptions>,
    pub(super) money_options: Option<MoneyOptions>,
    pub(super) rating: Option<RatingOptions>,
    pub(super) phonenumber_options: Option<PhonenumberOptions>,
    pub(super) relation: Option<Relation>,
}

impl Schema {
    /// What is right or wrong by the type.
    pub(super) fn read_typed(
        &self,
        new: &NewField,
        field_type: FieldType,
        ids: &mut dyn FnMut() -> Uuid,
        checks: &mut Checks,
    ) -> Typed {
        let relation = read_relation(new, field_type, checks);
        let allow_multiple = match field_type.multiplicity() {
            Multiplicity::Many => true,
            Multiplicity::Chosen if field_type == FieldType::Relationship => {
                relation.as_ref().is_some_and(|relation| relation.relation_type.is_to_many())
            }
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
            } else if self.unique_count() >= UNIQUES_MAX {
                checks.add("is_unique", too_many());
            }
        }
        check_settings(new, field_type, checks);
        let is_money = field_type == FieldType::Money;
        let is_rating = field_type == FieldType::Rating;
        let is_phonenumber = field_type == FieldType::Phonenumber;
        Typed {
            field_type,
            allow_multiple,
            normalizer: read_normalizer(new, field_type, checks),
            options: self.read_options_of(new, field_type, ids, checks),
            decimal_options: new.decimal_options.as_ref().map(|new| new.read(checks)),
            money_options: is_money
                .then(|| new.money_options.clone().unwrap_or_default().read(checks)),
            rating: is_rating.then(|| new.rating.unwrap_or_default().read(checks)),
            phonenumber_options: is_phonenumber
                .then(|| new.phonenumber_options.unwrap_or_default().read()),
            relation,
        }
    }

    fn read_options_of(
        &self,
        new: &NewField,
        field_type: FieldType,
        ids: &mut dyn FnMut() -> Uuid,
        checks: &mut Checks,
    ) -> Choices {
        let given = new.options.as_deref().unwrap_or_default();
        match field_type.option_source() {
            OptionSource::Schema => return self.read_options(given, field_type, ids, checks),
            OptionSource::Answers => return self.read_answers(given, ids, checks),
            OptionSource::None if !given.is_empty() => {
                checks.add("options", invalid("A field of this type has no options."));
            }
            OptionSource::TimeZones | OptionSource::Bounds if !given.is_empty() => {
                checks.add("options", SchemaFaultKind::Immutable);
            }
            OptionSource::None | OptionSource::TimeZones | OptionSource::Bounds => {}
        }
        Choices::default()
    }
}

/// Refuses the settings of other types.
pub(super) fn check_settings(new: &NewField, field_type: FieldType, checks: &mut Checks) {
    let mut check = |key, is_given: bool, owner: FieldType, fault| {
        if is_given && field_type != owner {
            checks.add(key, invalid(fault));
        }
    };
    check(
        "decimal_options",
        new.decimal_options.is_some(),
        FieldType::Decimal,
        "Only a decimal field has these.",
    );
    check(
        "money_options",
        new.money_options.is_some(),
        FieldType::Money,
        "Only a money field has these.",
    );
    check(
        "phonenumber_options",
        new.phonenumber_options.is_some(),
        FieldType::Phonenumber,
        "Only a phonenumber field has these.",
    );
    check("rating", new.rating.is_some(), FieldType::Rating, "Only a rating field has this.");
}

/// The relation of a relationship field, which no other has.
fn read_relation(new: &NewField, field_type: FieldType, checks: &mut Checks) -> Option<Relation> {
    let given = new.relation.as_ref().map(|given| &given.relation);
    match (field_type == FieldType::Relationship, given) {
        (true, None) => checks.add("relation", ValueFault::Required),
        (true, Some(relation)) if relation.is_mirror && new.is_required == Some(true) => {
            checks.add("is_required", invalid(MIRRORS_ARE_NOT_REQUIRED));
        }
        (false, Some(_)) => checks.add("relation", invalid("Only a relationship field has this.")),
        (true, Some(_)) | (false, None) => {}
    }
    given.cloned()
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
