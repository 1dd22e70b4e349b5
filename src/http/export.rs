//! `GET` and `POST …/export`: every record of an object that the caller may read, as of one instant,
//! in the order of the ids; as lines of JSON or as CSV.
//!
//! No more than a piece of it is in memory: the next is made when the client has taken the one before.
//! An answer that cannot go on breaks off, so that nobody takes a part for the whole. It must not know
//! how a view is kept while writing goes on.

use crate::engine::export::{Busy, Export};
use crate::engine::feed::{Place, Start};
use crate::http::body::Body;
use crate::http::caller::require;
use crate::http::changes::source;
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::search::surroundings;
use crate::http::shape::Shape;
use crate::http::target::Target;
use crate::http::wire::exported::{CellForm, ExportedRecord, write_header, write_record};
use crate::http::wire::record::{RecordAnswer, Scene};
use crate::http::wire::search::SearchRequest;
use crate::http::wire::selection::{FieldsWanted, Selection};
use crate::model::id::FieldNumber;
use crate::model::input::Input;
use crate::model::table::order::Wanted;
use crate::model::table::record::Record;
use crate::model::table::search::Search;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use futures_util::stream;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// Bytes of a piece of the answer; more only where one record has them.
const PIECE_BYTES: usize = 64 << 10;
/// Chunks of records that are looked through for one piece, however few are wanted.
const CHUNKS_MAX: usize = 16;
const CURSOR: HeaderName = HeaderName::from_static("x-cursor");
const FORMATS: [(&str, Format); 2] = [("ndjson", Format::Ndjson), ("csv", Format::Csv)];

/// Registers the route.
pub fn register(config: &mut ServiceConfig) {
    let path = "/api/records/{object_identifier}/export";
    config.service(Endpoint::at(path).get(export).post_read(export_found));
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Ndjson,
    Csv,
}

impl Format {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// What is exported, and how.
struct Asked {
    format: Format,
    search: Search,
    wanted: FieldsWanted,
    cells: CellForm,
}

/// Exports the records of an object.
async fn export(request: HttpRequest, target: Target) -> Result<HttpResponse, Problem> {
    answer(&request, target, None).await
}

/// Exports the records of an object that a query finds.
async fn export_found(
    request: HttpRequest,
    target: Target,
    body: Body,
) -> Result<HttpResponse, Problem> {
    require(target.access.may_export())?;
    let input = if body.is_empty() { None } else { Some(body.parse()?) };
    answer(&request, target, input.as_ref()).await
}

async fn answer(
    request: &HttpRequest,
    target: Target,
    input: Option<&Input<'_>>,
) -> Result<HttpResponse, Problem> {
    require(target.access.may_export())?;
    let asked = Asked::read(request, &target, input)?;
    let is_live_alone = asked.search.wanted == Wanted::Live;
    require(is_live_alone || target.access.may_unarchive_any())?;
    if request.method() == Method::HEAD {
        let feed = target.engine.feed();
        let place = feed.begin(target.table.shown(), Start::Now).await;
        let mut head =
            head_of(&target, asked.format, place.map_err(|error| failed(&error, &target))?);
        return Ok(head.streaming(stream::empty::<io::Result<Bytes>>()));
    }
    let export = target.engine.exports().open(&target.table).await.map_err(|Busy| {
        let detail = "Too many exports are running, or the object has too much to do.";
        Problem::new(Code::Overloaded).saying(detail).retry_after(1)
    })?;
    let place = target.engine.feed().place_of(target.table.shown(), export.sequence()).await;
    let place = place.map_err(|error| failed(&error, &target))?;
    let mut head = head_of(&target, asked.format, place);
    let reading = Reading::new(target, asked, export);
    let pieces = stream::unfold(Some(reading), async |reading| {
        let mut reading = reading?;
        match reading.next_piece().await {
            Ok(Some(piece)) => Some((Ok(piece), Some(reading))),
            Ok(None) => None,
            // The connection is closed in the middle of the body.
            Err(broken) => Some((Err(io::Error::other(broken)), None)),
        }
    });
    Ok(head.streaming(pieces))
}

fn failed(error: &crate::engine::feed::FeedError, target: &Target) -> Problem {
    source::problem_of(error, std::slice::from_ref(target))
}

fn head_of(target: &Target, format: Format, place: Place) -> HttpResponseBuilder {
    let cursor = target.engine.feed().cursor(target.table.shown(), place).write();
    let mut head = HttpResponse::Ok();
    head.content_type(format.content_type()).insert_header((CURSOR, cursor));
    head
}

impl Asked {
    fn read(
        request: &HttpRequest,
        target: &Target,
        input: Option<&Input<'_>>,
    ) -> Result<Self, Problem> {
        let schema = target.table.shown().schema();
        let mut faults = Faults::default();
        let mut query = Query::read(request.query_string(), &mut faults);
        let mut shape = input.map(|input| Shape::of_body(input, &mut faults));
        let strict = query.is_strict();
        let format = read_format(&mut query, request.headers(), &mut faults);
        let tables = target.caller.related_tables();
        let around = surroundings(target, &schema, &tables);
        let (search, wanted) = SearchRequest::read_whole(
            &mut query,
            shape.as_mut(),
            (&around, &target.access),
            &mut faults,
        );
        let cells = CellForm {
            labels: query.boolean("labels", &mut faults).unwrap_or(false),
            excel: query.boolean("excel", &mut faults).unwrap_or(false),
            tells_archived: search.wanted != Wanted::Live,
        };
        query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
        if let Some(shape) = shape {
            shape.finish(strict, RouteGroup::Read, &mut faults);
        }
        let format = format.ok_or_else(|| Problem::new(Code::NotAcceptable))?;
        faults.check()?;
        Ok(Self { format, search, wanted, cells })
    }
}

/// The format that is asked for, wherever; none where the client takes neither.
fn read_format(query: &mut Query<'_>, headers: &HeaderMap, faults: &mut Faults) -> Option<Format> {
    let Some(given) = query.text("format", faults).map(str::to_owned) else {
        return accepted_by(headers);
    };
    let found = FORMATS.iter().find(|(name, _)| *name == given);
    if found.is_none() {
        faults.push(Fault::invalid_choice(query.place("format"), &given));
    }
    // What is at fault is told before anything is made of it.
    Some(found.map_or(Format::Ndjson, |(_, format)| *format))
}

/// The format that is liked best; lines of JSON where both are liked as much.
fn accepted_by(headers: &HeaderMap) -> Option<Format> {
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        ranges.extend(value.to_str().ok()?.split(','));
    }
    if ranges.is_empty() {
        return Some(Format::Ndjson);
    }
    let quality_of = |names: [&str; 3]| {
        // The closest range counts, whatever stands in the others.
        names.iter().find_map(|name| {
            ranges.iter().find_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let is_meant = parts.next().is_some_and(|given| given.eq_ignore_ascii_case(name));
                let mut quality = || parts.find_map(|part| part.strip_prefix("q="));
                is_meant.then(|| quality().and_then(|text| text.parse().ok()).unwrap_or(1.0_f32))
            })
        })
    };
    let ndjson = quality_of(["application/x-ndjson", "application/*", "*/*"]).unwrap_or(0.0);
    let csv = quality_of(["text/csv", "text/*", "*/*"]).unwrap_or(0.0);
    match (ndjson > 0.0, csv > 0.0) {
        (true, _) if ndjson >= csv => Some(Format::Ndjson),
        (_, true) => Some(Format::Csv),
        (_, false) => None,
    }
}

/// Why an export breaks off.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Broken {
    #[error("the records have changed too much while the export was read")]
    GivenUp,
    #[error("what the caller may see has changed while the export was read")]
    RightsChanged,
    #[error("the threads for exports have too much to do, or one has panicked")]
    NoThread,
}

/// An export on its way to one client.
struct Reading {
    target: Target,
    asked: Arc<Asked>,
    /// None: it has ended.
    view: Option<Ahead>,
}

/// What a thread for exports takes over for one step.
struct Ahead {
    export: Export,
    /// Records that were taken out, found, and not shown yet.
    waiting: VecDeque<Record>,
    /// The columns; none before the first piece.
    columns: Option<Vec<FieldNumber>>,
}

impl Reading {
    fn new(target: Target, asked: Asked, export: Export) -> Self {
        let view = Some(Ahead { export, waiting: VecDeque::new(), columns: None });
        Self { target, asked: Arc::new(asked), view }
    }

    /// None at the end.
    async fn next_piece(&mut self) -> Result<Option<Bytes>, Broken> {
        while let Some(mut ahead) = self.view.take() {
            // A key can be revoked and rights be taken while it is read.
            let target = self.target.again().map_err(|_| told(Broken::RightsChanged))?;
            if target.access != self.target.access {
                return Err(told(Broken::RightsChanged));
            }
            let (asked, engine) = (self.asked.clone(), self.target.engine.clone());
            let step = move || ahead.step(&target, &asked).map(|step| (step, ahead));
            let stepped = engine.exports().run(engine.clock(), step).await;
            let (step, ahead) = stepped.map_err(|_| told(Broken::NoThread))?.map_err(told)?;
            let Step { piece, is_end } = step;
            self.view = (!is_end).then_some(ahead);
            if !piece.is_empty() {
                return Ok(Some(Bytes::from(piece)));
            }
        }
        Ok(None)
    }
}

fn told(broken: Broken) -> Broken {
    tracing::warn!(error = %broken, "an export was broken off");
    broken
}

/// What one step gives.
struct Step {
    piece: Vec<u8>,
    is_end: bool,
}

impl Ahead {
    /// Makes a piece, unless the next records are none of those that are wanted.
    fn step(&mut self, target: &Target, asked: &Asked) -> Result<Step, Broken> {
        let schema = self.export.schema().clone();
        let tables = target.caller.related_tables();
        let around = surroundings(target, &schema, &tables);
        let scene = Scene::new(target, &schema).with_all_related();
        let selection = Selection::of_read(&asked.wanted, &schema, scene.fields());
        let mut piece = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
        self.begin(&selection, asked, &mut piece)?;
        let (mut chunks, mut records) = (0, Vec::new());
        loop {
            while let Some(record) = self.waiting.pop_front() {
                let (scene, selection) = (&scene, &selection);
                let answer = RecordAnswer { scene, selection, record, action: None, is_dry: false };
                write(asked, answer, &mut piece);
                if piece.len() >= PIECE_BYTES {
                    return Ok(Step { piece, is_end: false });
                }
            }
            if chunks == CHUNKS_MAX {
                return Ok(Step { piece, is_end: false });
            }
            chunks += 1;
            if !self.export.next_chunk(&mut records).map_err(|_| Broken::GivenUp)? {
                return Ok(Step { piece, is_end: true });
            }
            asked.search.sift(&mut records, around);
            self.waiting.extend(records.drain(..));
        }
    }

    /// Writes the head of a table. Its columns stay: what a line has must not depend on when it was
    /// made.
    fn begin(
        &mut self,
        selection: &Selection<'_>,
        asked: &Asked,
        piece: &mut Vec<u8>,
    ) -> Result<(), Broken> {
        let columns = selection.fields.iter().map(|selected| selected.field.number);
        let columns: Vec<FieldNumber> = columns.collect();
        match &self.columns {
            Some(begun) if *begun == columns => {}
            Some(_) => return Err(Broken::RightsChanged),
            None => {
                if asked.format == Format::Csv {
                    write_header(selection, asked.cells, piece);
                }
                self.columns = Some(columns);
            }
        }
        Ok(())
    }
}

fn write(asked: &Asked, answer: RecordAnswer<'_>, out: &mut Vec<u8>) {
    match asked.format {
        Format::Ndjson => {
            serde_json::to_writer(&mut *out, &ExportedRecord(answer))
                .expect("a record has text keys and serialises, and a vector takes every write");
            out.push(b'\n');
        }
        Format::Csv => write_record(&answer, asked.cells, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_format_that_is_liked_best_is_given() {
        for (accept, expected) in [
            (None, Some(Format::Ndjson)),
            (Some("*/*"), Some(Format::Ndjson)),
            (Some("application/*"), Some(Format::Ndjson)),
            (Some("APPLICATION/x-ndjson; q=0.1"), Some(Format::Ndjson)),
            (Some("text/csv"), Some(Format::Csv)),
            (Some("text/*, application/json"), Some(Format::Csv)),
            (Some("text/csv;q=0.5, application/x-ndjson;q=0.4"), Some(Format::Csv)),
            (Some("text/csv;q=0.5, */*"), Some(Format::Ndjson)),
            (Some("application/x-ndjson;q=0, text/csv;q=0.1"), Some(Format::Csv)),
            (Some("application/x-ndjson;q=0, text/csv;q=0"), None),
            (Some("application/json"), None),
            (Some("text/html"), None),
        ] {
            let mut request = TestRequest::get();
            if let Some(accept) = accept {
                request = request.insert_header(("accept", accept));
            }
            let request = request.to_http_request();
            assert_eq!(accepted_by(request.headers()), expected, "{accept:?}");
        }
    }
}
