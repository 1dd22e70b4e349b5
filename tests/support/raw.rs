//! Bytes to a socket and whatever comes back: for requests that no client would make.

use crate::support::deadline::PATIENCE;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// Sends the bytes, ends the sending side, and gives everything until the server closes.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("the server accepts a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
    // A server that refuses early closes while we send: what it said before still counts.
    let sent = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut received = Vec::new();
    let read = stream.read_to_end(&mut received);
    let said = String::from_utf8_lossy(&received).into_owned();
    assert!(read.is_ok() || !said.is_empty(), "sent {sent:?}, read {read:?}");
    said
}
