//! The Hub client against small scripted servers, over real sockets; `within` does without.

mod bodies;
mod files;
mod metadata;
mod network;
mod stub;
mod tls;
mod within;
