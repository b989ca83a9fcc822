//! `do_once`, `done_before`, and the rows by which calls are known that happen once.
//!
//! A row is looked up before an effect and written after it, in the effect's own transaction. What is kept has a bound,
//! which the same transaction restores: the oldest rows go for a new one, as many as it takes.

use futures_util::future::try_join3;
use signalpost_core::idempotency::{Crowded, is_kept};
use signalpost_core::limits::UPKEEP_ROWS_MAX;
use signalpost_core::secret::SealedSecret;
use signalpost_store::once::{answer_bytes, place};
use signalpost_store::row::{Fields, Value};
use signalpost_store::{Done, Effect, Once, StoreError};

use super::{
    create_credential, create_operator_key, create_user, create_webhook, create_workspace, grant_right,
    rotate_operator_key, update_webhook,
};
use crate::failure::Failure;
use crate::kept::KeptSums;
use crate::ledger::requeue;
use crate::locks::Locked;
use crate::replays::create_replay;
use crate::session::{Params, Session};
use crate::write::Write;

/// What [`forget`] needs to know of a row that goes.
macro_rules! returning {
    () => {
        " RETURNING workspace, coalesce(length(accepted), length(sealed), 0)"
    };
}
pub(crate) use returning;

/// Nothing of a workspace that is gone.
pub(crate) const SELECT: &str = "SELECT id, at, request, accepted, sealed FROM once
    WHERE workspace = $1 AND name = $2
        AND ($1 = 0 OR EXISTS (SELECT 1 FROM workspace w WHERE w.id = $1 AND w.erased_at IS NULL))";
pub(crate) const INSERT: &str = "INSERT INTO once
    (workspace, name, at, request, accepted, sealed) VALUES ($1, $2, $3, $4, $5, $6)";
/// One of the same name, which is too old to count.
pub(crate) const DELETE_NAMED: &str =
    concat!("DELETE FROM once WHERE workspace = $1 AND name = $2", returning!());
/// What others are about to delete is as good as gone, here and below.
pub(crate) const DELETE_OLDEST: &str = concat!(
    "DELETE FROM once WHERE id = (SELECT id FROM once ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)",
    returning!()
);
pub(crate) const DELETE_OLDEST_OF: &str = concat!(
    "DELETE FROM once WHERE id = (
        SELECT id FROM once WHERE workspace = $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)",
    returning!()
);

/// The answer to a call: as it was sealed, or as the ledger packed it.
pub(crate) enum Kept<'a> {
    Accepted(&'a [u8]),
    Sealed(&'a SealedSecret),
}

pub(super) async fn run(
    write: &mut Write<'_>,
    effect: &Effect,
    once: Once,
    answer: &SealedSecret,
) -> Result<Done<(), SealedSecret>, Failure> {
    write.lock_all(&locks_of(effect, once)).await?;
    if let Some(before) = done_before(write, once).await? {
        return Ok(Done::Before(before));
    }
    match effect {
        Effect::CreateWorkspace(workspace) => create_workspace::run(write, workspace).await?,
        Effect::CreateWebhook(params) => create_webhook::run(write, params).await?,
        Effect::CreateCredential(credential, hash) => {
            create_credential::run(write, credential, *hash).await?
        }
        Effect::CreateUser(params) => create_user::run(write, params).await?,
        Effect::GrantRight(right) => grant_right::run(write, right).await?,
        Effect::CreateOperatorKey(key, hash) => create_operator_key::run(write, key, *hash).await?,
        Effect::RotateOperatorKey(params) => rotate_operator_key::run(write, params).await?,
        Effect::UpdateWebhook(params) => drop(update_webhook::run(write, params).await?),
        Effect::Requeue(params) => drop(requeue::run(write, *params).await?),
        Effect::CreateReplay(replay) => create_replay::run(write, replay).await?,
    }
    remember(write, once, Kept::Sealed(answer)).await?;
    Ok(Done::Now(()))
}

/// The place of the call, and at once with it what the effect's verb will lock, so that no two calls wait for one another.
fn locks_of(effect: &Effect, once: Once) -> Vec<Locked> {
    let mut locked = match effect {
        Effect::CreateWorkspace(workspace) => vec![Locked::Workspace(workspace.id)],
        Effect::CreateWebhook(params) => vec![Locked::Workspace(params.webhook.workspace)],
        Effect::CreateCredential(credential, _) => vec![Locked::Workspace(credential.workspace)],
        Effect::CreateUser(params) => grant_right::locks_of(&params.right).to_vec(),
        Effect::GrantRight(right) => grant_right::locks_of(right).to_vec(),
        Effect::CreateOperatorKey(key, _) => create_operator_key::locks_of(key).collect(),
        Effect::RotateOperatorKey(params) => create_operator_key::locks_of(&params.next).collect(),
        Effect::UpdateWebhook(params) => update_webhook::locks_of(params).collect(),
        Effect::Requeue(params) => {
            vec![Locked::Workspace(params.workspace), Locked::Order(params.delivery.webhook)]
        }
        Effect::CreateReplay(replay) => vec![Locked::Workspace(replay.workspace)],
    };
    locked.push(once.workspace.map_or(Locked::OnceOutside, Locked::Workspace));
    locked
}

pub(super) async fn done_before(session: &Session, once: Once) -> Result<Option<SealedSecret>, Failure> {
    let found = recall(session, once, |fields| {
        fields.skip();
        Ok(fields.optional_blob("sealed")?.map(|bytes| SealedSecret::from_bytes(bytes.to_vec())))
    });
    found.await
}

/// What is kept for a call that was made before; `read` starts at the column `accepted` and gives `None` when the
/// answer is of the other kind, as for a call that asked for something else.
pub(crate) async fn recall<T>(
    session: &Session,
    once: Once,
    read: impl FnOnce(&mut Fields<'_>) -> Result<Option<T>, StoreError>,
) -> Result<Option<T>, Failure> {
    let found = session
        .one(SELECT, &[&place(once.workspace), &once.call.name.as_slice()], |row| {
            let mut fields = Fields::new(row, "once", 1);
            fields.skip();
            if !is_kept(fields.time("at")?, once.at) {
                return Ok(None);
            }
            if fields.value("request")? != Value::Blob(&once.call.request) {
                return Err(StoreError::KeyReused);
            }
            read(&mut fields)?.map(Some).ok_or(StoreError::KeyReused)
        })
        .await?;
    Ok(found.flatten())
}

/// Keeps the answer to a call that was not made before, or so long ago that its row does not count. Its place is locked:
/// the workspace, or what [`Locked::OnceOutside`] stands for.
pub(crate) async fn remember(write: &mut Write<'_>, once: Once, kept: Kept<'_>) -> Result<(), Failure> {
    let (accepted, sealed) = match kept {
        Kept::Accepted(packed) => (Some(packed), None),
        Kept::Sealed(answer) => (None, Some(answer.as_bytes())),
    };
    let (name, request) = (once.call.name.as_slice(), once.call.request.as_slice());
    let (at, place) = (once.at.as_ms(), place(once.workspace));
    let (named, row): (Params<'_>, Params<'_>) =
        (&[&place, &name], &[&place, &name, &at, &request, &accepted, &sealed]);
    // In one round trip; the server keeps their order.
    let (gone, _, sums) = try_join3(
        delete(write, DELETE_NAMED, named),
        write.execute(INSERT, row),
        KeptSums::read(write, place),
    )
    .await?;
    count_out(write, &gone);
    write.count_kept(place, answer_bytes(accepted.or(sealed).map_or(0, <[u8]>::len)));
    make_room(write, sums).await
}

/// Forgets the oldest answers until the bounds on them are kept, a step's worth at most.
async fn make_room(write: &mut Write<'_>, mut sums: KeptSums) -> Result<(), Failure> {
    for _ in 0..UPKEEP_ROWS_MAX {
        let Some(crowded) = sums.with(write).crowded() else { return Ok(()) };
        let gone = match crowded {
            Crowded::Place => forget(write, DELETE_OLDEST_OF, &[&sums.place()]).await?,
            // Others may have made room meanwhile.
            Crowded::Everybody if sums.is_remembered() => {
                sums.ask(write).await?;
                continue;
            }
            Crowded::Everybody => forget(write, DELETE_OLDEST, &[]).await?,
        };
        if gone == 0 {
            // The count is wrong, or others are making room; no call fails for it.
            return Ok(());
        }
        write.news.answers_forgotten += 1;
    }
    Ok(())
}

/// Deletes rows by a statement that ends in [`returning`], and counts them out; how many they were.
pub(crate) async fn forget(
    write: &mut Write<'_>,
    sql: &'static str,
    params: Params<'_>,
) -> Result<usize, Failure> {
    let gone = delete(write, sql, params).await?;
    count_out(write, &gone);
    Ok(gone.len())
}

/// Of each row its place, and how long its answer was.
async fn delete(
    session: &Session,
    sql: &'static str,
    params: Params<'_>,
) -> Result<Vec<(i64, usize)>, Failure> {
    let gone = session.all(sql, params, |row| {
        let mut fields = Fields::new(row, "once", 1);
        Ok((fields.id("workspace")?, fields.count("answer")?))
    });
    gone.await
}

fn count_out(write: &mut Write<'_>, gone: &[(i64, usize)]) {
    for (place, answer) in gone {
        write.count_kept(*place, -answer_bytes(*answer));
    }
}
