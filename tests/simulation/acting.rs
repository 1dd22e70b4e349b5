//! The steps of an action on many records, as far as the agenda keeps what became of it. The records
//! themselves change like all others.

use crate::simulation::history::{Asked, Waiting};
use crate::simulation::sim::{Finding, Sim};
use crate::simulation::world::{Action, Answer, Change};
use upsertd::model::agenda::bulk::{BulkKind, BulkNote, Failure, NewBulk};
use upsertd::model::agenda::command::{Ask, Command};
use upsertd::model::id::{BatchId, ObjectId, RecordId, WriterId};
use upsertd::model::table::command::Caller;
use uuid::Uuid;

impl Sim {
    /// An action on so many records begins.
    pub(crate) fn begin_action(&mut self, records: u32) -> Result<(), Finding> {
        self.drain()?;
        if !self.goes_on() {
            return Ok(());
        }
        let at = self.history.decided.actions.len();
        let new =
            NewBulk { kind: BulkKind::Archive, object: ObjectId(Uuid::from_u128(1)), records };
        let action = Action { records, ..Action::default() };
        self.ask_agenda_about(at, Ask::BeginBulk(new), Change::Acted(at, action))
    }

    /// So many records of the newest action were changed, and one could not be.
    pub(crate) fn note_action(&mut self, succeeded: u32, is_last: bool) -> Result<(), Finding> {
        self.drain()?;
        let Some(action) = self.history.decided.actions.last().filter(|_| self.goes_on()) else {
            return Ok(());
        };
        let noted = Action {
            succeeded: action.succeeded + succeeded,
            failed: action.failed + 1,
            is_finished: is_last,
            ..*action
        };
        if action.is_finished || noted.succeeded + noted.failed > noted.records {
            return Ok(());
        }
        let at = self.history.decided.actions.len() - 1;
        let failure = Failure {
            record: RecordId(Uuid::from_u128(1)),
            code: "not_found".to_owned(),
            detail: "Not found.".to_owned(),
        };
        let note = BulkNote { id: id_of(at), succeeded, failures: vec![failure], is_last };
        self.ask_agenda_about(at, Ask::NoteBulk(note), Change::Acted(at, noted))
    }

    fn ask_agenda_about(&mut self, at: usize, ask: Ask, change: Change) -> Result<(), Finding> {
        let machine = self.machine();
        let caller = Caller { batch: id_of(at), ..machine.caller() };
        let waiting = Waiting::Agenda(machine.ask_agenda(Command { caller, ask }));
        let (writer, text) = (WriterId::Agenda(machine.business), format!("{change:?}"));
        let (table, expected, changes) = ("nobody's", Answer::Done, vec![change]);
        self.history.note(Asked { writer, table, text, expected, changes, waiting });
        self.drain()
    }
}

/// An action is called by the request that began it.
fn id_of(at: usize) -> BatchId {
    BatchId(Uuid::from_u128(0xAC_0000 + at as u128))
}
