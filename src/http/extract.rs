//! What handlers take out of a request: who sends it, which job it names, its query.

use std::convert::Infallible;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use utoipa::IntoParams;

use super::access;
use super::error::{ApiError, ApiResult};
use super::who::Who;
use crate::model::job::JobId;
use crate::model::repo::{NameError, RepoId, shown};

/// Who causes a change: the login, the key, else the address of the client. Goes into events and history.
pub struct Actor(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = access::peer(&parts.extensions);
        let who = parts.extensions.get::<Who>().unwrap_or(&Who::Anyone);
        Ok(Self(who.actor(peer)))
    }
}

/// Who asks, for streams that end when the right to them does.
pub struct Asker(pub Who);

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get().cloned().unwrap_or(Who::Anyone)))
    }
}

/// The `{id}` of the path. What is no id names no job, so it is `None` and never an error of its own.
pub struct JobPath(pub Option<JobId>);

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(text.ok().and_then(|Path(text)| text.parse().ok())))
    }
}

/// The id of a repo in the path, as the document has it.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[allow(dead_code)] // Describes what `RepoPath` reads.
pub struct RepoParams {
    /// The part of the id before the slash
    #[param(max_length = 94, pattern = "^[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*$")]
    owner: String,
    /// The part after it
    #[param(max_length = 94, pattern = "^[A-Za-z0-9_]+([.-][A-Za-z0-9_]+)*$")]
    name: String,
}

/// The `owner/name` at the end of the path, decoded once.
pub struct RepoPath(pub RepoId);

impl<S: Send + Sync> FromRequestParts<S> for RepoPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let wrong = |why: String| ApiError::bad_request("Invalid repo format").details(why);
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| wrong("Expected owner/name".to_owned()))?;
        if is_too_long(&text) {
            return Err(ApiError::not_found("Repository not found").details("No repo has so long an id"));
        }
        text.parse()
            .map(Self)
            .map_err(|error: NameError| wrong(error.to_string()))
    }
}

/// Whether `text` would be an id but for its length: no rule of the document forbids it, and no repo has it.
pub(super) fn is_too_long(text: &str) -> bool {
    let name = |part: &str| format!("x/{part}").parse::<RepoId>().is_ok();
    text.len() > 96
        && text
            .split_once('/')
            .is_some_and(|(owner, rest)| name(owner) && name(rest))
}

/// The query of the URL. A field that is empty counts as missing; none has two values.
pub struct QueryFields(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for QueryFields {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let wrong = |why: String| ApiError::bad_request("Invalid query").details(why);
        let Query(fields): Query<Vec<(String, String)>> =
            Query::try_from_uri(&parts.uri).map_err(|error| wrong(error.to_string()))?;
        let twice = |at: usize, name: &str, value: &str| {
            fields[..at]
                .iter()
                .any(|(other, before)| other == name && before != value)
        };
        let fault = fields
            .iter()
            .enumerate()
            .find(|(at, (name, value))| twice(*at, name, value));
        match fault {
            Some((_, (name, _))) => Err(wrong(format!("{} is given twice", shown(name)))),
            None => Ok(Self(fields)),
        }
    }
}

impl QueryFields {
    /// The text of `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(key, _)| key == name);
        field
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The word of `name`.
    ///
    /// # Errors
    /// 400 `Invalid {name}` when it is not one of the words of `T`.
    pub fn word<T: FromStr<Err: Display>>(&self, name: &str) -> ApiResult<Option<T>> {
        self.text(name)
            .map(str::parse)
            .transpose()
            .map_err(|error: T::Err| {
                ApiError::bad_request(format!("Invalid {name}")).details(error.to_string())
            })
    }

    /// The words of `name`, with commas between; none when it is missing.
    ///
    /// # Errors
    /// 400 `Invalid {name}` when one is not a word of `T`.
    pub fn words<T: FromStr<Err: Display>>(&self, name: &str) -> ApiResult<Vec<T>> {
        let parts = self.text(name).into_iter().flat_map(|text| text.split(','));
        parts
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|error: T::Err| {
                ApiError::bad_request(format!("Invalid {name}")).details(error.to_string())
            })
    }

    /// The truth of `name`: `true` or `1`, `false` or `0`.
    ///
    /// # Errors
    /// 400 `Invalid {name}` for anything else.
    pub fn flag(&self, name: &str) -> ApiResult<Option<bool>> {
        match self.text(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(ApiError::bad_request(format!("Invalid {name}"))
                .details(format!("{name} must be true or false, not \"{}\"", shown(other)))),
        }
    }

    /// The whole number of `name`.
    ///
    /// # Errors
    /// 400 `Invalid {name}` when it is none within `range`.
    pub fn number(&self, name: &str, range: RangeInclusive<i64>) -> ApiResult<Option<i64>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(ApiError::bad_request(format!("Invalid {name}")).details(format!(
                "{name} must be a whole number from {} to {}, not \"{}\"",
                range.start(),
                range.end(),
                shown(text)
            ))),
        }
    }
}
