//! Mirrors: the fields that show the other side of a relation.
//!
//! The owning field says whether there is a relation; its mirror, in another table, follows it. What
//! is asked of the mirror's table follows from the two schemas alone, so nothing is kept or counted:
//! whenever one side may lack the other they are compared, and at every start all of them are.

use crate::engine::business::{Business, Directory, TableRef};
use crate::engine::follow_up::nobody;
use crate::engine::turn::Refusal;
use crate::model::id::ObjectId;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::schema::new_field::NewField;
use crate::model::schema::relation::{NewRelation, Relation};
use crate::model::table::command::{Ask, Command};
use crate::model::table::schema_command::SchemaAsk;
use crate::model::value::FieldType;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;

/// Bytes that a change of a mirror counts for while it waits.
const CHANGE_BYTES: usize = 256;

/// Which objects have relations that may lack their other side.
#[derive(Default)]
pub struct MirrorSignal {
    objects: Mutex<BTreeSet<ObjectId>>,
    notify: Notify,
}

impl MirrorSignal {
    pub(super) fn raise(&self, object: ObjectId) {
        self.objects.lock().insert(object);
        self.notify.notify_one();
    }

    fn take(&self) -> BTreeSet<ObjectId> {
        std::mem::take(&mut self.objects.lock())
    }
}

/// A writer did not take a change now.
struct Later;

/// Compares all relations, before anybody is served: no mirror is pending then whose making a crash
/// has ended. What a writer does not take is left to `keep_for_ever`.
pub(super) async fn settle_all(businesses: &Directory, signal: &MirrorSignal) {
    for business in businesses.load_full().values() {
        for table in business.tables() {
            let schema = table.shown().schema();
            let settled = async {
                complete_all(business, &schema).await?;
                let shown = schema.fields().iter().filter(|field| field.is_mirror());
                for mirror in shown.chain(schema.pending()) {
                    drop_if_alone(business, &table, mirror).await?;
                }
                Ok::<(), Later>(())
            };
            if settled.await.is_err() {
                signal.raise(schema.object().id);
            }
        }
    }
}

/// Compares the relations of objects that changed, for as long as it runs.
pub(super) async fn keep_for_ever(businesses: Arc<Directory>, signal: Arc<MirrorSignal>) {
    loop {
        signal.notify.notified().await;
        for object in signal.take() {
            let known = businesses.load_full();
            let Some(business) = known.values().find(|business| business.table(object).is_some())
            else {
                continue;
            };
            if settle(business, object).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                signal.raise(object);
            }
        }
    }
}

/// Sees to it that each owning field of an object has its mirror, and that no mirror that is shown
/// has lost its owning field. One that is pending may have one in a moment.
async fn settle(business: &Business, object: ObjectId) -> Result<(), Later> {
    let Some(table) = business.table(object) else { return Ok(()) };
    complete_all(business, &table.shown().schema()).await?;
    for other in business.tables() {
        let mirrors = other.shown().schema();
        let of_object = |field: &&Arc<Field>| {
            field.is_mirror() && field.relation.as_ref().is_some_and(|it| it.object == object)
        };
        for mirror in mirrors.fields().iter().filter(of_object) {
            drop_if_alone(business, &other, mirror).await?;
        }
    }
    Ok(())
}

async fn complete_all(business: &Business, schema: &Schema) -> Result<(), Later> {
    for field in schema.owning_fields() {
        let relation = field.relation.as_ref().expect("an owning field has a relation");
        let Some(table) = business.table(relation.object) else { continue };
        if let Some(ask) = completion(schema, field, &table.shown().schema()) {
            ask_table(business, &table, ask).await?;
        }
    }
    Ok(())
}

async fn drop_if_alone(business: &Business, table: &TableRef, mirror: &Field) -> Result<(), Later> {
    let relation = mirror.relation.as_ref().expect("a mirror has a relation");
    let owner = business.table(relation.object).map(|owner| owner.shown().schema());
    match removal(mirror, owner.as_deref()) {
        Some(ask) => ask_table(business, table, ask).await,
        None => Ok(()),
    }
}

/// What the other side of an owning field is asked, so that it shows the mirror. One that is not
/// there at all is made again: a snapshot that was restored alone may be older than it.
///
/// # Panics
/// Where the field is no owning one.
#[must_use]
pub fn completion(schema: &Schema, field: &Field, other: &Schema) -> Option<Ask> {
    let relation = field.relation.as_ref().expect("an owning field has a relation");
    match other.any_field(relation.field) {
        Some(mirror) if !mirror.is_pending() => None,
        Some(mirror) => Some(Ask::ChangeSchema(SchemaAsk::ShowMirror(mirror.id))),
        None => {
            let category = relation.related_category.filter(|id| other.category(*id).is_some());
            let category = category.map(|id| id.to_string());
            let mirror = NewField { category, ..mirror_of(schema, field, relation) };
            Some(Ask::CreateField(Box::new(mirror)))
        }
    }
}

/// What the table of a mirror is asked, so that it has none without an owning field; `owner` is the
/// other side, if that is there.
///
/// # Panics
/// Where the field is no mirror.
#[must_use]
pub fn removal(mirror: &Field, owner: Option<&Schema>) -> Option<Ask> {
    let relation = mirror.relation.as_ref().expect("a mirror has a relation");
    let is_owned = owner.is_some_and(|owner| owner.by_id(relation.field).is_some());
    (!is_owned).then_some(Ask::ChangeSchema(SchemaAsk::DropMirror(mirror.id)))
}

fn mirror_of(schema: &Schema, field: &Field, relation: &Relation) -> NewField {
    let reverse = Relation {
        relation_type: relation.relation_type.reverse(),
        object: schema.object().id,
        field: field.id,
        is_mirror: true,
        is_pending: false,
        related_name: field.display_name.clone(),
        related_category: Some(field.category),
    };
    NewField {
        display_name: Some(relation.related_name.clone()),
        field_type: Some(FieldType::Relationship.name().to_owned()),
        relation: Some(NewRelation { own: relation.field, relation: reverse }),
        ..NewField::default()
    }
}

async fn ask_table(business: &Business, table: &TableRef, ask: Ask) -> Result<(), Later> {
    let command = Command { caller: nobody(business.catalog().members.clone()), ask };
    let answer = table.handle().ask(command, 1, CHANGE_BYTES).map_err(|_| Later)?;
    match answer.await {
        // Refused: the other side has no place for one more field, and goes without.
        Ok(Ok(_) | Err(Refusal::Rejected(_))) => Ok(()),
        Ok(Err(Refusal::Repeated(_) | Refusal::OutcomeUnknown)) | Err(_) => Err(Later),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::Clock;
    use crate::engine::Engine;
    use crate::engine::bootstrap::Bootstrap;
    use crate::engine::test_support::in_memory;
    use crate::model::catalog;
    use crate::model::id::{BusinessId, FieldId, UserId};
    use crate::model::schema::new_object::NewObject;
    use crate::model::schema::relation::RelationType;
    use crate::model::table::command::Reply;
    use std::collections::HashMap;
    use uuid::Uuid;

    const BUSINESS: BusinessId = BusinessId::from_bytes([7; 16]);
    const OWNING: FieldId = FieldId(Uuid::from_u128(1));
    const MIRROR: FieldId = FieldId(Uuid::from_u128(2));

    /// Deals and companies, between whom a relation is left half made.
    struct World {
        engine: Arc<Engine>,
        business: Arc<Business>,
        deals: Arc<TableRef>,
        companies: Arc<TableRef>,
    }

    impl World {
        async fn new() -> Self {
            let user_id = UserId::from_bytes([8; 16]);
            let bootstrap =
                Bootstrap { api_key: "upd_secret".into(), business_id: BUSINESS, user_id };
            let engine = in_memory(bootstrap, 1024, Clock::system()).await;
            let business = engine.business(BUSINESS).unwrap();
            let mut tables = Vec::new();
            for name in ["deals", "companies"] {
                let new = NewObject { object_name: Some(name.into()), ..NewObject::default() };
                let ask = catalog::command::Ask::CreateObject(Box::new(new));
                let caller = nobody(business.catalog().members.clone());
                let command = catalog::command::Command { caller, ask };
                engine.ask_catalog(&business, command, 100).await.unwrap();
                tables.push(business.table_of(name).unwrap());
            }
            let companies = tables.pop().unwrap();
            let deals = tables.pop().unwrap();
            Self { engine, business, deals, companies }
        }

        async fn ask(&self, table: &TableRef, ask: Ask) -> Reply {
            let command = Command { caller: nobody(self.business.catalog().members.clone()), ask };
            self.engine.ask_table(table, command, 100).await.unwrap()
        }

        async fn make_owner(&self) {
            let new = side("Company", RelationType::Primary, &self.companies, false);
            self.ask(&self.deals, Ask::CreateField(Box::new(new))).await;
        }

        async fn make_mirror(&self, is_pending: bool) {
            let mut new = side("Won deals", RelationType::PrimaryFor, &self.deals, true);
            new.relation.as_mut().unwrap().relation.is_pending = is_pending;
            self.ask(&self.companies, Ask::CreateField(Box::new(new))).await;
        }

        /// What a start does before anybody is served.
        async fn settle(&self) {
            let directory = HashMap::from([(BUSINESS, self.business.clone())]);
            settle_all(&Directory::from_pointee(directory), &MirrorSignal::default()).await;
        }

        fn mirror(&self) -> Option<Arc<Field>> {
            self.companies.shown().schema().any_field(MIRROR).cloned()
        }
    }

    fn side(
        label: &str,
        relation_type: RelationType,
        other: &TableRef,
        is_mirror: bool,
    ) -> NewField {
        let [own, field] = if is_mirror { [MIRROR, OWNING] } else { [OWNING, MIRROR] };
        let relation = Relation {
            relation_type,
            object: other.shown().schema().object().id,
            field,
            is_mirror,
            is_pending: false,
            related_name: "Deals".to_owned(),
            related_category: None,
        };
        NewField {
            display_name: Some(label.to_owned()),
            field_type: Some("relationship".to_owned()),
            relation: Some(NewRelation { own, relation }),
            ..NewField::default()
        }
    }

    #[actix::test]
    async fn a_mirror_is_shown_once_its_owning_field_is_there() {
        let world = World::new().await;
        world.make_mirror(true).await;
        assert!(world.mirror().unwrap().is_pending());
        assert!(world.companies.shown().schema().by_id(MIRROR).is_none());
        world.make_owner().await;
        world.settle().await;
        let shown = world.companies.shown().schema().by_id(MIRROR).unwrap().clone();
        assert_eq!((&*shown.name, shown.is_pending()), ("won_deals", false));
    }

    #[actix::test]
    async fn a_mirror_that_is_missing_is_made_of_what_its_owning_field_says() {
        let world = World::new().await;
        world.make_owner().await;
        world.settle().await;
        let made = world.mirror().unwrap();
        assert_eq!((&*made.name, made.allow_multiple), ("deals", true));
        let relation = made.relation.as_ref().unwrap();
        assert_eq!(relation.relation_type, RelationType::PrimaryFor);
        assert_eq!((relation.field, relation.is_mirror), (OWNING, true));
        assert_eq!(relation.object, world.deals.shown().schema().object().id);
        let number = world.companies.shown().schema().number();
        world.settle().await;
        assert_eq!(world.companies.shown().schema().number(), number, "once is enough");
    }

    #[actix::test]
    async fn a_mirror_without_an_owning_field_is_dropped_by_a_start() {
        let world = World::new().await;
        world.make_mirror(true).await;
        let object = world.deals.shown().schema().object().id;
        assert!(settle(&world.business, object).await.is_ok());
        assert!(world.mirror().is_some(), "its owning field may be in the making");
        world.settle().await;
        assert_eq!(world.mirror(), None);
        // One that is shown has lost its owning field, whenever that is seen.
        world.make_mirror(false).await;
        assert!(settle(&world.business, object).await.is_ok());
        assert_eq!(world.mirror(), None);
    }

    #[actix::test]
    async fn both_sides_go_together() {
        let world = World::new().await;
        world.make_mirror(true).await;
        world.make_owner().await;
        world.settle().await;
        let field = world.deals.shown().schema().by_id(OWNING).unwrap().number;
        let asked = SchemaAsk::DeleteField(field);
        world.ask(&world.deals, Ask::ChangeSchema(asked)).await;
        world.settle().await;
        assert_eq!(world.mirror(), None);
    }
}
