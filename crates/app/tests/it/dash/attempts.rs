//! What was sent, byte by byte, and what its signature is made of.

use serde_json::json;
use signalpost_testkit::Request;

use super::{Stage, operators};

#[test]
fn an_attempt_shows_its_bytes_and_the_steps_of_its_signature() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200?it='s", &json!({"headers": {"x-own": "hush-hush"}}));
    let event = stage.publish(&json!({"amount": 7}));
    let delivery = stage.delivery(&event, &webhook, 1);
    let mut root = stage.root();
    let own = format!("/dash/deliveries/{delivery}/attempts/1");
    assert!(root.page(&format!("/dash/deliveries/{delivery}")).contains(&own));
    let page = root.page(&own);
    assert!(page.contains("It was signed with the secret that the webhook has now"), "{page}");
    assert!(
        page.contains("the signature says so") && page.contains("the URL that the webhook has now"),
        "{page}"
    );
    assert!(page.contains(r"200?it='\''s'") && page.contains("--data-binary"), "{page}");
    assert!(page.contains("webhook-signature") && !page.contains("hush-hush"), "{page}");
    let body = root.get(&format!("{own}/body"));
    assert_eq!(body.header("content-disposition"), Some("attachment; filename=\"body.json\""));
    assert_eq!(body.json()["data"], json!({"amount": 7}));
    for missing in ["0", "2", "x", "99999999999"] {
        assert_eq!(
            root.get(&format!("/dash/deliveries/{delivery}/attempts/{missing}")).status,
            404,
            "{missing}"
        );
    }
    let path = format!("/v1/workspaces/{}/webhooks/{webhook}", stage.workspace);
    let rotate = Request::new("POST", &format!("{path}/rotate-secret")).json(&json!({"overlap_s": 60}));
    assert!(stage.operator.send(rotate).unwrap().status < 300);
    assert!(root.page(&own).contains("a secret that was replaced since"));
    let revoke = Request::new("DELETE", &format!("{path}/previous-secrets"));
    assert!(stage.operator.send(revoke).unwrap().status < 300);
    let page = root.page(&own);
    assert!(page.contains("with none of the secrets that are here"), "{page}");
    assert!(page.contains("nothing here proves") && !page.contains("The body as it was sent"), "{page}");
    assert!(stage.operator.send(Request::new("DELETE", &path)).unwrap().status < 300);
    assert!(root.page(&own).contains("no secret is here now that could sign"));
    assert!(root.page("/dash/audit?action=payload").contains(&delivery));
}

#[test]
fn what_customers_are_sent_is_not_for_support() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/200", &json!({}));
    let event = stage.publish(&json!({"amount": 7}));
    let delivery = stage.delivery(&event, &webhook, 1);
    let other = stage.operator.create_workspace(&json!({"dialect": "native", "name": "Other"})).unwrap();
    let (_, bound) = stage.key(&json!({"name": "b", "scopes": ["admin"], "workspace": other}));
    let (_, mut support) = operators::signed_in_as(&stage, "support");
    let mut bound = stage.signed_in(&bound);
    for page in ["attempts/1", "attempts/1/body"] {
        let page = format!("/dash/deliveries/{delivery}/{page}");
        assert_eq!([support.get(&page).status, bound.get(&page).status], [403, 404], "{page}");
    }
    assert!(!support.page(&format!("/dash/deliveries/{delivery}")).contains("steps of its signature"));
}

#[test]
fn a_delivery_with_many_attempts_is_shown_in_parts() {
    let mut stage = Stage::set();
    let webhook = stage.webhook("/500", &json!({}));
    let event = stage.publish(&json!({}));
    let mut root = stage.root();
    let proof = root.proof();
    for attempts in 1..=6 {
        let delivery = stage.delivery(&event, &webhook, attempts);
        let sent = root.post(&format!("/dash/deliveries/{delivery}/resend"), &format!("proof={proof}"));
        assert_eq!(sent.status, 303);
    }
    let delivery = stage.delivery(&event, &webhook, 7);
    // Seven attempts, and six times asked for once more.
    let first = root.page(&format!("/dash/deliveries/{delivery}"));
    assert!(first.contains("#7") && !first.contains("<h3>#3"), "{first}");
    let older = format!("/dash/deliveries/{delivery}?skip=8");
    assert!(first.contains(&older));
    let second = root.page(&older);
    assert!(
        second.contains("<h3>#1 ") && second.contains("<h3>#3 ") && !second.contains("<h3>#4 "),
        "{second}"
    );
    assert!(!second.contains("skip=16") && second.contains("Newest"));
    assert_eq!(root.get(&format!("/dash/deliveries/{delivery}?skip=x")).status, 400);
    assert!(
        root.page(&format!("/dash/deliveries/{delivery}?skip=18446744073709551615")).contains("None yet")
    );
}
