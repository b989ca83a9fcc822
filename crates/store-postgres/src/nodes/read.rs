//! Who lives, and who has what.

use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_core::lane_share::NodeNumber;
use signalpost_core::limits::{LANE_GROUPS, NODES_MAX};
use signalpost_store::StoreError;
use signalpost_store::row::{Fields, Row};

use super::Duty;
use crate::failure::Failure;
use crate::session::Session;

pub(crate) const SELECT_NODES: &str = "SELECT number, token, process, delivers,
    (extract(epoch FROM clock_timestamp() - renewed_at) * 1000)::bigint FROM node ORDER BY number LIMIT $1";
pub(crate) const SELECT_GROUPS: &str = "SELECT number, epoch, owner FROM lane_group ORDER BY number LIMIT $1";

/// A node whose row stands.
pub(super) struct Living {
    pub(super) number: NodeNumber,
    pub(super) token: i64,
    /// By which others on the same machine know it.
    pub(super) process: String,
    pub(super) duty: Duty,
    pub(super) renewed_ms_ago: i64,
}

/// A group as its row says.
pub(super) struct Group {
    pub(super) group: LaneGroup,
    /// `None` when nobody ever had it.
    pub(super) epoch: Option<GroupEpoch>,
    /// Token of a node, which may be gone.
    pub(super) owner: Option<i64>,
}

pub(super) async fn nodes(session: &Session) -> Result<Vec<Living>, Failure> {
    session.all(SELECT_NODES, &[&i64::from(NODES_MAX)], living).await
}

pub(super) async fn groups(session: &Session) -> Result<Vec<Group>, Failure> {
    let most = i64::try_from(LANE_GROUPS).unwrap_or(i64::MAX);
    session.all(SELECT_GROUPS, &[&most], group).await
}

fn living(row: &Row<'_>) -> Result<Living, StoreError> {
    let mut fields = Fields::new(row, "node", 1);
    Ok(Living {
        number: fields.count("number")?,
        token: fields.integer("token")?,
        process: fields.text("process")?.to_owned(),
        duty: if fields.integer("delivers")? == 0 { Duty::Serves } else { Duty::Delivers },
        renewed_ms_ago: fields.integer("renewed_at")?,
    })
}

fn group(row: &Row<'_>) -> Result<Group, StoreError> {
    let mut fields = Fields::new(row, "lane_group", 1);
    let group = LaneGroup::numbered(fields.count("number")?);
    let group = group.ok_or_else(|| fields.corrupt("number", "there is no such group".to_owned()))?;
    let epoch = GroupEpoch::numbered(fields.count("epoch")?);
    Ok(Group { group, epoch, owner: fields.optional_integer("owner")? })
}
