//! A command of the binary that asks a server: run to its end, or followed line by line.

use crate::support::deadline::{PATIENCE, until};
use crate::support::launch::{Exit, binary};
use crate::support::server::{Credentials, Said, Server, exit_of, lines};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Receiver;

/// A command line with what it has to be told.
pub(crate) struct Tool(Command);

/// A command that runs.
pub(crate) struct RunningTool {
    child: Child,
    input: Option<ChildStdin>,
    stdout: Receiver<String>,
    said: Said,
}

impl Tool {
    /// Without a server and a caller.
    pub(crate) fn new(words: &[&str]) -> Self {
        let mut command = binary();
        command.args(words);
        // Nobody's data directory is found by chance.
        command.current_dir(env!("CARGO_TARGET_TMPDIR"));
        Self(command)
    }

    /// As the server's administrator.
    pub(crate) fn of(server: &Server, words: &[&str]) -> Self {
        let url = format!("http://{}", server.address());
        Self::new(words).at(&url).caller(&server.credentials())
    }

    pub(crate) fn at(self, url: &str) -> Self {
        self.variable("UPSERTD_URL", url)
    }

    pub(crate) fn caller(self, credentials: &Credentials) -> Self {
        self.variable("UPSERTD_API_KEY", &credentials.api_key)
            .variable("UPSERTD_BUSINESS_ID", &credentials.business_id)
            .variable("UPSERTD_USER_ID", &credentials.user_id)
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Runs to the end, with this on standard input.
    pub(crate) fn run_with(self, input: &str) -> Exit {
        let mut running = self.start();
        running.write(input);
        running.end()
    }

    pub(crate) fn run(self) -> Exit {
        self.run_with("")
    }

    pub(crate) fn start(mut self) -> RunningTool {
        self.0.stdin(Stdio::piped());
        let mut child = self.0.spawn().expect("the built binary can be started");
        let stdout = lines(child.stdout.take().expect("standard output is a pipe"));
        let said = Said::listen(child.stderr.take().expect("standard error is a pipe"));
        RunningTool { input: child.stdin.take(), child, stdout, said }
    }
}

impl RunningTool {
    /// The next line on standard output.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        let line = self.stdout.recv_timeout(PATIENCE);
        line.unwrap_or_else(|error| panic!("no line came ({error}):\n{}", self.said.so_far()))
    }

    /// The lines on standard output that have come and that nobody has taken.
    pub(crate) fn lines_so_far(&self) -> Vec<String> {
        self.stdout.try_iter().collect()
    }

    pub(crate) fn write(&mut self, input: &str) {
        let pipe = self.input.as_mut().expect("the input was not ended yet");
        // A command that refuses what it is given does not read the rest.
        drop(pipe.write_all(input.as_bytes()));
    }

    /// Waits until something was said on standard error.
    pub(crate) fn wait_for(&self, part: &str) {
        until(part, || self.said.so_far().contains(part).then_some(()));
    }

    /// Ends the input and waits for the end; of standard output the lines that nobody has taken.
    pub(crate) fn end(mut self) -> Exit {
        drop(self.input.take());
        let stdout: Vec<String> = self.stdout.iter().collect();
        let status = exit_of(&mut self.child);
        let stderr = self.said.until_it_ends();
        Exit { code: status.code(), stdout: stdout.join("\n"), stderr }
    }
}

impl Drop for RunningTool {
    /// A command that follows does not end by itself.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().expect("a running child can be killed");
            exit_of(&mut self.child);
        }
    }
}
