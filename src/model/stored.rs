//! The stored form of what changes seldom: an array of format and a binary of named MessagePack.

use crate::model::state::State;
use crate::model::table::event_form::{
    Misfit, put_array, put_bin, put_uint, take_array, take_bin, take_uint,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Format of these items; another one is refused by name.
const FORMAT: u64 = 1;

/// Appends an item.
pub fn encode(item: &impl Serialize, out: &mut Vec<u8>) {
    put_array(2, out);
    put_uint(FORMAT, out);
    put_bin(&rmp_serde::to_vec_named(item).expect("our own types have a stored form"), out);
}

/// Applies stored events, one after the other, and tells how many there were.
pub fn replay<S>(state: &mut S, mut bytes: &[u8], what: &'static str) -> Result<u32, Misfit>
where
    S: State<Event: DeserializeOwned>,
{
    let mut count = 0;
    while !bytes.is_empty() {
        state.apply(&decode(&mut bytes, what)?);
        count += 1;
    }
    Ok(count)
}

/// Takes an item off the front.
pub fn decode<T: DeserializeOwned>(rest: &mut &[u8], what: &'static str) -> Result<T, Misfit> {
    if take_array(rest, what)? != 2 {
        return Err(Misfit::Shape { what });
    }
    let format = take_uint(rest, what)?;
    if format != FORMAT {
        return Err(Misfit::Format { found: format });
    }
    rmp_serde::from_slice(take_bin(rest, what)?).map_err(|_| Misfit::Shape { what })
}
