//! The names of the contract's extensions (its section 7) and the routes they have a meaning on.
//!
//! A name that is not offered yet is refused on those routes, with or without `strict`: to ignore
//! it would be to do something else than was asked for. A name is offered as soon as its handler
//! asks for it, so nothing is removed from this table. It must not know what a name does.

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

/// 7.5.
const DRY_RUN: &[&str] = &["dry_run"];

/// 7.14; the follower's read.
const MIN_SEQ: &[&str] = &["min_seq"];

pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
pub const ORIGIN: &str = "X-Origin";
const IF_MATCH: &str = "If-Match";
const IF_NONE_MATCH: &str = "If-None-Match";

impl RouteGroup {
    /// The names that mean something on these routes.
    #[must_use]
    pub const fn names(self) -> Names {
        match self {
            Self::Upsert => Names {
                query: UPSERT_QUERY,
                body: UPSERT_BODY,
                headers: &[IDEMPOTENCY_KEY, ORIGIN, IF_MATCH, IF_NONE_MATCH],
            },
            Self::Add => Names { query: DRY_RUN, body: &[], headers: &[IDEMPOTENCY_KEY, ORIGIN] },
            Self::Lookup => Names { query: MIN_SEQ, body: &[], headers: &[IF_NONE_MATCH] },
            // 7.13: the record as of a version.
            Self::Retrieve => {
                Names { query: &["version", "min_seq"], body: &[], headers: &[IF_NONE_MATCH] }
            }
            Self::Update | Self::Archive => {
                Names { query: DRY_RUN, body: &[], headers: &[IDEMPOTENCY_KEY, ORIGIN, IF_MATCH] }
            }
            Self::Transition => {
                Names { query: &[], body: &[], headers: &[IDEMPOTENCY_KEY, ORIGIN, IF_MATCH] }
            }
            Self::FieldWrite => {
                Names { query: DRY_RUN, body: &[], headers: &[IDEMPOTENCY_KEY, ORIGIN] }
            }
            Self::Bulk | Self::Write => {
                Names { query: &[], body: &[], headers: &[IDEMPOTENCY_KEY, ORIGIN] }
            }
            Self::Read => Names { query: MIN_SEQ, body: &[], headers: &[] },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const GROUPS: [RouteGroup; 11] = [
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
    fn every_single_write_knows_an_idempotency_key_and_no_read_does() {
        for group in GROUPS {
            let knows = group.names().headers.contains(&IDEMPOTENCY_KEY);
            let reads =
                matches!(group, RouteGroup::Lookup | RouteGroup::Retrieve | RouteGroup::Read);
            assert_eq!(knows, !reads, "{group:?}");
        }
    }
}
