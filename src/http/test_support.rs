//! A server without a network, for tests of handlers: the real application over a real engine
//! whose log is in memory.
//!
//! It must not know any resource.

use crate::ambient::SettableClock;
use crate::engine::Engine;
use crate::engine::bootstrap::Bootstrap;
use crate::engine::test_support::in_memory;
use crate::http::app::{Edge, app};
use crate::http::caller::Caller;
use crate::http::identity::{Authenticate, OperatorKey};
use crate::http::options::{AnswerOptions, BatchLimits, BodyLimits, ConnectionLimits, Options};
use crate::http::routes;
use crate::model::id::{BusinessId, Timestamp, UserId};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::test::{TestRequest, init_service, try_call_service};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// 2026-11-24T05:40:00.123Z, where the clock of every test server stands still.
pub(crate) const NOW: Timestamp = Timestamp(1_795_498_800_123);
/// `NOW` as answers show it.
pub(crate) const NOW_TEXT: &str = "2026-11-24T05:40:00.123000+00:00";
/// An id that nothing has.
pub(crate) const UNKNOWN_ID: &str = "00000000-0000-7000-8000-000000000000";

pub(crate) const API_KEY: &str = "a-secret-of-a-test";
pub(crate) const BUSINESS: BusinessId =
    BusinessId(Uuid::from_u128(0x0192_f7aa_0000_7000_8000_0000_0000_0001));
pub(crate) const USER: UserId = UserId(Uuid::from_u128(0x0192_f7aa_0000_7000_8000_0000_0000_0002));
const OPERATOR_KEY: &str = "operator-secret";

/// A business at its first moment, with its administrator.
pub(crate) struct TestServer {
    edge: Edge,
    pub(crate) engine: Arc<Engine>,
    pub(crate) hands: Arc<SettableClock>,
}

/// What a request was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null where there is none.
    pub(crate) body: Value,
}

impl TestServer {
    /// A server with the default settings.
    pub(crate) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// A server with some settings changed.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = options();
        change(&mut options);
        let hands = SettableClock::at(NOW);
        let engine = engine(&hands).await;
        let checker = engine.clone();
        let authenticate = Authenticate::new(move |credentials, extensions| {
            Caller::admit(&checker, credentials, extensions)
        });
        let resources = routes::resources(engine.clone(), options.clone());
        let edge = Edge::new(&options, hands.clock(), authenticate, resources);
        Self { edge, engine, hands }
    }

    /// Sends a request as the administrator.
    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        self.send_as(API_KEY, &USER.to_string(), request).await
    }

    /// Sends a request as another member.
    pub(crate) async fn send_as(&self, key: &str, user: &str, request: TestRequest) -> Answer {
        let request = request
            .insert_header(("X-API-KEY", key.to_owned()))
            .insert_header(("X-BUSINESS-ID", BUSINESS.to_string()))
            .insert_header(("X-USER-ID", user.to_owned()));
        self.call(request).await
    }

    /// Sends a request as the operator.
    pub(crate) async fn send_as_operator(&self, request: TestRequest) -> Answer {
        self.call(request.insert_header(("X-OPERATOR-KEY", OPERATOR_KEY))).await
    }

    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.send(TestRequest::get().uri(uri)).await
    }

    pub(crate) async fn post(&self, uri: &str, body: &Value) -> Answer {
        self.send(TestRequest::post().uri(uri).set_json(body)).await
    }

    pub(crate) async fn patch(&self, uri: &str, body: &Value) -> Answer {
        self.send(TestRequest::patch().uri(uri).set_json(body)).await
    }

    pub(crate) async fn put(&self, uri: &str, body: &Value) -> Answer {
        self.send(TestRequest::put().uri(uri).set_json(body)).await
    }

    pub(crate) async fn delete(&self, uri: &str) -> Answer {
        self.send(TestRequest::delete().uri(uri)).await
    }

    async fn call(&self, request: TestRequest) -> Answer {
        let request = request.insert_header((header::HOST, "crm.example.com"));
        let service = init_service(app(&self.edge).expect("there is entropy")).await;
        let response = match try_call_service(&service, request.to_request()).await {
            Ok(response) => response.into_parts().1,
            Err(error) => error.as_response_error().error_response(),
        };
        let (response, body) = response.into_parts();
        let bytes = actix_web::body::to_bytes(body).await.expect("a body in memory is complete");
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).expect("every body is JSON")
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body }
    }
}

impl Answer {
    /// The body of an answer that must have this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The body of an error that must have this status and code.
    #[track_caller]
    pub(crate) fn expect_error(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status, &self.body["code"]),
            (status, &Value::from(code)),
            "{}",
            self.body
        );
        self.body
    }

    /// The codes of its faults, each with the parameter or field it is about.
    pub(crate) fn faults(&self) -> Vec<(String, String)> {
        let faults = self.body["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let place = |fault: &Value| {
            let parameter = text(&fault["parameter"]);
            if parameter.is_empty() { text(&fault["field"]) } else { parameter }
        };
        faults.iter().map(|fault| (text(&fault["code"]), place(fault))).collect()
    }
}

async fn engine(hands: &Arc<SettableClock>) -> Arc<Engine> {
    let bootstrap = Bootstrap { api_key: API_KEY.to_owned(), business_id: BUSINESS, user_id: USER };
    in_memory(bootstrap, 1 << 16, hands.clock()).await
}

pub(crate) fn options() -> Options {
    Options {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7171)),
        workers: 1,
        shutdown_wait: Duration::from_secs(10),
        limits: ConnectionLimits {
            connections_max: 4096,
            connections_per_peer_max: Some(1024),
            idle_timeout: Duration::from_mins(1),
        },
        bodies: BodyLimits {
            json_bytes_max: 16 << 20,
            all_bytes_max: 512 << 20,
            timeout: Duration::from_mins(1),
        },
        batches: BatchLimits {
            rows_max: 10_000,
            atomic_rows_max: 1_000,
            line_bytes_max: 1 << 20,
            window_rows: 4_096,
        },
        answers: AnswerOptions {
            upsert_created: StatusCode::OK,
            added: StatusCode::CREATED,
            archived_conflict: StatusCode::CONFLICT,
            public_url: None,
        },
        search_timeout: Duration::from_secs(10),
        rate_limit: None,
        openapi_public: true,
        serves_metrics: true,
        operator_key: Some(OperatorKey::new(OPERATOR_KEY)),
    }
}
