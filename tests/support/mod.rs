//! What every black-box test stands on: the real binary, real HTTP, deadlines and seeds.
//!
//! It must not know the server's insides: what it starts is the file a user runs, and what it
//! knows of it is what a user is told.

mod client;
mod deadline;
mod events;
mod fixture;
mod json;
mod launch;
mod python;
mod raw;
mod relay;
mod seed;
mod server;
mod tool;

pub(crate) use client::{Answer, Client, Request, send_together};
pub(crate) use deadline::{PATIENCE, Stopwatch, until};
pub(crate) use fixture::{Fixture, custom_object};
pub(crate) use json::{assert_includes, field_value, text};
pub(crate) use launch::{DataDirectory, Exit, Launch, binary};
pub(crate) use python::python;
pub(crate) use raw::exchange;
pub(crate) use relay::Relay;
pub(crate) use seed::Seed;
pub(crate) use server::{Credentials, OPERATOR_KEY, Server};
pub(crate) use tool::{RunningTool, Tool};
