//! What keeps a former owner from writing: outcomes are written under locks of their lane groups that others share, and
//! count only if the groups' epochs are still those under which they were begun. Who begins to copy a workspace to another cell
//! takes these locks as well: from then on no outcome of it counts.

use std::collections::BTreeSet;

use signalpost_core::id::WorkspaceId;
use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_store::ledger::Finished;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::locks::{self, Locked};
use crate::script::{Answers, Asked, Scripted};
use crate::write::Opening;

pub(crate) const SELECT_EPOCHS: &str = "SELECT g.number, g.epoch FROM unnest($1::bigint[]) AS k
    CROSS JOIN LATERAL (SELECT number, epoch FROM lane_group WHERE number = k OFFSET 0) AS g";

pub(crate) const SELECT_COPIED: &str =
    "SELECT v.workspace FROM unnest($1::bigint[]) AS k CROSS JOIN LATERAL (
    SELECT v.workspace FROM moving v JOIN cell_move c ON c.id = v.move
    WHERE v.workspace = k AND c.phase <> 'refusing' OFFSET 0) AS v";

/// Groups with the epochs under which outcomes of theirs were begun.
pub(crate) type Begun = BTreeSet<(LaneGroup, GroupEpoch)>;

pub(crate) fn begun(one: &Finished) -> (LaneGroup, GroupEpoch) {
    (LaneGroup::of(one.due.id.webhook), one.epoch)
}

/// What is asked behind the locks of outcomes' groups.
pub(crate) struct Fence {
    epochs: Asked,
    copied: Asked,
}

impl Fence {
    /// Locks the groups of outcomes until the end of the transaction.
    pub(crate) fn ask(
        opening: &mut Opening,
        schema_key: i64,
        begun: &Begun,
        of: &BTreeSet<WorkspaceId>,
    ) -> Self {
        let groups: BTreeSet<LaneGroup> = begun.iter().map(|(group, _)| *group).collect();
        let locked: Vec<Locked> = groups.iter().map(|group| Locked::LaneGroup(*group)).collect();
        opening.run(Scripted::Share, &[&locks::keys(schema_key, &locked)]);
        let numbers: Vec<i64> =
            groups.iter().map(|group| i64::try_from(group.number()).unwrap_or(i64::MAX)).collect();
        let epochs = opening.run(Scripted::SelectEpochs, &[&numbers]);
        let workspaces: Vec<i64> = of.iter().map(|workspace| workspace.raw()).collect();
        Self { epochs, copied: opening.run(Scripted::SelectCopied, &[&workspaces]) }
    }

    /// Those of which somebody else has had the group since.
    pub(crate) fn stale(&self, answers: &Answers, begun: &Begun) -> Result<Begun, Failure> {
        let found = answers.all(self.epochs, |row| {
            let mut fields = Fields::new(row, "lane_group", 1);
            let group = LaneGroup::numbered(fields.count("number")?);
            Ok(group.zip(GroupEpoch::numbered(fields.count("epoch")?)))
        });
        let current: Begun = found?.into_iter().flatten().collect();
        Ok(begun.difference(&current).copied().collect())
    }

    /// Workspaces that are being copied to another cell.
    pub(crate) fn copied(&self, answers: &Answers) -> Result<Vec<WorkspaceId>, Failure> {
        answers
            .all(self.copied, |row| Fields::new(row, "moving", 1).id("workspace").map(WorkspaceId::from_raw))
    }
}
