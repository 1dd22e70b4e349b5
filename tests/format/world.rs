//! A small engine over the storage layer: writers whose state is the list of their events, and the
//! truth about what was appended and acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;
use upsertd::model::id::{
    BusinessId, HistoryId, LogId, ObjectId, Position, Sequence, Timestamp, WriterId,
};
use upsertd::storage::committer::{CommitOptions, CommitQueue, Committer, Seat, Wake};
use upsertd::storage::disk::Disk;
use upsertd::storage::error::StorageError;
use upsertd::storage::frame::Salt;
use upsertd::storage::log::{AppendError, Log, LogReader};
use upsertd::storage::memory_disk::MemoryDisk;
use upsertd::storage::part::Part;
use upsertd::storage::recovery::{self, OpenOptions, Recovered, ReplayError};
use upsertd::storage::retention::{FeedRetention, remove_unneeded};
use upsertd::storage::segment::{DigestKey, LogIds, SegmentOptions};
use upsertd::storage::snapshot::{
    ChunkHead, ChunkKind, SnapshotHeader, SnapshotReader, Snapshots, WriterSummary,
};

pub(crate) const IDS: LogIds = LogIds {
    log_id: LogId::from_bytes([0xa1; 16]),
    salt: Salt([0xb2; 16]),
    digest_key: DigestKey([0xc3; 16]),
};

pub(crate) const SEGMENTS: SegmentOptions =
    SegmentOptions { segment_bytes: 8 << 10, zeros_ahead_bytes: 2 << 10 };

pub(crate) const OPTIONS: OpenOptions =
    OpenOptions { new_ids: IDS, now: Timestamp(1_000), segments: SEGMENTS, is_read_only: false };

pub(crate) const READ_ONLY: OpenOptions = OpenOptions { is_read_only: true, ..OPTIONS };

pub(crate) fn table(number: u8) -> WriterId {
    WriterId::Table(ObjectId::from_bytes([number; 16]))
}

pub(crate) fn catalog() -> WriterId {
    WriterId::Catalog(BusinessId::from_bytes([9; 16]))
}

/// The events of each writer, in order. The first sequence is 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State(pub(crate) BTreeMap<WriterId, Vec<Vec<u8>>>);

impl State {
    fn next_sequence(&self, writer: &WriterId) -> Sequence {
        Sequence(self.0.get(writer).map_or(0, Vec::len) as u64 + 1)
    }

    /// Applies a part that must follow what is there.
    fn apply(&mut self, part: &Part<'_>) {
        assert_eq!(part.first_sequence, self.next_sequence(&part.writer), "{:?}", part.writer);
        let events = self.0.entry(part.writer).or_default();
        let before = events.len();
        let mut rest = part.events;
        while let Some((length, after)) = rest.split_first() {
            let (event, after) = after.split_at(usize::from(*length));
            events.push(event.to_vec());
            rest = after;
        }
        assert_eq!(events.len() - before, part.event_count as usize);
    }
}

/// One commit: events of a few writers.
pub(crate) type Commit = Vec<(WriterId, Vec<Vec<u8>>)>;

fn encode_events(events: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        bytes.push(u8::try_from(event.len()).unwrap());
        bytes.extend_from_slice(event);
    }
    bytes
}

/// What a simulation knows to be true, whatever the disk says.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    /// The state after each position, from 0 on, as far as frames were handed to the log.
    states: Vec<State>,
    pub(crate) acknowledged: Position,
}

impl Truth {
    pub(crate) fn new() -> Self {
        Self { states: vec![State::default()], acknowledged: Position(0) }
    }

    pub(crate) fn state_at(&self, position: Position) -> Option<&State> {
        self.states.get(usize::try_from(position.0).unwrap())
    }

    /// What was recovered is the truth from now on; what was appended behind it never happened.
    fn go_on_from(&mut self, recovered: Position) {
        self.states.truncate(usize::try_from(recovered.0).unwrap() + 1);
        self.acknowledged = recovered;
    }

    fn push(&mut self, position: Position, state: State) {
        assert_eq!(position.0, self.states.len() as u64);
        self.states.push(state);
    }

    /// Whether a recovered directory is one that may be.
    pub(crate) fn check(&self, found: &Loaded, context: &str) {
        let position = found.recovered.last();
        assert!(position >= self.acknowledged, "{context}: {position} lacks acknowledged frames");
        let expected = self.state_at(position).unwrap_or_else(|| {
            panic!("{context}: position {position} was never appended");
        });
        assert_eq!(&found.state, expected, "{context}: at position {position}");
        found.check_feed(context);
    }
}

/// A directory that was recovered and its state.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) recovered: Recovered,
    pub(crate) state: State,
    pub(crate) ids: LogIds,
}

impl Loaded {
    /// The frames that the feed reads lead to the recovered position without a gap.
    fn check_feed(&self, context: &str) {
        match self.try_check_feed(context) {
            // The disk may be made to fail in the middle of a check.
            Ok(()) | Err(StorageError::Io { .. }) => {}
            Err(error) => panic!("{context}: {error}"),
        }
    }

    fn try_check_feed(&self, context: &str) -> Result<(), StorageError> {
        let reader = self.recovered.reader();
        let Some(oldest) = reader.segments().first().copied() else { return Ok(()) };
        let frames = reader.read(Position(oldest.first.0 - 1), usize::MAX)?;
        let positions: Vec<u64> = frames.iter().map(|frame| frame.position.0).collect();
        let expected: Vec<u64> = (oldest.first.0..=self.recovered.last().0).collect();
        assert_eq!(positions, expected, "{context}");
        for (writer, events) in &self.state.0 {
            let parts = reader.read_parts(writer, Sequence(1), usize::MAX)?;
            let Some(first) = parts.first() else { continue };
            let kept = events.len() as u64 + 1 - first.first_sequence.0;
            let found: u64 = parts.iter().map(|part| u64::from(part.event_count)).sum();
            assert_eq!(found, kept, "{context}: {writer:?}");
        }
        Ok(())
    }
}

type SnapshotState = BTreeMap<WriterId, (Position, Vec<Vec<u8>>)>;

fn load_snapshot(reader: &SnapshotReader) -> Result<SnapshotState, StorageError> {
    let mut found = BTreeMap::new();
    for entry in reader.writers() {
        found.insert(entry.writer, (entry.position, Vec::new()));
    }
    for (place, head) in reader.chunks().enumerate() {
        let content = reader.read_chunk(place)?;
        let mut part = State::default();
        part.apply(&Part {
            writer: head.writer,
            first_sequence: Sequence(1),
            time: Timestamp(0),
            event_count: head.records,
            events: &content,
        });
        let (_, events) = found.get_mut(&head.writer).unwrap();
        events.extend(part.0.remove(&head.writer).unwrap_or_default());
    }
    Ok(found)
}

/// Opens a directory and rebuilds its state from the snapshot and the log.
pub(crate) fn load(disk: &MemoryDisk, options: OpenOptions) -> Result<Loaded, StorageError> {
    load_from(Arc::new(disk.clone()), options)
}

/// The same for any disk.
pub(crate) fn load_from(disk: Arc<dyn Disk>, options: OpenOptions) -> Result<Loaded, StorageError> {
    let opened = recovery::open(disk, options)?;
    let ids = *opened.ids();
    let mut state = State::default();
    let mut taken_from = BTreeMap::new();
    if let Some(snapshot) = opened.snapshot() {
        for (writer, (position, events)) in load_snapshot(snapshot)? {
            taken_from.insert(writer, position);
            if !events.is_empty() {
                state.0.insert(writer, events);
            }
        }
    }
    let replayed = opened.replay(|position, part| {
        if taken_from.get(&part.writer).is_none_or(|taken| position > *taken) {
            state.apply(part);
        }
        Ok::<(), ()>(())
    });
    let recovered = match replayed {
        Ok(recovered) => recovered,
        Err(ReplayError::Storage(error)) => return Err(error),
        Err(ReplayError::Apply { .. }) => unreachable!("nothing is refused here"),
    };
    Ok(Loaded { recovered, state, ids })
}

/// Never needed: a simulation steps and looks for itself.
struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

/// A running partition.
pub(crate) struct Partition {
    ids: LogIds,
    queue: Arc<CommitQueue>,
    committer: Committer,
    reader: Arc<dyn LogReader>,
    snapshots: Snapshots,
    seat: Arc<Seat>,
    /// What is decided, durable or not.
    state: State,
    clock: i64,
}

/// What ended a run early.
#[derive(Debug)]
pub(crate) struct Stopped;

impl From<AppendError> for Stopped {
    fn from(error: AppendError) -> Self {
        assert!(matches!(error, AppendError::Failed(_)), "nobody else appends: {error}");
        Self
    }
}

impl From<StorageError> for Stopped {
    fn from(error: StorageError) -> Self {
        assert!(matches!(error, StorageError::Io { .. }), "only the disk stops a run: {error}");
        Self
    }
}

impl Partition {
    /// Recovers a directory, checks it against the truth, and begins a log.
    pub(crate) fn start(
        disk: &MemoryDisk,
        truth: &mut Truth,
        context: &str,
    ) -> Result<Self, Stopped> {
        Self::start_on(Arc::new(disk.clone()), OPTIONS, truth, context)
    }

    /// The same on any disk.
    pub(crate) fn start_on(
        disk: Arc<dyn Disk>,
        options: OpenOptions,
        truth: &mut Truth,
        context: &str,
    ) -> Result<Self, Stopped> {
        let mut loaded = load_from(disk.clone(), options)?;
        truth.check(&loaded, context);
        let last = loaded.recovered.last();
        truth.go_on_from(last);
        let log = loaded.recovered.begin_log()?;
        let reader = log.reader();
        let queue = CommitQueue::new(last, CommitOptions::default());
        let committer = Committer::new(queue.clone(), Box::new(log));
        Ok(Self {
            ids: loaded.ids,
            queue,
            committer,
            reader,
            snapshots: Snapshots::new(disk),
            seat: Seat::new(Box::new(Silent)),
            state: loaded.state,
            clock: 1_000,
        })
    }

    /// Appends commits into one frame and makes it durable.
    pub(crate) fn commit(&mut self, truth: &mut Truth, commits: &[Commit]) -> Result<(), Stopped> {
        let mut position = None;
        for commit in commits {
            position = Some(self.append(commit));
        }
        let Some(position) = position else { return Ok(()) };
        truth.push(position, self.state.clone());
        self.step(truth)
    }

    fn append(&mut self, commit: &Commit) -> Position {
        self.clock += 10;
        let encoded: Vec<Vec<u8>> =
            commit.iter().map(|(_, events)| encode_events(events)).collect();
        let parts: Vec<Part<'_>> = commit
            .iter()
            .zip(&encoded)
            .map(|((writer, events), encoded)| Part {
                writer: *writer,
                first_sequence: self.state.next_sequence(writer),
                time: Timestamp(self.clock),
                event_count: u32::try_from(events.len()).unwrap(),
                events: encoded,
            })
            .collect();
        for part in &parts {
            self.state.apply(part);
        }
        self.queue.append(&parts, &self.seat)
    }

    pub(crate) fn seal(&mut self, truth: &mut Truth) -> Result<(), Stopped> {
        self.queue.request_seal();
        let before = self.queue.durable();
        truth.push(before.next(), self.state.clone());
        self.step(truth)
    }

    fn step(&mut self, truth: &mut Truth) -> Result<(), Stopped> {
        let stepped = self.committer.step();
        truth.acknowledged = self.queue.durable();
        stepped?;
        while self.committer.step()? {}
        Ok(())
    }

    /// Writes a round of snapshots of everything that is durable.
    pub(crate) fn snapshot(&mut self) -> Result<(), StorageError> {
        let position = self.queue.durable();
        let header = SnapshotHeader {
            log_id: self.ids.log_id,
            digest_key: self.ids.digest_key,
            created: Timestamp(self.clock),
            position,
        };
        let mut writer = self.snapshots.begin(header)?;
        let mut summaries = Vec::new();
        for (id, events) in &self.state.0 {
            let sequence = Sequence(events.len() as u64);
            let (first, second) = events.split_at(events.len() / 2);
            for half in [first, second] {
                let records = u32::try_from(half.len()).unwrap();
                let kind = ChunkKind::Records;
                let head = ChunkHead { writer: *id, kind, position, sequence, records };
                writer.put_chunk(&head, &encode_events(half))?;
            }
            let history = matches!(id, WriterId::Table(_)).then(|| HistoryId::from_bytes([7; 16]));
            let digest = u128::from(position.0);
            summaries.push(WriterSummary { writer: *id, position, sequence, history, digest });
        }
        writer.finish(&summaries)?.publish()?;
        Ok(())
    }

    /// Removes whatever may go; the feed keeps about two segments.
    pub(crate) fn retain(&mut self) -> Result<(), StorageError> {
        let feed = FeedRetention { age_ms: i64::MAX, bytes: 2 * SEGMENTS.segment_bytes };
        remove_unneeded(&*self.reader, &self.snapshots, feed, Timestamp(self.clock))?;
        Ok(())
    }
}

/// A small generator, so that a run is its seed.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A commit of one to three parts with events of up to `bytes_max` bytes.
pub(crate) fn random_commit(random: &mut Random, bytes_max: u64) -> Commit {
    let writers = [table(1), table(2), catalog()];
    let count = 1 + usize::try_from(random.below(3)).unwrap();
    let events = |random: &mut Random| -> Vec<Vec<u8>> {
        (0..=random.below(2))
            .map(|_| {
                let length = usize::try_from(random.below(bytes_max.min(255)) + 1).unwrap();
                let byte = u8::try_from(random.below(256)).unwrap();
                vec![byte; length]
            })
            .collect()
    };
    writers.into_iter().take(count).map(|writer| (writer, events(random))).collect()
}

/// A whole small life: commits over several segments, seals, two rounds of snapshots, retention,
/// and more commits behind them.
pub(crate) fn live(disk: &MemoryDisk, truth: &mut Truth, seed: u64) -> Result<(), Stopped> {
    let mut random = Random::new(seed);
    let mut partition = Partition::start(disk, truth, &format!("start of seed {seed}"))?;
    for round in 0..5 {
        for _ in 0..6 {
            let commits: Vec<Commit> =
                (0..=random.below(2)).map(|_| random_commit(&mut random, 250)).collect();
            partition.commit(truth, &commits)?;
        }
        partition.seal(truth)?;
        // A snapshot that fails is no reason to stop, but without power nothing goes on.
        let taken = partition.snapshot().and_then(|()| partition.retain());
        if taken.is_err() && disk.is_off() {
            return Err(Stopped);
        }
        if round % 2 == 1 {
            partition.commit(truth, &[random_commit(&mut random, 100)])?;
        }
    }
    Ok(())
}
