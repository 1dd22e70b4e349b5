//! What a key of a body takes, and values that it must not take.

use serde_json::{Value, json};

/// A key of a body, by its path: `name`, `admin.email`, `options[0].name`.
pub(super) struct Key {
    pub(super) path: &'static str,
    /// A letter for each kind of JSON that it takes: null, boolean, number, text, list, object.
    takes: &'static str,
    pub(super) is_required: bool,
    /// Values of a kind it takes that are wrong all the same, with the code that says so.
    bad: Vec<(Value, &'static str)>,
    /// The largest value that it takes, where it has a limit.
    pub(super) largest: Option<Value>,
}

/// One value of each kind, by its letter; none of them means anything anywhere.
fn kinds() -> [(char, Value); 6] {
    [
        ('n', Value::Null),
        ('b', json!(true)),
        ('i', json!(7)),
        ('t', json!("nonsense")),
        ('l', json!([[]])),
        ('o', json!({"nonsense": 1})),
    ]
}

/// A key that takes these kinds of JSON, whatever they say.
pub(super) fn any(path: &'static str, takes: &'static str) -> Key {
    Key { path, takes, is_required: false, bad: Vec::new(), largest: None }
}

/// A text of so many characters at most.
pub(super) fn text(path: &'static str, takes: &'static str, chars_max: usize) -> Key {
    any(path, takes)
        .up_to(json!("é".repeat(chars_max)))
        .refuses(json!("x".repeat(chars_max + 1)), "max_length")
        .refuses(json!("é".repeat(chars_max + 1)), "max_length")
        .refuses(json!("a\u{0}b"), "invalid")
        .refuses(json!("a\u{1b}[31mb"), "invalid")
}

/// A text that names something to people: never blank.
pub(super) fn label(path: &'static str, takes: &'static str, chars_max: usize) -> Key {
    text(path, takes, chars_max).refuses(json!(""), "blank").refuses(json!(" \t\u{a0}"), "blank")
}

/// A text that names something to programs.
pub(super) fn api_name(path: &'static str, takes: &'static str) -> Key {
    let names = ["", "a b", "-a", "ä", "a\u{0}", "a.b", "00000000-0000-7000-8000-000000000000"];
    let refuse = |key: Key, name: &&str| key.refuses(json!(name), "invalid_identifier");
    let key = names.iter().fold(any(path, takes), refuse);
    key.up_to(json!("x".repeat(100))).refuses(json!("x".repeat(101)), "invalid_identifier")
}

pub(super) fn flag(path: &'static str) -> Key {
    any(path, "bn")
}

/// A whole number of four bytes.
pub(super) fn integer(path: &'static str) -> Key {
    let key = any(path, "in").up_to(json!(i32::MAX)).refuses(json!(1.5), "invalid");
    key.refuses(json!(2_147_483_648_u32), "invalid").refuses(json!(-2_147_483_649_i64), "invalid")
}

pub(super) fn id(path: &'static str) -> Key {
    let key = any(path, "tn").refuses(json!("nonsense"), "invalid");
    key.refuses(json!("0192f7d2-0000-7000-8000-00000000000"), "invalid")
        .refuses(json!(""), "invalid")
}

pub(super) fn ids(path: &'static str) -> Key {
    let many: Vec<String> = (0..201).map(unknown_id).collect();
    let key = any(path, "ln").refuses(json!(["nonsense"]), "invalid");
    key.refuses(json!([7]), "invalid").refuses(json!(many), "limit_exceeded")
}

pub(super) fn time(path: &'static str, takes: &'static str) -> Key {
    let times = ["soon", "2026-02-30T00:00:00Z", "2026-11-24T25:00:00Z", "24.11.2026", ""];
    times.iter().fold(any(path, takes), |key, time| key.refuses(json!(time), "invalid"))
}

/// One word of a closed list.
pub(super) fn choice(path: &'static str, takes: &'static str) -> Key {
    any(path, takes)
        .refuses(json!("nonsense"), "invalid_choice")
        .refuses(json!(""), "invalid_choice")
}

/// An object that is kept as it is, of so many bytes at most.
pub(super) fn meta(path: &'static str, bytes_max: usize) -> Key {
    let of_bytes = |len: usize| json!({"k": "x".repeat(len - r#"{"k":""}"#.len())});
    any(path, "on").up_to(of_bytes(bytes_max)).refuses(of_bytes(bytes_max + 1), "limit_exceeded")
}

/// An id that nothing has.
pub(super) fn unknown_id(number: usize) -> String {
    format!("0192f7d2-0000-7000-8000-{number:012x}")
}

impl Key {
    pub(super) fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    pub(super) fn refuses(mut self, value: Value, code: &'static str) -> Self {
        self.bad.push((value, code));
        self
    }

    pub(super) fn up_to(self, largest: Value) -> Self {
        Self { largest: Some(largest), ..self }
    }

    /// Every value it must refuse, with the code that says so.
    pub(super) fn refused(&self) -> Vec<(Value, &'static str)> {
        let strange = kinds().into_iter().filter(|(letter, _)| !self.takes.contains(*letter));
        let code = |letter| if letter == 'n' { "null" } else { "invalid" };
        let mut refused: Vec<_> = strange.map(|(letter, value)| (value, code(letter))).collect();
        refused.extend(self.bad.iter().cloned());
        refused
    }

    /// Puts a value at this key; what is around it is made where it is missing.
    pub(super) fn put(&self, body: &mut Value, value: Value) {
        *place_of(body, self.path) = value;
    }

    /// Takes the key out.
    pub(super) fn take(&self, body: &mut Value) {
        let (around, name) = self.path.rsplit_once('.').unwrap_or(("", self.path));
        let around = if around.is_empty() { body } else { place_of(body, around) };
        around.as_object_mut().expect("a key stands in an object").remove(name);
    }
}

fn place_of<'b>(body: &'b mut Value, path: &str) -> &'b mut Value {
    path.split('.').fold(body, |around, step| {
        let (name, index) = match step.strip_suffix(']').and_then(|step| step.split_once('[')) {
            Some((name, index)) => (name, Some(index.parse::<usize>().expect("it is an index"))),
            None => (step, None),
        };
        if !around.is_object() {
            *around = json!({});
        }
        let place = &mut around[name];
        let Some(index) = index else { return place };
        if !place.is_array() {
            *place = json!([{}]);
        }
        &mut place[index]
    })
}
