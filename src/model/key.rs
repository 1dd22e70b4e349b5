//! Normal forms: what is compared where values are matched.
//!
//! Owns how text becomes a key, and which characters no text may hold. Must not know fields,
//! records, or where a key is looked up.

use crate::model::id::Timestamp;
use icu_casemap::{CaseMapper, CaseMapperBorrowed};
use icu_normalizer::{ComposingNormalizer, ComposingNormalizerBorrowed};
use serde::{Deserialize, Serialize};
use std::borrow::{Borrow, Cow};
use std::fmt;

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizer::new_nfc();
const CASE: CaseMapperBorrowed<'static> = CaseMapper::new();

/// Characters of an identifier, a displaced one too.
pub const IDENTIFIER_CHARS_MAX: usize = 255;

/// The normal form of a value: UTF-8, compared byte by byte. Of several values: see `joined`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<[u8]>);

impl Key {
    /// Takes bytes that are a normal form already.
    #[must_use]
    pub fn of(normal_form: &[u8]) -> Self {
        Self(normal_form.into())
    }

    /// Several keys as one, which no other ones make: each stands behind its length.
    ///
    /// # Panics
    /// On a key longer than any record.
    #[must_use]
    pub fn joined(keys: &[Self]) -> Self {
        let bytes = keys.iter().map(|key| size_of::<u32>() + key.0.len()).sum();
        let mut joined = Vec::with_capacity(bytes);
        for key in keys {
            let length = u32::try_from(key.0.len()).expect("a key is shorter than a record");
            joined.extend_from_slice(&length.to_be_bytes());
            joined.extend_from_slice(&key.0);
        }
        Self(joined.into_boxed_slice())
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
    /// A stored telephone number: the digits of its E.164 form, without an extension.
    Phone,
}

impl Normalizer {
    pub const ALL: [Self; 6] =
        [Self::Exact, Self::Trim, Self::Casefold, Self::Email, Self::Digits, Self::Phone];

    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Trim => "trim",
            Self::Casefold => "casefold",
            Self::Email => "email",
            Self::Digits => "digits",
            Self::Phone => "phone",
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
            Self::Phone => Key(phone_digits(text)),
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

/// A text as searches compare it: folded like a key, its ends kept.
#[must_use]
pub fn searched(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let is_folded = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        return if is_folded { text.into() } else { text.to_ascii_lowercase().into() };
    }
    let composed = NFC.normalize(text);
    let folded = CASE.fold_string(&composed);
    NFC.normalize(&folded).into_owned().into()
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
pub fn displaced_identifier(old: &str, at: Timestamp, attempt: u32) -> String {
    let mark = match attempt {
        0 | 1 => format!("_discarded_{}", at.0),
        again => format!("_discarded_{}_{again}", at.0),
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
    trimmed_by_tables(text)
}

fn trimmed_by_tables(text: &str) -> Box<[u8]> {
    NFC.normalize(text).trim().as_bytes().into()
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

/// No country code begins with a zero, so none is cut.
fn phone_digits(number: &str) -> Box<[u8]> {
    let number = number.split_once(';').map_or(number, |(number, _)| number);
    number.bytes().filter(u8::is_ascii_digit).collect()
}

fn owned(text: Cow<'_, str>) -> Box<[u8]> {
    text.into_owned().into_bytes().into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;
    use icu_normalizer::DecomposingNormalizer;
    use proptest::prelude::*;

    fn key(case: IdentifierCase, text: &str) -> Option<String> {
        let bytes = case.normalizer().key(text)?.into_bytes();
        Some(String::from_utf8(bytes.into()).unwrap())
    }

    #[test]
    fn spellings_of_one_identifier_have_one_key() {
        let check = |spellings: &[&str], insensitive: &str| {
            for spelling in spellings {
                let found = key(IdentifierCase::Insensitive, spelling);
                assert_eq!(found.as_deref(), Some(insensitive), "{spelling:?}");
            }
        };
        check(&["Acme Corp", "  ACME corp ", "acme corp\u{a0}", "\u{2003}acme CORP"], "acme corp");
        check(&["Straße", "STRASSE", "STRAẞE", "strasse"], "strasse");
        check(&["é", "e\u{301}", "É", "E\u{301}"], "é");
        check(&["ΣΊΣΥΦΟΣ", "σίσυφος", "Σίσυφοσ"], "σίσυφοσ");
        check(&["ﬀ", "FF", "ff"], "ff");
        check(&["\u{212b}ngström", "ÅNGSTRÖM"], "ångström");
        check(&["\u{1f80}", "\u{1f88}", "α\u{313}\u{345}"], "ἀι");
    }

    #[test]
    fn what_only_looks_alike_stays_apart() {
        let check = |left: &str, right: &str| {
            let keys = [left, right].map(|text| key(IdentifierCase::Insensitive, text));
            assert_ne!(keys[0], keys[1], "{left:?} and {right:?}");
        };
        check("acme corp", "acme  corp");
        check("I", "ı");
        check("i", "İ");
        check("A", "Α");
        check("ab", "a\u{200d}b");
        check("２", "2");
    }

    #[test]
    fn a_sensitive_key_keeps_its_case_and_loses_its_ends() {
        assert_eq!(key(IdentifierCase::Sensitive, " Acme ").as_deref(), Some("Acme"));
        assert_eq!(key(IdentifierCase::Sensitive, " E\u{301} ").as_deref(), Some("É"));
        assert_eq!(key(IdentifierCase::Sensitive, "\u{3000}"), None);
    }

    #[test]
    fn normalizers_make_their_form() {
        let check = |normalizer: Normalizer, text: &str, expected: Option<&str>| {
            let found = normalizer.key(text).map(Key::into_bytes);
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{normalizer:?} {text:?}");
        };
        check(Normalizer::Exact, " A\u{301} ", Some(" A\u{301} "));
        check(Normalizer::Exact, "", None);
        check(Normalizer::Trim, " A\u{301} ", Some("Á"));
        check(Normalizer::Casefold, " A\u{301} ", Some("á"));
        check(Normalizer::Casefold, " \t ", None);
        check(Normalizer::Email, " Jo.Doe@EXAMPLE.com", Some("jo.doe@example.com"));
        check(Normalizer::Digits, "DE 0049-30/00", Some("493000"));
        check(Normalizer::Digits, "000", Some("0"));
        check(Normalizer::Digits, "no digits", None);
        check(Normalizer::Phone, "+12025550123", Some("12025550123"));
        check(Normalizer::Phone, "+12025550123;ext=4", Some("12025550123"));
        check(Normalizer::Phone, ";ext=4", None);
    }

    #[test]
    fn names_of_rules_are_read_back() {
        for normalizer in Normalizer::ALL {
            assert_eq!(Normalizer::parse(normalizer.name()), Some(normalizer));
        }
        for case in IdentifierCase::ALL {
            assert_eq!(IdentifierCase::parse(case.name()), Some(case));
        }
        assert_eq!(Normalizer::parse("upper"), None);
        assert_eq!(IdentifierCase::parse("Sensitive"), None);
    }

    #[test]
    fn controls_are_refused_in_every_text() {
        let check =
            |text: &str, expected| assert_eq!(refused_character(text), expected, "{text:?}");
        check("a\tb\nc\rd", None);
        check("a\u{7f}\u{85}\u{200b}", None);
        check("a\0", Some('\0'));
        check("é\u{b}", Some('\u{b}'));
        check("\u{1f}", Some('\u{1f}'));
    }

    #[test]
    fn what_nobody_sees_is_refused_in_identifiers() {
        let check = |text: &str, expected| {
            assert_eq!(refused_in_identifier(text), expected, "{text:?}");
        };
        check("Acme Corp", None);
        check("\u{646}\u{200c}\u{627} \u{200d}", None);
        check("a\0", Some('\0'));
        check("é\0", Some('\0'));
        for char in ['\u{200b}', '\u{2060}', '\u{feff}', '\u{61c}', '\u{200e}', '\u{200f}'] {
            check(&format!("a{char}"), Some(char));
        }
        for char in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            check(&format!("{char}a"), Some(char));
        }
    }

    #[test]
    fn a_displaced_identifier_keeps_the_limit() {
        let check = |old: &str, attempt, expected: &str| {
            let found = displaced_identifier(old, Timestamp(1_732_427_700_123), attempt);
            assert_eq!(found, expected);
            assert!(found.chars().count() <= IDENTIFIER_CHARS_MAX);
        };
        check("Acme", 1, "Acme_discarded_1732427700123");
        check("Acme", 2, "Acme_discarded_1732427700123_2");
        check("Acme", 3, "Acme_discarded_1732427700123_3");
        let kept = IDENTIFIER_CHARS_MAX - "_discarded_1732427700123".len();
        check(&"é".repeat(255), 1, &format!("{}_discarded_1732427700123", "é".repeat(kept)));
        check(&"é".repeat(kept), 1, &format!("{}_discarded_1732427700123", "é".repeat(kept)));
        check(
            &"x".repeat(255),
            10,
            &format!("{}_discarded_1732427700123_10", "x".repeat(kept - 3)),
        );
    }

    /// Characters where case, composition and blanks meet, and any other.
    fn text() -> impl Strategy<Value = String> {
        let letters = "aAzZ09éÉßẞſǰΐΰᾳᾼῼΣσςİıŉﬀﬃỳᲐაꭰᎠ가힣각\u{212a}\u{212b}";
        let marks = " \t\u{a0}\u{3000}\u{300}\u{301}\u{308}\u{313}\u{327}\u{338}\u{342}\u{345}";
        let hard: Vec<char> = letters.chars().chain(marks.chars()).collect();
        let char = prop_oneof![3 => prop::sample::select(hard), 1 => any::<char>()];
        prop::collection::vec(char, 0..12).prop_map(String::from_iter)
    }

    fn folded_text(text: &str) -> String {
        String::from_utf8(folded(text).into()).unwrap()
    }

    fn trimmed_text(text: &str) -> String {
        String::from_utf8(trimmed(text).into()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_key_of_a_key_is_itself(text in text()) {
            let key = folded_text(&text);
            prop_assert_eq!(folded_text(&key), key);
            let key = trimmed_text(&text);
            prop_assert_eq!(trimmed_text(&key), key);
        }

        #[test]
        fn other_keys_are_joined_otherwise(
            left in prop::collection::vec("[\\x00-\\x05ab]{0,3}", 0..4),
            right in prop::collection::vec("[\\x00-\\x05ab]{0,3}", 0..4),
        ) {
            let joined = |texts: &[String]| {
                let keys: Vec<Key> = texts.iter().cloned().map(Key::from).collect();
                Key::joined(&keys)
            };
            prop_assert_eq!(joined(&left) == joined(&right), left == right);
        }

        #[test]
        fn decomposed_text_has_the_same_key(text in text()) {
            let decomposed = DecomposingNormalizer::new_nfd().normalize(&text);
            prop_assert_eq!(folded_text(&decomposed), folded_text(&text));
            prop_assert_eq!(trimmed_text(&decomposed), trimmed_text(&text));
        }

        #[test]
        fn text_in_lower_case_has_the_same_key(text in text()) {
            // The Greek iota below folds to a letter, and a mark behind it then stands on that; how
            // the marks are composed differs between the cases. The contract's steps are as they are.
            let has_iota_below = |char: &char| {
                DecomposingNormalizer::new_nfd().normalize(&char.to_string()).contains('\u{345}')
            };
            let text: String = text.chars().filter(|char| !has_iota_below(char)).collect();
            prop_assert_eq!(folded_text(&text.to_lowercase()), folded_text(&text));
        }

        #[test]
        fn blanks_around_change_nothing(text in text()) {
            prop_assert_eq!(folded_text(&format!("\n\u{2003}{text} ")), folded_text(&text));
        }

        #[test]
        fn the_short_way_for_ascii_is_the_long_way(text in "[\\x00-\\x7f]{0,24}") {
            prop_assert_eq!(folded(&text), folded_by_tables(&text));
            prop_assert_eq!(trimmed(&text), trimmed_by_tables(&text));
        }
    }
}
