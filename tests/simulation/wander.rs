//! Runs of chance: several lives of one directory, each with steps, faults and an end that a seed
//! decides.

use crate::simulation::ask::{
    Ask, CODE, KIND, LABELS, NOTE, OPTIONS, Owner, Partner, STAGE, Writes,
};
use crate::simulation::coverage::{Coverage, Met};
use crate::simulation::crash::{Aftermath, Run, any_fault};
use crate::simulation::rot::{flip_somewhere, has_two_snapshots};
use crate::simulation::sim::{CODES, Finding, NAMES, Sim, Step};
use crate::simulation::world::TableName;
use crate::simulation::world::people::Staffing;
use crate::simulation::world::relate::Relating;
use crate::simulation::world::reshape::Reshape;
use crate::support::Seed;
use upsertd::model::key::Normalizer;
use upsertd::model::table::command::{ArchivedConflict, ArchivedMatch};
use upsertd::storage::memory_disk::MemoryDisk;

const LIVES: usize = 5;
const STEPS_MAX: usize = 90;
/// A fault comes within so many calls of a life's beginning.
const CALLS_MAX: usize = 300;

/// One run, from an empty directory to its last start.
pub(crate) fn wander(seed: u64) -> Coverage {
    let run = Run { test: "wandering", seed };
    let mut seed = Seed::of(seed);
    let mut sim = Sim::new(seed.next());
    let mut coverage = Coverage::default();
    for life in 1..=LIVES {
        sim = run.expect_nothing(format!("life {life}"), || live(sim, &mut seed));
        coverage.add(&sim.coverage);
        let moved = run.expect_nothing(format!("behind life {life}"), || die(&sim, &mut seed));
        coverage.add(&moved.coverage);
        sim = moved;
    }
    run.expect_nothing("the last start".to_owned(), || {
        sim.start()?;
        sim.run(&[Step::CreateObject("accounts"), any_step(&mut seed), Step::Drain, Step::Audit])
    });
    coverage.add(&sim.coverage);
    coverage
}

/// A start, and steps until the machine stops.
fn live(mut sim: Sim, seed: &mut Seed) -> Result<Sim, Finding> {
    let call = u64::try_from(1 + seed.below(CALLS_MAX)).expect("it is small");
    match seed.below(4) {
        0 => {}
        1 => sim.inject(call, any_fault(seed)),
        _ => sim.cut_power_at(call),
    }
    sim.try_start()?;
    let mut left = seed.below(STEPS_MAX);
    while sim.goes_on() && left > 0 {
        let steps = any_steps(seed);
        left = left.saturating_sub(steps.len());
        if !sim.run(&steps)? {
            break;
        }
    }
    sim.stop()?;
    Ok(sim)
}

/// What the next life begins on: what a crash leaves, now and then with a rotten snapshot, or
/// another directory into which a snapshot was restored.
fn die(sim: &Sim, seed: &mut Seed) -> Result<Sim, Finding> {
    let aftermath = Aftermath::any(seed);
    let mut next = sim.fork(aftermath.disk(&sim.disk));
    next.coverage.note(aftermath.met());
    if has_two_snapshots(&next) && seed.below(3) == 0 {
        let newest = next.newest_snapshot().expect("there are two");
        flip_somewhere(&next.disk, &newest, seed);
        next.coverage.note(Met::Rot);
    } else if seed.below(8) == 0 && next.has_sound_snapshot() {
        let target = MemoryDisk::new();
        next.restore_into(&target)?;
        next.move_to(target)?;
        next.coverage.note(Met::RestoredDirectory);
    }
    Ok(next)
}

fn any<T: Copy>(of: &[T], seed: &mut Seed) -> T {
    of[seed.below(of.len())]
}

fn any_table(seed: &mut Seed) -> TableName {
    any(&["accounts", "accounts", "deals"], seed)
}

/// Mostly one step; now and then several that belong together, which chance alone seldom finds.
fn any_steps(seed: &mut Seed) -> Vec<Step> {
    let (table, name) = (any_table(seed), any(NAMES, seed));
    let ask = |ask: Ask| Step::Ask(table, ask);
    match seed.below(24) {
        0 => vec![
            Step::CreateObject(table),
            Step::CreateField(table, NOTE),
            Step::CreateField(table, CODE),
            Step::CreateField(table, LABELS),
            Step::CreateField(table, KIND),
        ],
        1 => vec![Step::BeginRound, Step::EndRound, Step::RemoveUnneeded],
        2 => (0..8).flat_map(|_| [ask(any_ask(seed)), ask(any_ask(seed)), Step::Drain]).collect(),
        3 => vec![
            ask(Ask::upsert(name, "to be purged")),
            Step::Drain,
            Step::Schedule(table, name),
            ask(Ask::Archive(name.to_owned())),
            ask(Ask::Purge(name.to_owned())),
            Step::Drain,
        ],
        4 => vec![Step::TakeState, Step::TakeState, Step::TakeState, Step::SendFollowUp],
        5 => vec![
            Step::TakeState,
            ask(any_ask(seed)),
            ask(any_ask(seed)),
            Step::Drain,
            Step::WriteState,
        ],
        6 => (0..4)
            .flat_map(|_| [ask(any_ask(seed)), Step::Reshape(table, any_reshape(seed))])
            .collect(),
        8 => NAMES
            .iter()
            .map(|name| Step::Ask("deals", Ask::Archive((*name).to_owned())))
            .chain([
                Step::Drain,
                Step::Relate(Relating::DeleteOwner),
                Step::Relate(Relating::Settle),
                Step::SendFollowUp,
                Step::ConfirmFollowUp,
                Step::ArchiveObject("deals"),
            ])
            .collect(),
        7 => vec![
            Step::CreateObject("accounts"),
            Step::CreateObject("deals"),
            Step::Relate(Relating::MakeMirror),
            Step::Relate(Relating::MakeOwner),
            Step::Relate(Relating::Settle),
            Step::Ask("deals", any_ask(seed)),
            Step::Ask("deals", Ask::relate(name, any_partner(seed))),
            Step::Ask("deals", Ask::relate(any(NAMES, seed), any_partner(seed))),
        ],
        _ => vec![any_step(seed)],
    }
}

fn any_step(seed: &mut Seed) -> Step {
    match seed.below(100) {
        0..2 => Step::Relate(any(
            &[Relating::MakeMirror, Relating::MakeOwner, Relating::Settle, Relating::DeleteOwner],
            seed,
        )),
        2..5 => Step::Staff(any_staffing(seed)),
        5..55 => Step::Ask(any_table(seed), any_ask(seed)),
        57..63 => Step::Turn,
        63..70 => Step::Sync,
        70..75 => Step::Drain,
        75..78 => Step::CreateObject(any_table(seed)),
        78..80 => Step::CreateField(any_table(seed), any(&[NOTE, CODE, LABELS, KIND], seed)),
        80..81 => Step::Reshape(any_table(seed), any_reshape(seed)),
        55..56 => Step::BeginAction(any(&[1, 3, 9], seed)),
        56..57 => Step::NoteAction(any(&[0, 1, 2], seed), seed.below(3) == 0),
        81..82 => Step::Schedule(any_table(seed), any(NAMES, seed)),
        82..83 => Step::FreeNames,
        83..84 => Step::SendFollowUp,
        84..87 => Step::ConfirmFollowUp,
        87..89 => Step::BeginRound,
        89..92 => Step::TakeState,
        92..93 => Step::WriteState,
        93..95 => Step::EndRound,
        95..97 => Step::RemoveUnneeded,
        97..98 => Step::Seal,
        98..99 => Step::Restart,
        _ => Step::Audit,
    }
}

fn any_ask(seed: &mut Seed) -> Ask {
    let name = any(NAMES, seed).to_owned();
    let writes = any_writes(seed);
    let archived_match =
        any(&[ArchivedMatch::Prompt, ArchivedMatch::Unarchive, ArchivedMatch::Overwrite], seed);
    let archived_conflict = any(&[ArchivedConflict::Refuse, ArchivedConflict::Overwrite], seed);
    match seed.below(10) {
        0..4 => Ask::Upsert { lookup: name, writes, archived_match, archived_conflict },
        4 => Ask::Add { writes: Writes { name: Some(name), ..writes }, archived_match },
        5 => Ask::Update { name, writes, archived_conflict },
        6 | 7 => Ask::Archive(name),
        8 => Ask::Unarchive(name),
        _ => Ask::Purge(name),
    }
}

fn any_staffing(seed: &mut Seed) -> Staffing {
    let (place, role) = (seed.below(4), any(&["sellers", "buyers"], seed));
    let group = any(&["readers", "writers"], seed);
    match seed.below(12) {
        0..3 => Staffing::Hire,
        3 => Staffing::SetActive(place, seed.below(2) == 0),
        4 => Staffing::Fire(place),
        5 | 6 => Staffing::Give(place, role),
        7 => Staffing::PutRole(role, any(&[&["readers"], &["readers", "writers"]], seed)),
        8 => Staffing::DropRole(role),
        9 | 10 => Staffing::PutGroup(group, any(&[0, 1, 2, 3], seed)),
        _ => Staffing::DropGroup(group),
    }
}

fn any_partner(seed: &mut Seed) -> Partner {
    if seed.below(4) == 0 { Partner::Nobody } else { Partner::Named(any(NAMES, seed)) }
}

fn or_blank(option: &'static str, seed: &mut Seed) -> &'static str {
    if seed.below(6) == 0 { "" } else { option }
}

fn any_reshape(seed: &mut Seed) -> Reshape {
    let field = any(&[KIND, STAGE], seed);
    let (option, other) = (any(&OPTIONS, seed), any(&OPTIONS, seed));
    match seed.below(12) {
        0 => Reshape::Relabel(any(&[NOTE, CODE, KIND], seed), any(&["one", "another"], seed)),
        1 => Reshape::Delete(any(&[NOTE, CODE, LABELS, KIND], seed)),
        2 | 3 => Reshape::Unique(seed.below(2) == 0),
        4 | 5 => Reshape::Normalize(any(&[Normalizer::Exact, Normalizer::Casefold], seed)),
        6 | 7 => Reshape::AddOption(field, option),
        8 => Reshape::RemoveOption(KIND, option),
        _ => Reshape::ReplaceOption(field, option, other),
    }
}

fn any_writes(seed: &mut Seed) -> Writes {
    let some =
        |one_in: usize, text: String, seed: &mut Seed| (seed.below(one_in) == 0).then_some(text);
    let (name, code) = (any(NAMES, seed).to_owned(), any(CODES, seed).to_owned());
    let note = format!("note {} {}", seed.below(5), "~".repeat(seed.below(300)));
    let cleared = seed.below(6) == 0;
    let or_empty = |text: String| if cleared { String::new() } else { text };
    Writes {
        name: some(6, name, seed),
        note: some(2, or_empty(note), seed),
        code: some(4, or_empty(code), seed),
        label: some(4, any(&["vip", "new", "old"], seed).to_owned(), seed),
        choice: (seed.below(3) == 0)
            .then(|| (any(&[KIND, STAGE], seed), any(&OPTIONS, seed)))
            .map(|(field, option)| (field, or_blank(option, seed))),
        owner: (seed.below(6) == 0).then(|| Owner::At(seed.below(4))),
        partner: (seed.below(8) == 0).then(|| any_partner(seed)),
    }
}
