//! Waiting for the Hub on behalf of a client, and saying why it gave nothing.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};

use super::error::{ApiError, ApiResult};
use super::state::App;
use crate::hub::{Bucket, HubError};
use crate::model::code::Code;

/// The answer of `asked`, for which a client waits at most `patience`. `failed` is the short
/// sentence of every error; the details say more.
///
/// # Errors
/// The status that the cause has; 429 at once when the Hub's window opens later than that;
/// 504 after `patience`; 503 when the service stops.
pub async fn wait<T>(
    app: &App,
    failed: &str,
    patience: Duration,
    asked: impl Future<Output = Result<T, HubError>>,
) -> ApiResult<T> {
    if let Some(wait) = app
        .engine
        .budget()
        .wait(Bucket::Api)
        .filter(|wait| *wait > patience)
    {
        let error = ApiError::coded(Code::RateLimited, failed)
            .details("The window of the Hub's rate limit is used up");
        return Err(retry_after(error, wait));
    }
    tokio::select! {
        answer = tokio::time::timeout(patience, asked) => match answer {
            Ok(answer) => answer.map_err(|error| refused(failed, &error)),
            Err(_) => Err(ApiError::new(StatusCode::GATEWAY_TIMEOUT, failed)
                .details(too_slow(patience))
                .reason(Code::Stalled)),
        },
        () = app.stop.cancelled() => {
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, failed).details("The service is stopping"))
        }
    }
}

/// The sentence for a wait of `patience` in vain.
pub fn too_slow(patience: Duration) -> String {
    format!("No complete answer within {} seconds", patience.as_secs_f64())
}

/// `error` as clients see it.
pub fn refused(failed: &str, error: &HubError) -> ApiError {
    let answer = ApiError::coded(error.code, failed).details(error.message.clone());
    match error.retry_after {
        Some(wait) => retry_after(answer, wait),
        None => answer,
    }
}

fn retry_after(error: ApiError, wait: Duration) -> ApiError {
    error.header(
        header::RETRY_AFTER,
        HeaderValue::from(wait.as_secs_f64().ceil() as u64),
    )
}
