//! States in a snapshot: how a round writes them, and how a start loads them.
//!
//! It knows what a chunk says; where chunks stand in the file is storage's.

use crate::engine::states::States;
use crate::model::agenda::Agenda;
use crate::model::catalog::Catalog;
use crate::model::id::{HistoryId, Position, Sequence, Slot, WriterId};
use crate::model::root::Root;
use crate::model::state::State;
use crate::model::table::Table;
use crate::model::table::digest::item_hash;
use crate::model::table::event_form::Misfit;
use crate::model::table::record::Record;
use crate::model::table::snapshot_form::{Image, Loader, encode_record, records_digest};
use crate::storage::error::StorageError;
use crate::storage::snapshot::{
    ChunkHead, ChunkKind, SnapshotReader, SnapshotWriter, WriterEntry, WriterSummary,
};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Content of a chunk of records: enough to compress well, small enough for threads to share work.
const RECORD_CHUNK_BYTES: usize = 1 << 20;
/// A longer state is cut into several chunks.
const STATE_CHUNK_BYTES: usize = 16 << 20;

/// One state at one instant, taken by its writer between two frames.
pub enum Taken {
    /// Small and copied whole.
    Whole { writer: WriterId, position: Position, content: Vec<u8> },
    /// A table: small copies, and a scan over its records.
    Table { writer: WriterId, image: Image },
}

impl Taken {
    /// Copies a small state. Nothing of it may be undurable; `position` is the newest durable frame.
    #[must_use]
    pub fn whole<S: State>(
        state: &S,
        position: Position,
        encode: impl FnOnce(&S, &mut Vec<u8>),
    ) -> Self {
        let mut content = Vec::new();
        encode(state, &mut content);
        Self::Whole { writer: state.writer(), position, content }
    }

    /// Opens a scan of a table, under the same conditions.
    #[must_use]
    pub fn table(table: &mut Table, position: Position) -> Self {
        Self::Table { writer: table.writer(), image: table.open_image(position) }
    }
}

/// Why a snapshot was not loaded, or not written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The checksums are right and yet the content is not what this version writes.
    #[error("{}: {misfit}", .path.display())]
    Misfit { path: PathBuf, misfit: Misfit },
    /// What was written is not what memory should hold: a bug, or rot in memory.
    #[error("{}: the digest of {writer:?} that was read back is not that of memory", .path.display())]
    Digest { path: PathBuf, writer: WriterId },
}

/// Writes one state, and gives its summary.
pub fn write(
    snapshot: &mut SnapshotWriter,
    digest_key: &[u8; 16],
    taken: &Taken,
) -> Result<WriterSummary, StorageError> {
    match taken {
        Taken::Whole { writer, position, content } => {
            let summary = WriterSummary {
                writer: *writer,
                position: *position,
                sequence: Sequence(0),
                history: None,
                digest: item_hash(digest_key, content),
            };
            write_state(snapshot, &summary, content)?;
            Ok(summary)
        }
        Taken::Table { writer, image } => write_table(snapshot, *writer, image),
    }
}

fn head_of(summary: &WriterSummary, kind: ChunkKind, records: u32) -> ChunkHead {
    let WriterSummary { writer, position, sequence, .. } = *summary;
    ChunkHead { writer, kind, position, sequence, records }
}

fn write_state(
    snapshot: &mut SnapshotWriter,
    summary: &WriterSummary,
    content: &[u8],
) -> Result<(), StorageError> {
    for piece in content.chunks(STATE_CHUNK_BYTES) {
        snapshot.put_chunk(&head_of(summary, ChunkKind::State, 0), piece)?;
    }
    Ok(())
}

fn write_table(
    snapshot: &mut SnapshotWriter,
    writer: WriterId,
    image: &Image,
) -> Result<WriterSummary, StorageError> {
    let state = image.encode_state();
    let summary = WriterSummary {
        writer,
        position: image.scan.position(),
        sequence: image.sequence,
        history: Some(image.history),
        digest: image.digest(&state),
    };
    write_state(snapshot, &summary, &state)?;
    let (mut content, mut count) = (Vec::with_capacity(RECORD_CHUNK_BYTES + (64 << 10)), 0);
    image.scan.walk(&image.shown.order, |records: &[Record]| {
        for record in records {
            encode_record(record, &mut content);
            count += 1;
            if content.len() >= RECORD_CHUNK_BYTES {
                snapshot.put_chunk(&head_of(&summary, ChunkKind::Records, count), &content)?;
                (count, content) = (0, std::mem::take(&mut content));
                content.clear();
            }
        }
        Ok::<(), StorageError>(())
    })?;
    if count > 0 {
        snapshot.put_chunk(&head_of(&summary, ChunkKind::Records, count), &content)?;
    }
    Ok(summary)
}

/// Reads every chunk again and compares the digests: the backup worked only if this says so.
pub fn verify(reader: &SnapshotReader) -> Result<(), SnapshotError> {
    let digest_key = reader.header().digest_key.0;
    for entry in reader.writers() {
        let places = places_of(reader, entry.writer);
        let state = read_all(reader, &places, ChunkKind::State)?;
        let mut digest = item_hash(&digest_key, &state);
        for (place, head) in places.iter().filter(|(_, head)| head.kind == ChunkKind::Records) {
            let content = reader.read_chunk(*place)?;
            let (sum, count) = records_digest(&digest_key, &content)
                .map_err(|misfit| misfitting(reader, misfit))?;
            if count != head.records {
                let (expected, found) = (u64::from(head.records), u64::from(count));
                let misfit = Misfit::Order { what: "a count of records", expected, found };
                return Err(misfitting(reader, misfit));
            }
            digest = digest.wrapping_add(sum);
        }
        if digest != entry.digest {
            return Err(SnapshotError::Digest {
                path: reader.path().clone(),
                writer: entry.writer,
            });
        }
    }
    Ok(())
}

fn misfitting(reader: &SnapshotReader, misfit: Misfit) -> SnapshotError {
    SnapshotError::Misfit { path: reader.path().clone(), misfit }
}

type Places = Vec<(usize, ChunkHead)>;

fn places_of(reader: &SnapshotReader, writer: WriterId) -> Places {
    reader.chunks().enumerate().filter(|(_, head)| head.writer == writer).collect()
}

fn read_all(
    reader: &SnapshotReader,
    places: &Places,
    kind: ChunkKind,
) -> Result<Vec<u8>, StorageError> {
    let mut content = Vec::new();
    for (place, _) in places.iter().filter(|(_, head)| head.kind == kind) {
        content.append(&mut reader.read_chunk(*place)?);
    }
    Ok(content)
}

/// A table that is being loaded: its loader, and what was found of its records.
struct Loading {
    entry: WriterEntry,
    loader: Loader,
    sum: Mutex<u128>,
}

/// One chunk of records that a thread takes.
struct Piece {
    table: usize,
    place: usize,
    first_slot: Slot,
}

/// Loads all states of a snapshot; the records of tables on so many threads.
pub fn load(
    reader: &SnapshotReader,
    states: &mut States,
    threads: usize,
) -> Result<(), SnapshotError> {
    let mut by_writer: BTreeMap<WriterId, Places> = BTreeMap::new();
    for (place, head) in reader.chunks().enumerate() {
        by_writer.entry(head.writer).or_default().push((place, head));
    }
    let (mut tables, mut pieces) = (Vec::new(), Vec::new());
    for entry in reader.writers() {
        let places = by_writer.remove(&entry.writer).unwrap_or_default();
        let state = read_all(reader, &places, ChunkKind::State)?;
        if let WriterId::Table(_) = entry.writer {
            let loader =
                loader_of(entry, &state, states).map_err(|misfit| misfitting(reader, misfit))?;
            add_pieces(&places, tables.len(), &mut pieces);
            tables.push(Loading { entry: entry.clone(), loader, sum: Mutex::new(0) });
        } else {
            load_whole(entry, &state, states).map_err(|misfit| misfitting(reader, misfit))?;
        }
    }
    load_pieces(reader, &tables, &pieces, threads)?;
    for Loading { entry, loader, sum } in tables {
        let records =
            u32::try_from(entry.records).expect("a table has at most four billion records");
        let table = loader.finish(records, sum.into_inner(), entry.digest);
        let table = table.map_err(|misfit| misfitting(reader, misfit))?;
        states.note_loaded(entry.writer, entry.position);
        states.tables.insert(table.object(), table);
    }
    Ok(())
}

fn loader_of(entry: &WriterEntry, state: &[u8], states: &States) -> Result<Loader, Misfit> {
    let history = entry.history.unwrap_or(HistoryId::from_bytes([0; 16]));
    let records = usize::try_from(entry.records).unwrap_or(usize::MAX);
    Loader::new(state, history, states.setting(), records)
}

fn add_pieces(places: &Places, table: usize, pieces: &mut Vec<Piece>) {
    let mut first_slot = Slot(0);
    for (place, head) in places.iter().filter(|(_, head)| head.kind == ChunkKind::Records) {
        pieces.push(Piece { table, place: *place, first_slot });
        first_slot = Slot(first_slot.0 + head.records);
    }
}

fn load_whole(entry: &WriterEntry, state: &[u8], states: &mut States) -> Result<(), Misfit> {
    if item_hash(&states.setting().digest_key, state) != entry.digest {
        return Err(Misfit::Digest);
    }
    match entry.writer {
        WriterId::Root => states.root = Root::from_image(state)?,
        WriterId::Catalog(id) => {
            states.catalogs.insert(id, Catalog::from_image(id, state)?);
        }
        WriterId::Agenda(id) => {
            states.agendas.insert(id, Agenda::from_image(id, state)?);
        }
        WriterId::Table(_) => panic!("tables are loaded in pieces"),
    }
    states.note_loaded(entry.writer, entry.position);
    Ok(())
}

fn load_pieces(
    reader: &SnapshotReader,
    tables: &[Loading],
    pieces: &[Piece],
    threads: usize,
) -> Result<(), SnapshotError> {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(piece) = pieces.get(next.fetch_add(1, Relaxed)) {
            let content = reader.read_chunk(piece.place)?;
            let table = &tables[piece.table];
            let sum = table.loader.load(&content, piece.first_slot);
            let sum = sum.map_err(|misfit| misfitting(reader, misfit))?;
            let mut total = table.sum.lock();
            *total = total.wrapping_add(sum);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let own = work();
        others
            .into_iter()
            .map(|other| other.join().expect("a loader does not panic"))
            .fold(own, Result::and)
    })
}
