//! A fault of a value as a fault of a request: the one table from kinds to codes.
//!
//! It must not know where in a request the value stood.

use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::model::value::fault::ValueFault;

/// The code that clients branch on.
#[must_use]
pub fn code_of(fault: &ValueFault) -> Code {
    match fault {
        ValueFault::Invalid { .. } => Code::Invalid,
        ValueFault::TooLong { .. } => Code::MaxLength,
        ValueFault::TooSmall { .. } => Code::MinValue,
        ValueFault::TooLarge { .. } => Code::MaxValue,
        ValueFault::TooManyDigits { .. } => Code::MaxDigits,
        ValueFault::TooManyDecimalPlaces { .. } => Code::MaxDecimalPlaces,
        ValueFault::DoesNotExist { .. } => Code::DoesNotExist,
        ValueFault::Required => Code::Required,
        ValueFault::Blank => Code::Blank,
        ValueFault::Null => Code::Null,
        ValueFault::LimitExceeded { .. } => Code::LimitExceeded,
        ValueFault::InvalidChoice { .. } => Code::InvalidChoice,
    }
}

/// The fault of a value at a place of the request.
#[must_use]
pub fn fault_of(fault: &ValueFault, place: Place) -> Fault {
    match fault {
        ValueFault::InvalidChoice { given } => Fault::invalid_choice(place, given),
        ValueFault::Invalid { .. }
        | ValueFault::TooLong { .. }
        | ValueFault::TooSmall { .. }
        | ValueFault::TooLarge { .. }
        | ValueFault::TooManyDigits { .. }
        | ValueFault::TooManyDecimalPlaces { .. }
        | ValueFault::DoesNotExist { .. }
        | ValueFault::Required
        | ValueFault::Blank
        | ValueFault::Null
        | ValueFault::LimitExceeded { .. } => {
            Fault::new(code_of(fault), place).saying(fault.to_string())
        }
    }
}
