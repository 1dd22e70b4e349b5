//! Versions of sources: whatever order messages arrive in, one state is left.

use crate::model::id::{RecordId, Timestamp};
use crate::model::schema::system;
use crate::model::table::command::{Action, ArchivedMatch, Ask, Reply};
use crate::model::table::event_form::{Stored, decode};
use crate::model::table::intent::{Intent, Mode};
use crate::model::table::source::{Guard, SOURCES_MAX, SourceVersion, kept_version};
use crate::model::table::test_support::{Rig, outcome, text};
use crate::model::table::tests::accounts::{Accounts, Modes};
use proptest::prelude::*;

/// One message: the whole of what the source knows of the record.
#[derive(Clone, Copy, Debug)]
struct Message {
    version: u64,
    /// None: archived.
    region: Option<u8>,
}

impl Message {
    fn ask(self, accounts: &Accounts) -> Ask {
        let region = self.region.map(|region| ["north", "south", "east"][usize::from(region % 3)]);
        let writes = accounts.rig.writes(region.map(|region| (accounts.region, text(region))));
        let mut intent = Intent::of_identifier(accounts.rig.identifier("Acme"), writes);
        intent.mode = if region.is_none() { Mode::Archive } else { Mode::Upsert };
        intent.archived_match = ArchivedMatch::Unarchive;
        let version = SourceVersion::Number(self.version);
        intent.guard = Some(Guard { source: "crm".into(), version });
        Ask::Upsert(Box::new(intent))
    }
}

/// What is left of the record. What an archived one has besides is nobody's last word.
fn left(accounts: &Accounts, id: RecordId) -> (Option<Vec<u8>>, Option<SourceVersion>) {
    let record = accounts.rig.seen(id).unwrap();
    let region = record.value(accounts.region).filter(|_| !record.is_archived());
    (region.map(Vec::from), kept_version(record.body(), "crm"))
}

fn any_messages() -> impl Strategy<Value = (Vec<Message>, Vec<Message>)> {
    prop::collection::vec(prop::option::weighted(0.7, any::<u8>()), 1..9).prop_flat_map(|drawn| {
        let versions = (1..).zip(drawn);
        let messages: Vec<_> =
            versions.map(|(version, region)| Message { version, region }).collect();
        (Just(messages.clone()), Just(messages).prop_shuffle())
    })
}

/// The record after messages that arrive in this order, each decided before the last is applied.
fn after(messages: &[Message], starts_archived: bool) -> (Option<Vec<u8>>, Option<SourceVersion>) {
    let mut accounts = Accounts::new();
    let id =
        if starts_archived { accounts.archived("Acme", "c1") } else { accounts.live("Acme", "c1") };
    for message in messages {
        accounts.rig.moment.set(Timestamp(accounts.rig.moment.at().0 + 1));
        let ask = message.ask(&accounts);
        accounts.rig.decide(ask).unwrap();
    }
    accounts.rig.apply_all();
    accounts.rig.check();
    left(&accounts, id)
}

proptest! {
    #[test]
    fn whatever_order_a_versioned_stream_arrives_in_one_state_is_left(
        (in_order, shuffled) in any_messages(),
        starts_archived in any::<bool>(),
    ) {
        let expected = after(&in_order, starts_archived);
        prop_assert_eq!(after(&shuffled, starts_archived), expected.clone());
        let backwards: Vec<_> = in_order.iter().rev().copied().collect();
        prop_assert_eq!(after(&backwards, starts_archived), expected.clone());
        let is_live = in_order.last().is_some_and(|message| message.region.is_some());
        prop_assert_eq!(expected.0.is_some(), is_live);
    }
}

fn versioned(rig: &Rig, name: &str, source: &str, version: SourceVersion) -> Intent {
    let mut intent = Intent::of_identifier(rig.identifier(name), rig.writes([]));
    intent.guard = Some(Guard { source: source.into(), version });
    intent
}

#[test]
fn a_newer_version_alone_is_no_version_of_the_record_and_a_few_bytes_of_the_log() {
    let mut accounts = Accounts::new();
    let id = accounts.live("Acme", "c1");
    let before = accounts.rig.seen(id).unwrap();
    let sequence = accounts.rig.table.sequence();
    for (version, logs, action) in [
        (3, 1, Action::Updated),
        (3, 0, Action::Stale),
        (2, 0, Action::Stale),
        (4, 1, Action::Updated),
    ] {
        let logged = accounts.rig.log.len();
        let intent = versioned(&accounts.rig, "Acme", "crm", SourceVersion::Number(version));
        let answered = outcome(accounts.rig.run(Ask::Upsert(Box::new(intent))));
        assert_eq!(answered.action, action);
        assert_eq!(answered.record.version(), before.version());
        assert_eq!(accounts.rig.log.len() - logged, logs);
        let kept = kept_version(answered.record.body(), "crm");
        assert_eq!(kept, Some(SourceVersion::Number(version.max(3))));
    }
    let after = accounts.rig.seen(id).unwrap();
    assert_eq!(after.time(system::UPDATED), before.time(system::UPDATED));
    assert_eq!(accounts.rig.table.sequence(), sequence, "the feed does not move");
    let last = accounts.rig.log.last().unwrap();
    assert!(last.len() < 100, "the number, not the record: {} bytes", last.len());
    let (_, stored) = decode(&mut &last[..]).unwrap();
    assert!(matches!(stored, Stored::SourceKept { .. }), "{stored:?}");
    accounts.rig.check();
}

#[test]
fn what_is_archived_keeps_its_versions_and_is_not_revived_by_a_late_message() {
    let mut accounts = Accounts::new();
    let id = accounts.live("Acme", "c1");
    let mut run = |mode, archived_match, version| {
        let mut intent = versioned(&accounts.rig, "Acme", "crm", SourceVersion::Number(version));
        (intent.mode, intent.archived_match) = (mode, archived_match);
        accounts.rig.run(Ask::Upsert(Box::new(intent)))
    };
    let (prompt, unarchive) = (ArchivedMatch::Prompt, ArchivedMatch::Unarchive);
    assert_eq!(outcome(run(Mode::Upsert, prompt, 5)).action, Action::Updated);
    assert_eq!(outcome(run(Mode::Archive, prompt, 7)).action, Action::Archived);
    assert_eq!(outcome(run(Mode::Upsert, unarchive, 6)).action, Action::Stale);
    // Archived once more, and by now out of reach: it is remembered all the same.
    assert!(matches!(run(Mode::Archive, prompt, 9), Ok(Reply::NoMatch)));
    assert_eq!(outcome(run(Mode::Upsert, unarchive, 8)).action, Action::Stale);
    assert!(run(Mode::Upsert, prompt, 10).is_err(), "and a refusal remembers nothing");
    assert_eq!(outcome(run(Mode::Upsert, ArchivedMatch::Skip, 10)).action, Action::SkippedArchived);
    assert_eq!(outcome(run(Mode::Create, unarchive, 11)).action, Action::Unarchived);
    assert_eq!(outcome(run(Mode::Create, unarchive, 12)).action, Action::Exists);
    assert_eq!(outcome(run(Mode::Upsert, prompt, 12)).action, Action::Stale);
    accounts.rig.check();
    assert!(!accounts.rig.seen(id).unwrap().is_archived());
}

#[test]
fn a_source_keeps_to_one_kind_of_version_and_a_record_to_so_many_sources() {
    let mut accounts = Accounts::new();
    let id = accounts.live("Acme", "c1");
    let time = SourceVersion::Time { seconds: 1, nanoseconds: 5 };
    let mut run = |source: &str, version| {
        let intent = versioned(&accounts.rig, "Acme", source, version);
        accounts.rig.run(Ask::Upsert(Box::new(intent)))
    };
    run("crm", time).unwrap();
    assert!(run("crm", SourceVersion::Number(9)).is_err());
    let later = SourceVersion::Time { seconds: 1, nanoseconds: 6 };
    assert_eq!(outcome(run("crm", later)).action, Action::Updated);
    assert_eq!(outcome(run("crm", time)).action, Action::Stale);
    for at in 1..SOURCES_MAX {
        run(&format!("source {at}"), SourceVersion::Number(0)).unwrap();
    }
    assert!(run("one more", SourceVersion::Number(1)).is_err());
    assert_eq!(outcome(run("source 7", SourceVersion::Number(1))).action, Action::Updated);
    accounts.rig.check();
    let south = accounts.region("south");
    accounts.upsert("Acme", std::slice::from_ref(&south), Modes::default()).unwrap();
    let kept = kept_version(accounts.rig.seen(id).unwrap().body(), "crm");
    assert_eq!(kept, Some(later), "a row without a version leaves what is kept");
}
