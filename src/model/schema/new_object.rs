//! A new object as a request draws it up, and the schema it becomes.
//!
//! Owns what is required, allowed and filled in. Must not know JSON, rights, the directory of
//! objects, or how ids and times are made.

use crate::model::id::{MemberId, ObjectId, Timestamp};
use crate::model::key::IdentifierCase;
use crate::model::schema::check::Checks;
use crate::model::schema::fault::{SchemaFault, SchemaFaultKind};
use crate::model::schema::new_field::invalid;
use crate::model::schema::object::{DEFAULT_COLOR, DEFAULT_ICON, Object, ObjectType};
use crate::model::schema::option::Choices;
use crate::model::schema::stage::{NewStage, read_stages};
use crate::model::schema::{
    DESCRIPTION_CHARS_MAX, LABEL_CHARS_MAX, META_BYTES_MAX, Schema, default_fields, name,
};
use crate::model::value::fault::ValueFault;
use uuid::Uuid;

/// The body of a request for a new object, each key if it was given.
#[derive(Clone, Debug, Default)]
pub struct NewObject {
    pub object_name: Option<String>,
    pub entity_name: Option<String>,
    pub object_type: Option<String>,
    /// The API name.
    pub name: Option<String>,
    pub description: Option<String>,
    pub has_commerce_data: Option<bool>,
    pub default_on_activities: Option<bool>,
    pub track_entity_value: Option<bool>,
    pub include_percentage_to_close: Option<bool>,
    pub allow_on_forms: Option<bool>,
    pub default_color: Option<String>,
    pub default_icon: Option<String>,
    pub identifier_case: Option<String>,
    /// The text of a JSON object.
    pub meta: Option<String>,
    pub pipeline: Option<NewPipeline>,
    /// The fields of each, by name or id; of a new object the default ones, for it has no others.
    pub unique_constraints: Option<Vec<Vec<String>>>,
}

/// What makes a pipeline of an object.
#[derive(Clone, Debug, Default)]
pub struct NewPipeline {
    pub stages: Option<Vec<NewStage>>,
}

/// Who makes an object, and when.
#[derive(Clone, Copy, Debug)]
pub struct Founder {
    /// Nobody where the server makes it.
    pub member: Option<MemberId>,
    pub at: Timestamp,
}

impl NewObject {
    /// The first schema of the object, or everything that is wrong with it.
    ///
    /// `is_taken` knows the API names of the business, archived objects included.
    pub fn decide(
        &self,
        founder: Founder,
        is_taken: &dyn Fn(&str) -> bool,
        ids: &mut dyn FnMut() -> Uuid,
    ) -> Result<Schema, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        let draft = self.read(founder, &mut checks);
        let identifier_case = checks.choice(
            "identifier_case",
            self.identifier_case.as_deref(),
            IdentifierCase::parse,
        );
        if let Some(given) = &self.name
            && let Err(fault) = name::check_object_name(given, is_taken)
        {
            checks.add("name", SchemaFaultKind::ObjectName(fault));
        }
        let stages = self.read_pipeline(draft.object_type, ids, &mut checks);
        let name = self.name.clone().unwrap_or_else(|| {
            name::derive_object_name(&draft.object_name, is_taken, || six_digits(ids()))
        });
        let object = Object { id: ObjectId(ids()), name, ..draft };
        let schema = default_fields::custom(object, identifier_case, stages, ids);
        let given = self.unique_constraints.as_deref().unwrap_or_default();
        let constraints = schema.read_constraints(given, &|_| true, &mut checks);
        checks.end()?;
        Ok(schema.with_first_constraints(constraints))
    }

    /// The stages, where the object is a pipeline.
    fn read_pipeline(
        &self,
        object_type: ObjectType,
        ids: &mut dyn FnMut() -> Uuid,
        checks: &mut Checks,
    ) -> Choices {
        match (object_type, &self.pipeline) {
            (ObjectType::Standard, None) => {}
            (ObjectType::Standard, Some(_)) => {
                checks.add("pipeline", invalid("Only a pipeline has stages."));
            }
            (ObjectType::Pipeline, None) => checks.add("pipeline", ValueFault::Required),
            (ObjectType::Pipeline, Some(pipeline)) => {
                return read_stages(pipeline.stages.as_deref(), ids, checks);
            }
        }
        Choices::default()
    }

    /// The object but for its id and API name.
    fn read(&self, founder: Founder, checks: &mut Checks) -> Object {
        let object_name = checks.label("object_name", self.object_name.as_deref());
        let entity_name = match &self.entity_name {
            Some(given) => checks.label("entity_name", Some(given)),
            None => object_name.clone(),
        };
        let mut looks = |key, given: &Option<String>, default| {
            checks.text(key, Some(given.as_deref().unwrap_or(default)), LABEL_CHARS_MAX)
        };
        let default_color = looks("default_color", &self.default_color, DEFAULT_COLOR);
        let default_icon = looks("default_icon", &self.default_icon, DEFAULT_ICON);
        let description = self.description.as_deref();
        Object {
            id: ObjectId(Uuid::nil()),
            name: String::new(),
            object_name,
            entity_name,
            object_type: checks.choice(
                "object_type",
                self.object_type.as_deref(),
                ObjectType::parse,
            ),
            is_custom: true,
            description: checks.text("description", description, DESCRIPTION_CHARS_MAX),
            allow_relations: true,
            has_commerce_data: self.has_commerce_data.unwrap_or_default(),
            default_on_activities: self.default_on_activities.unwrap_or_default(),
            track_entity_value: self.track_entity_value.unwrap_or_default(),
            include_percentage_to_close: self.include_percentage_to_close.unwrap_or_default(),
            allow_on_forms: self.allow_on_forms.unwrap_or_default(),
            default_color,
            default_icon,
            meta: checks.meta("meta", self.meta.as_deref(), META_BYTES_MAX),
            created: founder.at,
            owner: founder.member,
            archived_at: None,
        }
    }
}

/// The last digits of an id, which are random ones.
fn six_digits(id: Uuid) -> String {
    let hexadecimal = id.simple().to_string();
    hexadecimal[hexadecimal.len() - 6..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::name::NameFault;

    const FOUNDER: Founder = Founder { member: None, at: Timestamp(7) };

    fn deals() -> NewObject {
        NewObject { object_name: Some("Deals".to_owned()), ..NewObject::default() }
    }

    fn decide(new: &NewObject) -> Result<Schema, Vec<SchemaFault>> {
        let mut number = 0x00ab_cdef_u128;
        new.decide(FOUNDER, &|name| name == "taken", &mut || {
            number += 1;
            Uuid::from_u128(number)
        })
    }

    fn check(change: impl FnOnce(&mut NewObject), expected: &[(&str, SchemaFaultKind)]) {
        let mut new = deals();
        change(&mut new);
        let faults = decide(&new).expect_err("the object is faulty");
        let found: Vec<_> =
            faults.iter().map(|fault| (fault.place.to_string(), fault.fault.clone())).collect();
        let expected: Vec<_> =
            expected.iter().map(|(place, fault)| ((*place).to_owned(), fault.clone())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_label_is_enough_and_the_rest_has_defaults() {
        let schema = decide(&deals()).unwrap();
        let object = schema.object();
        assert_eq!((&*object.name, &*object.entity_name), ("deals", "Deals"));
        assert_eq!((&*object.default_color, &*object.default_icon), ("#085BEE", "bars-light"));
        assert_eq!((&*object.description, &*object.meta), ("", "{}"));
        assert_eq!((object.created, object.owner), (FOUNDER.at, None));
        assert!(!object.id.0.is_nil());
        assert_eq!(schema.number().0, 1);
    }

    #[test]
    fn what_is_given_is_kept() {
        let new = NewObject {
            entity_name: Some(" Deal ".to_owned()),
            name: Some("Deals-1".to_owned()),
            object_type: Some("standard".to_owned()),
            description: Some("Open and won".to_owned()),
            allow_on_forms: Some(true),
            meta: Some("{\"a\":1}".to_owned()),
            ..deals()
        };
        let schema = decide(&new).unwrap();
        let object = schema.object();
        assert_eq!((&*object.name, &*object.entity_name), ("Deals-1", "Deal"));
        assert_eq!((&*object.description, &*object.meta), ("Open and won", "{\"a\":1}"));
        assert!(object.allow_on_forms && !object.has_commerce_data);
        assert_eq!(schema.identifier().display_name, "Deal Name");
    }

    #[test]
    fn a_name_that_is_taken_gets_digits() {
        let new = NewObject { object_name: Some("Taken".to_owned()), ..NewObject::default() };
        assert_eq!(decide(&new).unwrap().object().name, "taken_abcdf0");
    }

    #[test]
    fn each_fault_is_told_with_its_key() {
        let too_long = |max| ValueFault::TooLong { max }.into();
        check(|new| new.object_name = None, &[("object_name", ValueFault::Required.into())]);
        check(
            |new| new.object_name = Some("  ".to_owned()),
            &[("object_name", ValueFault::Blank.into())],
        );
        check(|new| new.object_name = Some("x".repeat(201)), &[("object_name", too_long(200))]);
        check(|new| new.entity_name = Some("x".repeat(201)), &[("entity_name", too_long(200))]);
        check(|new| new.description = Some("x".repeat(501)), &[("description", too_long(500))]);
        check(
            |new| new.object_type = Some("sphere".to_owned()),
            &[("object_type", ValueFault::InvalidChoice { given: "sphere".into() }.into())],
        );
        check(
            |new| new.object_type = Some("pipeline".to_owned()),
            &[("pipeline", ValueFault::Required.into())],
        );
        check(
            |new| new.pipeline = Some(NewPipeline::default()),
            &[("pipeline", invalid("Only a pipeline has stages.").into())],
        );
        check(
            |new| new.identifier_case = Some("SENSITIVE".to_owned()),
            &[("identifier_case", ValueFault::InvalidChoice { given: "SENSITIVE".into() }.into())],
        );
        check(
            |new| new.meta = Some("x".repeat(16 * 1024 + 1)),
            &[("meta", ValueFault::LimitExceeded { what: "bytes", max: 16 * 1024 }.into())],
        );
        check(
            |new| new.name = Some("taken".to_owned()),
            &[("name", SchemaFaultKind::ObjectName(NameFault::Taken))],
        );
        check(
            |new| new.name = Some(String::new()),
            &[("name", SchemaFaultKind::ObjectName(NameFault::ObjectPattern))],
        );
    }

    #[test]
    fn all_faults_are_told_at_once() {
        check(
            |new| {
                new.object_name = None;
                new.name = Some("upsert".to_owned());
                new.default_icon = Some("a\0".to_owned());
            },
            &[
                ("object_name", ValueFault::Required.into()),
                (
                    "default_icon",
                    ValueFault::Invalid { what: "Control characters are not allowed." }.into(),
                ),
                ("name", SchemaFaultKind::ObjectName(NameFault::Reserved)),
            ],
        );
    }
}
