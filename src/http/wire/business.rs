//! Businesses: the bodies that make and change one, and how members and the operator see one.

use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::shape::{Presence, Shape, TextRule};
use crate::http::value_fault;
use crate::http::wire::api_keys::read_secret;
use crate::http::wire::country::country_code;
use crate::http::wire::keys;
use crate::http::wire::member_row::read_admin;
use crate::model::catalog::command::NewMember;
use crate::model::id::BusinessId;
use crate::model::input::Input;
use crate::model::root::Business;
use crate::model::root::command::BusinessEdit;
use crate::model::schema::LABEL_CHARS_MAX;
use crate::model::value::text::check_characters;
use crate::model::value::time::timestamp_text;
use jiff::tz::TimeZone;
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
    pub fn of(info: &'a Business) -> Self {
        Self {
            id: info.id,
            name: &info.name,
            country: &info.country,
            phone_default_region: &info.phone_default_region,
            timezone: ZoneName { name: &info.timezone },
            created: timestamp_text(info.created, &zone_of(info)),
        }
    }
}

/// A business as the operator sees it.
#[derive(Debug, Serialize)]
pub struct BusinessRow<'a> {
    #[serde(flatten)]
    business: BusinessShape<'a>,
    archived_at: Option<String>,
}

impl<'a> BusinessRow<'a> {
    #[must_use]
    pub fn of(info: &'a Business) -> Self {
        let archived_at = info.archived_at.map(|at| timestamp_text(at, &zone_of(info)));
        Self { business: BusinessShape::of(info), archived_at }
    }
}

/// Whoever made the business has checked its zone; a build without it shows UTC.
#[must_use]
pub fn zone_of(info: &Business) -> TimeZone {
    TimeZone::get(&info.timezone).unwrap_or(TimeZone::UTC)
}

/// A business as the operator wants it.
pub struct BusinessBody {
    pub id: Option<BusinessId>,
    pub name: String,
    pub timezone: String,
    pub country: String,
    pub phone_default_region: String,
    pub admin: NewMember,
    /// One that an older script uses.
    pub secret: Option<String>,
}

/// Reads the body that makes a business; none if it has a fault.
pub fn read_new_business(
    body: &Input<'_>,
    strict: bool,
    faults: &mut Faults,
) -> Option<BusinessBody> {
    let mut shape = Shape::of_body(body, faults);
    let id = keys::id(&mut shape, "id", BusinessId::parse, faults);
    let name = read_name(&mut shape, Presence::Required, faults);
    let timezone = read_zone(&mut shape, faults);
    let country = read_country(&mut shape, "country", faults);
    let region = read_country(&mut shape, "phone_default_region", faults);
    let (mut admin, mut secret) = (None, None);
    if let Some(mut inside) = shape.object("admin", Presence::Required, faults) {
        admin = read_admin(&mut inside, faults);
        secret = read_secret(&mut inside, faults);
        inside.finish_inside(strict, faults);
    }
    shape.finish(strict, RouteGroup::Write, faults);
    let body = BusinessBody {
        id,
        name: name?,
        timezone: timezone.unwrap_or_else(|| "UTC".to_owned()),
        country: country.unwrap_or_else(|| "US".to_owned()),
        phone_default_region: region.unwrap_or_else(|| "US".to_owned()),
        admin: admin?,
        secret,
    };
    faults.is_empty().then_some(body)
}

/// Reads the body that changes a business; what it does not name stays. None if it has a fault.
pub fn read_business_edit(
    body: &Input<'_>,
    held: BusinessId,
    strict: bool,
    faults: &mut Faults,
) -> Option<BusinessEdit> {
    let mut shape = Shape::of_body(body, faults);
    let id = keys::id(&mut shape, "id", BusinessId::parse, faults);
    if id.is_some_and(|id| id != held) {
        faults.push(Fault::new(Code::Immutable, shape.place("id")));
    }
    let edit = BusinessEdit {
        id: held,
        name: read_name(&mut shape, Presence::Optional, faults),
        timezone: read_zone(&mut shape, faults),
        country: read_country(&mut shape, "country", faults),
        phone_default_region: read_country(&mut shape, "phone_default_region", faults),
    };
    shape.finish(strict, RouteGroup::Write, faults);
    faults.is_empty().then_some(edit)
}

fn read_name(shape: &mut Shape<'_>, presence: Presence, faults: &mut Faults) -> Option<String> {
    let rule =
        TextRule { presence, chars_max: LABEL_CHARS_MAX, may_be_blank: false, takes_number: false };
    let name = shape.text("name", &rule, faults)?.to_owned();
    if let Err(fault) = check_characters(&name, false) {
        faults.push(value_fault::fault_of(&fault, shape.place("name")));
    }
    Some(name)
}

/// The IANA name, alone or as answers show it; in its own spelling.
fn read_zone(shape: &mut Shape<'_>, faults: &mut Faults) -> Option<String> {
    const KEY: &str = "timezone";
    let value = shape.value(KEY, Presence::Nullable, faults)?;
    let name = value.get("name").unwrap_or(value).as_text();
    let Some(name) = name else {
        let fault = Fault::new(Code::Invalid, shape.place(KEY));
        faults.push(fault.saying("Give the name of a time zone."));
        return None;
    };
    let zone = TimeZone::get(name.trim()).ok();
    let known = zone.and_then(|zone| zone.iana_name().map(str::to_owned));
    if known.is_none() {
        let fault = Fault::new(Code::InvalidChoice, shape.place(KEY));
        faults.push(fault.saying("Unknown time zone."));
    }
    known
}

fn read_country(shape: &mut Shape<'_>, key: &'static str, faults: &mut Faults) -> Option<String> {
    let given = keys::text(shape, key, Presence::Nullable, faults)?;
    let code = country_code(&given);
    if code.is_none() {
        faults.push(Fault::invalid_choice(shape.place(key), &given));
    }
    code
}
