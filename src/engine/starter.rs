//! Starts writers: at the end of recovery, and when an object or a business is created.

use crate::ambient::Clock;
use crate::engine::admission::AdmissionLimits;
use crate::engine::business::{Business, BusinessParts, Directory, TableRef, Tables, put_business};
use crate::engine::feed::Born;
use crate::engine::feed::signal::Signal;
use crate::engine::follow_up::FollowUpSignal;
use crate::engine::meters::Meters;
use crate::engine::mirrors::MirrorSignal;
use crate::engine::placement::Placement;
use crate::engine::turn::Announce;
use crate::engine::writer::{Handle, Writer, WriterParts};
use crate::model::agenda::Agenda;
use crate::model::catalog::{self, Catalog};
use crate::model::id::Timestamp;
use crate::model::moment::Moment;
use crate::model::root::{self, Root};
use crate::model::schema::change::SchemaChange;
use crate::model::state::State;
use crate::model::table::event::Event;
use crate::model::table::{Setting, Table};
use crate::storage::committer::CommitQueue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What every writer of a partition is started with.
pub(super) struct Starter {
    pub(super) queue: Arc<CommitQueue>,
    pub(super) clock: Clock,
    pub(super) meters: Arc<Meters>,
    pub(super) placement: Arc<Placement>,
    pub(super) setting: Setting,
    pub(super) limits: AdmissionLimits,
    pub(super) follow_ups: Arc<FollowUpSignal>,
    pub(super) mirrors: Arc<MirrorSignal>,
    pub(super) born: Arc<Born>,
    /// No event is older than the newest that was recovered.
    pub(super) newest: Timestamp,
    /// Random at the start of the process; each writer's ids begin elsewhere.
    pub(super) seed: u64,
    pub(super) started: AtomicU64,
}

/// Whether another writer has to hear of an event.
fn is_followed_up(event: &Event) -> bool {
    match event {
        Event::Purged(_) => true,
        Event::SchemaChanged { change, .. } => {
            matches!(**change, SchemaChange::ObjectArchived { .. })
        }
        Event::ObjectCreated { .. }
        | Event::FieldCreated { .. }
        | Event::OptionCreated { .. }
        | Event::Record(_)
        | Event::TeamChanged { .. }
        | Event::SourceKept(_)
        | Event::StreamMoved(_)
        | Event::FollowUpConfirmed { .. }
        | Event::Outcome { .. } => false,
    }
}

/// Whether a relation may lack a side after an event.
fn is_mirrored(event: &Event) -> bool {
    match event {
        Event::FieldCreated { field, .. } => field.relation.is_some(),
        Event::SchemaChanged { change, .. } => change.ends_a_field(),
        Event::ObjectCreated { .. }
        | Event::OptionCreated { .. }
        | Event::Record(_)
        | Event::TeamChanged { .. }
        | Event::SourceKept(_)
        | Event::StreamMoved(_)
        | Event::Purged(_)
        | Event::FollowUpConfirmed { .. }
        | Event::Outcome { .. } => false,
    }
}

impl Starter {
    pub(super) fn start<S: State>(&self, state: S, announce: Announce<S>) -> Handle<S> {
        let count = self.started.fetch_add(1, Relaxed) + 1;
        // An odd factor: no two counts give the same seed.
        let seed = self.seed.wrapping_add(count.wrapping_mul(0xD1B5_4A32_D192_ED03));
        let arbiter = self.placement.of(state.writer());
        let parts = WriterParts {
            queue: self.queue.clone(),
            clock: self.clock.clone(),
            decide_seconds: self.meters.decide_seconds.clone(),
            moment: Moment::new(seed, self.newest),
            limits: self.limits,
            announce,
        };
        Writer::start_on(&arbiter, state, parts)
    }

    /// `of_all` is heard when any table of the business changes.
    pub(super) fn start_table(&self, table: Table, of_all: Arc<Signal>) -> Arc<TableRef> {
        let (shown, object) = (table.shown(), table.object());
        let (follow_ups, mirrors) = (self.follow_ups.clone(), self.mirrors.clone());
        let changes = Arc::<Signal>::default();
        let own = changes.clone();
        let announce: Announce<Table> = Box::new(move |event| {
            if event.sequence().is_some() {
                own.raise();
                of_all.raise();
            }
            if is_followed_up(event) {
                follow_ups.raise(object);
            }
            if is_mirrored(event) {
                mirrors.raise(object);
            }
        });
        TableRef::new(shown, self.start(table, announce), changes)
    }

    /// The catalog's writer brings the tables that are born with its events to life, before it
    /// answers.
    pub(super) fn start_catalog(
        self: &Arc<Self>,
        catalog: Catalog,
        tables: Arc<Tables>,
        changes: Arc<Signal>,
    ) -> Handle<Catalog> {
        let starter = self.clone();
        let announce: Announce<Catalog> = Box::new(move |event: &catalog::Event| {
            if let Some(birth) = event.birth() {
                let table = Table::born(&birth, starter.setting);
                let object = table.object();
                tables.put(object, starter.start_table(table, changes.clone()));
                starter.born.put(object, ());
                changes.raise();
            }
            if event.removes_member() {
                // Those that it does not concern say so when they are asked.
                let objects = tables.values().into_iter().map(|table| table.shown().object());
                objects.for_each(|object| starter.follow_ups.raise(object));
            }
        });
        self.start(catalog, announce)
    }

    /// Starts the writers of a business.
    pub(super) fn start_business(
        self: &Arc<Self>,
        info: Arc<root::Business>,
        (catalog, agenda): (Catalog, Agenda),
        tables: impl Iterator<Item = Table>,
    ) -> Business {
        let (refs, changes) = (Arc::new(Tables::default()), Arc::<Signal>::default());
        for table in tables {
            let object = table.object();
            refs.put(object, self.start_table(table, changes.clone()));
            self.born.put(object, ());
        }
        Business::new(BusinessParts {
            info,
            catalog: catalog.shown(),
            agenda: agenda.shown(),
            catalog_handle: self.start_catalog(catalog, refs.clone(), changes.clone()),
            agenda_handle: self.start(agenda, Box::new(|_| ())),
            tables: refs,
            changes,
        })
    }

    /// The root's writer brings the businesses that are born with its events to life, and lets
    /// readers see what it has changed, before it answers.
    pub(super) fn start_root(
        self: &Arc<Self>,
        root: Root,
        directory: Arc<Directory>,
    ) -> Handle<Root> {
        let starter = self.clone();
        let announce: Announce<Root> = Box::new(move |event: &root::Event| {
            let Some(info) = event.business() else { return };
            let info = Arc::new(info.clone());
            let business = if let Some(birth) = event.birth() {
                starter.bring_to_life(info, birth)
            } else {
                let known = directory.load();
                known.get(&info.id).expect("a business that changes is there").with(info)
            };
            put_business(&directory, business);
        });
        self.start(root, announce)
    }

    fn bring_to_life(self: &Arc<Self>, info: Arc<root::Business>, birth: &root::Birth) -> Business {
        let mut catalog = Catalog::unborn(info.id);
        let mut agenda = Agenda::unborn(info.id);
        birth.catalog.iter().for_each(|event| catalog.apply(event));
        birth.agenda.iter().for_each(|event| agenda.apply(event));
        let births = birth.catalog.iter().filter_map(catalog::Event::birth);
        let tables = births.map(|event| Table::born(&event, self.setting));
        self.start_business(info, (catalog, agenda), tables)
    }
}
