//! A signature that many webhooks share is deleted while their deliveries are in flight.

use std::time::{Duration, Instant};

use serde_json::json;
use signalpost_testkit::{Answer, Recorded, ScriptedReceiver, wait_for};

use super::{Chain, new_webhook};
use crate::{PATIENCE, start};

const WEBHOOKS: usize = 12;
const EVENTS: usize = 60;
/// How long the receiver takes, so that attempts are in flight when the signature is deleted.
const ANSWERS_AFTER: Duration = Duration::from_millis(3_000);
/// From the start of an attempt to its arrival, on a machine with other work. Whatever starts after the attempts in
/// flight have ended, arrives later than that.
const ARRIVES_WITHIN: Duration = Duration::from_millis(2_500);

fn is_signed(request: &Recorded) -> bool {
    request.header("x-spaaza-hmac-sha256").is_some()
}

#[test]
fn nothing_is_signed_after_the_delete_of_a_signature_that_races_deliveries() {
    let (server, receiver) = (start(&[]), ScriptedReceiver::start().unwrap());
    let chain = Chain::new(&server, &json!({"retry_schedule_s": [1, 1]}));
    let session = chain.new_user().session;
    let signature = chain.new_signature(&session);
    let paths: Vec<String> = (0..WEBHOOKS).map(|number| format!("/{number}")).collect();
    for (number, path) in paths.iter().enumerate() {
        // Some answers end an attempt well, and some leave a retry owed.
        let status = if number % 2 == 0 { 200 } else { 500 };
        receiver.answer_always(path, Answer::status(status).after(ANSWERS_AFTER));
        let mut webhook = new_webhook(&receiver.url(path));
        webhook["webhook_signature_id"] = signature.clone();
        chain.done(&session, ("POST", "add-webhook"), &webhook);
    }
    chain.publish(EVENTS);
    let each_has_begun = || paths.iter().all(|path| !receiver.requests(path).is_empty());
    wait_for("the first deliveries", PATIENCE, each_has_begun).unwrap();
    let deleted = chain.done(&session, ("DELETE", "delete-webhook-signature"), &json!({"id": signature}));
    let answered = Instant::now();
    assert_eq!(deleted["webhook_signature"]["deleted"], true);

    let is_late = |request: &Recorded| request.received_at > answered + ARRIVES_WITHIN;
    for path in &paths {
        let late = || receiver.requests(path).iter().filter(|request| is_late(request)).count() > 1;
        wait_for("deliveries after the delete", PATIENCE, late).unwrap();
        let requests = receiver.requests(path);
        let signed_late = requests.iter().filter(|request| is_late(request) && is_signed(request)).count();
        assert_eq!(signed_late, 0, "signed requests to {path} after the delete was answered");
        let unsigned_early = requests
            .iter()
            .filter(|request| !is_signed(request) && request.received_at + ARRIVES_WITHIN < answered);
        assert_eq!(unsigned_early.count(), 0, "unsigned requests to {path} before the delete began");
        assert!(is_signed(&requests[0]), "the first one was signed");
    }
    let webhooks = chain.done(&session, ("GET", "get-webhooks"), &json!({}))["webhooks"].clone();
    let webhooks = webhooks.as_array().unwrap();
    assert_eq!(webhooks.len(), WEBHOOKS);
    assert!(webhooks.iter().all(|one| one["active"] == true && one["webhook_signature"].is_null()));
}
