//! Who sends a request, and which scope of an API key each route needs.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{Method, StatusCode};

use super::error::ApiError;
use crate::model::key::Scope;

/// Who sends a request, as the gate found out; stands in the request's extensions.
#[derive(Debug, Clone)]
pub enum Who {
    /// Whoever reaches the service, when no login is asked for.
    Anyone,
    /// The one with the login.
    Login(Arc<str>),
    /// A program with an API key.
    Key {
        /// Public id of the key.
        id: Arc<str>,
        /// Name of the key.
        name: Arc<str>,
        /// What it may do.
        scope: Scope,
    },
}

impl Who {
    /// As events and history have it: the name of the login, `key:NAME`, or the address.
    pub fn actor(&self, peer: IpAddr) -> String {
        match self {
            Self::Login(name) => name.to_string(),
            Self::Key { name, .. } => format!("key:{name}"),
            // What is not checked would be a name that anybody can claim.
            Self::Anyone => peer.to_canonical().to_string(),
        }
    }
}

/// What the routes below these paths need, for what changes something; the first that fits
/// counts. Everything that is not named here takes [`Scope::Admin`].
const CHANGES: [(&str, Scope); 5] = [
    ("/api/download", Scope::Enqueue),
    ("/api/plan", Scope::Enqueue),
    ("/api/jobs", Scope::Enqueue),
    ("/api/cache/verify", Scope::Enqueue),
    ("/api/cache/repair", Scope::Enqueue),
];
/// What only an administrator may even look at; what ends with a slash names all below and not itself.
const SECRETS: [&str; 2] = ["/api/keys", "/api/system/backups/"];

/// The scope that a route needs.
pub(super) fn needed(method: &str, path: &str) -> Scope {
    let below = |of: &str| {
        path.strip_prefix(of)
            .is_some_and(|rest| of.ends_with('/') || rest.is_empty() || rest.starts_with('/'))
    };
    if matches!(method, "GET" | "HEAD" | "OPTIONS") {
        let secret = SECRETS.into_iter().any(below);
        return if secret { Scope::Admin } else { Scope::Read };
    }
    let found = CHANGES.iter().find(|(of, _)| below(of));
    found.map_or(Scope::Admin, |(_, scope)| *scope)
}

/// # Errors
/// 403 that names the scope which is needed, when a key has a lesser one.
pub(super) fn check(who: &Who, method: &Method, path: &str) -> Result<(), ApiError> {
    let Who::Key { name, scope, .. } = who else {
        return Ok(());
    };
    let needed = needed(method.as_str(), path);
    if *scope >= needed {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "Forbidden")
        .details(format!(
            "The key \"{name}\" has the scope {scope}; this needs the scope {needed}"
        ))
        .hint(format!("Use a key with the scope {needed}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_commanding_and_administering_are_three_things() {
        use Scope::{Admin, Enqueue, Read};
        for (method, path, scope) in [
            ("GET", "/api/jobs", Read),
            ("HEAD", "/api/settings", Read),
            ("GET", "/api/ws", Read),
            ("GET", "/api/keys", Admin),
            ("GET", "/api/system/log", Read),
            ("GET", "/metrics", Read),
            ("GET", "/api/system/backups", Read),
            ("GET", "/api/system/backups/hfdepot-1764410400000-daily.db", Admin),
            ("POST", "/api/system/backups", Admin),
            ("POST", "/api/system/tasks/backup/run", Admin),
            ("POST", "/api/download", Enqueue),
            ("POST", "/api/plan", Enqueue),
            ("DELETE", "/api/jobs/3fa1b2c4d5e6", Enqueue),
            ("POST", "/api/jobs/bulk", Enqueue),
            ("POST", "/api/jobsx", Admin),
            ("POST", "/api/settings", Admin),
            ("PUT", "/api/limits", Admin),
            ("DELETE", "/api/cache/o/n", Admin),
            ("POST", "/api/mirror/push", Admin),
            ("POST", "/api/keys", Admin),
            ("POST", "/", Admin),
        ] {
            assert_eq!(needed(method, path), scope, "{method} {path}");
        }
    }
}
