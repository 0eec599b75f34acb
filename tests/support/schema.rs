//! Holds every answer that a test sees to the description of the API.
//!
//! Stricter than a client would be: an object may have no key that its schema does not name, so
//! that nothing can be answered that is not described.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

/// The document, with closed objects.
static CLOSED: LazyLock<Value> = LazyLock::new(|| {
    let mut document = hfdepot::http::openapi::document().clone();
    let mut parts = BTreeSet::new();
    parts_of_others(&document, &mut parts);
    let schemas = document["components"]["schemas"]
        .as_object_mut()
        .expect("schemas");
    for (name, schema) in schemas {
        // What is only a part cannot know the keys of the whole.
        if !parts.contains(name) {
            close(schema);
        }
    }
    document
});

/// Names of the schemas that stand in an `allOf`.
fn parts_of_others(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for part in map.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                if let Some(name) = part["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
                    found.insert(name.to_owned());
                }
            }
            map.values().for_each(|value| parts_of_others(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| parts_of_others(value, found)),
        _ => {}
    }
}

/// Forbids other keys in `schema` and in the objects within it.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let whole = map.contains_key("allOf");
            if !whole {
                map.values_mut().for_each(close);
            }
            let names_keys = map.contains_key("properties") && !map.contains_key("additionalProperties");
            if whole || names_keys {
                map.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

/// Checks the JSON answer to a request.
pub fn check_answer(method: &str, path: &str, status: u16, kind: &str, body: &Value) {
    if method == "HEAD" {
        return;
    }
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let place = format!("{method} {path} {status}");
    let path = path.split('?').next().unwrap_or_default();
    let Some(route) =
        route_of(path).filter(|route| CLOSED["paths"][route].get(method.to_lowercase()).is_some())
    else {
        // No such path or method: the answer of the fallback.
        if path.starts_with("/api") {
            assert!(
                (400..=405).contains(&status) || method == "OPTIONS",
                "{place}: not described"
            );
            let shape = if kind == "application/problem+json" {
                "Problem"
            } else {
                "Error"
            };
            check(&place, &format!("/components/schemas/{shape}"), body);
        }
        return;
    };
    let responses = format!("/paths/{}/{}/responses", escaped(&route), method.to_lowercase());
    let mut at = format!("{responses}/{status}");
    let response = CLOSED.pointer(&at);
    let response = response.unwrap_or_else(|| panic!("{place}: the status is not described: {body}"));
    if let Some(to) = response["$ref"].as_str() {
        at = to.trim_start_matches('#').to_owned();
    }
    at = format!("{at}/content");
    let content = CLOSED.pointer(&at).and_then(Value::as_object);
    let described = content.map(|content| content.keys().cloned().collect::<Vec<_>>());
    let described = described.unwrap_or_default();
    let fits = |pattern: &String| match pattern.split_once("/*") {
        Some((class, _)) => class == "*" || kind.starts_with(class),
        None => pattern == kind,
    };
    assert!(
        described.is_empty() && body == "" || described.iter().any(fits),
        "{place}: {kind} is not described, {described:?} are"
    );
    if kind.ends_with("json") {
        check(&place, &format!("{at}/{}/schema", escaped(kind)), body);
    }
}

/// Checks a message of the live feed.
pub fn check_message(message: &Value) {
    check("a live message", "/components/schemas/LiveMessage", message);
}

/// The route that a path takes: parts that stand there literally win over parameters.
fn route_of(path: &str) -> Option<String> {
    let routes = CLOSED["paths"].as_object().expect("paths").keys();
    let parts: Vec<&str> = path.split('/').collect();
    routes
        .filter(|route| {
            let wanted: Vec<&str> = route.split('/').collect();
            // A repo of the early days has an id without an owner.
            let early = wanted.ends_with(&["{owner}", "{name}"]) && wanted.len() == parts.len() + 1;
            let wanted = &wanted[..wanted.len() - usize::from(early)];
            wanted.len() == parts.len()
                && wanted
                    .iter()
                    .zip(&parts)
                    .all(|(wanted, part)| wanted == part || wanted.starts_with('{') && !part.is_empty())
        })
        .min_by_key(|route| route.matches('{').count())
        .cloned()
}

/// A key as a part of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn check(place: &str, pointer: &str, body: &Value) {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let known = MADE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(pointer)
        .cloned();
    let validator = known.unwrap_or_else(|| {
        let uri = pointer.replace('{', "%7B").replace('}', "%7D");
        let mut schema = json!({"$ref": format!("#{uri}")});
        schema["paths"] = CLOSED["paths"].clone();
        schema["components"] = CLOSED["components"].clone();
        let made = jsonschema::draft202012::new(&schema)
            .unwrap_or_else(|error| panic!("{place}: {pointer} is no schema: {error}"));
        let made = Arc::new(made);
        let mut all = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(pointer.to_owned(), Arc::clone(&made));
        made
    });
    let wrong: Vec<String> = validator
        .iter_errors(body)
        .take(5)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(
        wrong.is_empty(),
        "{place}: the answer is not as described: {wrong:#?}\n{body}"
    );
}
