//! A table as one caller sees it at one moment, and which of its entries exist for that caller.
//!
//! Whether a record may be read is asked of the record as it is now: what became invisible is not
//! shown any more, nor what happened to it before.

use crate::http::target::Target;
use crate::model::access::FieldRights;
use crate::model::id::{FieldId, FieldNumber, RecordId};
use crate::model::schema::Schema;
use crate::model::schema::change::SchemaChange;
use crate::model::table::event_form::Stored;
use std::sync::Arc;

/// A table, its schema, and what may be seen of it.
pub(super) struct View {
    pub(super) target: Target,
    pub(super) schema: Arc<Schema>,
    rights: FieldRights,
}

impl View {
    #[must_use]
    pub(super) fn of(target: Target) -> Self {
        let schema = target.table.shown().schema();
        let rights = target.access.fields(&schema);
        Self { target, schema, rights }
    }

    /// Whether an event is an entry for the caller.
    #[must_use]
    pub(super) fn shows(&self, stored: &Stored<'_>) -> bool {
        match stored {
            Stored::ObjectCreated { .. } => true,
            Stored::FieldCreated { field, .. } => self.shows_field(field.number, Some(field.id)),
            Stored::OptionCreated { field, .. } => self.shows_field(*field, None),
            Stored::SchemaChanged { change, .. } => self.shows_change(change),
            Stored::Record(change) => self.shows_record(change.id),
            // Whose it was is forgotten with the rest.
            Stored::Purged(_) => self.target.access.may_read_all(),
            Stored::TeamChanged { .. }
            | Stored::FollowUpConfirmed { .. }
            | Stored::SourceKept { .. }
            | Stored::StreamMoved { .. }
            | Stored::Outcome { .. } => false,
        }
    }

    /// Whether nothing is left of a record that an entry is about.
    #[must_use]
    pub(super) fn is_purged(&self, stored: &Stored<'_>) -> bool {
        match stored {
            Stored::Record(change) => self.target.table.shown().record(change.id).is_none(),
            Stored::Purged(_) => true,
            Stored::ObjectCreated { .. }
            | Stored::FieldCreated { .. }
            | Stored::OptionCreated { .. }
            | Stored::SchemaChanged { .. }
            | Stored::TeamChanged { .. }
            | Stored::FollowUpConfirmed { .. }
            | Stored::SourceKept { .. }
            | Stored::StreamMoved { .. }
            | Stored::Outcome { .. } => false,
        }
    }

    fn shows_record(&self, id: RecordId) -> bool {
        let access = &self.target.access;
        match self.target.table.shown().record(id) {
            Some(record) => access.may_read(&self.schema, &record),
            None => access.may_read_all(),
        }
    }

    fn shows_change(&self, change: &SchemaChange) -> bool {
        match change {
            SchemaChange::OptionChanged { field, .. }
            | SchemaChange::OptionRemoved { field, .. } => self.shows_field(*field, None),
            SchemaChange::FieldChanged { field } => self.shows_field(field.number, Some(field.id)),
            SchemaChange::FieldDeleted { field, was } => {
                self.shows_field(*field, was.as_ref().map(|was| was.id))
            }
            SchemaChange::ObjectChanged { .. }
            | SchemaChange::ConstraintsChanged { .. }
            | SchemaChange::ObjectArchived { .. }
            | SchemaChange::CategoryPut { .. }
            | SchemaChange::CategoryDeleted { .. }
            | SchemaChange::MemberRemoved { .. } => true,
        }
    }

    /// A field that records have, or one that is gone by now, of which the id may be known.
    fn shows_field(&self, number: FieldNumber, id: Option<FieldId>) -> bool {
        if self.schema.by_number(number).is_some() {
            return self.rights.may_see(number);
        }
        let waiting = self.schema.any_number(number).map(|field| field.id);
        self.target.access.may_see_gone_field(id.or(waiting))
    }
}
