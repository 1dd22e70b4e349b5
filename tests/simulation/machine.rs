//! The machine: everything a process runs on one data directory, driven by hand on one thread.
//!
//! It starts as the server does, then every turn, sync, barrier and snapshot is a call. It knows
//! nothing of what is asked and of what the answers should be.

use crate::simulation::observed::{Observed, ObservedTable, Staff, actions, related};
use crate::simulation::tape::{Digests, Tape};
use crate::simulation::world::TableName;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::oneshot;
use upsertd::cli::data::first_credentials;
use upsertd::cli::failure::Failure;
use upsertd::config::{Bootstrap as Given, unit};
use upsertd::engine::admission::{Admission, AdmissionLimits};
use upsertd::engine::boot::{self, BootError, BootOptions, Booted};
use upsertd::engine::bootstrap::{Bootstrap, Founding};
use upsertd::engine::follow_up::FollowUpSignal;
use upsertd::engine::snapshot::Taken;
use upsertd::engine::states::States;
use upsertd::engine::turn::{Announce, Answer, Ask, Loop, LoopParts};
use upsertd::model::access::{ObjectAccess, Rights};
use upsertd::model::agenda::{self, Agenda};
use upsertd::model::catalog::{self, Catalog, CatalogView};
use upsertd::model::id::{
    BatchId, BusinessId, LogId, MemberId, ObjectId, Position, RecordId, Timestamp, UserId, WriterId,
};
use upsertd::model::moment::Moment;
use upsertd::model::root::Root;
use upsertd::model::state::State;
use upsertd::model::table::command::Caller;
use upsertd::model::table::link::Side;
use upsertd::model::table::others::{OtherTables, Others};
use upsertd::model::table::{self, Limits, Setting, Shown, Table};
use upsertd::storage::committer::{CommitOptions, CommitQueue, Committer, Seat, Wake};
use upsertd::storage::disk::Disk;
use upsertd::storage::error::StorageError;
use upsertd::storage::frame::Salt;
use upsertd::storage::log::{AppendError, Log as _, LogReader};
use upsertd::storage::recovery::{self, Recovered, RecoveryReport};
use upsertd::storage::segment::{DigestKey, LogIds, SegmentOptions};
use uuid::Uuid;

/// Segments that roll after a few commits.
pub(crate) const SEGMENTS: SegmentOptions =
    SegmentOptions { segment_bytes: 7 << 10, zeros_ahead_bytes: 1 << 10 };
/// Frames that are full after a few commands, so that several wait for the committer.
const COMMIT: CommitOptions = CommitOptions { frame_bytes: 300, undurable_bytes_max: 1 << 20 };
const LIMITS: Limits = Limits { record_bytes_max: 1 << 20, commit_bytes_max: 8 << 20 };

/// What a start gets from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside {
    /// Every start has another one: it draws other ids and is given other credentials.
    pub(crate) seed: u64,
    pub(crate) now: Timestamp,
}

impl Outside {
    fn new_ids(self) -> LogIds {
        let mut moment = Moment::new(self.seed, self.now);
        let mut draw = || *moment.id().as_bytes();
        LogIds {
            log_id: LogId::from_bytes(draw()),
            salt: Salt(draw()),
            digest_key: DigestKey(draw()),
        }
    }

    fn credentials(self) -> Given {
        let id = Uuid::from_u64_pair(0x5EED, self.seed);
        Given {
            api_key: unit::api_key(&format!("a secret of start {}", self.seed)).ok(),
            business_id: Some(BusinessId(id)),
            user_id: Some(UserId(id)),
        }
    }
}

/// Why a start was given up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Credentials(#[from] Failure),
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// Nobody sleeps here, so nobody is woken.
struct Awake;

impl Wake for Awake {
    fn wake(&self) {}
}

/// A writer's loop, and its place in the partition.
pub(crate) struct Desk<S: State> {
    writing: Loop<S>,
    seat: Arc<Seat>,
    admission: Arc<Admission>,
}

impl<S: State> Desk<S> {
    fn decide(&mut self, command: S::Command, now: Timestamp) -> oneshot::Receiver<Answer<S>> {
        let (reply, answer) = oneshot::channel();
        let ticket = self.admission.admit(1, 1).expect("far fewer wait than may");
        self.writing.set_time(now);
        self.writing.decide(Ask { command, reply, ticket });
        answer
    }

    /// The end of a turn, as the actor has it.
    fn turn(&mut self) {
        while self.writing.settle() {}
        self.writing.flush();
    }
}

/// The tables that decisions ask.
struct AllTables(BTreeMap<ObjectId, Arc<Shown>>);

impl OtherTables for AllTables {
    fn shown(&self, object: ObjectId) -> Option<Arc<Shown>> {
        self.0.get(&object).cloned()
    }
}

/// What every desk is made with.
struct Office {
    queue: Arc<CommitQueue>,
    admission: Arc<Admission>,
    newest: Timestamp,
    seed: u64,
    desks: u64,
}

impl Office {
    fn desk<S: State>(&mut self, state: S, announce: Announce<S>) -> Desk<S> {
        self.desks += 1;
        let seat = Seat::new(Box::new(Awake));
        let seed = self.seed.wrapping_add(self.desks.wrapping_mul(0xD1B5_4A32_D192_ED03));
        let parts = LoopParts {
            queue: self.queue.clone(),
            seat: seat.clone(),
            moment: Moment::new(seed, self.newest),
            announce,
        };
        Desk { writing: Loop::new(state, parts), seat, admission: self.admission.clone() }
    }
}

/// A running process.
pub(crate) struct Machine {
    office: Office,
    committer: Committer,
    reader: Arc<dyn LogReader>,
    root: Desk<Root>,
    catalog: Desk<Catalog>,
    agenda: Desk<Agenda>,
    tables: BTreeMap<ObjectId, Desk<Table>>,
    /// Tables that the catalog's writer has brought to life and nobody has taken over.
    born: Arc<Mutex<Vec<Table>>>,
    setting: Setting,
    pub(crate) follow_ups: Arc<FollowUpSignal>,
    pub(crate) ids: LogIds,
    pub(crate) business: BusinessId,
    /// What recovery has found and done.
    storage: Recovered,
    pub(crate) now: Timestamp,
    /// The last frame when the first command could be asked.
    pub(crate) began: Position,
}

impl Machine {
    /// Recovers a directory and begins to serve it, in the order in which the server does.
    pub(crate) fn start(
        disk: &Arc<dyn Disk>,
        outside: Outside,
        tape: &Tape,
    ) -> Result<Self, StartError> {
        recovery::check_format(&**disk)?;
        let options = BootOptions {
            new_ids: outside.new_ids(),
            now: outside.now,
            segments: SEGMENTS,
            limits: LIMITS,
            threads: 1,
        };
        let Booted { mut states, mut storage, .. } = boot::recover(disk, options)?;
        let is_first = states.is_new();
        let bootstrap =
            is_first.then(|| first_credentials(&**disk, &outside.credentials())).transpose()?;
        let log = storage.begin_log()?;
        // What recovery did not find is gone for good; what it found may go on.
        tape.cut_after(storage.last());
        let (queue, reader) = (CommitQueue::new(storage.last(), COMMIT), log.reader());
        let mut committer = Committer::new(queue.clone(), tape.record(Box::new(log)));
        if let Some(bootstrap) = bootstrap {
            found(&mut states, (&queue, &mut committer), &bootstrap, outside)?;
        }
        let limits = AdmissionLimits { rows_max: 10_000, bytes_max: 10_000 };
        let office = Office {
            queue,
            admission: Admission::new(limits),
            newest: states.newest,
            seed: outside.seed,
            desks: 0,
        };
        let ids = *storage.ids();
        let started = Started { office, committer, reader, states, ids, now: outside.now };
        Ok(started.into_machine(storage))
    }

    pub(crate) fn report(&self) -> &RecoveryReport {
        self.storage.report()
    }

    pub(crate) fn setting(&self) -> Setting {
        self.setting
    }

    /// Whether nothing more will become durable.
    pub(crate) fn is_failed(&self) -> bool {
        self.office.queue.is_failed()
    }

    /// The newest frame that is durable.
    pub(crate) fn durable(&self) -> Position {
        self.office.queue.durable()
    }

    /// The newest frame that holds something of a writer.
    pub(crate) fn last_position(&self, writer: WriterId) -> Position {
        match writer {
            WriterId::Root => self.root.seat.last_position(),
            WriterId::Catalog(_) => self.catalog.seat.last_position(),
            WriterId::Agenda(_) => self.agenda.seat.last_position(),
            WriterId::Table(id) => {
                self.tables.get(&id).map_or(Position(0), |desk| desk.seat.last_position())
            }
        }
    }

    pub(crate) fn reader(&self) -> &dyn LogReader {
        &*self.reader
    }

    /// Whoever founded the directory asks; the members are those of this instant.
    pub(crate) fn caller(&self) -> Caller {
        let view = self.catalog.writing.state().shown().load_full();
        let member = view.members.iter().next().map_or(MemberId(Uuid::nil()), |member| member.id);
        Caller {
            member,
            members: view.members.clone(),
            rights: Arc::new(Rights::administrator(member)),
            others: Others::of(Arc::new(self.others())),
            origin: "simulation".into(),
            batch: BatchId(Uuid::nil()),
            retry: None,
        }
    }

    /// What readers see of all tables.
    fn others(&self) -> AllTables {
        let shown =
            |(object, desk): (&ObjectId, &Desk<Table>)| (*object, desk.writing.state().shown());
        AllTables(self.tables.iter().map(shown).collect())
    }

    pub(crate) fn object(&self, name: &str) -> Option<ObjectId> {
        self.catalog.writing.state().shown().load().object_of_name(name)
    }

    /// The objects of the directory that have their names still.
    pub(crate) fn names(&self, names: &[TableName]) -> BTreeMap<ObjectId, TableName> {
        let object = |name: &TableName| Some((self.object(name)?, *name));
        names.iter().filter_map(object).collect()
    }

    pub(crate) fn is_archived(&self, object: ObjectId) -> bool {
        let shown = self.shown(object).expect("an object has its table");
        shown.schema().object().archived_at.is_some()
    }

    /// What readers see of a table.
    pub(crate) fn shown(&self, object: ObjectId) -> Option<Arc<Shown>> {
        self.tables.get(&object).map(|desk| desk.writing.state().shown())
    }

    pub(crate) fn catalog_shown(&self) -> Arc<CatalogView> {
        self.catalog.writing.state().shown().load_full()
    }

    pub(crate) fn agenda_shown(&self) -> Arc<agenda::Shown> {
        self.agenda.writing.state().shown()
    }

    /// Lets a table decide in this turn. A barrier waits until all is settled, before and after.
    pub(crate) fn ask_table(
        &mut self,
        object: ObjectId,
        command: table::command::Command,
    ) -> oneshot::Receiver<Answer<Table>> {
        let is_barrier = Table::on_plain_state(&command);
        let desk = self.tables.get_mut(&object).expect("only tables that are there are asked");
        assert!(!is_barrier || desk.writing.is_settled(), "a barrier comes when all is settled");
        desk.decide(command, self.now)
    }

    /// Lets the catalog decide at its barrier.
    pub(crate) fn ask_catalog(
        &mut self,
        command: catalog::command::Command,
    ) -> oneshot::Receiver<Answer<Catalog>> {
        assert!(self.catalog.writing.is_settled(), "a barrier comes when all is settled");
        self.catalog.decide(command, self.now)
    }

    /// Lets the agenda decide at its barrier.
    pub(crate) fn ask_agenda(
        &mut self,
        command: agenda::command::Command,
    ) -> oneshot::Receiver<Answer<Agenda>> {
        assert!(self.agenda.writing.is_settled(), "a barrier comes when all is settled");
        self.agenda.decide(command, self.now)
    }

    /// A turn of every writer: settle, then hand over what was decided.
    pub(crate) fn turn(&mut self) {
        self.root.turn();
        self.catalog.turn();
        self.agenda.turn();
        self.tables.values_mut().for_each(Desk::turn);
        for table in self.born.lock().drain(..) {
            let object = table.object();
            self.tables.insert(object, self.office.desk(table, Box::new(|_| ())));
        }
    }

    /// One step of the committer. False: there was nothing to do.
    pub(crate) fn sync(&mut self) -> Result<bool, AppendError> {
        self.committer.step()
    }

    /// Asks for a seal behind the last frame.
    pub(crate) fn request_seal(&self) {
        self.office.queue.request_seal();
    }

    /// Lets the committer end when everything is durable and sealed.
    pub(crate) fn close(&self) {
        self.office.queue.close();
    }

    /// Takes one state for a snapshot at its writer's barrier.
    pub(crate) fn take(&mut self, writer: WriterId) -> Taken {
        match writer {
            WriterId::Root => {
                let (root, at) = self.root.writing.state_at_barrier();
                Taken::whole(root, at, Root::encode_image)
            }
            WriterId::Catalog(_) => {
                let (catalog, at) = self.catalog.writing.state_at_barrier();
                Taken::whole(catalog, at, Catalog::encode_image)
            }
            WriterId::Agenda(_) => {
                let (agenda, at) = self.agenda.writing.state_at_barrier();
                Taken::whole(agenda, at, Agenda::encode_image)
            }
            WriterId::Table(id) => {
                let desk = self.tables.get_mut(&id).expect("a table that is taken is there");
                let (table, at) = desk.writing.state_at_barrier();
                Taken::table(table, at)
            }
        }
    }

    /// The writers of a business, as a round takes them once the root is taken.
    pub(crate) fn writers(&self) -> Vec<WriterId> {
        let objects = self.catalog.writing.state().shown().load().objects.clone();
        let tables = objects.iter().map(|entry| WriterId::Table(entry.id));
        [WriterId::Agenda(self.business)].into_iter().chain(tables).collect()
    }

    /// The digest of each state. Nothing may be undurable.
    pub(crate) fn digests(&mut self) -> Digests {
        let key = self.setting.digest_key;
        let small = [WriterId::Root, WriterId::Catalog(self.business)];
        let writers: Vec<WriterId> = small.into_iter().chain(self.writers()).collect();
        writers.into_iter().map(|writer| (writer, digest(&self.take(writer), &key))).collect()
    }

    /// What readers see.
    pub(crate) fn observe(&self, names: &[TableName], probes: &Probes<'_>) -> Observed {
        let view = self.catalog.writing.state().shown().load_full();
        let mut observed = Observed { people: Staff::of(&view), ..Observed::default() };
        let (others, access) = (self.others(), ObjectAccess::everything(self.caller().member));
        let sides = |object| {
            let access = access.clone();
            others.shown(object).map(|shown| Side { shown, access })
        };
        for entry in view.objects.iter() {
            let shown = self.shown(entry.id).expect("an object has its table");
            let is_archived = shown.schema().object().archived_at.is_some();
            assert!(is_archived || !entry.is_archived, "the directory went before its table");
            if entry.is_archived {
                observed.left += 1;
                continue;
            }
            let name = names.iter().find(|name| **name == entry.name);
            let name = name.unwrap_or_else(|| panic!("nobody made an object {}", entry.name));
            if is_archived {
                observed.leaving.insert(name);
                continue;
            }
            let mut table = ObservedTable::of(&shown, &view, (probes.names, probes.codes));
            table.related = related(&shown, &sides);
            observed.tables.insert(name, table);
        }
        let agenda = self.agenda_shown();
        observed.actions = actions(&agenda);
        // Of a record nobody heard of there may be activities too.
        let tables = observed.tables.values();
        let unheard =
            tables.flat_map(|table| table.by_id.keys().chain(table.follow_ups_open.values()));
        let about: BTreeSet<RecordId> = probes.records.iter().chain(unheard).copied().collect();
        for id in &about {
            let (count, upcoming) = (agenda.of_record(*id).len(), agenda.upcoming(*id));
            assert_eq!(u32::try_from(count), Ok(upcoming), "no activity is ever completed here");
            observed.activities.insert(*id, count);
        }
        observed
    }
}

/// What is looked up whether it is there or not.
pub(crate) struct Probes<'a> {
    pub(crate) names: &'a [&'static str],
    pub(crate) codes: &'a [&'static str],
    pub(crate) records: Vec<RecordId>,
}

fn digest(taken: &Taken, key: &[u8; 16]) -> u128 {
    match taken {
        Taken::Whole { content, .. } => table::digest::item_hash(key, content),
        Taken::Table { image, .. } => image.digest(&image.encode_state()),
    }
}

/// Makes the first commit durable, then applies it.
fn found(
    states: &mut States,
    (queue, committer): (&Arc<CommitQueue>, &mut Committer),
    bootstrap: &Bootstrap,
    outside: Outside,
) -> Result<(), AppendError> {
    let seat = Seat::new(Box::new(Awake));
    let mut moment = Moment::new(outside.seed, outside.now);
    let founding = Founding::begin(bootstrap, &mut moment, queue, &seat);
    while queue.durable() < founding.position() {
        committer.step()?;
    }
    founding.apply(states);
    Ok(())
}

/// What is there when the log goes on and no writer runs yet.
struct Started {
    office: Office,
    committer: Committer,
    reader: Arc<dyn LogReader>,
    states: States,
    ids: LogIds,
    now: Timestamp,
}

impl Started {
    fn into_machine(self, storage: Recovered) -> Machine {
        let Self { mut office, committer, reader, states, ids, now } = self;
        let setting = states.setting();
        let States { root, catalogs, agendas, tables, .. } = states;
        let (business, catalog) = catalogs.into_iter().next().expect("a directory is founded");
        let agenda = agendas.into_values().next().expect("recovery has checked that it is there");
        let born: Arc<Mutex<Vec<Table>>> = Arc::default();
        let nursery = born.clone();
        let announce: Announce<Catalog> = Box::new(move |event| {
            nursery.lock().extend(event.birth().map(|birth| Table::born(&birth, setting)));
        });
        let tables = tables
            .into_iter()
            .map(|(object, table)| (object, office.desk(table, Box::new(|_| ()))))
            .collect();
        Machine {
            began: office.queue.durable(),
            root: office.desk(root, Box::new(|_| ())),
            catalog: office.desk(catalog, announce),
            agenda: office.desk(agenda, Box::new(|_| ())),
            tables,
            born,
            office,
            committer,
            reader,
            setting,
            follow_ups: Arc::default(),
            ids,
            business,
            storage,
            now,
        }
    }
}
