//! Writing a snapshot: aside, in pieces that are synced one by one, and read back before it gets
//! its name. Knows nothing of when a round is due.

use super::contents::{self, ChunkEntry, WriterEntry};
use super::{CHUNK_BYTES_MAX, CHUNK_HEADER_LEN, ChunkHead, ChunkHeader, SnapshotHeader, Trailer};
use crate::model::id::{HistoryId, Position, Sequence, WriterId};
use crate::storage::disk::{Disk, DiskFile, discard};
use crate::storage::error::{Operation, StorageError};
use crate::storage::names::{self, SnapshotName};
use crate::storage::snapshot::SnapshotReader;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Written and synced at once: larger pieces make the log's syncs wait behind ours.
const PIECE_BYTES: usize = 4 << 20;
/// Faster than the disk, and enough.
const COMPRESSION_LEVEL: i32 = 1;

/// What closes the chunks of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterSummary {
    pub writer: WriterId,
    pub position: Position,
    pub sequence: Sequence,
    pub history: Option<HistoryId>,
    pub digest: u128,
}

/// A snapshot that is being written. Dropped before it is published, it was never there.
pub struct SnapshotWriter {
    aside: Aside,
    file: Box<dyn DiskFile>,
    header: SnapshotHeader,
    compressor: zstd::bulk::Compressor<'static>,
    piece: Vec<u8>,
    /// Where the piece goes.
    offset: u64,
    chunks: BTreeMap<WriterId, Vec<(ChunkHead, ChunkEntry)>>,
}

/// A snapshot that is durable and was read back whole from the device, but has no name yet.
#[derive(Debug)]
pub struct WrittenSnapshot {
    aside: Aside,
    reader: SnapshotReader,
}

/// The file of a round under its temporary name, and the right to have one.
#[derive(Debug)]
struct Aside {
    disk: Arc<dyn Disk>,
    is_in_progress: Arc<AtomicBool>,
    is_published: bool,
}

fn temporary_name() -> String {
    names::temporary("snapshot")
}

impl Aside {
    fn claim(disk: Arc<dyn Disk>, is_in_progress: Arc<AtomicBool>) -> Result<Self, StorageError> {
        if is_in_progress.swap(true, Ordering::AcqRel) {
            return Err(StorageError::SnapshotInProgress);
        }
        Ok(Self { disk, is_in_progress, is_published: false })
    }
}

impl Drop for Aside {
    /// A round that failed gives its room back, and the next one may begin.
    fn drop(&mut self) {
        if !self.is_published {
            discard(&*self.disk, &temporary_name());
        }
        self.is_in_progress.store(false, Ordering::Release);
    }
}

impl SnapshotWriter {
    pub(super) fn begin(
        disk: Arc<dyn Disk>,
        is_in_progress: Arc<AtomicBool>,
        header: SnapshotHeader,
    ) -> Result<Self, StorageError> {
        let aside = Aside::claim(disk, is_in_progress)?;
        // A round before may have failed to clear up behind itself.
        discard(&*aside.disk, &temporary_name());
        let file = aside.disk.create_new(&temporary_name())?;
        let compressor = zstd::bulk::Compressor::new(COMPRESSION_LEVEL).map_err(|source| {
            StorageError::io(Operation::Create, &aside.disk.path(&temporary_name()), source)
        })?;
        let piece = header.encode();
        let chunks = BTreeMap::new();
        Ok(Self { aside, file, header, compressor, piece, offset: 0, chunks })
    }

    /// Bytes written so far, for whoever watches the progress.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.offset + self.piece.len() as u64
    }

    /// Adds a chunk. All chunks of a writer must be as of the same position.
    ///
    /// # Panics
    /// If the content is longer than [`CHUNK_BYTES_MAX`], or the position lies before the round's.
    pub fn put_chunk(&mut self, head: &ChunkHead, content: &[u8]) -> Result<(), StorageError> {
        assert!(content.len() <= CHUNK_BYTES_MAX, "a chunk of {} bytes", content.len());
        let stored = self.compressor.compress(content).map_err(|source| {
            let path = self.aside.disk.path(&temporary_name());
            StorageError::io(Operation::Write, &path, source)
        })?;
        self.put_stored(head, content.len(), &stored)
    }

    /// Adds a chunk as it stands in another snapshot.
    pub(crate) fn put_stored(
        &mut self,
        head: &ChunkHead,
        content_len: usize,
        stored: &[u8],
    ) -> Result<(), StorageError> {
        assert!(head.position >= self.header.position, "a chunk of before the round began");
        let content_len = u32::try_from(content_len).expect("a chunk is at most 64 MiB");
        let offset = self.written_bytes();
        ChunkHeader::encode(head, content_len, stored, &mut self.piece);
        let length = (CHUNK_HEADER_LEN + stored.len()) as u64;
        let entry = ChunkEntry { kind: head.kind, records: head.records, offset, length };
        self.chunks.entry(head.writer).or_default().push((*head, entry));
        if self.piece.len() >= PIECE_BYTES { self.write_piece() } else { Ok(()) }
    }

    /// Closes the snapshot, makes it durable, and reads all of it back from the device. What it
    /// says can be checked through [`WrittenSnapshot::reader`] before it is published.
    ///
    /// # Panics
    /// If a chunk's writer is not among the summaries or was summed up as of another position.
    pub fn finish(mut self, summaries: &[WriterSummary]) -> Result<WrittenSnapshot, StorageError> {
        let entries: Vec<WriterEntry> =
            summaries.iter().map(|summary| self.entry(summary)).collect();
        assert!(self.chunks.is_empty(), "each writer with chunks has a summary");
        let table = contents::encode(&entries);
        let trailer = Trailer {
            offset: self.written_bytes(),
            length: u32::try_from(table.len()).expect("a table of contents is small"),
            checksum: crc32c::crc32c(&table),
        };
        self.piece.extend_from_slice(&table);
        trailer.encode(&mut self.piece);
        self.write_piece()?;
        self.file.sync_all()?;
        let reader = SnapshotReader::open(&*self.aside.disk, &temporary_name())?;
        Ok(WrittenSnapshot { aside: self.aside, reader })
    }

    fn entry(&mut self, summary: &WriterSummary) -> WriterEntry {
        let WriterSummary { writer, position, sequence, history, digest } = *summary;
        let own = self.chunks.remove(&writer).unwrap_or_default();
        let is_one_state =
            |head: &ChunkHead| (head.position, head.sequence) == (position, sequence);
        assert!(own.iter().all(|(head, _)| is_one_state(head)), "chunks are as of one position");
        let chunks: Vec<ChunkEntry> = own.into_iter().map(|(_, entry)| entry).collect();
        let records = chunks.iter().map(|chunk| u64::from(chunk.records)).sum();
        WriterEntry { writer, position, sequence, history, digest, records, chunks }
    }

    fn write_piece(&mut self) -> Result<(), StorageError> {
        self.file.write_at(&self.piece, self.offset)?;
        self.file.sync_data()?;
        self.offset += self.piece.len() as u64;
        self.piece.clear();
        Ok(())
    }
}

impl WrittenSnapshot {
    /// The snapshot as a later start will find it.
    #[must_use]
    pub fn reader(&self) -> &SnapshotReader {
        &self.reader
    }

    /// Gives the snapshot its name and makes the name durable.
    pub fn publish(mut self) -> Result<SnapshotName, StorageError> {
        let disk = self.aside.disk.clone();
        let position = self.reader.header().position;
        let taken = disk.list()?;
        let last_round = taken
            .iter()
            .filter_map(|name| SnapshotName::of_any_state(name))
            .filter(|name| name.position == position)
            .map(|name| name.round)
            .max();
        let name = SnapshotName { position, round: last_round.map_or(1, |round| round + 1) };
        disk.rename(&temporary_name(), &name.to_string())?;
        self.aside.is_published = true;
        disk.sync_directory()?;
        Ok(name)
    }
}

impl fmt::Debug for SnapshotWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotWriter").field("header", &self.header).finish_non_exhaustive()
    }
}
