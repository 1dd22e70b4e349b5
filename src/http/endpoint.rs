//! One path and the methods it answers to.
//!
//! It owns what every path owes its callers: `HEAD` wherever `GET` is, `OPTIONS`, `405` with
//! `Allow` for everything else, that a single write takes an `Idempotency-Key`, that the answer to a
//! write has an `X-Seq` and that a read takes it. It must not know any resource.

use crate::http::commit_token;
use crate::http::identity::Access;
use crate::http::keyed::{SingleWrite, once};
use crate::http::problem::Problem;
use crate::http::request_meters::Route;
use actix_web::body::BoxBody;
use actix_web::dev::{AppService, HttpServiceFactory, ServiceRequest};
use actix_web::guard::{self, Guard};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, web};
use std::borrow::Cow;

/// A path with its handlers, to be registered with `ServiceConfig::service`.
pub struct Endpoint {
    resource: Resource,
    path: &'static str,
    methods: Vec<Method>,
    runs_dry: bool,
}

/// What a handler does, and so what stands around it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// It shows a business's states, as of `min_seq` or later.
    Read,
    /// It shows something else.
    Other,
    /// One write, stored under its key. The status is that of what was made or changed.
    SingleWrite { made: StatusCode },
    /// Many writes at once.
    ManyWrites,
}

impl Kind {
    const CHANGE: Self = Self::SingleWrite { made: StatusCode::OK };
}

impl Endpoint {
    /// A path nobody answers yet; `{name}` stands for one segment.
    #[must_use]
    pub fn at(path: &'static str) -> Self {
        Self { resource: web::resource(path), path, methods: Vec::new(), runs_dry: false }
    }

    /// Its writes may be asked for a run that writes nothing; to be said before them.
    #[must_use]
    pub fn running_dry(self) -> Self {
        Self { runs_dry: true, ..self }
    }

    /// Answers `GET`, and `HEAD` with the same headers; the connection leaves the body out.
    #[must_use]
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let either = guard::Any(guard::Get()).or(guard::Head());
        let kind =
            if Access::of_path(self.path) == Access::Member { Kind::Read } else { Kind::Other };
        self.answer(&[Method::GET, Method::HEAD], either, kind, handler)
    }

    /// Answers `POST`, which makes something and is stored under its key.
    #[must_use]
    pub fn post<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let kind = Kind::SingleWrite { made: StatusCode::CREATED };
        self.answer(&[Method::POST], guard::Post(), kind, handler)
    }

    /// Answers `POST`, which changes what is there and is stored under its key.
    #[must_use]
    pub fn post_change<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.answer(&[Method::POST], guard::Post(), Kind::CHANGE, handler)
    }

    /// Answers `POST`, which reads.
    #[must_use]
    pub fn post_read<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.answer(&[Method::POST], guard::Post(), Kind::Read, handler)
    }

    /// Answers `POST`, which changes nothing that a business has.
    #[must_use]
    pub fn post_order<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.answer(&[Method::POST], guard::Post(), Kind::Other, handler)
    }

    /// Answers `POST`, which writes many things at once.
    #[must_use]
    pub fn post_many<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.answer(&[Method::POST], guard::Post(), Kind::ManyWrites, handler)
    }

    /// Answers `PUT`.
    #[must_use]
    pub fn put<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.answer(&[Method::PUT], guard::Put(), Kind::CHANGE, handler)
    }

    /// Answers `PATCH`.
    #[must_use]
    pub fn patch<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.answer(&[Method::PATCH], guard::Patch(), Kind::CHANGE, handler)
    }

    /// Answers `DELETE`.
    #[must_use]
    pub fn delete<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.answer(&[Method::DELETE], guard::Delete(), Kind::CHANGE, handler)
    }

    fn answer<F, Args>(
        mut self,
        methods: &[Method],
        guard: impl Guard + 'static,
        kind: Kind,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.extend_from_slice(methods);
        #[cfg(test)]
        if matches!(kind, Kind::SingleWrite { .. }) {
            KEYED.with_borrow_mut(|routes| {
                let template = template(self.path).into_owned();
                routes.extend(methods.iter().map(|method| (method.to_string(), template.clone())));
            });
        }
        let route = web::route().guard(guard).to(handler);
        let route = match kind {
            Kind::Other => route,
            Kind::Read => route.wrap(from_fn(commit_token::wait)),
            Kind::ManyWrites => route.wrap(from_fn(commit_token::name)),
            Kind::SingleWrite { made } => {
                let write = SingleWrite { made, runs_dry: self.runs_dry };
                let once =
                    move |request: ServiceRequest, next: Next<BoxBody>| once(write, request, next);
                route.wrap(from_fn(once)).wrap(from_fn(commit_token::name))
            }
        };
        self.resource = self.resource.route(route);
        self
    }

    /// The path as people write it: a placeholder is its name alone.
    #[must_use]
    pub fn template(&self) -> Cow<'static, str> {
        template(self.path)
    }

    /// The methods, as `Allow` lists them.
    fn allow(&self) -> HeaderValue {
        let mut names: Vec<_> = self.methods.iter().map(Method::as_str).collect();
        names.push(Method::OPTIONS.as_str());
        HeaderValue::from_str(&names.join(", ")).expect("names of methods are a header value")
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        let allow = self.allow();
        let other_method = move |request: HttpRequest| {
            let allow = allow.clone();
            async move {
                if request.method() == Method::OPTIONS {
                    let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
                    response.headers_mut().insert(header::ALLOW, allow);
                    return Ok(response);
                }
                Err(Problem::method_not_allowed(request.method(), allow))
            }
        };
        #[cfg(test)]
        note(&self);
        let route = Route::of_template(self.template());
        self.resource.app_data(route).default_service(web::to(other_method)).register(config);
    }
}

#[cfg(test)]
thread_local! {
    static REGISTERED: std::cell::RefCell<std::collections::BTreeSet<(String, String)>> =
        std::cell::RefCell::default();
}

#[cfg(test)]
fn note(endpoint: &Endpoint) {
    let of_method = |method: &Method| (method.to_string(), endpoint.template().into_owned());
    REGISTERED.with_borrow_mut(|routes| routes.extend(endpoint.methods.iter().map(of_method)));
}

#[cfg(test)]
thread_local! {
    static KEYED: std::cell::RefCell<std::collections::BTreeSet<(String, String)>> =
        std::cell::RefCell::default();
}

/// Method and template of every route that takes an `Idempotency-Key`.
#[cfg(test)]
pub(crate) fn keyed() -> std::collections::BTreeSet<(String, String)> {
    KEYED.with_borrow(Clone::clone)
}

/// Method and template of every route that applications of this test have registered.
#[cfg(test)]
pub(crate) fn registered() -> std::collections::BTreeSet<(String, String)> {
    REGISTERED.with_borrow(Clone::clone)
}

/// Leaves out what a placeholder's value must look like.
fn template(path: &'static str) -> Cow<'static, str> {
    if !path.contains(':') {
        return Cow::Borrowed(path);
    }
    let (mut plain, mut depth, mut in_pattern) = (String::with_capacity(path.len()), 0_u32, false);
    for character in path.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ':' if depth == 1 => in_pattern = true,
            _ => {}
        }
        if depth == 0 {
            in_pattern = false;
        }
        if !in_pattern {
            plain.push(character);
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_names_only() {
        for (path, expected) in [
            ("/api/team", "/api/team"),
            ("/api/team/{id}", "/api/team/{id}"),
            ("/a/{b:[0-9a-f-]{36}}", "/a/{b}"),
            ("/a/{b:[0-9]{1,2}}/c/{d:.*}/e", "/a/{b}/c/{d}/e"),
        ] {
            assert_eq!(template(path), expected);
        }
    }
}
