//! What somebody who operates may do on the pages.

use crate::scope::{Scope, permits};

/// From the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks at everything but secrets, and changes nothing.
    Viewer,
    /// Helps customers: acts on deliveries, and does not see what customers have sent.
    Support,
    /// Everything.
    Admin,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Support, Self::Admin];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What a key with these scopes comes to; `None` for one that may only publish.
    pub fn of_scopes(scopes: &[Scope]) -> Option<Self> {
        if permits(scopes, Scope::Admin) {
            Some(Self::Admin)
        } else {
            permits(scopes, Scope::Read).then_some(Self::Viewer)
        }
    }

    /// Sees the data of events, and what receivers have answered. Support people do not: it is the customers'.
    pub const fn reads_payloads(self) -> bool {
        matches!(self, Self::Viewer | Self::Admin)
    }

    /// Sends again, replays, releases what is held, and sends test events.
    pub const fn acts(self) -> bool {
        matches!(self, Self::Support | Self::Admin)
    }

    /// Changes what others rely on: secrets, keys, webhooks, workspaces, and who operates.
    pub const fn administers(self) -> bool {
        matches!(self, Self::Admin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_it_is_for() {
        let rights = |role: Role| [role.reads_payloads(), role.acts(), role.administers()];
        assert_eq!(Role::ALL.map(rights), [[true, false, false], [false, true, false], [true; 3]]);
    }

    #[test]
    fn roles_return_from_their_names() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("root"), None);
    }

    #[test]
    fn keys_come_to_the_roles_that_their_scopes_cover() {
        for (scopes, role) in [
            (&[][..], None),
            (&[Scope::Publish], None),
            (&[Scope::Read], Some(Role::Viewer)),
            (&[Scope::Publish, Scope::Read], Some(Role::Viewer)),
            (&[Scope::Admin], Some(Role::Admin)),
            (&Scope::ALL, Some(Role::Admin)),
        ] {
            assert_eq!(Role::of_scopes(scopes), role, "{scopes:?}");
        }
    }
}
