//! A customer who names what another tenant has is told what is told of something that does not exist.

use serde_json::json;

use super::Stage;

/// Pages and forms, with the workspace, its webhook, event and delivery in the places of their letters.
const READ: [&str; 9] = [
    "/workspaces/{W}",
    "/workspaces/{W}/webhooks",
    "/workspaces/{W}/webhooks/{H}",
    "/workspaces/{W}/webhooks/{H}/edit",
    "/workspaces/{W}/events",
    "/workspaces/{W}/events/{E}",
    "/workspaces/{W}/deliveries",
    "/workspaces/{W}/replays",
    "/deliveries/{D}",
];
const SENT: [&str; 10] = [
    "/workspaces/{W}/webhooks",
    "/workspaces/{W}/webhooks/{H}/edit",
    "/workspaces/{W}/webhooks/{H}/delete",
    "/workspaces/{W}/webhooks/{H}/test",
    "/workspaces/{W}/webhooks/{H}/replay",
    "/workspaces/{W}/webhooks/{H}/switch",
    "/workspaces/{W}/webhooks/{H}/release",
    "/workspaces/{W}/webhooks/{H}/secret",
    "/workspaces/{W}/webhooks/{H}/secret/rotate",
    "/deliveries/{D}/resend",
];
/// Filled in for each form that needs something.
const FIELDS: &str = "url=https%3A%2F%2Fx.example&events=*&type=order.paid&data=%7B%7D&to=off&order=oldest_first&overlap_s=0&which=failed&since=1h&per_second=10";

#[test]
fn what_another_tenant_has_does_not_exist() {
    let mut stage = Stage::set();
    let other = stage.other.clone();
    let way = stage.way(&other, &json!({}));
    let mut stranger = stage.browser();
    assert_eq!(stranger.get(&way).status, 303);
    let proof = stranger.proof_on(&format!("/portal/workspaces/{other}"));
    let (hook, event, delivery) = (stage.webhook.clone(), stage.event.clone(), stage.delivery.clone());
    let named = |path: &str, workspace: &str, [hook, event, delivery]: [&str; 3]| {
        let path = path
            .replace("{W}", workspace)
            .replace("{H}", hook)
            .replace("{E}", event)
            .replace("{D}", delivery);
        format!("/portal{path}")
    };
    let theirs = [hook.as_str(), event.as_str(), delivery.as_str()];
    let nobodys = ["wh_0000000000000000", "evt_0000000000000000", "dlv_0000000000000000000000"];
    let form = format!("proof={proof}&{FIELDS}");
    for path in READ {
        let told = stranger.get(&named(path, &stage.workspace, theirs));
        let unknown = stranger.get(&named(path, "ws_0000000000000000", nobodys));
        assert_eq!((told.status, unknown.status), (404, 404), "{path}");
        assert_eq!(told.text(), unknown.text(), "{path}");
    }
    for path in SENT {
        let told = stranger.post(&named(path, &stage.workspace, theirs), &form);
        let unknown = stranger.post(&named(path, "ws_0000000000000000", nobodys), &form);
        assert_eq!((told.status, unknown.status), (404, 404), "{path}: {}", told.text());
        assert_eq!(told.text(), unknown.text(), "{path}");
    }
    // Nor is it found under the stranger's own workspace.
    for path in READ.into_iter().filter(|path| path.contains("{H}") || path.contains("{E}")) {
        assert_eq!(stranger.get(&named(path, &other, theirs)).status, 404, "{path}");
    }
    for wanted in [&stage.workspace, &hook, &event, &delivery] {
        let found = stranger.page(&format!("/portal/find?q={wanted}&workspace={other}"));
        assert!(found.contains("Nothing here has the id") && !found.contains("no workspace"), "{wanted}");
        let there = stranger.get(&format!("/portal/find?q={wanted}&workspace={}", stage.workspace));
        assert!(there.status == 404 || there.text().contains("Nothing here has the id"), "{wanted}");
    }
    assert!(!stranger.page("/portal/find?q=acme").contains(&stage.workspace));
    assert_eq!(stage.requests(), 1, "nothing was sent to anybody");
}
