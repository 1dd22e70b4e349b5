//! Rounds of snapshots in the simulation, step by step between writes, and restoring one of them.
//! It knows the order in which states are taken, not what they hold.

use crate::simulation::coverage::Met;
use crate::simulation::machine::SEGMENTS;
use crate::simulation::sim::{Finding, Sim, TABLES};
use crate::simulation::world::{TableName, World};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use upsertd::engine::follow_up::Hold;
use upsertd::engine::snapshot::{SnapshotError, Taken, verify, write};
use upsertd::model::id::{HistoryId, LogId, ObjectId, Position, Timestamp, WriterId};
use upsertd::storage::disk::Disk;
use upsertd::storage::error::StorageError;
use upsertd::storage::frame::Salt;
use upsertd::storage::memory_disk::MemoryDisk;
use upsertd::storage::restore::{RestoreOptions, restore};
use upsertd::storage::retention::{FeedRetention, remove_unneeded};
use upsertd::storage::snapshot::{
    SnapshotHeader, SnapshotReader, SnapshotWriter, Snapshots, WriterSummary,
};

/// A segment that is older may go; none goes for its size.
const FEED: FeedRetention = FeedRetention { age_ms: 60, bytes: 1 << 40 };

/// A round that has begun.
pub(crate) struct Round {
    snapshot: SnapshotWriter,
    digest_key: [u8; 16],
    created: Timestamp,
    to_take: VecDeque<WriterId>,
    taken: Option<Taken>,
    summaries: Vec<WriterSummary>,
    /// The objects as the snapshot's directory has them, those without their name left out.
    names: BTreeMap<ObjectId, TableName>,
    /// What the snapshot must hold.
    world: World,
    /// Frames that were durable when it began.
    began: Position,
    /// No follow-up is confirmed between two states.
    _hold: Hold,
}

impl Sim {
    pub(crate) fn begin_round(&mut self) {
        self.round = None;
        let created = self.now;
        let snapshots = Snapshots::new(self.shared_disk());
        let machine = self.machine();
        let (began, ids) = (machine.durable(), machine.ids);
        let header = SnapshotHeader {
            log_id: ids.log_id,
            digest_key: ids.digest_key,
            created,
            position: began,
        };
        let hold = machine.follow_ups.hold();
        let to_take = VecDeque::from([WriterId::Root, WriterId::Catalog(machine.business)]);
        match snapshots.begin(header) {
            Ok(snapshot) => {
                self.round = Some(Round {
                    snapshot,
                    digest_key: ids.digest_key.0,
                    created,
                    to_take,
                    taken: None,
                    summaries: Vec::new(),
                    names: BTreeMap::new(),
                    world: World::default(),
                    began,
                    _hold: hold,
                });
            }
            Err(_) => self.coverage.note(Met::RoundGivenUp),
        }
    }

    /// Takes the next state, after what was taken before is written.
    pub(crate) fn take_state(&mut self) -> Result<(), Finding> {
        self.write_state();
        self.drain()?;
        if !self.goes_on() {
            return Ok(());
        }
        let Self { round: Some(round), machine: Some(machine), history, .. } = self else {
            return Ok(());
        };
        let Some(writer) = round.to_take.pop_front() else { return Ok(()) };
        round.taken = Some(machine.take(writer));
        let decided = &history.decided;
        match writer {
            WriterId::Root => {}
            WriterId::Catalog(_) => {
                round.world.people.clone_from(&decided.people);
                round.world.left = decided.left;
                round.names = machine.names(TABLES);
                round.to_take.extend(machine.writers());
            }
            WriterId::Agenda(_) => {
                round.world.activities.clone_from(&decided.activities);
                round.world.actions.clone_from(&decided.actions);
                round.world.received.clone_from(&decided.received);
            }
            WriterId::Table(id) => {
                let is_archived = machine.is_archived(id);
                // One that the directory of the snapshot shows as gone is not seen again.
                match round.names.get(&id) {
                    Some(name) if is_archived => drop(round.world.leaving.insert(name)),
                    Some(name) => {
                        round.world.tables.insert(name, decided.tables[name].clone());
                    }
                    None => assert!(is_archived, "a table has its object"),
                }
            }
        }
        Ok(())
    }

    /// Writes what was taken, if anything was.
    pub(crate) fn write_state(&mut self) {
        let Some(round) = &mut self.round else { return };
        let Some(taken) = round.taken.take() else { return };
        match write(&mut round.snapshot, &round.digest_key, &taken) {
            Ok(summary) => round.summaries.push(summary),
            Err(_) => self.give_up_round(),
        }
    }

    fn give_up_round(&mut self) {
        self.round = None;
        self.coverage.note(Met::RoundGivenUp);
    }

    /// Takes and writes all other states, reads everything back, and publishes.
    pub(crate) fn end_round(&mut self) -> Result<(), Finding> {
        while self.round.as_ref().is_some_and(|round| !round.to_take.is_empty()) && self.goes_on() {
            self.take_state()?;
        }
        self.write_state();
        if !self.goes_on() {
            return Ok(());
        }
        let Some(round) = self.round.take() else { return Ok(()) };
        let is_written_on = self.machine().durable() > round.began;
        // Whether the name becomes durable is unknown until it is: expected either way.
        self.history.snapshots.insert(round.created, round.world);
        match publish(round.snapshot, &round.summaries) {
            Ok(()) => {
                self.coverage.note(Met::SnapshotPublished);
                self.coverage.note_if(is_written_on, Met::WriteDuringRound);
            }
            Err(SnapshotError::Storage(_)) => self.coverage.note(Met::RoundGivenUp),
            Err(error @ (SnapshotError::Misfit { .. } | SnapshotError::Digest { .. })) => {
                return Err(Finding::Snapshot(error));
            }
        }
        Ok(())
    }

    /// Removes what nobody needs. An error leaves the rest for the next time.
    pub(crate) fn remove_unneeded(&mut self) {
        let (snapshots, now) = (Snapshots::new(self.shared_disk()), self.now);
        let removed = remove_unneeded(self.machine().reader(), &snapshots, FEED, now);
        let is_trimmed = removed.is_ok_and(|removed| removed.log_bytes > 0);
        self.coverage.note_if(is_trimmed, Met::SegmentsTrimmed);
    }

    /// The newest snapshot on the disk, if there is one.
    pub(crate) fn newest_snapshot(&self) -> Option<String> {
        let names = self.disk.names();
        names
            .into_iter()
            .rev()
            .find(|name| name.starts_with("snapshot-") && name.ends_with(".upsertd"))
    }

    /// Restores the newest snapshot into a directory of its own. The source is never at fault.
    pub(crate) fn restore_into(&self, target: &MemoryDisk) -> Result<(), Finding> {
        let source = self.newest_source()?;
        restore_from(&source, target, self.now).map_err(Finding::Restore)
    }

    /// Whether there is a snapshot that can be restored: the newest may be rotten.
    pub(crate) fn has_sound_snapshot(&self) -> bool {
        self.newest_snapshot().is_some() && self.newest_source().is_ok()
    }

    fn newest_source(&self) -> Result<SnapshotReader, Finding> {
        let name = self.newest_snapshot().expect("a round was published before");
        SnapshotReader::open(&self.disk.after_kill(), &name).map_err(Finding::Restore)
    }

    /// Goes on from a directory into which the newest snapshot was restored.
    pub(crate) fn move_to(&mut self, target: MemoryDisk) -> Result<(), Finding> {
        let name = self.newest_snapshot().expect("it was restored");
        let source =
            SnapshotReader::open(&self.disk.after_kill(), &name).map_err(Finding::Restore)?;
        let positions: BTreeMap<_, _> =
            source.writers().iter().map(|entry| (entry.writer, entry.position)).collect();
        let last = positions.values().copied().max().unwrap_or_default();
        let world = self.history.snapshots[&source.header().created].clone();
        self.tape.cut_after(last);
        self.tape.cut_to_snapshot(&positions);
        // What was restored is a snapshot of the new directory, as of now.
        self.history.snapshots.insert(self.now, world.clone());
        self.history.restore(world, last);
        self.disk = target;
        self.is_restored = true;
        Ok(())
    }
}

fn publish(snapshot: SnapshotWriter, summaries: &[WriterSummary]) -> Result<(), SnapshotError> {
    let written = snapshot.finish(summaries)?;
    verify(written.reader())?;
    written.publish()?;
    Ok(())
}

fn restore_from(
    source: &SnapshotReader,
    target: &MemoryDisk,
    now: Timestamp,
) -> Result<(), StorageError> {
    let target: Arc<dyn Disk> = Arc::new(target.clone());
    let options = RestoreOptions {
        log_id: LogId::from_bytes([0xAB; 16]),
        salt: Salt([0xCD; 16]),
        now,
        segments: SEGMENTS,
    };
    let mut drawn = 0;
    let mut history = |_: &WriterId| {
        drawn += 1;
        HistoryId::from_bytes([drawn; 16])
    };
    restore(source, &target, options, &mut history).map(drop)
}
