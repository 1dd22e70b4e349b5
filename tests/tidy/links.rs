//! Documents: every link and every page that is named must be there.

use crate::tidy::source::{Source, below, check, root};
use std::fs;
use std::path::{Path, PathBuf};

fn documents() -> Vec<Source> {
    let documents = below(
        &["README.md", "ARCHITECTURE.md", "docs", "loadtests", "snapshots/README.md", "tests"],
        &[".md"],
    );
    assert!(!documents.is_empty(), "the documents are not where the rule looks");
    documents
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        for link in links(&document.text) {
            if let Err(reason) = follow(&document, link) {
                broken.push(format!("{}: {link} {reason}", document.path));
            }
        }
    }
    check(broken);
}

/// The targets of `[text](target)`, outside of fenced blocks.
fn links(markdown: &str) -> Vec<&str> {
    let mut is_fenced = false;
    let mut found = Vec::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            let rests = line.split("](").skip(1);
            found.extend(rests.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target));
        }
    }
    found
}

fn follow(document: &Source, link: &str) -> Result<(), &'static str> {
    if link.starts_with("https://") || link.starts_with("http://") {
        return Ok(());
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let file = if path.is_empty() { root().join(&document.path) } else { beside(document, path) };
    if !file.exists() {
        return Err("is not there");
    }
    if anchor.is_empty() {
        return Ok(());
    }
    let text = fs::read_to_string(&file).map_err(|_| "has an anchor but is no document")?;
    if headings(&text).iter().any(|heading| heading == anchor) {
        Ok(())
    } else {
        Err("has no such heading")
    }
}

fn beside(document: &Source, path: &str) -> PathBuf {
    root().join(&document.path).parent().unwrap_or(root()).join(path)
}

/// The anchors that a document's headings get where it is shown.
fn headings(markdown: &str) -> Vec<String> {
    let headings = markdown.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let kept =
                line.trim_start_matches('#').trim().chars().filter_map(
                    |character| match character {
                        ' ' => Some('-'),
                        '-' | '_' => Some(character),
                        _ if character.is_alphanumeric() => Some(character),
                        _ => None,
                    },
                );
            kept.flat_map(char::to_lowercase).collect()
        })
        .collect()
}

/// A page that is named, in code or in prose, is one of this repository.
#[test]
fn every_page_that_is_named_is_there() {
    let sources = below(
        &["src", "tests", "loadtests", "docs", "README.md", "ARCHITECTURE.md", ".ci", "Cargo.toml"],
        &[".rs", ".md", ".sh", ".lua", ".py", ".toml", ".ci/run"],
    );
    let mut lost = Vec::new();
    for source in sources.iter().filter(|source| source.path != "tests/tidy/links.rs") {
        for (number, line) in (1..).zip(source.text.lines()) {
            for page in pages(line).filter(|page| !is_there(source, page)) {
                lost.push(format!("{}:{number} names {page}", source.path));
            }
        }
    }
    check(lost);
}

/// The words of a line that are paths of documents.
fn pages(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "._-/".contains(c)));
    words.filter(|word| {
        word.strip_suffix(".md").is_some_and(|stem| stem.ends_with(|c: char| c.is_alphanumeric()))
    })
}

fn is_there(source: &Source, page: &str) -> bool {
    let page = page.trim_start_matches('/');
    [root().join(page), beside(source, page)].iter().any(|path| Path::exists(path))
}

#[test]
fn links_and_anchors_are_read_as_they_are_shown() {
    let text =
        "# Top of it\n[a](b.md#c) and [d](#e)\n```\n[no](link)\n```\n## What's `new` — here?\n";
    assert_eq!(links(text), ["b.md#c", "#e"]);
    assert_eq!(headings(text), ["top-of-it", "whats-new--here"]);
    assert_eq!(
        pages("see docs/a.md, `b.md`; not .md or a.mdx").collect::<Vec<_>>(),
        ["docs/a.md", "b.md"]
    );
}
