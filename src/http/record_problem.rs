//! What a table answers instead of a reply to a record's write, as a problem.
//!
//! It owns the places and texts of these faults. It must not know routes: statuses that an
//! operator can set are in `AnswerOptions`.

use crate::http::code::Code;
use crate::http::extension::{IF_MATCH, IF_NONE_MATCH};
use crate::http::fault::{Fault, FieldPart, FieldPlace, Place};
use crate::http::problem::{FieldsForm, Problem};
use crate::http::target::Target;
use crate::http::value_fault;
use crate::http::wire::conflict::ConflictBody;
use crate::http::wire::fields::{FieldReference, Fields, place_of};
use crate::http::wire::record::Scene;
use crate::http::wire::row::EXPECT_VERSION;
use crate::model::id::{FieldNumber, RecordId};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::command::{self, EntryIndex, EntryKey, FaultKind, RecordFault};
use crate::model::table::decide::together::TakenTogether;
use crate::model::table::decide::{Clash, Conflict, IdentityMatch, Rejection, Taken};
use crate::model::table::intent::MatchPart;
use crate::model::table::precondition::Precondition;
use crate::model::table::record::Record;
use actix_web::http::{StatusCode, header};
use std::borrow::Cow;
use std::sync::Arc;

const ARCHIVED_IDENTIFIER: &str = "An archived record already uses this identifier.";
const IDENTIFIER_OF_OTHERS: &str = "You do not have permission to upsert this identifier.";
const SEVERAL_RECORDS: &str = "The match keys name different records.";
const NOTHING_TO_CHANGE: &str = "There is no live record to change.";
const THERE_IS_ONE: &str = "There is such a record already.";
const TAKEN_MEANWHILE: &str = "A live record already uses this value.";

/// A write that was refused, and the request it came with.
pub struct RefusedWrite<'a> {
    pub target: &'a Target,
    pub schema: &'a Schema,
    pub fields: &'a Fields<'a>,
}

/// Gives a problem the forms of record writes, where its status asks for them.
#[must_use]
pub fn of_record_write(problem: Problem, form: &FieldsForm) -> Problem {
    match problem.status() {
        StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN | StatusCode::CONFLICT => {
            problem.of_record_write(form.clone())
        }
        _ => problem,
    }
}

/// What is said of values that other records must not have together.
#[must_use]
pub fn not_together(fields: &[Arc<Field>]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
    format!("The fields {} must make a unique set.", names.join(", "))
}

impl RefusedWrite<'_> {
    /// The answer to a rejection.
    ///
    /// # Panics
    /// On what only changes of a schema are answered.
    #[must_use]
    pub fn problem(&self, rejection: Rejection) -> Problem {
        match rejection {
            Rejection::SchemaMoved => schema_keeps_moving(),
            Rejection::NotFound | Rejection::ObjectArchived => Problem::not_found(),
            Rejection::NoRight => Problem::new(Code::PermissionRequired),
            Rejection::NoRightToIdentifier => {
                Problem::new(Code::PermissionRequired).saying(IDENTIFIER_OF_OTHERS)
            }
            Rejection::PreconditionFailed { precondition, found } => {
                self.not_as_expected(&precondition, found.as_ref())
            }
            Rejection::NotArchived => Problem::new(Code::NotArchived),
            Rejection::TeamFull { max } => {
                let message = format!("No more than {max} members are put on a record one by one.");
                Fault::new(Code::LimitExceeded, Place::Whole).saying(message).into()
            }
            Rejection::Forbidden(entries) => {
                let faults = entries.into_iter().map(|(index, field)| {
                    let place = self.entry(index, field, EntryKey::Naming);
                    Fault::new(Code::ForbiddenFieldWrite, place)
                });
                Problem::from_faults(faults.collect())
            }
            Rejection::Faults(faults) => {
                Problem::from_faults(faults.iter().map(|fault| self.fault(fault)).collect())
            }
            Rejection::Taken(taken) => self.taken(&taken),
            Rejection::TooLarge { what, bytes, max } => {
                let message = format!("The {what} has {bytes} bytes; at most {max} are allowed.");
                Fault::new(Code::LimitExceeded, Place::Whole).saying(message).into()
            }
            Rejection::Schema(_)
            | Rejection::Violated(_)
            | Rejection::UnknownField
            | Rejection::ArchiveBlocked(_) => {
                unreachable!("a record's write changes no schema")
            }
            Rejection::TrialFull { max } => {
                let message = format!("A dry run holds at most {max} bytes of what it would do.");
                Fault::new(Code::LimitExceeded, Place::Whole).saying(message).into()
            }
            Rejection::KeyReused => Problem::new(Code::IdempotencyKeyReuse),
            Rejection::Aborted(_) => unreachable!("one write is no batch"),
        }
    }

    /// A record in another state than was asked for, and in which one it is.
    fn not_as_expected(&self, precondition: &Precondition, found: Option<&Record>) -> Problem {
        let parameter = match precondition {
            Precondition::Present | Precondition::AtOneOf(_) => Place::Header(IF_MATCH.into()),
            Precondition::At(_) => Place::Body(EXPECT_VERSION.into()),
            Precondition::Absent => Place::Header(IF_NONE_MATCH.into()),
        };
        let fault = Fault::new(Code::PreconditionFailed, parameter);
        let fault = match found {
            None => fault.saying(NOTHING_TO_CHANGE),
            Some(_) if *precondition == Precondition::Absent => fault.saying(THERE_IS_ONE),
            Some(_) => fault,
        };
        let version = found.map(Record::version);
        let problem = Problem::from(fault).with("current_version", &version);
        let Some(found) = found else { return problem };
        let etag = Scene::new(self.target, self.schema).etag(found);
        problem.with_header(header::ETAG, etag)
    }

    /// Uniqueness and archive conflicts. Where both are found the 400 wins, and lists both.
    fn taken(&self, taken: &Taken) -> Problem {
        let mut faults: Vec<Fault> = taken.faults.iter().map(|fault| self.fault(fault)).collect();
        faults.extend(taken.together.iter().flat_map(|taken| self.taken_together(taken)));
        let Some(conflict) = &taken.conflict else { return Problem::from_faults(faults) };
        let is_alone = faults.is_empty();
        self.conflict_faults(conflict, &mut faults);
        let problem = Problem::from_faults(faults);
        if !is_alone {
            return problem;
        }
        let scene = Scene::new(self.target, self.schema);
        let body = ConflictBody::of(conflict, self.schema, &scene);
        problem.answering(self.target.answers().archived_conflict).with("conflict", &body)
    }

    /// A fault of each field of the constraint. Where one of them is hidden, a single one of none.
    fn taken_together(&self, taken: &TakenTogether) -> Vec<Fault> {
        let fields: Vec<FieldNumber> = taken.places.iter().filter_map(field_of).collect();
        let Some(message) = self.told_together(&fields) else {
            return vec![Fault::new(Code::Unique, Place::Field(FieldPlace::default()))];
        };
        let holder = self.shown_holder(taken.holder);
        let fault = |place| {
            let mut fault = Fault::new(Code::Unique, self.place(place)).saying(message.clone());
            fault.conflicting_record_id = holder;
            fault
        };
        taken.places.iter().map(fault).collect()
    }

    /// What is said of several fields; none where the caller may not see one of them.
    fn told_together(&self, fields: &[FieldNumber]) -> Option<String> {
        if !fields.iter().all(|field| self.may_see(*field)) {
            return None;
        }
        let fields = fields.iter().filter_map(|field| self.schema.by_number(*field).cloned());
        Some(not_together(&fields.collect::<Vec<_>>()))
    }

    fn conflict_faults(&self, conflict: &Conflict, faults: &mut Vec<Fault>) {
        let mut add = |place, message: Cow<'static, str>, holder: Option<RecordId>| {
            let mut fault = Fault::new(Code::Conflict, place).saying(message);
            fault.conflicting_record_id = holder.and_then(|holder| self.shown_holder(holder));
            faults.push(fault);
        };
        match conflict {
            Conflict::ArchivedIdentifier { holder, parts, .. } => {
                for MatchPart { field, place, .. } in parts {
                    let place = self.match_place(place, *field);
                    add(place, ARCHIVED_IDENTIFIER.into(), Some(holder.id()));
                }
            }
            Conflict::Identity(matches) => {
                for IdentityMatch { field, record, .. } in matches {
                    add(self.unnamed(*field), SEVERAL_RECORDS.into(), Some(record.id()));
                }
            }
            Conflict::UniqueOnRestore { clashes, .. } => {
                for clash in clashes {
                    self.clash_faults(clash, &mut add);
                }
            }
        }
    }

    /// A fault of each field whose value is taken. Where one of several is hidden, one of none.
    fn clash_faults(
        &self,
        clash: &Clash,
        add: &mut impl FnMut(Place, Cow<'static, str>, Option<RecordId>),
    ) {
        let fields: Vec<FieldNumber> = clash.parts.iter().map(|(field, _)| *field).collect();
        let Some(together) = self.told_together(&fields) else {
            return add(Place::Field(FieldPlace::default()), TAKEN_MEANWHILE.into(), None);
        };
        let message = if fields.len() > 1 { together.into() } else { TAKEN_MEANWHILE.into() };
        for field in fields {
            add(self.unnamed(field), Cow::clone(&message), Some(clash.holder));
        }
    }

    /// A conflict is always the field's, whichever key of the body gave the value.
    fn match_place(&self, place: &command::Place, field: FieldNumber) -> Place {
        match place {
            command::Place::Entry { .. } => self.place(place),
            command::Place::Unresolved { .. }
            | command::Place::Field(_)
            | command::Place::LookupValue
            | command::Place::MatchValue(_)
            | command::Place::SourceVersion
            | command::Place::Identifier
            | command::Place::Stage => self.unnamed(field),
        }
    }

    /// One fault, at its place in the request.
    #[must_use]
    pub fn fault(&self, fault: &RecordFault) -> Fault {
        let place = self.place(&fault.place);
        match &fault.kind {
            FaultKind::Value(value_fault) => value_fault::fault_of(value_fault, place),
            FaultKind::DuplicateField => Fault::new(Code::DuplicateField, place),
            FaultKind::Unique { holder } => {
                let is_hidden = matches!(place, Place::Field(FieldPlace { field: None, .. }));
                let mut fault = Fault::new(Code::Unique, place);
                if !is_hidden {
                    fault.conflicting_record_id = self.shown_holder(*holder);
                }
                fault
            }
        }
    }

    fn place(&self, place: &command::Place) -> Place {
        match place {
            command::Place::Entry { index, field, key } => self.entry(*index, *field, *key),
            command::Place::Unresolved { index, given, key } => {
                let (field, part) = (Some(given.to_string()), self.part(*index, *key));
                place_of(*index, FieldPlace { field, part, ..FieldPlace::default() })
            }
            command::Place::Field(field) => self.unnamed(*field),
            command::Place::LookupValue => Place::Body("lookup_value".into()),
            command::Place::MatchValue(field) => {
                let field = self.schema.by_number(*field);
                let name = field.map_or("", |field| &field.name);
                Place::Body(format!("match_values.{name}").into())
            }
            command::Place::SourceVersion => Place::Body("source_version".into()),
            command::Place::Identifier => Place::Body("identifier".into()),
            command::Place::Stage => Place::Body("stage_id".into()),
        }
    }

    /// An entry of the request's sets of fields; the field's id too where the request named it so.
    fn entry(&self, index: EntryIndex, field: FieldNumber, key: EntryKey) -> Place {
        let known = self.schema.by_number(field);
        let is_named_by_id = match self.reference(index) {
            Some(FieldReference::Id(_) | FieldReference::Both { .. }) => true,
            Some(FieldReference::Name(_) | FieldReference::Key(_)) | None => false,
        };
        let place = FieldPlace {
            field: known.map(|field| field.name.clone()),
            field_id: known.filter(|_| is_named_by_id).map(|field| field.id),
            part: self.part(index, key),
            ..FieldPlace::default()
        };
        place_of(index, place)
    }

    /// A record that is in the way, if the caller may read it.
    fn shown_holder(&self, holder: RecordId) -> Option<RecordId> {
        let record = self.target.table.shown().record(holder)?;
        self.target.access.may_read(self.schema, &record).then_some(holder)
    }

    fn may_see(&self, field: FieldNumber) -> bool {
        self.target.access.fields(self.schema).may_see(field)
    }

    /// A field that the request does not name; what is no field is the record as a whole, and one
    /// that is hidden from the caller has no name.
    fn unnamed(&self, field: FieldNumber) -> Place {
        let Some(field) = self.schema.by_number(field) else { return Place::Whole };
        if !self.may_see(field.number) {
            return Place::Field(FieldPlace::default());
        }
        Place::Field(FieldPlace { field: Some(field.name.clone()), ..FieldPlace::default() })
    }

    /// The key that the compatibility form blames.
    fn part(&self, index: EntryIndex, key: EntryKey) -> FieldPart {
        match key {
            EntryKey::Id => FieldPart::Id,
            EntryKey::Name => FieldPart::Name,
            EntryKey::Value => FieldPart::Value,
            EntryKey::AddValues => FieldPart::AddValues,
            EntryKey::RemoveValues => FieldPart::RemoveValues,
            EntryKey::Naming => match self.reference(index) {
                Some(FieldReference::Id(_)) => FieldPart::Id,
                Some(
                    FieldReference::Name(_) | FieldReference::Key(_) | FieldReference::Both { .. },
                )
                | None => FieldPart::Name,
            },
        }
    }

    fn reference(&self, index: EntryIndex) -> Option<FieldReference<'_>> {
        let entries = &self.fields.entries;
        let at = entries.binary_search_by_key(&index, |entry| entry.index).ok()?;
        Some(entries[at].reference)
    }
}

/// The field that a place is of.
fn field_of(place: &command::Place) -> Option<FieldNumber> {
    match place {
        command::Place::Entry { field, .. } | command::Place::Field(field) => Some(*field),
        command::Place::Unresolved { .. }
        | command::Place::LookupValue
        | command::Place::MatchValue(_)
        | command::Place::SourceVersion
        | command::Place::Identifier
        | command::Place::Stage => None,
    }
}

/// Every attempt met another schema than it was parsed with.
#[must_use]
pub fn schema_keeps_moving() -> Problem {
    let detail = "The object's fields keep changing; nothing of the request was done.";
    Problem::new(Code::Overloaded).saying(detail).retry_after(1)
}
