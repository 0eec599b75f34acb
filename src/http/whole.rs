//! What a request asks to be changed is carried out whole.
//!
//! A server drops what it is doing for a client that goes away: a page that was closed, a cut
//! Wi-Fi. For a reader that is right. A change that is dropped half-way may be in the database and
//! not in the service, such as a limit that is saved and not obeyed, so it gets a task of its own.

use std::panic::resume_unwind;

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::access;
use super::error::ApiError;

/// Asked with a body, and yet nothing is changed by it; whoever waits for it no longer saves the
/// Hub the rest.
const READERS: [&str; 1] = ["/api/plan"];

/// Runs what may change something to its end, whether or not its client waits for it.
pub(super) async fn carry_out(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        || READERS.contains(&request.uri().path());
    if reads {
        return next.run(request).await;
    }
    match tokio::spawn(access::continued(next.run(request))).await {
        Ok(response) => response,
        Err(ended) if ended.is_panic() => resume_unwind(ended.into_panic()),
        Err(ended) => ApiError::internal(ended).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::routing::any;
    use tokio::sync::Notify;
    use tokio::time::timeout;
    use tower::ServiceExt as _;

    use super::*;

    /// Whether a handler comes to its end when its client goes away in the midst of it.
    async fn comes_to_its_end(method: Method, path: &str) -> bool {
        let (begun, go_on, ended) = (
            Arc::<Notify>::default(),
            Arc::<Notify>::default(),
            Arc::<Notify>::default(),
        );
        let seen = [begun.clone(), go_on.clone(), ended.clone()];
        let handler = async move || {
            seen[0].notify_one();
            seen[1].notified().await;
            seen[2].notify_one();
        };
        let router = Router::new()
            .route("/{*path}", any(handler))
            .layer(from_fn(carry_out));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        tokio::select! {
            biased;
            _ = router.oneshot(request) => panic!("nothing lets it end"),
            () = begun.notified() => {}
        }
        go_on.notify_one();
        timeout(Duration::from_millis(200), ended.notified())
            .await
            .is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_goes_on_without_its_client_and_a_look_does_not() {
        for (method, path, goes_on) in [
            (Method::POST, "/api/download", true),
            (Method::DELETE, "/api/jobs/1", true),
            (Method::PUT, "/api/limits", true),
            (Method::GET, "/api/jobs", false),
            (Method::POST, "/api/plan", false),
        ] {
            assert_eq!(
                comes_to_its_end(method.clone(), path).await,
                goes_on,
                "{method} {path}"
            );
        }
    }
}
