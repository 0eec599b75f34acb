//! A Hub within the process does to the client what one behind sockets does: else simulations
//! would tell of another world.

use std::sync::Arc;

use hfdepot::hub::{Budget, Class, HubClient, HubConfig, HubError};
use hfdepot::model::code::Code;
use hfdepot::model::plan::RepoFile;
use hfdepot::model::repo::RepoType;

use crate::support::hub::{Content, Fault, FaultKind, Hop, Hub, Repo};
use crate::support::wire;

const SIZE: u64 = 300_000;

fn faults() -> Vec<Option<FaultKind>> {
    let faults = vec![
        FaultKind::CloseEarly,
        FaultKind::CutBody {
            after_bytes: 70_000,
            reset: false,
        },
        FaultKind::CutBody {
            after_bytes: 0,
            reset: true,
        },
        FaultKind::DropHeader {
            name: "content-length".to_owned(),
        },
        FaultKind::Resize { by: -10 },
        FaultKind::Resize { by: 10 },
        FaultKind::Gzip,
        FaultKind::RefuseRange,
        FaultKind::IgnoreRange,
        FaultKind::WrongContentRange { shift: 1, total: 0 },
        FaultKind::CorruptByte { offset: 1_000 },
    ];
    std::iter::once(None)
        .chain(faults.into_iter().map(Some))
        .collect()
}

/// What comes of the bytes from 1,000 to 200,000: how many came, which first, and the error.
async fn outcome(
    hub: &Hub,
    config: HubConfig,
    fault: &Option<FaultKind>,
) -> (usize, Option<u8>, Option<(Class, Code)>) {
    let content = Content::generated(SIZE, 5);
    let commit = hub.add(Repo::model("acme/r").lfs("a.gguf", content.clone()));
    if let Some(kind) = fault {
        hub.fault(Fault::on("acme/r/*", kind.clone()).at(Hop::Cdn));
    }
    let client = HubClient::new(config, Arc::new(Budget::new())).expect("a client");
    let file = RepoFile {
        path: "a.gguf".parse().expect("a path"),
        size_bytes: SIZE,
        blob_id: content.sha256().parse().expect("a hash"),
        git_oid: String::new(),
        xet_hash: None,
    };
    let (id, commit) = (
        "acme/r".parse().expect("an id"),
        commit.parse().expect("a commit"),
    );
    let remote = client.file(RepoType::Model, &id, &commit, &file);
    let mut bytes = Vec::new();
    let read = async {
        let mut body = remote.open(Some(1_000..200_000)).await?;
        while let Some(piece) = body.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok::<_, HubError>(())
    };
    let error = read.await.err().map(|error| (error.class, error.code));
    assert!(hub.log().authorization_at_cdn().is_empty());
    (bytes.len(), bytes.first().copied(), error)
}

#[tokio::test]
async fn every_fault_within_the_process_means_what_it_means_over_sockets() {
    let cases = faults().into_iter().map(|fault| (false, fault));
    for (shut, fault) in cases.chain([(true, None)]) {
        let sockets = Hub::start().await;
        let config = |hub: &Hub| HubConfig {
            endpoint: hub.endpoint().parse().expect("an endpoint"),
            ..HubConfig::default()
        };
        let here = Arc::new(Hub::without_sockets());
        if shut {
            sockets.off(Hop::Cdn).await;
            here.off(Hop::Cdn).await;
        }
        let over_sockets = outcome(&sockets, config(&sockets), &fault).await;
        let mut config = config(&here);
        config.wire = wire::to(&here);
        let within = outcome(&here, config, &fault).await;
        match (over_sockets, within) {
            // How much of what was sent arrives before a break is the network's business.
            ((.., Some(one)), (.., Some(other))) => assert_eq!(one, other, "{fault:?}"),
            (one, other) => assert_eq!(one, other, "{fault:?}"),
        }
    }
}
