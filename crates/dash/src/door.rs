//! Where pages are entered. The pages are the same on both sides of the house; who comes in by which door differs.

use signalpost_core::act::Surface;
use signalpost_core::principal::Audience;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// On the operator address.
    Operators,
    /// On the public address: the customers' portal.
    Customers,
}

impl Door {
    /// Below which the pages stand.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Operators => crate::BASE_PATH,
            Self::Customers => crate::PORTAL_PATH,
        }
    }

    /// The cookie that holds the token of a session.
    pub(crate) const fn cookie(self) -> &'static str {
        match self {
            Self::Operators => "signalpost_session",
            Self::Customers => "signalpost_portal",
        }
    }

    /// Who is told what these pages say.
    pub(crate) const fn audience(self) -> Audience {
        match self {
            Self::Operators => Audience::Operators,
            Self::Customers => Audience::Customers,
        }
    }

    /// What the record says of where something was done.
    pub(crate) const fn surface(self) -> Surface {
        match self {
            Self::Operators => Surface::Page,
            Self::Customers => Surface::Portal,
        }
    }
}
