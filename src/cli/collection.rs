//! Collections of the Hub on the command line: the address of one stands for all repos in it.

use serde_json::{Map, Value, json};

use super::client::{Client, Method};
use super::print;
use super::verb::{ask, repo_path};
use crate::lifecycle::{Exit, ExitError};
use crate::model::collection::CollectionId;

/// A repo of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `owner/name`.
    pub repo: String,
    /// Whether it is a dataset.
    pub dataset: bool,
}

/// The repos behind the address of a collection, and on standard error what is left out of it;
/// `None` when `text` is no such address.
///
/// # Errors
/// What the service said; when there is nothing to download in it.
pub async fn members(client: &Client, text: &str) -> anyhow::Result<Option<Vec<Member>>> {
    let Some(id) = CollectionId::in_address(text) else {
        return Ok(None);
    };
    let path = format!("/api/collections/{}", repo_path(id.as_str()));
    let found = ask(client, Method::GET, &path, None).await?;
    let members: Vec<Member> = print::list(&found, "items")
        .iter()
        .map(|item| Member {
            repo: print::text(item, "repo").to_owned(),
            dataset: item["dataset"] == true,
        })
        .collect();
    if let Some(line) = left_out(&found) {
        eprintln!("{line}");
    }
    if members.is_empty() {
        return Err(ExitError {
            exit: Exit::NotFound,
            message: format!("The collection {id} holds no model and no dataset"),
        }
        .into());
    }
    Ok(Some(members))
}

/// `Left out of "Title": 2 paper, 1 space`, in the Hub's words.
fn left_out(found: &Value) -> Option<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for entry in print::list(found, "leftOut") {
        let kind = print::text(entry, "type");
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    if counts.is_empty() {
        return None;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(kind, count)| format!("{count} {}", print::plain(kind)))
        .collect();
    let title = print::plain(print::text(found, "title"));
    Some(format!("Left out of \"{title}\": {}", parts.join(", ")))
}

/// `body` for each of the members in place of the one that it names.
pub fn bodies(body: &Map<String, Value>, members: &[Member]) -> Vec<Map<String, Value>> {
    let of = |member: &Member| {
        let mut body = body.clone();
        body.insert("repo".to_owned(), json!(member.repo));
        body.insert("dataset".to_owned(), json!(member.dataset));
        body
    };
    members.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_by_kind() {
        let entry = |kind: &str| json!({"type": kind, "name": "x"});
        let found = json!({"title": "T\u{1b}", "leftOut": [entry("paper"), entry("space"), entry("paper")]});
        assert_eq!(
            left_out(&found).as_deref(),
            Some("Left out of \"T\\u{1b}\": 2 paper, 1 space")
        );
        assert_eq!(left_out(&json!({"leftOut": []})), None);
    }
}
