//! One record as a search looks at it: the stored values that are needed, and what they refer to.

use crate::model::agenda;
use crate::model::catalog::member::Members;
use crate::model::id::{FieldNumber, MemberId, Timestamp};
use crate::model::schema::Schema;
use crate::model::schema::field::{Field, Source};
use crate::model::table::body::Body;
use crate::model::table::decide::keys::stored_text;
use crate::model::table::link::Tables;
use crate::model::table::naming;
use crate::model::table::record::Record;
use crate::model::table::tags::Tags;
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// What values refer to, and who asks: durable state, the same for the whole search.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub schema: &'a Schema,
    pub tags: &'a Tags,
    pub members: &'a Members,
    pub agenda: &'a agenda::Shown,
    /// Where relations lead.
    pub tables: &'a Tables<'a>,
    /// The business's own.
    pub time_zone: &'a TimeZone,
    /// The business's own: the region of telephone numbers without a country code.
    pub phone_region: &'a str,
    pub caller: MemberId,
    pub now: Timestamp,
}

/// The numbers of stored values that a search looks at: rising, none twice.
#[derive(Clone, Debug, Default)]
pub struct Needs(Vec<FieldNumber>);

impl Needs {
    #[must_use]
    pub fn of(mut numbers: Vec<FieldNumber>) -> Self {
        numbers.sort_unstable();
        numbers.dedup();
        Self(numbers)
    }

    /// Takes those values out of a body, which is read once.
    pub fn take<'r>(&self, body: Body<'r>, values: &mut Vec<Option<&'r [u8]>>) {
        values.clear();
        let mut left = &self.0[..];
        for (number, raw) in body.iter() {
            while let Some((wanted, rest)) = left.split_first()
                && *wanted <= number
            {
                values.push((*wanted == number).then_some(raw));
                left = rest;
            }
            // What stands behind the last one is not looked at.
            if left.is_empty() {
                return;
            }
        }
        values.resize(self.0.len(), None);
    }
}

/// One record.
pub struct Row<'r> {
    pub record: &'r Record,
    pub needs: &'r Needs,
    /// As `needs` took them.
    pub values: &'r [Option<&'r [u8]>],
    pub around: Surroundings<'r>,
}

impl<'r> Row<'r> {
    /// The stored form of a value.
    ///
    /// # Panics
    /// On a value that the search has not noted as needed.
    #[must_use]
    pub fn raw(&self, number: FieldNumber) -> Option<&'r [u8]> {
        let at = self.needs.0.binary_search(&number);
        self.values[at.expect("whoever looks at a value has noted it")]
    }

    /// The text of a field of text; none where it is blank.
    #[must_use]
    pub fn text(&self, field: &Field) -> Option<Cow<'r, str>> {
        let computed = |text: Cow<'r, str>| (!text.is_empty()).then_some(text);
        match field.source() {
            Source::Stored => {
                let raw = self.raw(field.number)?;
                Some(Cow::Borrowed(stored_text(raw).expect("a field of text stores a text")))
            }
            Source::DisplayName => computed(naming::display_name(self.around.schema, self.record)),
            Source::FullName => computed(naming::full_name(self.record)),
            Source::Created | Source::Updated => unreachable!("times are no texts"),
        }
    }
}
