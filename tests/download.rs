//! A download from the queue into the cache: what is fetched, verified and published.

use hfdepot::model::code::Code;
use hfdepot::model::job::Verify;
use hfdepot::model::state::{FileState, JobStatus};
use hfdepot::store::Change;

use crate::support::depot::{Depot, names, request, tuning};
use crate::support::hub::{Content, Fault, FaultKind, Hub, Repo};

const MIB: u64 = 1 << 20;

fn tiny() -> Repo {
    Repo::model("acme/tiny")
        .file("config.json", &b"{\"model_type\":\"tiny\"}"[..])
        .file("empty.txt", "")
        .file("sp ace #1/\u{fc}n%ic\"de.txt", "odd names are names")
        .lfs("model.safetensors", Content::generated(40 * MIB + 7, 1))
        .lfs("copy/model.safetensors", Content::generated(40 * MIB + 7, 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repo_arrives_complete_verified_and_readable_through_its_ref() {
    let hub = Hub::start().await;
    let commit = hub.add(tiny());
    let depot = Depot::start(&hub.endpoint()).await;
    let id = depot.submit(&request("acme/tiny")).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(job.commit.as_ref().map(|c| c.as_str()), Some(commit.as_str()));
    assert_eq!((job.total_files, job.completed_files), (5, 5));
    assert_eq!(job.downloaded_bytes, job.total_bytes);
    let read = |path| {
        depot
            .snapshot_file("models--acme--tiny", "main", path)
            .expect(path)
    };
    assert_eq!(read("config.json"), b"{\"model_type\":\"tiny\"}");
    assert_eq!(read("empty.txt"), b"");
    assert_eq!(read("sp ace #1/\u{fc}n%ic\"de.txt"), b"odd names are names");
    let model = Content::generated(40 * MIB + 7, 1).to_bytes().unwrap();
    assert!(read("model.safetensors") == model && read("copy/model.safetensors") == model);
    let files = depot.store.files(&id, 100, 0).await.unwrap();
    assert!(
        files
            .iter()
            .all(|file| file.state == FileState::Complete && !file.verification.is_empty())
    );
    // Nothing is left behind, nothing was asked twice, and the token-less CDN saw no secret.
    assert_eq!(depot.staged("models--acme--tiny"), Vec::<String>::new());
    assert_eq!(hub.log().bytes_twice(), 0);
    assert_eq!(hub.log().heads(), 0);
    let folder = depot.hub_cache().join("models--acme--tiny").display().to_string();
    assert!(depot.store.part_blobs(&folder).await.unwrap().is_empty());
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_cache_is_not_fetched_again() {
    let hub = Hub::start().await;
    hub.add(tiny());
    let depot = Depot::start(&hub.endpoint()).await;
    let first = depot.submit(&request("acme/tiny")).await;
    depot.until_status(&first, JobStatus::Completed).await;
    hub.log().clear();
    for verify in [Verify::Size, Verify::Sha256] {
        let again = depot.submit_verified(&request("acme/tiny"), verify).await;
        assert_ne!(again, first);
        let job = depot.until_status(&again, JobStatus::Completed).await;
        assert_eq!(job.network_bytes, 0);
        assert_eq!(job.reused_bytes, job.total_bytes);
    }
    assert_eq!(hub.log().bytes_sent_total(), 0);
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_blob_in_the_cache_is_repaired_when_hashes_are_asked_for() {
    let hub = Hub::start().await;
    hub.add(tiny());
    let depot = Depot::start(&hub.endpoint()).await;
    let first = depot.submit(&request("acme/tiny")).await;
    depot.until_status(&first, JobStatus::Completed).await;
    let snapshot = depot.snapshot("models--acme--tiny", "main").unwrap();
    let blob = std::fs::canonicalize(snapshot.join("model.safetensors")).unwrap();
    let mut bytes = std::fs::read(&blob).unwrap();
    bytes[1_000_000] ^= 1;
    std::fs::write(&blob, &bytes).unwrap();
    let again = depot.submit_verified(&request("acme/tiny"), Verify::Sha256).await;
    depot.until_status(&again, JobStatus::Completed).await;
    assert!(std::fs::read(&blob).unwrap() == Content::generated(40 * MIB + 7, 1).to_bytes().unwrap());
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_byte_is_fetched_once_more_and_then_right() {
    let hub = Hub::start().await;
    hub.add(tiny());
    hub.fault(
        Fault::on(
            "acme/tiny/model.safetensors",
            FaultKind::CorruptByte { offset: 5_000_000 },
        )
        .times(1),
    );
    hub.fault(Fault::on("acme/tiny/config.json", FaultKind::CorruptByte { offset: 3 }).times(1));
    let depot = Depot::start(&hub.endpoint()).await;
    let id = depot.submit(&request("acme/tiny")).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert!(job.refetched_bytes > 0);
    let model = Content::generated(40 * MIB + 7, 1).to_bytes().unwrap();
    assert!(
        depot
            .snapshot_file("models--acme--tiny", "main", "model.safetensors")
            .unwrap()
            == model
    );
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_is_damaged_twice_fails_loudly_and_is_never_published() {
    let hub = Hub::start().await;
    hub.add(tiny());
    hub.fault(
        Fault::on(
            "acme/tiny/*model.safetensors",
            FaultKind::CorruptByte { offset: 5_000_000 },
        )
        .times(100),
    );
    let depot = Depot::start(&hub.endpoint()).await;
    let id = depot.submit(&request("acme/tiny")).await;
    let job = depot.until_status(&id, JobStatus::Failed).await;
    assert_eq!(job.error_code, Some(Code::HashMismatch));
    assert!(job.error.contains("model.safetensors"), "{}", job.error);
    assert!(
        depot.snapshot("models--acme--tiny", "main").is_none(),
        "no ref to a snapshot that is not whole"
    );
    let content = Content::generated(40 * MIB + 7, 1);
    let blob = content.sha256();
    assert!(
        !depot
            .hub_cache()
            .join("models--acme--tiny/blobs")
            .join(blob)
            .exists()
    );
    // The good files are there, and a retry needs only what failed.
    hub.clear_faults();
    hub.log().clear();
    depot.change(&id, Change::Retry).await;
    depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(hub.log().bytes_sent("acme/tiny/config.json"), 0);
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_commit_is_kept_from_being_pruned() {
    let hub = Hub::start().await;
    let commit = hub.add(tiny());
    let depot = Depot::start(&hub.endpoint()).await;
    let mut pinned = request("acme/tiny");
    pinned.revision = commit.parse().unwrap();
    let id = depot.submit(&pinned).await;
    depot.until_status(&id, JobStatus::Completed).await;
    let refs = depot.hub_cache().join("models--acme--tiny/refs");
    assert_eq!(
        std::fs::read_to_string(refs.join("hfdepot").join(&commit)).unwrap(),
        commit
    );
    assert_eq!(names(&refs), ["hfdepot"]);
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_choose_and_nothing_matching_fails_with_a_sentence() {
    let hub = Hub::start().await;
    hub.add(
        Repo::model("acme/quants")
            .file("config.json", "{}")
            .lfs("m-Q4_K_M.gguf", Content::generated(MIB, 2))
            .lfs("m-Q8_0.gguf", Content::generated(MIB, 3)),
    );
    let depot = Depot::start(&hub.endpoint()).await;
    let mut some = request("acme/quants");
    some.filters = vec!["q4_k_m".into()];
    let id = depot.submit(&some).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(job.total_files, 2);
    some.filters = vec!["q2_k".into()];
    let id = depot.submit(&some).await;
    let job = depot.until_status(&id, JobStatus::Failed).await;
    assert_eq!(job.error_code, Some(Code::NothingMatched));
    assert!(job.error.contains("q2_k"), "{}", job.error);
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_small_files_are_published_in_batches() {
    let hub = Hub::start().await;
    let mut repo = Repo::model("acme/many");
    for index in 0..600u64 {
        repo = repo.file(
            &format!("d{}/f{index}.txt", index % 17),
            Content::generated(1 + index * 31 % 9000, index),
        );
    }
    hub.add(repo);
    let depot = Depot::start_with(tuning(&hub.endpoint())).await;
    let id = depot.submit(&request("acme/many")).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(job.completed_files, 600);
    assert_eq!(hub.log().bytes_twice(), 0);
    depot.stop().await;
}
