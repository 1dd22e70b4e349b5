//! What lists are asked for: pages that cannot be, orders and words that nobody knows.

use crate::api::bad_input::judge::{faults, only_fault, refusal};
use crate::api::bad_input::on_every_route;
use crate::api::bad_input::parameters::ask;

#[test]
fn a_page_that_cannot_be_is_not_found() {
    on_every_route(|scene, route| {
        if !route.is_paged {
            return;
        }
        let numbers =
            ["0", "-1", "1.5", "x", "", "1e3", "%EF%BC%91", "2147483648", "99999999999999999999"];
        for number in numbers {
            let answer = ask(scene, route, &format!("page={number}"));
            let body = refusal(&answer, route);
            assert_eq!(
                (answer.status, &body["detail"]),
                (404, &"Invalid page.".into()),
                "{answer}"
            );
        }
    });
}

/// The size of a page is never at fault; the contract cuts it or takes the default.
#[test]
fn a_size_that_cannot_be_is_another() {
    on_every_route(|scene, route| {
        if !route.is_paged || !route.query.is_empty() {
            return;
        }
        let plain = ask(scene, route, "");
        for size in ["0", "-1", "x", "", "1.5", "1e3", "99999999999999999999", "1001"] {
            let answer = ask(scene, route, &format!("page_size={size}"));
            assert_eq!(answer.status, 200, "{answer}");
            assert_eq!(answer.json()["results"], plain.json()["results"], "{answer}");
        }
    });
}

/// The page comes after everything that makes the request itself a bad one.
#[test]
fn a_bad_request_for_a_page_that_cannot_be_is_a_bad_request() {
    on_every_route(|scene, route| {
        if route.is_paged {
            let answer = ask(scene, route, "page=0&strict=true&nonsense=1");
            only_fault(&answer, route, "unknown_parameter", "nonsense");
            if route.reads() {
                let answer = ask(scene, route, "page=0&min_seq=1");
                only_fault(&answer, route, "invalid", "min_seq");
            }
        }
    });
}

#[test]
fn an_order_that_nobody_knows_is_told() {
    on_every_route(|scene, route| {
        if !route.is_ordered {
            return;
        }
        for order in ["nonsense", "-nonsense", "--name", "%00", "name%20desc", "-"] {
            let answer = ask(scene, route, &format!("ordering={order}"));
            only_fault(&answer, route, "does_not_exist", "ordering");
        }
        let answer = ask(scene, route, "ordering=nonsense,-gibberish");
        let body = refusal(&answer, route);
        assert_eq!(faults(&body).len(), 2, "all of them at once: {answer}");
    });
}

#[test]
fn a_word_of_a_query_is_one_of_a_closed_list() {
    on_every_route(|scene, route| {
        for name in route.words {
            for word in ["nonsense", "", "CLEAR", "true", "%00"] {
                let answer = ask(scene, route, &format!("{name}={word}"));
                only_fault(&answer, route, "invalid_choice", name);
            }
        }
    });
}
