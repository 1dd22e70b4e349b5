//! Lists of values in requests.
//!
//! Must not know what the values are: whoever has a list brings their reader.

use crate::model::input::Input;
use crate::model::value::fault::ValueFault;
use std::collections::BTreeSet;

/// The entries of a list of values, none twice.
///
/// The limit counts what is left, so that a long list of doubles is as good as a short one.
pub(super) fn read_distinct<T, K: Ord>(
    input: &Input<'_>,
    max: usize,
    read: impl Fn(&Input<'_>) -> Result<T, ValueFault>,
    identity: impl Fn(&T) -> K,
) -> Result<Vec<T>, ValueFault> {
    let entries = match input {
        Input::List(entries) => entries,
        Input::Null => return Err(ValueFault::Null),
        Input::Boolean(_) | Input::Number(_) | Input::Text(_) | Input::Map(_) => {
            return Err(ValueFault::Invalid { what: "Expected a list of values." });
        }
    };
    let mut seen = BTreeSet::new();
    let mut distinct = Vec::new();
    for entry in entries {
        let value = read(entry)?;
        if seen.insert(identity(&value)) {
            distinct.push(value);
        }
        if distinct.len() > max {
            return Err(ValueFault::LimitExceeded { what: "values", max });
        }
    }
    Ok(distinct)
}
