//! Replacing and revoking the secrets that sign.

use std::time::Duration;

use signalpost_core::error::{Error, ErrorCode, FieldErrors};
use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::SECRET_OVERLAP_MAX;
use signalpost_core::profile::{Profile, SigningRule};
use signalpost_core::rotation::{SecretsChange, apply};
use signalpost_core::secret::Secret;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::Webhook;
use signalpost_store::catalog::UpdateWebhook;
use signalpost_store::{Done, Effect, StoreError};

use crate::Engine;
use crate::directory::View;
use crate::once::Keep;
use crate::sealing::{secret_place, unopened};

#[derive(Clone, Debug)]
pub struct Rotation {
    /// How long the replaced secret goes on signing; not at all for zero.
    pub overlap: Duration,
    /// A secret of the customer's own; one is made when `None`.
    pub secret: Option<Secret>,
}

/// A webhook after a rotation, with the only sight of its new secret.
#[derive(Debug)]
pub struct RotatedSecret {
    pub webhook: Webhook,
    pub secret: Secret,
    /// When the replaced secret signs no more: now, without an overlap.
    pub previous_expires_at: Timestamp,
}

const NO_OWN_SECRET: &str = "webhooks of this dialect have no secrets of their own: make another signing key, let the \
    webhook refer to it, and delete the one before";

/// How a secret that a customer brings stands to those of the webhook.
enum Standing {
    Unknown,
    /// It signs already as the newest.
    Newest,
    /// It was replaced and still signs.
    Previous,
}

impl Engine {
    /// When this returns every attempt that starts is signed with the new secret, and for the overlap with the one
    /// before it as well, where the dialect's scheme can carry both.
    ///
    /// `Conflict` where webhooks are signed with keys of their workspace. `Invalid` for an overlap that is too long or a secret of the wrong form, `Conflict` when too many previous
    /// secrets still sign. Asking for the secret that is the newest already changes nothing, so that a call whose
    /// answer was lost can be repeated.
    pub async fn rotate_secret(
        &self,
        view: &View,
        public_id: &str,
        rotation: Rotation,
        keep: Option<Keep<'_, RotatedSecret>>,
    ) -> Result<Done<RotatedSecret, Vec<u8>>, Error> {
        self.take_away(self.replace_secret(view, public_id, rotation, keep)).await
    }

    async fn replace_secret(
        &self,
        view: &View,
        public_id: &str,
        rotation: Rotation,
        keep: Option<Keep<'_, RotatedSecret>>,
    ) -> Result<Done<RotatedSecret, Vec<u8>>, Error> {
        let (workspace, now) = (view.workspace.id, self.clock.now());
        if view.profile.signing != SigningRule::OwnSecret {
            return Err(Error::new(ErrorCode::Conflict, NO_OWN_SECRET));
        }
        check(&view.profile, &rotation)?;
        let mut webhook = self.webhook(workspace, public_id).await?;
        let secret = match rotation.secret {
            None => self.mint_secret(view.profile.secret),
            Some(own) => match self.standing_of(&own, &webhook, now) {
                Standing::Unknown => own,
                Standing::Newest => {
                    // Whoever made it the newest may not have come to tell the lanes, nor all nodes to hear of it.
                    self.apply_change(workspace, webhook.id).await;
                    self.store.settle_changes().await?;
                    return Ok(Done::Now(as_it_stands(webhook, own, now)));
                }
                Standing::Previous => {
                    let message = "was replaced and still signs; a secret that was given up cannot come back";
                    return Err(Error::field("secret", message));
                }
            },
        };
        let previous_expires_at = now.plus_ms(i64::try_from(rotation.overlap.as_millis()).expect("days"));
        let change = SecretsChange::Rotate {
            secret: self.seal_secret(workspace, webhook.id, &secret),
            keep_until: (!rotation.overlap.is_zero()).then_some(previous_expires_at),
        };
        apply(&mut webhook, &change, now).map_err(StoreError::from)?;
        webhook.updated_at = now;
        let id = webhook.id;
        let update = UpdateWebhook { secrets: Some(change), ..UpdateWebhook::nothing(workspace, id, now) };
        let rotated = RotatedSecret { webhook, secret, previous_expires_at };
        let effect = Effect::UpdateWebhook(Box::new(update));
        let done = self.carry_out(Some(workspace), effect, &rotated, keep.as_ref()).await;
        self.apply_change(workspace, id).await;
        Ok(done?.map_now(|()| rotated))
    }

    /// What a webhook is signed with, in the clear. `Conflict` where webhooks are signed with keys of their workspace.
    pub async fn reveal_secret(&self, view: &View, public_id: &str) -> Result<Secret, Error> {
        let webhook = self.webhook(view.workspace.id, public_id).await?;
        let sealed = webhook.secret.as_ref().ok_or_else(|| Error::new(ErrorCode::Conflict, NO_OWN_SECRET))?;
        self.keyring.open(secret_place(webhook.workspace, webhook.id), sealed).map_err(unopened)
    }

    /// When this returns no attempt starts that is signed with anything but the newest secret.
    pub async fn revoke_previous_secrets(
        &self,
        workspace: WorkspaceId,
        public_id: &str,
    ) -> Result<(), Error> {
        self.take_away(async {
            let webhook = self.webhook(workspace, public_id).await?.id;
            let secrets = Some(SecretsChange::RevokePrevious);
            let nothing = UpdateWebhook::nothing(workspace, webhook, self.clock.now());
            self.change_webhook(UpdateWebhook { secrets, ..nothing }).await.map(drop)
        })
        .await
    }

    /// A stored secret that does not open is another one: replacing it is how its owner gets over a lost master key.
    fn standing_of(&self, own: &Secret, webhook: &Webhook, now: Timestamp) -> Standing {
        let place = secret_place(webhook.workspace, webhook.id);
        let same = |sealed| self.keyring.open(place, sealed).is_ok_and(|known| known.matches(own.expose()));
        let mut living = webhook.previous_secrets.iter().filter(|previous| previous.expires_at > now);
        if webhook.secret.as_ref().is_some_and(same) {
            Standing::Newest
        } else if living.any(|previous| same(&previous.sealed)) {
            Standing::Previous
        } else {
            Standing::Unknown
        }
    }
}

fn as_it_stands(webhook: Webhook, secret: Secret, now: Timestamp) -> RotatedSecret {
    let previous_expires_at = webhook.previous_secrets.first().map_or(now, |previous| previous.expires_at);
    RotatedSecret { webhook, secret, previous_expires_at }
}

fn check(profile: &Profile, rotation: &Rotation) -> Result<(), Error> {
    let mut errors = FieldErrors::default();
    if rotation.overlap > SECRET_OVERLAP_MAX {
        errors.push("overlap_s", format!("must be from 0 to {}", SECRET_OVERLAP_MAX.as_secs()));
    }
    errors.take("secret", rotation.secret.as_ref().map_or(Ok(()), |own| profile.secret.check(own)));
    errors.into_result()
}
