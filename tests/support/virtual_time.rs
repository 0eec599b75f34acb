//! Runtimes whose clock leaps to the next thing to be done as soon as nothing is under way, one
//! after another on one line of time: the wall clock goes with it, through any number of lives.
//!
//! Tokio's paused clock leaps while a task waits for another thread, unless tokio began that
//! thread itself. SQLite works on threads of sqlx's own; so whoever would let the clock leap here
//! asks first whether the store is at work, and waits for it if so.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use hfdepot::clock;
use hfdepot::store::Store;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::Instant;

/// Real time that a call of the store may take. One that takes longer waits for the clock, which
/// waits for it: a transaction is held open over a pause.
const PATIENCE: Duration = Duration::from_secs(20);

/// The line of time, and the wall clock beside it.
pub struct Timeline {
    begun: Instant,
    wall_ms: Arc<AtomicI64>,
    now: Mutex<Instant>,
}

impl Timeline {
    /// Begins where the wall clock shows `wall_ms`, UTC milliseconds.
    pub fn new(wall_ms: i64) -> Self {
        let begun = Instant::now();
        clock::follow(wall_ms, begun);
        Self {
            begun,
            wall_ms: Arc::new(AtomicI64::new(wall_ms)),
            now: Mutex::new(begun),
        }
    }

    /// When the last runtime stopped, or stands still.
    pub fn now(&self) -> Instant {
        *lock(&self.now)
    }

    /// Sets the wall clock forward or back, as a sleep of the machine or its user does.
    pub fn set_wall(&self, by_ms: i64) {
        let wall_ms = self.wall_ms.fetch_add(by_ms, SeqCst) + by_ms;
        clock::follow(wall_ms, self.begun);
    }

    fn stands_at(&self, now: Instant) {
        *lock(&self.now) = now;
    }
}

/// What tokio does not know to be under way.
#[derive(Default)]
struct Outside {
    store: Mutex<Option<Store>>,
    others: AtomicUsize,
    handle: Mutex<Option<Handle>>,
    main: Main,
    at_rest: Mutex<Option<Box<dyn Fn() + Send>>>,
}

/// Wakes the future of [`Leaping::run`], which tokio does not keep in a queue.
#[derive(Default)]
struct Main {
    woken: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Wake for Outside {
    fn wake(self: Arc<Self>) {
        self.main.woken.store(true, SeqCst);
        let waker = lock(&self.main.waker);
        if let Some(waker) = &*waker {
            waker.wake_by_ref();
        }
    }
}

impl Outside {
    fn is_busy(&self) -> bool {
        let store = lock(&self.store);
        self.others.load(SeqCst) > 0 || store.as_ref().is_some_and(|store| !store.is_idle())
    }

    fn has_work(&self) -> bool {
        let queued = |handle: &Handle| handle.metrics().global_queue_depth() > 0;
        let handle = lock(&self.handle);
        self.main.woken.load(SeqCst) || handle.as_ref().is_some_and(queued)
    }

    /// Called when nothing is to be done.
    fn wait(&self) {
        let mut begun = None;
        while self.is_busy() {
            if self.has_work() {
                // Who queued it may not have rung yet, and without that the clock would leap over it.
                if let Some(waker) = &*lock(&self.main.waker) {
                    waker.wake_by_ref();
                }
                return;
            }
            std::thread::yield_now();
            let begun = *begun.get_or_insert_with(std::time::Instant::now);
            assert!(
                begun.elapsed() < PATIENCE,
                "a call of the store waits for the clock"
            );
        }
        if let Some(at_rest) = &*lock(&self.at_rest) {
            at_rest();
        }
    }
}

/// A runtime on this thread whose clock leaps.
pub struct Leaping {
    runtime: Runtime,
    outside: Arc<Outside>,
    line: Arc<Timeline>,
}

impl Leaping {
    /// Goes on where the line of time stands.
    pub fn new(line: &Arc<Timeline>) -> Self {
        let outside = Arc::<Outside>::default();
        let (waits, wall_ms, begun) = (outside.clone(), line.wall_ms.clone(), line.begun);
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .on_thread_park(move || waits.wait())
            .on_thread_start(move || clock::follow(wall_ms.load(SeqCst), begun))
            .build()
            .expect("a runtime");
        *lock(&outside.handle) = Some(runtime.handle().clone());
        let this = Self {
            runtime,
            outside,
            line: line.clone(),
        };
        let behind = line.now();
        this.run(async {
            tokio::time::advance(behind.saturating_duration_since(Instant::now())).await;
        });
        this
    }

    /// Waits for calls of this store before the clock leaps.
    pub fn watch(&self, store: &Store) {
        *lock(&self.outside.store) = Some(store.clone());
    }

    /// Calls `look` whenever the clock is about to leap.
    pub fn at_rest(&self, look: impl Fn() + Send + 'static) {
        *lock(&self.outside.at_rest) = Some(Box::new(look));
    }

    /// Runs everything until `work` is done.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let outside = &self.outside;
        self.runtime
            .block_on(std::future::poll_fn(|context: &mut Context<'_>| {
                *lock(&outside.main.waker) = Some(context.waker().clone());
                outside.main.woken.store(false, SeqCst);
                let waker = Waker::from(outside.clone());
                let done = Pin::new(&mut work)
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker));
                if done.is_ready() {
                    self.line.stands_at(Instant::now());
                }
                done
            }))
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.run(async { tokio::time::sleep(time).await });
    }

    /// Runs `work` and lets no time pass: for what waits for threads that nobody knows of.
    pub fn run_outside<T>(&self, work: impl Future<Output = T>) -> T {
        self.outside.others.fetch_add(1, SeqCst);
        let done = self.run(work);
        self.outside.others.fetch_sub(1, SeqCst);
        done
    }

    /// The threads of this runtime.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Every task ends where it stands.
    pub fn end(self) {
        // The runtime has what has the runtime.
        *lock(&self.outside.handle) = None;
        *lock(&self.outside.store) = None;
        *lock(&self.outside.at_rest) = None;
        self.runtime.shutdown_timeout(PATIENCE);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
