//! Files that are left out, brought back or wanted first while their job goes on.

mod api;

use std::collections::BTreeMap;
use std::time::Instant;

use FilePriority::{High, Normal, Skip};
use hfdepot::model::job::JobId;
use hfdepot::model::state::{FilePriority, FileState, JobStatus};
use hfdepot::store::{Change, ChoiceRefused, FileRow, JobProgress, Outcome};

use crate::control::{MIB, SOON, begun, wide};
use crate::support::base::{Base, commit, file};
use crate::support::depot::{Depot, request};
use crate::support::hub::{Content, Fault, FaultKind, Hub, Repo};

const REPO: &str = "acme/many";
const FOLDER: &str = "models--acme--many";

/// Large files of `sizes` MiB, named a.bin, b.bin and so on, and a small one.
fn many(sizes: &[u64]) -> Repo {
    let repo = Repo::model(REPO).file("config.json", "{}");
    sizes.iter().zip('a'..).fold(repo, |repo, (&size, name)| {
        repo.lfs(
            &format!("{name}.bin"),
            Content::generated(size * MIB, size * 64 + name as u64),
        )
    })
}

async fn choose(depot: &Depot, id: &JobId, wishes: &[(&str, FilePriority)]) -> Vec<FileRow> {
    let wishes: BTreeMap<_, _> = wishes
        .iter()
        .map(|(path, wish)| ((*path).to_owned(), *wish))
        .collect();
    let chosen = depot.store.choose_files(id, &wishes, 100, "ann").await;
    depot.engine.wake();
    chosen.expect("the database works").expect("allowed")
}

async fn file_of(depot: &Depot, id: &JobId, path: &str) -> FileRow {
    let files = depot.store.files(id, 100, 0).await.expect("the database works");
    files
        .into_iter()
        .find(|file| file.path.as_str() == path)
        .expect(path)
}

/// Waits until nothing is sent for a file any more.
async fn nothing_comes_soon(hub: &Hub, path: &str) {
    let subject = format!("{REPO}/{path}");
    let log = hub.log();
    let quiet = log.until(SOON, |log| {
        log.count(|entry| entry.subject == subject && entry.span().is_some() && !entry.finished()) == 0
    });
    assert!(quiet.await, "{path} still flows a second later");
}

fn has_part(depot: &Depot) -> bool {
    depot.staged(FOLDER).iter().any(|name| name.ends_with(".part"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_left_out_while_it_is_fetched_stops_within_a_second_and_the_others_complete_the_job() {
    let hub = Hub::start().await;
    hub.add(many(&[32, 12]));
    hub.set_total_rate(Some(8 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let id = depot.submit(&request(REPO)).await;
    begun(&depot, &id, 3 * MIB as i64).await;
    let rows = choose(&depot, &id, &[("a.bin", Skip)]).await;
    // What is shown is the wish at once.
    assert_eq!(
        (rows[0].priority, rows[0].shown_state()),
        (Skip, FileState::Skipped)
    );
    let job = depot.job(&id).await;
    assert_eq!((job.total_files, job.skipped_files), (2, 1));
    assert_eq!(job.total_bytes, 12 * MIB as i64 + 2);
    assert!(
        job.downloaded_bytes < 3 * MIB as i64,
        "its bytes do not count: {}",
        job.downloaded_bytes
    );
    nothing_comes_soon(&hub, "a.bin").await;
    assert!(has_part(&depot), "what came of it stays while the job goes on");
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!((job.total_files, job.completed_files), (2, 2));
    assert_eq!(job.downloaded_bytes, job.total_bytes);
    let left_out = file_of(&depot, &id, "a.bin").await;
    assert_eq!(
        (left_out.state, left_out.verification.as_str()),
        (FileState::Pending, "")
    );
    assert!(depot.snapshot_file(FOLDER, "main", "b.bin").is_some());
    assert!(depot.snapshot_file(FOLDER, "main", "a.bin").is_none());
    // Its part goes with the job, and the commit does not count as whole.
    depot.until_no_part(FOLDER).await;
    assert_eq!(depot.figure("SELECT complete FROM library_download").await, 0);
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_wanted_again_goes_on_at_its_marks() {
    let hub = Hub::start().await;
    hub.add(many(&[24, 8]));
    hub.set_total_rate(Some(8 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let id = depot.submit(&request(REPO)).await;
    begun(&depot, &id, 4 * MIB as i64).await;
    choose(&depot, &id, &[("a.bin", Skip)]).await;
    nothing_comes_soon(&hub, "a.bin").await;
    // In two turns at once, too: the last wish holds.
    choose(&depot, &id, &[("a.bin", Normal)]).await;
    choose(&depot, &id, &[("a.bin", Skip)]).await;
    choose(&depot, &id, &[("a.bin", Normal)]).await;
    let job = depot.job(&id).await;
    assert_eq!((job.total_files, job.skipped_files), (3, 0));
    assert!(
        job.downloaded_bytes >= 3 * MIB as i64,
        "its bytes count again: {}",
        job.downloaded_bytes
    );
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!((job.total_files, job.completed_files), (3, 3));
    assert_eq!(job.total_bytes, 32 * MIB as i64 + 2);
    let twice = hub.log().bytes_twice();
    assert!(twice <= 4 * MIB, "{twice} bytes came again");
    assert_eq!(file_of(&depot, &id, "a.bin").await.verification, "sha256");
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_wanted_first_is_fetched_before_those_that_were_begun() {
    let hub = Hub::start().await;
    hub.add(many(&[6, 6, 6, 6]));
    hub.set_total_rate(Some(6 * MIB));
    let mut tuning = wide(&hub);
    tuning.max_files_per_job = 1;
    let depot = Depot::start_with(tuning).await;
    let id = depot.submit(&request(REPO)).await;
    begun(&depot, &id, MIB as i64).await;
    let asked = Instant::now();
    choose(&depot, &id, &[("d.bin", High)]).await;
    let subject = format!("{REPO}/d.bin");
    let log = hub.log();
    let begins = log.until(SOON, |log| log.bytes_sent(&subject) > 0);
    assert!(begins.await, "not begun after {:?}", asked.elapsed());
    let mut changes = depot.store.changes();
    while file_of(&depot, &id, "d.bin").await.state != FileState::Complete {
        changes.recv().await.expect("changes");
    }
    for path in ["a.bin", "b.bin", "c.bin"] {
        assert_ne!(
            file_of(&depot, &id, path).await.state,
            FileState::Complete,
            "{path}"
        );
    }
    hub.set_total_rate(None);
    depot.until_status(&id, JobStatus::Completed).await;
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_survives_a_restart_and_a_job_without_wanted_files_completes_with_nothing() {
    let hub = Hub::start().await;
    hub.add(many(&[16]));
    hub.set_total_rate(Some(4 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let mut wanted = request(REPO);
    wanted.filters = vec!["=a.bin".into()];
    let id = depot.submit(&wanted).await;
    begun(&depot, &id, MIB as i64).await;
    depot.change(&id, Change::Pause).await;
    depot.until_let_go(&id).await;
    choose(&depot, &id, &[("a.bin", Skip)]).await;
    let dir = depot.stop().await;
    let sent = hub.log().bytes_sent_total();
    let depot = Depot::start_in(dir, wide(&hub)).await;
    assert_eq!(file_of(&depot, &id, "a.bin").await.priority, Skip);
    depot.change(&id, Change::Resume).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(
        (
            job.total_files,
            job.completed_files,
            job.total_bytes,
            job.skipped_files
        ),
        (0, 0, 0, 1)
    );
    assert_eq!(hub.log().bytes_sent_total(), sent);
    assert!(
        depot.snapshot(FOLDER, "main").is_none(),
        "no ref to a snapshot that is not there"
    );
    depot.until_no_part(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_keeps_the_choice_so_that_a_job_gets_past_a_file_that_cannot_be_had() {
    let hub = Hub::start().await;
    hub.add(many(&[2, 3]));
    let subject = format!("{REPO}/a.bin");
    hub.fault(
        Fault::on(
            &subject,
            FaultKind::Status {
                status: 404,
                headers: Default::default(),
                body: String::new(),
            },
        )
        .times(1000),
    );
    let depot = Depot::start_with(wide(&hub)).await;
    let id = depot.submit(&request(REPO)).await;
    depot.until_status(&id, JobStatus::Failed).await;
    choose(&depot, &id, &[("a.bin", Skip)]).await;
    depot.change(&id, Change::Retry).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(
        (job.total_files, job.completed_files, job.skipped_files),
        (2, 2, 1)
    );
    assert_eq!(file_of(&depot, &id, "a.bin").await.priority, Skip);
    depot.until_no_part(FOLDER).await;
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_paths_with_one_content_only_the_one_that_is_wanted_appears() {
    let hub = Hub::start().await;
    let content = Content::generated(12 * MIB, 5);
    hub.add(
        Repo::model(REPO)
            .lfs("a.bin", content.clone())
            .lfs("b.bin", content),
    );
    hub.set_total_rate(Some(8 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let id = depot.submit(&request(REPO)).await;
    begun(&depot, &id, MIB as i64).await;
    choose(&depot, &id, &[("a.bin", Skip)]).await;
    let job = depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!((job.total_files, job.completed_files), (1, 1));
    assert!(depot.snapshot_file(FOLDER, "main", "b.bin").is_some());
    assert!(depot.snapshot_file(FOLDER, "main", "a.bin").is_none());
    assert!(hub.log().bytes_twice() <= 2 * MIB, "{}", hub.log().bytes_twice());
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

/// A planned job of two files that its first run holds.
async fn planned() -> (Base, JobId, hfdepot::store::Lease) {
    let base = Base::new().await;
    let id = base.submit("o/r").await;
    let lease = base.claim().await.lease;
    let files = [file("a.bin", 'a'), file("b.bin", 'b')];
    base.store.store_plan(&lease, &commit(), &files).await.unwrap();
    (base, id, lease)
}

async fn wish(
    base: &Base,
    id: &JobId,
    path: &str,
    priority: FilePriority,
) -> Result<Vec<FileRow>, ChoiceRefused> {
    let wishes = BTreeMap::from([(path.to_owned(), priority)]);
    base.store.choose_files(id, &wishes, 10, "ann").await.unwrap()
}

#[tokio::test]
async fn figures_of_a_run_that_does_not_know_the_last_choice_are_not_shown() {
    let (base, id, lease) = planned().await;
    let figures = |bytes, choices| JobProgress {
        downloaded_bytes: bytes,
        choices,
        ..Default::default()
    };
    base.store
        .progress(&[(lease.clone(), figures(900, 0))], &[])
        .await
        .unwrap();
    wish(&base, &id, "a.bin", Skip).await.unwrap();
    let cut = base.job(&id).await;
    assert!(cut.downloaded_bytes <= cut.total_bytes);
    base.store
        .progress(&[(lease.clone(), figures(950, 0))], &[])
        .await
        .unwrap();
    assert_eq!(base.job(&id).await.downloaded_bytes, cut.downloaded_bytes);
    base.store
        .progress(&[(lease, figures(10, 1))], &[])
        .await
        .unwrap();
    assert_eq!(base.job(&id).await.downloaded_bytes, 10);
}

#[tokio::test]
async fn a_file_wanted_again_at_the_last_moment_keeps_its_job_from_completing() {
    let (base, id, lease) = planned().await;
    wish(&base, &id, "a.bin", Skip).await.unwrap();
    wish(&base, &id, "b.bin", Skip).await.unwrap();
    wish(&base, &id, "b.bin", Normal).await.unwrap();
    let status = base.store.settle(&lease, &Outcome::Completed).await.unwrap();
    assert_eq!(status, JobStatus::Queued);
    wish(&base, &id, "b.bin", Skip).await.unwrap();
    let lease = base.claim().await.lease;
    let status = base.store.settle(&lease, &Outcome::Completed).await.unwrap();
    assert_eq!(status, JobStatus::Completed);
    let refused = wish(&base, &id, "b.bin", Normal).await.unwrap_err();
    assert_eq!(refused, ChoiceRefused::Status(JobStatus::Completed));
}

#[tokio::test]
async fn a_file_left_out_when_it_was_all_but_here_counts_again() {
    let (base, id, lease) = planned().await;
    let rows = wish(&base, &id, "a.bin", Skip).await.unwrap();
    let settled = hfdepot::store::FileSettled {
        id: rows[0].id,
        state: FileState::Complete,
        verification: "sha256",
        failure: None,
    };
    base.store.settle_files(&lease, &[settled], &[]).await.unwrap();
    let job = base.job(&id).await;
    assert_eq!(
        (job.total_files, job.completed_files, job.skipped_files),
        (2, 1, 0)
    );
    // What is in place stays as it is.
    let rows = wish(&base, &id, "a.bin", Skip).await.unwrap();
    assert_eq!(
        (rows[0].priority, rows[0].shown_state()),
        (Normal, FileState::Complete)
    );
    assert_eq!(base.job(&id).await.total_files, 2);
}
