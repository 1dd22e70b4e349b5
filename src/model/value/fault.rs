//! Why a value is refused.
//!
//! Owns the kinds of fault and the sentences a client reads. Must not know error codes, statuses or
//! where in a request the value stood.

use rust_decimal::Decimal;

/// What is wrong with one value. Its text is a sentence, because clients are shown it as it is.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ValueFault {
    #[error("{what}")]
    Invalid { what: &'static str },
    #[error("Ensure this field has no more than {max} characters.")]
    TooLong { max: usize },
    #[error("Ensure this value is greater than or equal to {min}.")]
    TooSmall { min: Decimal },
    #[error("Ensure this value is less than or equal to {max}.")]
    TooLarge { max: Decimal },
    #[error("Ensure that there are no more than {max} digits before the decimal point.")]
    TooManyDigits { max: usize },
    #[error("Ensure that there are no more than {max} decimal places.")]
    TooManyDecimalPlaces { max: usize },
    /// `what` opens the sentence: `Option`.
    #[error("{what} does not exist.")]
    DoesNotExist { what: &'static str },
    #[error("This field is required.")]
    Required,
    #[error("This field may not be blank.")]
    Blank,
    #[error("This field may not be null.")]
    Null,
    /// `what` is what is counted, in the plural: `values`.
    #[error("Ensure this field has no more than {max} {what}.")]
    LimitExceeded { what: &'static str, max: usize },
    #[error("\"{given}\" is not a valid choice.")]
    InvalidChoice { given: Box<str> },
}
