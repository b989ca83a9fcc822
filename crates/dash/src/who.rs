//! Somebody who is let in, and what they may.

use signalpost_core::act::Actor;
use signalpost_core::id::WorkspaceId;
use signalpost_core::principal::Principal;
use signalpost_engine::desk::sessions::OperatorVisitor;
use signalpost_engine::pass::Pass;
use signalpost_engine::portal::sessions::PortalVisitor;

#[derive(Clone)]
pub(crate) enum Who {
    Operator(OperatorVisitor),
    /// In their own workspace.
    Customer(PortalVisitor),
}

impl Who {
    /// The only workspace that they know of; `None` for all.
    pub(crate) fn bound_to(&self) -> Option<WorkspaceId> {
        match self {
            Self::Operator(visitor) => visitor.session.workspace,
            Self::Customer(visitor) => Some(visitor.session.workspace),
        }
    }

    /// Public id of the workspace at whose portal they are.
    pub(crate) fn at_portal_of(&self) -> Option<&str> {
        match self {
            Self::Operator(_) => None,
            Self::Customer(visitor) => Some(&visitor.view.workspace.public_id),
        }
    }

    /// Whether they may know of this workspace.
    pub(crate) fn sees(&self, workspace: WorkspaceId) -> bool {
        self.bound_to().is_none_or(|bound| bound == workspace)
    }

    /// For people.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Operator(visitor) => &visitor.name,
            Self::Customer(visitor) => visitor.name(),
        }
    }

    /// In a word: what they are here.
    pub(crate) fn role(&self) -> &'static str {
        match self {
            Self::Operator(visitor) => visitor.role().name(),
            Self::Customer(visitor) if visitor.rights().manages() => "manages",
            Self::Customer(_) => "looks",
        }
    }

    /// Sees the data of events, and what receivers have answered.
    pub(crate) fn reads_payloads(&self) -> bool {
        match self {
            Self::Operator(visitor) => visitor.role().reads_payloads(),
            // It is theirs.
            Self::Customer(_) => true,
        }
    }

    /// Sends again, replays, releases what is held, and sends test events.
    pub(crate) fn acts(&self) -> bool {
        match self {
            Self::Operator(visitor) => visitor.role().acts(),
            Self::Customer(visitor) => visitor.rights().manages(),
        }
    }

    /// Changes webhooks, and sees and replaces their secrets.
    pub(crate) fn manages_webhooks(&self) -> bool {
        match self {
            Self::Operator(visitor) => visitor.role().administers(),
            Self::Customer(visitor) => visitor.rights().manages(),
        }
    }

    /// Changes what the whole installation relies on: keys, workspaces, and who operates.
    pub(crate) fn administers_all(&self) -> bool {
        match self {
            Self::Operator(visitor) => visitor.role().administers() && self.bound_to().is_none(),
            Self::Customer(_) => false,
        }
    }

    /// As it goes on record.
    pub(crate) fn actor(&self) -> Actor {
        match self {
            Self::Operator(visitor) => visitor.actor(),
            Self::Customer(visitor) => visitor.actor(),
        }
    }

    /// As it is remembered beside what they did.
    pub(crate) fn principal(&self) -> Principal {
        match self {
            Self::Operator(visitor) => visitor.principal(),
            Self::Customer(visitor) => visitor.principal(),
        }
    }

    /// By which to look again whether they may still act.
    pub(crate) const fn pass(&self) -> Pass {
        match self {
            Self::Operator(visitor) => visitor.pass(),
            Self::Customer(visitor) => visitor.pass(),
        }
    }
}
