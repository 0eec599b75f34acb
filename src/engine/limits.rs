//! The live limit of connections over all jobs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// A semaphore whose size can change while permits are out. Waiters are served in order.
#[derive(Debug)]
pub struct Permits {
    semaphore: Arc<Semaphore>,
    state: Mutex<State>,
    lowered: Notify,
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
            lowered: Notify::new(),
        })
    }

    /// Changes the limit. For each holder above a lower one a `Permit::unwanted` returns.
    pub fn set_limit(&self, limit: usize) {
        let mut state = self.lock();
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
        self.lowered.notify_waiters();
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
            let lowered = permits.lowered.notified();
            tokio::pin!(lowered);
            lowered.as_mut().enable();
            if self.give_up() {
                return;
            }
            lowered.await;
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
}
