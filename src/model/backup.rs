//! Names of copies of the database.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use utoipa::ToSchema;

use super::repo::{NameError, shown};

/// How every name of a copy begins.
const START: &str = "hfdepot-";
/// Digits of the time in a name: UTC milliseconds, which sort as texts until the year 2286.
const DIGITS: usize = 13;
/// Letters of a label at most.
const LABEL_MAX: usize = 40;

/// Name of a copy: `hfdepot-<UTC milliseconds>-<label>.db`. Holds no path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^hfdepot-[0-9]{13}-[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?[.]db$", example = "hfdepot-1764410400000-daily.db")]
pub struct BackupName(String);

impl BackupName {
    /// The name of a copy made at `at`, UTC milliseconds, for the reason `label`.
    ///
    /// # Errors
    /// When `label` is not of `[a-z0-9-]`.
    pub fn new(at: i64, label: &str) -> Result<Self, NameError> {
        format!("{START}{at:0DIGITS$}-{label}.db").parse()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the copy was made: UTC milliseconds.
    pub fn made_at(&self) -> i64 {
        self.parts().0
    }

    /// Why: `daily`, `manual`, `schema-7` before a migration from that schema.
    pub fn label(&self) -> &str {
        self.parts().1
    }

    /// The sort of copies it belongs to, of each of which some are kept: the first word of the label.
    pub fn sort(&self) -> &str {
        self.label().split('-').next().unwrap_or_default()
    }

    fn parts(&self) -> (i64, &str) {
        let inner = &self.0[START.len()..self.0.len() - ".db".len()];
        let (at, label) = inner.split_at(DIGITS);
        (at.parse().unwrap_or_default(), &label[1..])
    }
}

impl FromStr for BackupName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fits = || {
            let inner = text.strip_prefix(START)?.strip_suffix(".db")?;
            let (at, label) = inner.split_at_checked(DIGITS)?;
            let label = label.strip_prefix('-')?;
            let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            let inside = label.chars().all(|c| letters(c) || c == '-');
            let ends = label.starts_with(letters) && label.ends_with(letters);
            let digits = at.bytes().all(|byte| byte.is_ascii_digit());
            (digits && inside && ends && label.len() <= LABEL_MAX).then_some(())
        };
        match fits() {
            Some(()) => Ok(Self(text.to_owned())),
            None => Err(NameError(format!(
                "\"{}\" is not the name of a copy, such as {START}1764410400000-daily.db",
                shown(text)
            ))),
        }
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_when_and_why_and_never_a_path() {
        let name = BackupName::new(1_764_410_400_000, "schema-7").unwrap();
        assert_eq!(name.as_str(), "hfdepot-1764410400000-schema-7.db");
        assert_eq!(
            (name.made_at(), name.label(), name.sort()),
            (1_764_410_400_000, "schema-7", "schema")
        );
        assert_eq!(BackupName::new(7, "daily").unwrap().made_at(), 7);
        for bad in [
            "",
            "hfdepot.db",
            "hfdepot-1764410400000.db",
            "hfdepot-1764410400000-.db",
            "hfdepot-1764410400000-daily.db.half",
            "hfdepot-176441040000-daily.db",
            "hfdepot-17644104000000-daily.db",
            "hfdepot-1764410400000-../daily.db",
            "../hfdepot-1764410400000-daily.db",
            "hfdepot-1764410400000-da/ily.db",
            "hfdepot-1764410400000-Daily.db",
            "hfdepot-ä764410400000-daily.db",
        ] {
            assert!(bad.parse::<BackupName>().is_err(), "{bad}");
        }
    }
}
