//! What customers do at the portal in a sequence.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::PortalSessionId;
use signalpost_core::portal_session::PortalSession;

use super::Compared;
use crate::portal::OpenPortalSession;
use crate::testing::differential::operation::IdOrder;
use crate::testing::differential::pair::Pair;
use crate::testing::differential::portal::PortalOperation;
use crate::testing::differential::world::{World, choose};
use crate::testing::sample;

pub(super) async fn apply(operation: PortalOperation, pair: &Pair<'_>, world: &mut World) -> Compared {
    match operation {
        PortalOperation::Open { workspace, hash, age_ms, lasts_ms } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let (id, now) = (PortalSessionId::from_raw(world.mint(IdOrder::Next)), world.now());
            let (created_at, expires_at) = (now, now.plus_ms(lasts_ms));
            let session =
                PortalSession { created_at, expires_at, ..sample::portal_session(workspace, id.raw()) };
            let (hash, link_made_at) = (CredentialHash::of(&[hash]), now.plus_ms(-age_ms));
            let params = OpenPortalSession { session, hash, link_made_at };
            if pair.both(|store| store.open_portal_session(params.clone())).await?.is_ok() {
                world.portal_sessions.push((workspace, id));
            }
            pair.both(|store| store.portal_session_by_hash(hash)).await.map(drop)
        }
        PortalOperation::End { session, caller } => {
            let Some((owner, session)) = choose(&world.portal_sessions, session) else { return Ok(()) };
            let workspace = world.caller(owner, caller);
            pair.both(|store| store.end_portal_session(workspace, session)).await.map(drop)
        }
        PortalOperation::EndAll { workspace } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let at = world.now();
            pair.both(|store| store.end_portal_sessions(workspace, at)).await.map(drop)
        }
        PortalOperation::Look { hash } => {
            let hash = CredentialHash::of(&[hash]);
            pair.both(|store| store.portal_session_by_hash(hash)).await.map(drop)
        }
    }
}
