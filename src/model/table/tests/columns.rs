//! Searches by columns against the same searches by records: every type of field and everything it
//! may be asked, while records come, change and go; and what a column costs and when it goes.

use crate::model::access::Reach;
use crate::model::agenda;
use crate::model::catalog::member::Members;
use crate::model::filter::Filter;
use crate::model::filter::condition::{Asked, Condition};
use crate::model::filter::row::Surroundings;
use crate::model::filter::sort::{Sort, SortField};
use crate::model::filter::words::Words;
use crate::model::id::{Day, FieldNumber, FileId, OptionNumber, RecordId, Timestamp};
use crate::model::input::Input;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::system;
use crate::model::table::Shown;
use crate::model::table::command::{
    Add, ArchivedConflict, ArchivedMatch, Ask, Extent, RestoreConflict, Unarchive, Update,
};
use crate::model::table::order::{CHUNK, Wanted};
use crate::model::table::record::Record;
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::search::{Found, Search, Window};
use crate::model::table::test_support::{Rig, created, field, member, members, text};
use crate::model::value::{Change, ListChange, TagRef, Value};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::sync::Arc;
use uuid::Uuid;

const NEVER: usize = usize::MAX;
const WORDS: [&str; 6] = ["Alpha", "alpine", "Straße", "STRASSE beta", "Ähre", "x"];
const TYPES: [&str; 18] = [
    "text",
    "mail",
    "phonenumber",
    "timezone",
    "longtext",
    "integer",
    "decimal",
    "money",
    "rating",
    "date",
    "datetime",
    "checkbox",
    "dropdown",
    "checkboxes",
    "dynamictags",
    "team_selector",
    "selector",
    "files",
];

/// A table with a field of each type, named like it; "email" is a name that none may have.
pub(super) struct World {
    pub(super) rig: Rig,
    pub(super) shown: Arc<Shown>,
    pub(super) fields: Vec<(&'static str, FieldNumber)>,
    pub(super) ids: Vec<RecordId>,
    members: Members,
    agenda: agenda::Shown,
    /// Draws what is written.
    state: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let mut rig = Rig::accounts();
        let option = |name: &str| NewOption { name: Some(name.into()), ..NewOption::default() };
        let mut fields = Vec::new();
        for name in TYPES {
            let has_options = matches!(name, "dropdown" | "checkboxes" | "selector");
            let new = NewField {
                options: has_options.then(|| ["a", "b", "c", "d"].map(option).to_vec()),
                allow_multiple: (name == "team_selector").then_some(true),
                ..field(name, if name == "mail" { "email" } else { name })
            };
            fields.push((name, rig.add_field(new)));
        }
        let (shown, agenda) = (rig.table.shown(), agenda::Shown::default());
        shown.columns.use_from(NEVER);
        Self { rig, shown, fields, ids: Vec::new(), members: members(), agenda, state: 1 }
    }

    fn draw(&mut self, size: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
        (self.state >> 33) % size
    }

    fn option(&self, name: &str, at: u64) -> OptionNumber {
        let schema = self.rig.schema();
        let options = &schema.by_name(name).unwrap().options;
        options.iter().nth(usize::try_from(at).unwrap() % options.len()).unwrap().number
    }

    /// A value of a field, or none.
    fn change(&mut self, name: &str) -> Change {
        let draw = self.draw(40);
        let (small, number) = (i32::try_from(draw).unwrap() - 12, i64::try_from(draw).unwrap());
        if draw < 8 && name != "checkbox" {
            return if name == "dynamictags" {
                Change::Tags(ListChange::Replace(Vec::new()))
            } else {
                Change::Clear
            };
        }
        let word = WORDS[usize::try_from(draw).unwrap() % WORDS.len()];
        Change::Set(match name {
            "text" | "longtext" => return text(&format!("{word} {}", draw % 3)),
            "mail" => return text(&format!("m{draw}@{}.example", draw % 4)),
            "phonenumber" => return text(&format!("+1202555{:04}", draw * 7)),
            "timezone" => {
                return text(
                    ["Europe/Paris", "UTC", "Asia/Tokyo"][usize::try_from(draw % 3).unwrap()],
                );
            }
            "integer" => Value::Integer(small),
            "rating" => Value::Integer(small.rem_euclid(5) + 1),
            "decimal" | "money" => Value::Decimal(Decimal::new(number * 25 - 400, 2)),
            "date" => Value::Date(Day(small * 20)),
            "datetime" => Value::Datetime(Timestamp(i64::from(small) * 1_500_000_000)),
            "checkbox" => Value::Boolean(draw.is_multiple_of(3)),
            "dropdown" | "selector" => Value::Choice(self.option(name, draw % 4)),
            "checkboxes" => {
                let (first, second) =
                    (self.option(name, draw % 2), self.option(name, 2 + draw % 2));
                Value::Choices(if draw.is_multiple_of(3) {
                    vec![first]
                } else {
                    vec![second, first]
                })
            }
            "dynamictags" => {
                let named = |at: u64| TagRef::Named(format!("tag {}", at % 14).into());
                let tags = (draw..=draw + draw % 4).map(named).collect();
                return Change::Tags(ListChange::Replace(tags));
            }
            "team_selector" => {
                let (one, other) = (u8::try_from(draw % 3).unwrap() + 1, 4);
                return Change::Members(ListChange::Replace(vec![member(one), member(other)]));
            }
            "files" => {
                let ids = (0..=draw % 3).map(|at| FileId(Uuid::from_u128(at.into())));
                Value::Files(ids.collect())
            }
            other => panic!("no values of {other}"),
        })
    }

    pub(super) fn add(&mut self, count: usize) {
        for _ in 0..count {
            let name = format!("{} {}", WORDS[self.ids.len() % 6], self.ids.len());
            let mut writes = vec![(system::NAME, text(&name))];
            for (name, number) in self.fields.clone() {
                writes.push((number, self.change(name)));
            }
            let writes = self.rig.writes(writes);
            let (archived_match, restore_conflict) =
                (ArchivedMatch::Prompt, RestoreConflict::Refuse);
            let add = Add { writes, archived_match, restore_conflict };
            self.ids.push(created(self.rig.run(Ask::Add(Box::new(add)))));
        }
    }

    pub(super) fn write(&mut self, id: RecordId, writes: Vec<(FieldNumber, Change)>) {
        let writes = self.rig.writes(writes);
        let archived_conflict = ArchivedConflict::Refuse;
        let update = Update { id, writes, archived_conflict, extent: Extent::Mentioned };
        self.rig.run(Ask::Update(Box::new(update))).unwrap();
    }

    /// Changes, archives, restores and purges some.
    fn stir(&mut self, count: usize) {
        for _ in 0..count {
            let len = u64::try_from(self.ids.len()).unwrap();
            let at = usize::try_from(self.draw(len)).unwrap();
            let id = self.ids[at];
            let Some(record) = self.shown.record(id) else { continue };
            let lot = self.draw(12);
            if record.is_archived() {
                let restore_conflict = RestoreConflict::Refuse;
                let unarchive = Unarchive { id, identifier: None, restore_conflict };
                let ask = if lot < 3 { Ask::Purge(id) } else { Ask::Unarchive(unarchive) };
                self.rig.run(ask).unwrap();
            } else if lot == 0 {
                self.rig.run(Ask::Archive(id)).unwrap();
            } else {
                let at = usize::try_from(self.draw(u64::try_from(TYPES.len()).unwrap())).unwrap();
                let (name, number) = self.fields[at];
                let change = self.change(name);
                self.write(id, vec![(number, change)]);
            }
        }
    }

    fn with<T>(&self, look: impl FnOnce(Surroundings<'_>) -> T) -> T {
        let schema = self.shown.schema();
        look(Surroundings {
            schema: &schema,
            tags: &self.shown.tags,
            members: &self.members,
            agenda: &self.agenda,
            time_zone: &TimeZone::get("Asia/Tokyo").unwrap(),
            phone_region: "US",
            caller: member(1),
            now: Timestamp(0),
        })
    }

    pub(super) fn condition(&self, (name, word, value): &Question) -> Filter {
        self.with(|around| {
            let field = around.schema.by_name(name).unwrap();
            let asked = Asked { word, value: Some(value) };
            let condition = Condition::read(field, asked, &around);
            Filter::Condition(condition.unwrap_or_else(|fault| panic!("{name} {word}: {fault}")))
        })
    }

    fn run(&self, search: &Search) -> Found {
        self.with(|around| search.run(&self.shown, around, &|| true)).unwrap()
    }

    /// Runs all searches by records and by columns.
    fn check<'a>(&self, searches: impl Iterator<Item = &'a Search>) {
        for search in searches {
            self.shown.columns.use_from(NEVER);
            let by_records = self.run(search);
            self.shown.columns.use_from(0);
            let by_columns = self.run(search);
            self.shown.columns.use_from(NEVER);
            let seen = |found: &Found| {
                let ids: Vec<_> = found.records.iter().map(Record::id).collect();
                (found.count, ids, found.last.clone())
            };
            assert_eq!(seen(&by_columns), seen(&by_records), "{search:#?}");
        }
    }

    fn sorts(&self) -> Vec<Sort> {
        let schema = self.rig.schema();
        let mut sorts = vec![Sort::default()];
        let names = TYPES.into_iter().chain(["name", "created", "display_name"]);
        for field in names.map(|name| schema.by_name(name).unwrap()) {
            for is_descending in [false, true] {
                if Sort::may_sort(field) {
                    let first = SortField { field: field.clone(), is_descending };
                    let other = schema.by_name("integer").unwrap().clone();
                    let second = SortField { field: other, is_descending: !is_descending };
                    sorts.push(Sort::new(vec![first.clone()]));
                    sorts.push(Sort::new(vec![first, second]));
                }
            }
        }
        sorts
    }
}

/// A field, what it is asked, and with which value.
pub(super) type Question = (&'static str, &'static str, Input<'static>);

fn list(values: &[&'static str]) -> Input<'static> {
    Input::List(values.iter().map(|value| Input::Text((*value).into())).collect())
}

const TEXTS: &[&str] =
    &["=", "!=", "contains", "!contains", "starts_with", "!ends_with", "ends_with"];
const ORDERED: &[&str] = &["=", "!=", "<", "<=", ">", ">="];
const LISTS: &[&str] = &["has", "!has", "has_any", "has_none"];

/// Fields, what each of them is asked, and with which values.
type Asking = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);
const ASKED: &[Asking] = &[
    (&["text"], TEXTS, &["alpha 1", "AL", "ss", "ä", "2"]),
    (&["name", "display_name"], TEXTS, &["alpha 0", "1", "strasse"]),
    (&["mail"], TEXTS, &["m9@1.example", "@1", "1"]),
    (&["longtext"], &["contains"], &["alp"]),
    (&["phonenumber"], &["=", "contains"], &["+1 202 555 0063", "555-01", "9"]),
    (&["timezone"], &["=", "!="], &["utc", "asia/tokyo"]),
    (
        &["integer", "decimal", "money"],
        ORDERED,
        &["0", "-1.25", "3", "2.5", "12345678901234.123456"],
    ),
    (&["rating"], ORDERED, &["3", "5"]),
    (&["date"], ORDERED, &["1970-01-21", "1969-12-12"]),
    (&["date"], &["month_equals"], &["1", "12"]),
    (&["datetime"], ORDERED, &["1970-01-18", "1970-02-04T16:00:00Z"]),
    (&["datetime"], &["month_equals"], &["1", "2"]),
    (&["created"], ORDERED, &["2023-11-14"]),
    (&["checkbox"], &["="], &["true", "false"]),
    (&["dropdown"], &["=", "!="], &["a", "d"]),
    (&["selector"], &["=", "!="], &["b"]),
    (&["checkboxes"], LISTS, &["a", "c"]),
    (&["dynamictags"], LISTS, &["tag 3", "no such tag"]),
    (&["team_selector"], &["=", "!="], &["is_me"]),
    (&["files"], &["<", ">", ">="], &["2"]),
];

/// Every condition of every type.
fn questions() -> Vec<Question> {
    let mut questions = Vec::new();
    for (names, words, values) in ASKED {
        for name in *names {
            for word in *words {
                let values = values.iter().map(|value| Input::Text((*value).into()));
                questions.extend(values.map(|value| (*name, *word, value)));
            }
        }
    }
    for name in ["integer", "decimal", "money"] {
        questions.push((name, "between", list(&["-2", "4.5"])));
        questions.push((name, "between", list(&["4", "-2"])));
    }
    questions.push(("rating", "is_any_of", list(&["2", "5"])));
    questions.push(("rating", "is_none_of", list(&["2"])));
    questions.push(("timezone", "is_any_of", list(&["utc", "Europe/Paris"])));
    questions.push(("dropdown", "is_any_of", list(&["a", "b", "c"])));
    questions.push(("dropdown", "is_none_of", list(&["a", "b"])));
    questions.push(("checkboxes", "has_all", list(&["a", "c"])));
    questions.push(("checkboxes", "!has_any", list(&["a", "c"])));
    questions.push(("dynamictags", "has_all", list(&["tag 3", "tag 4"])));
    questions.push(("dynamictags", "has_all", list(&["tag 3", "no such tag"])));
    let many: Vec<String> = (0..11).map(|at| format!("tag {at}")).collect();
    let many = many.into_iter().map(|tag| Input::Text(tag.into())).collect();
    questions.push(("dynamictags", "has_any", Input::List(many)));
    questions.push((
        "team_selector",
        "is_none_of",
        list(&["02020202-0202-0202-0202-020202020202", "03030303-0303-0303-0303-030303030303"]),
    ));
    for name in TYPES.into_iter().filter(|name| *name != "checkbox") {
        questions.push((name, "is_blank", Input::Boolean(true)));
        questions.push((name, "is_blank", Input::Boolean(false)));
    }
    questions
}

/// Each question alone, then groups of them, in an order of their own each.
fn searches(world: &World) -> Vec<Search> {
    let questions: Vec<Filter> = questions().iter().map(|it| world.condition(it)).collect();
    let sorts = world.sorts();
    let mut searches = Vec::new();
    let mut add = |filter: Filter, words: Option<Words>| {
        let at = searches.len();
        let sort = sorts[if at % 2 == 0 { 0 } else { at % sorts.len() }].clone();
        let wanted = [Wanted::Live, Wanted::All, Wanted::Archived, Wanted::Live][at % 4];
        let start = [0, 7, 300][at % 3];
        let limit = [5, 60, 200][at / 3 % 3];
        let window = if at % 5 == 4 {
            Window::Behind { position: None, limit }
        } else {
            Window::Places(start..start + limit)
        };
        let reach = if at % 7 == 6 { Reach::TeamOf(member(2)) } else { Reach::All };
        searches.push(Search { wanted, reach, filter, words, sort, window });
    };
    for filter in &questions {
        add(filter.clone(), None);
    }
    for (at, filter) in questions.iter().enumerate() {
        let other = |by: usize| questions[(at * 7 + by) % questions.len()].clone();
        add(
            if at % 2 == 0 {
                let both = Filter::All(vec![filter.clone(), other(11)]);
                Filter::Any(vec![both, Filter::All(vec![other(23), other(31)])])
            } else {
                Filter::All(vec![Filter::Any(vec![filter.clone(), other(41)]), other(3)])
            },
            None,
        );
    }
    let schema = world.rig.schema();
    let fields = |names: &[&str]| {
        names.iter().map(|name| schema.by_name(name).unwrap().clone()).collect::<Vec<_>>()
    };
    for (words, names) in [
        ("alp 1", &["name", "text"][..]),
        ("a 555", &["mail", "phonenumber", "display_name"]),
        ("strasse", &["longtext", "name"]),
    ] {
        add(Filter::everything(), Words::new(words, fields(names)));
        add(questions[0].clone(), Words::new(words, fields(names)));
    }
    for sort in &sorts {
        let window = Window::Places(0..90);
        let (filter, words) = (Filter::everything(), None);
        searches.push(Search {
            wanted: Wanted::Live,
            reach: Reach::All,
            filter,
            words,
            sort: sort.clone(),
            window,
        });
    }
    searches
}

#[test]
fn columns_answer_what_records_do_while_records_change() {
    let mut world = World::new();
    world.add(CHUNK + 230);
    let all = searches(&world);
    world.check(all.iter());
    assert!(world.shown.columns.len() >= 16 && world.shown.columns.bytes() > CHUNK * 100);
    for round in 0..3 {
        // They are filled, and kept from now on; the last chunk goes on to grow.
        world.stir(500);
        world.add(40);
        world.check(all.iter().skip(round).step_by(5));
    }
    let number = world.fields.iter().find(|(name, _)| *name == "decimal").unwrap().1;
    let long = Change::Set(Value::Decimal("123456789012345.654321".parse().unwrap()));
    world.write(world.ids[CHUNK + 5], vec![(number, long)]);
    world.check(all.iter().skip(3).step_by(5));
    world.rig.check();
}

#[test]
fn columns_stay_right_when_options_and_members_go() {
    let mut world = World::new();
    world.add(300);
    let left = ["b", "d"];
    let searches = |world: &World| {
        let ask = |name, word, value: &Input<'static>| Search {
            wanted: Wanted::Live,
            reach: Reach::All,
            filter: world.condition(&(name, word, value.clone())),
            words: None,
            sort: Sort::default(),
            window: Window::Places(0..100),
        };
        let mut searches = Vec::new();
        for name in ["dropdown", "selector", "checkboxes", "team_selector"] {
            searches.push(ask(name, "is_blank", &Input::Boolean(true)));
        }
        for value in left.map(|value| Input::Text(value.into())) {
            searches.push(ask("dropdown", "=", &value));
            searches.push(ask("selector", "!=", &value));
            searches.push(ask("checkboxes", "has", &value));
        }
        let members = list(&["02020202-0202-0202-0202-020202020202"]);
        searches.push(ask("team_selector", "is_any_of", &members));
        let (sorts, everything) = (world.sorts(), Filter::everything());
        searches.extend(sorts.into_iter().map(|sort| {
            let (filter, words) = (everything.clone(), None);
            Search {
                wanted: Wanted::Live,
                reach: Reach::All,
                filter,
                words,
                sort,
                window: Window::Places(0..40),
            }
        }));
        searches
    };
    world.check(searches(&world).iter());
    let count = |world: &World| world.run(&searches(world)[5]).count;
    let before = count(&world);
    for name in ["dropdown", "selector", "checkboxes"] {
        let schema = world.rig.schema();
        let field = schema.by_name(name).unwrap();
        let id = |label: &str| field.options.by_label(label).unwrap().id;
        let (field, by) = (field.number, Some(id("b").0.to_string()));
        let replaced = SchemaAsk::ReplaceOption { field, option: id("a"), by };
        let removed = SchemaAsk::RemoveOption { field, option: id("c") };
        for ask in [replaced, removed] {
            world.rig.run(Ask::ChangeSchema(ask)).unwrap();
        }
    }
    world.members.delete(member(4));
    world.check(searches(&world).iter());
    world.stir(200);
    world.check(searches(&world).iter());
    assert!(count(&world) != before, "what stored a means b now");
}

#[test]
fn columns_go_when_nobody_wants_them_and_when_memory_is_short() {
    let mut world = World::new();
    world.add(300);
    let columns = &world.shown.columns;
    columns.use_from(0);
    let ask = |name, value: &'static str| Search {
        wanted: Wanted::Live,
        reach: Reach::All,
        filter: world.condition(&(name, "=", Input::Text(value.into()))),
        words: None,
        sort: Sort::default(),
        window: Window::Places(0..10),
    };
    let (number, letter) = (ask("integer", "3"), ask("text", "alpha 1"));
    let expected = (world.run(&number).count, world.run(&letter).count);
    assert_eq!(columns.len(), 2);
    let full = columns.bytes();
    let order = &world.shown.order;
    for _ in 0..10 {
        columns.sweep(order, false);
        world.run(&number);
    }
    assert_eq!(columns.len(), 2);
    columns.sweep(order, false);
    assert_eq!(columns.len(), 1, "only numbers were wanted since");
    assert!(columns.bytes() > 0 && columns.bytes() < full / 2);
    assert_eq!((world.run(&number).count, world.run(&letter).count), expected);
    assert_eq!((columns.len(), columns.bytes()), (2, full));
    columns.sweep(order, true);
    assert_eq!((columns.len(), columns.bytes(), columns.are_used(order)), (0, 0, false));
    assert_eq!((world.run(&number).count, world.run(&letter).count), expected);
    assert_eq!(columns.len(), 0);
    columns.sweep(order, false);
    assert_eq!((world.run(&number).count, world.run(&letter).count), expected);
    assert_eq!((columns.len(), columns.bytes()), (2, full));
}

#[test]
fn a_table_has_so_many_columns_and_of_so_many_bytes() {
    let mut rig = Rig::accounts();
    let numbers: Vec<_> =
        (0..40).map(|at| rig.add_field(field(&format!("n{at}"), "integer"))).collect();
    let (shown, schema) = (rig.table.shown(), rig.schema());
    let writes = numbers.iter().map(|number| (*number, Change::Set(Value::Integer(1))));
    let writes = rig.writes(writes.chain([(system::NAME, text("Acme"))]));
    let (archived_match, restore_conflict) = (ArchivedMatch::Prompt, RestoreConflict::Refuse);
    created(rig.run(Ask::Add(Box::new(Add { writes, archived_match, restore_conflict }))));
    let order = &shown.order;
    let mut made = Vec::new();
    for number in &numbers {
        let column = shown.columns.want(&schema, schema.by_number(*number).unwrap(), order);
        made.push(column.unwrap());
        order.fill(0, made.last().unwrap());
    }
    assert_eq!(shown.columns.len(), 32);
    let given_up: Vec<bool> = made.iter().map(|column| column.is_dropped()).collect();
    assert!(given_up[..8].iter().all(|is| *is) && given_up[8..].iter().all(|is| !is));
    let bytes: Vec<usize> = made.iter().map(|column| column.bytes()).collect();
    assert!(bytes[..8].iter().all(|bytes| *bytes == 0) && bytes[8] > 0);
    let full = shown.columns.bytes();
    assert_eq!(full, bytes.iter().sum::<usize>());
    // There is one record: all of them together may take 512 bytes.
    assert!(full > 512);
    let mut left = shown.columns.len();
    while !shown.columns.has_room(order) {
        assert!(shown.columns.len() < left, "each time one goes");
        left = shown.columns.len();
    }
    assert!(left > 1 && shown.columns.bytes() < 512);
    assert!(made[8].is_dropped() && !made[39].is_dropped(), "the oldest go first");
    assert_eq!(made.iter().map(|column| column.bytes()).sum::<usize>(), shown.columns.bytes());
}
