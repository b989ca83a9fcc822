//! What a dialect tells the engine about itself: data, not code.

use std::sync::Arc;
use std::time::Duration;

use crate::custom_header::{begins_as, check_header_name, reads_as};
use crate::event::{Event, check_event_type, check_producer_id, check_subject};
use crate::event_rule::{AttributeRule, DataRule, EventKind};
use crate::id::EventId;
use crate::matching::check_pattern;
use crate::policy::DeliveryPolicy;
use crate::retention::RetentionDefault;
use crate::secret::Secret;
use crate::sign::{STANDARD_SECRET_PREFIX, SignatureRecipe, standard_key};
use crate::template::Template;
use crate::webhook_form::WebhookForm;

pub use crate::id_form::{IdForm, RandomText};

/// A dialect instance as the engine knows it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Name of the instance; workspaces refer to it.
    pub name: String,
    pub workspace_id: IdForm,
    pub webhook_id: IdForm,
    /// Form of credentials, `None` when this dialect has none of its own.
    pub credential: Option<RandomText>,
    /// How its users log in, `None` when it has none.
    pub login: Option<LoginRule>,
    /// Form of what webhooks are signed with.
    pub secret: SecretForm,
    pub signing: SigningRule,
    /// Features that a workspace may have.
    pub features: Vec<String>,
    /// Scopes that credentials, and rights of users, may have; where there are none either may do everything.
    pub scopes: Vec<String>,
    /// Events that may be published; `None` permits any type with any data.
    pub catalogue: Option<Vec<EventKind>>,
    pub selection: SelectionRule,
    pub subject: SubjectRule,
    pub event_id: EventIdRule,
    /// Webhooks that one workspace may have, disabled ones counted; `None` for any number.
    pub webhooks_max: Option<usize>,
    pub pause: PauseRule,
    /// Further attributes that an event may carry, and no others.
    pub attributes: Vec<AttributeRule>,
    /// Whether workspaces that are made under it have a feed.
    pub feed: FeedRule,
    /// What workspaces that are made under it keep by default.
    pub retention: RetentionDefault,
    /// What a webhook consists of.
    pub webhook_form: WebhookForm,
    /// The last event of a workspace that is closed; without one nobody is told.
    pub farewell: Option<Farewell>,
    pub delivery: DeliveryProfile,
}

/// An event that tells those who want it that their workspace has ended. Its templates know the workspace, and the event's
/// type and time.
#[derive(Clone, Debug)]
pub struct Farewell {
    pub event_type: String,
    /// Names, in order, with JSON templates.
    pub attributes: Vec<(String, Template)>,
    pub data: Template,
}

/// How a dialect's deliveries look.
#[derive(Clone, Debug)]
pub struct DeliveryProfile {
    pub body: Template,
    /// Names in lower case, with text templates.
    pub headers: Vec<(Arc<str>, Template)>,
    /// Beginnings of header names, in lower case, that no webhook may set for itself, beside the headers above.
    pub reserved_prefixes: Vec<String>,
    /// Every lane's signer has it.
    pub signature: Arc<SignatureRecipe>,
    pub policy: DeliveryPolicy,
}

/// Users who log in with a name and a password and go on with the key of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRule {
    pub user_id: IdForm,
    /// Random bytes of a session's key, which reads as twice as many hexadecimal digits in lower case.
    pub key_bytes: usize,
    pub session_lifetime: Duration,
}

impl LoginRule {
    /// Whether a text could be a session's key.
    pub fn fits_key(&self, presented: &[u8]) -> bool {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        presented.len() == 2 * self.key_bytes && presented.iter().all(is_digit)
    }
}

/// Lengths of a key that Standard Webhooks 1.0 permits.
const STANDARD_KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Form of a signing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// This many alphanumerics.
    Alphanumeric { length: usize },
    /// `whsec_` and the padded base64 of this many bytes (Standard Webhooks 1.0: 24 to 64).
    StandardWebhooks { key_bytes: usize },
    /// `whsec_` and the lower-case hexadecimal of this many random bytes. The text as a whole is the key.
    PrefixedHex { random_bytes: usize },
    /// The lower-case hexadecimal of this many random bytes. The text is the key.
    Hex { random_bytes: usize },
}

/// Whose the secrets are that sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SigningRule {
    /// Each webhook has one of its own, made with it.
    OwnSecret,
    /// They are objects of their own, [`crate::signing_key::SigningKey`], with ids of this form. A webhook is signed with
    /// the one that it refers to, and not at all when it refers to none.
    SharedKeys { key_id: IdForm },
}

/// What a webhook may select events by, beside all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectionRule {
    /// Exact types.
    Types,
    /// Exact types, and patterns such as `order.*`.
    Patterns,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectRule {
    Optional,
    /// Every webhook of the dialect is bound to a subject, so an event without one would reach nobody.
    Required,
}

/// What becomes of what is pending when a webhook's owner switches it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseRule {
    /// It ends, on record.
    Drops,
    /// It waits until the webhook is on again.
    Holds,
}

/// What a producer's own event id means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventIdRule {
    /// It identifies the event within its workspace: the same id again is the same event.
    Unique,
    /// It is a word on the wire, which several events may share; the event's identity is ours.
    Label,
}

impl EventIdRule {
    /// The id by which an event is known to the producer and the operator: the producer's own where that identifies it,
    /// else ours.
    pub fn public_id(self, id: EventId, producer_id: Option<&str>) -> String {
        match (self, producer_id) {
            (Self::Unique, Some(own)) => own.to_owned(),
            (Self::Unique, None) | (Self::Label, _) => id.to_public(),
        }
    }

    /// The producer's word for an event where it is no more than that.
    pub fn label(self, producer_id: Option<&str>) -> Option<&str> {
        producer_id.filter(|_| self == Self::Label)
    }
}

/// Whether the events of a workspace can be read in order of their sequence. Said when it is made, and for good:
/// finding events by their sequence costs each of them a place of its own on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedRule {
    Absent,
    Kept,
}

impl Profile {
    /// Whether this type may be published; the error is a sentence for the producer.
    pub fn check_type(&self, event_type: &str) -> Result<(), String> {
        check_event_type(event_type)?;
        match &self.catalogue {
            Some(kinds) if self.kind(event_type).is_none() => {
                let known: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
                Err(format!("is not in the catalogue of this dialect; known are {}", known.join(", ")))
            }
            _ => Ok(()),
        }
    }

    /// What the data of a type must be; `None` where nothing is demanded.
    pub fn data_rule(&self, event_type: &str) -> Option<&DataRule> {
        self.kind(event_type).map(|kind| &kind.data)
    }

    /// What an event is sent as, and shown as wherever its dialect shows it.
    pub fn body_of(&self, event: &Event) -> &Template {
        let own = self.kind(&event.content.event_type).and_then(|kind| kind.body.as_ref());
        own.unwrap_or(&self.delivery.body)
    }

    fn kind(&self, event_type: &str) -> Option<&EventKind> {
        self.catalogue.as_ref()?.iter().find(|kind| kind.name == event_type)
    }

    /// Whether its parts fit one another; the error is a sentence for whoever wrote it.
    pub fn check(&self) -> Result<(), String> {
        if self.workspace_id != IdForm::Number && self.templates().any(Template::needs_workspace_number) {
            return Err(
                "a template says `${workspace.number}`, and ids of workspaces are no numbers".to_owned()
            );
        }
        Ok(())
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let delivery = &self.delivery;
        let signature = [&delivery.signature.value, &delivery.signature.content];
        let headers = delivery.headers.iter().map(|(_, value)| value);
        let bodies = self.catalogue.iter().flatten().filter_map(|kind| kind.body.as_ref());
        let farewell = self
            .farewell
            .iter()
            .flat_map(|farewell| farewell.attributes.iter().map(|(_, value)| value).chain([&farewell.data]));
        [&delivery.body].into_iter().chain(signature).chain(headers).chain(bodies).chain(farewell)
    }

    /// Whether a webhook may select events by this type or pattern.
    pub fn check_selected(&self, entry: &str) -> Result<(), String> {
        match self.selection {
            SelectionRule::Patterns if entry.contains('*') => check_pattern(entry),
            SelectionRule::Patterns | SelectionRule::Types => self.check_type(entry),
        }
    }

    /// Whether a webhook may have this header sent along.
    pub fn check_header_name(&self, name: &str) -> Result<(), String> {
        check_header_name(name)?;
        let delivery = &self.delivery;
        let ours = reads_as(name, &delivery.signature.header)
            || delivery.headers.iter().any(|(known, _)| reads_as(name, known))
            || delivery.reserved_prefixes.iter().any(|prefix| begins_as(name, prefix));
        if ours { Err("is a header of the delivery itself".to_owned()) } else { Ok(()) }
    }

    pub fn check_subject(&self, subject: Option<&str>) -> Result<(), String> {
        match (subject, self.subject) {
            (Some(subject), _) => check_subject(subject),
            (None, SubjectRule::Optional) => Ok(()),
            (None, SubjectRule::Required) => {
                Err("is required: every webhook of this dialect is bound to one".to_owned())
            }
        }
    }

    pub fn check_producer_id(&self, id: Option<&str>) -> Result<(), String> {
        id.map_or(Ok(()), check_producer_id)
    }
}

impl SecretForm {
    /// Whether a secret that a customer brings along has this form.
    pub fn check(self, secret: &Secret) -> Result<(), String> {
        match self {
            Self::Alphanumeric { length } => {
                let text = secret.expose();
                let good = text.len() == length && text.iter().all(u8::is_ascii_alphanumeric);
                if good { Ok(()) } else { Err(format!("must be {length} letters and digits")) }
            }
            Self::StandardWebhooks { .. } => match standard_key(secret) {
                Ok(key) if STANDARD_KEY_BYTES.contains(&key.expose().len()) => Ok(()),
                _ => Err("must be `whsec_` and the padded base64 of 24 to 64 random bytes".to_owned()),
            },
            Self::PrefixedHex { random_bytes } => {
                let digits = secret.expose_text().strip_prefix(STANDARD_SECRET_PREFIX);
                let length = 2 * random_bytes;
                let expected = || format!("must be `whsec_` and {length} lower-case hexadecimal digits");
                if digits.is_some_and(|text| is_hex(text, length)) { Ok(()) } else { Err(expected()) }
            }
            Self::Hex { random_bytes } => {
                let length = 2 * random_bytes;
                let expected = || format!("must be {length} lower-case hexadecimal digits");
                if is_hex(secret.expose_text(), length) { Ok(()) } else { Err(expected()) }
            }
        }
    }
}

/// So many lower-case hexadecimal digits.
fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customers_own_secret_has_the_form_of_ours() {
        let standard = SecretForm::StandardWebhooks { key_bytes: 32 };
        let of_bytes = |count: usize| crate::sign::standard_secret(&Secret::new(vec![7; count]));
        for (bytes, good) in [(23, false), (24, true), (64, true), (65, false), (0, false)] {
            assert_eq!(standard.check(&of_bytes(bytes)).is_ok(), good, "{bytes}");
        }
        let bad = [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
            "whsec_a b",
        ];
        for text in bad.into_iter().chain([of_bytes(25).expose_text().trim_end_matches('=')]) {
            assert!(standard.check(&Secret::from_text(text)).is_err(), "{text:?}");
        }
        let plain = SecretForm::Alphanumeric { length: 4 };
        for (text, good) in
            [("aB3d", true), ("abc", false), ("abcde", false), ("ab-d", false), ("abé", false)]
        {
            assert_eq!(plain.check(&Secret::from_text(text)).is_ok(), good, "{text}");
        }
        let hex = SecretForm::PrefixedHex { random_bytes: 2 };
        for (text, good) in [
            ("whsec_09af", true),
            ("whsec_09aF", false),
            ("whsec_09a", false),
            ("whsec_09afa", false),
            ("09af", false),
            ("whsec_09ag", false),
        ] {
            assert_eq!(hex.check(&Secret::from_text(text)).is_ok(), good, "{text}");
        }
        let bare = SecretForm::Hex { random_bytes: 2 };
        for (text, good) in
            [("09af", true), ("09aF", false), ("09a", false), ("09afa", false), ("09ag", false), ("", false)]
        {
            assert_eq!(bare.check(&Secret::from_text(text)).is_ok(), good, "{text}");
        }
    }
}
