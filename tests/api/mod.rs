//! What a client sees: the real binary, asked over real HTTP.

mod archived_objects;
mod bad_input;
mod bulk;
mod bulk_resolutions;
mod businesses;
mod by_id;
mod changing_schemas;
mod counts;
mod described;
#[cfg(feature = "docs-ui")]
mod docs_page;
mod error_bodies;
mod extensions;
mod field_types;
mod further_types;
mod identity;
mod keys;
mod limits;
mod lists;
mod lookup;
mod metrics;
mod migration;
mod openapi;
mod people;
mod pipelines;
mod races;
mod renaming_onto_archived;
mod rights;
mod routes;
mod schema;
mod search;
mod settings;
mod tags;
mod unarchive;
mod upsert;
mod writing_onto_archived;
