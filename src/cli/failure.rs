//! A failure as the operator sees it: what happened, why, the way out, and a code.
//!
//! It must not know how anything can fail; each command makes its own.

use crate::cli::exit::Exit;
use crate::config::SettingsError;
use crate::config::source::{SettingFault, SettingsFile, Spelling};
use crate::http::server::ServerError;
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use serde_json::json;
use std::error::Error;
use std::fmt;

/// A command that could not do its work.
pub struct Failure {
    exit: Exit,
    code: &'static str,
    what: String,
    why: Option<Box<dyn Error + Send + Sync>>,
    way_out: String,
    details: Vec<Detail>,
}

impl Failure {
    /// A failure of which more than its own text is not known.
    pub fn new(exit: Exit, code: &'static str, what: String, way_out: impl Into<String>) -> Self {
        Self { exit, code, what, why: None, way_out: way_out.into(), details: Vec::new() }
    }

    /// The same failure with what lies behind it.
    #[must_use]
    pub fn because(mut self, why: impl Error + Send + Sync + 'static) -> Self {
        self.why = Some(Box::new(why));
        self
    }

    /// The same failure with more to its way out.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        self.way_out = format!("{}; {hint}", self.way_out);
        self
    }

    /// The same for programs: one line.
    pub(crate) fn to_json(&self) -> String {
        let mut causes = Vec::new();
        let mut cause = self.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        let details: Vec<&str> = self.details.iter().map(|detail| &*detail.message).collect();
        let why = (!causes.is_empty()).then(|| causes.join(": "));
        json!({"error": {
            "code": self.code,
            "exit": self.exit as u8,
            "what": self.what,
            "why": why,
            "details": details,
            "way_out": self.way_out,
        }})
        .to_string()
    }

    /// What the process ends with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let details = error.faults.iter().map(|fault| Detail::new(fault, error.file.as_ref()));
        Self {
            exit: Exit::SettingsInvalid,
            code: "settings_invalid",
            what: error.to_string(),
            why: None,
            way_out: "`upsertd serve --help` lists all settings and their defaults".to_owned(),
            details: details.collect(),
        }
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        match &error {
            ServerError::Bind { address, .. } => Self::new(
                Exit::SettingsInvalid,
                "cannot_listen",
                format!("the address {address} cannot be listened on"),
                "stop what uses it, or choose another with --listen; port 0 takes a free one",
            ),
            ServerError::Start(_) => Self::new(
                Exit::Bug,
                "cannot_start",
                "the server could not be started".to_owned(),
                "check the limits of open files and threads for this process",
            ),
        }
        .because(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("code", &self.code)
            .field("what", &self.what)
            .field("why", &self.why)
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.why.as_ref().map(|why| &**why as _)
    }
}

impl Diagnostic for Failure {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.way_out))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.details.is_empty() {
            return None;
        }
        Some(Box::new(self.details.iter().map(|detail| detail as &dyn Diagnostic)))
    }
}

/// One of several things that are wrong, with its line if it stands in a file.
#[derive(Debug)]
struct Detail {
    message: String,
    line: Option<(NamedSource<String>, LabeledSpan)>,
}

impl Detail {
    fn new(fault: &SettingFault, file: Option<&SettingsFile>) -> Self {
        let line = match (&fault.spelling, file) {
            (Spelling::Key { span, .. } | Spelling::File { span }, Some(file)) => {
                let name = file.path.display().to_string();
                let label = LabeledSpan::new_with_span(Some(fault.message.clone()), span.clone());
                Some((NamedSource::new(name, file.text.clone()), label))
            }
            (Spelling::Key { .. } | Spelling::File { .. }, None)
            | (Spelling::Flag(_) | Spelling::Variable(_), _) => None,
        };
        Self { message: fault.to_string(), line }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Detail {}

impl Diagnostic for Detail {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.line.as_ref().map(|(source, _)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (_, label) = self.line.as_ref()?;
        Some(Box::new(std::iter::once(label.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::config::source::Sources;
    use miette::{GraphicalReportHandler, GraphicalTheme};
    use std::fs;
    use tempfile::TempDir;

    fn shown(failure: &Failure) -> String {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
        let mut text = String::new();
        handler.render_report(&mut text, failure).unwrap();
        text
    }

    fn check(failure: &Failure, exit: Exit, parts: &[&str]) {
        let text = shown(failure);
        assert_eq!(failure.exit(), exit);
        for part in parts {
            assert!(text.contains(part), "{part:?} is missing in\n{text}");
        }
    }

    #[test]
    fn a_failure_has_four_parts() {
        let error = ServerError::Bind {
            address: ([127, 0, 0, 1], 7171).into(),
            error: std::io::Error::from(std::io::ErrorKind::AddrInUse),
        };
        check(
            &error.into(),
            Exit::SettingsInvalid,
            &[
                "cannot_listen",
                "the address 127.0.0.1:7171 cannot be listened on",
                "address in use",
                "choose another with --listen",
            ],
        );
    }

    #[test]
    fn invalid_settings_are_all_shown_and_those_of_the_file_with_their_line() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("upsertd.toml");
        fs::write(&path, "listen = \"127.0.0.1:1\"\nqueue-maxx = 5\n").unwrap();
        let flags = vec![("shutdown-wait", "soon".to_owned())];
        let sources = Sources::read(Some(path), flags, std::iter::empty());
        let error = Settings::check(sources).unwrap_err();
        check(
            &error.into(),
            Exit::SettingsInvalid,
            &[
                "settings_invalid",
                "the settings are invalid",
                "--shutdown-wait: expected a whole number",
                "upsertd.toml:2:1",
                "queue-maxx = 5",
                "is not a setting",
                "upsertd serve --help",
            ],
        );
    }
}
