//! Random options of upserts and of other calls that create.

use crate::model::table::command::{
    ArchivedConflict, ArchivedMatch, EntryIndex, FieldSet, Place, RecordFault, RestoreConflict,
};
use crate::model::table::intent::{Intent, Mode};
use crate::model::table::tests::steps::{Edge, What, any_few_writes};
use proptest::prelude::*;

/// What becomes of archived records, and how much a request lacks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Modes {
    archived_match: u8,
    overwrite: bool,
    pub(super) clear: bool,
    /// The request has no value for the required field, unless by chance.
    pub(super) lacks_region: bool,
}

/// The options of one upsert.
#[derive(Clone, Debug)]
pub(super) struct Options {
    mode: u8,
    skips: bool,
    reports_unchanged: bool,
    sets: [Vec<(u8, What)>; 3],
}

/// Mostly an upsert without any.
pub(super) fn any_options() -> impl Strategy<Value = Options> {
    let rarely = || prop::bool::weighted(0.1);
    let set = || prop_oneof![6 => Just(Vec::new()), 1 => any_few_writes()];
    (0..10_u8, rarely(), any::<bool>(), [set(), set(), set()]).prop_map(
        |(mode, skips, reports_unchanged, sets)| Options { mode, skips, reports_unchanged, sets },
    )
}

impl Options {
    pub(super) fn give(&self, intent: &mut Intent, edge: &Edge<'_>) {
        intent.mode = match self.mode {
            0 => Mode::Create,
            1 => Mode::Update,
            2 => Mode::Archive,
            _ => Mode::Upsert,
        };
        if self.skips {
            intent.archived_match = ArchivedMatch::Skip;
        }
        intent.reports_unchanged = self.reports_unchanged;
        let sets = [FieldSet::OnCreate, FieldSet::OnUpdate, FieldSet::IfEmpty];
        for (set, given) in sets.into_iter().zip(&self.sets) {
            let read = edge.writes(given, false);
            let within = |index: EntryIndex| EntryIndex { set, at: index.at };
            let writes = &mut intent.writes;
            writes.entries.extend(read.entries.into_iter().map(|mut write| {
                write.index = within(write.index);
                write
            }));
            writes
                .forbidden
                .extend(read.forbidden.into_iter().map(|(at, field)| (within(at), field)));
            writes.faults.extend(read.faults.into_iter().map(|fault| {
                let Place::Entry { index, field, key } = fault.place else {
                    unreachable!("a field is at fault")
                };
                RecordFault { place: Place::Entry { index: within(index), field, key }, ..fault }
            }));
        }
    }
}

pub(super) fn any_modes() -> impl Strategy<Value = Modes> {
    (0..3_u8, any::<bool>(), any::<bool>(), prop::bool::weighted(0.15)).prop_map(
        |(archived_match, overwrite, clear, lacks_region)| Modes {
            archived_match,
            overwrite,
            clear,
            lacks_region,
        },
    )
}

impl Modes {
    pub(super) fn archived_match(self) -> ArchivedMatch {
        [ArchivedMatch::Prompt, ArchivedMatch::Unarchive, ArchivedMatch::Overwrite]
            [usize::from(self.archived_match)]
    }

    pub(super) fn archived_conflict(self) -> ArchivedConflict {
        if self.overwrite { ArchivedConflict::Overwrite } else { ArchivedConflict::Refuse }
    }
}

pub(super) fn restore_conflict(clear: bool) -> RestoreConflict {
    if clear { RestoreConflict::Clear } else { RestoreConflict::Refuse }
}
