//! Random commands: against the naive table, applied late, and through the log.

use crate::model::id::RecordId;
use crate::model::key::Key;
use crate::model::schema::system;
use crate::model::table::command::{Action, Ask, Reply};
use crate::model::table::decide::{Conflict, Rejection};
use crate::model::table::draft::View;
use crate::model::table::event_form::{Stored, decode};
use crate::model::table::record::Record;
use crate::model::table::source::kept_version;
use crate::model::table::test_support::{Rig, all_records, assert_same};
use crate::model::table::tests::naive::{Answer, Held, Hit, Naive, NaiveRecord};
use crate::model::table::tests::options::SOURCES;
use crate::model::table::tests::steps::{Kind, Step, any_kind, any_steps, ask, start, stir};
use crate::model::value::Value;
use proptest::prelude::*;

/// A rig, what it should be, and every record it ever had.
struct Play {
    rig: Rig,
    naive: Naive,
    known: Vec<RecordId>,
}

impl Play {
    fn new(kind: Kind) -> Self {
        let rig = start(kind);
        let sequence = rig.table.sequence().0;
        let naive = Naive::new(rig.schema(), sequence, rig.caller.members.clone());
        Self { rig, naive, known: Vec::new() }
    }

    fn step(&mut self, step: &Step) {
        stir(step, &mut self.rig);
        self.naive.at = self.rig.moment.at();
        self.naive.members = self.rig.caller.members.clone();
        let Some(asked) = ask(step, &self.rig, &self.known) else { return };
        let expected = self.naive.answer(&asked);
        self.check_dry(step, &expected);
        let answer = self.rig.run(asked);
        self.naive.schema = self.rig.schema();
        if let Ok(Reply::Record(outcome)) = &answer
            && outcome.action == Action::Created
        {
            let id = outcome.record.id();
            assert!(!self.known.contains(&id), "an id twice");
            self.known.push(id);
            let comparable = comparable(answer, Some(id));
            assert_eq!(comparable, expected);
            self.naive.bind(id);
        } else {
            assert_eq!(comparable(answer, None), expected);
        }
        self.assert_agrees();
    }

    /// A dry run answers what the run that follows does, and does nothing.
    fn check_dry(&mut self, step: &Step, expected: &Answer) {
        let Some(asked) = ask(step, &self.rig, &self.known) else { return };
        let logged = self.rig.log.len();
        let told = self.rig.run(Ask::Dry(Box::new(asked)));
        assert_eq!(self.rig.log.len(), logged, "nothing is logged");
        let id = match &told {
            Ok(Reply::Record(outcome)) if outcome.action == Action::Created => {
                Some(outcome.record.id())
            }
            Ok(_) | Err(_) => None,
        };
        assert_eq!(&comparable(told, id), expected, "what a dry run says");
    }

    /// Everything that can be seen is what the naive table has.
    fn assert_agrees(&self) {
        let records = all_records(&self.rig.table);
        assert_eq!(records.len(), self.naive.records.len());
        for (record, naive) in records.iter().zip(&self.naive.records) {
            self.assert_record(record, naive);
        }
        assert_eq!(self.rig.table.sequence().0, self.naive.sequence);
        let schema = self.rig.schema();
        let constraints = schema.constraints().iter().map(|constraint| &constraint.fields);
        assert!(constraints.eq(&self.naive.constraints), "constraints");
        let follow_ups = self.rig.table.shown.follow_ups();
        let open: Vec<RecordId> = follow_ups.open.values().copied().collect();
        assert_eq!(open, self.naive.purged[self.naive.confirmed..]);
        assert_eq!(follow_ups.last.0, self.naive.purged.len() as u64);
        let tags = &self.rig.table.shown.tags;
        let keys = tags.first(tags.len()).into_iter();
        let keys: Vec<_> = keys.map(|tag| crate::model::key::tag_key(&tag.name)).collect();
        assert_eq!(keys, self.naive.tags);
    }

    fn assert_record(&self, record: &Record, naive: &NaiveRecord) {
        assert_eq!(record.id(), naive.id);
        assert_eq!(record.version().0, naive.version);
        assert_eq!(record.sequence().0, naive.sequence);
        assert_eq!(record.is_archived(), naive.archived.is_some());
        assert_eq!(record.time(system::CREATED), Some(naive.created));
        assert_eq!(record.time(system::UPDATED), Some(naive.updated));
        assert_eq!(record.time(system::ARCHIVED_AT), naive.archived.map(|(at, _)| at));
        assert_eq!(record.explicit_team(), naive.team);
        for source in SOURCES {
            let kept = kept_version(record.body(), source);
            assert_eq!(kept, naive.sources.get(source).copied(), "{source}");
        }
        let displaced = record.value(system::DISPLACED_FROM);
        let displaced = displaced.map(|raw| rmp::decode::read_str_from_slice(raw).unwrap().0);
        assert_eq!(displaced, naive.displaced_from.as_deref());
        assert_eq!(record.key(), self.naive.key_of(naive).as_ref().map(Key::as_bytes));
        let schema = self.rig.schema();
        let mut count = 0;
        for (number, mut raw) in record.body().iter().filter(|(at, _)| *at >= system::FIELD_FIRST) {
            // Values of deleted fields may stand there and mean nothing.
            let Some(field) = schema.by_number(number) else { continue };
            let value = Value::decode(field, &mut raw).unwrap();
            assert_eq!(Some(&self.held(value)), naive.values.get(&number), "field {number}");
            count += 1;
        }
        // Those of fields that wait for a flag may stand there too.
        let shown = naive.values.keys().filter(|number| schema.by_number(**number).is_some());
        assert_eq!(count, shown.count());
    }

    fn held(&self, value: Value) -> Held {
        let Value::Tags(numbers) = value else { return Held::Plain(value) };
        let tags = &self.rig.table.shown.tags;
        let keys = numbers.iter().map(|number| tags.by_number(*number).unwrap());
        Held::Tags(keys.map(|tag| crate::model::key::tag_key(&tag.name)).collect())
    }
}

/// An answer as the naive table gives it; the id of what was just created is nil.
fn comparable(answer: Result<Reply, Rejection>, just_created: Option<RecordId>) -> Answer {
    match answer {
        Ok(Reply::Record(outcome)) => {
            let id = outcome.record.id();
            let id = if Some(id) == just_created { RecordId(uuid::Uuid::nil()) } else { id };
            Answer::Record {
                action: outcome.action,
                id,
                version: outcome.record.version().0,
                filled: outcome.filled,
                changed: outcome.changed,
            }
        }
        Ok(Reply::Done) => Answer::Done,
        Ok(Reply::NoMatch) => Answer::NoMatch,
        Ok(Reply::Field(field)) => Answer::Field(field.number),
        Ok(Reply::Option(_)) => Answer::Option,
        Ok(Reply::Rows(rows)) => panic!("no step asks for {rows:?}"),
        Ok(Reply::Repeated(outcome)) => panic!("no step has a key: {outcome:?}"),
        Ok(Reply::Tried(tried)) => panic!("no step tries {tried:?}"),
        Err(Rejection::TrialFull { .. }) => panic!("no step tries rows"),
        Err(Rejection::KeyReused) => panic!("no step has a key"),
        Err(Rejection::Aborted(rows)) => panic!("no step asks for {rows:?}"),
        Ok(Reply::Category(category)) => panic!("no step asks for {category:?}"),
        Err(Rejection::SchemaMoved) => Answer::SchemaMoved,
        Err(Rejection::NotFound) => Answer::NotFound,
        Err(Rejection::NotArchived) => Answer::NotArchived,
        Err(Rejection::PreconditionFailed { found, .. }) => {
            Answer::NotAsExpected(found.map(|found| found.version().0))
        }
        Err(Rejection::TeamFull { max }) => panic!("no step puts {max} members on a record"),
        Err(Rejection::UnknownField) => Answer::UnknownField,
        Err(Rejection::Schema(_)) => Answer::SchemaFaults,
        Err(Rejection::Violated(violated)) => {
            let first = violated.first.into_iter().map(|violation| violation.records);
            Answer::Violated(violated.count, first.collect())
        }
        Err(Rejection::Forbidden(entries)) => Answer::Forbidden(entries),
        Err(Rejection::Faults(faults)) => Answer::Faults(faults),
        Err(Rejection::Taken(taken)) => {
            let together = taken.together.into_iter().map(|taken| (taken.places, taken.holder));
            Answer::Taken(taken.faults, together.collect(), taken.conflict.map(hit))
        }
        Err(Rejection::TooLarge { what, .. }) => panic!("the {what} is too large"),
        Err(other @ (Rejection::ArchiveBlocked(_) | Rejection::ObjectArchived)) => {
            panic!("no step archives the object: {other:?}")
        }
        Err(Rejection::NoRight | Rejection::NoRightToIdentifier) => {
            panic!("an administrator may do everything")
        }
    }
}

fn hit(conflict: Conflict) -> Hit {
    match conflict {
        Conflict::ArchivedIdentifier { holder, parts, parameter } => {
            let parts = parts.into_iter().map(|part| (part.text.into(), part.place));
            Hit::Archived { holder: holder.id(), parts: parts.collect(), parameter }
        }
        Conflict::UniqueOnRestore { record, clashes } => Hit::OnRestore {
            record: record.id(),
            clashes: clashes
                .iter()
                .map(|clash| (clash.parts.iter().map(|(field, _)| *field).collect(), clash.holder))
                .collect(),
        },
        Conflict::Identity(matches) => {
            Hit::Several(matches.iter().map(|one| (one.field, one.record.id())).collect())
        }
    }
}

/// Plays all steps, applied at once and not compared.
pub(super) fn played(kind: Kind, steps: &[Step]) -> Rig {
    let mut rig = start(kind);
    play(&mut rig, steps);
    rig
}

/// Plays steps on a rig, applied at once.
pub(super) fn play(rig: &mut Rig, steps: &[Step]) {
    let mut known: Vec<RecordId> = all_records(&rig.table).iter().map(Record::id).collect();
    for step in steps {
        stir(step, rig);
        let Some(asked) = ask(step, rig, &known) else { continue };
        if let Ok(Reply::Record(outcome)) = rig.run(asked)
            && outcome.action == Action::Created
        {
            known.push(outcome.record.id());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn decisions_and_state_are_those_of_the_naive_table(
        kind in any_kind(),
        steps in any_steps(60),
    ) {
        let mut play = Play::new(kind);
        for step in &steps {
            play.step(step);
        }
        play.rig.check();
    }

    #[test]
    fn applied_late_is_applied_at_once(
        kind in any_kind(),
        steps in any_steps(80),
        lateness in prop::collection::vec(0..4_usize, 80),
    ) {
        let (mut prompt, mut late) = (start(kind), start(kind));
        let mut known = Vec::new();
        for (step, settled) in steps.iter().zip(lateness) {
            stir(step, &mut prompt);
            stir(step, &mut late);
            let Some(asked) = ask(step, &prompt, &known) else { continue };
            let again = ask(step, &prompt, &known).unwrap();
            let answer = prompt.run(asked);
            // Half of the time nothing is applied, so that the draft grows deep.
            for _ in 0..settled / 2 * 3 {
                late.apply_one();
            }
            if matches!(again, Ask::ConfirmFollowUp(_)) {
                late.apply_all(); // Only what is durable was sent, so only that is confirmed.
            }
            let late_answer = late.decide(again);
            prop_assert_eq!(format!("{answer:?}"), format!("{late_answer:?}"));
            assert_seen_alike(&prompt, &late, &known);
            if let Ok(Reply::Record(outcome)) = answer
                && outcome.action == Action::Created
            {
                known.push(outcome.record.id());
            }
        }
        late.apply_all();
        prop_assert!(late.draft.is_empty());
        assert_same(&late.table, &prompt.table);
        prop_assert_eq!(&late.log, &prompt.log, "the same bytes");
        late.check();
    }

    #[test]
    fn sequences_and_versions_have_no_gaps(kind in any_kind(), steps in any_steps(60)) {
        let rig = played(kind, &steps);
        let mut versions = std::collections::BTreeMap::new();
        let mut sequence = 0;
        for bytes in &rig.log {
            let (stamp, stored) = decode(&mut &bytes[..]).unwrap();
            prop_assert_eq!(stamp.batch, rig.caller.batch);
            let found = match stored {
                Stored::Record(change) => {
                    let last = versions.insert(change.id, (change.version.0, change.sequence));
                    let (version, previous) = last.unwrap_or_default();
                    prop_assert_eq!(change.version.0, version + 1);
                    prop_assert_eq!(change.previous, previous);
                    prop_assert!(change.changed.is_sorted());
                    change.sequence
                }
                Stored::Purged(purge) => {
                    let (version, previous) = versions.remove(&purge.id).unwrap();
                    prop_assert_eq!((purge.version.0, purge.previous), (version + 1, previous));
                    purge.sequence
                }
                Stored::ObjectCreated { sequence, .. }
                | Stored::FieldCreated { sequence, .. }
                | Stored::OptionCreated { sequence, .. }
                | Stored::SchemaChanged { sequence, .. } => sequence,
                Stored::TeamChanged { .. }
                | Stored::SourceKept { .. }
                | Stored::FollowUpConfirmed { .. }
                | Stored::Outcome { .. } => continue,
            };
            sequence += 1;
            prop_assert_eq!(found.0, sequence);
        }
        prop_assert_eq!(rig.table.sequence().0, sequence);
    }
}

/// The next decision sees the same in both: applied here, in the draft there.
fn assert_seen_alike(prompt: &Rig, late: &Rig, known: &[RecordId]) {
    for id in known {
        let (record, drafted) = (prompt.seen(*id), late.seen(*id));
        assert_eq!(record, drafted);
        let slots = [&record, &drafted].map(|record| record.as_ref().map(Record::slot));
        assert_eq!(slots[0], slots[1]);
    }
    let view = |rig: &Rig| {
        let drafts = [&rig.draft];
        let view = View { table: &rig.table, drafts: &drafts };
        let highest = (view.sequence(), view.next_slot(), view.tag_number(), view.follow_up());
        (highest, view.tag_count(crate::model::table::tests::steps::LABELS))
    };
    assert_eq!(view(prompt), view(late));
}
