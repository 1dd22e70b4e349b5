//! What the routes of records owe their callers beyond what their own files can show.
//!
//! The whole application runs over an engine whose log is in memory; requests and answers are JSON.

mod conflicts;
mod faults;
mod overload;
mod reads;
mod rendering;
mod search_conditions;
mod searches;
mod writes;

use crate::engine::Engine;
use crate::engine::business::{Business, TableRef};
use crate::http::options::Options;
use crate::http::test_support::{Answer, TestServer};
use crate::model::access::Rights;
use crate::model::catalog::command::{self as catalog, NewMember};
use crate::model::catalog::member::AccountType;
use crate::model::id::{BatchId, MemberId, TagId};
use crate::model::key;
use crate::model::schema::decimal_options::NewDecimalOptions;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::new_object::NewObject;
use crate::model::table::command::{self, Ask, Command};
use crate::model::table::others::Others;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

pub(super) const ACCOUNTS: &str = "/api/records/accounts";
pub(super) const CONTACT: &str = "/api/records/client_client";
const BOT: MemberId = MemberId(Uuid::from_u128(0x0192_f7aa_0000_7000_8000_0000_0000_0003));

/// A business with an object `accounts` that has a field of every type, and a second member.
pub(super) struct World {
    pub(super) server: TestServer,
    business: Arc<Business>,
    accounts: Arc<TableRef>,
}

impl World {
    pub(super) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let server = TestServer::with(change).await;
        let engine = &server.engine;
        let business = engine.partitions()[0].businesses().first().expect("it was founded").clone();
        let bot = NewMember {
            id: Some(BOT),
            user_id: None,
            email: "bot@example.com".to_owned(),
            first_name: "Ops".to_owned(),
            last_name: "Bot".to_owned(),
            title: String::new(),
            account_type: AccountType::Service,
            roles: None,
            permission_groups: Vec::new(),
        };
        ask_catalog(engine, &business, catalog::Ask::CreateMember(Box::new(bot))).await;
        let object = NewObject {
            object_name: Some("Accounts".to_owned()),
            entity_name: Some("Account".to_owned()),
            name: Some("accounts".to_owned()),
            ..NewObject::default()
        };
        ask_catalog(engine, &business, catalog::Ask::CreateObject(Box::new(object))).await;
        let accounts = business.table_of("accounts").expect("it was created");
        let world = Self { server, business, accounts };
        for field in fields() {
            world.add_field(field).await;
        }
        world
    }

    pub(super) async fn add_field(&self, field: NewField) {
        let ask = Ask::CreateField(Box::new(field));
        let command = Command { caller: caller(&self.business), ask };
        let reply = self.server.engine.ask_table(&self.accounts, command, 100).await;
        assert!(matches!(reply, Ok(command::Reply::Field(_))), "{reply:?}");
    }

    /// The id of a field of `accounts`.
    pub(super) fn field(&self, name: &str) -> String {
        let schema = self.accounts.shown().schema();
        schema.by_name(name).expect("the test names a field").id.to_string()
    }

    /// The id of an option of `region`.
    pub(super) fn region(&self, label: &str) -> String {
        let schema = self.accounts.shown().schema();
        let field = schema.by_name("region").expect("it was made");
        field.options.by_label(label).expect("the test names an option").id.to_string()
    }

    /// The id of a tag of `labels`.
    pub(super) fn label(&self, name: &str) -> TagId {
        let shown = self.accounts.shown();
        let field = shown.schema().by_name("labels").expect("it was made").number;
        shown.tags.by_name(field, &key::tag_key(name)).expect("the test names a tag").id
    }

    /// The member who calls.
    pub(super) fn admin(&self) -> String {
        let catalog = self.business.catalog();
        let admin = catalog.members.iter().next().expect("it was founded").id;
        admin.to_string()
    }

    pub(super) async fn upsert(&self, body: &Value) -> Answer {
        self.server.post(&format!("{ACCOUNTS}/upsert"), body).await
    }

    /// Creates an account that is not there yet, and gives its id.
    pub(super) async fn created(&self, name: &str, fields: &Value) -> String {
        let answer = self.upsert(&json!({"lookup_value": name, "fields": fields})).await;
        let body = answer.expect(200);
        assert_eq!(body["action"], "created", "{body}");
        id_of(&body)
    }

    pub(super) async fn archive(&self, id: &str) {
        let answer = self.server.delete(&format!("{ACCOUNTS}/{id}")).await;
        assert_eq!((answer.status, answer.body), (204, Value::Null));
    }

    /// The record as a read shows it.
    pub(super) async fn read(&self, id: &str) -> Value {
        self.server.get(&format!("{ACCOUNTS}/{id}")).await.expect(200)
    }

    /// The record as a read shows it, archived or not.
    pub(super) async fn read_archived(&self, id: &str) -> Value {
        self.server.get(&format!("{ACCOUNTS}/{id}?include_archived=true")).await.expect(200)
    }
}

pub(super) fn id_of(record: &Value) -> String {
    record["id"].as_str().expect("a record has an id").to_owned()
}

/// The fields of an answer as `name: value`, in no order.
pub(super) fn values(record: &Value) -> Value {
    let fields = record["fields"].as_object().expect("fields are an object");
    let named = fields.iter().map(|(id, field)| {
        assert_eq!(field["id"], Value::from(id.as_str()), "a field is keyed by its id");
        (field["name"].as_str().expect("a field has a name").to_owned(), field["value"].clone())
    });
    Value::Object(named.collect())
}

/// A request as another client library writes it: bytes of its own.
pub(super) fn raw(request: TestRequest, body: &'static str) -> TestRequest {
    request.insert_header(("content-type", "application/json")).set_payload(body)
}

fn caller(business: &Business) -> command::Caller {
    let catalog = business.catalog();
    let member = catalog.members.iter().next().expect("it was founded").id;
    let (members, batch) = (catalog.members.clone(), BatchId(Uuid::nil()));
    let rights = Arc::new(Rights::administrator(member));
    let (others, origin) = (Others::default(), "test".into());
    command::Caller { member, members, rights, others, origin, batch, retry: None }
}

async fn ask_catalog(engine: &Engine, business: &Business, ask: catalog::Ask) {
    let command = catalog::Command { caller: caller(business), ask };
    let reply = engine.ask_catalog(business, command, 100).await;
    assert!(reply.is_ok(), "{reply:?}");
}

/// A field of this type, named and labelled alike.
pub(super) fn new_field(name: &str, field_type: &str) -> NewField {
    NewField {
        display_name: Some(name.to_owned()),
        name: Some(name.to_owned()),
        field_type: Some(field_type.to_owned()),
        ..NewField::default()
    }
}

fn fields() -> Vec<NewField> {
    let new = new_field;
    let option = |name: &str, code: Option<&str>| NewOption {
        name: Some(name.to_owned()),
        code: code.map(str::to_owned),
        ..NewOption::default()
    };
    let options = vec![option("North", Some("n")), option("South", None)];
    let limits = NewDecimalOptions { min_value: Some("-100".to_owned()), ..Default::default() };
    vec![
        NewField { is_unique: Some(true), ..new("external_id", "text") },
        new("remark", "text"),
        new("note", "longtext"),
        NewField { is_unique: Some(true), ..new("mail", "email") },
        NewField { is_unique: Some(true), ..new("seats", "integer") },
        NewField { decimal_options: Some(limits), ..new("rate", "decimal") },
        new("active", "checkbox"),
        new("since", "date"),
        new("seen", "datetime"),
        NewField { options: Some(options), ..new("region", "dropdown") },
        new("labels", "dynamictags"),
        new("agent", "team_selector"),
        NewField { allow_multiple: Some(true), ..new("helpers", "team_selector") },
        NewField { is_hidden: Some(true), ..new("secret", "text") },
        NewField { is_read_only: Some(true), ..new("locked", "text") },
    ]
}
