//! What a table makes of a command about records, written down the naive way, by what the contract
//! says. Deciding changes a copy and notes the changes.

use crate::simulation::ask::{Ask, Owner, Partner, STAGE, Writes};
use crate::simulation::world::people::{FOUNDER, People};
use crate::simulation::world::{Answer, Change, Record, RecordNumber, Table, TableName, Taken};
use std::collections::BTreeSet;
use upsertd::model::id::Timestamp;
use upsertd::model::table::command::{Action, ArchivedConflict, ArchivedMatch};

/// A table while one command changes it.
pub(super) struct Draft<'a> {
    pub(super) name: TableName,
    pub(super) table: Table,
    pub(super) people: &'a People,
    /// What a deal may be related to.
    pub(super) live_accounts: BTreeSet<RecordNumber>,
    pub(super) at: Timestamp,
    pub(super) changes: Vec<Change>,
}

impl Draft<'_> {
    pub(super) fn decide(&mut self, ask: &Ask, addressed: Option<RecordNumber>) -> Answer {
        match ask {
            Ask::Upsert { lookup, writes, archived_match, archived_conflict } => {
                let modes = (*archived_match, *archived_conflict);
                self.upsert(lookup, writes, modes)
            }
            Ask::Add { writes, archived_match } => {
                self.create(writes, "", (*archived_match, ArchivedConflict::Refuse))
            }
            Ask::Update { writes, archived_conflict, .. } => match self.live(addressed) {
                Some(number) => self.update(number, writes, *archived_conflict),
                None => Answer::NotFound,
            },
            Ask::Archive(_) => match self.live(addressed) {
                Some(number) => {
                    let record = Record { is_archived: true, ..self.record(number).clone() };
                    self.put(number, record);
                    Answer::Done
                }
                None => Answer::NotFound,
            },
            Ask::Unarchive(_) => self.unarchive(addressed),
            Ask::Purge(_) => self.purge(addressed),
        }
    }

    fn record(&self, number: RecordNumber) -> &Record {
        &self.table.records[&number]
    }

    fn live(&self, addressed: Option<RecordNumber>) -> Option<RecordNumber> {
        let found = addressed.filter(|number| self.table.records.contains_key(number));
        found.filter(|number| !self.record(*number).is_archived)
    }

    /// The record's next version.
    fn put(&mut self, number: RecordNumber, mut record: Record) -> Record {
        record.version += 1;
        record.sequence = self.table.sequence + 1;
        self.table.put(number, &record);
        self.changes.push(Change::Put(self.name, number, record.clone()));
        record
    }

    fn upsert(
        &mut self,
        lookup: &str,
        writes: &Writes,
        modes: (ArchivedMatch, ArchivedConflict),
    ) -> Answer {
        match self.table.holder(lookup) {
            Some(found) if !self.record(found).is_archived => self.update(found, writes, modes.1),
            Some(archived) => match modes.0 {
                ArchivedMatch::Prompt => self.prompt(archived, writes),
                ArchivedMatch::Unarchive => self.restore(archived, writes, modes.1),
                ArchivedMatch::Overwrite => self.create(writes, lookup, modes),
                ArchivedMatch::Skip => unreachable!("no scenario passes archived records over"),
            },
            None => self.create(writes, lookup, modes),
        }
    }

    fn prompt(&self, archived: RecordNumber, writes: &Writes) -> Answer {
        let holders = self.code_holders(writes, None);
        Answer::Taken(Taken { holders, archived: Some(archived), ..Taken::default() })
    }

    fn create(
        &mut self,
        writes: &Writes,
        lookup: &str,
        modes: (ArchivedMatch, ArchivedConflict),
    ) -> Answer {
        let name = writes.name.as_deref().unwrap_or(lookup);
        let mut holders = self.code_holders(writes, None);
        let mut displaced = None;
        match self.table.holder(name) {
            Some(live) if !self.record(live).is_archived => {
                holders.insert(live);
            }
            Some(archived) => match modes.0 {
                ArchivedMatch::Prompt => return self.prompt(archived, writes),
                ArchivedMatch::Unarchive => return self.restore(archived, writes, modes.1),
                ArchivedMatch::Overwrite => displaced = Some(archived),
                ArchivedMatch::Skip => unreachable!("no scenario passes archived records over"),
            },
            None => {}
        }
        if !holders.is_empty() {
            return Answer::Taken(Taken { holders, ..Taken::default() });
        }
        if let Some(displaced) = displaced {
            self.displace(displaced);
        }
        let number = RecordNumber(self.table.next);
        self.take_partner(number, writes);
        let mut record = Record { name: name.trim().to_owned(), ..Record::default() };
        // The first stage, unless the request says otherwise.
        let stages = self.table.fields.get(STAGE);
        record.choices.extend(stages.map(|field| (STAGE, field.options[0])));
        let record = self.owned(self.with(&record, writes));
        let record = self.put(number, record);
        Answer::Record(Action::Created, number, record)
    }

    fn update(&mut self, number: RecordNumber, writes: &Writes, mode: ArchivedConflict) -> Answer {
        let new = self.with(self.record(number), writes);
        let mut taken =
            Taken { holders: self.code_holders(writes, Some(number)), ..Taken::default() };
        let displaced = self.check_name(number, &new.name, mode, &mut taken);
        if taken != Taken::default() {
            return Answer::Taken(taken);
        }
        if new == *self.record(number) {
            return Answer::Record(Action::Updated, number, new);
        }
        if let Some(displaced) = displaced {
            self.displace(displaced);
        }
        self.take_partner(number, writes);
        let new = self.owned(new);
        let record = self.put(number, new);
        Answer::Record(Action::Updated, number, record)
    }

    /// Brings an archived record back, then lets the writes win.
    fn restore(&mut self, number: RecordNumber, writes: &Writes, mode: ArchivedConflict) -> Answer {
        let old = self.record(number);
        let back = Record { is_archived: false, displaced_from: None, ..old.clone() };
        let mut new = self.with(&back, writes);
        self.give_up_partner(number, &mut new, writes);
        let mut taken =
            Taken { holders: self.code_holders(writes, Some(number)), ..Taken::default() };
        let displaced = self.check_name(number, &new.name, mode, &mut taken);
        if writes.code.is_none() && taken.archived.is_none() {
            taken.clashes = self.clashes(&new);
        }
        if taken != Taken::default() {
            return Answer::Taken(taken);
        }
        if let Some(displaced) = displaced {
            self.displace(displaced);
        }
        self.take_partner(number, writes);
        let new = self.owned(new);
        let record = self.put(number, new);
        Answer::Record(Action::Unarchived, number, record)
    }

    fn unarchive(&mut self, addressed: Option<RecordNumber>) -> Answer {
        let found = addressed.filter(|number| self.table.records.contains_key(number));
        let Some(number) = found else { return Answer::NotFound };
        let old = self.record(number).clone();
        if !old.is_archived {
            return Answer::Record(Action::Unchanged, number, old);
        }
        let mut new = Record { is_archived: false, displaced_from: None, ..old.clone() };
        if let Some(original) = old.displaced_from.filter(|name| self.table.holder(name).is_none())
        {
            new.name = original;
        }
        self.give_up_partner(number, &mut new, &Writes::default());
        let clashes = self.clashes(&new);
        if !clashes.is_empty() {
            return Answer::Taken(Taken { clashes, ..Taken::default() });
        }
        let new = self.owned(new);
        let record = self.put(number, new);
        Answer::Record(Action::Unarchived, number, record)
    }

    fn purge(&mut self, addressed: Option<RecordNumber>) -> Answer {
        let found = addressed.filter(|number| self.table.records.contains_key(number));
        let Some(number) = found else { return Answer::NotFound };
        if !self.record(number).is_archived {
            return Answer::NotArchived;
        }
        self.table.purge(number);
        self.changes.push(Change::Purged(self.name, number));
        Answer::Done
    }

    /// Whether a record may take a name; who must give it up.
    fn check_name(
        &self,
        own: RecordNumber,
        name: &str,
        mode: ArchivedConflict,
        taken: &mut Taken,
    ) -> Option<RecordNumber> {
        let holder = self.table.holder(name).filter(|holder| *holder != own)?;
        if !self.record(holder).is_archived {
            taken.holders.insert(holder);
            return None;
        }
        match mode {
            ArchivedConflict::Overwrite => Some(holder),
            ArchivedConflict::Refuse => {
                taken.archived = Some(holder);
                None
            }
        }
    }

    /// Others that have the code which is written.
    fn code_holders(&self, writes: &Writes, own: Option<RecordNumber>) -> BTreeSet<RecordNumber> {
        let written = writes.code.as_deref().filter(|code| !code.is_empty());
        let holder = written.and_then(|code| self.table.code_holder(code));
        holder.filter(|holder| own != Some(*holder)).into_iter().collect()
    }

    /// Others that have the code of a record that comes back.
    fn clashes(&self, restored: &Record) -> BTreeSet<RecordNumber> {
        let holder = restored.code.as_deref().and_then(|code| self.table.code_holder(code));
        holder.into_iter().collect()
    }

    /// The live deal, but this one, that is related to an account.
    fn other_with(&self, partner: RecordNumber, own: RecordNumber) -> Option<RecordNumber> {
        let is_it = |(number, record): &(&RecordNumber, &Record)| {
            **number != own && !record.is_archived && record.partner == Some(partner)
        };
        self.table.records.iter().find(is_it).map(|(number, _)| *number)
    }

    /// Whoever has the account that is written loses it.
    fn take_partner(&mut self, own: RecordNumber, writes: &Writes) {
        let Some(Partner::Found(partner, _)) = writes.partner else { return };
        if let Some(loser) = self.other_with(partner, own) {
            let record = Record { partner: None, ..self.record(loser).clone() };
            self.put(loser, record);
        }
    }

    /// Who comes back does not take what another has taken meanwhile.
    fn give_up_partner(&self, own: RecordNumber, new: &mut Record, writes: &Writes) {
        let is_written = matches!(writes.partner, Some(Partner::Found(..)));
        new.partner.take_if(|it| !is_written && self.other_with(*it, own).is_some());
    }

    /// A record whose owner is not there is its caller's.
    fn owned(&self, record: Record) -> Record {
        let owner = self.people.reads(record.owner.as_ref());
        Record { owner: Some(owner.unwrap_or_else(|| FOUNDER.to_owned())), ..record }
    }

    /// A record with the values of a request.
    fn with(&self, record: &Record, writes: &Writes) -> Record {
        let mut new = with(record, writes);
        match writes.partner {
            Some(Partner::Found(partner, _)) => new.partner = Some(partner),
            // One that is archived comes back with its account, and one that is purged never does.
            Some(Partner::Nobody) => {
                new.partner.take_if(|it| self.live_accounts.contains(it));
            }
            Some(Partner::Named(_)) | None => {}
        }
        new
    }

    /// Frees an archived record's identifier.
    fn displace(&mut self, number: RecordNumber) {
        let old = self.record(number).clone();
        let mark = format!("{}_discarded_{}", old.name, self.at.0);
        let spellings =
            std::iter::once(mark.clone()).chain((2..).map(|again| format!("{mark}_{again}")));
        let name = spellings.into_iter().find(|name| self.table.holder(name).is_none());
        let name = name.expect("there are more spellings than records");
        let displaced_from = Some(old.displaced_from.clone().unwrap_or(old.name.clone()));
        self.put(number, Record { name, displaced_from, ..old });
    }
}

/// A record with the values of a request that are its own.
fn with(record: &Record, writes: &Writes) -> Record {
    let mut new = record.clone();
    let text = |given: &str| (!given.is_empty()).then(|| given.to_owned());
    if let Some(name) = &writes.name {
        new.name.clone_from(name);
    }
    if let Some(note) = &writes.note {
        new.note = text(note);
    }
    if let Some(code) = &writes.code {
        new.code = text(code);
    }
    if let Some(Owner::Found(email, _)) = &writes.owner {
        new.owner = Some(email.clone());
    }
    if let Some((field, option)) = writes.choice {
        if option.is_empty() {
            new.choices.remove(field);
        } else {
            new.choices.insert(field, option);
        }
    }
    if let Some(label) = &writes.label
        && !new.labels.contains(label)
    {
        new.labels.push(label.clone());
    }
    new
}
