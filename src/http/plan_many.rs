//! `POST /api/plan` with `repos`: the plans of many downloads, and what they take together.
//!
//! Each line has a plan or an error of its own; a line that is wrong, refused or slow never costs
//! another its plan. Sums are over the plans that were made. Nothing is queued here.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::error::{ApiError, ApiResult};
use super::plan::{self, Plan};
use super::request::{Asked, DownloadRequest};
use super::state::App;
use super::wire::Anything;
use super::{destination, disk};
use crate::engine::PlanReport;
use crate::model::code::Code;
use crate::model::destination::Destination;
use crate::model::repo::{BlobId, RepoId, RepoType, shown};

/// Most downloads that one request may plan.
const REPOS_MAX: usize = 200;
/// Plans that are made at once: gentle to the Hub, and three slow ones still let the rest pass.
const AT_ONCE: usize = 4;
/// Longest time for all of them, as for a single plan.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest time for one of them, so that a slow one leaves time for the rest.
const PATIENCE_EACH: Duration = Duration::from_secs(30);

/// Many downloads to plan.
#[derive(ToSchema)]
#[allow(dead_code)] // Describes what is read line by line, so that a bad one spoils no other.
pub struct ManyPlansRequest {
    /// The downloads, each as for a single plan.
    #[schema(inline, value_type = Vec<PlanWish>, min_items = 1, max_items = 200)]
    pub repos: Vec<DownloadRequest>,
}

/// A [`DownloadRequest`]; anything else gets an error in its line, and spoils no other.
pub struct PlanWish;

impl PartialSchema for PlanWish {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new()
            .item(Ref::from_schema_name(DownloadRequest::name()))
            .item(Anything::schema())
            .into()
    }
}
impl ToSchema for PlanWish {}

/// The plans of many downloads.
#[derive(Serialize, ToSchema)]
pub struct ManyPlans {
    /// One for each download, in the order of the request.
    plans: Vec<PlanLine>,
    totals: PlanTotals,
}

/// What became of one of them.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum PlanLine {
    /// It has a plan.
    Planned(Box<PlannedLine>),
    /// It has none.
    Refused(RefusedLine),
}

/// A download with its plan.
#[derive(Serialize, ToSchema)]
pub struct PlannedLine {
    /// Always `true`.
    ok: bool,
    repo: RepoId,
    plan: Plan,
}

/// A download without a plan.
#[derive(Serialize, ToSchema)]
pub struct RefusedLine {
    /// Always `false`.
    ok: bool,
    /// As the request names it; empty when it does not.
    repo: String,
    /// A short sentence, as the error of a single plan.
    error: String,
    /// What helps to find the fault: the field, the value, the answer of the Hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    details: Option<String>,
    /// The cause as a word that programs can test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<Code>,
    /// What the user can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hint: Option<String>,
}

/// What all plans together take.
#[derive(Serialize, ToSchema, Default)]
#[serde(rename_all = "camelCase")]
pub struct PlanTotals {
    /// Files of all plans.
    total_files: usize,
    /// Their bytes.
    total_size: u64,
    /// Bytes that lie in the destinations already.
    already_present_bytes: u64,
    /// Bytes that would come over the network; equal contents for the same folder count once.
    fetch_bytes: u64,
    /// Free bytes of the volumes of all destinations; `null` when none answers.
    #[schema(required)]
    free_bytes: Option<u64>,
    /// Bytes that live jobs have reserved on them.
    reserved_bytes: u64,
    /// Free bytes when all is done; below 0 = so much is missing, `null` as `freeBytes`.
    #[schema(required)]
    free_after_bytes: Option<i64>,
    /// Whether there is room for all of them, on each volume.
    fits: bool,
    /// Requests to the Hub that all downloads would make.
    requests: u64,
    /// As in a plan.
    #[schema(required)]
    requests_remaining: Option<u64>,
}

/// A plan with what the sums need of its report.
struct Made {
    plan: Plan,
    destination: Destination,
    repo_type: RepoType,
    /// Contents to fetch, each with its bytes.
    missing: Vec<(BlobId, u64)>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    files: usize,
    bytes: u64,
    present_bytes: u64,
    requests: u64,
}

/// The plans of `repos`.
///
/// # Errors
/// 400 when it is no list, has no line or more than 200. What is wrong with a line stands in its place.
pub async fn answer(app: &App, repos: &Value) -> ApiResult<ManyPlans> {
    let wrong = |details: String| ApiError::bad_request("Invalid request body").details(details);
    let Value::Array(lines) = repos else {
        return Err(wrong("repos must be a list of downloads".to_owned()));
    };
    if !(1..=REPOS_MAX).contains(&lines.len()) {
        return Err(wrong(format!(
            "repos must have 1 to {REPOS_MAX} downloads, not {}",
            lines.len()
        )));
    }
    let deadline = Instant::now() + PATIENCE;
    let planning =
        (0..lines.len()).map(|place| async move { (place, one(app, &lines[place], deadline).await) });
    // Unordered: whoever is done makes way at once, whatever stands before it.
    let mut made: Vec<_> = futures_util::stream::iter(planning)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    made.sort_unstable_by_key(|(place, _)| *place);
    let totals = totals(app, made.iter().filter_map(|(_, made)| made.as_ref().ok())).await;
    let plans = made.into_iter().zip(lines).map(|((_, made), line)| match made {
        Ok(made) => PlanLine::Planned(Box::new(PlannedLine {
            ok: true,
            repo: made.plan.repo().clone(),
            plan: made.plan,
        })),
        Err(error) => PlanLine::Refused(refused(line, &error)),
    });
    Ok(ManyPlans {
        plans: plans.collect(),
        totals,
    })
}

async fn one(app: &App, line: &Value, deadline: Instant) -> ApiResult<Made> {
    let Value::Object(body) = line else {
        return Err(ApiError::bad_request("Invalid request body").details("Each of repos must be an object"));
    };
    let Asked { request, place, .. } = Asked::parse(body)?;
    let destination = destination::find(&app.settings.get(), &place, request.repo_type)?;
    let patience = PATIENCE_EACH.min(deadline.saturating_duration_since(Instant::now()));
    if patience.is_zero() {
        return Err(ApiError::coded(Code::Stalled, plan::FAILED)
            .details(format!("The plans before it took {} seconds", PATIENCE.as_secs()))
            .hint("Ask for this one again, with fewer others."));
    }
    let (plan, report) = plan::make(app, &request, &destination, patience).await?;
    let (missing, counts) = report.as_ref().map(needs).unwrap_or_default();
    Ok(Made {
        plan,
        destination,
        repo_type: request.repo_type,
        missing,
        counts,
    })
}

fn needs(report: &PlanReport) -> (Vec<(BlobId, u64)>, Counts) {
    let missing = report.files.iter().filter(|file| !file.present);
    let missing = missing.map(|file| (file.blob_id, file.size_bytes.saturating_sub(file.part_bytes)));
    let counts = Counts {
        files: report.files.len(),
        bytes: report.total_bytes,
        present_bytes: report.present_bytes,
        requests: report.requests,
    };
    (missing.collect(), counts)
}

fn refused(line: &Value, error: &ApiError) -> RefusedLine {
    RefusedLine {
        ok: false,
        repo: line["repo"].as_str().map(shown).unwrap_or_default(),
        error: error.message_text().to_owned(),
        details: error.details_text().map(str::to_owned),
        reason: error.code(),
        hint: error.hint_text().map(str::to_owned),
    }
}

/// The sums; room is judged on each volume by itself.
async fn totals(app: &App, plans: impl Iterator<Item = &Made>) -> PlanTotals {
    let mut sum = PlanTotals {
        fits: true,
        requests_remaining: plan::requests_remaining(app),
        ..PlanTotals::default()
    };
    let mut seen = HashSet::new();
    let mut wanted: BTreeMap<PathBuf, u64> = BTreeMap::new();
    for made in plans {
        sum.total_files += made.counts.files;
        sum.total_size += made.counts.bytes;
        sum.already_present_bytes += made.counts.present_bytes;
        sum.requests += made.counts.requests;
        let dir = &made.destination.dir;
        let folder = made.destination.local_repo.as_ref().unwrap_or(made.plan.repo());
        let bytes = made.missing.iter().filter_map(|(blob, bytes)| {
            seen.insert((dir, folder, made.repo_type, *blob))
                .then_some(*bytes)
        });
        let bytes: u64 = bytes.sum();
        *wanted.entry(PathBuf::from(dir)).or_default() += bytes;
        sum.fetch_bytes += bytes;
    }
    // By device: free bytes, bytes that stay free, bytes wanted.
    let mut volumes: BTreeMap<u64, (u64, u64, u64)> = BTreeMap::new();
    let floor = app.settings.get().free_space_floor_bytes;
    for (dir, bytes) in wanted {
        let Some((space, mount)) = disk::ask(dir).await else {
            continue;
        };
        let floor = floor.unwrap_or_else(|| crate::disk::floor_bytes(space.total_bytes));
        let volume = volumes
            .entry(mount.device)
            .or_insert((space.free_bytes, floor, 0));
        volume.2 += bytes;
    }
    let mut reserved: BTreeMap<u64, u64> = BTreeMap::new();
    for (dir, bytes) in app.engine.reserved() {
        if let Some((_, mount)) = disk::ask(dir).await {
            *reserved.entry(mount.device).or_default() += bytes;
        }
    }
    for (device, (free, floor, bytes)) in &volumes {
        let taken = reserved.get(device).copied().unwrap_or(0);
        let room = free.saturating_sub(*floor).saturating_sub(taken);
        sum.fits &= *bytes <= room;
        sum.reserved_bytes += taken;
        sum.free_bytes = Some(sum.free_bytes.unwrap_or(0) + free);
    }
    sum.free_after_bytes = sum
        .free_bytes
        .map(|free| plan::left(free, sum.reserved_bytes, sum.fetch_bytes));
    sum
}
