//! `GET /api/readme/{owner}/{name}` and the pictures in it, `GET /api/readme-asset`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Semaphore;
use url::Url;
use utoipa::ToSchema;

use super::analyze::revision;
use super::error::{ApiError, ApiResult};
use super::extract::{QueryFields, RepoParams, RepoPath};
use super::markdown::{Place, render, without_front_matter};
use super::state::AppState;
use super::upstream;
use crate::model::code::Code;
use crate::model::repo::{Commit, RepoId, RepoPath as FilePath, RepoType, Revision};

/// Longest time for a README or a picture.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most bytes of a README that are shown.
const README_MAX: usize = 768 * 1024;
/// Most bytes of a picture.
const ASSET_MAX: usize = 32 * 1024 * 1024;
/// Pictures fetched at once: each stands in memory as a whole.
static ASSETS: Semaphore = Semaphore::const_new(4);
/// READMEs rendered at once: one of 768 KiB can keep a thread busy for a second.
static RENDERS: Semaphore = Semaphore::const_new(2);

const README: &str = "README.md";
const README_FAILED: &str = "README cannot be fetched";
const ASSET_FAILED: &str = "Asset cannot be fetched";

/// A README, as it is and rendered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readme {
    repo: RepoId,
    is_dataset: bool,
    revision: Revision,
    commit: Commit,
    /// Its name in the repo.
    path: &'static str,
    /// Without its front matter.
    markdown: String,
    /// Safe to show.
    html: String,
    /// Where relative links of the text begin.
    #[serde(rename = "baseRawURL")]
    base_raw_url: String,
    /// Whether its end is missing.
    truncated: bool,
}

/// The README of a repo, rendered and cleaned
#[utoipa::path(
    get, path = "/api/readme/{*repo}", tag = "hub", operation_id = "getReadme",
    params(
        RepoParams,
        ("revision" = inline(Option<Revision>), Query, description = "Branch, tag or commit; `main` by default"),
        ("dataset" = Option<bool>, Query, description = "Whether it is a dataset"),
    ),
    responses(
        (status = 200, description = "The README", body = Readme),
        (status = 403, description = "The Hub refuses access"),
        (status = 404, description = "No such repo or revision, or it has no README"),
        (status = 502, description = "The Hub gives no usable answer"),
        (status = 503, description = "The service is stopping"),
        (status = 504, description = "The Hub takes too long"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    RepoPath(repo): RepoPath,
    query: QueryFields,
) -> ApiResult<Json<Readme>> {
    let revision = revision(&query)?;
    let repo_type = match query.flag("dataset")? {
        Some(true) => RepoType::Dataset,
        _ => RepoType::Model,
    };
    let file: FilePath = README.parse().map_err(ApiError::internal)?;
    let hub = app.engine.hub();
    let asked = async {
        let resolved = hub.resolve(repo_type, &repo, &revision).await?;
        let text = hub
            .text_file(repo_type, &resolved.id, &resolved.commit, &file, README_MAX)
            .await?;
        Ok((resolved, text))
    };
    let (resolved, text) = upstream::wait(&app, README_FAILED, PATIENCE, asked).await?;
    let not_found = || {
        ApiError::coded(Code::EntryNotFound, "README not found")
            .details(format!("{repo} has no {README} at \"{revision}\""))
            .hint("The repo has no description; its files can be looked at all the same.")
    };
    let text = text.ok_or_else(not_found)?;
    let base = |route| hub.file_base(repo_type, &resolved.id, route, &resolved.commit);
    let (raw, files, bytes) = (base("raw"), base("blob"), base("resolve"));
    let page = Url::parse(&hub.page(repo_type, &resolved.id)).map_err(ApiError::internal)?;
    let _permit = RENDERS.acquire().await.map_err(ApiError::internal)?;
    let rendered = tokio::task::spawn_blocking(move || {
        let markdown = without_front_matter(&text.text).to_owned();
        let place = Place {
            page,
            files,
            bytes,
            is_asset: &|url| hub.has(url),
        };
        let html = render(&markdown, &place);
        (markdown, html, text.cut)
    });
    let (markdown, html, cut) = rendered.await.map_err(ApiError::internal)?;
    Ok(Json(Readme {
        repo: resolved.id,
        is_dataset: repo_type == RepoType::Dataset,
        revision,
        commit: resolved.commit,
        path: README,
        markdown,
        html,
        base_raw_url: raw.into(),
        truncated: cut,
    }))
}

/// A picture of a README
///
/// Below the endpoint, with the token, so that those of gated repos show.
#[utoipa::path(
    get, path = "/api/readme-asset", tag = "hub", operation_id = "getReadmeAsset",
    params(("url" = String, Query, pattern = "^https?://[A-Za-z0-9.-]+(/[!-~]*)?$", description = "Address of the picture, below the endpoint")),
    responses(
        (status = 200, description = "The picture", body = Vec<u8>, content_type = "image/*"),
        (status = 403, description = "The address is not below the endpoint, or the Hub refuses access"),
        (status = 404, description = "No such picture"),
        (status = 415, description = "It is no picture that browsers show safely"),
        (status = 502, description = "The Hub gives no usable answer"),
        (status = 503, description = "The service is stopping"),
        (status = 504, description = "The Hub takes too long"),
    )
)]
pub async fn asset(State(app): State<AppState>, query: QueryFields) -> ApiResult<Response> {
    let text = query
        .text("url")
        .ok_or_else(|| ApiError::bad_request("Missing url"))?;
    let url: Url = text
        .parse()
        .ok()
        .filter(|url: &Url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| ApiError::bad_request("Invalid url"))?;
    let hub = app.engine.hub();
    if !hub.has(&url) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "Asset host not allowed")
            .details("Only pictures of the configured endpoint are fetched"));
    }
    let _permit = ASSETS.acquire().await.map_err(ApiError::internal)?;
    let bytes = upstream::wait(&app, ASSET_FAILED, PATIENCE, hub.asset(&url, ASSET_MAX)).await?;
    let kind = picture_type(&bytes).ok_or_else(|| {
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Asset is not a picture")
            .details("Only PNG, JPEG, GIF, WebP, AVIF, BMP and ICO are passed on")
            .hint("Open it on the Hub.")
    })?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        // Not for shared caches: it may be of a private repo.
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, max-age=3600"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        ),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("inline")),
    ];
    Ok((headers, bytes).into_response())
}

/// The type of a picture by its first bytes: what a server calls it may be a lie, and an SVG is
/// a document that can hold scripts.
fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    let at = |from: usize, magic: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(magic));
    if begins(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if begins(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if begins(b"GIF87a") || begins(b"GIF89a") {
        Some("image/gif")
    } else if begins(b"RIFF") && at(8, b"WEBP") {
        Some("image/webp")
    } else if at(4, b"ftypavif") || at(4, b"ftypavis") {
        Some("image/avif")
    } else if begins(b"BM") && at(6, &[0, 0, 0, 0]) {
        Some("image/bmp")
    } else if begins(&[0, 0, 1, 0]) && bytes.len() > 22 {
        Some("image/x-icon")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_bytes() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\n..."[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x20ftypavif", Some("image/avif")),
            (b"BM\0\0\0\0\0\0\0\0", Some("image/bmp")),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"<?xml version=\"1.0\"?><svg/>", None),
            (b"<html><script>", None),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"BM is a text", None),
            (b"{}", None),
            (b"", None),
        ] {
            assert_eq!(picture_type(bytes), expected, "{bytes:?}");
        }
    }
}
