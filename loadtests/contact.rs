//! The work: an upsert of a contact with ten fields, some of them custom, in about 250 bytes.

use serde::Deserialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::io::Write;

const FIRST_NAMES: [&str; 8] =
    ["Marisol", "Ada", "Grace", "Edsger", "Barbara", "Alan", "Katherine", "Tim"];
const LAST_NAMES: [&str; 8] =
    ["Okafor", "Lovelace", "Hopper", "Dijkstra", "Liskov", "Turing", "Johnson", "Lee"];
const CITIES: [&str; 8] =
    ["Lisbon", "Accra", "Osaka", "Bergen", "Quito", "Leipzig", "Hobart", "Tunis"];
const TITLES: [&str; 8] =
    ["Buyer", "Director", "Engineer", "Founder", "Analyst", "Editor", "Nurse", "Pilot"];
const SEGMENTS: [&str; 4] = ["north", "east", "south", "west"];

/// The custom fields that the bodies write, as they are made before the load.
pub(crate) fn custom_fields() -> [Value; 6] {
    let options: Vec<Value> =
        SEGMENTS.iter().map(|segment| json!({"name": segment, "code": segment})).collect();
    [
        json!({"field_type": "text", "display_name": "Company", "name": "company"}),
        json!({"field_type": "text", "display_name": "City", "name": "city"}),
        json!({"field_type": "dropdown", "display_name": "Segment", "name": "segment", "options": options}),
        json!({"field_type": "integer", "display_name": "Score", "name": "score"}),
        json!({"field_type": "decimal", "display_name": "Balance", "name": "balance"}),
        json!({"field_type": "checkbox", "display_name": "Newsletter", "name": "newsletter"}),
    ]
}

/// The columns of `write_row`, as the first line of a table.
pub(crate) const HEADER: &str =
    "email,first_name,last_name,birthday,titles,company,city,segment,score,balance,newsletter\n";

/// Writes the body of an upsert. `number` names the contact; `turn` is another one with every
/// request, so that an update always changes something.
pub(crate) fn write_body(number: u32, turn: u64, body: &mut Vec<u8>) {
    body.clear();
    append_body(number, turn, body);
}

/// Writes the same behind what is there.
pub(crate) fn append_body(number: u32, turn: u64, body: &mut Vec<u8>) {
    let Values { mixed, score, cents, birthday: (year, month, day) } = Values::new(turn);
    write!(
        body,
        "{{\"lookup_value\":\"c{number:09}@load.example\",\"fields\":{{\
         \"first_name\":\"{}\",\"last_name\":\"{}\",\"birthday\":\"{year}-{month:02}-{day:02}\",\
         \"titles\":[\"{}\"],\"company\":\"{} and Sons {number}\",\"city\":\"{}\",\
         \"segment\":\"{}\",\"score\":{score},\"balance\":\"{score}.{cents:02}\",\"newsletter\":{}}}}}",
        pick(mixed, &FIRST_NAMES),
        pick(mixed >> 8, &LAST_NAMES),
        pick(mixed >> 16, &TITLES),
        pick(mixed >> 24, &LAST_NAMES),
        pick(mixed >> 32, &CITIES),
        pick(mixed >> 40, &SEGMENTS),
        mixed & 1 == 1,
    )
    .expect("a vector takes any bytes");
}

/// Writes the same contact as a line of a table behind what is there.
pub(crate) fn append_row(number: u32, turn: u64, body: &mut Vec<u8>) {
    let Values { mixed, score, cents, birthday: (year, month, day) } = Values::new(turn);
    writeln!(
        body,
        "c{number:09}@load.example,{},{},{year}-{month:02}-{day:02},{},{} and Sons {number},{},{},\
         {score},{score}.{cents:02},{}",
        pick(mixed, &FIRST_NAMES),
        pick(mixed >> 8, &LAST_NAMES),
        pick(mixed >> 16, &TITLES),
        pick(mixed >> 24, &LAST_NAMES),
        pick(mixed >> 32, &CITIES),
        pick(mixed >> 40, &SEGMENTS),
        mixed & 1 == 1,
    )
    .expect("a vector takes any bytes");
}

/// What a turn draws.
struct Values {
    mixed: u64,
    score: u64,
    cents: u64,
    birthday: (u64, u64, u64),
}

impl Values {
    fn new(turn: u64) -> Self {
        let mixed = mix(turn);
        let birthday = (1950 + (mixed >> 16) % 50, 1 + mixed % 12, 1 + (mixed >> 8) % 28);
        Self { mixed, score: turn % 1_000_000, cents: mixed % 100, birthday }
    }
}

/// One of the texts, by the lowest byte.
fn pick(mixed: u64, texts: &[&'static str]) -> &'static str {
    texts[usize::try_from(mixed & 0xff).expect("a byte is an index") % texts.len()]
}

/// The body as a program reads it that knows its shape: what the ceiling does with each request.
#[derive(Debug, Deserialize)]
pub(crate) struct Upsert<'a> {
    #[serde(borrow)]
    pub(crate) lookup_value: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) fields: Fields<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Fields<'a> {
    #[serde(borrow)]
    pub(crate) first_name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) last_name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) birthday: Cow<'a, str>,
    pub(crate) titles: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) company: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) city: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) segment: Cow<'a, str>,
    pub(crate) score: u64,
    #[serde(borrow)]
    pub(crate) balance: Cow<'a, str>,
    pub(crate) newsletter: bool,
}

/// A number that looks random and is the same for the same turn (splitmix64's mixer).
pub(crate) fn mix(turn: u64) -> u64 {
    let mut mixed = turn.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
