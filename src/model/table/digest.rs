//! A sum of keyed hashes over all records and the rest of a table: equal copies, equal digests.
//!
//! SipHash-2-4 with 128 bits of result (Aumasson and Bernstein), summed modulo 2^128, so that the
//! order of changes does not matter and a change costs two hashes.

use crate::model::id::{RecordId, Sequence, Version};
use crate::model::table::event::KeyHash;
use crate::model::table::record::Record;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;

/// The digest of a table, kept up with every change of a record.
#[derive(Clone, Debug)]
pub struct Digest {
    key: [u8; 16],
    records: u128,
}

impl Digest {
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self { key, records: 0 }
    }

    #[must_use]
    pub fn key(&self) -> [u8; 16] {
        self.key
    }

    /// A record came.
    pub fn add(&mut self, record: &Record) {
        self.records = self.records.wrapping_add(record_hash(&self.key, record));
    }

    /// A record went, or is about to come back as another version.
    pub fn subtract(&mut self, record: &Record) {
        self.records = self.records.wrapping_sub(record_hash(&self.key, record));
    }

    /// Adds a sum made elsewhere with the same key: the loader's threads each make their own.
    pub fn add_sum(&mut self, sum: u128) {
        self.records = self.records.wrapping_add(sum);
    }

    /// The hash of an identifier's normal form that outlives its purged record.
    #[must_use]
    pub fn key_hash(&self, identifier: &[u8]) -> KeyHash {
        KeyHash(item_hash(&self.key, identifier))
    }

    /// The sum over the records alone.
    #[must_use]
    pub fn records(&self) -> u128 {
        self.records
    }
}

/// The hash of one record.
#[must_use]
pub fn record_hash(key: &[u8; 16], record: &Record) -> u128 {
    let (id, version, sequence) = (record.id(), record.version(), record.sequence());
    stored_hash(key, (id, version, sequence), record.body().bytes())
}

/// The hash of one record of which the parts are known: id, version, sequence and body.
#[must_use]
pub fn stored_hash(
    key: &[u8; 16],
    (id, version, sequence): (RecordId, Version, Sequence),
    body: &[u8],
) -> u128 {
    let mut hasher = SipHasher24::new_with_key(key);
    hasher.write(id.as_bytes());
    hasher.write(&version.0.to_le_bytes());
    hasher.write(&sequence.0.to_le_bytes());
    hasher.write(body);
    hasher.finish128().as_u128()
}

/// The hash of one further item: a schema, the tags, a catalog, an agenda.
#[must_use]
pub fn item_hash(key: &[u8; 16], bytes: &[u8]) -> u128 {
    let mut hasher = SipHasher24::new_with_key(key);
    hasher.write(bytes);
    hasher.finish128().as_u128()
}
