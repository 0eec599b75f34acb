//! One connection of a large file: takes segments from the front and streams them into the part.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::hub::{HubClient, RemoteFile};

use super::attempt::{FileError, Halt, Tries};
use super::limits::Permits;
use super::part::LivePart;
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
    /// The limits no longer have room for this connection.
    Unwanted,
}

impl Connection {
    /// Fetches until nothing is left, or the limits have no room for it.
    ///
    /// # Errors
    /// [`FileError`]; what came so far is written and marked.
    pub async fn run(self) -> Result<(), FileError> {
        let mut tries = Tries::new(&self.hub, &self.run.meter, &self.stop);
        let mut seat = tokio::select! {
            () = self.stop.cancelled() => return Err(Halt::Stopped.into()),
            seat = self.seats.acquire() => seat,
        };
        loop {
            let mut permit = tokio::select! {
                () = self.stop.cancelled() => return Err(Halt::Stopped.into()),
                () = seat.unwanted() => return Ok(()),
                permit = self.run.shared.connections.acquire() => permit,
            };
            let Some((index, segment)) = self.part.take() else {
                return Ok(());
            };
            let mut offset = segment.start + segment.written;
            let end = segment.start + segment.length;
            let result = loop {
                let began = offset;
                let result = tokio::select! {
                    biased;
                    () = self.stop.cancelled() => break Err(Halt::Stopped.into()),
                    () = seat.unwanted(), if !self.single_stream => break Ok(Yielded::Unwanted),
                    () = permit.unwanted(), if !self.single_stream => break Ok(Yielded::Unwanted),
                    result = self.stream(index, &mut offset, end) => result,
                };
                match result {
                    Ok(yielded) => break Ok(yielded),
                    Err(Failed::File(error)) => break Err(error),
                    Err(Failed::Hub(error)) => {
                        if let Err(error) = tries.after(error, offset > began).await {
                            break Err(error);
                        }
                    }
                }
            };
            self.part.give_back(index);
            match result? {
                Yielded::Full => tries.succeeded(),
                Yielded::Unwanted => return Ok(()),
            }
        }
    }

    /// Streams one request into the segment; `offset` moves with every byte that is written.
    async fn stream(&self, index: usize, offset: &mut u64, end: u64) -> Result<Yielded, Failed> {
        let shared = &self.run.shared;
        let mut skip = 0;
        let mut body = if self.single_stream {
            skip = *offset;
            self.remote.open(None).await?
        } else {
            self.remote.open(Some(*offset..end)).await?
        };
        let mut gate = self.run.gate();
        while *offset < end {
            gate.ready().await;
            let Some(mut read) = body.next().await? else {
                break;
            };
            while let Some(mut chunk) = gate.pass(&mut read).await {
                let length = chunk.len() as u64;
                self.run.meter.received(length);
                if skip > 0 {
                    let known = skip.min(length);
                    skip -= known;
                    self.run.meter.refetching(known);
                    let _ = chunk.split_to(known as usize);
                }
                if chunk.len() as u64 > end - *offset {
                    chunk.truncate((end - *offset) as usize);
                }
                if !chunk.is_empty() {
                    self.part
                        .write(index, *offset, &chunk, &shared.checkpoint)
                        .map_err(Failed::File)?;
                    *offset += chunk.len() as u64;
                }
            }
            self.part.room().await;
        }
        Ok(Yielded::Full)
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
