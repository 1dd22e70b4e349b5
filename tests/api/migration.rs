//! The script of `docs/migrating.md`, run as it stands against the real server.

use crate::support::{Fixture, OPERATOR_KEY, Request, field_value, python, text};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SECRET: &str = "the-key-of-the-hosted-script";
const BUSINESS: &str = "5f3c1c1e-9d0c-4a53-9f5e-0d1f2a3b4c5d";
const USER: &str = "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";

fn document(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of a language, in order.
fn blocks(markdown: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = markdown.lines();
    while let Some(opening) = lines.find(|line| line.starts_with("```")) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
        if opening.strip_prefix("```") == Some(language) {
            found.push(block.join("\n") + "\n");
        }
    }
    found
}

#[test]
fn the_guide_quotes_the_script_as_it_is() {
    let quoted = blocks(&document("docs/migrating.md"), "python");
    let file = document("docs/examples/sync_accounts.py");
    assert_eq!(quoted.len(), 1, "the guide has one script");
    for (number, (quoted, written)) in quoted[0].lines().zip(file.lines()).enumerate() {
        assert_eq!(quoted, written, "line {} of the script", number + 1);
    }
    assert!(quoted[0] == file, "the one ends before the other");
}

/// A business with the ids and the key of a script that ran elsewhere, made as the guide says.
struct Business {
    fixture: Fixture,
    python: String,
}

impl Business {
    fn new(python: String) -> Self {
        let mut fixture = Fixture::new();
        let json = blocks(&document("docs/migrating.md"), "json");
        let [business, schema] = json.as_slice() else { panic!("the guide has two JSON blocks") };
        let business = business.replace("<business id>", BUSINESS).replace("<user id>", USER);
        let business = business.replace("<API key>", SECRET);
        let business: Value = serde_json::from_str(&business).expect("the guide's JSON is one");
        let request = Request::new("POST", "/api/admin/businesses").json(&business);
        fixture.send(&request.header("X-OPERATOR-KEY", OPERATOR_KEY)).expect(201);
        let mut made = Self { fixture, python };
        for (line, body) in schema.lines().enumerate() {
            let fields = "/api/custom-objects/accounts/fields";
            let path = if line == 0 { "/api/custom-objects" } else { fields };
            let body: Value = serde_json::from_str(body).expect("the guide's JSON is one");
            made.ask("POST", path, Some(&body), 201);
        }
        made
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>, status: u16) -> Value {
        let request = Request::new(method, path);
        let request = body.map_or(request.clone(), |body| request.json(body));
        let request = request.header("X-API-KEY", SECRET).header("X-BUSINESS-ID", BUSINESS);
        self.fixture.send(&request.header("X-USER-ID", USER)).expect(status)
    }

    fn lookup(&mut self, name: &str) -> Value {
        self.ask("GET", &format!("/api/records/accounts/lookup?identifier={name}"), None, 200)
    }

    /// What the script prints about these companies.
    fn sync(&mut self, companies: &Value) -> Vec<String> {
        let server = &self.fixture.server;
        let list = server.directory().path().join("companies.json");
        fs::write(&list, companies.to_string()).expect("the folder takes a file");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/sync_accounts.py");
        let output = Command::new(&self.python)
            .args([script, PathBuf::from(&list)])
            .env("API_BASE_URL", format!("http://{}", server.address()))
            .envs([("API_KEY", SECRET), ("BUSINESS_ID", BUSINESS), ("USER_ID", USER)])
            .output()
            .expect("python starts");
        fs::remove_file(&list).expect("the file was written");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }
}

#[test]
fn a_script_for_the_hosted_api_runs_here() {
    let Some(python) = python("import urllib.request") else {
        println!("not run: there is no python3");
        return;
    };
    let mut business = Business::new(python);
    let company = |name: &str, region: &str, seats: u32| json!({"name": name, "region": region, "seats": seats});
    let all = ["Acme", "Globex", "Hooli", "Umbrella", "Wonka"];
    let companies: Vec<Value> = all.iter().map(|name| company(name, "North", 5)).collect();
    let printed = business.sync(&json!(companies));
    assert_eq!(printed, all.map(|name| format!("{name}: created, seats - -> 5")));
    let acme = business.lookup("Acme");
    assert_eq!((&acme["num_upcoming_activities"], &acme["version"]), (&json!(1), &json!(1)));
    assert_eq!(field_value(&acme, "region").expect("it has one")["name"], "North");

    // Acme grows, Globex stays in another spelling, Initech is not understood, the rest
    // goes.
    let companies = json!([
        company("Acme", "North", 8),
        company("GLOBEX", "North", 5),
        company("Initech", "West", 1),
    ]);
    let expected = [
        "Acme: updated, seats 5 -> 8",
        "GLOBEX: updated, seats 5 -> 5",
        "Initech: does_not_exist region",
        "Hooli: archived",
        "Umbrella: archived",
        "Wonka: archived",
    ];
    assert_eq!(business.sync(&companies), expected);
    let live = business.ask("GET", "/api/records/accounts", None, 200);
    assert_eq!(live["count"], 2);
    assert_eq!(business.lookup("Acme")["version"], 2);
    let row = &business.ask("GET", "/api/bulk-action-progress", None, 200)["results"][0];
    assert_eq!((&row["success_count"], &row["failed_count"]), (&json!(3), &json!(0)));

    // One that was archived comes back as it was, with its call.
    let companies = json!([company("Acme", "North", 8), company("Hooli", "South", 9)]);
    let expected =
        ["Acme: updated, seats 8 -> 8", "Hooli: unarchived, seats - -> 9", "Globex: archived"];
    assert_eq!(business.sync(&companies), expected);
    let hooli = business.lookup("Hooli");
    assert_eq!((&hooli["num_upcoming_activities"], &hooli["version"]), (&json!(1), &json!(3)));
    assert_eq!(business.lookup("Acme")["version"], 2, "nothing about it was new");
    assert_eq!(text(&hooli, "display_name"), "Hooli");
}
