//! Where webhooks are a feature of a workspace, nothing is sent by hand without it.

use serde_json::json;
use signalpost_testkit::{Request, wait_for};

use super::Stage;
use crate::PATIENCE;

#[test]
fn nothing_is_sent_again_without_the_feature_that_webhooks_need() {
    let mut stage = Stage::set();
    let workspace = stage.operator.create_workspace(&json!({"dialect": "opentrain", "name": "O"})).unwrap();
    let of = format!("/dash/workspaces/{workspace}");
    let mut root = stage.root();
    let proof = format!("proof={}", root.proof());
    let url = stage.receiver.url("/200").replace(':', "%3A").replace('/', "%2F");
    let new = format!("{proof}&url={url}&event%3Aproposal.received=on");
    let made = root.post(&format!("{of}/webhooks"), &new);
    assert_eq!(made.status, 303, "{}", made.text());
    let webhook = made.header("location").unwrap().to_owned();
    let sent = root.post(&format!("{webhook}/replay"), &format!("{proof}&which=all&since=1h&per_second=1"));
    assert_eq!(sent.status, 303, "{}", sent.text());
    let replay = sent.header("location").unwrap().to_owned();
    wait_for("the plan", PATIENCE, || root.page(&replay).contains("nothing to send")).unwrap();
    let data = json!({"proposalId": "p", "jobId": "j"});
    let event = json!({"type": "proposal.received", "resourceId": "r", "data": data});
    stage.operator.publish(&workspace, &event).unwrap();
    let list = format!("/v1/workspaces/{workspace}/deliveries?status=delivered");
    let mut delivery = String::new();
    let delivered = || {
        let rows = stage.operator.get(&list).unwrap();
        delivery = rows["data"][0]["id"].as_str().unwrap_or_default().to_owned();
        !delivery.is_empty()
    };
    wait_for("the delivery", PATIENCE, delivered).unwrap();
    let resend = format!("/dash/deliveries/{delivery}/resend");
    assert_eq!(root.post(&resend, &proof).status, 303, "with the feature it is sent");
    let change = Request::new("PATCH", &format!("/v1/workspaces/{workspace}")).json(&json!({"features": []}));
    assert_eq!(stage.operator.send(change).unwrap().status, 200);
    assert_eq!(root.get(&format!("{webhook}/replay")).status, 403);
    for act in [format!("{webhook}/replay"), format!("{replay}/start"), format!("{replay}/cancel"), resend] {
        let refused = root.post(&act, &format!("{proof}&which=all&since=1h&per_second=1"));
        assert_eq!(refused.status, 403, "{act}");
        assert!(refused.text().contains("public_api_webhooks"), "{act}: {}", refused.text());
    }
    assert!(root.page(&replay).contains("planned"), "it is as it was");
}
