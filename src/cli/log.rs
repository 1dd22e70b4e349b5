//! Log lines: where they go and how they look.

use crate::config::{LogFormat, Settings};
use std::io::{self, IsTerminal as _};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// The connection layer reports every malformed request as an error of ours, and the workers
/// report each start of a thread; both would drown what an operator can act on.
const QUIETED: &str = "actix_http=off,actix_server=warn";

/// Sends log lines to standard error, from here on.
pub(crate) fn start(settings: &Settings) {
    let filter = EnvFilter::try_new(format!("{QUIETED},{}", settings.log_filter))
        .expect("the settings were checked");
    let terminal = io::stderr().is_terminal();
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(terminal);
    match (settings.log_format, terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => builder.json().init(),
        (LogFormat::Text, _) | (LogFormat::Auto, true) => builder.with_target(false).init(),
    }
}
