//! What befalls the engine: faults of the Hub and the network, meddling with its files, a clock
//! that is set, and the ends of its lives.

use std::fs::OpenOptions;

use hfdepot::store::DATABASE;
use sqlx::{Connection, SqliteConnection};

use super::life::Life;
use super::{Death, MIB, REPOS, Simulation};
use crate::support::hub::{Fault, FaultKind, Hop, Kind as HubKind, LinkForm, Repo, ThrottleForm};
use crate::support::ledger::Moments;

const HOUR_MS: i64 = 3_600_000;
/// What a part says of its boot after a loss of power.
pub const EARLIER_BOOT: &str = "the one before";

/// Kinds of trouble. Each seed lets a random half of them happen, so that rare ones meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Cut,
    Stall,
    Trickle,
    Closed,
    LateHead,
    Slow,
    WrongByte,
    WrongRange,
    WrongLength,
    Gzip,
    RangeRefused,
    RangeIgnored,
    NoLength,
    ShortLink,
    LinkRefused,
    LinksExpire,
    Throttle,
    Quota,
    Broken,
    Portal,
    Pages,
    Offline,
    Gated,
    PartGone,
    PartCut,
    DiskFull,
    NoSpace,
    SyncFails,
    ClockSet,
    BranchMoves,
}

const KINDS: [Kind; 30] = [
    Kind::Cut,
    Kind::Stall,
    Kind::Trickle,
    Kind::Closed,
    Kind::LateHead,
    Kind::Slow,
    Kind::WrongByte,
    Kind::WrongRange,
    Kind::WrongLength,
    Kind::Gzip,
    Kind::RangeRefused,
    Kind::RangeIgnored,
    Kind::NoLength,
    Kind::ShortLink,
    Kind::LinkRefused,
    Kind::LinksExpire,
    Kind::Throttle,
    Kind::Quota,
    Kind::Broken,
    Kind::Portal,
    Kind::Pages,
    Kind::Offline,
    Kind::Gated,
    Kind::PartGone,
    Kind::PartCut,
    Kind::DiskFull,
    Kind::NoSpace,
    Kind::SyncFails,
    Kind::ClockSet,
    Kind::BranchMoves,
];

/// A random half of the kinds.
pub fn swarm(chance: &mut fastrand::Rng) -> Vec<Kind> {
    KINDS.into_iter().filter(|_| chance.bool()).collect()
}

impl Simulation {
    pub(super) fn trouble(&mut self) {
        let Some(kind) = self.chance.choice(self.kinds.clone()) else {
            return;
        };
        let chance = &mut self.chance;
        let after_bytes = chance.u64(..2 * MIB);
        let seconds = *chance.choice(&[0, 1, 5, 40, 290, 900]).expect("some");
        let fault = match kind {
            Kind::Cut => FaultKind::CutBody {
                after_bytes,
                reset: chance.bool(),
            },
            Kind::Stall => FaultKind::StallBody {
                after_bytes,
                ms: chance.bool().then(|| chance.u64(..120_000)),
            },
            Kind::Trickle => FaultKind::Trickle {
                after_bytes,
                piece_bytes: chance.u64(1..2_000),
                every_ms: chance.u64(10..5_000),
            },
            Kind::Closed => FaultKind::CloseEarly,
            Kind::LateHead => FaultKind::DelayHeaders {
                ms: chance.u64(..60_000),
            },
            Kind::Slow => FaultKind::Rate {
                bytes_per_second: chance.u64(20_000..MIB),
            },
            Kind::WrongByte => FaultKind::CorruptByte { offset: after_bytes },
            Kind::WrongRange => FaultKind::WrongContentRange {
                shift: chance.i64(-1..=1),
                total: chance.i64(-7..7),
            },
            Kind::WrongLength => FaultKind::Resize {
                by: chance.i64(-5_000..5_000),
            },
            Kind::Gzip => FaultKind::Gzip,
            Kind::RangeRefused => FaultKind::RefuseRange,
            Kind::RangeIgnored => FaultKind::IgnoreRange,
            Kind::NoLength => FaultKind::DropHeader {
                name: "content-length".to_owned(),
            },
            Kind::ShortLink => FaultKind::SignedUrl {
                seconds: chance.bool().then_some(seconds),
                uses: Some(chance.u64(..3)),
            },
            Kind::Throttle => {
                let forms = [
                    ThrottleForm::RateLimit,
                    ThrottleForm::RetryAfter,
                    ThrottleForm::RetryDate,
                    ThrottleForm::Silent,
                ];
                let form = *chance.choice(&forms).expect("some");
                FaultKind::Throttle { form, seconds }
            }
            Kind::Pages => match chance.bool() {
                true => FaultKind::PageSize {
                    entries: chance.usize(1..3),
                },
                false => FaultKind::Link {
                    form: chance
                        .choice([LinkForm::Relative, LinkForm::Foreign, LinkForm::Endless])
                        .expect("some"),
                },
            },
            Kind::Offline => FaultKind::ListenerOff {
                listener: if chance.bool() { Hop::Hub } else { Hop::Cdn },
                ms: chance.u64(100..3 * HOUR_MS as u64),
            },
            Kind::LinkRefused => return self.fault(Fault::cdn_forbidden("acme/*")),
            Kind::Broken => {
                let status = *self.chance.choice(&[500, 502, 503, 504, 408]).expect("some");
                return self.fault(Fault::status("acme/*", status));
            }
            Kind::Portal => return self.fault(Fault::captive_portal("acme/*")),
            Kind::Gated => {
                let status = *self.chance.choice(&[401, 403, 404]).expect("some");
                return self.fault(Fault::status("acme/*", status));
            }
            Kind::LinksExpire => return self.hub.expire_signed_urls(),
            Kind::Quota => {
                let requests = self.chance.u64(1..12);
                let window = std::time::Duration::from_secs(300);
                return self.hub.set_quota("resolvers", requests, window);
            }
            Kind::BranchMoves => {
                let (repo, text) = (self.chance.usize(..REPOS), self.chance.u64(..));
                let file = |repo: Repo| repo.file("news.txt", text.to_string()).sealed();
                self.hub.edit(HubKind::Model, &super::id_of(repo), file);
                return;
            }
            Kind::PartGone | Kind::PartCut => return self.harm_a_part(kind),
            Kind::DiskFull => {
                self.settings.free_space_floor_bytes = match self.settings.free_space_floor_bytes {
                    Some(0) => Some(u64::MAX / 4),
                    _ => Some(0),
                };
                return self.apply_settings();
            }
            Kind::NoSpace => return self.platter.fail(self.chance.u32(1..20), 0),
            Kind::SyncFails => return self.platter.fail(0, self.chance.u32(1..=3)),
            Kind::ClockSet => {
                let ms = self.chance.i64(-8 * HOUR_MS..8 * HOUR_MS);
                return self.line.set_wall(ms);
            }
        };
        self.fault(Fault::on("acme/*", fault));
    }

    fn fault(&mut self, fault: Fault) {
        let (after, times) = (self.chance.u64(..4), self.chance.u64(1..=3));
        self.hub.fault(fault.after(after).times(times));
    }

    pub(super) fn end_all_trouble(&mut self) {
        self.hub.clear_faults();
        [Hop::Hub, Hop::Cdn].into_iter().for_each(|hop| self.hub.on(hop));
        for bucket in ["resolvers", "api", "pages"] {
            self.hub
                .set_quota(bucket, 100_000, std::time::Duration::from_secs(300));
        }
        self.platter.fail(0, 0);
        self.settings = super::settings(&self.hub, &self.platter);
        self.apply_settings();
    }

    /// Another program deletes or cuts a part file.
    fn harm_a_part(&mut self, kind: Kind) {
        let Some(path) = self.chance.choice(self.part_files()) else {
            return;
        };
        if kind == Kind::PartGone {
            std::fs::remove_file(path).expect("removed");
        } else if let Ok(file) = OpenOptions::new().write(true).open(path) {
            file.set_len(self.chance.u64(..MIB)).expect("cut");
        }
    }

    /// A life ends, and the next one begins: I1.
    pub(super) fn die(&mut self, death: Death) {
        let life = self.life.take().expect("it lives");
        let ledger = match death {
            Death::Stop => life.stop(),
            Death::Kill | Death::PowerCut => life.end(),
        };
        let log_bytes = match death {
            Death::PowerCut => self.moments.any(&mut self.chance),
            Death::Stop | Death::Kill => ledger.log_bytes(),
        };
        // The connections of the old life end by and by, and would touch the new one there.
        self.place = self.dir.path().join(self.lives.to_string());
        self.lives += 1;
        std::fs::create_dir(&self.place).expect("created");
        let database = self.place.join(DATABASE);
        ledger.copy_as_of(log_bytes, &database);
        self.bytes_at_the_end(&database, death);
        if death == Death::PowerCut {
            self.boot_anew();
        }
        self.i5_what_is_published_is_right();
        let life = Life::begin(&self.line, &self.place, self.settings.clone());
        self.moments = Moments::begin(&life.store, &database);
        self.moments.note_at_rest(&life.clock);
        self.life = Some(life);
        self.i1_what_was_acknowledged_is_there();
        // Who connects now is given everything.
        let rows = self.rows();
        self.mirror = rows.into_iter().map(|(seq, (shown, _))| (seq, shown)).collect();
    }

    /// Another boot begins.
    fn boot_anew(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let database = self.place.join(DATABASE);
        let done = runtime.expect("a runtime").block_on(async {
            let url = format!("sqlite://{}", database.display());
            let mut database = SqliteConnection::connect(&url).await?;
            sqlx::query("UPDATE part SET boot_id = ?")
                .bind(EARLIER_BOOT)
                .execute(&mut database)
                .await?;
            database.close().await
        });
        done.expect("the database works");
    }
}
