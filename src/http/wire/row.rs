//! One upsert as a request gives it: the body of a single one, or a row of many.
//!
//! Options stand in the request, for all of its rows, and some in a row too: a row's own value wins.
//! It must not know how rows arrive, nor which branch one takes.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults};
use crate::http::keyed::{WHAT_IS_A_KEY, is_key};
use crate::http::query::Query;
use crate::http::shape::{Presence, Shape, TextRule};
use crate::http::wire::fields::{Fields, set_name};
use crate::http::wire::keys::whole_number;
use crate::http::wire::matching::{self, Given, LOOKUP_VALUE, MatchNames, Reader};
use crate::http::wire::source::{self, ShownVersion};
use crate::http::wire::{archived, identifier};
use crate::model::id::Version;
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::table::command::{
    Action, ArchivedConflict, ArchivedMatch, FieldSet, Outcome, RestoreConflict, Writes,
};
use crate::model::table::intent::{IdentityConflict, Intent, Mode};
use crate::model::table::precondition::Precondition;
use crate::model::table::source::{Guard, kept_version};
use crate::model::value::text::TEXT_CHARS_MAX;
use jiff::tz::TimeZone;
use std::sync::Arc;

const CLIENT_REF: &str = "client_ref";
/// Of a row that may be sent again.
pub const IDEMPOTENCY_KEY: &str = "idempotency_key";
pub const EXPECT_VERSION: &str = "expect_version";
/// Characters of the caller's name for a row.
const CLIENT_REF_CHARS_MAX: usize = 255;
const LOOKUP: TextRule = TextRule {
    presence: Presence::Required,
    chars_max: TEXT_CHARS_MAX,
    may_be_blank: false,
    takes_number: true,
};
const MODES: [(&str, RowMode); 4] = [
    ("upsert", RowMode::Upsert),
    ("create", RowMode::Create),
    ("update", RowMode::Update),
    ("get_or_create", RowMode::GetOrCreate),
];
const BLANKS: [(&str, Blanks); 2] = [("clear", Blanks::Clear), ("ignore", Blanks::Ignore)];
const OPERATIONS: [(&str, Operation); 2] =
    [("upsert", Operation::Upsert), ("archive", Operation::Archive)];

/// What an upsert does with the record that it finds, or does not find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RowMode {
    #[default]
    Upsert,
    Create,
    Update,
    /// As `Create`, and one that is there already is shown with all of its fields.
    GetOrCreate,
}

/// What null and the empty text do to a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blanks {
    #[default]
    Clear,
    Ignore,
}

/// What a row asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operation {
    #[default]
    Upsert,
    Archive,
}

/// Which keys an upsert may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// A body: its request has no others.
    Single,
    /// A row of many, with options of its own.
    Row,
}

/// What a request says for all of its rows.
#[derive(Clone, Debug)]
pub struct RowOptions {
    pub door: Door,
    /// Of the caller's key: the source of a row that names none.
    pub origin: Arc<str>,
    /// Unknown keys are refused.
    pub strict: bool,
    pub mode: RowMode,
    pub names: Option<MatchNames>,
    pub on_identity_conflict: IdentityConflict,
    pub blanks: Blanks,
    pub archived_match: ArchivedMatch,
    pub archived_conflict: ArchivedConflict,
    pub restore_conflict: RestoreConflict,
    pub reports_unchanged: bool,
}

impl RowOptions {
    /// Reads those that stand in the request of a single upsert and of many.
    pub fn read(
        query: &mut Query<'_>,
        (door, origin): (Door, &Arc<str>),
        faults: &mut Faults,
    ) -> Self {
        // A client that sends rows knows the word: the single route is older than it.
        let reports_unchanged = query.boolean("report_unchanged", faults);
        // A single upsert has them in its body alone.
        let (mut given_match, mut given_conflict) = (None, None);
        if door == Door::Row {
            given_match = archived::match_of_all(query, faults);
            given_conflict = archived::conflict_of_all(query, faults);
        }
        Self {
            door,
            origin: origin.clone(),
            strict: query.is_strict(),
            mode: query.choice("mode", &MODES, faults).unwrap_or_default(),
            names: matching::read_names(query, faults),
            on_identity_conflict: matching::read_on_conflict(query, faults),
            blanks: query.choice("blank", &BLANKS, faults).unwrap_or_default(),
            archived_match: given_match.unwrap_or_default(),
            archived_conflict: given_conflict.unwrap_or_default(),
            restore_conflict: archived::read_restore_conflict(query, faults),
            reports_unchanged: reports_unchanged.unwrap_or(door == Door::Row),
        }
    }
}

/// One upsert whose shape is good.
#[derive(Debug)]
pub struct Row<'i> {
    pub fields: Fields<'i>,
    /// The caller's name for it.
    pub client_ref: Option<&'i str>,
    pub operation: Operation,
    /// The options of its request, or its own.
    pub options: RowOptions,
    /// What must be there, or not.
    pub precondition: Option<Precondition>,
    given: Given<'i>,
    guard: Option<Guard>,
}

impl<'i> Row<'i> {
    /// Reads the keys of an upsert; whoever reads others too ends the reading.
    pub fn read(
        shape: &mut Shape<'i>,
        options: &RowOptions,
        schema: &Schema,
        faults: &mut Faults,
    ) -> Self {
        let mut options = options.clone();
        let (mut operation, mut precondition) = (Operation::default(), None);
        if options.door == Door::Row {
            let given = shape.choice("op", Presence::Nullable, &OPERATIONS, faults);
            operation = given.unwrap_or_default();
            let mode = shape.choice("mode", Presence::Nullable, &MODES, faults);
            options.mode = mode.unwrap_or(options.mode);
            check_key(shape, faults);
            precondition = read_expected(shape, faults);
        }
        let given = read_given(shape, &options, schema, faults);
        let found = archived::read_own_match(shape, "oncreate_unarchive", faults);
        options.archived_match = found.unwrap_or(options.archived_match);
        let in_the_way = archived::read_own_conflict(shape, "onupdate_archived_conflict", faults);
        options.archived_conflict = in_the_way.unwrap_or(options.archived_conflict);
        let client_ref = read_client_ref(shape, faults);
        let guard = source::read_guard(shape, &options.origin, faults);
        let fields = read_sets(shape, &options, faults);
        Self { fields, client_ref, operation, options, precondition, given, guard }
    }

    /// The version of the row's source that a record keeps, where the row was older.
    #[must_use]
    pub fn kept_version<'z>(
        &self,
        outcome: &Outcome,
        time_zone: &'z TimeZone,
    ) -> Option<ShownVersion<'z>> {
        let guard = self.guard.as_ref().filter(|_| outcome.action == Action::Stale)?;
        let version = kept_version(outcome.record.body(), &guard.source)?;
        Some(ShownVersion { version, time_zone })
    }

    /// What is asked of the table, with writes that were read with the same schema.
    pub fn intent(&self, reader: Reader<'_>, writes: Writes) -> Result<Intent, Vec<Fault>> {
        let matching = self.given.matching(&self.fields, reader)?;
        let mut intent = Intent::new(matching, writes);
        intent.mode = match (self.operation, self.options.mode) {
            (Operation::Archive, _) => Mode::Archive,
            (Operation::Upsert, RowMode::Upsert) => Mode::Upsert,
            (Operation::Upsert, RowMode::Create | RowMode::GetOrCreate) => Mode::Create,
            (Operation::Upsert, RowMode::Update) => Mode::Update,
        };
        intent.archived_match = self.options.archived_match;
        intent.archived_conflict = self.options.archived_conflict;
        intent.restore_conflict = self.options.restore_conflict;
        intent.guard.clone_from(&self.guard);
        intent.precondition.clone_from(&self.precondition);
        intent.reports_unchanged = self.options.reports_unchanged;
        Ok(intent)
    }
}

/// The names of match keys in the row win over those of the request; in a single upsert both are
/// one too many. Without any there must be a lookup value.
fn read_given<'i>(
    shape: &mut Shape<'i>,
    options: &RowOptions,
    schema: &Schema,
    faults: &mut Faults,
) -> Given<'i> {
    let noted = faults.len();
    let own = matching::read_own_names(shape, faults);
    // Names that are wrong are told: nobody asks for names besides.
    let are_wrong = faults.len() > noted;
    if let (Door::Single, Some(own), Some(_)) = (options.door, &own, &options.names) {
        matching::note_both(own, faults);
    }
    let names = own.or_else(|| options.names.clone());
    let lookup = if names.is_some() {
        // Of any field: a blank is passed over, as every match key without a value is.
        let rule = TextRule { presence: Presence::Nullable, may_be_blank: true, ..LOOKUP };
        shape.text(LOOKUP_VALUE, &rule, faults)
    } else {
        identifier::read_text(shape, LOOKUP_VALUE, Presence::Required, schema, faults)
    };
    let values = matching::read_values(shape, faults);
    if names.is_none() && !are_wrong && !values.is_empty() {
        faults.push(Fault::new(Code::Required, shape.place("match")));
    }
    Given { names, on_conflict: options.on_identity_conflict, lookup, values }
}

/// The version that a row's record must have. One too large to hold is of no record.
fn read_expected(shape: &mut Shape<'_>, faults: &mut Faults) -> Option<Precondition> {
    let value = shape.value(EXPECT_VERSION, Presence::Nullable, faults)?;
    let expected = match value {
        Input::Number(spelling) => whole_number::<u64>(spelling).filter(|it| *it > 0),
        Input::Null | Input::Boolean(_) | Input::Text(_) | Input::List(_) | Input::Map(_) => None,
    };
    let Some(expected) = expected else {
        let fault = Fault::new(Code::Invalid, shape.place(EXPECT_VERSION));
        faults.push(fault.saying("Expected a whole number from 1."));
        return None;
    };
    Some(Precondition::At(Version(expected.try_into().unwrap_or(u32::MAX))))
}

/// Kept to the letter: it is the caller's.
fn read_client_ref<'i>(shape: &mut Shape<'i>, faults: &mut Faults) -> Option<&'i str> {
    let value = shape.value(CLIENT_REF, Presence::Nullable, faults)?;
    let Some(text) = value.as_text() else {
        let fault = Fault::new(Code::Invalid, shape.place(CLIENT_REF));
        faults.push(fault.saying("Not a valid string."));
        return None;
    };
    if !is_client_ref(text) {
        faults.push(Fault::max_length(shape.place(CLIENT_REF), CLIENT_REF_CHARS_MAX));
        return None;
    }
    Some(text)
}

/// The caller's name for a row, if it is a good one, whatever else the row says.
#[must_use]
pub fn client_ref_of(row: &Input<'_>) -> Option<Box<str>> {
    row.get(CLIENT_REF)?.as_text().filter(|text| is_client_ref(text)).map(Box::from)
}

fn is_client_ref(text: &str) -> bool {
    text.chars().count() <= CLIENT_REF_CHARS_MAX
}

/// What a key does is known to whoever carries rows out.
fn check_key(shape: &mut Shape<'_>, faults: &mut Faults) {
    let Some(value) = shape.value(IDEMPOTENCY_KEY, Presence::Nullable, faults) else { return };
    if !value.as_text().is_some_and(is_key) {
        let fault = Fault::new(Code::Invalid, shape.place(IDEMPOTENCY_KEY));
        faults.push(fault.saying(WHAT_IS_A_KEY));
    }
}

fn read_sets<'i>(shape: &mut Shape<'i>, options: &RowOptions, faults: &mut Faults) -> Fields<'i> {
    let mut fields = Fields::read(shape.raw("fields"), options.strict, faults);
    for set in [FieldSet::OnCreate, FieldSet::OnUpdate, FieldSet::IfEmpty] {
        fields.read_set(set, shape.raw(set_name(set)), options.strict, faults);
    }
    fields.ignores_blanks = options.blanks == Blanks::Ignore;
    fields
}
