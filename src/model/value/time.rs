//! date and datetime: days and instants.
//!
//! Owns how they are spelled and which of them are taken. Must not read a clock, nor know which
//! time zone a business has: that is an argument.

use crate::model::id::{Day, Timestamp};
use crate::model::input::Input;
use crate::model::value::fault::ValueFault;
use crate::model::value::pack::{self, DecodeError};
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp as Instant};
use std::ops::Range;

const EPOCH: Date = Date::constant(1970, 1, 1);
/// The first day: many clients know no year 0.
const DAY_MIN: Date = Date::constant(1, 1, 1);
const DAY_MAX: Date = Date::constant(9999, 12, 31);
/// Of a second.
const NANOSECONDS: i128 = 1_000_000_000;
/// 0001-01-02T00:00:00Z: an instant has a year of four digits in every time zone.
const INSTANT_MIN_MS: i64 = -62_135_510_400_000;
/// 9999-12-30T22:00:00Z, the calendar's last in which every offset can be applied.
const INSTANT_MAX_MS: i64 = 253_402_207_200_000;
const DAY_SECONDS: i64 = 86_400;

/// Reads `YYYY-MM-DD`; a datetime is cut to the date that is written in it.
pub(super) fn read_day(input: &Input<'_>) -> Result<Day, ValueFault> {
    const FAULT: ValueFault =
        ValueFault::Invalid { what: "Date has wrong format. Use YYYY-MM-DD." };
    input.as_text().and_then(|text| parse_day(text.trim())).ok_or(FAULT)
}

/// What `read_day` reads, none where it is not one.
#[must_use]
pub fn parse_day(text: &str) -> Option<Day> {
    Written::parse(text).map(|written| day_of(written.date))
}

/// Reads RFC 3339 with any offset; without one UTC is meant. A bare date is the day's first instant
/// in the time zone.
pub(super) fn read_timestamp(
    input: &Input<'_>,
    time_zone: &TimeZone,
) -> Result<Timestamp, ValueFault> {
    const FAULT: ValueFault =
        ValueFault::Invalid { what: "Datetime has wrong format. Use RFC 3339." };
    let text = input.as_text().ok_or(FAULT)?;
    parse_timestamp(text.trim(), time_zone).ok_or(FAULT)
}

/// What `read_timestamp` reads, none where it is not one.
#[must_use]
pub fn parse_timestamp(text: &str, time_zone: &TimeZone) -> Option<Timestamp> {
    let Written { date, clock } = Written::parse(text)?;
    let instant = match clock {
        None => time_zone.to_timestamp(date.at(0, 0, 0, 0)).ok()?,
        Some(Clock { time, offset }) => offset.to_timestamp(date.to_datetime(time)).ok()?,
    };
    let unix_ms = instant.as_millisecond();
    (INSTANT_MIN_MS..=INSTANT_MAX_MS).contains(&unix_ms).then_some(Timestamp(unix_ms))
}

/// An instant to the nanosecond, as seconds since 1970 and nanoseconds; a bare date is none.
#[must_use]
pub fn parse_instant(text: &str) -> Option<(i64, u32)> {
    Written::parse(text)?.clock?;
    // Without an offset it is UTC.
    let instant = text.parse::<Instant>().or_else(|_| format!("{text}Z").parse()).ok()?;
    let seconds = instant.as_nanosecond().div_euclid(NANOSECONDS);
    let nanoseconds = instant.as_nanosecond().rem_euclid(NANOSECONDS);
    Some((i64::try_from(seconds).ok()?, u32::try_from(nanoseconds).ok()?))
}

/// Such an instant as clients read it: with six digits of the second, or nine where it has them.
#[must_use]
pub fn instant_text((seconds, nanoseconds): (i64, u32), time_zone: &TimeZone) -> String {
    let unix_ms = seconds.saturating_mul(1000).saturating_add(i64::from(nanoseconds / 1_000_000));
    let mut text = timestamp_text(Timestamp(unix_ms), time_zone);
    let digits = format!("{nanoseconds:09}");
    let shown = if digits.ends_with("000") { &digits[..6] } else { &digits[..] };
    text.replace_range(20..26, shown);
    text
}

/// All instants that a text means: one, or those of a bare date's day in the time zone.
#[must_use]
pub fn parse_span(text: &str, time_zone: &TimeZone) -> Option<Range<Timestamp>> {
    let start = parse_timestamp(text, time_zone)?;
    let Written { date, clock } = Written::parse(text)?;
    if clock.is_some() {
        return Some(start..Timestamp(start.0 + 1));
    }
    // A day ends where the next begins: it need not have twenty-four hours.
    let next = time_zone.to_timestamp(date.tomorrow().ok()?.at(0, 0, 0, 0)).ok()?;
    Some(start..Timestamp(next.as_millisecond()))
}

/// The month of a day, 1 to 12.
#[must_use]
pub fn month_of_day(day: Day) -> i8 {
    date_of(day).month()
}

/// The month of an instant in the time zone, 1 to 12.
#[must_use]
pub fn month_of_instant(timestamp: Timestamp, time_zone: &TimeZone) -> i8 {
    let unix_ms = timestamp.0.clamp(INSTANT_MIN_MS, INSTANT_MAX_MS);
    let instant = Instant::from_millisecond(unix_ms).expect("the bounds are the calendar's");
    time_zone.to_datetime(instant).month()
}

/// Appends an instant as clients read it, always 32 characters:
/// `2026-11-24T05:40:00.123000+00:00`.
pub fn write_timestamp(timestamp: Timestamp, time_zone: &TimeZone, out: &mut String) {
    // What was read is in these bounds; a damaged value must not stop the reader.
    let unix_ms = timestamp.0.clamp(INSTANT_MIN_MS, INSTANT_MAX_MS);
    let instant = Instant::from_millisecond(unix_ms).expect("the bounds are the calendar's");
    // Old local times differ from UTC by seconds, which the form cannot say; the instant stays
    // exact if the time is shown at the offset that is written.
    let minutes = time_zone.to_offset(instant).seconds() / 60;
    let offset = Offset::from_seconds(minutes * 60).expect("it is nearer to zero than a valid one");
    let local = offset.to_datetime(instant);

    let mut text = *b"0000-00-00T00:00:00.000000+00:00";
    put_date(local.date(), &mut text);
    put_digits(local.hour().unsigned_abs().into(), &mut text[11..13]);
    put_digits(local.minute().unsigned_abs().into(), &mut text[14..16]);
    put_digits(local.second().unsigned_abs().into(), &mut text[17..19]);
    put_digits(unix_ms.rem_euclid(1000).unsigned_abs(), &mut text[20..23]);
    text[26] = if minutes < 0 { b'-' } else { b'+' };
    put_digits(u64::from(minutes.unsigned_abs() / 60), &mut text[27..29]);
    put_digits(u64::from(minutes.unsigned_abs() % 60), &mut text[30..32]);
    out.push_str(std::str::from_utf8(&text).expect("digits and marks are ASCII"));
}

/// An instant as clients read it.
#[must_use]
pub fn timestamp_text(timestamp: Timestamp, time_zone: &TimeZone) -> String {
    let mut text = String::with_capacity(32);
    write_timestamp(timestamp, time_zone, &mut text);
    text
}

/// A day as clients read it: `YYYY-MM-DD`.
#[must_use]
pub fn day_text(day: Day) -> String {
    let mut text = *b"0000-00-00";
    put_date(date_of(day), &mut text);
    std::str::from_utf8(&text).expect("digits and marks are ASCII").to_owned()
}

pub(super) fn decode_day(bytes: &mut &[u8]) -> Result<Day, DecodeError> {
    i32::try_from(pack::read_integer(bytes)?)
        .map(Day)
        .map_err(|_| DecodeError::Form { expected: "a day" })
}

/// A date and, for a datetime, what follows it.
struct Written {
    date: Date,
    clock: Option<Clock>,
}

struct Clock {
    time: Time,
    offset: Offset,
}

impl Written {
    fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.as_bytes().split_at_checked(10)?;
        let date = parse_date(date)?;
        let clock = match rest {
            [] => None,
            [b'T' | b't' | b' ', clock @ ..] => Some(Clock::parse(clock)?),
            _ => return None,
        };
        Some(Self { date, clock })
    }
}

impl Clock {
    /// `HH:MM`, then seconds, a fraction and an offset if they are there.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let ([h1, h2, b':', m1, m2], mut rest) = bytes.split_first_chunk()? else { return None };
        let (mut second, mut millisecond) = (0, 0);
        if let [b':', s1, s2, after @ ..] = rest {
            // A leap second is the last of its minute, as the calendar has it.
            second = two_digits(*s1, *s2).filter(|second| *second <= 60)?.min(59);
            rest = after;
            if let [b'.' | b',', after @ ..] = rest {
                let len = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
                millisecond = cut_to_milliseconds(after.get(..len).filter(|_| len > 0)?);
                rest = &after[len..];
            }
        }
        let (hour, minute) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
        let time = Time::new(hour, minute, second, millisecond * 1_000_000).ok()?;
        Some(Self { time, offset: parse_offset(rest)? })
    }
}

/// `Z`, `±HH:MM` or `±HHMM`; nothing is UTC.
fn parse_offset(bytes: &[u8]) -> Option<Offset> {
    let (sign, hours, minutes) = match bytes {
        [] | [b'Z' | b'z'] => return Some(Offset::UTC),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => {
            (*sign, two_digits(*h1, *h2)?, two_digits(*m1, *m2)?)
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
    match sign {
        b'+' => Offset::from_seconds(seconds).ok(),
        b'-' => Offset::from_seconds(-seconds).ok(),
        _ => None,
    }
}

fn parse_date(bytes: &[u8]) -> Option<Date> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else { return None };
    let century = i16::from(two_digits(*y1, *y2)?);
    let year = century * 100 + i16::from(two_digits(*y3, *y4)?);
    let date = Date::new(year, two_digits(*m1, *m2)?, two_digits(*d1, *d2)?).ok()?;
    (date >= DAY_MIN).then_some(date)
}

fn two_digits(tens: u8, ones: u8) -> Option<i8> {
    if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    i8::try_from((tens - b'0') * 10 + (ones - b'0')).ok()
}

fn cut_to_milliseconds(digits: &[u8]) -> i32 {
    let padded = digits.iter().copied().chain(*b"00");
    padded.take(3).fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'))
}

fn day_of(date: Date) -> Day {
    let days = date.duration_since(EPOCH).as_secs() / DAY_SECONDS;
    Day(i32::try_from(days).expect("the calendar has fewer days"))
}

/// What was read is in these bounds; a damaged value must not stop the reader.
fn date_of(day: Day) -> Date {
    let since_epoch = SignedDuration::from_secs(i64::from(day.0) * DAY_SECONDS);
    EPOCH.saturating_add(since_epoch).clamp(DAY_MIN, DAY_MAX)
}

/// Writes `YYYY-MM-DD` over the first ten bytes.
fn put_date(date: Date, text: &mut [u8]) {
    put_digits(date.year().unsigned_abs().into(), &mut text[..4]);
    put_digits(date.month().unsigned_abs().into(), &mut text[5..7]);
    put_digits(date.day().unsigned_abs().into(), &mut text[8..10]);
}

/// Writes a number with leading zeros over all of `text`.
fn put_digits(mut number: u64, text: &mut [u8]) {
    for place in text.iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    #[test]
    fn days_are_read_and_shown() {
        let check = |written: &str, expected: Option<&str>| {
            let found = read_day(&text(written)).ok().map(day_text);
            assert_eq!(found.as_deref(), expected, "{written}");
        };
        check("1970-01-01", Some("1970-01-01"));
        check(" 2024-02-29 ", Some("2024-02-29"));
        check("0001-01-01", Some("0001-01-01"));
        check("9999-12-31", Some("9999-12-31"));
        check("2026-11-24T23:59:59-08:00", Some("2026-11-24"));
        check("2026-11-24 00:00", Some("2026-11-24"));
        for bad in [
            "",
            "2023-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "0000-01-01",
            "-001-01-01",
            "26-01-01",
            "2026-1-1",
            "20260101",
            "2026-01-01x",
            "2026-01-01T",
            "2026-01-01T25:00:00Z",
            "2026-01-01T10:00:00+25:00",
            "24.11.2026",
            "２０２６-01-01",
        ] {
            check(bad, None);
        }
        assert!(read_day(&Input::Number("2026".into())).is_err());
        assert_eq!(read_day(&text("1970-01-02")), Ok(Day(1)));
        assert_eq!(read_day(&text("1969-12-31")), Ok(Day(-1)));
    }

    #[test]
    fn instants_are_read_with_any_offset() {
        let berlin = zone("Europe/Berlin");
        let check = |written: &str, expected: Option<&str>| {
            let found = read_timestamp(&text(written), &berlin).ok();
            let found = found.map(|found| timestamp_text(found, &TimeZone::UTC));
            assert_eq!(found.as_deref(), expected, "{written}");
        };
        let at_noon = Some("2026-11-24T12:00:00.000000+00:00");
        for written in [
            "2026-11-24T12:00:00Z",
            "2026-11-24t12:00:00z",
            "2026-11-24 12:00:00",
            "2026-11-24T12:00",
            "2026-11-24T13:00:00+01:00",
            "2026-11-24T13:00:00+0100",
            "2026-11-24T06:30:00.000-05:30",
        ] {
            check(written, at_noon);
        }
        check("2026-11-24T12:00:00.1239999Z", Some("2026-11-24T12:00:00.123000+00:00"));
        check("2026-11-24T12:00:00,5Z", Some("2026-11-24T12:00:00.500000+00:00"));
        check("1969-12-31T23:59:59.9999Z", Some("1969-12-31T23:59:59.999000+00:00"));
        check("2016-12-31T23:59:60Z", Some("2016-12-31T23:59:59.000000+00:00"));
        check("2026-11-24", Some("2026-11-23T23:00:00.000000+00:00"));
        check("2026-07-24", Some("2026-07-23T22:00:00.000000+00:00"));
        for bad in [
            "",
            "12:00",
            "2026-11-24T",
            "2026-11-24T1:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T12:60:00Z",
            "2026-11-24T12:00:61Z",
            "2026-11-24T12:00:00.Z",
            "2026-11-24T12:00:00 Z",
            "2026-11-24T12:00:00+01",
            "2026-11-24T12:00:00+01:60",
            "2026-11-25T12:00:00+24:00",
            "2026-11-24T12:00:00Europe/Berlin",
            "2026-02-30T12:00:00Z",
            "0001-01-01T00:00:00+12:00",
            "9999-12-31T23:59:59Z",
        ] {
            check(bad, None);
        }
        assert!(read_timestamp(&Input::Number("0".into()), &berlin).is_err());
    }

    #[test]
    fn a_bare_date_is_the_first_instant_of_its_day() {
        let check = |name: &str, date: &str, expected: &str| {
            let zone = zone(name);
            let found = parse_timestamp(date, &zone).map(|found| timestamp_text(found, &zone));
            assert_eq!(found.as_deref(), Some(expected), "{name} {date}");
        };
        check("America/New_York", "2026-11-24", "2026-11-24T00:00:00.000000-05:00");
        // Clocks went from midnight to one o'clock.
        check("America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00.000000-02:00");
    }

    #[test]
    fn instants_are_shown_in_the_time_zone() {
        let check = |name: &str, unix_ms, expected: &str| {
            assert_eq!(timestamp_text(Timestamp(unix_ms), &zone(name)), expected);
        };
        check("UTC", 1_795_498_800_123, "2026-11-24T05:40:00.123000+00:00");
        check("UTC", 0, "1970-01-01T00:00:00.000000+00:00");
        check("UTC", -1, "1969-12-31T23:59:59.999000+00:00");
        check("Europe/Berlin", 1_795_498_800_123, "2026-11-24T06:40:00.123000+01:00");
        check("Asia/Kolkata", 1_795_498_800_123, "2026-11-24T11:10:00.123000+05:30");
        check("America/St_Johns", 1_795_498_800_123, "2026-11-24T02:10:00.123000-03:30");
        // The local mean time of Berlin was ahead by 53 minutes and 28 seconds.
        check("Europe/Berlin", -2_500_000_000_000, "1890-10-11T20:26:20.000000+00:53");
    }

    #[test]
    fn damaged_values_are_shown_as_the_nearest_good_ones() {
        let shown = |unix_ms| timestamp_text(Timestamp(unix_ms), &TimeZone::UTC);
        assert_eq!(shown(i64::MIN), "0001-01-02T00:00:00.000000+00:00");
        assert_eq!(shown(i64::MAX), "9999-12-30T22:00:00.000000+00:00");
        assert_eq!(day_text(Day(i32::MIN)), "0001-01-01");
        assert_eq!(day_text(Day(i32::MAX)), "9999-12-31");
    }

    #[test]
    fn the_bounds_are_shown_in_every_time_zone() {
        for name in ["Pacific/Kiritimati", "Pacific/Niue", "Asia/Manila", "America/Juneau"] {
            for unix_ms in [INSTANT_MIN_MS, INSTANT_MAX_MS] {
                let shown = timestamp_text(Timestamp(unix_ms), &zone(name));
                assert_eq!(shown.len(), 32, "{name} {shown}");
                assert!(shown.starts_with("0001-") || shown.starts_with("9999-12-3"), "{shown}");
            }
        }
    }

    fn any_zone() -> impl Strategy<Value = TimeZone> {
        let names = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"];
        prop::sample::select(names.to_vec()).prop_map(zone)
    }

    proptest! {
        #[test]
        fn every_instant_is_read_back(
            unix_ms in INSTANT_MIN_MS..=INSTANT_MAX_MS,
            shown_in in any_zone(),
            read_in in any_zone(),
        ) {
            let shown = timestamp_text(Timestamp(unix_ms), &shown_in);
            prop_assert_eq!(shown.len(), 32);
            prop_assert_eq!(parse_timestamp(&shown, &read_in), Some(Timestamp(unix_ms)), "{}", shown);
        }

        #[test]
        fn every_day_is_read_back(days in -719_162..=2_932_896_i32) {
            prop_assert_eq!(read_day(&text(&day_text(Day(days)))), Ok(Day(days)));
        }

        #[test]
        fn no_text_stops_the_reader(
            input in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.+Zé-]{0,20}|.{0,24}",
        ) {
            // Reading or refusing are both right; what counts is that what is read can be shown.
            if let Some(read) = parse_timestamp(&input, &TimeZone::UTC) {
                let shown = timestamp_text(read, &TimeZone::UTC);
                prop_assert_eq!(parse_timestamp(&shown, &TimeZone::UTC), Some(read));
            }
        }
    }
}
