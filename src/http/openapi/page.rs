//! `GET /api/docs`: the document of the API as a page for people.
//!
//! Everything it needs is inside the binary, and its policy lets a browser ask nobody else. It must
//! not know what the document says.

use crate::http::endpoint::Endpoint;
use crate::http::openapi::PATH;
use crate::http::problem::Problem;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Path, ServiceConfig};
use std::sync::Arc;
use utoipa_swagger_ui::{Config, serve};

/// The files that the page asks for.
const FILES: [&str; 4] = [
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
];

/// Swagger UI writes styles into the page and draws its icons from data addresses.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'";

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>upsertd API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/swagger-ui-standalone-preset.js"></script>
<script src="/api/docs/swagger-initializer.js"></script>
</body>
</html>
"#;

/// Registers the page and its files.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at("/api/docs").get(page))
        .service(Endpoint::at("/api/docs/{file}").get(file));
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(PAGE)
}

async fn file(name: Path<String>) -> Result<HttpResponse, Problem> {
    let name = FILES.into_iter().find(|file| *file == *name).ok_or_else(Problem::not_found)?;
    // Without this word the page would ask a public service whether the document is valid.
    let config = Arc::new(Config::new([PATH]).validator_url("none"));
    let file = serve(name, config).ok().flatten().expect("the file is in the binary");
    let mut answer = HttpResponse::Ok();
    if file.gzpipped {
        answer.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(answer.content_type(file.content_type).body(file.bytes.into_owned()))
}
