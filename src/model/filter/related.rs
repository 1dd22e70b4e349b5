//! What the records on the other side of a relationship must be like.

use crate::model::filter::Filter;
use crate::model::filter::list::Quantity;
use crate::model::filter::row::{Needs, Row, Surroundings};
use crate::model::id::RecordId;
use crate::model::schema::Schema;
use crate::model::table::link::{Link, Wanted};
use std::sync::Arc;

/// Which records must be there. Of a relation that leads nowhere, none is.
#[derive(Clone, Debug)]
pub struct RelatedTest {
    link: Option<Link>,
    asked: Asked,
}

#[derive(Clone, Debug)]
enum Asked {
    /// None at all.
    Blank,
    These(Quantity, Wanted),
}

impl RelatedTest {
    /// Asks for those without any.
    #[must_use]
    pub fn blank(link: Option<Link>) -> Self {
        Self { link, asked: Asked::Blank }
    }

    /// Asks for these, as they are now. One that is not there is wanted in vain.
    #[must_use]
    pub fn of(link: Option<Link>, quantity: Quantity, ids: &[RecordId]) -> Self {
        let wanted = link.as_ref().map_or_else(|| Wanted::nothing(ids), |link| link.wanted(ids));
        Self { link, asked: Asked::These(quantity, wanted) }
    }

    #[must_use]
    pub fn holds(&self, row: &Row<'_>) -> bool {
        let Some(link) = &self.link else { return matches!(self.asked, Asked::Blank) };
        match &self.asked {
            Asked::Blank => link.is_blank(row.record),
            Asked::These(Quantity::All, wanted) => link.has_all(row.record, wanted),
            Asked::These(Quantity::Any, wanted) => link.has_any(row.record, wanted),
        }
    }
}

/// A filter that one related record at least must pass.
#[derive(Clone, Debug)]
pub struct RelatedFilter {
    link: Option<Link>,
    /// Of the other side, as of the reading of the filter.
    schema: Arc<Schema>,
    filter: Filter,
    needs: Needs,
    is_negated: bool,
}

impl RelatedFilter {
    #[must_use]
    pub fn new(link: Option<Link>, schema: Arc<Schema>, filter: Filter, is_negated: bool) -> Self {
        let mut needs = Vec::new();
        filter.note_needs(&mut needs);
        Self { link, schema, filter, needs: Needs::of(needs), is_negated }
    }

    #[must_use]
    pub fn holds(&self, row: &Row<'_>) -> bool {
        self.finds_one(row) != self.is_negated
    }

    fn finds_one(&self, row: &Row<'_>) -> bool {
        let Some(link) = &self.link else { return false };
        let other = link.other();
        let around = Surroundings { schema: &self.schema, tags: &other.tags, ..row.around };
        let mut is_found = false;
        link.each(row.record, &mut |record| {
            let mut values = Vec::new();
            self.needs.take(record.body(), &mut values);
            let row = Row { record: &record, needs: &self.needs, values: &values, around };
            is_found = self.filter.takes(&row);
            !is_found
        });
        is_found
    }
}
