//! What a server answers when it does not do what was asked, and what a command ends with then.

use crate::cli::client::caller::Caller;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use serde::Deserialize;
use std::fmt;

/// So many single faults are shown; the rest is counted.
const FAULTS_SHOWN: usize = 5;

/// An answer that says no: the contract's one body of errors, or whatever a proxy wrote.
#[derive(Debug, Default, Deserialize, thiserror::Error)]
pub(crate) struct Refusal {
    #[serde(default)]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) detail: String,
    #[serde(default)]
    request_id: Option<String>,
    #[serde(default)]
    errors: Option<Vec<Fault>>,
}

#[derive(Debug, Deserialize)]
struct Fault {
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    parameter: Option<String>,
    #[serde(default)]
    message: String,
}

impl Refusal {
    /// One that no answer says in these words.
    pub(crate) fn new(status: u16, code: String, detail: String) -> Self {
        Self { status, code, detail, ..Self::default() }
    }

    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let mut read: Self = serde_json::from_slice(body).unwrap_or_default();
        read.status = status;
        read
    }

    /// Whether the same request may be answered later.
    pub(crate) fn is_for_later(&self) -> bool {
        matches!(self.status, 429 | 502 | 503 | 504)
    }

    /// What a command ends with.
    pub(crate) fn into_failure(self, what: &str, caller: &Caller) -> Failure {
        let way_out = match self.status {
            401 => format!(
                "the three values came from {}: they must be of this server, and the key not \
                 revoked",
                caller.origin
            ),
            403 => "use the key of a member who has this right, or let an administrator give it"
                .to_owned(),
            410 => "take a full copy, and begin anew behind it: what lay between is not kept any \
                    more"
                .to_owned(),
            _ if self.code.is_empty() => {
                format!("is upsertd what answers at {}?", caller.url)
            }
            _ => format!("the page of errors explains {}, and what to do about it", self.code),
        };
        let what = format!("the server refused {what}");
        Failure::new(Exit::ServerRefused, "server_refused", what, way_out).because(self)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}: {}", self.code, self.detail)?;
        }
        let faults = self.errors.as_deref().unwrap_or_default();
        // One fault is the detail.
        if faults.len() > 1 {
            for fault in faults.iter().take(FAULTS_SHOWN) {
                let place = fault.field.as_deref().or(fault.parameter.as_deref());
                let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
                write!(f, "; {place}{}", fault.message)?;
            }
            if let Some(more @ 1..) = faults.len().checked_sub(FAULTS_SHOWN) {
                write!(f, "; and {more} more")?;
            }
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, shown: &str) {
        assert_eq!(Refusal::read(status, body.as_bytes()).to_string(), shown);
    }

    #[test]
    fn a_refusal_names_code_faults_and_request() {
        let body = r#"{"detail":"Unknown.","code":"not_found","request_id":"r","errors":null}"#;
        check(404, body, "404 not_found: Unknown. (request r)");
        let faults = r#"{"detail":"Bad.","code":"invalid","errors":[
            {"field":"note","message":"Too long."},{"parameter":"wait","message":"No number."}]}"#;
        check(400, faults, "400 invalid: Bad.; note: Too long.; wait: No number.");
        let many = [r#"{"field":"a","message":"b"}"#; 7].join(",");
        let body = format!(r#"{{"detail":"Bad.","code":"invalid","errors":[{many}]}}"#);
        check(400, &body, &format!("400 invalid: Bad.{}; and 2 more", "; a: b".repeat(5)));
        check(502, "<html>", "502");
    }

    #[test]
    fn what_may_be_answered_later_is_told_from_what_will_not() {
        for (status, is_for_later) in
            [(429, true), (502, true), (503, true), (404, false), (401, false)]
        {
            assert_eq!(Refusal::read(status, b"").is_for_later(), is_for_later, "{status}");
        }
    }
}
