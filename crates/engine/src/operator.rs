//! Who calls the operator side, and what they may do.

use std::sync::Arc;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::id::WorkspaceId;
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::principal::Principal;
use signalpost_core::scope::{Scope, permits};

use crate::pass::Pass;

/// Who calls the operator side.
#[derive(Clone, Debug)]
pub enum Operator {
    /// The installation's own key: every right, everywhere.
    Root,
    Key {
        key: Arc<OperatorKey>,
        pass: Pass,
    },
}

impl Operator {
    pub fn scopes(&self) -> &[Scope] {
        match self {
            Self::Root => &Scope::ALL,
            Self::Key { key, .. } => &key.scopes,
        }
    }

    /// As it is remembered beside what it did.
    pub fn principal(&self) -> Principal {
        match self {
            Self::Root => Principal::Operator,
            Self::Key { key, .. } => Principal::OperatorKey(key.id),
        }
    }

    /// By which to look again whether it may still act; the installation's own key cannot be taken away.
    pub const fn pass(&self) -> Option<Pass> {
        match self {
            Self::Root => None,
            Self::Key { pass, .. } => Some(*pass),
        }
    }

    /// The only workspace that it knows of; `None` for all.
    pub fn binding(&self) -> Option<WorkspaceId> {
        match self {
            Self::Root => None,
            Self::Key { key, .. } => key.workspace,
        }
    }

    /// Whether it may know of this workspace.
    pub fn sees(&self, workspace: WorkspaceId) -> bool {
        self.binding().is_none_or(|bound| bound == workspace)
    }

    /// `Forbidden` unless it holds the scope; the sentence names what is needed and what is held.
    pub fn check_scope(&self, needed: Scope) -> Result<(), Error> {
        if permits(self.scopes(), needed) {
            return Ok(());
        }
        let held: Vec<&str> = self.scopes().iter().map(|scope| scope.name()).collect();
        let (needed, held) = (needed.name(), held.join(", "));
        let message = format!("this call needs a key with the scope `{needed}`; this key holds {held}");
        Err(Error::new(ErrorCode::Forbidden, message))
    }
}
