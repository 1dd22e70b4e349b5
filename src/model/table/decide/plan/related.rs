//! Writing what a record leads to: a caller replaces and takes away what it sees, and the rest
//! stays. What is gone for good goes with it.

use crate::model::id::RecordId;
use crate::model::schema::field::Field;
use crate::model::table::command::{EntryIndex, EntryKey, Place};
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::plan::{Plan, distinct};
use crate::model::table::others::{OtherSide, Sight};
use crate::model::table::owners::related_ids;
use crate::model::value::fault::ValueFault;
use crate::model::value::related::RELATED_MAX;
use crate::model::value::{ListChange, Value};
use std::collections::BTreeSet;

const TOO_MANY: ValueFault = ValueFault::LimitExceeded { what: "values", max: RELATED_MAX };

impl Plan<'_> {
    /// A field of several records. What is given was there, and seen, when the request was read.
    pub(super) fn relate_all(
        &mut self,
        commit: &Commit<'_>,
        (field, index): (&Field, EntryIndex),
        change: &ListChange<RecordId>,
    ) {
        let (held, side) = (self.related(field), side_of(commit, field));
        let named = match change {
            ListChange::Replace(given) => given,
            ListChange::Edit { add, .. } => add,
        };
        let named: BTreeSet<RecordId> = named.iter().copied().collect();
        // What was named was seen.
        let sight = |id: &RecordId| {
            if named.contains(id) { Sight::Seen } else { side.sight(*id) }
        };
        let mut after = match change {
            ListChange::Replace(given) => replaced(&held, given, &sight),
            ListChange::Edit { add, remove } => edited(&held, (add, remove), &side),
        };
        if !after.is_empty() && after == held {
            return;
        }
        let place = Place::Entry { index, field: field.number, key: EntryKey::Value };
        if after.len() > RELATED_MAX {
            after.retain(|id| sight(id) != Sight::Gone);
        }
        if after.len() > RELATED_MAX {
            return self.fault(place, TOO_MANY);
        }
        let is_value = |id: &RecordId| matches!(sight(id), Sight::Seen | Sight::Away);
        if field.is_required && !after.iter().any(is_value) {
            return self.fault(place, ValueFault::Required);
        }
        if after.is_empty() {
            self.clear_value(field);
        } else {
            self.set(field.number, &Value::Records(after));
        }
    }

    /// A field of one record, which takes the place of whichever was there; it goes only if it is
    /// that very one.
    pub(super) fn relate_one(
        &mut self,
        commit: &Commit<'_>,
        (field, index): (&Field, EntryIndex),
        change: &ListChange<RecordId>,
    ) {
        let (add, remove) = match change {
            ListChange::Replace(records) => (records, None),
            ListChange::Edit { add, remove } => (add, Some(remove)),
        };
        if let Some(record) = add.last() {
            return self.set(field.number, &Value::Record(*record));
        }
        let Some(remove) = remove else { return self.clear(commit, field, index) };
        let side = side_of(commit, field);
        let is_removed = |id: &RecordId| remove.contains(id) && may_go(&side, *id);
        if !self.related(field).iter().any(is_removed) {
            return;
        }
        if field.is_required {
            let place = Place::Entry { index, field: field.number, key: EntryKey::Value };
            return self.fault(place, ValueFault::Required);
        }
        self.clear_value(field);
    }

    /// Leaves only what the caller does not see.
    pub(super) fn unrelate(&mut self, commit: &Commit<'_>, field: &Field, index: EntryIndex) {
        if field.allow_multiple {
            return self.relate_all(commit, (field, index), &ListChange::Replace(Vec::new()));
        }
        let side = side_of(commit, field);
        if self.related(field).iter().all(|id| side.sight(*id) == Sight::Seen) {
            self.clear_value(field);
        }
    }

    fn related(&self, field: &Field) -> Vec<RecordId> {
        self.old.get(field.number).map_or_else(Vec::new, |raw| related_ids(field, raw))
    }
}

fn side_of(commit: &Commit<'_>, field: &Field) -> OtherSide {
    commit.caller.others.side(field, &commit.caller.rights)
}

/// What replaces a list: what was given, and behind it what the caller does not see.
fn replaced(
    held: &[RecordId],
    given: &[RecordId],
    sight: &impl Fn(&RecordId) -> Sight,
) -> Vec<RecordId> {
    let given = distinct(given);
    let (mut reads, mut unseen) = (Vec::new(), Vec::new());
    for id in held {
        match sight(id) {
            Sight::Seen => reads.push(*id),
            Sight::Away | Sight::Hidden => unseen.push(*id),
            Sight::Gone => {}
        }
    }
    // What reads so already stays as it is stored.
    if reads == given { held.to_vec() } else { given.into_iter().chain(unseen).collect() }
}

/// A list without what is removed, and what is added behind it.
fn edited(
    held: &[RecordId],
    (add, remove): (&[RecordId], &[RecordId]),
    side: &OtherSide,
) -> Vec<RecordId> {
    let removed = remove.iter().filter(|id| may_go(side, **id));
    let removed: BTreeSet<RecordId> = removed.copied().collect();
    let kept = held.iter().filter(|id| !removed.contains(id));
    distinct(&kept.chain(add).copied().collect::<Vec<_>>())
}

/// Whether a record that is named goes. What the caller may not read it cannot name, and what was
/// purged reads as removed already.
fn may_go(side: &OtherSide, id: RecordId) -> bool {
    matches!(side.sight(id), Sight::Seen | Sight::Away)
}
