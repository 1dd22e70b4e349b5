//! A business while the process runs: its writers, and what readers may see of them.

use crate::engine::feed::signal::Signal;
use crate::engine::writer::Handle;
use crate::model::agenda::{self, Agenda};
use crate::model::catalog::{Catalog, CatalogView};
use crate::model::id::{BusinessId, ObjectId};
use crate::model::retry::StoredOutcome;
use crate::model::retry::hash::RetryKey;
use crate::model::root;
use crate::model::table::index::Shared;
use crate::model::table::others::OtherTables;
use crate::model::table::{Shown, Table};
use arc_swap::ArcSwap;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::Arc;

/// The businesses of a partition, archived ones too. The root's writer puts in those it makes and
/// replaces those it changes; readers take what is there without a lock.
pub(super) type Directory = ArcSwap<HashMap<BusinessId, Arc<Business>>>;

/// Puts a business into a directory, in the place of what was there. Only one writer may do so.
pub(super) fn put_business(directory: &Directory, business: Business) {
    let mut businesses = HashMap::clone(&directory.load());
    businesses.insert(business.id(), Arc::new(business));
    directory.store(Arc::new(businesses));
}

/// One tenant, as it is at one instant: a change makes another one over the same writers. Its tables are reached through it and in no other way.
pub struct Business {
    info: Arc<root::Business>,
    time_zone: TimeZone,
    catalog: Arc<ArcSwap<CatalogView>>,
    agenda: Arc<agenda::Shown>,
    pub(super) catalog_handle: Handle<Catalog>,
    pub(super) agenda_handle: Handle<Agenda>,
    tables: Arc<Tables>,
    changes: Arc<Signal>,
}

/// The tables of one business; the catalog's writer adds those it creates.
pub(super) type Tables = Shared<ObjectId, Arc<TableRef>>;

/// One table: what readers see, and how its writer is asked.
pub struct TableRef {
    shown: Arc<Shown>,
    handle: Handle<Table>,
    changes: Arc<Signal>,
}

impl TableRef {
    pub(super) fn new(shown: Arc<Shown>, handle: Handle<Table>, changes: Arc<Signal>) -> Arc<Self> {
        Arc::new(Self { shown, handle, changes })
    }

    /// Heard when a change has become visible.
    #[must_use]
    pub fn changes(&self) -> &Arc<Signal> {
        &self.changes
    }

    /// What readers may see: durable state, each record at one instant.
    #[must_use]
    pub fn shown(&self) -> &Arc<Shown> {
        &self.shown
    }

    /// Whether the object is gone. Its own table says so first, the directory soon after.
    #[must_use]
    pub fn is_archived(&self) -> bool {
        self.shown.schema().object().archived_at.is_some()
    }

    #[must_use]
    pub fn handle(&self) -> &Handle<Table> {
        &self.handle
    }
}

/// What a business is put together of.
pub(super) struct BusinessParts {
    pub(super) info: Arc<root::Business>,
    pub(super) catalog: Arc<ArcSwap<CatalogView>>,
    pub(super) agenda: Arc<agenda::Shown>,
    pub(super) catalog_handle: Handle<Catalog>,
    pub(super) agenda_handle: Handle<Agenda>,
    pub(super) tables: Arc<Tables>,
    pub(super) changes: Arc<Signal>,
}

impl Business {
    pub(super) fn new(parts: BusinessParts) -> Self {
        let BusinessParts { info, catalog, agenda, catalog_handle, agenda_handle, tables, changes } =
            parts;
        // Whoever made the business has checked its zone; a build without it shows UTC.
        let time_zone = TimeZone::get(&info.timezone).unwrap_or(TimeZone::UTC);
        Self { info, time_zone, catalog, agenda, catalog_handle, agenda_handle, tables, changes }
    }

    /// The same business after a change.
    pub(super) fn with(&self, info: Arc<root::Business>) -> Self {
        Self::new(BusinessParts {
            info,
            catalog: self.catalog.clone(),
            agenda: self.agenda.clone(),
            catalog_handle: self.catalog_handle.clone(),
            agenda_handle: self.agenda_handle.clone(),
            tables: self.tables.clone(),
            changes: self.changes.clone(),
        })
    }

    /// Waits until each of its writers has answered once.
    pub(super) async fn started(&self) {
        self.catalog_handle.started().await;
        self.agenda_handle.started().await;
        for table in self.tables.values() {
            table.handle().started().await;
        }
    }

    #[must_use]
    pub fn is_archived(&self) -> bool {
        self.info.archived_at.is_some()
    }

    #[must_use]
    pub fn id(&self) -> BusinessId {
        self.info.id
    }

    #[must_use]
    pub fn info(&self) -> &root::Business {
        &self.info
    }

    #[must_use]
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// Heard when a change has become visible in any of its tables.
    #[must_use]
    pub fn changes(&self) -> &Arc<Signal> {
        &self.changes
    }

    /// The members, keys and directory at this instant.
    #[must_use]
    pub fn catalog(&self) -> Arc<CatalogView> {
        self.catalog.load_full()
    }

    #[must_use]
    pub fn agenda(&self) -> &Arc<agenda::Shown> {
        &self.agenda
    }

    /// The table of an object that is not archived.
    #[must_use]
    pub fn table(&self, object: ObjectId) -> Option<Arc<TableRef>> {
        self.any_table(object).filter(|table| !table.is_archived())
    }

    /// The table of an object, archived or not.
    #[must_use]
    pub fn any_table(&self, object: ObjectId) -> Option<Arc<TableRef>> {
        self.tables.get(&object)
    }

    /// By what a request calls it: the object's id, or its API name exactly.
    #[must_use]
    pub fn table_of(&self, reference: &str) -> Option<Arc<TableRef>> {
        let object = match ObjectId::parse(reference) {
            Some(id) => id,
            None => self.catalog.load().object_of_name(reference)?,
        };
        self.table(object)
    }

    /// What one of its writers has answered to a request of this key.
    pub(super) fn outcome(&self, key: &RetryKey) -> Option<Arc<StoredOutcome>> {
        let of_table = |table: &Arc<TableRef>| table.handle().outcomes().find(key);
        let of_tables = || self.tables.values().iter().find_map(of_table);
        let of_catalog = self.catalog_handle.outcomes().find(key);
        of_catalog.or_else(|| self.agenda_handle.outcomes().find(key)).or_else(of_tables)
    }

    /// Rows that wait for its writers.
    #[must_use]
    pub fn rows_waiting(&self) -> usize {
        let of_tables: usize =
            self.tables.values().iter().map(|table| table.handle().admission().rows()).sum();
        self.catalog_handle.admission().rows() + self.agenda_handle.admission().rows() + of_tables
    }

    /// The tables of all objects that are not archived, in the order they were made.
    #[must_use]
    pub fn tables(&self) -> Vec<Arc<TableRef>> {
        self.catalog().objects.iter().filter_map(|entry| self.table(entry.id)).collect()
    }

    /// All tables, in the order their objects were made.
    #[must_use]
    pub fn all_tables(&self) -> Vec<Arc<TableRef>> {
        self.catalog().objects.iter().filter_map(|entry| self.any_table(entry.id)).collect()
    }
}

impl OtherTables for Business {
    fn shown(&self, object: ObjectId) -> Option<Arc<Shown>> {
        self.table(object).map(|table| table.shown().clone())
    }
}
