//! A request as it was sent, made once more from what is stored: its body, and what its signature is made of.

use std::sync::Arc;

use signalpost_core::attempt::Attempt;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::profile::SigningRule;
use signalpost_core::secret::Secret;
use signalpost_core::sign::{SignatureRecipe, Signer};
use signalpost_core::template::Scope;
use signalpost_core::webhook::Webhook;
use signalpost_store::ledger::DeliveryRecord;
use signalpost_store::vault::signing_key_place;

use crate::Engine;
use crate::directory::View;
use crate::sealing::{secret_place, unopened};

/// What an attempt has sent.
#[derive(Debug)]
pub struct SentRequest {
    /// Of the webhook as it is now; `None` when that is deleted.
    pub url: Option<String>,
    pub body: Vec<u8>,
    /// `None` where nothing is left that signs.
    pub signature: Option<SignatureSteps>,
}

/// How the signature of one request is made, step by step.
#[derive(Debug)]
pub struct SignatureSteps {
    pub recipe: Arc<SignatureRecipe>,
    /// The bytes that are signed.
    pub content: Vec<u8>,
    /// The header's value as it went out; `None` when it is not in the record.
    pub sent: Option<String>,
    /// The value by each secret that is there now, newest first.
    pub by_secrets: Vec<String>,
}

impl SignatureSteps {
    /// Which of the secrets has made what went out; `None` when it was one that is gone, or the body was another.
    pub fn signed_by(&self) -> Option<usize> {
        let sent = self.sent.as_deref()?;
        let separator = self.recipe.separator.as_deref();
        let carries = |value: &String| match separator {
            Some(separator) => sent.split(separator).any(|part| part == value),
            None => sent == value,
        };
        self.by_secrets.iter().position(carries)
    }
}

impl Engine {
    /// The request of one attempt. `Conflict` when retention has removed the event's data, `Unavailable` when a secret does
    /// not open.
    pub async fn sent_request(
        &self,
        view: &View,
        record: &DeliveryRecord,
        attempt: &Attempt,
    ) -> Result<SentRequest, Error> {
        if record.event.payload_removed_at.is_some() {
            return Err(Error::new(ErrorCode::Conflict, "retention has removed the data of this event"));
        }
        let delivery = record.summary.id.to_public();
        let scope = Scope {
            event: &record.event,
            workspace: &view.workspace.public_id,
            webhook: &record.summary.webhook,
            delivery: &delivery,
            attempt_at: attempt.at,
            body: b"",
            signature: "",
        };
        let body = view.profile.body_of(&record.event).render(scope);
        let webhook = match self.webhook(view.workspace.id, &record.summary.webhook).await {
            Ok(webhook) => webhook,
            Err(error) if error.code == ErrorCode::NotFound => {
                return Ok(SentRequest { url: None, body, signature: None });
            }
            Err(error) => return Err(error),
        };
        let secrets = self.secrets_of(view, &webhook).await?;
        let scope = Scope { body: &body, ..scope };
        let signature = (!secrets.is_empty()).then(|| steps(view, scope, attempt, &secrets)).transpose()?;
        Ok(SentRequest { url: Some(webhook.url), body, signature })
    }

    /// All that are there now, newest first, also those that sign no more.
    async fn secrets_of(&self, view: &View, webhook: &Webhook) -> Result<Vec<Secret>, Error> {
        let open = |place, sealed| self.keyring.open(place, sealed).map_err(unopened);
        match view.profile.signing {
            SigningRule::OwnSecret => {
                let previous = webhook.previous_secrets.iter().map(|previous| &previous.sealed);
                let all = webhook.secret.iter().chain(previous);
                all.map(|sealed| open(secret_place(webhook.workspace, webhook.id), sealed)).collect()
            }
            SigningRule::SharedKeys { .. } => {
                let keys = self.list_signing_keys(webhook.workspace).await?;
                let own = keys.iter().filter(|key| Some(key.id) == webhook.signing_key);
                own.map(|key| open(signing_key_place(key.workspace, key.id), &key.sealed)).collect()
            }
        }
    }
}

fn steps(
    view: &View,
    scope: Scope<'_>,
    attempt: &Attempt,
    secrets: &[Secret],
) -> Result<SignatureSteps, Error> {
    let recipe = Arc::clone(&view.profile.delivery.signature);
    let value = |secret: &Secret| {
        let signer = Signer::new(Arc::clone(&recipe), secret);
        signer.map(|signer| signer.sign(scope).1).map_err(|error| Error::internal(error.to_string()))
    };
    let by_secrets = secrets.iter().map(value).collect::<Result<_, _>>()?;
    let mut headers = attempt.request_headers.iter();
    let sent = headers.find(|(name, _)| name.eq_ignore_ascii_case(&recipe.header));
    let sent = sent.map(|(_, value)| value.clone());
    let content = recipe.content.render(scope);
    Ok(SignatureSteps { recipe, content, sent, by_secrets })
}
