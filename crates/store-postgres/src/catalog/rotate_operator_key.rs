//! `rotate_operator_key`: a successor, and an end for the key before it.

use signalpost_store::StoreError;
use signalpost_store::catalog::RotateOperatorKey;
use signalpost_store::change::Change;

use super::{create_operator_key, revoke_operator_key};
use crate::failure::Failure;
use crate::locks::Locked;
use crate::write::Write;

pub(crate) const UPDATE: &str = "UPDATE operator_key SET expires_at = $2, successor = $3 WHERE id = $1";

pub(super) async fn run(write: &mut Write<'_>, params: &RotateOperatorKey) -> Result<(), Failure> {
    let RotateOperatorKey { previous, ends_at, next, hash } = params;
    let found = revoke_operator_key::find(write, *previous).await?;
    let binding = Locked::OperatorKeys(found.workspace);
    write.lock_all(&create_operator_key::locks_of(next).chain([binding]).collect::<Vec<_>>()).await?;
    // Somebody may have been faster.
    let found = revoke_operator_key::find(write, *previous).await?;
    if found.successor.is_some() {
        return Err(StoreError::WrongState("the operator key was rotated before").into());
    }
    create_operator_key::run(write, next, *hash).await?;
    let ends_at = found.expires_at.map_or(*ends_at, |end| end.min(*ends_at));
    write.execute(UPDATE, &[&previous.raw(), &ends_at.as_ms(), &next.id.raw()]).await?;
    write.note_change(Change::OperatorKey(*previous));
    Ok(())
}
