//! One business's members, roles, API keys, and directory of objects.

pub mod member;
