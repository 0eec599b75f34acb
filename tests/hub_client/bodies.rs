//! What is taken from an answer, and what is not.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream::{self, StreamExt};
use hfdepot::hub::{Budget, Class, HubClient};
use hfdepot::model::code::Code;

use super::stub::{Stub, answer, assert_clean, client, config, file_of, read};

const CONTENT: &[u8] = b"0123456789";

#[tokio::test]
async fn a_part_is_taken_only_with_exactly_the_range_that_was_asked() {
    for (headers, status, class, code, ranges_ignored) in [
        (
            vec![("content-range", "bytes 3-5/10")],
            206,
            Class::Transient,
            Code::BadResponse,
            true,
        ),
        (
            vec![("content-range", "bytes 2-6/10")],
            206,
            Class::Transient,
            Code::BadResponse,
            true,
        ),
        (
            vec![("content-range", "bytes 2-5/*")],
            206,
            Class::Transient,
            Code::BadResponse,
            true,
        ),
        (vec![], 206, Class::Transient, Code::BadResponse, true),
        (
            vec![("content-range", "bytes 2-5/11")],
            206,
            Class::Integrity,
            Code::SizeMismatch,
            false,
        ),
        (vec![], 200, Class::Transient, Code::BadResponse, true),
        (
            vec![("content-range", "bytes */10")],
            416,
            Class::Integrity,
            Code::SizeMismatch,
            false,
        ),
        (
            vec![("content-range", "bytes 2-5/10"), ("content-encoding", "gzip")],
            206,
            Class::Transient,
            Code::BadResponse,
            false,
        ),
    ] {
        let sent = headers.clone();
        let hub = Stub::start(move |_| answer(status, &sent, &CONTENT[2..6])).await;
        let error = read(&file_of(&client(&hub), 10), Some(2..6)).await.unwrap_err();
        let got = (error.class, error.code, error.ranges_ignored);
        assert_eq!(
            got,
            (class, code, ranges_ignored),
            "{status} {headers:?}: {error}"
        );
        assert_clean(&error);
    }
}

#[tokio::test]
async fn a_whole_answer_is_taken_when_the_whole_was_asked() {
    let hub = Stub::start(|_| answer(200, &[], CONTENT)).await;
    let file = file_of(&client(&hub), 10);
    assert_eq!(read(&file, Some(0..10)).await.unwrap(), CONTENT);
    assert_eq!(read(&file, None).await.unwrap(), CONTENT);
    let error = read(&file_of(&client(&hub), 11), None).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Integrity, Code::SizeMismatch));
}

#[tokio::test]
async fn a_web_page_is_not_taken_for_a_file() {
    let hub = Stub::start(|_| answer(200, &[("content-type", "text/html")], "<h1>Log in</h1>")).await;
    let file = file_of(&client(&hub), 10);
    for range in [None, Some(0..4)] {
        let error = read(&file, range).await.unwrap_err();
        assert_eq!((error.class, error.code), (Class::Transient, Code::BadResponse));
        assert!(error.message.contains("captive portal"), "{error}");
    }
}

#[tokio::test]
async fn an_empty_file_is_opened_without_a_range() {
    let hub = Stub::start(|asked| match asked.header("range") {
        Some(_) => answer(416, &[], ""),
        None => answer(200, &[], ""),
    })
    .await;
    let file = file_of(&client(&hub), 0);
    assert_eq!(read(&file, None).await.unwrap(), b"");
    assert_eq!(read(&file, Some(0..0)).await.unwrap(), b"");
}

#[tokio::test]
async fn a_range_outside_the_file_is_our_own_mistake_and_reaches_no_server() {
    let hub = Stub::start(|_| answer(200, &[], CONTENT)).await;
    let file = file_of(&client(&hub), 10);
    #[expect(clippy::reversed_empty_ranges, reason = "that is the mistake")]
    for range in [0..11, 5..5, 6..5, 10..10] {
        let error = read(&file, Some(range)).await.unwrap_err();
        assert_eq!((error.class, error.code), (Class::Permanent, Code::Internal));
    }
    assert_eq!(hub.asked().len(), 0);
}

#[tokio::test]
async fn bytes_beyond_the_range_are_cut_off() {
    let hub = Stub::start(|_| answer(206, &[("content-range", "bytes 2-5/10")], "2345EXTRA")).await;
    assert_eq!(
        read(&file_of(&client(&hub), 10), Some(2..6)).await.unwrap(),
        b"2345"
    );
    // Without an announced length as well.
    let hub = Stub::start(|_| {
        let pieces = ["23", "45EX", "TRA"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
        let body = Body::from_stream(stream::iter(pieces));
        answer(206, &[("content-range", "bytes 2-5/10")], body)
    })
    .await;
    assert_eq!(
        read(&file_of(&client(&hub), 10), Some(2..6)).await.unwrap(),
        b"2345"
    );
}

#[tokio::test]
async fn an_answer_that_ends_early_is_a_passing_fault_and_its_bytes_are_good() {
    for answer in [
        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 2-5/10\r\ncontent-length: 4\r\n\r\n234",
        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 2-5/10\r\ncontent-length: 3\r\n\r\n234",
        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 2-5/10\r\n\r\n234",
        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 2-5/10\r\ntransfer-encoding: chunked\r\n\r\n3\r\n234\r\n",
    ] {
        let hub = Stub::raw(answer).await;
        let mut body = file_of(&client(&hub), 10).open(Some(2..6)).await.unwrap();
        assert_eq!(body.next().await.unwrap().unwrap(), "234");
        assert_eq!(body.remaining(), 1);
        let error = body.next().await.unwrap_err();
        assert_eq!((error.class, error.code), (Class::Transient, Code::ServerError));
        assert!(body.next().await.is_err(), "a broken body stays broken");
    }
}

#[tokio::test]
async fn a_body_that_brings_nothing_is_dropped() {
    let hub = Stub::start(|_| {
        let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from("01"))]);
        answer(
            200,
            &[("content-length", "10")],
            Body::from_stream(first.chain(stream::pending())),
        )
    })
    .await;
    let mut settings = config(&hub.url);
    settings.stall_timeout = Some(Duration::from_millis(200));
    let client = HubClient::new(settings, std::sync::Arc::new(Budget::new())).unwrap();
    let mut body = file_of(&client, 10).open(None).await.unwrap();
    assert_eq!(body.next().await.unwrap().unwrap(), "01");
    let error = body.next().await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Transient, Code::Stalled));
}
