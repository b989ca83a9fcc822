//! Who shares the store, and who has which lane groups.

use signalpost_core::lane_group::LaneGroup;
use signalpost_core::principal::Principal;

use super::Harness;
use super::kit::{Kit, refusal};
use crate::catalog::DeleteWebhook;
use crate::testing::refusal::Refusal;
use crate::testing::sample;

pub async fn a_node_by_itself_has_every_group(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let cluster = kit.cluster().await.expect("it reads");
    let [node] = cluster.nodes[..] else { panic!("there is one node: {:?}", cluster.nodes) };
    assert!(node.is_this && node.delivers, "{node:?}");
    assert_eq!(node.number, kit.ownership().node());
    assert!(
        cluster.groups.iter().map(|one| one.group).eq(LaneGroup::all()),
        "each stands there once, in order"
    );
    for one in cluster.groups {
        assert_eq!((one.owner, one.epoch), (Some(node.number), kit.ownership().epoch_of(one.group)));
    }
}

/// Neither for its own changes nor where there are none.
pub async fn a_node_by_itself_waits_for_nobody(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    kit.settle_changes().await.expect("nothing was changed");
    let (workspace, [webhook]) = kit.tenant().await;
    let delete = || DeleteWebhook { workspace, webhook, at: sample::at(40), by: Principal::Operator };
    kit.delete_webhook(delete()).await.expect("it lives");
    kit.settle_changes().await.expect("nobody else is there");
    assert_eq!(refusal(kit.delete_webhook(delete()).await), Refusal::Missing("webhook"));
    kit.settle_changes().await.expect("nothing was changed");
}
