//! The keys of a record: what follows from its values and its schema.

use crate::model::catalog::member::Members;
use crate::model::id::{FieldNumber, MemberId, OptionNumber};
use crate::model::key::Key;
use crate::model::schema::Schema;
use crate::model::schema::constraint::Constraint;
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::table::body::Body;
use crate::model::table::event::{Claim, ClaimOn};
use crate::model::table::others::Others;
use crate::model::table::owners::related_ids;
use crate::model::value::{FieldType, OptionSource, Value, member};
use std::sync::Arc;

/// The normal form of the identifier; none where it is blank.
#[must_use]
pub(crate) fn identifier_key(schema: &Schema, body: Body<'_>) -> Option<Key> {
    let raw = body.get(schema.identifier().number)?;
    schema.identifier_key(stored_text(raw)?)
}

/// The places that a live record takes in the indexes of values that it has for itself.
#[must_use]
pub(crate) fn claims_of(schema: &Schema, body: Body<'_>) -> Vec<Claim> {
    let alone = schema.claiming_fields();
    let alone = alone.filter_map(|field| claim_of(field, body.get(field.number)?));
    let together = schema.constraints().iter();
    let together =
        together.filter_map(|constraint| joint_claim(schema, constraint, |field| body.get(field)));
    alone.chain(together).collect()
}

/// The place that a stored value of such a field takes; none where it is blank.
#[must_use]
pub(crate) fn claim_of(field: &Field, raw: &[u8]) -> Option<Claim> {
    let key = field_key(field, raw)?;
    Some(Claim { on: ClaimOn::Field(field.number), key })
}

/// The normal form of a stored value; none where it is blank.
#[must_use]
pub(crate) fn field_key(field: &Field, raw: &[u8]) -> Option<Key> {
    stored(field, raw).unique_key(field.normalizer)
}

/// The place that the stored values of a constraint's fields take together; none where one of them
/// is blank.
#[must_use]
pub(crate) fn joint_claim<'v>(
    schema: &Schema,
    constraint: &Constraint,
    value: impl Fn(FieldNumber) -> Option<&'v [u8]>,
) -> Option<Claim> {
    let key = joint_key(schema.parts(constraint), |field| field_key(field, value(field.number)?))?;
    Some(Claim { on: ClaimOn::Constraint(constraint.number), key })
}

/// The normal forms of several fields' values as one; none where one of them is blank.
#[must_use]
pub(crate) fn joint_key<'f>(
    fields: impl IntoIterator<Item = &'f Arc<Field>>,
    key: impl Fn(&Field) -> Option<Key>,
) -> Option<Key> {
    let keys = fields.into_iter().map(|field| key(field)).collect::<Option<Vec<Key>>>()?;
    Some(Key::joined(&keys))
}

/// Whether the values that a table relies on can be read: those its indexes are made of, and the
/// explicit team. Recovery asks it of every body before it believes it.
#[must_use]
pub(crate) fn is_readable(schema: &Schema, body: Body<'_>) -> bool {
    let is_text = |raw| stored_text(raw).is_some();
    let is_team = |mut raw| member::decode_list(&mut raw).is_ok();
    let mut indexed = schema.claimed_fields().chain(schema.owning_fields());
    body.get(schema.identifier().number).is_none_or(is_text)
        && body.get(system::TEAM_MEMBERS).is_none_or(is_team)
        && indexed.all(|field| {
            body.get(field.number).is_none_or(|mut raw| Value::decode(field, &mut raw).is_ok())
        })
}

/// Whether nothing is left of what a stored value refers to: its options were removed, its members
/// deleted, or its records purged.
#[must_use]
pub(crate) fn is_blank(field: &Field, raw: &[u8], members: &Members, others: &Others) -> bool {
    options_left(field, raw).is_some_and(|left| left.is_empty())
        || members_left(field, raw, members).is_some_and(|left| left.is_empty())
        || (field.relation.is_some() && others.are_gone(field, &related_ids(field, raw)))
}

/// The members that a stored value still means; none where the type stores no members.
#[must_use]
pub(crate) fn members_left(field: &Field, raw: &[u8], members: &Members) -> Option<Vec<MemberId>> {
    if field.field_type != FieldType::TeamSelector {
        return None;
    }
    let held = stored(field, raw).members().expect("a team selector stores members");
    Some(those_left(held, members))
}

/// Those of a list who are still there.
#[must_use]
pub(crate) fn those_left(mut held: Vec<MemberId>, members: &Members) -> Vec<MemberId> {
    held.retain(|member| members.get(member).is_some());
    held
}

/// The options that a stored value means now, each once; none where the type stores no options.
#[must_use]
pub(crate) fn options_left(field: &Field, raw: &[u8]) -> Option<Vec<OptionNumber>> {
    match field.field_type.option_source() {
        OptionSource::Schema | OptionSource::Answers => {}
        OptionSource::TimeZones | OptionSource::Bounds | OptionSource::None => return None,
    }
    let held = stored(field, raw).options().expect("a field of options stores options");
    Some(field.options.left(&held))
}

/// A stored value, decoded.
///
/// # Panics
/// On bytes that the field's type has never written: the log's checksum says they are ours.
#[must_use]
pub(crate) fn stored(field: &Field, raw: &[u8]) -> Value {
    let mut rest = raw;
    Value::decode(field, &mut rest).expect("a stored value is in the form of its field's type")
}

/// A stored text.
#[must_use]
pub(crate) fn stored_text(raw: &[u8]) -> Option<&str> {
    rmp::decode::read_str_from_slice(raw).ok().map(|(text, _)| text)
}
