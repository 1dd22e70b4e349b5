//! The commands of the README, run as a reader would run them.

use crate::support::{DataDirectory, Launch, Server};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of shell commands, in order, with lines that a backslash continues joined.
fn commands(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(opening) = lines.find(|line| line.starts_with("```")) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
        if matches!(opening, "```sh" | "```bash" | "```console") {
            blocks.push(block.join("\n").replace("\\\n", " "));
        }
    }
    blocks
}

/// Starts what the first command starts, on a port and a directory of the test's.
fn start(command: &str) -> Server {
    assert!(command.starts_with("cargo run"), "the first command builds and starts: {command}");
    assert!(command.contains("--locked"), "{command}");
    let flags = command.split_once(" -- ").map_or("", |(_, flags)| flags);
    let flags = flags.split_whitespace().filter(|word| *word != "serve");
    flags.fold(Launch::new(), Launch::argument).start()
}

/// A folder in which the paths that the second command names exist: it reads the credentials from
/// the default data directory.
fn folder_like_the_repository(directory: &DataDirectory) -> PathBuf {
    let folder = directory.path().join("reader");
    fs::create_dir_all(folder.join("snapshots")).expect("a folder can be made");
    fs::copy(directory.path().join("bootstrap.json"), folder.join("snapshots/bootstrap.json"))
        .expect("the first start writes bootstrap.json");
    folder
}

#[test]
fn the_commands_start_a_server_and_upsert_a_record() {
    let commands = commands(&readme());
    let [run_it, test_it, ask @ ..] = commands.as_slice() else {
        panic!("the README has {} commands", commands.len())
    };
    assert!(test_it.starts_with("cargo test --locked"), "the second runs this test: {test_it}");
    let server = start(run_it);
    let folder = folder_like_the_repository(server.directory());
    // One shell for all of them: the first ones set what the last one uses.
    let script = ask.join("\n");
    assert!(script.contains("127.0.0.1:7171"), "it asks the default address: {script}");
    let script = script.replace("127.0.0.1:7171", &server.address().to_string());
    let [first, second] = ["created", "updated"].map(|action| {
        let answer = run(&script, &folder);
        assert_eq!(answer["action"], action, "{answer}");
        answer
    });
    assert_eq!(first["id"], second["id"], "the same command twice is one record");
    for answer in [&first, &second] {
        assert_eq!(answer["version"], 1, "the second changes nothing: {answer}");
    }
}

fn run(command: &str, folder: &Path) -> Value {
    let output = Command::new("bash").arg("-ec").arg(command).current_dir(folder).output();
    let output = output.expect("bash can be started");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}\n{stderr}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let json = stdout.find('{').map_or("", |start| &stdout[start..]);
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"))
}

#[test]
fn commands_are_read_out_of_fences() {
    let markdown =
        "text\n```sh\none \\\n  two\n```\n```json\n{}\n```\n```console\nthree\nfour\n```\n";
    assert_eq!(commands(markdown), ["one    two", "three\nfour"]);
}
