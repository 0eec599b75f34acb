//! Who fetches which segment of a part, how fast, and when another connection takes over.
//!
//! At the end of a file connections run out of segments while a slow one still has megabytes to
//! go. Then the rest of the slowest segment is cut in two so that both halves end together, and
//! a segment whose connection brings nothing goes to another one whole. So does the last bit of one
//! whose connection only trickles, or that is asked for anew where no other connection may help.
//! The row is cut before the second half is fetched: until then the stored row is longer than it
//! need be, never wrong.
//!
//! Whoever is relieved has asked for more than it now may bring: what is on its way beyond the cut
//! comes twice. So nobody is relieved for what we ourselves delay, and of connections that are all as
//! quick none, unless it takes long: they may well share one line, which another one fills no better.

use std::time::Duration;

use crate::store::{Store, StoreError};

use super::LivePart;
use super::grip::Held;
use super::slow::Relief;

impl LivePart {
    /// Hands out the frontmost free segment.
    pub fn take(&self) -> Option<Held> {
        let taken = self.lock().take()?;
        Some(self.grips.hold(taken))
    }

    /// Gives a segment back.
    pub fn give_back(&self, held: &Held) {
        let start = held.taken.segment.start;
        let whole = self.lock().room(start, held.taken.ticket) == Some(0);
        self.lock().give_back(start, held.taken.ticket);
        let mut table = self.grips.lock();
        if table
            .held
            .get(&start)
            .is_some_and(|(ticket, _)| *ticket == held.taken.ticket)
        {
            table.held.remove(&start);
        }
        if whole {
            let rate = held.grip.mean_rate();
            table.usual = if table.usual == 0.0 {
                rate
            } else {
                (table.usual * 3.0 + rate) / 4.0
            };
            table.vain = 0;
        }
    }

    /// Whether an idle connection could help a slow one now.
    pub fn wants_relief(&self, latency: Duration) -> bool {
        self.find_relief(latency).is_some()
    }

    /// Lets an idle connection take over from a slow one: all of its segment when it brings
    /// nothing or little is left, else the part of it that lets both end together. `None` when nobody
    /// is so slow that it would pay.
    ///
    /// # Errors
    /// When the cut cannot be stored.
    pub async fn relieve(&self, store: &Store, latency: Duration) -> Result<Option<Held>, StoreError> {
        match self.find_relief(latency) {
            None => Ok(None),
            Some(Relief::Over(start, ticket) | Relief::Anew(start, ticket)) => {
                let Some(taken) = self.lock().hand_over(start, ticket) else {
                    return Ok(None);
                };
                self.grips.lock().take_from(start);
                Ok(Some(self.grips.hold(taken)))
            }
            Some(Relief::Half(start, ticket, bytes)) => {
                let Some(taken) = self.lock().split(start, ticket, bytes) else {
                    return Ok(None);
                };
                let second = taken.segment;
                store
                    .split_segment(&self.meter.lease, self.id, start, second.start, second.length)
                    .await?;
                Ok(Some(self.grips.hold(taken)))
            }
        }
    }

    /// Where no idle connection may help, one that trickles gives its segment up, and asks anew.
    pub fn renew_what_trickles(&self, latency: Duration) {
        let layout = self.lock();
        let mut table = self.grips.lock();
        if let Some(start) = table.find_trickle(&layout, latency) {
            table.take_from(start);
        }
    }

    fn find_relief(&self, latency: Duration) -> Option<Relief> {
        let layout = self.lock();
        self.grips.lock().find_relief(&layout, latency)
    }
}
