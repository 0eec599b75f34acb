//! Encryption: a certificate that does not hold ends a request at once, and nothing leads back to
//! plain HTTP.

use std::sync::Arc;

use hfdepot::hub::{Budget, Class, HubClient, HubConfig, HubError};
use hfdepot::model::code::Code;
use hfdepot::model::repo::{RepoType, Revision};
use serde_json::json;

use super::stub::{COMMIT, Stub, TOKEN, assert_clean, config, id, json};
use crate::support::tls::SelfSigned;

async fn resolve(config: HubConfig) -> Result<String, HubError> {
    let client = HubClient::new(config, Arc::new(Budget::new()))?;
    let resolved = client.resolve(RepoType::Model, &id(), &Revision::main()).await?;
    Ok(resolved.commit.to_string())
}

fn info() -> String {
    let body = json!({"id": "acme/tiny", "sha": COMMIT}).to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_a_word_is_said() {
    let host = SelfSigned::start(info()).await;
    let error = resolve(config(&host.url)).await.unwrap_err();
    assert_eq!(
        (error.class, error.code),
        (Class::Permanent, Code::TlsError),
        "{error}"
    );
    assert!(
        error.message.contains("certificate of localhost"),
        "what to look at: {error}"
    );
    assert!(!format!("{error:?}").contains(TOKEN), "{error:?}");
    assert_eq!((host.knocks(), host.asked()), (1, 0), "the token stays here");
    // Only who says so trusts it all the same.
    let mut trusting = config(&host.url);
    trusting.proxy.insecure_skip_verify = true;
    assert_eq!(resolve(trusting).await.unwrap(), COMMIT);
    assert_eq!(host.asked(), 1);
}

#[tokio::test]
async fn a_redirect_that_would_give_up_encryption_is_refused_and_not_followed() {
    let plain = Stub::start(|_| json(json!({"id": "acme/tiny", "sha": COMMIT}))).await;
    let location = plain.url.join("/api/models/acme/tiny/revision/main").unwrap();
    let host = SelfSigned::start(format!(
        "HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    ))
    .await;
    let mut trusting = config(&host.url);
    trusting.proxy.insecure_skip_verify = true;
    let error = resolve(trusting).await.unwrap_err();
    assert_eq!(
        (error.class, error.code),
        (Class::Permanent, Code::BadResponse),
        "{error}"
    );
    assert!(error.message.contains("encryption"), "{error}");
    assert_clean(&error);
    assert!(plain.asked().is_empty(), "{:?}", plain.targets());
}
