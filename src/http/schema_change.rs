//! Asks tables for changes of their schemas, and says why they refuse.
//!
//! It must not know what a change is, nor how its answer looks.

use crate::engine::business::TableRef;
use crate::http::caller::require;
use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::problem::Problem;
use crate::http::refusal::of_ask_error;
use crate::http::schema_fault;
use crate::http::target::Target;
use crate::http::violation;
use crate::model::retry::{Answered, Retry};
use crate::model::table::command::{Ask, Command, Reply};
use crate::model::table::decide::Rejection;
use crate::model::table::schema_command::SchemaAsk;

/// Asks the target's table for a change of its schema, by a body of so many bytes, if the caller
/// may change it.
pub(crate) async fn ask_for_schema(
    target: &Target,
    ask: Ask,
    bytes: usize,
) -> Result<Reply, Problem> {
    // To delete a field takes more than to change one.
    let deletes = deletes_field(&ask);
    let access = &target.access;
    require(if deletes { access.may_delete_schema() } else { access.may_change_schema() })?;
    // The change of an object is answered with nothing by its table, and with the object here.
    let changes_object = matches!(ask, Ask::ChangeSchema(SchemaAsk::ChangeObject(_)));
    let object = changes_object.then(|| Answered::Object(target.table.shown().object()));
    let caller = target.caller.for_write_with(|retry| Retry { about: object, ..retry });
    let command = Command { caller, ask };
    ask_table_for_schema(target, &target.table, command, bytes).await
}

fn deletes_field(ask: &Ask) -> bool {
    if let Ask::Dry(ask) = ask {
        return deletes_field(ask);
    }
    matches!(ask, Ask::ChangeSchema(SchemaAsk::DeleteField(_)))
}

/// Asks a table that a field of the target's leads to. Whoever calls has asked for the right.
pub(crate) async fn ask_table_for_schema(
    target: &Target,
    table: &TableRef,
    command: Command,
    bytes: usize,
) -> Result<Reply, Problem> {
    let answer = target.engine.ask_table(table, command, bytes).await;
    answer.map_err(|error| of_ask_error(error, |rejection| of_schema_rejection(target, rejection)))
}

/// Why a table refuses a change of its schema.
pub(super) fn of_schema_rejection(target: &Target, rejection: Rejection) -> Problem {
    match rejection {
        Rejection::Violated(violated) => violation::problem(target, &violated),
        Rejection::Schema(faults) => {
            Problem::from_faults(faults.iter().map(schema_fault::fault_of).collect())
        }
        Rejection::UnknownField | Rejection::ObjectArchived => Problem::not_found(),
        Rejection::ArchiveBlocked(blocked) => {
            let fault = Fault::new(Code::CustomObjectArchiveBlocked, Place::Whole);
            fault.saying(schema_fault::why_blocked(blocked)).into()
        }
        Rejection::TooLarge { what, bytes, max } => {
            let message = format!("{what} has {bytes} bytes; at most {max} are taken.");
            Fault::new(Code::LimitExceeded, Place::Whole).saying(message).into()
        }
        Rejection::SchemaMoved
        | Rejection::NotFound
        | Rejection::NoRight
        | Rejection::NoRightToIdentifier
        | Rejection::TrialFull { .. }
        | Rejection::StreamsFull { .. }
        | Rejection::KeyReused
        | Rejection::Aborted(_)
        | Rejection::PreconditionFailed { .. }
        | Rejection::NotArchived
        | Rejection::TeamFull { .. }
        | Rejection::Forbidden(_)
        | Rejection::Faults(_)
        | Rejection::Taken(_) => unreachable!("no record is written: {rejection:?}"),
    }
}
