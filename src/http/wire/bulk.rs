//! Bulk actions: what a request asks for, and how an action and its progress are answered.
//!
//! It must not know how an action is carried out.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::shape::{Presence, Shape, TextRule};
use crate::model::agenda::bulk::{BulkAction, BulkKind, Failure};
use crate::model::id::{BatchId, ObjectId, RecordId};
use crate::model::input::Input;
use crate::model::value::time::timestamp_text;
use jiff::tz::TimeZone;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Records of one action.
pub const RECORDS_MAX: usize = 1000;

const RECORD_IDS: &str = "record_ids";
pub const FIELD_ID: &str = "field_id";
pub const FIELD_VALUE: &str = "field_value";
pub const FIELD_RESOLUTION: &str = "field_resolution";

/// What the API calls the kinds of action.
pub const KINDS: [(&str, BulkKind); 2] = [
    ("custom_object_archive", BulkKind::Archive),
    ("custom_object_change_field_value", BulkKind::ChangeFieldValue),
];

/// How a value meets the one that a record has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    Overwrite,
    AddOnly,
    RemoveOnly,
    UpdateIfBlank,
    OverwriteExceptNull,
}

const RESOLUTIONS: [(&str, Resolution); 5] = [
    ("overwrite", Resolution::Overwrite),
    ("add_only", Resolution::AddOnly),
    ("remove_only", Resolution::RemoveOnly),
    ("update_if_blank", Resolution::UpdateIfBlank),
    ("overwrite_except_null", Resolution::OverwriteExceptNull),
];

/// A field, and what is to become of it.
#[derive(Clone, Copy, Debug)]
pub struct ValueChange<'i> {
    /// By its id or its API name.
    pub field: &'i str,
    pub value: &'i Input<'i>,
    pub resolution: Resolution,
}

const FIELD_RULE: TextRule = TextRule {
    presence: Presence::Required,
    chars_max: 100,
    may_be_blank: false,
    takes_number: false,
};

/// The records that a body names, as often as it names them.
pub fn read_records(shape: &mut Shape<'_>, faults: &mut Faults) -> Vec<RecordId> {
    let Some(list) = shape.list(RECORD_IDS, Presence::Required, faults) else { return Vec::new() };
    if list.is_empty() || list.len() > RECORDS_MAX {
        let place = shape.place(RECORD_IDS);
        let fault = if list.is_empty() {
            Fault::new(Code::Required, place)
        } else {
            let message = format!("At most {RECORDS_MAX} records are taken, not {}.", list.len());
            Fault::new(Code::LimitExceeded, place).saying(message)
        };
        faults.push(fault);
        return Vec::new();
    }
    let mut records = Vec::with_capacity(list.len());
    for (index, given) in list.iter().enumerate() {
        if let Some(id) = given.as_text().and_then(|text| RecordId::parse(text.trim())) {
            records.push(id);
        } else {
            let place = Place::Body(format!("{RECORD_IDS}[{index}]").into());
            faults.push(Fault::new(Code::Invalid, place).saying("Must be a valid UUID."));
        }
    }
    records
}

/// The change of a value; none where it has a fault.
pub fn read_change<'i>(shape: &mut Shape<'i>, faults: &mut Faults) -> Option<ValueChange<'i>> {
    let field = shape.text(FIELD_ID, &FIELD_RULE, faults);
    let value = read_value(shape, faults);
    let resolution = shape.choice(FIELD_RESOLUTION, Presence::Nullable, &RESOLUTIONS, faults);
    let resolution = resolution.unwrap_or(Resolution::Overwrite);
    Some(ValueChange { field: field?, value: value?, resolution })
}

/// A bare value, or a list of bare ones; null is one.
fn read_value<'i>(shape: &mut Shape<'i>, faults: &mut Faults) -> Option<&'i Input<'i>> {
    let place = shape.place(FIELD_VALUE);
    let Some(value) = shape.raw(FIELD_VALUE) else {
        faults.push(Fault::new(Code::Required, place));
        return None;
    };
    let is_bare = match value {
        Input::Null | Input::Boolean(_) | Input::Number(_) | Input::Text(_) => true,
        Input::List(values) => values.iter().all(|value| match value {
            Input::Boolean(_) | Input::Number(_) | Input::Text(_) => true,
            Input::Null | Input::List(_) | Input::Map(_) => false,
        }),
        Input::Map(_) => false,
    };
    if !is_bare {
        let message = "Give the bare value: a text, a number, a boolean, an id, or a list of them.";
        faults.push(Fault::new(Code::Invalid, place).saying(message));
        return None;
    }
    Some(value)
}

/// The answer to an action, when it has been carried out.
#[derive(Clone, Copy, Debug)]
pub struct BulkAnswer {
    pub kind: BulkKind,
    /// Records that were named.
    pub records: usize,
    pub id: BatchId,
}

impl Serialize for BulkAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = match self.kind {
            BulkKind::Archive => "number_archived",
            BulkKind::ChangeFieldValue => "number_updated",
        };
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry(number, &self.records)?;
        map.serialize_entry("async", &true)?;
        map.serialize_entry("status_id", &self.id)?;
        map.end()
    }
}

/// How far an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkStatus {
    InProgress,
    /// Every record was tried; some may have failed.
    Completed,
    /// Its process ended before it.
    Failed,
}

impl BulkStatus {
    /// Of an action that this process works on or not.
    #[must_use]
    pub fn of(action: &BulkAction, is_under_way: bool) -> Self {
        match (action.finished, is_under_way) {
            (Some(_), _) => Self::Completed,
            (None, true) => Self::InProgress,
            (None, false) => Self::Failed,
        }
    }
}

/// An action and its progress.
#[derive(Debug, Serialize)]
pub struct BulkShape<'a> {
    id: BatchId,
    action: &'static str,
    status: BulkStatus,
    custom_object_id: ObjectId,
    success_count: u32,
    failed_count: u32,
    pending_count: u32,
    started_at: String,
    completed_at: Option<String>,
    errors: Vec<FailureShape<'a>>,
}

#[derive(Debug, Serialize)]
struct FailureShape<'a> {
    record_id: RecordId,
    code: &'a str,
    detail: &'a str,
}

impl<'a> BulkShape<'a> {
    /// # Panics
    /// On a kind that the API has no name for.
    #[must_use]
    pub fn of(action: &'a BulkAction, status: BulkStatus, time_zone: &TimeZone) -> Self {
        let time = |at| timestamp_text(at, time_zone);
        let name = KINDS.iter().find(|(_, kind)| *kind == action.kind);
        Self {
            id: action.id,
            action: name.expect("every kind has a name").0,
            status,
            custom_object_id: action.object,
            success_count: action.succeeded,
            failed_count: action.failed(),
            pending_count: action.pending(),
            started_at: time(action.started),
            completed_at: action.finished.map(time),
            errors: action.failures.iter().map(FailureShape::of).collect(),
        }
    }
}

impl<'a> FailureShape<'a> {
    fn of(failure: &'a Failure) -> Self {
        Self { record_id: failure.record, code: &failure.code, detail: &failure.detail }
    }
}
