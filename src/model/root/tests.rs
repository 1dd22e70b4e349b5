//! The root: businesses are made whole, changed and archived, and log and image give the same.

use super::command::{
    Ask, BusinessEdit, Command, FirstKey, Founded, NewBusiness, Rejection, Reply,
};
use super::{Business, Event, Root};
use crate::model::agenda::Agenda;
use crate::model::catalog::Catalog;
use crate::model::catalog::api_key::SecretHash;
use crate::model::catalog::command::NewMember;
use crate::model::catalog::member::AccountType;
use crate::model::id::{BatchId, BusinessId, MemberId, Timestamp, WriterId};
use crate::model::moment::Moment;
use crate::model::state::State;
use crate::model::table::Table;
use crate::model::table::test_support::SETTING;

struct Rig {
    root: Root,
    moment: Moment,
    log: Vec<u8>,
    events: Vec<Event>,
}

impl Rig {
    fn new() -> Self {
        let moment = Moment::new(3, Timestamp(5_000));
        Self { root: Root::default(), moment, log: Vec::new(), events: Vec::new() }
    }

    fn run(&mut self, ask: Ask) -> Result<Reply, Rejection> {
        let (actor, batch) = (MemberId::from_bytes([1; 16]), BatchId::from_bytes([2; 16]));
        let command = Command { actor, batch, retry: None, ask };
        assert!(Root::on_plain_state(&command), "the root has no draft");
        let mut events = Vec::new();
        let answer = self.root.decide(&(), command, &mut self.moment, &mut events);
        for event in events {
            Root::encode(&event, &mut self.log);
            self.root.apply(&event);
            self.events.push(event);
        }
        answer
    }

    fn found(&mut self, number: u8) -> Founded {
        match self.run(create(number)) {
            Ok(Reply::Founded(founded)) => *founded,
            other => panic!("{other:?}"),
        }
    }

    fn held(&self, id: BusinessId) -> Business {
        (*self.root.shown().load()[&id]).clone()
    }

    /// Asserts that log and image give the same businesses.
    fn check(&self) {
        let mut image = Vec::new();
        self.root.encode_image(&mut image);
        let mut replayed = Root::default();
        assert_eq!(replayed.replay(&self.log).unwrap() as usize, self.events.len());
        let loaded = Root::from_image(&image).unwrap();
        assert_eq!(**replayed.shown().load(), **self.root.shown().load());
        assert_eq!(**loaded.shown().load(), **self.root.shown().load());
    }
}

fn create(number: u8) -> Ask {
    Ask::Create(Box::new(NewBusiness {
        id: Some(BusinessId::from_bytes([number; 16])),
        name: format!("business {number}"),
        timezone: "UTC".into(),
        country: "US".into(),
        phone_default_region: "US".into(),
        admin: NewMember {
            id: None,
            user_id: None,
            email: "ann@x.io".into(),
            first_name: "Ann".into(),
            last_name: String::new(),
            title: String::new(),
            account_type: AccountType::UserStandard,
            roles: None,
            permission_groups: Vec::new(),
        },
        key: FirstKey {
            name: "operator".into(),
            prefix: String::new(),
            hash: SecretHash::of("a secret of sixteen"),
        },
    }))
}

fn edit(id: BusinessId) -> BusinessEdit {
    BusinessEdit { id, name: None, timezone: None, country: None, phone_default_region: None }
}

#[test]
fn log_and_image_give_the_same_businesses() {
    let mut rig = Rig::new();
    for number in [3, 1, 2] {
        rig.found(number);
    }
    assert_eq!(rig.root.shown().load().len(), 3);
    rig.check();
    let mut ends = vec![0];
    for event in &rig.events {
        let mut bytes = Vec::new();
        Root::encode(event, &mut bytes);
        ends.push(ends.last().unwrap() + bytes.len());
    }
    for length in 1..rig.log.len() {
        let is_whole = ends.contains(&length);
        assert_eq!(Root::default().replay(&rig.log[..length]).is_ok(), is_whole, "cut at {length}");
    }
}

#[test]
fn a_business_is_born_with_all_its_states() {
    let mut rig = Rig::new();
    let founded = rig.found(1);
    let id = founded.business.id;
    let born = Root::newborns(&rig.events[0]);
    let mut catalog = Catalog::unborn(id);
    let mut agenda = Agenda::unborn(id);
    assert_eq!((born[0].writer, born[1].writer), (WriterId::Catalog(id), WriterId::Agenda(id)));
    assert_eq!(catalog.replay(&born[0].bytes).unwrap(), born[0].event_count);
    assert_eq!(agenda.replay(&born[1].bytes).unwrap(), born[1].event_count);
    let view = catalog.shown().load_full();
    assert_eq!(view.members.by_email("ANN@x.io").map(|member| &**member), Some(&founded.member));
    assert!(view.is_admin(founded.member.id) && founded.member.is_active);
    let key = view.api_keys.of_secret("a secret of sixteen");
    assert_eq!(key.map(|key| &**key), Some(&founded.key));
    assert!(agenda.shown().offered_type_of_name("task").is_some());
    let objects = view.objects.clone();
    assert_eq!((objects.len(), born.len()), (1, 3));
    let (table, count) = Table::from_birth(&born[2].bytes, SETTING).unwrap();
    assert_eq!((count, table.object(), born[2].writer), (1, objects[0].id, table.writer()));
    // A stored event has no birth: nobody is born twice.
    let mut log = &rig.log[..];
    let stored: Event = crate::model::stored::decode(&mut log, "an event").unwrap();
    assert!(Root::newborns(&stored).is_empty());
}

#[test]
fn a_business_is_changed_and_archived_once() {
    let mut rig = Rig::new();
    let id = rig.found(1).business.id;
    assert_eq!(rig.run(create(1)).unwrap_err(), Rejection::IdTaken);
    let timezone = Some("Europe/Berlin".to_owned());
    rig.run(Ask::Update(Box::new(BusinessEdit { timezone, ..edit(id) }))).unwrap();
    let held = rig.held(id);
    assert_eq!((&*held.timezone, &*held.name), ("Europe/Berlin", "business 1"));
    rig.run(Ask::Update(Box::new(edit(id)))).unwrap();
    assert_eq!(rig.events.len(), 2, "a change of nothing is no event");
    rig.moment.set(Timestamp(6_000));
    for _ in 0..2 {
        rig.run(Ask::Archive(id)).unwrap();
        rig.moment.set(Timestamp(7_000));
    }
    assert_eq!((rig.held(id).archived_at, rig.events.len()), (Some(Timestamp(6_000)), 3));
    assert!(Root::newborns(&rig.events[2]).is_empty());
    let unknown = BusinessId::from_bytes([9; 16]);
    assert_eq!(rig.run(Ask::Archive(unknown)).unwrap_err(), Rejection::NotFound);
    let missing = rig.run(Ask::Update(Box::new(edit(unknown))));
    assert_eq!(missing.unwrap_err(), Rejection::NotFound);
    rig.check();
}
