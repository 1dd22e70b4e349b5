//! A server as a command talks to it: requests that outlive its restarts.
//!
//! It owns what is sent with every request, and the patience: what may be answered later is asked
//! again, so whoever uses it sends only what may arrive twice. It must not know what is asked.

use crate::ambient::Clock;
use crate::cli::client::arguments::ServerArguments;
use crate::cli::client::caller::{Caller, Given};
use crate::cli::client::notes::Notes;
use crate::cli::client::query::Query;
use crate::cli::client::refusal::Refusal;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config::unit;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use ureq::config::ConfigBuilder;
use ureq::http::Response;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::AgentScope;
use ureq::{Agent, Body, BodyReader, RequestBuilder};

const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Of one reading or writing; longer than a server may wait for changes.
const SILENCE_MAX: Duration = Duration::from_mins(2);
/// An answer that is read as a whole.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
const RETRY_FOR_DEFAULT: Duration = Duration::from_mins(1);
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A server may ask for more patience than that, and is asked again all the same.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);
/// Where the data directory is, as `upsertd serve` has it.
const DATA_DIR_VARIABLE: &str = "UPSERTD_DATA_DIR";
const DATA_DIR_DEFAULT: &str = "snapshots";

/// How long a server that is gone is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Never,
    For(Duration),
    ForEver,
}

impl Patience {
    /// What was asked for, if anything was.
    pub(crate) fn read(text: Option<&str>) -> Result<Option<Self>, Failure> {
        let Some(text) = text else { return Ok(None) };
        match unit::or_off(unit::duration)(text) {
            Ok(Some(duration)) => Ok(Some(Self::For(duration))),
            Ok(None) => Ok(Some(Self::Never)),
            Err(expected) => {
                let what = format!("--retry-for {text:?} is not {expected}");
                Err(Failure::new(Exit::WrongUsage, "retry_for_invalid", what, "give one of those"))
            }
        }
    }
}

/// One server and one caller.
pub(crate) struct Connection {
    agent: Agent,
    caller: Caller,
    patience: Patience,
    clock: Clock,
    notes: Notes,
    /// Instead of that of the key.
    origin: Option<String>,
    /// A server that never was there is a slip of the caller's, not a restart.
    has_answered: bool,
}

/// A whole answer that says yes.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
}

/// An answer that says yes and is read as it comes.
pub(crate) struct Opened {
    /// The place in the feed that the answer is of.
    pub(crate) cursor: Option<String>,
    pub(crate) body: BodyReader<'static>,
}

/// Why there is no answer yet.
pub(crate) enum Trouble {
    Unreachable(ureq::Error),
    /// The answer came, and ended before it was whole.
    CutOff,
    NotReady {
        refusal: Refusal,
        retry_after: Option<Duration>,
    },
}

/// A time of trouble, from the first failed request to the first good answer.
pub(crate) struct Interruption {
    since_ns: u64,
    pause: Duration,
}

impl Connection {
    /// Finds out who asks whom; nothing is sent yet. `file` is what a command's own file says.
    pub(crate) fn find(arguments: &ServerArguments, file: Option<Given>) -> Result<Self, Failure> {
        let mut places = vec![Given::from(arguments)];
        places.extend(file);
        let data_dir = env::var_os(DATA_DIR_VARIABLE).filter(|name| !name.is_empty());
        let data_dir = data_dir.map_or_else(|| PathBuf::from(DATA_DIR_DEFAULT), PathBuf::from);
        let caller = Caller::find(&places, &data_dir)?;
        let patience = Patience::read(arguments.retry_for.as_deref())?;
        Ok(Self {
            agent: agent(&caller.url, arguments.ca_cert.as_deref())?,
            caller,
            patience: patience.unwrap_or(Patience::For(RETRY_FOR_DEFAULT)),
            clock: Clock::system(),
            notes: Notes::new(arguments.quiet),
            origin: None,
            has_answered: false,
        })
    }

    pub(crate) fn notes(&self) -> Notes {
        self.notes
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Says for which system everything is written from here on.
    pub(crate) fn write_for(&mut self, origin: Option<String>) {
        self.origin = origin;
    }

    pub(crate) fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
    }

    /// Asks until there is an answer; one that says no is a failure to do `what`.
    pub(crate) fn ask(&mut self, query: &Query<'_>, what: &str) -> Result<Answer, Failure> {
        self.try_to_ask(query)?.map_err(|refusal| refusal.into_failure(what, &self.caller))
    }

    /// Asks for what need not be there.
    pub(crate) fn find_out(
        &mut self,
        query: &Query<'_>,
        what: &str,
    ) -> Result<Option<Answer>, Failure> {
        match self.try_to_ask(query)? {
            Ok(answer) => Ok(Some(answer)),
            Err(refusal) if refusal.status == 404 && refusal.code == "not_found" => Ok(None),
            Err(refusal) => Err(refusal.into_failure(what, &self.caller)),
        }
    }

    /// Asks for something long; what breaks off in its middle is the reader's to deal with.
    pub(crate) fn open(&mut self, query: &Query<'_>, what: &str) -> Result<Opened, Failure> {
        let opened = self.until_it_answers(|connection| connection.send_and_open(query))?;
        opened.map_err(|refusal| refusal.into_failure(what, &self.caller))
    }

    fn try_to_ask(&mut self, query: &Query<'_>) -> Result<Result<Answer, Refusal>, Failure> {
        self.until_it_answers(|connection| connection.send(query))
    }

    fn until_it_answers<T>(
        &mut self,
        mut send: impl FnMut(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        let mut interruption = None;
        loop {
            let trouble = match send(self) {
                Ok(answer) => {
                    if interruption.is_some() {
                        self.notes.say(format_args!("{} answers again", self.caller.url));
                    }
                    return Ok(answer);
                }
                Err(trouble) => trouble,
            };
            self.wait(trouble, &mut interruption)?;
        }
    }

    /// Waits for a while, unless there was enough of that.
    pub(crate) fn wait(
        &self,
        trouble: Trouble,
        since: &mut Option<Interruption>,
    ) -> Result<(), Failure> {
        let now_ns = self.clock.monotonic_ns();
        let is_first = since.is_none();
        let interruption =
            since.get_or_insert(Interruption { since_ns: now_ns, pause: PAUSE_FIRST });
        let waited = Duration::from_nanos(now_ns - interruption.since_ns);
        let patience = if self.has_answered { self.patience } else { Patience::Never };
        let left = match patience {
            Patience::Never => Duration::ZERO,
            Patience::For(most) => most.saturating_sub(waited),
            Patience::ForEver => Duration::MAX,
        };
        if left.is_zero() {
            return Err(trouble.into_failure(&self.caller.url));
        }
        if is_first {
            let url = &self.caller.url;
            self.notes.say(format_args!("{url}: {trouble}; trying again"));
        }
        let pause = trouble.asks_for().unwrap_or(interruption.pause).min(left);
        thread::sleep(pause);
        interruption.pause = (interruption.pause * 2).min(PAUSE_MAX);
        Ok(())
    }

    fn send(&mut self, query: &Query<'_>) -> Result<Result<Answer, Refusal>, Trouble> {
        let mut response = match self.send_and_look(query)? {
            Ok(response) => response,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let body = whole_body(&mut response)?;
        Ok(Ok(Answer { body }))
    }

    fn send_and_open(&mut self, query: &Query<'_>) -> Result<Result<Opened, Refusal>, Trouble> {
        Ok(self.send_and_look(query)?.map(|response| {
            let cursor = response.headers().get("X-Cursor");
            let cursor = cursor.and_then(|cursor| cursor.to_str().ok()).map(str::to_owned);
            Opened { cursor, body: response.into_body().into_reader() }
        }))
    }

    /// Tells answers that say yes from those that say no, and from those that say later.
    fn send_and_look(
        &mut self,
        query: &Query<'_>,
    ) -> Result<Result<Response<Body>, Refusal>, Trouble> {
        let mut response = self.begin(query).map_err(Trouble::Unreachable)?;
        self.has_answered = true;
        if response.status().is_success() {
            return Ok(Ok(response));
        }
        let retry_after = retry_after(&response);
        let refusal = Refusal::read(response.status().as_u16(), &whole_body(&mut response)?);
        if refusal.is_for_later() {
            return Err(Trouble::NotReady { refusal, retry_after });
        }
        Ok(Err(refusal))
    }

    /// Sends a request, and reads the head of its answer.
    fn begin(&self, query: &Query<'_>) -> Result<Response<Body>, ureq::Error> {
        let Caller { url, api_key, business_id, user_id, .. } = &self.caller;
        let url = format!("{url}{}", query.path);
        let headers = [
            ("X-API-KEY", api_key.reveal()),
            ("X-BUSINESS-ID", business_id),
            ("X-USER-ID", user_id),
        ];
        let parameters = query.parameters.iter().map(|(name, value)| (&**name, &**value));
        let Some(body) = query.body else {
            let request = self.agent.get(&url).query_pairs(parameters);
            return with_headers(request, headers).call();
        };
        let request = self.agent.post(&url).query_pairs(parameters);
        let origin = self.origin.as_deref().map(|origin| ("X-Origin", origin));
        let headers = headers.into_iter().chain(origin);
        with_headers(request, headers).content_type(body.content_type).send(body.bytes)
    }
}

impl Trouble {
    /// The pause that the server asks for.
    fn asks_for(&self) -> Option<Duration> {
        match self {
            Self::Unreachable(_) | Self::CutOff => None,
            Self::NotReady { retry_after, .. } => *retry_after,
        }
    }

    fn into_failure(self, url: &str) -> Failure {
        match self {
            Self::Unreachable(error) => {
                let what = format!("the server at {url} cannot be reached");
                let way_out = "start it with `upsertd serve`, or name another with --url; one whose \
                               certificate no public authority signed needs --ca-cert";
                Failure::new(Exit::ServerUnreachable, "server_unreachable", what, way_out)
                    .because(error)
            }
            Self::CutOff => {
                let what = format!("the answer of {url} ended before it was whole");
                let way_out = "something between here and the server may end long answers; look \
                               into the log of both, and repeat the command";
                Failure::new(Exit::ServerUnreachable, "answer_cut_off", what, way_out)
            }
            Self::NotReady { refusal, .. } => {
                let what = format!("the server at {url} is not ready");
                let way_out = "its log says why, and so does GET /readyz; try again later, or be \
                               more patient with --retry-for";
                Failure::new(Exit::ServerUnreachable, "server_not_ready", what, way_out)
                    .because(refusal)
            }
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(error) => error.fmt(f),
            Self::CutOff => f.write_str("the answer ended before it was whole"),
            Self::NotReady { refusal, .. } => refusal.fmt(f),
        }
    }
}

fn whole_body(response: &mut Response<Body>) -> Result<Vec<u8>, Trouble> {
    let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    body.map_err(Trouble::Unreachable)
}

fn with_headers<'a, B>(
    request: RequestBuilder<B>,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> RequestBuilder<B> {
    headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let seconds = response.headers().get("Retry-After")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

fn agent(url: &str, ca_cert: Option<&Path>) -> Result<Agent, Failure> {
    let mut config: ConfigBuilder<AgentScope> = Agent::config_builder();
    config = config
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("upsertd/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT_MAX))
        .timeout_per_read(Some(SILENCE_MAX))
        .timeout_per_write(Some(SILENCE_MAX));
    if is_loopback(url) {
        // A proxy of the environment would look for the server on its own machine.
        config = config.proxy(None);
    }
    if let Some(file) = ca_cert {
        let roots = RootCerts::Specific(Arc::new(certificates(file)?));
        config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
    }
    Ok(config.build().new_agent())
}

fn is_loopback(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let is_host = |name: &str| {
        let rest = host.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    is_host("localhost") || is_host("[::1]") || host.starts_with("127.")
}

fn certificates(file: &Path) -> Result<Vec<ureq::tls::Certificate<'static>>, Failure> {
    let invalid = || {
        let what = format!("{} holds no certificates", file.display());
        let way_out = "--ca-cert takes a file of certificates in PEM form";
        Failure::new(Exit::SettingsInvalid, "ca_cert_invalid", what, way_out)
    };
    let pem = fs::read(file).map_err(|error| invalid().because(error))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| invalid().because(error))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(invalid()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_read() {
        for (text, patience) in
            [("off", Patience::Never), ("15m", Patience::For(Duration::from_mins(15)))]
        {
            assert_eq!(Patience::read(Some(text)).unwrap(), Some(patience));
        }
        assert_eq!(Patience::read(None).unwrap(), None);
        assert_eq!(Patience::read(Some("soon")).unwrap_err().exit(), Exit::WrongUsage);
    }

    #[test]
    fn no_proxy_is_asked_for_this_machine() {
        for (url, is_here) in [
            ("http://127.0.0.1:7171", true),
            ("http://localhost", true),
            ("https://[::1]:7171", true),
            ("http://localhost.example.com", false),
            ("https://crm.example.com", false),
        ] {
            assert_eq!(is_loopback(url), is_here, "{url}");
        }
    }
}
