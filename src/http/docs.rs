//! The reference page of the API: Swagger UI from inside the binary, over our own document.
//!
//! Everything it loads comes from here, and all addresses are relative, so that it works without
//! a network and below any prefix of a proxy. It has no inline script.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_swagger_ui::Config;

use super::error::{ApiError, ApiResult};

/// The reference page, at its proper address
///
/// The page's own addresses are relative: it needs the slash at the end.
#[utoipa::path(
    get, path = "/api/docs", tag = "system", operation_id = "findDocs",
    responses((status = 307, description = "To the page", headers(("Location" = String))))
)]
pub async fn find() -> impl IntoResponse {
    let location = [(header::LOCATION, HeaderValue::from_static("docs/"))];
    (StatusCode::TEMPORARY_REDIRECT, location)
}

/// The reference page
#[utoipa::path(
    get, path = "/api/docs/", tag = "system", operation_id = "showDocs",
    responses((status = 200, description = "The page", body = str, content_type = "text/html"))
)]
pub async fn show() -> ApiResult<Response> {
    file("index.html")
}

/// A file of the reference page
#[utoipa::path(
    get, path = "/api/docs/{file}", tag = "system", operation_id = "getDocsFile",
    params(("file" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The file", body = str, content_type = "*/*"),
        (status = 404, description = "The page has no such file"),
    )
)]
pub async fn asset(Path(name): Path<String>) -> ApiResult<Response> {
    file(&name)
}

fn file(name: &str) -> ApiResult<Response> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        let config = Config::from("../openapi.json")
            // The default asks a server on the internet about the document.
            .validator_url("none")
            .default_models_expand_depth(0)
            .doc_expansion("none")
            .display_operation_id(true)
            .filter(true);
        Arc::new(config)
    });
    let found = utoipa_swagger_ui::serve(name, Arc::clone(&CONFIG)).map_err(ApiError::internal)?;
    let found = found.ok_or_else(|| ApiError::not_found("File not found"))?;
    let kind = HeaderValue::from_str(&found.content_type).map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, kind)], found.bytes.into_owned()).into_response())
}
