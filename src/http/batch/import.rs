//! `POST …/import`: a table as CSV, or lines of JSON, each row an upsert like that of any stream.
//!
//! It owns what only an import has: columns, which a header or the rows themselves name. It must not
//! know how rows are carried out.

use crate::http::batch::columns::{ColumnOptions, Columns};
use crate::http::batch::incoming::{Cut, Incoming};
use crate::http::batch::inflate::Inflate;
use crate::http::batch::lines::Line;
use crate::http::batch::options::StreamOptions;
use crate::http::batch::source::{Rows, no_cells, too_long};
use crate::http::batch::stream::answer;
use crate::http::batch::table::cells;
use crate::http::batch::{HEADERS, NDJSON, may_write};
use crate::http::body::PlainBody;
use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::target::Target;
use crate::http::wire::row::Blanks;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse};
use std::future::{Ready, ready};
use std::sync::Arc;

const CSV: &str = "text/csv";
const DELIMITERS: [(&str, u8); 5] =
    [(",", b','), (";", b';'), ("\t", b'\t'), ("\\t", b'\t'), ("tab", b'\t')];

/// The body of an import, by what it is.
pub(super) enum Table {
    Csv(PlainBody),
    Lines(PlainBody),
}

impl FromRequest for Table {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let essence = request.content_type().trim().to_ascii_lowercase();
        let mime = request.mime_type().ok().flatten();
        let charset = mime.as_ref().and_then(|mime| mime.get_param("charset"));
        let is_utf8 = charset.is_none_or(|charset| charset == "utf-8" || charset == "utf8");
        let mut body = || PlainBody::new(request, payload.take());
        ready(match (&*essence, is_utf8) {
            (CSV, true) => Ok(Self::Csv(body())),
            // What is nowhere said is JSON, as everywhere.
            (NDJSON | "", true) => Ok(Self::Lines(body())),
            _ => {
                let detail = "Unsupported media type in request; text/csv or application/x-ndjson \
                              is expected, in UTF-8.";
                Err(Problem::new(Code::UnsupportedMediaType).saying(detail).closing())
            }
        })
    }
}

/// Creates or updates the records of a table.
pub(super) async fn import(
    request: HttpRequest,
    target: Target,
    table: Table,
) -> Result<HttpResponse, Problem> {
    may_write(&target)?;
    let asked = Asked::read(&request, &target)?;
    let Asked { delimiter, options, columns } = asked;
    let inflate = Inflate::of_head(request.headers())?;
    let schema = target.table.shown().schema();
    let rights = target.access.fields(&schema);
    let columns = Columns::named_by_rows(schema, rights, columns);
    let max = target.batch_limits().line_bytes_max;
    let (incoming, rows) = match table {
        Table::Lines(body) => {
            let incoming = Incoming::new(body, inflate, Cut::lines(max));
            (incoming, Rows::Objects(Arc::new(columns)))
        }
        Table::Csv(body) => {
            let mut incoming = Incoming::new(body, inflate, Cut::table(delimiter, max));
            let columns = read_header(&mut incoming, (columns, delimiter), max).await;
            let columns = columns.map_err(Problem::closing)?;
            (incoming, Rows::Cells { columns: Arc::new(columns), delimiter })
        }
    };
    Ok(answer(&request, target, options, (incoming, rows)))
}

/// What an import asks for in its query.
struct Asked {
    delimiter: u8,
    options: StreamOptions,
    columns: ColumnOptions,
}

impl Asked {
    fn read(request: &HttpRequest, target: &Target) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let mut query = Query::read(request.query_string(), &mut faults);
        let leaves_blanks = query.text("blank", &mut faults).is_none();
        let mut options = StreamOptions::read(&mut query, target, &mut faults);
        let ignores_blanks = leaves_blanks || options.row.blanks == Blanks::Ignore;
        // A cell that clears is null, which would be passed over with the blank ones.
        options.row.blanks = Blanks::Clear;
        let columns = ColumnOptions {
            map: query.named("map.", &mut faults),
            ignores_unknown: query.boolean("ignore_unknown", &mut faults).unwrap_or(false),
            ignores_blanks,
            has_match: options.row.names.is_some(),
        };
        let delimiter = query.choice("delimiter", &DELIMITERS, &mut faults).unwrap_or(b',');
        query.finish(RouteGroup::Stream, request.headers(), &HEADERS, &mut faults);
        faults.check()?;
        Ok(Self { delimiter, options, columns })
    }
}

/// Reads the first row, before anything is answered.
async fn read_header(
    incoming: &mut Incoming,
    (columns, delimiter): (Columns, u8),
    bytes_max: usize,
) -> Result<Columns, Problem> {
    let row = match incoming.next().await? {
        Some((_, Line::Whole(row))) => row,
        Some((_, Line::TooLong(bytes))) => return Err(too_long(bytes, bytes_max)),
        None => {
            let fault = Fault::new(Code::Required, Place::Whole);
            return Err(fault.saying("The first row must name the columns.").into());
        }
    };
    let header = cells(&row, delimiter).map_err(no_cells)?;
    let mut faults = Faults::default();
    let columns = columns.of_table(&header, &mut faults);
    faults.check()?;
    Ok(columns)
}
