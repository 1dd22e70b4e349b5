//! `docs/first-sync.md`, run as a reader would run it: each command says what the page says.

use crate::support::Server;
use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A block of commands with the output that the page shows behind it.
struct Step {
    commands: String,
    output: String,
}

/// The fenced blocks: each of output belongs to the commands before it.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = page.lines();
    while let Some(opening) = lines.find(|line| line.starts_with("```")) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let block = block.join("\n") + "\n";
        match (opening, steps.last_mut()) {
            ("```sh", _) => steps.push(Step { commands: block, output: String::new() }),
            ("```text", Some(step)) => step.output = block,
            _ => panic!("nobody runs a block that begins with {opening}"),
        }
    }
    steps
}

#[test]
fn the_guide_does_what_it_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/first-sync.md");
    let steps = steps(&fs::read_to_string(page).expect("the guide is there"));
    assert!(steps.len() > 5, "the guide has {} steps", steps.len());
    let server = Server::new();
    let folder = TempDir::new().expect("a folder can be made");
    let programs = folder.path().join("bin");
    fs::create_dir(&programs).expect("a folder can be made");
    symlink(env!("CARGO_BIN_EXE_upsertd"), programs.join("upsertd")).expect("a link can be made");
    let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap_or_default());
    for Step { commands, output } in steps {
        let done = Command::new("bash")
            .args(["-e", "-o", "pipefail", "-c", &commands])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("UPSERTD_URL", format!("http://{}", server.address()))
            .env("UPSERTD_DATA_DIR", server.directory().path())
            .output()
            .expect("bash can be started");
        let said = String::from_utf8_lossy(&done.stdout);
        let stderr = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{commands}\n{said}{stderr}");
        assert_eq!(said, output, "{commands}\n{stderr}");
    }
}
