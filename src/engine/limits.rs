//! Live limits of connections: over all jobs, of one job, of one file.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The limit of a job's own number of connections; without one, more than there ever are.
pub fn own(connections: Option<i64>) -> usize {
    connections.map_or(Semaphore::MAX_PERMITS, |number| number.max(1) as usize)
}

/// A semaphore whose size can change while permits are out. Waiters are served in order.
#[derive(Debug)]
pub struct Permits {
    semaphore: Arc<Semaphore>,
    state: Mutex<State>,
    /// Rung at each change of the limit.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Permits that are out although the limit no longer has room for them.
    debt: usize,
}

/// The right to one connection; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    permits: Arc<Permits>,
    inner: Option<OwnedSemaphorePermit>,
}

impl Permits {
    /// Room for `limit` holders.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            semaphore: Arc::new(Semaphore::new(limit)),
            state: Mutex::new(State { limit, debt: 0 }),
            changed: Notify::new(),
        })
    }

    /// Changes the limit. For each holder above a lower one a `Permit::unwanted` returns.
    pub fn set_limit(&self, limit: usize) {
        let mut state = self.lock();
        if limit == state.limit {
            return;
        }
        if limit > state.limit {
            let more = limit - state.limit;
            let paid = more.min(state.debt);
            state.debt -= paid;
            self.semaphore.add_permits(more - paid);
        } else {
            let fewer = state.limit - limit;
            state.debt += fewer - self.semaphore.forget_permits(fewer);
        }
        state.limit = limit;
        self.changed.notify_waiters();
    }

    /// Holders that there may be now.
    pub fn limit(&self) -> usize {
        self.lock().limit
    }

    /// Ends when the limit changes after this call. Call it before looking at [`limit`](Self::limit):
    /// then no change goes unheard.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Waits for a free place.
    pub async fn acquire(self: &Arc<Self>) -> Permit {
        // The semaphore is never closed, so this cannot fail; without a permit the holder
        // would merely not be counted.
        let inner = self.semaphore.clone().acquire_owned().await.ok();
        Permit {
            permits: self.clone(),
            inner,
        }
    }

    /// Holders at this moment.
    pub fn in_use(&self) -> usize {
        let state = self.lock();
        (state.limit + state.debt).saturating_sub(self.semaphore.available_permits())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Returns when the limit was lowered below what is out and this holder is one too many.
    /// Its place is given up then, so that no other holder leaves for it.
    pub async fn unwanted(&mut self) {
        let permits = self.permits.clone();
        loop {
            let changed = permits.changed();
            if self.give_up() {
                return;
            }
            changed.await;
        }
    }

    /// Takes this place out of the limit when there are too many.
    fn give_up(&mut self) -> bool {
        let mut state = self.permits.lock();
        if state.debt == 0 {
            return false;
        }
        let Some(inner) = self.inner.take() else {
            return false;
        };
        state.debt -= 1;
        inner.forget();
        true
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_up();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lower_limit_takes_permits_back_as_they_return() {
        let permits = Permits::new(3);
        let (mut one, two, mut three) = (
            permits.acquire().await,
            permits.acquire().await,
            permits.acquire().await,
        );
        {
            let unwanted = one.unwanted();
            tokio::pin!(unwanted);
            assert!(futures_util::poll!(&mut unwanted).is_pending());
            permits.set_limit(1);
            unwanted.await;
        }
        drop(one);
        drop(two);
        {
            let unwanted = three.unwanted();
            tokio::pin!(unwanted);
            assert!(futures_util::poll!(&mut unwanted).is_pending(), "two have left");
        }
        assert_eq!(permits.in_use(), 1);
        drop(three);
        let only = permits.acquire().await;
        let second = permits.acquire();
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        permits.set_limit(2);
        let second = second.await;
        assert_eq!(permits.in_use(), 2);
        drop((only, second));
    }

    #[tokio::test]
    async fn a_job_without_a_limit_of_its_own_gets_one_and_loses_it_while_it_works() {
        let permits = Permits::new(own(None));
        let held = [permits.acquire().await, permits.acquire().await];
        let heard = permits.changed();
        permits.set_limit(own(Some(1)));
        heard.await;
        assert_eq!((permits.limit(), permits.in_use()), (1, 2));
        drop(held);
        let only = permits.acquire().await;
        let second = permits.acquire();
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        permits.set_limit(own(None));
        drop((only, second.await));
        assert_eq!(permits.in_use(), 0);
    }
}
