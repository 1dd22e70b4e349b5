//! `cursor`: an opaque text that says behind which record a list goes on.
//!
//! It names the record and what it is ordered by, never a place in memory, so it stays good while
//! records come and go and after a restart. It must not know how a list is searched.

use crate::model::filter::sort::{Position, Sort};
use crate::model::schema::field::Field;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

/// Another form than this is no cursor of ours.
const FORM: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Content {
    form: u8,
    /// The fields of the order by their numbers, each negative where it is descending.
    order: Vec<i64>,
    position: Position,
}

/// The text for a position in an order.
#[must_use]
pub fn write(position: &Position, sort: &Sort) -> String {
    let content = Content { form: FORM, order: order_of(sort), position: position.clone() };
    let bytes = rmp_serde::to_vec(&content).expect("our own shapes have a MessagePack form");
    BASE64URL_NOPAD.encode(&bytes)
}

/// The position that a text was made of, in this order; none where it was made in another one, or
/// by nobody.
#[must_use]
pub fn read(text: &str, sort: &Sort) -> Option<Position> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let content: Content = rmp_serde::from_slice(&bytes).ok()?;
    let is_ours = content.form == FORM && content.order == order_of(sort);
    let keys = content.position.keys.len();
    (is_ours && keys == sort.fields().len()).then_some(content.position)
}

fn order_of(sort: &Sort) -> Vec<i64> {
    let number = |field: &Field| i64::from(field.number.0);
    let signed = |is_descending, number: i64| if is_descending { -number } else { number };
    sort.fields().iter().map(|key| signed(key.is_descending, number(&key.field))).collect()
}
