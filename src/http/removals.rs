//! Keys that are taken away: the live streams that they opened end with them.
//!
//! A request is checked once, at its beginning; a stream that stays open for days has to be told.

use std::sync::Arc;

use tokio::sync::watch;

use super::who::Who;
use crate::store::Store;

/// Tells open streams that keys were taken away. Cheap to clone.
#[derive(Clone)]
pub struct Removals(Arc<watch::Sender<()>>);

impl Default for Removals {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(())))
    }
}

impl Removals {
    /// Some key is gone.
    pub fn tell(&self) {
        self.0.send_replace(());
    }

    /// Returns when the key of `who` is gone, at once when it is gone already; never for who has none.
    /// A database that does not answer opens nothing: then it returns too.
    pub async fn until_gone(&self, store: &Store, who: &Who) {
        let Who::Key { id, .. } = who else {
            return std::future::pending().await;
        };
        // Before the first look, so that none that happens meanwhile is missed.
        let mut removals = self.0.subscribe();
        while store.has_key(id).await.unwrap_or(false) {
            if removals.changed().await.is_err() {
                return;
            }
        }
    }
}
