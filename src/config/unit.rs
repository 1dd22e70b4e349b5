//! The spelling of values: durations, sizes, numbers, and the few that are stricter than text.
//!
//! Every parser takes text and says what it expected; it must not know which setting it reads.

use crate::http::identity::OperatorKey;
use std::net::SocketAddr;
use std::time::Duration;

/// What was expected instead of what was given.
pub type Expected = String;

/// A whole number with `s`, `m`, `h` or `d` behind it, of at least one second.
pub fn duration(text: &str) -> Result<Duration, Expected> {
    const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)];
    let seconds = whole_with_unit(text, &UNITS).filter(|seconds| *seconds > 0);
    let expected = || "a whole number of s, m, h or d, such as 10s, 15m, 24h or 7d".to_owned();
    // Far beyond any sense, but clocks must be able to add it.
    let seconds = seconds.filter(|seconds| *seconds <= 100 * 365 * 24 * 60 * 60);
    seconds.map(Duration::from_secs).ok_or_else(expected)
}

/// A whole number with `B`, `KiB`, `MiB`, `GiB` or `TiB` behind it, of at least one byte.
pub fn bytes(text: &str) -> Result<u64, Expected> {
    const UNITS: [(&str, u64); 5] =
        [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];
    let bytes = whole_with_unit(text, &UNITS).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "a whole number of KiB, MiB or GiB, such as 256KiB or 16MiB".to_owned())
}

/// A size that has to fit into memory.
pub fn bytes_in_memory(text: &str) -> Result<usize, Expected> {
    let too_many = |_| "fewer bytes than this machine can address".to_owned();
    usize::try_from(bytes(text)?).map_err(too_many)
}

fn whole_with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// `off`, or a value.
pub fn or_off<T>(
    parse: impl Fn(&str) -> Result<T, Expected>,
) -> impl Fn(&str) -> Result<Option<T>, Expected> {
    move |text| {
        if text == "off" {
            return Ok(None);
        }
        parse(text).map(Some).map_err(|expected| format!("{expected}, or off"))
    }
}

/// `true` or `false`.
pub fn boolean(text: &str) -> Result<bool, Expected> {
    text.parse().map_err(|_| "true or false".to_owned())
}

/// A whole number between two others.
pub fn whole(min: usize, max: usize) -> impl Fn(&str) -> Result<usize, Expected> {
    move |text| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.filter(|number| (min..=max).contains(number)).ok_or_else(|| {
            if max == usize::MAX {
                format!("a whole number of at least {min}")
            } else {
                format!("a whole number from {min} to {max}")
            }
        })
    }
}

/// One of two numbers.
pub fn either(first: u16, second: u16) -> impl Fn(&str) -> Result<u16, Expected> {
    move |text| {
        let number = text.parse().ok().filter(|number| *number == first || *number == second);
        number.ok_or_else(|| format!("{first} or {second}"))
    }
}

/// An address and a port; names are not resolved.
pub fn socket_address(text: &str) -> Result<SocketAddr, Expected> {
    text.parse().map_err(|_| "an IP address and a port, such as 127.0.0.1:7171".to_owned())
}

/// Scheme and host, and perhaps a port.
pub fn origin(text: &str) -> Result<String, Expected> {
    let origin = text.strip_suffix('/').unwrap_or(text);
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    match host {
        Some(host) if !host.is_empty() && host.bytes().all(plain) => Ok(origin.to_owned()),
        Some(_) | None => Err("scheme and host, such as https://crm.example.com".to_owned()),
    }
}

/// A key that fits into a header.
pub fn operator_key(text: &str) -> Result<OperatorKey, Expected> {
    if secret_bytes(text) && (1..=256).contains(&text.len()) {
        return Ok(OperatorKey::new(text));
    }
    Err("1 to 256 printable ASCII characters".to_owned())
}

/// A key as members have it.
pub fn api_key(text: &str) -> Result<Secret, Expected> {
    if secret_bytes(text) && (16..=256).contains(&text.len()) {
        return Ok(Secret(text.into()));
    }
    Err("16 to 256 printable ASCII characters".to_owned())
}

/// Whether a header can carry it: printable, and no space at the ends, where one is cut off.
fn secret_bytes(text: &str) -> bool {
    text.trim() == text && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// The text itself, for the one who needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    fn check<T: PartialEq + Debug>(
        parse: impl Fn(&str) -> Result<T, Expected>,
        good: &[(&str, T)],
        bad: &[&str],
    ) {
        for (text, value) in good {
            assert_eq!(parse(text).as_ref(), Ok(value), "{text}");
        }
        for text in bad {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_whole_numbers_with_a_unit() {
        check(
            duration,
            &[
                ("1s", Duration::from_secs(1)),
                ("15m", Duration::from_mins(15)),
                ("24h", Duration::from_hours(24)),
                ("7d", Duration::from_hours(7 * 24)),
            ],
            &[
                "",
                "10",
                "s",
                "0s",
                "-1s",
                "+1s",
                "1.5h",
                "1 s",
                "1S",
                "1w",
                "99999999999999999999s",
                "300000d",
            ],
        );
    }

    #[test]
    fn sizes_are_whole_numbers_with_a_unit() {
        check(
            bytes,
            &[("512B", 512), ("256KiB", 256 << 10), ("16MiB", 16 << 20), ("8GiB", 8 << 30)],
            &["", "16", "16MB", "16mib", "0KiB", "-1MiB", "1.5MiB", "99999999999TiB"],
        );
    }

    #[test]
    fn off_is_a_value_only_where_it_is_allowed() {
        check(or_off(bytes), &[("off", None), ("1KiB", Some(1024))], &["none", "OFF", ""]);
        assert!(bytes("off").is_err());
        assert!(or_off(bytes)("x").unwrap_err().ends_with(", or off"));
    }

    #[test]
    fn numbers_stay_between_their_ends() {
        check(whole(1, 512), &[("1", 1), ("512", 512)], &["0", "513", "", "+1", "1.0", "x"]);
        check(either(200, 201), &[("200", 200), ("201", 201)], &["202", "", "x"]);
    }

    #[test]
    fn addresses_are_numbers_and_origins_have_no_path() {
        check(
            socket_address,
            &[("127.0.0.1:0", SocketAddr::from(([127, 0, 0, 1], 0)))],
            &["localhost:7171", "127.0.0.1", ":7171", "7171"],
        );
        check(
            origin,
            &[
                ("https://a.example", "https://a.example".to_owned()),
                ("http://[::1]:81/", "http://[::1]:81".to_owned()),
            ],
            &[
                "a.example",
                "ftp://a",
                "https://",
                "https://a/b",
                "https://a?b",
                "https://a b",
                "https://u@a",
            ],
        );
    }

    #[test]
    fn secrets_fit_into_a_header_and_are_never_shown() {
        let long = "k".repeat(256);
        assert_eq!(api_key("sixteen letters!").unwrap().reveal(), "sixteen letters!");
        assert_eq!(api_key(&long).unwrap().reveal(), long);
        let too_long = "k".repeat(257);
        for bad in [
            "fifteen letters",
            "",
            " leading spaces here",
            "new\nline in the key",
            "é is not ASCII at all",
            &too_long,
        ] {
            assert!(api_key(bad).is_err(), "{bad}");
        }
        let shown = format!("{:?}", api_key("sixteen letters!").unwrap());
        assert!(!shown.contains("sixteen"), "{shown}");
        assert!(operator_key("short").is_ok());
        assert!(operator_key("").is_err());
    }
}
