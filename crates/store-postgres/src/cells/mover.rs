//! A move from its beginning to its end, or from wherever it is.

use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

use signalpost_core::retention::RetentionRules;
use signalpost_store::transfer::{Bounds, Checksum, Page, Stand};
use signalpost_store::{Answer, StoreError};

use super::look::{self, Seen, Standing};
use super::roots::{self, Roots};
use super::tables::{BULK, Bulk};
use super::{Move, MoveError, Parts, Phase, arrive, clean, compare, drain, leave, mark, put, read};
use crate::pool::Pool;
use crate::schema;
use crate::session::Session;
use crate::store::PostgresStore;
use crate::work::read_snapshot;

pub(super) const NEW_ID: &str = "SELECT (random() * 9e18)::bigint";

/// Of a table at first. Each page asks for twice as many rows as the last one has taken: what is too large for one is read in vain.
const FIRST_ROWS: usize = 64;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The target takes the names.
    Expecting,
    /// The source accepts and begins nothing any more.
    Marking,
    /// Attempts in flight come to their ends.
    Draining,
    /// A page of a table, of which this run has copied so many rows.
    Copying {
        table: &'static str,
        rows: u64,
    },
    Comparing {
        table: &'static str,
    },
    /// The target takes the rest, and takes it back.
    Rehearsing,
    /// The source gives them up.
    Leaving,
    /// The target serves them.
    Showing,
    /// The source removes what it still has.
    Confirming,
}

/// What was moved.
#[derive(Clone, Debug)]
pub struct Moved {
    /// What there is of each table; empty where it was there before this run.
    pub tables: Vec<(&'static str, Checksum)>,
}

/// Asked before each step whether to go on.
type Tell<'t> = &'t mut dyn FnMut(Step) -> ControlFlow<()>;

/// Two cells, each with its name. The stores are those of a process that serves nobody: a node hears of what others change, and
/// not of what it changes itself.
pub struct Mover<'s> {
    pub source: (&'s PostgresStore, &'s str),
    pub target: (&'s PostgresStore, &'s str),
    /// By which old events of the source go with their tables.
    pub rules: RetentionRules,
    /// That an attempt takes where neither its workspace nor its webhook says otherwise.
    pub longest_attempt: Duration,
    pub bounds: Bounds,
}

fn go_on(tell: Tell<'_>, step: Step) -> Result<(), MoveError> {
    if tell(step).is_break() { Err(MoveError::Stopped) } else { Ok(()) }
}

impl Mover<'_> {
    /// Moves these workspaces, or goes on with it.
    pub async fn run(&self, public_ids: &[String], tell: Tell<'_>) -> Result<Moved, MoveError> {
        self.check_schemas().await?;
        let (moving, phase) = match self.known_to_source(public_ids).await? {
            Some((moving, phase)) => (moving, phase),
            None => (self.begin(public_ids, tell).await?, Phase::Refusing),
        };
        let mut tables = Vec::new();
        if phase != Phase::Gone {
            self.copy(&moving, phase, tell, &mut tables).await?;
        }
        self.end(&moving, tell, &mut tables).await?;
        Ok(Moved { tables })
    }

    /// Has the source serve these workspaces again, and removes from the target what has come there.
    pub async fn give_up(&self, public_ids: &[String]) -> Result<(), MoveError> {
        let here = self.known_to_source(public_ids).await?;
        let there = self.known_to_target(public_ids).await?;
        if let Some((moving, _)) = &here {
            let moving = moving.clone();
            at(self.source.0, async move |pool| leave::stay(&pool, &moving).await).await??;
        }
        if let Some((moving, _)) = &there {
            let moving = moving.clone();
            at(self.target.0, async move |pool| clean::run(&pool, &moving).await).await?;
        }
        match (here, there) {
            (None, None) => Err(MoveError::NotMoving(public_ids.join(", "))),
            _ => Ok(()),
        }
    }

    async fn check_schemas(&self) -> Result<(), MoveError> {
        let known = |store: &PostgresStore| store.read(async |session| schema::applied(session).await);
        let (source_schema, target_schema) = (known(self.source.0).await?, known(self.target.0).await?);
        if source_schema == target_schema {
            return Ok(());
        }
        let (source_cell, target_cell) = (self.source.1.to_owned(), self.target.1.to_owned());
        Err(MoveError::Schemas { source_cell, source_schema, target_cell, target_schema })
    }

    async fn known_to_source(&self, public_ids: &[String]) -> Result<Option<(Move, Phase)>, MoveError> {
        common(self.source.0, public_ids, self.target.1).await
    }

    async fn known_to_target(&self, public_ids: &[String]) -> Result<Option<(Move, Phase)>, MoveError> {
        common(self.target.0, public_ids, self.source.1).await
    }

    /// Takes the names in the target, and marks the source. What was killed between the two goes on.
    async fn begin(&self, public_ids: &[String], tell: Tell<'_>) -> Result<Move, MoveError> {
        let moving = match self.known_to_target(public_ids).await? {
            Some((moving, _)) => moving,
            None => self.expect(public_ids, tell).await?,
        };
        go_on(tell, Step::Marking)?;
        let (marked, other, rules) = (moving.clone(), self.target.1.to_owned(), self.rules.clone());
        let marked =
            at(self.source.0, async move |pool| mark::run(&pool, &marked, &other, &rules).await).await?;
        if let Err(refusal) = marked {
            // Nothing has come yet but the names.
            let expected = moving.clone();
            at(self.target.0, async move |pool| clean::run(&pool, &expected).await).await?;
            return Err(refusal);
        }
        Ok(moving)
    }

    async fn expect(&self, public_ids: &[String], tell: Tell<'_>) -> Result<Move, MoveError> {
        let moving = self.new_move(public_ids).await?;
        go_on(tell, Step::Expecting)?;
        let (expected, other, cell) = (moving.clone(), self.source.1.to_owned(), self.target.1.to_owned());
        at(self.target.0, async move |pool| arrive::expect(&pool, &expected, (&other, &cell)).await)
            .await??;
        Ok(moving)
    }

    async fn new_move(&self, public_ids: &[String]) -> Result<Move, MoveError> {
        let mut workspaces = Vec::with_capacity(public_ids.len());
        for Seen { public_id, standing, .. } in self.source.0.look_for_moving(public_ids.to_vec()).await? {
            match standing {
                Standing::Living(workspace) => workspaces.push((workspace, public_id)),
                Standing::Unknown => return Err(MoveError::Unknown(public_id)),
                Standing::Closed => return Err(MoveError::Closed(public_id)),
                Standing::Rest | Standing::Tombstone(_) => return Err(MoveError::Erased(public_id)),
            }
        }
        workspaces.sort_unstable();
        let id = self.source.0.read(async |session| session.number(NEW_ID, &[]).await).await?;
        Ok(Move { id, workspaces })
    }

    /// Up to the moment at which the source gives them up.
    async fn copy(
        &self,
        moving: &Move,
        phase: Phase,
        tell: Tell<'_>,
        tables: &mut Vec<(&'static str, Checksum)>,
    ) -> Result<(), MoveError> {
        if phase == Phase::Refusing {
            self.drain(moving, tell).await?;
        }
        let id = moving.id;
        let parts = self.source.0.read(async move |session| drain::parts(session, id).await).await?;
        let (expected, of_them) = (moving.clone(), parts.clone());
        at(self.target.0, async move |pool| arrive::expect_parts(&pool, &expected, &of_them).await).await?;
        for bulk in BULK {
            self.copy_table(moving, &parts, bulk, tell).await?;
        }
        for bulk in BULK.iter().filter(|bulk| bulk.stands_still()) {
            tables.push(self.compare(moving, &parts, bulk, tell).await?);
        }
        go_on(tell, Step::Rehearsing)?;
        let (rehearsed, roots) = (moving.clone(), self.roots(moving).await?);
        at(self.target.0, async move |pool| arrive::rehearse(&pool, &rehearsed, &roots).await).await?;
        go_on(tell, Step::Leaving)?;
        let left = moving.clone();
        Ok(at(self.source.0, async move |pool| leave::go(&pool, &left).await).await?)
    }

    /// A run that was killed may not have waited until all nodes had heard.
    async fn drain(&self, moving: &Move, tell: Tell<'_>) -> Result<(), MoveError> {
        go_on(tell, Step::Draining)?;
        self.source.0.settle().await?;
        let (drained, longest) = (moving.clone(), self.longest_attempt);
        let begun = at(self.source.0, async move |pool| {
            drain::wait(&pool, drained.id, longest).await?;
            drain::begin_copying(&pool, &drained).await
        });
        begun.await?
    }

    async fn copy_table(
        &self,
        moving: &Move,
        parts: &Parts,
        bulk: &'static Bulk,
        tell: Tell<'_>,
    ) -> Result<(), MoveError> {
        let (id, mut rows) = (moving.id, 0);
        let stand = self.target.0.read(async move |session| put::stand(session, id, bulk).await).await?;
        let Stand::At(mut after) = stand else { return Ok(()) };
        let owners = bulk.owners(moving, parts);
        let mut wanted = Bounds { rows: FIRST_ROWS.min(self.bounds.rows), ..self.bounds };
        loop {
            go_on(tell, Step::Copying { table: bulk.table().name, rows })?;
            let (of, behind, bounds) = (owners.clone(), after.take(), wanted);
            let page: Page = self
                .source
                .0
                .read(async move |session| read::page(session, bulk, &of, behind.as_ref(), bounds).await)
                .await?;
            rows += page.rows.len() as u64;
            wanted.rows = page.rows.len().saturating_mul(2).clamp(1, self.bounds.rows);
            after = page.next.clone();
            let (to, cell) = (moving.clone(), self.target.1.to_owned());
            at(self.target.0, async move |pool| put::put(&pool, &to, bulk, &page, &cell).await).await??;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn compare(
        &self,
        moving: &Move,
        parts: &Parts,
        bulk: &'static Bulk,
        tell: Tell<'_>,
    ) -> Result<(&'static str, Checksum), MoveError> {
        let table = bulk.table().name;
        go_on(tell, Step::Comparing { table })?;
        let sum = |store: &PostgresStore| {
            let owners = bulk.owners(moving, parts);
            at(store, async move |pool| compare::checksum(&pool, bulk, &owners).await)
        };
        let (source_sum, target_sum) =
            futures_util::future::try_join(sum(self.source.0), sum(self.target.0)).await?;
        if source_sum == target_sum {
            Ok((table, source_sum))
        } else {
            Err(MoveError::Differs { table, source_sum, target_sum })
        }
    }

    async fn roots(&self, moving: &Move) -> Result<Roots, StoreError> {
        let ids = moving.ids();
        let read = at(self.source.0, async move |pool| {
            read_snapshot(&pool, async |session: &Session| roots::read(session, &ids).await).await
        });
        read.await
    }

    /// From the moment on at which the source has given them up.
    async fn end(
        &self,
        moving: &Move,
        tell: Tell<'_>,
        tables: &mut Vec<(&'static str, Checksum)>,
    ) -> Result<(), MoveError> {
        let public_ids: Vec<String> =
            moving.workspaces.iter().map(|(_, public_id)| public_id.clone()).collect();
        if self.known_to_target(&public_ids).await?.is_some() {
            go_on(tell, Step::Showing)?;
            // A run that was killed may not have waited until all nodes had heard.
            self.source.0.settle().await?;
            let (shown, roots) = (moving.clone(), self.roots(moving).await?);
            tables.extend(
                at(self.target.0, async move |pool| arrive::show(&pool, &shown, &roots).await).await?,
            );
        } else {
            self.check_shown(public_ids).await?;
        }
        go_on(tell, Step::Confirming)?;
        let confirmed = moving.clone();
        Ok(at(self.source.0, async move |pool| leave::confirm(&pool, &confirmed).await).await?)
    }

    /// Nothing may be removed from the source that is not in the target.
    async fn check_shown(&self, public_ids: Vec<String>) -> Result<(), MoveError> {
        let there = self.target.0.look_for_moving(public_ids).await?;
        let is_missing = |seen: &Seen| matches!(seen.standing, Standing::Unknown | Standing::Tombstone(_));
        match there.into_iter().find(is_missing) {
            Some(missing) => Err(MoveError::Lost(missing.public_id)),
            None => Ok(()),
        }
    }
}

async fn common(
    store: &PostgresStore,
    public_ids: &[String],
    other: &str,
) -> Result<Option<(Move, Phase)>, MoveError> {
    let (public_ids, other) = (public_ids.to_vec(), other.to_owned());
    store.read_snapshot(async move |session| look::common(session, &public_ids, &other).await).await?
}

/// Work with connections of a store.
fn at<T: Send + 'static>(
    store: &PostgresStore,
    work: impl AsyncFnOnce(Rc<Pool>) -> Result<T, StoreError> + Send + 'static,
) -> Answer<T> {
    store.run(work)
}
