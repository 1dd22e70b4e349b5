//! What every client command takes: where the server is, who asks, and how to say what became of it.
//!
//! It must not know where values come from that were not given.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How results and failures are said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// One JSON object a line, for programs
    Json,
}

/// The server, and the caller.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArguments {
    #[arg(help = "Where the server is [default: http://127.0.0.1:7171]")]
    #[arg(long, env = "UPSERTD_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) url: Option<String>,
    /// The file with the three values that a first start makes [default: bootstrap.json of the
    /// data directory, if it is there and nothing else is given]
    #[arg(long, env = "UPSERTD_BOOTSTRAP", value_name = "FILE", hide_env_values = true)]
    pub(crate) bootstrap: Option<PathBuf>,
    /// X-API-KEY; others on this machine can see flags, so rather use the variable
    #[arg(long, env = "UPSERTD_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// A file with the key alone
    #[arg(long, env = "UPSERTD_API_KEY_FILE", value_name = "FILE", hide_env_values = true)]
    #[arg(conflicts_with = "api_key", hide_short_help = true)]
    pub(crate) api_key_file: Option<PathBuf>,
    /// X-BUSINESS-ID
    #[arg(long, env = "UPSERTD_BUSINESS_ID", value_name = "ID", hide_env_values = true)]
    pub(crate) business_id: Option<String>,
    /// X-USER-ID
    #[arg(long, env = "UPSERTD_USER_ID", value_name = "ID", hide_env_values = true)]
    pub(crate) user_id: Option<String>,
    /// Certificates (PEM) to trust instead of the public ones
    #[arg(long, env = "UPSERTD_CA_CERT", value_name = "FILE", hide_env_values = true)]
    #[arg(hide_short_help = true)]
    pub(crate) ca_cert: Option<PathBuf>,
    /// How long to try again when a server that has answered is gone or overloaded: 60s, 15m, off
    /// [default: 60s]
    #[arg(long, value_name = "TIME", hide_short_help = true)]
    pub(crate) retry_for: Option<String>,
    /// How failures and results are said
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Output,
    /// Say nothing but results and failures
    #[arg(long, short, hide_short_help = true)]
    pub(crate) quiet: bool,
}
