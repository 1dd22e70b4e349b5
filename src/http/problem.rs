//! Every error as an answer: status, headers, and the one body that all errors share.
//!
//! It owns the body's shape, its compatibility forms included. It must not decide what is an error.

use crate::http::code::Code;
use crate::http::fault::{Fault, Place, clipped};
use crate::http::request_id::RequestId;
use crate::http::wire::fields::set_name;
use crate::model::table::command::FieldSet;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// An error on its way to a client.
///
/// The request's id is added when the answer is written, so a problem can be made anywhere.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    /// None: the answer has no body, as the HTTP layer's own 408, 414 and 431 have none.
    code: Option<Code>,
    detail: Cow<'static, str>,
    faults: Vec<Fault>,
    /// Set on writes of records: they carry `fields` and `non_field_errors` too.
    fields: Option<FieldsForm>,
    extras: Vec<(&'static str, Box<RawValue>)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    closes: bool,
}

/// How the request gave its `fields`; the error mirrors it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldsForm {
    /// An array of so many entries; an absent one has none.
    List(usize),
    /// An object with these keys, in order.
    Named(Vec<Box<str>>),
}

impl Problem {
    /// An answer with the code's status and text.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self::with_status(code.status(), Some(code), Cow::Borrowed(code.text()))
    }

    /// An answer of the HTTP layer itself: no body, and the connection is closed.
    #[must_use]
    pub fn without_body(status: StatusCode) -> Self {
        Self::with_status(status, None, Cow::Borrowed("")).closing()
    }

    fn with_status(status: StatusCode, code: Option<Code>, detail: Cow<'static, str>) -> Self {
        let mut headers = Vec::new();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("ApiKey realm=\"upsertd\"");
            headers.push((header::WWW_AUTHENTICATE, challenge));
        }
        Self(Box::new(Parts {
            status,
            code,
            detail,
            faults: Vec::new(),
            fields: None,
            extras: Vec::new(),
            headers,
            closes: false,
        }))
    }

    /// The faults of one stage. A 400 among them wins over every other status.
    /// There must be at least one.
    #[must_use]
    pub fn from_faults(faults: Vec<Fault>) -> Self {
        let first = faults.first().expect("a stage that fails has a fault");
        let bad = |fault: &&Fault| fault.code.status() == StatusCode::BAD_REQUEST;
        let status = faults.iter().find(bad).unwrap_or(first).code.status();
        let several = faults.iter().any(|fault| fault.code != first.code);
        let code =
            if several && status == StatusCode::BAD_REQUEST { Code::Invalid } else { first.code };
        let mut problem = Self::with_status(status, Some(code), detail_of(&faults, status));
        problem.0.faults = faults;
        problem
    }

    /// The same problem with another text, in `detail` and in its fault.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// The same problem with another status; its code stays.
    #[must_use]
    pub fn answering(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// Marks it as the answer to a write of a record.
    #[must_use]
    pub fn of_record_write(mut self, form: FieldsForm) -> Self {
        self.0.fields = Some(form);
        self
    }

    /// Adds a member to the body, such as `conflict`.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: &impl Serialize) -> Self {
        let raw = serde_json::value::to_raw_value(value)
            .expect("our own shapes have text keys and serialise");
        self.0.extras.push((key, raw));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Says when a retry may succeed.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The connection ends with this answer.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.0.closes = true;
        self
    }

    /// The thing addressed is not there, or not for this caller.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound)
    }

    /// The path is known, the method is not; `allow` lists those that are.
    #[must_use]
    pub fn method_not_allowed(method: &Method, allow: HeaderValue) -> Self {
        let detail = format!("Method \"{}\" not allowed.", clipped(method.as_str()));
        Self::new(Code::MethodNotAllowed).saying(detail).with_header(header::ALLOW, allow)
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The code of the answer; the HTTP layer's own errors have none.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        self.0.code
    }

    /// The text of the answer.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The faults that `errors` lists; one made of code and text where nobody named any.
    fn listed_faults(&self) -> Cow<'_, [Fault]> {
        let parts = &*self.0;
        match parts.code {
            Some(code) if parts.faults.is_empty() && code.lists_errors() => {
                Cow::Owned(vec![Fault::new(code, Place::Whole).saying(parts.detail.clone())])
            }
            Some(_) | None => Cow::Borrowed(&parts.faults),
        }
    }

    /// Writes what a result says of a row that failed with it.
    pub fn serialize_row<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let parts = &*self.0;
        map.serialize_entry("status", &parts.status.as_u16())?;
        map.serialize_entry("code", &parts.code)?;
        map.serialize_entry("detail", &parts.detail)?;
        map.serialize_entry("errors", &self.listed_faults())?;
        for (key, value) in &parts.extras {
            map.serialize_entry(key, value)?;
        }
        Ok(())
    }

    /// The answer. Its code is left among its extensions, for whoever counts.
    #[must_use]
    pub fn to_response(&self, request_id: &RequestId) -> HttpResponse {
        let mut builder = HttpResponse::build(self.0.status);
        for header in &self.0.headers {
            builder.append_header(header.clone());
        }
        let mut response = if self.0.code.is_some() {
            let body = serde_json::to_vec(&Body { problem: self, request_id })
                .expect("the body of an error has text keys and serialises");
            builder.content_type("application/json").body(body)
        } else {
            builder.finish()
        };
        if let Some(code) = self.0.code {
            response.extensions_mut().insert(code);
        }
        if self.0.closes {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
        response
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::from_faults(vec![fault])
    }
}

/// One fault speaks for itself; several are counted.
fn detail_of(faults: &[Fault], status: StatusCode) -> Cow<'static, str> {
    let same = faults.iter().all(|fault| fault.message == faults[0].message);
    if faults.len() == 1 || (same && status != StatusCode::BAD_REQUEST) {
        return faults[0].message.clone();
    }
    let on_fields = faults.iter().all(|fault| matches!(fault.place, Place::Field(_)));
    let what = if on_fields { "fields are invalid" } else { "faults were found" };
    Cow::Owned(format!("{} {what}.", faults.len()))
}

/// The one body of all errors.
struct Body<'a> {
    problem: &'a Problem,
    request_id: &'a RequestId,
}

/// Keys of the body that a client's own key must not overwrite.
const OWN_KEYS: [&str; 6] =
    ["detail", "code", "errors", "request_id", "fields", "non_field_errors"];

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = &*self.problem.0;
        let faults = self.problem.listed_faults();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("detail", &parts.detail)?;
        map.serialize_entry("code", &parts.code)?;
        for (key, value) in &parts.extras {
            map.serialize_entry(key, value)?;
        }
        let of_keys = messages_of_keys(&faults);
        let taken = |key: &str| {
            OWN_KEYS.contains(&key) || parts.extras.iter().any(|(extra, _)| *extra == key)
        };
        for (key, messages) in of_keys.iter().filter(|(key, _)| !taken(key)) {
            map.serialize_entry(key, messages)?;
        }
        if let Some(messages) = of_keys.get("fields") {
            map.serialize_entry("fields", messages)?;
        } else if let Some(form) = &parts.fields {
            map.serialize_entry("fields", &FieldsErrors { form, faults: &faults })?;
        }
        if parts.fields.is_some() {
            map.serialize_entry("non_field_errors", &messages_of_the_whole(&faults))?;
        }
        if parts.code.is_some_and(Code::lists_errors) {
            map.serialize_entry("errors", &faults)?;
        }
        map.serialize_entry("request_id", self.request_id)?;
        map.end()
    }
}

/// The compatibility form of faults at keys of the body: `{"<key>":["message"]}`.
fn messages_of_keys(faults: &[Fault]) -> BTreeMap<&str, Vec<&str>> {
    let mut messages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for fault in faults {
        match &fault.place {
            Place::Body(key) => messages.entry(key).or_default().push(&fault.message),
            Place::Field(place) if place.set != FieldSet::Fields => {
                messages.entry(set_name(place.set)).or_default().push(&fault.message);
            }
            Place::Whole | Place::Query(_) | Place::Header(_) | Place::Field(_) => {}
        }
    }
    messages
}

fn messages_of_the_whole(faults: &[Fault]) -> Vec<&str> {
    let whole = |fault: &&Fault| match &fault.place {
        Place::Whole => true,
        // A field that may not be named, and that the request did not name either.
        Place::Field(place) => {
            place.index.is_none() && place.set == FieldSet::Fields && place.field.is_none()
        }
        Place::Body(_) | Place::Query(_) | Place::Header(_) => false,
    };
    faults.iter().filter(whole).map(|fault| &*fault.message).collect()
}

/// The compatibility form of faults at entries of `fields`.
struct FieldsErrors<'a> {
    form: &'a FieldsForm,
    faults: &'a [Fault],
}

type EntryErrors<'a> = BTreeMap<&'static str, Vec<&'a str>>;

impl Serialize for FieldsErrors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries: BTreeMap<usize, EntryErrors<'_>> = BTreeMap::new();
        for fault in self.faults {
            if let Place::Field(place) = &fault.place
                && let Some(index) = place.index
            {
                let entry = entries.entry(index).or_default();
                entry.entry(place.part.as_str()).or_default().push(&fault.message);
            }
        }
        match self.form {
            FieldsForm::List(len) => {
                let mut list = serializer.serialize_seq(Some(*len))?;
                let good = EntryErrors::new();
                for index in 0..*len {
                    list.serialize_element(entries.get(&index).unwrap_or(&good))?;
                }
                list.end()
            }
            FieldsForm::Named(names) => {
                let mut map = serializer.serialize_map(None)?;
                for (index, errors) in &entries {
                    if let Some(name) = names.get(*index) {
                        map.serialize_entry(name, errors)?;
                    }
                }
                map.end()
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.status.as_u16(), self.0.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    /// The outermost middleware, which knows the request's id, replaces this by `to_response`.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.0.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::fault::{FieldPart, FieldPlace};
    use crate::model::id::RecordId;

    fn check(problem: &Problem, status: u16, json: &str) {
        assert_eq!(problem.status().as_u16(), status);
        let request_id = RequestId::from_client("r-1").unwrap();
        let body = serde_json::to_string(&Body { problem, request_id: &request_id }).unwrap();
        let expected = json.replace('\n', "").replace("  ", "");
        assert_eq!(body, expected);
    }

    fn field(name: &str, index: usize, part: FieldPart) -> Place {
        Place::Field(FieldPlace {
            field: Some(name.into()),
            field_id: None,
            index: Some(index),
            set: FieldSet::Fields,
            part,
        })
    }

    fn two_invalid_fields() -> Problem {
        Problem::from_faults(vec![
            Fault::new(Code::Invalid, field("email", 1, FieldPart::Value))
                .saying("Enter a valid email address."),
            Fault::new(Code::DoesNotExist, field("regin", 2, FieldPart::Name))
                .saying("Field does not exist."),
        ])
    }

    #[test]
    fn two_faulty_fields_look_as_in_the_contract() {
        check(
            &two_invalid_fields().of_record_write(FieldsForm::List(3)),
            400,
            r#"{"detail":"2 fields are invalid.","code":"invalid",
              "fields":[{},{"value":["Enter a valid email address."]},{"name":["Field does not exist."]}],"non_field_errors":[],
              "errors":[{"code":"invalid","message":"Enter a valid email address.","field":"email","index":1,"retryable":false},
              {"code":"does_not_exist","message":"Field does not exist.","field":"regin","index":2,"retryable":false}],"request_id":"r-1"}"#,
        );
    }

    #[test]
    fn fields_given_as_an_object_are_answered_by_name() {
        let names = ["name", "email", "regin"].map(Into::into).to_vec();
        check(
            &two_invalid_fields().of_record_write(FieldsForm::Named(names)),
            400,
            r#"{"detail":"2 fields are invalid.","code":"invalid",
              "fields":{"email":{"value":["Enter a valid email address."]},"regin":{"name":["Field does not exist."]}},"non_field_errors":[],
              "errors":[{"code":"invalid","message":"Enter a valid email address.","field":"email","index":1,"retryable":false},
              {"code":"does_not_exist","message":"Field does not exist.","field":"regin","index":2,"retryable":false}],"request_id":"r-1"}"#,
        );
    }

    #[test]
    fn a_missing_right_looks_as_in_the_contract() {
        check(
            &Problem::new(Code::PermissionRequired).of_record_write(FieldsForm::List(2)),
            403,
            r#"{"detail":"You do not have permission to perform this action.","code":"permission_required","fields":[{},{}],"non_field_errors":[],"request_id":"r-1"}"#,
        );
    }

    #[test]
    fn a_forbidden_field_looks_as_in_the_contract() {
        let fault =
            Fault::new(Code::ForbiddenFieldWrite, field("account_note", 1, FieldPart::Name));
        check(
            &Problem::from(fault).of_record_write(FieldsForm::List(2)),
            403,
            r#"{"detail":"You cannot write this field.","code":"forbidden_field_write","fields":[{},{"name":["You cannot write this field."]}],"non_field_errors":[],
              "errors":[{"code":"forbidden_field_write","message":"You cannot write this field.","field":"account_note","index":1,"retryable":false}],"request_id":"r-1"}"#,
        );
    }

    #[test]
    fn an_archive_conflict_looks_as_in_the_contract() {
        let id = RecordId::parse("0192f7d2-0000-7000-8000-000000000001").unwrap();
        let text = "An archived record already uses this identifier.";
        let place = FieldPlace { field: Some("name".into()), ..Default::default() };
        let mut fault = Fault::new(Code::Conflict, Place::Field(place)).saying(text);
        fault.conflicting_record_id = Some(id);
        let conflict = serde_json::json!({"kind": "archived_identifier"});
        check(
            &Problem::from(fault).with("conflict", &conflict).of_record_write(FieldsForm::List(1)),
            409,
            r#"{"detail":"An archived record already uses this identifier.","code":"conflict",
              "conflict":{"kind":"archived_identifier"},"fields":[{}],"non_field_errors":[],
              "errors":[{"code":"conflict","message":"An archived record already uses this identifier.","field":"name","conflicting_record_id":"0192f7d2-0000-7000-8000-000000000001","retryable":false}],
              "request_id":"r-1"}"#,
        );
    }

    #[test]
    fn a_fault_of_a_body_key_stands_at_top_level_too() {
        check(
            &Problem::from(Fault::new(Code::Required, Place::Body("lookup_value".into())))
                .of_record_write(FieldsForm::List(0)),
            400,
            r#"{"detail":"This field is required.","code":"required","lookup_value":["This field is required."],"fields":[],"non_field_errors":[],
              "errors":[{"code":"required","message":"This field is required.","parameter":"lookup_value","retryable":false}],"request_id":"r-1"}"#,
        );
        // `fields` as a whole takes the place of the positional form.
        check(
            &Problem::from(Fault::new(Code::Required, Place::Body("fields".into())))
                .of_record_write(FieldsForm::List(0)),
            400,
            r#"{"detail":"This field is required.","code":"required","fields":["This field is required."],"non_field_errors":[],
              "errors":[{"code":"required","message":"This field is required.","parameter":"fields","retryable":false}],"request_id":"r-1"}"#,
        );
    }

    #[test]
    fn a_client_key_never_overwrites_a_key_of_ours() {
        check(
            &Problem::from(Fault::unknown_parameter(Place::Body("code".into()))),
            400,
            r#"{"detail":"Unknown parameter \"code\".","code":"unknown_parameter",
              "errors":[{"code":"unknown_parameter","message":"Unknown parameter \"code\".","parameter":"code","retryable":false}],"request_id":"r-1"}"#,
        );
    }

    #[test]
    fn a_400_always_lists_an_error_and_a_404_never_does() {
        check(
            &Problem::new(Code::ParseError)
                .saying("JSON parse error.")
                .of_record_write(FieldsForm::List(0)),
            400,
            r#"{"detail":"JSON parse error.","code":"parse_error","fields":[],"non_field_errors":["JSON parse error."],
              "errors":[{"code":"parse_error","message":"JSON parse error.","retryable":false}],"request_id":"r-1"}"#,
        );
        check(
            &Problem::not_found(),
            404,
            r#"{"detail":"Not found.","code":"not_found","request_id":"r-1"}"#,
        );
    }

    #[test]
    fn among_400_and_409_the_400_wins_and_both_are_listed() {
        let problem = Problem::from_faults(vec![
            Fault::new(Code::Conflict, Place::Whole),
            Fault::new(Code::Unique, Place::Whole),
        ]);
        assert_eq!((problem.status().as_u16(), problem.code()), (400, Some(Code::Invalid)));
        assert_eq!(problem.listed_faults().len(), 2);
    }

    #[test]
    fn several_faults_of_one_code_keep_that_code() {
        let faults = ["a", "b"].map(|key| Fault::new(Code::Required, Place::Body(key.into())));
        let problem = Problem::from_faults(faults.to_vec());
        assert_eq!(problem.code(), Some(Code::Required));
        assert_eq!(problem.detail(), "2 faults were found.");
    }

    #[test]
    fn the_headers_that_a_status_asks_for_are_there() {
        let request_id = RequestId::from_client("r-1").unwrap();
        let header = |problem: Problem, name: HeaderName| {
            let response = problem.to_response(&request_id);
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let challenge = header(Problem::new(Code::NotAuthenticated), header::WWW_AUTHENTICATE);
        assert_eq!(challenge.as_deref(), Some("ApiKey realm=\"upsertd\""));
        assert_eq!(header(Problem::not_found(), header::WWW_AUTHENTICATE), None);
        let retry = header(Problem::new(Code::Overloaded).retry_after(3), header::RETRY_AFTER);
        assert_eq!(retry.as_deref(), Some("3"));
        let allow = HeaderValue::from_static("GET, HEAD, OPTIONS");
        let problem = Problem::method_not_allowed(&Method::PUT, allow);
        assert_eq!(problem.detail(), "Method \"PUT\" not allowed.");
        assert_eq!(header(problem, header::ALLOW).as_deref(), Some("GET, HEAD, OPTIONS"));
    }
}
