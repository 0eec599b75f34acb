//! `GET` and `POST /api/settings`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::error::ApiResult;
use super::state::AppState;
use super::wire::{
    DirectoryText, EndpointText, FirstWaitText, LongestWaitText, ProxyText, RoutesObject, SettingText,
    SizeText, SomeDirectory, SomeSize, StallText, TokenText, VerifyWord,
};
use crate::config::show::SettingsShown;
use crate::model::destination::LinkMode;

/// The settings; secrets are masked
#[utoipa::path(
    get, path = "/api/settings", tag = "settings", operation_id = "getSettings",
    responses((status = 200, description = "Every setting, and where it comes from", body = SettingsShown))
)]
pub async fn show(State(app): State<AppState>) -> Json<SettingsShown> {
    Json(app.settings.get().shown())
}

/// How the outside is reached; what is missing or `null` stays.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code)] // Describes what `config` reads field by field.
pub struct ProxyPatch {
    /// `http`, `https`, `socks5` or `socks5h` URL without a login; empty = none.
    #[schema(inline, value_type = Option<ProxyText>)]
    url: Option<String>,
    /// User name at the proxy.
    #[schema(inline, value_type = Option<SettingText>)]
    username: Option<String>,
    /// Password at the proxy; empty clears it.
    #[schema(inline, value_type = Option<SettingText>)]
    password: Option<String>,
    /// Hosts that are reached directly.
    #[schema(inline, value_type = Option<SettingText>)]
    no_proxy: Option<String>,
    /// Ignore `HTTP_PROXY` and its kin.
    no_env_proxy: Option<bool>,
}

/// Settings to change; what is missing or `null` stays, other fields are ignored.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code)] // Describes what `config` reads field by field.
pub struct SettingsPatch {
    /// Hub token; empty clears it, its mask keeps it.
    #[schema(inline, value_type = Option<TokenText>)]
    token: Option<String>,
    /// Root of the cache. Ignored unless the service was started with `--allow-path-settings`, as all folders are.
    #[schema(inline, value_type = Option<DirectoryText>)]
    cache_dir: Option<String>,
    /// Folder of plain files in place of the cache; empty = the cache.
    #[schema(inline, value_type = Option<DirectoryText>)]
    local_dir: Option<String>,
    /// Folders that are looked through for models.
    #[schema(inline, value_type = Option<Vec<SomeDirectory>>)]
    local_scan_dirs: Option<Vec<String>>,
    /// Folders for sorts of models.
    #[schema(inline, value_type = Option<RoutesObject>)]
    download_routes: Option<()>,
    /// How a snapshot shows a blob.
    #[schema(inline, value_type = Option<LinkMode>)]
    link_mode: Option<String>,
    /// Base URL of the Hub; empty = `https://huggingface.co`. A change drops the token of another server.
    #[schema(inline, value_type = Option<EndpointText>)]
    endpoint: Option<String>,
    /// Connections per file.
    #[schema(minimum = 1, maximum = 64)]
    connections: Option<i64>,
    /// Jobs at once.
    #[schema(minimum = 1, maximum = 32)]
    max_active: Option<i64>,
    /// Files of one job at once.
    #[schema(minimum = 1, maximum = 64)]
    max_files_per_job: Option<i64>,
    /// Connections of all jobs together.
    #[schema(minimum = 1, maximum = 256)]
    max_connections: Option<i64>,
    /// Files from this size on get several connections.
    #[schema(inline, value_type = Option<SomeSize>)]
    multipart_threshold: Option<String>,
    /// What is compared before a file counts as done; `etag` means `size`.
    #[schema(inline, value_type = Option<VerifyWord>)]
    verify: Option<String>,
    /// Attempts after the first without progress.
    #[schema(minimum = 0, maximum = 20)]
    retries: Option<i64>,
    /// First wait between attempts, not longer than the longest.
    #[schema(inline, value_type = Option<FirstWaitText>)]
    backoff_initial: Option<String>,
    /// Longest wait between attempts.
    #[schema(inline, value_type = Option<LongestWaitText>)]
    backoff_max: Option<String>,
    /// A connection without a byte for so long is replaced: 1 s to 1 h; `0` = never.
    #[schema(inline, value_type = Option<StallText>)]
    stall_timeout: Option<String>,
    /// Bytes a second over all jobs; empty = no limit.
    #[schema(inline, value_type = Option<SizeText>)]
    max_speed: Option<String>,
    /// Free bytes a volume keeps; empty = the smaller of 1 GiB and 5 % of the volume.
    #[schema(inline, value_type = Option<SizeText>)]
    free_space_floor: Option<String>,
    /// Days a finished job stays in the list; 0 = for ever.
    #[schema(minimum = 0, maximum = 3650)]
    retention_days: Option<i64>,
    /// Days that history and events are kept; 0 = for ever.
    #[schema(minimum = 0, maximum = 3650)]
    history_retention: Option<i64>,
    /// How the outside is reached.
    proxy: Option<ProxyPatch>,
}

/// A change that was made.
#[derive(Serialize, ToSchema)]
pub struct SettingsChanged {
    /// Always `true`.
    success: bool,
    /// Says so.
    message: &'static str,
    /// Saved settings that a flag or variable overrides.
    shadowed: Vec<&'static str>,
    /// What the change brought with it.
    warnings: Vec<&'static str>,
}

/// Changes what the body names, all or nothing
#[utoipa::path(
    post, path = "/api/settings", tag = "settings", operation_id = "changeSettings",
    request_body = SettingsPatch,
    responses(
        (status = 200, description = "Changed", body = SettingsChanged),
        (status = 403, description = "The setting is locked"),
    )
)]
pub async fn change(
    State(app): State<AppState>,
    JsonBody(patch): JsonBody<Map<String, Value>>,
) -> ApiResult<Json<SettingsChanged>> {
    let (before, after) = app.settings.change(Value::Object(patch)).await?;
    let mut warnings = Vec::new();
    if before.token.is_some() && after.token.is_none() && before.endpoint.origin() != after.endpoint.origin()
    {
        warnings
            .push("The token belongs to another endpoint and is not sent to this one; set a token for it");
    }
    app.engine.settled().await;
    app.engine.wake();
    Ok(Json(SettingsChanged {
        success: true,
        message: "Settings updated",
        shadowed: after.shadowed(),
        warnings,
    }))
}
