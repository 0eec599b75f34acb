//! API keys: what each scope opens, what is kept of a key, and what is told of its use.

mod command;

use std::time::Duration;

use futures_util::StreamExt;
use hfdepot::model::key::Scope;
use hfdepot::store::Store;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::base::connect;
use crate::support::hub::Hub;
use crate::support::service::{DEADLINE, NOWHERE, Service, slow_hub};

const LOGIN: [&str; 4] = ["--auth-user", "ann", "--auth-pass", "a long password"];

/// A service with a login, whose Hub is `endpoint`.
async fn guarded(endpoint: &str) -> Service {
    let flags: Vec<&str> = LOGIN.into_iter().chain(["--endpoint", endpoint]).collect();
    Service::start_with(&flags).await
}

/// Makes a key and gives the answer.
async fn made(service: &Service, name: &str, scope: &str) -> Value {
    let (status, key) = service
        .post("/api/keys", json!({"name": name, "scope": scope}))
        .await;
    assert_eq!(status, 201, "{key}");
    key
}

/// A request that shows `value` in `header` and nothing else.
async fn with(
    service: &Service,
    (header, value): (&str, &str),
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    let url = format!("http://{}{path}", service.address);
    let request = reqwest::Client::new().request(method.parse().expect("a method"), url);
    let request = request.header(header, value);
    let request = match body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(body.to_string()),
        None => request,
    };
    service.answer(request).await
}

async fn with_key(
    service: &Service,
    key: &str,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, Value) {
    with(service, ("x-api-key", key), method, path, body).await
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[tokio::test]
async fn a_key_is_shown_once_and_only_its_hash_is_kept() {
    let service = guarded(NOWHERE).await;
    let key = made(&service, "dashboard", "read").await;
    let secret = text(&key["key"]).to_owned();
    assert!(secret.starts_with("hfd_") && secret.len() == 47, "{secret}");
    assert!(secret.starts_with(text(&key["prefix"])));
    let (_, listed) = service.get("/api/keys").await;
    assert_eq!(listed["keys"][0]["name"], "dashboard");
    assert_eq!(listed["keys"][0]["lastUsedAt"], Value::Null);
    assert!(!listed.to_string().contains(&secret));
    let dir = service.stop().await;
    let rows = crate::support::base::dump(&database(&dir)).await;
    assert!(
        rows.contains("dashboard") && !rows.contains(&secret[8..]),
        "{rows}"
    );
}

fn database(dir: &tempfile::TempDir) -> std::path::PathBuf {
    dir.path().join(".local/share/hfdepot/hfdepot.db")
}

#[tokio::test]
async fn each_scope_opens_what_it_says_and_the_refusal_names_the_scope_that_is_needed() {
    let hub = slow_hub().await;
    let service = guarded(&hub.endpoint()).await;
    let read = text(&made(&service, "r", "read").await["key"]).to_owned();
    let enqueue = text(&made(&service, "e", "enqueue").await["key"]).to_owned();
    let admin = text(&made(&service, "a", "admin").await["key"]).to_owned();
    let download = || Some(json!({"repo": "acme/slow"}));
    let setting = || Some(json!({"maxActive": 2}));
    for (key, method, path, body, expected, needs) in [
        (&read, "GET", "/api/jobs", None, 200, ""),
        (&read, "GET", "/api/settings", None, 200, ""),
        (&read, "GET", "/api/keys", None, 403, "admin"),
        (&read, "POST", "/api/download", download(), 403, "enqueue"),
        (&read, "POST", "/api/plan", download(), 403, "enqueue"),
        (&read, "POST", "/api/settings", setting(), 403, "admin"),
        (&enqueue, "GET", "/api/jobs", None, 200, ""),
        (&enqueue, "POST", "/api/download", download(), 202, ""),
        (&enqueue, "POST", "/api/settings", setting(), 403, "admin"),
        (
            &enqueue,
            "POST",
            "/api/keys",
            Some(json!({"name": "x", "scope": "admin"})),
            403,
            "admin",
        ),
        (&admin, "POST", "/api/settings", setting(), 200, ""),
        (&admin, "GET", "/api/keys", None, 200, ""),
    ] {
        let (status, answer) = with_key(&service, key, method, path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
        if expected == 403 {
            let details = text(&answer["details"]);
            assert!(details.contains(&format!("needs the scope {needs}")), "{details}");
            assert!(text(&answer["error_detail"]["hint"]).contains(needs));
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn a_key_comes_as_bearer_token_header_or_password_and_basic_works_as_before() {
    let service = guarded(NOWHERE).await;
    let key = text(&made(&service, "k", "read").await["key"]).to_owned();
    use base64::Engine;
    let basic = |user: &str, password: &str| {
        let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        format!("Basic {text}")
    };
    for (header, value) in [
        ("x-api-key", key.clone()),
        ("authorization", format!("Bearer {key}")),
        ("authorization", format!("bearer {key}")),
        ("authorization", basic("anything", &key)),
        ("authorization", basic("ann", "a long password")),
    ] {
        let (status, answer) = with(&service, (header, &value), "GET", "/api/jobs", None).await;
        assert_eq!(status, 200, "{header}: {value}: {answer}");
    }
    let short = key[..40].to_owned();
    for (header, value) in [
        ("x-api-key", short.clone()),
        ("x-api-key", String::new()),
        ("authorization", format!("Bearer {short}")),
        ("authorization", "Bearer hf_a_token_of_the_hub".to_owned()),
        ("authorization", basic("ann", &short)),
        ("authorization", basic("ann", "wrong")),
    ] {
        let (status, _) = with(&service, (header, &value), "GET", "/api/jobs", None).await;
        assert_eq!(status, 401, "{header}: {value}");
    }
    service.stop().await;
}

#[tokio::test]
async fn what_a_key_did_stands_under_its_name() {
    let hub = slow_hub().await;
    let service = guarded(&hub.endpoint()).await;
    let key = text(&made(&service, "ci", "enqueue").await["key"]).to_owned();
    let body = Some(json!({"repo": "acme/slow"}));
    let (_, job) = with_key(&service, &key, "POST", "/api/download", body).await;
    assert_eq!(job["actor"], "key:ci");
    let path = format!("/api/jobs/{}", text(&job["id"]));
    let (status, _) = with_key(&service, &key, "DELETE", &path, None).await;
    assert_eq!(status, 200);
    let (_, history) = service.get("/api/history").await;
    assert_eq!(history["entries"][0]["actor"], "key:ci");
    let (_, events) = service.get(&format!("{path}/events")).await;
    let last = events["events"]
        .as_array()
        .and_then(|events| events.last())
        .expect("events");
    assert_eq!(
        (text(&last["event"]), text(&last["actor"])),
        ("cancelled", "key:ci")
    );
    service.stop().await;
}

#[tokio::test]
async fn a_removed_key_opens_nothing_and_its_name_is_free_again() {
    let service = guarded(NOWHERE).await;
    let first = made(&service, "Phone", "read").await;
    let (status, answer) = service
        .post("/api/keys", json!({"name": "phone", "scope": "read"}))
        .await;
    assert_eq!((status, text(&answer["error"])), (409, "Key exists"));
    let path = format!("/api/keys/{}", text(&first["id"]));
    assert_eq!(service.delete(&path).await.0, 200);
    assert_eq!(service.delete(&path).await.0, 404);
    let (status, _) = with_key(&service, text(&first["key"]), "GET", "/api/jobs", None).await;
    assert_eq!(status, 401);
    made(&service, "phone", "read").await;
    for (body, error) in [
        (json!({"name": "a/b", "scope": "read"}), "Invalid name"),
        (json!({"name": "x", "scope": "root"}), "Invalid scope"),
        (json!({"name": "x"}), "Invalid request body"),
    ] {
        let (status, answer) = service.post("/api/keys", body).await;
        assert_eq!((status, text(&answer["error"])), (400, error));
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_streams_end_when_the_key_that_opened_them_is_removed_and_others_stay() {
    let service = guarded(NOWHERE).await;
    let (gone, stays) = (
        made(&service, "gone", "read").await,
        made(&service, "stays", "read").await,
    );
    let socket = async |key: &str| {
        use tokio_tungstenite::tungstenite::client::IntoClientRequest;
        let url = format!("ws://{}/api/ws", service.address);
        let mut request = url.into_client_request().expect("a request");
        request
            .headers_mut()
            .insert("x-api-key", key.parse().expect("a header"));
        let (mut socket, _) = tokio_tungstenite::connect_async(request)
            .await
            .expect("an upgrade");
        // It is open once `init` is here.
        socket.next().await.expect("init").expect("init");
        socket
    };
    let events = async |key: &str| {
        let url = format!("http://{}/api/events", service.address);
        let request = reqwest::Client::new().get(url).bearer_auth(key);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let mut events = Box::pin(answer.bytes_stream());
        events.next().await.expect("init").expect("init");
        events
    };
    let mut closed = socket(text(&gone["key"])).await;
    let mut ended = events(text(&gone["key"])).await;
    let (mut open, mut running) = (
        socket(text(&stays["key"])).await,
        events(text(&stays["key"])).await,
    );
    let begun = std::time::Instant::now();
    assert_eq!(
        service
            .delete(&format!("/api/keys/{}", text(&gone["id"])))
            .await
            .0,
        200
    );
    let ends = async {
        let code = loop {
            match closed.next().await {
                Some(Ok(Message::Close(frame))) => break frame.expect("a reason"),
                Some(Ok(_)) => {}
                other => panic!("closed without a reason: {other:?}"),
            }
        };
        assert_eq!(
            (u16::from(code.code), code.reason.as_str()),
            (1008, "the API key was removed")
        );
        while let Some(chunk) = ended.next().await {
            chunk.expect("a whole end");
        }
    };
    tokio::time::timeout(DEADLINE, ends)
        .await
        .expect("both streams end");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // The other key's streams still tell what happens.
    let id = service.submit("o/n").await;
    let told = async {
        while !open
            .next()
            .await
            .expect("open")
            .expect("a frame")
            .to_string()
            .contains(&id)
        {}
        let mut seen = String::new();
        while !seen.contains(&id) {
            seen += &String::from_utf8_lossy(&running.next().await.expect("open").expect("a chunk"));
        }
    };
    tokio::time::timeout(DEADLINE, told)
        .await
        .expect("both streams go on");
    service.stop().await;
}

#[tokio::test]
async fn the_last_use_is_recorded_at_most_once_a_minute() {
    let service = guarded(NOWHERE).await;
    let key = text(&made(&service, "k", "read").await["key"]).to_owned();
    let used = async || {
        let (_, listed) = service.get("/api/keys").await;
        listed["keys"][0].clone()
    };
    with_key(&service, &key, "GET", "/api/jobs", None).await;
    let first = loop {
        let now = used().await;
        if now["lastUsedAt"].is_string() {
            break now;
        }
    };
    assert_eq!(first["lastUsedFrom"], "127.0.0.1");
    let mut beside = connect(&service.home().join(".local/share/hfdepot/hfdepot.db")).await;
    let set = async |beside: &mut sqlx::SqliteConnection, ms: i64| {
        let sql = "UPDATE api_key SET last_used_from = 'earlier', last_used_at = last_used_at - ?";
        sqlx::query(sql)
            .bind(ms)
            .execute(beside)
            .await
            .expect("an update");
    };
    // Not yet a minute ago: the use is not written again, whatever the number of requests.
    set(&mut beside, 30_000).await;
    for _ in 0..20 {
        with_key(&service, &key, "GET", "/api/jobs", None).await;
    }
    assert_eq!(used().await["lastUsedFrom"], "earlier");
    set(&mut beside, 31_000).await;
    with_key(&service, &key, "GET", "/api/jobs", None).await;
    while used().await["lastUsedFrom"] != "127.0.0.1" {}
    service.stop().await;
}

#[tokio::test]
async fn without_a_login_a_key_that_is_shown_still_has_to_be_right_and_its_scope_holds() {
    let service = Service::start(NOWHERE).await;
    let key = text(&made(&service, "k", "read").await["key"]).to_owned();
    assert_eq!(service.get("/api/jobs").await.0, 200);
    let body = || Some(json!({"maxActive": 2}));
    assert_eq!(
        with_key(&service, &key, "POST", "/api/settings", body()).await.0,
        403
    );
    assert_eq!(
        with_key(&service, "hfd_wrong", "GET", "/api/jobs", None).await.0,
        401
    );
    // Clients of the Hub send its token along; it is none of ours.
    let hub_token = ("authorization", "Bearer hf_token_of_the_hub");
    assert_eq!(
        with(&service, hub_token, "POST", "/api/settings", body()).await.0,
        200
    );
    service.stop().await;
}

#[tokio::test]
async fn an_address_that_others_reach_needs_a_key_when_there_is_no_login() {
    let hub = Hub::start().await;
    let endpoint = hub.endpoint();
    let flags = ["--addr", "0.0.0.0", "--endpoint", &endpoint];
    let failure = Service::start_with(&flags).await.failure().await;
    assert!(failure.to_string().contains("hfdepot key add"), "{failure}");
    let (dir, store) = data().await;
    // There is a database, and no key in it.
    store.close().await;
    drop(store);
    let failure = Service::start_in(dir, &flags).await.failure().await;
    assert!(failure.to_string().contains("hfdepot key add"), "{failure}");

    let (dir, store) = data().await;
    let name = "first".parse().expect("a name");
    let made = store.add_key(&name, Scope::Admin, "test").await.expect("stored");
    let (_, key) = made.expect("a free name");
    store.close().await;
    drop(store);
    let service = Service::start_in(dir, &flags).await;
    assert_eq!(service.get("/api/jobs").await.0, 401);
    assert_eq!(
        with_key(&service, key.expose(), "GET", "/api/keys", None).await.0,
        200
    );
    service.stop().await;
}

/// A data directory with an empty database.
async fn data() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = database(&dir);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let store = Store::open(&path).await.expect("a database");
    (dir, store)
}
