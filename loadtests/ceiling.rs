//! The bare web framework: it reads the same bodies and answers as many bytes, and does nothing.
//!
//! It runs in a process of its own, as the server does, so that both are compared on equal terms.

use crate::contact::Upsert;
use crate::drive::Target;
use crate::error::LoadError;
use crate::server::{Process, listening_line};
use crate::settings::Settings;
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::Serialize;
use std::env;
use std::process::Command;

/// What the ceiling says; its padding makes it as long as the server's answer.
#[derive(Serialize)]
struct Answer<'a> {
    name: &'a str,
    /// So that the body must have been read, not only skimmed.
    score: u64,
    padding: &'a str,
    action: &'a str,
}

/// As long as the names that are asked for.
const NAME: &str = "c000000000@load.example";

/// Serves until it is killed.
pub(crate) fn serve(answer_bytes: usize, workers: usize) -> Result<(), LoadError> {
    let failed = || LoadError::io("the ceiling");
    actix_web::rt::System::new()
        .block_on(async move {
            let bare = Answer { name: NAME, score: 100_000, padding: "", action: "none" };
            let bare = serde_json::to_vec(&bare).expect("numbers and texts have a JSON form");
            let padding = web::Data::new("x".repeat(answer_bytes.saturating_sub(bare.len())));
            let app = move || {
                App::new().app_data(padding.clone()).route("/upsert", web::post().to(answer))
            };
            let server = HttpServer::new(app).workers(workers).bind("127.0.0.1:0")?;
            for address in server.addrs() {
                println!("{}", listening_line("ceiling", address));
            }
            server.run().await
        })
        .map_err(failed())
}

async fn answer(body: web::Bytes, padding: web::Data<String>) -> HttpResponse {
    match serde_json::from_slice::<Upsert<'_>>(&body) {
        Ok(upsert) => {
            let score = upsert.check();
            let name = &*upsert.lookup_value;
            HttpResponse::Ok().json(Answer { name, score, padding: &padding, action: "none" })
        }
        Err(error) => HttpResponse::BadRequest().body(error.to_string()),
    }
}

impl Upsert<'_> {
    /// A sum over every field, which keeps the compiler from leaving the reading out.
    fn check(&self) -> u64 {
        let fields = &self.fields;
        let texts = [
            &fields.first_name,
            &fields.last_name,
            &fields.birthday,
            &fields.company,
            &fields.city,
            &fields.segment,
            &fields.balance,
        ];
        let lengths = texts.into_iter().chain(&fields.titles).map(|text| text.len()).sum::<usize>();
        let lengths = u64::try_from(lengths).expect("a length fits 64 bits");
        lengths + fields.score + u64::from(fields.newsletter)
    }
}

/// Starts the ceiling in a process of its own.
pub(crate) fn start(
    settings: &Settings,
    answer_bytes: usize,
) -> Result<(Process, Target), LoadError> {
    let program = env::current_exe().map_err(LoadError::io("the path of this program"))?;
    let mut command = Command::new(program);
    command.arg("--http-workers").arg(settings.http_workers.to_string());
    command.arg("ceiling").arg(answer_bytes.to_string());
    let process = Process::start(&mut command, None)?;
    let head = format!("POST /upsert HTTP/1.1\r\nHost: {}\r\nContent-Length: ", process.address());
    let target = Target {
        address: process.address(),
        process: process.id(),
        head: head.into_bytes(),
        has_records: false,
    };
    Ok((process, target))
}
