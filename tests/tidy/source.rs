//! The files of the repository, read once for each rule.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file, by its path from the top of the repository.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Folders that hold nothing anybody wrote.
const NOT_WRITTEN: &[&str] = &["target", ".git", "__pycache__"];

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file whose name ends so, below the given folders, sorted by path.
pub(crate) fn below(folders: &[&str], endings: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut paths);
    }
    paths.sort();
    let sources = paths.into_iter().filter_map(|path| {
        let relative = path.strip_prefix(root()).expect("it was found below the root");
        let relative = relative.to_str().expect("our names are UTF-8").to_owned();
        let is_meant = endings.iter().any(|ending| relative.ends_with(ending));
        // A fixture may hold any bytes.
        is_meant
            .then(|| fs::read_to_string(&path).ok())?
            .map(|text| Source { path: relative, text })
    });
    sources.collect()
}

/// Every Rust source of the package.
pub(crate) fn rust() -> Vec<Source> {
    let sources = below(&["src", "tests", "loadtests"], &[".rs"]);
    assert!(sources.len() > 20, "the sources are not where the rules look");
    sources
}

/// Fails with everything that breaks a rule, so that one run shows all of it.
#[track_caller]
pub(crate) fn check(breaches: impl IntoIterator<Item = String>) {
    let breaches: Vec<String> = breaches.into_iter().collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

impl Source {
    /// The lines of code with their numbers: no comments, and not the tests at the file's end.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.text.lines()).take(self.lines_before_tests());
        lines.map(|(number, line)| (number, without_comment(line)))
    }

    /// The number of the first line that belongs to a test; one past the end if none does.
    pub(crate) fn tests_from(&self) -> usize {
        if self.is_test() { 1 } else { self.lines_before_tests() + 1 }
    }

    fn lines_before_tests(&self) -> usize {
        self.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count()
    }

    /// Whether the whole file is a test.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let is_named_so = matches!(name, "tests.rs" | "test_support.rs");
        let is_below = ["/tests/", "_tests/"].iter().any(|folder| self.path.contains(folder));
        self.path.starts_with("tests/") || is_named_so || is_below
    }

    /// The first folder or file below `src/`: what the architecture calls a layer.
    pub(crate) fn layer(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        below.split('/').next().map(|first| first.strip_suffix(".rs").unwrap_or(first))
    }
}

/// A line up to its comment; a `//` in a text is no comment.
fn without_comment(line: &str) -> &str {
    let mut in_text = false;
    let mut previous = ' ';
    for (at, character) in line.char_indices() {
        match character {
            '"' if previous != '\\' && !(previous == '\'' && line[at + 1..].starts_with('\'')) => {
                in_text = !in_text;
            }
            '/' if !in_text && previous == '/' => return &line[..at - 1],
            _ => {}
        }
        previous = character;
    }
    line
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        found.push(path.to_owned());
        return;
    }
    let Ok(entries) = fs::read_dir(path) else { return };
    for entry in entries {
        let entry = entry.expect("an entry can be read");
        let name = entry.file_name();
        if !NOT_WRITTEN.iter().any(|skipped| name == *skipped) {
            collect(&entry.path(), found);
        }
    }
}

#[test]
fn comments_are_cut_and_texts_are_kept() {
    for (line, code) in [
        ("let a = 1; // one", "let a = 1; "),
        ("//! whole", ""),
        ("let url = \"http://a\"; // b", "let url = \"http://a\"; "),
        ("let quote = '\"'; // c", "let quote = '\"'; "),
        ("a / b", "a / b"),
    ] {
        assert_eq!(without_comment(line), code);
    }
}
