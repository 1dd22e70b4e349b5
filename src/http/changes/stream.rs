//! The feed as server-sent events, for as long as the client reads and may.
//!
//! What a slow client has not taken is not read ahead: one small page is in memory for each.

use crate::engine::meters::FeedReader;
use crate::http::changes::gather::Bounds;
use crate::http::changes::render::{Row, Rows};
use crate::http::changes::request::ChangesRequest;
use crate::http::changes::rows_behind;
use crate::http::changes::source::{At, Source};
use crate::http::health::{Readiness, State};
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use futures_util::stream;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::pin;
use std::time::Duration;
use tokio::time::sleep;

/// What is in memory for one client, however many of them there are and however slow.
const AT_ONCE: Bounds = Bounds { entries: 100, bytes: 32 * 1024 };
/// How often it is looked whether the client may still read, however silent the feed is.
const RIGHTS_EVERY: Duration = Duration::from_secs(5);
/// After so many looks without an event a comment goes out, for whoever watches the connection.
const LOOKS_PER_COMMENT: u32 = 3;
const COMMENT: &[u8] = b":\n\n";

/// What one client is at.
struct Reading {
    source: Source,
    asked: ChangesRequest,
    at: At,
    readiness: Data<Readiness>,
    silent_looks: u32,
    /// Counted for as long as it reads.
    _counted: FeedReader,
}

/// The answer; its body ends when the server stops, or the client may not read any more.
pub(super) fn of_source(
    source: Source,
    asked: ChangesRequest,
    at: At,
    readiness: Data<Readiness>,
) -> HttpResponse {
    let counted = source.engine().meters().feed_reader();
    let reading = Reading { source, asked, at, readiness, silent_looks: 0, _counted: counted };
    let chunks = stream::unfold(reading, async |mut reading| {
        let chunk = reading.next_chunk().await?;
        Some((Ok::<_, Infallible>(chunk), reading))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(chunks)
}

impl Reading {
    fn bounds(&self) -> Bounds {
        Bounds { entries: AT_ONCE.entries.min(self.asked.limit), ..AT_ONCE }
    }

    /// The next events, or a comment; none where the stream ends.
    async fn next_chunk(&mut self) -> Option<Bytes> {
        while self.readiness.get() != State::ShuttingDown {
            let changes = self.source.changes();
            let mut heard = pin!(changes.heard());
            heard.as_mut().enable();
            self.source = self.source.again().ok()?;
            // What has gone wrong is told to the next request, which begins at the same place.
            let (rows, next) =
                rows_behind(&self.source, &self.asked, self.bounds(), self.at).await.ok()?;
            self.at = next;
            if !rows.list.is_empty() {
                self.silent_looks = 0;
                return Some(events_of(&rows));
            }
            if rows.has_more {
                continue;
            }
            tokio::select! {
                () = &mut heard => {}
                () = self.readiness.ending() => return None,
                () = sleep(RIGHTS_EVERY) => self.silent_looks += 1,
            }
            if self.silent_looks >= LOOKS_PER_COMMENT {
                self.silent_looks = 0;
                return Some(Bytes::from_static(COMMENT));
            }
        }
        None
    }
}

/// JSON has no line ends of its own, so an entry is one line of data.
fn events_of(rows: &Rows) -> Bytes {
    let mut text = String::new();
    for Row { cursor, action, json } in &rows.list {
        let _written = write!(text, "id: {cursor}\nevent: {}\ndata: {json}\n\n", action.name());
    }
    text.into()
}
