//! The steps that archive an object: its table says so, and the directory follows.

use crate::simulation::history::{Asked, Waiting};
use crate::simulation::sim::{Finding, Sim};
use crate::simulation::world::{Answer, Change, TableName};
use upsertd::model::catalog::command as catalog;
use upsertd::model::id::WriterId;
use upsertd::model::table::command::{Ask as TableAsk, Command};
use upsertd::model::table::schema_command::SchemaAsk;

impl Sim {
    pub(crate) fn archive_object(&mut self, table: TableName) -> Result<(), Finding> {
        self.drain()?;
        let Some(object) = self.object(table).filter(|_| self.goes_on()) else { return Ok(()) };
        let Some((expected, changes)) = self.history.decided.decide_archiving(table) else {
            return Ok(());
        };
        let machine = self.machine();
        let ask = TableAsk::ChangeSchema(SchemaAsk::ArchiveObject);
        let command = Command { caller: machine.caller(), ask };
        let waiting = Waiting::Table(machine.ask_table(object, command));
        let (writer, text) = (WriterId::Table(object), format!("{table}: archive it"));
        self.history.note(Asked { writer, table, text, expected, changes, waiting });
        self.drain()
    }

    /// Gives the names of archived objects free, as whoever sends follow-ups does.
    pub(crate) fn free_names(&mut self) -> Result<(), Finding> {
        self.drain()?;
        for table in self.history.decided.leaving.clone() {
            if !self.goes_on() {
                return Ok(());
            }
            // Another object may get the name, with records of its own.
            self.history.ids.retain(|(of, _), _| *of != table);
            let machine = self.machine();
            let object = machine.object(table).expect("it has its name still");
            let shown = machine.shown(object).expect("an object has its table");
            let archived_at = shown.schema().object().archived_at;
            let archived_at = archived_at.expect("its table has archived it");
            let ask = catalog::Ask::DiscardName { object, archived_at };
            let command = catalog::Command { caller: machine.caller(), ask };
            let waiting = Waiting::Catalog(machine.ask_catalog(command));
            let (writer, text) =
                (WriterId::Catalog(machine.business), format!("{table}: free its name"));
            let (expected, changes) = (Answer::Done, vec![Change::NameFreed(table)]);
            self.history.note(Asked { writer, table, text, expected, changes, waiting });
            self.drain()?;
        }
        Ok(())
    }
}
