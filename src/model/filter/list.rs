//! What the values of a field that may hold several must be like. One value is a list of one.

/// How many of the wanted values a record must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    All,
    Any,
}

/// Values that a record is asked for. None stands for what is nowhere, such as a tag of a name that
/// no tag has: it is wanted in vain.
#[derive(Clone, Debug, PartialEq)]
pub struct ListTest<T> {
    pub quantity: Quantity,
    pub wanted: Vec<Option<T>>,
}

impl<T: PartialEq> ListTest<T> {
    /// Whether a record that has these has what is wanted.
    #[must_use]
    pub fn holds(&self, held: &[T]) -> bool {
        let is_held =
            |wanted: &Option<T>| wanted.as_ref().is_some_and(|wanted| held.contains(wanted));
        match self.quantity {
            Quantity::All => self.wanted.iter().all(is_held),
            Quantity::Any => self.wanted.iter().any(is_held),
        }
    }
}
