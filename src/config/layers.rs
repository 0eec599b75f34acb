//! Who gave which value: flag, environment, database, configuration file or default.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde_json::Value;

use super::environment::Environment;
use super::key::Key;
use crate::model::state::words;

words! {
    /// Where a value comes from, the strongest first.
    Source {
        /// The command line.
        Flag = "flag",
        /// An environment variable.
        Env = "env",
        /// The database: saved through the API.
        Database = "database",
        /// The configuration file, or for the token the login of the Hugging Face tools.
        File = "file",
        /// Nobody gave one.
        Default = "default",
    }
}

/// One checked value and the name of what gave it: `--connections`, `HFDEPOT_CONNECTIONS`, a path.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) from: String,
}

/// The values that one source gives.
pub(super) type Layer = BTreeMap<Key, Given>;

/// The values saved through the API; the rows of the database.
pub(super) type Stored = BTreeMap<Key, Value>;

/// Everything that was decided when the process started.
#[derive(Clone, Default)]
pub struct Fixed {
    pub(super) flag: Layer,
    pub(super) env: Layer,
    pub(super) file: Layer,
    pub(super) environment: Environment,
    pub(super) allow_path_settings: bool,
    pub(super) config_file: Option<PathBuf>,
    /// Folders below which exports may go.
    pub(super) export_dirs: Vec<PathBuf>,
}

impl fmt::Debug for Fixed {
    // Layers hold secrets: names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixed")
            .field("flag", &self.flag.keys())
            .field("env", &self.env.keys())
            .field("file", &self.file.keys())
            .field("config_file", &self.config_file)
            .finish_non_exhaustive()
    }
}

/// A value with its origin.
pub(super) struct Found<'a> {
    pub(super) source: Source,
    /// Name of the flag, variable or file; `None` for database and default.
    pub(super) from: Option<&'a str>,
    pub(super) value: std::borrow::Cow<'a, Value>,
}

impl Fixed {
    /// The strongest value for `key`.
    pub(super) fn find<'a>(&'a self, key: Key, stored: &'a Stored) -> Found<'a> {
        use std::borrow::Cow;
        let given = |source, layer: &'a Layer| {
            layer.get(&key).map(|given| Found {
                source,
                from: Some(given.from.as_str()),
                value: Cow::Borrowed(&given.value),
            })
        };
        given(Source::Flag, &self.flag)
            .or_else(|| given(Source::Env, &self.env))
            .or_else(|| {
                stored.get(&key).map(|value| Found {
                    source: Source::Database,
                    from: None,
                    value: Cow::Borrowed(value),
                })
            })
            .or_else(|| given(Source::File, &self.file))
            .unwrap_or_else(|| Found {
                source: Source::Default,
                from: None,
                value: Cow::Owned(key.default_value()),
            })
    }

    /// Whether a flag or variable is stronger than anything the API saves.
    pub(super) fn overrides(&self, key: Key) -> bool {
        self.flag.contains_key(&key) || self.env.contains_key(&key)
    }
}
