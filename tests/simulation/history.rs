//! The history: what was asked, what was answered, and which of it a crash may take.
//!
//! Each command stands here with what it changes and with the position of the frame that carries
//! it. An answer promises that position; what a crash leaves must be exactly the commands up to the
//! position that was recovered. It knows no disk and starts nothing.

use crate::simulation::judge::Ids;
use crate::simulation::machine::Machine;
use crate::simulation::observed::plain;
use crate::simulation::world::{Answer, Change, Record, RecordNumber, TableName, Taken, World};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;
use upsertd::engine::turn::{self, Refusal};
use upsertd::model::agenda::Agenda;
use upsertd::model::catalog::{Catalog, CatalogView};
use upsertd::model::id::{Position, RecordId, Timestamp, WriterId};
use upsertd::model::table::command::{FaultKind, Outcome, Reply};
use upsertd::model::table::decide::{Conflict, Rejection};
use upsertd::model::table::{self, Table};

/// Where an answer will come from.
pub(crate) enum Waiting {
    Table(Receiver<turn::Answer<Table>>),
    Catalog(Receiver<turn::Answer<Catalog>>),
    Agenda(Receiver<turn::Answer<Agenda>>),
}

/// A command that was asked.
pub(crate) struct Asked {
    pub(crate) writer: WriterId,
    /// The table it is about.
    pub(crate) table: TableName,
    /// For messages.
    pub(crate) text: String,
    pub(crate) expected: Answer,
    pub(crate) changes: Vec<Change>,
    pub(crate) waiting: Waiting,
}

/// A command, from its asking to the next start.
struct Entry {
    writer: WriterId,
    table: TableName,
    text: String,
    expected: Answer,
    changes: Vec<Change>,
    /// The newest frame of the writer when this was handed over: the one that carries it, or for a
    /// command that changes nothing the one it was decided upon. None: still in the turn.
    position: Option<Position>,
    waiting: Option<Waiting>,
    is_answered: bool,
}

/// What became of the commands that nobody had an answer to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fate {
    pub(crate) is_any_kept: bool,
    pub(crate) is_any_lost: bool,
}

/// What an answer says that it must not say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WrongAnswer {
    #[error("{text} was answered {found} instead of {expected}")]
    Other { text: String, expected: String, found: String },
    #[error("{text} was answered in the turn in which it was decided")]
    Early { text: String },
}

/// What was asked, and what is known to have happened.
#[derive(Default)]
pub(crate) struct History {
    /// As of the last start.
    base: World,
    /// With everything that was decided since.
    pub(crate) decided: World,
    pub(crate) ids: Ids,
    entries: Vec<Entry>,
    /// Whatever stands up to here in the log must be there after a crash.
    pub(crate) promised: Position,
    /// The last changes that readers have seen.
    seen: BTreeMap<TableName, u64>,
    /// What each snapshot must hold, by the time of its round.
    pub(crate) snapshots: BTreeMap<Timestamp, World>,
    pub(crate) answers: u64,
}

impl History {
    /// What a crash leaves of it: nobody waits any more.
    pub(crate) fn fork(&self) -> Self {
        let entries = self.entries.iter().map(|entry| Entry {
            writer: entry.writer,
            table: entry.table,
            text: entry.text.clone(),
            expected: entry.expected.clone(),
            changes: entry.changes.clone(),
            position: entry.position,
            waiting: None,
            is_answered: entry.is_answered,
        });
        Self {
            base: self.base.clone(),
            decided: self.decided.clone(),
            ids: self.ids.clone(),
            entries: entries.collect(),
            promised: self.promised,
            seen: self.seen.clone(),
            snapshots: self.snapshots.clone(),
            answers: self.answers,
        }
    }

    /// Notes a command that was just decided.
    pub(crate) fn note(&mut self, asked: Asked) {
        let Asked { writer, table, text, expected, changes, waiting } = asked;
        for change in &changes {
            self.decided.apply(change);
        }
        self.entries.push(Entry {
            writer,
            table,
            text,
            expected,
            changes,
            position: None,
            waiting: Some(waiting),
            is_answered: false,
        });
    }

    /// Notes where everything went that was handed over in the turn that has just ended.
    pub(crate) fn note_turn(&mut self, machine: &Machine) {
        for entry in self.entries.iter_mut().filter(|entry| entry.position.is_none()) {
            entry.position = Some(machine.last_position(entry.writer));
        }
    }

    /// Reads the answers that have come, and takes each at its word.
    pub(crate) fn collect(&mut self, machine: &Machine) -> Result<(), WrongAnswer> {
        let Self { entries, ids, promised, answers, .. } = self;
        for entry in entries.iter_mut() {
            let Some(waiting) = &mut entry.waiting else { continue };
            let heard = match waiting {
                Waiting::Table(answer) => hear_table(answer, machine, entry.table, ids),
                Waiting::Catalog(answer) => hear(answer.try_recv().map(|it| it.map(drop))),
                Waiting::Agenda(answer) => hear(answer.try_recv().map(|it| it.map(drop))),
            };
            let Heard::Answer(found) = heard else {
                if matches!(heard, Heard::Never) {
                    entry.waiting = None;
                }
                continue;
            };
            entry.waiting = None;
            let expected = told(&entry.expected, entry.table, ids);
            // The first answer about a record tells its id.
            if let (Answer::Record(_, number, _), Told::Record(id, ..)) = (&entry.expected, &found)
            {
                ids.entry((entry.table, *number)).or_insert(id.expect("an answer has its id"));
            }
            if !expected.fits(&found) {
                let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
                return Err(WrongAnswer::Other { text: entry.text.clone(), expected, found });
            }
            let Some(position) = entry.position else {
                return Err(WrongAnswer::Early { text: entry.text.clone() });
            };
            entry.is_answered = true;
            *promised = (*promised).max(position);
            *answers += 1;
        }
        Ok(())
    }

    /// Notes what readers have seen when the machine stops.
    pub(crate) fn note_seen(&mut self, machine: &Machine) {
        for name in self.decided.tables.keys() {
            let shown = machine.object(name).and_then(|object| machine.shown(object));
            if let Some(shown) = shown {
                self.seen.insert(name, shown.sequence().0);
            }
        }
    }

    /// Works out the world as it must be after a start that has recovered the log up to `last`.
    ///
    /// What it shows is shown to everybody, so from now on all of it is promised.
    pub(crate) fn recover(&mut self, last: Position, is_founded: bool) -> Result<Fate, String> {
        let mut fate = Fate::default();
        if last < self.promised {
            return Err(format!("position {} was promised, {last} is recovered", self.promised));
        }
        let mut world = std::mem::take(&mut self.base);
        if is_founded && world.tables.is_empty() {
            world.apply(&Change::Founded);
        }
        for entry in self.entries.drain(..) {
            let is_kept = entry.position.is_some_and(|position| position <= last);
            if is_kept {
                entry.changes.iter().for_each(|change| world.apply(change));
            }
            if !entry.changes.is_empty() && !entry.is_answered {
                fate.is_any_kept |= is_kept;
                fate.is_any_lost |= !is_kept;
            }
        }
        self.begin(world);
        self.promised = last;
        for (name, seen) in std::mem::take(&mut self.seen) {
            let found = self.base.tables.get(name).map_or(0, |table| table.sequence);
            if found < seen {
                return Err(format!("{name}: a reader saw change {seen}, and {found} is the last"));
            }
        }
        Ok(fate)
    }

    /// A start on an empty directory has made the first commit durable.
    pub(crate) fn found(&mut self, position: Position) {
        let mut world = World::default();
        world.apply(&Change::Founded);
        self.begin(world);
        self.promised = position;
    }

    /// Goes on from the world of a snapshot that was restored.
    pub(crate) fn restore(&mut self, mut world: World, position: Position) {
        self.entries.clear();
        self.seen.clear();
        world.cut_loose();
        self.begin(world);
        self.promised = position;
    }

    fn begin(&mut self, world: World) {
        self.decided = world.clone();
        let is_known = |(name, number): &(TableName, RecordNumber)| {
            let table = world.tables.get(name);
            table.is_some_and(|it| it.records.contains_key(number) || it.purged.contains(number))
        };
        self.ids.retain(|record, _| is_known(record));
        self.base = world;
    }
}

/// What an answer tells, in ids: both an expected one and one that has come.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// None: nobody has been told the id before.
    Record(Option<RecordId>, String),
    Taken {
        holders: BTreeSet<RecordId>,
        archived: Option<RecordId>,
        clashes: BTreeSet<RecordId>,
    },
    Done,
    NotFound,
    NotArchived,
    Violated,
    Blocked,
    Other(String),
}

impl Told {
    fn fits(&self, found: &Self) -> bool {
        match (self, found) {
            (Self::Record(None, expected), Self::Record(_, found)) => expected == found,
            (expected, found) => expected == found,
        }
    }
}

/// Something was heard, will be, or never will be.
enum Heard {
    Answer(Told),
    NotYet,
    Never,
}

fn told(expected: &Answer, table: TableName, ids: &Ids) -> Told {
    let id = |number: &RecordNumber| ids.get(&(table, *number)).copied();
    let all = |numbers: &BTreeSet<RecordNumber>| numbers.iter().filter_map(id).collect();
    match expected {
        Answer::Record(action, number, record) => {
            // Related records are read elsewhere.
            let record = Record { partner: None, ..record.clone() };
            Told::Record(id(number), format!("{action:?} {record:?}"))
        }
        Answer::Done => Told::Done,
        Answer::NotFound => Told::NotFound,
        Answer::NotArchived => Told::NotArchived,
        Answer::Violated => Told::Violated,
        Answer::Blocked => Told::Blocked,
        Answer::Taken(Taken { holders, archived, clashes }) => Told::Taken {
            holders: all(holders),
            archived: archived.as_ref().and_then(id),
            clashes: all(clashes),
        },
    }
}

fn hear<R: std::fmt::Debug>(answer: Result<Result<(), Refusal<R>>, TryRecvError>) -> Heard {
    match answer {
        Err(TryRecvError::Empty) => Heard::NotYet,
        Err(TryRecvError::Closed) | Ok(Err(Refusal::OutcomeUnknown)) => Heard::Never,
        Ok(Ok(())) => Heard::Answer(Told::Done),
        Ok(Err(Refusal::Rejected(rejection))) => {
            Heard::Answer(Told::Other(format!("{rejection:?}")))
        }
        Ok(Err(Refusal::Repeated(repetition))) => {
            Heard::Answer(Told::Other(format!("{repetition:?}")))
        }
    }
}

fn hear_table(
    answer: &mut Receiver<turn::Answer<Table>>,
    machine: &Machine,
    name: TableName,
    ids: &Ids,
) -> Heard {
    let shown = || {
        let object = machine.object(name).expect("a table that answers is in the directory");
        machine.shown(object).expect("a table that answers is there")
    };
    let told = match answer.try_recv() {
        Ok(Ok(Reply::Record(outcome))) => told_record(&shown(), &machine.catalog_shown(), &outcome),
        Ok(Ok(Reply::Done | Reply::Field(_) | Reply::Option(_))) => Told::Done,
        Ok(Err(Refusal::Rejected(rejection))) => told_rejection(rejection, ids),
        other => return hear(other.map(|it| it.map(drop))),
    };
    Heard::Answer(told)
}

fn told_record(shown: &table::Shown, view: &CatalogView, outcome: &Outcome) -> Told {
    let record = plain(shown, view, &outcome.record);
    Told::Record(Some(outcome.record.id()), format!("{:?} {record:?}", outcome.action))
}

fn told_rejection(rejection: Rejection, ids: &Ids) -> Told {
    let taken = match rejection {
        Rejection::NotFound => return Told::NotFound,
        Rejection::NotArchived => return Told::NotArchived,
        Rejection::Violated(_) => return Told::Violated,
        Rejection::ArchiveBlocked(_) => return Told::Blocked,
        Rejection::Taken(taken) => taken,
        // Nothing else is ever expected: what it is only has to be told.
        other @ (Rejection::SchemaMoved
        | Rejection::NoRight
        | Rejection::NoRightToIdentifier
        | Rejection::TeamFull { .. }
        | Rejection::Forbidden(_)
        | Rejection::Faults(_)
        | Rejection::TooLarge { .. }
        | Rejection::Schema(_)
        | Rejection::UnknownField
        | Rejection::ObjectArchived
        | Rejection::TrialFull { .. }
        | Rejection::StreamsFull { .. }
        | Rejection::KeyReused
        | Rejection::PreconditionFailed { .. }
        | Rejection::Aborted(_)) => return Told::Other(format!("{other:?}")),
    };
    let (mut holders, mut archived, mut clashes) = (BTreeSet::new(), None, BTreeSet::new());
    for fault in taken.faults {
        match fault.kind {
            FaultKind::Unique { holder } => drop(holders.insert(holder)),
            other @ (FaultKind::Value(_) | FaultKind::DuplicateField) => {
                return Told::Other(format!("{other:?}"));
            }
        }
    }
    match taken.conflict {
        Some(Conflict::ArchivedIdentifier { holder, .. }) => archived = Some(holder.id()),
        Some(Conflict::Identity(_)) => panic!("the simulation looks by one key"),
        Some(Conflict::UniqueOnRestore { clashes: found, .. }) => {
            clashes.extend(found.iter().map(|clash| clash.holder));
        }
        None => {}
    }
    // An id that nobody was told would make the answer of no use to a client.
    assert!(holders.iter().all(|id| ids.values().any(|known| known == id)), "an unknown holder");
    Told::Taken { holders, archived, clashes }
}
