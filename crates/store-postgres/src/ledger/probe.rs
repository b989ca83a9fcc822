//! `probe`: a write that changes nothing else, to see whether writes get through.

use signalpost_core::time::Timestamp;

use crate::failure::Failure;
use crate::meta;
use crate::write::Write;

pub(super) async fn run(write: &Write<'_>, now: Timestamp) -> Result<(), Failure> {
    meta::write(write, meta::PROBED_AT, now.as_ms()).await
}
