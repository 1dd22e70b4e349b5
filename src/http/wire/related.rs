//! Related records as answers show them, and the relation of a field.
//!
//! It must not know which records are related: a link does.

use crate::http::wire::schema_fields::RelationKeys;
use crate::model::access::FieldRights;
use crate::model::id::{CategoryId, FieldId, FieldNumber, ObjectId, RecordId};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::table::link::{Link, Tables};
use crate::model::table::naming::{text, visible_display_name, visible_record_name};
use crate::model::table::record::Record;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// Values that a record shows; of more it shows their number.
pub const INLINE_MAX: usize = 100;

/// What a record is related to through one field.
pub enum RelatedForm {
    One(RelatedRecord),
    Several(Vec<RelatedRecord>),
    /// So many that they are listed elsewhere.
    Summary(usize),
}

impl RelatedForm {
    /// None where nothing is related.
    #[must_use]
    pub fn of(link: &Link, field: &Field, record: &Record, inline_max: usize) -> Option<Self> {
        let related = link.first(record, inline_max);
        if related.count > inline_max {
            return Some(Self::Summary(related.count));
        }
        let schema = link.schema();
        let rights = Arc::new(link.access().fields(schema));
        let records = related.records.into_iter();
        let mut records = records.map(|record| {
            let (schema, rights) = (schema.clone(), rights.clone());
            RelatedRecord { schema, rights, record }
        });
        if field.allow_multiple {
            Some(records.collect::<Vec<_>>()).filter(|list| !list.is_empty()).map(Self::Several)
        } else {
            records.next().map(Self::One)
        }
    }

    /// How many there are, where that takes the place of the values.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        match self {
            Self::One(_) | Self::Several(_) => None,
            Self::Summary(count) => Some(Summary { count: *count }),
        }
    }
}

/// What stands for values that are too many.
#[derive(Debug, Serialize)]
pub struct Summary {
    count: usize,
}

impl Serialize for RelatedForm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(record) => record.serialize(serializer),
            Self::Several(records) => serializer.collect_seq(records),
            Self::Summary(count) => Summary { count: *count }.serialize(serializer),
        }
    }
}

/// A record as the value of a field of another one.
pub struct RelatedRecord {
    schema: Arc<Schema>,
    rights: Arc<FieldRights>,
    record: Record,
}

impl RelatedRecord {
    #[must_use]
    pub fn id(&self) -> RecordId {
        self.record.id()
    }
}

impl Serialize for RelatedRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { schema, rights, record } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &record.id())?;
        if schema.is_contacts() {
            map.serialize_entry("first_name", shown(record, rights, system::FIRST_NAME))?;
            map.serialize_entry("last_name", shown(record, rights, system::LAST_NAME))?;
            map.serialize_entry("email", text(record, system::EMAIL))?;
        } else {
            map.serialize_entry("name", &visible_record_name(schema, record, rights))?;
        }
        map.serialize_entry("display_name", &visible_display_name(schema, record, rights))?;
        map.end()
    }
}

/// A text; what is hidden is an empty one here.
fn shown<'r>(record: &'r Record, rights: &FieldRights, number: FieldNumber) -> &'r str {
    if rights.may_see(number) { text(record, number) } else { "" }
}

/// A record as a row of those that a field may be or is related to.
#[derive(Debug, Serialize)]
pub struct RelatedRow {
    id: RecordId,
    #[serde(flatten)]
    name: RowName,
    display_name: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum RowName {
    Contact { first_name: String, last_name: String, full_name: String, email: String },
    Record { name: String },
}

impl RelatedRow {
    #[must_use]
    pub fn of(schema: &Schema, rights: &FieldRights, record: &Record) -> Self {
        let name = visible_record_name(schema, record, rights).into_owned();
        let name = if schema.is_contacts() {
            RowName::Contact {
                first_name: shown(record, rights, system::FIRST_NAME).to_owned(),
                last_name: shown(record, rights, system::LAST_NAME).to_owned(),
                full_name: name,
                email: text(record, system::EMAIL).to_owned(),
            }
        } else {
            RowName::Record { name }
        };
        let display_name = visible_display_name(schema, record, rights).into_owned();
        Self { id: record.id(), name, display_name }
    }
}

/// A field where it is only named.
#[derive(Debug, Serialize)]
struct FieldRef {
    id: FieldId,
    name: String,
}

/// The relation of a field as answers show it: what it was made with, and what is there now.
#[derive(Debug, Serialize)]
pub struct RelationShape {
    related_object: ObjectId,
    related_category: Option<CategoryId>,
    related_name: Option<String>,
    relation_type: &'static str,
    related_field: Option<FieldRef>,
    related_object_name: Option<String>,
    related_object_object_name: Option<String>,
    related_entity_name: Option<String>,
    cardinality: &'static str,
    fetch_url: Option<&'static str>,
}

impl RelationShape {
    /// None of a field without a relation. Of an object that is not visible its id alone is shown.
    #[must_use]
    pub fn of(field: &Field, tables: &Tables<'_>) -> Option<Self> {
        let relation = field.relation.as_ref()?;
        let partner = tables(relation.object).and_then(|side| {
            let other = side.shown.schema();
            let partner = other.by_id(relation.field)?;
            side.access.fields(&other).may_see(partner.number).then(|| partner.clone())
        });
        Self::between(field, partner.as_deref(), tables)
    }

    /// The same with a partner, which may not be there yet.
    #[must_use]
    pub fn between(field: &Field, partner: Option<&Field>, tables: &Tables<'_>) -> Option<Self> {
        let relation = field.relation.as_ref()?;
        let other = tables(relation.object).map(|side| side.shown.schema());
        let object = other.as_ref().map(|other| other.object());
        Some(Self {
            related_object: relation.object,
            related_category: partner.map(|field| field.category),
            related_name: partner.map(|field| field.display_name.clone()),
            relation_type: relation.relation_type.name(),
            related_field: partner.map(|field| FieldRef { id: field.id, name: field.name.clone() }),
            related_object_name: object.map(|object| object.name.clone()),
            related_object_object_name: object.map(|object| object.object_name.clone()),
            related_entity_name: object.map(|object| object.entity_name.clone()),
            cardinality: relation.relation_type.cardinality(),
            fetch_url: other.as_ref().map(|other| fetch_url(other)),
        })
    }
}

impl RelationShape {
    /// Whether a request gives nothing else than this.
    #[must_use]
    pub fn is_given_as(&self, keys: &RelationKeys) -> bool {
        let is_same = |given: &Option<String>, held: Option<String>| {
            given.as_ref().is_none_or(|given| Some(given.trim()) == held.as_deref())
        };
        let is_object = keys.related_object.as_ref().is_none_or(|given| {
            ObjectId::parse(given.trim()) == Some(self.related_object)
                || self.related_object_name.as_deref() == Some(&**given)
        });
        is_object
            && is_same(&keys.related_category, self.related_category.map(|id| id.to_string()))
            && is_same(&keys.related_name, self.related_name.clone())
            && is_same(&keys.relation_type, Some(self.relation_type.to_owned()))
    }
}

/// The family of routes under which the records of an object are read elsewhere.
#[must_use]
pub fn fetch_url(schema: &Schema) -> &'static str {
    if schema.is_contacts() { "client" } else { schema.object().object_type.name() }
}

/// The other side of a relation, as what refers to a field.
#[derive(Debug, Serialize)]
pub struct RelationReference {
    object: ObjectRef,
    field: FieldRef,
}

#[derive(Debug, Serialize)]
struct ObjectRef {
    id: ObjectId,
    name: String,
}

impl RelationReference {
    #[must_use]
    pub fn of(field: &Field, tables: &Tables<'_>) -> Option<Self> {
        let relation = field.relation.as_ref()?;
        let side = tables(relation.object)?;
        let other = side.shown.schema();
        let rights = side.access.fields(&other);
        let partner = other.by_id(relation.field).filter(|it| rights.may_see(it.number))?;
        let object = other.object();
        Some(Self {
            object: ObjectRef { id: object.id, name: object.name.clone() },
            field: FieldRef { id: partner.id, name: partner.name.clone() },
        })
    }
}
