//! Which files there are: the given top level, and no source that nobody compiles.

use crate::tidy::source::{root, rust};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The top level; all else is a dot-file.
const TOP_LEVEL: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "docs",
    "loadtests",
    "snapshots",
    "src",
    "target",
    "tests",
];

/// Where a crate starts; every other source is a module of one of them.
const CRATE_ROOTS: &[&str] = &["src/lib.rs", "src/main.rs", "tests/all.rs", "loadtests/load.rs"];

#[test]
fn the_top_level_stays_the_given_one() {
    let entries = fs::read_dir(root()).expect("the repository can be listed");
    let names = entries.map(|entry| entry.expect("an entry can be read").file_name());
    let names: BTreeSet<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    let strange: Vec<&String> = names
        .iter()
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()))
        .collect();
    assert!(strange.is_empty(), "{strange:?} do not belong to the top level");
    for name in TOP_LEVEL.iter().filter(|name| **name != "target") {
        assert!(names.contains(*name), "{name} is missing");
    }
}

#[test]
fn every_source_is_a_module_of_its_folder() {
    let mut lost = Vec::new();
    for source in rust().iter().filter(|source| !CRATE_ROOTS.contains(&source.path.as_str())) {
        if !parents(&source.path).iter().any(|parent| declares(parent, &source.path)) {
            lost.push(source.path.clone());
        }
    }
    assert!(lost.is_empty(), "nobody compiles {lost:?}");
}

/// The files that may declare a module: its folder's, or the crate's root.
fn parents(path: &str) -> Vec<String> {
    let path = path.strip_suffix("/mod.rs").unwrap_or(path);
    let (folder, _) = path.rsplit_once('/').expect("a source lies in a folder");
    let mut parents = vec![format!("{folder}/mod.rs"), format!("{folder}.rs")];
    parents.extend(
        CRATE_ROOTS
            .iter()
            .filter(|root| Path::new(root).parent() == Some(Path::new(folder)))
            .map(|root| (*root).to_owned()),
    );
    parents
}

fn declares(parent: &str, path: &str) -> bool {
    let Ok(text) = fs::read_to_string(root().join(parent)) else { return false };
    let path = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap_or(path);
    let name = path.rsplit('/').next().unwrap_or(path);
    let declaration = format!("mod {name};");
    text.lines().any(|line| line == declaration || line.ends_with(&format!(" {declaration}")))
}

#[test]
fn a_source_without_a_declaration_is_lost() {
    assert!(declares("tests/tidy.rs", "tests/tidy/files.rs"));
    assert!(!declares("tests/tidy.rs", "tests/tidy/nowhere.rs"));
    assert_eq!(parents("tests/support/mod.rs")[2..], ["tests/all.rs"]);
    assert_eq!(parents("tests/tidy/files.rs")[..2], ["tests/tidy/mod.rs", "tests/tidy.rs"]);
}
