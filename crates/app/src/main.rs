//! The `signalpost` binary. All of it is in the library beside this file.

use std::process::ExitCode;

/// Less CPU per delivery than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    signalpost::run()
}
