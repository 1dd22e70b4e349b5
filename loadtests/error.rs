//! What can go wrong with a measurement; each of it makes the run worthless.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("{path} is in memory: a sync there says nothing; name another one with --directory")]
    InMemory { path: PathBuf },
    #[error("the server ended before it listened: {stderr}")]
    NotListening { stderr: String },
    #[error("{request} answered {status}: {body}")]
    Refused { request: String, status: u16, body: String },
    #[error("{request}: {source}")]
    Request { request: String, source: Box<ureq::Error> },
    #[error("{count} of {all} answers were not what was asked for; the first: {sample}")]
    Unexpected { count: u64, all: u64, sample: String },
    #[error("{program} ended with {status}: {stderr}")]
    Program { program: String, status: String, stderr: String },
    #[error("nothing was answered")]
    Nothing,
    #[error("{what} within {seconds} s")]
    TooSlow { what: &'static str, seconds: u64 },
}

impl LoadError {
    /// Adds what was being done to a system error.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
