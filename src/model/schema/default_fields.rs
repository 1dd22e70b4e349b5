//! What an object has from the start: one category and its default fields.
//!
//! Owns their order, labels and flags. Must not know who may make an object, nor draw ids: the
//! caller brings them.

use crate::model::id::{
    CategoryId, FieldId, FieldNumber, ObjectId, OptionId, OptionNumber, Timestamp,
};
use crate::model::key::IdentifierCase;
use crate::model::schema::Schema;
use crate::model::schema::decimal_options::DecimalOptions;
use crate::model::schema::field::Field;
use crate::model::schema::money_options::MoneyOptions;
use crate::model::schema::object::{
    CONTACTS, Category, DEFAULT_COLOR, DEFAULT_ICON, EMPTY_META, Object, ObjectType,
};
use crate::model::schema::option::{Choice, Choices};
use crate::model::schema::phonenumber_options::PhonenumberOptions;
use crate::model::schema::system;
use crate::model::value::{FieldType, Multiplicity};
use rust_decimal::Decimal;
use uuid::Uuid;

/// Label and code of each option of `email_status`, in order.
const EMAIL_STATUSES: [(&str, &str); 4] = [
    ("Opted In", "opted_in"),
    ("Not Opted In", "not_opted_in"),
    ("Unsubscribed From All", "unsubscribed"),
    ("Suppression List", "suppression_list"),
];

/// The schema of a new object that is not the contact object; of a pipeline, with these stages.
pub fn custom(
    object: Object,
    identifier_case: IdentifierCase,
    stages: Choices,
    ids: &mut dyn FnMut() -> Uuid,
) -> Schema {
    let category = first_category(format!("{} Info", object.entity_name), ids);
    let label = format!("{} Name", object.entity_name);
    let mut fields = Fields { category: category.id, ids, made: Vec::new() };
    let name = fields.add(system::NAME, "name", &label, FieldType::Text);
    name.is_required = true;
    name.is_unique = true;
    name.normalizer = Some(identifier_case.normalizer());
    fields.add(system::OWNER, "owner", "Owner", FieldType::TeamSelector).is_required = true;
    fields.add(system::DISPLAY_NAME, "display_name", "Display Name", FieldType::Text);
    match object.object_type {
        ObjectType::Standard => {}
        ObjectType::Pipeline => fields.add_of_pipelines(stages),
    }
    fields.add_times();
    let fields = fields.made;
    Schema::new(object, vec![category], fields)
}

/// The schema of the contact object, which every business has from its first moment.
pub fn contacts(created: Timestamp, ids: &mut dyn FnMut() -> Uuid) -> Schema {
    let object = Object {
        id: ObjectId(ids()),
        name: CONTACTS.to_owned(),
        object_name: "Contacts".to_owned(),
        entity_name: "Contact".to_owned(),
        object_type: ObjectType::Standard,
        is_custom: false,
        description: String::new(),
        allow_relations: true,
        has_commerce_data: false,
        default_on_activities: false,
        track_entity_value: false,
        include_percentage_to_close: false,
        allow_on_forms: false,
        default_color: DEFAULT_COLOR.to_owned(),
        default_icon: DEFAULT_ICON.to_owned(),
        meta: EMPTY_META.to_owned(),
        created,
        owner: None,
        archived_at: None,
    };
    let category = first_category("Contact Info".to_owned(), ids);
    let mut fields = Fields { category: category.id, ids, made: Vec::new() };
    fields.add(system::EMAIL, "email", "Email", FieldType::Email).is_unique = true;
    fields.add(system::FIRST_NAME, "first_name", "First Name", FieldType::Text);
    fields.add(system::LAST_NAME, "last_name", "Last Name", FieldType::Text);
    fields.add(system::FULL_NAME, "full_name", "Full Name", FieldType::Text);
    fields.add(system::MOBILE_PHONE, "mobile_phone", "Mobile Phone", FieldType::Phonenumber);
    fields.add(system::HOME_PHONE, "home_phone", "Home Phone", FieldType::Phonenumber);
    fields.add(system::BUSINESS_PHONE, "business_phone", "Business Phone", FieldType::Phonenumber);
    fields.add(system::TITLES, "titles", "Titles", FieldType::Dynamictags);
    fields.add(system::TAGS, "tags", "Tags", FieldType::Dynamictags);
    fields.add(system::BIRTHDAY, "birthday", "Birthday", FieldType::Date);
    let options = email_statuses(fields.ids);
    fields.add(system::EMAIL_STATUS, "email_status", "Email Status", FieldType::Dropdown).options =
        options;
    fields.add(system::TIMEZONE, "timezone", "Time Zone", FieldType::Timezone);
    fields.add_times();
    let fields = fields.made;
    Schema::new(object, vec![category], fields)
}

/// The default fields of one object while they are made.
struct Fields<'a> {
    category: CategoryId,
    ids: &'a mut dyn FnMut() -> Uuid,
    made: Vec<Field>,
}

impl Fields<'_> {
    fn add(
        &mut self,
        number: FieldNumber,
        name: &str,
        label: &str,
        field_type: FieldType,
    ) -> &mut Field {
        let order = i32::try_from(self.made.len()).expect("there are few default fields");
        let mut field = Field {
            number,
            id: FieldId((self.ids)()),
            name: name.to_owned(),
            display_name: label.to_owned(),
            description: String::new(),
            field_type,
            category: self.category,
            order,
            is_default: true,
            is_required: false,
            is_read_only: false,
            is_hidden: false,
            is_deletable: false,
            allow_multiple: field_type.multiplicity() == Multiplicity::Many,
            is_unique: false,
            normalizer: field_type.normalizers().first().copied(),
            meta: EMPTY_META.to_owned(),
            options: Choices::default(),
            decimal_options: None,
            money_options: None,
            rating: None,
            phonenumber_options: (field_type == FieldType::Phonenumber)
                .then(PhonenumberOptions::default),
        };
        field.is_read_only = field.is_computed();
        self.made.push(field);
        self.made.last_mut().expect("one was just added")
    }

    /// All that a pipeline may have: what its flags do not ask for waits until they do.
    fn add_of_pipelines(&mut self, stages: Choices) {
        let stage = self.add(system::STAGE, "stage", "Stage", FieldType::Dropdown);
        stage.is_required = true;
        stage.options = stages;
        let value = self.add(system::ENTITY_VALUE, "entity_value", "Value", FieldType::Money);
        value.money_options = Some(MoneyOptions::default());
        let datetime = FieldType::Datetime;
        self.add(
            system::ESTIMATED_CLOSE_DATE,
            "estimated_close_date",
            "Estimated Close Date",
            datetime,
        );
        self.add(system::ACTUAL_CLOSE_DATE, "actual_close_date", "Actual Close Date", datetime);
        for (number, end) in [(system::CHANCE_LOW, "Low"), (system::CHANCE_HIGH, "High")] {
            let name = format!("percentage_chance_to_close_{}", end.to_lowercase());
            let label = format!("Percentage Chance to Close ({end})");
            self.add(number, &name, &label, FieldType::Decimal).decimal_options =
                Some(DecimalOptions {
                    min_value: Some(Decimal::ZERO),
                    max_value: Some(Decimal::ONE),
                    precision: None,
                });
        }
        let dropdown = FieldType::Dropdown;
        self.add(system::REASONS_LOST, "reasons_lost", "Reasons Lost", dropdown);
        self.add(
            system::REASONS_DISQUALIFIED,
            "reasons_disqualified",
            "Reasons Disqualified",
            dropdown,
        );
    }

    fn add_times(&mut self) {
        self.add(system::CREATED, "created", "Created", FieldType::Datetime);
        self.add(system::UPDATED, "updated", "Last Modified", FieldType::Datetime);
    }
}

fn first_category(name: String, ids: &mut dyn FnMut() -> Uuid) -> Category {
    Category { id: CategoryId(ids()), name, order: 0, meta: EMPTY_META.to_owned() }
}

fn email_statuses(ids: &mut dyn FnMut() -> Uuid) -> Choices {
    let choice = |(order, (label, code)): (i32, (&str, &str))| Choice {
        number: OptionNumber(order.unsigned_abs() + 1),
        id: OptionId(ids()),
        name: label.to_owned(),
        code: code.to_owned(),
        order,
        meta: EMPTY_META.to_owned(),
        status: None,
        chance: None,
    };
    (0..).zip(EMAIL_STATUSES).map(choice).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::fault::SchemaFaultKind;
    use crate::model::schema::new_object::{Founder, NewObject, NewPipeline};
    use crate::model::schema::stage::NewStage;

    fn ids() -> impl FnMut() -> Uuid {
        let mut number = 0;
        move || {
            number += 1;
            Uuid::from_u128(number)
        }
    }

    fn accounts(identifier_case: &str) -> Schema {
        let new = NewObject {
            object_name: Some("Accounts".to_owned()),
            entity_name: Some("Account".to_owned()),
            identifier_case: Some(identifier_case.to_owned()),
            ..NewObject::default()
        };
        let founder = Founder { member: None, at: Timestamp(7) };
        new.decide(founder, &|_| false, &mut ids()).unwrap()
    }

    /// Number, API name, label, type, and the first letters of the flags it has: required,
    /// unique, computed, multiple.
    fn check(schema: &Schema, expected: &[(u32, &str, &str, &str, &str)]) {
        let found: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| {
                let flags: String = [
                    (field.is_required, 'r'),
                    (field.is_unique, 'u'),
                    (field.is_computed(), 'c'),
                    (field.allow_multiple, 'm'),
                ]
                .into_iter()
                .filter_map(|(is_set, flag)| is_set.then_some(flag))
                .collect();
                assert_eq!(field.is_read_only, field.is_computed(), "{}", field.name);
                assert!(field.is_default && !field.is_deletable && !field.is_hidden);
                let label = field.display_name.as_str();
                (
                    field.number.0,
                    field.name.clone(),
                    label.to_owned(),
                    field.field_type.name(),
                    flags,
                )
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(number, name, label, field_type, flags)| {
                (*number, (*name).to_owned(), (*label).to_owned(), *field_type, (*flags).to_owned())
            })
            .collect();
        assert_eq!(found, expected);
        assert!((0..).zip(schema.fields()).all(|(order, field)| field.order == order));
    }

    #[test]
    fn an_object_starts_with_its_default_fields() {
        let schema = accounts("insensitive");
        check(
            &schema,
            &[
                (32, "name", "Account Name", "text", "ru"),
                (33, "owner", "Owner", "team_selector", "r"),
                (34, "display_name", "Display Name", "text", "c"),
                (1, "created", "Created", "datetime", "c"),
                (2, "updated", "Last Modified", "datetime", "c"),
            ],
        );
        assert_eq!(schema.categories().len(), 1);
        assert_eq!(schema.categories()[0].name, "Account Info");
        assert_eq!(schema.owner().map(|owner| owner.name.as_str()), Some("owner"));
        assert!(!schema.is_contacts());
        assert!(schema.object().is_custom);
    }

    fn deals(flags: [bool; 2]) -> Schema {
        let stage = NewStage { name: Some("New".to_owned()), ..NewStage::default() };
        let new = NewObject {
            object_name: Some("Deals".to_owned()),
            entity_name: Some("Deal".to_owned()),
            object_type: Some("pipeline".to_owned()),
            track_entity_value: Some(flags[0]),
            include_percentage_to_close: Some(flags[1]),
            pipeline: Some(NewPipeline { stages: Some(vec![stage]) }),
            ..NewObject::default()
        };
        new.decide(Founder { member: None, at: Timestamp(7) }, &|_| false, &mut ids()).unwrap()
    }

    #[test]
    fn a_pipeline_starts_with_what_its_flags_ask_for() {
        let schema = deals([true, true]);
        let of_pipelines = [
            (35, "stage", "Stage", "dropdown", "r"),
            (36, "entity_value", "Value", "money", ""),
            (37, "estimated_close_date", "Estimated Close Date", "datetime", ""),
            (38, "actual_close_date", "Actual Close Date", "datetime", "c"),
            (
                39,
                "percentage_chance_to_close_low",
                "Percentage Chance to Close (Low)",
                "decimal",
                "",
            ),
            (
                40,
                "percentage_chance_to_close_high",
                "Percentage Chance to Close (High)",
                "decimal",
                "",
            ),
            (41, "reasons_lost", "Reasons Lost", "dropdown", ""),
            (42, "reasons_disqualified", "Reasons Disqualified", "dropdown", ""),
        ];
        let expected = [
            &[
                (32, "name", "Deal Name", "text", "ru"),
                (33, "owner", "Owner", "team_selector", "r"),
                (34, "display_name", "Display Name", "text", "c"),
            ],
            &of_pipelines[..],
            &[
                (1, "created", "Created", "datetime", "c"),
                (2, "updated", "Last Modified", "datetime", "c"),
            ],
        ]
        .concat();
        check(&schema, &expected);
        for flags in [[false, false], [true, false], [false, true]] {
            let schema = deals(flags);
            let has = |number| schema.by_number(FieldNumber(number)).is_some();
            assert_eq!([has(36), has(39)], flags);
            assert_eq!(has(39), has(40));
            assert_eq!(schema.field_count(), 13);
        }
    }

    #[test]
    fn contacts_start_with_theirs() {
        let schema = contacts(Timestamp(7), &mut ids());
        check(
            &schema,
            &[
                (43, "email", "Email", "email", "u"),
                (44, "first_name", "First Name", "text", ""),
                (45, "last_name", "Last Name", "text", ""),
                (46, "full_name", "Full Name", "text", "c"),
                (47, "mobile_phone", "Mobile Phone", "phonenumber", ""),
                (48, "home_phone", "Home Phone", "phonenumber", ""),
                (49, "business_phone", "Business Phone", "phonenumber", ""),
                (50, "titles", "Titles", "dynamictags", "m"),
                (51, "tags", "Tags", "dynamictags", "m"),
                (52, "birthday", "Birthday", "date", ""),
                (53, "email_status", "Email Status", "dropdown", ""),
                (54, "timezone", "Time Zone", "timezone", ""),
                (1, "created", "Created", "datetime", "c"),
                (2, "updated", "Last Modified", "datetime", "c"),
            ],
        );
        assert_eq!(schema.categories()[0].name, "Contact Info");
        assert_eq!(schema.object().name, "client_client");
        assert_eq!(schema.object().object_name, "Contacts");
        assert!(schema.is_contacts() && schema.owner().is_none() && !schema.object().is_custom);
        let status = schema.by_name("email_status").unwrap();
        let options: Vec<_> = status
            .options
            .iter()
            .map(|choice| (choice.number.0, &*choice.name, &*choice.code))
            .collect();
        let expected = [
            (1, "Opted In", "opted_in"),
            (2, "Not Opted In", "not_opted_in"),
            (3, "Unsubscribed From All", "unsubscribed"),
            (4, "Suppression List", "suppression_list"),
        ];
        assert_eq!(options, expected);
        assert_eq!(schema.next_option(), OptionNumber(5));
        assert_eq!(status.fixed_options(), Some(SchemaFaultKind::Immutable));
    }

    #[test]
    fn identifiers_match_as_the_object_says() {
        let check = |schema: &Schema, case, left: &str, right: &str, is_same: bool| {
            assert_eq!(schema.identifier_case(), case);
            let keys = [left, right].map(|text| schema.identifier_key(text));
            assert!(keys.iter().all(Option::is_some));
            assert_eq!(keys[0] == keys[1], is_same, "{left} {right}");
        };
        let [insensitive, sensitive] = ["insensitive", "sensitive"].map(accounts);
        check(&insensitive, IdentifierCase::Insensitive, " Acme", "ACME", true);
        check(&sensitive, IdentifierCase::Sensitive, " Acme", "ACME", false);
        check(&sensitive, IdentifierCase::Sensitive, " Acme", "Acme ", true);
        let contacts = contacts(Timestamp(0), &mut ids());
        check(&contacts, IdentifierCase::Insensitive, "A@B.de", "a@b.de", true);
        assert_eq!(contacts.identifier_key("  "), None);
    }
}
