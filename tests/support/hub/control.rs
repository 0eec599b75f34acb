//! Control over HTTP, for scripts that run hfdepot as a process. These calls are not logged, not
//! charged, and no fault befalls them.
//!
//! | Call | Does |
//! |---|---|
//! | `GET /__stand-in/log` | figures and every request |
//! | `GET /__stand-in/summary` | figures only |
//! | `GET /__stand-in/faults` | faults in force |
//! | `POST /__stand-in/faults` | puts one fault, or a list, in force |
//! | `DELETE /__stand-in/faults` | ends all faults |
//! | `POST /__stand-in/reset` | ends all faults and empties the log |
//! | `POST /__stand-in/listener` | `{"listener": "cdn", "ms": 2000}`: closed for so long |
//! | `POST /__stand-in/quota` | `{"bucket": "api", "requests": 5, "seconds": 10}` |
//! | `POST /__stand-in/expire` | makes every signed link expire now |
//! | `POST /__stand-in/collection` | `{"slug": "o/words-id", "title": "T", "items": [["model", "o/n"]]}`, also `"private": true` |
//! | `POST /__stand-in/commit` | `{"repo": "o/n", "path": "a.txt", "text": "x"}`: a new commit of a model with this file |

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Doors;
use super::collection::Collection;
use super::fault::Fault;
use super::log::Hop;
use super::repo::Kind;
use super::world::World;

type Shared = State<(Arc<World>, Arc<Doors>)>;

/// The control routes.
pub fn routes(world: Arc<World>, doors: Arc<Doors>) -> Router {
    Router::new()
        .route(
            "/__stand-in/log",
            get(async |State((world, _)): Shared| Json(world.log.to_json())),
        )
        .route(
            "/__stand-in/summary",
            get(async |State((world, _)): Shared| Json(world.log.summary())),
        )
        .route(
            "/__stand-in/faults",
            get(list_faults).post(add_faults).delete(clear_faults),
        )
        .route("/__stand-in/reset", post(reset))
        .route("/__stand-in/listener", post(listener))
        .route("/__stand-in/quota", post(quota))
        .route("/__stand-in/expire", post(expire))
        .route("/__stand-in/collection", post(collection))
        .route("/__stand-in/commit", post(commit))
        .with_state((world, doors))
}

async fn list_faults(State((world, _)): Shared) -> Json<Value> {
    Json(world.faults.to_json())
}

/// Takes all or nothing: one bad fault refuses the list.
async fn add_faults(State((world, _)): Shared, Json(value): Json<Value>) -> Response {
    let list = match value {
        Value::Array(list) => list,
        one => vec![one],
    };
    match list.iter().map(Fault::from_json).collect::<Result<Vec<_>, _>>() {
        Ok(faults) => {
            faults.into_iter().for_each(|fault| world.faults.add(fault));
            Json(world.faults.to_json()).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response(),
    }
}

async fn clear_faults(State((world, _)): Shared) {
    world.faults.clear();
}

async fn reset(State((world, _)): Shared) {
    world.faults.clear();
    world.log.clear();
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    listener: Hop,
    ms: u64,
}

async fn listener(State((_, doors)): Shared, Json(closing): Json<Closing>) {
    doors.off_for(closing.listener, Duration::from_millis(closing.ms));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewQuota {
    bucket: String,
    requests: u64,
    seconds: u64,
}

async fn quota(State((world, _)): Shared, Json(quota): Json<NewQuota>) {
    world.set_quota(&quota.bucket, quota.requests, Duration::from_secs(quota.seconds));
}

async fn expire(State((world, _)): Shared) {
    world.tickets.expire_all();
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCollection {
    slug: String,
    title: String,
    #[serde(default)]
    private: bool,
    items: Vec<(String, String)>,
}

async fn collection(State((world, _)): Shared, Json(new): Json<NewCollection>) {
    let empty = Collection::new(&new.slug, &new.title);
    let empty = if new.private { empty.private() } else { empty };
    let whole = new
        .items
        .iter()
        .fold(empty, |made, (kind, id)| made.item(kind, id));
    world.collect(whole);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCommit {
    repo: String,
    path: String,
    text: String,
}

async fn commit(State((world, _)): Shared, Json(new): Json<NewCommit>) -> StatusCode {
    let Some(repo) = world.repo(Kind::Model, &new.repo) else {
        return StatusCode::NOT_FOUND;
    };
    world.put((*repo).clone().file(&new.path, new.text).commit("Change a file"));
    StatusCode::OK
}
