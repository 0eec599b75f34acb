//! The whole service in this process, on a free port of the loopback interface, and clients for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, FromArgMatches};
use futures_util::StreamExt;
use hfdepot::config::environment::Environment;
use hfdepot::config::flags::ServeArgs;
use hfdepot::config::{Patience, ServeOptions, options};
use hfdepot::lifecycle::STOP_DEADLINE;
use hfdepot::service;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;

use super::hub::{Content, Fault, FaultKind, Hub, Repo};
use super::schema;

/// The one deadline of these tests: far more than anything here takes.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Nobody listens there.
pub const NOWHERE: &str = "http://127.0.0.1:1";

/// A running service. Ask [`Service::stop`] to end it, or drop it and it ends by itself.
pub struct Service {
    pub address: SocketAddr,
    client: reqwest::Client,
    login: Option<(String, String)>,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
    dir: Option<TempDir>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Service {
    /// A service whose Hub is `endpoint`.
    pub async fn start(endpoint: &str) -> Self {
        Self::start_with(&["--endpoint", endpoint]).await
    }

    /// A service with these flags.
    pub async fn start_with(flags: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory"), flags).await
    }

    /// A service with the data and the cache of an earlier one.
    pub async fn start_in(dir: TempDir, flags: &[&str]) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start_at(address, dir, flags).await
    }

    /// A service that waits only so long for others.
    pub async fn start_impatient(patience: Patience, flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::begin(address, dir, flags, |options| options.patience = patience).await
    }

    /// A service at the address of an earlier one.
    pub async fn start_at(address: SocketAddr, dir: TempDir, flags: &[&str]) -> Self {
        Self::begin(address, dir, flags, |_| {}).await
    }

    async fn begin(
        address: SocketAddr,
        dir: TempDir,
        flags: &[&str],
        adjust: impl FnOnce(&mut ServeOptions),
    ) -> Self {
        let command = ServeArgs::augment_args(clap::Command::new("serve").no_binary_name(true));
        let matches = command.try_get_matches_from(flags).expect("good flags");
        let args = ServeArgs::from_arg_matches(&matches).expect("good flags");
        let home = dir.path().to_str().expect("a directory in UTF-8");
        let environment = Environment::from([("HOME", home)]);
        let (mut options, fixed) = options::read(&args.fixed, &matches, environment).expect("good options");
        adjust(&mut options);
        let login = options.login.as_ref().map(|login| {
            let password = login.password.expose().to_owned();
            (login.user.clone(), password)
        });
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let running = tokio::spawn(service::start_on(
            listener,
            options,
            Arc::new(fixed),
            stop.clone(),
        ));
        Self {
            address,
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("a client"),
            login,
            stop,
            running,
            dir: Some(dir),
        }
    }

    /// Stops softly; gives the directory back for another start.
    pub async fn stop(mut self) -> TempDir {
        self.stop.cancel();
        let ended = tokio::time::timeout(STOP_DEADLINE, &mut self.running).await;
        ended
            .expect("the service ends softly before it would be cut off")
            .expect("no panic")
            .expect("no error");
        self.dir.take().expect("taken once")
    }

    /// What ended the service that ended by itself.
    pub async fn failure(mut self) -> anyhow::Error {
        let ended = tokio::time::timeout(DEADLINE, &mut self.running).await;
        ended
            .expect("the service ends")
            .expect("no panic")
            .expect_err("a failure")
    }

    pub fn home(&self) -> &std::path::Path {
        self.dir.as_ref().expect("taken at the end only").path()
    }

    /// A request with the login of the service.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        let request = self
            .client
            .request(method, format!("http://{}{path}", self.address))
            .timeout(DEADLINE);
        match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        }
    }

    /// Sends a request; its answer is as the API is described, whatever the test is about.
    pub async fn answer(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let request = request.build().expect("a request");
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let response = reqwest::Client::execute(&self.client, request)
            .await
            .expect("an answer");
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type");
        let kind = kind.map(|kind| kind.to_str().expect("a media type").to_owned());
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        schema::check_answer(&method, &path, status, &kind.unwrap_or_default(), &body);
        (status, body)
    }

    /// A request without a body.
    pub async fn send(&self, method: &str, path: &str) -> (u16, Value) {
        self.answer(self.request(&method.to_uppercase(), path)).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.answer(self.request("GET", path)).await
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        self.answer(self.request("DELETE", path)).await
    }

    /// A deletion that says in a body what it means.
    pub async fn delete_with(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self
            .request("DELETE", path)
            .header("content-type", "application/json");
        self.answer(request.body(body.to_string())).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.post_text(path, &body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.answer(self.request("PUT", path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.answer(self.request("PATCH", path).json(&body)).await
    }

    /// A body of exactly this text.
    pub async fn post_text(&self, path: &str, body: &str) -> (u16, Value) {
        let request = self
            .request("POST", path)
            .header("content-type", "application/json");
        self.answer(request.body(body.to_owned())).await
    }

    /// A command without a body.
    pub async fn command(&self, id: &str, command: &str) -> (u16, Value) {
        self.answer(self.request("POST", &format!("/api/jobs/{id}/{command}")))
            .await
    }

    /// Queues a download and gives its id.
    pub async fn submit(&self, repo: &str) -> String {
        let (status, job) = self.post("/api/download", json!({"repo": repo})).await;
        assert_eq!(status, 202, "{job}");
        job["id"].as_str().expect("an id").to_owned()
    }

    /// Waits until the job satisfies `wanted`, on the live feed.
    pub async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut live = Live::connect_to(self, "/api/ws?kind=all").await;
        let init = live.next().await;
        let listed = init["data"]["jobs"].as_array().expect("a list").iter();
        if let Some(job) = listed.filter(|job| job["id"] == id).find(|job| wanted(job)) {
            return job.clone();
        }
        let update = live
            .until(|message| {
                message["type"] == "job_update" && message["data"]["id"] == id && wanted(&message["data"])
            })
            .await;
        update["data"].clone()
    }

    /// Waits for a status.
    pub async fn until_status(&self, id: &str, status: &str) -> Value {
        self.until(id, |job| job["status"] == status).await
    }
}

/// A WebSocket client.
pub struct Live(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Live {
    pub async fn connect(service: &Service) -> Self {
        Self::connect_to(service, "/api/ws").await
    }

    /// A client of this path.
    pub async fn connect_to(service: &Service, path: &str) -> Self {
        let url = format!("ws://{}{path}", service.address);
        let mut request = url.into_client_request().expect("a request");
        if let Some((user, password)) = &service.login {
            let login = reqwest::Client::new()
                .get("http://x")
                .basic_auth(user, Some(password))
                .build()
                .expect("a request");
            let value: &HeaderValue = &login.headers()["authorization"];
            request.headers_mut().insert("authorization", value.clone());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request)
            .await
            .expect("an upgrade");
        Self(socket)
    }

    /// The next frame that is no ping; `None` when the connection broke.
    pub async fn frame(&mut self) -> Option<Message> {
        loop {
            let frame = tokio::time::timeout(DEADLINE, self.0.next())
                .await
                .expect("a frame in time");
            match frame? {
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(frame) => return Some(frame),
                Err(_) => return None,
            }
        }
    }

    /// Reads until so many pings have come; each is answered.
    pub async fn pings(&mut self, count: usize) {
        let reading = async {
            let mut seen = 0;
            while seen < count {
                if let Message::Ping(_) = self.0.next().await.expect("open").expect("a frame") {
                    seen += 1;
                }
            }
        };
        tokio::time::timeout(DEADLINE, reading)
            .await
            .expect("the pings come");
    }

    /// The next document: one frame, one document.
    pub async fn next(&mut self) -> Value {
        match self.frame().await {
            Some(Message::Text(text)) => {
                let message = serde_json::from_str(&text).expect("one JSON document");
                schema::check_message(&message);
                message
            }
            other => panic!("no text: {other:?}"),
        }
    }

    /// The first document that satisfies `wanted`.
    pub async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let search = async {
            loop {
                let message = self.next().await;
                if wanted(&message) {
                    return message;
                }
            }
        };
        tokio::time::timeout(DEADLINE, search)
            .await
            .expect("the document comes")
    }

    pub async fn send(&mut self, message: Message) {
        use futures_util::SinkExt;
        self.0.send(message).await.expect("the server reads");
    }
}

/// A Hub with `acme/slow`, whose weights stop after their first bytes: a job for it runs until
/// somebody stops it. `acme/quick` arrives at once.
pub async fn slow_hub() -> Hub {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/slow")
            .file("config.json", "{}")
            .lfs("model.safetensors", Content::generated(3 << 20, 1)),
    );
    for n in 0..3 {
        let weights = Content::generated(3 << 20, 10 + n);
        hub.add(Repo::model(&format!("acme/slow{n}")).lfs("model.safetensors", weights));
    }
    hub.fault(Fault::on(
        "acme/slow*/model.safetensors",
        FaultKind::StallBody {
            after_bytes: 1 << 20,
            ms: None,
        },
    ));
    hub.add(
        Repo::model("acme/quick")
            .file("config.json", "{}")
            .lfs("model.gguf", Content::generated(100_000, 2)),
    );
    hub
}
