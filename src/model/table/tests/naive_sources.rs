//! The naive table's rules for versions of sources.

use crate::model::table::command::{Action, Place, Writes};
use crate::model::table::source::SourceVersion;
use crate::model::table::tests::naive::{Answer, Naive, fault};
use crate::model::value::fault::ValueFault;

/// Whether one is newer; none of two kinds.
fn is_newer(given: SourceVersion, kept: SourceVersion) -> Option<bool> {
    match (given, kept) {
        (SourceVersion::Number(given), SourceVersion::Number(kept)) => Some(given > kept),
        (
            SourceVersion::Time { seconds: given, nanoseconds: part },
            SourceVersion::Time { seconds: kept, nanoseconds: kept_part },
        ) => Some(given > kept || (given == kept && part > kept_part)),
        (SourceVersion::Number(_), SourceVersion::Time { .. })
        | (SourceVersion::Time { .. }, SourceVersion::Number(_)) => None,
    }
}

impl Naive {
    /// The answer, if the upsert says nothing new of this record.
    pub(super) fn stale(&self, at: usize) -> Option<Answer> {
        let guard = self.guard.as_ref()?;
        let kept = self.records[at].sources.get(&guard.source)?;
        match is_newer(guard.version, *kept) {
            Some(true) => None,
            Some(false) => Some(self.as_it_is(at, Action::Stale, self.identifier())),
            None => {
                let what = "This source gave a version of the other kind before.";
                Some(Answer::Faults(vec![fault(
                    Place::SourceVersion,
                    ValueFault::Invalid { what },
                )]))
            }
        }
    }

    /// Nothing is written, and what the upsert says is remembered all the same.
    pub(super) fn left_alone(&mut self, at: usize, writes: &Writes, action: Action) -> Answer {
        if writes.faults.is_empty() {
            self.raise(at);
            self.as_it_is(at, action, self.identifier())
        } else {
            Answer::Faults(writes.faults.clone())
        }
    }

    /// Remembers what the upsert says, if it is news.
    pub(super) fn raise(&mut self, at: usize) {
        let Some(guard) = &self.guard else { return };
        let sources = &mut self.records[at].sources;
        let is_news = match sources.get(&guard.source) {
            None => true,
            Some(kept) => is_newer(guard.version, *kept) == Some(true),
        };
        if is_news {
            sources.insert(guard.source.clone(), guard.version);
        }
    }
}
