//! Puts the application together: middleware, what its handlers share, and the routes.
//!
//! Resources are brought by whoever assembles the server; this file must not know them.

use crate::ambient::{Clock, EntropyError};
use crate::http::body::Bodies;
use crate::http::counters::Counters;
use crate::http::front::front;
use crate::http::health::{self, Readiness};
use crate::http::identity::{Authenticate, OperatorKey};
use crate::http::options::Options;
use crate::http::problem::Problem;
use crate::http::rate_limit::RateLimits;
use crate::http::request_id::RequestIds;
use crate::http::request_meters::{RequestMeters, Route};
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, Error, HttpResponse};
use std::fmt;
use std::sync::Arc;

type Register = dyn Fn(&mut ServiceConfig) + Send + Sync;

/// The routes of the resources, with what their handlers need.
#[derive(Clone)]
pub struct Resources(Arc<Register>);

impl Resources {
    /// Registers with `register`, once for each worker.
    pub fn new(register: impl Fn(&mut ServiceConfig) + Send + Sync + 'static) -> Self {
        Self(Arc::new(register))
    }
}

/// What all workers of one server share. A clone is the same server.
#[derive(Clone)]
pub struct Edge {
    pub(crate) clock: Clock,
    pub(crate) authenticate: Authenticate,
    pub(crate) operator_key: Option<OperatorKey>,
    pub(crate) openapi_public: bool,
    pub(crate) counters: Arc<Counters>,
    pub(crate) meters: Arc<RequestMeters>,
    /// None: nobody is limited.
    pub(crate) rate_limits: Option<Arc<RateLimits>>,
    readiness: Data<Readiness>,
    bodies: Data<Bodies>,
    resources: Resources,
}

impl Edge {
    /// An edge that checks callers with `authenticate` and serves `resources`.
    #[must_use]
    pub fn new(
        options: &Options,
        clock: Clock,
        authenticate: Authenticate,
        resources: Resources,
    ) -> Self {
        let counters = Arc::<Counters>::default();
        Self {
            clock,
            authenticate,
            operator_key: options.operator_key.clone(),
            openapi_public: options.openapi_public,
            readiness: Data::new(Readiness::default()),
            bodies: Data::new(Bodies::new(options.bodies, Arc::clone(&counters))),
            counters,
            meters: Arc::default(),
            rate_limits: options.rate_limit.map(|policy| Arc::new(RateLimits::new(policy))),
            resources,
        }
    }

    /// What `/readyz` says; a clone is the same.
    #[must_use]
    pub fn readiness(&self) -> Arc<Readiness> {
        Arc::clone(&self.readiness)
    }

    /// What the edge counts about itself.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge")
            .field("readiness", &self.readiness)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// The application of one worker.
pub fn app(
    edge: &Edge,
) -> Result<
    App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
        > + use<>,
    >,
    EntropyError,
> {
    let resources = edge.resources.clone();
    Ok(App::new()
        .app_data(RequestIds::new()?)
        .app_data(Route::none())
        .app_data(Data::new(edge.clone()))
        .app_data(edge.readiness.clone())
        .app_data(edge.bodies.clone())
        .service(health::healthz())
        .service(health::readyz())
        .configure(|config| (resources.0)(config))
        .default_service(web::to(async || Err::<HttpResponse, _>(Problem::not_found())))
        .wrap(from_fn(front)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::body::Body;
    use crate::http::endpoint::Endpoint;
    use crate::http::identity::Refused;
    use crate::http::options::{AnswerOptions, BatchLimits, BodyLimits, ConnectionLimits};
    use actix_web::HttpMessage as _;
    use actix_web::HttpRequest;
    use actix_web::http::header::HeaderMap;
    use actix_web::http::{ConnectionType, Method, StatusCode};
    use actix_web::test::{TestRequest, init_service, try_call_service};
    use serde_json::Value;
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    fn options() -> Options {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            workers: 1,
            shutdown_wait: Duration::from_secs(10),
            limits: ConnectionLimits {
                connections_max: 4096,
                connections_per_peer_max: Some(1024),
                idle_timeout: Duration::from_mins(1),
            },
            bodies: BodyLimits {
                json_bytes_max: 100,
                all_bytes_max: 1000,
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
            operator_key: Some(OperatorKey::new("operator-secret")),
        }
    }

    /// Who the check has let in.
    struct Caller(String);

    fn edge() -> Edge {
        let authenticate = Authenticate::new(|credentials, extensions| {
            if credentials.api_key != "key" {
                return Err(Refused);
            }
            extensions.insert(Caller(credentials.user_id.to_owned()));
            Ok(())
        });
        let resources = Resources::new(|config| {
            let whoami = async |request: HttpRequest| {
                request.extensions().get::<Caller>().expect("the check has run").0.clone()
            };
            let echo = async |body: Body| match body.parse() {
                Ok(_) => Ok(HttpResponse::Ok().body(body.bytes().to_vec())),
                Err(error) => Err(Problem::from(error)),
            };
            config
                .service(Endpoint::at("/api/whoami").get(whoami).delete(async || "gone"))
                .service(Endpoint::at("/api/echo").post_order(echo))
                .service(Endpoint::at("/api/ignore").post_order(async || "ignored"))
                .service(Endpoint::at("/api/admin/status").get(async || "status"))
                .service(Endpoint::at("/boom").get(async || -> &'static str { panic!("boom") }));
        });
        Edge::new(&options(), Clock::system(), authenticate, resources)
    }

    struct Answer {
        status: u16,
        headers: HeaderMap,
        closes: bool,
        body: String,
    }

    impl Answer {
        fn header(&self, name: &str) -> Option<&str> {
            self.headers.get(name).map(|value| value.to_str().unwrap())
        }

        fn code(&self) -> Option<String> {
            let body: Value = serde_json::from_str(&self.body).ok()?;
            body["code"].as_str().map(str::to_owned)
        }
    }

    async fn call(edge: &Edge, request: TestRequest) -> Answer {
        let service = init_service(app(edge).unwrap()).await;
        let response = match try_call_service(&service, request.to_request()).await {
            Ok(response) => response.into_parts().1,
            Err(error) => error.as_response_error().error_response(),
        };
        let (response, body) = response.into_parts();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            closes: response.head().connection_type() == ConnectionType::Close,
            body: String::from_utf8(
                actix_web::body::to_bytes(body).await.unwrap_or_default().to_vec(),
            )
            .unwrap(),
        }
    }

    fn member(request: TestRequest) -> TestRequest {
        request
            .insert_header(("x-api-key", "key"))
            .insert_header(("X-Business-Id", "business"))
            .insert_header(("X-USER-ID", "user"))
    }

    async fn check(request: TestRequest, status: u16, code: Option<&str>) -> Answer {
        let answer = call(&edge(), request).await;
        assert_eq!((answer.status, answer.code().as_deref()), (status, code), "{}", answer.body);
        answer
    }

    #[actix_web::test]
    async fn health_needs_no_credentials_and_readiness_follows_the_state() {
        let answer = check(TestRequest::get().uri("/healthz"), 200, None).await;
        assert_eq!(answer.body, r#"{"status":"ok"}"#);
        let edge = edge();
        for (state, status, body) in [
            (health::State::Ready, 200, r#"{"status":"ready"}"#),
            (health::State::ReadOnly, 503, r#"{"status":"read_only"}"#),
            (health::State::ShuttingDown, 503, r#"{"status":"shutting_down"}"#),
        ] {
            edge.readiness().set(state);
            let answer = call(&edge, TestRequest::get().uri("/readyz")).await;
            assert_eq!((answer.status, &*answer.body), (status, body));
        }
        assert_eq!(call(&edge, TestRequest::get().uri("/healthz")).await.status, 200);
    }

    #[actix_web::test]
    async fn unknown_paths_and_trailing_slashes_are_not_found() {
        for path in ["/", "/nothing", "/healthz/", "/healthz//", "/a/../healthz", "/healthz%2f"] {
            check(TestRequest::get().uri(path), 404, Some("not_found")).await;
        }
        for path in ["/api/nothing", "/api/whoami/", "/api/echo/%2e%2e/whoami"] {
            check(member(TestRequest::get().uri(path)), 404, Some("not_found")).await;
        }
    }

    #[actix_web::test]
    async fn a_wrong_method_is_told_the_right_ones() {
        for method in [Method::POST, Method::PUT, Method::TRACE] {
            let request = member(TestRequest::default().method(method.clone()).uri("/api/whoami"));
            let answer = check(request, 405, Some("method_not_allowed")).await;
            assert_eq!(answer.header("allow"), Some("GET, HEAD, DELETE, OPTIONS"));
            let detail = format!(r#""detail":"Method \"{method}\" not allowed.""#);
            assert!(answer.body.contains(&detail), "{}", answer.body);
        }
        let options = member(TestRequest::default().method(Method::OPTIONS).uri("/api/echo"));
        let answer = check(options, 204, None).await;
        assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
        let head = member(TestRequest::default().method(Method::HEAD));
        check(head.uri("/api/whoami"), 200, None).await;
        let head = member(TestRequest::default().method(Method::HEAD));
        check(head.uri("/api/echo"), 405, Some("method_not_allowed")).await;
    }

    #[actix_web::test]
    async fn the_three_headers_are_asked_for_before_anything_else() {
        let answer = check(member(TestRequest::get().uri("/api/whoami")), 200, None).await;
        assert_eq!(answer.body, "user");
        // Unknown paths do not tell themselves from known ones.
        for path in ["/api/whoami", "/api/nothing", "/api/echo", "/api"] {
            for name in ["x-api-key", "x-business-id", "x-user-id"] {
                for value in ["", " "] {
                    let request = member(TestRequest::get().uri(path)).insert_header((name, value));
                    let answer = check(request, 401, Some("not_authenticated")).await;
                    let challenge = answer.header("www-authenticate");
                    assert_eq!(challenge, Some("ApiKey realm=\"upsertd\""));
                }
            }
            check(TestRequest::get().uri(path), 401, Some("not_authenticated")).await;
        }
        let wrong = member(TestRequest::get().uri("/api/whoami"));
        let wrong = wrong.insert_header(("x-api-key", "other"));
        let answer = check(wrong, 401, Some("authentication_failed")).await;
        assert!(answer.body.starts_with(r#"{"detail":"Invalid credentials.","#));
    }

    #[actix_web::test]
    async fn a_header_given_twice_is_no_credential() {
        let twice = member(TestRequest::get().uri("/api/whoami"));
        let twice = twice.append_header(("x-user-id", "other"));
        check(twice, 401, Some("not_authenticated")).await;
    }

    #[actix_web::test]
    async fn the_operator_has_a_key_of_its_own() {
        let status = || TestRequest::get().uri("/api/admin/status");
        check(status(), 401, Some("not_authenticated")).await;
        check(member(status()), 401, Some("not_authenticated")).await;
        let wrong = status().insert_header(("x-operator-key", "operator-secreT"));
        check(wrong, 401, Some("authentication_failed")).await;
        let right = status().insert_header(("x-operator-key", "operator-secret"));
        check(right, 200, None).await;

        let mut edge = edge();
        edge.operator_key = None;
        let right = status().insert_header(("x-operator-key", "operator-secret"));
        let answer = call(&edge, right).await;
        assert_eq!((answer.status, answer.code().as_deref()), (404, Some("not_found")));
    }

    #[actix_web::test]
    async fn every_answer_carries_a_request_id_and_errors_repeat_it() {
        let own = TestRequest::get().uri("/healthz").insert_header(("X-Request-ID", "order 66"));
        assert_eq!(check(own, 200, None).await.header("x-request-id"), Some("order 66"));
        for uri in ["/nothing", "/boom", "/api/whoami"] {
            let own = TestRequest::get().uri(uri).insert_header(("x-request-id", "order-66"));
            let answer = call(&edge(), own).await;
            assert_eq!(answer.header("x-request-id"), Some("order-66"));
            assert!(answer.body.ends_with(r#""request_id":"order-66"}"#), "{}", answer.body);
        }
        let long = TestRequest::get().uri("/").insert_header(("x-request-id", "x".repeat(129)));
        let answer = call(&edge(), long).await;
        let made = answer.header("x-request-id").unwrap();
        assert!(uuid::Uuid::parse_str(made).is_ok(), "{made}");
        assert!(answer.body.contains(made));
    }

    #[actix_web::test]
    async fn a_panic_is_an_internal_error_that_tells_nothing_and_is_counted() {
        let edge = edge();
        let answer = call(&edge, TestRequest::get().uri("/boom")).await;
        assert_eq!((answer.status, answer.code().as_deref()), (500, Some("internal_error")));
        assert!(!answer.body.contains("boom"));
        assert_eq!(edge.counters().panics.get(), 1);
        assert_eq!(call(&edge, TestRequest::get().uri("/healthz")).await.status, 200);
    }

    #[actix_web::test]
    async fn head_and_url_have_limits() {
        let url = |len: usize| format!("/nothing?{}", "q".repeat(len - "/nothing?".len()));
        check(TestRequest::get().uri(&url(16 * 1024)), 404, Some("not_found")).await;
        let answer = check(TestRequest::get().uri(&url(16 * 1024 + 1)), 414, None).await;
        assert!(answer.closes && answer.body.is_empty());
        let head = |len: usize| {
            let value = "v".repeat(len - "x-long: \r\n".len());
            TestRequest::get().uri("/healthz").insert_header(("x-long", value))
        };
        check(head(32 * 1024), 200, None).await;
        let answer = check(head(32 * 1024 + 1), 431, None).await;
        assert!(answer.closes && answer.body.is_empty());
    }

    #[actix_web::test]
    async fn what_is_no_plain_request_is_refused_and_closes() {
        for uri in ["http://example.com/healthz", "https://example.com/"] {
            assert!(check(TestRequest::get().uri(uri), 400, Some("invalid")).await.closes);
        }
        let connect = TestRequest::default().method(Method::CONNECT).uri("example.com:443");
        assert!(check(connect, 400, Some("invalid")).await.closes);
        let upgrade =
            |to: &'static str| TestRequest::get().uri("/healthz").insert_header(("upgrade", to));
        for to in ["websocket", "h2c, websocket", "TLS/1.0"] {
            let answer = check(upgrade(to), 400, Some("invalid")).await;
            assert!(answer.closes && answer.body.contains(r#""parameter":"Upgrade""#));
        }
        check(upgrade("h2c"), 200, None).await;
    }

    #[actix_web::test]
    async fn a_body_that_was_not_read_closes_the_connection() {
        let post = |uri: &str| {
            member(TestRequest::post().uri(uri))
                .insert_header(("content-length", "2"))
                .set_payload("{}")
        };
        let read = check(post("/api/echo"), 200, None).await;
        assert!(!read.closes);
        assert_eq!(read.body, "{}");
        assert!(check(post("/api/ignore"), 200, None).await.closes);
        assert!(check(post("/api/nothing"), 404, Some("not_found")).await.closes);
        let stranger = post("/api/echo").insert_header(("x-api-key", "other"));
        assert!(check(stranger, 401, Some("authentication_failed")).await.closes);
        let claims = post("/api/echo").insert_header(("content-length", "101"));
        assert!(check(claims, 413, Some("payload_exceeded")).await.closes);
        // Without a body there is nothing to leave unread.
        let bare = member(TestRequest::post().uri("/api/ignore"));
        assert!(!check(bare, 200, None).await.closes);
        let empty = member(TestRequest::post().uri("/api/ignore"));
        let empty = empty.insert_header(("content-length", "0"));
        assert!(!check(empty, 200, None).await.closes);
    }

    #[actix_web::test]
    async fn bad_json_is_a_parse_error_that_says_where() {
        let post = member(TestRequest::post().uri("/api/echo"))
            .insert_header(("content-length", "7"))
            .set_payload("{\"a\":1,");
        let answer = check(post, 400, Some("parse_error")).await;
        assert!(answer.body.contains("line 1 column 7"), "{}", answer.body);
        assert!(!answer.closes);
    }
}
