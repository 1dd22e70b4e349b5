//! The query of a request, and those headers that are parameters too: read once, strictly. A search
//! may have its parameters in the body as well.
//!
//! Whatever a handler does not ask for is unknown: refused if it is an extension that is not
//! offered, or if the caller asked for `strict`. It must not know what a parameter is for.

use crate::http::code::Code;
use crate::http::extension::{IDEMPOTENCY_KEY, MIN_SEQ, ORIGIN, RouteGroup};
use crate::http::fault::{Fault, Faults, Place, clipped};
use crate::http::origin;
use crate::model::input::Input;
use actix_web::http::header::HeaderMap;
use std::borrow::Cow;

const NO_KEY: &str = "A batch is not stored as a whole, so it takes no key.";

/// The parameters of one request.
#[derive(Debug)]
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Parameters of the body which the query does not have; none where a value cannot be one.
    in_body: Vec<InBody<'a>>,
    /// Keys of the body that are null: left out, but still names.
    nulls: Vec<&'a str>,
    asked: Vec<&'static str>,
    /// Beginnings of names.
    asked_prefixes: Vec<&'static str>,
    strict: bool,
}

/// A key of the body that is a parameter.
#[derive(Debug)]
struct InBody<'a> {
    name: &'a str,
    value: &'a Input<'a>,
    /// As a query would have it.
    text: Option<Cow<'a, str>>,
}

impl<'a> Query<'a> {
    /// Reads the raw text behind the question mark.
    pub fn read(raw: &'a str, faults: &mut Faults) -> Self {
        let mut pairs = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decoded(name), decoded(value)) {
                (Some(name), Some(value)) => pairs.push((name, value)),
                (plain, _) => {
                    let name = plain.unwrap_or(Cow::Borrowed(name));
                    faults.push(invalid(&name, "This is not percent-encoded UTF-8."));
                }
            }
        }
        let (in_body, nulls, asked, asked_prefixes) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut query = Self { pairs, in_body, nulls, asked, asked_prefixes, strict: false };
        query.strict = query.boolean("strict", faults).unwrap_or(false);
        query
    }

    /// Reads the query and, where it does not have them, the keys of the body.
    pub fn read_with_body(raw: &'a str, body: &'a Input<'a>, faults: &mut Faults) -> Self {
        let mut query = Self::read(raw, faults);
        let Input::Map(entries) = body else {
            let message = format!("The body must be an object, not {}.", body.kind());
            faults.push(Fault::new(Code::Invalid, Place::Whole).saying(message));
            return query;
        };
        for (name, value) in entries {
            if *value == Input::Null {
                query.nulls.push(name);
            } else if !query.pairs.iter().any(|(given, _)| given == name) {
                query.in_body.push(InBody { name, value, text: parameter_of(value) });
            }
        }
        query
    }

    /// Where a parameter stands.
    #[must_use]
    pub fn place(&self, name: &'static str) -> Place {
        if self.in_body.iter().any(|given| given.name == name) {
            Place::Body(name.into())
        } else {
            Place::Query(name.into())
        }
    }

    /// Whether the caller wants to hear of every name that is not known.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// Notes that somebody else reads this name.
    pub fn knows(&mut self, name: &'static str) {
        self.asked.push(name);
    }

    /// The parameters whose names begin so: what stands behind that, and the values.
    pub fn named(&mut self, prefix: &'static str, faults: &mut Faults) -> Vec<(String, String)> {
        self.asked_prefixes.push(prefix);
        let mut found: Vec<(String, String)> = Vec::new();
        for (name, value) in &self.pairs {
            let Some(rest) = name.strip_prefix(prefix) else { continue };
            if found.iter().any(|(given, _)| given == rest) {
                faults.push(invalid(name, "This parameter is given twice."));
            }
            found.push((rest.to_owned(), value.trim().to_owned()));
        }
        found
    }

    /// The value of a parameter; none if it is left out.
    pub fn text(&mut self, name: &'static str, faults: &mut Faults) -> Option<&str> {
        self.asked.push(name);
        if let Some(InBody { text, .. }) = self.in_body.iter().find(|given| given.name == name) {
            if text.is_none() {
                let fault = Fault::new(Code::Invalid, Place::Body(name.into()));
                faults
                    .push(fault.saying("Expected a text, a number, a boolean, or a list of them."));
            }
            return text.as_deref();
        }
        let mut values = self.pairs.iter().filter(|(given, _)| given == name);
        let (_, value) = values.next()?;
        if values.next().is_some() {
            faults.push(invalid(name, "This parameter is given twice."));
        }
        Some(value)
    }

    /// The list that the body has for a parameter; none if it is left out or something else.
    pub fn list_in_body(&mut self, name: &'static str) -> Option<&'a [Input<'a>]> {
        self.asked.push(name);
        match self.in_body.iter().find(|given| given.name == name)?.value {
            Input::List(items) => Some(items),
            Input::Null | Input::Boolean(_) | Input::Number(_) | Input::Text(_) | Input::Map(_) => {
                None
            }
        }
    }

    /// `true`, `false`, `1` or `0`, in any case.
    pub fn boolean(&mut self, name: &'static str, faults: &mut Faults) -> Option<bool> {
        let value = self.text(name, faults)?;
        if value == "1" || value.eq_ignore_ascii_case("true") {
            Some(true)
        } else if value == "0" || value.eq_ignore_ascii_case("false") {
            Some(false)
        } else {
            let fault = Fault::new(Code::Invalid, self.place(name));
            faults.push(fault.saying("Must be true, false, 1 or 0."));
            None
        }
    }

    /// Values between commas, trimmed; an empty parameter is an empty list.
    pub fn list(&mut self, name: &'static str, faults: &mut Faults) -> Option<Vec<String>> {
        let value = self.text(name, faults)?;
        let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
        Some(items.map(str::to_owned).collect())
    }

    /// One of a closed list of values.
    pub fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&str, T)],
        faults: &mut Faults,
    ) -> Option<T> {
        let value = self.text(name, faults)?;
        let found = choices.iter().find(|(choice, _)| *choice == value);
        if found.is_none() {
            let given = value.to_owned();
            faults.push(Fault::invalid_choice(self.place(name), &given));
        }
        found.map(|(_, choice)| *choice)
    }

    /// Ends the reading: notes every parameter and header that nobody has asked for, and may
    /// not be ignored. `offered` are the headers of the group that the handler understands.
    pub fn finish(
        self,
        group: RouteGroup,
        headers: &HeaderMap,
        offered: &[&str],
        faults: &mut Faults,
    ) {
        let extensions = group.names();
        for (name, _) in &self.pairs {
            let known = self.asked.contains(&&**name)
                || self.asked_prefixes.iter().any(|prefix| name.starts_with(prefix))
                || (name == MIN_SEQ && group.reads());
            if !known && (self.strict || extensions.query.contains(&&**name)) {
                faults.push(Fault::unknown_parameter(Place::Query(name.to_string().into())));
            }
        }
        let in_body = self.in_body.iter().map(|given| &given.name).chain(&self.nulls);
        for name in in_body {
            let known = self.asked.contains(name);
            if !known && (self.strict || extensions.body.contains(name)) {
                let place = Place::Body((*name).to_owned().into());
                faults.push(Fault::unknown_parameter(place));
            }
        }
        for name in extensions.headers.iter().filter(|name| !offered.contains(name)) {
            if *name == ORIGIN {
                // Every caller of a write has one: who it is says so itself.
                origin::read(headers).err().into_iter().for_each(|fault| faults.push(fault));
            } else if headers.contains_key(*name) {
                let place = Place::Header((*name).into());
                faults.push(match *name {
                    // Single writes take it before their handlers.
                    IDEMPOTENCY_KEY => Fault::new(Code::Invalid, place).saying(NO_KEY),
                    _ => Fault::unknown_parameter(place),
                });
            }
        }
    }
}

/// A value of the body as a query would have it: a list between commas.
fn parameter_of<'a>(value: &'a Input<'a>) -> Option<Cow<'a, str>> {
    match value {
        Input::Text(text) | Input::Number(text) => Some(Cow::Borrowed(text)),
        Input::Boolean(boolean) => Some(Cow::Borrowed(if *boolean { "true" } else { "false" })),
        Input::List(values) => {
            let texts: Option<Vec<&str>> = values.iter().map(Input::as_text).collect();
            texts.map(|texts| Cow::Owned(texts.join(",")))
        }
        Input::Null | Input::Map(_) => None,
    }
}

fn invalid(name: &str, message: &'static str) -> Fault {
    let place = Place::Query(Cow::Owned(clipped(name).into_owned()));
    Fault::new(Code::Invalid, place).saying(message)
}

/// Undoes percent-encoding, with `+` for a space; none for what stops being an encoding or UTF-8.
fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Some(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                bytes.push(u8::try_from(high * 16 + low).expect("two digits are a byte"));
            }
            b'+' => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn faults_of(faults: &Faults) -> Vec<(&str, &Place)> {
        faults.as_slice().iter().map(|fault| (fault.code.as_str(), &fault.place)).collect()
    }

    fn query(name: &str) -> Place {
        Place::Query(name.to_owned().into())
    }

    #[test]
    fn booleans_are_four_words_in_any_case() {
        for (given, read) in [
            ("true", Some(true)),
            ("TRUE", Some(true)),
            ("1", Some(true)),
            ("False", Some(false)),
            ("0", Some(false)),
            ("", None),
            ("yes", None),
            ("2", None),
            ("%74rue", Some(true)),
        ] {
            let mut faults = Faults::default();
            let raw = format!("all_fields={given}");
            let mut parsed = Query::read(&raw, &mut faults);
            assert_eq!(parsed.boolean("all_fields", &mut faults), read, "{given}");
            let place = query("all_fields");
            let expected = if read.is_none() { vec![("invalid", &place)] } else { vec![] };
            assert_eq!(faults_of(&faults), expected, "{given}");
        }
    }

    #[test]
    fn values_are_decoded_and_lists_are_split_and_trimmed() {
        let mut faults = Faults::default();
        let raw = "identifier=Caf%C3%A9+%2B%26&field_names=a,%20b,,c&field_ids=&&x";
        let mut parsed = Query::read(raw, &mut faults);
        assert_eq!(parsed.text("identifier", &mut faults), Some("Café +&"));
        let names = parsed.list("field_names", &mut faults).unwrap();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(parsed.list("field_ids", &mut faults), Some(vec![]));
        assert_eq!(parsed.text("x", &mut faults), Some(""));
        assert_eq!(parsed.text("absent", &mut faults), None);
        assert!(faults.is_empty());
    }

    #[test]
    fn what_cannot_be_decoded_or_is_given_twice_is_invalid() {
        for raw in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=%C3%28", "a=1&a=2"] {
            let mut faults = Faults::default();
            let mut parsed = Query::read(raw, &mut faults);
            parsed.text("a", &mut faults);
            assert_eq!(faults_of(&faults), [("invalid", &query("a"))], "{raw}");
        }
    }

    fn check(raw: &str, header: Option<&'static str>, unknown: &[Place]) {
        let mut faults = Faults::default();
        let mut parsed = Query::read(raw, &mut faults);
        parsed.boolean("return_all_fields", &mut faults);
        let mut headers = HeaderMap::new();
        if let Some(name) = header {
            let name = HeaderName::from_static(name);
            headers.insert(name, HeaderValue::from_static("x"));
        }
        parsed.finish(RouteGroup::Upsert, &headers, &[], &mut faults);
        let expected: Vec<_> = unknown.iter().map(|place| ("unknown_parameter", place)).collect();
        assert_eq!(faults_of(&faults), expected, "{raw}");
    }

    #[test]
    fn unknown_names_are_refused_when_asked_for_and_extensions_always() {
        check("return_all_fields=true&whatever=1", None, &[]);
        check("return_all_fields=true&strict=false&whatever=1", None, &[]);
        check("strict=true&return_all_fields=true", None, &[]);
        let both = [query("whatever"), query("other")];
        check("strict=TRUE&whatever=1&other=2", None, &both);
        check("mode=create", None, &[query("mode")]);
        // An extension of another route means nothing here.
        check("min_seq=5", None, &[]);
        check("", Some("if-match"), &[Place::Header("If-Match".into())]);
        check("", Some("idempotency-key"), &[]);
        check("", Some("x-origin"), &[]);
        check("", Some("x-other"), &[]);
    }

    #[test]
    fn a_key_of_the_body_is_a_parameter_where_the_query_has_none() {
        let body = br#"{"a":"of the body","b":7,"c":true,"d":["x"," y"],"e":null,"f":{"g":1}}"#;
        let input = crate::http::json::parse(body).unwrap();
        let mut faults = Faults::default();
        let mut parsed = Query::read_with_body("a=of+the+query&strict=1", &input, &mut faults);
        assert_eq!(parsed.text("a", &mut faults), Some("of the query"));
        assert_eq!(parsed.text("b", &mut faults), Some("7"));
        assert_eq!(parsed.boolean("c", &mut faults), Some(true));
        assert_eq!(parsed.list("d", &mut faults).unwrap(), ["x", "y"]);
        assert_eq!(parsed.text("e", &mut faults), None);
        assert_eq!(parsed.place("a"), query("a"));
        assert_eq!(parsed.place("b"), Place::Body("b".into()));
        assert!(faults.is_empty());
        parsed.finish(RouteGroup::Read, &HeaderMap::new(), &[], &mut faults);
        assert_eq!(faults_of(&faults), [("unknown_parameter", &Place::Body("f".into()))]);
        let mut faults = Faults::default();
        let mut parsed = Query::read_with_body("", &input, &mut faults);
        assert_eq!(parsed.text("f", &mut faults), None);
        assert_eq!(faults_of(&faults), [("invalid", &Place::Body("f".into()))]);
    }

    #[test]
    fn a_choice_is_one_of_its_words() {
        let mut faults = Faults::default();
        let mut parsed = Query::read("archived=only&format=pdf", &mut faults);
        let archived = [("exclude", 0), ("only", 1)];
        assert_eq!(parsed.choice("archived", &archived, &mut faults), Some(1));
        assert_eq!(parsed.choice("format", &archived, &mut faults), None);
        assert_eq!(faults_of(&faults), [("invalid_choice", &query("format"))]);
        assert_eq!(faults.as_slice()[0].message, "\"pdf\" is not a valid choice.");
    }
}
