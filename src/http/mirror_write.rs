//! Writes to mirror fields: carried out on the records that keep the values, one command each, when
//! the addressed record is durable. Done when the answer is sent, but not one step with it.
//!
//! What can be refused is looked for before anything is written. It must not know how a record
//! keeps what it is related to.

use crate::engine::AskError;
use crate::engine::business::TableRef;
use crate::http::caller::require;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::record_problem::RefusedWrite;
use crate::http::record_write::READINGS_MAX;
use crate::http::target::Target;
use crate::model::id::{FieldNumber, RecordId};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::Shown;
use crate::model::table::command::{
    Action, ArchivedConflict, Ask, Command, EntryIndex, EntryKey, Extent, FaultKind, FieldSet,
    Place, RecordFault, Update, Write, Writes,
};
use crate::model::table::decide::Rejection;
use crate::model::table::link::Link;
use crate::model::table::record::Record;
use crate::model::value::fault::ValueFault;
use crate::model::value::related::RELATED_MAX;
use crate::model::value::{Change, ListChange, Value};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Commands that are under way at once for one request.
const WINDOW: usize = 128;
const TOO_MUCH: ValueFault = ValueFault::LimitExceeded { what: "values", max: RELATED_MAX };
/// Bytes that a command counts for while it waits.
const COMMAND_BYTES: usize = 128;

/// All writes of a request to mirror fields.
#[derive(Default)]
pub(super) struct MirrorWrites(Vec<MirrorWrite>);

struct MirrorWrite {
    /// Its place in the request.
    index: EntryIndex,
    field: FieldNumber,
    change: Change,
    link: Link,
    /// Whose records keep the values.
    table: Arc<TableRef>,
}

/// Records on the other side that are to lead here, and that are not to any more.
struct Moves {
    add: Vec<RecordId>,
    remove: Vec<RecordId>,
}

impl Moves {
    fn all(&self) -> impl Iterator<Item = RecordId> + '_ {
        self.add.iter().chain(&self.remove).copied()
    }

    /// More than one request writes.
    fn is_too_much(&self) -> bool {
        self.add.len() + self.remove.len() > RELATED_MAX
    }
}

impl MirrorWrites {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds who keeps what is written. What nobody may write is noted, and what is kept nowhere.
    pub(super) fn find(
        target: &Target,
        schema: &Schema,
        mirrors: Vec<Write>,
        writes: &mut Writes,
    ) -> Self {
        let mut found = Vec::with_capacity(mirrors.len());
        for Write { index, field: number, change } in mirrors {
            let field = schema.by_number(number).expect("it was read with this schema");
            let relation = field.relation.as_ref().expect("a mirror has a relation");
            let link = Link::of(field, &target.caller.related_tables());
            let table = target.caller.business.table(relation.object);
            let (Some(link), Some(table)) = (link, table) else {
                let place = Place::Entry { index, field: number, key: EntryKey::Naming };
                let kind = FaultKind::Value(ValueFault::DoesNotExist { what: "Field" });
                writes.faults.push(RecordFault { place, kind });
                continue;
            };
            let owner_rights = link.access().fields(link.schema());
            let may_write =
                |owner: &Arc<Field>| !owner.is_read_only && owner_rights.may_write(owner.number);
            if link.owning_field().is_some_and(may_write) {
                found.push(MirrorWrite { index, field: number, change, link, table });
            } else {
                writes.forbidden.push((index, number));
            }
        }
        Self(found)
    }

    /// Notes what would be refused when it is carried out on this record, or on a new one. Who may
    /// not edit a record that keeps a value may not write it from here either.
    pub(super) fn check(
        &self,
        here: &Shown,
        record: Option<&Record>,
        ask: &mut Ask,
    ) -> Result<(), Problem> {
        let Some(writes) = ask.writes_mut() else { return Ok(()) };
        for write in self.0.iter().filter(|write| write.may_apply(record)) {
            let moves = write.moves(record);
            require(moves.all().all(|owner| write.may_edit(owner)))?;
            require(record.is_none_or(|record| write.may_take(record, &moves)))?;
            if let Some(fault) = write.refusal(here, &moves) {
                writes.faults.push(write.fault(fault));
            }
        }
        Ok(())
    }

    /// Asks those who keep the values, and waits until all of it is durable and visible.
    pub(super) async fn carry_out(
        &self,
        refused: &RefusedWrite<'_>,
        (id, action): (RecordId, Action),
    ) -> Result<(), Problem> {
        for write in self.0.iter().filter(|write| write.index.set.applies(action)) {
            let record = refused.target.table.shown().record(id);
            // Purged as soon as it was written: nothing leads to it any more.
            let Some(record) = record else { return Ok(()) };
            if write.is_passed_over(&record) {
                continue;
            }
            let moves = write.moves(Some(&record));
            if moves.is_too_much() {
                return Err(refused.fault(&write.fault(TOO_MUCH)).into());
            }
            let gone = moves.remove.into_iter().map(|owner| (owner, false));
            let all: Vec<_> =
                gone.chain(moves.add.into_iter().map(|owner| (owner, true))).collect();
            for some in all.chunks(WINDOW) {
                let asked = some
                    .iter()
                    .map(|(owner, is_added)| write.ask(refused.target, *owner, id, *is_added));
                for answer in join_all(asked).await {
                    answer.map_err(|error| write.problem(error, refused))?;
                }
            }
        }
        Ok(())
    }
}

impl MirrorWrite {
    /// Whether the write would be carried out on this record, or on a new one, as things are now.
    fn may_apply(&self, record: Option<&Record>) -> bool {
        match self.index.set {
            FieldSet::Fields => true,
            FieldSet::OnCreate => record.is_none_or(Record::is_archived),
            FieldSet::OnUpdate => record.is_some(),
            FieldSet::IfEmpty => record.is_none_or(|record| !self.is_passed_over(record)),
        }
    }

    /// Whether the write is for a record that nobody leads to, and this is none.
    fn is_passed_over(&self, record: &Record) -> bool {
        self.index.set == FieldSet::IfEmpty && !self.held(record).is_empty()
    }

    /// What a write means for this record, which nobody leads to if it is new.
    fn moves(&self, record: Option<&Record>) -> Moves {
        match &self.change {
            Change::Set(Value::Record(only)) => self.replace(record, std::slice::from_ref(only)),
            Change::Set(Value::Records(all)) | Change::Records(ListChange::Replace(all)) => {
                self.replace(record, all)
            }
            Change::Records(ListChange::Edit { add, remove }) => {
                // As in every list: removed first, then added.
                let added: BTreeSet<_> = add.iter().collect();
                let is_held =
                    |id: &&RecordId| record.is_some_and(|record| self.leads(**id, record));
                let is_gone = |id: &&RecordId| is_held(id) && !added.contains(id);
                Moves {
                    remove: remove.iter().filter(is_gone).copied().collect(),
                    add: add.iter().filter(|id| !is_held(id)).copied().collect(),
                }
            }
            Change::Clear => self.replace(record, &[]),
            Change::Set(_)
            | Change::Tags(_)
            | Change::Members(_)
            | Change::Choices(_)
            | Change::Files(_) => unreachable!("a relationship field is written with records"),
        }
    }

    fn replace(&self, record: Option<&Record>, all: &[RecordId]) -> Moves {
        let held = record.map_or_else(Vec::new, |record| self.held(record));
        let (held_ids, wanted): (BTreeSet<_>, BTreeSet<_>) =
            (held.iter().collect(), all.iter().collect());
        let add: Vec<_> = all.iter().filter(|id| !held_ids.contains(id)).copied().collect();
        let mut remove: Vec<_> = held.iter().filter(|id| !wanted.contains(id)).copied().collect();
        // Who is given a record that belongs to one alone takes it, in one step.
        if !add.is_empty() && self.link.owning_field().is_some_and(|owning| owning.is_exclusive()) {
            remove.clear();
        }
        Moves { add, remove }
    }

    /// The records that lead here; of too many, enough to tell.
    fn held(&self, record: &Record) -> Vec<RecordId> {
        let mut held = Vec::new();
        self.link.each(record, &mut |owner| {
            held.push(owner.id());
            held.len() <= 2 * RELATED_MAX
        });
        held
    }

    fn leads(&self, owner: RecordId, record: &Record) -> bool {
        self.led_by(owner).contains(&record.id())
    }

    /// Everything that a record on the other side leads to.
    fn led_by(&self, owner: RecordId) -> Vec<RecordId> {
        let owner = self.link.find(owner);
        owner.map_or_else(Vec::new, |owner| self.link.led_by(&owner))
    }

    fn may_edit(&self, owner: RecordId) -> bool {
        let owner = self.link.find(owner);
        owner.is_none_or(|owner| self.link.access().may_edit(self.link.schema(), &owner))
    }

    /// Whether whoever has a record that belongs to one alone may be made to give it up.
    fn may_take(&self, record: &Record, moves: &Moves) -> bool {
        let is_taken =
            !moves.add.is_empty() && self.link.owning_field().is_some_and(|it| it.is_exclusive());
        !is_taken || self.link.may_edit_owners(record)
    }

    /// Why the other side would refuse it, as things are now.
    fn refusal(&self, here: &Shown, moves: &Moves) -> Option<ValueFault> {
        let owning = self.link.owning_field()?;
        if moves.is_too_much() {
            return Some(TOO_MUCH);
        }
        // Of several one may go; those that were purged are none.
        let is_last = |id: &RecordId| {
            let led = self.led_by(*id).into_iter();
            led.filter(|id| here.record(*id).is_some()).count() < 2
        };
        if owning.is_required && moves.remove.iter().any(is_last) {
            return Some(ValueFault::Required);
        }
        let is_full =
            |id: &RecordId| owning.allow_multiple && self.led_by(*id).len() >= RELATED_MAX;
        moves.add.iter().any(is_full).then_some(TOO_MUCH)
    }

    fn fault(&self, fault: ValueFault) -> RecordFault {
        let place = Place::Entry { index: self.index, field: self.field, key: EntryKey::Value };
        RecordFault { place, kind: FaultKind::Value(fault) }
    }

    /// Asks one record to lead here, or not to lead here any more. One that is not live any more is
    /// left as it is.
    async fn ask(
        &self,
        target: &Target,
        owner: RecordId,
        id: RecordId,
        is_added: bool,
    ) -> Result<(), AskError<Rejection>> {
        let owning = self.link.owning_field().expect("a mirror has an owning field");
        let mut readings = 0;
        loop {
            readings += 1;
            let schema = self.table.shown().schema();
            let Some(field) = schema.by_id(owning.id) else { return Ok(()) };
            let (add, remove) =
                if is_added { (vec![id], Vec::new()) } else { (Vec::new(), vec![id]) };
            let change = Change::Records(ListChange::Edit { add, remove });
            let entries = vec![Write { index: self.index, field: field.number, change }];
            let writes = Writes { schema: schema.number(), entries, ..Writes::default() };
            let archived_conflict = ArchivedConflict::Refuse;
            let update = Update { id: owner, writes, archived_conflict, extent: Extent::Mentioned };
            let ask = Ask::Update(Box::new(update));
            let command = Command { caller: target.caller.for_request(), ask };
            match target.engine.ask_table(&self.table, command, COMMAND_BYTES).await {
                Ok(_) | Err(AskError::Rejected(Rejection::NotFound)) => return Ok(()),
                Err(AskError::Rejected(Rejection::SchemaMoved)) if readings < READINGS_MAX => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A refusal that could not be foreseen. What is done stays done, and repeating it completes it.
    fn problem(&self, error: AskError<Rejection>, refused: &RefusedWrite<'_>) -> Problem {
        let fault = match error {
            AskError::Rejected(Rejection::Faults(faults)) => {
                faults.into_iter().find_map(|fault| match fault.kind {
                    FaultKind::Value(fault) => Some(fault),
                    FaultKind::DuplicateField | FaultKind::Unique { .. } => None,
                })
            }
            AskError::Rejected(Rejection::TooLarge { max, .. }) => {
                Some(ValueFault::LimitExceeded { what: "bytes", max })
            }
            AskError::Rejected(_)
            | AskError::Repeated(_)
            | AskError::Overloaded { .. }
            | AskError::ReadOnly(_)
            | AskError::OutcomeUnknown => None,
        };
        match fault {
            Some(fault) => refused.fault(&self.fault(fault)).into(),
            None => Problem::new(Code::OutcomeUnknown).saying(HALF_DONE).retry_after(1),
        }
    }
}

const HALF_DONE: &str =
    "Not all of the related records could be written; repeating the request completes it.";
