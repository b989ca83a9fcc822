//! What lies sealed in the store, for those who look after the master key. No verb here opens anything.

use signalpost_core::basic_auth::PASSWORD_FIELD;
use signalpost_core::custom_header::HEADER_FIELD;
use signalpost_core::id::{SigningKeyId, WebhookId, WorkspaceId};
use signalpost_core::seal::Place;
use signalpost_core::secret::SealedSecret;
use signalpost_core::signing_key::{SIGNING_KEY_FIELD, SigningKey};
use signalpost_core::webhook::{SECRET_FIELD, Webhook};

use crate::Answer;

const ANSWER_FIELD: &str = "once.answer";

pub trait Vault: Send + Sync {
    /// The value sealed to recognise the master key by; `None` until [`Self::set_key_check`] was called.
    fn key_check(&self) -> Answer<Option<SealedSecret>>;
    fn set_key_check(&self, sealed: SealedSecret) -> Answer<()>;
    /// Every sealed value by its key, in ascending order. Values of one webhook are never on two pages, so a page may
    /// be longer than its limit by those of its last one.
    fn sealed_page(&self, params: SealedPage) -> Answer<Vec<Sealed>>;
    /// Puts values in the place of others, each only where the other still stands; answers how many were replaced.
    fn reseal(&self, resealed: Vec<Resealed>) -> Answer<usize>;
}

/// Where a sealed value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedKey {
    KeyCheck,
    /// One of the webhook's secrets, its password, or the value of one of its headers.
    Webhook(WebhookId),
    SigningKey(SigningKeyId),
    /// The answer kept for a call; see [`crate::Once`].
    Answer(AnswerKey),
}

/// The call that an answer is kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnswerKey {
    pub workspace: Option<WorkspaceId>,
    pub name: [u8; 32],
}

impl AnswerKey {
    /// Where the answer is sealed. Eight bytes of the name, which is a hash, tell calls apart well enough.
    pub fn place(self) -> Place {
        let part: [u8; 8] = self.name[..8].try_into().expect("eight bytes of 32");
        let workspace = self.workspace.map_or(0, WorkspaceId::raw);
        Place { workspace, object: i64::from_be_bytes(part), field: ANSWER_FIELD }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct SealedPage {
    pub after: Option<SealedKey>,
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub key: SealedKey,
    /// What the value is bound to.
    pub place: Place,
    pub value: SealedSecret,
}

#[derive(Clone, Debug)]
pub struct Resealed {
    pub key: SealedKey,
    pub old: SealedSecret,
    pub new: SealedSecret,
}

/// Where a signing key's secret is sealed.
pub const fn signing_key_place(workspace: WorkspaceId, key: SigningKeyId) -> Place {
    Place { workspace: workspace.raw(), object: key.raw(), field: SIGNING_KEY_FIELD }
}

/// What lies sealed in a signing key.
pub fn sealed_in_key(key: &SigningKey) -> Sealed {
    let place = signing_key_place(key.workspace, key.id);
    Sealed { key: SealedKey::SigningKey(key.id), place, value: key.sealed.clone() }
}

/// All that lies sealed in a webhook: its newest secret, those before it, its password, its headers.
pub fn sealed_in(webhook: &Webhook) -> impl Iterator<Item = Sealed> + '_ {
    let (workspace, object) = (webhook.workspace.raw(), webhook.id.raw());
    let sealed = move |field, value: &SealedSecret| Sealed {
        key: SealedKey::Webhook(webhook.id),
        place: Place { workspace, object, field },
        value: value.clone(),
    };
    let previous = webhook.previous_secrets.iter().map(|previous| &previous.sealed);
    let secrets = webhook.secret.iter().chain(previous).map(move |value| sealed(SECRET_FIELD, value));
    let password = webhook.login.password.iter().map(move |value| sealed(PASSWORD_FIELD, value));
    let headers = webhook.headers.iter().map(move |header| sealed(HEADER_FIELD, &header.value));
    secrets.chain(password).chain(headers)
}

/// Puts a value in the place of another, wherever in the webhook that stands by now: a rotation may have moved it.
/// `false` when it stands nowhere.
pub fn replace_in(webhook: &mut Webhook, old: &SealedSecret, new: &SealedSecret) -> bool {
    let previous = webhook.previous_secrets.iter_mut().map(|previous| &mut previous.sealed);
    let headers = webhook.headers.iter_mut().map(|header| &mut header.value);
    let password = webhook.login.password.iter_mut();
    let mut all = webhook.secret.iter_mut().chain(previous).chain(password).chain(headers);
    let found = all.find(|value| *value == old);
    match found {
        Some(value) => {
            value.clone_from(new);
            true
        }
        None => false,
    }
}
