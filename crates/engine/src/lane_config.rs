//! What a lane needs to know of its webhook to send, loaded once and dropped at every change.

use std::cell::Cell;
use std::sync::Arc;

use signalpost_core::basic_auth::{AUTHORIZATION, authorization};
use signalpost_core::ceilings::Ceilings;
use signalpost_core::custom_header::CustomHeader;
use signalpost_core::event::Sequence;
use signalpost_core::health::Health;
use signalpost_core::id::WorkspaceId;
use signalpost_core::masking::Masking;
use signalpost_core::policy::DeliveryPolicy;
use signalpost_core::profile::{Profile, SigningRule};
use signalpost_core::rotation::PreviousSecret;
use signalpost_core::seal::{Keyring, OpenError};
use signalpost_core::secret::Secret;
use signalpost_core::sign::{KeyError, SignatureRecipe, Signer};
use signalpost_core::target_url::TargetUrl;
use signalpost_core::time::Timestamp;
use signalpost_core::webhook::Webhook;
use signalpost_store::catalog::LaneRecord;
use signalpost_store::vault::signing_key_place;

use crate::sealing::{header_place, password_place, secret_place};

#[derive(Debug)]
pub(crate) struct LaneConfig {
    pub(crate) workspace: WorkspaceId,
    pub(crate) webhook_public_id: String,
    pub(crate) workspace_public_id: String,
    pub(crate) profile: Arc<Profile>,
    pub(crate) policy: DeliveryPolicy,
    pub(crate) ceilings: Ceilings,
    /// The URL and the signer, or why no request can be made.
    pub(crate) target: Result<Target, String>,
    /// Whatever was born up to here has been ended.
    pub(crate) cut_upto: Option<Sequence>,
    pub(crate) health: Health,
    /// What its receiver was last found to bear at once.
    pub(crate) concurrency: Option<u16>,
    /// Set when the webhook changed: an attempt that was planned under this and has not begun must not begin.
    pub(crate) superseded: Cell<bool>,
}

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) url: Arc<TargetUrl>,
    pub(crate) signer: Option<Signer>,
    /// What the owner has sent along, by name: the login among it.
    pub(crate) headers: Arc<[(Arc<str>, Secret)]>,
    /// Headers whose names the dialect has claimed since they were set: the dialect's own are sent, and these are not.
    pub(crate) left_out: Vec<Arc<str>>,
    /// Hides all of its secrets in what the receiver says, also those that are not sent: it may know them.
    pub(crate) masking: Masking,
}

/// A webhook's sealed values, opened.
struct Opened {
    /// Its own, or that of the key which it refers to.
    secret: Option<Secret>,
    /// Newest first.
    previous: Vec<(Secret, Timestamp)>,
    /// The login as the last of them.
    headers: Vec<(Arc<str>, Secret)>,
}

/// What a webhook is good for right now.
pub(crate) enum Loaded {
    /// Nothing is to be sent; nobody but the store answers for what is owed. What has ended with the webhook is named, where that
    /// is known: one that is only paused still owes, and one that is not to be found may be on its way to another cell.
    Closed(Option<Ended>),
    /// One of its secrets does not open, which is the operator's to mend: nothing is sent, and nothing is given up.
    Locked(OpenError),
    /// Its dialect is not served here, which is the operator's to mend as well.
    Unserved,
    Open(Box<LaneConfig>),
}

/// Deliveries that have ended with a webhook: those born up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) workspace: WorkspaceId,
    pub(crate) upto: Sequence,
}

impl Loaded {
    pub(crate) fn from_record(
        record: LaneRecord,
        profile: Arc<Profile>,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Self {
        if !record.webhook.state.is_active() {
            let upto = record.cuts.iter().map(|cut| cut.upto).max();
            return Self::Closed(upto.map(|upto| Ended { workspace: record.workspace.id, upto }));
        }
        match Opened::of(&record, &profile.signing, keyring, now) {
            Ok(opened) => Self::Open(Box::new(LaneConfig::new(record, profile, opened))),
            Err(error) => Self::Locked(error),
        }
    }
}

impl Opened {
    /// A previous secret that has expired is of no use any more, and need not open.
    fn of(
        record: &LaneRecord,
        signing: &SigningRule,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let webhook = &record.webhook;
        let place = secret_place(webhook.workspace, webhook.id);
        let living = webhook.previous_secrets.iter().filter(|previous| previous.expires_at > now);
        let open =
            |previous: &PreviousSecret| Ok((keyring.open(place, &previous.sealed)?, previous.expires_at));
        let previous = living.map(open).collect::<Result<_, _>>()?;
        let place = header_place(webhook.workspace, webhook.id);
        let open = |header: &CustomHeader| {
            Ok((Arc::from(header.name.as_str()), keyring.open(place, &header.value)?))
        };
        let mut headers = webhook.headers.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        headers.extend(login_of(webhook, keyring)?);
        Ok(Self { secret: secret_of(record, signing, keyring)?, previous, headers })
    }

    fn masking(&self) -> Masking {
        let signing = self.secret.iter().chain(self.previous.iter().map(|(secret, _)| secret));
        Masking::of(signing, self.headers.iter().map(|(name, value)| (&**name, value)))
    }
}

/// What signs as the newest, if anything does.
fn secret_of(
    record: &LaneRecord,
    signing: &SigningRule,
    keyring: &Keyring,
) -> Result<Option<Secret>, OpenError> {
    let LaneRecord { webhook, signing_key, .. } = record;
    let sealed = match signing {
        SigningRule::OwnSecret => {
            webhook.secret.as_ref().map(|sealed| (secret_place(webhook.workspace, webhook.id), sealed))
        }
        SigningRule::SharedKeys { .. } => {
            signing_key.as_ref().map(|key| (signing_key_place(key.workspace, key.id), &key.sealed))
        }
    };
    sealed.map(|(place, sealed)| keyring.open(place, sealed)).transpose()
}

/// The header of a login that has both parts.
fn login_of(webhook: &Webhook, keyring: &Keyring) -> Result<Option<(Arc<str>, Secret)>, OpenError> {
    let (Some(user), Some(sealed)) = (&webhook.login.user, &webhook.login.password) else { return Ok(None) };
    let password = keyring.open(password_place(webhook.workspace, webhook.id), sealed)?;
    Ok(Some((Arc::from(AUTHORIZATION), authorization(user, &password))))
}

impl Target {
    /// The error is a sentence without its full stop.
    fn new(url: &str, profile: &Profile, opened: Opened) -> Result<Self, String> {
        let url = TargetUrl::parse(url).map_err(|problem| format!("the stored URL {problem}"))?;
        let masking = opened.masking();
        let signer = match opened.secret {
            None => None,
            Some(secret) => Some(
                signer(Arc::clone(&profile.delivery.signature), &secret, &opened.previous)
                    .map_err(|error| error.to_string())?,
            ),
        };
        let free = |(name, _): &(Arc<str>, Secret)| profile.check_header_name(name).is_ok();
        let (headers, claimed): (Vec<_>, Vec<_>) = opened.headers.into_iter().partition(free);
        let left_out = claimed.into_iter().map(|(name, _)| name).collect();
        Ok(Self { url: Arc::new(url), signer, headers: headers.into(), left_out, masking })
    }
}

fn signer(
    recipe: Arc<SignatureRecipe>,
    newest: &Secret,
    previous: &[(Secret, Timestamp)],
) -> Result<Signer, KeyError> {
    let mut signer = Signer::new(recipe, newest)?;
    for (secret, expires_at) in previous {
        signer.add_previous(secret, *expires_at)?;
    }
    Ok(signer)
}

impl LaneConfig {
    /// The first of the headers that are not sent although the owner has set them.
    pub(crate) fn left_out(&self) -> Option<Arc<str>> {
        self.target.as_ref().ok()?.left_out.first().cloned()
    }

    fn new(record: LaneRecord, profile: Arc<Profile>, opened: Opened) -> Self {
        let LaneRecord { webhook, workspace, cuts, .. } = record;
        let target = Target::new(&webhook.url, &profile, opened);
        let policy = profile.delivery.policy.with(&workspace.policy).with_patience(&webhook.patience);
        Self {
            workspace: workspace.id,
            webhook_public_id: webhook.public_id,
            workspace_public_id: workspace.public_id,
            policy,
            ceilings: webhook.ceilings,
            profile,
            target,
            cut_upto: cuts.iter().map(|cut| cut.upto).max(),
            health: webhook.health,
            concurrency: webhook.concurrency,
            superseded: Cell::new(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::tests::profile;

    /// Its receiver may know it, and say it.
    #[test]
    fn a_header_whose_name_was_claimed_is_masked_and_not_sent() {
        let mut profile = profile();
        profile.delivery.reserved_prefixes.push("x-acme-".into());
        let header = |name: &str, value| (Arc::from(name), Secret::from_text(value));
        let headers = vec![header("x-acme-key", "canary-1"), header("x-key", "canary-2")];
        let opened = Opened { secret: None, previous: Vec::new(), headers };
        let target = Target::new("https://example.com/", &profile, opened).expect("a good URL");
        assert_eq!(target.left_out, [Arc::from("x-acme-key")]);
        assert_eq!(target.headers.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["x-key"]);
        assert_eq!(&*target.masking.mask(b"canary-1 canary-2"), b"*** ***");
    }
}
