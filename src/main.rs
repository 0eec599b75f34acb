//! The `hfdepot` binary.

fn main() {}
