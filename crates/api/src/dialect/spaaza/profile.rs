//! Everything of the vendor's that is a value: names, limits, catalogue, schedule, error codes. A platform that adopts the
//! shape overrides fields of [`Instance`]; nothing else in this folder holds a literal of the vendor's but for the words of
//! requests and answers, and the names of events in [`super::catalogue`].

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use signalpost_core::event_rule::{DataRule, EventKind};
use signalpost_core::limits::UNPAGED_WEBHOOKS_MAX;
use signalpost_core::profile::{
    DeliveryProfile, EventIdRule, FeedRule, IdForm, LoginRule, PauseRule, Profile, SecretForm, SelectionRule,
    SigningRule, SubjectRule,
};
use signalpost_core::retention::RetentionDefault;
use signalpost_core::sign::{Encoding, KeyForm, SignatureRecipe};
use signalpost_core::template::Template;
use signalpost_core::webhook_form::{
    EventsRule, LoginBounds, Schemes, SecretRule, TextRule, UrlRule, WebhookForm,
};

use super::auth::Right;
use super::catalogue::{self, Envelope, EventType};
use super::instance_check;
use crate::dialect::brand;

/// The shape with the values of one product. The default is the vendor's own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Instance {
    /// What workspaces call it.
    pub name: String,
    /// Where the calls stand on the public port, and where the login does.
    pub base_path: String,
    pub auth_path: String,
    /// What the names of its own headers begin with: those of callers, and those of a delivery.
    pub header_prefix: String,
    pub user_agent: String,
    /// The catalogue: every event type that there is.
    pub events: Vec<EventType>,
    /// What a webhook's payload has as its version when nobody says.
    pub payload_version: String,
    /// Characters of what a caller writes.
    pub event_name_chars_max: usize,
    pub url_chars_max: usize,
    pub filter_chars_max: usize,
    pub identifier_key_chars_max: usize,
    pub identifier_secret_chars_max: usize,
    /// Webhooks of one chain, inactive ones counted; [`UNPAGED_WEBHOOKS_MAX`] when `None`.
    pub webhooks_max: Option<usize>,
    /// How long a session lives.
    pub session_hours: u32,
    /// Delays between attempts; one attempt more than delays.
    pub retry_schedule_s: Vec<u64>,
    pub timeout_ms: u64,
    /// Failed attempts in a row after which a webhook is switched off; never when `None`.
    pub disable_after_failures: Option<u32>,
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            name: "spaaza".to_owned(),
            base_path: "/internal".to_owned(),
            auth_path: "/auth".to_owned(),
            header_prefix: "X-Spaaza-".to_owned(),
            user_agent: USER_AGENT.to_owned(),
            events: catalogue::all(),
            payload_version: "1.4.8".to_owned(),
            event_name_chars_max: 128,
            url_chars_max: 1_000,
            filter_chars_max: 2_048,
            identifier_key_chars_max: 128,
            identifier_secret_chars_max: 256,
            webhooks_max: None,
            session_hours: 336,
            retry_schedule_s: RETRY_SCHEDULE_S.into(),
            timeout_ms: TIMEOUT_MS,
            disable_after_failures: None,
        }
    }
}

/// Ours: the vendor documents none of the three.
const USER_AGENT: &str = "Spaaza-Webhooks/1.0";
const RETRY_SCHEDULE_S: [u64; 4] = [60, 300, 1_800, 7_200];
const TIMEOUT_MS: u64 = 10_000;

/// Around the data of an event. Its id is the producer's word, which several events may share.
const ENVELOPE: &str = concat!(
    r#"{"id":${event.id},"type":${event.type},"chain_id":${workspace.number},"created":${event.time_s},"#,
    r#""data":${event.data}}"#
);
const BARE: &str = "${event.data}";
/// The raw body as sent, and nothing else: no timestamp is documented.
const SIGNED: &str = "${body}";
const SIGNATURE_VALUE: &str = "${signature}";
/// A signature's value is twice as many hexadecimal digits; the text is the key, as is usual where it is made.
pub(super) const SIGNATURE_BYTES: usize = 16;
pub(super) const SESSION_KEY_BYTES: usize = 32;
/// The one `type` of webhooks: to a URL of the customer's own.
pub(super) const HTTPS: &str = "https";
/// Characters of a `type`, whatever types there are.
pub(super) const TYPE_CHARS_MAX: usize = 128;
pub(super) const SIGNATURE_HEADER: &str = "Hmac-SHA256";
/// Ends of the names of callers' headers, and what old editions called the first two.
pub(super) const USER_HEADER: &str = "Session-User-Id";
pub(super) const KEY_HEADER: &str = "Session-Key";
pub(super) const VERSION_HEADER: &str = "API-Version";
pub(super) const USER_HEADER_LEGACY: &str = "session-user-id";
pub(super) const KEY_HEADER_LEGACY: &str = "session-key";
/// From this version on, major and minor, an answer has one error and no list of them.
pub(super) const ONE_ERROR_SINCE: (u32, u32) = (1, 4);
/// How a session was opened. The documents show the member without a value.
pub(super) const AUTH_METHOD: &str = "password";
/// Under which names a webhook keeps what only this vendor knows.
pub(super) const PAYLOAD_VERSION: &str = "payload_spaaza_api_version";
pub(super) const CAMPAIGN: &str = "campaign_id";

/// One way in which a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: u32,
    pub(super) name: &'static str,
    pub(super) status: StatusCode,
}

const fn fault(code: u32, name: &'static str, status: StatusCode) -> Fault {
    Fault { code, name, status }
}

// As documented; of the login's the HTTP status is ours.
pub(super) const VARS_MISSING: Fault = fault(3, "http_vars_missing", StatusCode::BAD_REQUEST);
pub(super) const WRONG_PASSWORD: Fault = fault(5, "password_error_or_non_existent", StatusCode::UNAUTHORIZED);
pub(super) const NO_SESSION: Fault = fault(6, "no_valid_session", StatusCode::UNAUTHORIZED);
pub(super) const NOT_DELETE: Fault =
    fault(19, "http_request_method_non_DELETE_not_allowed", StatusCode::METHOD_NOT_ALLOWED);
pub(super) const PERMISSION_DENIED: Fault =
    fault(68, "permission_denied_or_non_existent", StatusCode::FORBIDDEN);
pub(super) const ENTITY_MISMATCH: Fault = fault(405, "entity_mismatch", StatusCode::BAD_REQUEST);
pub(super) const WEBHOOK_NOT_FOUND: Fault = fault(495, "webhook_not_found", StatusCode::BAD_REQUEST);
pub(super) const SIGNATURE_NOT_FOUND: Fault =
    fault(528, "webhook_signature_not_found", StatusCode::NOT_FOUND);
// Ours. The vendor knows a few hundred codes, so ours stand far above them.
pub(super) const INVALID: Fault = fault(90_001, "invalid_parameter", StatusCode::BAD_REQUEST);
pub(super) const NOT_GET: Fault =
    fault(90_002, "http_request_method_non_GET_not_allowed", StatusCode::METHOD_NOT_ALLOWED);
pub(super) const NOT_POST: Fault =
    fault(90_003, "http_request_method_non_POST_not_allowed", StatusCode::METHOD_NOT_ALLOWED);
pub(super) const NOT_PUT: Fault =
    fault(90_004, "http_request_method_non_PUT_not_allowed", StatusCode::METHOD_NOT_ALLOWED);
pub(super) const NO_SUCH_CALL: Fault = fault(90_005, "call_not_found", StatusCode::NOT_FOUND);
pub(super) const UNREADABLE: Fault = fault(90_006, "request_not_readable", StatusCode::BAD_REQUEST);
pub(super) const CONTENT_TYPE: Fault =
    fault(90_007, "content_type_not_supported", StatusCode::UNSUPPORTED_MEDIA_TYPE);
pub(super) const TOO_LARGE: Fault = fault(90_008, "request_too_large", StatusCode::PAYLOAD_TOO_LARGE);
pub(super) const TOO_SLOW: Fault = fault(90_009, "request_timeout", StatusCode::REQUEST_TIMEOUT);
pub(super) const TOO_MANY: Fault = fault(90_010, "too_many_requests", StatusCode::TOO_MANY_REQUESTS);
pub(super) const CONFLICT: Fault = fault(90_011, "conflict", StatusCode::CONFLICT);
pub(super) const LIMIT_REACHED: Fault = fault(90_012, "limit_reached", StatusCode::CONFLICT);
pub(super) const UNAVAILABLE: Fault = fault(90_013, "unavailable", StatusCode::SERVICE_UNAVAILABLE);
pub(super) const INTERNAL: Fault = fault(90_014, "internal_error", StatusCode::INTERNAL_SERVER_ERROR);

/// Every one, the commonest of each status first.
pub(super) const FAULTS: [Fault; 22] = [
    VARS_MISSING,
    NO_SESSION,
    WRONG_PASSWORD,
    NOT_DELETE,
    PERMISSION_DENIED,
    ENTITY_MISMATCH,
    WEBHOOK_NOT_FOUND,
    SIGNATURE_NOT_FOUND,
    INVALID,
    NOT_GET,
    NOT_POST,
    NOT_PUT,
    NO_SUCH_CALL,
    UNREADABLE,
    CONTENT_TYPE,
    TOO_LARGE,
    TOO_SLOW,
    TOO_MANY,
    LIMIT_REACHED,
    CONFLICT,
    UNAVAILABLE,
    INTERNAL,
];

impl Instance {
    /// What the engine is told. The error is a sentence about the field that is wrong.
    pub(super) fn profile(&self) -> Result<Profile, String> {
        instance_check::check(self)?;
        Ok(Profile {
            name: self.name.clone(),
            workspace_id: IdForm::Number,
            webhook_id: IdForm::Number,
            credential: None,
            login: Some(LoginRule {
                user_id: IdForm::Number,
                key_bytes: SESSION_KEY_BYTES,
                session_lifetime: Duration::from_secs(3_600 * u64::from(self.session_hours)),
            }),
            secret: SecretForm::Hex { random_bytes: SIGNATURE_BYTES },
            signing: SigningRule::SharedKeys { key_id: IdForm::Number },
            features: Vec::new(),
            scopes: Right::ALL.map(|right| right.name().to_owned()).into(),
            catalogue: Some(self.events.iter().map(kind).collect()),
            selection: SelectionRule::Types,
            subject: SubjectRule::Optional,
            event_id: EventIdRule::Label,
            webhooks_max: Some(self.webhooks_max.unwrap_or(UNPAGED_WEBHOOKS_MAX)),
            pause: PauseRule::Drops,
            attributes: Vec::new(),
            feed: FeedRule::Absent,
            retention: RetentionDefault::Server,
            webhook_form: self.webhook_form(),
            farewell: None,
            delivery: self.delivery()?,
        })
    }

    fn webhook_form(&self) -> WebhookForm {
        WebhookForm {
            url: UrlRule { chars_max: self.url_chars_max, schemes: Schemes::Secure },
            events: EventsRule::One,
            filter: TextRule::Optional { chars_max: self.filter_chars_max },
            login: Some(LoginBounds {
                user_chars_max: self.identifier_key_chars_max,
                password_chars_max: self.identifier_secret_chars_max,
            }),
            secret: SecretRule::OnDemand,
            ..WebhookForm::bare(Schemes::Secure)
        }
    }

    /// A header's name with the prefix.
    pub(super) fn header(&self, end: &str) -> String {
        format!("{}{end}", self.header_prefix)
    }

    fn delivery(&self) -> Result<DeliveryProfile, String> {
        let text = |template: &str| Template::text(template).expect("a constant that a test reads");
        Ok(DeliveryProfile {
            body: Template::json(ENVELOPE).expect("a constant that a test reads"),
            headers: brand::common_headers(&self.user_agent)?,
            reserved_prefixes: vec![self.header_prefix.to_ascii_lowercase()],
            signature: Arc::new(SignatureRecipe {
                header: brand::own_header(&self.header_prefix, SIGNATURE_HEADER)?.as_str().into(),
                value: text(SIGNATURE_VALUE),
                content: text(SIGNED),
                key: KeyForm::Text,
                encoding: Encoding::Base64,
                separator: None,
            }),
            policy: brand::policy(&self.retry_schedule_s, self.timeout_ms, self.disable_after_failures)?,
        })
    }
}

fn kind(event_type: &EventType) -> EventKind {
    let bare = || Template::json(BARE).expect("a constant that a test reads");
    EventKind {
        name: event_type.name.clone(),
        data: DataRule::Object { members: Vec::new() },
        body: (event_type.envelope == Envelope::Absent).then(bare),
    }
}
