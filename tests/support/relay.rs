//! An address that stays while the server behind it comes and goes.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Hands every connection on to the server of the moment.
pub(crate) struct Relay {
    address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
}

impl Relay {
    pub(crate) fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let target = Arc::new(Mutex::new(target));
        let current = Arc::clone(&target);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let target = *current.lock().unwrap_or_else(PoisonError::into_inner);
                // Without a server the connection ends at once, as a refused one does.
                if let Ok(server) = TcpStream::connect(target) {
                    join(&client, &server);
                }
            }
        });
        Self { address, target }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where new connections lead to from here on.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }
}

/// Copies both ways until either side ends.
fn join(client: &TcpStream, server: &TcpStream) {
    for (from, to) in [(client, server), (server, client)] {
        let [from, to] = [from, to].map(|stream| stream.try_clone().expect("a socket has clones"));
        thread::spawn(move || copy(from, to));
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let copied = io::copy(&mut from, &mut to);
    let is_broken = copied.is_err_and(|error| error.kind() != ErrorKind::Interrupted);
    let how = if is_broken { Shutdown::Both } else { Shutdown::Write };
    // The other side may have gone already.
    drop(to.shutdown(how));
}
