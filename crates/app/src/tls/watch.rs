//! Looking after the certificates while the server runs.

use std::sync::Arc;

use signalpost_core::limits::CERTIFICATE_LOOK_INTERVAL;
use tokio::signal::unix::{SignalKind, signal};

use super::Certificate;
use crate::cmd::Failure;

/// Takes up changed files every few seconds, and all files at SIGHUP. Without certificates SIGHUP does nothing,
/// instead of ending the process. Must run on a tokio runtime.
pub(crate) fn watch(certificates: Vec<Arc<Certificate>>) -> Result<impl Future<Output = ()>, Failure> {
    let hangup = signal(SignalKind::hangup());
    let mut hangup = hangup.map_err(|error| Failure::io("cannot listen for signals", error))?;
    Ok(async move {
        loop {
            tokio::select! {
                () = tokio::time::sleep(CERTIFICATE_LOOK_INTERVAL) => {
                    certificates.iter().for_each(|certificate| certificate.look());
                }
                Some(()) = hangup.recv() => {
                    tracing::info!(certificates = certificates.len(), "told to read the certificates again");
                    certificates.iter().for_each(|certificate| certificate.reload());
                }
            }
        }
    })
}
