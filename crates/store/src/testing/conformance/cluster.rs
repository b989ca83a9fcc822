//! Who shares the store, and who has which lane groups.

use signalpost_core::lane_group::LaneGroup;

use super::Harness;
use super::kit::Kit;

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
