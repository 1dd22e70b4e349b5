//! The bodies that make and change a type of activity.
//!
//! It must not know which names are taken, nor which modes have objects.

use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::shape::{Presence, Shape, TextRule};
use crate::http::value_fault;
use crate::http::wire::keys;
use crate::model::agenda::command::{NewType, TypeEdit};
use crate::model::agenda::{ActivityType, AssociationMode};
use crate::model::id::ObjectId;
use crate::model::input::Input;
use crate::model::schema::LABEL_CHARS_MAX;
use crate::model::value::text::check_characters;

/// Characters of a description.
const DESCRIPTION_CHARS_MAX: usize = 500;

const MODES: [(&str, AssociationMode); 3] = [
    ("all_objects_associated", AssociationMode::AllObjectsAssociated),
    ("selected_objects_associated", AssociationMode::SelectedObjectsAssociated),
    ("no_objects_associated", AssociationMode::NoObjectsAssociated),
];

const OBJECTS: &str = "associated_objects";

/// Reads the body of a new type; none if it has a fault.
pub fn read_new_type(
    body: &Input<'_>,
    caller: &Caller,
    strict: bool,
    faults: &mut Faults,
) -> Option<NewType> {
    let mut shape = Shape::of_body(body, faults);
    let name = read_name(&mut shape, Presence::Required, faults);
    let api_name = keys::text(&mut shape, "api_name", Presence::Nullable, faults);
    let description = read_description(&mut shape, faults);
    let mode = shape.choice("association_mode", Presence::Nullable, &MODES, faults);
    let objects = read_objects(&mut shape, caller, strict, faults);
    shape.finish(strict, RouteGroup::Write, faults);
    let new = NewType {
        name: name?,
        api_name,
        description: description.unwrap_or_default(),
        association_mode: mode.unwrap_or_default(),
        associated_objects: objects.unwrap_or_default(),
    };
    faults.is_empty().then_some(new)
}

/// Reads the body that changes a type; what it does not name stays. None if it has a fault.
pub fn read_type_edit(
    body: &Input<'_>,
    held: &ActivityType,
    caller: &Caller,
    strict: bool,
    faults: &mut Faults,
) -> Option<TypeEdit> {
    let mut shape = Shape::of_body(body, faults);
    let name = read_name(&mut shape, Presence::Optional, faults);
    let api_name = keys::text(&mut shape, "api_name", Presence::Nullable, faults);
    if api_name.is_some_and(|api_name| api_name != held.api_name) {
        faults.push(Fault::new(Code::Immutable, shape.place("api_name")));
    }
    let edit = TypeEdit {
        id: held.id,
        name,
        description: read_description(&mut shape, faults),
        association_mode: shape.choice("association_mode", Presence::Optional, &MODES, faults),
        associated_objects: read_objects(&mut shape, caller, strict, faults).map(|given| {
            // What the caller cannot see it cannot take away.
            let held = held.associated_objects.iter().copied();
            let unseen = held.filter(|object| !caller.rights.on(*object).may_see_object());
            given.into_iter().chain(unseen).collect()
        }),
    };
    shape.finish(strict, RouteGroup::Write, faults);
    faults.is_empty().then_some(edit)
}

fn read_name(shape: &mut Shape<'_>, presence: Presence, faults: &mut Faults) -> Option<String> {
    let rule =
        TextRule { presence, chars_max: LABEL_CHARS_MAX, may_be_blank: false, takes_number: false };
    read_text(shape, "name", &rule, faults)
}

/// Null clears it.
fn read_description(shape: &mut Shape<'_>, faults: &mut Faults) -> Option<String> {
    if shape.raw("description") == Some(&Input::Null) {
        return Some(String::new());
    }
    let rule = TextRule {
        presence: Presence::Nullable,
        chars_max: DESCRIPTION_CHARS_MAX,
        may_be_blank: true,
        takes_number: false,
    };
    read_text(shape, "description", &rule, faults)
}

fn read_text(
    shape: &mut Shape<'_>,
    key: &'static str,
    rule: &TextRule,
    faults: &mut Faults,
) -> Option<String> {
    let text = shape.text(key, rule, faults)?.to_owned();
    if let Err(fault) = check_characters(&text, false) {
        faults.push(value_fault::fault_of(&fault, shape.place(key)));
    }
    Some(text)
}

/// The objects of `[{"custom_object":{"id"}}]`, each once; by their API name they are found too.
fn read_objects(
    shape: &mut Shape<'_>,
    caller: &Caller,
    strict: bool,
    faults: &mut Faults,
) -> Option<Vec<ObjectId>> {
    let list = shape.list(OBJECTS, Presence::Nullable, faults)?;
    if keys::is_too_long(list, shape.place(OBJECTS), faults) {
        return None;
    }
    let mut objects = Vec::with_capacity(list.len());
    for (index, entry) in list.iter().enumerate() {
        let Some(mut shape) = Shape::of_entry(OBJECTS, index, entry, faults) else { continue };
        let given = shape.value("custom_object", Presence::Required, faults);
        let place = shape.place("custom_object");
        shape.finish_inside(strict, faults);
        let Some(given) = given else { continue };
        let inside = |name| given.get(name).filter(|value| **value != Input::Null);
        let named = inside("id").or_else(|| inside("name")).unwrap_or(given);
        let Some(reference) = named.as_text() else {
            let message = "Give the id, or an object with id or name.";
            faults.push(Fault::new(Code::Invalid, place).saying(message));
            continue;
        };
        let Some((table, _)) = caller.visible_table(reference.trim()) else {
            let fault = Fault::new(Code::DoesNotExist, place);
            faults.push(fault.saying("Object does not exist."));
            continue;
        };
        let object = table.shown().object();
        if !objects.contains(&object) {
            objects.push(object);
        }
    }
    Some(objects)
}
