//! What is searched for, as upsertd is asked and as `PostgreSQL` is.

use crate::people::{city, tag};
use serde_json::{Value, json};

/// Records of a page.
const PAGE: u32 = 100;

/// One search.
pub(crate) struct Question {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) body: Vec<u8>,
    /// Two statements, to be sent in one round trip.
    pub(crate) statements: String,
}

/// Which target a search belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    FirstPage,
    DeepPage,
    Simple,
    Complex,
}

fn field(name: &str, condition: &str, value: &Value) -> Value {
    json!({
        "type": "fields", "subtype": "non_custom", "field": name, "condition": condition,
        "value": value,
    })
}

fn all(filters: &[Value]) -> Value {
    json!({"and": true, "filters": filters})
}

fn any(filters: &[Value]) -> Value {
    json!({"and": false, "filters": filters})
}

fn ask(name: &'static str, kind: Kind, mut body: Value, rest: &str) -> Question {
    body["page_size"] = json!(PAGE);
    let statements = statements(rest, 0);
    Question { name, kind, body: body.to_string().into_bytes(), statements }
}

/// All of them, over so many records.
pub(crate) fn questions(records: u32) -> Vec<Question> {
    let middle = (records / PAGE / 2).max(1);
    let body = json!({"page": middle});
    let mut deep = ask("default order, a page in the middle", Kind::DeepPage, body, "");
    deep.statements = statements("", (middle - 1) * PAGE);
    let mut questions = vec![ask("default order, page 1", Kind::FirstPage, json!({}), ""), deep];
    questions.extend(simple());
    questions.extend(complex());
    questions
}

fn simple() -> [Question; 2] {
    [
        ask(
            "city = X",
            Kind::Simple,
            json!({"query": [all(&[field("city", "=", &json!(city(17)))])]}),
            &format!("where city = '{}'", city(17)),
        ),
        ask(
            "score between",
            Kind::Simple,
            json!({"query": [all(&[field("score", "between", &json!([400, 449]))])]}),
            "where score between 400 and 449",
        ),
    ]
}

fn complex() -> [Question; 5] {
    let son = |name| field(name, "contains", &json!("son"));
    let some_tags = json!([tag(3), tag(250), tag(499)]);
    let of_city = [field("city", "=", &json!(city(5))), field("score", ">", &json!(500))];
    let of_tag = [field("subscribed", "=", &json!(true)), field("tags", "has", &json!([tag(77)]))];
    let or = format!(
        "where (city = '{}' and score > 500) or (subscribed and tags @> array[77])",
        city(5)
    );
    [
        ask(
            "first or last name contains \"son\"",
            Kind::Complex,
            json!({"query": [any(&[son("first_name"), son("last_name")])]}),
            "where first_name ilike '%son%' or last_name ilike '%son%'",
        ),
        ask(
            "tags has_any of 3",
            Kind::Complex,
            json!({"query": [all(&[field("tags", "has_any", &some_tags)])]}),
            "where tags && array[3, 250, 499]",
        ),
        ask(
            "(city and score >) or (subscribed and tag)",
            Kind::Complex,
            json!({"and": false, "query": [all(&of_city), all(&of_tag)]}),
            &or,
        ),
        ask(
            "all by score desc, last name",
            Kind::Complex,
            json!({"ordering": "-score,last_name"}),
            "order by score desc, last_name, id",
        ),
        ask(
            "two words over e-mail and names",
            Kind::Complex,
            json!({
                "search": "berg mar",
                "search_within_field_names": ["email", "first_name", "last_name"],
            }),
            "where (email ilike '%berg%' or first_name ilike '%berg%' or last_name ilike '%berg%') \
             and (email ilike '%mar%' or first_name ilike '%mar%' or last_name ilike '%mar%')",
        ),
    ]
}

/// The search that no column helps: a field of long texts, empty in every record.
pub(crate) fn without_a_column() -> Vec<u8> {
    let body = json!({"query": [all(&[field("notes", "contains", &json!("x"))])]});
    body.to_string().into_bytes()
}

fn statements(rest: &str, offset: u32) -> String {
    let order = if rest.starts_with("order") { "" } else { "order by created, id" };
    let condition = if rest.starts_with("where") { rest } else { "" };
    format!(
        "select * from people {rest} {order} limit {PAGE} offset {offset} \\; \
         select count(*) from people {condition};\n"
    )
}
