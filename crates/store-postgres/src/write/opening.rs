//! How a transaction begins: with its locks, and what is read behind them.

use signalpost_core::id::WorkspaceId;
use signalpost_store::StoreError;

use futures_util::future::try_join;

use super::Write;
use super::known::{Known, head};
use crate::failure::Failure;
use crate::locks::{self, Locked};
use crate::script::{Answers, Asked, Script, Scripted};
use crate::session::{Session, Standing};
use crate::shared::Shared;
use crate::write::News;

/// What a transaction begins with, sent at once.
pub(crate) struct Opening {
    script: Script,
    heads: Option<Asked>,
}

impl Opening {
    /// Takes locks before anything else.
    pub(crate) fn locked(shared: &Shared, locked: &[Locked]) -> Self {
        let mut script = Script::default();
        script.begin();
        let heads = ask_for_locks(&mut script, shared, locked);
        Self { script, heads }
    }

    /// Runs a statement behind those before it.
    pub(crate) fn run(&mut self, statement: Scripted, columns: &[&[i64]]) -> Asked {
        self.script.run(statement, columns)
    }
}

/// Asks for what must be known of the workspaces among them as well, as it is behind the locks.
fn ask_for_locks(script: &mut Script, shared: &Shared, locked: &[Locked]) -> Option<Asked> {
    if locked.is_empty() {
        return None;
    }
    script.run(Scripted::Lock, &[&locks::keys(shared.schema_key, locked)]);
    let workspaces = locked.iter().filter_map(|one| match one {
        Locked::Workspace(id) => Some(id.raw()),
        _ => None,
    });
    let workspaces: Vec<i64> = workspaces.collect();
    (!workspaces.is_empty()).then(|| script.run(Scripted::SelectHeads, &[&workspaces]))
}

fn known(answers: &Answers, heads: Option<Asked>) -> Result<Known, Failure> {
    let mut known = Known::default();
    let Some(heads) = heads else { return Ok(known) };
    for (workspace, head) in answers.all(heads, head)? {
        match head {
            Some(head) => drop(known.heads.insert(workspace, head)),
            None => drop(known.moving.insert(workspace)),
        }
    }
    Ok(known)
}

impl<'s> Write<'s> {
    pub(crate) async fn begin(session: &'s Session, shared: &'s Shared) -> Result<Self, Failure> {
        Self::begin_locked(session, shared, &[]).await
    }

    /// The same with locks at once, in one round trip.
    pub(crate) async fn begin_locked(
        session: &'s Session,
        shared: &'s Shared,
        locked: &[Locked],
    ) -> Result<Self, Failure> {
        let opening = Opening::locked(shared, locked);
        let (write, ..) = Self::begin_with(session, shared, opening, async { Ok(()) }).await?;
        Ok(write)
    }

    /// The same with first statements behind it, all of them prepared.
    pub(crate) async fn begin_with<T>(
        session: &'s Session,
        shared: &'s Shared,
        Opening { script, heads }: Opening,
        first: impl Future<Output = Result<T, Failure>>,
    ) -> Result<(Self, Answers, T), Failure> {
        let mut write = Self::new(session, shared);
        let (answers, first) = try_join(session.run(&script), first).await?;
        write.known = known(&answers, heads)?;
        Ok((write, answers, first))
    }

    fn new(session: &'s Session, shared: &'s Shared) -> Self {
        session.set_standing(Standing::Writing);
        let news = News { since: Some(shared.shown.begin()), ..News::default() };
        Self {
            session,
            shared,
            known: Known::default(),
            tallies: Default::default(),
            changes: Vec::new(),
            news,
        }
    }

    /// Locks a workspace, if it exists or not, before anything of it is read.
    pub(crate) async fn lock(&mut self, workspace: WorkspaceId) -> Result<(), Failure> {
        self.lock_all(&[Locked::Workspace(workspace)]).await
    }

    /// Takes locks. To be called once in a transaction, or with greater care than anybody has. `Moving` when a workspace among
    /// them is.
    pub(crate) async fn lock_all(&mut self, locked: &[Locked]) -> Result<(), Failure> {
        self.lock_moving_too(locked).await?;
        if self.known.moving.is_empty() { Ok(()) } else { Err(StoreError::Moving.into()) }
    }

    /// The same for whoever asks [`Self::is_moving`] before anything of a workspace's events is changed.
    pub(crate) async fn lock_moving_too(&mut self, locked: &[Locked]) -> Result<(), Failure> {
        if locked.is_empty() {
            return Ok(());
        }
        let mut script = Script::default();
        let heads = ask_for_locks(&mut script, self.shared, locked);
        let Known { heads, moving } = known(&self.session.run(&script).await?, heads)?;
        self.known.heads.extend(heads);
        self.known.moving.extend(moving);
        Ok(())
    }

    /// Whether a workspace is going to another cell, or coming from one: its events must stay as they are. It must be locked.
    pub(crate) fn is_moving(&self, workspace: WorkspaceId) -> bool {
        self.known.moving.contains(&workspace)
    }
}
