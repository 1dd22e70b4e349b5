//! The operator's routes. Whoever reaches them has shown the operator's key.

use crate::engine::Engine;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::plain::check_no_parameters;
use crate::http::problem::Problem;
use crate::http::wire::status::{SnapshotShape, StatusShape};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

/// Adds the routes.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at("/api/admin/status").get(status))
        .service(Endpoint::at("/api/admin/snapshot").post_order(snapshot));
}

async fn status(engine: Data<Engine>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(StatusShape::of(&engine)))
}

/// Asks for a round of snapshots, and answers with what is known of the rounds before it. A server
/// that keeps no snapshots has no such route.
async fn snapshot(engine: Data<Engine>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Write)?;
    let now = engine.clock().now();
    let asked: Vec<SnapshotShape> = engine
        .partitions()
        .iter()
        .filter_map(|partition| partition.snapshotter())
        .map(|snapshotter| {
            let before = snapshotter.status();
            snapshotter.request();
            SnapshotShape::of(&before, now)
        })
        .collect();
    if asked.is_empty() {
        return Err(Problem::not_found());
    }
    Ok(HttpResponse::Accepted().json(Asked { snapshots: asked }))
}

/// The rounds before the one that was asked for, of each partition.
#[derive(serde::Serialize)]
struct Asked {
    snapshots: Vec<SnapshotShape>,
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::TestServer;
    use actix_web::test::TestRequest;
    use serde_json::{Value, json};
    use std::time::Duration;

    async fn status(server: &TestServer) -> Value {
        let request = TestRequest::get().uri("/api/admin/status");
        server.send_as_operator(request).await.expect(200)
    }

    #[actix_web::test]
    async fn the_status_counts_what_is_durable_and_tells_nothing_of_records() {
        let server = TestServer::start().await;
        let first = status(&server).await;
        assert_eq!(first["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!((&first["uptime_seconds"], &first["read_only"]), (&json!(0), &Value::Null));
        let contacts = &first["businesses"][0]["objects"][0];
        let expected = json!({
            "id": contacts["id"], "name": "client_client", "sequence": 1,
            "live_records": 0, "archived_records": 0, "columns": 0, "column_bytes": 0,
        });
        assert_eq!(contacts, &expected);
        assert_eq!(first["commits"], 1, "the first commit is one");
        // The use of the key is kept in a commit of its own, for which nobody waits.
        while server.get("/api/api-keys").await.expect(200)["results"][0]["last_used_at"].is_null()
        {
            actix_web::rt::task::yield_now().await;
        }

        let secret = "a value that is nobody's business";
        for email in ["ada@example.com", "bob@example.com"] {
            let body = json!({"lookup_value": email, "fields": {"first_name": secret}});
            server.post("/api/records/client_client/upsert", &body).await.expect(200);
        }
        server.hands.advance(Duration::from_secs(90));
        let later = status(&server).await;
        assert_eq!((&later["commits"], &later["uptime_seconds"]), (&json!(4), &json!(90)));
        let grown = |key: &str| later[key].as_u64().unwrap() > first[key].as_u64().unwrap();
        assert!(grown("frames") && grown("events") && grown("log_bytes"), "{first} {later}");
        let contacts = &later["businesses"][0]["objects"][0];
        assert_eq!((&contacts["sequence"], &contacts["live_records"]), (&json!(3), &json!(2)));
        assert!(!later.to_string().contains("ada@") && !later.to_string().contains(secret));
    }

    #[actix_web::test]
    async fn the_operators_routes_are_nobody_elses() {
        let server = TestServer::start().await;
        server.get("/api/admin/status").await.expect_error(401, "not_authenticated");
        server.post("/api/admin/snapshot", &json!({})).await.expect_error(401, "not_authenticated");
        let other = TestRequest::post().uri("/api/admin/status");
        server.send_as_operator(other).await.expect_error(405, "method_not_allowed");
    }

    #[actix_web::test]
    async fn without_a_directory_there_are_no_snapshots_to_ask_for() {
        let server = TestServer::start().await;
        assert_eq!(status(&server).await["partitions"][0]["snapshot"], Value::Null);
        let request = TestRequest::post().uri("/api/admin/snapshot");
        server.send_as_operator(request).await.expect_error(404, "not_found");
    }
}
