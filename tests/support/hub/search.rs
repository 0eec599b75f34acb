//! `GET /api/models` and `/api/datasets`: search, filter, sort, pages.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::api::{expanded, fields};
use super::ask::Ask;
use super::page::Paging;
use super::repo::{Commit, Kind, Repo};
use super::world::World;

/// Items of a page when the client names no limit, and at most.
const DEFAULT_ITEMS: usize = 1000;
/// Fields of an item when neither `full` nor `expand` asks for others.
const SHORT: [&str; 11] = [
    "_id",
    "id",
    "modelId",
    "likes",
    "trendingScore",
    "private",
    "downloads",
    "tags",
    "pipeline_tag",
    "library_name",
    "createdAt",
];

/// Answers a list or search.
pub fn answer(world: &World, ask: &Ask, kind: Kind) -> Answer {
    let grants = ask
        .token()
        .and_then(|token| world.account(token))
        .map(|account| account.grants);
    let visible = |repo: &Repo| {
        !repo.private
            || grants
                .iter()
                .flatten()
                .any(|grant| grant == "*" || *grant == repo.id)
    };
    let mut found: Vec<(Arc<Repo>, Map<String, Value>)> = Vec::new();
    for repo in world.repos(kind).into_iter().filter(|repo| visible(repo)) {
        let Some(commit) = repo.revision("main").cloned() else {
            continue;
        };
        let fields = listed(&repo, &commit);
        if wanted(ask, &repo, &fields) {
            found.push((repo, fields));
        }
    }
    let key = ask.parameter("sort").unwrap_or("trendingScore");
    found.sort_by(|(a, one), (b, other)| {
        descending(one.get(key), other.get(key)).then_with(|| a.id.cmp(&b.id))
    });

    let paging = Paging::new(world, ask, DEFAULT_ITEMS);
    let limit = paging.entries;
    let start = match paging.cursor(ask) {
        None => 0,
        Some(cursor) => found
            .iter()
            .position(|(repo, _)| repo.id == cursor)
            .map_or(found.len(), |at| at + 1),
    };
    let shown: Vec<_> = found.iter().skip(start).take(limit).collect();
    let list: Value = shown.iter().map(|(_, fields)| item(ask, fields)).collect();
    let mut answer = Answer::json(200, &list);
    if let Some((last, _)) = shown
        .last()
        .filter(|_| paging.goes_on(start + limit, found.len()))
    {
        answer.set("link", &paging.link(world, ask, &[("cursor", &last.id)]));
    }
    answer
}

fn listed(repo: &Repo, commit: &Commit) -> Map<String, Value> {
    let mut fields = fields(repo, commit);
    let names = commit.files.keys().map(|path| json!({ "rfilename": path }));
    fields.insert("siblings".to_owned(), names.collect());
    fields
}

fn wanted(ask: &Ask, repo: &Repo, fields: &Map<String, Value>) -> bool {
    let contains = |text: &str| repo.id.to_lowercase().contains(&text.to_lowercase());
    let tags: Vec<&str> = fields["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let pipeline = fields.get("pipeline_tag").and_then(Value::as_str);
    let library = fields.get("library_name").and_then(Value::as_str);
    let tagged = |tag: &str| tags.contains(&tag) || pipeline == Some(tag) || library == Some(tag);
    let filters = ask.parameters("filter");
    let mut filters = filters.iter().flat_map(|filter| filter.split(','));
    ask.parameter("search")
        .is_none_or(|text| text.split_whitespace().all(contains))
        && ask
            .parameter("author")
            .is_none_or(|author| repo.author() == author)
        && ask
            .parameter("pipeline_tag")
            .is_none_or(|tag| pipeline == Some(tag))
        && ask
            .parameter("gated")
            .is_none_or(|_| repo.gated.is_some() == ask.flag("gated"))
        && ask
            .parameter("num_parameters")
            .is_none_or(|range| within(range, fields))
        && filters.all(tagged)
}

/// Whether the parameters of a model lie in `min:6B,max:128B`; one that does not tell them is outside.
fn within(range: &str, fields: &Map<String, Value>) -> bool {
    let told = ["safetensors", "gguf"].map(|format| fields.get(format).and_then(|f| f["total"].as_f64()));
    let Some(total) = told.into_iter().flatten().next() else {
        return false;
    };
    range.split(',').all(|bound| match bound.split_once(':') {
        Some(("min", least)) => count(least).is_some_and(|least| total >= least),
        Some(("max", most)) => count(most).is_some_and(|most| total <= most),
        _ => false,
    })
}

fn count(text: &str) -> Option<f64> {
    let factor = match text.chars().last()? {
        'K' => 1e3,
        'M' => 1e6,
        'B' => 1e9,
        'T' => 1e12,
        _ => return None,
    };
    text[..text.len() - 1].parse::<f64>().ok().map(|n| n * factor)
}

/// Larger first; numbers as numbers, texts (dates) as texts.
fn descending(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64).unwrap_or(0.0);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    number(other)
        .total_cmp(&number(one))
        .then_with(|| text(other).cmp(&text(one)))
}

fn item(ask: &Ask, fields: &Map<String, Value>) -> Value {
    let expand = ask.parameters("expand");
    let mut fields = fields.clone();
    if !expand.is_empty() {
        return expanded(fields, &expand);
    }
    let full = ask.flag("full");
    fields.retain(|name, _| {
        SHORT.contains(&name.as_str())
            || (full
                && ["siblings", "sha", "lastModified", "author", "gated", "disabled"]
                    .contains(&name.as_str()))
            || ((full || ask.flag("cardData")) && name == "cardData")
            || (ask.flag("config") && name == "config")
    });
    Value::Object(fields)
}
