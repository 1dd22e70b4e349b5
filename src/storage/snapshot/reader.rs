//! Reading a snapshot, on any number of threads. Nothing is believed before its checksum was seen,
//! and nothing is allocated because of a length that a file merely claims.

use super::contents::{self, ChunkEntry, WriterEntry};
use super::{
    CHUNK_BYTES_MAX, CHUNK_HEADER_LEN, ChunkHead, ChunkHeader, FORMAT_VERSION, HEADER_LEN,
    SnapshotHeader, TRAILER_LEN, Trailer,
};
use crate::storage::disk::{Disk, DiskFile};
use crate::storage::error::{Damage, DamageReason, Section, StorageError};
use std::path::PathBuf;

/// A snapshot of which every byte was read from the device and found to be what was written.
#[derive(Debug)]
pub struct SnapshotReader {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    header: SnapshotHeader,
    writers: Vec<WriterEntry>,
    /// All chunks in the order of the file: the writer's place in `writers`, and the chunk.
    chunks: Vec<(usize, ChunkEntry)>,
    length: u64,
}

/// A chunk as it stands in the file, its checksum seen.
pub(crate) struct StoredChunk {
    bytes: Vec<u8>,
    content_len: usize,
}

impl StoredChunk {
    /// The compressed content.
    pub(crate) fn stored(&self) -> &[u8] {
        self.bytes.get(CHUNK_HEADER_LEN..).unwrap_or_default()
    }

    /// Bytes of the content once it is unpacked.
    pub(crate) fn content_len(&self) -> usize {
        self.content_len
    }
}

impl SnapshotReader {
    /// Opens a snapshot and checks all of it against the device, not against the cache.
    pub fn open(disk: &dyn Disk, name: &str) -> Result<Self, StorageError> {
        let file = disk.open(name)?;
        file.sync_all()?;
        file.drop_cache()?;
        let (path, length) = (disk.path(name), file.length()?);
        let header = read_array::<HEADER_LEN>(&*file, 0)?;
        let header = SnapshotHeader::decode(header.as_slice())
            .map_err(|fault| fault.at(&path, Section::SnapshotHeader, FORMAT_VERSION))?;
        let mut reader =
            Self { path, file, header, writers: Vec::new(), chunks: Vec::new(), length };
        reader.read_contents()?;
        for place in 0..reader.chunks.len() {
            reader.read_stored(place)?;
        }
        Ok(reader)
    }

    /// Reads the trailer and the table of contents that it points to.
    fn read_contents(&mut self) -> Result<(), StorageError> {
        let trailer_offset = self.length.saturating_sub(TRAILER_LEN as u64);
        let trailer = read_array::<TRAILER_LEN>(&*self.file, trailer_offset)?;
        let trailer = Trailer::decode(trailer.as_array()).ok_or_else(|| {
            self.damaged(trailer_offset, DamageReason::BadMagic(Section::SnapshotTrailer))
        })?;
        let end = trailer.offset.checked_add(u64::from(trailer.length));
        if end != Some(trailer_offset) || trailer.offset < HEADER_LEN as u64 {
            let reason = DamageReason::Inconsistent(Section::SnapshotTrailer);
            return Err(self.damaged(trailer_offset, reason));
        }
        let table = read_vec(&*self.file, trailer.offset, trailer.length as usize)?;
        if crc32c::crc32c(&table) != trailer.checksum {
            let reason = DamageReason::BadChecksum(Section::SnapshotContents);
            return Err(self.damaged(trailer.offset, reason));
        }
        self.writers = contents::decode(&table, trailer.offset)
            .filter(|writers| writers.iter().all(|entry| entry.position >= self.header.position))
            .ok_or_else(|| {
                let reason = DamageReason::Inconsistent(Section::SnapshotContents);
                self.damaged(trailer.offset, reason)
            })?;
        for (place, entry) in self.writers.iter().enumerate() {
            self.chunks.extend(entry.chunks.iter().map(|chunk| (place, *chunk)));
        }
        self.chunks.sort_unstable_by_key(|(_, chunk)| chunk.offset);
        Ok(())
    }

    fn damaged(&self, offset: u64, reason: DamageReason) -> StorageError {
        Damage::of(&self.path, offset, reason).into()
    }

    #[must_use]
    pub fn header(&self) -> &SnapshotHeader {
        &self.header
    }

    /// What messages call the file.
    #[must_use]
    pub fn path(&self) -> &PathBuf {
        &self.path
    }

    /// What it holds of each writer.
    #[must_use]
    pub fn writers(&self) -> &[WriterEntry] {
        &self.writers
    }

    /// Bytes of the file.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What each chunk holds, in the order of the file; [`SnapshotReader::read_chunk`] takes the
    /// place in this list.
    #[must_use]
    pub fn chunks(&self) -> impl ExactSizeIterator<Item = ChunkHead> + '_ {
        self.chunks.iter().map(|(writer, chunk)| self.entry(*writer).head_of(chunk))
    }

    /// Reads and unpacks the content of a chunk.
    ///
    /// # Panics
    /// If there is no such chunk.
    pub fn read_chunk(&self, place: usize) -> Result<Vec<u8>, StorageError> {
        let chunk = self.read_stored(place)?;
        let content_len = chunk.content_len();
        match zstd::bulk::decompress(chunk.stored(), content_len) {
            Ok(content) if content.len() == content_len => Ok(content),
            Ok(_) | Err(_) => {
                let reason = DamageReason::Inconsistent(Section::SnapshotChunk);
                Err(self.damaged(self.chunk(place).1.offset, reason))
            }
        }
    }

    /// Reads a chunk as it stands and checks it.
    pub(crate) fn read_stored(&self, place: usize) -> Result<StoredChunk, StorageError> {
        let (writer, chunk) = self.chunk(place);
        let damaged = |reason| self.damaged(chunk.offset, reason);
        let length = usize::try_from(chunk.length).unwrap_or(usize::MAX);
        let bytes = read_vec(&*self.file, chunk.offset, length)?;
        let Some((header_bytes, stored)) = bytes.split_first_chunk::<CHUNK_HEADER_LEN>() else {
            return Err(damaged(DamageReason::Truncated(Section::SnapshotChunk)));
        };
        let header = ChunkHeader::decode(header_bytes)
            .ok_or_else(|| damaged(DamageReason::BadMagic(Section::SnapshotChunk)))?;
        let (covered, _) = header_bytes.split_at(CHUNK_HEADER_LEN - 4);
        if crc32c::crc32c_append(crc32c::crc32c(covered), stored) != header.checksum {
            return Err(damaged(DamageReason::BadChecksum(Section::SnapshotChunk)));
        }
        let content_len = header.content_len as usize;
        let fits = header.head == self.entry(writer).head_of(&chunk)
            && header.stored_len as usize == stored.len()
            && content_len <= CHUNK_BYTES_MAX;
        if !fits {
            return Err(damaged(DamageReason::Inconsistent(Section::SnapshotChunk)));
        }
        Ok(StoredChunk { bytes, content_len })
    }

    fn chunk(&self, place: usize) -> (usize, ChunkEntry) {
        *self.chunks.get(place).expect("the caller took the place from the list of chunks")
    }

    fn entry(&self, writer: usize) -> &WriterEntry {
        self.writers.get(writer).expect("chunks name writers of the same table")
    }
}

/// Bytes that were read into a fixed place, as many as there were.
struct Piece<const LEN: usize> {
    bytes: [u8; LEN],
    length: usize,
}

impl<const LEN: usize> Piece<LEN> {
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// What was not there is zero, which no magic is.
    fn as_array(&self) -> &[u8; LEN] {
        &self.bytes
    }
}

fn read_array<const LEN: usize>(
    file: &dyn DiskFile,
    offset: u64,
) -> Result<Piece<LEN>, StorageError> {
    let mut bytes = [0; LEN];
    let length = file.read_at(&mut bytes, offset)?;
    Ok(Piece { bytes, length })
}

/// Reads so many bytes, or as many as there are. The caller has seen that the file is so long.
fn read_vec(file: &dyn DiskFile, offset: u64, length: usize) -> Result<Vec<u8>, StorageError> {
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, offset)?;
    bytes.truncate(read);
    Ok(bytes)
}
