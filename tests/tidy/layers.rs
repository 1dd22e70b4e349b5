//! The borders of the architecture: which layer may name which, and what may never be named there.

use crate::tidy::source::{Source, check, rust};

/// A layer, and the layers it may use besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("storage", &["model"]),
    ("ambient", &["model"]),
    ("engine", &["model", "storage", "ambient"]),
    ("http", &["model", "engine", "ambient"]),
    ("console", &["model", "engine", "ambient"]),
    ("config", &["model", "storage", "engine", "http", "console", "ambient"]),
    ("cli", &["model", "storage", "engine", "http", "console", "ambient", "config"]),
    ("main", &["cli"]),
    ("lib", &[]),
];

const ASYNC: &[&str] = &["async", "await", "tokio", "futures_util"];
const ACTIX: &[&str] = &["actix", "actix_rt"];
const WEB: &[&str] = &["actix_web", "actix_http", "actix_server", "actix_service"];
const JSON: &[&str] = &["serde_json"];
const CLOCKS: &[&str] = &["SystemTime", "Instant::now"];
const RANDOMNESS: &[&str] = &["getrandom", "rand", "new_v4", "now_v7"];
const FILES: &[&str] = &["std::fs", "std::net", "rustix", "socket2"];
const THREADS: &[&str] = &["std::thread"];
const EDGES_OF_THE_PROCESS: &[&str] = &["miette", "clap", "println!", "eprintln!", "std::env"];

/// A layer, and the words that may not stand in its code.
const NEVER_NAMES: &[(&str, &[&[&str]])] = &[
    ("model", &[ASYNC, ACTIX, WEB, JSON, CLOCKS, RANDOMNESS, FILES, THREADS, EDGES_OF_THE_PROCESS]),
    ("storage", &[ASYNC, ACTIX, WEB, JSON, CLOCKS, RANDOMNESS, EDGES_OF_THE_PROCESS]),
    ("engine", &[WEB, JSON, CLOCKS, RANDOMNESS, EDGES_OF_THE_PROCESS]),
    ("http", &[CLOCKS, RANDOMNESS, FILES_OF_EDGES, EDGES_OF_THE_PROCESS]),
    ("console", &[CLOCKS, RANDOMNESS, FILES_OF_EDGES, EDGES_OF_THE_PROCESS]),
];
/// An edge has sockets, but no files.
const FILES_OF_EDGES: &[&str] = &["std::fs"];

/// What only one place may name, and that place.
const ONE_OWNER: &[(&str, &str)] = &[
    ("dashmap", "src/model/table/index.rs"),
    ("getrandom", "src/ambient.rs"),
    ("SystemTime", "src/ambient.rs"),
    ("Instant::now", "src/ambient.rs"),
    ("miette", "src/cli/"),
    ("ureq", "src/cli/client/connection.rs"),
];

/// Where commands are that ask a server, and the layers they may name: they reach it over HTTP
/// alone, as everybody does.
const CLIENTS: (&str, &[&str]) = ("src/cli/client/", &["cli", "config", "ambient"]);

fn allowed(layer: &str) -> &'static [&'static str] {
    let row = MAY_USE.iter().find(|(name, _)| *name == layer);
    row.unwrap_or_else(|| panic!("src/{layer} is no layer of the architecture")).1
}

#[test]
fn a_layer_names_only_the_layers_below_it() {
    let mut breaches = Vec::new();
    for source in rust() {
        let Some(layer) = source.layer() else { continue };
        for (number, named) in named_layers(&source) {
            if named != layer && !allowed(layer).contains(&&*named) {
                breaches.push(format!("{}:{number} names {named}", source.path));
            }
        }
    }
    check(breaches);
}

#[test]
fn a_command_that_asks_a_server_knows_nothing_of_its_insides() {
    let (folder, allowed) = CLIENTS;
    let sources: Vec<Source> =
        rust().into_iter().filter(|source| source.path.starts_with(folder)).collect();
    assert!(!sources.is_empty(), "there is nothing in {folder}");
    check(sources.iter().flat_map(|source| {
        let strange = named_layers(source).into_iter();
        strange
            .filter(|(_, named)| !allowed.contains(&&**named))
            .map(|(number, named)| format!("{}:{number} names {named}", source.path))
    }));
}

#[test]
fn a_layer_never_names_what_it_must_not_contain() {
    let mut breaches = Vec::new();
    for source in rust().iter().filter(|source| !source.is_test()) {
        let Some((_, words)) = NEVER_NAMES.iter().find(|(layer, _)| source.layer() == Some(layer))
        else {
            continue;
        };
        for (number, line) in source.code() {
            for word in words.iter().copied().flatten().filter(|word| names(line, word)) {
                breaches.push(format!("{}:{number} names {word}", source.path));
            }
        }
    }
    check(breaches);
}

#[test]
fn what_has_one_owner_is_named_nowhere_else() {
    let mut breaches = Vec::new();
    for source in rust().iter().filter(|source| source.layer().is_some() && !source.is_test()) {
        for (number, line) in source.code() {
            for (word, owner) in ONE_OWNER {
                if names(line, word) && !source.path.starts_with(owner) {
                    breaches.push(format!("{}:{number} names {word}", source.path));
                }
            }
        }
    }
    check(breaches);
}

/// The layers that a source names: after `crate::` in the library, after `upsertd::` in the binary.
fn named_layers(source: &Source) -> Vec<(usize, String)> {
    let code: Vec<(usize, &str)> = source.code().collect();
    let mut text = String::new();
    let mut line_starts = Vec::new();
    for (number, line) in code {
        line_starts.push((text.len(), number));
        text.push_str(line);
        text.push('\n');
    }
    let prefix = if source.path == "src/main.rs" { "upsertd::" } else { "crate::" };
    let mut named = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let line =
            line_starts.iter().rev().find(|(start, _)| *start <= at).map_or(0, |line| line.1);
        named.extend(first_words(&text[at + prefix.len()..]).into_iter().map(|word| (line, word)));
    }
    named
}

/// The first word of a path, or of every path of a `{…}` list.
fn first_words(rest: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        let text = text.trim_start();
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(list) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let (mut words, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                words.push(word(&list[start..at]));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the line has the word as a whole one.
fn names(line: &str, word: &str) -> bool {
    let is_part =
        |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !is_part(before) && !is_part(after)
    })
}

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn every_way_to_name_a_layer_is_seen() {
    let text = "use crate::model::id::{A, B};\nuse crate::{\n    engine::{x, y},\n    storage,\n};\n\
                fn f() { crate::http::run() } // crate::cli\n#[cfg(test)]\nuse crate::config;\n";
    let named = named_layers(&source("src/engine/a.rs", text));
    let expected = [(1, "model"), (2, "engine"), (2, "storage"), (6, "http")]
        .map(|(line, word)| (line, word.to_owned()));
    assert_eq!(named, expected);
}

#[test]
fn a_word_is_named_only_as_a_whole() {
    for (line, is_named) in [
        ("use actix::Actor;", true),
        ("use actix_web::web;", false),
        ("let a = b.await;", true),
        ("awaiting()", false),
        ("std::fs::read", false),
    ] {
        let word = if line.contains("await") { "await" } else { "actix" };
        assert_eq!(names(line, word), is_named, "{line}");
    }
}
