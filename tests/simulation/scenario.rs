//! The fixed scenarios: what has happened before, and the steps in which everything may go wrong.
//! Data alone; it knows nothing of faults.

use crate::simulation::ask::{Ask, CODE, KIND, LABELS, NOTE, Partner, STAGE, Writes};
use crate::simulation::sim::Step;
use crate::simulation::world::people::Staffing;
use crate::simulation::world::relate::Relating;
use crate::simulation::world::reshape::Reshape;
use upsertd::model::key::Normalizer;
use upsertd::model::table::command::{ArchivedConflict, ArchivedMatch};

/// A story in two parts.
pub(crate) struct Scenario {
    /// The test that plays it.
    pub(crate) test: &'static str,
    /// Happens undisturbed, and ends with the machine off. None: the directory is empty.
    pub(crate) before: Vec<Step>,
    pub(crate) steps: Vec<Step>,
}

const ACCOUNTS: &str = "accounts";
const DEALS: &str = "deals";

fn ask(ask: Ask) -> Step {
    Step::Ask(ACCOUNTS, ask)
}

fn upsert(name: &str, note: &str) -> Step {
    ask(Ask::upsert(name, note))
}

fn archive(name: &str) -> Step {
    ask(Ask::Archive(name.to_owned()))
}

fn with_code(name: &str, code: &str, label: &str) -> Step {
    ask(Ask::Upsert {
        lookup: name.to_owned(),
        writes: Writes {
            code: Some(code.to_owned()),
            label: Some(label.to_owned()),
            ..Writes::default()
        },
        archived_match: ArchivedMatch::Prompt,
        archived_conflict: ArchivedConflict::Refuse,
    })
}

/// A directory with an object, its three fields, and a few records.
fn furnished() -> Vec<Step> {
    vec![
        Step::CreateObject(ACCOUNTS),
        Step::CreateField(ACCOUNTS, NOTE),
        Step::CreateField(ACCOUNTS, CODE),
        Step::CreateField(ACCOUNTS, LABELS),
        upsert("Acme", "first"),
        upsert("Beta", "second"),
        with_code("Cora", "c1", "vip"),
        Step::Drain,
    ]
}

/// The same, with two archived records.
fn with_archived() -> Vec<Step> {
    let mut steps = furnished();
    steps.extend([archive("Acme"), archive("Cora"), Step::Drain]);
    steps
}

/// A whole round, and what may go after it.
fn round() -> Vec<Step> {
    vec![Step::BeginRound, Step::EndRound, Step::RemoveUnneeded]
}

/// Enough commits to fill some segments.
fn commits(count: usize) -> Vec<Step> {
    let note = |at: usize| format!("note {at} {}", "-".repeat(200));
    (0..count)
        .flat_map(|at| [upsert(["Acme", "Beta", "Dill"][at % 3], &note(at)), Step::Drain])
        .collect()
}

/// The very first start, and the first object.
pub(crate) fn first_start() -> Scenario {
    Scenario {
        test: "first_start",
        before: Vec::new(),
        steps: vec![Step::CreateObject(ACCOUNTS), upsert("Acme", ""), Step::Drain, Step::Restart],
    }
}

/// Creating, one by one and several in one turn, with refusals in between.
pub(crate) fn creating() -> Scenario {
    let mut steps = vec![Step::CreateObject(DEALS), upsert("Dill", "one"), Step::Drain];
    steps.extend([
        upsert("Echo", "in one turn"),
        upsert(" ECHO", "with its update"),
        ask(Ask::Add {
            writes: Writes { name: Some("Acme".to_owned()), ..Writes::default() },
            archived_match: ArchivedMatch::Prompt,
        }),
        with_code("Fern", "c1", "vip"),
        with_code("Fern", "c2", "new"),
        Step::Ask(DEALS, Ask::upsert("Acme", "")),
        Step::Turn,
        upsert("Echo", "in a second frame"),
        Step::Turn,
        upsert("Echo", "in a third one"),
        ask(Ask::rename("Beta", "Hugo")),
        Step::Turn,
        Step::Sync,
        // What the first frame has laid on the draft is lifted, what the others have is not.
        upsert("Echo", "in a fourth one"),
        upsert("Beta", "under a name that is free"),
        Step::Turn,
        Step::Sync,
        archive("Acme"),
        Step::Drain,
    ]);
    Scenario { test: "creating", before: furnished(), steps }
}

/// Renaming, onto free and onto archived names, there and back in one frame.
pub(crate) fn renaming() -> Scenario {
    let steps = vec![
        ask(Ask::rename("Beta", "Dill")),
        Step::Drain,
        ask(Ask::rename("Dill", "Acme")),
        ask(Ask::upsert("Dill", "the name is free at once")),
        Step::Turn,
        ask(Ask::rename("Acme", "Echo")),
        ask(Ask::overwrite("Acme", "taken again")),
        Step::Drain,
        ask(Ask::Unarchive("Acme".to_owned())),
        Step::Drain,
    ];
    Scenario { test: "renaming", before: with_archived(), steps }
}

/// Taking the names of archived records, and bringing the displaced back.
pub(crate) fn overwriting() -> Scenario {
    let unarchive = |lookup: &str, name: Option<&str>| {
        ask(Ask::Upsert {
            lookup: lookup.to_owned(),
            writes: Writes { name: name.map(str::to_owned), ..Writes::default() },
            archived_match: ArchivedMatch::Unarchive,
            archived_conflict: ArchivedConflict::Overwrite,
        })
    };
    let steps = vec![
        ask(Ask::overwrite("Acme", "the new one")),
        Step::Drain,
        upsert("Cora", "refused"),
        unarchive("Cora", None),
        archive("Acme"),
        Step::Drain,
        ask(Ask::overwrite("ACME", "the newer one")),
        archive("Beta"),
        Step::Turn,
        Step::Sync,
        unarchive("Beta", Some("Acme")),
        Step::Drain,
        ask(Ask::Purge("Acme".to_owned())),
        Step::Drain,
    ];
    Scenario { test: "overwriting", before: with_archived(), steps }
}

/// Several segments, with seals between bursts.
pub(crate) fn rolling() -> Scenario {
    let mut steps = commits(9);
    steps.push(Step::Seal);
    steps.extend(commits(7));
    steps.extend([Step::Seal, Step::Restart]);
    Scenario { test: "rolling", before: furnished(), steps }
}

/// A round while writing goes on, and a second one.
pub(crate) fn snapshotting() -> Scenario {
    // Root and catalog, agenda, contacts, accounts: each state is taken, changed, then written.
    let mut steps = vec![Step::BeginRound, Step::TakeState, upsert("Dill", "a"), Step::TakeState];
    for note in ["b", "c", "d"] {
        steps.extend([Step::TakeState, upsert("Acme", note), archive("Beta"), Step::Drain]);
        steps.extend([ask(Ask::overwrite("Beta", note)), Step::Drain, Step::WriteState]);
    }
    steps.extend([upsert("Cora", "behind its image"), Step::EndRound, Step::Drain]);
    steps.extend([Step::Audit, Step::Restart]);
    Scenario { test: "snapshotting", before: furnished(), steps }
}

/// Rounds until segments and snapshots go.
pub(crate) fn removing() -> Scenario {
    let mut before = furnished();
    before.extend(commits(6));
    before.extend(round());
    before.extend(commits(6));
    let mut steps = round();
    steps.extend(commits(4));
    steps.extend(round());
    steps.extend(commits(2));
    Scenario { test: "removing", before, steps }
}

/// Purging records that activities are about.
pub(crate) fn following_up() -> Scenario {
    let mut before = furnished();
    for name in ["Acme", "Beta", "Cora"] {
        before.push(Step::Schedule(ACCOUNTS, name));
    }
    before.extend([archive("Acme"), archive("Beta"), Step::Drain]);
    let purge = |name: &str| ask(Ask::Purge(name.to_owned()));
    let steps = vec![
        purge("Acme"),
        purge("Beta"),
        Step::Drain,
        Step::SendFollowUp,
        Step::ConfirmFollowUp,
        upsert("Acme", "another one"),
        Step::Drain,
        Step::SendFollowUp,
        Step::Restart,
        Step::SendFollowUp,
        Step::ConfirmFollowUp,
        Step::Drain,
    ];
    Scenario { test: "following_up", before, steps }
}

/// Fields and options that change and go while records have values of them.
pub(crate) fn reshaping() -> Scenario {
    let of = |asked: Reshape| Step::Reshape(ACCOUNTS, asked);
    let deal = |ask: Ask| Step::Ask(DEALS, ask);
    let mut before = furnished();
    before.extend([Step::CreateField(ACCOUNTS, KIND), Step::CreateObject(DEALS)]);
    before.extend(["Acme", "Beta"].map(|name| ask(Ask::choose(name, KIND, "big"))));
    before.extend([deal(Ask::upsert("Dill", "")), deal(Ask::upsert("Echo", "")), Step::Drain]);
    before.extend([deal(Ask::choose("Echo", STAGE, "won")), Step::Drain]);
    let mut steps = vec![
        of(Reshape::Relabel(NOTE, "Remark")),
        of(Reshape::ReplaceOption(KIND, "big", "small")),
        // What reads so already is no change, and the option that is gone is free for a new one.
        ask(Ask::choose("Acme", KIND, "small")),
        of(Reshape::AddOption(KIND, "big")),
        ask(Ask::choose("Beta", KIND, "big")),
        Step::Drain,
        of(Reshape::RemoveOption(KIND, "small")),
        Step::Reshape(DEALS, Reshape::AddOption(STAGE, "lost")),
        Step::Reshape(DEALS, Reshape::ReplaceOption(STAGE, "new", "lost")),
        deal(Ask::upsert("Fern", "")),
        Step::Drain,
    ];
    // Codes are told apart by their case, then not at all, and then must be each record's own.
    steps.extend([
        of(Reshape::Normalize(Normalizer::Exact)),
        with_code("Acme", "C1", "vip"),
        Step::Drain,
        of(Reshape::Normalize(Normalizer::Casefold)),
        of(Reshape::Unique(false)),
        with_code("Beta", "c1", "vip"),
        Step::Drain,
        of(Reshape::Unique(true)),
        with_code("Cora", "c2", "vip"),
        archive("Beta"),
        Step::Drain,
        of(Reshape::Unique(true)),
        with_code("Acme", "c2", "refused"),
        Step::Drain,
    ]);
    steps.extend(round());
    steps.extend([
        of(Reshape::Delete(CODE)),
        upsert("Acme", "without a code"),
        Step::CreateField(ACCOUNTS, CODE),
        with_code("Fern", "C1", "new"),
        of(Reshape::Delete(KIND)),
        of(Reshape::Delete(LABELS)),
        Step::Drain,
        Step::Restart,
        Step::Audit,
    ]);
    Scenario { test: "reshaping", before, steps }
}

/// A relation that is made in three steps, and the records that it leads to and from.
pub(crate) fn relating() -> Scenario {
    let deal = |ask: Ask| Step::Ask(DEALS, ask);
    let give = |name: &str, to: &'static str| deal(Ask::relate(name, Partner::Named(to)));
    let clear = |name: &str| deal(Ask::relate(name, Partner::Nobody));
    let mut before = furnished();
    before.extend([Step::CreateObject(DEALS), deal(Ask::upsert("Dill", ""))]);
    before.extend([deal(Ask::upsert("Echo", "")), Step::Drain]);
    let mut steps = vec![
        Step::Relate(Relating::MakeMirror),
        Step::Relate(Relating::MakeOwner),
        Step::Relate(Relating::Settle),
        give("Dill", "Acme"),
        // In one turn: the second takes it from the first, which loses it in the same commit.
        give("Dill", "Beta"),
        give("Echo", "Beta"),
        Step::Drain,
        archive("Beta"),
        Step::Drain,
        clear("Echo"),
        deal(Ask::Archive("Echo".to_owned())),
        ask(Ask::Unarchive("Beta".to_owned())),
        give("Dill", "Beta"),
        deal(Ask::Unarchive("Echo".to_owned())),
        Step::Drain,
        archive("Beta"),
        ask(Ask::Purge("Beta".to_owned())),
        Step::Drain,
        clear("Dill"),
        give("Echo", "Acme"),
        Step::Drain,
    ];
    steps.extend(round());
    // Made again, and left half made.
    steps.extend([
        Step::Relate(Relating::DeleteOwner),
        Step::Relate(Relating::Settle),
        Step::Relate(Relating::MakeMirror),
        Step::Restart,
        Step::Relate(Relating::MakeMirror),
        Step::Relate(Relating::MakeOwner),
        Step::Restart,
        give("Dill", "Cora"),
        Step::Drain,
        Step::Relate(Relating::DeleteOwner),
        Step::Restart,
        Step::Audit,
    ]);
    Scenario { test: "relating", before, steps }
}

/// Members who come, own records and go, and the rights that their roles give.
pub(crate) fn staffing() -> Scenario {
    let hand_over = |name: &str, owner: usize| ask(Ask::hand_over(name, owner));
    let mut steps: Vec<Step> = [
        Staffing::Hire,
        Staffing::Hire,
        Staffing::PutGroup("readers", 1),
        Staffing::PutRole("sellers", &["readers", "writers"]),
        Staffing::Give(0, "sellers"),
        Staffing::PutGroup("writers", 2),
        Staffing::PutRole("sellers", &["readers", "writers"]),
    ]
    .map(Step::Staff)
    .to_vec();
    steps.extend([
        hand_over("Acme", 0),
        hand_over("Beta", 1),
        hand_over("Cora", 0),
        archive("Cora"),
        Step::Drain,
        Step::Staff(Staffing::SetActive(1, false)),
        upsert("Beta", "its owner is not active, and stays"),
        Step::Staff(Staffing::Fire(0)),
        // What changes gets an owner again, and what does not stays without.
        upsert("Acme", "first"),
        Step::Drain,
        upsert("Acme", "second"),
        ask(Ask::Unarchive("Cora".to_owned())),
        Step::Drain,
    ]);
    steps.extend(round());
    steps.extend([
        Step::Staff(Staffing::PutGroup("readers", 3)),
        Step::Staff(Staffing::Give(0, "sellers")),
        Step::Staff(Staffing::DropGroup("writers")),
        Step::Staff(Staffing::SetActive(0, true)),
        hand_over("Acme", 0),
        Step::Drain,
        Step::Staff(Staffing::DropRole("sellers")),
        Step::Staff(Staffing::Fire(0)),
        Step::Staff(Staffing::Hire),
        Step::Drain,
        Step::Restart,
        Step::Audit,
    ]);
    Scenario { test: "staffing", before: furnished(), steps }
}

/// An object that is archived, the name of which is free for another then.
pub(crate) fn closing() -> Scenario {
    let deal = |ask: Ask| Step::Ask(DEALS, ask);
    let mut before = furnished();
    before.extend([Step::CreateObject(DEALS), Step::CreateField(DEALS, NOTE)]);
    before.extend([deal(Ask::upsert("Dill", "a deal")), deal(Ask::upsert("Echo", "another"))]);
    before.extend([Step::Drain, Step::Schedule(DEALS, "Dill")]);
    before.extend(round());
    let steps = vec![
        Step::ArchiveObject(DEALS),
        deal(Ask::Archive("Dill".to_owned())),
        deal(Ask::Archive("Echo".to_owned())),
        Step::ArchiveObject(DEALS),
        // Its name is taken until the directory has followed.
        Step::CreateObject(DEALS),
        Step::BeginRound,
        Step::TakeState,
        Step::TakeState,
        Step::FreeNames,
        Step::CreateObject(DEALS),
        Step::EndRound,
        deal(Ask::upsert("Dill", "of another object")),
        Step::Drain,
        deal(Ask::Archive("Dill".to_owned())),
        Step::ArchiveObject(DEALS),
        Step::Restart,
        Step::FreeNames,
        Step::CreateObject(DEALS),
        deal(Ask::upsert("Echo", "of the third")),
        Step::Drain,
        Step::Audit,
    ];
    Scenario { test: "closing", before, steps }
}

/// Actions on many records: what became of them is noted beside the records.
pub(crate) fn acting() -> Scenario {
    let mut steps = vec![Step::BeginAction(3), archive("Acme"), Step::Drain];
    steps.extend([Step::NoteAction(1, false), archive("Beta"), Step::NoteAction(1, true)]);
    steps.extend([Step::BeginRound, Step::TakeState, Step::TakeState, Step::TakeState]);
    steps.extend([Step::BeginAction(5), Step::NoteAction(2, false), Step::EndRound]);
    steps.extend([Step::Restart, Step::NoteAction(0, true), Step::BeginAction(1), Step::Audit]);
    Scenario { test: "acting", before: furnished(), steps }
}

/// All of them.
pub(crate) fn all() -> [Scenario; 13] {
    [
        first_start(),
        creating(),
        renaming(),
        overwriting(),
        rolling(),
        snapshotting(),
        removing(),
        following_up(),
        reshaping(),
        relating(),
        staffing(),
        closing(),
        acting(),
    ]
}

/// Two rounds with everything in them; follow-ups are sent and confirmed between two states of one.
pub(crate) fn backed_up() -> Vec<Step> {
    let mut steps = following_up().before;
    steps.extend([Step::CreateObject(DEALS), Step::Ask(DEALS, Ask::upsert("Dill", ""))]);
    steps.extend(commits(3));
    steps.extend(round());
    steps.extend([ask(Ask::Purge("Acme".to_owned())), Step::Drain, Step::BeginRound]);
    steps.extend([Step::TakeState, Step::TakeState, upsert("Dill", "d"), Step::TakeState]);
    steps.extend([Step::SendFollowUp, Step::ConfirmFollowUp, Step::Drain]);
    steps.extend([ask(Ask::overwrite("Beta", "taker")), Step::Drain]);
    // The deals are taken last: they lead to what neither the accounts nor the people have yet.
    let give = |to| Step::Ask(DEALS, Ask::relate("Dill", Partner::Named(to)));
    steps.extend([
        Step::TakeState,
        Step::TakeState,
        Step::Relate(Relating::MakeMirror),
        Step::Relate(Relating::MakeOwner),
        Step::Relate(Relating::Settle),
        upsert("Fern", "behind its image"),
        Step::Drain,
        give("Fern"),
        Step::Staff(Staffing::Hire),
        Step::Ask(DEALS, Ask::hand_over("Dill", 0)),
        Step::EndRound,
    ]);
    steps.extend([upsert("Echo", "behind the snapshot"), Step::Drain]);
    steps
}

/// What goes on after every crash.
pub(crate) fn going_on() -> Vec<Step> {
    vec![
        Step::FreeNames,
        Step::CreateObject(ACCOUNTS),
        Step::CreateField(ACCOUNTS, NOTE),
        upsert("Acme", "after the crash"),
        upsert("Fern", "after the crash"),
        archive("Beta"),
        Step::Turn,
        ask(Ask::overwrite("Beta", "after the crash")),
        Step::SendFollowUp,
        Step::ConfirmFollowUp,
        Step::Drain,
        Step::Audit,
    ]
}
