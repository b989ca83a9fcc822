//! A request as it was sent, made once more from what is stored: its body, and what its signature is made of.

use std::sync::Arc;

use signalpost_core::attempt::Attempt;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::profile::SigningRule;
use signalpost_core::secret::{SealedSecret, Secret};
use signalpost_core::sign::{SignatureRecipe, Signer};
use signalpost_core::signing_key::SigningKey;
use signalpost_core::template::{Piece, Scope};
use signalpost_core::webhook::Webhook;
use signalpost_store::ledger::DeliveryRecord;

use crate::Engine;
use crate::directory::View;
use crate::sealing::{secret_place, unopened};

/// What an attempt has sent, as far as it can be made once more.
#[derive(Debug)]
pub struct SentRequest {
    /// Of the webhook as it is now; `None` when that is deleted.
    pub url: Option<String>,
    /// As the dialect renders it now.
    pub body: Vec<u8>,
    pub signature: SignatureSteps,
}

/// How the signature of one request is made, step by step.
#[derive(Debug)]
pub struct SignatureSteps {
    pub recipe: Arc<SignatureRecipe>,
    /// The bytes that are signed.
    pub content: Vec<u8>,
    /// The header's value as it went out; `None` when it is not in the record.
    pub sent: Option<String>,
    /// The value by each secret that the webhook has now, newest first, and by another key that has made what went out.
    pub values: Vec<SignedValue>,
}

/// What one secret makes of the bytes that are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedValue {
    pub by: Whose,
    /// The whole value of the header.
    pub value: String,
}

/// Whose secret it is that signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The webhook's own of now.
    Own,
    /// The webhook's own, replaced since.
    Replaced,
    /// The workspace's key with this public id, to which the webhook refers now.
    Key(String),
    /// One to which it does not.
    OtherKey(String),
}

/// What is known of how a request was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedBy<'s> {
    /// It carried no signature.
    Nobody,
    Known(&'s Whose),
    /// None of those that are here made what went out: it was one that is gone, or the body was rendered otherwise then.
    NoneHere,
}

impl SentRequest {
    /// Whether the body is known to be what went out, byte for byte: then a signature over it says so.
    pub fn is_body_proven(&self) -> bool {
        let mut pieces = self.signature.recipe.content.pieces();
        let is_signed = pieces.any(|piece| matches!(piece, Piece::Placeholder(name) if name == "body"));
        is_signed && matches!(self.signature.signed_by(), SignedBy::Known(_))
    }
}

impl SignatureSteps {
    pub fn signed_by(&self) -> SignedBy<'_> {
        if self.sent.is_none() {
            return SignedBy::Nobody;
        }
        let found = self.values.iter().find(|made| self.went_out(&made.value));
        found.map_or(SignedBy::NoneHere, |made| SignedBy::Known(&made.by))
    }

    fn went_out(&self, value: &str) -> bool {
        match (self.sent.as_deref(), self.recipe.separator.as_deref()) {
            (None, _) => false,
            (Some(sent), Some(separator)) => sent.split(separator).any(|part| part == value),
            (Some(sent), None) => sent == value,
        }
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
            Ok(webhook) => Some(webhook),
            Err(error) if error.code == ErrorCode::NotFound => None,
            Err(error) => return Err(error),
        };
        let scope = Scope { body: &body, ..scope };
        let signature = self.signature_steps(view, webhook.as_ref(), scope, attempt).await?;
        Ok(SentRequest { url: webhook.map(|webhook| webhook.url), body, signature })
    }

    async fn signature_steps(
        &self,
        view: &View,
        webhook: Option<&Webhook>,
        scope: Scope<'_>,
        attempt: &Attempt,
    ) -> Result<SignatureSteps, Error> {
        let recipe = Arc::clone(&view.profile.delivery.signature);
        let mut headers = attempt.request_headers.iter();
        let sent = headers.find(|(name, _)| name.eq_ignore_ascii_case(&recipe.header));
        let sent = sent.map(|(_, value)| value.clone());
        let content = recipe.content.render(scope);
        let mut steps = SignatureSteps { recipe, content, sent, values: Vec::new() };
        match view.profile.signing {
            SigningRule::OwnSecret => {
                let own = webhook.map(|webhook| self.own_secrets(webhook)).transpose()?;
                for (by, secret) in own.unwrap_or_default() {
                    steps.values.push(signed(&steps.recipe, scope, by, &secret)?);
                }
            }
            SigningRule::SharedKeys { .. } => {
                let keys = self.list_signing_keys(view.workspace.id).await?;
                let referred = webhook.and_then(|webhook| webhook.signing_key);
                let (own, others): (Vec<_>, Vec<_>) = keys.iter().partition(|key| Some(key.id) == referred);
                for key in own {
                    let by = Whose::Key(key.public_id.clone());
                    steps.values.push(signed(&steps.recipe, scope, by, &self.reveal_signing_key(key)?)?);
                }
                self.look_through(&others, scope, &mut steps)?;
            }
        }
        Ok(steps)
    }

    /// Which of the workspace's other keys has signed what went out, if nothing else did.
    fn look_through(
        &self,
        others: &[&SigningKey],
        scope: Scope<'_>,
        steps: &mut SignatureSteps,
    ) -> Result<(), Error> {
        for key in others {
            if steps.signed_by() != SignedBy::NoneHere {
                return Ok(());
            }
            let by = Whose::OtherKey(key.public_id.clone());
            let made = signed(&steps.recipe, scope, by, &self.reveal_signing_key(key)?)?;
            if steps.went_out(&made.value) {
                steps.values.push(made);
            }
        }
        Ok(())
    }

    /// All that are there now, newest first, also those that sign no more.
    fn own_secrets(&self, webhook: &Webhook) -> Result<Vec<(Whose, Secret)>, Error> {
        let place = secret_place(webhook.workspace, webhook.id);
        let open = |whose: Whose, sealed: &SealedSecret| {
            Ok((whose, self.keyring.open(place, sealed).map_err(unopened)?))
        };
        let own = webhook.secret.iter().map(|sealed| open(Whose::Own, sealed));
        let replaced = webhook.previous_secrets.iter().map(|one| open(Whose::Replaced, &one.sealed));
        own.chain(replaced).collect()
    }
}

fn signed(
    recipe: &Arc<SignatureRecipe>,
    scope: Scope<'_>,
    by: Whose,
    secret: &Secret,
) -> Result<SignedValue, Error> {
    let signer =
        Signer::new(Arc::clone(recipe), secret).map_err(|error| Error::internal(error.to_string()))?;
    Ok(SignedValue { by, value: signer.sign(scope).1 })
}
