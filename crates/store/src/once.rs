//! Effects that a caller may ask for several times and that happen once.
//!
//! The answer to a call is stored in the same transaction as what the call did. So there is no moment at which one
//! is there without the other, and no call ever finds an earlier one half done: whoever comes second finds the
//! answer of the first.

use signalpost_core::credential::{Credential, CredentialHash};
use signalpost_core::id::WorkspaceId;
use signalpost_core::idempotency::{KeyedCall, kept_bytes};
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::replay::Replay;
use signalpost_core::time::Timestamp;
use signalpost_core::user::Right;
use signalpost_core::workspace::Workspace;

use crate::catalog::{CreateUser, CreateWebhook, RotateOperatorKey, UpdateWebhook};
use crate::ledger::Requeue;
use crate::vault::AnswerKey;

/// A call that happens once. The same `call.name` in the same place within the time that keys are kept
/// ([`signalpost_core::idempotency::is_kept`]) is the same call; with another `call.request` it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once {
    /// The workspace that it is a call of; `None` for calls of the operator side as a whole. Erasing the workspace
    /// forgets its calls.
    pub workspace: Option<WorkspaceId>,
    pub call: KeyedCall,
    pub at: Timestamp,
}

impl Once {
    /// Under which the answer to the call is kept.
    pub const fn answer_key(&self) -> AnswerKey {
        AnswerKey { workspace: self.workspace, name: self.call.name }
    }
}

/// Where the calls of the operator side as a whole stand.
pub const OUTSIDE: i64 = 0;

/// Where the calls of a workspace stand, or those of the operator side. Ids of workspaces are above zero.
pub fn place(workspace: Option<WorkspaceId>) -> i64 {
    workspace.map_or(OUTSIDE, WorkspaceId::raw)
}

/// What an answer of this length counts for, as [`kept_bytes`] has it.
pub fn answer_bytes(answer: usize) -> i64 {
    i64::try_from(kept_bytes(answer)).unwrap_or(i64::MAX)
}

/// What became of a call that happens once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done<N, B> {
    Now(N),
    /// It was done before, and this was the answer.
    Before(B),
}

impl<N, B> Done<N, B> {
    /// What was done now, if it was.
    pub fn now(self) -> Option<N> {
        match self {
            Self::Now(now) => Some(now),
            Self::Before(_) => None,
        }
    }

    pub fn map_now<M>(self, map: impl FnOnce(N) -> M) -> Done<M, B> {
        match self {
            Self::Now(now) => Done::Now(map(now)),
            Self::Before(before) => Done::Before(before),
        }
    }
}

/// A verb of which only the effect counts. Each does and refuses what the verb of its name does.
#[derive(Clone, Debug)]
pub enum Effect {
    CreateWorkspace(Workspace),
    CreateWebhook(Box<CreateWebhook>),
    CreateCredential(Credential, CredentialHash),
    CreateUser(Box<CreateUser>),
    GrantRight(Right),
    CreateOperatorKey(OperatorKey, CredentialHash),
    RotateOperatorKey(RotateOperatorKey),
    UpdateWebhook(Box<UpdateWebhook>),
    Requeue(Requeue),
    CreateReplay(Box<Replay>),
}
