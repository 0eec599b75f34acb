//! Volumes that are full or refuse to be written to: jobs wait or say why, go on by themselves,
//! and nothing wrong ever has a final name. Needs the right to mount.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hfdepot::model::code::Code;
use hfdepot::model::job::Verify;
use hfdepot::model::state::{JobStatus, WaitReason};
use hfdepot::store::{Change, Job};
use tempfile::TempDir;

use crate::support::depot::{Depot, assert_blobs, request, tuning};
use crate::support::hub::{Content, Hub, Repo};

const MIB: u64 = 1 << 20;
const FOLDER: &str = "models--acme--big";

/// A small volume in memory, unmounted when dropped.
pub struct Volume {
    pub dir: TempDir,
}

impl Volume {
    /// `None`, said aloud, without the right to mount.
    pub fn mount(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        if run(
            "mount",
            &["-t", "tmpfs", "-o", options, "tmpfs", path(dir.path())],
        ) {
            return Some(Self { dir });
        }
        eprintln!("skipped: needs root to mount a small volume");
        None
    }

    pub fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(
            run("mount", &["-o", &options, path(self.dir.path())]),
            "{options}"
        );
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join("hub")
    }

    /// Takes so many bytes away; gives the file that holds them.
    pub fn fill(&self, bytes: u64) -> PathBuf {
        let ballast = self.dir.path().join("ballast");
        let _ = std::fs::write(&ballast, vec![1; bytes as usize]);
        ballast
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        run("umount", &["-l", path(self.dir.path())]);
    }
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

fn path(path: &Path) -> &str {
    path.to_str().expect("temporary directories have plain names")
}

async fn until_waiting_for_disk(depot: &Depot, id: &hfdepot::model::job::JobId) -> Job {
    let job = depot
        .until(id, |job| job.wait_reason.is_some() || job.status.is_terminal())
        .await;
    assert_eq!(
        (job.status, job.wait_reason),
        (JobStatus::Queued, Some(WaitReason::Disk)),
        "{}",
        job.error
    );
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_does_not_fit_waits_and_goes_on_when_space_is_freed() {
    let Some(volume) = Volume::mount("size=32m") else {
        return;
    };
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("model.gguf", Content::generated(20 * MIB, 1)));
    hub.add(Repo::model("acme/other").lfs("o.gguf", Content::generated(2 * MIB, 2)));
    let ballast = volume.fill(16 * MIB);
    let depot = Depot::start(&hub.endpoint()).await;
    let id = depot
        .submit_into(&request("acme/big"), &volume.cache(), Verify::Size)
        .await;
    let job = until_waiting_for_disk(&depot, &id).await;
    assert!(
        job.activity.contains("20"),
        "figures in the sentence: {}",
        job.activity
    );
    // What fits elsewhere goes on.
    let other = depot.submit(&request("acme/other")).await;
    depot.until_status(&other, JobStatus::Completed).await;
    assert_eq!(
        hub.log().bytes_sent("acme/big/model.gguf"),
        0,
        "asked before it is fetched"
    );
    std::fs::remove_file(ballast).unwrap();
    depot.until_status(&id, JobStatus::Completed).await;
    assert_blobs(&volume.cache().join(FOLDER));
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_keeps_the_room_that_it_has_not_filled_yet_and_no_more() {
    // On tmpfs nothing is allocated in front: what is not written shows nowhere but here.
    let Some(volume) = Volume::mount("size=48m") else {
        return;
    };
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("model.gguf", Content::generated(30 * MIB, 1)));
    hub.add(Repo::model("acme/fits").lfs("f.gguf", Content::generated(12 * MIB, 2)));
    hub.add(Repo::model("acme/more").lfs("m.gguf", Content::generated(20 * MIB, 3)));
    hub.set_total_rate(Some(4 * MIB));
    let depot = Depot::start(&hub.endpoint()).await;
    let submit = async |repo: &str| {
        let wanted = request(repo);
        depot.submit_into(&wanted, &volume.cache(), Verify::Size).await
    };
    let big = submit("acme/big").await;
    depot
        .until(&big, |job| job.downloaded_bytes >= 12 * MIB as i64)
        .await;
    // 36 MiB are free and 18 of them taken: room for 12, not for 20.
    let more = submit("acme/more").await;
    let waiting = until_waiting_for_disk(&depot, &more).await;
    assert!(waiting.activity.contains("reserved"), "{}", waiting.activity);
    let fits = submit("acme/fits").await;
    let job = depot
        .until(&fits, |job| {
            job.status == JobStatus::Running || job.wait_reason.is_some()
        })
        .await;
    assert_eq!(
        (job.status, job.wait_reason),
        (JobStatus::Running, None),
        "{}",
        job.activity
    );
    hub.set_total_rate(None);
    for id in [&big, &fits] {
        depot.until_status(id, JobStatus::Completed).await;
    }
    assert_eq!(depot.job(&more).await.wait_reason, Some(WaitReason::Disk));
    assert_eq!(hub.log().bytes_sent("acme/more/m.gguf"), 0, "never let in");
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_holds_cache_and_database_fills_up_and_the_service_goes_on() {
    let Some(volume) = Volume::mount("size=64m") else {
        return;
    };
    let hub = Hub::start().await;
    let mut repo = Repo::model("acme/big");
    for index in 0..24 {
        repo = repo.lfs(&format!("m-{index}.gguf"), Content::generated(MIB / 2, index));
    }
    hub.add(repo);
    hub.set_total_rate(Some(4 * MIB));
    let data = tempfile::tempdir_in(volume.dir.path()).unwrap();
    let depot = Depot::start_in(data, tuning(&hub.endpoint())).await;
    depot
        .store
        .lay_ballast(&depot.data_dir().join("hfdepot.db"))
        .expect("room");
    let id = depot.submit(&request("acme/big")).await;
    depot.until(&id, |job| job.network_bytes > MIB as i64).await;
    let filler = volume.fill(64 * MIB);
    // A window, not a condition: where even the wait cannot be recorded, nothing tells of it.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let job = depot.job(&id).await;
    assert!(!job.status.is_terminal(), "{} {}", job.status, job.error);
    assert_blobs(&depot.folder(FOLDER));
    assert!(
        depot.snapshot(FOLDER, "main").is_none(),
        "a ref to half a snapshot"
    );
    hub.set_total_rate(None);
    std::fs::remove_file(filler).unwrap();
    depot.engine.wake();
    depot.until_status(&id, JobStatus::Completed).await;
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_fills_up_in_the_middle_pauses_the_job_and_nothing_is_torn() {
    let Some(volume) = Volume::mount("size=24m") else {
        return;
    };
    let hub = Hub::start().await;
    let mut repo = Repo::model("acme/big");
    for index in 0..24 {
        repo = repo.lfs(&format!("m-{index}.gguf"), Content::generated(MIB / 2, index));
    }
    hub.add(repo);
    hub.set_total_rate(Some(4 * MIB));
    let depot = Depot::start(&hub.endpoint()).await;
    let id = depot
        .submit_into(&request("acme/big"), &volume.cache(), Verify::Size)
        .await;
    depot.until(&id, |job| job.network_bytes > MIB as i64).await;
    let ballast = volume.fill(24 * MIB);
    until_waiting_for_disk(&depot, &id).await;
    assert_blobs(&volume.cache().join(FOLDER));
    assert!(
        !volume.cache().join(FOLDER).join("refs/main").exists(),
        "no ref to half a snapshot"
    );
    hub.set_total_rate(None);
    std::fs::remove_file(ballast).unwrap();
    depot.until_status(&id, JobStatus::Completed).await;
    assert_blobs(&volume.cache().join(FOLDER));
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_whose_figures_lie_is_not_tried_without_a_pause() {
    // Bytes enough, names none: statfs promises room that no file can have.
    let Some(volume) = Volume::mount("size=64m,nr_inodes=40") else {
        return;
    };
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("model.gguf", Content::generated(2 * MIB, 1)));
    let names: Vec<_> = (0..60)
        .map(|index| volume.dir.path().join(format!("n{index}")))
        .collect();
    let made = names
        .iter()
        .filter(|name| std::fs::write(name, "").is_ok())
        .count();
    assert!(made < 60, "the volume ran out of names");
    let depot = Depot::start(&hub.endpoint()).await;
    let id = depot
        .submit_into(&request("acme/big"), &volume.cache(), Verify::Size)
        .await;
    until_waiting_for_disk(&depot, &id).await;
    // A window, not a condition: so many tries are a loop.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let job = depot.job(&id).await;
    assert!(job.attempt <= 4, "{} tries in three seconds", job.attempt);
    for name in &names {
        let _ = std::fs::remove_file(name);
    }
    depot.until_status(&id, JobStatus::Completed).await;
    assert_blobs(&volume.cache().join(FOLDER));
    depot.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_becomes_read_only_fails_the_job_with_its_reason() {
    let Some(volume) = Volume::mount("size=64m") else {
        return;
    };
    let hub = Hub::start().await;
    hub.add(Repo::model("acme/big").lfs("model.gguf", Content::generated(4 * MIB, 1)));
    let depot = Depot::start(&hub.endpoint()).await;
    std::fs::create_dir(volume.cache()).unwrap();
    volume.remount("ro");
    let id = depot
        .submit_into(&request("acme/big"), &volume.cache(), Verify::Size)
        .await;
    let job = depot.until_status(&id, JobStatus::Failed).await;
    assert_eq!(job.error_code, Some(Code::DiskReadOnly), "{}", job.error);
    assert!(job.error.contains(path(&volume.cache())), "{}", job.error);
    volume.remount("rw");
    depot.change(&id, Change::Retry).await;
    depot.until_status(&id, JobStatus::Completed).await;
    assert_blobs(&volume.cache().join(FOLDER));
    depot.stop().await;
}
