//! What operators do in a sequence.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::OperatorSessionId;
use signalpost_core::operator_session::{Opener, OperatorSession};

use super::Compared;
use crate::desk::ListOperatorSessions;
use crate::testing::differential::desk::DeskOperation;
use crate::testing::differential::operation::{Choice, IdOrder};
use crate::testing::differential::pair::Pair;
use crate::testing::differential::world::{World, choose};
use crate::testing::sample;

pub(super) async fn apply(operation: DeskOperation, pair: &Pair<'_>, world: &mut World) -> Compared {
    match operation {
        DeskOperation::OpenSession { key, hash, lasts_ms } => {
            let key = key.and_then(|key: Choice| choose(&world.operator_keys, key));
            let opener = key.map_or(Opener::Root { fingerprint: [hash; 8] }, Opener::Key);
            let id = OperatorSessionId::from_raw(world.mint(IdOrder::Next));
            let expires_at = world.now().plus_ms(lasts_ms);
            let session = OperatorSession { expires_at, ..sample::operator_session(opener, id.raw()) };
            let hash = CredentialHash::of(&[hash]);
            if pair.both(|store| store.open_operator_session(session, hash)).await?.is_ok() {
                world.operator_sessions.push(id);
            }
            pair.both(|store| store.operator_session_by_hash(hash)).await.map(drop)
        }
        DeskOperation::EndSession { session } => {
            let Some(session) = choose(&world.operator_sessions, session) else { return Ok(()) };
            pair.both(|store| store.end_operator_session(session)).await.map(drop)
        }
        DeskOperation::LookAtSessions { limit } => {
            let params = ListOperatorSessions { at: world.now(), before: None, limit };
            pair.both(|store| store.list_operator_sessions(params)).await.map(drop)
        }
    }
}
