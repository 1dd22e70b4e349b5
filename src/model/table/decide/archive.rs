//! Archiving, restoring by id, purging, and the explicit team of a record.

use crate::model::id::RecordId;
use crate::model::schema::system;
use crate::model::table::apply::same_version;
use crate::model::table::body::Edits;
use crate::model::table::command::{
    Action, ArchivedConflict, Outcome, Place, Reply, TeamEdit, Unarchive, Writes,
};
use crate::model::table::decide::commit::{Commit, RecordEdit, put_time};
use crate::model::table::decide::guard::raise_with;
use crate::model::table::decide::keys::stored_text;
use crate::model::table::decide::plan::Plan;
use crate::model::table::decide::precondition::check_precondition;
use crate::model::table::decide::relate::give_up;
use crate::model::table::decide::upsert::{check_identifier, finish};
use crate::model::table::decide::{
    Conflict, ConflictParameter, Rejection, Taken, live, require, visible,
};
use crate::model::table::event::{ChangeKind, Event, FollowUpNumber, Purge};
use crate::model::table::record::Record;
use crate::model::value::{VALUES_MAX, Value};

pub(super) fn archive(commit: &mut Commit<'_>, id: RecordId) -> Result<Reply, Rejection> {
    let record = live(commit, id)?;
    check_precondition(commit, Some(&record))?;
    archive_live(commit, &record)?;
    Ok(Reply::Done)
}

/// Archives a live record. Gives it as it is then.
pub(super) fn archive_live(commit: &mut Commit<'_>, record: &Record) -> Result<Record, Rejection> {
    require(commit.access.may_archive(&commit.schema, record))?;
    let (at, by) = (commit.at(), commit.caller.member);
    let mut edits = Edits::default();
    edits.set(system::ARCHIVED_AT, |out| put_time(at, out));
    edits.set(system::ARCHIVED_BY, |out| Value::Member(by).encode(out));
    raise_with(commit, Some(record), &mut edits);
    let change = commit.put(RecordEdit {
        kind: ChangeKind::Archived,
        old: Some(record),
        edits,
        new_tags: Vec::new(),
        reason: None,
    })?;
    let archived = change.record.clone();
    commit.push(Event::Record(change));
    Ok(archived)
}

/// Restores a record as it was. Required fields are not asked for.
pub(super) fn unarchive(
    commit: &mut Commit<'_>,
    unarchive: &Unarchive,
) -> Result<Reply, Rejection> {
    let record = visible(commit, unarchive.id)?;
    check_precondition(commit, Some(&record))?;
    if !record.is_archived() {
        return Ok(Reply::Record(Outcome::of(Action::Unchanged, record)));
    }
    require(commit.access.may_unarchive(&commit.schema, &record))?;
    let nothing = Writes { schema: commit.schema.number(), ..Writes::default() };
    let mut plan = Plan::new(commit, Some(&record), &nothing);
    plan.restore();
    plan.fill_owner(commit);
    give_up(commit, &mut plan, &record);
    let mut taken = Taken::default();
    if let Some(wanted) = &unarchive.identifier {
        if let Some(fault) = &wanted.fault {
            plan.fault(Place::Identifier, fault.clone());
        }
        plan.end_of_values()?;
        set_identifier(commit, &mut plan, &wanted.text);
        let mode = (ArchivedConflict::Refuse, ConflictParameter::None);
        let displaced = check_identifier(commit, &plan, &record, mode, &mut taken)?;
        assert!(displaced.is_none(), "nobody is displaced where the mode is to refuse");
        blame_identifier(&mut taken);
    } else if let Some(original) = original_identifier(commit, &record) {
        set_identifier(commit, &mut plan, &original);
    }
    let clashes = plan.check_restored(commit, &record, unarchive.restore_conflict);
    if taken.conflict.is_none() && !clashes.is_empty() {
        taken.conflict = Some(Conflict::UniqueOnRestore { record: record.clone(), clashes });
    }
    if !taken.is_empty() {
        return Err(Rejection::Taken(taken));
    }
    finish(commit, plan, Some(&record), ChangeKind::Unarchived)
}

/// The answer shows a restored identifier as one that was filled in.
fn set_identifier(commit: &Commit<'_>, plan: &mut Plan<'_>, text: &str) {
    let number = commit.schema.identifier().number;
    plan.set(number, &Value::Text(text.into()));
    plan.filled.push(number);
}

/// The body key `identifier` is at fault, not an entry of `fields`: there are none.
fn blame_identifier(taken: &mut Taken) {
    taken.faults.iter_mut().for_each(|fault| fault.place = Place::Identifier);
    if let Some(Conflict::ArchivedIdentifier { parts, .. }) = &mut taken.conflict {
        for part in parts {
            part.place = Place::Identifier;
        }
    }
}

/// The identifier before it was displaced, if nobody has it now.
fn original_identifier(commit: &Commit<'_>, record: &Record) -> Option<Box<str>> {
    let original = record.value(system::DISPLACED_FROM).and_then(stored_text)?;
    let key = commit.schema.identifier_key(original)?;
    commit.view.holder(&key).is_none().then(|| original.into())
}

pub(super) fn purge(commit: &mut Commit<'_>, id: RecordId) -> Result<Reply, Rejection> {
    let old = commit.view.record(id).ok_or(Rejection::NotFound)?;
    if !old.is_archived() {
        return Err(Rejection::NotArchived);
    }
    check_precondition(commit, Some(&old))?;
    let follow_up = FollowUpNumber(commit.view.follow_up().0 + 1);
    let purge = Purge {
        mark: commit.moment.mark(),
        key_hash: old.key().map(|key| commit.view.table.digest.key_hash(key)),
        old,
        sequence: commit.next_sequence(),
        stamp: commit.stamp(),
        follow_up,
    };
    commit.push(Event::Purged(purge));
    Ok(Reply::Done)
}

/// Puts a member on the explicit team of a live record, or takes it off.
pub(super) fn edit_team(commit: &mut Commit<'_>, edit: TeamEdit) -> Result<Reply, Rejection> {
    let record = live(commit, edit.id)?;
    require(commit.access.may_edit(&commit.schema, &record))?;
    let mut team = record.explicit_team();
    let held = team.iter().position(|member| *member == edit.member);
    match (held, edit.present) {
        (Some(_), true) => return Ok(Reply::Done),
        (None, false) => return Err(Rejection::NotFound),
        (None, true) if team.len() >= VALUES_MAX => {
            return Err(Rejection::TeamFull { max: VALUES_MAX });
        }
        (None, true) => team.push(edit.member),
        (Some(at), false) => drop(team.remove(at)),
    }
    let mut edits = Edits::default();
    if team.is_empty() {
        edits.clear(system::TEAM_MEMBERS);
    } else {
        edits.set(system::TEAM_MEMBERS, |out| Value::Members(team).encode(out));
    }
    let mut body = Vec::with_capacity(record.len() + 24);
    edits.merge(record.body(), &mut body, &mut Vec::new());
    commit.count(body.len())?;
    let event = Event::TeamChanged {
        mark: commit.moment.mark(),
        stamp: commit.stamp(),
        record: same_version(&record, &body),
    };
    commit.push(event);
    Ok(Reply::Done)
}
