//! The simulation: a disk, the machine on it, and the history of what was asked.
//!
//! A step happens, or the machine stops for want of power or because a write has failed. Each start
//! is judged: against the history, against the tape, and against itself.

use crate::simulation::ask::Ask;
use crate::simulation::coverage::{Coverage, Met};
use crate::simulation::history::{History, WrongAnswer};
use crate::simulation::judge::{Violation, judge};
use crate::simulation::machine::{Machine, Outside, Probes, StartError};
use crate::simulation::planted::LyingDisk;
use crate::simulation::round::Round;
use crate::simulation::tape::Tape;
use crate::simulation::world::TableName;
use crate::simulation::world::people::Staffing;
use crate::simulation::world::relate::Relating;
use crate::simulation::world::reshape::Reshape;
use std::sync::Arc;
use upsertd::cli::data::BOOTSTRAP_FILE;
use upsertd::engine::follow_up::FollowUp;
use upsertd::engine::snapshot::SnapshotError;
use upsertd::model::id::{Position, Timestamp, WriterId};
use upsertd::storage::disk::Disk;
use upsertd::storage::error::StorageError;
use upsertd::storage::memory_disk::{Fault, MemoryDisk};

/// The objects that a run may have.
pub(crate) const TABLES: &[TableName] = &["client_client", "accounts", "deals"];
/// Every name that is ever asked for, and every code.
pub(crate) const NAMES: &[&str] = &["Acme", "Beta", "Cora", "Dill", "Echo", "Fern", "Hugo"];
pub(crate) const CODES: &[&str] = &["c1", "C1", "c2", "c3"];
/// Time between two steps: a segment is soon older than the feed's retention.
const STEP_MS: i64 = 7;

/// What happens next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A table decides a command in the present turn.
    Ask(TableName, Ask),
    CreateObject(TableName),
    /// Adds one of the fields to a table.
    CreateField(TableName, &'static str),
    Reshape(TableName, Reshape),
    /// Makes or ends the relation between deals and accounts.
    Relate(Relating),
    /// Changes members, roles or groups.
    Staff(Staffing),
    ArchiveObject(TableName),
    /// The directory follows the tables that were archived.
    FreeNames,
    /// An action on so many records.
    BeginAction(u32),
    /// So many of its records were changed, one could not be, and whether that was all.
    NoteAction(u32, bool),
    /// An activity about the record that has the name.
    Schedule(TableName, &'static str),
    /// The oldest open follow-up is sent.
    SendFollowUp,
    /// What was sent last is confirmed.
    ConfirmFollowUp,
    /// Every writer ends its turn.
    Turn,
    /// One step of the committer.
    Sync,
    /// Turns and syncs until everything is answered, then what readers see is judged.
    Drain,
    Seal,
    BeginRound,
    /// One state is taken at its writer's barrier.
    TakeState,
    /// What was taken is written.
    WriteState,
    /// The rest of the round: all other states, the end, the reading back, the name.
    EndRound,
    RemoveUnneeded,
    /// The digests of everything are compared with those of a replay.
    Audit,
    /// A clean end and a start.
    Restart,
}

/// What must never be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Finding {
    #[error(transparent)]
    Violation(#[from] Violation),
    #[error(transparent)]
    Answer(#[from] WrongAnswer),
    #[error("{0}")]
    Promise(String),
    #[error("the log is not what was written: {0}")]
    Log(String),
    #[error("replaying everything gives another state of {0:?}")]
    Replay(Vec<WriterId>),
    #[error("the start is refused: {0}")]
    Refused(#[from] StartError),
    #[error("a snapshot does not hold what memory does: {0}")]
    Snapshot(SnapshotError),
    #[error("the credentials of the first start are not those of its file")]
    Credentials,
    #[error("a restore failed: {0}")]
    Restore(StorageError),
}

/// A disk, the machine on it, and what is known about both.
pub(crate) struct Sim {
    pub(crate) disk: MemoryDisk,
    /// None: the power is off, or the process has ended.
    pub(crate) machine: Option<Machine>,
    pub(crate) history: History,
    pub(crate) tape: Tape,
    pub(crate) coverage: Coverage,
    pub(crate) now: Timestamp,
    pub(crate) round: Option<Round>,
    seed: u64,
    starts: u64,
    /// The call at which the power goes.
    cut_at: Option<u64>,
    is_disk_lying: bool,
    /// The disk may refuse what it must not.
    has_faults: bool,
    /// Sent, and answered by the agenda.
    pub(crate) sent: Option<(TableName, FollowUp)>,
    /// A directory that was restored has no credentials of a first start.
    pub(crate) is_restored: bool,
}

impl Sim {
    /// An empty disk, and nothing has happened.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            disk: MemoryDisk::new(),
            machine: None,
            history: History::default(),
            tape: Tape::default(),
            coverage: Coverage::default(),
            now: Timestamp(1_700_000_000_000),
            round: None,
            seed,
            starts: 0,
            cut_at: None,
            is_disk_lying: false,
            has_faults: false,
            sent: None,
            is_restored: false,
        }
    }

    /// The same past on another disk, with the machine off.
    pub(crate) fn fork(&self, disk: MemoryDisk) -> Self {
        Self {
            disk,
            machine: None,
            history: self.history.fork(),
            tape: self.tape.fork(),
            coverage: Coverage::default(),
            now: self.now,
            round: None,
            seed: self.seed,
            starts: self.starts,
            cut_at: None,
            is_disk_lying: false,
            has_faults: false,
            sent: None,
            is_restored: self.is_restored,
        }
    }

    /// Lets the power go at a call of the disk.
    pub(crate) fn cut_power_at(&mut self, call: u64) {
        self.inject(call, Fault::PowerCut);
        self.cut_at = Some(call);
    }

    /// Lets a call of the disk meet a fault.
    pub(crate) fn inject(&mut self, call: u64, fault: Fault) {
        self.disk.inject(call, fault);
        self.has_faults = true;
    }

    fn is_power_off(&self) -> bool {
        self.cut_at.is_some_and(|call| self.disk.calls() >= call)
    }

    pub(crate) fn machine(&mut self) -> &mut Machine {
        self.machine.as_mut().expect("steps are taken while the machine runs")
    }

    pub(crate) fn shared_disk(&self) -> Arc<dyn Disk> {
        if self.is_disk_lying {
            Arc::new(LyingDisk(self.disk.clone()))
        } else {
            Arc::new(self.disk.clone())
        }
    }

    /// On a disk whose syncs do nothing, to see whether that is noticed.
    pub(crate) fn with_lies(self) -> Self {
        Self { is_disk_lying: true, ..self }
    }

    /// Takes steps until all are taken or the machine stops. False: it has stopped.
    pub(crate) fn run(&mut self, steps: &[Step]) -> Result<bool, Finding> {
        for step in steps {
            if !self.step(step)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes a step. False: the machine has stopped.
    pub(crate) fn step(&mut self, step: &Step) -> Result<bool, Finding> {
        self.now = Timestamp(self.now.0 + STEP_MS);
        self.machine().now = self.now;
        match step {
            Step::Ask(table, ask) => self.ask(table, ask)?,
            Step::CreateObject(name) => self.create_object(name)?,
            Step::CreateField(table, field) => self.create_field(table, field)?,
            Step::Reshape(table, asked) => self.reshape(table, *asked)?,
            Step::Relate(asked) => self.relate(*asked)?,
            Step::Staff(asked) => self.staff(*asked)?,
            Step::ArchiveObject(table) => self.archive_object(table)?,
            Step::FreeNames => self.free_names()?,
            Step::BeginAction(records) => self.begin_action(*records)?,
            Step::NoteAction(succeeded, is_last) => self.note_action(*succeeded, *is_last)?,
            Step::Schedule(table, name) => self.schedule(table, name)?,
            Step::SendFollowUp => self.send_follow_up()?,
            Step::ConfirmFollowUp => self.confirm_follow_up()?,
            Step::Turn => self.turn()?,
            Step::Sync => self.sync()?,
            Step::Drain => self.drain_and_judge()?,
            Step::Seal => {
                self.drain()?;
                self.machine().request_seal();
                self.drain()?;
            }
            Step::BeginRound => self.begin_round(),
            Step::TakeState => self.take_state()?,
            Step::WriteState => self.write_state(),
            Step::EndRound => self.end_round()?,
            Step::RemoveUnneeded => self.remove_unneeded(),
            Step::Audit => {
                self.drain()?;
                if self.goes_on() {
                    self.audit()?;
                }
            }
            Step::Restart => self.restart()?,
        }
        Ok(self.goes_on())
    }

    /// Whether there still is a machine that takes commands.
    pub(crate) fn goes_on(&self) -> bool {
        !self.is_power_off() && self.machine.as_ref().is_some_and(|machine| !machine.is_failed())
    }

    /// A turn of every writer. Answers that have come are read.
    pub(crate) fn turn(&mut self) -> Result<(), Finding> {
        let machine = self.machine.as_mut().expect("a turn is a running machine's");
        // After a failure nothing is handed over any more: what was in the turn is gone.
        let is_handed_over = !machine.is_failed();
        machine.turn();
        if is_handed_over {
            self.history.note_turn(machine);
        }
        self.history.collect(machine)?;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Finding> {
        // An error shows in the machine, which takes nothing any more.
        drop(self.machine().sync());
        self.turn()
    }

    /// Turns and syncs until nothing is undurable, or the machine stops.
    pub(crate) fn drain(&mut self) -> Result<(), Finding> {
        self.turn()?;
        while let Ok(true) = self.machine().sync() {
            self.turn()?;
        }
        self.turn()
    }

    pub(crate) fn drain_and_judge(&mut self) -> Result<(), Finding> {
        self.drain()?;
        if !self.goes_on() {
            return Ok(());
        }
        let began = self.machine().began;
        let newest = self.machine().reader().segments().last().map(|segment| segment.first);
        self.coverage.note_if(newest > Some(began.next()), Met::SegmentRolled);
        self.judge()
    }

    /// Judges what readers see of a machine that has nothing undurable.
    fn judge(&mut self) -> Result<(), Finding> {
        let probes = Probes {
            names: NAMES,
            codes: CODES,
            records: self.history.ids.values().copied().collect(),
        };
        let machine = self.machine.as_ref().expect("readers look at a running machine");
        let observed = machine.observe(TABLES, &probes);
        Ok(judge(&observed, &self.history.decided, &mut self.history.ids)?)
    }

    /// Compares the digests of a machine that has nothing undurable with a replay of everything.
    fn audit(&mut self) -> Result<(), Finding> {
        let machine = self.machine.as_mut().expect("a running machine has states");
        let replayed = self.tape.replay(machine.setting()).map_err(Finding::Log)?;
        let found = machine.digests();
        if found == replayed {
            return Ok(());
        }
        let writers = found.keys().chain(replayed.keys()).copied();
        let other = writers.filter(|writer| found.get(writer) != replayed.get(writer));
        Err(Finding::Replay(other.collect()))
    }

    fn restart(&mut self) -> Result<(), Finding> {
        self.round = None;
        self.drain()?;
        self.machine().close();
        self.drain()?;
        if !self.goes_on() {
            return Ok(());
        }
        self.stop()?;
        self.try_start()
    }

    /// Starts a machine; a disk that has met a fault may stop it from starting.
    pub(crate) fn try_start(&mut self) -> Result<(), Finding> {
        match self.start() {
            Err(Finding::Refused(_)) if self.has_faults => Ok(()),
            other => other,
        }
    }

    /// The process ends, however: what was answered and seen until now stands.
    pub(crate) fn stop(&mut self) -> Result<(), Finding> {
        self.round = None;
        self.sent = None;
        let Some(machine) = self.machine.take() else { return Ok(()) };
        self.coverage.note_if(machine.is_failed() && !self.is_power_off(), Met::CommitterFailed);
        self.history.collect(&machine)?;
        self.history.note_seen(&machine);
        Ok(())
    }

    /// Starts a machine on the disk and judges what it recovered.
    pub(crate) fn start(&mut self) -> Result<(), Finding> {
        self.now = Timestamp(self.now.0 + STEP_MS);
        self.starts += 1;
        let names = self.disk.names();
        let credentials =
            names.contains(&BOOTSTRAP_FILE.to_owned()).then(|| self.disk.bytes_of(BOOTSTRAP_FILE));
        let outside = Outside { seed: self.seed.wrapping_add(self.starts << 32), now: self.now };
        let machine = Machine::start(&self.shared_disk(), outside, &self.tape)?;
        self.note_branches(&machine, &names, credentials.is_some());
        let recovered = machine.report().recovered;
        let fate = self.history.recover(recovered, recovered >= Position(1));
        let fate = fate.map_err(Finding::Promise)?;
        self.coverage.note_if(fate.is_any_kept, Met::CommandKept);
        self.coverage.note_if(fate.is_any_lost, Met::CommandLost);
        if self.history.decided.tables.is_empty() {
            self.history.found(machine.durable());
        }
        let is_readable = self.tape.check(machine.reader()).map_err(Finding::Log)?;
        if !is_readable && !self.has_faults {
            return Err(Finding::Log("it cannot be read".to_owned()));
        }
        self.check_credentials(&machine, credentials.as_deref())?;
        // Without a snapshot a start has done nothing but replay what was just compared.
        let is_replayed = machine.report().snapshot.is_none();
        self.machine = Some(machine);
        if !is_replayed {
            self.audit()?;
        }
        self.coverage.recoveries += 1;
        self.judge()?;
        // Before anybody is served, no relation is half made.
        self.settle(true)?;
        if self.goes_on() { self.judge() } else { Ok(()) }
    }

    /// Whoever has read the file of a first start can use what it says for ever.
    fn check_credentials(&self, machine: &Machine, before: Option<&[u8]>) -> Result<(), Finding> {
        if self.is_restored {
            return Ok(());
        }
        let now = self.disk.bytes_of(BOOTSTRAP_FILE);
        let is_kept = before.is_none_or(|before| before == now);
        let text = String::from_utf8_lossy(&now);
        let is_of_business = text.contains(&machine.business.to_string());
        if is_kept && is_of_business { Ok(()) } else { Err(Finding::Credentials) }
    }

    fn note_branches(&mut self, machine: &Machine, names: &[String], has_credentials: bool) {
        let (report, coverage) = (machine.report(), &mut self.coverage);
        let last = report.recovered;
        let is_empty = last == Position(0);
        let is_left = |end: &str| {
            report.removed.iter().any(|name| name.starts_with("log-") && name.ends_with(end))
        };
        let has_leftovers = names.iter().any(|name| name.starts_with("upsertd-"));
        let next_segment = format!("log-{:020}.upsertd", last.0 + 1);
        let torn = report.torn.as_ref();
        let is_sealed = self.tape.is_seal(last);
        for (is_met, met) in [
            (report.is_new, Met::EmptyDirectory),
            (is_empty && has_credentials, Met::CredentialsTakenAgain),
            (names.contains(&next_segment), Met::EmptySegment),
            (torn.is_some(), Met::TornTail),
            (torn.is_some_and(|torn| torn.kept.is_some()), Met::TornTailKept),
            (torn.is_none() && !is_empty && !is_sealed, Met::CleanUnsealedTail),
            (!is_empty && is_sealed, Met::SealedTail),
            (last > self.history.promised, Met::UnacknowledgedFrame),
            (has_leftovers, Met::LeftoversRemoved),
            (is_left(".upsertd"), Met::GapRemoved),
            (report.snapshot.is_some(), Met::SnapshotUsed),
            (!report.rejected_snapshots.is_empty(), Met::SnapshotRejected),
        ] {
            coverage.note_if(is_met, met);
        }
    }
}
