//! An object that is archived: what keeps it, and that nothing is decided on it any more.

use crate::model::schema::system;
use crate::model::table::command::{Add, ArchivedMatch, Ask, Reply, RestoreConflict};
use crate::model::table::decide::{Blocked, Rejection};
use crate::model::table::event::FollowUpNumber;
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::test_support::{Rig, created, text};
use crate::model::table::tests::accounts::Accounts;

fn archive(rig: &mut Rig) -> Result<Reply, Rejection> {
    rig.run(Ask::ChangeSchema(SchemaAsk::ArchiveObject))
}

#[test]
fn live_records_keep_an_object_and_archived_ones_do_not() {
    let mut accounts = Accounts::new();
    let acme = accounts.live("Acme", "c1");
    let other = accounts.live("Other", "c2");
    let refused = archive(&mut accounts.rig).unwrap_err();
    assert_eq!(refused, Rejection::ArchiveBlocked(Blocked::LiveRecords));
    accounts.rig.run(Ask::Archive(acme)).unwrap();
    let refused = archive(&mut accounts.rig).unwrap_err();
    assert_eq!(refused, Rejection::ArchiveBlocked(Blocked::LiveRecords));
    accounts.rig.run(Ask::Archive(other)).unwrap();
    accounts.rig.run(Ask::Purge(other)).unwrap();
    let at = accounts.rig.moment.at();
    archive(&mut accounts.rig).unwrap();
    assert_eq!(accounts.rig.schema().object().archived_at, Some(at));
    let sequence = accounts.rig.table.sequence();
    for ask in [
        Ask::Purge(acme),
        Ask::ChangeSchema(SchemaAsk::ArchiveObject),
        Ask::CreateField(Box::default()),
    ] {
        assert_eq!(accounts.rig.run(ask).unwrap_err(), Rejection::ObjectArchived);
    }
    assert_eq!(accounts.rig.table.sequence(), sequence);
    // What it has sent before is still confirmed.
    accounts.rig.run(Ask::ConfirmFollowUp(FollowUpNumber(1))).unwrap();
    assert!(accounts.rig.table.shown.follow_ups().open.is_empty());
    accounts.rig.check();
}

#[test]
fn what_is_decided_and_not_yet_durable_keeps_an_object_too() {
    let mut rig = Rig::accounts();
    let writes = rig.writes([(system::NAME, text("Acme"))]);
    let (archived_match, restore_conflict) = (ArchivedMatch::default(), RestoreConflict::default());
    let add = Add { writes, archived_match, restore_conflict };
    let acme = created(rig.decide(Ask::Add(Box::new(add))));
    assert!(!rig.pending.is_empty());
    let refused = archive(&mut rig).unwrap_err();
    assert_eq!(refused, Rejection::ArchiveBlocked(Blocked::LiveRecords));
    rig.decide(Ask::Archive(acme)).unwrap();
    archive(&mut rig).unwrap();
    rig.check();
}

#[test]
fn contacts_stay() {
    let mut rig = Rig::contacts();
    let refused = archive(&mut rig).unwrap_err();
    assert_eq!(refused, Rejection::ArchiveBlocked(Blocked::Contacts));
}
