//! Proxies of every kind that the settings take, and the trial of settings before they are saved.

use serde_json::{Value, json};

use crate::support::hub::{Content, Hub, Repo, TOKEN};
use crate::support::proxy::{LOGIN, Proxy, Speech};
use crate::support::service::{NOWHERE, Service};

async fn stocked() -> Hub {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/tiny")
            .file("config.json", "{}")
            .lfs("model.safetensors", Content::generated(300_000, 1)),
    );
    hub
}

/// The endpoint of `hub` under another name of its host.
fn renamed(hub: &Hub, host: &str) -> String {
    hub.endpoint().replace("127.0.0.1", host)
}

async fn save(service: &Service, settings: Value) {
    let (status, body) = service.post("/api/settings", settings).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_goes_through_each_kind_of_proxy_with_its_login() {
    let hub = stocked().await;
    for (scheme, speech) in [
        ("http", Speech::Http),
        ("socks5", Speech::Socks5),
        ("socks5h", Speech::Socks5),
    ] {
        let proxy = Proxy::start(speech, true).await;
        // `socks5` resolves here, so only there the name must be one that we know.
        let host = if scheme == "socks5" {
            "localhost"
        } else {
            "hub.invalid"
        };
        let service = Service::start(&renamed(&hub, host)).await;
        let url = format!("{scheme}://127.0.0.1:{}", proxy.port);
        let settings = json!({"proxy": {"url": url, "username": LOGIN.0, "password": LOGIN.1}});
        save(&service, settings).await;
        let id = service.submit("acme/tiny").await;
        let job = service.until(&id, |job| job["endedAt"] != Value::Null).await;
        assert_eq!(job["status"], "completed", "{scheme}: {job}");
        assert!(!proxy.targets().is_empty(), "{scheme}");
        if scheme != "socks5" {
            assert!(proxy.targets().iter().any(|target| target == host), "{scheme}");
        }
        let (_, shown) = service.get("/api/settings").await;
        assert_eq!(shown["proxy"]["hasPassword"], true);
        assert!(
            !shown.to_string().contains(LOGIN.1),
            "{scheme}: the password is shown"
        );
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_no_proxy_names_are_reached_directly() {
    let hub = stocked().await;
    let proxy = Proxy::start(Speech::Http, false).await;
    let url = format!("http://127.0.0.1:{}", proxy.port);
    for (host, without, direct) in [
        ("127.0.0.1", "127.0.0.1", true),
        ("127.0.0.1", "10.0.0.0/8, 127.0.0.0/8", true),
        ("127.0.0.1", "10.0.0.0/8", false),
        ("localhost", "localhost", true),
        ("localhost", "other.host,*", true),
        ("localhost", "host", false),
    ] {
        let service = Service::start(&renamed(&hub, host)).await;
        let before = proxy.targets().len();
        let body = json!({"proxy": {"url": url, "noProxy": without}});
        let (status, trial) = service.post("/api/settings/test", body).await;
        assert_eq!(status, 200, "{trial}");
        assert_eq!(trial["endpoint"]["ok"], true, "{host} without {without}: {trial}");
        assert_eq!(
            proxy.targets().len() == before,
            direct,
            "{host} without {without}"
        );
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_says_what_works_and_saves_nothing() {
    let hub = stocked().await;
    let service = Service::start(&hub.endpoint()).await;
    let (status, trial) = service.post("/api/settings/test", json!({"token": TOKEN})).await;
    assert_eq!(status, 200, "{trial}");
    assert_eq!(trial["ok"], true, "{trial}");
    assert_eq!(trial["endpoint"]["ok"], true, "{trial}");
    assert_ne!(trial["token"]["name"], "", "{trial}");
    assert_eq!(trial["token"]["scopes"], json!(["read"]));
    assert_eq!(trial["proxy"]["given"], false);
    assert!(!trial.to_string().contains(TOKEN), "the token is shown");
    let (_, settings) = service.get("/api/settings").await;
    assert_eq!(settings["token"], "", "a trial saved the token");

    // A token is for the server it was set for: another one must not get it by way of a trial.
    save(&service, json!({"token": TOKEN})).await;
    let other = stocked().await;
    let (_, trial) = service
        .post("/api/settings/test", json!({"endpoint": other.endpoint()}))
        .await;
    assert_eq!(trial["endpoint"]["ok"], true, "{trial}");
    assert_eq!(
        (&trial["token"]["given"], &trial["token"]["ok"]),
        (&json!(true), &json!(false))
    );
    assert!(
        other
            .log()
            .entries()
            .iter()
            .all(|entry| entry.path != "/api/whoami-v2")
    );
    save(&service, json!({"token": ""})).await;

    let (_, none) = service.post("/api/settings/test", json!({})).await;
    assert_eq!(
        (&none["ok"], &none["token"]["given"]),
        (&json!(true), &json!(false))
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_names_the_part_that_is_wrong() {
    let hub = stocked().await;
    let guarded = Proxy::start(Speech::Http, true).await;
    let service = Service::start(&hub.endpoint()).await;
    let bad_token = json!({"token": "hf_wrongwrongwrong"});
    let (_, trial) = service.post("/api/settings/test", bad_token).await;
    assert_eq!(trial["endpoint"]["ok"], true, "{trial}");
    assert_eq!(
        (&trial["token"]["ok"], &trial["ok"]),
        (&json!(false), &json!(false))
    );

    let (_, trial) = service
        .post("/api/settings/test", json!({"endpoint": NOWHERE}))
        .await;
    assert_eq!(trial["endpoint"]["ok"], false, "{trial}");
    assert_eq!(trial["proxy"]["ok"], true, "{trial}");

    let dead_proxy = json!({"proxy": {"url": "socks5h://127.0.0.1:1"}});
    let (_, trial) = service.post("/api/settings/test", dead_proxy).await;
    assert_eq!(trial["proxy"]["ok"], false, "{trial}");
    assert!(
        trial["proxy"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("127.0.0.1"))
    );

    let without_login = json!({"proxy": {"url": format!("http://127.0.0.1:{}", guarded.port)}});
    let (_, trial) = service.post("/api/settings/test", without_login).await;
    assert_eq!(
        (&trial["proxy"]["ok"], &trial["endpoint"]["ok"]),
        (&json!(true), &json!(false))
    );
    let message = trial["endpoint"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("407"), "{message}");

    let (status, refused) = service
        .post("/api/settings/test", json!({"endpoint": "ftp://x"}))
        .await;
    assert_eq!(status, 400, "{refused}");
    assert!(
        refused["details"]
            .as_str()
            .is_some_and(|text| text.contains("endpoint"))
    );
    service.stop().await;
}
