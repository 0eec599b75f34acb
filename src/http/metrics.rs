//! `GET /metrics`: the service in numbers for Prometheus.
//!
//! Gauges are read when somebody asks; counters begin at 0 with the process, as Prometheus wants
//! it. Labels have few values each: kinds, statuses, codes, routes as the API's description has them,
//! never a repo, a job or a path that a client made up.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus::{
    Encoder, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder,
};

use super::disk;
use super::error::{ApiError, ApiResult};
use super::state::{App, AppState};
use crate::model::state::{JobKind, JobStatus};

/// Seconds until an answer begins: the API answers within milliseconds, the Hub within seconds.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// What is measured as it happens.
pub struct Measures {
    lasting: Registry,
    requests: HistogramVec,
}

impl Measures {
    /// Nothing measured yet.
    ///
    /// # Errors
    /// When two series have one name, which is a fault of this file.
    pub fn new() -> prometheus::Result<Self> {
        let requests = HistogramVec::new(
            HistogramOpts::new(
                "hfdepot_http_request_duration_seconds",
                "Time until the answer to a request began, by method, route and class of its status",
            )
            .buckets(BUCKETS.into()),
            &["method", "route", "status"],
        )?;
        let lasting = Registry::new();
        lasting.register(Box::new(requests.clone()))?;
        Ok(Self { lasting, requests })
    }
}

/// Measures a request. Stands inside the router, where the route is known.
pub async fn measure(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let response = next.run(request).await;
    // Whatever else was asked for is a page or a mistake; its path is the client's.
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    let status = match response.status().as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    let method = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        _ => "other",
    };
    let measured = app.measures.requests.with_label_values(&[method, route, status]);
    measured.observe(begun.elapsed().as_secs_f64());
    response
}

/// The service in numbers, for Prometheus
///
/// Outside of `/api`, and with the same login.
#[utoipa::path(
    get, path = "/metrics", tag = "system", operation_id = "getMetrics",
    responses((status = 200, description = "The text format 0.0.4 of Prometheus", body = str, content_type = "text/plain"))
)]
pub async fn show(State(app): State<AppState>) -> ApiResult<impl IntoResponse> {
    let mut families = app.measures.lasting.gather();
    families.extend(now(&app).await?.gather());
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    encoder.encode(&families, &mut text).map_err(ApiError::internal)?;
    Ok((
        [
            (header::CONTENT_TYPE, encoder.format_type().to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ],
        text,
    ))
}

/// What is read at this moment.
async fn now(app: &App) -> ApiResult<Registry> {
    let series = Series(Registry::new());
    let told = |error: prometheus::Error| ApiError::internal(error);
    series.process(app).map_err(told)?;
    let mut jobs = Vec::new();
    for kind in JobKind::ALL {
        let counts = app.store.job_counts(Some(*kind)).await?;
        // Also those that are not there: a series that comes and goes cannot be summed.
        for status in JobStatus::ALL {
            let count = counts.iter().find(|(known, _)| known == status);
            jobs.push((
                kind.as_str(),
                status.as_str(),
                count.map_or(0, |(_, count)| *count),
            ));
        }
    }
    series.jobs(app, &jobs, app.store.speed().await?).map_err(told)?;
    series.volumes(&disk::volumes(app).await?).map_err(told)?;
    series.hub_and_tasks(app).map_err(told)?;
    Ok(series.0)
}

/// Series that are made anew for each answer.
struct Series(Registry);

impl Series {
    fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        let made = IntGaugeVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn counter(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        let made = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(made.clone()))?;
        Ok(made)
    }

    fn process(&self, app: &App) -> prometheus::Result<()> {
        let info = self.gauge("hfdepot_info", "Always 1; the version that runs", &["version"])?;
        info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let uptime = self.gauge(
            "hfdepot_uptime_seconds",
            "Seconds since the start of the service",
            &[],
        )?;
        uptime
            .with_label_values(&[] as &[&str])
            .set(whole(app.begun.elapsed().as_secs()));
        let sockets = self.gauge("hfdepot_websockets", "Open WebSockets of the live feed", &[])?;
        sockets
            .with_label_values(&[] as &[&str])
            .set(whole(app.sockets.len()));
        // Named as Prometheus' own collectors have them; other systems than Linux have no /proc.
        if let Some(bytes) = resident_bytes() {
            let memory = self.gauge(
                "process_resident_memory_bytes",
                "Memory that the process holds",
                &[],
            )?;
            memory.with_label_values(&[] as &[&str]).set(bytes);
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            let files = self.gauge(
                "process_open_fds",
                "Open files and connections of the process",
                &[],
            )?;
            files.with_label_values(&[] as &[&str]).set(whole(open.count()));
        }
        Ok(())
    }

    fn jobs(&self, app: &App, counts: &[(&str, &str, i64)], speed: i64) -> prometheus::Result<()> {
        let jobs = self.gauge("hfdepot_jobs", "Jobs on the list", &["kind", "status"])?;
        for (kind, status, count) in counts {
            jobs.with_label_values(&[kind, status]).set(*count);
        }
        let now = self.gauge(
            "hfdepot_download_bytes_per_second",
            "Speed of all downloads together",
            &[],
        )?;
        now.with_label_values(&[] as &[&str]).set(speed);
        let tallies = app.engine.tallies();
        let bytes = self.counter(
            "hfdepot_network_bytes_total",
            "Bytes that downloads got from the network",
            &[],
        )?;
        bytes
            .with_label_values(&[] as &[&str])
            .inc_by(tallies.network_bytes());
        let completed = self.counter("hfdepot_jobs_completed_total", "Jobs that were completed", &[])?;
        completed
            .with_label_values(&[] as &[&str])
            .inc_by(tallies.completed());
        let failed = self.counter(
            "hfdepot_job_failures_total",
            "Jobs that failed, by error code",
            &["code"],
        )?;
        for (code, count) in tallies.failures() {
            failed.with_label_values(&[code.as_str()]).inc_by(count);
        }
        let retries = self.counter(
            "hfdepot_retries_total",
            "Requests that failed and were made again, by error code",
            &["code"],
        )?;
        for (code, count) in tallies.retries() {
            retries.with_label_values(&[code.as_str()]).inc_by(count);
        }
        Ok(())
    }

    fn volumes(&self, volumes: &[disk::Volume]) -> prometheus::Result<()> {
        let label = &["path"];
        let total = self.gauge(
            "hfdepot_volume_size_bytes",
            "Size of a volume that the service writes to",
            label,
        )?;
        let free = self.gauge(
            "hfdepot_volume_free_bytes",
            "Bytes that the service may write there",
            label,
        )?;
        let reserved = self.gauge(
            "hfdepot_volume_reserved_bytes",
            "Bytes that running jobs will still take there",
            label,
        )?;
        let floor = self.gauge("hfdepot_volume_floor_bytes", "Bytes that stay free there", label)?;
        let waiting = self.gauge(
            "hfdepot_volume_waiting_jobs",
            "Jobs that wait for room there",
            label,
        )?;
        for volume in volumes {
            let label = &[volume.path.as_str()];
            total.with_label_values(label).set(whole(volume.total));
            free.with_label_values(label).set(whole(volume.free));
            reserved.with_label_values(label).set(whole(volume.reserved));
            floor.with_label_values(label).set(whole(volume.floor));
            waiting.with_label_values(label).set(volume.waiting_jobs);
        }
        Ok(())
    }

    fn hub_and_tasks(&self, app: &App) -> prometheus::Result<()> {
        let remaining = self.gauge(
            "hfdepot_hub_requests_remaining",
            "Requests that the Hub still allows in its window, as last heard",
            &["bucket"],
        )?;
        for bucket in app.engine.budget().snapshot() {
            if let Some(left) = bucket.remaining {
                remaining
                    .with_label_values(&[bucket.bucket.as_str()])
                    .set(whole(left));
            }
        }
        let runs = self.counter("hfdepot_task_runs_total", "Rounds of periodic work", &["task"])?;
        let failures = self.counter(
            "hfdepot_task_failures_total",
            "Rounds of periodic work that failed",
            &["task"],
        )?;
        let last = Opts::new(
            "hfdepot_task_last_run_timestamp_seconds",
            "Start of the newest round of periodic work",
        );
        let last = GaugeVec::new(last, &["task"])?;
        self.0.register(Box::new(last.clone()))?;
        for task in &app.tasks {
            let known = task.snapshot();
            let label = &[known.name.as_str()];
            runs.with_label_values(label).inc_by(known.runs);
            failures.with_label_values(label).inc_by(known.failures);
            if let Some(round) = known.last {
                last.with_label_values(label)
                    .set(round.started_at as f64 / 1000.0);
            }
        }
        Ok(())
    }
}

fn whole(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

/// Memory that the process holds: `VmRSS` of proc(5), which is in KiB. `None` on other systems than Linux.
pub(super) fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
