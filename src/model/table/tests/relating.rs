//! Related records: both sides of each relation against plain lists, applied late, through the log
//! and through an image.

use crate::model::access::ObjectAccess;
use crate::model::id::{FieldId, FieldNumber, ObjectId, Position, RecordId};
use crate::model::schema::new_field::NewField;
use crate::model::schema::relation::{NewRelation, Relation, RelationType};
use crate::model::table::command::{
    Add, ArchivedConflict, ArchivedMatch, Ask, Extent, RestoreConflict, Unarchive, Update,
};
use crate::model::table::link::{Link, Side};
use crate::model::table::others::{OtherTables, Others};
use crate::model::table::record::Record;
use crate::model::table::test_support::{Rig, assert_same, created, field, member, text};
use crate::model::table::tests::images::built;
use crate::model::table::{Shown, Table};
use crate::model::value::{Change, ListChange, Value};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

const OWNERS: usize = 5;
const TARGETS: usize = 4;
/// The relations, and what the mirror of each holds.
const TYPES: [RelationType; 3] =
    [RelationType::Primary, RelationType::OneToOne, RelationType::Additional];

#[derive(Clone, Debug)]
enum Step {
    /// Sets a field to these, of which a field of one takes the last; none clears.
    Set {
        owner: usize,
        field: usize,
        targets: Vec<usize>,
    },
    Edit {
        owner: usize,
        field: usize,
        add: Vec<usize>,
        remove: Vec<usize>,
    },
    ArchiveOwner(usize),
    UnarchiveOwner(usize),
    PurgeOwner(usize),
    ArchiveTarget(usize),
    UnarchiveTarget(usize),
    PurgeTarget(usize),
    /// Applies the oldest commit that is not.
    Apply,
}

fn any_step() -> impl Strategy<Value = Step> {
    let targets = || prop::collection::vec(0..TARGETS, 0..4);
    let place = || (0..OWNERS, 0..TYPES.len());
    prop_oneof![
        8 => (place(), targets())
            .prop_map(|((owner, field), targets)| Step::Set { owner, field, targets }),
        8 => (place(), targets(), targets()).prop_map(
            |((owner, field), add, remove)| Step::Edit { owner, field, add, remove }
        ),
        2 => (0..OWNERS).prop_map(Step::ArchiveOwner),
        3 => (0..OWNERS).prop_map(Step::UnarchiveOwner),
        1 => (0..OWNERS).prop_map(Step::PurgeOwner),
        3 => (0..TARGETS).prop_map(Step::ArchiveTarget),
        2 => (0..TARGETS).prop_map(Step::UnarchiveTarget),
        1 => (0..TARGETS).prop_map(Step::PurgeTarget),
        6 => Just(Step::Apply),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Live,
    Archived,
    Purged,
}

/// What an owner should be: its state, its version, and what it is related to.
#[derive(Clone, Debug)]
struct Plain {
    state: State,
    version: u32,
    related: [Vec<usize>; 3],
}

/// Owners and their targets, and what both should be.
struct Play {
    owners: Rig,
    targets: Rig,
    fields: [FieldNumber; 3],
    owner_ids: Vec<RecordId>,
    target_ids: Vec<RecordId>,
    plain: Vec<Plain>,
    target_states: [State; TARGETS],
}

/// The targets, as decisions about their owners find them.
struct Targets(Arc<Shown>);

impl OtherTables for Targets {
    fn shown(&self, _: ObjectId) -> Option<Arc<Shown>> {
        Some(self.0.clone())
    }
}

fn add(rig: &mut Rig, name: &str) -> RecordId {
    let writes = rig.writes([(rig.schema().identifier().number, text(name))]);
    let (archived_match, restore_conflict) = (ArchivedMatch::Prompt, RestoreConflict::Refuse);
    created(rig.run(Ask::Add(Box::new(Add { writes, archived_match, restore_conflict }))))
}

impl Play {
    fn new() -> Self {
        let (mut owners, mut targets) = (Rig::accounts(), Rig::accounts());
        // Both rigs draw the same ids: with one more here none means the same in both.
        add(&mut targets, "filler");
        let (owner_object, target_object) =
            (ObjectId(Uuid::from_u128(1)), ObjectId(Uuid::from_u128(2)));
        let side = |at: usize, is_mirror: bool| {
            let ids = [10, 20].map(|base| FieldId(Uuid::from_u128(base + at as u128)));
            let [own, other] = if is_mirror { [ids[1], ids[0]] } else { ids };
            let relation_type = if is_mirror { TYPES[at].reverse() } else { TYPES[at] };
            let relation = Relation {
                relation_type,
                object: if is_mirror { owner_object } else { target_object },
                field: other,
                is_mirror,
                is_pending: false,
                related_name: "other".to_owned(),
                related_category: None,
            };
            NewField {
                relation: Some(NewRelation { own, relation }),
                ..field(&format!("relation_{at}"), "relationship")
            }
        };
        let fields = [0, 1, 2].map(|at| {
            let mirror = targets.add_field(side(at, true));
            let owner = owners.add_field(side(at, false));
            assert_eq!(mirror, owner, "both schemas began alike");
            owner
        });
        let owner_ids = (0..OWNERS).map(|at| add(&mut owners, &format!("owner {at}"))).collect();
        let target_ids =
            (0..TARGETS).map(|at| add(&mut targets, &format!("target {at}"))).collect();
        let new = Plain { state: State::Live, version: 1, related: Default::default() };
        let (plain, target_states) = (vec![new; OWNERS], [State::Live; TARGETS]);
        owners.caller.others = Others::of(Arc::new(Targets(targets.table.shown.clone())));
        Self { owners, targets, fields, owner_ids, target_ids, plain, target_states }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Set { owner, field, targets } => {
                let ids = self.ids(targets);
                let change = match (TYPES[*field].is_to_many(), ids.last()) {
                    (_, None) => Change::Clear,
                    (true, Some(_)) => Change::Records(ListChange::Replace(ids.clone())),
                    (false, Some(last)) => Change::Set(Value::Record(*last)),
                };
                self.write(*owner, *field, change);
                let states = self.target_states;
                self.expect(*owner, *field, |held| {
                    if TYPES[*field].is_to_many() {
                        return replaced(held, targets, states);
                    }
                    // One that comes back is not cleared, and one that never does reads blank.
                    let is_kept = |target: &&usize| states[**target] != State::Live;
                    let kept = held.iter().filter(is_kept);
                    if targets.is_empty() { kept.copied().collect() } else { targets.clone() }
                });
            }
            Step::Edit { owner, field, add, remove } => {
                let list = ListChange::Edit { add: self.ids(add), remove: self.ids(remove) };
                self.write(*owner, *field, Change::Records(list));
                let states = self.target_states;
                let is_gone = |target: &usize| states[*target] == State::Purged;
                self.expect(*owner, *field, |held| {
                    let kept = held.iter().filter(|it| !remove.contains(it) || is_gone(it));
                    kept.chain(add).copied().collect()
                });
            }
            Step::ArchiveOwner(at) => {
                let answer = self.owners.decide(Ask::Archive(self.owner_ids[*at]));
                assert_eq!(answer.is_ok(), self.plain[*at].state == State::Live);
                if answer.is_ok() {
                    self.plain[*at].state = State::Archived;
                    self.plain[*at].version += 1;
                }
            }
            Step::UnarchiveOwner(at) => self.unarchive_owner(*at),
            Step::PurgeOwner(at) => {
                let answer = self.owners.decide(Ask::Purge(self.owner_ids[*at]));
                assert_eq!(answer.is_ok(), self.plain[*at].state == State::Archived);
                if answer.is_ok() {
                    self.plain[*at].state = State::Purged;
                }
            }
            Step::ArchiveTarget(at) => {
                let answer = self.targets.run(Ask::Archive(self.target_ids[*at]));
                self.turn_target(*at, answer.is_ok(), (State::Live, State::Archived));
            }
            Step::UnarchiveTarget(at) if self.target_states[*at] == State::Live => {}
            Step::UnarchiveTarget(at) => {
                let answer = self.targets.run(restored(self.target_ids[*at]));
                self.turn_target(*at, answer.is_ok(), (State::Archived, State::Live));
            }
            Step::PurgeTarget(at) => {
                let answer = self.targets.run(Ask::Purge(self.target_ids[*at]));
                self.turn_target(*at, answer.is_ok(), (State::Archived, State::Purged));
            }
            Step::Apply => drop(self.owners.apply_one()),
        }
    }

    /// A target is in another state now, if it was in the right one.
    fn turn_target(&mut self, at: usize, is_done: bool, (from, to): (State, State)) {
        assert_eq!(is_done, self.target_states[at] == from);
        if is_done {
            self.target_states[at] = to;
        }
    }

    fn unarchive_owner(&mut self, at: usize) {
        let answer = self.owners.decide(restored(self.owner_ids[at]));
        assert_eq!(answer.is_ok(), self.plain[at].state != State::Purged);
        if self.plain[at].state != State::Archived {
            return;
        }
        let exclusive = 1;
        let taken = self.plain.iter().filter(|other| other.state == State::Live);
        let taken: Vec<usize> = taken.flat_map(|other| other.related[exclusive].clone()).collect();
        let own = &mut self.plain[at];
        own.state = State::Live;
        own.version += 1;
        own.related[exclusive].retain(|target| !taken.contains(target));
    }

    fn ids(&self, targets: &[usize]) -> Vec<RecordId> {
        targets.iter().map(|at| self.target_ids[*at]).collect()
    }

    fn write(&mut self, owner: usize, field: usize, change: Change) {
        let writes = self.owners.writes([(self.fields[field], change)]);
        let (id, archived_conflict) = (self.owner_ids[owner], ArchivedConflict::Refuse);
        let update = Update { id, writes, archived_conflict, extent: Extent::Mentioned };
        let answer = self.owners.decide(Ask::Update(Box::new(update)));
        assert_eq!(answer.is_ok(), self.plain[owner].state == State::Live);
    }

    /// What a live owner is related to after a write, and who loses it.
    fn expect(&mut self, owner: usize, field: usize, list: impl FnOnce(&[usize]) -> Vec<usize>) {
        if self.plain[owner].state != State::Live {
            return;
        }
        let before = self.plain[owner].related[field].clone();
        let listed = list(&before);
        let after = if TYPES[field].is_to_many() {
            distinct(&listed)
        } else {
            // What is added comes last and takes the place of what was there.
            listed.last().copied().into_iter().collect()
        };
        if after == before {
            return;
        }
        if TYPES[field] == RelationType::OneToOne {
            for other in self.plain.iter_mut().filter(|other| other.state == State::Live) {
                if after.iter().any(|target| other.related[field].contains(target)) {
                    other.related[field].clear();
                    other.version += 1;
                }
            }
        }
        self.plain[owner].related[field] = after;
        self.plain[owner].version += 1;
    }

    fn assert_agrees(&mut self) {
        self.owners.apply_all();
        let rows = self.owner_ids.iter().zip(&self.plain);
        for (id, plain) in rows.clone() {
            let record = self.owners.table.shown.record(*id);
            assert_eq!(record.is_none(), plain.state == State::Purged);
            if let Some(record) = record {
                assert_eq!(record.version().0, plain.version);
            }
        }
        check(&self.owners.table, &self.targets.table, self);
        self.owners.check();
        let replayed = self.owners.replayed();
        check(&replayed, &self.targets.table, self);
        let loaded = built(&self.owners.table.open_image(Position(1)));
        assert_same(&loaded, &self.owners.table);
        check(&loaded, &self.targets.table, self);
    }
}

/// Both sides of each relation are what they should be, from either.
fn check(owners: &Table, targets: &Table, play: &Play) {
    let tables = |object: ObjectId| -> Option<Side> {
        let is_owners = object == ObjectId(Uuid::from_u128(1));
        let shown = if is_owners { owners.shown.clone() } else { targets.shown.clone() };
        Some(Side { shown, access: ObjectAccess::everything(member(1)) })
    };
    for (at, number) in play.fields.into_iter().enumerate() {
        let link = |table: &Table| {
            let schema = table.shown.schema();
            Link::of(schema.by_number(number).unwrap(), &tables).unwrap()
        };
        let shown = |link: &Link, record: &Record| {
            let mut ids = Vec::new();
            link.each(record, &mut |found| {
                ids.push(found.id());
                true
            });
            let first = link.first(record, 1);
            assert_eq!(first.count, ids.len());
            assert_eq!(first.records.first().map(Record::id), ids.first().copied());
            assert_eq!(link.is_blank(record), ids.is_empty());
            ids
        };
        let (forth, back) = (link(owners), link(targets));
        let is_shown = |target: &usize| play.target_states[*target] == State::Live;
        for (id, plain) in play.owner_ids.iter().zip(&play.plain) {
            let Some(record) = owners.shown.record(*id) else { continue };
            let expected: Vec<usize> = plain.related[at].iter().copied().filter(is_shown).collect();
            assert_eq!(shown(&forth, &record), play.ids(&expected));
            for (target, target_id) in play.target_ids.iter().enumerate() {
                let wanted = forth.wanted(&[*target_id]);
                assert_eq!(forth.has_all(&record, &wanted), expected.contains(&target));
            }
        }
        for (target, id) in play.target_ids.iter().enumerate() {
            let Some(record) = targets.shown.record(*id) else { continue };
            let leads =
                |plain: &Plain| plain.state == State::Live && plain.related[at].contains(&target);
            let rows = play.owner_ids.iter().zip(&play.plain);
            let expected: Vec<RecordId> =
                rows.filter(|(_, plain)| leads(plain)).map(|(id, _)| *id).collect();
            assert_eq!(shown(&back, &record), expected);
            for owner in &play.owner_ids {
                let wanted = back.wanted(&[*owner]);
                assert_eq!(back.has_any(&record, &wanted), expected.contains(owner));
            }
        }
    }
}

/// What a list that replaces another makes of it: what is archived stays, what is purged goes; a
/// list that reads so already stays as it is.
fn replaced(held: &[usize], given: &[usize], states: [State; TARGETS]) -> Vec<usize> {
    let given = distinct(given);
    let is_seen = |target: &&usize| given.contains(target) || states[**target] == State::Live;
    if held.iter().filter(is_seen).eq(&given) {
        return held.to_vec();
    }
    let is_away = |target: &&usize| !given.contains(target) && states[**target] == State::Archived;
    given.iter().chain(held.iter().filter(is_away)).copied().collect()
}

fn distinct(list: &[usize]) -> Vec<usize> {
    let mut distinct = Vec::new();
    for target in list {
        if !distinct.contains(target) {
            distinct.push(*target);
        }
    }
    distinct
}

fn restored(id: RecordId) -> Ask {
    let restore_conflict = RestoreConflict::Refuse;
    Ask::Unarchive(Unarchive { id, identifier: None, restore_conflict })
}

proptest! {
    #[test]
    fn both_sides_of_a_relation_agree(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut play = Play::new();
        for step in &steps {
            play.step(step);
        }
        play.assert_agrees();
    }
}
