//! Random options of upserts and of other calls that create.

use crate::model::id::{FieldNumber, Version};
use crate::model::schema::constraint::Constraint;
use crate::model::table::command::{
    ArchivedConflict, ArchivedMatch, EntryIndex, FieldSet, Identifier, Place, RecordFault,
    RestoreConflict,
};
use crate::model::table::decide::keys::joint_key;
use crate::model::table::event::Claim;
use crate::model::table::intent::{
    IdentityConflict, Intent, MatchKey, MatchKeys, MatchOn, MatchPart, MatchValue, Matching, Mode,
};
use crate::model::table::precondition::Precondition;
use crate::model::table::source::{Guard, SourceVersion};
use crate::model::table::tests::steps::{CODE, Edge, SERIAL, What, any_few_writes};
use crate::model::value::{Change, Value};
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

/// The systems that upserts come from.
pub(super) const SOURCES: [&str; 2] = ["crm", "shop"];

/// The options of one upsert.
#[derive(Clone, Debug)]
pub(super) struct Options {
    mode: u8,
    skips: bool,
    reports_unchanged: bool,
    keys: Option<Keys>,
    guard: Option<(u8, u8)>,
    expected: Option<u8>,
    sets: [Vec<(u8, What)>; 3],
}

/// Mostly an upsert without any.
pub(super) fn any_options() -> impl Strategy<Value = Options> {
    let rarely = || prop::bool::weighted(0.1);
    let set = || prop_oneof![6 => Just(Vec::new()), 1 => any_few_writes()];
    let keys = prop::option::weighted(0.3, (0..8_u8, any::<u8>(), any::<u8>(), any::<bool>()));
    let guard = prop::option::weighted(0.4, (0..2_u8, 0..12_u8));
    let expected = prop::option::weighted(0.2, 0..7_u8);
    (0..10_u8, rarely(), any::<bool>(), (keys, guard, expected), [set(), set(), set()]).prop_map(
        |(mode, skips, reports_unchanged, (keys, guard, expected), sets)| {
            let keys = keys.map(|(which, code, serial, takes_first)| Keys {
                which,
                code,
                serial,
                takes_first,
            });
            Options { mode, skips, reports_unchanged, keys, guard, expected, sets }
        },
    )
}

/// The keys that a record is looked for by, instead of its identifier.
#[derive(Clone, Copy, Debug)]
struct Keys {
    which: u8,
    code: u8,
    serial: u8,
    takes_first: bool,
}

impl Keys {
    /// As the edge reads them: of fields that are unique, alone or together, with values that are
    /// good.
    fn matching(self, lookup: &Identifier, edge: &Edge<'_>) -> Option<Matching> {
        let schema = edge.rig.schema();
        let identifier = schema.identifier().number;
        let all = [CODE, SERIAL, identifier, CODE];
        let fields = match self.which {
            0 => &all[..1],
            1 => &all[1..2],
            2 => &all[..2],
            3 => &all[2..],
            4 => &all[1..3],
            5 => &all[..3],
            6 => &all[..0],
            _ => &all[3..],
        };
        let mut reading = Reading { keys: self, lookup, edge, values: Vec::new() };
        let together = schema.constraints().first().filter(|_| self.which > 5);
        let mut keys: Vec<_> =
            together.and_then(|constraint| reading.together(constraint)).into_iter().collect();
        keys.extend(fields.iter().filter_map(|number| reading.alone(*number)));
        // What is no key's is the name of what is created.
        if fields.len() != 1 || self.which > 5 {
            reading.part(identifier);
        }
        let values = reading.values;
        let on_conflict =
            if self.takes_first { IdentityConflict::First } else { IdentityConflict::Refuse };
        let keys = MatchKeys { keys, on_conflict, values };
        (!keys.keys.is_empty()).then(|| Matching::Keys(Box::new(keys)))
    }
}

/// The values of keys, while they are read.
struct Reading<'r> {
    keys: Keys,
    lookup: &'r Identifier,
    edge: &'r Edge<'r>,
    values: Vec<MatchValue>,
}

impl Reading<'_> {
    fn alone(&mut self, number: FieldNumber) -> Option<MatchKey> {
        let schema = self.edge.rig.schema();
        let field = schema.by_number(number).filter(|field| field.is_unique)?;
        let part = self.part(number)?;
        let on = if field.is_identifier() {
            MatchOn::Identifier(self.lookup.key.clone())
        } else {
            let key = part.value.unique_key(field.normalizer)?;
            MatchOn::Claim(Claim { on: number.into(), key })
        };
        Some(MatchKey { on, parts: vec![part] })
    }

    fn together(&mut self, constraint: &Constraint) -> Option<MatchKey> {
        let schema = self.edge.rig.schema();
        let parts: Vec<_> = constraint.fields.iter().map(|number| self.part(*number)).collect();
        let mut parts = parts.into_iter().collect::<Option<Vec<MatchPart>>>()?;
        let key = joint_key(schema.parts(constraint), |field| {
            let part = parts.iter().find(|part| part.field == field.number)?;
            part.value.unique_key(field.normalizer)
        })?;
        // A request names them in any order.
        parts.rotate_left(usize::from(self.keys.takes_first));
        let on = MatchOn::Claim(Claim { on: constraint.number.into(), key });
        Some(MatchKey { on, parts })
    }

    /// The value that is given for a field, and kept for a record that is created.
    fn part(&mut self, number: FieldNumber) -> Option<MatchPart> {
        let schema = self.edge.rig.schema();
        let field = schema.by_number(number)?;
        let (value, text, place, fault) = if field.is_identifier() {
            let Identifier { text, fault, .. } = self.lookup.clone();
            (Value::Text(text.clone()), text, Place::LookupValue, fault)
        } else {
            let given = if number == SERIAL { self.keys.serial } else { self.keys.code };
            let Change::Set(value) = self.edge.value(number, given) else { return None };
            value.unique_key(field.normalizer)?;
            (value, "given".into(), Place::MatchValue(number), None)
        };
        let part = MatchPart { field: number, value, text, place };
        if !self.values.iter().any(|kept| kept.field == number) {
            let (value, place) = (part.value.clone(), part.place.clone());
            self.values.push(MatchValue { field: number, value, place, fault });
        }
        Some(part)
    }
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
        // Records of random tests are young.
        intent.precondition = self.expected.map(|expected| match expected {
            0 => Precondition::Present,
            1 => Precondition::Absent,
            2 => Precondition::AtOneOf(vec![Version(1), Version(3)]),
            version => Precondition::At(Version(u32::from(version) - 2)),
        });
        intent.guard = self.guard.map(|(source, version)| Guard {
            source: SOURCES[usize::from(source)].into(),
            version: match version {
                // Now and then of the other kind.
                0 => SourceVersion::Time { seconds: 5, nanoseconds: 7 },
                number => SourceVersion::Number(number.into()),
            },
        });
        if let (Some(keys), Matching::Identifier(lookup)) = (self.keys, &intent.matching)
            && let Some(matching) = keys.matching(lookup, edge)
        {
            intent.matching = matching;
        }
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
