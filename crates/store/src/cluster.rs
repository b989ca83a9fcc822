//! The processes that share a store, and which of them delivers for which webhooks.

use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_core::lane_share::NodeNumber;

/// As it is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// In ascending order of their numbers.
    pub nodes: Vec<ClusterNode>,
    /// Every group, in ascending order.
    pub groups: Vec<OwnedGroup>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterNode {
    pub number: NodeNumber,
    /// Whether groups fall to it.
    pub delivers: bool,
    /// By the store's clock; `None` for one that needs no lease.
    pub renewed_ms_ago: Option<u64>,
    /// Whether it is the one that was asked.
    pub is_this: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnedGroup {
    pub group: LaneGroup,
    /// `None` when nobody ever had it.
    pub epoch: Option<GroupEpoch>,
    /// `None` when nobody has it, or a node that is gone.
    pub owner: Option<NodeNumber>,
}

impl Cluster {
    /// Of a store that no two processes share.
    pub fn of_one() -> Self {
        let node = ClusterNode { number: 0, delivers: true, renewed_ms_ago: None, is_this: true };
        let ours = |group| OwnedGroup { group, epoch: Some(GroupEpoch::ONLY), owner: Some(node.number) };
        Self { nodes: vec![node], groups: LaneGroup::all().map(ours).collect() }
    }
}
