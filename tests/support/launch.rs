//! Starting the real binary: its flags, its environment, its data directory, and how it ended.

use crate::support::server::{Credentials, OPERATOR_KEY, Server};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// A data directory of one test, removed when nobody needs it any more.
///
/// It lies below the build directory, which is on a real disk: a file system in memory would make
/// every sync a lie.
#[derive(Clone, Debug)]
pub(crate) struct DataDirectory(Arc<TempDir>);

impl DataDirectory {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("data-")
            .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .expect("the build directory can be written to");
        Self(Arc::new(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The files whose names the test accepts, sorted by name.
    pub(crate) fn files(&self, is_meant: impl Fn(&str) -> bool) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path()).expect("the data directory can be listed");
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry can be read").path())
            .filter(|path| {
                path.is_file()
                    && path.file_name().is_some_and(|name| is_meant(&name.to_string_lossy()))
            })
            .collect();
        files.sort();
        files
    }

    /// A copy with everything in it, as an operator would make one of a stopped server's.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::new();
        for path in self.files(|_| true) {
            let name = path.file_name().expect("a file of a listing has a name");
            fs::copy(&path, copy.path().join(name)).expect("a file can be copied");
        }
        copy
    }
}

/// How a process ended and what it said.
#[derive(Debug)]
pub(crate) struct Exit {
    /// None: a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Exit {
    /// Asserts the code, showing what was said otherwise.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "standard error was:\n{}", self.stderr);
        self
    }

    /// Asserts that standard error names something.
    #[track_caller]
    pub(crate) fn expect_stderr(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "{part:?} is not named in:\n{}", self.stderr);
        self
    }
}

/// A command line of `upsertd serve`, usable any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    directory: DataDirectory,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    credentials: Option<Credentials>,
}

impl Launch {
    /// On a new data directory, with an operator key.
    pub(crate) fn new() -> Self {
        Self::on(&DataDirectory::new())
    }

    /// On a data directory that may hold something.
    pub(crate) fn on(directory: &DataDirectory) -> Self {
        let launch = Self {
            directory: directory.clone(),
            arguments: Vec::new(),
            environment: Vec::new(),
            credentials: None,
        };
        launch.environment("UPSERTD_OPERATOR_KEY", OPERATOR_KEY)
    }

    pub(crate) fn flag(self, name: &str, value: &str) -> Self {
        self.argument(name).argument(value)
    }

    pub(crate) fn argument(mut self, word: &str) -> Self {
        self.arguments.push(word.to_owned());
        self
    }

    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without_operator_key(mut self) -> Self {
        self.environment.retain(|(name, _)| name != "UPSERTD_OPERATOR_KEY");
        self
    }

    /// Whose requests the clients make, where the directory has no `bootstrap.json`.
    pub(crate) fn credentials(mut self, credentials: &Credentials) -> Self {
        self.credentials = Some(credentials.clone());
        self
    }

    pub(crate) fn directory(&self) -> &DataDirectory {
        &self.directory
    }

    /// Starts the server and waits until it listens.
    pub(crate) fn start(self) -> Server {
        Server::start(self)
    }

    /// Runs the server to its end, for a start that must be refused.
    pub(crate) fn refused(self) -> Exit {
        match Server::try_start(self) {
            Ok(server) => panic!("the server listens on {} instead of refusing", server.address()),
            Err(exit) => exit,
        }
    }

    pub(crate) fn fixed_credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = binary();
        command.arg("serve").arg("--data-dir").arg(self.directory.path());
        command.arg("--listen").arg("127.0.0.1:0").args(&self.arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The binary, without settings of whoever runs the tests.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_upsertd"));
    for (name, _) in
        env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("UPSERTD_"))
    {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
