//! Locating files: redirects, the token, signed links and their expiry.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use hfdepot::hub::{Budget, Class, HubClient};
use hfdepot::model::code::Code;

use super::stub::{
    Asked, COMMIT, SHA256, Stub, TOKEN, answer, assert_clean, bytes_of, client, config, file_of, read,
};

/// An ETag that looks like a SHA-256 and is none: the Xet hash (seen on the Hub).
const XET: &str = "\"e1cb4d78a1f42d8f640d9f761b0c3b440f0448a41fe12f18a30207c799700609\"";
const CONTENT: &[u8] = b"0123456789abcdefghij";

/// The Hub's answer for an LFS file: away to `cdn`, with a link that counts up.
fn away(cdn: &Stub, number: usize) -> axum::response::Response {
    let location = format!("{}blob?Signature=s{number}", cdn.url);
    let (etag, size) = (format!("\"{SHA256}\""), CONTENT.len().to_string());
    let headers = [
        ("location", location.as_str()),
        ("x-repo-commit", COMMIT),
        ("x-linked-etag", &etag),
        ("x-linked-size", &size),
        // Not to be relied on, as at the storage host.
        ("etag", XET),
    ];
    answer(302, &headers, "Found. Redirecting to somewhere")
}

async fn storage(refuses: impl Fn(&Asked) -> bool + Send + Sync + 'static) -> Stub {
    Stub::start(move |asked| match refuses(asked) {
        true => answer(
            403,
            &[("content-type", "application/xml")],
            "<Error>Request has expired</Error>",
        ),
        false => {
            let mut response = bytes_of(CONTENT, asked);
            response.headers_mut().insert("etag", XET.parse().unwrap());
            response
        }
    })
    .await
}

/// A Hub that hands out links to `cdn`, the first with number 1.
async fn hub_before(cdn: Arc<Stub>) -> Stub {
    let links = AtomicUsize::new(0);
    Stub::start(move |_| away(&cdn, links.fetch_add(1, Ordering::Relaxed) + 1)).await
}

#[tokio::test]
async fn the_token_stays_with_the_hub_and_one_link_serves_all_ranges() {
    let cdn = Arc::new(storage(|_| false).await);
    let hub = hub_before(Arc::clone(&cdn)).await;
    let file = file_of(&client(&hub), 20);
    assert_eq!(read(&file, Some(0..5)).await.unwrap(), b"01234");
    assert_eq!(read(&file.clone(), Some(15..20)).await.unwrap(), b"fghij");
    assert_eq!(read(&file, Some(0..20)).await.unwrap(), CONTENT);
    let asked = hub.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].target,
        format!("/acme/tiny/resolve/{COMMIT}/sub/mo%20del%231.bin")
    );
    assert_eq!(
        asked[0].header("authorization"),
        Some(format!("Bearer {TOKEN}").as_str())
    );
    let ranges: Vec<_> = cdn
        .asked()
        .iter()
        .map(|asked| asked.header("range").map(str::to_owned))
        .collect();
    assert_eq!(
        ranges,
        ["bytes=0-4", "bytes=15-19", "bytes=0-19"].map(|range| Some(range.to_owned()))
    );
    for asked in cdn.asked() {
        assert_eq!(asked.header("authorization"), None);
        assert_eq!(asked.header("accept-encoding"), Some("identity"));
    }
}

#[tokio::test]
async fn many_small_files_come_over_one_connection_to_each_host() {
    let cdn = Arc::new(storage(|_| false).await);
    let hub = hub_before(Arc::clone(&cdn)).await;
    let client = client(&hub);
    for _ in 0..5 {
        assert_eq!(read(&file_of(&client, 20), None).await.unwrap(), CONTENT);
    }
    for stub in [&hub, &*cdn] {
        let peers: HashSet<_> = stub.asked().iter().map(|asked| asked.peer).collect();
        assert_eq!((stub.asked().len(), peers.len()), (5, 1));
    }
}

#[tokio::test]
async fn an_expired_link_is_renewed_once_for_all_connections() {
    let expired = Arc::new(AtomicUsize::new(0));
    let oldest = Arc::clone(&expired);
    let cdn = storage(move |asked| {
        let number: usize = asked.target.rsplit('s').next().unwrap().parse().unwrap();
        number <= oldest.load(Ordering::Relaxed)
    });
    let cdn = Arc::new(cdn.await);
    let hub = hub_before(Arc::clone(&cdn)).await;
    let file = file_of(&client(&hub), 20);
    assert_eq!(read(&file, Some(0..1)).await.unwrap(), b"0");
    for round in 1..=5 {
        expired.store(round, Ordering::Relaxed);
        let reads = (0..4).map(|n| read(&file, Some(n * 5..n * 5 + 5)));
        let all: Vec<u8> = join_all(reads)
            .await
            .into_iter()
            .flat_map(Result::unwrap)
            .collect();
        assert_eq!(all, CONTENT);
        // One re-resolve an expiry; progress in between lifts the bound of one in 30 s.
        assert_eq!(hub.asked().len(), round + 1);
    }
}

#[tokio::test]
async fn a_storage_host_that_refuses_fresh_links_is_not_asked_again_and_again() {
    let cdn = Arc::new(storage(|_| true).await);
    let hub = hub_before(Arc::clone(&cdn)).await;
    let file = file_of(&client(&hub), 20);
    for _ in 0..5 {
        let error = read(&file, Some(0..5)).await.unwrap_err();
        assert_eq!(error.class, Class::Refresh);
        assert!(error.retry_after.unwrap() > Duration::from_secs(20));
        assert_clean(&error);
    }
    assert_eq!((hub.asked().len(), cdn.asked().len()), (2, 2));

    let mut eager = config(&hub.url);
    eager.refresh_pause = Duration::ZERO;
    let file = file_of(&HubClient::new(eager, Arc::new(Budget::new())).unwrap(), 20);
    let last = loop {
        let error = read(&file, Some(0..5)).await.unwrap_err();
        if error.class != Class::Refresh {
            break error;
        }
    };
    assert_eq!((last.class, last.code), (Class::Permanent, Code::AccessDenied));
    assert_eq!(hub.asked().len(), 2 + 21, "the first link and 20 more");
}

#[tokio::test]
async fn connections_that_wait_for_one_answer_share_its_failure() {
    let hub = Stub::start(|_| answer(503, &[("retry-after", "7")], "<html>")).await;
    let file = file_of(&client(&hub), 20);
    let results = join_all((0..4).map(|n| read(&file, Some(n..n + 1)))).await;
    for result in results {
        let error = result.unwrap_err();
        assert_eq!((error.class, error.code), (Class::Transient, Code::ServerError));
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    }
    assert_eq!(hub.asked().len(), 1);
}

#[tokio::test]
async fn a_relative_redirect_keeps_the_token_and_says_nothing_about_the_file() {
    let hub = Stub::start(|asked| match asked.target.starts_with("/api/resolve-cache/") {
        false => answer(
            307,
            &[
                ("location", "/api/resolve-cache/models/x?etag=1"),
                ("x-linked-etag", "\"f2e250c7271e7185f0b0e9a53e26e93bb97d3f1a\""),
            ],
            "Temporary Redirect",
        ),
        true => bytes_of(CONTENT, asked),
    })
    .await;
    let file = file_of(&client(&hub), 20);
    assert_eq!(read(&file, Some(3..6)).await.unwrap(), b"345");
    assert_eq!(read(&file, Some(6..9)).await.unwrap(), b"678");
    let asked = hub.asked();
    assert_eq!(
        asked.len(),
        3,
        "the second range goes straight to the place of the bytes"
    );
    assert!(asked.iter().all(|asked| asked.header("authorization").is_some()));
}

#[tokio::test]
async fn a_hub_that_speaks_of_another_file_is_refused_before_a_byte_is_taken() {
    let cdn = Arc::new(storage(|_| false).await);
    for (name, value, code) in [
        ("x-repo-commit", "b".repeat(40), Code::BadResponse),
        (
            "x-linked-etag",
            format!("\"{}\"", "c".repeat(64)),
            Code::HashMismatch,
        ),
        ("x-linked-size", "21".to_owned(), Code::SizeMismatch),
    ] {
        let to = Arc::clone(&cdn);
        let hub = Stub::start(move |_| {
            let mut response = away(&to, 1);
            response.headers_mut().insert(name, value.parse().unwrap());
            response
        })
        .await;
        let file = file_of(&client(&hub), 20);
        let error = read(&file, Some(0..5)).await.unwrap_err();
        assert_eq!((error.class, error.code), (Class::Integrity, code), "{error}");
        assert_clean(&error);
    }
    assert_eq!(cdn.asked().len(), 0);
}

#[tokio::test]
async fn a_mirror_that_names_nothing_is_taken_at_the_listings_word() {
    let hub = Stub::start(|asked| {
        let mut response = bytes_of(CONTENT, asked);
        response
            .headers_mut()
            .insert("etag", "\"0123456789abcdef0123456789abcdef-10\"".parse().unwrap());
        response
    })
    .await;
    assert_eq!(read(&file_of(&client(&hub), 20), None).await.unwrap(), CONTENT);
    assert_eq!(hub.asked()[0].header("range"), None);

    let cdn = storage(|_| false).await;
    let location = cdn.url.join("blob").unwrap();
    let mirror =
        Stub::start(move |_| answer(302, &[("location", location.as_str()), ("etag", XET)], "")).await;
    let file = file_of(&client(&mirror), 20);
    assert_eq!(read(&file, Some(0..4)).await.unwrap(), b"0123");
}

#[tokio::test]
async fn a_gate_shows_before_anything_is_fetched() {
    let hub = Stub::start(|_| answer(403, &[("x-error-code", "GatedRepo")], "")).await;
    let error = file_of(&client(&hub), 20).check().await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::NeedsUser, Code::Gated));
    assert!(
        error.message.contains(&format!("{}acme/tiny", hub.url)),
        "{error}"
    );
    assert_eq!(hub.asked()[0].method, "HEAD");
}

#[tokio::test]
async fn a_file_that_is_gone_says_so() {
    let headers = [("x-error-code", "EntryNotFound"), ("x-repo-commit", COMMIT)];
    let hub = Stub::start(move |_| answer(404, &headers, "Entry not found")).await;
    let error = read(&file_of(&client(&hub), 20), None).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Permanent, Code::EntryNotFound));
    assert!(error.message.contains("sub/mo del#1.bin"), "{error}");
}
