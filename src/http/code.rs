//! The closed list of error codes: their names, statuses, and whether a retry helps.
//!
//! It must not know which rule of which layer leads to a code.

use actix_web::http::StatusCode;
use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $status:ident $name:literal,)+) => {
        /// What clients branch on. A code is never renamed or reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)+
        }

        impl Code {
            /// All of them, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The status of an answer, or of a row, with this code.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)+
                }
            }
        }
    };
}

codes! {
    /// The body is not JSON, or is JSON that could be read in two ways.
    ParseError = BAD_REQUEST "parse_error",
    /// Wrong type or value; also the code of a 400 with several different codes.
    Invalid = BAD_REQUEST "invalid",
    Required = BAD_REQUEST "required",
    Blank = BAD_REQUEST "blank",
    Null = BAD_REQUEST "null",
    MaxLength = BAD_REQUEST "max_length",
    MinValue = BAD_REQUEST "min_value",
    MaxValue = BAD_REQUEST "max_value",
    MaxDigits = BAD_REQUEST "max_digits",
    MaxDecimalPlaces = BAD_REQUEST "max_decimal_places",
    InvalidChoice = BAD_REQUEST "invalid_choice",
    /// A reference in the body or the query leads nowhere; the thing addressed is `NotFound`.
    DoesNotExist = BAD_REQUEST "does_not_exist",
    Unique = BAD_REQUEST "unique",
    DuplicateField = BAD_REQUEST "duplicate_field",
    InvalidIdentifier = BAD_REQUEST "invalid_identifier",
    Immutable = BAD_REQUEST "immutable",
    NotDeletable = BAD_REQUEST "not_deletable",
    NotArchived = BAD_REQUEST "not_archived",
    UnknownParameter = BAD_REQUEST "unknown_parameter",
    UnsupportedFilter = BAD_REQUEST "unsupported_filter",
    LimitExceeded = BAD_REQUEST "limit_exceeded",
    MaxFieldsExceeded = BAD_REQUEST "max_fields_exceeded",
    MaxObjectsExceeded = BAD_REQUEST "max_objects_exceeded",
    CustomObjectArchiveBlocked = BAD_REQUEST "custom_object_archive_blocked",
    ConstraintViolated = BAD_REQUEST "constraint_violated",
    BatchAborted = BAD_REQUEST "batch_aborted",
    NotAuthenticated = UNAUTHORIZED "not_authenticated",
    AuthenticationFailed = UNAUTHORIZED "authentication_failed",
    PermissionRequired = FORBIDDEN "permission_required",
    ForbiddenFieldWrite = FORBIDDEN "forbidden_field_write",
    NotFound = NOT_FOUND "not_found",
    MethodNotAllowed = METHOD_NOT_ALLOWED "method_not_allowed",
    NotAcceptable = NOT_ACCEPTABLE "not_acceptable",
    Conflict = CONFLICT "conflict",
    IdempotencyInProgress = CONFLICT "idempotency_in_progress",
    CursorExpired = GONE "cursor_expired",
    PreconditionFailed = PRECONDITION_FAILED "precondition_failed",
    PayloadExceeded = PAYLOAD_TOO_LARGE "payload_exceeded",
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type",
    IdempotencyKeyReuse = UNPROCESSABLE_ENTITY "idempotency_key_reuse",
    /// In rows of a batch only.
    DuplicateKey = BAD_REQUEST "duplicate_key",
    /// In rows of a batch only.
    RecordTooLarge = BAD_REQUEST "record_too_large",
    Throttled = TOO_MANY_REQUESTS "throttled",
    InternalError = INTERNAL_SERVER_ERROR "internal_error",
    Overloaded = SERVICE_UNAVAILABLE "overloaded",
    ReadOnly = SERVICE_UNAVAILABLE "read_only",
    /// It happened or it did not: only a retry with the same `Idempotency-Key` is safe.
    OutcomeUnknown = SERVICE_UNAVAILABLE "outcome_unknown",
    Behind = SERVICE_UNAVAILABLE "behind",
    ShuttingDown = SERVICE_UNAVAILABLE "shutting_down",
}

impl Code {
    /// Whether the very same request may succeed later.
    #[must_use]
    pub fn retryable(self) -> bool {
        let status = self.status();
        status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::SERVICE_UNAVAILABLE
            || self == Self::IdempotencyInProgress
    }

    /// Whether an answer with this code lists its faults in `errors`.
    #[must_use]
    pub fn lists_errors(self) -> bool {
        let status = self.status();
        status == StatusCode::BAD_REQUEST
            || status == StatusCode::PRECONDITION_FAILED
            || self == Self::Conflict
            || self == Self::ForbiddenFieldWrite
    }

    /// The text where nobody has said anything more exact. Some of them are compared by scripts.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::ParseError => "Malformed request.",
            Self::Invalid => "Invalid value.",
            Self::Required => "This field is required.",
            Self::Blank => "This field may not be blank.",
            Self::Null => "This field may not be null.",
            Self::MaxLength => "This value is too long.",
            Self::MinValue => "This value is too small.",
            Self::MaxValue => "This value is too large.",
            Self::MaxDigits => "This number has too many digits.",
            Self::MaxDecimalPlaces => "This number has too many decimal places.",
            Self::InvalidChoice => "This is not a valid choice.",
            Self::DoesNotExist => "Object does not exist.",
            Self::Unique => "This value must be unique.",
            Self::DuplicateField => "This field is named twice.",
            Self::InvalidIdentifier => "Invalid identifier.",
            Self::Immutable => "This cannot be changed.",
            Self::NotDeletable => "This cannot be deleted.",
            Self::NotArchived => "The record is not archived.",
            Self::UnknownParameter => "Unknown parameter.",
            Self::UnsupportedFilter => "This filter is not supported.",
            Self::LimitExceeded => "A limit is exceeded.",
            Self::MaxFieldsExceeded => "The object has as many fields as it may have.",
            Self::MaxObjectsExceeded => "The business has as many objects as it may have.",
            Self::CustomObjectArchiveBlocked => "The object is still in use.",
            Self::ConstraintViolated => "Live records break the new rule.",
            Self::BatchAborted => "The batch was not applied.",
            Self::NotAuthenticated => "Authentication credentials were not provided.",
            Self::AuthenticationFailed => "Invalid credentials.",
            Self::PermissionRequired => "You do not have permission to perform this action.",
            Self::ForbiddenFieldWrite => "You cannot write this field.",
            Self::NotFound => "Not found.",
            Self::MethodNotAllowed => "Method not allowed.",
            Self::NotAcceptable => "No offered representation is acceptable.",
            Self::Conflict => "The request conflicts with an existing record.",
            Self::IdempotencyInProgress => "A request with this Idempotency-Key is still running.",
            Self::CursorExpired => "The cursor can no longer be served.",
            Self::PreconditionFailed => "The record is not at the expected version.",
            Self::PayloadExceeded => "The request body is too large.",
            Self::UnsupportedMediaType => "Unsupported media type in request.",
            Self::IdempotencyKeyReuse => "This Idempotency-Key was used for another request.",
            Self::DuplicateKey => "The same key stands in another row.",
            Self::RecordTooLarge => "The row is too large.",
            Self::Throttled => "Request was throttled.",
            Self::InternalError => "Internal server error.",
            Self::Overloaded => "The server is busy; nothing of the request was done.",
            Self::ReadOnly => "The server takes no writes at present.",
            Self::OutcomeUnknown => "It is not known whether the request took effect.",
            Self::Behind => "This server has not yet seen the requested state.",
            Self::ShuttingDown => "The server is shutting down.",
        }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_codes_share_a_name() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn retryable_are_429_and_503_and_a_running_idempotent_request_only() {
        let retryable: Vec<_> =
            Code::ALL.iter().filter(|code| code.retryable()).map(|code| code.as_str()).collect();
        assert_eq!(
            retryable,
            [
                "idempotency_in_progress",
                "throttled",
                "overloaded",
                "read_only",
                "outcome_unknown",
                "behind",
                "shutting_down"
            ]
        );
    }

    #[test]
    fn errors_are_listed_on_400_and_412_and_two_codes_more() {
        for code in Code::ALL {
            let listed = matches!(code.status().as_u16(), 400 | 412)
                || matches!(code.as_str(), "conflict" | "forbidden_field_write");
            assert_eq!(code.lists_errors(), listed, "{}", code.as_str());
        }
    }

    /// What scripts may compare, as the contract gives it.
    #[test]
    fn the_texts_that_scripts_compare_are_exact() {
        let texts = [
            (Code::NotFound, "Not found."),
            (Code::Required, "This field is required."),
            (Code::Null, "This field may not be null."),
            (Code::Blank, "This field may not be blank."),
            (Code::PermissionRequired, "You do not have permission to perform this action."),
            (Code::NotAuthenticated, "Authentication credentials were not provided."),
            (Code::AuthenticationFailed, "Invalid credentials."),
            (Code::ForbiddenFieldWrite, "You cannot write this field."),
        ];
        for (code, text) in texts {
            assert_eq!(code.text(), text);
        }
    }
}
