//! Everything of the vendor's that is a value: names, limits, catalogue, schedule. A platform that adopts the shape
//! overrides fields of [`Instance`]; nothing else in this folder holds a literal of the vendor's but for
//! the names of events in [`super::catalogue`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use signalpost_core::event_rule::EventKind;
use signalpost_core::profile::{
    DeliveryProfile, EventIdRule, FeedRule, IdForm, PauseRule, Profile, RandomText, SecretForm,
    SelectionRule, SigningRule, SubjectRule,
};
use signalpost_core::retention::RetentionDefault;
use signalpost_core::sign::{Encoding, KeyForm, SignatureRecipe};
use signalpost_core::template::Template;
use signalpost_core::webhook_form::{ChangeRule, Schemes, TextRule, WebhookForm};

use super::catalogue;
use super::instance_check::{self, header_name};
use crate::dialect::{EncodingWord, brand};

/// The shape with the values of one product. The default is the vendor's own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Instance {
    /// What workspaces call it.
    pub name: String,
    /// Where it stands on the public port.
    pub base_path: String,
    /// Header that carries a caller's API key.
    pub api_key_header: String,
    /// Header that carries a delivery's signature.
    pub signature_header: String,
    #[serde(with = "EncodingWord")]
    pub signature_encoding: Encoding,
    pub user_agent: String,
    /// The catalogue: every event type that there is.
    pub events: Vec<String>,
    pub workspace_id_prefix: String,
    pub webhook_id_prefix: String,
    pub api_key_prefix: String,
    pub name_chars_max: usize,
    /// Characters of an agent's id.
    pub agent_id_chars_max: usize,
    /// Rows of a page when the caller does not say, and at most.
    pub page_rows_default: u32,
    pub page_rows_max: u32,
    /// Delays between attempts; one attempt more than delays.
    pub retry_schedule_s: Vec<u64>,
    pub timeout_ms: u64,
    /// Failed attempts in a row after which a webhook is switched off; never when `None`.
    pub disable_after_failures: Option<u32>,
}

impl Default for Instance {
    fn default() -> Self {
        Self {
            name: "sigmamind".to_owned(),
            base_path: "/v1".to_owned(),
            api_key_header: "X-API-Key".to_owned(),
            signature_header: "X-SigmaMind-Signature".to_owned(),
            signature_encoding: Encoding::Hex,
            user_agent: concat!("Signalpost/", env!("CARGO_PKG_VERSION")).to_owned(),
            events: catalogue::all(),
            workspace_id_prefix: "org_".to_owned(),
            webhook_id_prefix: "wh_".to_owned(),
            api_key_prefix: "sgm_".to_owned(),
            name_chars_max: 128,
            agent_id_chars_max: 64,
            page_rows_default: 10,
            page_rows_max: 100,
            retry_schedule_s: vec![60, 300, 1_800, 7_200],
            timeout_ms: 10_000,
            disable_after_failures: None,
        }
    }
}

/// The field names of the vendor's vocabulary; the values are the event's, as its producer wrote them.
const BODY: &str = concat!(
    r#"{"eventId":${event.id},"event":${event.type},"timestamp":${event.time},"workspaceId":${workspace.id},"#,
    r#""webhookId":${webhook.id},"agentId":${event.subject},"data":${event.data}}"#
);
/// The raw body as sent, and nothing else: no timestamp is documented.
const SIGNED: &str = "${body}";
const SIGNATURE_VALUE: &str = "${signature}";
const ID_CHARS: usize = 16;
const API_KEY_CHARS: usize = 40;
const SECRET_CHARS: usize = 32;

impl Instance {
    /// What the engine is told. The error is a sentence about the field that is wrong.
    pub(super) fn profile(&self) -> Result<Profile, String> {
        instance_check::check(self)?;
        Ok(Profile {
            name: self.name.clone(),
            workspace_id: IdForm::random(&self.workspace_id_prefix, ID_CHARS),
            webhook_id: IdForm::random(&self.webhook_id_prefix, ID_CHARS),
            credential: Some(RandomText::new(&self.api_key_prefix, API_KEY_CHARS)),
            login: None,
            secret: SecretForm::Alphanumeric { length: SECRET_CHARS },
            signing: SigningRule::OwnSecret,
            features: Vec::new(),
            scopes: Vec::new(),
            catalogue: Some(self.events.iter().map(EventKind::any).collect()),
            selection: SelectionRule::Types,
            subject: SubjectRule::Required,
            event_id: EventIdRule::Unique,
            webhooks_max: None,
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
            name: TextRule::Required { chars_max: self.name_chars_max },
            subject: TextRule::Required { chars_max: self.agent_id_chars_max },
            subject_word: "Agent".to_owned(),
            changes: ChangeRule::AllButSubject,
            ..WebhookForm::bare(Schemes::AnyInLowerCase)
        }
    }

    fn delivery(&self) -> Result<DeliveryProfile, String> {
        let text = |template: &str| Template::text(template).expect("a constant that a test reads");
        header_name("api_key_header", &self.api_key_header)?;
        let headers = brand::common_headers(&self.user_agent)?;
        Ok(DeliveryProfile {
            body: Template::json(BODY).expect("a constant that a test reads"),
            headers,
            reserved_prefixes: Vec::new(),
            signature: Arc::new(SignatureRecipe {
                header: header_name("signature_header", &self.signature_header)?.as_str().into(),
                value: text(SIGNATURE_VALUE),
                content: text(SIGNED),
                key: KeyForm::Text,
                encoding: self.signature_encoding,
                separator: None,
            }),
            policy: brand::policy(&self.retry_schedule_s, self.timeout_ms, self.disable_after_failures)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl Fn(&mut Instance), field: &str) {
        let mut instance = Instance::default();
        change(&mut instance);
        let problem = instance.profile().expect_err("must be refused");
        assert!(problem.starts_with(field), "{problem}");
    }

    #[test]
    fn overrides_that_cannot_work_are_refused() {
        refused(|instance| instance.events = Vec::new(), "events");
        refused(|instance| instance.events = vec!["a b".to_owned()], "events");
        refused(|instance| instance.signature_header = "X Sig".to_owned(), "signature_header");
        refused(|instance| instance.api_key_header = String::new(), "api_key_header");
        refused(|instance| instance.user_agent = "${nope}".to_owned(), "user_agent");
        refused(|instance| instance.events.push("conversation_ended".to_owned()), "events");
        refused(|instance| instance.signature_header = "Content-Length".to_owned(), "signature_header");
        refused(|instance| instance.user_agent = "a\nb".to_owned(), "user_agent");
        refused(|instance| instance.page_rows_default = 101, "page_rows_default");
        refused(|instance| instance.page_rows_max = 251, "page_rows_max");
        refused(|instance| instance.name_chars_max = 0, "name_chars_max");
        refused(|instance| instance.webhook_id_prefix = "wh/".to_owned(), "webhook_id_prefix");
        refused(|instance| instance.disable_after_failures = Some(0), "disable_after_failures");
        refused(|instance| instance.timeout_ms = 1, "timeout_ms");
        refused(|instance| instance.retry_schedule_s = vec![u64::MAX], "retry_schedule_s");
    }

    #[test]
    fn header_names_are_kept_in_lower_case() {
        let profile = Instance::default().profile().expect("the vendor's own values");
        assert_eq!(&*profile.delivery.signature.header, "x-sigmamind-signature");
    }
}
