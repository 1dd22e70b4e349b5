//! What a caller gives for a value, before a field type has read it. The edge makes it of its text.

use std::borrow::Cow;

/// A value as it was written: a number keeps its digits, a map its order.
///
/// The edge has refused maps with the same key twice and nesting beyond its limit.
#[derive(Clone, Debug, PartialEq)]
pub enum Input<'a> {
    Null,
    Boolean(bool),
    /// In the grammar of a JSON number, as written (`12.50`, `1e3`).
    Number(Cow<'a, str>),
    Text(Cow<'a, str>),
    List(Vec<Input<'a>>),
    Map(Vec<(Cow<'a, str>, Input<'a>)>),
}

impl<'a> Input<'a> {
    /// The value of a key, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Input<'a>> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// What it is, for a message: `a number`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}
