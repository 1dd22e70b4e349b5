//! Bulk actions: what is noted, what is forgotten, and that log and image give the same.

use super::{ACTIONS_MAX, BulkAction, BulkKind, BulkNote, FAILURES_MAX, Failure, KEPT_MS, NewBulk};
use crate::model::agenda::Agenda;
use crate::model::agenda::command::{Ask, Command, Rejection};
use crate::model::id::{BatchId, BusinessId, ObjectId, RecordId, Timestamp};
use crate::model::moment::Moment;
use crate::model::state::State;
use crate::model::table::test_support::{BIRTH, caller};
use std::collections::BTreeMap;
use std::sync::Arc;

const BUSINESS: BusinessId = BusinessId::from_bytes([5; 16]);

struct Rig {
    agenda: Agenda,
    moment: Moment,
    log: Vec<u8>,
}

fn batch(number: u128) -> BatchId {
    BatchId(uuid::Uuid::from_u128(number))
}

fn failures(count: usize) -> Vec<Failure> {
    let record = RecordId::from_bytes([8; 16]);
    vec![Failure { record, code: "not_found".into(), detail: "Not found.".into() }; count]
}

impl Rig {
    fn new() -> Self {
        let agenda = Agenda::unborn(BUSINESS);
        Self { agenda, moment: Moment::new(3, BIRTH), log: Vec::new() }
    }

    /// Asks in the request of this number.
    fn run(&mut self, number: u128, ask: Ask) -> Result<(), Rejection> {
        let mut caller = caller();
        caller.batch = batch(number);
        let mut events = Vec::new();
        let command = Command { caller, ask };
        let answer = self.agenda.decide(&(), command, &mut self.moment, &mut events);
        for event in &events {
            Agenda::encode(event, &mut self.log);
            self.agenda.apply(event);
        }
        answer.map(drop)
    }

    fn begin(&mut self, number: u128, records: u32) {
        let object = ObjectId::from_bytes([1; 16]);
        let new = NewBulk { kind: BulkKind::Archive, object, records };
        self.run(number, Ask::BeginBulk(new)).unwrap();
    }

    fn note(
        &mut self,
        number: u128,
        succeeded: u32,
        failed: usize,
        is_last: bool,
    ) -> Result<(), Rejection> {
        let id = batch(number);
        let note = BulkNote { id, succeeded, failures: failures(failed), is_last };
        self.run(number, Ask::NoteBulk(note))
    }

    fn action(&self, number: u128) -> Option<Arc<BulkAction>> {
        self.agenda.shown().bulk_action(batch(number))
    }

    fn pass(&mut self, ms: i64) {
        self.moment.set(Timestamp(self.moment.at().0 + ms));
    }

    /// Asserts that log and image give the same actions, in the same order.
    fn check(&self) {
        let mut replayed = Agenda::unborn(BUSINESS);
        replayed.replay(&self.log).unwrap();
        let image_of = |agenda: &Agenda| {
            let mut bytes = Vec::new();
            agenda.encode_image(&mut bytes);
            bytes
        };
        let image = image_of(&self.agenda);
        let loaded = Agenda::from_image(BUSINESS, &image).unwrap();
        for other in [replayed, loaded] {
            assert_eq!(image_of(&other), image);
            let sorted = |agenda: &Agenda| {
                let mut actions = agenda.shown().bulk_actions();
                actions.sort_by_key(|action| action.id);
                actions
            };
            assert_eq!(sorted(&other), sorted(&self.agenda));
            assert_eq!(other.bulk.failures, self.agenda.bulk.failures);
        }
    }
}

#[test]
fn what_is_noted_adds_up_and_the_last_note_ends_the_action() {
    let mut rig = Rig::new();
    rig.begin(1, 10);
    rig.check();
    rig.note(1, 3, 1, false).unwrap();
    let action = rig.action(1).unwrap();
    assert_eq!((action.succeeded, action.failed(), action.pending()), (3, 1, 6));
    assert_eq!((action.started, action.finished), (BIRTH, None));
    rig.check();
    rig.pass(70);
    rig.note(1, 4, 2, true).unwrap();
    let action = rig.action(1).unwrap();
    assert_eq!((action.succeeded, action.failed(), action.pending()), (7, 3, 0));
    assert_eq!(action.finished, Some(Timestamp(BIRTH.0 + 70)));
    assert_eq!(action.failures, failures(3));
    rig.check();
    assert_eq!(rig.note(2, 1, 0, true), Err(Rejection::NotFound));
}

#[test]
fn an_action_is_forgotten_after_seven_days() {
    let mut rig = Rig::new();
    rig.begin(1, 1);
    rig.pass(KEPT_MS - 1);
    assert!(rig.action(1).unwrap().is_kept(rig.moment.at()));
    rig.begin(2, 1);
    assert!(rig.action(1).is_some());
    rig.check();
    rig.pass(1);
    // Nobody is shown it any more, though it is there until something happens.
    assert!(!rig.action(1).unwrap().is_kept(rig.moment.at()));
    rig.note(2, 1, 0, true).unwrap();
    assert!(rig.action(1).is_none() && rig.action(2).is_some());
    assert_eq!(rig.note(1, 1, 0, true), Err(Rejection::NotFound));
    rig.check();
}

#[test]
fn the_oldest_actions_go_first_when_there_are_too_many() {
    let mut rig = Rig::new();
    let max = u128::try_from(ACTIONS_MAX).unwrap();
    (1..=max).for_each(|number| rig.begin(number, 1));
    assert!(rig.action(1).is_some());
    rig.begin(max + 1, 1);
    assert!(rig.action(1).is_none() && rig.action(2).is_some());
    assert_eq!(rig.agenda.shown().bulk_actions().len(), ACTIONS_MAX);
    rig.check();
}

#[test]
fn the_oldest_actions_go_first_when_too_much_has_failed() {
    let mut rig = Rig::new();
    let each = 1000;
    let max = u128::try_from(FAILURES_MAX / each).unwrap();
    for number in 1..=max {
        rig.begin(number, 1000);
        rig.note(number, 0, each, true).unwrap();
    }
    assert!(rig.action(1).is_some(), "as many as may be");
    rig.begin(max + 1, 1);
    assert!(rig.action(1).is_some(), "nothing more has failed");
    rig.note(max + 1, 0, 1, true).unwrap();
    assert!(rig.action(1).is_none() && rig.action(2).is_some());
    rig.check();
}

#[test]
fn an_agenda_of_before_bulk_actions_is_read() {
    #[derive(serde::Serialize)]
    struct Before {
        types: Vec<()>,
        activities: Vec<()>,
        received: BTreeMap<ObjectId, u64>,
    }
    let before = Before { types: vec![], activities: vec![], received: BTreeMap::new() };
    let mut bytes = Vec::new();
    crate::model::stored::encode(&before, &mut bytes);
    let agenda = Agenda::from_image(BUSINESS, &bytes).unwrap();
    assert_eq!(agenda.shown().bulk_actions(), []);
}
