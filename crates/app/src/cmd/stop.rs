//! Being told to stop.

use std::process::exit;

use tokio::signal::unix::{SignalKind, signal};

use crate::cmd::Failure;

/// Exit status after a second signal: the shell's form for SIGTERM.
const STOPPED_AT_ONCE: i32 = 143;

/// Resolves at the first SIGTERM or SIGINT. From then on a second one ends the process at once.
pub(super) async fn stop_signal() -> Result<(), Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::io("cannot listen for signals", error));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        exit(STOPPED_AT_ONCE);
    });
    Ok(())
}
