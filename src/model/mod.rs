//! Floor 0: the words and rules of hfdepot.
//!
//! Everything here is pure: no I/O, no async, no SQL, no HTTP. A value of one of
//! these types is already checked, so the floors above never check it again.

pub mod address;
pub mod analysis;
pub mod arrange;
pub mod backup;
pub mod code;
pub mod collection;
pub mod destination;
pub mod duration;
pub mod filter;
pub mod glob;
pub mod history;
pub mod history_row;
pub mod job;
pub mod key;
pub mod library;
pub mod limits;
pub mod log;
pub mod manifest;
pub mod order;
pub mod plan;
pub mod repo;
pub mod schedule;
pub mod secret;
pub mod segment;
pub mod size;
pub mod spelling;
pub mod state;
pub mod task;
pub mod width;
