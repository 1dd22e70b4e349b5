//! What objects and fields are called that streams and properties become.
//!
//! Names that the server keeps for itself are put behind `source_`, always: a name that depended
//! on what happens to be there would write the same property to two fields.

/// Of the contract: what no field may be called that somebody makes.
const RESERVED_FIELDS: [&str; 22] = [
    "id",
    "name",
    "owner",
    "created",
    "updated",
    "archived",
    "status",
    "stage",
    "entity_value",
    "version",
    "fields",
    "action",
    "display_name",
    "first_name",
    "middle_name",
    "last_name",
    "full_name",
    "email",
    "home_phone",
    "business_phone",
    "mobile_phone",
    "birthday",
];

/// The same of objects.
const RESERVED_OBJECTS: [&str; 16] = [
    "client",
    "client_client",
    "contact",
    "contacts",
    "records",
    "custom_objects",
    "activities",
    "team",
    "employee",
    "role",
    "business",
    "admin",
    "changes",
    "search",
    "upsert",
    "add",
];

/// The longest name that is still taken with what may be put before it.
const LENGTH_MAX: usize = 90;

/// The object of a stream.
pub(super) fn object(stream: &str) -> String {
    let name = plain(stream, "object");
    if name == "lookup" || RESERVED_OBJECTS.contains(&&*name) { of_source(&name) } else { name }
}

/// The field of a property.
pub(super) fn field(property: &str) -> String {
    let name = plain(property, "field");
    if RESERVED_FIELDS.contains(&&*name) {
        of_source(&name)
    } else if name.starts_with(|first: char| first.is_ascii_digit()) {
        format!("f_{name}")
    } else {
        name
    }
}

fn of_source(name: &str) -> String {
    format!("source_{name}")
}

/// Lower case, words apart by one `_`.
fn plain(text: &str, empty: &str) -> String {
    let mut name = String::new();
    let mut before = None;
    for character in text.chars() {
        let begins_word = character.is_ascii_uppercase()
            && before
                .is_some_and(|before: char| before.is_ascii_lowercase() || before.is_ascii_digit());
        let is_kept = character.is_ascii_alphanumeric();
        if (begins_word || !is_kept) && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        if is_kept {
            name.push(character.to_ascii_lowercase());
        }
        before = Some(character);
    }
    name.truncate(LENGTH_MAX);
    let name = name.trim_end_matches('_');
    if name.is_empty() { empty.to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words_and_keep_away_from_reserved_ones() {
        for (property, name) in [
            ("note", "note"),
            ("createdAt", "created_at"),
            ("Account Region (EU)", "account_region_eu"),
            ("id", "source_id"),
            ("ID", "source_id"),
            ("userID", "user_id"),
            ("name", "source_name"),
            ("__x", "x"),
            ("2fa", "f_2fa"),
            ("Ü", "field"),
        ] {
            assert_eq!(field(property), name, "{property}");
        }
        for (stream, name) in
            [("public-users", "public_users"), ("contacts", "source_contacts"), ("-", "object")]
        {
            assert_eq!(object(stream), name, "{stream}");
        }
        assert_eq!(field(&"a".repeat(300)).len(), LENGTH_MAX);
    }
}
