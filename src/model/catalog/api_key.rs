//! API keys: whose they are, and how a secret is recognised.

use crate::model::id::{ApiKeyId, MemberId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// SHA-256 of a secret. Secrets are random, so a fast hash is enough; nothing stores the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

/// A key of one member; it inherits the member's rights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub name: String,
    /// The eight characters that tell keys apart; empty for a secret that was brought along.
    pub prefix: String,
    pub origin: Arc<str>,
    pub member: MemberId,
    pub hash: SecretHash,
    pub created: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// The hour in which it last let somebody in.
    #[serde(default)]
    pub last_used: Option<Timestamp>,
}

/// The start of the hour, which is as exact as a key's use is kept.
#[must_use]
pub fn hour_of(at: Timestamp) -> Timestamp {
    const HOUR_MS: i64 = 60 * 60 * 1000;
    Timestamp(at.0 - at.0.rem_euclid(HOUR_MS))
}

impl ApiKey {
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// The keys of one business at one instant.
#[derive(Clone, Debug, Default)]
pub struct ApiKeys {
    by_hash: HashMap<SecretHash, Arc<ApiKey>>,
}

impl ApiKeys {
    /// The key of this secret. Found by the secret's hash, which nobody can steer, and compared in
    /// constant time.
    #[must_use]
    pub fn of_secret(&self, secret: &str) -> Option<&Arc<ApiKey>> {
        let hash = SecretHash::of(secret);
        let key = self.by_hash.get(&hash)?;
        bool::from(key.hash.0.ct_eq(&hash.0)).then_some(key)
    }

    #[must_use]
    pub fn has(&self, hash: &SecretHash) -> bool {
        self.by_hash.contains_key(hash)
    }

    /// The key of this id. Keys are asked for by their secrets, so this may look through all.
    #[must_use]
    pub fn get(&self, id: ApiKeyId) -> Option<&Arc<ApiKey>> {
        self.iter().find(|key| key.id == id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<ApiKey>> {
        self.by_hash.values()
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn in_order(&self) -> Vec<&Arc<ApiKey>> {
        let mut keys: Vec<_> = self.iter().collect();
        keys.sort_by_key(|key| (key.created, key.id));
        keys
    }

    pub fn put(&mut self, key: Arc<ApiKey>) {
        self.by_hash.insert(key.hash, key);
    }

    /// Forgets a key.
    pub fn remove(&mut self, id: ApiKeyId) {
        self.by_hash.retain(|_, key| key.id != id);
    }

    /// Forgets the keys of a member who is deleted.
    pub fn remove_of(&mut self, member: MemberId) {
        self.by_hash.retain(|_, key| key.member != member);
    }
}
