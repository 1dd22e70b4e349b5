//! What an agenda refuses, as a problem.
//!
//! It must not know routes, but for the key under which each of them lists records.

use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::problem::Problem;
use crate::model::agenda::command::Rejection;
use crate::model::agenda::types::TYPES_MAX;
use crate::model::schema::name::NameFault;

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        of_rejection(rejection, "associated_entities")
    }
}

/// The problem of a rejection; `records` is the key of the body that lists them.
pub(super) fn of_rejection(rejection: Rejection, records: &str) -> Problem {
    let fault = |code, key: &'static str| Fault::new(code, Place::Body(key.into()));
    let entry = |index: usize, message: &'static str| {
        let place = Place::Body(format!("{records}[{index}]").into());
        Problem::from(Fault::new(Code::Invalid, place).saying(message))
    };
    match rejection {
        Rejection::NotFound => Problem::not_found(),
        Rejection::TypeName(name) => {
            fault(code_of(name), "api_name").saying(name.to_string()).into()
        }
        Rejection::TooManyTypes => {
            let message = format!("A business may have no more than {TYPES_MAX} activity types.");
            Fault::new(Code::LimitExceeded, Place::Whole).saying(message).into()
        }
        Rejection::Selection => {
            let message = "The mode selected_objects_associated has objects, and no other has any.";
            fault(Code::Invalid, "associated_objects").saying(message).into()
        }
        Rejection::WrongObject { index } => {
            entry(index, "Activities of this type are not about records of this object.")
        }
        Rejection::SecondOfObject { index } => entry(index, "Give at most one record per object."),
        Rejection::UnknownScheduled => {
            let message = "Scheduled activity does not exist.";
            fault(Code::DoesNotExist, "scheduled_activity_id").saying(message).into()
        }
        Rejection::ScheduledOfOtherType => {
            let message = "The scheduled activity is of another type.";
            fault(Code::Invalid, "scheduled_activity_id").saying(message).into()
        }
    }
}

fn code_of(fault: NameFault) -> Code {
    match fault {
        NameFault::TooLong => Code::MaxLength,
        NameFault::Taken => Code::Unique,
        NameFault::ObjectPattern
        | NameFault::FieldPattern
        | NameFault::Uuid
        | NameFault::Reserved => Code::InvalidIdentifier,
    }
}
