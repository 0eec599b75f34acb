//! The metadata API of one repo: info, tree, paths, refs, commits, size.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::ask::{Ask, Target, form, split_revision};
use super::log::lock;
use super::page::Paging;
use super::repo::{Commit, Kind, Repo, date_text};
use super::world::World;

/// Entries a page holds by default, and with `expand=true`.
const PAGE_ENTRIES: usize = 1000;
const EXPANDED_PAGE_ENTRIES: usize = 100;
/// `paths-info` takes no more (the Hub's OpenAPI).
const MOST_PATHS: usize = 2000;

/// Answers `/api/{kind}/{id}/...`.
pub fn answer(world: &World, ask: &Ask) -> Answer {
    let repo = match world.admit(ask, false) {
        Ok(repo) => repo,
        Err(answer) => return *answer,
    };
    let Target::Api { call, rest, .. } = &ask.target else {
        return not_found();
    };
    if call == "refs" {
        return refs(&repo, ask);
    }
    if call == "scan" {
        return Answer::json(200, &json!({"scansDone": true, "filesWithIssues": []}));
    }
    let rest = if call.is_empty() {
        &["main".to_owned()][..]
    } else {
        rest
    };
    let (revision, commit, path) = split_revision(&repo, rest);
    let Some(commit) = commit else {
        return Answer::error(
            404,
            Some("RevisionNotFound"),
            &format!("Invalid rev id: {revision}"),
        );
    };
    match call.as_str() {
        "" | "revision" => Answer::json(200, &info(&repo, commit, ask)),
        "tree" => tree(world, ask, commit, &path),
        "paths-info" => paths_info(world, ask, commit),
        "commits" => commits(&repo, ask, commit),
        "treesize" => treesize(commit, &path),
        _ => not_found(),
    }
}

/// A call the Hub does not know.
pub fn not_found() -> Answer {
    Answer::error(404, None, "Sorry, we can't find the page you are looking for.")
}

/// `GET /api/whoami-v2`.
pub fn whoami(world: &World, ask: &Ask) -> Answer {
    let Some(account) = ask.token().and_then(|token| world.account(token)) else {
        return Answer::unauthorized(None, "Invalid username or password.");
    };
    Answer::json(
        200,
        &json!({"type": "user", "id": "65f0000000000000000000aa", "name": account.name, "fullname": account.name,
            "email": format!("{}@example.org", account.name), "emailVerified": true, "isPro": false,
            "canPay": false, "periodEnd": null, "avatarUrl": "/avatars/1.svg", "orgs": [],
            "auth": {"type": "access_token", "accessToken": {"displayName": "test", "role": "read",
                "createdAt": "2026-01-02T03:04:05.000Z"}}}),
    )
}

/// All fields of the repo info at a commit, files excepted.
pub fn fields(repo: &Repo, commit: &Commit) -> Map<String, Value> {
    let first = repo.commits.first().map_or(commit.date, |commit| commit.date);
    let gated = repo.gated.as_deref().map_or(json!(false), |mode| json!(mode));
    let used: u64 = commit.files.values().map(|file| file.content.size()).sum();
    let value = json!({
        "_id": repo.database_id(), "id": repo.id, "author": repo.author(), "sha": commit.sha,
        "lastModified": commit.date_text(), "createdAt": date_text(first), "private": repo.private,
        "gated": gated, "disabled": repo.disabled, "downloads": 12, "likes": 3, "trendingScore": 1,
        "tags": ["license:mit", "region:us"], "cardData": {"license": "mit"}, "usedStorage": used
    });
    let mut fields = value.as_object().cloned().unwrap_or_default();
    if repo.kind == Kind::Model {
        fields.insert("modelId".to_owned(), json!(repo.id));
        fields.insert("spaces".to_owned(), json!([]));
    }
    fields.extend(repo.fields.clone());
    fields
}

fn info(repo: &Repo, commit: &Commit, ask: &Ask) -> Value {
    let mut fields = fields(repo, commit);
    let blobs = ask.flag("blobs");
    let siblings = commit.files.iter().map(|(path, file)| {
        let mut sibling = json!({ "rfilename": path });
        if blobs {
            let listed = file.listed(path);
            sibling["blobId"] = listed["oid"].clone();
            sibling["size"] = listed["size"].clone();
            if let Some(lfs) = listed.get("lfs") {
                sibling["lfs"] =
                    json!({"sha256": lfs["oid"], "size": lfs["size"], "pointerSize": lfs["pointerSize"]});
            }
        }
        sibling
    });
    fields.insert("siblings".to_owned(), siblings.collect());
    if ask.flag("securityStatus") {
        let unsafe_files = commit.files.iter().filter_map(|(path, file)| {
            let level = file.security.as_deref().filter(|status| *status != "safe")?;
            Some(json!({"path": path, "level": level}))
        });
        let status = json!({"scansDone": true, "filesWithIssues": unsafe_files.collect::<Value>()});
        fields.insert("securityRepoStatus".to_owned(), status);
    }
    expanded(fields, &ask.parameters("expand"))
}

/// Keeps only what `expand` names, when it names anything.
pub fn expanded(mut fields: Map<String, Value>, expand: &[&str]) -> Value {
    if expand.is_empty() {
        fields.remove("trendingScore");
    } else {
        fields.retain(|name, _| name == "_id" || name == "id" || expand.contains(&name.as_str()));
    }
    Value::Object(fields)
}

fn tree(world: &World, ask: &Ask, commit: &Arc<Commit>, folder: &str) -> Answer {
    let folder = folder.trim_matches('/');
    let recursive = ask.flag("recursive");
    let below = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let wanted: Vec<&Value> = commit
        .listing()
        .iter()
        .filter(|entry| {
            let path = entry["path"].as_str().unwrap_or_default();
            path.strip_prefix(&below)
                .is_some_and(|rest| recursive || !rest.contains('/'))
        })
        .collect();
    if wanted.is_empty() && !folder.is_empty() {
        return entry_not_found(commit);
    }
    page(world, ask, commit, wanted)
}

/// One page of a listing, with the link to the next.
fn page(world: &World, ask: &Ask, commit: &Commit, entries: Vec<&Value>) -> Answer {
    let expand = ask.flag("expand");
    let usual = if expand {
        EXPANDED_PAGE_ENTRIES
    } else {
        PAGE_ENTRIES
    };
    let paging = Paging::new(world, ask, usual);
    let size = paging.entries;
    let start = match paging.cursor(ask) {
        None => 0,
        // A cursor that means nothing is after the end, so that a guessing client comes to a stop.
        Some(cursor) => read_cursor(cursor)
            .and_then(|last| entries.iter().position(|entry| entry["path"] == last.as_str()))
            .map_or(entries.len(), |at| at + 1),
    };
    let shown: Vec<&&Value> = entries.iter().skip(start).take(size).collect();
    let list: Value = shown
        .iter()
        .map(|entry| dressed(world, commit, entry, expand))
        .collect();
    let mut answer = Answer::json(200, &list).with("x-total-count", &entries.len().to_string());
    let last = shown.last().and_then(|entry| entry["path"].as_str());
    if let Some(last) = last.filter(|_| paging.goes_on(start + size, entries.len())) {
        let cursor = write_cursor(last, &commit.sha, size);
        answer.set("link", &paging.link(world, ask, &[("cursor", &cursor)]));
    }
    answer
}

/// A tree entry with what `expand` and the settings of the Hub add.
fn dressed(world: &World, commit: &Commit, entry: &Value, expand: bool) -> Value {
    let mut entry = entry.clone();
    let file = entry["path"].as_str().and_then(|path| commit.files.get(path));
    if *lock(&world.xet_hashes)
        && let Some(file) = file.filter(|file| file.lfs)
    {
        entry["xetHash"] = json!(file.content.xet_hash());
    }
    if expand {
        entry["lastCommit"] = json!({"id": commit.sha, "title": commit.title, "date": commit.date_text()});
        if let Some(file) = file {
            let status = file.security.as_deref().unwrap_or("safe");
            entry["securityFileStatus"] = json!({"status": status, "avScan": {"status": status},
                "pickleImportScan": null, "jFrogScan": null, "protectAiScan": null, "virusTotalScan": null});
        }
    }
    entry
}

fn write_cursor(last: &str, tree: &str, size: usize) -> String {
    let inner = BASE64.encode(json!({"file_name": last, "tree_oid": tree}).to_string());
    BASE64.encode(format!("{inner}:{size}"))
}

fn read_cursor(cursor: &str) -> Option<String> {
    let outer = String::from_utf8(BASE64.decode(cursor).ok()?).ok()?;
    let inner = BASE64.decode(outer.split_once(':')?.0).ok()?;
    let value: Value = serde_json::from_slice(&inner).ok()?;
    value["file_name"].as_str().map(str::to_owned)
}

fn paths_info(world: &World, ask: &Ask, commit: &Commit) -> Answer {
    let json_body = ask
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    let (paths, expand) = if json_body {
        let body: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
        let paths = body["paths"].as_array().cloned().unwrap_or_default();
        let paths = paths
            .iter()
            .filter_map(|path| path.as_str().map(str::to_owned))
            .collect::<Vec<_>>();
        (paths, body["expand"].as_bool().unwrap_or(false))
    } else {
        let pairs = form(&ask.body);
        let expand = pairs
            .iter()
            .any(|(key, value)| key == "expand" && value.eq_ignore_ascii_case("true"));
        (
            pairs
                .into_iter()
                .filter(|(key, _)| key == "paths")
                .map(|(_, path)| path)
                .collect(),
            expand,
        )
    };
    if paths.len() > MOST_PATHS {
        return Answer::error(400, None, "Too many paths");
    }
    let listing = commit.listing();
    let found = paths
        .iter()
        .filter_map(|path| listing.iter().find(|entry| entry["path"] == path.as_str()));
    Answer::json(
        200,
        &found.map(|entry| dressed(world, commit, entry, expand)).collect(),
    )
}

fn refs(repo: &Repo, ask: &Ask) -> Answer {
    let under = |prefix: &str| -> Value {
        let inside = repo
            .refs
            .iter()
            .filter_map(|(name, sha)| Some((name.strip_prefix(prefix)?, name, sha)));
        inside
            .map(|(short, name, sha)| json!({"name": short, "ref": name, "targetCommit": sha}))
            .collect()
    };
    let mut answer = json!({"branches": under("refs/heads/"), "tags": under("refs/tags/"),
        "converts": under("refs/convert/")});
    if ask.flag("include_prs") {
        answer["pullRequests"] = under("refs/pr/");
    }
    Answer::json(200, &answer)
}

fn commits(repo: &Repo, ask: &Ask, commit: &Arc<Commit>) -> Answer {
    let number = |name: &str, default: usize| {
        ask.parameter(name)
            .and_then(|n| n.parse().ok())
            .unwrap_or(default)
    };
    let (page, limit) = (number("p", 0), number("limit", 50).clamp(1, 1000));
    let mut history = vec![commit.clone()];
    while let Some(parent) = history
        .last()
        .and_then(|commit| commit.parent.as_deref())
        .and_then(|sha| repo.revision(sha))
    {
        history.push(parent.clone());
    }
    let shown = history.iter().skip(page.saturating_mul(limit)).take(limit);
    let list: Value = shown
        .map(|commit| {
            json!({"id": commit.sha, "title": commit.title, "message": "", "date": commit.date_text(),
                "authors": [{"user": repo.author(), "avatar": "/avatars/1.svg"}]})
        })
        .collect();
    let mut answer = Answer::json(200, &list).with("x-total-count", &history.len().to_string());
    if page.saturating_add(1).saturating_mul(limit) < history.len() {
        let next = format!(
            "<{}{}?p={}&limit={limit}>; rel=\"next\"",
            ask.origin(),
            ask.raw_path,
            page + 1
        );
        answer.set("link", &next);
    }
    answer
}

fn treesize(commit: &Arc<Commit>, folder: &str) -> Answer {
    let folder = folder.trim_matches('/');
    let below = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let inside = commit.files.iter().filter(|(path, _)| path.starts_with(&below));
    let size: u64 = inside.map(|(_, file)| file.content.size()).sum();
    Answer::json(200, &json!({"path": format!("/{folder}"), "size": size}))
}

/// 404 with the commit, which tells the client that the file is truly absent there.
pub fn entry_not_found(commit: &Commit) -> Answer {
    Answer::error(404, Some("EntryNotFound"), "Entry not found").with("x-repo-commit", &commit.sha)
}
