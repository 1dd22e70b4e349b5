//! Searches by columns while records change under them: each record is judged in one state.

use crate::model::access::Reach;
use crate::model::agenda;
use crate::model::filter::Filter;
use crate::model::filter::row::Surroundings;
use crate::model::filter::sort::{Sort, SortField};
use crate::model::id::{FieldNumber, Timestamp};
use crate::model::input::Input;
use crate::model::table::Shown;
use crate::model::table::order::{CHUNK, Wanted};
use crate::model::table::record::Record;
use crate::model::table::search::{Found, Search, Window};
use crate::model::table::test_support::{member, members, text};
use crate::model::table::tests::columns::World;
use crate::model::value::{Change, ListChange, TagRef, Value};
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Two states in which a record may be: what it is asked in each, field by field.
struct States {
    shown: Arc<Shown>,
    asked: [[Filter; 3]; 2],
    sort: Sort,
    records: usize,
}

impl States {
    fn new(world: &World) -> Self {
        let ask = |name, word, value: &'static str| {
            world.condition(&(name, word, Input::Text(value.into())))
        };
        let asked = [("state 0", "1000"), ("state 1", "1001")].map(|(value, number)| {
            [ask("text", "=", value), ask("integer", "=", number), ask("dynamictags", "has", value)]
        });
        let field = world.rig.schema().by_name("integer").unwrap().clone();
        let sort = Sort::new(vec![SortField { field, is_descending: true }]);
        Self { shown: world.shown.clone(), asked, sort, records: world.ids.len() }
    }

    /// Whoever is in these states by the first, the second and the third field.
    fn of(&self, fields: [usize; 3]) -> Filter {
        Filter::All((0..3).map(|at| self.asked[fields[at]][at].clone()).collect())
    }

    fn find(&self, filter: Filter, is_sorted: bool) -> Found {
        let sort = if is_sorted { self.sort.clone() } else { Sort::default() };
        let (wanted, window) = (Wanted::Live, Window::Places(0..self.records));
        let search = Search { wanted, reach: Reach::All, filter, words: None, sort, window };
        let (schema, members, agenda) = (self.shown.schema(), members(), agenda::Shown::default());
        let around = Surroundings {
            schema: &schema,
            tags: &self.shown.tags,
            members: &members,
            agenda: &agenda,
            time_zone: &TimeZone::UTC,
            phone_region: "US",
            caller: member(1),
            now: Timestamp(0),
        };
        search.run(&self.shown, around, &|| true).unwrap()
    }

    /// Looks over and over until it is over.
    fn look(&self, is_sorted: bool, is_over: &AtomicBool, numbers: FieldNumber) {
        while !is_over.load(SeqCst) {
            for mixed in [[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 0], [0, 1, 1]] {
                let found = self.find(self.of(mixed), is_sorted);
                assert_eq!((found.count, found.records.len()), (0, 0), "{mixed:?}");
            }
            let either = Filter::Any(vec![self.of([0; 3]), self.of([1; 3])]);
            let found = self.find(either, is_sorted);
            assert_eq!((found.count, found.records.len()), (self.records, self.records));
            let found = self.find(self.of([1; 3]), is_sorted);
            assert_eq!(found.count, found.records.len());
            // 1001 in its stored form.
            let is_in_state =
                |record: &Record| record.value(numbers) == Some(&[0xcd, 0x03, 0xe9][..]);
            assert!(found.records.iter().all(is_in_state));
        }
    }
}

#[test]
fn a_record_is_in_one_state_for_all_columns() {
    let mut world = World::new();
    world.add(CHUNK + 200);
    let number = |name| world.fields.iter().find(|(known, _)| *known == name).unwrap().1;
    let (texts, numbers, tags) = (number("text"), number("integer"), number("dynamictags"));
    let write = |world: &mut World, id, state: i32| {
        let name = format!("state {state}");
        let tag = TagRef::Named(name.as_str().into());
        let writes = vec![
            (texts, text(&name)),
            (numbers, Change::Set(Value::Integer(1_000 + state))),
            (tags, Change::Tags(ListChange::Replace(vec![tag]))),
        ];
        world.write(id, writes);
    };
    for state in [1, 0] {
        for id in world.ids.clone() {
            write(&mut world, id, state);
        }
    }
    world.shown.columns.use_from(0);
    let states = States::new(&world);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (states, is_over) = (&states, &is_over);
        let looking = [false, true]
            .map(|is_sorted| scope.spawn(move || states.look(is_sorted, is_over, numbers)));
        for round in 0..1_500 {
            let id = world.ids[(round * 37) % world.ids.len()];
            write(&mut world, id, i32::from(round % 3 != 0));
        }
        is_over.store(true, SeqCst);
        for looking in looking {
            looking.join().unwrap();
        }
    });
}
