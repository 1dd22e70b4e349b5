//! Ids, numbers and times: one newtype each, so that two of them never meet by mistake.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
            /// Reads a UUID in its hyphenated form, in any case; every other spelling is none.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    )+};
}

ids! {
    /// A tenant.
    BusinessId,
    /// A person or service in one business; the id used in field values.
    MemberId,
    /// What `X-USER-ID` carries.
    UserId,
    /// A role of members.
    RoleId,
    /// A permission group.
    PermissionGroupId,
    /// A key of the API, public part.
    ApiKeyId,
    /// An object (object type).
    ObjectId,
    /// A category of fields.
    CategoryId,
    /// A field of an object.
    FieldId,
    /// An option of a choice field.
    OptionId,
    /// A tag of a tags field.
    TagId,
    /// A file that is kept elsewhere.
    FileId,
    /// A record.
    RecordId,
    /// An activity type.
    ActivityTypeId,
    /// A scheduled activity.
    ActivityId,
    /// An activity that took place.
    LoggedActivityId,
    /// One writing request.
    BatchId,
    /// The history of a table: new when a backup is restored, so that older cursors do not fit.
    HistoryId,
    /// The log of one data directory.
    LogId,
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($inner:ty)),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The number after this one.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )+};
}

numbers! {
    /// The number of a change in its table: 1, 2, 3 …, without gaps.
    Sequence(u64),
    /// The number of a frame in its partition's log, from 1; 0 is before the first.
    Position(u64),
    /// A record's own count of changes, from 1.
    Version(u32),
    /// How often the schema of a table was changed.
    SchemaNumber(u32),
    /// What a record body calls a field; 1 to 31 are system values.
    FieldNumber(u32),
    /// What a schema calls a unique constraint, from 1; in no record.
    ConstraintNumber(u32),
    /// What a record body calls an option.
    OptionNumber(u32),
    /// What a record body calls a tag.
    TagNumber(u32),
    /// A record's place in its table's creation order, in memory only.
    Slot(u32),
}

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A calendar day: days since 1970-01-01.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Day(pub i32);

/// Whose events a part of a frame holds.
///
/// In a frame and in a snapshot: one byte for the kind, then the 16 bytes of the id; the root's id
/// is nil, a catalog's and an agenda's is their business's, a table's is its object's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriterId {
    Root,
    Catalog(BusinessId),
    Agenda(BusinessId),
    Table(ObjectId),
}

impl WriterId {
    /// Bytes of the stored form.
    pub const LEN: usize = 17;

    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let (kind, id) = match self {
            Self::Root => (0, Uuid::nil()),
            Self::Catalog(id) => (1, id.0),
            Self::Agenda(id) => (2, id.0),
            Self::Table(id) => (3, id.0),
        };
        let mut bytes = [0; Self::LEN];
        bytes[0] = kind;
        bytes[1..].copy_from_slice(id.as_bytes());
        bytes
    }

    /// The inverse of `to_bytes`; none for a kind nobody has written.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let id = Uuid::from_slice(&bytes[1..]).expect("sixteen bytes are a uuid");
        match bytes[0] {
            0 if id.is_nil() => Some(Self::Root),
            1 => Some(Self::Catalog(BusinessId(id))),
            2 => Some(Self::Agenda(BusinessId(id))),
            3 => Some(Self::Table(ObjectId(id))),
            _ => None,
        }
    }
}
