//! The page of a replay: what it would send, and who may have it sent.

use serde_json::json;
use signalpost_testkit::wait_for;

use super::Stage;
use crate::PATIENCE;

#[test]
fn a_replay_says_all_that_it_would_send_before_anything_is_there() {
    let mut stage = Stage::set();
    let workspace = stage.workspace.clone();
    let event = json!({"type": "order.paid", "subject": "s_1", "data": {}});
    let event = stage.operator.publish(&workspace, &event).unwrap()["id"].as_str().unwrap().to_owned();
    stage.publish(&json!({}));
    // Made after the events, so the target has no delivery of them.
    let [target, source] = ["/200", "/200?source"].map(|path| stage.webhook(path, &json!({})));
    let body = json!({
        "which": "never_attempted", "since": "2001-01-01T00:00:00Z", "source": source, "subject": "s_1", "rate_per_second": 7,
    });
    let made = stage.operator.post(&format!("/v1/workspaces/{workspace}/webhooks/{target}/replays"), &body);
    let own = format!("/dash/workspaces/{workspace}/replays/{}", made.unwrap()["id"].as_str().unwrap());
    let (_, viewer) = stage.key(&json!({"name": "v", "scopes": ["read"]}));
    let (mut root, mut viewer) = (stage.root(), stage.signed_in(&viewer));
    let mut page = String::new();
    let planned = || {
        page = root.page(&own);
        page.contains("1 delivery fits, and waits for you to start.")
    };
    wait_for("the plan", PATIENCE, planned).unwrap();
    let to_source = format!("/dash/workspaces/{workspace}/webhooks/{source}");
    for words in [to_source.as_str(), "<code>s_1</code>", "at most 7 a second", "Send 1 delivery<"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let (_, sample) = page.split_once("The events of the oldest").expect("there is a sample");
    let to_event = format!("/dash/workspaces/{workspace}/events/{event}");
    assert!(sample.contains(&format!("href=\"{to_event}\"")), "{sample}");
    assert!(root.page(&to_event).contains("order.paid"));
    let seen = viewer.page(&own);
    assert!(seen.contains("1 delivery fits, and waits to be started.") && !seen.contains("Send 1"), "{seen}");
}
