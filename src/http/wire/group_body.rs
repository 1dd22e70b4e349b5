//! The bodies that make and change permission groups, with every object and field they name found.
//!
//! What the caller may not see does not exist here: it can be named by nobody who cannot see it,
//! and stays as it is.

use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place, clipped};
use crate::http::shape::{Presence, Shape};
use crate::http::wire::keys;
use crate::http::wire::roles::read_name;
use crate::model::access::FieldRights;
use crate::model::catalog::grant::{GroupEdit, Right};
use crate::model::catalog::permission::{
    Breach, FieldAccess, Level, ObjectRights, PermissionGroup, RecordRights, Subject,
};
use crate::model::id::{FieldId, PermissionGroupId};
use crate::model::input::Input;
use crate::model::schema::Schema;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stands for every object without an entry of its own.
pub const OTHERS: &str = "*";

/// The group that a body is about, and how.
#[derive(Clone, Copy)]
pub enum Held<'a> {
    /// It is made.
    Nothing,
    /// What the body does not name stays.
    Kept(&'a PermissionGroup),
    /// What the body does not name is nothing then.
    Replaced(&'a PermissionGroup),
}

impl<'a> Held<'a> {
    fn group(self) -> Option<&'a PermissionGroup> {
        match self {
            Self::Nothing => None,
            Self::Kept(group) | Self::Replaced(group) => Some(group),
        }
    }
}

/// Reads the body of a permission group.
pub fn read_group(
    body: &Input<'_>,
    held: Held<'_>,
    caller: &Caller,
    strict: bool,
    faults: &mut Faults,
) -> GroupEdit {
    let mut shape = Shape::of_body(body, faults);
    let mut edit = GroupEdit {
        name: read_name(&mut shape, held.group().is_none(), faults),
        is_admin: shape.boolean("is_admin", Presence::Nullable, faults),
        ..GroupEdit::default()
    };
    if let Some(group) = held.group() {
        let id = keys::id(&mut shape, "id", PermissionGroupId::parse, faults);
        if id.is_some_and(|id| id != group.id) {
            faults.push(Fault::new(Code::Immutable, shape.place("id")));
        }
    }
    if let Some(mut sections) = shape.object("sections", Presence::Nullable, faults) {
        edit.settings = read_level(&mut sections, "settings", faults);
        edit.team = read_level(&mut sections, "team", faults);
        edit.all_team_members = sections.boolean("all_team_members", Presence::Nullable, faults);
        edit.create_objects = sections.boolean("create_objects", Presence::Nullable, faults);
        sections.finish_inside(strict, faults);
    }
    let entries = shape.value("objects", Presence::Nullable, faults);
    let mut reader = Reader { caller, held: held.group(), strict, faults };
    edit.entries = entries.map(|entries| reader.objects(entries)).unwrap_or_default();
    shape.finish(strict, RouteGroup::Write, faults);
    if let Held::Replaced(group) = held {
        clear_the_rest(&mut edit, group, caller);
    }
    edit
}

/// What was not named becomes nothing, but for what the caller cannot see.
fn clear_the_rest(edit: &mut GroupEdit, held: &PermissionGroup, caller: &Caller) {
    edit.is_admin.get_or_insert(false);
    edit.settings.get_or_insert(Level::None);
    edit.team.get_or_insert(Level::None);
    edit.all_team_members.get_or_insert(false);
    edit.create_objects.get_or_insert(false);
    let tables = caller.tables();
    let visible = tables.iter().map(|(table, _)| Subject::Object(table.shown().object()));
    let is_held = |subject: &Subject| match subject {
        Subject::Others => true,
        Subject::Object(object) => held.objects.contains_key(object),
    };
    for subject in [Subject::Others].into_iter().chain(visible).filter(is_held) {
        if !edit.entries.iter().any(|(named, _)| *named == subject) {
            edit.entries.push((subject, None));
        }
    }
}

fn read_level(shape: &mut Shape<'_>, key: &'static str, faults: &mut Faults) -> Option<Level> {
    let value = shape.value(key, Presence::Nullable, faults)?;
    read_number(value, shape.place(key), &Level::ALL, Level::number, faults)
}

/// One of a few numbers.
fn read_number<T: Copy>(
    value: &Input<'_>,
    place: Place,
    choices: &[T],
    number: impl Fn(T) -> u8,
    faults: &mut Faults,
) -> Option<T> {
    if *value == Input::Null {
        faults.push(Fault::new(Code::Null, place));
        return None;
    }
    let Input::Number(digits) = value else {
        faults.push(Fault::new(Code::Invalid, place).saying("A valid integer is required."));
        return None;
    };
    let given = keys::whole_number(digits);
    let found = choices.iter().find(|choice| Some(number(**choice)) == given);
    if found.is_none() {
        faults.push(Fault::invalid_choice(place, digits));
    }
    found.copied()
}

struct Reader<'a, 'f> {
    caller: &'a Caller,
    held: Option<&'a PermissionGroup>,
    strict: bool,
    faults: &'f mut Faults,
}

/// An object while its entry is read: its schema, and what the caller may see of it.
struct Named {
    subject: Subject,
    /// None of all others.
    schema: Option<(Arc<Schema>, FieldRights)>,
}

impl Named {
    fn find(caller: &Caller, reference: &str) -> Option<Self> {
        if reference == OTHERS {
            return Some(Self { subject: Subject::Others, schema: None });
        }
        let (table, access) = caller.visible_table(reference)?;
        let schema = table.shown().schema();
        let fields = access.fields(&schema);
        let subject = Subject::Object(schema.object().id);
        Some(Self { subject, schema: Some((schema, fields)) })
    }

    fn field(&self, reference: &str) -> Option<FieldId> {
        let (schema, fields) = self.schema.as_ref()?;
        fields.find(schema, reference).map(|field| field.id)
    }

    /// What a held entry says of fields that the caller cannot see.
    fn unseen<'e>(
        &'e self,
        entry: &'e ObjectRights,
    ) -> impl Iterator<Item = (FieldId, FieldAccess)> + 'e {
        let is_unseen = |field: FieldId| {
            self.schema.as_ref().is_some_and(|(schema, fields)| {
                schema.by_id(field).is_some_and(|field| !fields.may_see(field.number))
            })
        };
        let held = entry.fields.iter().map(|(field, access)| (*field, *access));
        held.filter(move |(field, _)| is_unseen(*field))
    }
}

impl Reader<'_, '_> {
    fn fault(&mut self, code: Code, path: String, message: &'static str) {
        self.faults.push(Fault::new(code, Place::Body(path.into())).saying(message));
    }

    fn objects(&mut self, given: &Input<'_>) -> Vec<(Subject, Option<ObjectRights>)> {
        let Input::Map(given) = given else {
            let message = format!("Expected an object, not {}.", given.kind());
            let place = Place::Body("objects".into());
            self.faults.push(Fault::new(Code::Invalid, place).saying(message));
            return Vec::new();
        };
        let mut entries: Vec<(Subject, Option<ObjectRights>)> = Vec::new();
        for (reference, value) in given {
            let path = format!("objects.{}", clipped(reference));
            let Some(named) = Named::find(self.caller, reference) else {
                self.fault(Code::DoesNotExist, path, "Object does not exist.");
                continue;
            };
            if entries.iter().any(|(subject, _)| *subject == named.subject) {
                self.fault(Code::Invalid, path, "The object is named twice.");
                continue;
            }
            let entry = if *value == Input::Null { None } else { self.entry(&path, value, &named) };
            entries.push((named.subject, entry));
        }
        entries
    }

    fn entry(&mut self, path: &str, value: &Input<'_>, named: &Named) -> Option<ObjectRights> {
        let mut shape = Shape::of_value(path, value, self.faults)?;
        let mut entry = ObjectRights {
            settings: read_level(&mut shape, "settings", self.faults).unwrap_or_default(),
            ..ObjectRights::default()
        };
        if let Some(mut records) = shape.object("records", Presence::Nullable, self.faults) {
            entry.records = read_records(&mut records, self.faults);
            records.finish_inside(self.strict, self.faults);
        }
        let key = "default_field_access";
        if let Some(value) = shape.value(key, Presence::Nullable, self.faults) {
            let place = shape.place(key);
            entry.default_field_access = read_access(value, place, self.faults).unwrap_or_default();
        }
        if let Some(fields) = shape.value("fields", Presence::Nullable, self.faults) {
            entry.fields = self.fields(&shape.path("fields"), fields, named);
        }
        shape.finish_inside(self.strict, self.faults);
        if let Some(held) = self.held {
            entry.fields.extend(named.unseen(held.entry(named.subject)));
        }
        Some(entry)
    }

    fn fields(
        &mut self,
        path: &str,
        given: &Input<'_>,
        named: &Named,
    ) -> BTreeMap<FieldId, FieldAccess> {
        let mut fields = BTreeMap::new();
        let Input::Map(given) = given else {
            let message = format!("Expected an object, not {}.", given.kind());
            let place = Place::Body(path.to_owned().into());
            self.faults.push(Fault::new(Code::Invalid, place).saying(message));
            return fields;
        };
        for (reference, value) in given {
            let path = format!("{path}.{}", clipped(reference));
            let Some(field) = named.field(reference) else {
                self.fault(Code::DoesNotExist, path, "Field does not exist.");
                continue;
            };
            let place = Place::Body(path.clone().into());
            let Some(access) = read_access(value, place, self.faults) else { continue };
            if fields.insert(field, access).is_some() {
                self.fault(Code::Invalid, path, "The field is named twice.");
            }
        }
        fields
    }
}

fn read_access(value: &Input<'_>, place: Place, faults: &mut Faults) -> Option<FieldAccess> {
    read_number(value, place, &FieldAccess::ALL, FieldAccess::number, faults)
}

fn read_records(shape: &mut Shape<'_>, faults: &mut Faults) -> RecordRights {
    let all_records = read_level(shape, "all_records", faults).unwrap_or_default();
    let associated_records = read_level(shape, "associated_records", faults).unwrap_or_default();
    let mut flag = |key| shape.boolean(key, Presence::Nullable, faults);
    let unarchive_all = flag("unarchive_all").unwrap_or(false);
    let rights = RecordRights {
        all_records,
        associated_records,
        create_record: flag("create_record").unwrap_or(false),
        unarchive_all,
        // What is left out follows from what implies it.
        unarchive_associated: flag("unarchive_associated").unwrap_or(unarchive_all),
        bulk_actions: flag("bulk_actions").unwrap_or(false),
        export: flag("export").unwrap_or(false),
    };
    for breach in rights.breaches() {
        let (key, message) = breach_text(breach);
        faults.push(Fault::new(Code::Invalid, shape.place(key)).saying(message));
    }
    rights
}

/// The key that breaks a rule, and which rule.
#[must_use]
pub fn breach_text(breach: Breach) -> (&'static str, &'static str) {
    match breach {
        Breach::AssociatedBelowAll => {
            ("associated_records", "The level must not be below that of all records.")
        }
        Breach::CreateWithoutEdit => {
            ("create_record", "Creating needs level 2 on associated records.")
        }
        Breach::UnarchiveAllAlone => {
            ("unarchive_associated", "Unarchiving all records includes associated ones.")
        }
    }
}

type MakeRight = fn(Level) -> Right;

/// Rights on an object that are set one by one.
const LEVEL_RIGHTS: [(&str, MakeRight); 8] = [
    ("settings", Right::Settings),
    ("all_records", Right::AllRecords),
    ("associated_records", Right::AssociatedRecords),
    ("create_record", |level| Right::CreateRecord(level > Level::None)),
    ("unarchive_all", |level| Right::UnarchiveAll(level > Level::None)),
    ("unarchive_associated", |level| Right::UnarchiveAssociated(level > Level::None)),
    ("bulk_actions", |level| Right::BulkActions(level > Level::None)),
    ("export", |level| Right::Export(level > Level::None)),
];

/// Reads the body that sets one right: of a field, or of the object under a key, `settings` where
/// none is given. None if it has a fault.
pub fn read_right(
    body: &Input<'_>,
    caller: &Caller,
    strict: bool,
    faults: &mut Faults,
) -> Option<(Subject, Right)> {
    let mut shape = Shape::of_body(body, faults);
    let named = read_reference(&mut shape, "custom_object", Presence::Required, faults).and_then(
        |reference| {
            let named = Named::find(caller, reference);
            if named.is_none() {
                let fault = Fault::new(Code::DoesNotExist, shape.place("custom_object"));
                faults.push(fault.saying("Object does not exist."));
            }
            named
        },
    );
    let field = read_reference(&mut shape, "field", Presence::Nullable, faults);
    let key = keys::text(&mut shape, "key", Presence::Nullable, faults);
    let level = shape.value("permission_level", Presence::Required, faults);
    let place = shape.place("permission_level");
    let key_place = shape.place("key");
    let field_place = shape.place("field");
    shape.finish(strict, RouteGroup::Write, faults);
    let (named, level) = (named?, level?);
    let right = match (field, key.as_deref()) {
        (Some(reference), _) => {
            let Some(field) = named.field(reference) else {
                let fault = Fault::new(Code::DoesNotExist, field_place);
                faults.push(fault.saying("Field does not exist."));
                return None;
            };
            Right::Field(field, read_access(level, place, faults)?)
        }
        (None, Some("default_field_access")) => {
            Right::DefaultFieldAccess(read_access(level, place, faults)?)
        }
        (None, key) => {
            let key = key.unwrap_or("settings");
            let Some((_, make)) = LEVEL_RIGHTS.iter().find(|(name, _)| *name == key) else {
                faults.push(Fault::invalid_choice(key_place, key));
                return None;
            };
            make(read_number(level, place, &Level::ALL, Level::number, faults)?)
        }
    };
    Some((named.subject, right))
}

/// `{"id": …}` of a thing that is named by its id or API name.
fn read_reference<'i>(
    shape: &mut Shape<'i>,
    key: &'static str,
    presence: Presence,
    faults: &mut Faults,
) -> Option<&'i str> {
    let value = shape.value(key, presence, faults)?;
    let id = value.get("id").and_then(Input::as_text);
    if id.is_none() {
        let message = "Expected an object with an id.";
        faults.push(Fault::new(Code::Invalid, shape.place(key)).saying(message));
    }
    id
}
