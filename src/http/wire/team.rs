//! The members who are associated with a record, and why.
//!
//! It must not know who may see or change them.

use crate::model::catalog::member::{Member, Members};
use crate::model::id::MemberId;
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::table::record::Record;
use crate::model::table::team::each_member;
use serde::Serialize;
use std::collections::HashMap;

/// A member where it is only named.
#[derive(Debug, Serialize)]
pub struct MemberName {
    pub id: MemberId,
    pub display_name: String,
}

impl MemberName {
    #[must_use]
    pub fn of(member: &Member) -> Self {
        Self { id: member.id, display_name: member.display_name() }
    }
}

/// One row of a record's team.
#[derive(Debug, Serialize)]
pub struct TeamRow {
    pub id: MemberId,
    pub display_name: String,
    pub email: String,
    pub sources: Vec<String>,
}

/// How many active members are on a record's team, each counted once.
#[must_use]
pub fn team_len(record: &Record, team_fields: &[&Field], members: &Members) -> usize {
    let mut ids = record.explicit_team();
    for field in team_fields {
        each_member(record, field, |id| ids.push(id));
    }
    ids.sort_unstable();
    ids.dedup();
    ids.iter().filter(|id| members.active(id).is_some()).count()
}

/// The active members on a record's team with every reason for each: the owner, fields in the
/// schema's order, those put on it one by one.
#[must_use]
pub fn team_rows(record: &Record, team_fields: &[&Field], members: &Members) -> Vec<TeamRow> {
    let mut rows: Vec<TeamRow> = Vec::new();
    let mut places: HashMap<MemberId, usize> = HashMap::new();
    let mut add = |id: MemberId, source: &str| {
        let Some(member) = members.active(&id) else { return };
        let place = *places.entry(id).or_insert_with(|| {
            let (display_name, email) = (member.display_name(), member.email.clone());
            rows.push(TeamRow { id, display_name, email, sources: Vec::new() });
            rows.len() - 1
        });
        rows[place].sources.push(source.to_owned());
    };
    for field in team_fields {
        let source = if field.number == system::OWNER {
            "owner".to_owned()
        } else {
            format!("field:{}", field.name)
        };
        each_member(record, field, |id| add(id, &source));
    }
    record.explicit_team().into_iter().for_each(|id| add(id, "explicit"));
    rows
}
