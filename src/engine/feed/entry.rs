//! The entries of a table's feed, cut out of the parts of its log. What an entry looks like to a
//! client is the edge's.

use crate::model::id::{Position, Sequence};
use crate::model::table::event::Stamp;
use crate::model::table::event_form::{Misfit, Stored, decode};
use crate::storage::log::PartOwned;
use bytes::Bytes;

/// One numbered change of a table, as it was stored. It shares its memory with the part it is of.
#[derive(Clone, Debug)]
pub struct Entry {
    pub sequence: Sequence,
    /// Of the frame it stands in.
    pub position: Position,
    bytes: Bytes,
}

impl Entry {
    /// Tells two entries of one number apart.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        crc32c::crc32c(&self.bytes)
    }

    /// When, by whom and what.
    pub fn read(&self) -> Result<(Stamp, Stored<'_>), Misfit> {
        decode(&mut &self.bytes[..])
    }

    /// The same over memory of its own, so that it keeps nothing else alive.
    #[must_use]
    pub(super) fn alone(&self) -> Self {
        Self { bytes: Bytes::copy_from_slice(&self.bytes), ..*self }
    }

    /// Bytes of its stored form, which are never none.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// The numbered changes of a part, in order.
pub(super) fn entries_of(part: &PartOwned) -> Result<Vec<Entry>, Misfit> {
    let mut entries = Vec::new();
    let mut rest = &part.events[..];
    while !rest.is_empty() {
        let at = part.events.len() - rest.len();
        let (_, stored) = decode(&mut rest)?;
        if let Some(sequence) = stored.sequence() {
            let bytes = part.events.slice(at..part.events.len() - rest.len());
            entries.push(Entry { sequence, position: part.position, bytes });
        }
    }
    Ok(entries)
}
