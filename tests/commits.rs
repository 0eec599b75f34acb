//! The newest commits of a repo, and how far what is here is behind.

use serde_json::json;

use crate::support::hub::{Hub, Kind, Repo};
use crate::support::service::Service;

fn repo() -> Repo {
    Repo::model("acme/living").file("config.json", "{\"n\": 0}")
}

fn changed(repo: Repo, number: usize) -> Repo {
    repo.file("config.json", format!("{{\"n\": {number}}}"))
        .commit(&format!("Change {number}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_here_is_counted_against_the_newest_commits_with_one_request() {
    let hub = Hub::start().await;
    let first = hub.add(repo());
    let service = Service::start(&hub.endpoint()).await;
    let path = "/api/commits/acme/living";
    let (status, none) = service.get(path).await;
    assert_eq!(status, 200, "{none}");
    assert_eq!((&none["behind"], &none["held"]), (&json!(null), &json!(null)));
    let id = service.submit("acme/living").await;
    service.until_status(&id, "completed").await;
    let (_, newest) = service.get(&format!("{path}?revision={first}")).await;
    assert_eq!(newest["behind"], 0, "{newest}");
    assert_eq!(newest["held"], json!({"commit": first, "refs": ["main"]}));

    for number in 1..=3 {
        hub.edit(Kind::Model, "acme/living", |repo| changed(repo, number));
    }
    let head = hub.commit("acme/living", "main");
    hub.log().clear();
    let asked = format!("{path}?revision={head}");
    let (_, behind) = service.get(&asked).await;
    assert_eq!(
        (&behind["behind"], &behind["behindMore"]),
        (&json!(3), &json!(false))
    );
    assert_eq!(behind["held"]["commit"], first);
    let commits = behind["commits"].as_array().expect("a list");
    let titles: Vec<_> = commits
        .iter()
        .map(|commit| commit["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, ["Change 3", "Change 2", "Change 1", "Upload files"]);
    let cached: Vec<_> = commits.iter().map(|commit| commit["cached"] == true).collect();
    assert_eq!(cached, [false, false, false, true]);
    assert!(commits[0]["date"].as_str().unwrap().ends_with('Z'));
    // The commits of a commit never change: nobody is asked again, and what is here still counts.
    let id = service.submit("acme/living").await;
    service.until_status(&id, "completed").await;
    let (_, here) = service.get(&asked).await;
    assert_eq!((&here["behind"], &here["more"]), (&json!(0), &json!(false)));
    let entries = hub.log().entries();
    let questions = entries.iter().filter(|entry| entry.path.contains("/commits/"));
    assert_eq!(questions.count(), 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_one_page_it_is_at_least_so_many_and_off_the_branch_nobody_knows() {
    let hub = Hub::start().await;
    hub.add(repo().branch("old"));
    let service = Service::start(&hub.endpoint()).await;
    let id = service.submit("acme/living").await;
    service.until_status(&id, "completed").await;
    hub.edit(Kind::Model, "acme/living", |repo| (1..=55).fold(repo, changed));
    let (_, far) = service.get("/api/commits/acme/living").await;
    assert_eq!(
        (&far["behind"], &far["behindMore"], &far["more"]),
        (&json!(50), &json!(true), &json!(true))
    );
    assert_eq!(far["held"], json!(null));
    // A repo that began anew under its old name: what is here belongs to no commit of it.
    hub.remove(Kind::Model, "acme/living");
    hub.add(Repo::model("acme/living").file("other.txt", "x"));
    let (_, off) = service.get("/api/commits/acme/living?revision=refs/pr/1").await;
    assert_eq!(off["error_detail"]["reason"], "revision_not_found", "{off}");
    let head = hub.commit("acme/living", "main");
    let (_, off) = service
        .get(&format!("/api/commits/acme/living?revision={head}"))
        .await;
    assert_eq!(
        (&off["behind"], &off["behindMore"]),
        (&json!(null), &json!(false))
    );
    let (status, missing) = service.get("/api/commits/acme/none").await;
    assert_eq!((status, &missing["error"]), (404, &json!("Commits not loaded")));
    service.stop().await;
}
