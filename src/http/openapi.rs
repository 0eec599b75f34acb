//! The description of the API: OpenAPI 3.1, made from the handlers.
//!
//! `super::table` is the one list of routes: what stands there is served and described, what
//! does not is neither. A handler describes its own parameters, bodies and answers with
//! `#[utoipa::path]`; of an error it names only status and cause. What holds for all routes is
//! added here once (`finish`): the shape of errors, the answers of the guard, the ways to log in.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToSchema};

use super::error::ErrorBody;
use super::frames::Numbered;
use super::problem::Problem;
use super::search::SearchSort;
use super::who;
use crate::model::key::Scope;

/// What stands above the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "hfdepot",
        description = "Downloads Hugging Face repos in bulk into the standard cache, restart-safe and verified.\n\n\
            Keys are in camelCase unless a client of old knows them otherwise, times are RFC 3339 in UTC, sizes are \
            bytes, unknown fields of a body are ignored.\n\n\
            Every error is an `Error`: `error` is a sentence, `error_detail.reason` a word that programs can test, \
            `error_detail.hint` what to do next, `error_detail.request_id` the id of its line in the log. \
            With `Accept: application/problem+json` it is a `Problem` of RFC 9457 instead."
    ),
    components(schemas(ErrorBody, Problem, Numbered, SearchSort)),
    tags(
        (name = "system", description = "Health, free space, this document"),
        (name = "downloads", description = "Plan downloads and put them into the queue"),
        (name = "jobs", description = "Jobs and the commands on them"),
        (name = "queue", description = "Order, limits and schedule of the queue"),
        (name = "hub", description = "What the Hub has: search, analysis, READMEs"),
        (name = "cache", description = "What lies in the cache, and its care"),
        (name = "mirror", description = "Copies on other volumes"),
        (name = "history", description = "What became of every job"),
        (name = "settings", description = "Settings"),
        (name = "keys", description = "API keys"),
        (name = "live", description = "Changes as they happen"),
    )
)]
struct Head;

/// The document without routes.
pub(super) fn head() -> Document {
    Head::openapi()
}

/// The whole document.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| finish(super::table().into_openapi()));
    &DOCUMENT
}

/// The OpenAPI document.
#[derive(ToSchema)]
#[schema(value_type = Object)]
pub struct OpenApiDocument(#[allow(dead_code)] Value);

/// This document
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "system", operation_id = "getOpenApi",
    responses((status = 200, description = "OpenAPI 3.1", body = OpenApiDocument))
)]
pub async fn show() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

/// Answers that the guard gives in front of every route: status, name, cause.
const GUARD: [(&str, &str, &str); 4] = [
    ("400", "BadRequest", "The request is malformed, or has no `Host`"),
    (
        "401",
        "Unauthorized",
        "A login is needed, or the one given is wrong",
    ),
    (
        "403",
        "Forbidden",
        "The host or the origin is not allowed, or the login may not do this",
    ),
    (
        "500",
        "InternalError",
        "An error inside hfdepot; the log has the details",
    ),
];
/// Answers to requests that wait behind too many failed logins.
const WAITING: (&str, &str, &str) = (
    "429",
    "TooManyRequests",
    "Too many requests; the header `Retry-After` says when to come again",
);
/// Answers to bodies.
const BODY: [(&str, &str, &str); 3] = [
    ("408", "RequestTimeout", "The body did not arrive in time"),
    ("413", "BodyTooLarge", "The body is larger than 1 MiB"),
    (
        "415",
        "UnsupportedMediaType",
        "The body is not `application/json`",
    ),
];

/// Answers when the database cannot take or give what is needed.
const STORE: [(&str, &str, &str); 2] = [
    (
        "503",
        "DatabaseBusy",
        "The database is held by another program, or the service is stopping; come again soon",
    ),
    (
        "507",
        "DatabaseFull",
        "The volume of the database is full; nothing was stored",
    ),
];

/// Adds what holds for all routes.
fn finish(document: Document) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    let paths: Map<String, Value> = paths
        .into_iter()
        .map(|(path, mut item)| {
            if let Value::Object(operations) = &mut item {
                for (method, operation) in operations.iter_mut() {
                    complete(operation, who::needed(&method.to_uppercase(), &path));
                }
            }
            (shown_path(&path), item)
        })
        .collect();
    document["paths"] = Value::Object(paths);
    let responses: Map<String, Value> = GUARD
        .iter()
        .chain(&BODY)
        .chain([&WAITING])
        .chain(&STORE)
        .map(|(_, name, cause)| ((*name).to_owned(), error_answer(cause)))
        .collect();
    document["components"]["responses"] = Value::Object(responses);
    document["components"]["securitySchemes"] = json!({
        "basic": {"type": "http", "scheme": "basic", "description": "The name and password of the service"},
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key"},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "An API key"},
    });
    // Where this document lies is one level below the root, whatever stands before both.
    document["servers"] = json!([{"url": "..", "description": "This service"}]);
    document
}

/// The path of a route as the document has it: a repo id is one wildcard for the router, because
/// clients send its slash both plain and escaped.
fn shown_path(route: &str) -> String {
    route.replace("{*repo}", "{owner}/{name}")
}

/// Gives the errors of an operation their shape, and adds those of the guard and the scope of a
/// key that it needs.
fn complete(operation: &mut Value, scope: Scope) {
    let has_body = operation.get("requestBody").is_some();
    let open = operation["security"] == json!([{}]);
    if !open {
        // The last one: no login, which is how the service runs on a loopback address by default.
        let scopes = json!([scope]);
        operation["security"] = json!([{"basic": []}, {"bearer": scopes}, {"apiKey": scopes}, {}]);
    }
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        let optional = parameter["in"] == "query" && parameter["required"] != json!(true);
        // Empty counts as missing, so that a form can send all of its fields.
        let schema = &parameter["schema"];
        let ruled = ["pattern", "enum", "format", "minLength"]
            .iter()
            .any(|rule| schema.get(rule).is_some());
        if optional && (schema["type"] != "string" || ruled) {
            let schema = parameter["schema"].take();
            parameter["schema"] = json!({"anyOf": [schema, {"type": "string", "maxLength": 0}]});
        }
    }
    let Some(responses) = operation["responses"].as_object_mut() else {
        return;
    };
    for (status, response) in responses.iter_mut() {
        let bare = response.get("content").is_none() && response.get("$ref").is_none();
        if bare && status.starts_with(['4', '5']) {
            let cause = response["description"].as_str().unwrap_or_default().to_owned();
            *response = error_answer(&cause);
        }
    }
    let bodies = BODY.iter().filter(|_| has_body);
    let waiting = [&WAITING].into_iter().filter(|_| !open);
    let store = STORE.iter().filter(|_| !open);
    for (status, name, _) in GUARD.iter().chain(bodies).chain(waiting).chain(store) {
        if open && *status == "401" {
            continue;
        }
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        responses.entry(*status).or_insert(reference);
    }
}

fn error_answer(cause: &str) -> Value {
    json!({
        "description": cause,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Error"}},
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    })
}
