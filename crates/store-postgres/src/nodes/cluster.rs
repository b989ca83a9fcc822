//! `cluster`: who lives, and who has what, as the rows say.

use signalpost_core::lane_share::NodeNumber;
use signalpost_store::StoreError;
use signalpost_store::cluster::{Cluster, ClusterNode, OwnedGroup};

use super::Duty;
use super::read::{self, Group, Living};
use crate::pool::Pool;
use crate::work;

/// At one moment: a group's owner is among the nodes, or nobody.
pub(crate) async fn cluster(pool: &Pool) -> Result<Cluster, StoreError> {
    let (living, groups) = work::read_snapshot(pool, async |session| {
        Ok((read::nodes(session).await?, read::groups(session).await?))
    })
    .await?;
    let token = pool.shared.token.get();
    Ok(Cluster {
        nodes: living.iter().map(|one| node(one, token)).collect(),
        groups: groups.iter().map(|one| owned(one, &living)).collect(),
    })
}

fn node(living: &Living, token: i64) -> ClusterNode {
    ClusterNode {
        number: living.number,
        delivers: living.duty == Duty::Delivers,
        // Less than nothing when the server's clock has stepped back.
        renewed_ms_ago: Some(u64::try_from(living.renewed_ms_ago).unwrap_or(0)),
        is_this: living.token == token,
    }
}

fn owned(one: &Group, living: &[Living]) -> OwnedGroup {
    let owner: Option<NodeNumber> =
        living.iter().find(|living| Some(living.token) == one.owner).map(|living| living.number);
    OwnedGroup { group: one.group, epoch: one.epoch, owner }
}
