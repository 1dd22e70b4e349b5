//! Who asks which server: put together from flags, variables, a command's own file, and the file
//! that a first start leaves in its data directory.
//!
//! The three values of a caller belong together, so all of them come from one place: a key from
//! here and a member from there would be refused, and nobody would see why.

use crate::cli::client::arguments::ServerArguments;
use crate::cli::data::BOOTSTRAP_FILE;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config::unit::{self, Secret};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

const URL_DEFAULT: &str = "http://127.0.0.1:7171";

/// The server, and what every request says of its caller.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Without a slash at its end.
    pub(crate) url: String,
    pub(crate) api_key: Secret,
    pub(crate) business_id: String,
    pub(crate) user_id: String,
    /// Where the three values are from, for whoever is refused.
    pub(crate) origin: String,
}

/// Values from one place; every one may be missing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) url: Option<String>,
    pub(crate) bootstrap: Option<PathBuf>,
    pub(crate) api_key: Option<String>,
    pub(crate) api_key_file: Option<PathBuf>,
    pub(crate) business_id: Option<String>,
    pub(crate) user_id: Option<String>,
    /// What this place is called.
    pub(crate) place: String,
}

/// What a first start has written.
#[derive(Deserialize)]
struct Bootstrap {
    api_key: String,
    business_id: String,
    user_id: String,
}

impl From<&ServerArguments> for Given {
    fn from(arguments: &ServerArguments) -> Self {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let path =
            |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        Self {
            url: text(&arguments.url),
            bootstrap: path(&arguments.bootstrap),
            api_key: text(&arguments.api_key),
            api_key_file: path(&arguments.api_key_file),
            business_id: text(&arguments.business_id),
            user_id: text(&arguments.user_id),
            place: "flags and variables".to_owned(),
        }
    }
}

impl Given {
    fn names_a_caller(&self) -> bool {
        self.bootstrap.is_some() || self.says_who()
    }

    fn says_who(&self) -> bool {
        let texts = [&self.api_key, &self.business_id, &self.user_id];
        self.api_key_file.is_some() || texts.iter().any(|text| text.is_some())
    }
}

impl Caller {
    /// The first place that names a caller wins, then the data directory's own file.
    pub(crate) fn find(places: &[Given], data_dir: &Path) -> Result<Self, Failure> {
        let url = places.iter().find_map(|place| place.url.as_deref()).unwrap_or(URL_DEFAULT);
        let url = checked_url(url)?;
        let Some(place) = places.iter().find(|place| place.names_a_caller()) else {
            let file = data_dir.join(BOOTSTRAP_FILE);
            if !file.is_file() {
                return Err(nobody(&file));
            }
            return Self::of_file(url, &file);
        };
        match &place.bootstrap {
            Some(_) if place.says_who() => Err(invalid(format!(
                "{} name a bootstrap file and a caller beside it",
                place.place
            ))),
            Some(file) => Self::of_file(url, file),
            None => Self::of_values(url, place),
        }
    }

    fn of_file(url: String, file: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(file).map_err(|error| {
            invalid(format!("the bootstrap file {} cannot be read", file.display())).because(error)
        })?;
        let found: Bootstrap = serde_json::from_slice(&bytes).map_err(|error| {
            let what = format!("{} is not what a first start writes", file.display());
            invalid(what).because(error)
        })?;
        let origin = file.display().to_string();
        Ok(Self {
            url,
            api_key: checked_key(&found.api_key, &origin)?,
            business_id: checked_id(found.business_id, "business_id")?,
            user_id: checked_id(found.user_id, "user_id")?,
            origin,
        })
    }

    fn of_values(url: String, place: &Given) -> Result<Self, Failure> {
        let api_key = match (&place.api_key, &place.api_key_file) {
            (Some(key), None) => Some(key.clone()),
            (None, Some(file)) => Some(key_of_file(file)?),
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(invalid(format!("{} name a key and a file with one", place.place)));
            }
        };
        let values = [
            ("api-key", &api_key),
            ("business-id", &place.business_id),
            ("user-id", &place.user_id),
        ];
        let missing: Vec<&str> =
            values.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
        let (Some(api_key), Some(business_id), Some(user_id)) =
            (&api_key, &place.business_id, &place.user_id)
        else {
            let missing = missing.join(" and ");
            return Err(invalid(format!("{} name a caller without {missing}", place.place)));
        };
        Ok(Self {
            url,
            api_key: checked_key(api_key, &place.place)?,
            business_id: checked_id(business_id.clone(), "business-id")?,
            user_id: checked_id(user_id.clone(), "user-id")?,
            origin: place.place.clone(),
        })
    }
}

fn key_of_file(file: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        invalid(format!("the key file {} cannot be read", file.display())).because(error)
    })?;
    Ok(text.trim_end().to_owned())
}

/// The text itself is never shown: it may be most of a secret.
fn checked_key(text: &str, origin: &str) -> Result<Secret, Failure> {
    unit::api_key(text)
        .map_err(|expected| invalid(format!("the key of {origin} is not {expected}")))
}

/// A header has to carry it; whether it is an id the server says.
fn checked_id(text: String, name: &str) -> Result<String, Failure> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(invalid(format!("{name} is not an id: {text:?}")));
    }
    Ok(text)
}

fn checked_url(text: &str) -> Result<String, Failure> {
    unit::origin(text).map_err(|expected| invalid(format!("the URL {text:?} is not {expected}")))
}

fn invalid(what: String) -> Failure {
    Failure::new(
        Exit::SettingsInvalid,
        "caller_invalid",
        what,
        "give --api-key, --business-id and --user-id, or their variables UPSERTD_API_KEY, \
         UPSERTD_BUSINESS_ID and UPSERTD_USER_ID, all from one place; \
         or --bootstrap FILE (UPSERTD_BOOTSTRAP) with the three of them",
    )
}

fn nobody(file: &Path) -> Failure {
    invalid(format!("nobody is named who asks, and there is no {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const KEY: &str = "a key of sixteen characters";
    const ID: &str = "0192f7d2-0000-7000-8000-000000000001";

    fn given(place: &str) -> Given {
        Given { place: place.to_owned(), ..Given::default() }
    }

    fn whole(place: &str, key: &str) -> Given {
        Given {
            api_key: Some(key.to_owned()),
            business_id: Some(ID.to_owned()),
            user_id: Some(ID.to_owned()),
            ..given(place)
        }
    }

    fn folder_with_bootstrap() -> TempDir {
        let folder = TempDir::new().unwrap();
        let text = format!(r#"{{"api_key":"{KEY}!","business_id":"{ID}","user_id":"{ID}"}}"#);
        fs::write(folder.path().join(BOOTSTRAP_FILE), text).unwrap();
        folder
    }

    #[track_caller]
    fn check(places: &[Given], data_dir: &Path, key: &str, origin: &str) {
        let caller = Caller::find(places, data_dir).unwrap();
        assert_eq!((caller.api_key.reveal(), &*caller.origin), (key, origin));
    }

    #[track_caller]
    fn refused(places: &[Given], data_dir: &Path, part: &str) {
        let failure = Caller::find(places, data_dir).unwrap_err();
        let text = failure.to_string();
        assert_eq!(failure.exit(), Exit::SettingsInvalid);
        assert!(text.contains(part), "{part:?} is not in {text:?}");
        assert!(!text.contains(KEY), "a key is shown: {text}");
    }

    #[test]
    fn the_strongest_place_that_names_a_caller_wins_as_a_whole() {
        let folder = folder_with_bootstrap();
        let file = folder.path().join(BOOTSTRAP_FILE);
        let other = KEY.to_owned() + "?";
        let places = [whole("flags", KEY), whole("file", &other)];
        check(&places, folder.path(), KEY, "flags");
        check(&[given("flags"), whole("file", &other)], folder.path(), &other, "file");
        let of_file = [KEY, "!"].concat();
        check(&[given("flags")], folder.path(), &of_file, &file.display().to_string());
        let named = Given { bootstrap: Some(file.clone()), ..given("flags") };
        check(&[named], Path::new("nowhere"), &of_file, &file.display().to_string());
    }

    #[test]
    fn a_caller_in_pieces_is_refused_and_the_missing_piece_named() {
        let folder = folder_with_bootstrap();
        let piece = Given { user_id: None, ..whole("flags", KEY) };
        refused(
            &[piece.clone(), whole("file", KEY)],
            folder.path(),
            "flags name a caller without user-id",
        );
        let both = Given { bootstrap: Some(folder.path().join(BOOTSTRAP_FILE)), ..piece };
        refused(&[both], folder.path(), "a bootstrap file and a caller beside it");
        let twice = Given { api_key_file: Some("key".into()), ..whole("flags", KEY) };
        refused(&[twice], folder.path(), "a key and a file with one");
        refused(&[given("flags")], &folder.path().join("none"), "nobody is named");
        refused(&[whole("flags", "short")], folder.path(), "16 to 256");
    }

    #[test]
    fn a_key_may_stand_in_a_file_of_its_own() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, format!("{KEY}\n")).unwrap();
        let place = Given { api_key: None, api_key_file: Some(file), ..whole("flags", KEY) };
        check(&[place], folder.path(), KEY, "flags");
    }

    #[test]
    fn the_url_has_a_default_and_is_checked() {
        let places =
            [whole("flags", KEY), Given { url: Some("https://a.b/".into()), ..given("file") }];
        assert_eq!(Caller::find(&places, Path::new("none")).unwrap().url, "https://a.b");
        assert_eq!(Caller::find(&places[..1], Path::new("none")).unwrap().url, URL_DEFAULT);
        let bad = [Given { url: Some("ftp://a".into()), ..whole("flags", KEY) }];
        refused(&bad, Path::new("none"), "scheme and host");
    }
}
