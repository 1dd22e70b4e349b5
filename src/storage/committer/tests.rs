//! The commit queue and its committer over logs in memory.

use super::{CommitOptions, CommitQueue, Committer, Seat, Wake};
use crate::model::id::{ObjectId, Position, Sequence, Timestamp, WriterId};
use crate::storage::error::StorageError;
use crate::storage::log::{AppendError, Log, LogReader};
use crate::storage::memory_log::MemoryFrames;
use crate::storage::part::Part;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

/// Counts its wakes and notes what the queue said at the last one.
#[derive(Default)]
struct Bell {
    rings: AtomicUsize,
}

impl Wake for Arc<Bell> {
    fn wake(&self) {
        self.rings.fetch_add(1, SeqCst);
    }
}

impl Bell {
    fn seat() -> (Arc<Self>, Arc<Seat>) {
        let bell = Arc::new(Self::default());
        let seat = Seat::new(Box::new(bell.clone()));
        (bell, seat)
    }

    fn rings(&self) -> usize {
        self.rings.load(SeqCst)
    }
}

struct Partition {
    queue: Arc<CommitQueue>,
    frames: MemoryFrames,
    committer: Committer,
}

fn partition(options: CommitOptions) -> Partition {
    let frames = MemoryFrames::default();
    let queue = CommitQueue::new(Position(0), options);
    let committer = Committer::new(queue.clone(), Box::new(frames.lead()));
    Partition { queue, frames, committer }
}

fn part(writer: u8, events: &[u8]) -> Part<'_> {
    Part {
        writer: WriterId::Table(ObjectId::from_bytes([writer; 16])),
        first_sequence: Sequence(1),
        time: Timestamp(5),
        event_count: 2,
        events,
    }
}

/// Each frame of the log as the events of its parts.
fn written(frames: &MemoryFrames) -> Vec<Vec<Vec<u8>>> {
    let frames = frames.read(Position(0), usize::MAX).unwrap();
    frames
        .iter()
        .map(|frame| frame.parts().map(|part| part.unwrap().events.to_vec()).collect())
        .collect()
}

#[test]
fn what_gathers_between_two_syncs_is_one_frame_and_one_wake_per_writer() {
    let Partition { queue, frames, mut committer } = partition(CommitOptions::default());
    let ((first_bell, first), (second_bell, second)) = (Bell::seat(), Bell::seat());
    assert_eq!(queue.append(&[part(1, b"a")], &first), Position(1));
    assert_eq!(queue.append(&[part(2, b"b")], &second), Position(1));
    assert_eq!(queue.append(&[part(1, b"c")], &first), Position(1));
    assert_eq!((queue.durable(), first_bell.rings()), (Position(0), 0));
    assert!(committer.step().unwrap());
    assert_eq!(written(&frames), [[b"a", b"b", b"c"]]);
    assert_eq!((first_bell.rings(), second_bell.rings()), (1, 1));
    assert_eq!((queue.durable(), queue.undurable_bytes()), (Position(1), 0));
    let counters = queue.counters();
    assert_eq!((counters.frames, counters.appends, counters.events), (1, 3, 6));
    assert!(!committer.step().unwrap());
}

#[test]
fn a_frame_that_is_full_is_left_and_a_commit_is_never_split() {
    let options = CommitOptions { frame_bytes: 100, ..CommitOptions::default() };
    let Partition { queue, frames, mut committer } = partition(options);
    let (bell, seat) = Bell::seat();
    let (short, long) = ([1; 40], [2; 500]);
    assert_eq!(queue.append(&[part(1, &short)], &seat), Position(1));
    assert_eq!(queue.append(&[part(1, &long), part(2, &long)], &seat), Position(1));
    assert_eq!(queue.append(&[part(1, &short)], &seat), Position(2));
    assert_eq!(seat.last_position(), Position(2));
    while committer.step().unwrap() {}
    let expected = vec![vec![short.to_vec(), long.to_vec(), long.to_vec()], vec![short.to_vec()]];
    assert_eq!(written(&frames), expected);
    assert_eq!(bell.rings(), 2);
}

#[test]
fn a_queue_is_full_until_its_bytes_are_durable() {
    let bytes = part(1, b"event").encoded_len();
    let options = CommitOptions { undurable_bytes_max: 2 * bytes, ..CommitOptions::default() };
    let Partition { queue, frames: _, mut committer } = partition(options);
    let (_, seat) = Bell::seat();
    queue.append(&[part(1, b"event")], &seat);
    assert!(!queue.is_full());
    queue.append(&[part(1, b"event")], &seat);
    assert!(queue.is_full());
    committer.step().unwrap();
    assert!(!queue.is_full());
}

#[test]
fn a_seal_follows_a_burst_once_and_never_interrupts_one() {
    let Partition { queue, frames, mut committer } = partition(CommitOptions::default());
    let (bell, seat) = Bell::seat();
    queue.request_seal();
    assert!(!committer.step().unwrap(), "nothing was written since the log began");
    queue.append(&[part(1, b"a")], &seat);
    queue.request_seal();
    committer.step().unwrap();
    assert!(!committer.step().unwrap(), "a frame waited when the seal was asked for");
    queue.request_seal();
    queue.append(&[part(1, b"b")], &seat);
    committer.step().unwrap();
    assert!(!committer.step().unwrap(), "a frame came before the seal was taken");
    queue.request_seal();
    queue.request_seal();
    assert!(committer.step().unwrap());
    queue.request_seal();
    assert!(!committer.step().unwrap());
    assert_eq!(written(&frames), vec![vec![b"a".to_vec()], vec![b"b".to_vec()], vec![]]);
    assert_eq!((queue.durable(), bell.rings()), (Position(3), 2));
    assert_eq!(queue.append(&[part(1, b"c")], &seat), Position(4));
    assert_eq!((queue.counters().frames, queue.counters().seals), (2, 1));
}

#[test]
fn a_failed_append_wakes_everybody_and_nothing_follows_it() {
    let options = CommitOptions { frame_bytes: 1, ..CommitOptions::default() };
    let Partition { queue, frames, mut committer } = partition(options);
    let ((first_bell, first), (second_bell, second)) = (Bell::seat(), Bell::seat());
    queue.append(&[part(1, b"durable")], &first);
    queue.append(&[part(1, b"failing")], &first);
    queue.append(&[part(2, b"behind it")], &second);
    frames.fail_at(Position(2));
    committer.step().unwrap();
    assert_eq!((first_bell.rings(), queue.is_failed()), (1, false));
    let failed = committer.step().unwrap_err();
    assert!(matches!(failed, AppendError::Failed(StorageError::Io { .. })));
    assert!(queue.is_failed());
    assert_eq!((first_bell.rings(), second_bell.rings()), (2, 1));
    assert_eq!(queue.durable(), Position(1));
    assert!(!committer.step().unwrap());
    queue.append(&[part(2, b"too late")], &second);
    assert_eq!(second_bell.rings(), 2, "who comes later is told at once");
    assert!(!committer.step().unwrap());
    assert_eq!(written(&frames), [[b"durable"]]);
}

#[test]
fn a_fenced_leader_writes_nothing_more() {
    let Partition { queue, frames, mut committer } = partition(CommitOptions::default());
    let (bell, seat) = Bell::seat();
    frames.lead().append(Position(0), b"").unwrap();
    queue.append(&[part(1, b"a")], &seat);
    let fenced = committer.step().unwrap_err();
    assert!(matches!(fenced, AppendError::Fenced { last: Position(1) }));
    assert_eq!((queue.is_failed(), bell.rings(), frames.last()), (true, 1, Position(1)));
}

/// Notes what the queue says when it wakes.
struct Listener {
    queue: Arc<CommitQueue>,
    heard: Mutex<Vec<(Position, bool)>>,
}

impl Wake for Arc<Listener> {
    fn wake(&self) {
        self.heard.lock().push((self.queue.durable(), self.queue.is_failed()));
    }
}

#[test]
fn whoever_is_woken_sees_what_has_happened() {
    let options = CommitOptions { frame_bytes: 1, ..CommitOptions::default() };
    let Partition { queue, frames, mut committer } = partition(options);
    let listener = Arc::new(Listener { queue: queue.clone(), heard: Mutex::default() });
    let seat = Seat::new(Box::new(listener.clone()));
    frames.fail_at(Position(2));
    for event in [b"1", b"2", b"3"] {
        queue.append(&[part(1, event)], &seat);
    }
    committer.step().unwrap();
    assert_eq!(*listener.heard.lock(), [(Position(1), false)]);
    committer.step().unwrap_err();
    let failed = (Position(1), true);
    assert_eq!(*listener.heard.lock(), [(Position(1), false), failed, failed]);
}

#[test]
fn a_committer_that_is_dropped_leaves_nobody_waiting() {
    let Partition { queue, frames: _, committer } = partition(CommitOptions::default());
    let (bell, seat) = Bell::seat();
    queue.append(&[part(1, b"a")], &seat);
    drop(committer);
    assert_eq!((queue.is_failed(), bell.rings(), queue.durable()), (true, 1, Position(0)));
}

#[test]
fn want_of_room_is_told_and_heals_on_request() {
    let Partition { queue, frames, mut committer } = partition(CommitOptions::default());
    let (_, seat) = Bell::seat();
    frames.set_short_of_space(true);
    queue.append(&[part(1, b"a")], &seat);
    assert!(committer.step().unwrap());
    assert_eq!((queue.is_prepared(), queue.durable()), (false, Position(1)));
    frames.set_short_of_space(false);
    assert!(!committer.step().unwrap());
    queue.request_preparation();
    assert!(committer.step().unwrap());
    assert!(queue.is_prepared());
    assert_eq!(frames.last(), Position(1), "healing writes no frame");
}

#[test]
fn a_closed_queue_drains_and_seals() {
    let Partition { queue, frames, committer } = partition(CommitOptions::default());
    let (bell, seat) = Bell::seat();
    queue.append(&[part(1, b"a")], &seat);
    queue.close();
    committer.run().unwrap();
    assert_eq!(written(&frames), vec![vec![b"a".to_vec()], vec![]]);
    assert_eq!((bell.rings(), queue.durable(), queue.is_failed()), (1, Position(2), false));
}

#[test]
fn many_threads_lose_nothing_and_keep_their_order() {
    const WRITERS: u8 = 4;
    const COMMITS: u32 = 500;
    let Partition { queue, frames, committer } = partition(CommitOptions::default());
    std::thread::scope(|scope| {
        let running = scope.spawn(|| committer.run());
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let queue = &queue;
                scope.spawn(move || {
                    let (bell, seat) = Bell::seat();
                    for commit in 0..COMMITS {
                        queue.append(&[part(writer, &commit.to_le_bytes())], &seat);
                    }
                    (bell, seat)
                })
            })
            .collect();
        let seats: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        queue.close();
        running.join().unwrap().unwrap();
        for (bell, seat) in seats {
            assert!(seat.last_position() <= queue.durable());
            assert!(bell.rings() >= 1 && bell.rings() as u64 <= queue.counters().frames);
        }
    });
    let parts: Vec<_> = written(&frames).concat();
    assert_eq!(parts.len(), usize::from(WRITERS) * COMMITS as usize);
    let read = frames.read(Position(0), usize::MAX).unwrap();
    for writer in 0..WRITERS {
        let id = WriterId::Table(ObjectId::from_bytes([writer; 16]));
        let own: Vec<u32> = read
            .iter()
            .flat_map(|frame| frame.parts().map(Result::unwrap))
            .filter(|part| part.writer == id)
            .map(|part| u32::from_le_bytes(part.events.try_into().unwrap()))
            .collect();
        assert_eq!(own, (0..COMMITS).collect::<Vec<_>>());
    }
}
