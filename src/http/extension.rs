//! The names of the contract's extensions (its section 7) and the routes they have a meaning on.
//!
//! A name that is not offered yet is refused on those routes, with or without `strict`: to ignore
//! it would be to do something else than was asked for. A name is offered as soon as its handler
//! asks for it, so nothing is removed from this table. `Idempotency-Key` is not in it: single writes
//! take it before their handlers, and reads ignore it; nor is `min_seq`, which reads take so. It must not know what a name does.

/// Routes on which the same extensions have a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteGroup {
    /// `POST …/upsert`.
    Upsert,
    /// `POST …/add`.
    Add,
    /// `GET …/lookup`.
    Lookup,
    /// `GET …/{entity_id}`.
    Retrieve,
    /// `PATCH` and `PUT …/{entity_id}`.
    Update,
    /// `DELETE …/{entity_id}`.
    Archive,
    /// `PATCH …/unarchive` and `PATCH …/move`.
    Transition,
    /// `POST …/bulk-upsert`: what is said for all rows of a JSON batch.
    Batch,
    /// The same of a stream.
    Stream,
    /// A row of either.
    Row,
    /// The bulk routes that other clients know.
    Bulk,
    /// `POST`, `PATCH`, `PUT`, `DELETE` of fields.
    FieldWrite,
    /// Every other write.
    Write,
    /// Every other read, searches by `POST` included.
    Read,
}

/// The extensions of one group of routes.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    pub query: &'static [&'static str],
    pub body: &'static [&'static str],
    /// As the documentation writes them; they are found in any case.
    pub headers: &'static [&'static str],
}

/// 7.1, 7.4 and 7.5.
const UPSERT_QUERY: &[&str] = &[
    "report_unchanged",
    "changed_fields",
    "mode",
    "match",
    "on_identity_conflict",
    "dry_run",
    "blank",
];

/// 7.1, 7.4, 7.6 and 7.7.
const UPSERT_BODY: &[&str] = &[
    "match",
    "match_values",
    "set_on_create",
    "set_on_update",
    "set_if_empty",
    "source",
    "source_version",
    "client_ref",
];

/// 7.2: the options that may stand beside the rows.
const BATCH_BODY: &[&str] = &["match", "on_identity_conflict", "dry_run"];

/// 7.3.
const STREAM_QUERY: &[&str] = &[
    "report_unchanged",
    "changed_fields",
    "mode",
    "match",
    "on_identity_conflict",
    "dry_run",
    "blank",
    "stream_id",
];

/// 7.2 and 7.3, and those of a single upsert.
const ROW_BODY: &[&str] = &[
    "match",
    "match_values",
    "set_on_create",
    "set_on_update",
    "set_if_empty",
    "source",
    "source_version",
    "client_ref",
    "mode",
    "expect_version",
    "idempotency_key",
    "op",
    "offset",
];

/// 7.5.
const DRY_RUN: &[&str] = &["dry_run"];

/// 7.14: of every read, and taken before its handler.
pub const MIN_SEQ: &str = "min_seq";

pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
pub const ORIGIN: &str = "X-Origin";
pub const IF_MATCH: &str = "If-Match";
pub const IF_NONE_MATCH: &str = "If-None-Match";

impl RouteGroup {
    /// Whether its routes read, so that `min_seq` means something.
    #[must_use]
    pub const fn reads(self) -> bool {
        match self {
            Self::Lookup | Self::Retrieve | Self::Read => true,
            Self::Upsert
            | Self::Add
            | Self::Update
            | Self::Archive
            | Self::Transition
            | Self::Batch
            | Self::Stream
            | Self::Row
            | Self::Bulk
            | Self::FieldWrite
            | Self::Write => false,
        }
    }

    /// The names that mean something on these routes.
    #[must_use]
    pub const fn names(self) -> Names {
        match self {
            Self::Upsert => Names {
                query: UPSERT_QUERY,
                body: UPSERT_BODY,
                headers: &[ORIGIN, IF_MATCH, IF_NONE_MATCH],
            },
            Self::Add | Self::FieldWrite => Names { query: DRY_RUN, body: &[], headers: &[ORIGIN] },
            Self::Lookup => Names { query: &[], body: &[], headers: &[IF_NONE_MATCH] },
            // A batch is not stored as a whole: its rows have keys.
            Self::Batch => Names {
                query: UPSERT_QUERY,
                body: BATCH_BODY,
                headers: &[IDEMPOTENCY_KEY, ORIGIN, IF_MATCH, IF_NONE_MATCH],
            },
            Self::Stream => Names {
                query: STREAM_QUERY,
                body: &[],
                headers: &[IDEMPOTENCY_KEY, ORIGIN, IF_MATCH, IF_NONE_MATCH],
            },
            Self::Row => Names { query: &[], body: ROW_BODY, headers: &[] },
            // 7.13: the record as of a version.
            Self::Retrieve => Names { query: &["version"], body: &[], headers: &[IF_NONE_MATCH] },
            Self::Update | Self::Archive => {
                Names { query: DRY_RUN, body: &[], headers: &[ORIGIN, IF_MATCH] }
            }
            Self::Transition => Names { query: &[], body: &[], headers: &[ORIGIN, IF_MATCH] },
            Self::Bulk | Self::Write => Names { query: &[], body: &[], headers: &[ORIGIN] },
            Self::Read => Names { query: &[], body: &[], headers: &[] },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const GROUPS: [RouteGroup; 14] = [
        RouteGroup::Batch,
        RouteGroup::Stream,
        RouteGroup::Row,
        RouteGroup::Upsert,
        RouteGroup::Add,
        RouteGroup::Lookup,
        RouteGroup::Retrieve,
        RouteGroup::Update,
        RouteGroup::Archive,
        RouteGroup::Transition,
        RouteGroup::Bulk,
        RouteGroup::FieldWrite,
        RouteGroup::Write,
        RouteGroup::Read,
    ];

    #[test]
    fn no_name_stands_twice() {
        for group in GROUPS {
            let Names { query, body, headers } = group.names();
            for names in [query, body, headers] {
                let unique: HashSet<_> = names.iter().collect();
                assert_eq!(unique.len(), names.len(), "{group:?}");
            }
        }
    }

    #[test]
    fn no_handler_is_asked_about_an_idempotency_key() {
        for group in GROUPS {
            let is_batch = matches!(group, RouteGroup::Batch | RouteGroup::Stream);
            let knows = group.names().headers.contains(&IDEMPOTENCY_KEY);
            assert_eq!(knows, is_batch, "{group:?}");
        }
    }
}
