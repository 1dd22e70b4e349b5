//! The names of the schemas in the document of the API: each has one meaning, since of two types of
//! one name the document keeps only one.

use crate::tidy::source::{below, check};
use std::collections::BTreeMap;

#[test]
fn no_two_schemas_of_the_document_have_one_name() {
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in below(&["src/http/openapi"], &[".rs"]) {
        for name in schemas(&source.text) {
            owners.entry(name).or_default().push(source.path.clone());
        }
    }
    assert!(owners.len() > 50, "the schemas are not where this rule looks");
    let doubled = owners.into_iter().filter(|(_, paths)| paths.len() > 1);
    check(doubled.map(|(name, paths)| format!("{name} is in {}", paths.join(" and "))));
}

/// The types of a source that derive a schema.
fn schemas(text: &str) -> Vec<String> {
    let after = text.split("ToSchema)]").skip(1);
    let named = after.filter_map(|rest| {
        let head = rest.lines().find(|line| line.starts_with("pub "))?;
        let name = head.split([' ', '<', '{', '(', ';']).nth(2)?;
        Some(name.to_owned())
    });
    named.collect()
}

#[test]
fn types_that_derive_a_schema_are_found() {
    let text = "#[derive(Serialize, ToSchema)]\n#[serde(untagged)]\npub enum A {\n}\n\
        #[derive(IntoParams)]\npub struct B {}\n#[derive(ToSchema)]\npub struct C<T> {\n}\n";
    assert_eq!(schemas(text), ["A", "C"]);
}
