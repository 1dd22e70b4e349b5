//! The text of a value in a cell of a table, and rows of cells as RFC 4180 has them.
//!
//! A blank is an empty cell. Several values stand between `|`; inside of one of them that is `\|`,
//! and `\` is `\\`. It must not know which values a record has.

use crate::http::wire::related::RelatedForm;
use crate::http::wire::value::ReadForm;
use crate::model::schema::option::Choice;
use crate::model::value::money::write_amount;
use crate::model::value::number::write_decimal;
use crate::model::value::time::{day_text, timestamp_text};
use std::fmt::{Display, Write as _};

/// What stands between several values.
pub const SEPARATOR: char = '|';
/// What takes the meaning from itself and from the separator.
pub const ESCAPE: char = '\\';
/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// Appends the text of a value: options by their labels or by their ids, tags by their names, all
/// else that is referred to by its id.
pub fn write_value(value: &ReadForm<'_>, labels: bool, out: &mut String) {
    match value {
        ReadForm::Text(text) => out.push_str(text),
        ReadForm::Integer(integer) => put(integer, out),
        ReadForm::Decimal(decimal) => write_decimal(*decimal, out),
        ReadForm::Money(amount, _) => write_amount(*amount, out),
        ReadForm::Boolean(boolean) => put(boolean, out),
        ReadForm::Date(day) => out.push_str(&day_text(*day)),
        ReadForm::Datetime(at, time_zone) => out.push_str(&timestamp_text(*at, time_zone)),
        ReadForm::Choice(choice) | ReadForm::Stage(choice) if labels => out.push_str(&choice.name),
        ReadForm::Choice(choice) | ReadForm::Stage(choice) => put(choice.id, out),
        ReadForm::Choices(choices) => {
            let text = |choice: &&Choice| {
                if labels { choice.name.clone() } else { choice.id.to_string() }
            };
            write_list(choices.iter().map(text), out);
        }
        ReadForm::Tags(tags) => write_list(tags.iter().map(|tag| tag.name.to_string()), out),
        ReadForm::Member(member) => put(member.id, out),
        ReadForm::Members(members) => {
            write_list(members.iter().map(|member| member.id.to_string()), out);
        }
        ReadForm::Files(files) => write_list(files.iter().map(ToString::to_string), out),
        ReadForm::Related(RelatedForm::One(record)) => put(record.id(), out),
        ReadForm::Related(RelatedForm::Several(records)) => {
            write_list(records.iter().map(|record| record.id().to_string()), out);
        }
        ReadForm::Related(RelatedForm::Summary(_)) => {
            unreachable!("an export shows all related records")
        }
    }
}

fn put(value: impl Display, out: &mut String) {
    write!(out, "{value}").expect("a string takes every write");
}

fn write_list(values: impl Iterator<Item = String>, out: &mut String) {
    for (at, value) in values.enumerate() {
        if at > 0 {
            out.push(SEPARATOR);
        }
        for character in value.chars() {
            if character == SEPARATOR || character == ESCAPE {
                out.push(ESCAPE);
            }
            out.push(character);
        }
    }
}

/// Appends a row with its end. With `excel`, what a spreadsheet would take for a formula gets a `'`
/// in front.
pub fn write_row<'c>(cells: impl Iterator<Item = &'c str>, excel: bool, out: &mut Vec<u8>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let is_formula = excel && cell.starts_with(FORMULA);
        if !is_formula && !cell.contains(['"', ',', '\r', '\n']) {
            out.extend_from_slice(cell.as_bytes());
            continue;
        }
        out.push(b'"');
        if is_formula {
            out.push(b'\'');
        }
        for byte in cell.bytes() {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_would_be_read_as_something_else() {
        let check = |cells: &[&str], excel, expected: &str| {
            let mut out = Vec::new();
            write_row(cells.iter().copied(), excel, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{cells:?}");
        };
        check(&["a", "", "ä b"], false, "a,,ä b\r\n");
        check(
            &["a,b", "say \"a\"", "1\n2", "1\r2"],
            false,
            "\"a,b\",\"say \"\"a\"\"\",\"1\n2\",\"1\r2\"\r\n",
        );
        check(&["=1", "+1", "-1", "@a", "a=1"], false, "=1,+1,-1,@a,a=1\r\n");
        check(
            &["=1", "+\"", "-1", "@a", "a=1"],
            true,
            "\"'=1\",\"'+\"\"\",\"'-1\",\"'@a\",a=1\r\n",
        );
    }

    #[test]
    fn several_values_are_told_apart() {
        let mut out = String::new();
        write_list(["a", "b|c", "d\\", ""].into_iter().map(str::to_owned), &mut out);
        assert_eq!(out, r"a|b\|c|d\\|");
    }
}
