//! Bodies of requests: JSON, at most 1 MiB.

use std::time::Duration;

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::IntoResponse;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::error::{ApiError, body_too_large};
use crate::model::repo::shown;

/// Largest body of a request in bytes.
pub const BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// Longest time for a body to arrive: 1 MiB at 35 KiB/s.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What to send in place of what is none.
const AN_OBJECT: &str = "Send an object in braces, such as {\"repo\": \"owner/name\"}.";

/// A JSON body. Unknown fields and text behind the document are ignored, as both API
/// documents have it; anything else that is wrong is 400 `Invalid request body`.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        read(&arrived(request).await?).map(Self)
    }
}

/// A JSON body that may be missing. One that cannot be read counts as missing, as clients of the
/// route with it are used to.
#[derive(Debug)]
pub struct OptionalBody<T>(pub Option<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        Ok(Self(read(&arrived(request).await?).ok()))
    }
}

/// The whole body.
async fn arrived(request: Request) -> Result<Bytes, ApiError> {
    let arrived = tokio::time::timeout(BODY_TIMEOUT, request.extract());
    arrived
        .await
        .map_err(|_| {
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "Request timeout")
                .details(format!(
                    "The body did not arrive within {} seconds",
                    BODY_TIMEOUT.as_secs()
                ))
                .header(header::CONNECTION, HeaderValue::from_static("close"))
        })?
        .map_err(|rejection: axum::extract::rejection::BytesRejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => body_too_large(),
                _ => ApiError::bad_request("Invalid request body").details("The body broke off"),
            }
        })
}

/// The document in `bytes`, which is an object.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let body = Map::deserialize(&mut reader).map_err(|error| unreadable(bytes, &error))?;
    serde_path_to_error::deserialize(whole(Value::Object(body))).map_err(|error| {
        let place = error.path().to_string();
        let why = error.into_inner();
        ApiError::bad_request("Invalid request body")
            .details(match place.as_str() {
                "." | "?" => why.to_string(),
                field => format!("{}: {why}", shown(field)),
            })
            .hint("Correct this field and send it again; /api/docs describes the body of each route.")
    })
}

/// The error for `bytes` that are no JSON object: what is wrong with them, and where. The words of
/// the parser stand at the end, for those who know them.
fn unreadable(bytes: &[u8], error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    let at = format!("line {line}, column {column}");
    let (what, hint) = if bytes.trim_ascii().is_empty() {
        (
            "The body is empty; a JSON object is expected".to_owned(),
            AN_OBJECT,
        )
    } else {
        match error.classify() {
            // Well-formed as far as it was read, but no object.
            Category::Data => (format!("The body is JSON, but no object ({error})"), AN_OBJECT),
            Category::Eof => (
                format!("The JSON ends before it is complete, at {at} ({error})"),
                "A closing bracket, brace or quote is missing, or the body was cut off on its way.",
            ),
            Category::Syntax | Category::Io => (
                format!("The body is not valid JSON: at {at} something else was expected ({error})"),
                "Put names and texts in double quotes, commas between fields and none after the last; in a shell, put single quotes around the whole body.",
            ),
        }
    };
    ApiError::bad_request("Invalid request body")
        .details(what)
        .hint(hint)
}

/// Writes whole numbers without a fraction: to JSON Schema `24.0` is an integer, to serde it is none.
fn whole(value: Value) -> Value {
    // Beyond it a double no longer tells neighbours apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
                (float as i64).into()
            }
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, whole(value)));
            Value::Object(fields.collect())
        }
        other => other,
    }
}

/// Reads a field that is an object or missing. Derived code would take a list for one as well.
///
/// # Errors
/// When it is neither, or its fields are wrong.
pub fn object<'de, T: DeserializeOwned, D: Deserializer<'de>>(json: D) -> Result<Option<T>, D::Error> {
    let fields = Option::<Map<String, Value>>::deserialize(json)?;
    let read = |fields| T::deserialize(Value::Object(fields)).map_err(D::Error::custom);
    fields.map(read).transpose()
}

/// Refuses a body that is announced too long (413) or is no JSON (415), before it is read.
/// A request without a body needs no type.
pub(super) fn check(method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let length = match headers.get(header::CONTENT_LENGTH) {
        Some(value) => value
            .to_str()
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(u64::MAX),
        None => 0,
    };
    if length > BODY_LIMIT_BYTES as u64 {
        return Err(body_too_large());
    }
    let has_body = length > 0 || headers.contains_key(header::TRANSFER_ENCODING);
    if !has_body || method == Method::GET || method == Method::HEAD {
        return Ok(());
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let is_json = types
        .next()
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| {
            let essence = text.split(';').next().unwrap_or_default().trim();
            essence.eq_ignore_ascii_case("application/json")
        });
    if is_json && types.next().is_none() {
        Ok(())
    } else {
        Err(
            ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type")
                .details("The Content-Type of the body is missing, or is not application/json"),
        )
    }
}
