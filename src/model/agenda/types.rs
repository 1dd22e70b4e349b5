//! Types of activities: how one is made, named and changed.
//!
//! It must not know what there is of a type.

use crate::model::agenda::command::{NewType, Rejection, Reply, TypeEdit};
use crate::model::agenda::{ActivityType, AssociationMode, Change, Shown};
use crate::model::id::{ActivityTypeId, ObjectId};
use crate::model::moment::Moment;
use crate::model::schema::name::{check_object_name, derive_object_name};
use std::sync::Arc;

/// Types in one business, deleted ones included.
pub const TYPES_MAX: usize = 1_000;

/// Words of paths that stand where a type's name does.
const PATH_WORDS: [&str; 2] = ["logged", "scheduled-activity"];

pub(super) fn create(
    shown: &Shown,
    new: NewType,
    moment: &mut Moment,
) -> Result<(Change, Reply), Rejection> {
    if shown.types().len() >= TYPES_MAX {
        return Err(Rejection::TooManyTypes);
    }
    let is_taken =
        |name: &str| PATH_WORDS.contains(&name) || shown.offered_type_of_name(name).is_some();
    let api_name = match new.api_name {
        Some(given) => {
            check_object_name(&given, is_taken).map_err(Rejection::TypeName)?;
            given
        }
        None => derive_object_name(&new.name, is_taken, || moment.suffix()),
    };
    check_selection(new.association_mode, &new.associated_objects)?;
    let made = ActivityType {
        id: ActivityTypeId(moment.id()),
        name: new.name,
        api_name,
        description: new.description,
        association_mode: new.association_mode,
        associated_objects: new.associated_objects,
        is_deleted: false,
        created: moment.at(),
    };
    Ok((Change::TypeCreated(made.clone()), Reply::Type(Arc::new(made))))
}

/// The type after a change. A mode that selects no objects leaves none selected.
pub(super) fn updated(old: &ActivityType, edit: TypeEdit) -> Result<ActivityType, Rejection> {
    let old = old.clone();
    let association_mode = edit.association_mode.unwrap_or(old.association_mode);
    let is_selecting = association_mode == AssociationMode::SelectedObjectsAssociated;
    let kept = if is_selecting { old.associated_objects } else { Vec::new() };
    let associated_objects = edit.associated_objects.unwrap_or(kept);
    check_selection(association_mode, &associated_objects)?;
    Ok(ActivityType {
        name: edit.name.unwrap_or(old.name),
        description: edit.description.unwrap_or(old.description),
        association_mode,
        associated_objects,
        id: old.id,
        api_name: old.api_name,
        is_deleted: old.is_deleted,
        created: old.created,
    })
}

/// A mode that selects objects has some, and no other has any.
fn check_selection(mode: AssociationMode, objects: &[ObjectId]) -> Result<(), Rejection> {
    let is_selecting = mode == AssociationMode::SelectedObjectsAssociated;
    if is_selecting == objects.is_empty() { Err(Rejection::Selection) } else { Ok(()) }
}
