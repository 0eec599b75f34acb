//! Stops, crashes and losses of power: what is fetched again, and that the result is right.

use std::time::Duration;

use hfdepot::engine::Tuning;
use hfdepot::model::job::{JobId, Verify};
use hfdepot::model::state::JobStatus;
use hfdepot::store::{Change, Job};
use tempfile::TempDir;
use tokio::runtime::Builder;

use crate::support::depot::{Depot, eventually, figure_in, locked, meddle, request, tuning};
use crate::support::hub::{Content, Fault, FaultKind, Hop, Hub, Kind, Repo};
use crate::support::life::Life;

const MIB: u64 = 1 << 20;
const FOLDER: &str = "models--acme--big";
/// What a broken connection may hold that its reader never saw, of one range of a paced Hub.
const IN_FLIGHT: u64 = 256 << 10;

fn big(size: u64) -> Repo {
    Repo::model("acme/big")
        .file("config.json", "{}")
        .lfs("model.gguf", Content::generated(size, 9))
}

fn wide(hub: &Hub) -> Tuning {
    Tuning {
        multipart_threshold_bytes: MIB,
        connections: 4,
        ..tuning(&hub.endpoint())
    }
}

impl Life {
    fn submit(&self, verify: Verify) -> JobId {
        self.run(async |depot| depot.submit_verified(&request("acme/big"), verify).await)
    }

    fn until_bytes(&self, id: &JobId, bytes: u64) {
        self.run(async |depot| {
            depot.until(id, |job| job.downloaded_bytes >= bytes as i64).await;
        });
    }

    fn completes(&self, id: &JobId) {
        self.run(async |depot| {
            depot.until_status(id, JobStatus::Completed).await;
            let read = depot
                .snapshot_file(FOLDER, "main", "model.gguf")
                .expect("the file");
            let size = read.len() as u64;
            assert!(
                read == Content::generated(size, 9).to_bytes().unwrap(),
                "other bytes"
            );
            depot.assert_whole(FOLDER).await;
        });
    }
}

fn hub_with(size: u64, rate: u64) -> Hub {
    let hub = Hub::on_ports(0, 0).expect("ports");
    hub.add(big(size));
    hub.set_total_rate(Some(rate));
    hub
}

fn dir() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn sum(dir: &TempDir, marks: &str) -> u64 {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(figure_in(
        dir.path(),
        &format!("SELECT COALESCE(SUM({marks}), 0) FROM segment"),
    )) as u64
}

fn meddle_in(dir: &TempDir, sql: &str) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(meddle(dir.path(), sql));
}

/// Starts again with a fast Hub and an empty log; gives the bytes of the file that were fetched.
fn second_life(hub: &Hub, dir: TempDir, id: &JobId) -> (Life, u64) {
    hub.set_total_rate(None);
    hub.log().clear();
    let life = Life::begin(dir, wide(hub));
    life.completes(id);
    let sent = hub.log().bytes_sent("acme/big/model.gguf");
    (life, sent)
}

#[test]
fn a_service_that_stops_softly_goes_on_at_its_marks() {
    let hub = hub_with(32 * MIB, 16 * MIB);
    let life = Life::begin(dir(), wide(&hub));
    let id = life.submit(Verify::Size);
    life.until_bytes(&id, 6 * MIB);
    let dir = life.stop();
    assert_eq!(
        sum(&dir, "written_bytes"),
        sum(&dir, "synced_bytes"),
        "all is synced"
    );
    hub.set_total_rate(None);
    let life = Life::begin(dir, wide(&hub));
    life.completes(&id);
    assert!(
        hub.log().bytes_twice() <= 4 * IN_FLIGHT,
        "{}",
        hub.log().bytes_twice()
    );
    // Nothing is asked of the Hub that was known: one listing, not two.
    let listings = hub.log().count(|entry| entry.path.contains("/tree/"));
    assert_eq!(listings, 1);
    life.stop();
}

#[test]
fn a_crash_costs_at_most_a_mebibyte_for_each_open_range() {
    let hub = hub_with(48 * MIB, 16 * MIB);
    let life = Life::begin(dir(), wide(&hub));
    let id = life.submit(Verify::Size);
    let waiting = life.run(async |depot| {
        let mut later = request("acme/big");
        later.filters = vec!["gguf".into()];
        later.not_before_at = Some(i64::MAX / 2);
        depot.submit(&later).await
    });
    let mut dir = None;
    let mut life = Some(life);
    for bytes in [6, 14, 22] {
        let this = life
            .take()
            .unwrap_or_else(|| Life::begin(dir.take().unwrap(), wide(&hub)));
        this.until_bytes(&id, bytes * MIB);
        dir = Some(this.crash());
    }
    hub.set_total_rate(None);
    let life = Life::begin(dir.unwrap(), wide(&hub));
    life.completes(&id);
    let status = life.run(async |depot| depot.job(&waiting).await.status);
    assert_eq!(status, JobStatus::Queued, "what was acknowledged is there");
    let twice = hub.log().bytes_twice();
    assert!(twice <= 3 * 4 * MIB, "{twice} bytes again after three crashes");
    life.stop();
}

/// Fetches some, crashes, and leaves marks of which only a part was synced.
fn half_synced(hub: &Hub, verify: Verify) -> (TempDir, JobId) {
    let life = Life::begin(dir(), wide(hub));
    let id = life.submit(verify);
    life.until_bytes(&id, 4 * MIB);
    // A pause is one moment at which everything is synced.
    life.run(async |depot| {
        depot.change(&id, Change::Pause).await;
        depot.until_let_go(&id).await;
        depot.change(&id, Change::Resume).await;
    });
    life.until_bytes(&id, 12 * MIB);
    let dir = life.crash();
    assert!(sum(&dir, "written_bytes") > sum(&dir, "synced_bytes"));
    (dir, id)
}

#[test]
fn after_a_loss_of_power_only_synced_marks_are_believed() {
    let hub = hub_with(32 * MIB, 16 * MIB);
    let (dir, id) = half_synced(&hub, Verify::None);
    // What the power took: every byte behind the synced marks.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let part = dir.path().join("hub").join(FOLDER).join(".hfdepot");
    let part = part.join(format!("{}.part", Content::generated(32 * MIB, 9).sha256()));
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(part)
        .expect("the part");
    let marks = |which: &str, start: u64| {
        let sql = format!("SELECT {which} FROM segment WHERE start_bytes = {start}");
        runtime.block_on(figure_in(dir.path(), &sql)) as u64
    };
    for start in [0, 8, 16, 24].map(|start| start * MIB) {
        let (synced, written) = (marks("synced_bytes", start), marks("written_bytes", start));
        let zeros = vec![0; (written - synced) as usize];
        std::os::unix::fs::FileExt::write_all_at(&file, &zeros, start + synced).unwrap();
    }
    drop(file);
    meddle_in(&dir, "UPDATE part SET boot_id = 'the boot before'");
    let synced = sum(&dir, "synced_bytes");
    let (life, sent) = second_life(&hub, dir, &id);
    assert_eq!(sent, 32 * MIB - synced, "the synced marks are what counts");
    life.stop();
}

#[test]
fn the_hash_goes_on_from_its_saved_state() {
    let hub = hub_with(32 * MIB, 16 * MIB);
    let (dir, id) = half_synced(&hub, Verify::Size);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let hashed = runtime.block_on(figure_in(dir.path(), "SELECT hashed_bytes FROM part"));
    assert!(hashed > 0, "no state was saved");
    let (life, _) = second_life(&hub, dir, &id);
    let events = format!("SELECT COUNT(*) FROM event WHERE event = 'hashing_again' AND job_id = '{id}'");
    assert_eq!(life.run(async |depot| depot.figure(&events).await), 0);
    life.stop();
}

#[test]
fn a_damaged_hash_state_is_found_out_before_the_data_is_blamed() {
    let hub = hub_with(32 * MIB, 16 * MIB);
    let (dir, id) = half_synced(&hub, Verify::Size);
    // Another state of the same length, which restores but continues wrongly.
    meddle_in(
        &dir,
        "UPDATE part SET hash_state = CAST(X'FF00FF00' || substr(hash_state, 5) AS BLOB)",
    );
    let written = sum(&dir, "written_bytes");
    let (life, sent) = second_life(&hub, dir, &id);
    assert_eq!(sent, 32 * MIB - written, "good data was thrown away");
    life.stop();
}

#[test]
fn a_part_deleted_while_nobody_ran_is_fetched_anew() {
    let hub = hub_with(24 * MIB, 16 * MIB);
    let (dir, id) = half_synced(&hub, Verify::None);
    let staging = dir.path().join("hub").join(FOLDER).join(".hfdepot");
    let part = format!("{}.part", Content::generated(24 * MIB, 9).sha256());
    std::fs::remove_file(staging.join(part)).unwrap();
    let (life, sent) = second_life(&hub, dir, &id);
    assert_eq!(sent, 24 * MIB);
    life.stop();
}

#[test]
fn another_file_in_the_place_of_the_part_is_not_believed() {
    let hub = hub_with(24 * MIB, 16 * MIB);
    let (dir, id) = half_synced(&hub, Verify::None);
    let staging = dir.path().join("hub").join(FOLDER).join(".hfdepot");
    let part = staging.join(format!("{}.part", Content::generated(24 * MIB, 9).sha256()));
    std::fs::rename(&part, dir.path().join("old")).unwrap();
    std::fs::write(&part, vec![0; 24 << 20]).unwrap();
    let (life, sent) = second_life(&hub, dir, &id);
    assert_eq!(sent, 24 * MIB);
    life.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_deleted_or_cut_again_and_again_is_fetched_again_and_right() {
    let hub = Hub::start().await;
    hub.add(big(16 * MIB));
    hub.set_total_rate(Some(16 * MIB));
    let depot = Depot::start_with(wide(&hub)).await;
    let id = depot.submit(&request("acme/big")).await;
    let staging = depot.folder(FOLDER).join(".hfdepot");
    let part = staging.join(format!("{}.part", Content::generated(16 * MIB, 9).sha256()));
    let gone =
        format!("SELECT COALESCE(SUM(times), 0) FROM event WHERE event = 'part_gone' AND job_id = '{id}'");
    let refetched = format!("SELECT refetched_bytes FROM job WHERE id = '{id}'");
    let mut before = -1;
    for round in 0..3 {
        // Before a byte is written there is nothing to lose, and nothing is noticed.
        let written = "SELECT COUNT(*) FROM segment WHERE written_bytes > 0";
        let whole = || std::fs::metadata(&part).is_ok_and(|metadata| metadata.len() == 16 * MIB);
        eventually(async || {
            whole() && depot.figure(&refetched).await > before && depot.figure(written).await > 0
        })
        .await;
        before = depot.figure(&refetched).await;
        if round == 1 {
            let file = std::fs::OpenOptions::new()
                .write(true)
                .open(&part)
                .expect("the part");
            file.set_len(1000).unwrap();
        } else {
            std::fs::remove_file(&part).unwrap();
        }
    }
    hub.set_total_rate(None);
    depot.until_status(&id, JobStatus::Completed).await;
    assert_eq!(depot.figure(&gone).await, 3, "each loss was noticed");
    depot.assert_whole(FOLDER).await;
    depot.stop().await;
}

#[test]
fn the_commit_stays_although_main_moves_between_two_lives() {
    let hub = hub_with(16 * MIB, 16 * MIB);
    let first = hub.commit("acme/big", "main");
    let life = Life::begin(dir(), wide(&hub));
    let id = life.submit(Verify::Size);
    life.until_bytes(&id, 3 * MIB);
    let dir = life.crash();
    let second = hub.edit(Kind::Model, "acme/big", |repo| {
        repo.file("config.json", "{\"new\":true}").commit("newer")
    });
    assert_ne!(first, second);
    hub.set_total_rate(None);
    let life = Life::begin(dir, wide(&hub));
    life.completes(&id);
    life.run(async |depot| {
        let commit = depot.job(&id).await.commit.map(|commit| commit.to_string());
        assert_eq!(commit.as_deref(), Some(first.as_str()));
        let config = depot.snapshot_file(FOLDER, "main", "config.json");
        assert_eq!(config.as_deref(), Some(&b"{}"[..]));
    });
    life.stop();
}

#[test]
fn a_crash_while_a_part_file_is_made_leaves_none_that_nobody_knows_of() {
    let (hub, dir) = (hub_with(8 * MIB, 16 * MIB), dir());
    // The run makes a part as soon as another program lets go of the one that is there.
    let staging = dir.path().join("hub").join(FOLDER).join(".hfdepot");
    std::fs::create_dir_all(&staging).expect("created");
    let content = Content::generated(8 * MIB, 9);
    let part = staging.join(format!("{}.part", content.sha256()));
    let held = std::fs::File::create(&part).expect("created");
    held.lock().expect("locked");
    let life = Life::begin(dir, wide(&hub));
    let id = life.submit(Verify::Size);
    let database = life.run(async |depot| {
        let busy = |job: &Job| job.activity.contains("another program");
        depot.until(&id, busy).await;
        // No row can be written from here on.
        let database = locked(depot.data_dir()).await;
        std::fs::remove_file(&part).expect("removed");
        drop(held);
        // A window, not a condition: it looks at the part each half second.
        let made = eventually(async || part.exists());
        let _ = tokio::time::timeout(Duration::from_secs(2), made).await;
        database
    });
    let dir = life.crash();
    drop(database);
    let paused = Tuning {
        paused: true,
        ..wide(&hub)
    };
    let life = Life::begin(dir, paused);
    life.run(async |depot| {
        depot.change(&id, Change::Cancel).await;
        depot.until_no_part(FOLDER).await;
    });
    life.stop();
}

#[test]
fn pause_and_cancel_hold_across_a_crash() {
    let hub = hub_with(32 * MIB, 8 * MIB);
    // So that the run cannot have let go before the crash.
    hub.fault(Fault::on(
        "acme/big/config.json",
        FaultKind::DelayHeaders { ms: 50 },
    ));
    let life = Life::begin(dir(), wide(&hub));
    let id = life.submit(Verify::Size);
    life.until_bytes(&id, 2 * MIB);
    life.run(async |depot| depot.change(&id, Change::Pause).await);
    let dir = life.crash();
    let life = Life::begin(dir, wide(&hub));
    life.run(async |depot| {
        assert_eq!(depot.job(&id).await.status, JobStatus::Paused);
        depot.change(&id, Change::Resume).await;
        depot.until(&id, |job| job.bytes_per_second > 0).await;
        depot.change(&id, Change::Cancel).await;
    });
    let dir = life.crash();
    let life = Life::begin(dir, wide(&hub));
    life.run(async |depot| {
        assert_eq!(depot.job(&id).await.status, JobStatus::Cancelled);
        depot.until_no_part(FOLDER).await;
    });
    life.stop();
}

#[test]
fn a_segment_that_was_cut_in_two_goes_on_after_a_crash() {
    let hub = Hub::on_ports(0, 0).expect("ports");
    hub.add(big(16 * MIB));
    // One of the two segments comes so slowly that the idle connection takes its second half.
    let slow = FaultKind::Rate {
        bytes_per_second: 64 << 10,
    };
    hub.fault(
        Fault::on("acme/big/model.gguf", slow)
            .at(Hop::Cdn)
            .times(2)
            .after(1),
    );
    let life = Life::begin(dir(), wide(&hub));
    let id = life.submit(Verify::Size);
    life.run(async |depot| {
        eventually(async || depot.figure("SELECT COUNT(*) FROM segment").await > 2).await;
    });
    let dir = life.crash();
    assert_eq!(sum(&dir, "length_bytes"), 16 * MIB);
    let marked = sum(&dir, "written_bytes");
    assert!(marked >= 8 * MIB, "{marked}");
    let life = Life::begin(dir, wide(&hub));
    life.completes(&id);
    let twice = hub.log().bytes_twice();
    assert!(twice <= 2 * MIB, "{twice}");
    life.stop();
}
