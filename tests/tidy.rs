//! The house's rules, held by a test that reads the sources: what one tool can check, no reviewer
//! should have to.
//!
//! Rules that the compiler or clippy hold are not repeated here.

mod errors;
mod files;
mod layers;
mod links;
mod schemas;
mod shape;
mod source;
