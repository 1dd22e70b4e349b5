//! Members, as far as a schema knows of them: the field of a record's owner, and who is gone.
//!
//! Must not know members themselves: values of one who is gone mean nobody, told or not.

use crate::model::id::MemberId;
use crate::model::schema::field::Field;
use crate::model::schema::{Schema, system};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Schema {
    /// The field of the member who owns a record; contacts have none.
    #[must_use]
    pub fn owner(&self) -> Option<&Arc<Field>> {
        self.by_number(system::OWNER)
    }

    /// Whether the object need not be told any more that a member is gone.
    #[must_use]
    pub fn knows_removed(&self, member: MemberId) -> bool {
        self.removed_members.contains(&member)
    }

    /// The schema of an object that is made when these members are gone already.
    #[must_use]
    pub fn born_without(self, removed_members: BTreeSet<MemberId>) -> Self {
        Self { removed_members, ..self }
    }
}
