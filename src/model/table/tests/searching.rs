//! Searches against a naive one: the same records judged, ordered and cut plainly.

use crate::model::access::Reach;
use crate::model::agenda;
use crate::model::catalog::member::Members;
use crate::model::filter::Filter;
use crate::model::filter::condition::{Asked, Condition};
use crate::model::filter::row::Surroundings;
use crate::model::filter::sort::{Position, Sort, SortField};
use crate::model::filter::words::Words;
use crate::model::id::{RecordId, Timestamp};
use crate::model::input::Input;
use crate::model::table::Shown;
use crate::model::table::command::Ask;
use crate::model::table::intent::Intent;
use crate::model::table::order::Wanted;
use crate::model::table::search::run::Run;
use crate::model::table::search::{Found, Interrupted, Search, Window};
use crate::model::table::test_support::{Rig, created, field, member, members, text};
use crate::model::value::{Change, Value};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

/// Three chunks of the creation order.
const RECORDS: u32 = 2_500;
const TEXTS: [&str; 6] = ["Alpha", "alpine", "Straße", "STRASSE", "beta", "Ähre"];

/// What a record is, as the naive search knows it.
#[derive(Clone, Debug)]
struct Plain {
    id: RecordId,
    word: Option<&'static str>,
    number: Option<i32>,
    is_archived: bool,
}

struct World {
    shown: Arc<Shown>,
    members: Members,
    agenda: agenda::Shown,
    /// In creation order, without those that were purged.
    records: Vec<Plain>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);
/// The same once more, searched by columns.
static WORLD_OF_COLUMNS: LazyLock<World> = LazyLock::new(|| {
    let world = World::new();
    world.shown.columns.use_from(0);
    world
});

impl World {
    fn new() -> Self {
        let mut rig = Rig::accounts();
        let word_field = rig.add_field(field("word", "text"));
        let number_field = rig.add_field(field("number", "integer"));
        let mut records = Vec::new();
        for index in 0..RECORDS {
            // Times pass now and then, so that some records are of one instant.
            rig.moment.set(Timestamp(rig.moment.at().0 + i64::from(index % 7 == 0)));
            let draw = |salt: u32, size: u32| (index.wrapping_mul(2_654_435_761) ^ salt) / 7 % size;
            let word = TEXTS.get(draw(1, 8) as usize).copied();
            let number = i32::try_from(draw(99, 25)).unwrap();
            let number = (number < 20).then_some(number - 5);
            let number_change =
                number.map_or(Change::Clear, |number| Change::Set(Value::Integer(number)));
            let writes =
                [(word_field, text(word.unwrap_or_default())), (number_field, number_change)];
            let upsert = Intent::of_identifier(
                rig.identifier(&format!("record {index}")),
                rig.writes(writes),
            );
            let id = created(rig.run(Ask::Upsert(Box::new(upsert))));
            let is_archived = index % 5 == 0;
            if is_archived {
                rig.run(Ask::Archive(id)).unwrap();
            }
            if index % 35 == 0 {
                rig.run(Ask::Purge(id)).unwrap();
            } else {
                records.push(Plain { id, word, number, is_archived });
            }
        }
        let agenda = agenda::Shown::default();
        Self { shown: rig.table.shown(), members: members(), agenda, records }
    }

    fn with<T>(&self, look: impl FnOnce(Surroundings<'_>) -> T) -> T {
        let schema = self.shown.schema();
        look(Surroundings {
            schema: &schema,
            tags: &self.shown.tags,
            members: &self.members,
            agenda: &self.agenda,
            tables: &|_| None,
            time_zone: &TimeZone::UTC,
            phone_region: "US",
            caller: member(1),
            now: Timestamp(0),
        })
    }

    /// Runs a search over the records, and over the columns of an equal table, by one thread and
    /// by three. All find the same.
    fn run(&self, search: &Search) -> Found {
        let found = self.with(|around| search.run(&self.shown, around, &|| true)).unwrap();
        let by_columns = &*WORLD_OF_COLUMNS;
        let other = by_columns.with(|around| search.run(&by_columns.shown, around, &|| true));
        assert_found(&found, &other.unwrap());
        let of_several = by_columns.with(|around| {
            let run = Run::new(search.clone(), &by_columns.shown, &around);
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        by_columns.with(|around| run.work(&by_columns.shown, around, &|| true));
                    });
                }
            });
            run.finish()
        });
        assert_found(&found, &of_several.unwrap());
        found
    }
}

fn assert_found(left: &Found, right: &Found) {
    assert_eq!((left.count, ids(left), &left.last), (right.count, ids(right), &right.last));
}

/// A filter as the test knows it.
#[derive(Clone, Debug)]
enum Tree {
    Word(&'static str, &'static str),
    Number(&'static str, i32),
    Between(i32, i32),
    Blank(&'static str, bool),
    Group(bool, Vec<Tree>),
}

impl Tree {
    /// As the server reads it.
    fn filter(&self, around: &Surroundings<'_>) -> Option<Filter> {
        let number = |number: &i32| Input::Number(number.to_string().into());
        let (name, word, value) = match self {
            Self::Word(word, text) => ("word", *word, Input::Text((*text).into())),
            Self::Number(word, value) => ("number", *word, number(value)),
            Self::Between(from, to) => {
                ("number", "between", Input::List(vec![number(from), number(to)]))
            }
            Self::Blank(name, is_blank) => (*name, "is_blank", Input::Boolean(*is_blank)),
            Self::Group(is_all, parts) => {
                let parts = parts.iter().filter_map(|part| part.filter(around)).collect();
                return Filter::group(*is_all, parts);
            }
        };
        let field = around.schema.by_name(name).unwrap();
        let asked = Asked { word, value: Some(&value) };
        Some(Filter::Condition(Condition::read(field, asked, around).unwrap()))
    }

    /// Whether it takes a record; none where it asks for nothing.
    fn takes(&self, record: &Plain) -> Option<bool> {
        let number = |holds: &dyn Fn(i32) -> bool| record.number.is_some_and(holds);
        Some(match self {
            Self::Word(word, part) => {
                let (is_negated, word) = match word.strip_prefix('!') {
                    Some("=") => (true, "="),
                    Some(word) => (true, word),
                    None => (false, *word),
                };
                let part = folded(part);
                let holds = record.word.map(folded).is_some_and(|text| match word {
                    "=" => text == part,
                    "contains" => text.contains(&part),
                    "starts_with" => text.starts_with(&part),
                    "ends_with" => text.ends_with(&part),
                    other => panic!("{other} is no condition of the test"),
                });
                holds != is_negated
            }
            Self::Number("=", value) => number(&|held| held == *value),
            Self::Number("!=", value) => !number(&|held| held == *value),
            Self::Number("<", value) => number(&|held| held < *value),
            Self::Number("<=", value) => number(&|held| held <= *value),
            Self::Number(">", value) => number(&|held| held > *value),
            Self::Number(_, value) => number(&|held| held >= *value),
            Self::Between(from, to) => number(&|held| (*from..=*to).contains(&held)),
            Self::Blank("word", is_blank) => record.word.is_none() == *is_blank,
            Self::Blank(_, is_blank) => record.number.is_none() == *is_blank,
            Self::Group(is_all, parts) => {
                let mut parts = parts.iter().filter_map(|part| part.takes(record)).peekable();
                parts.peek()?;
                if *is_all { parts.all(|part| part) } else { parts.any(|part| part) }
            }
        })
    }
}

/// Folding for the few texts of this test, by hand.
fn folded(text: &str) -> String {
    text.to_lowercase().replace('ß', "ss")
}

fn trees() -> impl Strategy<Value = Tree> {
    let of = |words: &[&'static str]| prop::sample::select(words.to_vec());
    let words = of(&[
        "=",
        "!=",
        "contains",
        "!contains",
        "starts_with",
        "!starts_with",
        "ends_with",
        "!ends_with",
    ]);
    let texts = of(&["alpha", "AL", "ss", "ß", "e", "ä", "Strasse", "a"]);
    let leaf = prop_oneof![
        (words, texts).prop_map(|(word, text)| Tree::Word(word, text)),
        (of(&["=", "!=", "<", "<=", ">", ">="]), -6..16)
            .prop_map(|(word, value)| Tree::Number(word, value)),
        (-6..16, -6..16).prop_map(|(from, to)| Tree::Between(from, to)),
        (of(&["word", "number"]), any::<bool>()).prop_map(|(name, is)| Tree::Blank(name, is)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        (any::<bool>(), prop::collection::vec(inner, 0..4))
            .prop_map(|(is_all, parts)| Tree::Group(is_all, parts))
    })
}

/// Fields of an order, each with whether it is descending.
type Keys = Vec<(&'static str, bool)>;

fn keys() -> impl Strategy<Value = Keys> {
    let key = (prop::sample::select(vec!["word", "number"]), any::<bool>());
    prop::collection::vec(key, 0..=2)
}

/// How two records stand, as the contract says: blanks last, closed by the id.
fn compare(keys: &Keys, left: &Plain, right: &Plain) -> Ordering {
    let with_blanks = |is_descending: bool, both: (bool, bool), rising: Ordering| match both {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if is_descending => rising.reverse(),
        (false, false) => rising,
    };
    let by_keys = keys.iter().map(|(name, is_descending)| {
        if *name == "word" {
            let blanks = (left.word.is_none(), right.word.is_none());
            let rising = left.word.map(folded).cmp(&right.word.map(folded));
            return with_blanks(*is_descending, blanks, rising);
        }
        let blanks = (left.number.is_none(), right.number.is_none());
        with_blanks(*is_descending, blanks, left.number.cmp(&right.number))
    });
    by_keys.fold(Ordering::Equal, Ordering::then).then(left.id.cmp(&right.id))
}

fn sort(keys: &Keys) -> Sort {
    let schema = WORLD.shown.schema();
    let field = |(name, is_descending): &(&str, bool)| SortField {
        field: schema.by_name(name).unwrap().clone(),
        is_descending: *is_descending,
    };
    Sort::new(keys.iter().map(field).collect())
}

fn search(tree: &Tree, keys: &Keys, wanted: Wanted, window: Window) -> Search {
    let filter = WORLD.with(|around| tree.filter(&around)).unwrap_or_else(Filter::everything);
    Search { wanted, reach: Reach::All, filter, words: None, sort: sort(keys), window }
}

/// All that is found, in order.
fn naive(tree: &Tree, keys: &Keys, wanted: Wanted) -> Vec<RecordId> {
    let is_wanted = |record: &&Plain| match wanted {
        Wanted::Live => !record.is_archived,
        Wanted::Archived => record.is_archived,
        Wanted::All => true,
    };
    let taken = |record: &&Plain| tree.takes(record).unwrap_or(true);
    let mut found: Vec<&Plain> = WORLD.records.iter().filter(is_wanted).filter(taken).collect();
    found.sort_by(|left, right| compare(keys, left, right));
    found.iter().map(|record| record.id).collect()
}

fn ids(found: &Found) -> Vec<RecordId> {
    found.records.iter().map(crate::model::table::record::Record::id).collect()
}

fn wanted() -> impl Strategy<Value = Wanted> {
    prop::sample::select(vec![Wanted::Live, Wanted::Archived, Wanted::All])
}

proptest! {
    // A failure prints its smallest input; no file of seeds is left in the tree.
    #![proptest_config(ProptestConfig {
        cases: 100, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_search_finds_what_a_naive_one_does(
        tree in trees(), keys in keys(), wanted in wanted(), start in 0..3_000_usize, len in 1..900_usize,
    ) {
        let expected = naive(&tree, &keys, wanted);
        let search = search(&tree, &keys, wanted, Window::Places(start..start + len));
        let found = WORLD.run(&search);
        prop_assert_eq!(found.count, expected.len());
        let end = expected.len().min(start + len);
        prop_assert_eq!(ids(&found), &expected[start.min(end)..end]);
        if search.is_plain() {
            let plain = search.run_plain(&WORLD.shown);
            prop_assert_eq!((plain.count, ids(&plain)), (found.count, ids(&found)));
        }
    }

    #[test]
    fn a_cursor_leads_through_what_a_naive_search_finds(
        tree in trees(), keys in keys(), wanted in wanted(), limit in 150..1_200_usize,
    ) {
        let expected = naive(&tree, &keys, wanted);
        let (mut met, mut position): (Vec<RecordId>, Option<Position>) = (Vec::new(), None);
        loop {
            let search = search(&tree, &keys, wanted, Window::Behind { position, limit });
            let found = WORLD.run(&search);
            prop_assert_eq!(found.count, expected.len());
            if search.is_plain() {
                let plain = search.run_plain(&WORLD.shown);
                prop_assert_eq!((ids(&plain), &plain.last), (ids(&found), &found.last));
            }
            met.extend(ids(&found));
            position = found.last;
            if position.is_none() {
                break;
            }
        }
        prop_assert_eq!(met, expected);
    }
}

#[test]
fn a_cursor_behind_a_purged_record_goes_on_with_the_next_one() {
    let everything = Tree::Group(true, Vec::new());
    let all = naive(&everything, &Vec::new(), Wanted::All);
    for neighbours in all.windows(2).step_by(7) {
        let between = |id: RecordId| RecordId(uuid::Uuid::from_u128(id.0.as_u128() + 1));
        let position = Some(Position { keys: Vec::new(), id: between(neighbours[0]) });
        let window = Window::Behind { position, limit: 1 };
        let search = search(&everything, &Vec::new(), Wanted::All, window);
        assert_eq!(ids(&search.run_plain(&WORLD.shown)), [neighbours[1]]);
        assert_eq!(ids(&WORLD.run(&search)), [neighbours[1]]);
    }
    let last = Some(Position { keys: Vec::new(), id: RecordId(uuid::Uuid::max()) });
    let window = Window::Behind { position: last, limit: 1 };
    let search = search(&everything, &Vec::new(), Wanted::All, window);
    assert_eq!(ids(&search.run_plain(&WORLD.shown)), []);
}

#[test]
fn a_search_asks_after_each_chunk_whether_it_goes_on() {
    let everything = Tree::Blank("word", true);
    let search = search(&everything, &Vec::new(), Wanted::All, Window::Places(0..10));
    for allowed in 0..3 {
        let asked = std::cell::Cell::new(0);
        let goes_on = || {
            asked.set(asked.get() + 1);
            asked.get() <= allowed
        };
        let found = WORLD.with(|around| search.run(&WORLD.shown, around, &goes_on));
        assert_eq!(found.err(), Some(Interrupted));
        assert_eq!(asked.get(), allowed + 1, "it ends where it was told to");
    }
    assert!(WORLD.run(&search).count > 100);
}

#[test]
fn words_are_looked_for_in_every_chunk() {
    let schema = WORLD.shown.schema();
    let words = Words::new("TRASSE s", vec![schema.by_name("word").unwrap().clone()]);
    let everything = Tree::Group(true, Vec::new());
    let mut search = search(&everything, &Vec::new(), Wanted::All, Window::Places(0..1_000));
    search.words = words;
    let is_found = |record: &&Plain| record.word.is_some_and(|word| folded(word) == "strasse");
    let expected: Vec<_> = WORLD.records.iter().filter(is_found).map(|record| record.id).collect();
    assert!(expected.len() > 100);
    assert_eq!(ids(&WORLD.run(&search)), expected);
}
