//! `requeue_lost`: deliveries that their receivers may miss are owed once more, each with a fresh round.

use signalpost_core::limits::DELIVERY_STEPS_MAX;
use signalpost_store::ledger::RequeueLost;

use super::requeue::{begin_round, locks_of, look};
use crate::catalog::find;
use crate::failure::Failure;
use crate::write::Write;

pub(super) async fn run(write: &mut Write<'_>, params: &RequeueLost) -> Result<usize, Failure> {
    let RequeueLost { workspace, deliveries, at } = params;
    write.lock_all(&locks_of(*workspace, deliveries)).await?;
    let mut requeued = 0;
    for id in deliveries {
        let Some(found) = look(write, *workspace, *id).await? else { continue };
        let lost = found.state.is_lost() && found.payload_removed_at.is_none();
        if lost
            && found.last_number < DELIVERY_STEPS_MAX
            && find::webhook(write, *workspace, id.webhook).await?.is_some()
        {
            begin_round(write, *workspace, *id, &found, *at).await?;
            requeued += 1;
        }
    }
    Ok(requeued)
}
