//! What a dialect tells the engine about itself: data, not code.

use std::sync::Arc;

use crate::base62;
use crate::event::{check_event_type, check_producer_id, check_subject};
use crate::policy::DeliveryPolicy;
use crate::sign::SignatureRecipe;
use crate::template::Template;

/// A dialect instance as the engine knows it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Name of the instance; workspaces refer to it.
    pub name: String,
    pub workspace_id: IdForm,
    pub webhook_id: IdForm,
    /// Form of credentials, `None` when this dialect has none of its own.
    pub credential: Option<IdForm>,
    pub secret: SecretForm,
    /// Features that a workspace may have.
    pub features: Vec<String>,
    /// Event types that may be published; `None` permits any.
    pub catalogue: Option<Vec<String>>,
    pub subject: SubjectRule,
    pub event_id: EventIdRule,
    /// Names of further attributes that an event may carry.
    pub attributes: Vec<String>,
    pub delivery: DeliveryProfile,
}

/// How a dialect's deliveries look.
#[derive(Clone, Debug)]
pub struct DeliveryProfile {
    pub body: Template,
    /// Names in lower case, with text templates.
    pub headers: Vec<(Arc<str>, Template)>,
    pub signature: SignatureRecipe,
    pub policy: DeliveryPolicy,
}

/// Random ids: a prefix and this many alphanumerics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdForm {
    pub prefix: String,
    pub length: usize,
}

impl IdForm {
    pub fn mint(&self, fill: &mut dyn FnMut(&mut [u8])) -> String {
        format!("{}{}", self.prefix, base62::random(self.length, fill))
    }

    /// Whether a text could have been minted.
    pub fn fits(&self, text: &str) -> bool {
        let digits = text.strip_prefix(&self.prefix);
        digits.is_some_and(|d| d.len() == self.length && d.bytes().all(|b| b.is_ascii_alphanumeric()))
    }
}

/// Form of a webhook's signing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// This many alphanumerics.
    Alphanumeric { length: usize },
    /// `whsec_` and the padded base64 of this many bytes (Standard Webhooks 1.0: 24 to 64).
    StandardWebhooks { key_bytes: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectRule {
    Optional,
    /// Every webhook of the dialect is bound to a subject, so an event without one would reach nobody.
    Required,
}

/// What a producer's own event id means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventIdRule {
    /// It identifies the event within its workspace: the same id again is the same event.
    Unique,
    /// It is a word on the wire; the event's identity is ours.
    Label,
}

impl Profile {
    /// Whether this type may be published; the error is a sentence for the producer.
    pub fn check_type(&self, event_type: &str) -> Result<(), String> {
        check_event_type(event_type)?;
        match &self.catalogue {
            Some(types) if !types.iter().any(|known| known == event_type) => {
                Err(format!("is not in the catalogue of this dialect; known are {}", types.join(", ")))
            }
            _ => Ok(()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_their_form() {
        let form = IdForm { prefix: "wh_".to_owned(), length: 16 };
        let id = form.mint(&mut |bytes| bytes.fill(7));
        assert_eq!(id, format!("wh_{}", "7".repeat(16)));
        assert!(form.fits(&id));
        for other in
            ["", "wh_", "wh_777", "xx_7777777777777777", "wh_777777777777777é", "wh_77777777777777777"]
        {
            assert!(!form.fits(other), "{other}");
        }
    }
}
