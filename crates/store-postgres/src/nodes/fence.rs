//! What keeps a former owner from writing: outcomes are written under locks of their lane groups that others share, and
//! count only if the groups' epochs are still those under which they were begun. Who begins to copy a workspace to another cell
//! takes these locks as well: from then on no outcome of it counts.

use std::collections::BTreeSet;

use futures_util::future::try_join;
use signalpost_core::id::WorkspaceId;
use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_store::ledger::Finished;
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::locks::{self, Locked};
use crate::session::Session;

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

/// Locks the groups until the end of the transaction, and gives those of which somebody else has had the group since. Both
/// statements are sent at once, and stand among those that go before a commit.
pub(crate) async fn stale(session: &Session, schema_key: i64, begun: &Begun) -> Result<Begun, Failure> {
    let groups: BTreeSet<LaneGroup> = begun.iter().map(|(group, _)| *group).collect();
    let locked: Vec<Locked> = groups.iter().map(|group| Locked::LaneGroup(*group)).collect();
    let ((), current) =
        try_join(locks::share(session, schema_key, &locked), epochs(session, &groups)).await?;
    Ok(begun.difference(&current).copied().collect())
}

/// Workspaces of these outcomes that are being copied to another cell, as it is behind the locks. Sent with the others.
pub(crate) async fn copied(
    session: &Session,
    outcomes: impl Iterator<Item = &Finished>,
) -> Result<Vec<WorkspaceId>, Failure> {
    let workspaces: BTreeSet<i64> = outcomes.map(|one| one.workspace.raw()).collect();
    let workspaces: Vec<i64> = workspaces.into_iter().collect();
    session
        .all(SELECT_COPIED, &[&workspaces], |row| {
            Fields::new(row, "moving", 1).id("workspace").map(WorkspaceId::from_raw)
        })
        .await
}

async fn epochs(session: &Session, groups: &BTreeSet<LaneGroup>) -> Result<Begun, Failure> {
    let numbers: Vec<i64> =
        groups.iter().map(|group| i64::try_from(group.number()).unwrap_or(i64::MAX)).collect();
    let found = session
        .all(SELECT_EPOCHS, &[&numbers], |row| {
            let mut fields = Fields::new(row, "lane_group", 1);
            let group = LaneGroup::numbered(fields.count("number")?);
            Ok(group.zip(GroupEpoch::numbered(fields.count("epoch")?)))
        })
        .await?;
    Ok(found.into_iter().flatten().collect())
}
