//! File transfer as the Hub does it: git files through a relative 307 to the resolve cache, LFS
//! files through an absolute 302 to the CDN, raw text direct.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::answer::Answer;
use super::api::entry_not_found;
use super::ask::{Ask, Target, split_revision};
use super::fault::{FaultKind, Stage};
use super::files;
use super::log::Hop;
use super::repo::{Commit, FileEntry, Repo};
use super::world::World;

/// What stays as it is in a path: everything a browser leaves alone.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// `Content-Disposition` of a file name, with an ASCII form beside the true one.
pub fn disposition(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && c != '"' { c } else { '_' })
        .collect();
    format!(
        "inline; filename*=UTF-8''{}; filename=\"{ascii}\";",
        utf8_percent_encode(name, PATH)
    )
}

/// Answers HEAD and GET of `/resolve/`, `/raw/` and the resolve cache.
pub fn answer(world: &World, ask: &Ask) -> Answer {
    let repo = match world.admit(ask, true) {
        Ok(repo) => repo,
        Err(answer) => return answer.plain(),
    };
    let (Target::Resolve { rest, .. } | Target::Raw { rest, .. } | Target::ResolveCache { rest, .. }) =
        &ask.target
    else {
        return Answer::text(404, "Not found");
    };
    let (revision, commit, path) = split_revision(&repo, rest);
    let Some(commit) = commit else {
        return Answer::error(
            404,
            Some("RevisionNotFound"),
            &format!("Invalid rev id: {revision}"),
        )
        .plain();
    };
    let Some(file) = commit.files.get(&path) else {
        return entry_not_found(commit).plain();
    };
    let answer = match &ask.target {
        Target::Raw { .. } => raw(file),
        Target::ResolveCache { .. } => files::serve(world, ask, &file.content, file.etag(), file.etag())
            .with("cache-control", "public, max-age=31536000, immutable"),
        _ => resolve(world, ask, &repo, commit, &path, file),
    };
    let name = path.rsplit('/').next().unwrap_or(&path);
    let mut answer = answer.with("x-repo-commit", &commit.sha);
    // The redirect to the CDN carries it in the link instead.
    if answer.status != http::StatusCode::FOUND {
        answer.set("content-disposition", &disposition(name));
    }
    if answer.header("content-type").is_some() {
        answer
    } else {
        answer.with("content-type", content_type(&path))
    }
}

fn resolve(world: &World, ask: &Ask, repo: &Repo, commit: &Commit, path: &str, file: &FileEntry) -> Answer {
    let etag = format!("\"{}\"", file.etag());
    if files::matches(ask, "if-none-match", &etag) {
        return Answer::new(304, "").with("etag", &etag);
    }
    let mut lifetime = None;
    let mut uses = None;
    let mut direct = false;
    let struck = world.strike(Stage::Making, ask, |kind| {
        matches!(kind, FaultKind::ServeDirectly) || (file.lfs && matches!(kind, FaultKind::SignedUrl { .. }))
    });
    for armed in &struck {
        match armed.kind() {
            FaultKind::ServeDirectly => direct = true,
            FaultKind::SignedUrl { seconds, uses: often } => {
                lifetime = seconds.map(Duration::from_secs).or(lifetime);
                uses = often.or(uses);
            }
            _ => {}
        }
    }
    let answer = if direct {
        files::serve(world, ask, &file.content, file.etag(), file.etag())
    } else if file.lfs {
        let link = world
            .tickets
            .sign(&file.content, &ask.subject, &repo.database_id(), lifetime, uses);
        Answer::redirect(302, &format!("{}{link}", world.origin(Hop::Cdn))).with("cache-control", "no-store")
    } else {
        let encoded = utf8_percent_encode(path, PATH);
        let original = utf8_percent_encode(&ask.raw_path, NON_ALPHANUMERIC);
        let location = format!(
            "/api/resolve-cache/{}/{}/{}/{encoded}?{original}=&etag=%22{}%22",
            repo.kind.plural(),
            repo.id,
            commit.sha,
            file.etag()
        );
        Answer::redirect(307, &location)
    };
    let answer = answer
        .with("x-linked-etag", &etag)
        .with("accept-ranges", "bytes")
        .with("vary", "Origin, Accept")
        .with(
            "access-control-expose-headers",
            "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,\
            X-Linked-Size,X-Linked-ETag,X-Xet-Hash,ETag,Link,Accept-Ranges,Content-Range,Content-Disposition",
        );
    if file.lfs {
        answer.with("x-linked-size", &file.content.size().to_string())
    } else {
        answer
    }
}

/// Git's own content: the pointer text for LFS files.
fn raw(file: &FileEntry) -> Answer {
    if file.lfs {
        let pointer = file.content.pointer();
        let oid = file.listed("")["oid"].as_str().unwrap_or_default().to_owned();
        return Answer::text(200, &pointer).with("etag", &format!("\"{oid}\""));
    }
    let mut answer = Answer::new(200, file.content.clone()).with("etag", &format!("\"{}\"", file.etag()));
    answer.blob = Some(file.etag().to_owned());
    answer
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("json" | "txt" | "md" | "py" | "yaml" | "yml" | "gitattributes") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
