//! The page of the API: all it needs comes from this server.

use crate::support::{Answer, Fixture, Request};

fn as_a_stranger(path: &str) -> Request {
    ["X-API-KEY", "X-BUSINESS-ID", "X-USER-ID"]
        .iter()
        .fold(Request::new("GET", path), |request, name| request.without(name))
}

/// Addresses in attributes of a page.
fn addresses(page: &str) -> Vec<&str> {
    ["href=\"", "src=\""]
        .iter()
        .flat_map(|start| page.split(start).skip(1))
        .map(|rest| rest.split('"').next().expect("a split has a first part"))
        .collect()
}

#[test]
fn the_page_needs_nobody_but_this_server() {
    let mut fixture = Fixture::new();
    let body = |answer: &Answer| String::from_utf8_lossy(&answer.body).into_owned();
    let page = fixture.send(&as_a_stranger("/api/docs"));
    assert_eq!(page.status, 200);
    let policy = page.header("Content-Security-Policy").expect("the page has a policy");
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("http"), "{policy}");
    let html = body(&page);
    let asked: Vec<&str> =
        addresses(&html).into_iter().filter(|address| !address.starts_with("data:")).collect();
    assert_eq!(asked.len(), 4, "{html}");
    for address in asked {
        assert!(address.starts_with("/api/docs/"), "{address}");
        let file = fixture.send(&as_a_stranger(address));
        assert!(file.status == 200 && file.body.len() > 100, "{address}: {}", file.status);
    }
    let initializer = fixture.send(&as_a_stranger("/api/docs/swagger-initializer.js"));
    let initializer = body(&initializer);
    assert!(initializer.contains("/api/openapi.json"), "{initializer}");
    assert!(!initializer.contains("http"), "{initializer}");
    fixture.send(&as_a_stranger("/api/docs/other.js")).expect_error(404, "not_found");
}
