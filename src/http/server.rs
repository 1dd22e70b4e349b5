//! The listening server: the port, the workers, and how they stop.
//!
//! It joins the transport and the application. It must not know signals; somebody above decides
//! when to stop.

use crate::http::app::{self, Edge};
use crate::http::health::State;
use crate::http::options::Options;
use crate::http::transport::{Admission, Connection};
use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::{Server as Workers, ServerHandle};
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{sleep, timeout};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// The first head of a connection must be there after so much time.
const FIRST_HEAD_WAIT: Duration = Duration::from_secs(10);

/// How long a connection may be read on after an answer that left body bytes unread.
const LINGER_WAIT: Duration = Duration::from_secs(2);

/// Connections that may wait in the kernel to be accepted.
const BACKLOG: i32 = 1024;

/// How often it is looked whether all connections are gone while the server stops.
const DRAIN_POLL: Duration = Duration::from_millis(10);

/// The server cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is taken, or the address is not ours.
    #[error("cannot listen on {address}: {error}")]
    Bind { address: SocketAddr, error: io::Error },
    /// The workers cannot be started.
    #[error("cannot start the http workers: {0}")]
    Start(io::Error),
}

/// An address that is ours, where nobody is served yet: until `Port::open` connections are
/// refused, so an open port means that there is something behind it.
#[derive(Debug)]
pub struct Port {
    socket: Socket,
    address: SocketAddr,
}

impl Port {
    /// Takes the address, so that a taken one is known before the long part of a start.
    pub fn reserve(address: SocketAddr) -> Result<Self, ServerError> {
        let socket = || {
            let domain = Domain::for_address(address);
            let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
            // Without it a restart would wait for the connections of the last run to fade.
            socket.set_reuse_address(true)?;
            socket.bind(&address.into())?;
            Ok(socket)
        };
        socket()
            .map(|socket| Self { socket, address })
            .map_err(|error| ServerError::Bind { address, error })
    }

    fn open(self) -> Result<(TcpListener, SocketAddr), ServerError> {
        let Self { socket, address } = self;
        let open = || {
            socket.listen(BACKLOG)?;
            let listener = TcpListener::from(socket);
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        open().map_err(|error| ServerError::Bind { address, error })
    }
}

/// A server that accepts connections.
#[derive(Debug)]
pub struct Server {
    edge: Edge,
    admission: Arc<Admission>,
    address: SocketAddr,
    handle: ServerHandle,
    workers: JoinHandle<io::Result<()>>,
    shutdown_wait: Duration,
}

impl Server {
    /// Opens the port and serves. It must be called inside an actix system.
    pub fn start(port: Port, options: &Options, edge: Edge) -> Result<Self, ServerError> {
        let (listener, address) = port.open()?;
        let admission = Admission::new(options.limits.clone(), edge.counters());
        let builder = Workers::build()
            .workers(options.workers)
            .disable_signals()
            // Beyond it connections would wait in the kernel; ours are refused before that.
            .max_concurrent_connections(options.limits.connections_max.saturating_add(1))
            .shutdown_timeout(options.shutdown_wait.as_secs().saturating_add(1));
        let drain = builder.graceful_shutdown_signal();
        let idle_timeout = options.limits.idle_timeout;
        let (shared, gate) = (edge.clone(), Arc::clone(&admission));
        let service = move || {
            let (edge, gate, drain) = (shared.clone(), Arc::clone(&gate), drain.clone());
            let app = app::app(&edge).expect("the operating system has given random bytes before");
            let http = HttpService::build()
                .keep_alive(idle_timeout)
                .client_request_timeout(FIRST_HEAD_WAIT)
                .client_disconnect_timeout(LINGER_WAIT)
                .graceful_shutdown_signal(move || {
                    let drain = drain.clone();
                    async move { drain.notified().await }
                })
                .on_connect_ext(|connection: &Connection, data| {
                    data.insert(connection.end());
                })
                .h1(map_config(app, |()| AppConfig::default()));
            fn_service(move |stream: TcpStream| {
                let peer = stream.peer_addr().ok();
                let admitted = gate.admit(stream).map_err(DispatchError::Io);
                async move { admitted.map(|connection| (connection, peer)) }
            })
            .and_then(http)
        };
        let workers = builder.listen("http", listener, service).map_err(ServerError::Start)?.run();
        Ok(Self {
            edge,
            admission,
            address,
            handle: workers.handle(),
            workers: actix_web::rt::spawn(workers),
            shutdown_wait: options.shutdown_wait,
        })
    }

    /// The address connections come to, its real port included.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resolves when the workers end without having been asked to.
    pub async fn failed(&mut self) -> io::Error {
        match (&mut self.workers).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) => io::Error::other("the http workers ended"),
            Err(error) => io::Error::other(error),
        }
    }

    /// Stops: nobody is let in any more, requests in flight finish within the wait, idle
    /// connections end at once. Tells how many connections had to be cut off.
    pub async fn stop(self) -> usize {
        self.edge.readiness().set(State::ShuttingDown);
        // The stop begins when it is called; awaited it would look once a second.
        let stopping = self.handle.stop(true);
        let drained = async {
            while self.admission.open() > 0 {
                sleep(DRAIN_POLL).await;
            }
        };
        let in_time = timeout(self.shutdown_wait, drained).await.is_ok();
        let cut_off = if in_time { 0 } else { self.admission.open() };
        drop(stopping);
        self.workers.abort();
        cut_off
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::Clock;
    use crate::http::app::Resources;
    use crate::http::endpoint::Endpoint;
    use crate::http::identity::{Authenticate, Refused};
    use crate::http::options::{AnswerOptions, BatchLimits, BodyLimits, ConnectionLimits};
    use actix_web::http::StatusCode;
    use std::net::Ipv4Addr;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;

    fn options() -> Options {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            workers: 1,
            shutdown_wait: Duration::from_secs(10),
            limits: ConnectionLimits {
                connections_max: 16,
                connections_per_peer_max: None,
                idle_timeout: Duration::from_mins(1),
            },
            bodies: BodyLimits {
                json_bytes_max: 1000,
                all_bytes_max: 1000,
                timeout: Duration::from_mins(1),
            },
            batches: BatchLimits {
                rows_max: 10_000,
                atomic_rows_max: 1_000,
                line_bytes_max: 1 << 20,
                window_rows: 4_096,
            },
            answers: AnswerOptions {
                upsert_created: StatusCode::OK,
                added: StatusCode::CREATED,
                archived_conflict: StatusCode::CONFLICT,
                public_url: None,
            },
            search_timeout: Duration::from_secs(10),
            rate_limit: None,
            openapi_public: true,
            serves_metrics: false,
            operator_key: None,
        }
    }

    /// A server with one slow path, which answers once it is told to.
    struct Fixture {
        server: Server,
        entered: Arc<Notify>,
        go_on: Arc<Notify>,
    }

    fn start() -> Fixture {
        let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (entered_inside, go_on_inside) = (Arc::clone(&entered), Arc::clone(&go_on));
        let resources = Resources::new(move |config| {
            let (entered, go_on) = (Arc::clone(&entered_inside), Arc::clone(&go_on_inside));
            config.service(Endpoint::at("/slow").get(move || {
                let (entered, go_on) = (Arc::clone(&entered), Arc::clone(&go_on));
                async move {
                    entered.notify_one();
                    go_on.notified().await;
                    "done"
                }
            }));
        });
        let options = options();
        let authenticate = Authenticate::new(|_, _| Err(Refused));
        let edge = Edge::new(&options, Clock::system(), authenticate, resources);
        let port = Port::reserve(options.listen).unwrap();
        let server = Server::start(port, &options, edge).unwrap();
        Fixture { server, entered, go_on }
    }

    async fn send(address: SocketAddr, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn read_all(mut stream: TcpStream) -> String {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[actix_web::test]
    async fn a_head_request_has_the_headers_of_get_and_no_body() {
        let Fixture { server, .. } = start();
        let request =
            |method| format!("{method} /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let get = read_all(send(server.address(), &request("GET")).await).await;
        let head = read_all(send(server.address(), &request("HEAD")).await).await;
        let (get_head, get_body) = get.split_once("\r\n\r\n").unwrap();
        let (head_head, head_body) = head.split_once("\r\n\r\n").unwrap();
        assert_eq!((get_body, head_body), (r#"{"status":"ok"}"#, ""));
        for answer in [get_head, head_head] {
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
            assert!(answer.contains("content-length: 15"), "{answer}");
        }
        assert_eq!(server.stop().await, 0);
    }

    #[actix_web::test]
    async fn a_stop_lets_requests_finish_ends_idle_connections_and_closes_the_port() {
        let Fixture { server, entered, go_on } = start();
        let address = server.address();
        let request = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";
        let busy = send(address, request).await;
        entered.notified().await;
        let idle = TcpStream::connect(address).await.unwrap();
        let readiness = server.edge.readiness();

        let stopping = actix_web::rt::spawn(server.stop());
        assert_eq!(read_all(idle).await, "");
        assert_eq!(readiness.get(), State::ShuttingDown);
        assert!(!stopping.is_finished());
        go_on.notify_one();
        let answer = read_all(busy).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
        assert!(answer.ends_with("done"), "{answer}");
        assert_eq!(stopping.await.unwrap(), 0);
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[actix_web::test]
    async fn an_unread_chunked_body_does_not_hold_its_connection() {
        let Fixture { server, .. } = start();
        let request =
            "POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n";
        let answer = read_all(send(server.address(), request).await).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
        assert_eq!(server.stop().await, 0);
    }

    #[actix_web::test]
    async fn a_taken_port_is_known_before_anything_is_served() {
        let Fixture { server, .. } = start();
        let address = server.address();
        let error = Port::reserve(address).unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot listen on {address}: ")), "{error}");
        assert_eq!(server.stop().await, 0);
    }
}
