//! The web UI inside the binary: the files of `web/dist`, or a page that says how to build them.
//!
//! Paths without a file are routes of the UI and get its page, so that a deep link can be
//! reloaded. Never so below `/api`, and never where Hub clients look for files
//! (`/{org}/{repo}/resolve/…`): a page of HTML in place of a model would be stored as one.
//!
//! Scripts and styles were compressed when the web was built, as `name.br` and `name.gz` beside the
//! file; they are sent as they lie there, and are no files of their own.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::encoding::{CODINGS, accepted, is_compressed};
use super::error::{ApiError, unknown_path, wrong_method};
use super::guard::is_api;

/// The web build; empty when there was none. Debug builds read the directory at run time.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct WebBuild;

const PLACEHOLDER: [(&str, &[u8]); 2] = [
    ("index.html", include_bytes!("placeholder/index.html")),
    ("placeholder.css", include_bytes!("placeholder/placeholder.css")),
];

struct Asset {
    bytes: Cow<'static, [u8]>,
    /// SHA-256 of the bytes.
    hash: [u8; 32],
    mime: Cow<'static, str>,
    /// The content coding of the bytes; `None` = as the file is.
    coding: Option<&'static str>,
    /// Whether other clients get other bytes.
    varies: bool,
}

/// Whether the binary has the web UI inside.
pub fn has_web_build() -> bool {
    WebBuild::get("index.html").is_some()
}

fn find(name: &str) -> Option<Asset> {
    if has_web_build() {
        return WebBuild::get(name).map(|file| Asset {
            hash: file.metadata.sha256_hash(),
            mime: Cow::Owned(file.metadata.mimetype().to_owned()),
            bytes: file.data,
            coding: None,
            varies: false,
        });
    }
    let &(_, bytes) = PLACEHOLDER.iter().find(|(known, _)| *known == name)?;
    Some(Asset {
        bytes: Cow::Borrowed(bytes),
        hash: Sha256::digest(bytes).into(),
        mime: Cow::Borrowed(if name.ends_with(".css") {
            "text/css"
        } else {
            "text/html"
        }),
        coding: None,
        varies: false,
    })
}

/// The file in the smallest form that the client takes.
fn smallest(find: impl Fn(&str) -> Option<Asset>, name: &str, headers: &HeaderMap) -> Option<Asset> {
    if is_compressed(name) {
        return None;
    }
    let plain = find(name)?;
    let packed = |suffix: &str| find(&format!("{name}{suffix}"));
    for coding in accepted(headers) {
        if let Some(form) = packed(coding.suffix) {
            return Some(Asset {
                mime: plain.mime,
                coding: Some(coding.name),
                varies: true,
                ..form
            });
        }
    }
    let varies = CODINGS.iter().any(|coding| packed(coding.suffix).is_some());
    Some(Asset { varies, ..plain })
}

/// The fallback of the router: files of the UI, its page for its own routes, 404 in JSON for the rest.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    answer(find, method, uri, &headers).await
}

async fn answer(
    find: impl Fn(&str) -> Option<Asset>,
    method: Method,
    uri: Uri,
    headers: &HeaderMap,
) -> Response {
    let path = uri.path();
    if is_api(path) || is_hub_file(path) {
        return unknown_path(uri).await.into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let error = wrong_method(method).await;
        return error
            .header(header::ALLOW, HeaderValue::from_static("GET, HEAD"))
            .into_response();
    }
    let name = path.trim_start_matches('/');
    let name = if name.is_empty() { "index.html" } else { name };
    // The page itself is written anew for each depth, and small.
    let found = if name == "index.html" {
        find(name)
    } else {
        smallest(&find, name, headers)
    };
    if let Some(asset) = found {
        return send(asset, name, &method, headers);
    }
    // A missing script must be a 404, not a page that the browser then refuses as a script.
    let wants_page = !name.starts_with("assets/")
        && headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_none_or(|accept| accept.contains("text/html") || accept.contains("*/*"));
    match find("index.html").filter(|_| wants_page) {
        Some(page) => send(seen_from(page, path), "index.html", &method, headers),
        None => ApiError::not_found("Not found").into_response(),
    }
}

/// The page with its relative URLs (`./assets/…`) as they must be for a route further down:
/// `/jobs/1` needs `../assets/…`. So the UI works below any prefix that a proxy adds, and the
/// service need not know the prefix.
fn seen_from(page: Asset, path: &str) -> Asset {
    let depth = path.matches('/').count().saturating_sub(1);
    let Ok(text) = std::str::from_utf8(&page.bytes) else {
        return page;
    };
    if depth == 0 {
        return page;
    }
    let text = text.replace("=\"./", &format!("=\"{}", "../".repeat(depth)));
    Asset {
        hash: Sha256::digest(text.as_bytes()).into(),
        bytes: Cow::Owned(text.into_bytes()),
        ..page
    }
}

/// Whether a Hub client would expect a file of a repo: `[datasets|spaces/]owner/name/resolve|raw/…`, owner optional.
fn is_hub_file(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if matches!(parts.first(), Some(&("datasets" | "spaces" | "models"))) {
        parts.remove(0);
    }
    parts
        .iter()
        .skip(1)
        .take(2)
        .any(|part| matches!(*part, "resolve" | "raw"))
}

fn send(asset: Asset, name: &str, method: &Method, headers: &HeaderMap) -> Response {
    let etag: String = asset
        .hash
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let etag = format!("\"{etag}\"");
    let unchanged = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        value.to_str().is_ok_and(|list| {
            list.split(',')
                .map(str::trim)
                .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
        })
    });
    // The bundler puts a hash of the content into the names below assets/.
    let cache = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mime = match asset.mime.as_ref() {
        text if text.starts_with("text/") || text.ends_with("javascript") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    };
    let mut common = HeaderMap::new();
    common.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        common.insert(header::ETAG, etag);
    }
    if asset.varies {
        common.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if unchanged {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    if let Some(coding) = asset.coding {
        common.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    let length = asset.bytes.len().to_string();
    let own = [(header::CONTENT_TYPE, mime), (header::CONTENT_LENGTH, length)];
    if method == Method::HEAD {
        return (common, own).into_response();
    }
    (common, own, asset.bytes.into_owned()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(name: &str) -> Option<Asset> {
        let mime = match name {
            "index.html" => "text/html",
            "assets/app-1f.js" => "text/javascript",
            _ => return None,
        };
        Some(Asset {
            bytes: Cow::Borrowed(b"content"),
            hash: [7; 32],
            mime: Cow::Borrowed(mime),
            coding: None,
            varies: false,
        })
    }

    async fn get(path: &str, name: header::HeaderName, value: &str) -> (u16, String, String) {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        let response = answer(built, Method::GET, path.parse().unwrap(), &headers).await;
        let text = |name| {
            let value = response.headers().get(name).map(|value| value.to_str().unwrap());
            value.unwrap_or_default().to_owned()
        };
        (
            response.status().as_u16(),
            text(header::CONTENT_TYPE),
            text(header::CACHE_CONTROL),
        )
    }

    #[tokio::test]
    async fn files_are_served_and_routes_of_the_ui_get_its_page() {
        for path in [
            "/",
            "/index.html",
            "/library/models/o/Model-7B-v0.2",
            "/settings/speed",
        ] {
            let (status, mime, cache) = get(path, header::ACCEPT, "text/html,*/*").await;
            assert_eq!(
                (status, mime.as_str(), cache.as_str()),
                (200, "text/html; charset=utf-8", "no-cache"),
                "{path}"
            );
        }
        let (status, mime, cache) = get("/assets/app-1f.js", header::ACCEPT, "*/*").await;
        assert_eq!((status, mime.as_str()), (200, "text/javascript; charset=utf-8"));
        assert!(cache.contains("immutable"));
    }

    #[tokio::test]
    async fn the_page_never_stands_in_for_an_answer_of_the_api_or_a_file() {
        for path in [
            "/api",
            "/api/",
            "/api/nothing",
            "/o/n/resolve/main/x.gguf",
            "/gpt2/resolve/main/x",
            "/datasets/o/n/resolve/main/x",
            "/o/n/raw/main/README.md",
            "/assets/gone.js",
        ] {
            let (status, mime, _) = get(path, header::ACCEPT, "text/html,*/*").await;
            assert_eq!((status, mime.as_str()), (404, "application/json"), "{path}");
        }
        assert_eq!(get("/icon.png", header::ACCEPT, "image/png").await.0, 404);
    }

    #[tokio::test]
    async fn the_page_finds_its_files_from_every_depth() {
        let page = |name: &str| {
            (name == "index.html").then_some(Asset {
                bytes: Cow::Borrowed(b"<link href=\"./icon.svg\"><script src=\"./assets/a.js\"></script>"),
                hash: [7; 32],
                mime: Cow::Borrowed("text/html"),
                coding: None,
                varies: false,
            })
        };
        let mut etags = std::collections::HashSet::new();
        for (path, up) in [
            ("/", "./"),
            ("/queue", "./"),
            ("/jobs/1", "../"),
            ("/jobs/1/files", "../../"),
            ("/queue/", "../"),
        ] {
            let response = answer(page, Method::GET, path.parse().unwrap(), &HeaderMap::new()).await;
            etags.insert(response.headers()[header::ETAG].clone());
            let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
            let wanted = format!("<link href=\"{up}icon.svg\"><script src=\"{up}assets/a.js\"></script>");
            assert_eq!(std::str::from_utf8(&body).unwrap(), wanted, "{path}");
        }
        // A browser must not take the page of one depth for that of another.
        assert_eq!(etags.len(), 3);
    }

    #[tokio::test]
    async fn an_unchanged_file_is_not_sent_again() {
        let etag = format!("\"{}\"", "07".repeat(16));
        for known in [
            etag.clone(),
            format!("W/{etag}"),
            format!("\"x\", {etag}"),
            "*".to_owned(),
        ] {
            assert_eq!(get("/", header::IF_NONE_MATCH, &known).await.0, 304, "{known}");
        }
        assert_eq!(get("/", header::IF_NONE_MATCH, "\"x\"").await.0, 200);
    }

    #[tokio::test]
    async fn a_script_is_sent_in_the_form_that_the_client_takes() {
        let packed = |name: &str| {
            let bytes: &[u8] = match name {
                "assets/a.js" => b"let a = 1",
                "assets/a.js.br" => b"brotli",
                "assets/a.js.gz" => b"gzip",
                _ => return None,
            };
            Some(Asset {
                bytes: Cow::Borrowed(bytes),
                hash: Sha256::digest(bytes).into(),
                mime: Cow::Borrowed(if name.ends_with(".js") {
                    "text/javascript"
                } else {
                    "application/gzip"
                }),
                coding: None,
                varies: false,
            })
        };
        let mut etags = std::collections::HashSet::new();
        for (asked, coding, wanted) in [
            ("gzip, br", "br", "brotli"),
            ("gzip", "gzip", "gzip"),
            ("identity", "", "let a = 1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, asked.parse().unwrap());
            let response = answer(packed, Method::GET, "/assets/a.js".parse().unwrap(), &headers).await;
            let text = |name| {
                response
                    .headers()
                    .get(name)
                    .map_or("", |value: &HeaderValue| value.to_str().unwrap())
            };
            assert_eq!(text(header::CONTENT_ENCODING), coding, "{asked}");
            assert_eq!(text(header::CONTENT_TYPE), "text/javascript; charset=utf-8");
            assert_eq!(text(header::VARY), "Accept-Encoding", "{asked}");
            assert_eq!(text(header::CONTENT_LENGTH), wanted.len().to_string());
            etags.insert(text(header::ETAG).to_owned());
            let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
            assert_eq!(body, wanted.as_bytes());
        }
        // Forms of one file must not be taken for each other.
        assert_eq!(etags.len(), 3);
        let own = answer(
            packed,
            Method::GET,
            "/assets/a.js.gz".parse().unwrap(),
            &HeaderMap::new(),
        )
        .await;
        assert_eq!(own.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_page_without_a_web_build_has_no_script_and_loads_nothing_from_elsewhere() {
        for (name, bytes) in PLACEHOLDER {
            let text = std::str::from_utf8(bytes).unwrap();
            assert!(
                !text.contains("<script") && !text.contains("style=") && !text.contains("https://"),
                "{name}"
            );
        }
        let page = std::str::from_utf8(PLACEHOLDER[0].1).unwrap();
        assert!(page.contains("make web") && page.contains("href=\"/placeholder.css\""));
    }
}
