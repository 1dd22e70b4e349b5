//! The steps that ask writers for something: each with what is expected of it. It must not know what
//! becomes durable, and when.

use crate::simulation::ask::{Ask, CODE, KIND, KINDS, LABELS, NOTE, STAGE, STAGES, Writes};
use crate::simulation::coverage::Met;
use crate::simulation::history::{Asked, Waiting};
use crate::simulation::judge::Fields;
use crate::simulation::sim::{Finding, Sim};
use crate::simulation::world::{Answer, Change, PIPELINE, TableName};
use upsertd::engine::follow_up::{FollowUp, oldest_open};
use upsertd::model::agenda::{self, Association};
use upsertd::model::catalog;
use upsertd::model::id::{ObjectId, WriterId};
use upsertd::model::schema::new_field::{NewField, NewOption};
use upsertd::model::schema::new_object::{NewObject, NewPipeline};
use upsertd::model::schema::stage::NewStage;
use upsertd::model::table::command::{Ask as TableAsk, Command};

impl Sim {
    pub(crate) fn object(&mut self, table: TableName) -> Option<ObjectId> {
        let is_decided = self.history.decided.tables.contains_key(table);
        self.machine().object(table).filter(|_| is_decided)
    }

    pub(crate) fn ask(&mut self, table: TableName, ask: &Ask) -> Result<(), Finding> {
        let mut ask = ask.clone();
        if let Some(writes) = ask.writes_mut()
            && let Some(partner) = writes.partner.take()
            && table == PIPELINE
        {
            // It is looked up in, and asked of, what the other table shows.
            self.drain()?;
            if !self.goes_on() {
                return Ok(());
            }
            let is_related = self.history.decided.is_related();
            writes.partner = self.find_partner(&partner).filter(|_| is_related);
        }
        if let Some(writes) = ask.writes_mut()
            && let Some(owner) = writes.owner.take()
        {
            writes.owner = Self::find_owner(self.machine(), &owner);
        }
        let Some(object) = self.object(table) else { return Ok(()) };
        let world = &self.history.decided.tables[table];
        if let Some(writes) = ask.writes_mut() {
            keep_known_fields(writes, &world.fields);
        }
        // Only an id that somebody was told can be asked for.
        let addressed = ask.addressed().and_then(|name| world.holder(name));
        let addressed = addressed.filter(|number| self.history.ids.contains_key(&(table, *number)));
        let id = addressed.map(|number| self.history.ids[&(table, number)]);
        let (expected, changes) = self.history.decided.decide(table, &ask, addressed, self.now);
        let machine = self.machine.as_mut().expect("commands go to a running machine");
        let shown = machine.shown(object).expect("a table of the directory is there");
        let command =
            Command { caller: machine.caller(), ask: ask.to_command(&shown.schema(), id) };
        let waiting = Waiting::Table(machine.ask_table(object, command));
        let (writer, text) = (WriterId::Table(object), format!("{table}: {ask:?}"));
        self.history.note(Asked { writer, table, text, expected, changes, waiting });
        Ok(())
    }

    pub(crate) fn create_object(&mut self, name: TableName) -> Result<(), Finding> {
        self.drain()?;
        let world = &self.history.decided;
        let is_taken = world.tables.contains_key(name) || world.leaving.contains(name);
        if !self.goes_on() || is_taken {
            return Ok(());
        }
        let new = NewObject {
            object_name: Some(name.to_owned()),
            name: Some(name.to_owned()),
            object_type: (name == PIPELINE).then(|| "pipeline".to_owned()),
            pipeline: (name == PIPELINE).then(first_stages),
            ..NewObject::default()
        };
        let machine = self.machine();
        let ask = catalog::command::Ask::CreateObject(Box::new(new));
        let command = catalog::command::Command { caller: machine.caller(), ask };
        let waiting = Waiting::Catalog(machine.ask_catalog(command));
        let writer = WriterId::Catalog(machine.business);
        let changes = vec![Change::Object(name)];
        self.note_done(writer, name, changes, waiting);
        self.drain()
    }

    pub(crate) fn create_field(
        &mut self,
        table: TableName,
        field: &'static str,
    ) -> Result<(), Finding> {
        self.drain()?;
        let Some(object) = self.object(table).filter(|_| self.goes_on()) else { return Ok(()) };
        if self.history.decided.tables[table].fields.contains_key(field) {
            return Ok(());
        }
        let field_type = match field {
            LABELS => "dynamictags",
            KIND => "dropdown",
            _ => "text",
        };
        let option = |name: &str| NewOption { name: Some(name.to_owned()), ..NewOption::default() };
        let new = NewField {
            display_name: Some(field.to_owned()),
            name: Some(field.to_owned()),
            field_type: Some(field_type.to_owned()),
            is_unique: Some(field == CODE),
            options: (field == KIND).then(|| KINDS.map(option).to_vec()),
            ..NewField::default()
        };
        let machine = self.machine();
        let ask = TableAsk::CreateField(Box::new(new));
        let command = Command { caller: machine.caller(), ask };
        let waiting = Waiting::Table(machine.ask_table(object, command));
        let changes = vec![Change::Field(table, field)];
        self.note_done(WriterId::Table(object), table, changes, waiting);
        self.drain()
    }

    /// Notes a command of which nothing but its being done is expected.
    fn note_done(
        &mut self,
        writer: WriterId,
        table: TableName,
        changes: Vec<Change>,
        waiting: Waiting,
    ) {
        let text = format!("{table}: {changes:?}");
        self.history.note(Asked { writer, table, text, expected: Answer::Done, changes, waiting });
    }

    pub(crate) fn schedule(&mut self, table: TableName, name: &str) -> Result<(), Finding> {
        self.drain()?;
        let Some(object) = self.object(table).filter(|_| self.goes_on()) else { return Ok(()) };
        let Some(number) = self.history.decided.tables[table].holder(name) else { return Ok(()) };
        let record = self.history.ids[&(table, number)];
        let machine = self.machine();
        let schedule = agenda::command::Schedule {
            activity_type: machine.agenda_shown().types()[0].id,
            note: String::new(),
            due: machine.now,
            employee: None,
            role: None,
            mentions: Vec::new(),
            notifications: "[]".to_owned(),
            associations: vec![Association { object, record }],
        };
        let ask = agenda::command::Ask::Schedule(Box::new(schedule));
        let command = agenda::command::Command { caller: machine.caller(), ask };
        let waiting = Waiting::Agenda(machine.ask_agenda(command));
        let writer = WriterId::Agenda(machine.business);
        self.note_done(writer, table, vec![Change::Scheduled(table, number)], waiting);
        self.drain()
    }

    pub(crate) fn send_follow_up(&mut self) -> Result<(), Finding> {
        self.drain()?;
        if !self.goes_on() {
            return Ok(());
        }
        let tables: Vec<TableName> = self.history.decided.tables.keys().copied().collect();
        for table in tables {
            let Some(object) = self.object(table) else { continue };
            let shown = self.machine().shown(object).expect("a table of the directory is there");
            if let Some(follow_up) = oldest_open(&shown) {
                self.send(table, object, follow_up);
                return self.drain();
            }
        }
        Ok(())
    }

    fn send(&mut self, table: TableName, object: ObjectId, follow_up: FollowUp) {
        let number = follow_up.number.0;
        let world = &self.history.decided;
        let record = world.tables[table].follow_ups_open[&number];
        let (expected, changes) = world.decide_forget(table, number, record);
        let machine = self.machine();
        let command = follow_up.forget(object, machine.caller().members);
        let waiting = Waiting::Agenda(machine.ask_agenda(command));
        let writer = WriterId::Agenda(machine.business);
        let text = format!("{table}: {follow_up:?}");
        self.history.note(Asked { writer, table, text, expected, changes, waiting });
        self.sent = Some((table, follow_up));
    }

    pub(crate) fn confirm_follow_up(&mut self) -> Result<(), Finding> {
        let Some((table, follow_up)) = self.sent.take() else { return Ok(()) };
        let Some(object) = self.object(table) else { return Ok(()) };
        if self.machine().follow_ups.holds_back(object) {
            self.coverage.note(Met::ConfirmationHeldBack);
            return Ok(());
        }
        let (expected, changes) = self.history.decided.decide_confirm(table, follow_up.number.0);
        let machine = self.machine();
        let command = follow_up.confirm(machine.caller().members);
        let waiting = Waiting::Table(machine.ask_table(object, command));
        let (writer, text) = (WriterId::Table(object), format!("{table}: confirm {follow_up:?}"));
        self.history.note(Asked { writer, table, text, expected, changes, waiting });
        self.turn()
    }
}

fn first_stages() -> NewPipeline {
    let stage = |name: &str| NewStage { name: Some(name.to_owned()), ..NewStage::default() };
    NewPipeline { stages: Some(STAGES.map(stage).to_vec()) }
}

/// Leaves out what nobody could write: the API checks that before it asks.
fn keep_known_fields(writes: &mut Writes, fields: &Fields) {
    for (field, value) in
        [(NOTE, &mut writes.note), (CODE, &mut writes.code), (LABELS, &mut writes.label)]
    {
        if !fields.contains_key(field) {
            *value = None;
        }
    }
    let is_offered = |(field, option): &(&'static str, &'static str)| {
        fields.get(field).is_some_and(|held| {
            held.options.contains(option) || (option.is_empty() && *field != STAGE)
        })
    };
    writes.choice = writes.choice.filter(is_offered);
}
