//! Operator keys of a sequence.

use signalpost_core::credential::CredentialHash;

use super::Compared;
use crate::catalog::RotateOperatorKey;
use crate::testing::differential::operation::{Choice, IdOrder};
use crate::testing::differential::pair::Pair;
use crate::testing::differential::world::{World, choose};
use crate::testing::sample;

pub(super) async fn create(
    workspace: Option<Choice>,
    hash: u8,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let workspace = workspace.and_then(|workspace| choose(&world.workspaces, workspace));
    let key = sample::operator_key(workspace, world.mint(IdOrder::Next));
    let hash = CredentialHash::of(&[hash]);
    if pair.both(|store| store.create_operator_key(key.clone(), hash)).await?.is_ok() {
        world.operator_keys.push(key.id);
    }
    pair.both(|store| store.operator_key_by_hash(hash)).await.map(drop)
}

pub(super) async fn rotate(key: Choice, hash: u8, pair: &Pair<'_>, world: &mut World) -> Compared {
    let Some(previous) = choose(&world.operator_keys, key) else { return Ok(()) };
    let found = pair.both(|store| store.operator_key(previous)).await?;
    let found = found.map_err(|refusal| format!("operator key: {refusal:?}"))?;
    let next = sample::operator_key(found.and_then(|key| key.workspace), world.mint(IdOrder::Next));
    let (ends_at, hash) = (world.now(), CredentialHash::of(&[hash]));
    let params = RotateOperatorKey { previous, ends_at, next: next.clone(), hash };
    if pair.both(|store| store.rotate_operator_key(params.clone())).await?.is_ok() {
        world.operator_keys.push(next.id);
    }
    Ok(())
}

pub(super) async fn revoke(key: Choice, pair: &Pair<'_>, world: &mut World) -> Compared {
    let Some(key) = choose(&world.operator_keys, key) else { return Ok(()) };
    pair.both(|store| store.revoke_operator_key(key)).await.map(drop)
}
