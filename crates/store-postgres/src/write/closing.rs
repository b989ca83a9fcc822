//! How a transaction ends: what was counted is written down with the commit.

use futures_util::future::try_join;

use super::{News, Tally, Write};
use crate::changes::note;
use crate::failure::Failure;
use crate::script::{Script, Scripted};
use crate::session::Standing;

const ROLLBACK: &str = "ROLLBACK";
/// Writes to the server's log alone, so that the commit behind it waits for whatever comes before it there.
const MARK_LOG: &str = "SELECT pg_logical_emit_message(true, 'signalpost', '')";

impl Write<'_> {
    /// Writes down what was counted and commits, in one round trip; what there is to tell.
    pub(crate) async fn commit(self) -> Result<News, Failure> {
        self.commit_after(async { Ok(()) }).await
    }

    /// The same where nothing was written: what others have committed before is on disk then, and on standbys.
    pub(crate) async fn commit_marked(self) -> Result<News, Failure> {
        self.session.batch(MARK_LOG).await?;
        self.commit().await
    }

    /// The same behind last statements that belong to the transaction, all of them among [`super::BEFORE_COMMIT`].
    pub(crate) async fn commit_after(
        self,
        last: impl Future<Output = Result<(), Failure>>,
    ) -> Result<News, Failure> {
        let written = async {
            // In the order in which they are sent: the lock on the numbers of changes comes after every other.
            let changed = note::insert(self.session, self.shared, &self.changes);
            try_join(last, changed).await.map(|((), changed)| changed)
        };
        // On the heap: it is large, and every level above would carry it.
        let changed = self.session.commit_behind(Box::pin(written), &self.closing()).await?;
        Ok(News { changed, ..self.news })
    }

    /// Undoes everything. When that fails the connection is left to be closed, which undoes it too.
    pub(crate) async fn roll_back(self) {
        match self.session.batch(ROLLBACK).await {
            Ok(()) => self.session.set_standing(Standing::Idle),
            Err(failure) => {
                tracing::debug!(problem = failure.describe(), "a transaction ends with its connection")
            }
        }
    }

    fn closing(&self) -> Script {
        let mut script = Script::default();
        self.write_places(&mut script);
        self.write_heads(&mut script);
        self.write_tallies(&mut script);
        script.commit();
        script
    }

    fn write_places(&self, script: &mut Script) {
        let moved = self.known.heads.iter().filter(|(_, head)| head.moved);
        let (workspaces, sequences): (Vec<i64>, Vec<i64>) =
            moved.map(|(workspace, head)| (workspace.raw(), head.sequence)).unzip();
        if !workspaces.is_empty() {
            script.run(Scripted::InsertPlaces, &[&workspaces, &sequences]);
        }
    }

    fn write_heads(&self, script: &mut Script) {
        let changed: Vec<_> = self.known.heads.iter().filter(|(_, head)| head.changed).collect();
        if changed.is_empty() {
            return;
        }
        let workspaces: Vec<i64> = changed.iter().map(|(workspace, _)| workspace.raw()).collect();
        let versions: Vec<i64> = changed.iter().map(|(_, head)| head.version).collect();
        let expired: Vec<i64> = changed.iter().map(|(_, head)| head.expired_through).collect();
        script.run(Scripted::UpdateHeads, &[&workspaces, &versions, &expired]);
    }

    fn write_tallies(&self, script: &mut Script) {
        if self.tallies.is_empty() {
            return;
        }
        let column = |of: fn(&Tally) -> i64| self.tallies.values().map(of).collect::<Vec<i64>>();
        let places: Vec<i64> = self.tallies.keys().copied().collect();
        let (events, bytes) = (column(|tally| tally.events), column(|tally| tally.bytes));
        let kept = column(|tally| tally.kept_bytes);
        script.run(Scripted::InsertTallies, &[&places, &events, &bytes, &kept]);
    }
}
