//! A stream: a row a line, a result a line as soon as it is durable, and a summary at the end.
//!
//! Bounded in both directions: no more rows are taken in than may be in flight, and no results are made
//! for a client that does not read them. It must not know what a row says.

use crate::http::batch::columns::Columns;
use crate::http::batch::incoming::{Cut, Incoming};
use crate::http::batch::inflate::Inflate;
use crate::http::batch::lines::Line;
use crate::http::batch::options::StreamOptions;
use crate::http::batch::result::{
    Counts, NumberedResult, RowAction, StreamState, Summary, SummaryLine,
};
use crate::http::batch::sender::Sender;
use crate::http::batch::source::{LineSource, Rows};
use crate::http::batch::window::{CHUNK_ROWS, Numbered, Window};
use crate::http::batch::{HEADERS, NDJSON};
use crate::http::body::PlainBody;
use crate::http::code::Code;
use crate::http::dry_run::DRY_RUN;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::rate_limit::RowQuota;
use crate::http::target::Target;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::future::FutureExt as _;
use futures_util::stream;
use serde::Serialize;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;

/// Bytes of results that leave together.
const ANSWER_BYTES: usize = 32 << 10;
/// Pieces of the answer that wait for the client.
const PIECES_MAX: usize = 4;
/// How long a stream waits at most before it looks whether there is still somebody to wait for.
const LOOK_AFTER: Duration = Duration::from_secs(1);
/// How long a sender may go on before it is asked again whether it may.
const ASK_AGAIN_NS: u64 = 1_000_000_000;

pub(super) fn upsert(
    request: &HttpRequest,
    target: Target,
    body: PlainBody,
) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let options = StreamOptions::read(&mut query, &target, &mut faults);
    query.finish(RouteGroup::Stream, request.headers(), &HEADERS, &mut faults);
    faults.check()?;
    let inflate = Inflate::of_head(request.headers())?;
    let cut = Cut::lines(target.batch_limits().line_bytes_max);
    let incoming = Incoming::new(body, inflate, cut);
    Ok(answer(request, target, options, (incoming, Rows::Upserts)))
}

/// Carries the rows out, and answers each.
pub(super) fn answer(
    request: &HttpRequest,
    target: Target,
    options: StreamOptions,
    rows: (Incoming, Rows),
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if options.is_dry {
        response.insert_header((DRY_RUN, "true"));
    }
    let (pieces, answer) = mpsc::channel(PIECES_MAX);
    let quota = RowQuota::of(request);
    let stream = Stream { quota, ..Stream::new(target, options, rows, pieces) };
    // It goes on while the client does not read, until the answer has no more room.
    actix_web::rt::spawn(stream.run());
    let pieces = stream::unfold(answer, async |mut answer| {
        let piece = answer.recv().await?;
        Some((piece, answer))
    });
    response.content_type(NDJSON).streaming(pieces)
}

/// What makes the answer.
struct Stream {
    window: Window<LineSource>,
    incoming: Incoming,
    form: Rows,
    options: StreamOptions,
    /// None: as many rows as come.
    quota: Option<RowQuota>,
    counts: Counts,
    /// Rows taken in.
    rows: u64,
    /// Of an import: the lines in which those rows begin that are not told yet.
    lines: VecDeque<u64>,
    /// When what the sender may do was asked last.
    asked_ns: u64,
    piece: Vec<u8>,
    pieces: mpsc::Sender<Result<Bytes, std::io::Error>>,
}

/// Why no more rows are taken in.
enum End {
    /// There are no more.
    Complete,
    /// The last line says why.
    Aborted(Code),
    /// Nobody is there to be told.
    Gone,
}

impl Stream {
    fn new(
        target: Target,
        options: StreamOptions,
        (incoming, form): (Incoming, Rows),
        pieces: mpsc::Sender<Result<Bytes, std::io::Error>>,
    ) -> Self {
        let caller = target.caller.for_request();
        let (row, returns_records) = (options.row.clone(), options.returns_records);
        let asked_ns = target.engine.clock().monotonic_ns();
        let is_dry = options.is_dry;
        let sender = Sender { target, caller, row, returns_records, is_dry };
        Self {
            window: Window::new(sender, true),
            incoming,
            form,
            options,
            quota: None,
            counts: Counts::default(),
            rows: 0,
            lines: VecDeque::new(),
            asked_ns,
            piece: Vec::new(),
            pieces,
        }
    }

    async fn run(mut self) {
        let end = self.carry_out().await;
        // What was sent is carried out, and told of, whatever has ended the rows.
        self.window.settle_all().await;
        let told = self.tell().await;
        let (state, code) = match (end, told) {
            (End::Gone, _) | (_, Err(End::Gone)) => return,
            (End::Aborted(code), _) | (End::Complete, Err(End::Aborted(code))) => {
                (StreamState::Aborted, Some(code))
            }
            (End::Complete, Ok(()) | Err(End::Complete)) => {
                let is_clean = self.counts.are_clean();
                let state = if is_clean {
                    StreamState::Completed
                } else {
                    StreamState::CompletedWithErrors
                };
                (state, None)
            }
        };
        let batch_id = self.window.sender().caller.batch;
        let (count, counts) = (self.counts.rows(), &self.counts);
        let dry_run = self.options.is_dry;
        let ignored_columns = self.form.columns().map(Columns::ignored);
        let summary = Summary { count, counts, dry_run, batch_id, state, code, ignored_columns };
        write_line(&SummaryLine { summary }, &mut self.piece);
        if self.hand_over().await.is_ok() && state == StreamState::Aborted {
            // Whoever sends everything before reading anything must get to the end of that.
            self.incoming.drain().await;
        }
    }

    /// Takes rows in and tells their results until there are no more.
    async fn carry_out(&mut self) -> End {
        loop {
            match self.carry_on().await {
                Ok(()) => {}
                Err(end) => return end,
            }
        }
    }

    async fn carry_on(&mut self) -> Result<(), End> {
        self.ask_again()?;
        let rows_max = self.window.sender().target.batch_limits().window_rows;
        let mut taken = 0;
        // As much as is there, but others of this thread get their turn.
        while taken < CHUNK_ROWS && self.window.rows() < rows_max {
            let Some(line) = self.incoming.next().now_or_never() else { break };
            self.take(line).await?;
            taken += 1;
        }
        if taken == CHUNK_ROWS {
            tokio::task::yield_now().await;
        } else {
            // Nothing more is there for now: what waits need not wait for it.
            self.send().await?;
        }
        let has_room = self.window.rows() < rows_max;
        if has_room && taken == CHUNK_ROWS {
            self.tell_what_is_known().await
        } else if !self.window.is_in_flight() {
            self.tell().await?;
            let line = self.incoming.next().await;
            self.take(line).await
        } else if has_room {
            tokio::select! {
                biased;
                () = self.window.wait() => {}
                line = self.incoming.next() => return self.take(line).await,
            }
            self.window.settle_oldest().await;
            self.tell().await
        } else {
            self.window.settle_oldest().await;
            self.tell().await
        }
    }

    /// Takes in what has arrived: a line, the end, or what is wrong with the body.
    async fn take(&mut self, line: Result<Option<(u64, Line)>, Problem>) -> Result<(), End> {
        let (number, line) = match line {
            Ok(Some(numbered)) => numbered,
            Ok(None) => {
                self.send().await?;
                return Err(End::Complete);
            }
            Err(problem) => {
                self.send().await?;
                return Err(End::Aborted(problem.code().unwrap_or(Code::ParseError)));
            }
        };
        self.wait_for_quota().await?;
        let bytes_max = self.window.sender().target.batch_limits().line_bytes_max;
        let source = LineSource { line, bytes_max, rows: self.form.clone() };
        let row = Numbered { index: self.rows, source };
        if self.form.columns().is_some() {
            self.lines.push_back(number);
        }
        self.rows += 1;
        let pushed = self.window.push(row).await;
        pushed.map_err(|problem| aborted(&problem))
    }

    /// A key that has sent as many rows as it may is waited for, and not refused.
    async fn wait_for_quota(&mut self) -> Result<(), End> {
        // The request was counted before: as its first row.
        let Some(quota) = self.quota.clone().filter(|_| self.rows > 0) else { return Ok(()) };
        while let Err(left) = quota.take_one() {
            self.send().await?;
            self.window.settle_all().await;
            self.tell().await?;
            if self.pieces.is_closed() {
                return Err(End::Gone);
            }
            self.ask_again()?;
            tokio::time::sleep(left.min(LOOK_AFTER)).await;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), End> {
        self.window.send().await.map_err(|problem| aborted(&problem))
    }

    /// A key can be revoked and rights be taken while rows come.
    fn ask_again(&mut self) -> Result<(), End> {
        let now_ns = self.window.sender().target.engine.clock().monotonic_ns();
        if now_ns.saturating_sub(self.asked_ns) < ASK_AGAIN_NS {
            return Ok(());
        }
        self.asked_ns = now_ns;
        self.window.sender_mut().refresh().map_err(|problem| aborted(&problem))
    }

    /// Tells the results that are known without waiting for more.
    async fn tell_what_is_known(&mut self) -> Result<(), End> {
        while self.window.is_in_flight() && self.window.wait().now_or_never().is_some() {
            self.window.settle_oldest().await;
        }
        self.tell().await
    }

    async fn tell(&mut self) -> Result<(), End> {
        for result in self.window.take_ready() {
            let action = result.action();
            self.counts.add(action);
            let line = self.lines.pop_front();
            if self.options.results.tells(action) {
                write_line(&NumberedResult { line, result: &result }, &mut self.piece);
            }
            if self.piece.len() >= ANSWER_BYTES {
                self.hand_over().await?;
            }
        }
        if !self.piece.is_empty() {
            self.hand_over().await?;
        }
        let failed = self.counts.of(RowAction::Failed);
        match self.options.errors_max {
            Some(max) if failed >= max => Err(End::Aborted(Code::LimitExceeded)),
            Some(_) | None => Ok(()),
        }
    }

    /// Hands results to the connection; waits while it has more than the client reads.
    async fn hand_over(&mut self) -> Result<(), End> {
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.pieces.send(Ok(piece)).await.map_err(|_| End::Gone)
    }
}

fn aborted(problem: &Problem) -> End {
    End::Aborted(problem.code().unwrap_or(Code::InternalError))
}

fn write_line(line: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, line).expect("a vector takes every write");
    out.push(b'\n');
}
