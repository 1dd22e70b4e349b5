//! A running server: where it listens, who may ask it, and the ways to end it.

use crate::support::client::Client;
use crate::support::deadline::{PATIENCE, until};
use crate::support::json::text;
use crate::support::launch::{DataDirectory, Exit, Launch};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// What the tests' servers take as `X-OPERATOR-KEY`.
pub(crate) const OPERATOR_KEY: &str = "operator-key-of-the-tests";

/// The three headers of a caller.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) api_key: String,
    pub(crate) business_id: String,
    pub(crate) user_id: String,
}

/// The real binary, listening on a port of its own.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    launch: Launch,
    stdout: Receiver<String>,
    said: Said,
}

/// Standard error as it comes, and the thread that reads it.
pub(super) struct Said {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts on a new directory with nothing special.
    pub(crate) fn new() -> Self {
        Launch::new().start()
    }

    pub(crate) fn start(launch: Launch) -> Self {
        match Self::try_start(launch) {
            Ok(server) => server,
            Err(exit) => panic!("the server ended with {:?}:\n{}", exit.code, exit.stderr),
        }
    }

    /// Waits for the one line on standard output, or for the end of the process.
    pub(crate) fn try_start(launch: Launch) -> Result<Self, Exit> {
        let mut child = launch.command().spawn().expect("the built binary can be started");
        let stdout = lines(child.stdout.take().expect("standard output is a pipe"));
        let mut said = Said::listen(child.stderr.take().expect("standard error is a pipe"));
        match stdout.recv_timeout(PATIENCE) {
            Ok(line) => {
                let address = listening_address(&line);
                Ok(Self { child, address, launch, stdout, said })
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = exit_of(&mut child);
                let stderr = said.until_it_ends();
                Err(Exit { code: status.code(), stdout: String::new(), stderr })
            }
            Err(RecvTimeoutError::Timeout) => {
                child.kill().expect("a running child can be killed");
                panic!("no line on standard output within {PATIENCE:?}:\n{}", said.until_it_ends())
            }
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn directory(&self) -> &DataDirectory {
        self.launch.directory()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Bytes of memory that the process holds.
    pub(crate) fn resident_bytes(&self) -> usize {
        let path = format!("/proc/{}/statm", self.process_id());
        let statm = fs::read_to_string(path).expect("the process is there");
        let pages = statm.split(' ').nth(1).expect("the second number is of what is resident");
        pages.parse::<usize>().expect("it is a number") * rustix::param::page_size()
    }

    /// The administrator that the first start made.
    pub(crate) fn credentials(&self) -> Credentials {
        if let Some(credentials) = self.launch.fixed_credentials() {
            return credentials.clone();
        }
        let path = self.directory().path().join("bootstrap.json");
        let bytes = fs::read(&path).expect("the first start writes bootstrap.json");
        let json: Value = serde_json::from_slice(&bytes).expect("bootstrap.json is JSON");
        Credentials {
            api_key: text(&json, "api_key").to_owned(),
            business_id: text(&json, "business_id").to_owned(),
            user_id: text(&json, "user_id").to_owned(),
        }
    }

    /// A connection of its own, as the administrator.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address, &self.credentials())
    }

    /// What the server has said on standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.said.so_far()
    }

    /// Ends the process without a word to it, and tells how to start it again.
    pub(crate) fn kill(mut self) -> Launch {
        self.child.kill().expect("a running child can be killed");
        self.end();
        self.launch.clone()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id fits the system's type");
        let id = Pid::from_raw(id).expect("a process id is not zero");
        kill_process(id, signal).expect("a child that was not waited for can be signalled");
    }

    /// Asks for a clean stop and waits for it.
    pub(crate) fn stop(self) -> (Exit, Launch) {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits for the end that something else has caused.
    pub(crate) fn ended(mut self) -> (Exit, Launch) {
        (self.end(), self.launch.clone())
    }

    fn end(&mut self) -> Exit {
        let status = exit_of(&mut self.child);
        let stdout: Vec<String> = self.stdout.iter().collect();
        let stderr = self.said.until_it_ends();
        Exit { code: status.code(), stdout: stdout.join("\n"), stderr }
    }
}

impl Drop for Server {
    /// A test that fails leaves no process behind, and shows what the server had said.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().expect("a running child can be killed");
            exit_of(&mut self.child);
        }
        if thread::panicking() {
            eprintln!("--- standard error of the server:\n{}", self.said.so_far());
        }
    }
}

impl Said {
    pub(super) fn listen(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                let piece = String::from_utf8_lossy(&chunk[..length]);
                heard.lock().unwrap_or_else(PoisonError::into_inner).push_str(&piece);
            }
        });
        Self { text, reader: Some(reader) }
    }

    pub(super) fn so_far(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything: the pipe is read until its end, which the end of the process brings.
    pub(super) fn until_it_ends(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader of standard error does not panic");
        }
        self.so_far()
    }
}

pub(super) fn exit_of(child: &mut Child) -> ExitStatus {
    until("the end of a process", || child.try_wait().expect("a child can be waited for"))
}

/// The lines of a pipe; the channel closes when the pipe does.
pub(super) fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(16);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // Nobody listens any more when the test has dropped its server.
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn listening_address(line: &str) -> SocketAddr {
    let address = line.strip_prefix("upsertd listening on http://");
    let address = address.unwrap_or_else(|| panic!("standard output is not the line: {line:?}"));
    address.parse().unwrap_or_else(|_| panic!("{address:?} is no address"))
}
