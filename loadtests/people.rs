//! The people who are searched for, the same for every system that holds them.

use crate::contact::mix;
use serde_json::{Value, json};
use std::io::Write;

const CITIES: u64 = 200;
const COMPANIES: u64 = 10_000;
const SCORES: u64 = 1_000;
const TAGS: u64 = 500;
const TAGS_EACH: u64 = 5;

const FIRST_NAMES: [&str; 36] = [
    "Marisol",
    "Ada",
    "Grace",
    "Edsger",
    "Barbara",
    "Alan",
    "Katherine",
    "Tim",
    "Noor",
    "Lena",
    "Bjorn",
    "Chidi",
    "Yuki",
    "Ines",
    "Rahul",
    "Olga",
    "Pavel",
    "Zoe",
    "Emil",
    "Fatima",
    "Hugo",
    "Iris",
    "Jonas",
    "Kofi",
    "Leila",
    "Mateo",
    "Nadia",
    "Oscar",
    "Priya",
    "Quinn",
    "Rosa",
    "Sven",
    "Tara",
    "Umar",
    "Vera",
    "Wim",
];
/// Two of them have "son" in them.
const LAST_NAMES: [&str; 36] = [
    "Okafor",
    "Lovelace",
    "Hopper",
    "Dijkstra",
    "Liskov",
    "Turing",
    "Johnson",
    "Lee",
    "Larsson",
    "Nakamura",
    "Silva",
    "Mbeki",
    "Novak",
    "Rossi",
    "Haddad",
    "Kowalski",
    "Berg",
    "Dubois",
    "Costa",
    "Fischer",
    "Garcia",
    "Horvat",
    "Ivanova",
    "Jansen",
    "Khan",
    "Lindqvist",
    "Moreau",
    "Nguyen",
    "Olsen",
    "Petrov",
    "Quispe",
    "Ricci",
    "Sato",
    "Tanaka",
    "Umarov",
    "Vargas",
];

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    pub(crate) company: String,
    pub(crate) city: u64,
    pub(crate) score: u64,
    pub(crate) subscribed: bool,
    /// None twice.
    pub(crate) tags: Vec<u64>,
}

pub(crate) fn city(number: u64) -> String {
    format!("City {number:03}")
}

pub(crate) fn tag(number: u64) -> String {
    format!("tag-{number:03}")
}

impl Person {
    /// The person of a number, as of a turn: with each turn they change all but their e-mail.
    pub(crate) fn new(number: u32, turn: u64) -> Self {
        let (first, last) =
            (name_of(&FIRST_NAMES, mix(number.into())), name_of(&LAST_NAMES, number.into()));
        let (first, last) = (first.to_lowercase(), last.to_lowercase());
        let mut draw = (u64::from(number) << 24) | turn;
        let mut pick = |count: u64| {
            draw = mix(draw);
            (draw >> 8) % count
        };
        let (first_tag, step) = (pick(TAGS), 1 + pick(90));
        Self {
            email: format!("{first}.{last}.{number:07}@mail{}.example", number % 50),
            first_name: name_of(&FIRST_NAMES, pick(36)),
            last_name: name_of(&LAST_NAMES, pick(36)),
            company: format!("Company {:05} Ltd", pick(COMPANIES)),
            city: pick(CITIES),
            score: pick(SCORES),
            subscribed: pick(2) == 1,
            tags: (0..TAGS_EACH).map(|at| (first_tag + at * step) % TAGS).collect(),
        }
    }

    /// The body of an upsert.
    pub(crate) fn write_body(&self, body: &mut Vec<u8>) {
        body.clear();
        let Self { email, first_name, last_name, company, score, subscribed, .. } = self;
        let city = city(self.city);
        write!(
            body,
            "{{\"lookup_value\":\"{email}\",\"fields\":{{\"first_name\":\"{first_name}\",\
             \"last_name\":\"{last_name}\",\"company\":\"{company}\",\"city\":\"{city}\",\
             \"score\":{score},\"subscribed\":{subscribed},\"tags\":["
        )
        .expect("a vector takes any bytes");
        for (at, number) in self.tags.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(body, "{comma}\"{}\"", tag(*number)).expect("a vector takes any bytes");
        }
        body.extend_from_slice(b"]}}");
    }
}

fn name_of(names: &[&'static str; 36], number: u64) -> &'static str {
    names[usize::try_from(number % 36).expect("it is below 36")]
}

/// The custom fields, as they are made before the people. `notes` stays empty: no column is ever
/// kept of such a field, so to search it is to look at the records.
pub(crate) fn custom_fields() -> [Value; 5] {
    let cities: Vec<Value> = (0..CITIES).map(|number| json!({"name": city(number)})).collect();
    [
        json!({"field_type": "text", "display_name": "Company", "name": "company"}),
        json!({"field_type": "dropdown", "display_name": "City", "name": "city", "options": cities}),
        json!({"field_type": "integer", "display_name": "Score", "name": "score"}),
        json!({"field_type": "checkbox", "display_name": "Subscribed", "name": "subscribed"}),
        json!({"field_type": "longtext", "display_name": "Notes", "name": "notes"}),
    ]
}
