//! Two hashes: under which key an outcome is found, and of which request it is.
//!
//! Both are SHA-256, so what is stored tells nothing of a body, and nobody finds two requests that
//! share one.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::fmt;

const BYTES: usize = 32;

/// A hash of parts, each with its length, so that no two lists of parts are one text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct PartsHash([u8; BYTES]);

impl PartsHash {
    fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for PartsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for PartsHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for PartsHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(OfBytes)
    }
}

struct OfBytes;

impl Visitor<'_> for OfBytes {
    type Value = PartsHash;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BYTES} bytes")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<PartsHash, E> {
        let bytes = bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))?;
        Ok(PartsHash(bytes))
    }
}

/// What an outcome is kept under: the scope of a key, and the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RetryKey(PartsHash);

impl RetryKey {
    /// Of everything that must be the same for a key to be the same.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        Self(PartsHash::of(parts))
    }
}

/// What a request asks for, all that may not differ when it is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(PartsHash);

impl Fingerprint {
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        Self(PartsHash::of(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_join_to_the_same_text_are_not_the_same() {
        let of = |parts: &[&str]| RetryKey::of(parts.iter().map(|part| part.as_bytes()));
        let all = [of(&["ab", "c"]), of(&["a", "bc"]), of(&["abc"]), of(&["abc", ""]), of(&[])];
        for (at, one) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| other != one), "{at}");
        }
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
    }

    #[test]
    fn a_hash_is_stored_as_bytes_of_one_length() {
        let key = RetryKey::of([&b"key"[..]]);
        let stored = rmp_serde::to_vec_named(&key).unwrap();
        assert_eq!((stored.len(), stored[0]), (34, 0xc4), "a binary of 32 bytes");
        assert_eq!(rmp_serde::from_slice::<RetryKey>(&stored).unwrap(), key);
        let short = [0xc4, 2, 1, 2];
        assert!(rmp_serde::from_slice::<RetryKey>(&short).is_err());
    }
}
