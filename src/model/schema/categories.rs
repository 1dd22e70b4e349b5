//! What a request makes of an object's categories.
//!
//! Must not know JSON or rights.

use crate::model::id::CategoryId;
use crate::model::schema::check::Checks;
use crate::model::schema::fault::{BodyPlace, SchemaFault, SchemaFaultKind};
use crate::model::schema::object::Category;
use crate::model::schema::{CATEGORIES_MAX, META_BYTES_MAX, Schema};
use uuid::Uuid;

/// The body of a request for a category, each key if it was given.
#[derive(Clone, Debug, Default)]
pub struct NewCategory {
    pub name: Option<String>,
    pub order: Option<i32>,
    /// The text of a JSON object.
    pub meta: Option<String>,
}

impl Schema {
    #[must_use]
    pub fn category(&self, id: CategoryId) -> Option<&Category> {
        self.categories().iter().find(|category| category.id == id)
    }

    /// The category that a request asks for, or everything that is wrong with it.
    pub fn decide_category(
        &self,
        new: &NewCategory,
        ids: &mut dyn FnMut() -> Uuid,
    ) -> Result<Category, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        if self.categories().len() >= CATEGORIES_MAX {
            let (what, max) = ("categories", CATEGORIES_MAX);
            checks.add(BodyPlace::Body, SchemaFaultKind::LimitExceeded { what, max });
        }
        let last = self.categories().iter().map(|category| category.order).max();
        let category = Category {
            id: CategoryId(ids()),
            name: checks.label("name", new.name.as_deref()),
            order: new.order.unwrap_or_else(|| last.map_or(0, |last| last.saturating_add(1))),
            meta: checks.meta("meta", new.meta.as_deref(), META_BYTES_MAX),
        };
        checks.end().map(|()| category)
    }

    /// Who takes a category's fields when it goes: the first of the others. One stays always.
    pub fn decide_category_removal(&self, id: CategoryId) -> Result<CategoryId, Vec<SchemaFault>> {
        let heir = self.categories().iter().find(|category| category.id != id);
        heir.map(|heir| heir.id).ok_or_else(|| {
            vec![SchemaFault { place: BodyPlace::Body, fault: SchemaFaultKind::NotDeletable }]
        })
    }
}

impl Category {
    /// The category as a request wants it: what is not given stays.
    pub fn decide_change(&self, change: &NewCategory) -> Result<Self, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        let mut changed = self.clone();
        if let Some(name) = &change.name {
            changed.name = checks.label("name", Some(name));
        }
        if let Some(meta) = &change.meta {
            changed.meta = checks.meta("meta", Some(meta), META_BYTES_MAX);
        }
        changed.order = change.order.unwrap_or(self.order);
        checks.end().map(|()| changed)
    }
}
