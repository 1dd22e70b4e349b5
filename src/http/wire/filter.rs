//! `query`: groups of conditions, as a search's body gives them.
//!
//! It must not know what a condition asks of a value; that is the model's.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults, Place, clipped};
use crate::http::shape::{Presence, Shape, TextRule};
use crate::http::value_fault;
use crate::model::access::FieldRights;
use crate::model::filter::condition::{Asked, Condition};
use crate::model::filter::fault::FilterFault;
use crate::model::filter::related::RelatedFilter;
use crate::model::filter::row::Surroundings;
use crate::model::filter::schedule::{Question, ScheduleTest};
use crate::model::filter::{CONDITIONS_MAX, Filter, GROUPS_DEEP_MAX};
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::table::link::Link;
use crate::model::value::FieldType;
use std::sync::Arc;

/// Characters of a condition's name and of a reference to a field.
const WORD_CHARS_MAX: usize = 200;

/// What stands in front of a field's id where other clients write conditions.
const CUSTOM: &str = "\"custom\"::";

const DISPLAY_NAME: &str = "display_name";

/// Types of conditions on fields.
const FIELDS: [&str; 2] = ["fields", "fields_v2"];
const SUBTYPES: [&str; 2] = ["custom", "non_custom"];

/// Entries of all lists together: so many are needed if each condition is in groups of its own.
const ENTRIES_MAX: usize = CONDITIONS_MAX * (1 + GROUPS_DEEP_MAX);

/// Names of conditions on tags in general, and what a field of tags calls them.
const TAGS: [(&str, &str); 6] = [
    ("has", "has"),
    ("has_not", "!has"),
    ("has_any", "has_any"),
    ("has_none", "has_none"),
    ("is_blank", "is_blank"),
    ("is_not_blank", "is_not_blank"),
];

const RELATED_OBJECT: &str = "related_object";

/// Names of conditions on related objects, and whether they ask for the opposite.
const RELATED: [(&str, bool); 2] = [("has", false), ("!has", true)];

/// The value of `is_blank` where none need be given.
const TRUE: Input<'static> = Input::Boolean(true);

/// Reads the filter of a search: all groups of `query`, combined as `and` says.
pub fn read(
    shape: &mut Shape<'_>,
    around: &Surroundings<'_>,
    rights: &FieldRights,
    strict: bool,
    faults: &mut Faults,
) -> Filter {
    let mut reader = Reader { around, rights, strict, conditions: 0, entries: 0, faults };
    let filter = reader.groups(shape, 1);
    if reader.is_full() {
        let message = format!(
            "A search has at most {CONDITIONS_MAX} conditions, and {ENTRIES_MAX} groups and \
             conditions."
        );
        faults.push(Fault::new(Code::LimitExceeded, shape.place("query")).saying(message));
    }
    filter.unwrap_or_else(Filter::everything)
}

/// The visible field that a request calls so, by its id or API name.
///
/// Contacts have a display name that is no field of theirs; it is asked for like one.
#[must_use]
pub fn visible_field(schema: &Schema, rights: &FieldRights, reference: &str) -> Option<Arc<Field>> {
    if reference == DISPLAY_NAME && schema.is_contacts() {
        let like = schema.by_number(system::FULL_NAME)?;
        if !rights.may_see(like.number) {
            return None;
        }
        let (number, name) = (system::DISPLAY_NAME, DISPLAY_NAME.to_owned());
        return Some(Arc::new(Field { number, name, ..Field::clone(like) }));
    }
    rights.find(schema, reference).filter(|field| !field.is_hidden).cloned()
}

/// A name of a field that is none.
#[must_use]
pub fn no_such_field(place: Place) -> Fault {
    Fault::new(Code::DoesNotExist, place).saying("Field does not exist.")
}

fn unsupported(place: Place, message: String) -> Fault {
    Fault::new(Code::UnsupportedFilter, place).saying(message)
}

struct Reader<'a> {
    around: &'a Surroundings<'a>,
    rights: &'a FieldRights,
    strict: bool,
    conditions: usize,
    /// Of all lists, conditions or not.
    entries: usize,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    /// The groups at the key `query`.
    fn groups(&mut self, shape: &mut Shape<'_>, depth: usize) -> Option<Filter> {
        if depth > GROUPS_DEEP_MAX {
            self.refuse_deeper(shape);
            shape.raw("and");
            return None;
        }
        let is_all = shape.boolean("and", Presence::Nullable, self.faults).unwrap_or(true);
        let groups = self.list(shape, "query", |reader, inside| reader.group(inside, depth));
        Filter::group(is_all, groups)
    }

    fn group(&mut self, shape: &mut Shape<'_>, depth: usize) -> Option<Filter> {
        shape.raw("id");
        let is_all = shape.boolean("and", Presence::Nullable, self.faults).unwrap_or(true);
        let condition = |reader: &mut Self, inside: &mut Shape<'_>| reader.condition(inside, depth);
        let mut parts = self.list(shape, "filters", condition);
        if depth < GROUPS_DEEP_MAX {
            let inside =
                |reader: &mut Self, inside: &mut Shape<'_>| reader.group(inside, depth + 1);
            parts.extend(self.list(shape, "query", inside));
        } else {
            self.refuse_deeper(shape);
        }
        Filter::group(is_all, parts)
    }

    fn refuse_deeper(&mut self, shape: &mut Shape<'_>) {
        if shape.raw("query").is_some_and(|query| *query != Input::Null) {
            let message = format!("Groups are at most {GROUPS_DEEP_MAX} deep.");
            let fault = Fault::new(Code::LimitExceeded, shape.place("query"));
            self.faults.push(fault.saying(message));
        }
    }

    /// Whether there is more than a search may have, so that no more of it is read.
    fn is_full(&self) -> bool {
        self.conditions > CONDITIONS_MAX || self.entries > ENTRIES_MAX
    }

    /// Each entry of a list of objects, read by `read`.
    fn list(
        &mut self,
        shape: &mut Shape<'_>,
        key: &'static str,
        read: impl Fn(&mut Self, &mut Shape<'_>) -> Option<Filter>,
    ) -> Vec<Filter> {
        let mut parts = Vec::new();
        let path = shape.path(key);
        let entries = shape.list(key, Presence::Nullable, self.faults).unwrap_or_default();
        for (index, entry) in entries.iter().enumerate() {
            self.entries += 1;
            if self.is_full() {
                break;
            }
            if let Some(mut inside) = Shape::of_entry(&path, index, entry, self.faults) {
                parts.extend(read(self, &mut inside));
                inside.finish_inside(self.strict, self.faults);
            }
        }
        parts
    }

    fn condition(&mut self, shape: &mut Shape<'_>, depth: usize) -> Option<Filter> {
        self.conditions += 1;
        shape.raw("id");
        let kind = self.word(shape, "type", Presence::Nullable);
        if kind == Some(RELATED_OBJECT) {
            return self.related_condition(shape, depth);
        }
        let word = self.word(shape, "condition", Presence::Required);
        match kind {
            None => self.field_condition(shape, word?),
            Some(kind) if FIELDS.contains(&kind) => self.field_condition(shape, word?),
            Some("tags") => self.tags_condition(shape, word?),
            Some("scheduled_activities") => self.schedule_condition(shape, word?),
            Some(other) => {
                let message = format!("The filter type \"{}\" is not supported.", clipped(other));
                self.faults.push(unsupported(shape.place("type"), message));
                None
            }
        }
    }

    fn field_condition(&mut self, shape: &mut Shape<'_>, word: &str) -> Option<Filter> {
        let value = shape.raw("value");
        let field = self.field(shape)?;
        self.read(shape, &field, Asked { word, value }, "value")
    }

    /// A filter on the records that one is related to: one of them at least must pass.
    fn related_condition(&mut self, shape: &mut Shape<'_>, depth: usize) -> Option<Filter> {
        // Known, whether they are looked at or not.
        for key in ["and", "query"] {
            shape.raw(key);
        }
        let word = self.word(shape, "condition", Presence::Optional).unwrap_or("has");
        let is_negated = RELATED.iter().find(|(name, _)| *name == word);
        if is_negated.is_none() {
            let word = clipped(word);
            let message = format!("The condition \"{word}\" is not supported on related objects.");
            self.faults.push(unsupported(shape.place("condition"), message));
        }
        let field = self.field(shape)?;
        if field.field_type != FieldType::Relationship {
            let fault = Fault::new(Code::Invalid, shape.place("field"));
            self.faults.push(fault.saying("Expected a relationship field."));
            return None;
        }
        let (_, is_negated) = is_negated?;
        let link = Link::of(&field, self.around.tables);
        // What leads nowhere has no fields to be asked for: nothing passes.
        let Some(other) = link.as_ref().map(|link| link.other().clone()) else {
            let schema = Arc::new(self.around.schema.clone());
            let nothing = RelatedFilter::new(None, schema, Filter::everything(), *is_negated);
            return Some(Filter::Related(Box::new(nothing)));
        };
        let (schema, rights) = (other.schema(), link.as_ref().map(Link::access));
        let rights = rights.map(|access| access.fields(&schema)).unwrap_or_default();
        let around = Surroundings { schema: &schema, tags: &other.tags, ..*self.around };
        let mut inside = Reader {
            around: &around,
            rights: &rights,
            strict: self.strict,
            conditions: self.conditions,
            entries: self.entries,
            faults: &mut *self.faults,
        };
        let filter = inside.groups(shape, depth + 1).unwrap_or_else(Filter::everything);
        (self.conditions, self.entries) = (inside.conditions, inside.entries);
        let filter = RelatedFilter::new(link, schema, filter, *is_negated);
        Some(Filter::Related(Box::new(filter)))
    }

    /// The field that a condition is about.
    fn field(&mut self, shape: &mut Shape<'_>) -> Option<Arc<Field>> {
        let subtype = self.word(shape, "subtype", Presence::Nullable);
        if let Some(other) = subtype.filter(|given| !SUBTYPES.contains(given)) {
            let message = format!("The filter subtype \"{}\" is not supported.", clipped(other));
            self.faults.push(unsupported(shape.place("subtype"), message));
        }
        let reference = self.word(shape, "field", Presence::Required)?;
        let reference = reference.strip_prefix(CUSTOM).unwrap_or(reference);
        let field = visible_field(self.around.schema, self.rights, reference);
        if field.is_none() {
            self.faults.push(no_such_field(shape.place("field")));
        }
        field
    }

    /// A condition on the tags that a record has by default, which contacts alone do.
    fn tags_condition(&mut self, shape: &mut Shape<'_>, word: &str) -> Option<Filter> {
        let ids = shape.raw("ids").filter(|ids| **ids != Input::Null);
        let tags = self.around.schema.by_number(system::TAGS);
        let tags = tags.filter(|field| self.rights.may_see(field.number));
        let Some(field) = tags else {
            let message = "The filter type \"tags\" is supported on contacts only.".to_owned();
            self.faults.push(unsupported(shape.place("type"), message));
            return None;
        };
        let Some((_, word)) = TAGS.iter().find(|(general, _)| *general == word) else {
            let message = format!("The condition \"{}\" is not supported on tags.", clipped(word));
            self.faults.push(unsupported(shape.place("condition"), message));
            return None;
        };
        let is_about_blanks = word.ends_with("blank");
        let value = if is_about_blanks { Some(&TRUE) } else { ids };
        self.read(shape, field, Asked { word, value }, "ids")
    }

    /// A condition on the activities about a record.
    fn schedule_condition(&mut self, shape: &mut Shape<'_>, word: &str) -> Option<Filter> {
        let value = shape.raw("value");
        let Some(question) = Question::parse(word) else {
            let word = clipped(word);
            let message = format!("The condition \"{word}\" is not supported on activities.");
            self.faults.push(unsupported(shape.place("condition"), message));
            return None;
        };
        let test = ScheduleTest::read(question, value, self.around);
        let test = test.map_err(|fault| value_fault::fault_of(&fault, shape.place("value")));
        test.map(Filter::Schedule).map_err(|fault| self.faults.push(fault)).ok()
    }

    /// `key` is that of what is compared with.
    fn read(
        &mut self,
        shape: &Shape<'_>,
        field: &Arc<Field>,
        asked: Asked<'_>,
        key: &str,
    ) -> Option<Filter> {
        let fault = match Condition::read(field, asked, self.around) {
            Ok(condition) => return Some(Filter::Condition(condition)),
            Err(fault @ FilterFault::Condition { .. }) => {
                unsupported(shape.place("condition"), fault.to_string())
            }
            Err(FilterFault::Value(fault)) => value_fault::fault_of(&fault, shape.place(key)),
        };
        self.faults.push(fault);
        None
    }

    fn word<'i>(
        &mut self,
        shape: &mut Shape<'i>,
        key: &'static str,
        presence: Presence,
    ) -> Option<&'i str> {
        let rule = TextRule {
            presence,
            chars_max: WORD_CHARS_MAX,
            may_be_blank: false,
            takes_number: false,
        };
        shape.text(key, &rule, self.faults)
    }
}
