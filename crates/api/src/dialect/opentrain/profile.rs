//! Everything of the vendor's that is a value, for both of its APIs: names, limits, catalogues, schedule. A platform that
//! adopts one of the shapes overrides fields of [`Instance`]; nothing else in this folder holds a literal of the
//! vendor's but for the words of requests and answers.

use std::sync::Arc;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use signalpost_core::event_rule::{AttributeForm, AttributeRule, DataRule, EventKind, Presence};
use signalpost_core::profile::{
    DeliveryProfile, EventIdRule, Farewell, FeedRule, IdForm, PauseRule, Profile, RandomText, SecretForm,
    SelectionRule, SigningRule, SubjectRule,
};
use signalpost_core::retention::RetentionDefault;
use signalpost_core::sign::{Encoding, KeyForm, SignatureRecipe};
use signalpost_core::template::Template;
use signalpost_core::webhook_form::{ChangeRule, Schemes, SwitchRule, WebhookForm};

use super::catalogue::{EventType, REVOKED};
use super::instance_check;
use crate::dialect::brand;

/// A shape with the values of one product. [`Instance::public`] and [`Instance::partner`] are the vendor's own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// What workspaces call it.
    pub name: String,
    /// Where it stands on the public port.
    pub base_path: String,
    /// What the names of a delivery's own headers begin with.
    pub header_prefix: String,
    pub user_agent: String,
    /// What customers can do.
    pub calls: Vec<Call>,
    /// The segment of the path below which webhooks stand.
    pub collection: String,
    /// What a webhook is called in answers, and several of them.
    pub object: String,
    pub objects: String,
    /// What the id of a webhook is called in paths and errors.
    pub id_name: String,
    /// Whether a webhook shows how many attempts in a row have failed.
    pub shows_failures: bool,
    /// Whether what is pending waits while a webhook is paused; it ends otherwise.
    pub holds_while_paused: bool,
    /// The catalogue: every event type that there is.
    pub events: Vec<EventType>,
    /// Type of the event that says that a workspace was closed; nobody is told when it is empty.
    pub farewell: String,
    /// Every scope that a token may have, and the one that managing webhooks takes.
    pub scopes: Vec<String>,
    pub manage_scope: String,
    /// Feature that a workspace needs for managing webhooks.
    pub feature: String,
    pub workspace_id_prefix: String,
    pub webhook_id_prefix: String,
    pub token_prefix: String,
    /// Webhooks of one workspace, disabled ones counted.
    pub webhooks_max: usize,
    /// Events of a page of the feed when the caller does not say, and at most.
    pub feed_rows_default: usize,
    pub feed_rows_max: usize,
    /// Delays between attempts; one attempt more than delays.
    pub retry_schedule_s: Vec<u64>,
    pub timeout_ms: u64,
    /// Failed attempts in a row after which a webhook is switched off.
    pub disable_after_failures: u32,
}

/// What customers can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    Create,
    List,
    Get,
    Update,
    Delete,
    Redeliver,
    /// The feed of events.
    Updates,
    Capabilities,
}

impl Instance {
    /// The API of a product's own customers.
    pub fn public() -> Self {
        let text = str::to_owned;
        Self {
            name: text("opentrain"),
            base_path: text("/api/public/v1"),
            header_prefix: text("X-OpenTrain-"),
            user_agent: text("OpenTrain-Webhooks/1.0"),
            calls: vec![Call::Create, Call::List, Call::Get, Call::Delete, Call::Updates, Call::Capabilities],
            collection: text("webhooks"),
            object: text("webhook"),
            objects: text("webhooks"),
            id_name: text("webhookId"),
            shows_failures: false,
            holds_while_paused: true,
            events: super::catalogue::public(),
            farewell: String::new(),
            scopes: PUBLIC_SCOPES.map(text).into(),
            manage_scope: text(MANAGE_SCOPE),
            feature: text("public_api_webhooks"),
            workspace_id_prefix: text("acct_"),
            webhook_id_prefix: text("wh_"),
            token_prefix: text("ot_pat_"),
            webhooks_max: 10,
            feed_rows_default: 50,
            feed_rows_max: 100,
            retry_schedule_s: vec![60, 300, 1_800, 7_200],
            timeout_ms: 10_000,
            disable_after_failures: 10,
        }
    }

    /// The API of those who build on the product for its customers; a workspace is an install.
    pub fn partner() -> Self {
        let text = str::to_owned;
        Self {
            name: text("opentrain-partner"),
            base_path: text("/api/partner/v1"),
            user_agent: text("OpenTrain-Partner-Webhooks/1.0"),
            calls: vec![Call::Create, Call::List, Call::Get, Call::Update, Call::Delete, Call::Redeliver],
            collection: text("webhook-endpoints"),
            object: text("webhookEndpoint"),
            objects: text("webhookEndpoints"),
            id_name: text("endpointId"),
            shows_failures: true,
            events: super::catalogue::partner(),
            farewell: text(REVOKED),
            scopes: PARTNER_SCOPES.map(text).into(),
            feature: text("annotation_platform"),
            workspace_id_prefix: text("inst_"),
            webhook_id_prefix: text("whe_"),
            token_prefix: text("ot_ptk_"),
            ..Self::public()
        }
    }
}

const MANAGE_SCOPE: &str = "webhooks:manage";
const PUBLIC_SCOPES: [&str; 11] = [
    "jobs:read",
    "jobs:write",
    "proposals:read",
    "proposals:write",
    "messages:read",
    "messages:write",
    "payments:read",
    "payments:write",
    "team:read",
    "team:write",
    MANAGE_SCOPE,
];
const PARTNER_SCOPES: [&str; 7] = [
    "project-links:read",
    "project-links:write",
    "contracts:read",
    "participants:read",
    "participants:email",
    "usage:write",
    MANAGE_SCOPE,
];

/// The record of an event, here and in the feed. Its id is its place in the feed.
const RECORD: &str = concat!(
    r#"{"id":"${event.sequence}","type":${event.type},"apiVersion":"v1","createdAt":${event.time},"#,
    r#""resourceId":${event.attribute.resourceId},"jobId":${event.attribute.jobId},"data":${event.data}}"#
);
const SIGNED: &str = "${attempt.unix_s}.${body}";
const SIGNATURE_VALUE: &str = "t=${attempt.unix_s},v1=${signature}";
/// Ends of the names of a delivery's headers, with their values.
const HEADERS: [(&str, &str); 2] = [("event", "${event.type}"), ("delivery", "${delivery.id}")];
const SIGNATURE_HEADER: &str = "signature";
const ID_CHARS: usize = 16;
const TOKEN_CHARS: usize = 40;
const SECRET_BYTES: usize = 32;

/// `data` of the event that an install was revoked.
const REVOKED_DATA: &str = r#"{"installId":${workspace.id}}"#;

/// Paths beside the collection.
pub(super) const UPDATES_PATH: &str = "/updates";
pub(super) const CAPABILITIES_PATH: &str = "/job-drafts/capabilities";

/// The answer to a create.
pub(super) const CREATED: StatusCode = StatusCode::CREATED;
/// What stands beside a secret that is shown this once.
pub(super) fn secret_message(instance: &Instance) -> String {
    format!(
        "Store the secret now — it is only returned once. Use it to verify the {}Signature header on deliveries.",
        instance.header_prefix
    )
}
pub(super) const REQUEUED: &str = "Requeued deliveries will be attempted right away.";
pub(super) const REQUEUED_DISABLED: &str =
    "Requeued deliveries will be attempted once the endpoint is ACTIVE again.";
/// Why a webhook is off.
pub(super) const FAILING: &str = "Disabled after repeated delivery failures";
pub(super) const BY_OWNER: &str = "Disabled by request";
/// `reason` of errors.
pub(super) const LIMIT_REACHED: &str = "webhook_limit_reached";
pub(super) const CURSOR_EXPIRED: &str = "expired";

impl Instance {
    /// What the engine is told. The error is a sentence about the field that is wrong.
    pub(super) fn profile(&self) -> Result<Profile, String> {
        instance_check::check(self)?;
        let rule = |name: &str, presence, form| AttributeRule { name: name.to_owned(), presence, form };
        Ok(Profile {
            name: self.name.clone(),
            workspace_id: IdForm::random(&self.workspace_id_prefix, ID_CHARS),
            webhook_id: IdForm::random(&self.webhook_id_prefix, ID_CHARS),
            credential: Some(RandomText::new(&self.token_prefix, TOKEN_CHARS)),
            login: None,
            secret: SecretForm::PrefixedHex { random_bytes: SECRET_BYTES },
            signing: SigningRule::OwnSecret,
            features: vec![self.feature.clone()],
            scopes: self.scopes.clone(),
            catalogue: Some(self.events.iter().map(kind).collect()),
            selection: SelectionRule::Types,
            subject: SubjectRule::Optional,
            event_id: EventIdRule::Unique,
            webhooks_max: Some(self.webhooks_max),
            pause: if self.holds_while_paused { PauseRule::Holds } else { PauseRule::Drops },
            attributes: vec![
                rule("resourceId", Presence::Required, AttributeForm::Text),
                rule("jobId", Presence::Optional, AttributeForm::TextOrNull),
            ],
            feed: if self.offers(Call::Updates) { FeedRule::Kept } else { FeedRule::Absent },
            retention: self.retention(),
            webhook_form: self.webhook_form(),
            farewell: self.farewell(),
            delivery: self.delivery()?,
        })
    }

    /// What is changed, and switched, is changed by an update.
    fn webhook_form(&self) -> WebhookForm {
        let (changes, switching) = if self.offers(Call::Update) {
            (ChangeRule::All, SwitchRule::OffAndOn)
        } else {
            (ChangeRule::Nothing, SwitchRule::Never)
        };
        let feature = Some(self.feature.clone());
        WebhookForm { feature, changes, switching, ..WebhookForm::bare(Schemes::Secure) }
    }

    /// A feed keeps everything: a reader may come back after any time.
    fn retention(&self) -> RetentionDefault {
        if self.offers(Call::Updates) { RetentionDefault::ForEver } else { RetentionDefault::Server }
    }

    /// An install that is revoked tells those of its webhooks that want to know.
    fn farewell(&self) -> Option<Farewell> {
        let json = |template: &str| Template::json(template).expect("a constant that a test reads");
        (!self.farewell.is_empty()).then(|| Farewell {
            event_type: self.farewell.clone(),
            attributes: vec![("resourceId".to_owned(), json("${workspace.id}"))],
            data: json(REVOKED_DATA),
        })
    }

    /// Whether customers can do this.
    pub(super) fn offers(&self, call: Call) -> bool {
        self.calls.contains(&call)
    }

    fn delivery(&self) -> Result<DeliveryProfile, String> {
        let text = |template: &str| Template::text(template).expect("a constant that a test reads");
        let mut headers = brand::common_headers(&self.user_agent)?;
        for (end, value) in HEADERS {
            headers.push((brand::own_header(&self.header_prefix, end)?.as_str().into(), text(value)));
        }
        Ok(DeliveryProfile {
            body: Template::json(RECORD).expect("a constant that a test reads"),
            headers,
            reserved_prefixes: vec![self.header_prefix.to_ascii_lowercase()],
            signature: Arc::new(SignatureRecipe {
                header: brand::own_header(&self.header_prefix, SIGNATURE_HEADER)?.as_str().into(),
                value: text(SIGNATURE_VALUE),
                content: text(SIGNED),
                key: KeyForm::Text,
                encoding: Encoding::Hex,
                separator: None,
            }),
            policy: brand::policy(
                &self.retry_schedule_s,
                self.timeout_ms,
                Some(self.disable_after_failures),
            )?,
        })
    }
}

fn kind(event_type: &EventType) -> EventKind {
    let data = DataRule::Object { members: event_type.data.clone() };
    EventKind::with_data(&event_type.name, data)
}
