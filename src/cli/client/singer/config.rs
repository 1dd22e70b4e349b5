//! The file that a Singer target is given: where the server is, and what is to be otherwise than
//! the streams say themselves.
//!
//! A key that is not known is refused: a slip must not write records under the wrong name.

use crate::cli::client::caller::Given;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// All of it may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    url: Option<String>,
    bootstrap: Option<PathBuf>,
    api_key: Option<String>,
    api_key_file: Option<PathBuf>,
    business_id: Option<String>,
    user_id: Option<String>,
    /// For which system everything is written.
    pub(crate) origin: Option<String>,
    /// Whether objects and fields are made that are not there.
    pub(crate) create: bool,
    /// Where refused records go; without it the first of them ends the run.
    pub(crate) rejects: Option<PathBuf>,
    pub(crate) streams: BTreeMap<String, StreamConfig>,
}

/// What is otherwise about one stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StreamConfig {
    pub(crate) object: Option<String>,
    /// The property that is the identifier, instead of the key properties.
    pub(crate) lookup: Option<String>,
    /// Unique fields by which records are found, instead of the identifier.
    #[serde(rename = "match")]
    pub(crate) matches: Vec<String>,
    /// The field of a property; null leaves it out.
    pub(crate) fields: BTreeMap<String, Option<String>>,
    /// The type of a property's field, where it is made.
    pub(crate) types: BTreeMap<String, String>,
    /// What becomes of archived records, as the API calls it.
    pub(crate) oncreate_unarchive: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: None,
            bootstrap: None,
            api_key: None,
            api_key_file: None,
            business_id: None,
            user_id: None,
            origin: None,
            create: true,
            rejects: None,
            streams: BTreeMap::new(),
        }
    }
}

impl Config {
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let invalid = |what: String| {
            let way_out = "`upsertd target singer --help` shows such a file";
            Failure::new(Exit::SettingsInvalid, "config_invalid", what, way_out)
        };
        let bytes = fs::read(file).map_err(|error| {
            invalid(format!("the configuration {} cannot be read", file.display())).because(error)
        })?;
        serde_json::from_slice(&bytes).map_err(|error| {
            invalid(format!("the configuration {} is not valid", file.display())).because(error)
        })
    }

    /// What it says about server and caller.
    pub(crate) fn given(&self, file: &Path) -> Given {
        Given {
            url: self.url.clone(),
            bootstrap: self.bootstrap.clone(),
            api_key: self.api_key.clone(),
            api_key_file: self.api_key_file.clone(),
            business_id: self.business_id.clone(),
            user_id: self.user_id.clone(),
            place: file.display().to_string(),
        }
    }

    pub(crate) fn stream(&self, name: &str) -> StreamConfig {
        self.streams.get(name).cloned().unwrap_or_default()
    }
}
