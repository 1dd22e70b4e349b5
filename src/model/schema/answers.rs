//! The options of a yesnomaybe field: yes, no, and maybe where the field offers it.
//!
//! Owns their codes, which say what each one means; a field may label them as it likes.

use crate::model::schema::Schema;
use crate::model::schema::check::Checks;
use crate::model::schema::fault::{BodyPlace, SchemaFaultKind};
use crate::model::schema::new_field::{NewOption, invalid};
use crate::model::schema::option::Choices;
use crate::model::value::FieldType;
use crate::model::value::fault::ValueFault;
use uuid::Uuid;

/// Code and label of each.
const ANSWERS: [(&str, &str); 3] = [("yes", "Yes"), ("no", "No"), ("maybe", "Maybe")];
/// What no such field goes without.
const REQUIRED: [&str; 2] = ["yes", "no"];

impl Schema {
    /// The options of a new field: all three where none is given.
    pub(super) fn read_answers(
        &self,
        given: &[NewOption],
        ids: &mut dyn FnMut() -> Uuid,
        checks: &mut Checks,
    ) -> Choices {
        let new: Vec<NewOption> = if given.is_empty() {
            ANSWERS.iter().map(|(code, label)| answer(code, label)).collect()
        } else {
            given.iter().map(with_code).collect()
        };
        let choices = self.read_options(&new, FieldType::Yesnomaybe, ids, checks);
        let codes: Vec<&str> = choices.iter().map(|choice| choice.code.as_str()).collect();
        for (index, code) in codes.iter().enumerate().filter(|(_, code)| !code.is_empty()) {
            let place = BodyPlace::Entry { list: "options", index, key: "code" };
            if !ANSWERS.iter().any(|(known, _)| known == code) {
                checks.add(place, ValueFault::InvalidChoice { given: (*code).into() });
            } else if codes[..index].contains(code) {
                checks.add(place, SchemaFaultKind::Unique);
            }
        }
        if !REQUIRED.iter().all(|code| codes.contains(code)) {
            checks.add("options", invalid("Such a field offers yes and no, and may offer maybe."));
        }
        choices
    }
}

fn answer(code: &str, label: &str) -> NewOption {
    let (name, code) = (Some(label.to_owned()), Some(code.to_owned()));
    NewOption { name, code, ..NewOption::default() }
}

/// The code in small letters; where there is none, the label says which one is meant.
fn with_code(new: &NewOption) -> NewOption {
    let given = new.code.as_deref().filter(|code| !code.trim().is_empty());
    let code = given.or(new.name.as_deref()).map(|code| code.trim().to_lowercase());
    NewOption { code, ..new.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::Timestamp;
    use crate::model::schema::default_fields;

    fn option(name: &str) -> NewOption {
        NewOption { name: Some(name.to_owned()), ..NewOption::default() }
    }

    /// Labels and codes, and the faults as place and text.
    fn read(given: &[NewOption]) -> [Vec<(String, String)>; 2] {
        let mut number = 0;
        let mut ids = || {
            number += 1;
            Uuid::from_u128(number)
        };
        let schema = default_fields::contacts(Timestamp(0), &mut ids);
        let mut checks = Checks::default();
        let choices = schema.read_answers(given, &mut ids, &mut checks);
        let faults = checks.end().err().unwrap_or_default();
        let told = |fault: &crate::model::schema::fault::SchemaFault| {
            (fault.place.to_string(), fault.fault.to_string())
        };
        let choices = choices.iter().map(|choice| (choice.name.clone(), choice.code.clone()));
        [choices.collect(), faults.iter().map(told).collect()]
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(left, right)| ((*left).to_owned(), (*right).to_owned())).collect()
    }

    #[test]
    fn a_field_offers_all_three_or_those_it_names() {
        let check = |given: &[NewOption], expected: &[(&str, &str)]| {
            assert_eq!(read(given), [owned(expected), Vec::new()]);
        };
        check(&[], &[("Yes", "yes"), ("No", "no"), ("Maybe", "maybe")]);
        check(&[option("NO"), option("Yes")], &[("NO", "no"), ("Yes", "yes")]);
        let coded =
            |name: &str, code: &str| NewOption { code: Some(code.to_owned()), ..option(name) };
        check(
            &[coded("Ja", "YES"), coded("Nein", "no"), coded("Maybe", " ")],
            &[("Ja", "yes"), ("Nein", "no"), ("Maybe", "maybe")],
        );
    }

    #[test]
    fn what_is_no_answer_or_stands_twice_is_refused() {
        let missing = ("options", "Such a field offers yes and no, and may offer maybe.");
        let check = |given: &[NewOption], expected: &[(&str, &str)]| {
            assert_eq!(read(given)[1], owned(expected));
        };
        check(&[option("Yes"), option("Maybe")], &[missing]);
        check(
            &[option("Yes"), option("No"), option("Perhaps")],
            &[("options[2].code", "\"perhaps\" is not a valid choice.")],
        );
        let again = NewOption { code: Some("yes".to_owned()), ..option("Oui") };
        check(
            &[option("Yes"), option("No"), again],
            &[("options[2].code", "An option with this name already exists.")],
        );
        let nameless = NewOption::default();
        check(
            &[option("Yes"), option("No"), nameless],
            &[("options[2].name", "This field is required.")],
        );
    }
}
