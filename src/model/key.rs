//! Normal forms: what is compared where values are matched.
//!
//! Owns how text becomes a key, and which characters no text may hold. Must not know fields,
//! records, or where a key is looked up.

use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};
use serde::{Deserialize, Serialize};
use std::borrow::{Borrow, Cow};
use std::fmt;

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();
const CASE: CaseMapperBorrowed<'static> = CaseMapper::new();

/// Characters of an identifier, a displaced one too.
pub const IDENTIFIER_CHARS_MAX: usize = 255;

/// The normal form of a value: UTF-8, compared byte by byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<[u8]>);

impl Key {
    /// Takes bytes that are a normal form already.
    #[must_use]
    pub fn of(normal_form: &[u8]) -> Self {
        Self(normal_form.into())
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    #[must_use]
    pub fn into_bytes(self) -> Box<[u8]> {
        self.0
    }

    /// Whether nothing is left of the text; such a key matches nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Key {
    /// Takes a text that is a normal form already.
    fn from(text: String) -> Self {
        Self(text.into_bytes().into_boxed_slice())
    }
}

/// Hash and equality are those of the bytes, so a map of keys answers for borrowed ones.
impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", String::from_utf8_lossy(&self.0))
    }
}

/// How the names of an object's records match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierCase {
    #[default]
    Insensitive,
    Sensitive,
}

impl IdentifierCase {
    pub const ALL: [Self; 2] = [Self::Insensitive, Self::Sensitive];

    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Insensitive => "insensitive",
            Self::Sensitive => "sensitive",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// The normal form of an identifier field with this rule.
    #[must_use]
    pub const fn normalizer(self) -> Normalizer {
        match self {
            Self::Insensitive => Normalizer::Casefold,
            Self::Sensitive => Normalizer::Trim,
        }
    }
}

/// The normal form of a field of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalizer {
    /// As stored.
    Exact,
    /// NFC, trimmed.
    Trim,
    /// NFC, trimmed, case folded, NFC.
    Casefold,
    /// An address: the same as `Casefold`, the part before the `@` included.
    Email,
    /// The ASCII digits, leading zeros cut.
    Digits,
}

impl Normalizer {
    pub const ALL: [Self; 5] = [Self::Exact, Self::Trim, Self::Casefold, Self::Email, Self::Digits];

    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Trim => "trim",
            Self::Casefold => "casefold",
            Self::Email => "email",
            Self::Digits => "digits",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|normalizer| normalizer.name() == name)
    }

    /// The key of a text; none where nothing is left of it, because a blank never conflicts.
    #[must_use]
    pub fn key(self, text: &str) -> Option<Key> {
        let key = match self {
            Self::Exact => Key(text.as_bytes().into()),
            Self::Trim => Key(trimmed(text)),
            Self::Casefold | Self::Email => Key(folded(text)),
            Self::Digits => Key(digits(text)),
        };
        (!key.is_empty()).then_some(key)
    }
}

/// The key of an e-mail address; empty for a blank one.
#[must_use]
pub fn email_key(address: &str) -> Key {
    Key(folded(address))
}

/// What tells two tags of a field apart.
#[must_use]
pub fn tag_key(name: &str) -> Key {
    Key(folded(name))
}

/// What tells two options of a field apart, and by what a label or code is found.
#[must_use]
pub fn option_key(label: &str) -> Key {
    Key(folded(label))
}

/// The first character that no text may hold: NUL and the other C0 controls but tab, line feed and
/// carriage return.
#[must_use]
pub fn refused_character(text: &str) -> Option<char> {
    let refused = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    text.as_bytes().iter().copied().find(refused).map(char::from)
}

/// The first character that no identifier may hold: what is refused in every text, and what nobody
/// can see. Joiners that scripts need are allowed.
#[must_use]
pub fn refused_in_identifier(text: &str) -> Option<char> {
    if text.is_ascii() {
        return refused_character(text);
    }
    refused_character(text).or_else(|| text.chars().find(|char| is_invisible(*char)))
}

/// The identifier that an archived record gets when another takes its own: the old one cut so that
/// the whole keeps the limit, and a mark. `attempt` counts from 1 while the answers are taken.
#[must_use]
pub fn displaced_identifier(old: &str, unix_ms: i64, attempt: u32) -> String {
    let mark = match attempt {
        0 | 1 => format!("_discarded_{unix_ms}"),
        again => format!("_discarded_{unix_ms}_{again}"),
    };
    let kept = IDENTIFIER_CHARS_MAX - mark.len();
    let end = old.char_indices().nth(kept).map_or(old.len(), |(at, _)| at);
    format!("{}{mark}", &old[..end])
}

/// U+200B, U+2060, U+FEFF and the bidirectional controls.
const fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{200B}' | '\u{2060}' | '\u{FEFF}'
            | '\u{061C}' | '\u{200E}' | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}'
    )
}

fn trimmed(text: &str) -> Box<[u8]> {
    if text.is_ascii() {
        return text.trim().as_bytes().into();
    }
    owned(Cow::Borrowed(NFC.normalize(text).trim()))
}

/// An ASCII text is in NFC and folds to its lower case, so it needs no table.
fn folded(text: &str) -> Box<[u8]> {
    if text.is_ascii() {
        let mut key: Box<[u8]> = text.trim().as_bytes().into();
        key.make_ascii_lowercase();
        return key;
    }
    folded_by_tables(text)
}

fn folded_by_tables(text: &str) -> Box<[u8]> {
    let composed = NFC.normalize(text);
    let folded = CASE.fold_string(composed.trim());
    owned(NFC.normalize(&folded))
}

/// All zeros is zero, not nothing.
fn digits(text: &str) -> Box<[u8]> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    let last = digits.len().saturating_sub(1);
    let zeros = digits.iter().take(last).take_while(|digit| **digit == b'0').count();
    digits[zeros..].into()
}

fn owned(text: Cow<'_, str>) -> Box<[u8]> {
    text.into_owned().into_bytes().into_boxed_slice()
}
