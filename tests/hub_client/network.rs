//! The way to the Hub: outages, proxies, redirects that must not be followed.

use std::sync::Arc;
use std::time::Duration;

use hfdepot::hub::{Budget, Class, HubClient, HubConfig, HubError, Secret};
use hfdepot::model::code::Code;
use hfdepot::model::repo::{RepoType, Revision};
use serde_json::json;
use url::Url;

use super::stub::{COMMIT, Stub, TOKEN, answer, assert_clean, client, config, file_of, id, json};

async fn resolve(config: HubConfig) -> Result<hfdepot::hub::Resolved, HubError> {
    let client = HubClient::new(config, Arc::new(Budget::new()))?;
    client.resolve(RepoType::Model, &id(), &Revision::main()).await
}

fn info() -> axum::response::Response {
    json(json!({"id": "acme/tiny", "sha": COMMIT}))
}

#[tokio::test]
async fn an_api_redirect_to_another_origin_is_followed_without_the_token() {
    let other = Arc::new(Stub::start(|_| info()).await);
    let to = Arc::clone(&other);
    let mirror = Stub::start(move |asked| {
        let location = to.url.join(&asked.target).unwrap();
        answer(308, &[("location", location.as_str())], "")
    })
    .await;
    resolve(config(&mirror.url)).await.unwrap();
    assert!(mirror.asked()[0].header("authorization").is_some());
    assert_eq!(other.asked()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_hub_behind_a_mirror_is_understood_too() {
    let other = Arc::new(Stub::start(|_| answer(401, &[("x-error-code", "GatedRepo")], "")).await);
    let to = Arc::clone(&other);
    let mirror = Stub::start(move |asked| {
        let location = to.url.join(&asked.target).unwrap();
        answer(308, &[("location", location.as_str())], "")
    })
    .await;
    let error = resolve(config(&mirror.url)).await.unwrap_err();
    assert_eq!(error.code, Code::Gated);
    let error = file_of(&client(&mirror), 9).open(None).await.unwrap_err();
    assert_eq!(
        (error.class, error.code),
        (Class::NeedsUser, Code::Gated),
        "{error}"
    );
    // It got no token, so its 401 says nothing about ours.
    assert!(error.message.contains("set a token"), "{error}");
}

#[tokio::test]
async fn a_redirect_into_a_circle_or_to_a_forbidden_place_ends() {
    for (location, most) in [
        ("/again", 11),
        ("http://169.254.169.254/latest/meta-data/", 1),
        ("file:///etc/passwd", 1),
        ("http://user:pass@127.0.0.1/", 1),
    ] {
        let hub = Stub::start(move |_| answer(302, &[("location", location)], "")).await;
        let error = resolve(config(&hub.url)).await.unwrap_err();
        assert_eq!(
            (error.class, error.code),
            (Class::Permanent, Code::BadResponse),
            "{error}"
        );
        assert_eq!(hub.asked().len(), most, "{location}");
        assert_clean(&error);
    }
}

#[tokio::test]
async fn a_host_that_refuses_connections_is_offline_and_is_not_knocked_at_again_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let mut settings = config(&endpoint);
    settings.backoff_initial = Duration::from_secs(60);
    let client = HubClient::new(settings, Arc::new(Budget::new())).unwrap();
    for first in [true, false] {
        let error = client
            .resolve(RepoType::Model, &id(), &Revision::main())
            .await
            .unwrap_err();
        assert_eq!((error.class, error.code), (Class::Offline, Code::Offline));
        assert!(
            error.message.contains("127.0.0.1") && error.message.contains("refused"),
            "{error}"
        );
        let wait = error.retry_after.unwrap();
        // Had the second call knocked again, the pause would have begun anew.
        assert_eq!(wait == Duration::from_secs(60), first, "{wait:?}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_offline() {
    let error = resolve(config(&Url::parse("http://nowhere.invalid").unwrap()))
        .await
        .unwrap_err();
    assert_eq!((error.class, error.code), (Class::Offline, Code::Offline));
    assert!(
        error.message.contains("nowhere.invalid") && error.message.contains("name"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_never_answers_is_offline_after_the_header_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let mut settings = config(&endpoint);
    settings.header_timeout = Duration::from_millis(200);
    let error = resolve(settings).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Offline, Code::Offline));
    assert!(error.message.contains("does not answer"), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_a_passing_fault() {
    let hub = Stub::raw("").await;
    let error = resolve(config(&hub.url)).await.unwrap_err();
    assert_eq!(
        (error.class, error.code),
        (Class::Transient, Code::ServerError),
        "{error}"
    );
}

#[tokio::test]
async fn a_host_that_speaks_no_tls_is_not_asked_again() {
    let hub = Stub::start(|_| info()).await;
    let mut endpoint = hub.url.clone();
    endpoint.set_scheme("https").unwrap();
    let error = resolve(config(&endpoint)).await.unwrap_err();
    assert_eq!(
        (error.class, error.code),
        (Class::Permanent, Code::TlsError),
        "{error}"
    );
}

#[tokio::test]
async fn a_proxy_gets_the_request_and_its_password() {
    let proxy = Stub::start(|_| info()).await;
    let mut settings = config(&Url::parse("http://hub.invalid").unwrap());
    settings.proxy.url = Some(proxy.url.clone());
    settings.proxy.username = Some("anna".into());
    settings.proxy.password = Some(Secret::new("p:@/ss"));
    resolve(settings.clone()).await.unwrap();
    let asked = &proxy.asked()[0];
    assert_eq!(
        asked.target,
        "http://hub.invalid/api/models/acme/tiny/revision/main"
    );
    // base64 of "anna:p:@/ss"
    assert_eq!(
        asked.header("proxy-authorization"),
        Some("Basic YW5uYTpwOkAvc3M=")
    );
    settings.proxy.no_proxy = Some("example.org,.invalid".into());
    let error = resolve(settings).await.unwrap_err();
    assert_eq!(error.code, Code::Offline, "asked without the proxy");
    assert_eq!(proxy.asked().len(), 1);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_with_a_sentence() {
    let good = config(&Url::parse("http://127.0.0.1:1").unwrap());
    let endpoint = |url: &str| HubConfig {
        endpoint: Url::parse(url).unwrap(),
        ..good.clone()
    };
    let mut token = good.clone();
    token.token = Some(Secret::new("hf_a\nb"));
    let mut proxy = good.clone();
    proxy.proxy.url = Some(Url::parse("ftp://proxy.lan").unwrap());
    for config in [
        endpoint("ftp://hub.example"),
        endpoint("http://user:pass@hub.example"),
        endpoint("http://169.254.169.254"),
        token,
        proxy,
    ] {
        let error = HubClient::new(config, Arc::new(Budget::new())).unwrap_err();
        assert_eq!(
            (error.class, error.code),
            (Class::Permanent, Code::BadRequest),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_endpoint_may_have_a_path_of_its_own_and_the_client_shows_no_token() {
    let hub = Stub::start(|_| info()).await;
    let endpoint = hub.url.join("hf/").unwrap();
    let client_of = HubClient::new(config(&endpoint), Arc::new(Budget::new())).unwrap();
    client_of
        .resolve(RepoType::Model, &id(), &Revision::main())
        .await
        .unwrap();
    assert_eq!(hub.targets(), ["/hf/api/models/acme/tiny/revision/main"]);
    let shown = format!("{client_of:?} {:?} {:?}", client(&hub), client_of.config());
    assert!(!shown.contains(TOKEN));
}
