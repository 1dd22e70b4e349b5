//! What a search or a list asks for: parameters of the query, keys of the body, or both, of which
//! the query wins.
//!
//! It must not know how records are found or shown.

use crate::http::code::Code;
use crate::http::cursor;
use crate::http::fault::{Fault, Faults, Place, clipped};
use crate::http::page::PageRequest;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::shape::Shape;
use crate::http::wire::filter::{self, no_such_field, visible_field};
use crate::http::wire::keys;
use crate::http::wire::selection::FieldsWanted;
use crate::model::access::{FieldRights, ObjectAccess};
use crate::model::filter::Filter;
use crate::model::filter::row::Surroundings;
use crate::model::filter::sort::{Position, SORT_FIELDS_MAX, Sort, SortField};
use crate::model::filter::words::{SEARCH_CHARS_MAX, Words};
use crate::model::input::Input;
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::schema::{FIELDS_MAX, Schema};
use crate::model::table::order::Wanted;
use crate::model::table::search::{Search, Window};
use std::sync::Arc;

const ARCHIVED: [(&str, Wanted); 3] =
    [("exclude", Wanted::Live), ("include", Wanted::All), ("only", Wanted::Archived)];

/// Names in one list of the body: each field by its name and its id.
const NAMES_MAX: usize = 2 * FIELDS_MAX;

/// Saved groups of records, which are not kept here. To ignore one would give wrong records.
const GROUPS: [&str; 3] = ["group_id", "in_group_ids", "not_in_group_ids"];

/// A search, and how what it finds is shown.
#[derive(Debug)]
pub struct SearchRequest {
    pub search: Search,
    pub wanted: FieldsWanted,
    /// Whether it is paged by a cursor.
    pub has_cursor: bool,
    /// A page that cannot be is told last: it is not found, where all else is at fault.
    pub page: Result<PageRequest, Problem>,
}

impl SearchRequest {
    /// Reads all of it.
    pub fn read(
        query: &mut Query<'_>,
        shape: Option<&mut Shape<'_>>,
        (around, access): (&Surroundings<'_>, &ObjectAccess),
        faults: &mut Faults,
    ) -> Self {
        let strict = query.is_strict();
        let rights = &access.fields(around.schema);
        let mut reader = Reader { query, shape, rights, faults };
        let (number, size) = (reader.text("page"), reader.text("page_size"));
        let text_of =
            |given: &Option<Given<String>>| given.as_ref().map(|given| given.value.clone());
        let page = PageRequest::new(text_of(&number).as_deref(), text_of(&size).as_deref());
        let wanted = FieldsWanted::of_names(reader.list("field_ids"), reader.list("field_names"));
        let archived = reader.archived();
        let sort = reader.sort(around.schema);
        let words = reader.words(around.schema);
        let filter = reader.filter(around, strict);
        let cursor = reader.text("cursor");
        if let (Some(number), Some(_)) = (&number, &cursor) {
            let fault = Fault::new(Code::Invalid, number.place.clone());
            reader.faults.push(fault.saying("Give either page or cursor."));
        }
        let has_cursor = cursor.is_some();
        let size = page.as_ref().map_or(0, PageRequest::size);
        let window = match cursor {
            None => Window::Places(page.as_ref().map_or(0..0, PageRequest::window)),
            Some(given) => Window::Behind { position: reader.position(&given, &sort), limit: size },
        };
        let reach = access.reach();
        let search = Search { wanted: archived, reach, filter, words, sort, window };
        Self { search, wanted, has_cursor, page }
    }

    /// Reads what may be asked of all records at once: neither words nor an order nor a page.
    pub fn read_whole(
        query: &mut Query<'_>,
        shape: Option<&mut Shape<'_>>,
        (around, access): (&Surroundings<'_>, &ObjectAccess),
        faults: &mut Faults,
    ) -> (Search, FieldsWanted) {
        let strict = query.is_strict();
        let rights = &access.fields(around.schema);
        let mut reader = Reader { query, shape, rights, faults };
        let wanted = FieldsWanted::of_names(None, reader.list("field_names"));
        let search = Search {
            wanted: reader.archived(),
            reach: access.reach(),
            filter: reader.filter(around, strict),
            words: None,
            sort: Sort::default(),
            window: Window::Places(0..usize::MAX),
        };
        (search, wanted)
    }
}

/// What was given, and where.
struct Given<T> {
    value: T,
    place: Place,
}

impl<T> Given<T> {
    fn fault(&self, code: Code) -> Fault {
        Fault::new(code, self.place.clone())
    }
}

struct Reader<'a, 'q, 'i> {
    query: &'a mut Query<'q>,
    /// None: there is no body.
    shape: Option<&'a mut Shape<'i>>,
    rights: &'a FieldRights,
    faults: &'a mut Faults,
}

impl<'i> Reader<'_, '_, 'i> {
    /// What the body has at a key; null is nothing.
    fn of_body(&mut self, key: &'static str) -> Option<Given<&'i Input<'i>>> {
        let shape = self.shape.as_mut()?;
        let value = shape.raw(key).filter(|value| **value != Input::Null)?;
        Some(Given { value, place: shape.place(key) })
    }

    fn text(&mut self, key: &'static str) -> Option<Given<String>> {
        let of_body = self.of_body(key);
        if let Some(text) = self.query.text(key, self.faults) {
            return Some(Given { value: text.to_owned(), place: Place::Query(key.into()) });
        }
        let Given { value, place } = of_body?;
        if let Input::Text(text) | Input::Number(text) = value {
            return Some(Given { value: text.clone().into_owned(), place });
        }
        self.faults.push(Fault::new(Code::Invalid, place).saying("Not a valid string."));
        None
    }

    /// Texts: between commas, or in the list of a body.
    fn list_and_place(&mut self, key: &'static str) -> Option<Given<Vec<String>>> {
        let of_body = self.of_body(key);
        if let Some(value) = self.query.list(key, self.faults) {
            return Some(Given { value, place: Place::Query(key.into()) });
        }
        let Given { value, place } = of_body?;
        let value = match value {
            Input::Text(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Some(items.map(str::to_owned).collect())
            }
            Input::List(items) => {
                if keys::has_too_many(items, ("names", NAMES_MAX), place.clone(), self.faults) {
                    return None;
                }
                items.iter().map(|item| item.as_text().map(str::to_owned)).collect()
            }
            Input::Null | Input::Boolean(_) | Input::Number(_) | Input::Map(_) => None,
        };
        if value.is_none() {
            let fault = Fault::new(Code::Invalid, place.clone());
            self.faults.push(fault.saying("Expected a list of strings."));
        }
        value.map(|value| Given { value, place })
    }

    fn list(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.list_and_place(key).map(|given| given.value)
    }

    fn archived(&mut self) -> Wanted {
        let Some(given) = self.text("archived") else { return Wanted::Live };
        let found = ARCHIVED.iter().find(|(word, _)| *word == given.value);
        if found.is_none() {
            self.faults.push(Fault::invalid_choice(given.place, &given.value));
        }
        found.map_or(Wanted::Live, |(_, wanted)| *wanted)
    }

    fn sort(&mut self, schema: &Schema) -> Sort {
        let Some(given) = self.list_and_place("ordering") else { return Sort::default() };
        if given.value.len() > SORT_FIELDS_MAX {
            let message = format!("Records are ordered by {SORT_FIELDS_MAX} fields at most.");
            self.faults.push(given.fault(Code::LimitExceeded).saying(message));
        }
        let mut fields = Vec::new();
        for name in given.value.iter().take(SORT_FIELDS_MAX) {
            let (name, is_descending) =
                name.strip_prefix('-').map_or((&**name, false), |name| (name, true));
            let Some(field) = visible_field(schema, self.rights, name) else {
                let message = format!("\"{}\" does not exist.", clipped(name));
                self.faults.push(given.fault(Code::DoesNotExist).saying(message));
                continue;
            };
            if Sort::may_sort(&field) {
                fields.push(SortField { field, is_descending });
            } else {
                let message = format!("Records cannot be ordered by \"{}\".", field.name);
                self.faults.push(given.fault(Code::Invalid).saying(message));
            }
        }
        // Records are kept in this order, so nothing need be sorted.
        if let [only] = &*fields
            && only.field.number == system::CREATED
            && !only.is_descending
        {
            return Sort::default();
        }
        Sort::new(fields)
    }

    fn words(&mut self, schema: &Schema) -> Option<Words> {
        let ids = self.list_and_place("search_within_field_ids");
        let names = self.list_and_place("search_within_field_names");
        let given = self.text("search")?;
        if given.value.len() > SEARCH_CHARS_MAX
            && given.value.chars().nth(SEARCH_CHARS_MAX).is_some()
        {
            self.faults.push(Fault::max_length(given.place, SEARCH_CHARS_MAX));
            return None;
        }
        let fields = if ids.is_none() && names.is_none() {
            let mut fields = Words::default_fields(schema);
            fields.retain(|field| self.rights.may_see(field.number));
            fields
        } else {
            let lists = ids.into_iter().chain(names);
            lists.flat_map(|list| self.searched_fields(&list, schema)).collect()
        };
        Words::new(&given.value, fields)
    }

    fn searched_fields(&mut self, given: &Given<Vec<String>>, schema: &Schema) -> Vec<Arc<Field>> {
        let mut fields = Vec::new();
        for reference in &given.value {
            match visible_field(schema, self.rights, reference) {
                Some(field) if Words::may_search(field.field_type) => fields.push(field),
                Some(field) => {
                    let message = format!("Words cannot be looked for in \"{}\".", field.name);
                    self.faults.push(given.fault(Code::Invalid).saying(message));
                }
                None => self.faults.push(no_such_field(given.place.clone())),
            }
        }
        fields
    }

    fn filter(&mut self, around: &Surroundings<'_>, strict: bool) -> Filter {
        for key in GROUPS {
            let given = self.of_body(key);
            let is_empty =
                |value: &Input<'_>| matches!(value, Input::List(list) if list.is_empty());
            if let Some(given) = given.filter(|given| !is_empty(given.value)) {
                let fault = given.fault(Code::UnsupportedFilter);
                self.faults.push(fault.saying("Saved groups of records are not supported."));
            }
        }
        let Some(shape) = self.shape.as_mut() else { return Filter::everything() };
        filter::read(shape, around, self.rights, strict, self.faults)
    }

    /// An empty cursor is that of the start.
    fn position(&mut self, given: &Given<String>, sort: &Sort) -> Option<Position> {
        if given.value.is_empty() {
            return None;
        }
        let position = cursor::read(&given.value, sort);
        if position.is_none() {
            let message = "This is not a cursor of a list in this order.";
            self.faults.push(given.fault(Code::Invalid).saying(message));
        }
        position
    }
}
