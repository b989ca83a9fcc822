//! Ways to deliver, made up for the simulation: they differ in schedule, disable rule, signature, whose the secrets are, and
//! in what a producer's id means.

use std::sync::Arc;
use std::time::Duration;

use signalpost_core::event_rule::{AttributeForm, AttributeRule, Presence};
use signalpost_core::health::{DisableRule, HoldRule, ReleaseOrder};
use signalpost_core::policy::{DeliveryPolicy, RetrySchedule};
use signalpost_core::profile::{
    DeliveryProfile, EventIdRule, Farewell, FeedRule, IdForm, PauseRule, Profile, SecretForm, SelectionRule,
    SigningRule, SubjectRule,
};
use signalpost_core::retention::RetentionDefault;
use signalpost_core::sign::{Encoding, KeyForm, SignatureRecipe};
use signalpost_core::template::{Template, TemplateError};
use signalpost_core::webhook_form::WebhookForm;

use crate::network::{DELIVERY_HEADER, EVENT_HEADER, SIGNATURE_HEADER, WEBHOOK_HEADER, WORKSPACE_HEADER};

/// What the auditor knows of a profile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) name: &'static str,
    pub(crate) schedule_s: &'static [u64],
    pub(crate) timeout_ms: u64,
    pub(crate) rule: DisableRule,
    /// When a webhook that only fails is paused by the engine.
    pub(crate) hold: Option<HoldRule>,
    pub(crate) pause: PauseRule,
    pub(crate) signature: SignatureStyle,
    pub(crate) event_id: EventIdRule,
    /// Whether a workspace that is closed says so with a last event.
    pub(crate) says_farewell: bool,
    pub(crate) signing: SigningStyle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SigningStyle {
    /// Each webhook has secrets of its own.
    Own,
    /// Workspaces have keys, and a webhook refers to one or to none.
    Shared,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureStyle {
    /// `v1,<base64>` over `id.timestamp.body`, with the key in base64 after `whsec_`.
    Standard,
    /// `t=<timestamp>,v1=<hex>` over `timestamp.body`, with the secret's text as the key.
    Stamped,
}

const NEVER: DisableRule = DisableRule { consecutive_failures: None, on_gone: false };

pub(crate) const STYLES: [Style; 4] = [
    Style {
        name: "patient",
        schedule_s: &[1, 5, 30, 300],
        timeout_ms: 5_000,
        rule: NEVER,
        hold: None,
        pause: PauseRule::Holds,
        signature: SignatureStyle::Standard,
        event_id: EventIdRule::Unique,
        says_farewell: true,
        signing: SigningStyle::Own,
    },
    Style {
        name: "eager",
        schedule_s: &[0, 0, 1, 2],
        timeout_ms: 1_000,
        rule: NEVER,
        hold: None,
        pause: PauseRule::Drops,
        signature: SignatureStyle::Stamped,
        event_id: EventIdRule::Label,
        says_farewell: false,
        signing: SigningStyle::Own,
    },
    Style {
        name: "touchy",
        schedule_s: &[2, 10],
        timeout_ms: 15_000,
        rule: DisableRule { consecutive_failures: None, on_gone: true },
        hold: None,
        pause: PauseRule::Drops,
        signature: SignatureStyle::Standard,
        event_id: EventIdRule::Unique,
        says_farewell: false,
        signing: SigningStyle::Own,
    },
    Style {
        name: "strict",
        schedule_s: &[1, 1, 1, 60],
        timeout_ms: 2_000,
        rule: DisableRule { consecutive_failures: Some(6), on_gone: true },
        hold: None,
        pause: PauseRule::Holds,
        signature: SignatureStyle::Stamped,
        event_id: EventIdRule::Label,
        says_farewell: true,
        signing: SigningStyle::Own,
    },
];

/// The style of worlds with shared keys.
pub(crate) const KEYED: Style = Style {
    name: "keyed",
    schedule_s: &[1, 4, 20],
    timeout_ms: 3_000,
    rule: NEVER,
    hold: None,
    pause: PauseRule::Holds,
    signature: SignatureStyle::Stamped,
    event_id: EventIdRule::Unique,
    says_farewell: true,
    signing: SigningStyle::Shared,
};

/// The style of workspaces whose failing webhooks are paused and probed.
pub(crate) const WEARY: Style = Style {
    name: "weary",
    schedule_s: &[1, 2, 10],
    timeout_ms: 3_000,
    rule: NEVER,
    hold: Some(HoldRule { failures_min: 6, failing_for: Duration::from_secs(8) }),
    pause: PauseRule::Holds,
    signature: SignatureStyle::Standard,
    event_id: EventIdRule::Unique,
    says_farewell: false,
    signing: SigningStyle::Own,
};

/// Every style that a workspace may have.
pub(crate) fn all_styles() -> impl Iterator<Item = &'static Style> {
    STYLES.iter().chain([&KEYED, &WEARY])
}

/// The type of last events.
pub(crate) const FAREWELL: &str = "workspace.closed";
pub(crate) const EVENT_TYPES: [&str; 4] = ["order.paid", "order.shipped", "user.created", "job/done"];
pub(crate) const SUBJECTS: [&str; 2] = ["shop-1", "shop \"2\""];

/// All styles as the engine wants them.
pub(crate) fn profiles() -> Vec<Profile> {
    all_styles().map(|style| profile(style).expect("the templates above are good")).collect()
}

fn profile(style: &Style) -> Result<Profile, TemplateError> {
    let random = IdForm::random;
    Ok(Profile {
        name: style.name.to_owned(),
        workspace_id: random("ws_", 12),
        // Numbers where ids of events are labels, as contracts of that age have both.
        webhook_id: match style.event_id {
            EventIdRule::Unique => random("wh_", 12),
            EventIdRule::Label => IdForm::Number,
        },
        credential: None,
        login: None,
        secret: match style.signature {
            SignatureStyle::Standard => SecretForm::StandardWebhooks { key_bytes: 32 },
            SignatureStyle::Stamped => SecretForm::Alphanumeric { length: 40 },
        },
        signing: match style.signing {
            SigningStyle::Own => SigningRule::OwnSecret,
            SigningStyle::Shared => SigningRule::SharedKeys { key_id: random("key_", 12) },
        },
        features: Vec::new(),
        scopes: Vec::new(),
        catalogue: None,
        selection: SelectionRule::Patterns,
        subject: SubjectRule::Optional,
        event_id: style.event_id,
        webhooks_max: None,
        pause: style.pause,
        attributes: vec![AttributeRule {
            name: "jobId".to_owned(),
            presence: Presence::Optional,
            form: AttributeForm::TextOrNull,
        }],
        feed: FeedRule::Kept,
        retention: RetentionDefault::Server,
        webhook_form: WebhookForm::plain(),
        farewell: style.says_farewell.then(farewell).transpose()?,
        delivery: delivery(style)?,
    })
}

fn farewell() -> Result<Farewell, TemplateError> {
    let data = Template::json("{\"closed\":${workspace.id}}")?;
    Ok(Farewell { event_type: FAREWELL.to_owned(), attributes: Vec::new(), data })
}

fn delivery(style: &Style) -> Result<DeliveryProfile, TemplateError> {
    let header = |name: &str, value: &str| Ok((Arc::from(name), Template::text(value)?));
    let (value, content, key, encoding) = match style.signature {
        SignatureStyle::Standard => (
            "v1,${signature}",
            "${event.id}.${attempt.unix_s}.${body}",
            KeyForm::PrefixedBase64,
            Encoding::Base64,
        ),
        SignatureStyle::Stamped => {
            ("t=${attempt.unix_s},v1=${signature}", "${attempt.unix_s}.${body}", KeyForm::Text, Encoding::Hex)
        }
    };
    Ok(DeliveryProfile {
        body: Template::json(
            "{\"type\":${event.type},\"subject\":${event.subject},\"sequence\":${event.sequence},\"data\":${event.data}}",
        )?,
        headers: vec![
            header(WORKSPACE_HEADER, "${workspace.id}")?,
            header(WEBHOOK_HEADER, "${webhook.id}")?,
            header(DELIVERY_HEADER, "${delivery.id}")?,
            header(EVENT_HEADER, "${event.id}")?,
            header("x-timestamp", "${attempt.unix_s}")?,
        ],
        reserved_prefixes: Vec::new(),
        signature: Arc::new(SignatureRecipe {
            header: Arc::from(SIGNATURE_HEADER),
            value: Template::text(value)?,
            content: Template::text(content)?,
            key,
            encoding,
            separator: (style.signature == SignatureStyle::Standard).then(|| Arc::from(" ")),
        }),
        policy: DeliveryPolicy {
            retry: RetrySchedule::from_seconds(style.schedule_s).expect("short and few"),
            timeout: Duration::from_millis(style.timeout_ms),
            disable: style.rule,
            hold: style.hold,
            release: ReleaseOrder::OldestFirst,
        },
    })
}
