//! text, longtext and email: what people write.
//!
//! Owns lengths, which characters are refused, and what an e-mail address is. Must not know keys of
//! fields: the normal form is chosen by the schema.

use crate::model::input::Input;
use crate::model::key;
use crate::model::value::fault::ValueFault;
use crate::model::value::{Change, Value};
use email_address::EmailAddress;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use std::borrow::Cow;

/// Characters of a text.
pub const TEXT_CHARS_MAX: usize = 255;
/// Characters of a longtext.
pub const LONGTEXT_CHARS_MAX: usize = 100_000;
/// Characters of an e-mail address.
pub const EMAIL_CHARS_MAX: usize = 254;
/// Octets before the `@` (RFC 5321).
const LOCAL_PART_BYTES_MAX: usize = 64;

/// Reads a text; a number or a boolean is taken as it was written.
pub(super) fn read_text(input: &Input<'_>, is_identifier: bool) -> Result<Change, ValueFault> {
    let written: Cow<'_, str> = match input {
        Input::Text(text) | Input::Number(text) => Cow::Borrowed(text),
        Input::Boolean(boolean) => Cow::Borrowed(if *boolean { "true" } else { "false" }),
        Input::Null | Input::List(_) | Input::Map(_) => return Err(not_a_string()),
    };
    check_characters(&written, is_identifier)?;
    let text = written.trim();
    check_length(text, TEXT_CHARS_MAX)?;
    Ok(set_or_clear(text))
}

/// Reads a long text, which keeps its ends.
pub(super) fn read_longtext(input: &Input<'_>) -> Result<Change, ValueFault> {
    let text = input.as_text().ok_or_else(not_a_string)?;
    check_characters(text, false)?;
    check_length(text, LONGTEXT_CHARS_MAX)?;
    Ok(set_or_clear(text))
}

/// Reads an e-mail address.
pub(super) fn read_email(input: &Input<'_>, is_identifier: bool) -> Result<Change, ValueFault> {
    let written = input.as_text().ok_or_else(not_a_string)?;
    check_characters(written, is_identifier)?;
    let address = written.trim();
    check_length(address, EMAIL_CHARS_MAX)?;
    if !address.is_empty() && !is_email(address) {
        return Err(ValueFault::Invalid { what: "Enter a valid email address." });
    }
    Ok(set_or_clear(address))
}

/// Refuses what no text may hold, and in identifiers also what nobody can see.
pub fn check_characters(text: &str, is_identifier: bool) -> Result<(), ValueFault> {
    if key::refused_character(text).is_some() {
        return Err(ValueFault::Invalid { what: "Control characters are not allowed." });
    }
    if is_identifier && key::refused_in_identifier(text).is_some() {
        return Err(ValueFault::Invalid { what: "Invisible characters are not allowed." });
    }
    Ok(())
}

/// Refuses a text of more than `max` Unicode scalar values.
pub fn check_length(text: &str, max: usize) -> Result<(), ValueFault> {
    // No text has more characters than bytes, so most are never counted.
    if text.len() > max && text.chars().nth(max).is_some() {
        return Err(ValueFault::TooLong { max });
    }
    Ok(())
}

/// Whether this is an address: one `@`, a local part, a domain of valid labels. Both may hold more
/// than ASCII. A domain of one label is good, since a network of one's own may have such.
#[must_use]
pub fn is_email(address: &str) -> bool {
    address.split_once('@').is_some_and(|(local, domain)| {
        !domain.contains('@') && is_local_part(local) && is_domain(domain)
    })
}

fn is_local_part(local: &str) -> bool {
    if local.is_ascii() {
        return EmailAddress::is_valid_local_part(local);
    }
    // The crate takes letters and digits only where RFC 6531 allows every character but ASCII's.
    local.len() <= LOCAL_PART_BYTES_MAX
        && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character))
}

fn is_atom_character(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(char);
    }
    !char.is_whitespace()
        && !char.is_control()
        && key::refused_in_identifier(char.encode_utf8(&mut [0; 4])).is_none()
}

/// Labels of letters, digits and inner hyphens, of 63 octets at most, as they are asked of the DNS.
fn is_domain(domain: &str) -> bool {
    Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .is_ok()
}

const fn not_a_string() -> ValueFault {
    ValueFault::Invalid { what: "Not a valid string." }
}

fn set_or_clear(text: &str) -> Change {
    if text.is_empty() { Change::Clear } else { Change::Set(Value::Text(text.into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_A_STRING: ValueFault = not_a_string();
    const CONTROLS: ValueFault =
        ValueFault::Invalid { what: "Control characters are not allowed." };
    const INVISIBLE: ValueFault =
        ValueFault::Invalid { what: "Invisible characters are not allowed." };

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    fn set(text: &str) -> Change {
        Change::Set(Value::Text(text.into()))
    }

    #[test]
    fn a_text_is_stored_as_written_but_for_its_ends() {
        let check = |input: Input<'_>, expected| {
            assert_eq!(read_text(&input, false), expected, "{input:?}");
        };
        check(text("  Acme\tCorp \u{3000}"), Ok(set("Acme\tCorp")));
        check(text("e\u{301}"), Ok(set("e\u{301}")));
        check(text("\u{200b}"), Ok(set("\u{200b}")));
        check(text(""), Ok(Change::Clear));
        check(text(" \n "), Ok(Change::Clear));
        check(Input::Number("12.50".into()), Ok(set("12.50")));
        check(Input::Number("1e400".into()), Ok(set("1e400")));
        check(Input::Boolean(true), Ok(set("true")));
        check(Input::Boolean(false), Ok(set("false")));
        check(text(&"é".repeat(255)), Ok(set(&"é".repeat(255))));
        check(text(&format!(" {} ", "x".repeat(255))), Ok(set(&"x".repeat(255))));
        check(text(&"é".repeat(256)), Err(ValueFault::TooLong { max: 255 }));
        check(text("a\0"), Err(CONTROLS));
        check(text("\u{b}a"), Err(CONTROLS));
        check(Input::List(vec![text("a")]), Err(NOT_A_STRING));
        check(Input::Map(vec![]), Err(NOT_A_STRING));
    }

    #[test]
    fn an_identifier_shows_all_it_holds() {
        let check = |input: &str, expected| {
            assert_eq!(read_text(&text(input), true), expected, "{input:?}");
        };
        check(" Acme ", Ok(set("Acme")));
        check("a\u{200d}b", Ok(set("a\u{200d}b")));
        check("a\u{200b}", Err(INVISIBLE));
        check("\u{202e}a", Err(INVISIBLE));
        check("a\0\u{200b}", Err(CONTROLS));
    }

    #[test]
    fn a_long_text_keeps_its_ends() {
        let check = |input: Input<'_>, expected| assert_eq!(read_longtext(&input), expected);
        check(text("  a \n"), Ok(set("  a \n")));
        check(text(" "), Ok(set(" ")));
        check(text(""), Ok(Change::Clear));
        check(text(&"é".repeat(100_000)), Ok(set(&"é".repeat(100_000))));
        check(text(&"é".repeat(100_001)), Err(ValueFault::TooLong { max: 100_000 }));
        check(text("a\u{1}"), Err(CONTROLS));
        check(Input::Number("1".into()), Err(NOT_A_STRING));
        check(Input::Boolean(true), Err(NOT_A_STRING));
    }

    #[test]
    fn an_address_is_stored_as_written_but_for_its_ends() {
        let check = |input: Input<'_>, expected| {
            assert_eq!(read_email(&input, true), expected, "{input:?}");
        };
        check(text(" Jo.Doe+x@Example.COM "), Ok(set("Jo.Doe+x@Example.COM")));
        check(text("  "), Ok(Change::Clear));
        check(text("jo@"), Err(ValueFault::Invalid { what: "Enter a valid email address." }));
        check(Input::Number("1".into()), Err(NOT_A_STRING));
        check(text("jo\u{200b}@example.com"), Err(INVISIBLE));
        let long = format!("{}@{}.com", "a".repeat(64), "b.".repeat(95));
        check(text(&long), Err(ValueFault::TooLong { max: 254 }));
    }

    #[test]
    fn addresses_are_told_from_other_text() {
        let check = |address: &str, expected| assert_eq!(is_email(address), expected, "{address}");
        for good in [
            "a@b",
            "jo@example.com",
            "jo.doe+tag@mail.example.co.uk",
            "o'hara@example.com",
            "\"jo doe\"@example.com",
            "jo@xn--bcher-kva.example",
            "jo@bücher.example",
            "jo@BÜCHER.example",
            "jo@उदाहरण.परीक्षा",
            "jörg@example.com",
            "jo\u{308}rg@example.com",
            "संपर्क@उदाहरण.परीक्षा",
            "jo@r3---sn.example.com",
            "jo@1.example",
        ] {
            check(good, true);
        }
        for bad in [
            "",
            "@",
            "jo",
            "jo@",
            "@example.com",
            "jo@@example.com",
            "jo@a@example.com",
            "\"a@b\"@example.com",
            "jo doe@example.com",
            "jo.@example.com",
            ".jo@example.com",
            "jo..doe@example.com",
            "jo@example..com",
            "jo@example.com.",
            "jo@.example.com",
            "jo@-example.com",
            "jo@example-.com",
            "jo@exa_mple.com",
            "jo@exa mple.com",
            "jo@exa!mple.com",
            "jo@[127.0.0.1]",
            "Jo <jo@example.com>",
            "jö rg@example.com",
            "jö\u{2003}rg@example.com",
            "jo@xn--a.example",
            "jo@b\u{202e}ü.example",
        ] {
            check(bad, false);
        }
        check(&format!("{}@example.com", "a".repeat(64)), true);
        check(&format!("{}@example.com", "a".repeat(65)), false);
        check(&format!("ö{}@example.com", "a".repeat(62)), true);
        check(&format!("ö{}@example.com", "a".repeat(63)), false);
        check(&format!("jo@{}.com", "a".repeat(63)), true);
        check(&format!("jo@{}.com", "a".repeat(64)), false);
    }
}
