//! The bodies that change a field, or make or change a category.
//!
//! It must not know what may be changed: the model checks that.

use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::shape::{Presence, Shape};
use crate::http::wire::keys;
use crate::http::wire::schema_fields::{
    RelationKeys, option_list, read_field_keys, read_option, read_relation,
};
use crate::model::input::Input;
use crate::model::schema::categories::NewCategory;
use crate::model::schema::changed_field::{ChangedField, ListedOption};

/// Reads the body that changes a field.
pub fn read_changed_field(
    body: &Input<'_>,
    strict: bool,
    faults: &mut Faults,
) -> (ChangedField, Option<RelationKeys>) {
    let mut shape = Shape::of_body(body, faults);
    let keys = read_field_keys(&mut shape, strict, faults);
    let options = read_list(&mut shape, strict, faults);
    let relation = read_relation(&mut shape, strict, faults);
    shape.finish(strict, RouteGroup::FieldWrite, faults);
    (ChangedField { keys, options }, relation)
}

fn read_list(
    shape: &mut Shape<'_>,
    strict: bool,
    faults: &mut Faults,
) -> Option<Vec<ListedOption>> {
    let list = option_list(shape, faults)?;
    let read = |(index, entry)| {
        let Some(mut shape) = Shape::of_entry("options", index, entry, faults) else {
            return ListedOption::default();
        };
        let id = keys::text(&mut shape, "id", Presence::Nullable, faults);
        let keys = read_option(&mut shape, faults);
        shape.finish_inside(strict, faults);
        ListedOption { id, keys }
    };
    Some(list.iter().enumerate().map(read).collect())
}

/// Reads the body that makes or changes a category.
pub fn read_new_category(body: &Input<'_>, strict: bool, faults: &mut Faults) -> NewCategory {
    let mut shape = Shape::of_body(body, faults);
    let new = NewCategory {
        name: keys::text(&mut shape, "name", Presence::Optional, faults),
        order: keys::integer(&mut shape, "order", faults),
        meta: keys::json_object(&mut shape, "meta", faults),
    };
    shape.finish(strict, RouteGroup::Write, faults);
    new
}
