//! The HTTP edge: connections, requests, wire shapes, identity, errors, pages.
//!
//! It may use the engine, the model, and `ambient`; it must not know files, storage, settings, or
//! what an upsert does.

pub mod activities;
pub mod activity_access;
pub mod activity_filter;
pub mod activity_types;
pub mod admin;
pub mod admin_businesses;
mod agenda_refusal;
pub mod api_keys;
pub mod app;
pub mod body;
pub mod bulk;
pub mod bulk_progress;
pub mod bulk_run;
pub mod business;
pub mod caller;
mod catalog_refusal;
pub mod categories;
pub mod changes;
pub mod code;
pub mod counters;
pub mod cursor;
pub mod endpoint;
pub mod extension;
pub mod fault;
pub mod field_changes;
pub mod field_options;
mod field_references;
pub mod field_values;
pub mod fields;
mod front;
pub mod health;
pub mod identity;
pub mod json;
pub mod list;
pub mod lookup;
pub mod metrics;
mod mirror_write;
pub mod objects;
pub mod openapi;
pub mod options;
pub mod ordering;
pub mod page;
pub mod permission_groups;
pub mod pipelines;
pub mod plain;
pub mod problem;
pub mod query;
pub mod record_problem;
#[cfg(test)]
mod record_tests;
pub mod record_write;
pub mod records;
pub mod refusal;
mod relation_fields;
pub mod request_id;
pub mod request_meters;
pub mod roles;
mod root_refusal;
pub mod routes;
pub mod schema_fault;
pub mod search;
pub mod server;
pub mod shape;
pub mod target;
pub mod team;
pub mod team_members;
#[cfg(test)]
pub(crate) mod test_support;
pub mod transport;
pub mod upsert;
pub mod value_fault;
pub mod violation;
pub mod wire;
