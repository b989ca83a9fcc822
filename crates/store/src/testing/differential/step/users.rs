//! Users of a sequence, their rights and their sessions.

use signalpost_core::credential::CredentialHash;
use signalpost_core::user::Right;

use super::Compared;
use crate::testing::differential::operation::{Caller, Choice, IdOrder};
use crate::testing::differential::pair::Pair;
use crate::testing::differential::users::{Duration, UserOperation};
use crate::testing::differential::world::{World, choose};
use crate::testing::sample;

/// An hour: some waits of a sequence are longer.
const RIGHT_MS: i64 = 3_600_000;

pub(super) async fn apply(operation: UserOperation, pair: &Pair<'_>, world: &mut World) -> Compared {
    match operation {
        UserOperation::Create { workspace, name, key } => create(workspace, name, key, pair, world).await,
        UserOperation::Grant { workspace, user, duration } => {
            grant(workspace, user, duration, pair, world).await
        }
        UserOperation::Revoke { right, caller } => revoke(right, caller, pair, world).await,
        UserOperation::Login { user, key } => login(user, key, pair, world).await,
    }
}

async fn create(workspace: Choice, name: u8, key: u8, pair: &Pair<'_>, world: &mut World) -> Compared {
    let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
    let (n, now) = (world.mint(IdOrder::Next), world.now());
    let mut new = sample::new_user(workspace, n, hash(key));
    new.user.username = format!("user-{name}");
    new.user.public_id = format!("u-{}", name % 3);
    new.right.created_at = now;
    new.session.expires_at = now.plus_ms(RIGHT_MS);
    if pair.both(|store| store.create_user(new.clone())).await?.is_ok() {
        world.users.push(new.user.id);
        world.rights.push((workspace, new.right.id));
    }
    look(name, key, pair).await
}

async fn grant(
    workspace: Choice,
    user: Choice,
    duration: Duration,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
    let Some(user) = choose(&world.users, user) else { return Ok(()) };
    let (n, now) = (world.mint(IdOrder::Next), world.now());
    let expires_at = match duration {
        Duration::ForGood => None,
        Duration::AnHour => Some(now.plus_ms(RIGHT_MS)),
    };
    let right = Right { created_at: now, expires_at, ..sample::right(workspace, user, n) };
    if pair.both(|store| store.grant_right(right.clone())).await?.is_ok() {
        world.rights.push((workspace, right.id));
    }
    Ok(())
}

async fn revoke(right: Choice, caller: Caller, pair: &Pair<'_>, world: &World) -> Compared {
    let Some((owner, right)) = choose(&world.rights, right) else { return Ok(()) };
    let workspace = world.caller(owner, caller);
    pair.both(|store| store.revoke_right(workspace, right)).await.map(drop)
}

async fn login(user: Choice, key: u8, pair: &Pair<'_>, world: &mut World) -> Compared {
    let Some(user) = choose(&world.users, user) else { return Ok(()) };
    let now = world.now();
    let mut session = sample::session(user, 0);
    (session.created_at, session.expires_at) = (now, now.plus_ms(RIGHT_MS));
    pair.both(|store| store.open_session(session, hash(key))).await?.ok();
    look(key, key, pair).await
}

/// What no list shows: accounts and sessions.
async fn look(name: u8, key: u8, pair: &Pair<'_>) -> Compared {
    let dialect = || sample::user(1).dialect;
    pair.both(|store| store.account(dialect(), format!("user-{name}"))).await?.ok();
    pair.both(|store| store.user(dialect(), format!("u-{}", name % 3))).await?.ok();
    pair.both(|store| store.session_by_hash(hash(key))).await.map(drop)
}

fn hash(key: u8) -> CredentialHash {
    CredentialHash::of(&[key])
}
