//! Places for connections, as many as are worth having: `model::width` says how many, this
//! measures for it and keeps to it.
//!
//! The cap over all connections is another matter, and hard: see `limits`. A place is soft: who
//! holds one when the number falls keeps it to the end of its request, so that no byte on its
//! way is lost.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::model::width::{ANSWER_WORK_BYTES, Look, Width};

use super::Shared;

/// Time between two looks while connections are at work: four in the shortest window.
const LOOK: Duration = Duration::from_millis(50);

/// The places of the engine.
pub struct Places {
    state: Mutex<State>,
    semaphore: Arc<Semaphore>,
    in_use: AtomicUsize,
    /// Connections that work, wait for a place, or will soon.
    wanted: AtomicUsize,
    work: AtomicU64,
    /// Mean time from a request to the head of its answer, microseconds.
    latency_us: AtomicU64,
    /// Rung when the first place is taken.
    begun: Notify,
    /// Rung when there may be room for more.
    roomier: Notify,
    clock: Instant,
}

struct State {
    width: Width,
    /// Places that exist: free ones in the semaphore and those that are out, less the debt.
    places: usize,
    /// Places that are out although there is no room for them any more.
    debt: usize,
}

/// One place, given back when dropped.
pub struct Place {
    places: Arc<Places>,
    permit: Option<OwnedSemaphorePermit>,
}

/// The wish for places, for as long as it lives.
pub struct Wish {
    places: Arc<Places>,
    count: usize,
}

impl Places {
    /// At most `cap` places.
    pub fn new(cap: usize) -> Arc<Self> {
        let width = Width::new(cap);
        let places = width.current();
        Arc::new(Self {
            state: Mutex::new(State {
                width,
                places,
                debt: 0,
            }),
            semaphore: Arc::new(Semaphore::new(places)),
            in_use: AtomicUsize::new(0),
            wanted: AtomicUsize::new(0),
            work: AtomicU64::new(0),
            latency_us: AtomicU64::new(0),
            begun: Notify::new(),
            roomier: Notify::new(),
            clock: Instant::now(),
        })
    }

    /// Waits for a place, in order.
    pub async fn acquire(self: &Arc<Self>) -> Place {
        // The semaphore is never closed; without a permit the place would merely not be counted.
        let permit = self.semaphore.clone().acquire_owned().await.ok();
        if self.in_use.fetch_add(1, Relaxed) == 0 {
            self.begun.notify_one();
        }
        Place {
            places: self.clone(),
            permit,
        }
    }

    /// Says that `count` connections will ask for places.
    pub fn wish(self: &Arc<Self>, count: usize) -> Wish {
        self.wanted.fetch_add(count, Relaxed);
        Wish {
            places: self.clone(),
            count,
        }
    }

    /// How many there are now.
    pub fn count(&self) -> usize {
        self.lock().width.current()
    }

    /// Whether there are more places than connections that want one.
    pub fn has_room(&self) -> bool {
        self.wanted.load(Relaxed) < self.lock().width.current()
    }

    /// Ends when there are more places, or fewer that want one, than when it was called. Call it before
    /// looking at [`count`](Self::count) or [`has_room`](Self::has_room): then no change goes unheard.
    pub fn roomier(&self) -> Notified<'_> {
        self.roomier.notified()
    }

    /// Changes the cap; acts at once on whoever asks for a place from now on.
    pub fn set_cap(&self, cap: usize) {
        let mut state = self.lock();
        state.width.set_cap(cap);
        self.fit(&mut state);
    }

    /// Bytes came.
    pub fn received(&self, bytes: u64) {
        self.work.fetch_add(bytes, Relaxed);
    }

    /// The head of an answer came, so long after its request.
    pub fn answered(&self, after: Duration) {
        self.work.fetch_add(ANSWER_WORK_BYTES, Relaxed);
        let news = after.as_micros() as u64;
        let mean = self.latency_us.load(Relaxed);
        // A lost update among thousands changes nothing.
        let mean = if mean == 0 {
            news
        } else {
            mean - mean / 8 + news / 8
        };
        self.latency_us.store(mean, Relaxed);
    }

    /// The Hub answered a question about a repo, so long after it: the first that is known of how far
    /// away its files are.
    pub fn introduced(&self, after: Duration) {
        let mut state = self.lock();
        state.width.answered_in(after.as_millis() as u64);
        self.fit(&mut state);
    }

    /// Mean time from a request to the head of its answer.
    pub fn latency(&self) -> Duration {
        Duration::from_micros(self.latency_us.load(Relaxed))
    }

    /// Why a job that may have `own` connections has as many as it has, for people.
    pub fn reason(&self, own: usize) -> String {
        let state = self.lock();
        // As long as fewer are worth having, its own limit changes nothing.
        match own {
            1 => "One connection: the job may have no more".to_owned(),
            own if own < state.width.current() => {
                format!("Up to {own} connections: the job may have no more")
            }
            _ => state.width.to_string(),
        }
    }

    /// Looks and adapts, for as long as the engine lives. Sleeps while nothing is under way.
    pub(super) async fn run(shared: Arc<Shared>) {
        let this = &shared.places;
        loop {
            if this.in_use.load(Relaxed) == 0 {
                // Two looks without work let the next transfer begin anew.
                let _ = tokio::time::timeout(2 * Duration::from_secs(1), this.begun.notified()).await;
                this.look(&shared);
                if this.in_use.load(Relaxed) == 0 {
                    this.begun.notified().await;
                }
            }
            tokio::time::sleep(LOOK).await;
            this.look(&shared);
        }
    }

    fn look(&self, shared: &Shared) {
        let limited = shared.tuning.borrow().max_speed_bytes.is_some();
        let mut state = self.lock();
        let (before, why) = (state.width.current(), state.width.reason());
        state.width.look(Look {
            at_ms: self.clock.elapsed().as_millis() as u64,
            work: self.work.load(Relaxed),
            in_use: self.in_use.load(Relaxed),
            latency_ms: self.latency().as_millis() as u64,
            limited,
        });
        if (before, why) != (state.width.current(), state.width.reason()) {
            tracing::debug!(before, reason = %state.width, "connections worth having");
            self.fit(&mut state);
        }
    }

    /// Lets the semaphore follow the width.
    fn fit(&self, state: &mut State) {
        let wanted = state.width.current();
        if wanted > state.places {
            let more = wanted - state.places;
            let paid = more.min(state.debt);
            state.debt -= paid;
            self.semaphore.add_permits(more - paid);
            self.roomier.notify_waiters();
        } else {
            let fewer = state.places - wanted;
            state.debt += fewer - self.semaphore.forget_permits(fewer);
        }
        state.places = wanted;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.in_use.fetch_sub(1, Relaxed);
        let mut state = self.places.lock();
        if state.debt > 0
            && let Some(permit) = self.permit.take()
        {
            state.debt -= 1;
            permit.forget();
        }
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        self.places.wanted.fetch_sub(self.count, Relaxed);
        self.places.roomier.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lower_cap_lets_holders_finish_and_nobody_in_before_they_have() {
        let places = Places::new(3);
        let (one, two) = (places.acquire().await, places.acquire().await);
        places.set_cap(1);
        drop(one);
        let third = places.acquire();
        tokio::pin!(third);
        assert!(futures_util::poll!(&mut third).is_pending(), "one is still out");
        drop(two);
        let third = third.await;
        places.set_cap(2);
        let _fourth = places.acquire().await;
        assert_eq!(places.in_use.load(Relaxed), 2);
        drop(third);
        let _fifth = places.acquire().await;
    }

    #[tokio::test]
    async fn there_is_room_while_fewer_want_a_place_than_there_are() {
        let places = Places::new(4);
        let three = places.wish(3);
        assert!(places.has_room());
        let one = places.wish(1);
        assert!(!places.has_room());
        drop((three, one));
        assert!(places.has_room());
    }
}
