//! A server behind a proxy with TLS, as one on the internet is.

use crate::support::{Fixture, Tool, python};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A proxy whose certificate an authority of the tests has signed, for this address, until 2126.
struct Proxy {
    child: Child,
    url: String,
}

fn fixture_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

impl Proxy {
    fn start(python: &str, fixture: &Fixture) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/tls_proxy.py");
        let mut child = Command::new(python)
            .args([script, fixture_file("server.pem"), fixture_file("server.key")])
            .arg(fixture.server.address().port().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        stdout.read_line(&mut line).expect("the proxy says its port");
        Self { child, url: format!("https://127.0.0.1:{}", line.trim()) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.child.kill().expect("a running child can be killed");
        self.child.wait().expect("a child can be waited for");
    }
}

#[test]
fn a_server_with_tls_is_asked_and_one_that_nobody_vouches_for_is_not() {
    let Some(python) = python("import asyncio, ssl") else {
        println!("not run: there is no python3");
        return;
    };
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.create("accounts", "Acme", &json!({}));
    let proxy = Proxy::start(&python, &fixture);
    let tool = |words: &[&str]| Tool::of(&fixture.server, words).at(&proxy.url);
    let authority = fixture_file("authority.pem").display().to_string();
    let trusting = ["tail", "accounts", "--ca-cert", &authority];
    let exit = tool(&trusting).run().expect_code(0);
    assert!(exit.stdout.contains("\"Acme\""), "{}", exit.stdout);
    let exit = tool(&["tail", "accounts"]).run().expect_code(6);
    assert_eq!(exit.stdout, "");
    exit.expect_stderr("UnknownIssuer").expect_stderr("--ca-cert");
    let key = fixture_file("server.key").display().to_string();
    let exit = tool(&["tail", "accounts", "--ca-cert", &key]).run().expect_code(3);
    exit.expect_stderr("holds no certificates");
}
