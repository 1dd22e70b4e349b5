//! A batch: rows in one JSON body, results in one answer.

use crate::http::batch::options::{BatchOptions, Duplicates};
use crate::http::batch::result::{BatchAnswer, Counts, RowOutcome, RowResult};
use crate::http::batch::sender::{Asked, Sender};
use crate::http::batch::source::Entry;
use crate::http::batch::window::{CHUNK_ROWS, Numbered, Window};
use crate::http::batch::{HEADERS, atomic};
use crate::http::body::Body;
use crate::http::code::Code;
use crate::http::dry_run::{self, DRY_RUN};
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::rate_limit::RowQuota;
use crate::http::target::Target;
use crate::model::input::Input;
use crate::model::table::command::Ask;
use actix_web::{HttpRequest, HttpResponse};
use std::collections::HashMap;

/// Rows under way at once.
const WINDOW_ROWS: usize = 4 * CHUNK_ROWS;

pub(super) async fn upsert(
    request: &HttpRequest,
    target: Target,
    body: &Body,
) -> Result<HttpResponse, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_list = matches!(input, Input::List(_));
    let mut query = if is_list {
        Query::read(request.query_string(), &mut faults)
    } else {
        Query::read_with_body(request.query_string(), &input, &mut faults)
    };
    let options = BatchOptions::read(&mut query, &target, &mut faults);
    let rows = rows_of(&input, &mut faults);
    query.knows("records");
    query.finish(RouteGroup::Batch, request.headers(), &HEADERS, &mut faults);
    check_count(rows, &options, &target, &mut faults);
    faults.check()?;
    if let Some(quota) = RowQuota::of(request) {
        quota.take_all(rows.len())?;
    }
    let caller = target.caller.for_request();
    let batch_id = caller.batch;
    let BatchOptions { row, returns_records, is_atomic, is_dry, duplicates } = options;
    let sender = Sender { target, caller, row, returns_records, is_dry };
    let left_out = left_out(&sender, rows, duplicates);
    let rows = BatchRows { all: rows, bytes: body.bytes().len(), left_out };
    let results = if is_atomic {
        atomic::carry_out(&sender, &rows).await
    } else {
        carry_out(sender, &rows).await
    };
    let results = results.map_err(|problem| dry_run::refused(problem, is_dry))?;
    let mut counts = Counts::default();
    for result in &results {
        counts.add(result.action());
    }
    let count = counts.rows();
    let answer =
        BatchAnswer { count, counts: &counts, dry_run: is_dry, batch_id, results: &results };
    let mut response = HttpResponse::Ok();
    if is_dry {
        response.insert_header((DRY_RUN, "true"));
    }
    Ok(response.json(answer))
}

/// The rows of a body.
fn rows_of<'i>(input: &'i Input<'i>, faults: &mut Faults) -> &'i [Input<'i>] {
    let records = match input {
        Input::List(rows) => return rows,
        Input::Map(entries) => entries.iter().find(|(key, _)| key == "records"),
        Input::Null | Input::Boolean(_) | Input::Number(_) | Input::Text(_) => return &[],
    };
    let place = Place::Body("records".into());
    match records.map(|(_, value)| value) {
        Some(Input::List(rows)) => return rows,
        Some(Input::Null) => faults.push(Fault::new(Code::Null, place)),
        Some(other) => {
            let message = format!("Expected a list of rows, not {}.", other.kind());
            faults.push(Fault::new(Code::Invalid, place).saying(message));
        }
        None => faults.push(Fault::new(Code::Required, place)),
    }
    &[]
}

fn check_count(rows: &[Input<'_>], options: &BatchOptions, target: &Target, faults: &mut Faults) {
    let limits = target.batch_limits();
    let max = if options.is_atomic { limits.atomic_rows_max } else { limits.rows_max };
    if rows.len() > max {
        let what = if options.is_atomic { "An atomic batch" } else { "A batch" };
        let message = format!("{what} has at most {max} rows; this one has {}.", rows.len());
        let place = Place::Body("records".into());
        faults.push(Fault::new(Code::LimitExceeded, place).saying(message));
    }
}

/// The rows of a batch.
pub(super) struct BatchRows<'i> {
    pub(super) all: &'i [Input<'i>],
    /// Of all of them.
    pub(super) bytes: usize,
    /// Those that are not carried out, because another one means the same record.
    pub(super) left_out: HashMap<u64, LeftOut>,
}

/// A row for which another one stands.
pub(super) struct LeftOut {
    pub(super) client_ref: Option<Box<str>>,
    is_fault: bool,
}

impl<'i> BatchRows<'i> {
    /// A row with its share of the bytes.
    pub(super) fn entry(&self, index: u64) -> Entry<'i> {
        let at = usize::try_from(index).expect("it is a place in a list");
        Entry { input: &self.all[at], bytes: self.bytes / self.all.len() }
    }
}

impl LeftOut {
    pub(super) fn outcome(&self) -> RowOutcome {
        if self.is_fault {
            RowOutcome::Failed(Fault::new(Code::DuplicateKey, Place::Whole).into())
        } else {
            RowOutcome::NotApplied
        }
    }
}

/// The results of all rows, in their order.
async fn carry_out(sender: Sender, rows: &BatchRows<'_>) -> Result<Vec<RowResult>, Problem> {
    let mut results = Vec::with_capacity(rows.all.len());
    let mut window = Window::new(sender, false);
    for index in (0_u64..).take(rows.all.len()) {
        if let Some(left_out) = rows.left_out.get(&index) {
            let (client_ref, outcome) = (left_out.client_ref.clone(), left_out.outcome());
            results.push(RowResult { index, client_ref, outcome });
            continue;
        }
        window.push(Numbered { index, source: rows.entry(index) }).await?;
        while window.rows() >= WINDOW_ROWS {
            window.settle_oldest().await;
            results.append(&mut window.take_ready());
        }
    }
    window.send().await?;
    window.settle_all().await;
    results.append(&mut window.take_ready());
    results.sort_by_key(|result| result.index);
    Ok(results)
}

fn left_out(sender: &Sender, rows: &[Input<'_>], duplicates: Duplicates) -> HashMap<u64, LeftOut> {
    let mut left_out = HashMap::new();
    if duplicates == Duplicates::Fold {
        return left_out;
    }
    let schema = sender.target.table.shown().schema();
    let mut of_keys = HashMap::<_, Vec<(u64, Option<Box<str>>)>>::new();
    for (index, input) in (0_u64..).zip(rows) {
        // One that was carried out before stands for the others as it did then.
        let read = sender.read_anew(&Entry { input, bytes: 0 }, &schema);
        if let Ok(Asked { ask: Ask::Upsert(intent), .. }) = read.asks {
            of_keys.entry(intent.matching.key()).or_default().push((index, read.client_ref));
        }
    }
    for mut same in of_keys.into_values().filter(|same| same.len() > 1) {
        match duplicates {
            Duplicates::First => drop(same.remove(0)),
            Duplicates::Last => drop(same.pop()),
            Duplicates::Fold | Duplicates::Error => {}
        }
        let is_fault = duplicates == Duplicates::Error;
        let rows = same.into_iter();
        left_out.extend(rows.map(|(index, client_ref)| (index, LeftOut { client_ref, is_fault })));
    }
    left_out
}
