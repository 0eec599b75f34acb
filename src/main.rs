//! The `hfdepot` binary.

fn main() -> std::process::ExitCode {
    hfdepot::cli::main()
}
