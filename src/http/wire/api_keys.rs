//! Keys of the API: the body that makes one, and how it is shown, its secret this once.

use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::shape::{Presence, Shape};
use crate::http::value_fault;
use crate::http::wire::keys;
use crate::model::catalog::api_key::ApiKey;
use crate::model::id::{ApiKeyId, MemberId, Timestamp};
use crate::model::input::Input;
use crate::model::schema::LABEL_CHARS_MAX;
use crate::model::value::fault::ValueFault;
use crate::model::value::text::{check_characters, check_length};
use crate::model::value::time::timestamp_text;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// Characters of an origin.
const ORIGIN_CHARS_MAX: usize = 64;
/// Characters of a secret that is brought along.
const SECRET_CHARS_MIN: usize = 16;
const SECRET_CHARS_MAX: usize = 256;

/// A key as a request wants it.
pub struct KeyBody {
    pub name: String,
    pub member: Option<MemberId>,
    /// The one given, or what the name leaves of it.
    pub origin: Arc<str>,
    pub expires_at: Option<Timestamp>,
    pub secret: Option<String>,
}

impl fmt::Debug for KeyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBody").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Reads the body that makes a key; none if it has a fault.
pub fn read_key_body(
    body: &Input<'_>,
    time_zone: &TimeZone,
    strict: bool,
    faults: &mut Faults,
) -> Option<KeyBody> {
    let mut shape = Shape::of_body(body, faults);
    let name = read_label(&mut shape, "name", (Presence::Required, LABEL_CHARS_MAX), faults);
    let member = keys::id(&mut shape, "member_id", MemberId::parse, faults);
    let origin = read_label(&mut shape, "origin", (Presence::Nullable, ORIGIN_CHARS_MAX), faults);
    let expires_at = keys::time(&mut shape, "expires_at", Presence::Nullable, time_zone, faults);
    let secret = read_secret(&mut shape, faults);
    shape.finish(strict, RouteGroup::Write, faults);
    let name = name?;
    let origin = origin.unwrap_or_else(|| name.chars().take(ORIGIN_CHARS_MAX).collect());
    let body = KeyBody { name, member, origin: origin.into(), expires_at, secret };
    faults.is_empty().then_some(body)
}

fn read_label(
    shape: &mut Shape<'_>,
    key: &'static str,
    (presence, chars_max): (Presence, usize),
    faults: &mut Faults,
) -> Option<String> {
    let given = keys::text(shape, key, presence, faults)?;
    let label = given.trim();
    let checked = if label.is_empty() {
        Err(ValueFault::Blank)
    } else {
        check_characters(&given, false).and_then(|()| check_length(label, chars_max))
    };
    if let Err(fault) = checked {
        faults.push(value_fault::fault_of(&fault, shape.place(key)));
        return None;
    }
    Some(label.to_owned())
}

/// A secret that an older script uses: it must fit into a header as it is.
pub fn read_secret(shape: &mut Shape<'_>, faults: &mut Faults) -> Option<String> {
    let secret = keys::text(shape, "secret", Presence::Nullable, faults)?;
    let is_printable = secret.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let fits = (SECRET_CHARS_MIN..=SECRET_CHARS_MAX).contains(&secret.len());
    if is_printable && fits && secret.trim().len() == secret.len() {
        return Some(secret);
    }
    let what = "Give 16 to 256 printable ASCII characters, without blanks at the ends.";
    faults.push(value_fault::fault_of(&ValueFault::Invalid { what }, shape.place("secret")));
    None
}

#[derive(Debug, Serialize)]
struct KeyMember {
    id: MemberId,
}

/// A key, without its secret.
#[derive(Serialize)]
pub struct KeyRow<'a> {
    id: ApiKeyId,
    name: &'a str,
    prefix: &'a str,
    origin: &'a str,
    member: KeyMember,
    created: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

impl<'a> KeyRow<'a> {
    #[must_use]
    pub fn of(key: &'a ApiKey, time_zone: &TimeZone) -> Self {
        let time = |at| timestamp_text(at, time_zone);
        Self {
            id: key.id,
            name: &key.name,
            prefix: &key.prefix,
            origin: &key.origin,
            member: KeyMember { id: key.member },
            created: time(key.created),
            expires_at: key.expires_at.map(time),
            last_used_at: key.last_used.map(time),
        }
    }
}

/// A key that was made: its secret is shown once, and null where the answer is given again.
#[derive(Serialize)]
pub struct NewKeyShape<'a> {
    #[serde(flatten)]
    row: KeyRow<'a>,
    secret: Option<&'a str>,
}

impl<'a> NewKeyShape<'a> {
    #[must_use]
    pub fn of(key: &'a ApiKey, secret: Option<&'a str>, time_zone: &TimeZone) -> Self {
        Self { row: KeyRow::of(key, time_zone), secret }
    }
}
