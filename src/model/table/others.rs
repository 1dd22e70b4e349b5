//! What a decision asks of the tables that relationship fields lead to: whether a record is there,
//! and whether the caller sees it.
//!
//! It is their durable state at the instant of the question. The events keep what was decided, so a
//! replay asks nobody.

use crate::model::access::{ObjectAccess, Rights};
use crate::model::id::{ObjectId, RecordId};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::Shown;
use std::fmt;
use std::sync::Arc;

/// The tables of one business.
pub trait OtherTables: Send + Sync {
    /// What readers see of an object, if it is there.
    fn shown(&self, object: ObjectId) -> Option<Arc<Shown>>;
}

/// Where a decision finds those tables. By default it finds none.
#[derive(Clone, Default)]
pub struct Others(Option<Arc<dyn OtherTables>>);

/// What a caller sees of a record that a field leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    Seen,
    /// It is archived: left out of reads until it comes back.
    Away,
    /// Not for this caller to read.
    Hidden,
    /// Purged: it never comes back.
    Gone,
}

/// The table on the other side of one field, as a caller sees it.
pub(super) struct OtherSide {
    /// None where nobody can say what is there.
    seen: Option<(Arc<Shown>, Arc<Schema>)>,
    access: ObjectAccess,
}

impl Others {
    #[must_use]
    pub fn of(tables: Arc<dyn OtherTables>) -> Self {
        Self(Some(tables))
    }

    fn shown(&self, field: &Field) -> Option<Arc<Shown>> {
        let relation = field.relation.as_ref().expect("a relationship field has a relation");
        self.0.as_ref()?.shown(relation.object)
    }

    pub(super) fn side(&self, field: &Field, rights: &Rights) -> OtherSide {
        let relation = field.relation.as_ref().expect("a relationship field has a relation");
        let seen = self.shown(field).map(|shown| {
            let schema = shown.schema();
            (shown, schema)
        });
        OtherSide { seen, access: rights.on(relation.object) }
    }

    /// Whether every one of these records is gone for good.
    pub(super) fn are_gone(&self, field: &Field, ids: &[RecordId]) -> bool {
        self.shown(field).is_some_and(|shown| ids.iter().all(|id| shown.record(*id).is_none()))
    }
}

impl OtherSide {
    pub(super) fn sight(&self, id: RecordId) -> Sight {
        // What nobody can tell of is nothing that the caller has seen.
        let Some((shown, schema)) = &self.seen else { return Sight::Hidden };
        let Some(record) = shown.record(id) else { return Sight::Gone };
        if !self.access.may_see_object() || !self.access.may_read(schema, &record) {
            Sight::Hidden
        } else if record.is_archived() {
            Sight::Away
        } else {
            Sight::Seen
        }
    }
}

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "the tables of a business" } else { "no tables" })
    }
}
