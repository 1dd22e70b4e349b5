//! Reads the keys of a body one by one, typed, and notes every fault instead of stopping at one.
//!
//! Like a query, a body has known keys, those somebody asked for, and others. It must not know
//! any request's shape.

use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::model::input::Input;
use std::borrow::Cow;

/// Whether a key must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Required,
    /// It may be left out.
    Optional,
    /// It may be left out or be null, which mean the same.
    Nullable,
}

/// What a text may be.
#[derive(Clone, Copy, Debug)]
pub struct TextRule {
    pub presence: Presence,
    /// Characters after trimming.
    pub chars_max: usize,
    pub may_be_blank: bool,
    /// A number is taken as its digits.
    pub takes_number: bool,
}

/// An object of a body that is being read.
#[derive(Debug)]
pub struct Shape<'i> {
    entries: &'i [(Cow<'i, str>, Input<'i>)],
    /// In front of the keys' names in faults: `pipeline.`, or nothing.
    prefix: String,
    asked: Vec<&'static str>,
}

impl<'i> Shape<'i> {
    /// The body itself; what is not an object has a fault and no keys.
    pub fn of_body(body: &'i Input<'i>, faults: &mut Faults) -> Self {
        let entries: &[_] = if let Input::Map(entries) = body {
            entries
        } else {
            let message = format!("The body must be an object, not {}.", body.kind());
            faults.push(Fault::new(Code::Invalid, Place::Whole).saying(message));
            &[]
        };
        Self { entries, prefix: String::new(), asked: Vec::new() }
    }

    /// An entry of the list at `list`, a key of the body, to be read like the body.
    pub fn of_entry(
        list: &str,
        index: usize,
        entry: &'i Input<'i>,
        faults: &mut Faults,
    ) -> Option<Self> {
        Self::of_value(&format!("{list}[{index}]"), entry, faults)
    }

    /// A value inside the body, at a path of keys, to be read like the body.
    pub fn of_value(path: &str, value: &'i Input<'i>, faults: &mut Faults) -> Option<Self> {
        if let Input::Map(entries) = value {
            return Some(Self { entries, prefix: format!("{path}."), asked: Vec::new() });
        }
        let message = format!("Expected an object, not {}.", value.kind());
        let place = Place::Body(Cow::Owned(path.to_owned()));
        faults.push(Fault::new(Code::Invalid, place).saying(message));
        None
    }

    /// The place of a key.
    #[must_use]
    pub fn place(&self, key: &str) -> Place {
        Place::Body(Cow::Owned(self.path(key)))
    }

    /// The name of a key with those of the objects around it.
    #[must_use]
    pub fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn fault(&self, code: Code, key: &str) -> Fault {
        Fault::new(code, self.place(key))
    }

    /// The value of a key as it stands, null included; none if it is left out.
    pub fn raw(&mut self, key: &'static str) -> Option<&'i Input<'i>> {
        self.asked.push(key);
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of a key if it is there and not null.
    pub fn value(
        &mut self,
        key: &'static str,
        presence: Presence,
        faults: &mut Faults,
    ) -> Option<&'i Input<'i>> {
        match (self.raw(key), presence) {
            (None, Presence::Required) => faults.push(self.fault(Code::Required, key)),
            (Some(Input::Null), Presence::Required | Presence::Optional) => {
                faults.push(self.fault(Code::Null, key));
            }
            (None | Some(Input::Null), _) => {}
            (Some(value), _) => return Some(value),
        }
        None
    }

    /// A text, trimmed.
    pub fn text(
        &mut self,
        key: &'static str,
        rule: &TextRule,
        faults: &mut Faults,
    ) -> Option<&'i str> {
        let text = match self.value(key, rule.presence, faults)? {
            Input::Text(text) => text.trim(),
            Input::Number(digits) if rule.takes_number => digits,
            Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_) => {
                faults.push(self.fault(Code::Invalid, key).saying("Not a valid string."));
                return None;
            }
        };
        if text.is_empty() && !rule.may_be_blank {
            faults.push(self.fault(Code::Blank, key));
            return None;
        }
        // Characters are never more than bytes, so most texts need no counting.
        if text.len() > rule.chars_max && text.chars().count() > rule.chars_max {
            faults.push(Fault::max_length(self.place(key), rule.chars_max));
            return None;
        }
        Some(text)
    }

    /// A boolean.
    pub fn boolean(
        &mut self,
        key: &'static str,
        presence: Presence,
        faults: &mut Faults,
    ) -> Option<bool> {
        let value = self.value(key, presence, faults)?;
        if let Input::Boolean(value) = value {
            return Some(*value);
        }
        faults.push(self.fault(Code::Invalid, key).saying("Must be a valid boolean."));
        None
    }

    /// One of a closed list of words.
    pub fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        presence: Presence,
        choices: &[(&str, T)],
        faults: &mut Faults,
    ) -> Option<T> {
        let value = self.value(key, presence, faults)?;
        let Some(word) = value.as_text() else {
            faults.push(self.fault(Code::Invalid, key).saying("Not a valid string."));
            return None;
        };
        let found = choices.iter().find(|(choice, _)| *choice == word);
        if found.is_none() {
            faults.push(Fault::invalid_choice(self.place(key), word));
        }
        found.map(|(_, choice)| *choice)
    }

    /// A list.
    pub fn list(
        &mut self,
        key: &'static str,
        presence: Presence,
        faults: &mut Faults,
    ) -> Option<&'i [Input<'i>]> {
        let value = self.value(key, presence, faults)?;
        if let Input::List(items) = value {
            return Some(items);
        }
        let message = format!("Expected a list, not {}.", value.kind());
        faults.push(self.fault(Code::Invalid, key).saying(message));
        None
    }

    /// An object, to be read like the body.
    pub fn object(
        &mut self,
        key: &'static str,
        presence: Presence,
        faults: &mut Faults,
    ) -> Option<Shape<'i>> {
        let value = self.value(key, presence, faults)?;
        if let Input::Map(entries) = value {
            let prefix = format!("{}{key}.", self.prefix);
            return Some(Self { entries, prefix, asked: Vec::new() });
        }
        let message = format!("Expected an object, not {}.", value.kind());
        faults.push(self.fault(Code::Invalid, key).saying(message));
        None
    }

    /// Ends the reading of the body itself: extensions nobody asked for are refused, and with
    /// `strict` every other key too.
    pub fn finish(self, strict: bool, group: RouteGroup, faults: &mut Faults) {
        self.refuse_unknown(strict, group.names().body, faults);
    }

    /// Ends the reading of an object inside the body.
    pub fn finish_inside(self, strict: bool, faults: &mut Faults) {
        self.refuse_unknown(strict, &[], faults);
    }

    fn refuse_unknown(self, strict: bool, never_ignored: &[&str], faults: &mut Faults) {
        for (key, _) in self.entries {
            let known = self.asked.contains(&&**key);
            if !known && (strict || never_ignored.contains(&&**key)) {
                faults.push(Fault::unknown_parameter(self.place(key)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::json;

    const LOOKUP: TextRule = TextRule {
        presence: Presence::Required,
        chars_max: 5,
        may_be_blank: false,
        takes_number: true,
    };

    /// The faults of reading `json`, as `code place`, and what was read.
    fn check<T>(
        json: &str,
        read: impl for<'i> FnOnce(&mut Shape<'i>, &mut Faults) -> T,
        faults: &[&str],
    ) -> T {
        let input = json::parse(json.as_bytes()).unwrap();
        let mut noted = Faults::default();
        let mut shape = Shape::of_body(&input, &mut noted);
        let value = read(&mut shape, &mut noted);
        let shown: Vec<_> = noted
            .as_slice()
            .iter()
            .map(|fault| match &fault.place {
                Place::Body(key) => format!("{} {key}", fault.code.as_str()),
                Place::Whole => format!("{} Whole", fault.code.as_str()),
                Place::Query(_) | Place::Header(_) | Place::Field(_) => panic!("{fault:?}"),
            })
            .collect();
        assert_eq!(shown, faults, "{json}");
        value
    }

    fn lookup(json: &str, faults: &[&str]) -> Option<String> {
        check(json, |shape, noted| shape.text("v", &LOOKUP, noted).map(str::to_owned), faults)
    }

    #[test]
    fn a_text_is_trimmed_counted_in_characters_and_never_blank() {
        assert_eq!(lookup(r#"{"v":"  Acme "}"#, &[]).as_deref(), Some("Acme"));
        assert_eq!(lookup(r#"{"v":"éééé😀"}"#, &[]).as_deref(), Some("éééé😀"));
        assert_eq!(lookup(r#"{"v":12.50}"#, &[]).as_deref(), Some("12.50"));
        lookup(r"{}", &["required v"]);
        lookup(r#"{"v":null}"#, &["null v"]);
        lookup(r#"{"v":""}"#, &["blank v"]);
        lookup(r#"{"v":" \t\u00a0"}"#, &["blank v"]);
        lookup(r#"{"v":"123456"}"#, &["max_length v"]);
        lookup(r#"{"v":123456}"#, &["max_length v"]);
        for wrong in ["true", "[]", r#"["a"]"#, "{}"] {
            lookup(&format!("{{\"v\":{wrong}}}"), &["invalid v"]);
        }
    }

    #[test]
    fn null_is_absence_only_where_the_rule_says_so() {
        let optional = |json, faults: &[&str]| {
            check(json, |shape, noted| shape.boolean("b", Presence::Optional, noted), faults)
        };
        assert_eq!(optional(r#"{"b":false}"#, &[]), Some(false));
        assert_eq!(optional(r"{}", &[]), None);
        assert_eq!(optional(r#"{"b":null}"#, &["null b"]), None);
        assert_eq!(optional(r#"{"b":"true"}"#, &["invalid b"]), None);
        let words = [("unarchive", 1), ("overwrite", 2)];
        let nullable = |json, faults: &[&str]| {
            check(json, |shape, noted| shape.choice("m", Presence::Nullable, &words, noted), faults)
        };
        assert_eq!(nullable(r#"{"m":"overwrite"}"#, &[]), Some(2));
        assert_eq!(nullable(r#"{"m":null}"#, &[]), None);
        assert_eq!(nullable(r#"{"m":"x"}"#, &["invalid_choice m"]), None);
        assert_eq!(nullable(r#"{"m":1}"#, &["invalid m"]), None);
    }

    #[test]
    fn all_faults_of_a_body_are_noted_at_once() {
        check(
            r#"{"v":"","b":1,"l":{},"o":[]}"#,
            |shape, noted| {
                shape.text("v", &LOOKUP, noted);
                shape.boolean("b", Presence::Optional, noted);
                shape.list("l", Presence::Optional, noted);
                shape.object("o", Presence::Optional, noted).map(|_| ())
            },
            &["blank v", "invalid b", "invalid l", "invalid o"],
        );
    }

    #[test]
    fn keys_inside_an_object_are_named_with_their_path() {
        check(
            r#"{"pipeline":{"stages":5,"other":1}}"#,
            |shape, noted| {
                let mut inside = shape.object("pipeline", Presence::Required, noted).unwrap();
                inside.list("stages", Presence::Required, noted);
                inside.finish_inside(true, noted);
            },
            &["invalid pipeline.stages", "unknown_parameter pipeline.other"],
        );
    }

    #[test]
    fn entries_of_a_list_are_named_with_their_place() {
        check(
            r#"{"options":[{"name":"North"},{"name":1,"other":2},"South"]}"#,
            |shape, noted| {
                let list = shape.list("options", Presence::Required, noted).unwrap();
                for (index, entry) in list.iter().enumerate() {
                    let Some(mut inside) = Shape::of_entry("options", index, entry, noted) else {
                        continue;
                    };
                    inside.text("name", &LOOKUP, noted);
                    inside.finish_inside(true, noted);
                }
            },
            &["unknown_parameter options[1].other", "invalid options[2]"],
        );
    }

    #[test]
    fn a_body_that_is_no_object_is_one_fault() {
        for body in ["[]", "null", "5", "\"text\""] {
            check(body, |_, _| (), &["invalid Whole"]);
        }
    }

    #[test]
    fn unknown_keys_are_refused_when_asked_for_and_extensions_always() {
        let finished = |json, strict, faults: &[&str]| {
            let input = json::parse(str::as_bytes(json)).unwrap();
            let mut noted = Faults::default();
            let mut shape = Shape::of_body(&input, &mut noted);
            shape.text("v", &LOOKUP, &mut noted);
            shape.finish(strict, RouteGroup::Upsert, &mut noted);
            let codes: Vec<_> =
                noted.as_slice().iter().map(|fault| format!("{:?}", fault.place)).collect();
            assert_eq!(codes, faults, "{json}");
        };
        finished(r#"{"v":"a","archived":true}"#, false, &[]);
        finished(r#"{"v":"a","archived":true}"#, true, &[r#"Body("archived")"#]);
        finished(r#"{"v":"a","source_version":1}"#, false, &[r#"Body("source_version")"#]);
        finished(r#"{"v":"a"}"#, true, &[]);
    }
}
