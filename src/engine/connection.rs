//! One connection of a large file: takes segments from the front and streams them into the part,
//! and when none is left, relieves a slow one.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::hub::{HubClient, RemoteFile};

use super::attempt::{FileError, Halt, Tries};
use super::limits::Permits;
use super::part::{Held, LivePart};
use super::run::Run;

/// One connection: takes segments from the front until none is left, or it is one too many.
pub struct Connection {
    pub run: Arc<Run>,
    pub part: Arc<LivePart>,
    pub hub: HubClient,
    pub remote: RemoteFile,
    pub stop: CancellationToken,
    /// As many as the file may have connections.
    pub seats: Arc<Permits>,
    pub single_stream: bool,
}

/// Why a connection stopped in the middle of a segment without a failure.
enum Yielded {
    /// The segment is full.
    Full,
    /// What was asked for came, and more of the segment is to be asked for.
    Served,
    /// Another connection has taken over.
    Lost,
    /// The limits no longer have room for this connection.
    Unwanted,
}

impl Connection {
    /// Fetches until nothing is left, or the limits have no room for it.
    ///
    /// # Errors
    /// [`FileError`]; what came so far is written and marked.
    pub async fn run(self) -> Result<(), FileError> {
        let _wish = self.run.shared.places.wish(1);
        let mut tries = Tries::new(&self.hub, &self.run.meter, &self.stop);
        let mut seat = tokio::select! {
            () = self.stop.cancelled() => return Err(Halt::Stopped.into()),
            seat = self.seats.acquire() => seat,
        };
        loop {
            let shared = &self.run.shared;
            let (mut own, _place, mut permit) = tokio::select! {
                () = self.stop.cancelled() => return Err(Halt::Stopped.into()),
                () = seat.unwanted() => return Ok(()),
                admitted = self.run.admit() => admitted,
            };
            let held = match self.part.take() {
                Some(held) => held,
                None if self.single_stream => return Ok(()),
                None => {
                    let latency = shared.places.latency();
                    let relief = self.part.relieve(&shared.store, latency).await;
                    match relief.map_err(FileError::store)? {
                        Some(held) => held,
                        None => return Ok(()),
                    }
                }
            };
            let mut offset = held.offset();
            let result = loop {
                let began = offset;
                let result = tokio::select! {
                    biased;
                    () = self.stop.cancelled() => break Err(Halt::Stopped.into()),
                    () = held.lost() => break Ok(Yielded::Lost),
                    () = seat.unwanted(), if !self.single_stream => break Ok(Yielded::Unwanted),
                    () = own.unwanted(), if !self.single_stream => break Ok(Yielded::Unwanted),
                    () = permit.unwanted(), if !self.single_stream => break Ok(Yielded::Unwanted),
                    result = self.stream(&held, &mut offset) => result,
                };
                if matches!(result, Ok(Yielded::Full | Yielded::Served)) {
                    tries.succeeded();
                    // Lets the connection get back to where the next request finds it; else a new one
                    // is opened.
                    tokio::task::yield_now().await;
                }
                match result {
                    Ok(Yielded::Served) => {}
                    Ok(yielded) => break Ok(yielded),
                    Err(Failed::File(error)) => break Err(error),
                    Err(Failed::Hub(error)) => {
                        // Waiting for the next try is not silence.
                        held.holding_back(true);
                        if let Err(error) = tries.after(error, offset > began).await {
                            break Err(error);
                        }
                        held.holding_back(false);
                    }
                }
            };
            self.part.give_back(&held);
            if let Yielded::Unwanted = result? {
                return Ok(());
            }
        }
    }

    /// Streams one request into the segment; `offset` moves with every byte that is written.
    async fn stream(&self, held: &Held, offset: &mut u64) -> Result<Yielded, Failed> {
        let shared = &self.run.shared;
        let Some(mut room) = self.part.room_in(held) else {
            return Ok(Yielded::Lost);
        };
        let mut skip = if self.single_stream { *offset } else { 0 };
        let mut gate = self.run.gate();
        // Waiting for the bandwidth limit is not silence.
        held.holding_back(true);
        let range = if self.single_stream {
            gate.open(skip + room).await;
            None
        } else {
            let length = gate.open_portion(room, shared.places.latency()).await;
            Some(*offset..*offset + length)
        };
        held.holding_back(false);
        let end = range.as_ref().map_or(u64::MAX, |range| range.end);
        let asked = Instant::now();
        let mut body = self.remote.open(range).await?;
        shared.places.answered(asked.elapsed());
        self.run.meter.activity(self.run.connections_reason());
        while room > 0 && *offset < end {
            held.holding_back(true);
            gate.ready().await;
            held.holding_back(false);
            let Some(mut read) = body.next().await? else {
                break;
            };
            held.holding_back(true);
            while let Some(mut chunk) = gate.pass(&mut read).await {
                let length = chunk.len() as u64;
                self.run.received(length);
                if skip > 0 {
                    let known = skip.min(length);
                    skip -= known;
                    self.run.meter.refetching(known);
                    let _ = chunk.split_to(known as usize);
                }
                if !chunk.is_empty() {
                    let written = self.part.write(held, *offset, &chunk, &shared.checkpoint).await;
                    let Some(left) = written.map_err(Failed::File)? else {
                        return Ok(Yielded::Lost);
                    };
                    *offset += (chunk.len() as u64).min(room);
                    room = left;
                }
            }
            self.part.room().await;
            held.holding_back(false);
        }
        Ok(if room > 0 && *offset >= end {
            Yielded::Served
        } else {
            Yielded::Full
        })
    }
}

enum Failed {
    Hub(crate::hub::HubError),
    File(FileError),
}

impl From<crate::hub::HubError> for Failed {
    fn from(error: crate::hub::HubError) -> Self {
        Self::Hub(error)
    }
}
