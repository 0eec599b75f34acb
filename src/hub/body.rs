//! The bytes of one range.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;

use super::broken;
use super::error::HubError;
use super::locate::Shared;
use super::transport::chunk;

/// How long to wait for the end of an answer whose bytes are all here.
const END_TIME: Duration = Duration::from_secs(1);

/// Bytes that arrive. Dropping it closes the connection, unless the answer was read to its end.
pub struct Body {
    /// `None` once everything is here.
    answer: Option<Response>,
    remaining: u64,
    /// Whether the answer announced exactly the length that is wanted, so that its end needs
    /// no further look.
    exact: bool,
    host: String,
    stall: Option<Duration>,
    file: Arc<Shared>,
}

impl Body {
    pub(super) fn new(
        answer: Response,
        length: u64,
        host: String,
        stall: Option<Duration>,
        file: Arc<Shared>,
    ) -> Self {
        Self {
            exact: answer.content_length() == Some(length),
            answer: Some(answer),
            remaining: length,
            host,
            stall,
            file,
        }
    }

    /// Bytes that are still to come.
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    /// The next bytes, never empty; `None` after the last. All pieces together are exactly the
    /// range that was asked for; what the server sends beyond it is cut off and the connection
    /// dropped.
    ///
    /// # Errors
    /// Transient: `stalled` when nothing comes for the stall timeout, `server_error` when the
    /// connection breaks off or the answer ends early. The bytes given out so far are good.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HubError> {
        while self.remaining > 0 {
            let Some(answer) = &mut self.answer else {
                return Err(broken::cut(&self.host));
            };
            match chunk(answer, &self.host, self.stall).await {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(Some(mut piece)) => {
                    let length = piece.len() as u64;
                    if length > self.remaining {
                        piece.truncate(self.remaining as usize);
                        self.answer = None;
                    }
                    self.remaining -= piece.len() as u64;
                    self.file.progressed();
                    return Ok(Some(piece));
                }
                Ok(None) => {
                    self.answer = None;
                    return Err(broken::cut(&self.host));
                }
                Err(error) => {
                    self.answer = None;
                    return Err(error);
                }
            }
        }
        // An answer without a length is read to its end, so that the connection can serve again.
        if let Some(mut answer) = self.answer.take().filter(|_| !self.exact) {
            let _ = tokio::time::timeout(END_TIME, answer.chunk()).await;
        }
        Ok(None)
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes from {})", self.remaining, self.host)
    }
}
