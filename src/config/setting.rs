//! The one table of settings: names, defaults, and what they are for.
//!
//! Flags, variables, keys of the file and the help text all come from it. It must not know how a
//! value is read.

/// One setting. Its name is that of the contract; the flag, the variable and the key follow it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub name: &'static str,
    /// What stands for the value in help.
    pub value: &'static str,
    /// As it would be written; none: the setting is off, or depends on the machine.
    pub default: Option<&'static str>,
    pub help: &'static str,
    pub offer: Offer,
}

/// Whether this version does what the setting asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    Now,
    /// The name is reserved; to set it is refused, never ignored.
    Later,
}

impl Setting {
    /// `UPSERTD_DATA_DIR`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.replace('-', "_").to_uppercase())
    }

    /// The setting of this name, in which `_` may stand for `-`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<&'static Self> {
        let name = name.replace('_', "-");
        SETTINGS.iter().find(|setting| setting.name == name)
    }
}

/// In front of every variable of ours.
pub const VARIABLE_PREFIX: &str = "UPSERTD_";

const fn now(
    name: &'static str,
    value: &'static str,
    default: Option<&'static str>,
    help: &'static str,
) -> Setting {
    Setting { name, value, default, help, offer: Offer::Now }
}

const fn later(name: &'static str, value: &'static str, help: &'static str) -> Setting {
    Setting { name, value, default: None, help, offer: Offer::Later }
}

/// All settings, in the order of help.
pub const SETTINGS: &[Setting] = &[
    now("data-dir", "DIR", Some("snapshots"), "Where log and snapshots live; made if missing"),
    now(
        "listen",
        "ADDRESS",
        Some("127.0.0.1:7171"),
        "IP address and port; port 0 takes a free one",
    ),
    now("metrics-public", "BOOLEAN", Some("false"), "Whether /metrics is served beyond loopback"),
    now("openapi-public", "BOOLEAN", Some("true"), "Whether OpenAPI routes need no credentials"),
    now("operator-key", "KEY", None, "Key of /api/admin; better in UPSERTD_OPERATOR_KEY_FILE"),
    now("public-url", "URL", None, "Origin of links in answers; none: that of the request"),
    now("log-format", "FORMAT", Some("auto"), "auto, text or json; auto is JSON unless a terminal"),
    now("shutdown-wait", "TIME", Some("10s"), "How long requests in flight may take to finish"),
    now("snapshot-every", "TIME", Some("15m"), "A snapshot after so much time; or off"),
    now("snapshot-log-bytes", "SIZE", Some("256MiB"), "A snapshot after so much log; or off"),
    now("segment-bytes", "SIZE", Some("64MiB"), "A log segment is closed at this size"),
    now("feed-retention-days", "TIME", Some("7d"), "How long changes are kept in the log"),
    now("feed-retention-bytes", "SIZE", Some("8GiB"), "Log that is kept for changes at most"),
    now("memory-max", "SIZE", None, "Memory above which no more is taken; 80 % if left out"),
    now("disk-reserve-bytes", "SIZE", Some("256MiB"), "With less disk free no writes are taken"),
    now("read-only", "BOOLEAN", Some("false"), "Whether no writes are taken"),
    now("http-workers", "COUNT", None, "Threads that serve HTTP; half the cores if left out"),
    now("connections-max", "COUNT", Some("4096"), "Connections in all"),
    now("connections-per-peer-max", "COUNT", Some("1024"), "Connections of one address; or off"),
    now("idle-timeout", "TIME", Some("60s"), "How long a connection may be idle"),
    now("body-timeout", "TIME", Some("60s"), "How long a JSON body may take to arrive"),
    now("json-body-max", "SIZE", Some("16MiB"), "One JSON body"),
    now("body-bytes-max", "SIZE", Some("512MiB"), "All bodies in flight together"),
    now("record-max", "SIZE", Some("1MiB"), "One record, encoded; at most 2MiB"),
    now("commit-bytes-max", "SIZE", Some("8MiB"), "One commit, encoded"),
    now("queue-max", "COUNT", Some("65536"), "Rows that may wait for one object"),
    now("search-timeout", "TIME", Some("10s"), "How long one search may take"),
    now("idempotency-ttl", "TIME", Some("24h"), "How long outcomes of keyed writes are kept"),
    now("idempotency-bytes-max", "SIZE", Some("256MiB"), "Outcomes of keyed writes in all"),
    now("rate-limit", "RATE", None, "Requests per API key, such as 600/60s; no limit if left out"),
    now("upsert-created-status", "STATUS", Some("200"), "Of an upsert that created; 200 or 201"),
    now("add-status", "STATUS", Some("201"), "Of a successful add; 200 or 201"),
    now("archived-conflict-status", "STATUS", Some("409"), "Of an archive conflict; 409 or 400"),
    later("cors-origins", "ORIGINS", "Origins of browsers that may call"),
    now("stream-ttl", "TIME", Some("7d"), "How long a stream can be resumed after its last use"),
    now("stream-window", "COUNT", Some("4096"), "Rows of a stream in flight"),
    now("line-max", "SIZE", Some("1MiB"), "One line of a stream"),
    now("batch-rows-max", "COUNT", Some("10000"), "Rows of a batch"),
    now("atomic-rows-max", "COUNT", Some("1000"), "Rows of an atomic batch"),
    later("tls-cert", "FILE", "Certificate chain, PEM"),
    later("tls-key", "FILE", "Private key, PEM"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_have_three_spellings() {
        let names: HashSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
        for setting in SETTINGS {
            let plain = setting.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            assert!(plain, "{}", setting.name);
            let underscored = setting.name.replace('-', "_");
            assert_eq!(Setting::of_name(&underscored).unwrap().name, setting.name);
        }
        assert_eq!(Setting::of_name("data_dir").unwrap().variable(), "UPSERTD_DATA_DIR");
        assert!(Setting::of_name("data_dirs").is_none());
    }
}
