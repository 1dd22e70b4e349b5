//! A Python for tests that run a script.

use std::env;
use std::process::Command;

/// A Python that runs this statement: the one that is named, which must then, or the machine's own,
/// if it happens to.
pub(crate) fn python(statement: &str) -> Option<String> {
    if let Ok(named) = env::var("UPSERTD_TEST_PYTHON") {
        return Some(named);
    }
    let probe = Command::new("python3").args(["-c", statement]).output();
    probe.is_ok_and(|output| output.status.success()).then(|| "python3".to_owned())
}
