//! Runs of seeded simulations: which seeds, on which threads, and what a failure says.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// Runs `simulate` with each seed and its number in the row: the one of `HFDEPOT_SEED`, as many
/// random ones as `HFDEPOT_SEEDS` says, or `count`. Prints the seed of a failure.
///
/// The seeds are shared out among as many threads as there are cores, each of which stays on its
/// core together with the threads it begins: SQLite works on threads of its own, and waking one
/// on another core takes several times as long.
pub fn run(name: &str, count: u64, simulate: impl Fn(u64, u64) + Sync + std::panic::RefUnwindSafe) {
    if let Some(seed) = number("HFDEPOT_SEED") {
        return simulate(seed, 1);
    }
    let begun = Instant::now();
    let first = fastrand::u64(..u64::MAX / 2);
    let count = number("HFDEPOT_SEEDS").unwrap_or(count);
    let next = AtomicU64::new(0);
    let work = |core: usize| {
        stay_on(core);
        loop {
            let number = next.fetch_add(1, Relaxed);
            if number >= count {
                return;
            }
            let seed = first + number;
            if let Err(panic) = std::panic::catch_unwind(|| simulate(seed, number)) {
                // Nobody begins another one.
                next.store(count, Relaxed);
                eprintln!("the {name} fails with HFDEPOT_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    };
    // The clock and the dice of a run belong to its thread.
    std::thread::scope(|scope| {
        for core in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            let work = &work;
            scope.spawn(move || work(core));
        }
    });
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    let pace = count as f64 / minutes;
    eprintln!("{name}: {count} seeds from {first}, {pace:.0} a minute");
}

/// Keeps this thread, and those it begins, on one of the cores it may use.
#[cfg(target_os = "linux")]
fn stay_on(core: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let Ok(allowed) = sched_getaffinity(None) else {
        return;
    };
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    if let Some(core) = cores.nth(core) {
        let mut only = CpuSet::new();
        only.set(core);
        // Without it everything works, slower.
        let _ = sched_setaffinity(None, &only);
    }
}

#[cfg(not(target_os = "linux"))]
fn stay_on(_: usize) {}
