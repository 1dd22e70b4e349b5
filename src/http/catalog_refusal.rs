//! What a catalog refuses, as a problem.
//!
//! It must not know routes: a rejection says by itself which key of the body is at fault.

use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::problem::Problem;
use crate::http::schema_fault;
use crate::http::wire::group_body::breach_text;
use crate::model::catalog::command::{Missing, OBJECTS_MAX, Rejection};

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let fault = |code, key: &'static str| Fault::new(code, Place::Body(key.into()));
        match rejection {
            Rejection::MemberTaken(keys) => {
                let taken = |key| fault(Code::Unique, key).saying("Another member has this value.");
                Problem::from_faults(keys.into_iter().map(taken).collect())
            }
            Rejection::Missing(missing) => {
                let missing = missing.into_iter().map(|missing| match missing {
                    Missing::Role => {
                        fault(Code::DoesNotExist, "roles").saying("Role does not exist.")
                    }
                    Missing::PermissionGroup => fault(Code::DoesNotExist, "permission_groups")
                        .saying("Permission group does not exist."),
                });
                Problem::from_faults(missing.collect())
            }
            Rejection::BeyondRights => Problem::new(Code::PermissionRequired),
            Rejection::Breach(breach) => {
                let (_, message) = breach_text(breach);
                fault(Code::Invalid, "permission_level").saying(message).into()
            }
            Rejection::TooMany { what, max } => {
                let message = format!("A business may have no more than {max} {what}.");
                Fault::new(Code::LimitExceeded, Place::Whole).saying(message).into()
            }
            Rejection::UnknownMember => {
                fault(Code::DoesNotExist, "member_id").saying("Team member does not exist.").into()
            }
            Rejection::LastAdministrator(key) => {
                let message = "The business must keep an active administrator.";
                let refused = |code, place| Fault::new(code, place).saying(message);
                match key {
                    Some(key) => refused(Code::Invalid, Place::Body(key.into())).into(),
                    None => refused(Code::NotDeletable, Place::Whole).into(),
                }
            }
            Rejection::MemberNotFound
            | Rejection::KeyNotFound
            | Rejection::RoleNotFound
            | Rejection::GroupNotFound => Problem::not_found(),
            Rejection::SecretTaken => {
                fault(Code::Unique, "secret").saying("Another key has this secret.").into()
            }
            Rejection::ObjectFaults(faults) => {
                Problem::from_faults(faults.iter().map(schema_fault::fault_of).collect())
            }
            Rejection::TooManyObjects => {
                let message = format!("A business may have no more than {OBJECTS_MAX} objects.");
                Fault::new(Code::MaxObjectsExceeded, Place::Whole).saying(message).into()
            }
        }
    }
}
