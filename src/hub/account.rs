//! Trying an endpoint, a token and a proxy out: what a settings page wants to know before it saves.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpStream;

use super::HubClient;
use super::api;
use super::error::{Class, HubError};
use super::redirect::host;
use super::text;
use crate::model::code::Code;

/// Most bytes of an answer: an account in a hundred organisations has some 50 KiB.
const BYTES_MAX: usize = 1024 * 1024;
/// Most scopes of a fine-grained token that are shown.
const SCOPES_MAX: usize = 100;

/// Who a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Name of the account, safe to show.
    pub name: String,
    /// What the token may do: `read`, `write`, or the permissions of a fine-grained token.
    pub scopes: Vec<String>,
}

impl HubClient {
    /// Asks who the token belongs to: one request, which the Hub limits more strictly than others,
    /// so never for each job.
    ///
    /// # Errors
    /// `bad_token` when the Hub does not know it; what the endpoint says else.
    pub async fn whoami(&self) -> Result<Account, HubError> {
        let page = api::get_within(&self.wire, self.url("api/whoami-v2"), None, BYTES_MAX).await?;
        Ok(account(&page.json()?))
    }

    /// How long the endpoint takes for one small answer of its API.
    ///
    /// # Errors
    /// `offline`, `tls_error`, `bad_response` for what is no Hub, and what else the endpoint says.
    pub async fn ping(&self) -> Result<Duration, HubError> {
        let begun = Instant::now();
        let mut url = self.url("api/models");
        url.set_query(Some("limit=1"));
        let page = api::get_within(&self.wire, url, None, BYTES_MAX).await?;
        let _: Vec<Value> = page.json()?;
        Ok(begun.elapsed())
    }

    /// Whether the proxy of the settings takes connections; `None` when there is none. Proxies of
    /// the environment are not looked at.
    pub async fn reach_proxy(&self) -> Option<Result<(), HubError>> {
        let url = self.config.proxy.url.as_ref()?;
        let patience = self.config.connect_timeout;
        // `url` knows the ports of http and https only; 1080 is the one that IANA gives SOCKS.
        let port = url.port_or_known_default().unwrap_or(1080);
        let name = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let unreachable = |why: String| {
            let message = format!("The proxy {} cannot be reached: {why}", host(url));
            HubError::new(Class::Offline, Code::Offline, message)
        };
        Some(
            match tokio::time::timeout(patience, TcpStream::connect((name, port))).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(unreachable(error.to_string())),
                Err(_) => Err(unreachable(format!(
                    "no answer within {} s",
                    patience.as_secs_f64()
                ))),
            },
        )
    }
}

fn account(answer: &Value) -> Account {
    let token = &answer["auth"]["accessToken"];
    let fine = token["fineGrained"]["scoped"].as_array().into_iter().flatten();
    let permissions = fine
        .filter_map(|scope| scope["permissions"].as_array())
        .flatten()
        .chain(token["fineGrained"]["global"].as_array().into_iter().flatten());
    let mut scopes: Vec<String> = text::text(&token["role"])
        .into_iter()
        .chain(permissions.filter_map(text::text))
        .take(SCOPES_MAX)
        .collect();
    scopes.dedup();
    Account {
        name: text::text(&answer["name"]).unwrap_or_default(),
        scopes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_account_shows_its_name_and_what_its_token_may_do() {
        let plain = json!({"name": "ada", "auth": {"accessToken": {"role": "read"}}});
        assert_eq!(
            account(&plain),
            Account {
                name: "ada".to_owned(),
                scopes: vec!["read".to_owned()]
            }
        );
        let fine = json!({"name": "ada", "auth": {"accessToken": {"role": "fineGrained", "fineGrained": {
            "global": ["discussion.write"],
            "scoped": [{"entity": {"type": "user"}, "permissions": ["repo.content.read"]}]
        }}}});
        assert_eq!(
            account(&fine).scopes,
            ["fineGrained", "repo.content.read", "discussion.write"]
        );
        for odd in [json!(null), json!([]), json!({"name": 7, "auth": 7})] {
            assert_eq!(account(&odd).scopes, [""; 0], "{odd}");
        }
    }
}
