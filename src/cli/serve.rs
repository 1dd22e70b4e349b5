//! `upsertd serve`: from settings to an open port, and from a signal to the last byte on disk.

use crate::ambient::Clock;
use crate::cli::arguments::ServeArguments;
use crate::cli::core::Core;
use crate::cli::exit::{self, Exit};
use crate::cli::failure::Failure;
use crate::cli::{log, welcome};
use crate::config::source::Sources;
use crate::config::{Checked, Settings};
use crate::engine::Engine;
use crate::http::app::Edge;
use crate::http::health::{Readiness, State};
use crate::http::server::{Port, Server};
use actix_web::rt::System;
use std::env;
use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::process;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

/// How soon `/readyz` hears that writes are refused or taken again.
const READINESS_EVERY: Duration = Duration::from_millis(100);

/// Serves until a signal or a failure ends it.
pub(crate) fn run(arguments: ServeArguments) -> Result<(), Failure> {
    let ServeArguments { config, settings } = arguments;
    let sources = Sources::read(config, settings, env::vars_os());
    let Checked { settings, warnings } = Settings::check(sources)?;
    log::start(&settings);
    for warning in warnings {
        warn!("{warning}");
    }
    System::new().block_on(serve(&settings))
}

async fn serve(settings: &Settings) -> Result<(), Failure> {
    let mut signals = Signals::listen().map_err(cannot_start)?;
    let options = settings.http();
    // Taken before recovery, which may be long; opened after it.
    let port = Port::reserve(settings.listen)?;
    let core = tokio::select! {
        core = Core::open(settings) => core?,
        signal = signals.next() => {
            info!(signal, "ended before the port was opened");
            return Ok(());
        }
    };
    let Core { engine, authenticate, resources, first_start, failed, close } = core;
    let edge = Edge::new(&options, Clock::system(), authenticate, resources);
    actix_web::rt::spawn(tell_readiness(engine, edge.readiness()));
    let mut server = Server::start(port, &options, edge)?;
    let address = server.address();
    if let Some(first) = first_start {
        let is_terminal = io::stderr().is_terminal();
        say(&welcome::text(&first, address, is_terminal), io::stderr());
    }
    warn_if_public(address);
    say(&format!("upsertd listening on http://{address}\n"), io::stdout());

    tokio::select! {
        signal = signals.next() => {
            info!(signal, "shutting down: requests in flight may finish");
        }
        failure = failed => {
            // Those who wait have their answer; it has only to reach them.
            server.stop().await;
            return Err(failure);
        }
        error = server.failed() => {
            let way_out = "start it again, and report this with the log lines before it";
            let what = "the server ended by itself".to_owned();
            return Err(Failure::new(Exit::Bug, "server_ended", what, way_out).because(error));
        }
    }

    let stop = async {
        let cut_off = server.stop().await;
        if cut_off > 0 {
            warn!(
                cut_off,
                "connections were cut off: their requests took longer than shutdown-wait"
            );
        }
        close().await
    };
    tokio::select! {
        closed = stop => closed,
        signal = signals.next() => {
            // What was acknowledged is durable already, so there is nothing to lose.
            warn!(signal, "a second signal: ending at once");
            process::exit(exit::after_signal(signal));
        }
    }
}

/// Lets `/readyz` say whether writes are taken.
async fn tell_readiness(engine: Arc<Engine>, readiness: Arc<Readiness>) {
    loop {
        let state = if engine.read_only().is_some() { State::ReadOnly } else { State::Ready };
        if !readiness.set(state) {
            return; // The process is shutting down.
        }
        tokio::time::sleep(READINESS_EVERY).await;
    }
}

/// Nobody may be listening, and that is no reason to stop serving.
fn say(text: &str, mut stream: impl io::Write) {
    if let Err(error) = stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
        warn!(%error, "a start message could not be written");
    }
}

fn warn_if_public(address: SocketAddr) {
    if !address.ip().is_loopback() {
        warn!(
            %address,
            "this address can be reached from other machines, and without TLS everybody on the \
             way can read keys and records: put a proxy with TLS in front, or listen on 127.0.0.1"
        );
    }
}

fn cannot_start(error: io::Error) -> Failure {
    let way_out = "check the limits of this process";
    let what = "the server could not be started".to_owned();
    Failure::new(Exit::Bug, "cannot_start", what, way_out).because(error)
}

/// The signals that ask the process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        let kind = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
        };
        kind.as_raw_value()
    }
}
