//! The `fields` of a write, and the other sets of an upsert: which field each entry names, and what
//! is to be done to it.
//!
//! It reads the shape alone. Whether a field exists, may be written, or takes the value is for
//! those who know the schema; this file must not.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults, FieldPart, FieldPlace, Place};
use crate::http::problem::FieldsForm;
use crate::model::input::Input;
use crate::model::table::command::{EntryIndex, FieldSet};
use std::borrow::Cow;

/// Entries of one request.
const ENTRIES_MAX: usize = 500;

/// The `fields` of one request, and its other sets of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields<'i> {
    /// The entries without a fault, in order, set by set.
    pub entries: Vec<FieldEntry<'i>>,
    /// How `fields` was given; errors mirror it.
    pub form: FieldsForm,
    /// Blanks are passed over instead of clearing.
    pub ignores_blanks: bool,
}

/// What is asked of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldEntry<'i> {
    /// Position in the request.
    pub index: EntryIndex,
    pub reference: FieldReference<'i>,
    pub write: FieldWrite<'i>,
}

/// How an entry names its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldReference<'i> {
    Id(&'i str),
    Name(&'i str),
    /// Both; they must mean the same field.
    Both {
        id: &'i str,
        name: &'i str,
    },
    /// A key of the object form: a name or an id.
    Key(&'i str),
}

/// What is to be done to a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldWrite<'i> {
    /// `value`, null included.
    Value(&'i Input<'i>),
    /// `add_values` and `remove_values`, at least one of them.
    Edit { add: Option<&'i Input<'i>>, remove: Option<&'i Input<'i>> },
}

impl FieldEntry<'_> {
    /// The place of a fault in this entry.
    #[must_use]
    pub fn place(&self, part: FieldPart) -> Place {
        let field = match self.reference {
            FieldReference::Id(text)
            | FieldReference::Name(text)
            | FieldReference::Key(text)
            | FieldReference::Both { name: text, .. } => text,
        };
        place_of(
            self.index,
            FieldPlace { field: Some(field.to_owned()), part, ..FieldPlace::default() },
        )
    }
}

/// What the API calls a set of fields.
#[must_use]
pub const fn set_name(set: FieldSet) -> &'static str {
    match set {
        FieldSet::Fields => "fields",
        FieldSet::OnCreate => "set_on_create",
        FieldSet::OnUpdate => "set_on_update",
        FieldSet::IfEmpty => "set_if_empty",
    }
}

/// A place in an entry: its position in `fields`, or the key of another set.
#[must_use]
pub fn place_of(index: EntryIndex, place: FieldPlace) -> Place {
    let EntryIndex { set, at } = index;
    let index = (set == FieldSet::Fields).then_some(at as usize);
    Place::Field(FieldPlace { index, set, ..place })
}

impl<'i> Fields<'i> {
    /// There is nothing to do.
    #[must_use]
    pub fn none() -> Self {
        Self { entries: Vec::new(), form: FieldsForm::List(0), ignores_blanks: false }
    }

    /// Reads the value of `fields`; left out, there is nothing to do.
    pub fn read(given: Option<&'i Input<'i>>, strict: bool, faults: &mut Faults) -> Self {
        let mut fields = Self::none();
        if let Some(form) = fields.read_set(FieldSet::Fields, given, strict, faults) {
            fields.form = form;
        }
        fields
    }

    /// Reads another set. Its form, unless there is none or a fault.
    pub fn read_set(
        &mut self,
        set: FieldSet,
        given: Option<&'i Input<'i>>,
        strict: bool,
        faults: &mut Faults,
    ) -> Option<FieldsForm> {
        let whole = |code| Fault::new(code, Place::Body(set_name(set).into()));
        let too_many = |len| {
            let message = format!("At most {ENTRIES_MAX} fields are taken, not {len}.");
            whole(Code::LimitExceeded).saying(message)
        };
        let fault = match given? {
            Input::Map(entries) if entries.len() <= ENTRIES_MAX => {
                return Some(self.add_object(set, entries));
            }
            Input::List(entries) if entries.len() <= ENTRIES_MAX => {
                return Some(self.add_list(set, entries, strict, faults));
            }
            Input::Map(entries) => too_many(entries.len()),
            Input::List(entries) => too_many(entries.len()),
            Input::Null => whole(Code::Null),
            other @ (Input::Boolean(_) | Input::Number(_) | Input::Text(_)) => {
                let message = format!("Expected a list or an object, not {}.", other.kind());
                whole(Code::Invalid).saying(message)
            }
        };
        faults.push(fault);
        None
    }

    fn add_object(
        &mut self,
        set: FieldSet,
        entries: &'i [(Cow<'i, str>, Input<'i>)],
    ) -> FieldsForm {
        let entry = |(at, (key, value)): (u32, &'i (Cow<'i, str>, Input<'i>))| FieldEntry {
            index: EntryIndex { set, at },
            reference: FieldReference::Key(key),
            write: FieldWrite::Value(value),
        };
        self.entries.extend((0..).zip(entries).map(entry));
        FieldsForm::Named(entries.iter().map(|(key, _)| Box::from(&**key)).collect())
    }

    fn add_list(
        &mut self,
        set: FieldSet,
        given: &'i [Input<'i>],
        strict: bool,
        faults: &mut Faults,
    ) -> FieldsForm {
        for (at, entry) in (0..).zip(given) {
            self.entries.extend(read_entry(EntryIndex { set, at }, entry, strict, faults));
        }
        FieldsForm::List(given.len())
    }
}

/// The keys an entry may have.
#[derive(Default)]
struct Keys<'i> {
    id: Option<&'i Input<'i>>,
    name: Option<&'i Input<'i>>,
    value: Option<&'i Input<'i>>,
    add: Option<&'i Input<'i>>,
    remove: Option<&'i Input<'i>>,
}

fn read_entry<'i>(
    index: EntryIndex,
    entry: &'i Input<'i>,
    strict: bool,
    faults: &mut Faults,
) -> Option<FieldEntry<'i>> {
    let at = |field: Option<&str>, part| {
        let field = field.map(str::to_owned);
        place_of(index, FieldPlace { field, part, ..FieldPlace::default() })
    };
    let Input::Map(members) = entry else {
        let message = format!("Expected an object, not {}.", entry.kind());
        faults.push(Fault::new(Code::Invalid, at(None, FieldPart::Name)).saying(message));
        return None;
    };
    let mut keys = Keys::default();
    for (key, value) in members {
        match &**key {
            "id" => keys.id = Some(value),
            "name" => keys.name = Some(value),
            "value" => keys.value = Some(value),
            "add_values" => keys.add = Some(value),
            "remove_values" => keys.remove = Some(value),
            _ if strict => {
                let path = format!("{}.{}.{key}", set_name(index.set), index.at);
                faults.push(Fault::unknown_parameter(Place::Body(path.into())));
            }
            _ => {}
        }
    }
    let id = text_of(keys.id, &|| at(None, FieldPart::Id), faults)?;
    let name = text_of(keys.name, &|| at(None, FieldPart::Name), faults)?;
    let reference = match (id, name) {
        (Some(id), Some(name)) => FieldReference::Both { id, name },
        (Some(id), None) => FieldReference::Id(id),
        (None, Some(name)) => FieldReference::Name(name),
        (None, None) => {
            faults.push(Fault::new(Code::Required, at(None, FieldPart::Name)));
            return None;
        }
    };
    let field = name.or(id);
    let write = match (keys.value, keys.add, keys.remove) {
        (Some(value), None, None) => FieldWrite::Value(value),
        (None, None, None) => {
            faults.push(Fault::new(Code::Required, at(field, FieldPart::Value)));
            return None;
        }
        (None, add, remove) => FieldWrite::Edit { add, remove },
        (Some(_), _, _) => {
            let message = "Give either value, or add_values and remove_values.";
            faults.push(Fault::new(Code::Invalid, at(field, FieldPart::Value)).saying(message));
            return None;
        }
    };
    Some(FieldEntry { index, reference, write })
}

/// The outer none: there is a fault. Null is as good as left out.
#[expect(clippy::option_option, reason = "a fault and an absent key are different")]
fn text_of<'i>(
    given: Option<&'i Input<'i>>,
    place: &dyn Fn() -> Place,
    faults: &mut Faults,
) -> Option<Option<&'i str>> {
    match given {
        None | Some(Input::Null) => Some(None),
        Some(Input::Text(text)) => Some(Some(text)),
        Some(Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_)) => {
            faults.push(Fault::new(Code::Invalid, place()).saying("Not a valid string."));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::json;

    /// How many entries are good, and the faults as `code place`.
    fn check(json: &str, strict: bool, good: usize, faults: &[&str]) {
        let input = json::parse(json.as_bytes()).unwrap();
        let mut noted = Faults::default();
        let fields = Fields::read(Some(&input), strict, &mut noted);
        let shown: Vec<_> = noted
            .as_slice()
            .iter()
            .map(|fault| match &fault.place {
                Place::Field(place) => {
                    let field = place.field.as_deref().unwrap_or("-");
                    let index = place.index.unwrap();
                    format!("{} {index} {field} {}", fault.code.as_str(), place.part.as_str())
                }
                Place::Body(key) => format!("{} {key}", fault.code.as_str()),
                Place::Whole | Place::Query(_) | Place::Header(_) => panic!("{fault:?}"),
            })
            .collect();
        assert_eq!(shown, faults, "{json}");
        assert_eq!(fields.entries.len(), good, "{json}");
        if let (FieldsForm::List(len), Input::List(given)) = (&fields.form, &input)
            && given.len() <= ENTRIES_MAX
        {
            assert_eq!(*len, given.len());
        }
    }

    #[test]
    fn every_fault_of_every_entry_is_noted() {
        check(
            r#"[{"name":"a","value":1},{"value":2},{"name":"c"},{"id":5,"value":1},
                {"name":"e","value":1,"add_values":[]},"text",{"name":null,"id":null,"value":0}]"#,
            false,
            1,
            &[
                "required 1 - name",
                "required 2 c value",
                "invalid 3 - id",
                "invalid 4 e value",
                "invalid 5 - name",
                "required 6 - name",
            ],
        );
    }

    #[test]
    fn an_entry_names_its_field_and_says_what_to_do() {
        let json = r#"[{"name":"a","value":null},{"id":"i","add_values":[1]},
            {"name":"n","id":"i","add_values":[1],"remove_values":[2]}]"#;
        let input = json::parse(json.as_bytes()).unwrap();
        let mut faults = Faults::default();
        let fields = Fields::read(Some(&input), true, &mut faults);
        assert!(faults.is_empty());
        let [first, second, third] = &fields.entries[..] else { panic!("three were given") };
        assert_eq!(first.reference, FieldReference::Name("a"));
        assert_eq!(first.write, FieldWrite::Value(&Input::Null));
        assert_eq!(second.reference, FieldReference::Id("i"));
        assert!(matches!(second.write, FieldWrite::Edit { add: Some(_), remove: None }));
        assert_eq!(third.reference, FieldReference::Both { id: "i", name: "n" });
        assert!(matches!(third.write, FieldWrite::Edit { add: Some(_), remove: Some(_) }));
    }

    #[test]
    fn the_object_form_has_a_value_for_each_key() {
        let input = json::parse(br#"{"b":1,"a":null}"#).unwrap();
        let mut faults = Faults::default();
        let fields = Fields::read(Some(&input), true, &mut faults);
        assert!(faults.is_empty());
        assert_eq!(fields.form, FieldsForm::Named(["b", "a"].map(Box::from).to_vec()));
        let keys: Vec<_> = fields.entries.iter().map(|entry| entry.reference).collect();
        assert_eq!(keys, [FieldReference::Key("b"), FieldReference::Key("a")]);
    }

    #[test]
    fn five_hundred_entries_are_taken_and_no_more() {
        let list = |len| format!("[{}]", vec![r#"{"name":"a","value":1}"#; len].join(","));
        check(&list(500), false, 500, &[]);
        check(&list(501), false, 0, &["limit_exceeded fields"]);
        let object = |len| {
            let keys: Vec<_> = (0..len).map(|n| format!("\"f{n}\":1")).collect();
            format!("{{{}}}", keys.join(","))
        };
        check(&object(500), false, 500, &[]);
        check(&object(501), false, 0, &["limit_exceeded fields"]);
    }

    #[test]
    fn what_is_no_list_and_no_object_is_one_fault() {
        for (json, fault) in
            [("null", "null fields"), ("5", "invalid fields"), ("\"a\"", "invalid fields")]
        {
            check(json, false, 0, &[fault]);
        }
        let mut faults = Faults::default();
        assert!(Fields::read(None, true, &mut faults).entries.is_empty());
        assert!(faults.is_empty());
    }

    #[test]
    fn unknown_keys_of_an_entry_are_refused_only_when_asked_for() {
        let json = r#"[{"name":"a","value":1},{"name":"b","value":1,"extra":1}]"#;
        check(json, false, 2, &[]);
        check(json, true, 2, &["unknown_parameter fields.1.extra"]);
    }
}
