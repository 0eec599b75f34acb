//! The way to a running service: one HTTP client, and what its failures mean to a script.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
pub use reqwest::Method;
use serde_json::Value;

use super::print::plain;
use crate::lifecycle::{Exit, ExitError};
use crate::model::repo::shown;

/// Longest time for an answer; a plan of a large repo takes a minute.
const PATIENCE: Duration = Duration::from_secs(150);
/// Longest time until the service takes the connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// Where the service is, and who asks.
#[derive(Clone, Args)]
#[command(next_help_heading = "Service")]
pub struct Reach {
    /// Address of the running service
    #[arg(
        long,
        env = "HFDEPOT_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    server: url::Url,
    /// API key; visible in the process list, so prefer the variable or --api-key-file
    #[arg(long, env = "HFDEPOT_API_KEY", value_name = "KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// File with the API key
    #[arg(
        long,
        env = "HFDEPOT_API_KEY_FILE",
        value_name = "FILE",
        conflicts_with = "api_key"
    )]
    api_key_file: Option<PathBuf>,
    /// User name of the login, when there is no API key
    #[arg(long, env = "HFDEPOT_AUTH_USER", value_name = "NAME")]
    auth_user: Option<String>,
    /// Password of the login; visible in the process list, so prefer the variable
    #[arg(long, env = "HFDEPOT_AUTH_PASS", value_name = "TEXT", hide_env_values = true)]
    auth_pass: Option<String>,
}

impl std::fmt::Debug for Reach {
    // Key and password stay out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reach")
            .field("server", &self.server.as_str())
            .finish_non_exhaustive()
    }
}

/// A client of the service.
pub struct Client {
    http: reqwest::Client,
    reach: Reach,
    key: Option<String>,
}

/// An answer that is no success: what the service said, and the exit code that it means.
#[derive(Debug)]
pub struct Refusal {
    /// For scripts.
    pub exit: Exit,
    /// The body of the answer.
    pub body: Value,
}

impl Refusal {
    fn new(status: reqwest::StatusCode, body: Value) -> Self {
        let exit = match status.as_u16() {
            401 | 403 if body["error_detail"]["reason"].is_null() => Exit::NotAllowed,
            404 => Exit::NotFound,
            400..500 => Exit::Refused,
            _ => Exit::Error,
        };
        Self { exit, body }
    }

    /// The sentence, what was added to it, and the hint.
    pub fn sentence(&self) -> String {
        let text = |value: &Value| plain(value.as_str().unwrap_or_default());
        let mut sentence = text(&self.body["error"]);
        let details = text(&self.body["details"]);
        if !details.is_empty() {
            sentence = format!("{sentence}: {details}");
        }
        let hint = text(&self.body["error_detail"]["hint"]);
        if hint.is_empty() {
            sentence
        } else {
            format!("{sentence}\n{hint}")
        }
    }
}

impl From<Refusal> for ExitError {
    fn from(refusal: Refusal) -> Self {
        Self {
            exit: refusal.exit,
            message: refusal.sentence(),
        }
    }
}

impl Client {
    /// A client that asks as `reach` says.
    ///
    /// # Errors
    /// When the address is none, or the file with the key cannot be read.
    pub fn new(reach: &Reach) -> anyhow::Result<Self> {
        if !matches!(reach.server.scheme(), "http" | "https") || !reach.server.has_host() {
            return Err(ExitError::usage(format!(
                "--server must be a URL such as http://nas:8080, not \"{}\"",
                shown(reach.server.as_str())
            ))
            .into());
        }
        let key = match &reach.api_key_file {
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .map_err(|error| ExitError::usage(format!("{}: {error}", file.display())))?
                    .trim()
                    .to_owned(),
            ),
            None => reach.api_key.clone(),
        };
        // The service is at home: no proxy leads to it.
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_PATIENCE)
            .timeout(PATIENCE)
            .build()
            .context("The HTTP client cannot be made")?;
        let reach = reach.clone();
        Ok(Self { http, reach, key })
    }

    /// Sends a request; the body of the answer, or what the service refused it with.
    ///
    /// # Errors
    /// [`Exit::Unreachable`] when nobody answers, or one that is no hfdepot.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Result<Value, Refusal>, ExitError> {
        let unreachable = |why: String| ExitError {
            exit: Exit::Unreachable,
            message: format!(
                "No hfdepot answers at {}: {why}\nStart it with `hfdepot serve`, or name its address with --server.",
                self.reach.server
            ),
        };
        let base = self.reach.server.as_str().trim_end_matches('/');
        let mut request = self.http.request(method, format!("{base}{path}"));
        request = match (&self.key, &self.reach.auth_user) {
            (Some(key), _) => request.bearer_auth(key),
            (None, Some(user)) => request.basic_auth(user, self.reach.auth_pass.as_ref()),
            (None, None) => request,
        };
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .map_err(|error| unreachable(cause_of(&error)))?;
        let status = answer.status();
        let text = answer
            .text()
            .await
            .map_err(|error| unreachable(cause_of(&error)))?;
        let body: Value = serde_json::from_str(&text)
            .map_err(|_| unreachable(format!("the answer ({status}) is no JSON")))?;
        Ok(if status.is_success() {
            Ok(body)
        } else {
            Err(Refusal::new(status, body))
        })
    }
}

/// The innermost cause, which says what happened.
fn cause_of(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_script_can_tell_refusals_apart() {
        let exit = |status: u16, body: Value| {
            let status = reqwest::StatusCode::from_u16(status).expect("a status");
            Refusal::new(status, body).exit
        };
        let bare = || json!({"error": "x", "error_detail": {}});
        assert_eq!(exit(401, bare()), Exit::NotAllowed);
        assert_eq!(exit(403, bare()), Exit::NotAllowed);
        let of_hub = json!({"error": "x", "error_detail": {"reason": "gated"}});
        assert_eq!(exit(403, of_hub), Exit::Refused);
        assert_eq!(exit(404, bare()), Exit::NotFound);
        assert_eq!(exit(400, bare()), Exit::Refused);
        assert_eq!(exit(409, bare()), Exit::Refused);
        assert_eq!(exit(500, bare()), Exit::Error);
        assert_eq!(exit(507, bare()), Exit::Error);
    }

    #[test]
    fn a_refusal_reads_as_sentence_details_and_hint() {
        let refusal = |body| Refusal {
            exit: Exit::Refused,
            body,
        };
        let whole = json!({"error": "A", "details": "b", "error_detail": {"hint": "C."}});
        assert_eq!(refusal(whole).sentence(), "A: b\nC.");
        assert_eq!(refusal(json!({"error": "A"})).sentence(), "A");
    }
}
