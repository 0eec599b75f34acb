//! What carries requests to their hosts: the network, or a server within this process.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::{Body, Client, Request, Response};

/// An answer on its way, or why there is none.
pub type Answering = Pin<Box<dyn Future<Output = io::Result<http::Response<Body>>> + Send>>;

/// A server within this process that stands for every host. It does what the network does: an
/// error is a connection that did not come about or broke before the head of the answer.
pub trait Server: Send + Sync {
    /// Answers one request.
    fn answer(&self, request: Request) -> Answering;
}

/// Where the requests of a client go. No setting and no flag leads away from the network.
#[derive(Clone, Default)]
pub enum Wire {
    /// To the hosts that their URLs name.
    #[default]
    Network,
    /// To a server within this process, whatever host they name.
    Within(Arc<dyn Server>),
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "Network",
            Self::Within(_) => "Within",
        })
    }
}

impl PartialEq for Wire {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Network, Self::Network) => true,
            (Self::Within(one), Self::Within(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Wire {}

/// The end of a wire that is in the hands of one client.
pub(super) enum Sender {
    Network(Client),
    Within(Arc<dyn Server>),
}

impl Sender {
    /// Sends one request and reads the head of the answer.
    pub async fn send(&self, request: Request) -> Result<Response, Box<dyn Error + Send + Sync>> {
        match self {
            Self::Network(client) => Ok(client.execute(request).await?),
            Self::Within(server) => Ok(server.answer(request).await?.into()),
        }
    }
}
