//! Searches: whole HTTP answers of a server with many records, against `PostgreSQL` with indexes where
//! that is installed, in rounds that ask both in turn.

use crate::error::LoadError;
use crate::machine;
use crate::people::{self, Person};
use crate::postgres::{self, Postgres};
use crate::questions::{Kind, Question, questions, without_a_column};
use crate::report::Figures;
use crate::server::{Server, parent_directory};
use crate::settings::Settings;
use crate::traffic::{Next, Sent, Traffic, again, once, send};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

const FILLING: usize = 64;
const SEARCHING: usize = 8;
/// Upserts a second beside the searches of many.
const UPSERTS: u32 = 2_000;

/// The figures of one search, in milliseconds and in searches a second.
#[derive(Default)]
struct Row {
    ours: Figures,
    ours_late: Figures,
    /// Processor time of the whole server.
    ours_processor: Figures,
    peer: Figures,
    peer_late: Figures,
    ratio: Figures,
    busy: Busy,
}

/// Many who search while records are upserted.
#[derive(Default)]
struct Busy {
    ours: Figures,
    peer: Figures,
    ratio: Figures,
    upserts: Figures,
    upserts_late: Figures,
    peer_upserts: Figures,
    peer_upserts_late: Figures,
}

pub(crate) fn measure(settings: &Settings, records: u32) -> Result<(), LoadError> {
    let Settings { rounds, seconds, .. } = *settings;
    println!("machine   {}", machine::description());
    println!("settings  {records} records, {rounds} rounds of {seconds} s for each search");
    let server = Server::start_with(settings, &people::custom_fields())?;
    fill(&server, records)?;
    let peer = start_peer(settings, records)?;
    let questions = questions(records);
    first_searches(&server, &questions)?;
    let mut rows: Vec<Row> = questions.iter().map(|_| Row::default()).collect();
    let (mut plain, mut plain_processor) = (Figures::default(), Figures::default());
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        let lasting = Duration::from_secs(seconds);
        for (row, question) in rows.iter_mut().zip(&questions) {
            row.measure(&server, peer.as_ref(), question, lasting)?;
            row.busy.measure(&server, peer.as_ref(), question, (records, lasting))?;
        }
        let (sent, processor) = search_alone(&server, &without_a_column(), lasting)?;
        plain.push(sent.quantile(0.5));
        plain_processor.push(processor);
    }
    print_rows(&questions, &rows);
    print_targets(&questions, &rows);
    println!("22  a search without a column: {plain} ms, processor {plain_processor}; at most 80");
    measure_upserts(settings, server, records, &questions)
}

fn start_peer(settings: &Settings, records: u32) -> Result<Option<Postgres>, LoadError> {
    let Some(programs) = postgres::programs(settings) else {
        println!("peer      PostgreSQL is not here: no ratios. Name its programs with --postgres");
        return Ok(None);
    };
    let peer = Postgres::start(programs, &parent_directory(settings)?)?;
    println!("peer      PostgreSQL {}, through pgbench on a socket, no JSON", peer.version()?);
    peer.load(records)?;
    Ok(Some(peer))
}

/// Creates the people, then changes each once in another order, so that they lie anywhere.
fn fill(server: &Server, records: u32) -> Result<(), LoadError> {
    let created = send_all(server, records, |at| Person::new(at, 0))?;
    println!("fill      {:.0} creates/s on {FILLING} connections", created.rate());
    // A number without a common factor with the count goes through all of them.
    let mut steps = records / 3 + 1..=records + 1;
    let step = steps.find(|step| greatest_divisor(*step, records) == 1);
    let step = u64::from(step.expect("the number above a number is one"));
    let person = move |at: u32| {
        let number = u64::from(at) * step % u64::from(records);
        Person::new(u32::try_from(number).expect("it is below the records"), 1)
    };
    let changed = send_all(server, records, person)?;
    println!("          {:.0} updates/s, in another order", changed.rate());
    Ok(())
}

fn greatest_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

fn send_all(
    server: &Server,
    records: u32,
    person: impl Fn(u32) -> Person + 'static,
) -> Result<Sent, LoadError> {
    let mut at = 0;
    let next: Next = Box::new(move |body| {
        (at < records).then(|| {
            person(at).write_body(body);
            at += 1;
            crate::clock::now()
        })
    });
    one(send(vec![Traffic { target: server.target(), connections: FILLING, next, wanted: "" }])?)
}

fn one(sent: Vec<Sent>) -> Result<Sent, LoadError> {
    sent.into_iter().next().ok_or(LoadError::Nothing)
}

/// The same search over and over.
fn search(
    server: &Server,
    body: &[u8],
    connections: usize,
    lasting: Duration,
) -> Result<Sent, LoadError> {
    let next = again(body.to_vec(), lasting);
    one(send(vec![Traffic { target: server.target_of("search"), connections, next, wanted: "" }])?)
}

/// By one client, and the milliseconds of processor time that each took.
fn search_alone(server: &Server, body: &[u8], lasting: Duration) -> Result<(Sent, f64), LoadError> {
    let before = machine::processor_time(server.id())?;
    let sent = search(server, body, 1, lasting)?;
    let took = machine::processor_time(server.id())?.saturating_sub(before);
    let each = took.as_secs_f64() * 1e3 / crate::report::figure(sent.latencies.len());
    Ok((sent, each))
}

/// Asks each search once: what they need is there afterwards, and this is what it took.
fn first_searches(server: &Server, questions: &[Question]) -> Result<(), LoadError> {
    for question in questions {
        let (target, next) = (server.target_of("search"), once(question.body.clone()));
        let sent = one(send(vec![Traffic { target, connections: 1, next, wanted: "" }])?)?;
        println!("first     {:>8.1} ms  {}", sent.quantile(1.0), question.name);
    }
    Ok(())
}

impl Row {
    fn measure(
        &mut self,
        server: &Server,
        peer: Option<&Postgres>,
        question: &Question,
        lasting: Duration,
    ) -> Result<(), LoadError> {
        let (ours, processor) = search_alone(server, &question.body, lasting)?;
        self.ours_processor.push(processor);
        self.ours.push(ours.quantile(0.5));
        self.ours_late.push(ours.quantile(0.95));
        if let Some(peer) = peer {
            let theirs = peer.measure(&question.statements, 1, lasting)?;
            self.peer.push(theirs.quantile(0.5));
            self.peer_late.push(theirs.quantile(0.95));
            self.ratio.push(theirs.quantile(0.5) / ours.quantile(0.5));
        }
        Ok(())
    }
}

impl Busy {
    fn measure(
        &mut self,
        server: &Server,
        peer: Option<&Postgres>,
        question: &Question,
        (records, lasting): (u32, Duration),
    ) -> Result<(), LoadError> {
        let searches = Traffic {
            target: server.target_of("search"),
            connections: SEARCHING,
            next: again(question.body.clone(), lasting),
            wanted: "",
        };
        let next = upserts_at_a_rate(records, lasting);
        let upserts = Traffic { target: server.target(), connections: FILLING, next, wanted: "" };
        let sent = send(vec![searches, upserts])?;
        let [searches, upserts] = &*sent else { return Err(LoadError::Nothing) };
        self.ours.push(searches.rate());
        self.upserts.push(upserts.rate());
        self.upserts_late.push(upserts.quantile(0.99));
        if let Some(peer) = peer {
            let upserts = peer.begin_upserts(records, UPSERTS, lasting)?;
            let searches = peer.measure(&question.statements, SEARCHING, lasting)?;
            let upserts = upserts.finish()?;
            let rate = |count: u64| crate::report::figure(count) / lasting.as_secs_f64();
            self.peer.push(rate(searches.count()));
            self.ratio.push(sent[0].rate() / rate(searches.count()));
            self.peer_upserts.push(rate(upserts.count()));
            self.peer_upserts_late.push(upserts.quantile(0.99));
        }
        Ok(())
    }
}

/// Updates of random people, due one after the other whatever has been answered.
fn upserts_at_a_rate(records: u32, lasting: Duration) -> Next {
    let start = crate::clock::now();
    let turns = Rc::new(Cell::new(0_u32));
    Box::new(move |body| {
        let turn = turns.get();
        turns.set(turn + 1);
        let due = Duration::from_secs(1) * turn / UPSERTS;
        (due < lasting).then(|| {
            write_random(records, u64::from(turn) + 2, body);
            start + due
        })
    })
}

fn write_random(records: u32, turn: u64, body: &mut Vec<u8>) {
    let number = crate::contact::mix(turn) % u64::from(records);
    let number = u32::try_from(number).expect("it is below the records");
    Person::new(number, turn).write_body(body);
}

/// What columns cost: upserts of many, first without any, then with all that the searches want.
/// Columns live in memory, so a restarted server has none.
fn measure_upserts(
    settings: &Settings,
    mut server: Server,
    records: u32,
    questions: &[Question],
) -> Result<(), LoadError> {
    let (mut without, mut with, mut share) =
        (Figures::default(), Figures::default(), Figures::default());
    let mut columns = None;
    for round in 0..settings.rounds {
        (server, _) = server.restart()?;
        let turn = (u64::try_from(round).expect("rounds are few") + 1) << 20;
        let before = upsert(&server, records, settings.seconds, turn)?.rate();
        for question in questions {
            search(&server, &question.body, 1, Duration::from_millis(50))?;
        }
        columns = server.columns();
        let after = upsert(&server, records, settings.seconds, turn + (1 << 19))?.rate();
        without.push(before);
        with.push(after);
        share.push(100.0 * after / before);
    }
    println!("22  upserts/s without columns {without}, with them {with}: {share} %; at least 90");
    match columns {
        Some((count, bytes)) => {
            let each = bytes / u64::from(records.max(1));
            println!("22  {count} columns of {each} bytes a record; at most 160");
        }
        None => println!("22  this server does not tell its columns"),
    }
    Ok(())
}

fn upsert(server: &Server, records: u32, seconds: u64, first: u64) -> Result<Sent, LoadError> {
    let end = crate::clock::now() + Duration::from_secs(seconds);
    let mut turn = first;
    let next: Next = Box::new(move |body| {
        turn += 1;
        write_random(records, turn, body);
        let at = crate::clock::now();
        (at < end).then_some(at)
    });
    one(send(vec![Traffic { target: server.target(), connections: FILLING, next, wanted: "" }])?)
}

fn print_rows(questions: &[Question], rows: &[Row]) {
    println!();
    println!(
        "{:44} {:24} {:20} {:20} {:24} {:20} {:20}",
        "one client, ms", "ours p50", "p95", "processor", "PostgreSQL p50", "p95", "times faster"
    );
    for (question, row) in questions.iter().zip(rows) {
        println!(
            "{:44} {:24} {:20} {:20} {:24} {:20} {:20}",
            question.name,
            row.ours,
            row.ours_late,
            row.ours_processor,
            row.peer,
            row.peer_late,
            row.ratio
        );
    }
    println!();
    println!(
        "{:44} {:24} {:24} {:20} {:30} {:30}",
        "8 clients beside 2,000 upserts/s",
        "ours, searches/s",
        "PostgreSQL",
        "times as many",
        "upserts/s; p99 ms",
        "PostgreSQL's"
    );
    for (question, Row { busy, .. }) in questions.iter().zip(rows) {
        let pair =
            |rate: &Figures, late: &Figures| format!("{:.0}; {:.1}", rate.median(), late.median());
        println!(
            "{:44} {:24} {:24} {:20} {:30} {:30}",
            question.name,
            busy.ours,
            busy.peer,
            busy.ratio,
            pair(&busy.upserts, &busy.upserts_late),
            pair(&busy.peer_upserts, &busy.peer_upserts_late),
        );
    }
}

fn print_targets(questions: &[Question], rows: &[Row]) {
    let of_kind = |kind: Kind| {
        let both = questions.iter().zip(rows);
        both.filter(move |(question, _)| question.kind == kind).map(|(_, row)| row)
    };
    let ratios = |kind| of_kind(kind).map(|row| row.ratio.median()).collect::<Vec<f64>>();
    let median = |kind| of_kind(kind).map(|row| row.ours.median()).fold(f64::NAN, f64::max);
    let complex = ratios(Kind::Complex);
    let logarithms: f64 = complex.iter().map(|ratio| ratio.ln()).sum();
    let mean = (logarithms / f64::from(u32::try_from(complex.len()).unwrap_or(1))).exp();
    let busy: Vec<f64> = rows.iter().map(|row| row.busy.ratio.median()).collect();
    println!();
    println!("target  measured and must");
    println!("18  default order, page 1: {}; at least 15", times(least(ratios(Kind::FirstPage))));
    println!(
        "18  a page in the middle against page 1: {}; at most 1.2",
        times(median(Kind::DeepPage) / median(Kind::FirstPage))
    );
    println!("19  equality, range, the worse: {}; at least 2", times(least(ratios(Kind::Simple))));
    println!("20  the five others, geometric mean: {}; at least 6", times(mean));
    println!("20  the worst of them: {}; at least 1.5", times(least(complex)));
    println!("21  8 clients, the worst search: {}; at least 4", times(least(busy)));
    let served = least(rows.iter().map(|row| row.busy.upserts.median()));
    println!("21  upserts served beside them, the fewest: {served:.0} of {UPSERTS}/s; all");
    let later = |busy: &Busy| busy.upserts_late.median() / busy.peer_upserts_late.median();
    let latest = rows.iter().map(|row| later(&row.busy)).fold(f64::NAN, f64::max);
    println!("21  their p99 against PostgreSQL's, the worst: {}; at most 1", times(latest));
}

fn least(figures: impl IntoIterator<Item = f64>) -> f64 {
    figures.into_iter().fold(f64::NAN, f64::min)
}

/// A ratio; none where there was no peer.
fn times(ratio: f64) -> String {
    if ratio.is_nan() { "not measured".to_owned() } else { format!("{ratio:.2} times") }
}
