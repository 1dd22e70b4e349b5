//! `search`: words that must all occur, each in some of the searched fields.

use crate::model::filter::condition::need_of;
use crate::model::filter::row::Row;
use crate::model::filter::text::{Relation, TextTest};
use crate::model::id::FieldNumber;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::value::FieldType;
use std::sync::Arc;

/// Characters of all words together.
pub const SEARCH_CHARS_MAX: usize = 255;

/// Words, and where they are looked for.
#[derive(Clone, Debug)]
pub struct Words {
    words: Vec<TextTest>,
    fields: Vec<Arc<Field>>,
}

impl Words {
    /// The words of a text; none where there is none.
    #[must_use]
    pub fn new(text: &str, fields: Vec<Arc<Field>>) -> Option<Self> {
        let words: Vec<TextTest> =
            text.split_whitespace().map(|word| TextTest::new(Relation::Contains, word)).collect();
        (!words.is_empty()).then_some(Self { words, fields })
    }

    /// Where words are looked for unless the request says where.
    #[must_use]
    pub fn default_fields(schema: &Schema) -> Vec<Arc<Field>> {
        const OF_CONTACTS: [FieldNumber; 6] = [
            system::EMAIL,
            system::FIRST_NAME,
            system::LAST_NAME,
            system::MOBILE_PHONE,
            system::HOME_PHONE,
            system::BUSINESS_PHONE,
        ];
        if !schema.is_contacts() {
            return vec![schema.identifier().clone()];
        }
        OF_CONTACTS.iter().filter_map(|number| schema.by_number(*number)).cloned().collect()
    }

    /// Whether words are looked for in fields of this type.
    #[must_use]
    pub const fn may_search(field_type: FieldType) -> bool {
        match field_type {
            FieldType::Text | FieldType::Longtext | FieldType::Email | FieldType::Phonenumber => {
                true
            }
            FieldType::Integer
            | FieldType::Decimal
            | FieldType::Money
            | FieldType::Checkbox
            | FieldType::Date
            | FieldType::Datetime
            | FieldType::Timezone
            | FieldType::Dropdown
            | FieldType::Radio
            | FieldType::Choices
            | FieldType::Status
            | FieldType::Yesnomaybe
            | FieldType::Selector
            | FieldType::Checkboxes
            | FieldType::Rating
            | FieldType::Dynamictags
            | FieldType::TeamSelector
            | FieldType::Files => false,
        }
    }

    /// The words, each of which must occur.
    #[must_use]
    pub fn words(&self) -> &[TextTest] {
        &self.words
    }

    /// Where they are looked for.
    #[must_use]
    pub fn fields(&self) -> &[Arc<Field>] {
        &self.fields
    }

    #[must_use]
    pub fn takes(&self, row: &Row<'_>) -> bool {
        self.words.iter().all(|word| {
            let has = |field: &Arc<Field>| row.text(field).is_some_and(|text| word.holds(&text));
            self.fields.iter().any(has)
        })
    }

    /// Notes the stored values that are looked at.
    pub fn note_needs(&self, needs: &mut Vec<FieldNumber>) {
        needs.extend(self.fields.iter().filter_map(|field| need_of(field)));
    }
}
