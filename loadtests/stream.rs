//! Long requests and long answers: rows that go out while their results come in, exports, and the
//! feed.

use crate::chunked::Chunked;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// What is kept of the end of an answer: its summary stands there.
const TAIL: usize = 1024;
/// The longest head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// An answer that was read to its end, or as far as it was wanted.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    pub(crate) tail: Vec<u8>,
}

/// One answer that is being read.
pub(crate) struct Reading {
    stream: OwnedReadHalf,
    buffer: Vec<u8>,
    chunked: Chunked,
    answer: Answer,
}

/// Sends a whole request and reads its whole answer at the same time, as it must be with streams:
/// the server stops reading a client that does not read.
pub(crate) async fn exchange(address: SocketAddr, head: &[u8], body: &[u8]) -> io::Result<Answer> {
    let (reading, writing) = open(address).await?;
    let (sent, answer) = tokio::join!(send(writing, head, body), read_all(reading));
    // Why the server stopped reading stands in its answer.
    let answer = answer?;
    if answer.status == 200 { sent.map(|_| answer) } else { Ok(answer) }
}

/// Sends a request and gives its answer as soon as its head is there.
pub(crate) async fn begin(
    address: SocketAddr,
    head: &[u8],
) -> io::Result<(Reading, OwnedWriteHalf)> {
    let (mut reading, writing) = open(address).await?;
    let writing = send(writing, head, b"").await?;
    reading.read_head().await?;
    Ok((reading, writing))
}

async fn open(address: SocketAddr) -> io::Result<(Reading, OwnedWriteHalf)> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (stream, writing) = stream.into_split();
    let (chunked, answer) = (Chunked::default(), Answer::default());
    Ok((Reading { stream, buffer: Vec::new(), chunked, answer }, writing))
}

async fn send(mut writing: OwnedWriteHalf, head: &[u8], body: &[u8]) -> io::Result<OwnedWriteHalf> {
    let mut request = head.to_vec();
    request.extend_from_slice(body.len().to_string().as_bytes());
    request.extend_from_slice(b"\r\n\r\n");
    writing.write_all(&request).await?;
    writing.write_all(body).await?;
    Ok(writing)
}

async fn read_all(mut reading: Reading) -> io::Result<Answer> {
    reading.read_head().await?;
    while reading.read_some(&mut |_| {}).await? {}
    Ok(reading.answer)
}

impl Reading {
    pub(crate) fn status(&self) -> u16 {
        self.answer.status
    }

    async fn read_head(&mut self) -> io::Result<()> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            let has_ended = self.stream.read_buf(&mut self.buffer).await? == 0;
            if has_ended || self.buffer.len() > HEAD_BYTES_MAX {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let status = self.buffer.get(9..12).and_then(|text| std::str::from_utf8(text).ok());
        self.answer.status = status.and_then(|text| text.parse().ok()).unwrap_or_default();
        let body = self.buffer.split_off(end);
        if self.answer.status == 200 {
            self.buffer = body;
        } else {
            self.answer.tail = body;
        }
        Ok(())
    }

    /// Reads what has come and gives each piece of the body to `sink`; false at the body's end.
    pub(crate) async fn read_some(&mut self, sink: &mut impl FnMut(&[u8])) -> io::Result<bool> {
        if self.answer.status != 200 {
            return Ok(false);
        }
        if self.buffer.is_empty() && self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let answer = &mut self.answer;
        let has_ended = self.chunked.feed(&self.buffer, &mut |piece| {
            answer.add(piece);
            sink(piece);
        })?;
        self.buffer.clear();
        Ok(!has_ended)
    }
}

impl Answer {
    fn add(&mut self, piece: &[u8]) {
        let lines = memchr::memchr_iter(b'\n', piece).count();
        self.lines += u64::try_from(lines).expect("a count fits 64 bits");
        self.bytes += u64::try_from(piece.len()).expect("a length fits 64 bits");
        self.tail.extend_from_slice(&piece[piece.len().saturating_sub(TAIL)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }

    /// The end of the answer, for a message.
    pub(crate) fn end(&self) -> String {
        String::from_utf8_lossy(&self.tail).into_owned()
    }

    /// Whether the last line says this.
    pub(crate) fn ends_with(&self, text: &str) -> bool {
        let tail = String::from_utf8_lossy(&self.tail);
        tail.trim_end().rsplit('\n').next().is_some_and(|line| line.contains(text))
    }
}
