//! The currencies that amounts may be in: ISO 4217's codes of what is in circulation, with the
//! symbols that CLDR gives them in English.
//!
//! A stored format: a code is never taken out. Must not know amounts.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A currency; stored as its code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Currency(&'static str);

/// Where nothing is said: the vendor's own default.
const DEFAULT: Currency = Currency("USD");

#[rustfmt::skip]
const CODES: [&str; 157] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN",
    "BHD", "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF",
    "CHF", "CLF", "CLP", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD",
    "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ",
    "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD",
    "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR",
    "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN",
    "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR",
    "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB",
    "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS",
    "VED", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW",
    "ZWG",
];

/// The others are shown by their codes.
#[rustfmt::skip]
const SYMBOLS: [(&str, &str); 20] = [
    ("AUD", "A$"), ("BRL", "R$"), ("CAD", "CA$"), ("CNY", "CN¥"), ("EUR", "€"), ("GBP", "£"),
    ("HKD", "HK$"), ("ILS", "₪"), ("INR", "₹"), ("JPY", "¥"), ("KRW", "₩"), ("MXN", "MX$"),
    ("NZD", "NZ$"), ("PHP", "₱"), ("TWD", "NT$"), ("USD", "$"), ("VND", "₫"), ("XAF", "FCFA"),
    ("XCD", "EC$"), ("XPF", "CFPF"),
];

impl Currency {
    /// By its code, in any case.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let code = code.trim();
        CODES.into_iter().find(|known| known.eq_ignore_ascii_case(code)).map(Self)
    }

    /// Three capital letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0
    }

    /// What is written beside an amount.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        let found = SYMBOLS.into_iter().find(|(code, _)| *code == self.0);
        found.map_or(self.0, |(_, symbol)| symbol)
    }
}

impl Default for Currency {
    fn default() -> Self {
        DEFAULT
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        let unknown = || D::Error::custom(format!("{code:?} is not the code of a currency"));
        Self::parse(&code).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_three_capitals_in_order_and_every_symbol_has_one() {
        assert!(CODES.is_sorted_by(|left, right| left < right));
        for code in CODES {
            assert!(code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()));
            assert_eq!(Currency::parse(&code.to_lowercase()), Some(Currency(code)));
        }
        for (code, symbol) in SYMBOLS {
            assert_eq!(Currency::parse(code).map(Currency::symbol), Some(symbol));
        }
        assert_eq!(Currency::parse(DEFAULT.code()), Some(DEFAULT));
    }

    #[test]
    fn a_stored_code_is_read_back_and_another_is_refused() {
        let stored = rmp_serde::to_vec(&Currency("CHF")).unwrap();
        assert_eq!(stored, b"\xa3CHF");
        assert_eq!(rmp_serde::from_slice::<Currency>(&stored).ok(), Some(Currency("CHF")));
        assert!(rmp_serde::from_slice::<Currency>(b"\xa3XXX").is_err());
    }

    #[test]
    fn a_currency_without_a_symbol_shows_its_code() {
        assert_eq!(Currency::parse("chf").map(Currency::symbol), Some("CHF"));
        assert_eq!(Currency::parse(" usd ").map(Currency::code), Some("USD"));
        for code in ["", "US", "USDD", "XXX", "$"] {
            assert_eq!(Currency::parse(code), None, "{code}");
        }
    }
}
