//! The change feed: every change once and in order, told to those who may hear of it.

mod all_objects;
mod cursors;
mod history;
mod origins;
mod pages;
mod rebuilding;
mod rights;
mod schema;
mod slow_readers;
mod waiting;

use crate::support::{Client, text};
use serde_json::Value;

/// A page of an object's feed; `query` is what stands behind the question mark.
#[track_caller]
fn page(client: &mut Client, object: &str, query: &str) -> Value {
    client.get(&format!("/api/records/{object}/changes?{query}")).expect(200)
}

fn entries(page: &Value) -> &[Value] {
    page["results"].as_array().expect("a page has results")
}

/// The whole feed, page by page.
#[track_caller]
fn all(client: &mut Client, object: &str, query: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = page(client, object, &format!("{query}{after}"));
        found.extend(entries(&page).iter().cloned());
        if page["has_more"] == false {
            return found;
        }
        after = format!("&after={}", text(&page, "next_cursor"));
    }
}

/// The cursor of the feed's end.
#[track_caller]
fn end(client: &mut Client, object: &str) -> String {
    text(&page(client, object, "after=now"), "next_cursor").to_owned()
}

/// What the entries say of one key.
fn each(entries: &[Value], key: &str) -> Vec<Value> {
    entries.iter().map(|entry| entry[key].clone()).collect()
}
