//! The way of a request through the stand-in Hub, the same on both hops: log it, let early faults
//! strike, charge it, answer it, let late faults strike.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use chrono::Utc;

use super::answer::Answer;
use super::ask::{Ask, Target};
use super::fault::{FaultKind, Stage, ThrottleForm};
use super::log::{Arrival, Entry, Hop};
use super::serve::{Link, Wire};
use super::world::{World, over_quota};
use super::{Doors, api, body, cdn, collection, resolve, search};

/// Bodies of requests are small here: lists of paths.
const MOST_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Answers one request.
pub async fn handle(
    world: Arc<World>,
    doors: Arc<Doors>,
    hop: Hop,
    ConnectInfo(Wire(link)): ConnectInfo<Wire>,
    request: Request,
) -> Response {
    let (parts, request_body) = request.into_parts();
    let bytes = to_bytes(request_body, MOST_BODY_BYTES).await.unwrap_or_default();
    let mut ask = Ask::new(hop, parts, bytes);
    ask.subject = world.subject(&ask);
    let entry = arrive(&world, &ask, &link);
    link.begin(&entry);
    let answer = match early(&world, &doors, &ask, &link).await {
        Some(answer) => answer,
        None => within_quota(&world, &ask),
    };
    let trace = format!("Root=1-{:016x}", fastrand::u64(..));
    body::finish(&world, &ask, answer.with("x-request-id", &trace), &entry, &link)
}

fn arrive(world: &World, ask: &Ask, link: &Link) -> Arc<Entry> {
    let text = |name: &str| ask.header(name).map(str::to_owned);
    world.log.arrive(Arrival {
        hop: ask.hop,
        connection: link.number,
        method: ask.method.to_string(),
        path: ask.raw_path.clone(),
        query: ask.raw_query.clone(),
        subject: ask.subject.clone(),
        bucket: ask.bucket().to_owned(),
        range: text("range"),
        accept_encoding: text("accept-encoding"),
        user_agent: text("user-agent"),
        authorization: ask.headers.contains_key("authorization") || ask.headers.contains_key("cookie"),
    })
}

/// Faults that strike before the Hub looks at the request.
async fn early(world: &World, doors: &Arc<Doors>, ask: &Ask, link: &Link) -> Option<Answer> {
    let struck = world.strike(Stage::Before, ask, |kind| {
        !(matches!(kind, FaultKind::TokenRequired) && ask.token().is_some())
    });
    let mut answer = None;
    for armed in struck {
        match armed.kind() {
            FaultKind::DelayHeaders { ms } => tokio::time::sleep(Duration::from_millis(*ms)).await,
            FaultKind::Status {
                status,
                headers,
                body,
            } => {
                let made = Answer::new(*status, body.clone());
                answer = Some(
                    headers
                        .iter()
                        .fold(made, |made, (name, value)| made.with(name, value)),
                );
            }
            FaultKind::Throttle { form, seconds } => answer = Some(throttled(ask, *form, *seconds)),
            FaultKind::Redirect { status, location } => {
                answer = Some(Answer::redirect(*status, &body::fill(world, ask, location)));
            }
            FaultKind::CloseEarly => link.close(false),
            FaultKind::TokenRequired => {
                answer = Some(Answer::unauthorized(None, "Invalid username or password."));
            }
            FaultKind::MoveBranch { repo, branch, commit } => world.move_branch(repo, branch, commit),
            FaultKind::ListenerOff { listener, ms } => {
                doors.off_for(*listener, Duration::from_millis(*ms));
            }
            _ => {}
        }
    }
    answer
}

fn throttled(ask: &Ask, form: ThrottleForm, seconds: u64) -> Answer {
    let answer = over_quota();
    match form {
        ThrottleForm::RateLimit => answer
            .with("ratelimit", &format!("\"{}\";r=0;t={seconds}", ask.bucket()))
            .with(
                "ratelimit-policy",
                &format!("\"fixed window\";\"{}\";q=500;w=300", ask.bucket()),
            ),
        ThrottleForm::RetryAfter => answer.with("retry-after", &seconds.to_string()),
        ThrottleForm::RetryDate => {
            let at = Utc::now() + Duration::from_secs(seconds);
            answer.with("retry-after", &at.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
        }
        ThrottleForm::Silent => answer,
    }
}

fn within_quota(world: &World, ask: &Ask) -> Answer {
    let charged = world.charge(ask);
    let answer = match &charged {
        Some((.., true)) => over_quota(),
        _ => answer(world, ask),
    };
    match charged {
        Some((limit, policy, _)) => answer.with("ratelimit", &limit).with("ratelimit-policy", &policy),
        None => answer,
    }
}

fn answer(world: &World, ask: &Ask) -> Answer {
    let reads = ask.method == http::Method::GET || ask.method == http::Method::HEAD;
    let posts = ask.method == http::Method::POST;
    match &ask.target {
        Target::Api { call, .. } if reads || (posts && call == "paths-info") => api::answer(world, ask),
        _ if !reads => Answer::error(405, None, "Method not allowed"),
        Target::List { kind } => search::answer(world, ask, *kind),
        Target::Collections => collection::list(world, ask),
        Target::Collection { slug } => collection::answer(world, ask, slug),
        Target::Whoami => api::whoami(world, ask),
        Target::Resolve { .. } | Target::Raw { .. } | Target::ResolveCache { .. } => {
            resolve::answer(world, ask)
        }
        Target::Cdn => cdn::answer(world, ask),
        Target::Api { .. } | Target::UnknownApi => api::not_found(),
        Target::Unknown => {
            Answer::new(404, "<!doctype html><title>404</title>").with("content-type", "text/html")
        }
    }
}
