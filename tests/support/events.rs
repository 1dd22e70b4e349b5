//! An open answer of server-sent events, read as they come.

use crate::support::client::{Client, Request};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpStream;

/// A stream of events that the server goes on with.
pub(crate) struct Events {
    lines: BufReader<Chunks>,
}

/// One event; `data` is the entry.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Client {
    /// Asks for events on a connection of its own.
    pub(crate) fn events(self, request: Request) -> Events {
        let request = request.header("Accept", "text/event-stream");
        let mut reader = BufReader::new(self.send_unread(&request).into_stream());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = reader.read_line(&mut head).expect("the server answers");
            assert!(read > 0, "the answer ended in its head: {head}");
        }
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let head = head.to_lowercase();
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        Events { lines: BufReader::new(Chunks { reader, left: 0, is_over: false }) }
    }
}

impl Events {
    /// The next event; comments are passed over. None: the server has ended the stream in order.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let (mut id, mut name) = (String::new(), String::new());
        let mut line = String::new();
        loop {
            line.clear();
            if self.lines.read_line(&mut line).expect("the server goes on or ends in order") == 0 {
                return None;
            }
            let line = line.trim_end_matches('\n');
            if let Some(text) = line.strip_prefix("id: ") {
                text.clone_into(&mut id);
            } else if let Some(text) = line.strip_prefix("event: ") {
                text.clone_into(&mut name);
            } else if let Some(text) = line.strip_prefix("data: ") {
                let data = serde_json::from_str(text).expect("the data is one line of JSON");
                return Some(Event { id, name, data });
            } else {
                assert!(line.is_empty() || line == ":", "a line of no event: {line}");
            }
        }
    }
}

/// The body out of its chunks.
struct Chunks {
    reader: BufReader<TcpStream>,
    /// Of the chunk that is being read.
    left: usize,
    is_over: bool,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.is_over {
            let mut line = String::new();
            self.reader.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim(), 16);
            self.left = length.map_err(|_| io::Error::other(format!("no length: {line:?}")))?;
            self.is_over = self.left == 0;
        }
        if self.is_over {
            return Ok(0);
        }
        let wanted = buffer.len().min(self.left);
        let read = self.reader.read(&mut buffer[..wanted])?;
        self.left -= read;
        if self.left == 0 {
            self.reader.read_exact(&mut [0; 2])?;
        }
        Ok(read)
    }
}
