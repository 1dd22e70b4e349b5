//! Clients that are generated from the document: they have the types that are promised, and work.

use crate::clients::workshop::{Workshop, take_document};
use crate::support::Fixture;

/// A server with the object that the trials write to.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture
}

/// Runs a trial, which is told of the server in its environment.
#[track_caller]
fn try_client(workshop: &Workshop, fixture: &Fixture, program: &str, script: &str) {
    let credentials = fixture.server.credentials();
    let server = format!("http://{}", fixture.server.address());
    let environment = [
        ("SERVER", &*server),
        ("API_KEY", &credentials.api_key),
        ("BUSINESS_ID", &credentials.business_id),
        ("USER_ID", &credentials.user_id),
        ("PYTHONPATH", "client"),
    ];
    workshop.run(program, &[script], &environment);
}

#[test]
fn a_generated_python_client_has_types_and_works() {
    let Some(workshop) = Workshop::open() else { return };
    let mut fixture = accounts();
    take_document(&workshop, &mut fixture);
    workshop.take(&["python/generator.yml", "python/try_client.py"]);
    let generate = ["generate", "--path", "openapi.json", "--output-path", "client"];
    let strictly = ["--config", "generator.yml", "--fail-on-warning"];
    workshop.run("openapi-python-client", &[&generate[..], &strictly].concat(), &[]);
    // The trial must see types and not whatever: strict, but for what the generator repeats.
    let check = ["--strict", "--no-warn-redundant-casts", "client/upsertd_client", "try_client.py"];
    workshop.run("mypy", &check, &[("MYPYPATH", "client")]);
    try_client(&workshop, &fixture, "python", "try_client.py");
}

#[test]
fn a_generated_typescript_client_has_types_and_works() {
    let Some(workshop) = Workshop::open() else { return };
    let mut fixture = accounts();
    take_document(&workshop, &mut fixture);
    workshop.take(&["typescript/tsconfig.json", "typescript/try_client.ts", "package.json"]);
    workshop.run_package("openapi-typescript/bin/cli.js", &["openapi.json", "-o", "api.d.ts"]);
    workshop.run_package("typescript/bin/tsc", &["--project", "."]);
    try_client(&workshop, &fixture, "node", "try_client.ts");
}
