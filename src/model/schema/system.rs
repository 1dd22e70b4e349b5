//! The numbers that mean the same in every table.
//!
//! A stored format: a number here is never changed and never used again.

use crate::model::id::FieldNumber;

// 1 to 31: values the server keeps with a record.

/// When the record was created.
pub const CREATED: FieldNumber = FieldNumber(1);
/// When the record was last changed.
pub const UPDATED: FieldNumber = FieldNumber(2);
/// When the record was archived.
pub const ARCHIVED_AT: FieldNumber = FieldNumber(3);
/// Who archived the record.
pub const ARCHIVED_BY: FieldNumber = FieldNumber(4);
/// The identifier before it was displaced.
pub const DISPLACED_FROM: FieldNumber = FieldNumber(5);
/// The members who were put on the record one by one.
pub const TEAM_MEMBERS: FieldNumber = FieldNumber(6);
/// The highest version of each source that was applied.
pub const SOURCE_VERSIONS: FieldNumber = FieldNumber(7);

// 32 to 63: default fields.

/// The first number of a field that an object shows; below it only `CREATED` and `UPDATED` are.
pub const FIELD_FIRST: FieldNumber = FieldNumber(32);

/// The identifier of all but contacts.
pub const NAME: FieldNumber = FieldNumber(32);
/// The member who owns a record.
pub const OWNER: FieldNumber = FieldNumber(33);
/// Equal to the name.
pub const DISPLAY_NAME: FieldNumber = FieldNumber(34);
/// The stage of a pipeline's record.
pub const STAGE: FieldNumber = FieldNumber(35);
/// What a pipeline's record is worth.
pub const ENTITY_VALUE: FieldNumber = FieldNumber(36);
/// When a pipeline's record is thought to be closed.
pub const ESTIMATED_CLOSE_DATE: FieldNumber = FieldNumber(37);
/// When a pipeline's record entered a stage that is won.
pub const ACTUAL_CLOSE_DATE: FieldNumber = FieldNumber(38);
/// The least chance of a pipeline's record to close.
pub const CHANCE_LOW: FieldNumber = FieldNumber(39);
/// The best chance of a pipeline's record to close.
pub const CHANCE_HIGH: FieldNumber = FieldNumber(40);
/// Why a pipeline's record was lost.
pub const REASONS_LOST: FieldNumber = FieldNumber(41);
/// Why a pipeline's record was disqualified.
pub const REASONS_DISQUALIFIED: FieldNumber = FieldNumber(42);
/// The identifier of contacts.
pub const EMAIL: FieldNumber = FieldNumber(43);
/// A contact's first name.
pub const FIRST_NAME: FieldNumber = FieldNumber(44);
/// A contact's last name.
pub const LAST_NAME: FieldNumber = FieldNumber(45);
/// First and last name joined.
pub const FULL_NAME: FieldNumber = FieldNumber(46);
/// A contact's mobile telephone.
pub const MOBILE_PHONE: FieldNumber = FieldNumber(47);
/// A contact's telephone at home.
pub const HOME_PHONE: FieldNumber = FieldNumber(48);
/// A contact's telephone at work.
pub const BUSINESS_PHONE: FieldNumber = FieldNumber(49);
/// A contact's titles.
pub const TITLES: FieldNumber = FieldNumber(50);
/// A contact's tags.
pub const TAGS: FieldNumber = FieldNumber(51);
/// A contact's birthday.
pub const BIRTHDAY: FieldNumber = FieldNumber(52);
/// Whether a contact may be written to.
pub const EMAIL_STATUS: FieldNumber = FieldNumber(53);

/// A contact's time zone.
pub const TIMEZONE: FieldNumber = FieldNumber(54);

/// The first number of a field that somebody adds.
pub const CUSTOM_FIRST: FieldNumber = FieldNumber(64);
