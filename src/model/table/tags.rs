//! The tags of a table. They are not schema: records' writes make them.

use crate::model::id::{FieldNumber, TagId, TagNumber};
use crate::model::key::{self, Key};
use crate::model::table::event::Tag;
use crate::model::table::index::Shared;
use parking_lot::RwLock;
use std::sync::Arc;

#[derive(Default)]
pub struct Tags {
    by_name: Shared<(FieldNumber, Key), Arc<Tag>>,
    by_number: Shared<TagNumber, Arc<Tag>>,
    by_id: Shared<TagId, Arc<Tag>>,
    /// In the order they were made, so that a snapshot knows how far they went.
    in_order: RwLock<Vec<Arc<Tag>>>,
    counts: Shared<FieldNumber, u32>,
}

impl Tags {
    #[must_use]
    pub fn by_name(&self, field: FieldNumber, key: &Key) -> Option<Arc<Tag>> {
        self.by_name.get(&(field, key.clone()))
    }

    #[must_use]
    pub fn by_number(&self, number: TagNumber) -> Option<Arc<Tag>> {
        self.by_number.get(&number)
    }

    #[must_use]
    pub fn by_id(&self, id: TagId) -> Option<Arc<Tag>> {
        self.by_id.get(&id)
    }

    /// Tags of a field.
    #[must_use]
    pub fn count(&self, field: FieldNumber) -> u32 {
        self.counts.get(&field).unwrap_or(0)
    }

    /// Tags of all fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.in_order.read().len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first so many, oldest first.
    #[must_use]
    pub fn first(&self, count: usize) -> Vec<Arc<Tag>> {
        self.in_order.read()[..count].to_vec()
    }

    /// Only the writer calls this.
    pub(crate) fn put(&self, tag: Tag) {
        let tag = Arc::new(tag);
        self.in_order.write().push(tag.clone());
        self.counts.put(tag.field, self.count(tag.field) + 1);
        self.by_number.put(tag.number, tag.clone());
        self.by_id.put(tag.id, tag.clone());
        self.by_name.put((tag.field, key::tag_key(&tag.name)), tag);
    }
}
