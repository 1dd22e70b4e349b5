//! What groups add up to, which fields they show, and what may be handed on.

use super::{FieldRights, ObjectAccess, Reach, Rights};
use crate::model::catalog::permission::{
    FieldAccess, Level, ObjectRights, PermissionGroup, RecordRights, Sections, Subject,
};
use crate::model::id::{FieldId, FieldNumber, MemberId, ObjectId, PermissionGroupId};
use crate::model::schema::{Schema, system};
use crate::model::table::test_support::{Rig, member};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const NAMED: ObjectId = ObjectId::from_bytes([1; 16]);
const OTHER: ObjectId = ObjectId::from_bytes([2; 16]);

fn group(others: ObjectRights) -> PermissionGroup {
    PermissionGroup {
        id: PermissionGroupId::from_bytes([7; 16]),
        name: "group".into(),
        is_admin: false,
        sections: Sections::default(),
        others,
        objects: BTreeMap::new(),
    }
}

fn rights(groups: impl IntoIterator<Item = PermissionGroup>) -> Rights {
    Rights::of(member(1), false, groups.into_iter().map(Arc::new).collect())
}

fn levels(all: Level, associated: Level) -> RecordRights {
    RecordRights { all_records: all, associated_records: associated, ..RecordRights::default() }
}

fn entry(records: RecordRights) -> ObjectRights {
    ObjectRights { records, ..ObjectRights::default() }
}

#[test]
fn the_highest_of_all_groups_counts() {
    let viewer = entry(levels(Level::View, Level::View));
    let editor = entry(RecordRights { export: true, ..levels(Level::None, Level::Remove) });
    let both = rights([group(viewer), group(editor)]).on(OTHER);
    assert_eq!(both.reach(), Reach::All);
    assert_eq!(both.level_at_most(), Level::Remove);
    assert!(both.may_export() && !both.may_bulk() && !both.may_create());
    assert_eq!(both.settings(), Level::None);
    assert!(both.may_see_object() && !both.may_change_schema());
    assert!(!rights([]).on(OTHER).may_see_object(), "without a group there is no right");
}

#[test]
fn any_right_on_an_object_shows_it() {
    let flag = |records| (entry(records), true);
    for (entry, is_visible) in [
        (ObjectRights::default(), false),
        (ObjectRights { settings: Level::View, ..ObjectRights::default() }, true),
        flag(levels(Level::None, Level::View)),
        flag(RecordRights { export: true, ..RecordRights::default() }),
        flag(RecordRights { bulk_actions: true, ..RecordRights::default() }),
        flag(RecordRights { unarchive_associated: true, ..RecordRights::default() }),
        (
            ObjectRights { default_field_access: FieldAccess::Write, ..ObjectRights::default() },
            false,
        ),
    ] {
        let access = rights([group(entry.clone())]).on(OTHER);
        assert_eq!(access.may_see_object(), is_visible, "{entry:?}");
    }
}

#[test]
fn the_records_that_may_be_read_follow_from_both_levels() {
    let me = member(1);
    for all in Level::ALL {
        for associated in Level::ALL.into_iter().filter(|level| *level >= all) {
            let access = rights([group(entry(levels(all, associated)))]).on(OTHER);
            let expected = match (all, associated) {
                (Level::None, Level::None) => Reach::Nothing,
                (Level::None, _) => Reach::TeamOf(me),
                (Level::View | Level::Edit | Level::Remove, _) => Reach::All,
            };
            assert_eq!(access.reach(), expected, "{all:?} {associated:?}");
        }
    }
}

fn hidden_and_read_only(schema: &Schema, access: &ObjectAccess) -> (Vec<String>, Vec<String>) {
    let fields = access.fields(schema);
    let names = |takes: &dyn Fn(FieldNumber) -> bool| {
        let fields = schema.fields().iter().filter(|field| takes(field.number));
        fields.map(|field| field.name.clone()).collect()
    };
    let is_read_only = |number| fields.may_see(number) && !fields.may_write(number);
    (names(&|number| !fields.may_see(number)), names(&is_read_only))
}

/// The contacts' fields, some of which a group names.
fn fields_of(
    schema: &Schema,
    default: FieldAccess,
    named: &[(FieldNumber, FieldAccess)],
) -> ObjectRights {
    let id = |number| schema.by_number(number).unwrap().id;
    ObjectRights {
        default_field_access: default,
        fields: named.iter().map(|(number, access)| (id(*number), *access)).collect(),
        ..entry(levels(Level::View, Level::View))
    }
}

#[test]
fn a_full_name_is_as_hidden_as_its_parts_and_the_identifier_never_is() {
    let rig = Rig::contacts();
    let schema = rig.schema();
    let check = |default, named: &[_], hidden: &[&str], read_only: &[&str]| {
        let access = rights([group(fields_of(&schema, default, named))]).on(OTHER);
        let found = hidden_and_read_only(&schema, &access);
        assert_eq!(found.0, hidden, "{default:?} {named:?}");
        assert_eq!(found.1, read_only, "{default:?} {named:?}");
    };
    let (hidden, write) = (FieldAccess::Hidden, FieldAccess::Write);
    check(write, &[], &[], &[]);
    check(write, &[(system::FIRST_NAME, hidden)], &["first_name", "full_name"], &[]);
    check(write, &[(system::LAST_NAME, FieldAccess::ReadOnly)], &[], &["last_name", "full_name"]);
    check(write, &[(system::FULL_NAME, hidden)], &["full_name"], &[]);
    check(write, &[(system::EMAIL, hidden)], &[], &["email"]);
    let all: Vec<&str> = schema.fields().iter().map(|field| &*field.name).collect();
    let but_email: Vec<&str> = all.iter().copied().filter(|name| *name != "email").collect();
    check(hidden, &[], &but_email, &["email"]);
    check(FieldAccess::ReadOnly, &[], &[], &all);
}

#[test]
fn only_a_group_with_some_right_on_the_object_counts_for_its_fields() {
    let rig = Rig::contacts();
    let schema = rig.schema();
    let strict = fields_of(&schema, FieldAccess::Write, &[(system::BIRTHDAY, FieldAccess::Hidden)]);
    let without_right = ObjectRights {
        records: RecordRights::default(),
        ..fields_of(&schema, FieldAccess::Write, &[])
    };
    let settings = ObjectRights { settings: Level::View, ..without_right.clone() };
    let is_hidden = |entries: [ObjectRights; 2]| {
        let access = rights(entries.map(group)).on(OTHER);
        !access.fields(&schema).may_see(system::BIRTHDAY)
    };
    assert!(is_hidden([strict.clone(), without_right]));
    assert!(!is_hidden([strict, settings]));
}

#[test]
fn an_administrator_has_every_right_and_every_field() {
    let rig = Rig::contacts();
    let admin = Rights::administrator(member(1));
    let by_group = rights([PermissionGroup { is_admin: true, ..group(ObjectRights::default()) }]);
    for rights in [admin, by_group] {
        assert!(rights.is_admin() && rights.may_remove_settings() && rights.may_create_objects());
        assert!(rights.may_remove_member(member(2)) && rights.may_hold_keys_of(member(2)));
        let access = rights.on(OTHER);
        assert_eq!(access.fields(&rig.schema()), FieldRights::default());
        assert!(access.may_purge() && access.may_delete_schema() && access.may_unarchive_any());
        assert_eq!((access.reach(), access.level_at_most()), (Reach::All, Level::Remove));
    }
    assert!(
        !rights([group(entry(RecordRights {
            all_records: Level::Remove,
            associated_records: Level::Remove,
            create_record: true,
            unarchive_all: true,
            unarchive_associated: true,
            bulk_actions: true,
            export: true,
        }))])
        .on(OTHER)
        .may_purge()
    );
}

#[test]
fn the_team_is_seen_and_changed_as_far_as_both_rights_go() {
    let (me, other) = (member(1), member(2));
    for team in Level::ALL {
        for all_team_members in [false, true] {
            let sections = Sections { team, all_team_members, ..Sections::default() };
            let rights = rights([PermissionGroup { sections, ..group(ObjectRights::default()) }]);
            let case = format!("{sections:?}");
            assert!(rights.may_see_member(me), "{case}");
            let sees = all_team_members && team >= Level::View;
            assert_eq!(rights.may_see_member(other), sees, "{case}");
            assert_eq!(rights.may_edit_member(me), team >= Level::Edit, "{case}");
            assert_eq!(rights.may_edit_member(other), sees && team >= Level::Edit, "{case}");
            assert_eq!(rights.may_remove_member(other), sees && team >= Level::Remove, "{case}");
            assert_eq!(rights.may_add_members(), team >= Level::Edit, "{case}");
            assert!(rights.may_hold_keys_of(me) && !rights.may_hold_keys_of(other), "{case}");
        }
    }
}

fn field(at: u8) -> FieldId {
    FieldId::from_bytes([at; 16])
}

fn any_level() -> impl Strategy<Value = Level> {
    prop::sample::select(Level::ALL.to_vec())
}

fn any_access() -> impl Strategy<Value = FieldAccess> {
    prop::sample::select(FieldAccess::ALL.to_vec())
}

fn any_entry() -> impl Strategy<Value = ObjectRights> {
    let records = (any_level(), any_level(), any::<[bool; 5]>()).prop_map(
        |(all_records, associated_records, [create, all, associated, bulk, export])| RecordRights {
            all_records,
            associated_records,
            create_record: create,
            unarchive_all: all,
            unarchive_associated: associated,
            bulk_actions: bulk,
            export,
        },
    );
    let records = prop_oneof![Just(RecordRights::default()), records];
    let fields = prop::collection::btree_map((1..3_u8).prop_map(field), any_access(), 0..3);
    (any_level(), records, any_access(), fields).prop_map(
        |(settings, records, default_field_access, fields)| ObjectRights {
            settings,
            records,
            default_field_access,
            fields,
        },
    )
}

fn any_group() -> impl Strategy<Value = PermissionGroup> {
    let sections = (any_level(), any_level(), any::<[bool; 2]>()).prop_map(
        |(settings, team, [all_team_members, create_objects])| Sections {
            settings,
            team,
            all_team_members,
            create_objects,
        },
    );
    (prop::bool::weighted(0.1), sections, any_entry(), prop::option::of(any_entry())).prop_map(
        |(is_admin, sections, others, named)| {
            let mut group = PermissionGroup { is_admin, sections, ..group(others) };
            group.set(Subject::Object(NAMED), named);
            group
        },
    )
}

/// All that rights let somebody do, as far as these tests' groups can tell rights apart.
fn in_force(rights: &Rights) -> impl PartialEq + std::fmt::Debug + use<> {
    let of_object = |object| {
        let access = rights.on(object);
        let fields = [field(1), field(2), field(3)].map(|field| {
            let named = access.fields.get(&field).copied();
            named.unwrap_or(access.other_fields)
        });
        // Fields of what cannot be seen do not matter.
        let fields = access.may_see_object().then_some(fields);
        (access.settings, access.records, fields)
    };
    (rights.is_admin(), rights.sections(), of_object(NAMED), of_object(OTHER))
}

proptest! {
    /// A group may be handed on exactly if it would add nothing.
    #[test]
    fn what_may_be_handed_on_adds_nothing(
        held in prop::collection::vec(any_group(), 0..3),
        given in any_group(),
    ) {
        let rights = rights(held);
        let with = rights.and(Arc::new(given.clone()));
        prop_assert_eq!(rights.covers(&given), in_force(&rights) == in_force(&with));
    }

    /// Whoever holds groups may hand on each of them.
    #[test]
    fn what_is_held_may_be_handed_on(held in prop::collection::vec(any_group(), 1..4)) {
        let rights = rights(held.clone());
        for group in held {
            prop_assert!(rights.covers(&group));
        }
    }
}

#[test]
fn rights_are_of_one_member() {
    let someone: MemberId = member(3);
    let access =
        Rights::of(someone, false, vec![Arc::new(group(entry(levels(Level::None, Level::View))))]);
    assert_eq!(access.on(OTHER).reach(), Reach::TeamOf(someone));
}
