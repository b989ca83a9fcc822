//! Who delivers what, as the operator sees it.

use http::Method;
use serde_json::json;
use signalpost_core::lane_group::LaneGroup;
use signalpost_core::time::Monotonic;
use signalpost_store::Ledger;
use signalpost_store::testing::block_on::block_on;

use crate::app::App;
use crate::core::running;

#[test]
fn a_node_by_itself_is_shown_with_every_group() {
    let app = App::new();
    let shown = app.operator(Method::GET, "/v1/cluster").send().expect(200).json();
    let node = json!({"number": 0, "delivers": true, "renewed_ms_ago": null, "is_this": true});
    assert_eq!(shown["nodes"], json!([node]));
    let groups = shown["groups"].as_array().unwrap();
    let group = json!({"number": 63, "epoch": 1, "owner": 0, "oldest_due_ms": null});
    assert_eq!((groups.len(), &groups[63]), (64, &group));
}

#[test]
fn how_old_the_oldest_due_delivery_is_is_known_after_a_look() {
    let app = App::new();
    let _beside = running(&app);
    let shown = app.operator(Method::GET, "/v1/cluster").send().expect(200).json();
    assert_eq!(shown["groups"][0]["oldest_due_ms"], 0);
}

#[test]
fn the_cluster_is_for_readers_of_the_whole_installation() {
    let app = App::new();
    let reader = app.minted(&json!({"scopes": ["read"]})).1;
    app.with_key(&reader, Method::GET, "/v1/cluster").send().expect(200);
    let publisher = app.minted(&json!({"scopes": ["publish"]})).1;
    app.with_key(&publisher, Method::GET, "/v1/cluster").send().expect(403);
    app.operator_stranger(Method::GET, "/v1/cluster").send().expect(401);
    block_on(app.store.close()).unwrap();
    let refused = app.operator(Method::GET, "/v1/cluster").send();
    assert_eq!(refused.expect(503).text_at("/code"), "unavailable");
}

#[test]
fn metrics_tell_what_this_node_has_and_has_lived_through() {
    let app = App::new();
    let ownership = app.store.ownership();
    LaneGroup::all().skip(2).for_each(|group| ownership.lose(group));
    ownership.trust_until(Monotonic::from_us(0));
    ownership.be_node(7);
    ownership.counts().groups_given.add(62);
    ownership.counts().losses.add(1);
    let text = app.operator_stranger(Method::GET, "/metrics").send().expect(200).text();
    for line in [
        "signalpost_node_number 7",
        "signalpost_lane_groups_owned 2",
        "signalpost_lease_trusted 0",
        "signalpost_lease_losses_total 1",
        "signalpost_lane_groups_given_total 62",
        "signalpost_oldest_due_seconds{group=\"1\"} 0",
    ] {
        assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("{group=\"2\"}"), "it is another's");
}
