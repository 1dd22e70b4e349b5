//! A small blocking HTTP client that shows everything: any status, every header, the exact body.
//!
//! It is written by hand because the tests need what libraries hide: requests that are wrong on
//! purpose, answers whose headers are read one by one, and a broken connection as a plain result.

use crate::support::deadline::PATIENCE;
use crate::support::server::Credentials;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

/// One caller on one connection, which is kept open.
pub(crate) struct Client {
    address: SocketAddr,
    identity: Vec<(&'static str, String)>,
    connection: Option<BufReader<TcpStream>>,
}

/// A request, and whether it carries the caller's headers.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    left_out: Vec<String>,
    body: Option<Vec<u8>>,
}

/// What came back, with what was asked, so that a failed assertion shows both.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    asked: String,
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, credentials: &Credentials) -> Self {
        let identity = vec![
            ("X-API-KEY", credentials.api_key.clone()),
            ("X-BUSINESS-ID", credentials.business_id.clone()),
            ("X-USER-ID", credentials.user_id.clone()),
        ];
        Self { address, identity, connection: None }
    }

    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.send(&Request::new("GET", target))
    }

    pub(crate) fn post(&mut self, target: &str, body: &Value) -> Answer {
        self.send(&Request::new("POST", target).json(body))
    }

    pub(crate) fn patch(&mut self, target: &str, body: &Value) -> Answer {
        self.send(&Request::new("PATCH", target).json(body))
    }

    pub(crate) fn put(&mut self, target: &str, body: &Value) -> Answer {
        self.send(&Request::new("PUT", target).json(body))
    }

    pub(crate) fn delete(&mut self, target: &str) -> Answer {
        self.send(&Request::new("DELETE", target))
    }

    /// Sends a request to a server that must answer.
    pub(crate) fn send(&mut self, request: &Request) -> Answer {
        self.try_send(request).unwrap_or_else(|error| panic!("{}: {error}", request.line()))
    }

    /// Sends a request to a server that may die meanwhile; after an error what became of the
    /// request is unknown.
    pub(crate) fn try_send(&mut self, request: &Request) -> io::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(self.address)?,
        };
        connection.get_mut().write_all(&request.bytes(self.address, &self.identity))?;
        let answer = read_answer(&mut connection, request)?;
        if !answer.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

impl Client {
    /// Sends a request whose answer nobody will read.
    pub(crate) fn send_unread(self, request: &Request) -> Unread {
        let mut stream = TcpStream::connect(self.address).expect("the server accepts");
        let bytes = request.bytes(self.address, &self.identity);
        stream.write_all(&bytes).expect("the server takes the request");
        Unread(stream)
    }
}

/// A connection on which an answer is due.
pub(crate) struct Unread(TcpStream);

impl Unread {
    /// For whoever reads the answer after all, in a way of its own.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.0.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
        self.0
    }

    /// Ends the connection as a client that dies does.
    pub(crate) fn reset(self) {
        let socket = socket2::SockRef::from(&self.0);
        socket.set_linger(Some(Duration::ZERO)).expect("the option can be set");
    }
}

/// Sends one request per client at the same moment; answers come in the clients' order.
pub(crate) fn send_together(requests: Vec<(Client, Request)>) -> Vec<Answer> {
    let start = Barrier::new(requests.len());
    let start = &start;
    thread::scope(|scope| {
        let threads: Vec<_> = requests
            .into_iter()
            .map(|(mut client, request)| {
                scope.spawn(move || {
                    start.wait();
                    client.send(&request)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no client panics")).collect()
    })
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            left_out: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string().as_bytes())
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self
    }

    /// Adds a header, or says another value for one of the caller's.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves one of the caller's headers out.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.left_out.push(name.to_owned());
        self
    }

    fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    fn bytes(&self, address: SocketAddr, identity: &[(&'static str, String)]) -> Vec<u8> {
        let mut head = format!("{} HTTP/1.1\r\n", self.line());
        let mut line = |name: &str, value: &str| {
            write!(head, "{name}: {value}\r\n").expect("a string takes any text");
        };
        let is_given = |name: &str| {
            let same = |given: &String| given.eq_ignore_ascii_case(name);
            self.headers.iter().any(|(given, _)| same(given)) || self.left_out.iter().any(same)
        };
        if !is_given("Host") {
            line("Host", &address.to_string());
        }
        for (name, value) in identity.iter().filter(|(name, _)| !is_given(name)) {
            line(name, value);
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        if let Some(body) = self.body.as_ref().filter(|_| !is_given("Content-Length")) {
            line("Content-Length", &body.len().to_string());
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

impl Answer {
    /// The value of a header that stands there at most once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| &**value);
        assert!(found.next().is_none(), "{name} stands there twice: {self}");
        value
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// Asserts the status and gives the body.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self}");
        self.json()
    }

    /// Asserts an answer without a body.
    #[track_caller]
    pub(crate) fn expect_empty(&self, status: u16) {
        assert_eq!(self.status, status, "{self}");
        assert!(self.body.is_empty(), "{self}");
    }

    /// Asserts an error's status and code and gives the body.
    #[track_caller]
    pub(crate) fn expect_error(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{self}");
        body
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { asked, status, body, .. } = self;
        write!(f, "{asked}\n  answered {status} {}", String::from_utf8_lossy(body))
    }
}

fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

fn read_answer(reader: &mut impl BufRead, request: &Request) -> io::Result<Answer> {
    let status_line = read_line(reader)?;
    let status = status_line.split(' ').nth(1).and_then(|text| text.parse().ok());
    let status = status.ok_or_else(|| malformed(&status_line))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed(&line))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let sent = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default());
    let asked = format!("{} {}", request.line(), sent.chars().take(2_000).collect::<String>());
    let mut answer = Answer { asked, status, headers, body: Vec::new() };
    let has_body = request.method != "HEAD" && !matches!(status, 204 | 304);
    if has_body {
        answer.body = read_body(reader, &answer)?;
    }
    Ok(answer)
}

fn read_body(reader: &mut impl BufRead, answer: &Answer) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if answer.header("Transfer-Encoding").is_some_and(|value| value == "chunked") {
        loop {
            let line = read_line(reader)?;
            let length = usize::from_str_radix(&line, 16).map_err(|_| malformed(&line))?;
            let start = body.len();
            body.resize(start + length, 0);
            reader.read_exact(&mut body[start..])?;
            read_line(reader)?;
            if length == 0 {
                return Ok(body);
            }
        }
    }
    match answer.header("Content-Length") {
        Some(text) => {
            body.resize(text.parse().map_err(|_| malformed(text))?, 0);
            reader.read_exact(&mut body)?;
        }
        None => {
            reader.read_to_end(&mut body)?;
        }
    }
    Ok(body)
}

/// One line without its end; the end of the connection is an error, since nothing may end there.
fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.take(64 * 1024).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.pop_if(|last| *last == b'\r');
    String::from_utf8(line).map_err(|_| malformed("bytes that are not UTF-8"))
}

fn malformed(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {text:?}"))
}
