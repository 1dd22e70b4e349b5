//! The steps that change a schema.

use crate::simulation::ask::STAGE;
use crate::simulation::coverage::Met;
use crate::simulation::history::{Asked, Waiting};
use crate::simulation::sim::{Finding, Sim};
use crate::simulation::world::reshape::Reshape;
use crate::simulation::world::{Answer, TableName};
use upsertd::model::id::{OptionId, WriterId};
use upsertd::model::schema::Schema;
use upsertd::model::schema::changed_field::ChangedField;
use upsertd::model::schema::field::Field;
use upsertd::model::schema::new_field::{NewField, NewOption};
use upsertd::model::schema::stage::NewStage;
use upsertd::model::table::command::{Ask as TableAsk, Command};
use upsertd::model::table::schema_command::SchemaAsk;

impl Sim {
    pub(crate) fn reshape(&mut self, table: TableName, asked: Reshape) -> Result<(), Finding> {
        self.drain()?;
        let Some(object) = self.object(table).filter(|_| self.goes_on()) else { return Ok(()) };
        let Some((expected, changes)) = self.history.decided.decide_reshape(table, asked) else {
            return Ok(());
        };
        let machine = self.machine();
        let shown = machine.shown(object).expect("a table of the directory is there");
        let command = Command { caller: machine.caller(), ask: ask_for(&shown.schema(), asked) };
        let waiting = Waiting::Table(machine.ask_table(object, command));
        let (writer, text) = (WriterId::Table(object), format!("{table}: {asked:?}"));
        self.coverage.note_if(expected == Answer::Violated, Met::RuleRefused);
        self.history.note(Asked { writer, table, text, expected, changes, waiting });
        self.drain()
    }
}

fn ask_for(schema: &Schema, asked: Reshape) -> TableAsk {
    let held = schema.by_name(asked.field()).expect("a field that is changed is there");
    let field = held.number;
    let change = |keys: NewField| {
        let change = Box::new(ChangedField { keys, options: None });
        SchemaAsk::ChangeField { field, change }
    };
    let ask = match asked {
        Reshape::Relabel(_, label) => {
            change(NewField { display_name: Some(label.to_owned()), ..NewField::default() })
        }
        Reshape::Delete(_) => SchemaAsk::DeleteField(field),
        Reshape::Unique(is_unique) => {
            change(NewField { is_unique: Some(is_unique), ..NewField::default() })
        }
        Reshape::Normalize(normalizer) => {
            let normalizer = Some(normalizer.name().to_owned());
            change(NewField { normalizer, ..NewField::default() })
        }
        Reshape::AddOption(STAGE, name) => {
            let name = Some(name.to_owned());
            SchemaAsk::CreateStage(NewStage { name, ..NewStage::default() })
        }
        Reshape::AddOption(_, name) => {
            let option = NewOption { name: Some(name.to_owned()), ..NewOption::default() };
            return TableAsk::CreateOption { field, option };
        }
        Reshape::RemoveOption(_, option) => {
            SchemaAsk::RemoveOption { field, option: option_of(held, option) }
        }
        Reshape::ReplaceOption(STAGE, stage, successor) => {
            let id = |name| Some(option_of(held, name).to_string());
            SchemaAsk::RemoveStage { stage: id(stage), successor: id(successor) }
        }
        Reshape::ReplaceOption(_, option, by) => {
            let by = Some(option_of(held, by).to_string());
            SchemaAsk::ReplaceOption { field, option: option_of(held, option), by }
        }
    };
    TableAsk::ChangeSchema(ask)
}

fn option_of(field: &Field, label: &str) -> OptionId {
    field.options.by_label(label).expect("an option that is changed is there").id
}
