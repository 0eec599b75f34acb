//! The Hub client against small scripted servers, over real sockets.

mod bodies;
mod files;
mod metadata;
mod network;
mod stub;
mod tls;
