//! Relationships of each kind, from both sides.

mod finding;
mod gone;
mod kinds;
mod making;
mod outliving;
mod writing;

use crate::support::{Answer, Fixture, field_value, text};
use serde_json::{Value, json};

/// Deals and companies, related as the deals' side says.
pub(super) struct Pair {
    pub(super) fixture: Fixture,
}

impl Pair {
    pub(super) fn related(relation_type: &str) -> Self {
        let mut pair = Self { fixture: Fixture::new() };
        for name in ["companies", "deals"] {
            pair.fixture.object(name);
        }
        pair.fixture.field("deals", &relationship("company", "companies", relation_type));
        pair
    }

    pub(super) fn make(&mut self, object: &str, name: &str) -> String {
        text(&self.fixture.create(object, name, &json!({})), "id").to_owned()
    }

    /// Makes one record for each name.
    pub(super) fn make_all<const N: usize>(
        &mut self,
        object: &str,
        names: [&str; N],
    ) -> [String; N] {
        names.map(|name| self.make(object, name))
    }

    pub(super) fn patch(&mut self, object: &str, id: &str, fields: &Value) -> Answer {
        let path = format!("/api/records/{object}/{id}");
        self.fixture.client.patch(&path, &json!({"fields": fields}))
    }

    pub(super) fn set(&mut self, object: &str, id: &str, field: &str, value: &Value) -> Value {
        self.patch(object, id, &json!({field: value})).expect(200)
    }

    /// The names that a field of a record reads, in order.
    pub(super) fn names(&mut self, object: &str, id: &str, field: &str) -> Vec<String> {
        let record = self.fixture.read(object, id).expect(200);
        names_of(field_value(&record, field))
    }

    pub(super) fn version(&mut self, object: &str, id: &str) -> u64 {
        self.fixture.read(object, id).expect(200)["version"].as_u64().expect("a number")
    }
}

pub(super) fn relationship(name: &str, related_object: &str, relation_type: &str) -> Value {
    json!({
        "field_type": "relationship", "display_name": name, "name": name,
        "relation": {
            "related_object": related_object, "related_name": "deals",
            "relation_type": relation_type,
        },
    })
}

pub(super) fn names_of(value: Option<&Value>) -> Vec<String> {
    let name = |record: &Value| text(record, "name").to_owned();
    match value {
        None => Vec::new(),
        Some(Value::Array(records)) => records.iter().map(name).collect(),
        Some(record) => vec![name(record)],
    }
}
