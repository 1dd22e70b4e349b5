//! Objects and fields on the server: checked, and made where they are missing.
//!
//! It must not know how a plan comes about.

use crate::cli::client::connection::Connection;
use crate::cli::client::query::{Query, object_in_path};
use crate::cli::client::singer::plan::{Plan, is_text};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

const JSON: &str = "application/json";
/// The longest label that an object may have.
const LABEL_LENGTH_MAX: usize = 200;

/// An object, as far as a plan minds.
#[derive(Deserialize)]
struct Object {
    identifier: Identifier,
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Identifier {
    case: String,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    #[serde(rename = "field_type")]
    kind: String,
    is_read_only: bool,
}

/// Sees to it that everything is there that the plan writes to, and lets it know the types of
/// fields that were there before.
pub(super) fn prepare(
    connection: &mut Connection,
    plan: &mut Plan,
    creates: bool,
) -> Result<(), Failure> {
    let object = match find(connection, plan)? {
        Some(object) => object,
        None if creates => make(connection, plan)?,
        None => {
            let what = format!("there is no object {:?}", plan.object);
            return Err(missing(what));
        }
    };
    if object.identifier.case == "insensitive" && !plan.lookup.is_empty() {
        connection.notes().say(format_args!(
            "{}: keys that differ only in case are one record there (its identifier_case)",
            plan.object
        ));
    }
    for (property, column) in &mut plan.columns {
        let field = object.fields.iter().find(|field| field.name == column.field);
        match field {
            Some(field) if field.is_read_only => {
                let what = format!("{}: the server computes {:?}", plan.object, field.name);
                return Err(missing(what));
            }
            Some(field) => column.is_text = is_text(&field.kind),
            None if creates => {
                let body = column.to_field(property);
                let what = format!("to make the field {:?} of {}", column.field, plan.object);
                let path = format!("/api/custom-objects/{}/fields", object_in_path(&plan.object)?);
                connection.ask(&Query::post(path, JSON, body.to_string().as_bytes()), &what)?;
            }
            None => {
                let what = format!("{} has no field {:?}", plan.object, column.field);
                return Err(missing(what));
            }
        }
    }
    Ok(())
}

fn find(connection: &mut Connection, plan: &Plan) -> Result<Option<Object>, Failure> {
    let path = format!("/api/custom-objects/{}", object_in_path(&plan.object)?);
    let what = format!("to show the object {:?}", plan.object);
    let answer = connection.find_out(&Query::get(path), &what)?;
    answer.map(|answer| read(&answer.body)).transpose()
}

fn make(connection: &mut Connection, plan: &Plan) -> Result<Object, Failure> {
    let label: String = plan.label.chars().take(LABEL_LENGTH_MAX).collect();
    // Keys of other systems are compared as they are.
    let body: Value =
        json!({"object_name": label, "name": plan.object, "identifier_case": "sensitive"});
    let what = format!("to make the object {:?}", plan.object);
    let path = "/api/custom-objects".to_owned();
    let answer = connection.ask(&Query::post(path, JSON, body.to_string().as_bytes()), &what)?;
    connection.notes().say(format_args!("made the object {}", plan.object));
    read(&answer.body)
}

fn read(body: &[u8]) -> Result<Object, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let what = "what came back is no object".to_owned();
        let way_out = "is it upsertd that answers there, and of this version or a later one?";
        Failure::new(Exit::ServerRefused, "answer_not_understood", what, way_out).because(error)
    })
}

fn missing(what: String) -> Failure {
    let way_out = "name another field or object in the configuration (\"streams\", \"fields\"), \
                   leave the property out there (null), or let what is missing be made \
                   (\"create\": true)";
    Failure::new(Exit::SettingsInvalid, "stream_does_not_fit", what, way_out)
}
