//! What the dialects tell the engine: bodies, headers and signatures as a receiver gets them.

use bytes::Bytes;
use signalpost_api::{Dialect, built_in_dialects};
use signalpost_core::event::{Event, EventContent, Sequence};
use signalpost_core::id::{EventId, WorkspaceId};
use signalpost_core::profile::{Profile, SecretForm, SubjectRule};
use signalpost_core::secret::Secret;
use signalpost_core::sign::Signer;
use signalpost_core::template::Scope;
use signalpost_core::time::Timestamp;

fn profile(name: &str) -> Profile {
    let dialect = built_in_dialects().into_iter().find(|dialect| dialect.name == name).unwrap();
    assert_eq!(dialect.profile.name, name);
    dialect.profile
}

/// Body, headers and signature of one delivery.
fn deliver(profile: &Profile, secret: &str) -> (String, Vec<(String, String)>) {
    let event = Event {
        id: EventId::from_raw(1),
        workspace: WorkspaceId::from_raw(1),
        sequence: Sequence(1042),
        content: EventContent {
            producer_id: Some("evt_1".to_owned()),
            event_type: "conversation_ended".to_owned(),
            subject: Some("agent\"1".to_owned()),
            time: Timestamp::from_ms(1_777_975_606_150),
            attributes: [("jobId", "null"), ("resourceId", "\"r 1\"")]
                .map(|(name, json)| (name.to_owned(), json.to_owned()))
                .into(),
            data: Bytes::from_static(b"{ \"n\": 1.0 }"),
            ordering_key: None,
        },
        targets: Vec::new(),
        accepted_at: Timestamp::from_ms(0),
        payload_removed_at: None,
    };
    let attempt_at = Timestamp::from_ms(1_614_265_330_999);
    let scope = Scope {
        event: &event,
        workspace: "org_1",
        webhook: "wh_1",
        delivery: "d",
        attempt_at,
        body: b"",
        signature: "",
    };
    let body = profile.delivery.body.render(scope);
    let scope = Scope { body: &body, ..scope };
    let headers = profile.delivery.headers.iter();
    let mut headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.to_string(), value.render_text(scope))).collect();
    let signer = Signer::new(profile.delivery.signature.clone(), &Secret::from_text(secret)).unwrap();
    let (name, value) = signer.sign(scope);
    headers.push((name.to_string(), value));
    (String::from_utf8(body).unwrap(), headers)
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn native_deliveries_are_standard_webhooks() {
    let native = profile("native");
    let (body, headers) = deliver(&native, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert_eq!(
        body,
        "{\"type\":\"conversation_ended\",\"timestamp\":\"2026-05-05T10:06:46.150Z\",\"data\":{ \"n\": 1.0 }}"
    );
    let expected = [
        ("content-type", "application/json"),
        ("user-agent", concat!("Signalpost/", env!("CARGO_PKG_VERSION"))),
        ("webhook-id", "evt_1"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,1kAcBQwQjXZTsKwoF9LCqUV8tmkKAa58R0rOUW39ePM="),
    ];
    assert_eq!(headers, pairs(&expected));
    assert_eq!(native.secret, SecretForm::StandardWebhooks { key_bytes: 32 });
    assert_eq!(
        native.delivery.policy.retry.as_seconds(),
        [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    );
    assert_eq!(native.delivery.policy.timeout.as_secs(), 15);
    assert!(
        native.delivery.policy.disable.on_gone && native.catalogue.is_none() && native.credential.is_none()
    );
}

#[test]
fn sigmamind_deliveries_are_as_the_contract_proposes() {
    let sigmamind = profile("sigmamind");
    let (body, headers) = deliver(&sigmamind, "mK9vXq2pL8nR5tY1wA3sD6fH0jC4bE7u");
    assert_eq!(
        body,
        "{\"eventId\":\"evt_1\",\"event\":\"conversation_ended\",\"timestamp\":\"2026-05-05T10:06:46.150Z\",\
         \"workspaceId\":\"org_1\",\"webhookId\":\"wh_1\",\"agentId\":\"agent\\\"1\",\"data\":{ \"n\": 1.0 }}"
    );
    let expected = [
        ("content-type", "application/json"),
        ("user-agent", concat!("Signalpost/", env!("CARGO_PKG_VERSION"))),
        ("x-sigmamind-signature", "a96bc5f7528991c82a21044a32cb77616c0f468bf7436d159e74a16a27d4b471"),
    ];
    assert_eq!(headers, pairs(&expected));
    assert_eq!(sigmamind.secret, SecretForm::Alphanumeric { length: 32 });
    assert_eq!(sigmamind.delivery.policy.retry.as_seconds(), [60, 300, 1800, 7200]);
    assert_eq!(sigmamind.delivery.policy.timeout.as_secs(), 10);
    assert_eq!(sigmamind.delivery.policy.disable, signalpost_core::health::DisableRule::default());
    assert_eq!(sigmamind.subject, SubjectRule::Required);
}

#[test]
fn opentrain_deliveries_are_as_contracted() {
    let secret = format!("whsec_{}", "0f".repeat(32));
    for (name, user_agent) in
        [("opentrain", "OpenTrain-Webhooks/1.0"), ("opentrain-partner", "OpenTrain-Partner-Webhooks/1.0")]
    {
        let profile = profile(name);
        let (body, headers) = deliver(&profile, &secret);
        assert_eq!(
            body,
            "{\"id\":\"1042\",\"type\":\"conversation_ended\",\"apiVersion\":\"v1\",\
             \"createdAt\":\"2026-05-05T10:06:46.150Z\",\"resourceId\":\"r 1\",\"jobId\":null,\
             \"data\":{ \"n\": 1.0 }}"
        );
        let expected = [
            ("content-type", "application/json"),
            ("user-agent", user_agent),
            ("x-opentrain-event", "conversation_ended"),
            ("x-opentrain-delivery", "d"),
            (
                "x-opentrain-signature",
                "t=1614265330,v1=3cf408d3fc62bd24dc19bbafe9358e1bce39f86cb663e959cde3a87d5c28a24a",
            ),
        ];
        assert_eq!(headers, pairs(&expected));
        assert_eq!(profile.secret, SecretForm::PrefixedHex { random_bytes: 32 });
        let policy = &profile.delivery.policy;
        assert_eq!(policy.retry.as_seconds(), [60, 300, 1800, 7200]);
        assert_eq!(policy.timeout.as_secs(), 10);
        assert_eq!((policy.disable.consecutive_failures, policy.disable.on_gone), (Some(10), false));
        assert_eq!(profile.webhooks_max, Some(10));
    }
}

#[test]
fn what_is_built_in_can_be_served_together() {
    let dialects = built_in_dialects();
    assert_eq!(signalpost_api::dialect::check_base_paths(&dialects), Ok(()));
    let twice: Vec<Dialect> = dialects.iter().chain(&dialects).cloned().collect();
    assert!(signalpost_api::dialect::check_base_paths(&twice).is_err());
}
