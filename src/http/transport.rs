//! The socket with its clocks and limits, in front of the HTTP service.
//!
//! A connection is refused at once over a limit, and ended when its peer makes no progress. All
//! of it works on bytes alone: this file must not know HTTP.

use crate::http::counters::Counters;
use crate::http::options::ConnectionLimits;
use actix_web::rt::net::TcpStream;
use parking_lot::Mutex;
use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// In each such stretch of time a peer must have made progress.
const WINDOW: Duration = Duration::from_secs(75);

/// Progress: so many bytes read …
const WINDOW_READ_BYTES_MIN: usize = 64 * 1024;

/// … or so many written.
const WINDOW_WRITTEN_BYTES_MIN: usize = 4 * 1024;

/// How long a peer may take no byte of what is to be written.
const WRITE_STALL_MAX: Duration = Duration::from_mins(1);

/// How long a connection whose last answer is out may go on being read, so that the peer sees
/// the answer and not a reset.
const END_WAIT: Duration = Duration::from_secs(2);

/// Counts connections, and refuses those over a limit.
#[derive(Debug)]
pub struct Admission {
    limits: ConnectionLimits,
    open: Mutex<Open>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

impl Admission {
    /// No connection is open yet.
    #[must_use]
    pub fn new(limits: ConnectionLimits, counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default(), counters })
    }

    /// Connections that are open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.lock().all
    }

    /// Wraps a new socket, or resets it.
    pub fn admit(self: &Arc<Self>, stream: TcpStream) -> io::Result<Connection> {
        let peer = stream.peer_addr()?.ip().to_canonical();
        let Some(place) = self.place(peer) else {
            self.counters.connections_refused.add();
            stream.set_zero_linger()?;
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "too many connections"));
        };
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            progress: Progress::default(),
            window: Box::pin(sleep(WINDOW)),
            write_stall: None,
            end: ConnectionEnd::default(),
            ending: None,
            place,
        })
    }

    fn place(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let mut open = self.open.lock();
        let of_peer = open.by_peer.get(&peer).copied().unwrap_or(0);
        let peer_is_full = self.limits.connections_per_peer_max.is_some_and(|max| of_peer >= max);
        if open.all >= self.limits.connections_max || peer_is_full {
            return None;
        }
        open.all += 1;
        open.by_peer.insert(peer, of_peer + 1);
        Some(Place { admission: Arc::clone(self), peer })
    }
}

/// An open connection's place among all; dropping it makes room.
#[derive(Debug)]
struct Place {
    admission: Arc<Admission>,
    peer: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.admission.open.lock();
        open.all -= 1;
        let of_peer = open.by_peer.get_mut(&self.peer).expect("an open connection is counted");
        *of_peer -= 1;
        if *of_peer == 0 {
            open.by_peer.remove(&self.peer);
        }
    }
}

/// Ends a connection soon, whatever its peer does; a clone is for the same connection.
#[derive(Clone, Debug, Default)]
pub struct ConnectionEnd(Rc<Cell<bool>>);

impl ConnectionEnd {
    /// From the next byte on the connection has two seconds left.
    pub fn soon(&self) {
        self.0.set(true);
    }
}

/// What a peer did since the window began.
#[derive(Debug, Default)]
struct Progress {
    read_bytes: usize,
    written_bytes: usize,
    /// The last bytes to move were ours: it is not the peer that is waited for in the middle of
    /// something, so the connection counts as idle between requests.
    wrote_last: bool,
}

impl Progress {
    fn read(&mut self, bytes: usize) {
        self.read_bytes += bytes;
        self.wrote_last = false;
    }

    fn wrote(&mut self, bytes: usize) {
        self.written_bytes += bytes;
        self.wrote_last = true;
    }

    /// Ends the window: whether the connection may have another.
    fn is_enough(&mut self) -> bool {
        let enough = self.wrote_last
            || self.read_bytes >= WINDOW_READ_BYTES_MIN
            || self.written_bytes >= WINDOW_WRITTEN_BYTES_MIN;
        self.read_bytes = 0;
        self.written_bytes = 0;
        enough
    }
}

/// A socket that watches its peer.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    progress: Progress,
    window: Pin<Box<Sleep>>,
    /// Runs while the peer takes nothing.
    write_stall: Option<Pin<Box<Sleep>>>,
    end: ConnectionEnd,
    /// Runs once the end was asked for.
    ending: Option<Pin<Box<Sleep>>>,
    place: Place,
}

impl Connection {
    /// The peer's address, as far as connections are counted by it.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.place.peer
    }

    /// The way to end this connection from above.
    #[must_use]
    pub fn end(&self) -> ConnectionEnd {
        self.end.clone()
    }

    /// Whether the connection's end was asked for and has come; if not yet, it wakes us then.
    fn has_ended(&mut self, cx: &mut Context<'_>) -> bool {
        if self.end.0.take() && self.ending.is_none() {
            self.ending = Some(Box::pin(sleep(END_WAIT)));
        }
        self.ending.as_mut().is_some_and(|ending| ending.as_mut().poll(cx).is_ready())
    }

    /// Fails once the peer has made too little progress; until then it wakes us in time.
    fn check_window(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.window.as_mut().poll(cx).is_ready() {
            if !self.progress.is_enough() {
                return Err(self.stalled());
            }
            self.window = Box::pin(sleep(WINDOW));
        }
        Ok(())
    }

    fn check_write_stall(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let stall = self.write_stall.get_or_insert_with(|| Box::pin(sleep(WRITE_STALL_MAX)));
        if stall.as_mut().poll(cx).is_ready() { Err(self.stalled()) } else { Ok(()) }
    }

    /// Without a zero linger the kernel would keep the unsent bytes of a peer that does not read,
    /// megabytes for each.
    fn stalled(&self) -> io::Error {
        self.place.admission.counters.connections_stalled.add();
        match self.stream.set_zero_linger() {
            Ok(()) => io::Error::new(io::ErrorKind::TimedOut, "the peer makes no progress"),
            Err(error) => error,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // To those above the end looks like a peer that has hung up, so they close in order.
        if self.has_ended(cx) {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let bytes = buf.filled().len() - before;
        if bytes > 0 {
            self.progress.read(bytes);
        }
        if polled.is_pending() {
            self.check_window(cx)?;
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf)?;
        // Nobody may poll again after the last answer: the end must wake them.
        let ended = self.has_ended(cx);
        match polled {
            Poll::Ready(bytes) => {
                self.progress.wrote(bytes);
                self.write_stall = None;
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending if ended => Poll::Ready(Err(self.stalled())),
            Poll::Pending => {
                self.check_write_stall(cx)?;
                self.check_window(cx)?;
                Poll::Pending
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::rt::net::TcpListener;
    use std::net::Ipv4Addr;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn check(movements: &[(bool, usize)], wrote_last: bool, enough: bool) {
        let mut progress = Progress { wrote_last, ..Progress::default() };
        for (wrote, bytes) in movements {
            if *wrote { progress.wrote(*bytes) } else { progress.read(*bytes) }
        }
        assert_eq!(progress.is_enough(), enough, "{movements:?}");
    }

    #[test]
    fn a_window_asks_for_progress_or_idleness() {
        let (read, wrote) = (false, true);
        // Nothing came since the connection was opened, or in the middle of a body.
        check(&[], false, false);
        check(&[(read, 64 * 1024 - 1)], false, false);
        check(&[(read, 64 * 1024)], false, true);
        // An idle connection, then the start of a head that never ends.
        check(&[], true, true);
        check(&[(read, 1)], true, false);
        // A long poll and an event stream end with bytes of ours.
        check(&[(read, 300), (wrote, 1)], false, true);
        // A download goes on while the next request waits.
        check(&[(wrote, 4095), (read, 1)], false, false);
        check(&[(wrote, 4096), (read, 1)], false, true);
    }

    #[test]
    fn progress_does_not_last_for_the_next_window() {
        let mut progress = Progress::default();
        progress.read(WINDOW_READ_BYTES_MIN);
        assert!(progress.is_enough());
        assert!(!progress.is_enough());
    }

    fn admission(connections_max: usize, per_peer: Option<usize>) -> Arc<Admission> {
        let limits = ConnectionLimits {
            connections_max,
            connections_per_peer_max: per_peer,
            idle_timeout: Duration::from_mins(1),
        };
        Admission::new(limits, Arc::default())
    }

    #[test]
    fn places_are_counted_in_all_and_by_peer_and_come_back() {
        let peer = |last| IpAddr::from(Ipv4Addr::new(10, 0, 0, last));
        let admission = admission(3, Some(2));
        let first = admission.place(peer(1)).unwrap();
        let _second = admission.place(peer(1)).unwrap();
        assert!(admission.place(peer(1)).is_none());
        let _third = admission.place(peer(2)).unwrap();
        assert!(admission.place(peer(3)).is_none());
        assert_eq!(admission.open(), 3);
        drop(first);
        assert_eq!(admission.open(), 2);
        assert!(admission.place(peer(1)).is_some());
        assert!(!admission.open.lock().by_peer.contains_key(&peer(3)));
    }

    #[test]
    fn without_a_limit_per_peer_one_peer_may_hold_all_places() {
        let admission = admission(5, None);
        let peer = IpAddr::from(Ipv4Addr::LOCALHOST);
        let places: Vec<_> = (0..5).map(|_| admission.place(peer).unwrap()).collect();
        assert!(admission.place(peer).is_none());
        drop(places);
        assert_eq!(admission.open(), 0);
        assert!(admission.open.lock().by_peer.is_empty());
    }

    #[actix_web::test]
    async fn a_connection_over_the_limit_is_reset_at_once() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let admission = admission(1, None);

        let _client = TcpStream::connect(address).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let first = admission.admit(socket).unwrap();

        let mut second = TcpStream::connect(address).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        assert!(admission.admit(socket).is_err());
        let error = second.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(admission.counters.connections_refused.get(), 1);

        drop(first);
        assert_eq!(admission.open(), 0);
    }

    #[actix_web::test]
    async fn a_connection_whose_end_was_asked_for_hangs_up_although_its_peer_goes_on() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let mut connection = admission(1, None).admit(socket).unwrap();

        connection.end().soon();
        connection.write_all(b"answer").await.unwrap();
        let mut rest = Vec::new();
        connection.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
        drop(connection);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"answer");
    }
}
