//! The programs of others, and a folder to run them in.

use crate::support::{Client, Credentials, Fixture, OPERATOR_KEY, Request, text};
use serde_json::{Value, json};
use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Where the programs and packages are: `python` is a virtual environment with a Node.js in it,
/// `node_modules` what that needs.
const VARIABLE: &str = "UPSERTD_TEST_CLIENTS";

/// A folder of one test with the programs at hand.
pub(crate) struct Workshop {
    programs: PathBuf,
    folder: TempDir,
}

impl Workshop {
    /// None where the programs are not installed.
    pub(crate) fn open() -> Option<Self> {
        let Some(tools) = env::var_os(VARIABLE).map(PathBuf::from) else {
            println!("not run: {VARIABLE} does not say where the programs of others are");
            return None;
        };
        let folder = tempfile::Builder::new()
            .prefix("clients-")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .expect("the build directory can be written to");
        let packages = folder.path().join("node_modules");
        symlink(tools.join("node_modules"), packages).expect("a new folder takes a link");
        Some(Self { programs: tools.join("python/bin"), folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.path().join(name), content).expect("the folder can be written to");
    }

    /// Takes files of the repository, named from the folder of these tests.
    pub(crate) fn take(&self, names: &[&str]) {
        for name in names {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name);
            let name = source.file_name().expect("a file has a name");
            fs::copy(&source, self.path().join(name)).expect("a file can be copied");
        }
    }

    /// Takes a file of the documents as it stands.
    pub(crate) fn take_page(&self, path: &str) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let name = source.file_name().expect("a file has a name");
        fs::copy(&source, self.path().join(name)).expect("a file can be copied");
    }

    /// Runs a program of the virtual environment, which must do well, and gives what it said.
    #[track_caller]
    pub(crate) fn run(
        &self,
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> String {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(self.path());
        let path = env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.programs.display()));
        command.envs(environment.iter().copied());
        let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
        let said = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat();
        assert!(output.status.success(), "{program} {arguments:?}: {}\n{said}", output.status);
        said
    }

    /// Runs a program of the Node.js packages.
    #[track_caller]
    pub(crate) fn run_package(&self, script: &str, arguments: &[&str]) {
        let script = format!("node_modules/{script}");
        let arguments: Vec<&str> =
            [&*script].into_iter().chain(arguments.iter().copied()).collect();
        self.run("node", &arguments, &[]);
    }
}

/// Takes the document from a server, as a stranger gets it.
pub(crate) fn take_document(workshop: &Workshop, fixture: &mut Fixture) {
    let document = fixture.client.get("/api/openapi.json").expect(200);
    workshop.write("openapi.json", &document.to_string());
}

/// Another business of the server, and its administrator.
pub(crate) fn other_business(fixture: &mut Fixture) -> (Client, Credentials) {
    let body = json!({"name": "Other", "admin": {"email": "eve@example.com"}});
    let request = Request::new("POST", "/api/admin/businesses").json(&body);
    let made = fixture.send(&request.header("X-OPERATOR-KEY", OPERATOR_KEY)).expect(201);
    let of = |value: &Value, key: &str| text(value, key).to_owned();
    let credentials = Credentials {
        api_key: of(&made["api_key"], "secret"),
        business_id: of(&made["business"], "id"),
        user_id: of(&made["member"], "user_id"),
    };
    (Client::new(fixture.server.address(), &credentials), credentials)
}
