//! Contents that several repos keep: found, shared after a proof, and counted as what they are.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::depot::assert_blobs;
use crate::support::hub::{Content, Hub, Repo};
use crate::support::service::Service;

const LARGE: usize = 2 << 20;

fn weights() -> Content {
    vec![7u8; LARGE].into()
}

/// A service whose cache has the same weights in three repos, and a small file in two.
async fn stocked(hub: &Hub) -> Service {
    for name in ["acme/base", "acme/fine", "acme/mixed"] {
        let repo = Repo::model(name).lfs("model.safetensors", weights());
        let repo = match name {
            "acme/mixed" => repo.file("config.json", "{\"mixed\": 1}"),
            _ => repo.file("config.json", "{}"),
        };
        hub.add(repo);
    }
    let service = Service::start(&hub.endpoint()).await;
    for name in ["acme/base", "acme/fine", "acme/mixed"] {
        let id = service.submit(name).await;
        service.until_status(&id, "completed").await;
    }
    service
}

fn folder(service: &Service, name: &str) -> PathBuf {
    let hub = service.home().join(".cache/huggingface/hub");
    hub.join(format!("models--acme--{name}"))
}

fn blob(service: &Service, name: &str) -> PathBuf {
    folder(service, name).join("blobs").join(weights().sha256())
}

fn inode(service: &Service, name: &str) -> u64 {
    fs::metadata(blob(service, name)).expect("a blob").ino()
}

/// Lets the repos share, and waits for the end of the job.
async fn share(service: &Service, status: &str) -> Value {
    let (code, job) = service.post("/api/cache/duplicates", json!({})).await;
    assert_eq!(code, 202, "{job}");
    assert_eq!(job["kind"], "verify");
    service
        .until_status(job["id"].as_str().expect("an id"), status)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_twice_is_listed_and_shared_and_then_listed_no_more() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let (status, found) = service.get("/api/cache/duplicates").await;
    assert_eq!(status, 200, "{found}");
    assert_eq!(
        (&found["count"], &found["copies"], &found["freesBytes"]),
        (&json!(1), &json!(2), &json!(2 * LARGE))
    );
    let item = &found["items"][0];
    assert_eq!(item["blobId"], weights().sha256());
    assert_eq!((&item["bytes"], &item["copies"]), (&json!(LARGE), &json!(3)));
    let replaced: Vec<_> = item["repos"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|repo| repo["replaced"] == true)
        .collect();
    assert_eq!(replaced, [false, true, true], "{item}");
    // Small ones count when they are asked for: two of three have the same.
    let (_, all) = service.get("/api/cache/duplicates?minBytes=0").await;
    assert_eq!(all["count"], 2, "{all}");

    let job = share(&service, "completed").await;
    let expected = json!({"shared": 2, "freedBytes": 2 * LARGE, "leftOut": [], "errors": []});
    assert_eq!(job["result"], expected, "{job}");
    assert_eq!(inode(&service, "base"), inode(&service, "fine"));
    assert_eq!(inode(&service, "base"), inode(&service, "mixed"));
    for name in ["base", "fine", "mixed"] {
        assert_blobs(&folder(&service, name));
    }
    let (_, found) = service.get("/api/cache/duplicates").await;
    assert_eq!((&found["count"], &found["freesBytes"]), (&json!(0), &json!(0)));
    // It was compared, and the index knows it.
    let (_, shown) = service.get("/api/cache/acme/fine").await;
    assert_eq!(shown["verification"], "verified", "{shown}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_repos_share_counts_once_in_the_sums_and_is_named_in_each() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let list = async |query: &str| {
        let (status, list) = service.get(&format!("/api/cache?fresh=true{query}")).await;
        assert_eq!(status, 200, "{list}");
        list
    };
    let sum = |list: &Value, key: &str| -> i64 {
        let repos = list["repos"].as_array().expect("repos").iter();
        repos.map(|repo| repo[key].as_i64().expect("a number")).sum()
    };
    let large = LARGE as i64;
    let apart = list("").await;
    assert_eq!(apart["stats"]["totalSize"], sum(&apart, "size"));
    assert_eq!(apart["stats"]["sharedSize"], 0);
    assert_eq!(sum(&apart, "sharedSize"), 0);
    share(&service, "completed").await;
    let together = list("").await;
    assert_eq!(
        sum(&together, "size"),
        sum(&apart, "size"),
        "each has its own size"
    );
    assert_eq!(together["stats"]["sharedSize"], 2 * large);
    let total = sum(&apart, "size") - 2 * large;
    assert_eq!(together["stats"]["totalSize"], total);
    assert_eq!(sum(&together, "diskShare"), total);
    assert_eq!(sum(&together, "sharedSize"), 3 * large);
    // Among those that are listed, one has it alone.
    let one = list("&search=fine").await;
    assert_eq!(one["stats"]["totalSize"], one["repos"][0]["size"]);
    assert_eq!(one["repos"][0]["sharedSize"], large);
    let (_, shown) = service.get("/api/cache/acme/fine").await;
    assert_eq!(shown["sharedSize"], large, "{shown}");
    // By a link of somebody else's making too.
    let (from, to) = (blob(&service, "mixed"), blob(&service, "fine"));
    fs::remove_file(&to).expect("a file goes");
    fs::copy(&from, &to).expect("a copy");
    let less = list("").await;
    assert_eq!(less["stats"]["sharedSize"], large, "{}", less["stats"]);
    fs::remove_file(&to).expect("a file goes");
    fs::hard_link(&from, &to).expect("a link");
    let more = list("").await;
    assert_eq!(more["stats"]["sharedSize"], 2 * large, "{}", more["stats"]);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_counts_what_another_repo_shares_as_staying() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let preview = async |name: &str| {
        let path = format!("/api/cache/acme/{name}?type=model&dryRun=true");
        service.delete(&path).await.1
    };
    assert!(preview("fine").await["freesBytes"].as_u64() >= Some(LARGE as u64));
    share(&service, "completed").await;
    let fine = preview("fine").await;
    assert!(fine["freesBytes"].as_u64() < Some(LARGE as u64), "{fine}");
    assert!(fine["keepsBytes"].as_u64() >= Some(LARGE as u64), "{fine}");
    for name in ["fine", "mixed"] {
        let (status, deleted) = service
            .delete(&format!("/api/cache/acme/{name}?type=model"))
            .await;
        assert_eq!(status, 200, "{deleted}");
    }
    // The last name takes the content along.
    assert_blobs(&folder(&service, "base"));
    assert!(preview("base").await["freesBytes"].as_u64() >= Some(LARGE as u64));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_content_is_never_given_to_others() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let path = blob(&service, "base");
    let mut bytes = fs::read(&path).expect("a blob");
    bytes[1000] ^= 1;
    fs::write(&path, bytes).expect("writable");
    let job = share(&service, "failed").await;
    assert_eq!(job["errorCode"], "hash_mismatch", "{job}");
    assert_eq!(job["result"]["shared"], 0, "{job}");
    let errors = job["result"]["errors"].as_array().expect("a list");
    assert_eq!(errors.len(), 2, "{job}");
    let (_, shown) = service.get("/api/cache/acme/base").await;
    assert_eq!(shown["verification"], "bad", "{shown}");
    assert_ne!(inode(&service, "base"), inode(&service, "fine"));
    assert_blobs(&folder(&service, "fine"));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_copy_gives_way_to_the_right_content() {
    let hub = Hub::start().await;
    let service = stocked(&hub).await;
    let path = blob(&service, "fine");
    let mut bytes = fs::read(&path).expect("a blob");
    bytes[1000] ^= 1;
    fs::write(&path, bytes).expect("writable");
    share(&service, "completed").await;
    assert_blobs(&folder(&service, "fine"));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_size_is_refused_and_nothing_is_shared_by_mistake() {
    let hub = Hub::start().await;
    let service = Service::start(&hub.endpoint()).await;
    for query in ["?minBytes=-1", "?minBytes=many"] {
        let (status, answer) = service.get(&format!("/api/cache/duplicates{query}")).await;
        assert_eq!(status, 400, "{answer}");
    }
    for body in [
        json!({"minBytes": -1}),
        json!({"minBytes": "1GiB"}),
        json!([]),
        json!("all"),
    ] {
        let (status, answer) = service.post("/api/cache/duplicates", body).await;
        assert_eq!(status, 400, "{answer}");
    }
    service.stop().await;
}
