//! The relation between two objects, written down the naive way: an account has one deal, and a
//! deal one account. Its mirror is there or not, and follows the owning field.

use crate::simulation::ask::{MIRROR, PARTNER};
use crate::simulation::world::{
    ACCOUNTS, Change, Field, PIPELINE, RecordNumber, Table, TableName, World,
};
use std::collections::BTreeSet;

/// A step that makes or ends the relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relating {
    MakeMirror,
    /// It has to have a mirror by then.
    MakeOwner,
    DeleteOwner,
    /// Both sides are compared, as they are after each change of a schema.
    Settle,
}

/// How far a mirror is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mirror {
    #[default]
    Missing,
    Pending,
    Shown,
}

/// Numbers of records that are lost begin here: nobody is ever made under one of them.
const LOST: u32 = 1 << 31;

impl World {
    /// The live records of a table.
    pub(super) fn live(&self, table: TableName) -> BTreeSet<RecordNumber> {
        let records = self.tables.get(table).into_iter().flat_map(|table| &table.records);
        records.filter(|(_, record)| !record.is_archived).map(|(number, _)| *number).collect()
    }

    /// Whether deals lead to accounts that are there.
    pub(crate) fn is_related(&self) -> bool {
        let owner = self.tables.get(PIPELINE);
        let is_owned = owner.is_some_and(|it| it.fields.contains_key(PARTNER) && !it.is_cut_off);
        is_owned && self.tables.contains_key(ACCOUNTS)
    }

    /// What one step makes of the relation; none where it could only be refused.
    pub(crate) fn decide_relating(&self, asked: Relating) -> Option<Change> {
        let (owner, accounts) = (self.tables.get(PIPELINE)?, self.tables.get(ACCOUNTS)?);
        let is_owned = owner.fields.contains_key(PARTNER);
        match asked {
            Relating::MakeMirror => (!is_owned && accounts.mirror == Mirror::Missing)
                .then_some(Change::MirrorMade(ACCOUNTS)),
            Relating::MakeOwner => (!is_owned && accounts.mirror == Mirror::Pending)
                .then_some(Change::Field(PIPELINE, PARTNER)),
            Relating::DeleteOwner | Relating::Settle => None,
        }
    }

    /// What comparing both sides leads to. Only a start drops what may be in the making.
    pub(crate) fn decide_settling(&self, is_start: bool) -> Option<Change> {
        let mirror = self.tables.get(ACCOUNTS)?.mirror;
        match (mirror, self.is_related()) {
            (Mirror::Missing | Mirror::Pending, true) => Some(Change::MirrorShown(ACCOUNTS)),
            (Mirror::Shown, false) => Some(Change::MirrorDropped(ACCOUNTS)),
            (Mirror::Pending, false) => is_start.then_some(Change::MirrorDropped(ACCOUNTS)),
            (Mirror::Missing, false) | (Mirror::Shown, true) => None,
        }
    }

    /// The records that a record reads in its relationship field.
    pub(crate) fn related(&self, table: TableName, number: RecordNumber) -> Vec<RecordNumber> {
        if !self.is_related() || !self.live(table).contains(&number) {
            return Vec::new();
        }
        let deals = &self.tables[PIPELINE].records;
        if table == PIPELINE {
            let partner = deals[&number].partner;
            return partner.filter(|it| self.live(ACCOUNTS).contains(it)).into_iter().collect();
        }
        let is_shown = table == ACCOUNTS && self.tables[ACCOUNTS].mirror == Mirror::Shown;
        let leads_here = |deal: &RecordNumber| is_shown && deals[deal].partner == Some(number);
        self.live(PIPELINE).into_iter().filter(leads_here).collect()
    }

    /// Marks what led to something that a restored snapshot does not have, and never will.
    pub(crate) fn cut_loose(&mut self) {
        self.forget_what_is_gone();
        let people = &self.people;
        for record in self.tables.values_mut().flat_map(|table| table.records.values_mut()) {
            record.owner = people.reads(record.owner.as_ref());
        }
        let next = self.tables.get(ACCOUNTS).map(|table| table.next);
        let Some(deals) = self.tables.get_mut(PIPELINE) else { return };
        deals.is_cut_off |= next.is_none() && deals.fields.contains_key(PARTNER);
        for record in deals.records.values_mut() {
            if let Some(partner) = &mut record.partner
                && partner.0 >= next.unwrap_or_default()
            {
                partner.0 |= LOST;
            }
        }
    }
}

impl Table {
    pub(super) fn turn_mirror(&mut self, mirror: Mirror) {
        self.sequence += 1;
        self.mirror = mirror;
        if mirror == Mirror::Shown {
            self.fields.insert(MIRROR, Field::new(MIRROR));
        } else {
            self.fields.remove(MIRROR);
        }
    }
}
