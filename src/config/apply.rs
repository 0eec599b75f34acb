//! Changes through the API: `POST /api/settings`.
//!
//! All or nothing: one bad field refuses the whole change. A missing field and `null` keep
//! the value, unknown fields are ignored, and places on the disk are ignored too unless the
//! service was started with `--allow-path-settings`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::check::check;
use super::key::{FieldError, Key};
use super::layers::{Fixed, Source, Stored};
use super::paths::check_directory;
use super::settings::{Settings, endpoint_url};
use crate::model::secret::MASK;

impl Settings {
    /// The settings after `patch`. What has to be written then is [`Settings::changes_since`],
    /// and what has no effect because a flag or variable is stronger is [`Settings::shadowed`].
    ///
    /// A masked token that comes back keeps the token, and the empty text clears it. When the
    /// endpoint moves to another server, the saved token is dropped unless the same patch brings
    /// a token.
    ///
    /// # Errors
    /// The first field that is wrong; nothing is changed then.
    pub fn apply(&self, patch: &Value) -> Result<Self, FieldError> {
        let Value::Object(fields) = patch else {
            return Err(FieldError {
                field: String::new(),
                message: "the settings must be a JSON object".to_owned(),
            });
        };
        let mut stored = self.stored.clone();
        let mut new_token = false;
        for &key in Key::ALL {
            let Some(value) = field(fields, key)? else {
                continue;
            };
            if key.is_path() && !self.fixed.allow_path_settings {
                // Left as it is, but what is no such value at all is an error here too.
                check(key, value)?;
                continue;
            }
            if key.is_secret() {
                new_token |= self.apply_secret(key, value, &mut stored)? && key == Key::Token;
                continue;
            }
            let value = check(key, value)?;
            if key.is_path() {
                for path in paths_in(&value) {
                    check_directory(path).map_err(|why| key.error(why))?;
                }
            }
            // A client that sends everything back as it got it must freeze neither the defaults nor
            // what the file, flags and variables say: what is the same is not saved.
            let found = self.found(key);
            let unchanged = found.source != Source::Database && *found.value == value;
            if !unchanged {
                stored.insert(key, value);
            }
        }
        if !new_token && self.saved_origin(&stored) != self.saved_origin(&self.stored) {
            stored.remove(&Key::Token);
        }
        Self::build(Arc::clone(&self.fixed), stored)
    }

    /// The settings that `patch` speaks of, to be tried out and thrown away: here what it names is
    /// stronger than flags and variables, for what is tried must be what was typed. A token that
    /// `patch` does not name is held back from every server but the present one.
    ///
    /// # Errors
    /// As [`Settings::apply`].
    pub fn trial(&self, patch: &Value) -> Result<Self, FieldError> {
        let mut fixed = Fixed::clone(&self.fixed);
        let mut token_named = false;
        if let Value::Object(fields) = patch {
            for &key in Key::ALL {
                if field(fields, key)?.is_some() {
                    fixed.flag.remove(&key);
                    fixed.env.remove(&key);
                    token_named |= key == Key::Token;
                }
            }
        }
        let base = Self::build(Arc::new(fixed), self.stored.clone())?;
        let mut tried = base.apply(patch)?;
        if !token_named && tried.endpoint.origin() != self.endpoint.origin() {
            tried.given_token.clone_from(&self.given_token);
            tried.token = None;
        }
        Ok(tried)
    }

    /// The server that a saved token goes to when neither flag nor variable names one.
    fn saved_origin(&self, stored: &Stored) -> Option<url::Origin> {
        let text = match (stored.get(&Key::Endpoint), self.fixed.file.get(&Key::Endpoint)) {
            (Some(value), _) => value.as_str()?,
            (None, Some(given)) => given.value.as_str()?,
            (None, None) => "",
        };
        endpoint_url(text).ok().map(|url| url.origin())
    }

    /// Whether a new secret was set.
    fn apply_secret(&self, key: Key, value: &Value, stored: &mut Stored) -> Result<bool, FieldError> {
        match value.as_str() {
            // What GET shows, sent back.
            Some(text) if text.trim().starts_with(MASK) => Ok(false),
            Some("") => {
                stored.remove(&key);
                Ok(false)
            }
            _ => {
                let value = check(key, value)?;
                let empty = value.as_str().is_none_or(str::is_empty);
                if empty {
                    stored.remove(&key);
                } else {
                    stored.insert(key, value);
                }
                Ok(!empty)
            }
        }
    }
}

/// The paths that the value of a setting holds.
fn paths_in(value: &Value) -> Vec<&str> {
    let texts: Vec<&str> = match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        Value::Object(map) => map.values().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    };
    texts.into_iter().filter(|path| !path.is_empty()).collect()
}

/// The value for `key` in a patch; `null` and missing are the same.
fn field(fields: &Map<String, Value>, key: Key) -> Result<Option<&Value>, FieldError> {
    match key.as_str().split_once('.') {
        None => Ok(fields.get(key.as_str()).filter(|value| !value.is_null())),
        Some((outer, inner)) => match fields.get(outer) {
            Some(Value::Object(part)) => Ok(part.get(inner).filter(|value| !value.is_null())),
            None | Some(Value::Null) => Ok(None),
            Some(_) => Err(FieldError {
                field: outer.to_owned(),
                message: format!("{outer} must be an object"),
            }),
        },
    }
}
