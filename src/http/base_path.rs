//! The path below which a reverse proxy shows the service, `--base-path /depot`.
//!
//! It stands outside of everything else: behind it all routes are as without it. A proxy may take
//! the prefix off or leave it on; both arrive at the same route, so that neither needs the other's
//! configuration. Nothing is ever made of the prefix but this: links of the pages are relative.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header, uri::PathAndQuery};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

/// `router` below `base` as well as at the root. `base` begins with a slash and ends without one;
/// empty = the root alone.
pub fn mount(router: Router, base: &str) -> Router {
    if base.is_empty() {
        return router;
    }
    Router::new()
        .fallback(forward)
        .with_state((router, Arc::from(base)))
}

async fn forward(State((router, base)): State<(Router, Arc<str>)>, mut request: Request) -> Response {
    match inside(request.uri(), &base) {
        Inside::Same => {}
        Inside::Below(uri) => *request.uri_mut() = uri,
        // Without the slash the relative links of the page would lead out of the prefix.
        Inside::Root(location) => {
            return (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response();
        }
    }
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

enum Inside {
    /// The proxy took the prefix off, or the client came without a proxy.
    Same,
    Below(Uri),
    Root(HeaderValue),
}

fn inside(uri: &Uri, base: &str) -> Inside {
    let Some(rest) = uri.path().strip_prefix(base) else {
        return Inside::Same;
    };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    if rest.is_empty() {
        return HeaderValue::try_from(format!("{base}/{query}")).map_or(Inside::Same, Inside::Root);
    }
    if !rest.starts_with('/') {
        return Inside::Same;
    }
    let mut parts = uri.clone().into_parts();
    let Ok(path) = PathAndQuery::try_from(format!("{rest}{query}")) else {
        return Inside::Same;
    };
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_or(Inside::Same, Inside::Below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};

    async fn ask(path: &str) -> (u16, String, String) {
        let echo = Router::new().fallback(|uri: Uri| async move { uri.to_string() });
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = mount(echo, "/my/depot").oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let location = response
            .headers()
            .get(header::LOCATION)
            .map(|value| value.to_str().unwrap().to_owned());
        let body = to_bytes(response.into_body(), 1000).await.unwrap();
        (
            status,
            location.unwrap_or_default(),
            String::from_utf8(body.to_vec()).unwrap(),
        )
    }

    #[tokio::test]
    async fn a_path_is_the_same_with_and_without_the_prefix() {
        for (asked, seen) in [
            ("/my/depot/", "/"),
            ("/my/depot/api/jobs?limit=2", "/api/jobs?limit=2"),
            ("/api/jobs?limit=2", "/api/jobs?limit=2"),
            ("/my/depots/x", "/my/depots/x"),
            ("/my", "/my"),
            ("/my/depot//x", "//x"),
        ] {
            let (status, _, body) = ask(asked).await;
            assert_eq!((status, body.as_str()), (200, seen), "{asked}");
        }
    }

    #[tokio::test]
    async fn the_prefix_alone_leads_to_its_slash() {
        let (status, location, _) = ask("/my/depot?repo=o/n").await;
        assert_eq!((status, location.as_str()), (308, "/my/depot/?repo=o/n"));
    }
}
