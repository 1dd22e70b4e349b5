//! Where settings come from: the file, then the environment, then flags; the last one wins.
//!
//! It owns the reading of all three and remembers the spelling of each value, so that an error
//! can name what the operator wrote. It must not know what a value means.

use crate::config::setting::{Offer, Setting, VARIABLE_PREFIX};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Variables of ours that are no settings.
const CONFIG: &str = "UPSERTD_CONFIG";
/// What is logged.
pub(super) const LOG: &str = "UPSERTD_LOG";
/// A file with the operator's key.
const OPERATOR_KEY_FILE: &str = "UPSERTD_OPERATOR_KEY_FILE";
/// The key of the first member.
pub(super) const BOOTSTRAP_API_KEY: &str = "UPSERTD_BOOTSTRAP_API_KEY";
/// The id of the first business.
pub(super) const BOOTSTRAP_BUSINESS_ID: &str = "UPSERTD_BOOTSTRAP_BUSINESS_ID";
/// The id of the first member and user.
pub(super) const BOOTSTRAP_USER_ID: &str = "UPSERTD_BOOTSTRAP_USER_ID";

const OTHER_VARIABLES: [&str; 6] =
    [CONFIG, LOG, OPERATOR_KEY_FILE, BOOTSTRAP_API_KEY, BOOTSTRAP_BUSINESS_ID, BOOTSTRAP_USER_ID];

/// What commands take that ask a server; on the same machine `serve` may see them too.
const VARIABLES_OF_CLIENTS: [&str; 7] = [
    "UPSERTD_URL",
    "UPSERTD_BOOTSTRAP",
    "UPSERTD_API_KEY",
    "UPSERTD_API_KEY_FILE",
    "UPSERTD_BUSINESS_ID",
    "UPSERTD_USER_ID",
    "UPSERTD_CA_CERT",
];

/// How the operator wrote a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `--data-dir`.
    Flag(String),
    /// `UPSERTD_DATA_DIR`.
    Variable(String),
    /// `data-dir`, and where it stands in the file.
    Key { name: String, span: Range<usize> },
    /// The file as a whole, from here on.
    File { span: Range<usize> },
}

impl fmt::Display for Spelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::Key { name, .. } => write!(f, "{name} in the settings file"),
            Self::File { .. } => f.write_str("the settings file"),
        }
    }
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{spelling}: {message}")]
pub struct SettingFault {
    pub spelling: Spelling,
    pub message: String,
}

/// A settings file that was read.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    pub path: PathBuf,
    pub text: String,
}

/// A value as it was written.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) spelling: Spelling,
}

/// Everything that was given, by setting or variable; the stronger spelling has won.
#[derive(Debug, Default)]
pub struct Sources {
    pub(super) values: BTreeMap<String, Given>,
    pub(super) faults: Vec<SettingFault>,
    pub(super) warnings: Vec<String>,
    pub(super) file: Option<SettingsFile>,
}

impl Sources {
    /// Reads the file and the variables of this process; `flags` are settings by name.
    #[must_use]
    pub fn read(
        config: Option<PathBuf>,
        flags: Vec<(&'static str, String)>,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Self {
        let mut sources = Self::default();
        let variables = sources.our_variables(variables);
        let config = config.map(|path| (Spelling::Flag("--config".to_owned()), path));
        let config = config.or_else(|| {
            let path = variables.get(CONFIG)?.into();
            Some((Spelling::Variable(CONFIG.to_owned()), path))
        });
        if let Some((spelling, path)) = config {
            match fs::read_to_string(&path) {
                Ok(text) => sources.take_file(SettingsFile { path, text }),
                Err(error) => sources.cannot_read(spelling, &path, &error),
            }
        }
        sources.take_variables(&variables);
        sources.take_flags(flags);
        sources
    }

    fn fault(&mut self, spelling: Spelling, message: impl Into<String>) {
        self.faults.push(SettingFault { spelling, message: message.into() });
    }

    fn cannot_read(&mut self, spelling: Spelling, path: &Path, error: &io::Error) {
        self.fault(spelling, format!("cannot read {}: {error}", path.display()));
    }

    /// Variables with our prefix and a value; an empty one counts as not set.
    fn our_variables(
        &mut self,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> BTreeMap<String, String> {
        let mut ours = BTreeMap::new();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with(VARIABLE_PREFIX)) else {
                continue;
            };
            match value.into_string() {
                Ok(value) if value.is_empty() => {}
                Ok(value) => {
                    ours.insert(name.to_owned(), value);
                }
                Err(_) => self.fault(Spelling::Variable(name.to_owned()), "is not UTF-8"),
            }
        }
        ours
    }

    fn take_file(&mut self, file: SettingsFile) {
        let (table, errors) = DeTable::parse_recoverable(&file.text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            self.fault(Spelling::File { span }, error.message());
        }
        for (key, value) in table.get_ref() {
            let name = key.get_ref().clone().into_owned();
            let spelling = Spelling::Key { name, span: key.span() };
            let Some(setting) = Setting::of_name(key.get_ref()) else {
                self.fault(spelling, "is not a setting");
                continue;
            };
            if self.values.contains_key(setting.name) {
                self.fault(spelling, "stands twice, once with _ for -");
                continue;
            }
            match text_of(value.get_ref()) {
                Some(text) => self.take(setting, text, spelling),
                None => self.fault(spelling, "takes text, a whole number, or true or false"),
            }
        }
        self.file = Some(file);
    }

    fn take_variables(&mut self, variables: &BTreeMap<String, String>) {
        for (name, value) in variables {
            let spelling = Spelling::Variable(name.clone());
            let setting = Setting::of_name(&name[VARIABLE_PREFIX.len()..].to_lowercase());
            match setting.filter(|setting| setting.variable() == *name) {
                Some(setting) => self.take(setting, value.clone(), spelling),
                None if name == OPERATOR_KEY_FILE => self.take_operator_key(variables, value),
                None if OTHER_VARIABLES.contains(&&**name) => {
                    self.values.insert(name.clone(), Given { text: value.clone(), spelling });
                }
                None if VARIABLES_OF_CLIENTS.contains(&&**name) => {}
                None => self.warnings.push(format!("the variable {name} is not a setting")),
            }
        }
    }

    /// A secret in a file instead of a variable, which others on the machine may read.
    fn take_operator_key(&mut self, variables: &BTreeMap<String, String>, path: &str) {
        let setting = Setting::of_name("operator-key").expect("it is in the table");
        let spelling = Spelling::Variable(OPERATOR_KEY_FILE.to_owned());
        if variables.contains_key(&setting.variable()) {
            self.fault(spelling, format!("is set together with {}", setting.variable()));
            return;
        }
        match fs::read_to_string(path) {
            Ok(text) => self.take(setting, text.trim_end().to_owned(), spelling),
            Err(error) => self.cannot_read(spelling, Path::new(path), &error),
        }
    }

    fn take_flags(&mut self, flags: Vec<(&'static str, String)>) {
        for (name, text) in flags {
            let setting = Setting::of_name(name).expect("flags are made from the table");
            self.take(setting, text, Spelling::Flag(format!("--{name}")));
        }
    }

    fn take(&mut self, setting: &Setting, text: String, spelling: Spelling) {
        match setting.offer {
            Offer::Now => {
                self.values.insert(setting.name.to_owned(), Given { text, spelling });
            }
            Offer::Later => self.fault(spelling, "this version does not offer it yet"),
        }
    }
}

/// The text of a value of the file; lists, tables and the like are none.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
