//! What the model finds wrong with objects, fields and options, as faults of a request.
//!
//! It owns the choice of codes. It must not know routes, nor decide what is wrong.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::value_fault;
use crate::model::schema::fault::{BodyPlace, SchemaFault, SchemaFaultKind};
use crate::model::schema::name::NameFault;
use crate::model::table::decide::Blocked;
use uuid::Uuid;

/// The fault of a new object, field or option.
#[must_use]
pub fn fault_of(fault: &SchemaFault) -> Fault {
    let place = match fault.place {
        BodyPlace::Body => Place::Whole,
        BodyPlace::Key(key) => Place::Body(key.into()),
        BodyPlace::Entry { .. } | BodyPlace::Item { .. } | BodyPlace::Inner { .. } => {
            Place::Body(fault.place.to_string().into())
        }
    };
    let code = match &fault.fault {
        SchemaFaultKind::Value(fault) => return value_fault::fault_of(fault, place),
        SchemaFaultKind::ObjectName(name) | SchemaFaultKind::FieldName(name) => of_name(*name),
        SchemaFaultKind::Unique | SchemaFaultKind::UniqueStage => Code::Unique,
        SchemaFaultKind::TooManyFields { .. } => Code::MaxFieldsExceeded,
        SchemaFaultKind::LimitExceeded { .. } => Code::LimitExceeded,
        SchemaFaultKind::Immutable | SchemaFaultKind::OptionsAreStages => Code::Immutable,
        SchemaFaultKind::NotDeletable => Code::NotDeletable,
    };
    Fault::new(code, place).saying(fault.fault.to_string())
}

/// Why an object cannot be archived.
#[must_use]
pub const fn why_blocked(blocked: Blocked) -> &'static str {
    match blocked {
        Blocked::LiveRecords => "The object has live records; archive them first.",
        Blocked::Relationships => {
            "The object has relationships to another object; delete their fields first."
        }
        Blocked::Contacts => "The contact object cannot be archived.",
    }
}

fn of_name(fault: NameFault) -> Code {
    match fault {
        NameFault::ObjectPattern
        | NameFault::FieldPattern
        | NameFault::TooLong
        | NameFault::Uuid
        | NameFault::Reserved => Code::InvalidIdentifier,
        NameFault::Taken => Code::Unique,
    }
}

/// Adds what the model finds wrong with a body whose shape is at fault already, so that all is
/// reported at once. A key that could not be read has been reported, and is not missing.
pub fn add_schema_faults(found: &[SchemaFault], faults: &mut Faults) {
    for fault in found.iter().map(fault_of) {
        let is_reported = faults.as_slice().iter().any(|known| known.place == fault.place);
        if !is_reported {
            faults.push(fault);
        }
    }
}

/// Ids for what the model is asked to make for its faults alone: it is thrown away.
pub fn throwaway_ids() -> impl FnMut() -> Uuid {
    let mut ids = (0..).map(Uuid::from_u128);
    move || ids.next().expect("there are more numbers than ids in a schema")
}
