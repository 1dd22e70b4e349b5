//! Which scheduled activities a list is of.
//!
//! It must not know how activities are shown.

use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::fault::{Fault, Faults};
use crate::http::query::Query;
use crate::model::agenda::{Activity, Shown};
use crate::model::id::{ActivityTypeId, MemberId, RecordId, RoleId, Timestamp};
use crate::model::value::time::{parse_span, parse_timestamp};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// What every activity of a list has; what is none does not matter.
#[derive(Debug, Default)]
pub struct ActivityFilter {
    /// In lower case, in the note or the type's name.
    search: Option<String>,
    /// Due at or after it.
    from: Option<Timestamp>,
    /// Due before it.
    until: Option<Timestamp>,
    employees: Option<Vec<MemberId>>,
    roles: Option<Vec<RoleId>>,
    assigned_to: Option<MemberId>,
    completed: Option<bool>,
    activity_type: Option<ActivityTypeId>,
    record: Option<RecordId>,
}

impl ActivityFilter {
    /// Takes the filters from a query.
    pub fn of_query(query: &mut Query<'_>, caller: &Caller, faults: &mut Faults) -> Self {
        let time_zone = caller.business.time_zone();
        let is_mine = query.boolean("assigned_to_me", faults) == Some(true);
        Self {
            search: query.text("search", faults).map(|text| text.trim().to_lowercase()),
            from: bound(query, "from_date", faults, |text| parse_timestamp(text, time_zone)),
            until: bound(query, "to_date", faults, |text| end_of(text, time_zone)),
            employees: ids(query, "employee_ids", MemberId::parse, faults),
            roles: ids(query, "role_ids", RoleId::parse, faults),
            assigned_to: is_mine.then_some(caller.member.id),
            completed: query.boolean("completed", faults),
            activity_type: activity_type(query, caller.business.agenda(), faults),
            record: id(query, "entity_id", RecordId::parse, faults),
        }
    }

    /// The activities it takes, the one that is due first in front.
    #[must_use]
    pub fn find(&self, agenda: &Shown) -> Vec<Arc<Activity>> {
        let mut found = match self.record {
            Some(record) => {
                let ids = agenda.of_record(record);
                ids.iter().filter_map(|id| agenda.activity(*id)).collect()
            }
            None => agenda.activities(),
        };
        found.retain(|activity| self.takes(activity, agenda));
        found.sort_by_key(|activity| (activity.due, activity.id));
        found
    }

    /// The record that they are about, if they are asked for by one.
    #[must_use]
    pub fn record(&self) -> Option<RecordId> {
        self.record
    }

    fn takes(&self, activity: &Activity, agenda: &Shown) -> bool {
        let has = |held: Option<MemberId>, wanted: &[MemberId]| {
            held.is_some_and(|held| wanted.contains(&held))
        };
        self.from.is_none_or(|from| activity.due >= from)
            && self.until.is_none_or(|until| activity.due < until)
            && self.completed.is_none_or(|completed| completed != activity.is_upcoming())
            && self.activity_type.is_none_or(|wanted| wanted == activity.activity_type)
            && self.assigned_to.is_none_or(|member| activity.employee == Some(member))
            && self.employees.as_ref().is_none_or(|wanted| has(activity.employee, wanted))
            && (self.roles.as_ref())
                .is_none_or(|wanted| activity.role.is_some_and(|role| wanted.contains(&role)))
            && self.search.as_ref().is_none_or(|part| is_found(part, activity, agenda))
    }
}

fn is_found(part: &str, activity: &Activity, agenda: &Shown) -> bool {
    let activity_type = agenda.activity_type(activity.activity_type);
    let in_name = activity_type.is_some_and(|found| found.name.to_lowercase().contains(part));
    in_name || activity.note.to_lowercase().contains(part)
}

fn fault(query: &Query<'_>, code: Code, key: &'static str, message: &'static str) -> Fault {
    Fault::new(code, query.place(key)).saying(message)
}

fn bound(
    query: &mut Query<'_>,
    key: &'static str,
    faults: &mut Faults,
    parse: impl Fn(&str) -> Option<Timestamp>,
) -> Option<Timestamp> {
    let time = parse(query.text(key, faults)?.trim());
    if time.is_none() {
        let message = "Datetime has wrong format. Use RFC 3339 or YYYY-MM-DD.";
        faults.push(fault(query, Code::Invalid, key, message));
    }
    time
}

/// The first instant that is later than the text says: a day ends with the next one's midnight.
fn end_of(text: &str, time_zone: &TimeZone) -> Option<Timestamp> {
    parse_span(text, time_zone).map(|span| span.end)
}

fn id<T>(
    query: &mut Query<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    faults: &mut Faults,
) -> Option<T> {
    let id = parse(query.text(key, faults)?.trim());
    if id.is_none() {
        faults.push(fault(query, Code::Invalid, key, "Must be a valid UUID."));
    }
    id
}

fn ids<T>(
    query: &mut Query<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    faults: &mut Faults,
) -> Option<Vec<T>> {
    let ids: Option<Vec<T>> = query.list(key, faults)?.iter().map(|text| parse(text)).collect();
    if ids.is_none() {
        faults.push(fault(query, Code::Invalid, key, "Must be a list of valid UUIDs."));
    }
    ids
}

/// The type that a list is of, by its id or its API name, but not by both.
fn activity_type(
    query: &mut Query<'_>,
    agenda: &Shown,
    faults: &mut Faults,
) -> Option<ActivityTypeId> {
    let id = id(query, "activity_id", ActivityTypeId::parse, faults);
    let name = query.text("activity_name", faults).map(str::to_owned);
    let (key, found) = match (id, name) {
        (None, None) => return None,
        (Some(_), Some(_)) => {
            let message = "Give either activity_id or activity_name.";
            faults.push(fault(query, Code::Invalid, "activity_name", message));
            return None;
        }
        (Some(id), None) => ("activity_id", agenda.activity_type(id)),
        (None, Some(name)) => ("activity_name", agenda.offered_type_of_name(&name)),
    };
    if found.is_none() {
        faults.push(fault(query, Code::DoesNotExist, key, "Activity type does not exist."));
    }
    found.map(|found| found.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_where_the_next_begins_in_the_time_zone() {
        let check = |text: &str, zone: &str, expected: Option<&str>| {
            let zone = TimeZone::get(zone).unwrap();
            let expected = expected.map(|text| parse_timestamp(text, &TimeZone::UTC).unwrap());
            assert_eq!(end_of(text, &zone), expected, "{text}");
        };
        check("2026-11-24", "UTC", Some("2026-11-25T00:00:00Z"));
        check("2026-11-24", "America/New_York", Some("2026-11-25T05:00:00Z"));
        // The day on which clocks are put back has twenty-five hours.
        check("2026-11-01", "America/New_York", Some("2026-11-02T05:00:00Z"));
        check("2026-11-24T05:40:00Z", "UTC", Some("2026-11-24T05:40:00.001Z"));
        check("9999-12-31", "UTC", None);
        check("soon", "UTC", None);
    }
}
