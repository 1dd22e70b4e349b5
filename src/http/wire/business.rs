//! A business as its members see it.

use crate::engine::business::Business;
use crate::model::id::BusinessId;
use crate::model::value::time::timestamp_text;
use serde::Serialize;

#[derive(Debug, Serialize)]
struct ZoneName<'a> {
    name: &'a str,
}

/// A business as its members see it.
#[derive(Debug, Serialize)]
pub struct BusinessShape<'a> {
    id: BusinessId,
    name: &'a str,
    country: &'a str,
    phone_default_region: &'a str,
    timezone: ZoneName<'a>,
    created: String,
}

impl<'a> BusinessShape<'a> {
    #[must_use]
    pub fn of(business: &'a Business) -> Self {
        let info = business.info();
        Self {
            id: info.id,
            name: &info.name,
            country: &info.country,
            phone_default_region: &info.phone_default_region,
            timezone: ZoneName { name: &info.timezone },
            created: timestamp_text(info.created, business.time_zone()),
        }
    }
}
