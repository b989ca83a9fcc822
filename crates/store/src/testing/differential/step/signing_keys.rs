//! Signing keys of a sequence.

use signalpost_core::principal::Principal;
use signalpost_core::signing_key::SigningKey;

use super::Compared;
use crate::catalog::DeleteSigningKey;
use crate::testing::differential::operation::{Caller, Choice, IdOrder};
use crate::testing::differential::pair::Pair;
use crate::testing::differential::world::{World, choose};
use crate::testing::sample;

pub(super) async fn create(workspace: Choice, name: u8, pair: &Pair<'_>, world: &mut World) -> Compared {
    let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
    let key = SigningKey {
        public_id: format!("sk-{name}"),
        ..sample::signing_key(workspace, world.mint(IdOrder::Next))
    };
    if pair.both(|store| store.create_signing_key(key.clone())).await?.is_ok() {
        world.signing_keys.push((workspace, key.id));
    }
    pair.both(|store| store.signing_key(workspace, key.public_id.clone())).await.map(drop)
}

pub(super) async fn delete(key: Choice, caller: Caller, pair: &Pair<'_>, world: &mut World) -> Compared {
    let Some((owner, key)) = choose(&world.signing_keys, key) else { return Ok(()) };
    let (workspace, at) = (world.caller(owner, caller), world.now());
    let params = DeleteSigningKey { workspace, key, at, by: Principal::Operator };
    pair.both(|store| store.delete_signing_key(params.clone())).await.map(drop)
}
