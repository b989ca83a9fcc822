//! The vendor's JSON, field for field and in the documented order, and the names of its parameters.

use schemars::JsonSchema;
use serde::Serialize;

pub(super) const ID: &str = "id";
pub(super) const CHAIN_ID: &str = "chain_id";
pub(super) const EVENT_NAME: &str = "event_name";
pub(super) const TYPE: &str = "type";
pub(super) const URL: &str = "url";
pub(super) const FILTER: &str = "filter";
pub(super) const ACTIVE: &str = "active";
pub(super) const IDENTIFIER_KEY: &str = "identifier_key";
pub(super) const IDENTIFIER_SECRET: &str = "identifier_secret";
pub(super) const SIGNATURE_ID: &str = "webhook_signature_id";
pub(super) const EXCLUDE_INACTIVE: &str = "exclude_inactive";
pub(super) const USERNAME: &str = "username";
pub(super) const PASSWORD: &str = "password";

/// Every success.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{R}Done")]
pub(super) struct Done<R> {
    result: Success,
    results: R,
}

#[derive(Serialize, JsonSchema)]
struct Success {
    #[schemars(extend("const" = 1))]
    code: u32,
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

impl<R> Done<R> {
    pub(super) const fn with(results: R) -> Self {
        Self { result: Success { code: 1, status: "ok" }, results }
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct OneWebhook {
    pub(super) webhook: Webhook,
    /// The call's name.
    pub(super) result_type: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Webhooks {
    pub(super) webhooks: Vec<Webhook>,
    /// The call's name.
    pub(super) result_type: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct OneSignature {
    pub(super) webhook_signature: Signature,
    /// The call's name.
    pub(super) result_type: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Signatures {
    pub(super) webhook_signatures: Vec<Signature>,
    /// The call's name.
    pub(super) result_type: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Webhook {
    /// Whether events are sent.
    pub(super) active: bool,
    #[schemars(extend("const" = false))]
    pub(super) applies_legacy_hmac: bool,
    #[schemars(example = 7)]
    pub(super) campaign_id: Option<i64>,
    #[schemars(example = &"2026-06-20T10:00:00+00:00", extend("format" = "date-time"))]
    pub(super) created_date: String,
    /// In the answer to a delete alone.
    #[schemars(extend("const" = true))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deleted: Option<bool>,
    /// In the answer to a delete alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deleted_by: Option<Deleter>,
    #[schemars(example = &"shopper.voucher-issued")]
    pub(super) event_name: String,
    pub(super) event_trigger: (),
    /// Only events for which it holds are sent.
    #[schemars(example = &"data.voucher_amount > 10")]
    pub(super) filter: Option<String>,
    #[schemars(example = 1234)]
    pub(super) id: u64,
    #[schemars(example = &"user-1")]
    pub(super) identifier_key: Option<String>,
    #[schemars(example = &"s3cret")]
    pub(super) identifier_secret: Option<String>,
    #[schemars(extend("const" = false))]
    pub(super) is_default: bool,
    #[schemars(example = &"2026-06-20T10:00:00+00:00", extend("format" = "date-time"))]
    pub(super) last_modified_date: String,
    #[schemars(example = &"1.4.8")]
    pub(super) payload_spaaza_api_version: String,
    pub(super) send_from: (),
    pub(super) task_id: (),
    #[schemars(extend("const" = "https"))]
    pub(super) r#type: &'static str,
    #[schemars(example = &"https://example.com/webhooks")]
    pub(super) url: String,
    /// What deliveries are signed with; null for none.
    pub(super) webhook_signature: Option<Signature>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Deleter {
    #[schemars(example = &"Admin User")]
    pub(super) name: String,
    #[schemars(example = 213_112)]
    pub(super) user_id: u64,
}

#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Signature {
    pub(super) active: bool,
    pub(super) chain: Chain,
    #[schemars(example = &"2026-06-20T10:00:00+00:00", extend("format" = "date-time"))]
    pub(super) created_date: String,
    #[schemars(example = false)]
    pub(super) deleted: bool,
    #[schemars(example = 56)]
    pub(super) id: u64,
    #[schemars(example = &"2026-06-20T10:00:00+00:00", extend("format" = "date-time"))]
    pub(super) last_modified_date: String,
    /// The shared secret, as it stands.
    #[schemars(example = &"a1b2c3d4e5f60718293a4b5c6d7e8f90")]
    pub(super) value: String,
}

#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Chain {
    #[schemars(example = 1743)]
    pub(super) id: u64,
    #[schemars(example = &"ACME Retail")]
    pub(super) name: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct LoggedIn {
    pub(super) session_info: SessionInfo,
    pub(super) user_info: UserInfo,
    /// The call's name.
    pub(super) result_type: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct SessionInfo {
    #[schemars(example = &"password")]
    pub(super) session_auth_method: &'static str,
    /// In UTC.
    #[schemars(example = &"2026-07-04 10:00:00")]
    pub(super) session_expires_date: String,
    #[schemars(example = &"9f2c4e6a8b0d1f3e5c7a9b8d6f4e2c0a9f2c4e6a8b0d1f3e5c7a9b8d6f4e2c0a")]
    pub(super) session_key: String,
    /// Hours for which a session lives.
    #[schemars(example = &"336")]
    pub(super) session_key_validity: String,
    #[schemars(example = 213_112)]
    pub(super) session_user_id: u64,
    #[schemars(example = &"admin@example.com")]
    pub(super) session_username: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct UserInfo {
    #[schemars(example = &"Admin User")]
    pub(super) full_name: String,
    #[schemars(example = 213_112)]
    pub(super) user_id: u64,
    #[schemars(example = &"admin@example.com")]
    pub(super) username: String,
}

/// Every refusal: one error, or for callers of old versions a list of one.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(super) struct Failed<'a> {
    pub(super) result: Failure,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Problem<'a>>,
    /// In place of `error`, for callers of versions before 1.4.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) errors: Option<[Problem<'a>; 1]>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Failure {
    #[schemars(extend("const" = 2))]
    pub(super) code: u32,
    #[schemars(extend("const" = "error"))]
    pub(super) status: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Problem<'a> {
    #[schemars(example = 3)]
    pub(super) code: u32,
    #[schemars(example = &"http_vars_missing")]
    pub(super) name: &'a str,
    /// For a person; names the parameter.
    #[schemars(example = &"what is wrong, with the parameter's name")]
    pub(super) description: String,
}
