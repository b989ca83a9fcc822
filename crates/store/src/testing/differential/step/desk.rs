//! What operators do in a sequence.

use signalpost_core::act::{Act, ActResult, Action, Actor};
use signalpost_core::credential::CredentialHash;
use signalpost_core::id::{OperatorAccountId, OperatorSessionId};
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_session::{Opener, OperatorSession};
use signalpost_core::password::PasswordHash;

use super::Compared;
use crate::Store;
use crate::desk::{ListActs, ListOperatorSessions, UpdateOperatorAccount};
use crate::testing::differential::desk::DeskOperation;
use crate::testing::differential::operation::{Choice, IdOrder};
use crate::testing::differential::pair::{Pair, alike};
use crate::testing::differential::world::{World, choose};
use crate::testing::sample;
use crate::testing::snapshot::all_acts;

const HOUR_MS: i64 = 3_600_000;

/// The first leads to the second.
const ACTIONS: [&str; 3] = ["webhook", "webhook.delete", "webhooks.list"];

pub(super) async fn apply(operation: DeskOperation, pair: &Pair<'_>, world: &mut World) -> Compared {
    match operation {
        DeskOperation::CreateAccount { name, role, password } => {
            let id = OperatorAccountId::from_raw(world.mint(IdOrder::Next));
            let username = format!("ann{name}");
            let account = OperatorAccount { username, role, ..sample::operator_account(id.raw()) };
            let create = |store: &dyn Store| store.create_operator_account(account.clone(), phc(password));
            if pair.both(create).await?.is_ok() {
                world.operator_accounts.push(id);
            }
            Ok(())
        }
        DeskOperation::UpdateAccount { account, role, password } => {
            let Some(account) = choose(&world.operator_accounts, account) else { return Ok(()) };
            let (password, at) = (password.map(phc), world.now());
            let params = UpdateOperatorAccount { account, role, password, at };
            pair.both(|store| store.update_operator_account(params.clone())).await.map(drop)
        }
        DeskOperation::DeleteAccount { account } => {
            let Some(account) = choose(&world.operator_accounts, account) else { return Ok(()) };
            pair.both(|store| store.delete_operator_account(account)).await.map(drop)
        }
        DeskOperation::OpenSessionOf { account, hash, password } => {
            let Some(account) = choose(&world.operator_accounts, account) else { return Ok(()) };
            open(Opener::Account(account), hash, HOUR_MS, Some(phc(password)), pair, world).await
        }
        DeskOperation::OpenSession { key, hash, lasts_ms } => {
            let key = key.and_then(|key: Choice| choose(&world.operator_keys, key));
            let opener = key.map_or(Opener::Root { fingerprint: [hash; 8] }, Opener::Key);
            open(opener, hash, lasts_ms, None, pair, world).await
        }
        DeskOperation::EndSession { session } => {
            let Some(session) = choose(&world.operator_sessions, session) else { return Ok(()) };
            pair.both(|store| store.end_operator_session(session)).await.map(drop)
        }
        DeskOperation::LookAtSessions { limit } => {
            let params = ListOperatorSessions { at: world.now(), before: None, limit };
            pair.both(|store| store.list_operator_sessions(params)).await.map(drop)
        }
        DeskOperation::BeginAct { action, by_key, workspace } => {
            let id = world.mint(IdOrder::Next);
            let act = Act {
                at: world.now(),
                by: actor(by_key),
                action: Action::named(ACTIONS[usize::from(action)]),
                workspace: workspace.map(public_id),
                ..sample::act(id)
            };
            world.acts.push(act.id);
            pair.both(|store| store.begin_act(act.clone())).await.map(drop)
        }
        DeskOperation::EndAct { act, status } => {
            let Some(act) = choose(&world.acts, act) else { return Ok(()) };
            let result = status.map_or(ActResult::Pending, |status| ActResult::Done { status });
            pair.both(|store| store.end_act(act, result)).await.map(drop)
        }
        DeskOperation::LookAtActs { action, by_key, workspace, limit } => {
            let action = action.map(|action| ACTIONS[usize::from(action)].to_owned());
            let (by, workspace) = (by_key.map(|by_key| actor(by_key).id()), workspace.map(public_id));
            let params = ListActs { workspace, by, action, before: None, limit };
            let [model, subject] = pair.stores();
            alike(all_acts(model, params.clone()).await, all_acts(subject, params).await).map(drop)
        }
    }
}

fn actor(by_key: bool) -> Actor {
    if by_key { sample::act(1).by } else { Actor::Root }
}

fn public_id(workspace: u8) -> String {
    format!("ws-{workspace}")
}

async fn open(
    opener: Opener,
    hash: u8,
    lasts_ms: i64,
    verified: Option<PasswordHash>,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let id = OperatorSessionId::from_raw(world.mint(IdOrder::Next));
    let expires_at = world.now().plus_ms(lasts_ms);
    let session = OperatorSession { expires_at, ..sample::operator_session(opener, id.raw()) };
    let hash = CredentialHash::of(&[hash]);
    if pair.both(|store| store.open_operator_session(session, hash, verified.clone())).await?.is_ok() {
        world.operator_sessions.push(id);
    }
    pair.both(|store| store.operator_session_by_hash(hash)).await.map(drop)
}

fn phc(password: u8) -> PasswordHash {
    PasswordHash::from_phc(format!("hash {password}"))
}
