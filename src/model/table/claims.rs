//! The indexes of what live records have for themselves alone: which there are by a schema, and how
//! one is made of the records that are there.
//!
//! Must not know what a change is: `apply.rs` asks.

use crate::model::id::{FieldNumber, Slot};
use crate::model::key::Normalizer;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::Shown;
use crate::model::table::decide::keys::claims_of;
use crate::model::table::event::ClaimOn;
use crate::model::table::index::UniqueIndex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The indexes that a schema asks for.
pub(super) fn claims_on(schema: &Schema) -> impl Iterator<Item = ClaimOn> {
    let alone = schema.claiming_fields().map(|field| ClaimOn::Field(field.number));
    let together = schema.constraints().iter();
    alone.chain(together.map(|constraint| ClaimOn::Constraint(constraint.number)))
}

/// An index by what its keys are made of: other normal forms make other keys.
#[derive(PartialEq)]
struct Form {
    on: ClaimOn,
    fields: Vec<(FieldNumber, Option<Normalizer>)>,
}

fn forms(schema: &Schema) -> Vec<Form> {
    let of_field = |field: &Arc<Field>| (field.number, field.normalizer);
    let of = |on| Form {
        on,
        fields: match on {
            ClaimOn::Field(field) => schema.by_number(field).map(of_field).into_iter().collect(),
            ClaimOn::Constraint(number) => {
                let constraint = schema.constraint(number).into_iter();
                constraint.flat_map(|constraint| schema.parts(constraint)).map(of_field).collect()
            }
        },
    };
    claims_on(schema).map(of).collect()
}

impl Shown {
    /// The indexes that another schema asks for and this one does not, or in another normal form,
    /// made of the live records.
    pub(super) fn make_indexes(
        &self,
        after: &Schema,
        slots: u32,
    ) -> BTreeMap<ClaimOn, Arc<UniqueIndex>> {
        let before = forms(&self.schema());
        let is_new = |form: &Form| !before.contains(form);
        let made = forms(after).into_iter().filter(is_new);
        let made: BTreeMap<ClaimOn, Arc<UniqueIndex>> =
            made.map(|form| (form.on, Arc::default())).collect();
        for slot in if made.is_empty() { 0..0 } else { 0..slots } {
            let record = self.order.get(Slot(slot)).filter(|record| !record.is_archived());
            let Some(record) = record else { continue };
            for claim in claims_of(after, record.body()) {
                if let Some(index) = made.get(&claim.on) {
                    index.put(claim.key, record.clone());
                }
            }
        }
        made
    }

    /// How many claims there are.
    pub(super) fn claim_count(&self) -> usize {
        self.uniques.load().values().map(|index| index.len()).sum()
    }
}
