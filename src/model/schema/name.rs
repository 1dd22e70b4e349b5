//! API names of objects and fields: what is allowed, and how one is made of a label.
//!
//! Must not know which names are taken: the caller answers that.

use crate::model::id::Timestamp;
use icu_normalizer::{DecomposingNormalizer, DecomposingNormalizerBorrowed};
use uuid::Uuid;

/// Characters of an API name.
pub const NAME_CHARS_MAX: usize = 100;

/// Tries at an ending that is free. A business has hundreds of names, so that a second one is rare.
const DRAWS_MAX: u32 = 1_000;

const NFKD: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizer::new_nfkd();

/// Object names that paths and the vendor's own objects use.
const RESERVED_OBJECT_NAMES: [&str; 17] = [
    "client",
    "client_client",
    "contact",
    "contacts",
    "records",
    "custom_objects",
    "activities",
    "team",
    "employee",
    "role",
    "business",
    "admin",
    "changes",
    "search",
    "upsert",
    "add",
    "lookup",
];

/// Field names that records and default fields use.
const RESERVED_FIELD_NAMES: [&str; 22] = [
    "id",
    "name",
    "owner",
    "created",
    "updated",
    "archived",
    "status",
    "stage",
    "entity_value",
    "version",
    "fields",
    "action",
    "display_name",
    "first_name",
    "middle_name",
    "last_name",
    "full_name",
    "email",
    "home_phone",
    "business_phone",
    "mobile_phone",
    "birthday",
];

/// Why an API name is refused. Its text is a sentence, because clients are shown it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    #[error("Use letters, digits, _ and - only, with neither _ nor - at the ends.")]
    ObjectPattern,
    #[error("Use lower-case letters, digits and _ only, with a letter first.")]
    FieldPattern,
    #[error("Ensure this field has no more than {NAME_CHARS_MAX} characters.")]
    TooLong,
    #[error("A name may not be a UUID.")]
    Uuid,
    #[error("This name is reserved.")]
    Reserved,
    #[error("This name is already taken.")]
    Taken,
}

/// Checks a name that was given for an object. `is_taken` knows archived objects too.
pub fn check_object_name(name: &str, is_taken: impl Fn(&str) -> bool) -> Result<(), NameFault> {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !bytes.iter().all(is_inner) || !is_end(bytes.first()) || !is_end(bytes.last()) {
        return Err(NameFault::ObjectPattern);
    }
    check_rest(name, &RESERVED_OBJECT_NAMES, is_taken)
}

/// Checks a name that was given for a field.
pub fn check_field_name(name: &str, is_taken: impl Fn(&str) -> bool) -> Result<(), NameFault> {
    let is_inner = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    if !name.starts_with(|first: char| first.is_ascii_lowercase())
        || !name.as_bytes().iter().all(is_inner)
    {
        return Err(NameFault::FieldPattern);
    }
    check_rest(name, &RESERVED_FIELD_NAMES, is_taken)
}

/// Makes an object's name of its label. Where it is taken or reserved, six hexadecimal digits are
/// added, which `draw` gives anew as long as that is taken too.
pub fn derive_object_name(
    label: &str,
    is_taken: impl Fn(&str) -> bool,
    mut draw: impl FnMut() -> String,
) -> String {
    let base = derive(label, "object");
    if check_object_name(&base, &is_taken).is_ok() {
        return base;
    }
    (0..DRAWS_MAX)
        .map(|_| with_suffix(&base, &draw()))
        .find(|name| !is_taken(name))
        .expect("of sixteen million endings hardly one is taken")
}

/// The name that an archived object gets, so that its own is free for another.
pub fn discarded_object_name(name: &str, at: Timestamp, is_taken: impl Fn(&str) -> bool) -> String {
    let mark = format!("discarded_{}", at.0);
    let first = std::iter::once(with_suffix(name, &mark));
    let further = (2_u32..).map(|attempt| with_suffix(name, &format!("{mark}_{attempt}")));
    let mut free = first.chain(further).filter(|name| !is_taken(name));
    free.next().expect("there are more numbers than objects")
}

/// Makes a field's name of its label: `f_` before a digit, `_2`, `_3` … where it is taken or
/// reserved.
pub fn derive_field_name(label: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let derived = derive(label, "field");
    let base = if derived.starts_with(|first: char| first.is_ascii_digit()) {
        cut(&format!("f_{derived}"), NAME_CHARS_MAX)
    } else {
        derived
    };
    if check_field_name(&base, &is_taken).is_ok() {
        return base;
    }
    (2..=u32::MAX)
        .map(|count| with_suffix(&base, &count.to_string()))
        .find(|name| !is_taken(name))
        .expect("an object has fewer fields than there are numbers")
}

/// What objects and fields have in common, once the characters are right.
fn check_rest(
    name: &str,
    reserved: &[&str],
    is_taken: impl Fn(&str) -> bool,
) -> Result<(), NameFault> {
    if name.len() > NAME_CHARS_MAX {
        return Err(NameFault::TooLong);
    }
    if Uuid::try_parse(name).is_ok() {
        return Err(NameFault::Uuid);
    }
    if reserved.contains(&name) {
        return Err(NameFault::Reserved);
    }
    if is_taken(name) { Err(NameFault::Taken) } else { Ok(()) }
}

/// NFKD, ASCII, lower case, runs of other characters to `_`, ends trimmed.
fn derive(label: &str, fallback: &str) -> String {
    let mut name = String::new();
    for char in NFKD.normalize(label).chars().filter(char::is_ascii) {
        if char.is_ascii_alphanumeric() {
            name.push(char.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = cut(&name, NAME_CHARS_MAX);
    if name.is_empty() { fallback.to_owned() } else { name }
}

fn with_suffix(base: &str, suffix: &str) -> String {
    format!("{}_{suffix}", cut(base, NAME_CHARS_MAX - 1 - suffix.len()))
}

/// The first `max` characters of an ASCII name, without `_` at the end.
fn cut(name: &str, max: usize) -> String {
    name[..name.len().min(max)].trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archived_object_gets_a_name_that_is_free_and_allowed() {
        let at = Timestamp(1_795_498_800_000);
        let check = |name: &str, taken: &[&str], expected: &str| {
            let is_taken = |name: &str| taken.contains(&name);
            let found = discarded_object_name(name, at, is_taken);
            assert_eq!(found, expected);
            assert_eq!(check_object_name(&found, is_taken), Ok(()));
        };
        check("deals", &[], "deals_discarded_1795498800000");
        let first = ["deals_discarded_1795498800000"];
        check("deals", &first, "deals_discarded_1795498800000_2");
        let both = [first[0], "deals_discarded_1795498800000_2"];
        check("deals", &both, "deals_discarded_1795498800000_3");
        let kept = "a".repeat(76);
        check(&"a".repeat(100), &[], &format!("{kept}_discarded_1795498800000"));
    }

    fn is_taken(name: &str) -> bool {
        matches!(name, "accounts" | "region" | "region_2" | "deals_000001")
    }

    #[test]
    fn given_object_names_follow_the_rule() {
        let check = |name: &str, expected| {
            assert_eq!(check_object_name(name, is_taken), expected, "{name:?}");
        };
        check("Deals-2026_x", Ok(()));
        check("7", Ok(()));
        check(&"a".repeat(100), Ok(()));
        check("Accounts", Ok(()));
        check("", Err(NameFault::ObjectPattern));
        check("_a", Err(NameFault::ObjectPattern));
        check("a-", Err(NameFault::ObjectPattern));
        check("a b", Err(NameFault::ObjectPattern));
        check("a\n", Err(NameFault::ObjectPattern));
        check("é", Err(NameFault::ObjectPattern));
        check(&"a".repeat(101), Err(NameFault::TooLong));
        check("0192f7aa-0000-7000-8000-000000000000", Err(NameFault::Uuid));
        check("0192F7AA-0000-7000-8000-000000000000", Err(NameFault::Uuid));
        check("0192f7aa000070008000000000000000", Err(NameFault::Uuid));
        check("client_client", Err(NameFault::Reserved));
        check("lookup", Err(NameFault::Reserved));
        check("accounts", Err(NameFault::Taken));
    }

    #[test]
    fn given_field_names_follow_the_rule() {
        let check = |name: &str, expected| {
            assert_eq!(check_field_name(name, is_taken), expected, "{name:?}");
        };
        check("account_region", Ok(()));
        check("a", Ok(()));
        check("a1_", Ok(()));
        check("", Err(NameFault::FieldPattern));
        check("1a", Err(NameFault::FieldPattern));
        check("_a", Err(NameFault::FieldPattern));
        check("Region", Err(NameFault::FieldPattern));
        check("a-b", Err(NameFault::FieldPattern));
        check(&"a".repeat(101), Err(NameFault::TooLong));
        check("abcdefabcdefabcdefabcdefabcdefab", Err(NameFault::Uuid));
        check("owner", Err(NameFault::Reserved));
        check("region", Err(NameFault::Taken));
    }

    #[test]
    fn object_names_are_derived_from_labels() {
        let check = |label: &str, expected: &str| {
            let mut count = 0;
            let draw = || {
                count += 1;
                format!("{count:06x}")
            };
            assert_eq!(derive_object_name(label, is_taken, draw), expected, "{label:?}");
        };
        check("Sales Orders (2026)", "sales_orders_2026");
        check("  --Café  crème!", "cafe_creme");
        check("ﬁnance ２", "finance_2");
        check("日本", "object");
        check("", "object");
        check("Accounts", "accounts_000001");
        check("Contacts", "contacts_000001");
        check(&"ab ".repeat(66), &"ab_".repeat(34)[..100]);
        check(&"abc ".repeat(50), &"abc_".repeat(25)[..99]);
        check("0192f7aa000070008000000000000000", "0192f7aa000070008000000000000000_000001");
        let long = "a".repeat(200);
        let taken = |name: &str| name.len() == 100 && name.ends_with('a');
        let derived = derive_object_name(&long, taken, || "00000f".to_owned());
        assert_eq!(derived, format!("{}_00000f", "a".repeat(93)));
    }

    #[test]
    fn an_ending_that_is_taken_is_drawn_again() {
        let mut endings = ["000001", "000002"].iter();
        let taken = |name: &str| matches!(name, "deals" | "deals_000001");
        let derived = derive_object_name("Deals", taken, || (*endings.next().unwrap()).to_owned());
        assert_eq!(derived, "deals_000002");
    }

    #[test]
    fn field_names_are_derived_from_labels() {
        let check = |label: &str, expected: &str| {
            assert_eq!(derive_field_name(label, is_taken), expected, "{label:?}");
        };
        check("Account Region", "account_region");
        check("2nd Phone", "f_2nd_phone");
        check("№ 5", "no_5");
        check("…", "field");
        check("Region", "region_3");
        check("Email", "email_2");
        check("Über-Größe", "uber_groe");
    }

    #[test]
    fn every_derived_name_could_have_been_given() {
        for label in ["", "2", "Owner", "a".repeat(300).as_str(), "9".repeat(300).as_str(), "--"] {
            let field = derive_field_name(label, is_taken);
            assert_eq!(check_field_name(&field, is_taken), Ok(()), "{label:?} gave {field}");
            let object = derive_object_name(label, is_taken, || "abcdef".to_owned());
            assert_eq!(check_object_name(&object, is_taken), Ok(()), "{label:?} gave {object}");
        }
    }
}
