//! The steps that make and end a relation between two tables: they cannot change in one commit, so
//! a crash finds it half made. It asks for what the engine says, and knows when.

use crate::simulation::ask::{MIRROR, PARTNER, Partner};
use crate::simulation::coverage::Met;
use crate::simulation::history::{Asked, Waiting};
use crate::simulation::sim::{Finding, Sim};
use crate::simulation::world::relate::{Mirror, Relating};
use crate::simulation::world::reshape::Reshape;
use crate::simulation::world::{ACCOUNTS, Answer, Change, PIPELINE, TableName};
use std::sync::Arc;
use upsertd::engine::mirrors::{completion, removal};
use upsertd::model::id::{FieldId, ObjectId, WriterId};
use upsertd::model::schema::Schema;
use upsertd::model::schema::new_field::NewField;
use upsertd::model::schema::relation::{NewRelation, Relation, RelationType};
use upsertd::model::table::command::{Ask as TableAsk, Command};
use uuid::Uuid;

const OWNING_ID: FieldId = FieldId(Uuid::from_u128(0xA));
const MIRROR_ID: FieldId = FieldId(Uuid::from_u128(0xB));

impl Sim {
    pub(crate) fn relate(&mut self, asked: Relating) -> Result<(), Finding> {
        match asked {
            Relating::Settle => return self.settle(false),
            Relating::DeleteOwner => return self.reshape(PIPELINE, Reshape::Delete(PARTNER)),
            Relating::MakeMirror | Relating::MakeOwner => self.drain()?,
        }
        let change = self.history.decided.decide_relating(asked);
        let Some(change) = change.filter(|_| self.goes_on()) else { return Ok(()) };
        let is_mirror = asked == Relating::MakeMirror;
        let (here, there) = if is_mirror { (ACCOUNTS, PIPELINE) } else { (PIPELINE, ACCOUNTS) };
        let (Some(_), Some(other)) = (self.object(here), self.object(there)) else {
            return Ok(());
        };
        let ask = TableAsk::CreateField(Box::new(side(other, is_mirror)));
        self.ask_side(here, ask, change)
    }

    /// Compares both sides, as the engine does after a change of a schema and at every start.
    pub(crate) fn settle(&mut self, is_start: bool) -> Result<(), Finding> {
        self.drain()?;
        if !self.goes_on() {
            return Ok(());
        }
        let due = self.history.decided.decide_settling(is_start);
        match (due, self.first_ask(is_start)) {
            (None, None) => Ok(()),
            (Some(change), Some((table, ask))) => {
                let is_drop = matches!(change, Change::MirrorDropped(_));
                let met = if is_drop { Met::MirrorDropped } else { Met::MirrorCompleted };
                self.coverage.note_if(is_start, met);
                let mirror = self.history.decided.tables[table].mirror;
                self.coverage.note_if(mirror == Mirror::Missing, Met::MirrorMadeAgain);
                self.ask_side(table, ask, change)
            }
            (due, asked) => Err(Finding::Promise(format!("{due:?} is due, {asked:?} is asked"))),
        }
    }

    fn ask_side(&mut self, table: TableName, ask: TableAsk, change: Change) -> Result<(), Finding> {
        let object = self.object(table).expect("both sides are there");
        let machine = self.machine();
        let command = Command { caller: machine.caller(), ask };
        let waiting = Waiting::Table(machine.ask_table(object, command));
        let (writer, text) = (WriterId::Table(object), format!("{table}: {change:?}"));
        let (expected, changes) = (Answer::Done, vec![change]);
        self.history.note(Asked { writer, table, text, expected, changes, waiting });
        self.drain()
    }

    /// What comparing the two sides asks for.
    fn first_ask(&mut self, is_start: bool) -> Option<(TableName, TableAsk)> {
        let schema_of = |sim: &mut Self, name| -> Option<Arc<Schema>> {
            let object = sim.object(name)?;
            Some(sim.machine().shown(object)?.schema())
        };
        let tables = [ACCOUNTS, PIPELINE].map(|name| (name, schema_of(self, name)));
        let find = |object: ObjectId| {
            let mut all = tables.iter().filter_map(|(name, it)| Some((*name, it.as_ref()?)));
            all.find(|(_, schema)| schema.object().id == object)
        };
        for (name, schema) in tables.iter().filter_map(|(name, it)| Some((*name, it.as_ref()?))) {
            for field in schema.owning_fields() {
                let relation = field.relation.as_ref().expect("an owning field has a relation");
                let Some((other_name, other)) = find(relation.object) else { continue };
                if let Some(ask) = completion(schema, field, other) {
                    return Some((other_name, ask));
                }
            }
            let pending = schema.pending().iter().filter(|_| is_start);
            let mirrors = schema.fields().iter().filter(|field| field.is_mirror());
            for mirror in mirrors.chain(pending) {
                let relation = mirror.relation.as_ref().expect("a mirror has a relation");
                let owner = find(relation.object).map(|(_, schema)| &**schema);
                if let Some(ask) = removal(mirror, owner) {
                    return Some((name, ask));
                }
            }
        }
        None
    }

    /// Looks up what a request names; what is not there could not be written.
    pub(crate) fn find_partner(&self, partner: &Partner) -> Option<Partner> {
        let world = &self.history.decided;
        match partner {
            Partner::Nobody => Some(Partner::Nobody),
            Partner::Named(name) => {
                let number = world.tables.get(ACCOUNTS)?.holder(name)?;
                let is_live = !world.tables[ACCOUNTS].records[&number].is_archived;
                let id = self.history.ids.get(&(ACCOUNTS, number)).filter(|_| is_live)?;
                Some(Partner::Found(number, *id))
            }
            Partner::Found(..) => Some(partner.clone()),
        }
    }
}

fn side(other: ObjectId, is_mirror: bool) -> NewField {
    let (label, related_name) = if is_mirror { (MIRROR, PARTNER) } else { (PARTNER, MIRROR) };
    let (own, field) = if is_mirror { (MIRROR_ID, OWNING_ID) } else { (OWNING_ID, MIRROR_ID) };
    let relation = Relation {
        relation_type: RelationType::OneToOne,
        object: other,
        field,
        is_mirror,
        is_pending: is_mirror,
        related_name: related_name.to_owned(),
        related_category: None,
    };
    NewField {
        display_name: Some(label.to_owned()),
        field_type: Some("relationship".to_owned()),
        relation: Some(NewRelation { own, relation }),
        ..NewField::default()
    }
}
