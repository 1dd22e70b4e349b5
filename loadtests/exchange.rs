//! One kept-alive HTTP/1.1 connection with reused buffers: a request out, an answer in.
//!
//! By hand, because a client library would cost as much as the server under test on the same cores.

use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ANSWER_BYTES_MAX: usize = 1 << 20;

pub(crate) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    received: Vec<u8>,
}

/// An answer, borrowed from the connection's buffer.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, request: Vec::new(), received: Vec::new() })
    }

    /// `head` is everything up to the value of `Content-Length`.
    pub(crate) async fn exchange(&mut self, head: &[u8], body: &[u8]) -> io::Result<Reply<'_>> {
        self.request.clear();
        self.request.extend_from_slice(head);
        self.request.extend_from_slice(body.len().to_string().as_bytes());
        self.request.extend_from_slice(b"\r\n\r\n");
        self.request.extend_from_slice(body);
        self.stream.write_all(&self.request).await?;
        self.received.clear();
        let (status, body_start, end) = loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(frame) = frame(&self.received)?
                && self.received.len() >= frame.2
            {
                break frame;
            }
        };
        Ok(Reply { status, body: &self.received[body_start..end] })
    }
}

impl Reply<'_> {
    /// The `action` of a record answer. It stands near the end, so that is where it is looked for.
    pub(crate) fn action(&self) -> &str {
        const KEY: &[u8] = b"\"action\":\"";
        let start = self.body.windows(KEY.len()).rposition(|window| window == KEY);
        let value = start.map(|at| &self.body[at + KEY.len()..]);
        let value = value.and_then(|rest| rest.split(|byte| *byte == b'"').next());
        value.and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default()
    }
}

/// Status, start of the body and end of the answer, once the head is there.
fn frame(received: &[u8]) -> io::Result<Option<(u16, usize, usize)>> {
    let Some(head_end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let malformed =
        || io::Error::other(String::from_utf8_lossy(&received[..head_end]).into_owned());
    let head = std::str::from_utf8(&received[..head_end]).map_err(|_| malformed())?;
    let mut lines = head.split("\r\n");
    let status =
        lines.next().and_then(|line| line.get(9..12)?.parse().ok()).ok_or_else(malformed)?;
    let length = lines.filter_map(|line| line.split_once(':'));
    let mut length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize =
        length.next().and_then(|(_, value)| value.trim().parse().ok()).ok_or_else(malformed)?;
    if length > ANSWER_BYTES_MAX {
        return Err(malformed());
    }
    Ok(Some((status, head_end + 4, head_end + 4 + length)))
}
