//! Pages: which part of a list is asked for, and the envelope it comes in.
//!
//! It must not know what is listed.

use crate::http::fault::Faults;
use crate::http::options::Options;
use crate::http::problem::Problem;
use crate::http::query::Query;
use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::Data;
use serde::Serialize;
use std::net::SocketAddr;
use std::ops::Range;

const PAGE_SIZE_DEFAULT: usize = 100;
const PAGE_SIZE_MAX: usize = 1000;

/// Which page of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// From 1.
    number: usize,
    size: usize,
}

impl PageRequest {
    /// Takes `page` and `page_size` from a query.
    pub fn of_query(query: &mut Query<'_>, faults: &mut Faults) -> Result<Self, Problem> {
        let size = query.text("page_size", faults).map(str::to_owned);
        Self::new(query.text("page", faults), size.as_deref())
    }

    /// Of what was given, wherever it stood: a page that cannot be is not found, a size that
    /// cannot be is the default.
    pub fn new(page: Option<&str>, page_size: Option<&str>) -> Result<Self, Problem> {
        let number = page.map_or(Some(1), |page| whole_number(page).filter(|number| *number > 0));
        let size = page_size.and_then(whole_number).filter(|size| *size > 0);
        Ok(Self {
            number: number.ok_or_else(invalid_page)?,
            size: size.unwrap_or(PAGE_SIZE_DEFAULT).min(PAGE_SIZE_MAX),
        })
    }

    /// Rows of a full page.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The places of this page, however long the list is.
    #[must_use]
    pub fn window(&self) -> Range<usize> {
        let start = (self.number - 1).saturating_mul(self.size);
        start..start.saturating_add(self.size)
    }

    /// The places of this page in a list of `count`; page 1 of nothing is empty.
    pub fn places(&self, count: usize) -> Result<Range<usize>, Problem> {
        let Range { start, end } = self.window();
        if start >= count && self.number > 1 {
            return Err(invalid_page());
        }
        Ok(start..count.min(end))
    }

    /// Puts the rows of this page, of `count` in all, into their envelope.
    #[must_use]
    pub fn envelope<T>(self, count: usize, results: Vec<T>, address: &Address<'_>) -> Page<T> {
        let has_next = self.number.saturating_mul(self.size) < count;
        Page {
            count,
            next: has_next.then(|| address.of_page(self.number + 1)),
            previous: (self.number > 1).then(|| address.of_page(self.number - 1)),
            results,
            errors: (),
        }
    }
}

/// Digits alone make a number here; one too large to hold is larger than any list.
fn whole_number(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}

fn invalid_page() -> Problem {
    Problem::not_found().saying("Invalid page.")
}

/// The envelope of every list that is called a page.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    pub count: usize,
    pub next: Option<String>,
    pub previous: Option<String>,
    pub results: Vec<T>,
    /// Always null.
    pub errors: (),
}

/// The address of a list, from which those of its other pages are made.
#[derive(Clone, Debug)]
pub struct Address<'a> {
    origin: String,
    path: &'a str,
    query: &'a str,
}

impl<'a> Address<'a> {
    /// Where this request was sent, as the server's own options have it.
    #[must_use]
    pub fn of_request(request: &'a HttpRequest) -> Self {
        let options = request
            .app_data::<Data<Options>>()
            .expect("the registration of the routes provides it");
        Self::of(request, options.answers.public_url.as_deref(), options.listen)
    }

    /// Where this request was sent. The origin is the operator's, else the one the client used.
    #[must_use]
    pub fn of(request: &'a HttpRequest, public_url: Option<&str>, listen: SocketAddr) -> Self {
        let origin = public_url.map_or_else(
            || {
                let host = request.headers().get(header::HOST);
                let host = host.and_then(|host| host.to_str().ok()).filter(|host| !host.is_empty());
                host.map_or_else(|| format!("http://{listen}"), |host| format!("http://{host}"))
            },
            str::to_owned,
        );
        Self { origin, path: request.uri().path(), query: request.query_string() }
    }

    /// The same list at another page.
    fn of_page(&self, number: usize) -> String {
        self.with_parameter("page", &number.to_string())
    }

    /// The same list with another value of one parameter, which needs no encoding: every other
    /// parameter is carried over as it was written.
    #[must_use]
    pub fn with_parameter(&self, name: &str, value: &str) -> String {
        let mut url = format!("{}{}?", self.origin, self.path);
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            if pair.split('=').next() != Some(name) {
                url.push_str(pair);
                url.push('&');
            }
        }
        url.push_str(name);
        url.push('=');
        url.push_str(value);
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;
    use std::net::Ipv4Addr;

    const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7171);

    /// What a page of a list of 250 holds, or that there is no such page.
    fn check(page: Option<&str>, size: Option<&str>, places: Option<(usize, usize)>) {
        let read = PageRequest::new(page, size).and_then(|page| page.places(250));
        if let Err(problem) = &read {
            assert_eq!((problem.status().as_u16(), problem.detail()), (404, "Invalid page."));
        }
        assert_eq!(read.ok().map(|range| (range.start, range.end)), places, "{page:?} {size:?}");
    }

    #[test]
    fn the_page_must_exist() {
        check(None, None, Some((0, 100)));
        check(Some("1"), None, Some((0, 100)));
        check(Some("3"), None, Some((200, 250)));
        for page in ["4", "0", "-1", "1.5", "x", "", "99999999999999999999999"] {
            check(Some(page), None, None);
        }
    }

    #[test]
    fn the_size_is_cut_or_falls_back() {
        check(None, Some("7"), Some((0, 7)));
        check(Some("36"), Some("7"), Some((245, 250)));
        check(None, Some("1000"), Some((0, 250)));
        for size in ["0", "-5", "x", "", "1.5"] {
            check(None, Some(size), Some((0, 100)));
        }
        for size in ["1001", "99999999999999999999999"] {
            let page = PageRequest::new(None, Some(size)).unwrap();
            assert_eq!(page.places(5000).unwrap(), 0..1000);
        }
    }

    #[test]
    fn page_one_of_nothing_is_empty_and_page_two_is_not_there() {
        assert_eq!(PageRequest::new(None, None).unwrap().places(0).unwrap(), 0..0);
        assert!(PageRequest::new(Some("2"), None).unwrap().places(0).is_err());
    }

    fn envelope(uri: &str, host: Option<&str>, public_url: Option<&str>) -> String {
        let mut request = TestRequest::get().uri(uri);
        if let Some(host) = host {
            request = request.insert_header((header::HOST, host.to_owned()));
        }
        let request = request.to_http_request();
        let mut faults = Faults::default();
        let mut query = Query::read(request.query_string(), &mut faults);
        let page = PageRequest::of_query(&mut query, &mut faults).unwrap();
        let address = Address::of(&request, public_url, LISTEN);
        let rows: Vec<_> = page.places(5).unwrap().collect();
        serde_json::to_string(&page.envelope(5, rows, &address)).unwrap()
    }

    #[test]
    fn the_links_are_absolute_and_carry_all_other_parameters() {
        assert_eq!(
            envelope("/api/team?search=a%20b&page=2&page_size=2&x", Some("example.com:81"), None),
            r#"{"count":5,"next":"http://example.com:81/api/team?search=a%20b&page_size=2&x&page=3","previous":"http://example.com:81/api/team?search=a%20b&page_size=2&x&page=1","results":[2,3],"errors":null}"#
        );
        assert_eq!(
            envelope("/api/team?page_size=4", None, Some("https://crm.example.com")),
            r#"{"count":5,"next":"https://crm.example.com/api/team?page_size=4&page=2","previous":null,"results":[0,1,2,3],"errors":null}"#
        );
        assert_eq!(
            envelope("/api/team", None, None),
            r#"{"count":5,"next":null,"previous":null,"results":[0,1,2,3,4],"errors":null}"#
        );
        assert_eq!(
            envelope("/api/team?page_size=4&page=2", None, None),
            r#"{"count":5,"next":null,"previous":"http://127.0.0.1:7171/api/team?page_size=4&page=1","results":[4],"errors":null}"#
        );
    }
}
