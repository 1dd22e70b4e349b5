//! What requests that are only answered would have done so far: a draft of their own.
//!
//! It lies over the table and the writer's draft while a row is decided, and belongs to the request,
//! so the writer keeps nothing of it. Others write meanwhile: what a trial has touched it sees as it
//! has left it, everything else as it is.

use crate::model::id::{RecordId, TagNumber};
use crate::model::key::Key;
use crate::model::table::draft::Draft;
use crate::model::table::event::{Event, Tag};
use crate::model::table::record::Record;
use std::sync::Arc;

/// What a trial may hold. Records of usual size are some hundred bytes, so that is some hundred
/// thousand of them.
pub const TRIAL_BYTES_MAX: usize = 64 << 20;

/// What a record takes in the draft besides its body, with its places in the maps.
const RECORD_BYTES: usize = 320;
const CLAIM_BYTES: usize = 128;
const TAG_BYTES: usize = 256;

/// A table has far fewer tags: those that a trial makes share no number with those that others make
/// meanwhile.
const FIRST_TAG: TagNumber = TagNumber(1 << 31);

#[derive(Clone, Debug)]
pub struct Trial {
    draft: Draft,
    /// Of what it holds, at most.
    bytes: usize,
    /// Those that it has made: nobody else knows them.
    tags: Vec<Arc<Tag>>,
}

impl Default for Trial {
    fn default() -> Self {
        Self { draft: Draft::with_tags_from(FIRST_TAG), bytes: 0, tags: Vec::new() }
    }
}

impl Trial {
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    #[must_use]
    pub fn tags(&self) -> &[Arc<Tag>] {
        &self.tags
    }

    /// Whether it has given an identifier to a record, or has freed it.
    #[must_use]
    pub fn has_moved(&self, key: &Key) -> bool {
        self.draft.has_key(key)
    }

    /// Whether a record is archived, if it has touched that.
    #[must_use]
    pub fn is_archived(&self, id: RecordId) -> Option<bool> {
        self.draft.record(id).map(|record| record.is_none_or(Record::is_archived))
    }

    pub(super) fn draft(&self) -> &Draft {
        &self.draft
    }

    pub(super) fn lay(&mut self, event: &Event) {
        match event {
            Event::Record(change) => {
                self.count(&change.record);
                // Places in indexes stay when they are left again.
                let moves = change.moves.claims.len() + change.moves.frees.len();
                self.bytes += moves * CLAIM_BYTES + change.new_tags.len() * TAG_BYTES;
                self.tags.extend(change.new_tags.iter().cloned().map(Arc::new));
            }
            Event::SourceKept(kept) => self.count(&kept.record),
            // One entry for the whole of a stream.
            Event::StreamMoved(_) => {}
            Event::ObjectCreated { .. }
            | Event::FieldCreated { .. }
            | Event::OptionCreated { .. }
            | Event::SchemaChanged { .. }
            | Event::TeamChanged { .. }
            | Event::Purged(_)
            | Event::FollowUpConfirmed { .. }
            | Event::Outcome { .. } => unreachable!("a row writes records and nothing else"),
        }
        self.draft.lay(event);
    }

    /// Counts a record in the place of its older version.
    fn count(&mut self, record: &Record) {
        let before = self.draft.record(record.id());
        let before = before.map(|record| RECORD_BYTES + record.map_or(0, Record::len));
        self.bytes += RECORD_BYTES + record.len();
        self.bytes -= before.unwrap_or_default();
    }
}
