//! What a new data directory begins with: one business, its administrator and key, the contact
//! object, the activity type for tasks. All of it is one commit.

use crate::engine::states::States;
use crate::model::agenda::{self, ActivityType, AssociationMode};
use crate::model::catalog::api_key::{ApiKey, SecretHash};
use crate::model::catalog::member::{AccountType, Member};
use crate::model::catalog::{self, Birth, Catalog, ObjectEntry, Role};
use crate::model::id::{
    ActivityTypeId, ApiKeyId, BatchId, BusinessId, HistoryId, MemberId, Position, RoleId, Sequence,
    Timestamp, UserId, WriterId,
};
use crate::model::moment::Moment;
use crate::model::root::{self, Root};
use crate::model::schema::default_fields;
use crate::model::state::{Newborn, State};
use crate::model::table::event::Stamp;
use crate::storage::committer::{CommitQueue, Seat};
use crate::storage::part::Part;
use std::sync::Arc;

/// The values a first start begins with: those of `bootstrap.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// The secret alone, shown once.
    pub api_key: String,
    pub business_id: BusinessId,
    pub user_id: UserId,
}

/// The characters that tell keys of our own making apart; empty for a secret of another form.
#[must_use]
pub fn key_prefix(secret: &str) -> &str {
    let mut parts = secret.split('_');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("upd"), Some(prefix), Some(_)) if prefix.len() == 8 => prefix,
        _ => "",
    }
}

/// The first commit of a new directory on its way: handed to the committer, and applied to the empty
/// states when it is durable.
pub struct Founding {
    commit: Vec<Newborn>,
    at: Timestamp,
    position: Position,
}

impl Founding {
    /// Puts the commit into the open frame; `seat` is woken when that is durable.
    #[must_use]
    pub fn begin(
        bootstrap: &Bootstrap,
        moment: &mut Moment,
        queue: &CommitQueue,
        seat: &Arc<Seat>,
    ) -> Self {
        let (commit, at) = (first_commit(bootstrap, moment), moment.at());
        let parts: Vec<Part<'_>> = commit.iter().map(|born| part_of(born, at)).collect();
        let position = queue.append(&parts, seat);
        Self { commit, at, position }
    }

    /// Where it stands in the log.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Applies what has become durable.
    ///
    /// # Panics
    /// If the states are not empty.
    pub fn apply(&self, states: &mut States) {
        for born in &self.commit {
            let part = part_of(born, self.at);
            states.replay(self.position, &part).expect("our own first events fit empty states");
        }
    }
}

fn part_of(born: &Newborn, time: Timestamp) -> Part<'_> {
    Part {
        writer: born.writer,
        first_sequence: born.first_sequence,
        time,
        event_count: born.event_count,
        events: &born.bytes,
    }
}

/// The first part of each state that is born, in the order it is to be applied.
fn first_commit(bootstrap: &Bootstrap, moment: &mut Moment) -> Vec<Newborn> {
    let business = bootstrap.business_id;
    let member = MemberId(bootstrap.user_id.0);
    let stamp = Stamp {
        at: moment.at(),
        actor: member,
        origin: "bootstrap".into(),
        batch: BatchId(moment.id()),
    };
    let founding = root::Event::BusinessCreated {
        at: stamp.at,
        actor: member,
        batch: stamp.batch,
        business: root::Business {
            id: business,
            name: "default".to_owned(),
            timezone: "UTC".to_owned(),
            country: "US".to_owned(),
            phone_default_region: "US".to_owned(),
            created: stamp.at,
        },
    };
    let catalog_events = first_catalog_events(bootstrap, &stamp, moment);
    let task =
        agenda::Event { stamp: stamp.clone(), change: agenda::Change::TypeCreated(task(moment)) };
    let mut commit = vec![
        part::<Root>(WriterId::Root, &[founding]),
        part::<Catalog>(WriterId::Catalog(business), &catalog_events),
        part::<agenda::Agenda>(WriterId::Agenda(business), &[task]),
    ];
    commit.extend(catalog_events.iter().filter_map(Catalog::newborn));
    commit
}

fn part<S: State>(writer: WriterId, events: &[S::Event]) -> Newborn {
    let mut bytes = Vec::new();
    for event in events {
        S::encode(event, &mut bytes);
    }
    let event_count = u32::try_from(events.len()).expect("a first start has few events");
    Newborn { writer, first_sequence: Sequence(0), event_count, bytes }
}

fn first_catalog_events(
    bootstrap: &Bootstrap,
    stamp: &Stamp,
    moment: &mut Moment,
) -> Vec<catalog::Event> {
    let role = Role { id: RoleId(moment.id()), name: "Administrator".to_owned(), is_admin: true };
    let member = Member {
        id: stamp.actor,
        user_id: bootstrap.user_id,
        email: "admin@upsertd.invalid".to_owned(),
        first_name: String::new(),
        last_name: String::new(),
        title: String::new(),
        account_type: AccountType::UserStandard,
        is_active: true,
        roles: vec![role.id],
        is_admin: true,
        created: stamp.at,
    };
    let api_key = ApiKey {
        id: ApiKeyId(moment.id()),
        name: "bootstrap".to_owned(),
        prefix: key_prefix(&bootstrap.api_key).to_owned(),
        origin: "bootstrap".into(),
        member: member.id,
        hash: SecretHash::of(&bootstrap.api_key),
        created: stamp.at,
        expires_at: None,
        last_used: None,
    };
    let schema = Arc::new(default_fields::contacts(stamp.at, &mut || moment.id()));
    let entry = ObjectEntry { id: schema.object().id, name: schema.object().name.clone() };
    let birth = Some(Birth { history: HistoryId(moment.id()), schema });
    [
        catalog::Change::RoleCreated(role),
        catalog::Change::MemberCreated(member),
        catalog::Change::ApiKeyCreated(api_key),
        catalog::Change::ObjectCreated { entry, birth },
    ]
    .into_iter()
    .map(|change| catalog::Event { stamp: stamp.clone(), change })
    .collect()
}

fn task(moment: &mut Moment) -> ActivityType {
    ActivityType {
        id: ActivityTypeId(moment.id()),
        name: "Task".to_owned(),
        api_name: "task".to_owned(),
        description: String::new(),
        association_mode: AssociationMode::AllObjectsAssociated,
        created: moment.at(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Bootstrap, Founding};
    use crate::engine::states::States;
    use crate::model::id::{BusinessId, Position, Timestamp, UserId};
    use crate::model::moment::Moment;
    use crate::model::table::test_support::SETTING;
    use crate::storage::committer::{CommitOptions, CommitQueue, Committer, Seat, Wake};
    use crate::storage::log::LogReader as _;
    use crate::storage::memory_log::MemoryFrames;

    struct Nobody;

    impl Wake for Nobody {
        fn wake(&self) {}
    }

    /// The log's retention goes by the time of its parts: without one, what the very first frame
    /// says looked older than every bound.
    #[test]
    fn the_first_commit_says_when_it_happened() {
        let (frames, at) = (MemoryFrames::default(), Timestamp(1_700_000_000_000));
        let queue = CommitQueue::new(Position(0), CommitOptions::default());
        let mut committer = Committer::new(queue.clone(), Box::new(frames.lead()));
        let bootstrap = Bootstrap {
            api_key: "upd_secret".into(),
            business_id: BusinessId::from_bytes([7; 16]),
            user_id: UserId::from_bytes([8; 16]),
        };
        let seat = Seat::new(Box::new(Nobody));
        let founding = Founding::begin(&bootstrap, &mut Moment::new(1, at), &queue, &seat);
        assert!(committer.step().unwrap());
        assert_eq!((queue.durable(), founding.position()), (Position(1), Position(1)));
        let frames = frames.read(Position(0), 0).unwrap();
        let times: Vec<_> = frames[0].parts().map(|part| part.unwrap().time).collect();
        assert_eq!(times, [at; 4]);
        let mut states = States::empty(SETTING);
        founding.apply(&mut states);
        assert_eq!(states.newest, at);
        states.check().unwrap();
    }
}
