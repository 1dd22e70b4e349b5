//! Where readers begin, over a log in memory and a clock that tests turn: what is kept, and which
//! cursors lead on.

use crate::ambient::{Clock, SettableClock};
use crate::engine::Engine;
use crate::engine::bootstrap::Bootstrap;
use crate::engine::business::TableRef;
use crate::engine::feed::all::{LogPlace, LogStart};
use crate::engine::feed::cursor::{LogCursor, TableCursor};
use crate::engine::feed::{FeedError, Place, READ_BYTES_MAX, Start};
use crate::engine::states::States;
use crate::engine::test_support::{no_states, over};
use crate::engine::tests::{BUSINESS, USER, caller, upsert};
use crate::model::id::{HistoryId, LogId, Position, Sequence, Timestamp};
use crate::storage::log::LogReader as _;
use crate::storage::memory_log::MemoryFrames;
use std::sync::Arc;

const START_MS: i64 = 1_795_498_800_000;
const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;

struct Scene {
    engine: Arc<Engine>,
    table: Arc<TableRef>,
    frames: MemoryFrames,
}

impl Scene {
    async fn new(clock: Clock) -> Self {
        Self::over(no_states(), MemoryFrames::default(), clock).await
    }

    async fn over(states: States, frames: MemoryFrames, clock: Clock) -> Self {
        let bootstrap =
            Bootstrap { api_key: "upd_secret".into(), business_id: BUSINESS, user_id: USER };
        let engine = over(bootstrap, 1024, clock, (states, frames.clone())).await;
        let business = engine.business(BUSINESS).expect("the first start makes it");
        let table = business.table_of("client_client").expect("the contact object");
        Self { engine, table, frames }
    }

    /// What remains when the frames up to that of an entry are gone from the log, and the tail with
    /// the process.
    async fn without(self, last: Sequence, clock: Clock) -> (Self, Position) {
        let Self { engine, table, frames } = self;
        engine.close().await;
        let mut states = no_states();
        for frame in frames.read(Position(0), usize::MAX).unwrap() {
            for part in frame.parts().map(Result::unwrap) {
                states.replay(frame.position, &part).unwrap();
            }
        }
        let parts = frames.read_parts(&table.shown().writer(), last, 0).unwrap();
        let position = parts[0].position;
        frames.trim(position).unwrap();
        (Self::over(states, frames, clock).await, position)
    }

    async fn write(&self, email: &str) {
        let business = self.engine.business(BUSINESS).expect("it is there");
        let command = upsert(&self.table, caller(&business), email, "A");
        self.engine.ask_table(&self.table, command, 100).await.expect("nothing refuses it");
    }

    async fn begin(&self, start: Start) -> Option<Sequence> {
        match self.engine.feed().begin(self.table.shown(), start).await {
            Ok(place) => Some(place.sequence),
            Err(FeedError::Expired) => None,
            Err(error) => panic!("{error}"),
        }
    }

    async fn behind(&self, cursor: TableCursor) -> Option<Sequence> {
        self.begin(Start::Behind(cursor)).await
    }

    async fn begin_all(&self, start: LogStart) -> Option<LogPlace> {
        let tables = [self.table.shown().clone()];
        match self.engine.feed().begin_all(start, &tables).await {
            Ok(place) => Some(place),
            Err(FeedError::Expired) => None,
            Err(error) => panic!("{error}"),
        }
    }

    async fn read(&self, after: u64) -> Vec<u64> {
        let entries = self
            .engine
            .feed()
            .read(self.table.shown(), Sequence(after), READ_BYTES_MAX)
            .await
            .unwrap();
        entries.iter().map(|entry| entry.sequence.0).collect()
    }

    async fn cursor(&self, sequence: u64) -> TableCursor {
        let (feed, shown) = (self.engine.feed(), self.table.shown());
        let place: Place = feed.place_of(shown, Sequence(sequence)).await.unwrap();
        feed.cursor(shown, place)
    }
}

#[actix::test]
async fn what_is_too_old_is_refused_and_the_end_never_is() {
    let hands = SettableClock::at(Timestamp(START_MS));
    let scene = Scene::new(hands.clock()).await;
    scene.write("ada@example.com").await;
    scene.write("bob@example.com").await;
    let (early, head) = (scene.cursor(2).await, scene.cursor(3).await);
    hands.set_wall(Timestamp(START_MS + WEEK_MS));
    assert_eq!(scene.behind(early).await, Some(Sequence(2)));
    assert_eq!(scene.begin(Start::Oldest).await, Some(Sequence(0)));
    hands.set_wall(Timestamp(START_MS + WEEK_MS + 1));
    assert_eq!(scene.behind(early).await, None, "the next entry is too old");
    assert_eq!(scene.behind(head).await, Some(Sequence(3)), "nothing was missed");
    assert_eq!(scene.begin(Start::Oldest).await, Some(Sequence(3)));
    assert_eq!(scene.read(3).await, [0; 0]);
    scene.write("cid@example.com").await;
    assert_eq!(scene.behind(head).await, Some(Sequence(3)));
    assert_eq!(scene.begin(Start::Oldest).await, Some(Sequence(3)));
    assert_eq!(scene.begin(Start::Now).await, Some(Sequence(4)));
    assert_eq!(scene.read(3).await, [4]);
}

/// An object that rests for longer than the log is kept must not refuse its own readers.
#[actix::test]
async fn a_cursor_whose_entry_is_gone_is_vouched_for_by_its_time() {
    let hands = SettableClock::at(Timestamp(START_MS));
    let scene = Scene::new(hands.clock()).await;
    scene.write("ada@example.com").await;
    let (first, own) = (scene.cursor(1).await, scene.cursor(2).await);
    scene.write("bob@example.com").await;
    let next = scene.cursor(3).await;
    let (scene, _) = scene.without(Sequence(2), hands.clock()).await;
    assert_eq!(scene.behind(own).await, Some(Sequence(2)));
    assert_eq!(scene.read(2).await, [3]);
    let older = TableCursor { issued: Timestamp(START_MS - 1), ..own };
    assert_eq!(scene.behind(older).await, None, "it may be of a directory that was put back");
    assert_eq!(scene.behind(first).await, None, "an entry is gone between them");
    assert_eq!(scene.begin(Start::Oldest).await, Some(Sequence(2)));
    assert_eq!(scene.behind(next).await, Some(Sequence(3)));
    for wrong in [
        TableCursor { checksum: next.checksum.map(|sum| sum ^ 1), ..next },
        TableCursor { checksum: None, ..next },
        TableCursor { sequence: Sequence(4), ..next },
        TableCursor { sequence: Sequence(u64::MAX), ..next },
        TableCursor { history: HistoryId::from_bytes([9; 16]), ..next },
    ] {
        assert_eq!(scene.behind(wrong).await, None, "{wrong:?}");
    }
}

#[actix::test]
async fn a_place_in_the_log_is_refused_as_soon_as_something_behind_it_is_gone() {
    let hands = SettableClock::at(Timestamp(START_MS));
    let scene = Scene::new(hands.clock()).await;
    let feed_of = |scene: &Scene, place| scene.engine.feed().cursor_of_all(place);
    let mut cursors: Vec<LogCursor> = Vec::new();
    for email in ["ada@example.com", "bob@example.com", "cid@example.com"] {
        scene.write(email).await;
        let now = scene.begin_all(LogStart::Now).await.expect("it is always there");
        cursors.push(feed_of(&scene, now));
    }
    let (scene, gone) = scene.without(Sequence(3), hands.clock()).await;
    assert_eq!(cursors[1].position, gone);
    for (at, is_good) in [(0, false), (1, true), (2, true)] {
        let found = scene.begin_all(LogStart::Behind(cursors[at])).await;
        assert_eq!(found.is_some(), is_good, "cursor {at}");
    }
    let last = cursors[2];
    for wrong in [
        LogCursor { issued: Timestamp(START_MS - 1), ..cursors[1] },
        LogCursor { checksum: last.checksum.map(|sum| sum ^ 1), ..last },
        LogCursor { position: Position(u64::MAX), ..last },
        LogCursor { position: Position(0), part: 0, ..last },
        LogCursor { log: LogId::from_bytes([9; 16]), ..last },
    ] {
        assert_eq!(scene.begin_all(LogStart::Behind(wrong)).await, None, "{wrong:?}");
    }
    let oldest = scene.begin_all(LogStart::Oldest).await.expect("something is kept");
    assert_eq!(oldest.position, gone);
}
