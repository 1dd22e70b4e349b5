//! What the simulation's clients ask of a table, in plain words, and the engine's command for it.
//!
//! It must not know what the answer should be.

use crate::simulation::world::RecordNumber;
use upsertd::model::id::{MemberId, RecordId};
use upsertd::model::schema::Schema;
use upsertd::model::table::command::{
    Add, ArchivedConflict, ArchivedMatch, Ask as TableAsk, EntryIndex, Extent, Identifier,
    RestoreConflict, Unarchive, Update, Write, Writes as TableWrites,
};
use upsertd::model::table::intent::Intent;
use upsertd::model::value::{Change, ListChange, TagRef, Value};
use uuid::Uuid;

/// Text, text that is unique among live records, tags, and an option: the fields that objects are
/// given.
pub(crate) const NOTE: &str = "note";
pub(crate) const CODE: &str = "code";
pub(crate) const LABELS: &str = "labels";
pub(crate) const KIND: &str = "kind";
/// The field that pipelines have.
pub(crate) const STAGE: &str = "stage";
/// A relationship of the pipeline's records, each to one account of its own, and its mirror.
pub(crate) const PARTNER: &str = "partner";
pub(crate) const MIRROR: &str = "deals_of";
/// What `KIND` and `STAGE` offer when they are made, and every option that they ever have.
pub(crate) const KINDS: [&str; 2] = ["big", "small"];
pub(crate) const STAGES: [&str; 2] = ["new", "won"];
pub(crate) const OPTIONS: [&str; 6] = ["big", "small", "tiny", "new", "won", "lost"];

/// The values of a request; what is empty is cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Writes {
    pub(crate) name: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) code: Option<String>,
    /// A tag that is added.
    pub(crate) label: Option<String>,
    /// The option of a field.
    pub(crate) choice: Option<(&'static str, &'static str)>,
    pub(crate) partner: Option<Partner>,
    pub(crate) owner: Option<Owner>,
}

/// Who is to own a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The active member at this place among them.
    At(usize),
    /// The same, once it has been looked up.
    Found(String, MemberId),
}

/// What a record is to be related to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Partner {
    Nobody,
    /// The live account that has this name.
    Named(&'static str),
    /// The same, once it has been looked up.
    Found(RecordNumber, RecordId),
}

/// A command about records. Where one is addressed by id, it is the one that has the name now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Upsert {
        lookup: String,
        writes: Writes,
        archived_match: ArchivedMatch,
        archived_conflict: ArchivedConflict,
    },
    Add {
        writes: Writes,
        archived_match: ArchivedMatch,
    },
    Update {
        name: String,
        writes: Writes,
        archived_conflict: ArchivedConflict,
    },
    Archive(String),
    Unarchive(String),
    Purge(String),
}

impl Ask {
    /// An upsert that says nothing about archived records.
    pub(crate) fn upsert(lookup: &str, note: &str) -> Self {
        Self::Upsert {
            lookup: lookup.to_owned(),
            writes: Writes { note: Some(note.to_owned()), ..Writes::default() },
            archived_match: ArchivedMatch::Prompt,
            archived_conflict: ArchivedConflict::Refuse,
        }
    }

    /// An upsert that takes the name from whoever is archived.
    pub(crate) fn overwrite(lookup: &str, note: &str) -> Self {
        Self::Upsert {
            lookup: lookup.to_owned(),
            writes: Writes { note: Some(note.to_owned()), ..Writes::default() },
            archived_match: ArchivedMatch::Overwrite,
            archived_conflict: ArchivedConflict::Overwrite,
        }
    }

    /// A record under another name.
    pub(crate) fn rename(name: &str, to: &str) -> Self {
        Self::Update {
            name: name.to_owned(),
            writes: Writes { name: Some(to.to_owned()), ..Writes::default() },
            archived_conflict: ArchivedConflict::Overwrite,
        }
    }

    /// A record with another option.
    pub(crate) fn choose(name: &str, field: &'static str, option: &'static str) -> Self {
        Self::Update {
            name: name.to_owned(),
            writes: Writes { choice: Some((field, option)), ..Writes::default() },
            archived_conflict: ArchivedConflict::Refuse,
        }
    }

    /// A record that is related to another, or to none.
    pub(crate) fn relate(name: &str, partner: Partner) -> Self {
        Self::Update {
            name: name.to_owned(),
            writes: Writes { partner: Some(partner), ..Writes::default() },
            archived_conflict: ArchivedConflict::Refuse,
        }
    }

    /// A record that another member owns.
    pub(crate) fn hand_over(name: &str, owner: usize) -> Self {
        Self::Update {
            name: name.to_owned(),
            writes: Writes { owner: Some(Owner::At(owner)), ..Writes::default() },
            archived_conflict: ArchivedConflict::Refuse,
        }
    }

    /// The name of the record that is addressed by id.
    pub(crate) fn addressed(&self) -> Option<&str> {
        match self {
            Self::Upsert { .. } | Self::Add { .. } => None,
            Self::Update { name, .. }
            | Self::Archive(name)
            | Self::Unarchive(name)
            | Self::Purge(name) => Some(name),
        }
    }

    /// The values that it gives.
    pub(crate) fn writes_mut(&mut self) -> Option<&mut Writes> {
        match self {
            Self::Upsert { writes, .. }
            | Self::Add { writes, .. }
            | Self::Update { writes, .. } => Some(writes),
            Self::Archive(_) | Self::Unarchive(_) | Self::Purge(_) => None,
        }
    }

    /// The engine's command, parsed with a schema; `id` is that of the record addressed.
    pub(crate) fn to_command(&self, schema: &Schema, id: Option<RecordId>) -> TableAsk {
        let id = id.unwrap_or(RecordId(Uuid::from_u128(1)));
        let restore_conflict = RestoreConflict::Refuse;
        match self {
            Self::Upsert { lookup, writes, archived_match, archived_conflict } => {
                let lookup = identifier(schema, lookup);
                TableAsk::Upsert(Box::new(Intent {
                    archived_match: *archived_match,
                    archived_conflict: *archived_conflict,
                    restore_conflict,
                    ..Intent::of_identifier(lookup, writes.parsed(schema))
                }))
            }
            Self::Add { writes, archived_match } => TableAsk::Add(Box::new(Add {
                writes: writes.parsed(schema),
                archived_match: *archived_match,
                restore_conflict,
            })),
            Self::Update { writes, archived_conflict, .. } => TableAsk::Update(Box::new(Update {
                id,
                writes: writes.parsed(schema),
                archived_conflict: *archived_conflict,
                extent: Extent::Mentioned,
            })),
            Self::Archive(_) => TableAsk::Archive(id),
            Self::Unarchive(_) => {
                TableAsk::Unarchive(Unarchive { id, identifier: None, restore_conflict })
            }
            Self::Purge(_) => TableAsk::Purge(id),
        }
    }
}

fn identifier(schema: &Schema, given: &str) -> Identifier {
    let text: Box<str> = given.trim().into();
    let key = schema.identifier_key(&text).expect("the simulation has no blank names");
    Identifier { text, key, fault: None }
}

impl Writes {
    fn parsed(&self, schema: &Schema) -> TableWrites {
        let mut entries = Vec::new();
        let mut put = |name: &str, change: Change| {
            let field =
                schema.by_name(name).expect("only fields that are there are written").number;
            let at = u32::try_from(entries.len()).expect("there are few fields");
            let index = EntryIndex::of_fields(at);
            entries.push(Write { index, field, change });
        };
        let text = |given: &str| match given {
            "" => Change::Clear,
            given => Change::Set(Value::Text(given.into())),
        };
        if let Some(name) = &self.name {
            put(&schema.identifier().name, text(name));
        }
        if let Some(note) = &self.note {
            put(NOTE, text(note));
        }
        if let Some(code) = &self.code {
            put(CODE, text(code));
        }
        if let Some(label) = &self.label {
            let add = vec![TagRef::Named(label.as_str().into())];
            put(LABELS, Change::Tags(ListChange::Edit { add, remove: Vec::new() }));
        }
        if let Some((name, option)) = self.choice {
            let field = schema.by_name(name).expect("only fields that are there are written");
            let chosen = || field.options.by_label(option).expect("it is offered").number;
            let change = match option {
                "" => Change::Clear,
                _ => Change::Set(Value::Choice(chosen())),
            };
            put(name, change);
        }
        match &self.owner {
            None => {}
            Some(Owner::Found(_, id)) => put("owner", Change::Set(Value::Member(*id))),
            Some(Owner::At(place)) => unreachable!("{place} is looked up before it is written"),
        }
        match &self.partner {
            None => {}
            Some(Partner::Nobody) => put(PARTNER, Change::Clear),
            Some(Partner::Found(_, id)) => put(PARTNER, Change::Set(Value::Record(*id))),
            Some(Partner::Named(name)) => unreachable!("{name} is looked up before it is written"),
        }
        TableWrites { schema: schema.number(), entries, ..TableWrites::default() }
    }
}
