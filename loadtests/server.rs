//! The server under test: started on a new data directory, prepared, asked for its numbers, ended.

use crate::clock::now;
use crate::contact::write_body;
use crate::drive::Target;
use crate::error::LoadError;
use crate::settings::Settings;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, thread};
use tempfile::TempDir;

const OPERATOR_KEY: &str = "operator-key-of-the-load-test";
const SNAPSHOT_DEADLINE: Duration = Duration::from_mins(5);

/// A child that prints where it listens, and is killed with its owner.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

/// The one line that a server prints.
pub(crate) fn listening_line(name: &str, address: SocketAddr) -> String {
    format!("{name} listening on http://{address}")
}

impl Process {
    pub(crate) fn start(command: &mut Command, stderr: Option<&Path>) -> Result<Self, LoadError> {
        let what = format!("{}", command.get_program().display());
        let sink = match stderr {
            Some(path) => {
                let file = File::create(path).map_err(LoadError::io(path.display().to_string()))?;
                Stdio::from(file)
            }
            None => Stdio::inherit(),
        };
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(sink);
        let mut child = command.spawn().map_err(LoadError::io(what))?;
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        let address =
            line.trim_end().rsplit_once("http://").and_then(|(_, text)| text.parse().ok());
        if let (Ok(_), Some(address)) = (read, address) {
            return Ok(Self { child, address });
        }
        child.kill().and_then(|()| child.wait()).map_err(LoadError::io("the child"))?;
        let stderr = stderr.and_then(|path| fs::read_to_string(path).ok());
        Err(LoadError::NotListening { stderr: stderr.unwrap_or_default() })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks for a clean stop and waits for it.
    fn stop(mut self) -> Result<(), LoadError> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let id = id.expect("a process id is a positive number of the system's type");
        kill_process(id, Signal::TERM)
            .map_err(|errno| LoadError::io("the signal")(errno.into()))?;
        let status = self.child.wait().map_err(LoadError::io("the child"))?;
        if status.success() {
            return Ok(());
        }
        Err(LoadError::io("the stop")(std::io::Error::other(status.to_string())))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; a child that cannot be killed is not worth a panic here.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// The server with its data directory.
pub(crate) struct Server {
    process: Process,
    directory: TempDir,
    settings: Settings,
    credentials: Credentials,
}

#[derive(Clone, Debug, Deserialize)]
struct Credentials {
    api_key: String,
    business_id: String,
    user_id: String,
}

impl Server {
    /// On a new data directory, with the fields that the bodies of the mixed load write.
    pub(crate) fn start(settings: &Settings) -> Result<Self, LoadError> {
        Self::start_with(settings, &crate::contact::custom_fields())
    }

    /// On a new data directory, with further fields of contacts.
    pub(crate) fn start_with(settings: &Settings, fields: &[Value]) -> Result<Self, LoadError> {
        let parent = parent_directory(settings)?;
        crate::disk::check_is_real(&parent)?;
        let directory = tempfile::Builder::new().prefix("load-").tempdir_in(&parent);
        let directory = directory.map_err(LoadError::io(parent.display().to_string()))?;
        let process = spawn(settings, directory.path())?;
        let credentials = credentials(directory.path())?;
        let server = Self { process, directory, settings: settings.clone(), credentials };
        for field in fields {
            server.ask("POST", "/api/custom-objects/client_client/fields", Some(field))?;
        }
        Ok(server)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn target(&self) -> Target {
        self.target_of("upsert")
    }

    /// What is asked with JSON at a path below the contacts.
    pub(crate) fn target_of(&self, path: &str) -> Target {
        let head = self.head("POST", path, "Content-Type: application/json");
        Target { address: self.address(), process: self.id(), head, has_records: true }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.process.address()
    }

    /// The head of a request at a path below the contacts, up to the value of `Content-Length`.
    pub(crate) fn head(&self, method: &str, path: &str, header: &str) -> Vec<u8> {
        let Credentials { api_key, business_id, user_id } = &self.credentials;
        format!(
            "{method} /api/records/client_client/{path} HTTP/1.1\r\nHost: {}\r\n\
             X-API-KEY: {api_key}\r\nX-BUSINESS-ID: {business_id}\r\nX-USER-ID: {user_id}\r\n\
             {header}\r\nContent-Length: ",
            self.address()
        )
        .into_bytes()
    }

    /// Bytes of the request's body and of its answer, of one upsert outside of the measurement.
    pub(crate) fn probe(&self) -> Result<(usize, usize), LoadError> {
        let mut body = Vec::new();
        write_body(0, 0, &mut body);
        let json: Value = serde_json::from_slice(&body).expect("our bodies are JSON");
        let answer = self.ask("POST", "/api/records/client_client/upsert", Some(&json))?;
        Ok((body.len(), answer.len()))
    }

    /// How many frames and events the log has; an upsert that changes something is one event; none where the server does not tell.
    pub(crate) fn frames_and_events(&self) -> Option<(u64, u64)> {
        let answer = self.ask("GET", "/api/admin/status", None).ok()?;
        let status: Value = serde_json::from_str(&answer).ok()?;
        Some((status["frames"].as_u64()?, status["events"].as_u64()?))
    }

    /// How many columns the server keeps of contacts for searches, and of how many bytes; none where
    /// it does not tell.
    pub(crate) fn columns(&self) -> Option<(u64, u64)> {
        let answer = self.ask("GET", "/api/admin/status", None).ok()?;
        let status: Value = serde_json::from_str(&answer).ok()?;
        let contacts = &status["businesses"][0]["objects"][0];
        Some((contacts["columns"].as_u64()?, contacts["column_bytes"].as_u64()?))
    }

    /// Asks for a snapshot and waits until its file is there.
    pub(crate) fn snapshot(&self) -> Result<u64, LoadError> {
        self.ask("POST", "/api/admin/snapshot", None)?;
        let started = now();
        loop {
            if let Some(bytes) = snapshot_bytes(self.directory())? {
                return Ok(bytes);
            }
            if started.elapsed() > SNAPSHOT_DEADLINE {
                let seconds = SNAPSHOT_DEADLINE.as_secs();
                return Err(LoadError::TooSlow { what: "no snapshot", seconds });
            }
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Stops it cleanly and starts it again on what it left: the time until it listens.
    pub(crate) fn restart(self) -> Result<(Self, Duration), LoadError> {
        let Self { process, directory, settings, credentials } = self;
        process.stop()?;
        let started = now();
        let process = spawn(&settings, directory.path())?;
        let elapsed = started.elapsed();
        Ok((Self { process, directory, settings, credentials }, elapsed))
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<String, LoadError> {
        let url = format!("http://{}{path}", self.process.address());
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(&url)
            .header("X-API-KEY", &self.credentials.api_key)
            .header("X-BUSINESS-ID", &self.credentials.business_id)
            .header("X-USER-ID", &self.credentials.user_id)
            .header("X-OPERATOR-KEY", OPERATOR_KEY)
            .header("Content-Type", "application/json")
            .body(body.map(Value::to_string).unwrap_or_default())
            .expect("the parts of the request are our own");
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let name = format!("{method} {path}");
        let failed = |source: ureq::Error| LoadError::Request {
            request: name.clone(),
            source: Box::new(source),
        };
        let mut answer = agent.run(request).map_err(failed)?;
        let (status, body) = (answer.status(), answer.body_mut().read_to_string().map_err(failed)?);
        if status.is_success() {
            return Ok(body);
        }
        Err(LoadError::Refused { request: name, status: status.as_u16(), body })
    }
}

fn spawn(settings: &Settings, directory: &Path) -> Result<Process, LoadError> {
    let mut command = Command::new(server_path(settings)?);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(directory.join("data"));
    command.arg("--http-workers").arg(settings.http_workers.to_string());
    command.env("UPSERTD_OPERATOR_KEY", OPERATOR_KEY);
    Process::start(&mut command, Some(&directory.join("stderr.txt")))
}

/// The binary that was built beside this program, unless another one is named.
fn server_path(settings: &Settings) -> Result<PathBuf, LoadError> {
    if let Some(path) = &settings.server {
        return Ok(path.clone());
    }
    Ok(build_directory()?.join("upsertd"))
}

pub(crate) fn parent_directory(settings: &Settings) -> Result<PathBuf, LoadError> {
    settings.directory.clone().map_or_else(build_directory, Ok)
}

/// Where the binaries of this build are: an example lies one folder below them.
fn build_directory() -> Result<PathBuf, LoadError> {
    let program = env::current_exe().map_err(LoadError::io("the path of this program"))?;
    let directory = program.parent().and_then(Path::parent);
    Ok(directory.expect("a program lies in a directory").to_owned())
}

fn credentials(directory: &Path) -> Result<Credentials, LoadError> {
    let path = directory.join("data/bootstrap.json");
    let what = path.display().to_string();
    let file = File::open(&path).map_err(LoadError::io(what.clone()))?;
    let mut bytes = Vec::new();
    BufReader::new(file).read_to_end(&mut bytes).map_err(LoadError::io(what.clone()))?;
    serde_json::from_slice(&bytes).map_err(|error| LoadError::io(what)(error.into()))
}

fn snapshot_bytes(directory: &Path) -> Result<Option<u64>, LoadError> {
    let data = directory.join("data");
    let what = || LoadError::io(data.display().to_string());
    for entry in fs::read_dir(&data).map_err(what())? {
        let entry = entry.map_err(what())?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snapshot-") && name.ends_with(".upsertd") {
            return entry.metadata().map(|metadata| Some(metadata.len())).map_err(what());
        }
    }
    Ok(None)
}
