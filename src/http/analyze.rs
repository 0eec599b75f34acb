//! `GET /api/analyze/{owner}/{name}`: what a repo is and what of it one would want.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ApiResult};
use super::extract::{QueryFields, RepoParams, RepoPath};
use super::state::AppState;
use super::upstream;
use super::{analyze_upstream, cache};
use crate::engine::{AnalyzeRequest, Analyzed, Outcome, Wanted};
use crate::hub::Gate;
use crate::model::analysis::Analysis;
use crate::model::code::Code;
use crate::model::library::CachedRepo;
use crate::model::repo::{RepoId, RepoType, Revision};

const FAILED: &str = "Analysis failed";
const CHOOSE: &str =
    "This repository exists as both a model and a dataset. Please select which one you want to analyze.";

/// What a repo is, and what of it one would want
///
/// 200 with the report, or with `needsSelection` when `dataset` is not given and the id is that
/// of a model and of a dataset.
#[utoipa::path(
    get, path = "/api/analyze/{*repo}", tag = "hub", operation_id = "analyzeRepo",
    params(
        RepoParams,
        ("dataset" = Option<bool>, Query, description = "Whether it is a dataset; left out: ask back when both exist"),
        ("revision" = inline(Option<Revision>), Query, description = "Branch, tag or commit; `main` by default"),
        ("fresh" = Option<bool>, Query, description = "Look again instead of remembering"),
    ),
    responses(
        (status = 200, description = "The report, or a question", body = Analyzing),
        (status = 403, description = "The Hub refuses access"),
        (status = 404, description = "No such repo or revision"),
        (status = 422, description = "The repo has names that are not safe to store"),
        (status = 502, description = "The Hub gives no usable answer"),
        (status = 503, description = "The service is stopping"),
        (status = 504, description = "The Hub takes too long"),
    )
)]
pub async fn show(
    State(app): State<AppState>,
    RepoPath(repo): RepoPath,
    query: QueryFields,
) -> ApiResult<Response> {
    let request = AnalyzeRequest {
        wanted: match query.flag("dataset")? {
            None => Wanted::Either,
            Some(false) => Wanted::ModelFirst,
            Some(true) => Wanted::Dataset,
        },
        revision: revision(&query)?,
        fresh: query.flag("fresh")?.unwrap_or(false),
        repo,
    };
    let analyzed = upstream::wait(&app, FAILED, app.patience.analysis, app.engine.analyze(&request)).await;
    match analyzed.map_err(name_missing) {
        Ok(Outcome::Report(mut report)) => {
            analyze_upstream::complete(&app, &mut report.analysis).await;
            render(&app, *report).await
        }
        Ok(Outcome::Both) => Ok(Json(Choice {
            needs_selection: true,
            repo: request.repo,
            message: CHOOSE,
            options: [RepoType::Model, RepoType::Dataset],
        })
        .into_response()),
        Err(error) => Err(error),
    }
}

/// The revision of the query, `main` by default.
///
/// # Errors
/// 400 `Invalid revision`.
pub(super) fn revision(query: &QueryFields) -> ApiResult<Revision> {
    Ok(query.word("revision")?.unwrap_or_else(Revision::main))
}

/// Puts the words that clients look for before the details of a missing repo.
fn name_missing(error: ApiError) -> ApiError {
    match (error.code(), error.details_text()) {
        (Some(Code::RepoNotFound), Some(details)) => {
            let details = format!("404: repository not found. {details}");
            error.details(details)
        }
        _ => error,
    }
}

/// What 200 carries.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = AnalyzeAnswer)]
#[allow(dead_code)] // Describes two answers that are made in two places.
pub enum Analyzing {
    /// The report.
    Report(Box<View<'static>>),
    /// A question back.
    Choice(Choice),
}

/// The id is that of a model and of a dataset.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NeedsSelection)]
pub struct Choice {
    /// Always `true`.
    needs_selection: bool,
    repo: RepoId,
    /// Says what to do.
    message: &'static str,
    /// What `dataset` can choose from.
    options: [RepoType; 2],
}

/// The report, with what the Hub says of the repo at this moment.
#[derive(Serialize, ToSchema)]
#[schema(as = AnalyzedRepo)]
pub struct View<'a> {
    #[serde(flatten)]
    analysis: &'a Analysis,
    /// Whether terms stand before its files: `false`, `true`, `auto`, `manual`.
    #[schema(value_type = Gated)]
    gated: Gate,
    private: bool,
    disabled: bool,
    /// Why files cannot be opened with the token that is set; empty when they can.
    locked: &'a str,
    tags: &'a [String],
    pipeline_tag: &'a str,
    library_name: &'a str,
    downloads: u64,
    likes: u64,
    last_modified: &'a str,
    security: Findings<'a>,
    /// Whether some of it is in the cache.
    cached: bool,
    /// `complete` and `filtered` for what hfdepot fetched, `unknown` for the rest; empty when it is not here.
    cache_status: &'a str,
}

/// As the Hub writes it.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code)] // Describes what `Gate` writes.
pub enum Gated {
    /// Not at all, or in a way the Hub does not name.
    Plain(bool),
    /// `auto` or `manual`.
    Word(String),
}

/// What the Hub's scanners found.
#[derive(Serialize, ToSchema)]
#[schema(as = SecurityFindings)]
struct Findings<'a> {
    /// `null` when the Hub does not say.
    #[schema(required)]
    scans_done: Option<bool>,
    files_with_issues: Vec<Finding<'a>>,
}

/// A file with issues.
#[derive(Serialize, ToSchema)]
#[schema(as = SecurityFinding)]
struct Finding<'a> {
    path: &'a str,
    level: &'a str,
}

async fn render(app: &AppState, report: Analyzed) -> ApiResult<Response> {
    let repo_type = if report.analysis.is_dataset {
        RepoType::Dataset
    } else {
        RepoType::Model
    };
    let cached = CachedRepo::parse(repo_type, &report.analysis.repo).ok();
    let cache_status = match cached {
        Some(repo) => cache::marks(app, &[repo]).await.into_values().next(),
        None => None,
    }
    .unwrap_or_default();
    // A report of 100,000 files is some 20 MB of JSON, which takes a moment.
    let text = tokio::task::spawn_blocking(move || {
        let Analyzed {
            analysis,
            info,
            locked,
        } = report;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let findings = info.security.flagged.iter().map(|flagged| Finding {
            path: &flagged.path,
            level: &flagged.level,
        });
        serde_json::to_vec(&View {
            analysis: &analysis,
            gated: info.gate,
            private: info.resolved.private,
            disabled: info.disabled,
            locked: &text(&locked),
            tags: &info.tags,
            pipeline_tag: &text(&info.pipeline_tag),
            library_name: &text(&info.library_name),
            downloads: info.downloads.unwrap_or(0),
            likes: info.likes.unwrap_or(0),
            last_modified: &text(&info.last_modified),
            security: Findings {
                scans_done: info.security.scans_done,
                files_with_issues: findings.collect(),
            },
            cached: !cache_status.is_empty(),
            cache_status: &cache_status,
        })
    })
    .await
    .map_err(ApiError::internal)?
    .map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}
