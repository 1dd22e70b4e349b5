//! The currency of a money field, and how a request asks for it.
//!
//! Must not know amounts.

use crate::model::schema::check::Checks;
use crate::model::schema::currency::Currency;
use crate::model::schema::fault::BodyPlace;
use crate::model::value::fault::ValueFault;
use serde::{Deserialize, Serialize};

/// What all amounts of a field are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyOptions {
    pub currency: Currency,
}

/// The currency of a new money field, if it was given.
#[derive(Clone, Debug, Default)]
pub struct NewMoneyOptions {
    pub currency: Option<String>,
}

impl NewMoneyOptions {
    /// The currency, and in `checks` what is wrong with it.
    pub(super) fn read(&self, checks: &mut Checks) -> MoneyOptions {
        let Some(given) = &self.currency else { return MoneyOptions::default() };
        let currency = Currency::parse(given).unwrap_or_else(|| {
            let fault = ValueFault::InvalidChoice { given: given.as_str().into() };
            checks.add(BodyPlace::Inner { map: "money_options", key: "currency" }, fault);
            Currency::default()
        });
        MoneyOptions { currency }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_known_or_a_fault() {
        let read = |given: Option<&str>| {
            let mut checks = Checks::default();
            let new = NewMoneyOptions { currency: given.map(str::to_owned) };
            let options = new.read(&mut checks);
            let faults = checks.end().err().unwrap_or_default();
            let places: Vec<_> = faults.iter().map(|fault| fault.place.to_string()).collect();
            (options.currency.code(), places.concat())
        };
        assert_eq!(read(None), ("USD", String::new()));
        assert_eq!(read(Some("eur")), ("EUR", String::new()));
        assert_eq!(read(Some("EURO")), ("USD", "money_options.currency".to_owned()));
    }
}
