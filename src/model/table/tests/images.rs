//! Images of a table while it is written on: exact as of their position, and built again.

use crate::model::id::{HistoryId, Position, RecordId, Slot};
use crate::model::schema::system;
use crate::model::table::command::{Add, ArchivedMatch, Ask, RestoreConflict};
use crate::model::table::event_form::Misfit;
use crate::model::table::order::{CHUNK, Wanted};
use crate::model::table::record::Record;
use crate::model::table::snapshot_form::{Image, Loader, encode_record};
use crate::model::table::test_support::{
    Rig, SETTING, all_records, assert_same, created, replayed, text,
};
use crate::model::table::tests::random::play;
use crate::model::table::tests::steps::{CODE, Kind, REGION, Step, any_kind, any_steps, start};
use crate::model::table::{Setting, Table};
use proptest::prelude::*;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// So many records, a tenth archived, some purged.
pub(super) fn filled(kind: Kind, count: usize) -> (Rig, Vec<RecordId>) {
    let mut rig = start(kind);
    let identifier = rig.schema().identifier().number;
    let mut ids = Vec::new();
    for at in 0..count {
        let writes = [
            (identifier, text(&format!("record{at}@x.io"))),
            (CODE, text(&format!("code {at}"))),
            (REGION, text("north")),
        ];
        let writes = rig.writes(writes);
        let (archived_match, restore_conflict) = (ArchivedMatch::Prompt, RestoreConflict::Refuse);
        let add = Add { writes, archived_match, restore_conflict };
        ids.push(created(rig.run(Ask::Add(Box::new(add)))));
        if at % 10 == 3 {
            rig.run(Ask::Archive(ids[at])).unwrap();
        }
        if at % 50 == 13 {
            rig.run(Ask::Purge(ids[at])).unwrap();
        }
    }
    (rig, ids)
}

/// What a snapshot holds of a table.
struct Taken {
    state: Vec<u8>,
    /// Each chunk of records and its first slot.
    chunks: Vec<(Vec<u8>, Slot)>,
    count: u32,
    digest: u128,
    history: HistoryId,
}

impl Taken {
    /// `each` runs behind every chunk.
    fn take(image: &Image, mut each: impl FnMut()) -> (Self, Vec<Record>) {
        let state = image.encode_state();
        let (mut chunks, mut records) = (Vec::new(), Vec::new());
        let walk = image.scan.walk(&image.shown.order, |chunk| {
            let mut bytes = Vec::new();
            for record in chunk {
                encode_record(record, &mut bytes);
            }
            let slot = Slot(u32::try_from(records.len()).unwrap());
            chunks.push((bytes, slot));
            records.extend_from_slice(chunk);
            each();
            Ok::<(), Infallible>(())
        });
        assert_eq!(walk, Ok(()));
        let digest = image.digest(&state);
        let count = u32::try_from(records.len()).unwrap();
        (Self { state, chunks, count, digest, history: image.history }, records)
    }

    fn loader(&self) -> Result<Loader, Misfit> {
        Loader::new(&self.state, self.history, SETTING, self.count as usize)
    }

    fn load(&self) -> Result<Table, Misfit> {
        let loader = self.loader()?;
        let mut sum = 0_u128;
        for (bytes, slot) in &self.chunks {
            sum = sum.wrapping_add(loader.load(bytes, *slot)?);
        }
        loader.finish(self.count, sum, self.digest)
    }
}

/// The table that an image gives.
pub(super) fn built(image: &Image) -> Table {
    Taken::take(image, || ()).0.load().unwrap()
}

fn heavy() -> ProptestConfig {
    let cases = ProptestConfig::default().cases / 32 + 1;
    ProptestConfig { cases, max_shrink_iters: 40, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(heavy())]

    #[test]
    fn an_image_is_exactly_the_table_at_its_position(
        kind in any_kind(),
        writes in prop::collection::vec(any_steps(80), 5),
    ) {
        let (mut rig, _) = filled(kind, 3 * CHUNK + 100);
        play(&mut rig, &writes[0]);
        let opened = rig.log.len();
        let expected = all_records(&rig.table);
        let image = rig.table.open_image(Position(7));
        let mut turns = writes[1..].iter();
        let (taken, records) = Taken::take(&image, || {
            // Between two chunks the table is written on, before and behind the walker.
            if let Some(steps) = turns.next() {
                play(&mut rig, steps);
            }
        });
        prop_assert_eq!(image.scan.position(), Position(7));
        prop_assert!(records == expected, "the records of that position, in their order");
        prop_assert!(image.scan.is_done());
        prop_assert_eq!(image.scan.before_count(), 0, "no before-image is left over");
        let mut loaded = taken.load().unwrap();
        let then = replayed(&rig.log[..opened]);
        assert_same(&loaded, &then);
        let later = rig.log[opened..].concat();
        prop_assert_eq!(loaded.replay(&later).unwrap() as usize, rig.log.len() - opened);
        assert_same(&loaded, &rig.table);
    }
}

#[test]
fn an_image_is_exact_beside_a_writer_at_full_speed() {
    let (mut rig, ids) = filled(Kind::Insensitive, 3 * CHUNK + 100);
    for round in 0..6_usize {
        let expected = all_records(&rig.table);
        let image = rig.table.open_image(Position(7));
        let is_walked = AtomicBool::new(false);
        let (taken, records) = std::thread::scope(|scope| {
            let walker = scope.spawn(|| {
                let taken = Taken::take(&image, std::thread::yield_now);
                is_walked.store(true, SeqCst);
                taken
            });
            // Writes go on until the walk is over, and at least so many.
            let mut written = 0;
            while !is_walked.load(SeqCst) || written < 200 {
                let id = ids[(written * 7 + round * 31) % ids.len()];
                let region = if written % 2 == 0 { "south" } else { "north" };
                let writes = rig.writes([(REGION, text(region))]);
                let archived_conflict = crate::model::table::command::ArchivedConflict::Refuse;
                let update = crate::model::table::command::Update {
                    id,
                    writes,
                    archived_conflict,
                    extent: crate::model::table::command::Extent::Mentioned,
                };
                drop(rig.run(Ask::Update(Box::new(update))));
                written += 1;
            }
            walker.join().unwrap()
        });
        assert!(records == expected, "round {round}");
        assert_eq!(image.scan.before_count(), 0);
        assert_eq!(all_records(&taken.load().unwrap()).len(), expected.len());
    }
    rig.check();
}

#[test]
fn a_walk_that_is_given_up_costs_the_writer_nothing_more() {
    let (mut rig, ids) = filled(Kind::Insensitive, CHUNK + 10);
    let image = rig.table.open_image(Position(1));
    let refused = image.scan.walk(&image.shown.order, |chunk| Err(chunk.len()));
    assert!(refused.unwrap_err() > 900);
    assert!(image.scan.is_done());
    for id in &ids[CHUNK..] {
        drop(rig.run(Ask::Archive(*id)));
    }
    assert!(rig.table.scans.is_empty(), "forgotten at the first change");
    assert!(image.scan.before_count() <= 1);
}

#[test]
fn an_empty_table_has_an_image() {
    let mut rig = Rig::accounts();
    let image = rig.table.open_image(Position(1));
    let (taken, records) = Taken::take(&image, || ());
    assert!(records.is_empty() && image.scan.is_done());
    assert_same(&taken.load().unwrap(), &rig.table);
}

#[test]
fn a_table_is_loaded_by_several_threads() {
    let (mut rig, _) = filled(Kind::Contacts, 2 * CHUNK + 100);
    let image = rig.table.open_image(Position(1));
    let (taken, _) = Taken::take(&image, || ());
    let loader = taken.loader().unwrap();
    let sums: Vec<u128> = std::thread::scope(|scope| {
        let chunks = taken.chunks.iter().rev();
        let threads: Vec<_> = chunks
            .map(|(bytes, slot)| scope.spawn(|| loader.load(bytes, *slot).unwrap()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let sum = sums.into_iter().fold(0_u128, u128::wrapping_add);
    assert_same(&loader.finish(taken.count, sum, taken.digest).unwrap(), &rig.table);
}

#[test]
fn a_snapshot_that_is_not_what_was_written_is_refused() {
    let (mut rig, _) = filled(Kind::Insensitive, 40);
    let image = rig.table.open_image(Position(1));
    let (taken, _) = Taken::take(&image, || ());
    let check = |damage: &dyn Fn(&mut Taken), expected: &str| {
        let (state, chunks) = (taken.state.clone(), taken.chunks.clone());
        let (count, digest, history) = (taken.count, taken.digest, taken.history);
        let mut damaged = Taken { state, chunks, count, digest, history };
        damage(&mut damaged);
        assert_eq!(damaged.load().map(|_| ()).unwrap_err().to_string(), expected);
    };
    check(&|taken| taken.count += 1, "a count of records 39 stands where 40 was due");
    check(&|taken| taken.digest ^= 1, "the digest of the table is not that of its snapshot");
    check(&|taken| taken.state.push(0), "a table is not in the form this version writes");
    check(
        &|taken| taken.state[0] += 1,
        "a list of outcomes is not in the form this version writes",
    );
    check(&|taken| taken.state[0] += 3, "a table is not in the form this version writes");
    check(&|taken| taken.chunks[0].0.push(0), "a record is not in the form this version writes");
    // Another state that is well formed: one more sequence.
    let mut other = Rig::accounts();
    let writes = other.writes([(system::NAME, text("Acme"))]);
    let (archived_match, restore_conflict) = (ArchivedMatch::Prompt, RestoreConflict::Refuse);
    let add = Add { writes, archived_match, restore_conflict };
    other.run(Ask::Add(Box::new(add))).unwrap();
    let foreign = other.table.open_image(Position(1)).encode_state();
    let digest = "the digest of the table is not that of its snapshot";
    check(&|taken| taken.state.clone_from(&foreign), digest);
    assert!(taken.load().is_ok());
}

#[test]
fn two_records_with_one_key_or_one_unique_value_are_refused() {
    for is_key in [true, false] {
        let (mut rig, ids) = filled(Kind::Insensitive, 2);
        let image = rig.table.open_image(Position(1));
        let (mut taken, records) = Taken::take(&image, || ());
        let twin = &records[0];
        let own = &records[1];
        let mut edits = crate::model::table::body::Edits::default();
        let field = if is_key { system::NAME } else { CODE };
        edits.set(field, |out| out.extend_from_slice(twin.value(field).unwrap()));
        let mut body = Vec::new();
        edits.merge(own.body(), &mut body, &mut Vec::new());
        let forged = crate::model::table::apply::same_version(own, &body);
        let mut bytes = Vec::new();
        for record in [twin, &forged] {
            encode_record(record, &mut bytes);
        }
        taken.chunks[0].0 = bytes;
        let refused = taken.load().map(|_| ()).unwrap_err().to_string();
        assert_eq!(refused, "a unique value stands there twice", "{ids:?}");
    }
}

#[test]
fn copies_with_another_log_have_other_digests() {
    let (rig, _) = filled(Kind::Insensitive, 20);
    let setting = Setting { digest_key: *b"another log's ..", ..SETTING };
    let (other, _) = Table::from_birth(&rig.log.concat(), setting).unwrap();
    assert_ne!(other.digest.records(), rig.table.digest.records());
    assert_eq!(all_records(&other), all_records(&rig.table));
}

#[test]
fn pages_are_what_a_filter_gives() {
    let (mut rig, _) = filled(Kind::Sensitive, 2 * CHUNK + 50);
    play(&mut rig, &[Step::Archive(3), Step::Archive(7), Step::Purge(7)]);
    let all = all_records(&rig.table);
    let order = &rig.table.shown.order;
    for wanted in [Wanted::Live, Wanted::Archived, Wanted::All] {
        let takes = |record: &&Record| match wanted {
            Wanted::Live => !record.is_archived(),
            Wanted::Archived => record.is_archived(),
            Wanted::All => true,
        };
        let filtered: Vec<Record> = all.iter().filter(takes).cloned().collect();
        assert_eq!(order.count(wanted), filtered.len());
        for offset in [0, 1, 99, 100, 101, 900, 1_023, 1_024, 1_025, 1_900, 2_500, 9_999] {
            for limit in [0, 1, 100, 1_000, 5_000] {
                let expected: Vec<Record> =
                    filtered.iter().skip(offset).take(limit).cloned().collect();
                let page = order.page(wanted, offset, limit);
                assert!(page == expected, "{wanted:?} from {offset}, {limit}");
            }
        }
    }
}
