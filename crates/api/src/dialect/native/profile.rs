//! How native workspaces deliver: Standard Webhooks 1.0, as data.

use std::sync::Arc;
use std::time::Duration;

use signalpost_core::health::{DisableRule, HoldRule, ReleaseOrder};
use signalpost_core::limits::HOLD_AFTER_DEFAULT;
use signalpost_core::policy::{DeliveryPolicy, RetrySchedule};
use signalpost_core::profile::{
    DeliveryProfile, EventIdRule, FeedRule, IdForm, PauseRule, Profile, SecretForm, SelectionRule,
    SigningRule, SubjectRule,
};
use signalpost_core::retention::RetentionDefault;
use signalpost_core::sign::{Encoding, KeyForm, SignatureRecipe};
use signalpost_core::template::Template;
use signalpost_core::webhook_form::WebhookForm;

/// Name of the dialect.
pub const NAME: &str = "native";

const BODY: &str = r#"{"type":${event.type},"timestamp":${event.time},"data":${event.data}}"#;
const HEADERS: [(&str, &str); 4] = [
    ("content-type", "application/json"),
    ("user-agent", concat!("Signalpost/", env!("CARGO_PKG_VERSION"))),
    ("webhook-id", "${event.id}"),
    ("webhook-timestamp", "${attempt.unix_s}"),
];
const SIGNATURE_HEADER: &str = "webhook-signature";
const SIGNATURE_VALUE: &str = "v1,${signature}";
/// Exactly one: a reader of the reference libraries takes two for an empty entry.
const SIGNATURE_SEPARATOR: &str = " ";
/// The names that Standard Webhooks may give a meaning yet.
const RESERVED_PREFIX: &str = "webhook-";
const SIGNED: &str = "${event.id}.${attempt.unix_s}.${body}";
/// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: the example of Standard Webhooks 1.0.
const RETRY_SCHEDULE_S: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const TIMEOUT: Duration = Duration::from_secs(15);
/// Standard Webhooks 1.0 permits 24 to 64.
const SECRET_KEY_BYTES: usize = 32;

pub(super) fn profile() -> Profile {
    Profile {
        name: NAME.to_owned(),
        workspace_id: IdForm::random("ws_", 16),
        webhook_id: IdForm::random("wh_", 16),
        credential: None,
        login: None,
        secret: SecretForm::StandardWebhooks { key_bytes: SECRET_KEY_BYTES },
        signing: SigningRule::OwnSecret,
        features: Vec::new(),
        scopes: Vec::new(),
        catalogue: None,
        selection: SelectionRule::Patterns,
        subject: SubjectRule::Optional,
        event_id: EventIdRule::Unique,
        webhooks_max: None,
        pause: PauseRule::Drops,
        attributes: Vec::new(),
        feed: FeedRule::Absent,
        retention: RetentionDefault::Server,
        webhook_form: WebhookForm::plain(),
        farewell: None,
        delivery: delivery(),
    }
}

fn delivery() -> DeliveryProfile {
    let text = |template: &str| Template::text(template).expect("a constant that a test reads");
    DeliveryProfile {
        body: Template::json(BODY).expect("a constant that a test reads"),
        headers: HEADERS.into_iter().map(|(name, value)| (name.into(), text(value))).collect(),
        reserved_prefixes: vec![RESERVED_PREFIX.to_owned()],
        signature: Arc::new(SignatureRecipe {
            header: SIGNATURE_HEADER.into(),
            value: text(SIGNATURE_VALUE),
            content: text(SIGNED),
            key: KeyForm::PrefixedBase64,
            encoding: Encoding::Base64,
            separator: Some(SIGNATURE_SEPARATOR.into()),
        }),
        policy: DeliveryPolicy {
            retry: RetrySchedule::from_seconds(&RETRY_SCHEDULE_S).expect("a constant within the bounds"),
            timeout: TIMEOUT,
            disable: DisableRule { consecutive_failures: None, on_gone: true },
            hold: Some(HoldRule::after(HOLD_AFTER_DEFAULT)),
            release: ReleaseOrder::OldestFirst,
        },
    }
}
