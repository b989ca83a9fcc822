//! What lies sealed in the store, for those who look after the master key. No verb here opens anything.

use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::seal::Place;
use signalpost_core::secret::SealedSecret;

use crate::Answer;

const ANSWER_FIELD: &str = "once.answer";

pub trait Vault: Send + Sync {
    /// The value sealed to recognise the master key by; `None` until [`Self::set_key_check`] was called.
    fn key_check(&self) -> Answer<Option<SealedSecret>>;
    fn set_key_check(&self, sealed: SealedSecret) -> Answer<()>;
    /// Every sealed value by its key, in ascending order.
    fn sealed_page(&self, params: SealedPage) -> Answer<Vec<Sealed>>;
    /// Puts values in the place of others, each only where the other still stands; answers how many were replaced.
    fn reseal(&self, resealed: Vec<Resealed>) -> Answer<usize>;
}

/// Which sealed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedKey {
    KeyCheck,
    WebhookSecret(WebhookId),
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
