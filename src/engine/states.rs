//! The states of a partition while they are recovered: what a snapshot gives, and the log after it.

use crate::model::agenda::Agenda;
use crate::model::catalog::Catalog;
use crate::model::id::{BusinessId, ObjectId, Position, Timestamp, WriterId};
use crate::model::root::Root;
use crate::model::table::event_form::Misfit;
use crate::model::table::{Setting, Table};
use crate::storage::part::Part;
use std::collections::{BTreeMap, HashMap};

/// All states of one partition.
pub struct States {
    setting: Setting,
    pub root: Root,
    pub catalogs: BTreeMap<BusinessId, Catalog>,
    pub agendas: BTreeMap<BusinessId, Agenda>,
    pub tables: BTreeMap<ObjectId, Table>,
    /// As of which frame a snapshot gave each state: frames up to it are in it already.
    loaded: HashMap<WriterId, Position>,
    /// When the newest event happened.
    pub newest: Timestamp,
}

impl States {
    /// Before anything has happened.
    #[must_use]
    pub fn empty(setting: Setting) -> Self {
        Self {
            setting,
            root: Root::default(),
            catalogs: BTreeMap::new(),
            agendas: BTreeMap::new(),
            tables: BTreeMap::new(),
            loaded: HashMap::new(),
            newest: Timestamp::default(),
        }
    }

    #[must_use]
    pub fn setting(&self) -> Setting {
        self.setting
    }

    /// Whether nothing has ever happened here.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.root.shown().load().is_empty()
    }

    /// Notes that a snapshot gave this state.
    pub fn note_loaded(&mut self, writer: WriterId, position: Position) {
        self.loaded.insert(writer, position);
    }

    /// Applies one part of a frame. Gives the number of events that were applied.
    pub fn replay(&mut self, position: Position, part: &Part<'_>) -> Result<u32, Misfit> {
        if self.loaded.get(&part.writer).is_some_and(|loaded| position <= *loaded) {
            return Ok(0);
        }
        self.newest = self.newest.max(part.time);
        let events = part.events;
        let count = match part.writer {
            WriterId::Root => self.root.replay(events)?,
            WriterId::Catalog(id) => {
                self.catalogs.entry(id).or_insert_with(|| Catalog::unborn(id)).replay(events)?
            }
            WriterId::Agenda(id) => {
                self.agendas.entry(id).or_insert_with(|| Agenda::unborn(id)).replay(events)?
            }
            WriterId::Table(id) => self.replay_table(id, events)?,
        };
        if count != part.event_count {
            let (expected, found) = (u64::from(part.event_count), u64::from(count));
            return Err(Misfit::Order { what: "a part's count of events", expected, found });
        }
        Ok(count)
    }

    fn replay_table(&mut self, id: ObjectId, events: &[u8]) -> Result<u32, Misfit> {
        if let Some(table) = self.tables.get_mut(&id) {
            return table.replay(events);
        }
        let (table, count) = Table::from_birth(events, self.setting)?;
        if table.object() != id {
            return Err(Misfit::Unknown { what: format!("object {id}") });
        }
        self.tables.insert(id, table);
        Ok(count)
    }

    /// Whether every business has all its states and every object its table.
    pub fn check(&self) -> Result<(), Misfit> {
        let lack = |what: String| Err(Misfit::Unknown { what });
        let mut tables = 0;
        for business in self.root.shown().load().keys() {
            let Some(catalog) = self.catalogs.get(business) else {
                return lack(format!("the catalog of business {business}"));
            };
            if !self.agendas.contains_key(business) {
                return lack(format!("the agenda of business {business}"));
            }
            for entry in catalog.shown().load().objects.iter() {
                if !self.tables.contains_key(&entry.id) {
                    return lack(format!("the table of object {}", entry.id));
                }
                tables += 1;
            }
        }
        if tables == self.tables.len() { Ok(()) } else { lack("the object of a table".to_owned()) }
    }
}
