//! What customers may do, and what keeps others from doing it in their name.

use serde_json::json;

use super::Stage;
use crate::dash::browser::form_of;

/// Everything that changes something, or shows a secret; `{H}`, `{D}` and `{R}` stand for the webhook, the delivery and a replay.
const ACTS: [&str; 15] = [
    "/workspaces/{W}/webhooks",
    "/workspaces/{W}/webhooks/{H}/edit",
    "/workspaces/{W}/webhooks/{H}/delete",
    "/workspaces/{W}/webhooks/{H}/test",
    "/workspaces/{W}/webhooks/{H}/replay",
    "/workspaces/{W}/webhooks/{H}/switch",
    "/workspaces/{W}/webhooks/{H}/release",
    "/workspaces/{W}/webhooks/{H}/secret",
    "/workspaces/{W}/webhooks/{H}/secret/rotate",
    "/workspaces/{W}/webhooks/{H}/secret/revoke-previous",
    "/workspaces/{W}/replays/{R}/start",
    "/workspaces/{W}/replays/{R}/pause",
    "/workspaces/{W}/replays/{R}/resume",
    "/workspaces/{W}/replays/{R}/cancel",
    "/deliveries/{D}/resend",
];
/// Filled in for each form that needs something.
const FIELDS: &str = "url=https%3A%2F%2Fx.example&events=*&type=order.paid&data=%7B%7D&to=off&order=oldest_first&overlap_s=0&which=failed&since=1h&per_second=10";

fn named(stage: &Stage, path: &str) -> String {
    let path =
        path.replace("{W}", &stage.workspace).replace("{H}", &stage.webhook).replace("{D}", &stage.delivery);
    format!("/portal{path}")
}

/// A replay of what was delivered, which waits to be started.
struct Planned(String);

impl Planned {
    fn of(stage: &mut Stage) -> Self {
        let path = format!("/v1/workspaces/{}/webhooks/{}/replays", stage.workspace, stage.webhook);
        let wanted = json!({"which": "all", "since": "2001-01-01T00:00:00Z"});
        let made = stage.operator.post(&path, &wanted).unwrap();
        let planned = Self(made["id"].as_str().unwrap().to_owned());
        let is_planned = || planned.shown(stage) == ("planned".to_owned(), 1);
        signalpost_testkit::wait_for("the plan", crate::PATIENCE, is_planned).unwrap();
        planned
    }

    /// Its state, and how much it would send.
    fn shown(&self, stage: &mut Stage) -> (String, u64) {
        let found = stage.operator.get(&format!("/v1/workspaces/{}/replays/{}", stage.workspace, self.0));
        let found = found.unwrap();
        (found["status"].as_str().unwrap().to_owned(), found["planned"].as_u64().unwrap())
    }

    /// All acts, with its id in its place.
    fn acts(&self, stage: &Stage) -> Vec<String> {
        ACTS.iter().map(|path| named(stage, &path.replace("{R}", &self.0))).collect()
    }
}

#[test]
fn who_may_only_look_changes_nothing_and_sees_no_secret() {
    let mut stage = Stage::set();
    let mut reader = stage.customer(&json!({"rights": "read"}));
    let page = reader.page(&named(&stage, "/workspaces/{W}/webhooks/{H}"));
    assert!(page.contains("customer · looks"));
    let event = reader.page(&stage.path(&format!("/events/{}?data=shown", stage.event)));
    assert!(event.contains("amount"), "it is their data");
    let delivery = reader.page(&named(&stage, "/deliveries/{D}"));
    assert!(!delivery.contains("Send again") && !page.contains("whsec_"));
    let proof = reader.proof_on(&stage.path(""));
    let replay = Planned::of(&mut stage);
    for path in replay.acts(&stage) {
        let answered = reader.post(&path, &format!("proof={proof}&{FIELDS}"));
        assert_eq!(answered.status, 403, "{path}: {}", answered.text());
        assert!(!answered.text().contains("whsec_"), "{path}");
    }
    assert_eq!(stage.requests(), 1, "nothing was sent");
    assert!(reader.page(&named(&stage, "/workspaces/{W}/webhooks/{H}")).contains("active"));
    assert_eq!(replay.shown(&mut stage), ("planned".to_owned(), 1));
}

#[test]
fn who_manages_does_it_by_the_forms_and_on_record() {
    let mut stage = Stage::set();
    let mut customer = stage.customer(&json!({"name": "ann"}));
    let proof = customer.proof_on(&stage.path(""));
    let secret =
        customer.post(&named(&stage, "/workspaces/{W}/webhooks/{H}/secret"), &format!("proof={proof}"));
    assert!(secret.status == 200 && secret.text().contains("whsec_"), "{}", secret.text());
    let resent = customer.post(&named(&stage, "/deliveries/{D}/resend"), &format!("proof={proof}"));
    let way = named(&stage, "/deliveries/{D}");
    assert_eq!((resent.status, resent.header("location")), (303, Some(way.as_str())));
    let sent = || stage.requests() == 2;
    signalpost_testkit::wait_for("the delivery once more", crate::PATIENCE, sent).unwrap();
    let done: Vec<[String; 3]> = stage.record();
    let [by, action, result] = &done[0];
    assert_eq!((by.as_str(), result.as_str()), ("ann", "done"), "{action}");
    assert_eq!(done.len(), 3, "{done:?}");
}

/// A page of another site sends the customer's browser with a form.
#[test]
fn a_form_that_is_not_of_the_session_is_refused() {
    let mut stage = Stage::set();
    let mut customer = stage.customer(&json!({}));
    let mut other = stage.customer(&json!({}));
    let page = stage.path("");
    let (proof, others) = (customer.proof_on(&page), other.proof_on(&page));
    assert_ne!(proof, others);
    let replay = Planned::of(&mut stage);
    for path in replay.acts(&stage).into_iter().chain([named(&stage, "/sign-out")]) {
        for form in [FIELDS.to_owned(), format!("proof={others}&{FIELDS}"), format!("proof=&{FIELDS}")] {
            let answered = customer.post(&path, &form);
            assert!(matches!(answered.status, 400 | 403), "{path}: {}", answered.status);
        }
        let foreign = form_of(&path, &format!("proof={proof}&{FIELDS}"));
        let answered = customer.send(foreign.header("origin", "https://evil.example"));
        assert_eq!(answered.status, 403, "{path}");
    }
    assert_eq!(customer.get(&page).status, 200, "nobody has signed out");
    assert_eq!(replay.shown(&mut stage), ("planned".to_owned(), 1));
    assert_eq!(stage.requests(), 1, "nothing was sent");
}
