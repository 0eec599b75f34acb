//! Bodies of requests: JSON, at most 1 MiB.

use std::time::Duration;

use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

use super::error::{ApiError, body_too_large};

/// Largest body of a request in bytes.
pub const BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// Longest time for a body to arrive: 1 MiB at 35 KiB/s.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON body. Unknown fields and text behind the document are ignored, as both API
/// documents have it; anything else that is wrong is 400 `Invalid request body`.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let whole = tokio::time::timeout(BODY_TIMEOUT, request.extract());
        let bytes: Bytes = whole
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
            })?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        T::deserialize(&mut reader)
            .map(Self)
            .map_err(|error| ApiError::bad_request("Invalid request body").details(error.to_string()))
    }
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
                .details("Send the body with Content-Type: application/json"),
        )
    }
}
