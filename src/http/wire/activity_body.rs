//! The body that schedules or changes an activity: what it says, with everything it refers to
//! found.
//!
//! It must not know what becomes of the activity.

use crate::http::activity_access::may_see;
use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::shape::{Presence, Shape};
use crate::http::value_fault;
use crate::http::wire::keys;
use crate::model::agenda::command::{Log, Schedule, Update};
use crate::model::agenda::{Activity, ActivityType, Association};
use crate::model::id::{ActivityId, ActivityTypeId, MemberId, RecordId, RoleId, Timestamp};
use crate::model::input::Input;
use crate::model::schema::{META_BYTES_MAX, Schema};
use crate::model::table::Shown;
use crate::model::table::record::Record;
use crate::model::value::fault::ValueFault;
use crate::model::value::text::{LONGTEXT_CHARS_MAX, check_characters, check_length};
use std::sync::Arc;

/// Nothing is to be notified.
const NO_NOTIFICATIONS: &str = "[]";

/// Reads the body of a new activity; none if it has a fault.
pub fn read_schedule(
    body: &Input<'_>,
    caller: &Caller,
    strict: bool,
    faults: &mut Faults,
) -> Option<Schedule> {
    let mut reader = Reader { shape: Shape::of_body(body, faults), caller, faults };
    let activity_type = reader.activity_type(None);
    if activity_type.is_none() && !reader.names_a_type() {
        let place = reader.shape.place("activity_object_id");
        reader.faults.push(Fault::new(Code::Required, place));
    }
    let due = reader.due(Presence::Required);
    let note = reader.note("note").unwrap_or_default();
    let employee = reader.employee().flatten();
    let role = reader.role().flatten();
    let mentions = reader.mentions().unwrap_or_default();
    let notifications = reader.notifications().unwrap_or_else(|| NO_NOTIFICATIONS.to_owned());
    let associations = reader.associations(&[], strict).unwrap_or_default();
    reader.shape.finish(strict, RouteGroup::Write, reader.faults);
    let (activity_type, due) = (activity_type?.id, due?);
    faults.is_empty().then_some(Schedule {
        activity_type,
        note,
        due,
        employee,
        role,
        mentions,
        notifications,
        associations,
    })
}

/// Reads the body that changes an activity; what it does not name stays. None if it has a fault.
pub fn read_update(
    body: &Input<'_>,
    held: &Activity,
    caller: &Caller,
    strict: bool,
    faults: &mut Faults,
) -> Option<Update> {
    let mut reader = Reader { shape: Shape::of_body(body, faults), caller, faults };
    let given = reader.activity_type(Some(held.activity_type));
    if given.is_some_and(|given| given.id != held.activity_type) {
        let fault = Fault::new(Code::Immutable, reader.shape.place("activity_object_id"));
        reader.faults.push(fault.saying("The type of an activity cannot be changed."));
    }
    let update = Update {
        id: held.id,
        note: reader.note("note"),
        due: reader.due(Presence::Optional),
        completed_at: reader.completed_at(),
        employee: reader.employee(),
        role: reader.role(),
        mentions: reader.mentions(),
        notifications: reader.notifications(),
        associations: reader.associations(&held.associations, strict).map(|given| {
            // What the caller cannot see it cannot take away.
            let held = held.associations.iter().copied();
            given.into_iter().chain(held.filter(|about| !may_see(caller, *about))).collect()
        }),
    };
    reader.shape.finish(strict, RouteGroup::Write, reader.faults);
    faults.is_empty().then_some(update)
}

/// Reads the body that changes the note alone, under the name of either list of activities.
pub fn read_note(
    body: &Input<'_>,
    held: &Activity,
    caller: &Caller,
    strict: bool,
    faults: &mut Faults,
) -> Option<Update> {
    let mut reader = Reader { shape: Shape::of_body(body, faults), caller, faults };
    let note = match (reader.shape.raw("note"), reader.shape.raw("notes")) {
        (Some(_), Some(_)) => {
            reader.fault(Code::Invalid, "notes", "Give either note or notes.");
            None
        }
        (None, None) => {
            let place = reader.shape.place("note");
            reader.faults.push(Fault::new(Code::Required, place));
            None
        }
        (Some(_), None) => reader.note("note"),
        (None, Some(_)) => reader.note("notes"),
    };
    reader.shape.finish(strict, RouteGroup::Write, reader.faults);
    faults.is_empty().then_some(Update { note, ..nothing(held) })
}

/// The update that changes nothing.
fn nothing(held: &Activity) -> Update {
    Update {
        id: held.id,
        note: None,
        due: None,
        completed_at: None,
        employee: None,
        role: None,
        mentions: None,
        notifications: None,
        associations: None,
    }
}

/// Reads the body that logs what took place; none if it has a fault.
pub fn read_log(
    body: &Input<'_>,
    activity_type: ActivityTypeId,
    caller: &Caller,
    strict: bool,
    faults: &mut Faults,
) -> Option<Log> {
    let mut reader = Reader { shape: Shape::of_body(body, faults), caller, faults };
    // An empty list says that it was about nobody; to say nothing is a mistake.
    if reader.shape.raw(RELATED).is_none_or(|given| *given == Input::Null) {
        let place = reader.shape.place(RELATED);
        reader.faults.push(Fault::new(Code::Required, place));
    }
    let notes = reader.note("notes").unwrap_or_default();
    let scheduled =
        keys::id(&mut reader.shape, "scheduled_activity_id", ActivityId::parse, reader.faults);
    let mentions = reader.mentions().unwrap_or_default();
    let associations = reader.associations_at(RELATED, &[], strict).unwrap_or_default();
    reader.shape.finish(strict, RouteGroup::Write, reader.faults);
    let log = Log { activity_type, notes, scheduled, mentions, associations };
    faults.is_empty().then_some(log)
}

const ASSOCIATED: &str = "associated_entities";
const RELATED: &str = "related_objects";

/// A body while it is read. What a key gives is none where the key is left out.
struct Reader<'i, 'f, 'c> {
    shape: Shape<'i>,
    caller: &'c Caller,
    faults: &'f mut Faults,
}

#[expect(clippy::option_option, reason = "a key may be left out, null, or a value: three things")]
impl Reader<'_, '_, '_> {
    fn fault(&mut self, code: Code, key: &str, message: &'static str) {
        self.faults.push(Fault::new(code, self.shape.place(key)).saying(message));
    }

    /// Whether a key is there and null.
    fn is_null(&mut self, key: &'static str) -> bool {
        self.shape.raw(key) == Some(&Input::Null)
    }

    fn names_a_type(&mut self) -> bool {
        let is_given = |given: Option<&Input<'_>>| given.is_some_and(|given| *given != Input::Null);
        is_given(self.shape.raw("activity_object_id"))
            || is_given(self.shape.raw("activity_object_name"))
    }

    /// The type, by its id or its API name; where both are given they must mean the same.
    fn activity_type(&mut self, held: Option<ActivityTypeId>) -> Option<Arc<ActivityType>> {
        const MISSING: &str = "Activity type does not exist.";
        let agenda = self.caller.business.agenda();
        let id =
            keys::id(&mut self.shape, "activity_object_id", ActivityTypeId::parse, self.faults);
        let name =
            keys::text(&mut self.shape, "activity_object_name", Presence::Nullable, self.faults);
        // One that is deleted is there for what is held of it.
        let find = |found: Option<Arc<ActivityType>>| {
            found.filter(|found| !found.is_deleted || Some(found.id) == held)
        };
        let by_id = id.map(|id| find(agenda.activity_type(id)));
        let by_name = name.map(|name| find(agenda.offered_type_of_name(&name)));
        if by_id == Some(None) {
            self.fault(Code::DoesNotExist, "activity_object_id", MISSING);
        }
        if by_name == Some(None) {
            self.fault(Code::DoesNotExist, "activity_object_name", MISSING);
        }
        match (by_id.flatten(), by_name.flatten()) {
            (Some(by_id), Some(by_name)) if by_id.id != by_name.id => {
                let message = "This is another type than activity_object_id.";
                self.fault(Code::Invalid, "activity_object_name", message);
                None
            }
            (by_id, by_name) => by_id.or(by_name),
        }
    }

    fn due(&mut self, presence: Presence) -> Option<Timestamp> {
        let time_zone = self.caller.business.time_zone();
        keys::time(&mut self.shape, "due_datetime", presence, time_zone, self.faults)
    }

    /// `Some(None)` reopens it.
    fn completed_at(&mut self) -> Option<Option<Timestamp>> {
        if self.is_null("completed_at") {
            return Some(None);
        }
        let time_zone = self.caller.business.time_zone();
        let presence = Presence::Nullable;
        keys::time(&mut self.shape, "completed_at", presence, time_zone, self.faults).map(Some)
    }

    fn note(&mut self, key: &'static str) -> Option<String> {
        if self.is_null(key) {
            return Some(String::new());
        }
        let note = keys::text(&mut self.shape, key, Presence::Nullable, self.faults)?;
        let checked =
            check_characters(&note, false).and_then(|()| check_length(&note, LONGTEXT_CHARS_MAX));
        if let Err(fault) = checked {
            self.faults.push(value_fault::fault_of(&fault, self.shape.place(key)));
        }
        Some(note)
    }

    fn employee(&mut self) -> Option<Option<MemberId>> {
        if self.is_null("employee_id") {
            return Some(None);
        }
        let id = keys::id(&mut self.shape, "employee_id", MemberId::parse, self.faults)?;
        if self.caller.catalog.members.active(&id).is_none() {
            self.fault(Code::DoesNotExist, "employee_id", "Team member does not exist.");
        }
        Some(Some(id))
    }

    fn role(&mut self) -> Option<Option<RoleId>> {
        if self.is_null("role_id") {
            return Some(None);
        }
        let id = keys::id(&mut self.shape, "role_id", RoleId::parse, self.faults)?;
        if !self.caller.catalog.roles.iter().any(|role| role.id == id) {
            self.fault(Code::DoesNotExist, "role_id", "Role does not exist.");
        }
        Some(Some(id))
    }

    fn mentions(&mut self) -> Option<Vec<MemberId>> {
        // Nobody is notified of anything, so this says nothing but must be what it should be.
        self.shape.boolean("notify_mentioned", Presence::Nullable, self.faults);
        if self.is_null("mentions") {
            return Some(Vec::new());
        }
        let ids = keys::ids(&mut self.shape, "mentions", MemberId::parse, self.faults)?;
        if ids.iter().any(|id| self.caller.catalog.members.active(id).is_none()) {
            self.fault(Code::DoesNotExist, "mentions", "Team member does not exist.");
        }
        Some(ids)
    }

    /// The text of the list, which is kept and given back.
    fn notifications(&mut self) -> Option<String> {
        const KEY: &str = "notifications";
        if self.is_null(KEY) {
            return Some(NO_NOTIFICATIONS.to_owned());
        }
        self.shape.list(KEY, Presence::Nullable, self.faults)?;
        let text = keys::json_text(self.shape.raw(KEY)?);
        if text.len() > META_BYTES_MAX {
            let fault = ValueFault::LimitExceeded { what: "bytes", max: META_BYTES_MAX };
            self.faults.push(value_fault::fault_of(&fault, self.shape.place(KEY)));
        }
        Some(text)
    }

    /// The records it is about; those in `held` may be archived meanwhile.
    fn associations(&mut self, held: &[Association], strict: bool) -> Option<Vec<Association>> {
        if self.is_null(ASSOCIATED) {
            return Some(Vec::new());
        }
        self.associations_at(ASSOCIATED, held, strict)
    }

    /// The same of the list at a key. One with an entry at fault is none.
    fn associations_at(
        &mut self,
        key: &'static str,
        held: &[Association],
        strict: bool,
    ) -> Option<Vec<Association>> {
        let Some(Input::List(list)) = self.shape.raw(key) else {
            self.shape.list(key, Presence::Nullable, self.faults);
            return None;
        };
        if keys::is_too_long(list, self.shape.place(key), self.faults) {
            return None;
        }
        let (caller, faults) = (self.caller, &mut *self.faults);
        let read = |(index, entry)| {
            let mut shape = Shape::of_entry(key, index, entry, faults)?;
            let found = read_association(&mut shape, held, caller, faults);
            shape.finish_inside(strict, faults);
            found
        };
        Some(list.iter().enumerate().filter_map(read).collect())
    }
}

fn read_association(
    shape: &mut Shape<'_>,
    held: &[Association],
    caller: &Caller,
    faults: &mut Faults,
) -> Option<Association> {
    let object = Named::read(shape, ["custom_object_id", "custom_object"], faults);
    let record = Named::read(shape, ["entity_id", "entity"], faults);
    let (object, record) = (object?, record?);
    let mut missing = |key, message: &'static str| {
        faults.push(Fault::new(Code::DoesNotExist, shape.place(key)).saying(message));
    };
    let Some((table, access)) = caller.visible_table(object.text) else {
        missing(object.key, "Object does not exist.");
        return None;
    };
    let schema = table.shown().schema();
    let found = find_record(table.shown(), &schema, &record);
    let found = found.filter(|found| access.may_read(&schema, found));
    let association =
        found.as_ref().map(|found| Association { object: schema.object().id, record: found.id() });
    let is_archived = found.is_some_and(|found| found.is_archived());
    let association = association.filter(|about| !is_archived || held.contains(about));
    if association.is_none() {
        missing(record.key, "Record does not exist.");
    }
    association
}

fn find_record(shown: &Shown, schema: &Schema, named: &Named<'_>) -> Option<Record> {
    match named.by {
        By::Id => shown.record(RecordId::parse(named.text)?),
        By::Name => shown.holder(&schema.identifier_key(named.text)?),
    }
}

/// A thing that a body names by its id or its name.
struct Named<'i> {
    /// Where it does.
    key: &'static str,
    by: By,
    text: &'i str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Id,
    Name,
}

impl<'i> Named<'i> {
    /// Reads one of two forms: a key with the id, or a key with an object of id or name, where the
    /// id counts if it has both. What is neither, or both, has a fault.
    fn read(
        shape: &mut Shape<'i>,
        [flat, nested]: [&'static str; 2],
        faults: &mut Faults,
    ) -> Option<Self> {
        let by_id = shape.value(flat, Presence::Nullable, faults);
        let by_object = shape.value(nested, Presence::Nullable, faults);
        let fault = |code, key| Fault::new(code, shape.place(key));
        match (by_id, by_object) {
            (None, None) => faults.push(fault(Code::Required, flat)),
            (Some(_), Some(_)) => {
                let message = format!("Give either {flat} or {nested}.");
                faults.push(fault(Code::Invalid, nested).saying(message));
            }
            (Some(id), None) => {
                let named = Self::of_text(id, flat, By::Id);
                if named.is_none() {
                    faults.push(fault(Code::Invalid, flat).saying("Must be a valid UUID."));
                }
                return named;
            }
            (None, Some(object)) => {
                let named = Self::of_object(object, nested);
                if named.is_none() {
                    let message = "Give the id, or an object with id or name.";
                    faults.push(fault(Code::Invalid, nested).saying(message));
                }
                return named;
            }
        }
        None
    }

    fn of_object(given: &'i Input<'i>, key: &'static str) -> Option<Self> {
        let inside = |name| given.get(name).filter(|value| **value != Input::Null);
        match (inside("id"), inside("name")) {
            (Some(id), _) => Self::of_text(id, key, By::Id),
            (None, Some(name)) => Self::of_text(name, key, By::Name),
            (None, None) => Self::of_text(given, key, By::Id),
        }
    }

    fn of_text(given: &'i Input<'i>, key: &'static str, by: By) -> Option<Self> {
        given.as_text().map(|text| Self { key, by, text: text.trim() })
    }
}
