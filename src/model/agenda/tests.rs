//! An agenda against a naive count, through its log and its image.

use super::command::{Ask, Command, Rejection, Reply, Schedule, Update};
use super::{Activity, ActivityType, Agenda, Association, AssociationMode, Change, Event, Shown};
use crate::model::id::{
    ActivityId, ActivityTypeId, BatchId, BusinessId, ObjectId, RecordId, Timestamp,
};
use crate::model::moment::Moment;
use crate::model::state::State;
use crate::model::table::event::{FollowUpNumber, Stamp};
use crate::model::table::test_support::{BIRTH, caller, member};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const BUSINESS: BusinessId = BusinessId::from_bytes([5; 16]);

fn object(number: u8) -> ObjectId {
    ObjectId::from_bytes([100 + number; 16])
}

fn record(number: u8) -> RecordId {
    RecordId::from_bytes([number; 16])
}

/// Each record belongs to one object.
fn about(records: &BTreeSet<u8>) -> Vec<Association> {
    let about = |number: &u8| Association { object: object(number % 2), record: record(*number) };
    records.iter().map(about).collect()
}

struct Rig {
    agenda: Agenda,
    moment: Moment,
    log: Vec<u8>,
    count: u32,
}

impl Rig {
    fn new() -> Self {
        let mut rig = Self {
            agenda: Agenda::unborn(BUSINESS),
            moment: Moment::new(3, BIRTH),
            log: Vec::new(),
            count: 0,
        };
        let stamp = Stamp {
            at: BIRTH,
            actor: member(1),
            origin: "tests".into(),
            batch: BatchId::from_bytes([9; 16]),
        };
        let task = ActivityType {
            id: ActivityTypeId::from_bytes([4; 16]),
            name: "Task".into(),
            api_name: "task".into(),
            description: String::new(),
            association_mode: AssociationMode::AllObjectsAssociated,
            created: BIRTH,
        };
        rig.apply(&Event { stamp, change: Change::TypeCreated(task) });
        rig
    }

    fn apply(&mut self, event: &Event) {
        Agenda::encode(event, &mut self.log);
        self.agenda.apply(event);
        self.count += 1;
    }

    fn run(&mut self, ask: Ask) -> Result<Reply, Rejection> {
        let command = Command { caller: caller(), ask };
        assert!(Agenda::on_plain_state(&command), "an agenda has no draft");
        let mut events = Vec::new();
        let answer = self.agenda.decide(&(), command, &mut self.moment, &mut events);
        for event in &events {
            self.apply(event);
        }
        answer
    }

    fn activity(&mut self, ask: Ask) -> Arc<Activity> {
        match self.run(ask) {
            Ok(Reply::Activity(activity)) => activity,
            other => panic!("{other:?}"),
        }
    }

    fn image(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.agenda.encode_image(&mut bytes);
        bytes
    }

    /// Asserts that log and image give the same agenda.
    fn check(&self) {
        let mut replayed = Agenda::unborn(BUSINESS);
        assert_eq!(replayed.replay(&self.log).unwrap(), self.count);
        let loaded = Agenda::from_image(BUSINESS, &self.image()).unwrap();
        for other in [replayed, loaded] {
            let mut bytes = Vec::new();
            other.encode_image(&mut bytes);
            assert_eq!(bytes, self.image());
            for number in 0..8 {
                let of = |shown: &Shown| {
                    (shown.upcoming(record(number)), shown.of_record(record(number)))
                };
                assert_eq!(of(&other.shown), of(&self.agenda.shown));
            }
            assert_eq!(other.received, self.agenda.received);
        }
    }
}

fn schedule(records: &[u8]) -> Ask {
    Ask::Schedule(Box::new(Schedule {
        activity_type: ActivityTypeId::from_bytes([4; 16]),
        note: "call".into(),
        due: BIRTH,
        employee: None,
        role: None,
        mentions: Vec::new(),
        notifications: "[]".into(),
        associations: about(&records.iter().copied().collect()),
    }))
}

/// An update that changes nothing.
fn nothing(id: ActivityId) -> Update {
    Update {
        id,
        note: None,
        due: None,
        completed_at: None,
        employee: None,
        role: None,
        mentions: None,
        notifications: None,
        associations: None,
    }
}

fn update(update: Update) -> Ask {
    Ask::Update(Box::new(update))
}

fn forget(number: u8, follow_up: u64) -> Ask {
    Ask::Forget {
        object: object(number % 2),
        record: record(number),
        number: FollowUpNumber(follow_up),
    }
}

#[test]
fn a_count_follows_every_kind_of_change() {
    let mut rig = Rig::new();
    let shown = rig.agenda.shown();
    let counts = || [1, 2, 3].map(|number| shown.upcoming(record(number)));
    let first = rig.activity(schedule(&[1, 2])).id;
    rig.activity(schedule(&[1]));
    assert_eq!(counts(), [2, 1, 0]);
    let completed_at = Some(Some(Timestamp(5)));
    rig.run(update(Update { completed_at, ..nothing(first) })).unwrap();
    assert_eq!(counts(), [1, 0, 0], "completed");
    assert_eq!(shown.of_record(record(2)).len(), 1, "but still about it");
    rig.run(update(Update { completed_at: Some(None), ..nothing(first) })).unwrap();
    assert_eq!(counts(), [2, 1, 0], "reopened");
    let associations = Some(about(&BTreeSet::from([2, 3])));
    rig.run(update(Update { associations, ..nothing(first) })).unwrap();
    assert_eq!(counts(), [1, 1, 1], "about others");
    let due = Some(Timestamp(0));
    rig.run(update(Update { due, ..nothing(first) })).unwrap();
    assert_eq!(counts(), [1, 1, 1], "an overdue one counts");
    rig.run(Ask::Delete(first)).unwrap();
    assert_eq!(counts(), [1, 0, 0], "deleted");
    assert!(shown.of_record(record(3)).is_empty());
    rig.check();
}

#[test]
fn an_update_keeps_what_it_does_not_name_and_writes_nothing_for_nothing() {
    let mut rig = Rig::new();
    let old = rig.activity(schedule(&[1]));
    let count = rig.count;
    assert_eq!(rig.activity(update(nothing(old.id))), old);
    let same = Update { note: Some("call".into()), ..nothing(old.id) };
    assert_eq!(rig.activity(update(same)), old);
    assert_eq!(rig.count, count);
    let due = Timestamp(BIRTH.0 + 60_000);
    let new = rig.activity(update(Update { due: Some(due), ..nothing(old.id) }));
    assert_eq!((new.due, new.original_due, new.created), (due, BIRTH, old.created));
    assert_eq!(Activity { due: old.due, ..(*new).clone() }, *old);
    rig.check();
}

#[test]
fn what_is_not_there_is_not_found() {
    let mut rig = Rig::new();
    let id = rig.activity(schedule(&[1])).id;
    rig.run(Ask::Delete(id)).unwrap();
    assert_eq!(rig.run(Ask::Delete(id)).unwrap_err(), Rejection::NotFound);
    assert_eq!(rig.run(update(nothing(id))).unwrap_err(), Rejection::NotFound);
}

#[test]
fn a_record_twice_in_an_activity_counts_once() {
    let mut rig = Rig::new();
    let Ask::Schedule(mut twice) = schedule(&[1]) else { panic!("it is one") };
    twice.associations.push(twice.associations[0]);
    let id = rig.activity(Ask::Schedule(twice)).id;
    assert_eq!(rig.agenda.shown.upcoming(record(1)), 1);
    rig.run(Ask::Delete(id)).unwrap();
    assert_eq!(rig.agenda.shown.upcoming(record(1)), 0);
}

#[test]
fn a_repeated_follow_up_is_done_once() {
    let mut rig = Rig::new();
    let id = rig.activity(schedule(&[1, 2])).id;
    rig.run(forget(1, 1)).unwrap();
    let shown = rig.agenda.shown();
    assert_eq!((shown.upcoming(record(1)), shown.upcoming(record(2))), (0, 1));
    let kept: Vec<RecordId> =
        shown.activity(id).unwrap().associations.iter().map(|it| it.record).collect();
    assert_eq!(kept, [record(2)]);
    let count = rig.count;
    // After a crash it is sent again, under its number; another sender counts for itself.
    rig.run(forget(1, 1)).unwrap();
    assert_eq!(rig.count, count, "nothing is written");
    rig.run(forget(2, 1)).unwrap();
    assert_eq!(rig.count, count + 1);
    let mut restarted = Agenda::from_image(BUSINESS, &rig.image()).unwrap();
    std::mem::swap(&mut rig.agenda, &mut restarted);
    rig.run(forget(2, 1)).unwrap();
    rig.run(forget(1, 1)).unwrap();
    assert_eq!(rig.count, count + 1, "an image knows it too");
    rig.run(forget(1, 2)).unwrap();
    assert_eq!(rig.count, count + 2);
    rig.check();
}

#[test]
fn a_count_that_stays_is_never_seen_to_move() {
    let mut rig = Rig::new();
    let id = rig.activity(schedule(&[1])).id;
    let shown = rig.agenda.shown();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                assert_eq!(shown.upcoming(record(1)), 1);
            }
        });
        for round in 0..3_000 {
            let note = Some(format!("note {round}"));
            rig.run(update(Update { note, ..nothing(id) })).unwrap();
        }
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        reader.join().unwrap();
    });
}

#[derive(Clone, Debug)]
enum Step {
    Schedule(BTreeSet<u8>),
    Complete(u8, bool),
    About(u8, BTreeSet<u8>),
    Delete(u8),
    Forget(u8, bool),
}

fn any_step() -> impl Strategy<Value = Step> {
    let records = || prop::collection::btree_set(0..8_u8, 0..4);
    prop_oneof![
        4 => records().prop_map(Step::Schedule),
        3 => (any::<u8>(), any::<bool>()).prop_map(|(at, done)| Step::Complete(at, done)),
        3 => (any::<u8>(), records()).prop_map(|(at, records)| Step::About(at, records)),
        2 => any::<u8>().prop_map(Step::Delete),
        1 => (0..8_u8, any::<bool>()).prop_map(|(record, again)| Step::Forget(record, again)),
    ]
}

proptest! {
    #[test]
    fn counts_are_those_of_a_search(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut rig = Rig::new();
        // What each activity is about, and whether it is completed.
        let mut naive: BTreeMap<ActivityId, (BTreeSet<u8>, bool)> = BTreeMap::new();
        let mut sent = [0_u64; 2];
        for step in steps {
            let pick = |at: u8| naive.keys().nth(usize::from(at) % naive.len().max(1)).copied();
            match step {
                Step::Schedule(records) => {
                    let list: Vec<u8> = records.iter().copied().collect();
                    naive.insert(rig.activity(schedule(&list)).id, (records, false));
                }
                Step::Complete(at, done) => {
                    let Some(id) = pick(at) else { continue };
                    let completed_at = Some(done.then_some(Timestamp(7)));
                    rig.run(update(Update { completed_at, ..nothing(id) })).unwrap();
                    naive.get_mut(&id).unwrap().1 = done;
                }
                Step::About(at, records) => {
                    let Some(id) = pick(at) else { continue };
                    let associations = Some(about(&records));
                    rig.run(update(Update { associations, ..nothing(id) })).unwrap();
                    naive.get_mut(&id).unwrap().0 = records;
                }
                Step::Delete(at) => {
                    let Some(id) = pick(at) else { continue };
                    rig.run(Ask::Delete(id)).unwrap();
                    naive.remove(&id);
                }
                Step::Forget(number, is_again) => {
                    let sender = usize::from(number % 2);
                    sent[sender] += 1;
                    rig.run(forget(number, sent[sender])).unwrap();
                    if is_again {
                        rig.run(forget(number, sent[sender])).unwrap();
                    }
                    for (records, _) in naive.values_mut() {
                        records.remove(&number);
                    }
                }
            }
            for number in 0..8 {
                let about: Vec<ActivityId> = naive
                    .iter()
                    .filter(|(_, (records, _))| records.contains(&number))
                    .map(|(id, _)| *id)
                    .collect();
                let upcoming = about.iter().filter(|id| !naive[*id].1).count();
                let shown = &rig.agenda.shown;
                prop_assert_eq!(shown.upcoming(record(number)) as usize, upcoming);
                prop_assert_eq!(&*shown.of_record(record(number)), &about);
            }
        }
        rig.check();
    }

    #[test]
    fn damage_never_stops_the_process(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..8),
    ) {
        let mut rig = Rig::new();
        rig.activity(schedule(&[1, 2]));
        rig.run(forget(1, 1)).unwrap();
        for bytes in [rig.log.clone(), rig.image()] {
            let mut damaged = bytes.clone();
            for (place, mask) in &flips {
                damaged[place.index(bytes.len())] ^= mask;
            }
            let mut rest = &damaged[..];
            drop(crate::model::stored::decode::<Event>(&mut rest, "an event"));
            drop(Agenda::from_image(BUSINESS, &damaged));
        }
    }
}
