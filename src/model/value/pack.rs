//! The MessagePack primitives that stored values are made of.
//!
//! Owns reading them from a slice without ever reading past it. Must not know field types. The
//! bytes were checked by their frame, so a failure here is damage or a bug, never bad input.

use rmp::Marker;
use rmp::decode;
use uuid::Uuid;

/// The largest integer that is a byte of its own.
const FIXED_INTEGER_MAX: u8 = 0x7f;

/// Why stored bytes are not the value they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("a stored value ends early")]
    Truncated,
    #[error("a stored value is not {expected}")]
    Form { expected: &'static str },
}

/// Reads a string without copying it.
pub fn read_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, DecodeError> {
    let (text, rest) = decode::read_str_from_slice(*bytes)
        .map_err(|_| DecodeError::Form { expected: "a string" })?;
    *bytes = rest;
    Ok(text)
}

/// Reads an integer of any stored width.
pub fn read_integer(bytes: &mut &[u8]) -> Result<i64, DecodeError> {
    decode::read_int(bytes).map_err(|_| DecodeError::Form { expected: "an integer" })
}

/// Reads an integer that is a number of a field, an option or a tag.
pub fn read_number(bytes: &mut &[u8]) -> Result<u32, DecodeError> {
    match bytes.split_first() {
        // Most numbers are, and a search reads millions of them.
        Some((first, rest)) if *first <= FIXED_INTEGER_MAX => {
            *bytes = rest;
            Ok(u32::from(*first))
        }
        Some(_) => decode::read_int(bytes)
            .map_err(|_| DecodeError::Form { expected: "a number of an entry" }),
        None => Err(DecodeError::Truncated),
    }
}

/// Reads one number, or each of an array of them: whichever is there.
pub fn read_numbers(
    mut bytes: &[u8],
) -> Result<impl Iterator<Item = Result<u32, DecodeError>>, DecodeError> {
    let count = if is_list(bytes) { read_list_len(&mut bytes)? } else { 1 };
    Ok((0..count).map(move |_| read_number(&mut bytes)))
}

/// Whether an array stands next.
#[must_use]
pub fn is_list(bytes: &[u8]) -> bool {
    let first = bytes.first().map(|first| Marker::from_u8(*first));
    matches!(first, Some(Marker::FixArray(_) | Marker::Array16 | Marker::Array32))
}

fn read_list_len(bytes: &mut &[u8]) -> Result<usize, DecodeError> {
    let form = DecodeError::Form { expected: "an array" };
    Ok(decode::read_array_len(bytes).map_err(|_| form)? as usize)
}

/// Reads a boolean.
pub fn read_boolean(bytes: &mut &[u8]) -> Result<bool, DecodeError> {
    decode::read_bool(bytes).map_err(|_| DecodeError::Form { expected: "a boolean" })
}

/// Reads a binary of 16 bytes.
pub fn read_uuid(bytes: &mut &[u8]) -> Result<Uuid, DecodeError> {
    let form = DecodeError::Form { expected: "a binary of 16 bytes" };
    if decode::read_bin_len(bytes).map_err(|_| form)? != 16 {
        return Err(form);
    }
    let (uuid, rest) = bytes.split_first_chunk::<16>().ok_or(DecodeError::Truncated)?;
    *bytes = rest;
    Ok(Uuid::from_bytes(*uuid))
}

/// Reads an array, each entry with `read`.
pub fn read_list<T>(
    bytes: &mut &[u8],
    read: impl Fn(&mut &[u8]) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = read_list_len(bytes)?;
    // An entry takes a byte at least, so a false length asks for no more memory than the bytes.
    if count > bytes.len() {
        return Err(DecodeError::Truncated);
    }
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        entries.push(read(bytes)?);
    }
    Ok(entries)
}

/// Appends a string.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    rmp::encode::write_str(out, text).expect("a vector takes every write");
}

/// Appends an integer in its shortest width.
pub fn write_integer(integer: i64, out: &mut Vec<u8>) {
    rmp::encode::write_sint(out, integer).expect("a vector takes every write");
}

/// Appends a boolean.
pub fn write_boolean(boolean: bool, out: &mut Vec<u8>) {
    rmp::encode::write_bool(out, boolean).expect("a vector takes every write");
}

/// Appends a binary of 16 bytes.
pub fn write_uuid(uuid: &Uuid, out: &mut Vec<u8>) {
    rmp::encode::write_bin(out, uuid.as_bytes()).expect("a vector takes every write");
}

/// Appends the head of an array.
pub fn write_list_len(len: usize, out: &mut Vec<u8>) {
    let len = u32::try_from(len).expect("a list of values is checked against its limit");
    rmp::encode::write_array_len(out, len).expect("a vector takes every write");
}

/// By its first byte, the length of a value whose first byte tells it, that byte included; 0 of
/// every other. A search passes over millions of values, and nearly all of them are such.
const WHOLE: [u8; 256] = whole_lengths();

const fn whole_lengths() -> [u8; 256] {
    let mut lengths = [0; 256];
    let mut first: u8 = 0;
    loop {
        lengths[first as usize] = match Marker::from_u8(first) {
            Marker::Null | Marker::True | Marker::False | Marker::FixPos(_) | Marker::FixNeg(_) => {
                1
            }
            Marker::U8 | Marker::I8 => 2,
            Marker::U16 | Marker::I16 => 3,
            Marker::U32 | Marker::I32 | Marker::F32 => 5,
            Marker::U64 | Marker::I64 | Marker::F64 => 9,
            Marker::FixStr(len) => 1 + len,
            Marker::Str8
            | Marker::Str16
            | Marker::Str32
            | Marker::Bin8
            | Marker::Bin16
            | Marker::Bin32
            | Marker::FixArray(_)
            | Marker::Array16
            | Marker::Array32
            | Marker::FixMap(_)
            | Marker::Map16
            | Marker::Map32
            | Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32
            | Marker::Reserved => 0,
        };
        if first == u8::MAX {
            return lengths;
        }
        first += 1;
    }
}

/// Passes over one value of any form.
pub fn skip(bytes: &mut &[u8]) -> Result<(), DecodeError> {
    // What is still to be passed over, instead of a call per level: garbage may nest deeply.
    let mut left: u64 = 1;
    while left > 0 {
        let first = *bytes.first().ok_or(DecodeError::Truncated)?;
        let whole = usize::from(WHOLE[usize::from(first)]);
        left -= 1;
        if whole > 0 {
            *bytes = bytes.get(whole..).ok_or(DecodeError::Truncated)?;
        } else {
            left += skip_one(bytes)?;
        }
    }
    Ok(())
}

/// Passes over a value but for what it contains; answers how many values that is.
fn skip_one(bytes: &mut &[u8]) -> Result<u64, DecodeError> {
    let (first, rest) = bytes.split_first().ok_or(DecodeError::Truncated)?;
    *bytes = rest;
    let marker = Marker::from_u8(*first);
    let (payload, inner) = match marker {
        Marker::Null | Marker::True | Marker::False | Marker::FixPos(_) | Marker::FixNeg(_) => {
            (0, 0)
        }
        Marker::U8 | Marker::I8 => (1, 0),
        Marker::U16 | Marker::I16 | Marker::FixExt1 => (2, 0),
        Marker::U32 | Marker::I32 | Marker::F32 => (4, 0),
        Marker::U64 | Marker::I64 | Marker::F64 => (8, 0),
        Marker::FixStr(len) => (u64::from(len), 0),
        Marker::Str8 | Marker::Bin8 => (take_length(bytes, 1)?, 0),
        Marker::Str16 | Marker::Bin16 => (take_length(bytes, 2)?, 0),
        Marker::Str32 | Marker::Bin32 => (take_length(bytes, 4)?, 0),
        Marker::FixArray(len) => (0, u64::from(len)),
        Marker::Array16 => (0, take_length(bytes, 2)?),
        Marker::Array32 => (0, take_length(bytes, 4)?),
        Marker::FixMap(len) => (0, 2 * u64::from(len)),
        Marker::Map16 => (0, 2 * take_length(bytes, 2)?),
        Marker::Map32 => (0, 2 * take_length(bytes, 4)?),
        Marker::FixExt2 => (3, 0),
        Marker::FixExt4 => (5, 0),
        Marker::FixExt8 => (9, 0),
        Marker::FixExt16 => (17, 0),
        Marker::Ext8 => (take_length(bytes, 1)? + 1, 0),
        Marker::Ext16 => (take_length(bytes, 2)? + 1, 0),
        Marker::Ext32 => (take_length(bytes, 4)? + 1, 0),
        Marker::Reserved => return Err(DecodeError::Form { expected: "MessagePack" }),
    };
    let payload = usize::try_from(payload).map_err(|_| DecodeError::Truncated)?;
    *bytes = bytes.get(payload..).ok_or(DecodeError::Truncated)?;
    Ok(inner)
}

/// Takes a big-endian number of `width` bytes.
fn take_length(bytes: &mut &[u8], width: usize) -> Result<u64, DecodeError> {
    let (number, rest) = bytes.split_at_checked(width).ok_or(DecodeError::Truncated)?;
    *bytes = rest;
    Ok(number.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rmp::encode as put;

    /// A value without others in it, as bytes; strings and such of every width of length.
    fn leaf() -> impl Strategy<Value = Vec<u8>> {
        let len = prop_oneof![0..40_usize, Just(300), Just(70_000)];
        (0..9, any::<u64>(), len).prop_map(|(kind, number, len)| {
            let (mut out, bytes) = (Vec::new(), vec![b'x'; len]);
            // Numbers of every width.
            let number = number >> (number % 64);
            match kind {
                0 => out.push(Marker::Null.to_u8()),
                1 => put::write_bool(&mut out, number % 2 == 0).unwrap(),
                2 => write_integer(number.cast_signed(), &mut out),
                3 => write_integer(-1 - (number / 2).cast_signed(), &mut out),
                4 => put::write_f32(&mut out, 0.5).unwrap(),
                5 => put::write_f64(&mut out, 0.5).unwrap(),
                6 => put::write_bin(&mut out, &bytes).unwrap(),
                7 => write_text(&String::from_utf8(bytes).unwrap(), &mut out),
                _ => {
                    put::write_ext_meta(&mut out, u32::try_from(len).unwrap(), 7).unwrap();
                    out.extend_from_slice(&bytes);
                }
            }
            out
        })
    }

    /// Any value, as bytes.
    fn packed() -> impl Strategy<Value = Vec<u8>> {
        leaf().prop_recursive(4, 64, 20, |inner| {
            let entries = prop::collection::vec(inner, 0..20);
            (entries, any::<bool>()).prop_map(|(entries, is_map)| {
                let mut out = Vec::new();
                if is_map && entries.len() % 2 == 0 {
                    let len = u32::try_from(entries.len() / 2).unwrap();
                    put::write_map_len(&mut out, len).unwrap();
                } else {
                    write_list_len(entries.len(), &mut out);
                }
                out.extend(entries.into_iter().flatten());
                out
            })
        })
    }

    proptest! {
        #[test]
        fn exactly_one_value_is_passed_over(value in packed(), rest in prop::collection::vec(any::<u8>(), 0..4)) {
            let whole = [&value[..], &rest].concat();
            let mut bytes = &whole[..];
            prop_assert_eq!(skip(&mut bytes), Ok(()));
            prop_assert_eq!(bytes, &rest[..]);
        }

        #[test]
        fn a_value_that_is_cut_is_an_error(value in packed(), at in any::<prop::sample::Index>()) {
            let mut bytes = &value[..at.index(value.len())];
            prop_assert_eq!(skip(&mut bytes), Err(DecodeError::Truncated));
        }

        #[test]
        fn garbage_stops_no_reader(garbage in prop::collection::vec(any::<u8>(), 0..40)) {
            let check = |read: &dyn Fn(&mut &[u8]) -> bool| {
                let mut bytes = &garbage[..];
                let is_read = read(&mut bytes);
                // What was read was there, and nothing is read out of nothing.
                assert!(garbage.ends_with(bytes));
                assert!(!is_read || bytes.len() < garbage.len());
            };
            check(&|bytes| skip(bytes).is_ok());
            check(&|bytes| read_text(bytes).is_ok());
            check(&|bytes| read_integer(bytes).is_ok());
            check(&|bytes| read_number(bytes).is_ok());
            check(&|bytes| read_boolean(bytes).is_ok());
            check(&|bytes| read_uuid(bytes).is_ok());
            check(&|bytes| read_list(bytes, read_uuid).is_ok());
        }
    }

    #[test]
    fn a_false_length_asks_for_no_memory() {
        let check = |head: &[u8]| {
            let mut bytes = head;
            assert!(read_list(&mut bytes, read_number).is_err(), "{head:?}");
            let mut bytes = head;
            assert_eq!(skip(&mut bytes), Err(DecodeError::Truncated), "{head:?}");
        };
        check(&[0xdd, 0xff, 0xff, 0xff, 0xff]);
        check(&[0xdd, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]);
        check(&[0xdc, 0xff, 0xff]);
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        let mut nested = vec![0x91; 1_000_000];
        nested.push(0xc0);
        let mut bytes = &nested[..];
        assert_eq!(skip(&mut bytes), Ok(()));
        assert!(bytes.is_empty());
    }
}
