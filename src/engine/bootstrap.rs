//! What a new data directory begins with: one business, its administrator and key, the contact
//! object, the activity type for tasks. All of it is one commit.

use crate::engine::states::States;
use crate::model::catalog::api_key::SecretHash;
use crate::model::catalog::command::NewMember;
use crate::model::catalog::member::AccountType;
use crate::model::id::{BatchId, BusinessId, MemberId, Position, Timestamp, UserId, WriterId};
use crate::model::moment::Moment;
use crate::model::root::Root;
use crate::model::root::command::{Ask, Command, FirstKey, NewBusiness};
use crate::model::state::{Newborn, State as _};
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
    let member = MemberId(bootstrap.user_id.0);
    let new = NewBusiness {
        id: Some(bootstrap.business_id),
        name: "default".to_owned(),
        timezone: "UTC".to_owned(),
        country: "US".to_owned(),
        phone_default_region: "US".to_owned(),
        admin: NewMember {
            id: Some(member),
            user_id: Some(bootstrap.user_id),
            email: "admin@upsertd.invalid".to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            title: String::new(),
            account_type: AccountType::UserStandard,
            roles: None,
            permission_groups: Vec::new(),
        },
        key: FirstKey {
            name: "bootstrap".to_owned(),
            prefix: key_prefix(&bootstrap.api_key).to_owned(),
            hash: SecretHash::of(&bootstrap.api_key),
        },
    };
    let batch = BatchId(moment.id());
    let command = Command { actor: member, batch, retry: None, ask: Ask::Create(Box::new(new)) };
    let mut events = Vec::new();
    let decided = Root::default().decide(&(), command, moment, &mut events);
    decided.expect("nothing is in the way of the first business");
    let mut commit = vec![Newborn::of::<Root>(WriterId::Root, &events)];
    commit.extend(events.iter().flat_map(Root::newborns));
    commit
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
