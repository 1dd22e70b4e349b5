//! Which fields of a record an answer shows.
//!
//! Made once for a request, used for each of its records. It must not know values.

use crate::http::fault::Faults;
use crate::http::query::Query;
use crate::model::access::FieldRights;
use crate::model::id::{FieldId, FieldNumber};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::table::command::{Action, Outcome};

/// The fields of an answer, in its order.
pub struct Selection<'s> {
    pub fields: Vec<Selected<'s>>,
}

/// One field of an answer.
pub struct Selected<'s> {
    pub field: &'s Field,
    /// Shown as null where it has no value: it was written in this very request.
    pub shows_null: bool,
}

/// What a read says about fields.
#[derive(Debug, Default)]
pub struct FieldsWanted {
    all_fields: Option<bool>,
    ids: Option<Vec<String>>,
    names: Option<Vec<String>>,
    include_hidden: bool,
}

impl FieldsWanted {
    /// Of a list of records: what `field_ids` and `field_names` say, wherever they stood.
    #[must_use]
    pub fn of_names(ids: Option<Vec<String>>, names: Option<Vec<String>>) -> Self {
        Self { ids, names, ..Self::default() }
    }

    /// Reads `field_ids` and `field_names`.
    fn of_list(query: &mut Query<'_>, faults: &mut Faults) -> Self {
        Self::of_names(query.list("field_ids", faults), query.list("field_names", faults))
    }

    /// Reads `all_fields` too.
    pub fn of_lookup(query: &mut Query<'_>, faults: &mut Faults) -> Self {
        let all_fields = query.boolean("all_fields", faults);
        Self { all_fields, ..Self::of_list(query, faults) }
    }

    /// Reads `all_fields` and `include_hidden_fields` too.
    pub fn of_retrieve(query: &mut Query<'_>, faults: &mut Faults) -> Self {
        let include_hidden = query.boolean("include_hidden_fields", faults).unwrap_or(false);
        Self { include_hidden, ..Self::of_lookup(query, faults) }
    }
}

impl<'s> Selection<'s> {
    /// The fields of a read. Lists narrow it unless all are asked for by name; unknown and hidden
    /// names are dropped, and lists that are present but empty mean the default fields.
    #[must_use]
    pub fn of_read(wanted: &FieldsWanted, schema: &'s Schema, rights: &FieldRights) -> Self {
        let is_visible = |field: &&Field| {
            (wanted.include_hidden || !field.is_hidden) && rights.may_see(field.number)
        };
        let all = schema.fields().iter().map(|field| &**field).filter(is_visible);
        let is_listed = wanted.ids.is_some() || wanted.names.is_some();
        if wanted.all_fields.unwrap_or(!is_listed) {
            return Self { fields: all.map(Selected::in_read).collect() };
        }
        let ids = wanted.ids.as_deref().unwrap_or_default();
        let names = wanted.names.as_deref().unwrap_or_default();
        if ids.is_empty() && names.is_empty() {
            let default = all.filter(|field| field.is_default);
            return Self { fields: default.map(Selected::in_read).collect() };
        }
        let by_id = ids.iter().filter_map(|id| FieldId::parse(id).and_then(|id| schema.by_id(id)));
        let by_name = names.iter().filter_map(|name| schema.by_name(name));
        let listed = by_id.chain(by_name).map(|field| &**field).filter(is_visible);
        let mut selection = Self { fields: Vec::new() };
        listed.for_each(|field| selection.add(field, false));
        selection
    }

    /// The fields of a write's answer: what was filled in, what the request wrote or otherwise
    /// changed, and the time of change; with `all` every other visible field too.
    #[must_use]
    pub fn of_write(
        outcome: &Outcome,
        mentioned: &[FieldNumber],
        all: bool,
        (schema, rights): (&'s Schema, &FieldRights),
    ) -> Self {
        // What a new record got besides was nobody's wish; what an old one lost is an effect of
        // the request (`replace`, `on_restore_conflict=clear`).
        let changed = match outcome.action {
            Action::Updated | Action::Unarchived => &outcome.changed[..],
            Action::Created
            | Action::Archived
            | Action::Unchanged
            | Action::Exists
            | Action::SkippedArchived => &[],
        };
        let mut selection = Self { fields: Vec::new() };
        for number in outcome.filled.iter().chain(mentioned).chain(changed) {
            if *number != system::UPDATED
                && rights.may_see(*number)
                && let Some(field) = schema.by_number(*number)
            {
                selection.add(field, true);
            }
        }
        if let Some(updated) = schema.by_number(system::UPDATED)
            && rights.may_see(updated.number)
        {
            selection.add(updated, false);
        }
        if all {
            let shown = |field: &Field| !field.is_hidden && rights.may_see(field.number);
            let visible = schema.fields().iter().filter(|field| shown(field));
            visible.for_each(|field| selection.add(field, false));
        }
        selection
    }

    fn add(&mut self, field: &'s Field, shows_null: bool) {
        if !self.fields.iter().any(|selected| selected.field.number == field.number) {
            self.fields.push(Selected { field, shows_null });
        }
    }
}

impl<'s> Selected<'s> {
    fn in_read(field: &'s Field) -> Self {
        Self { field, shows_null: false }
    }
}
