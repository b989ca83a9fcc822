//! What a customer may do in the portal.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortalRights {
    /// Sees everything of the workspace but secrets, and changes nothing.
    Reads,
    /// Also manages webhooks, sees their secrets, sends again, replays and sends test events.
    Manages,
}

impl PortalRights {
    pub const ALL: [Self; 2] = [Self::Reads, Self::Manages];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Reads => "read",
            Self::Manages => "manage",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rights| rights.name() == name)
    }

    pub const fn manages(self) -> bool {
        matches!(self, Self::Manages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_return_from_their_names() {
        for rights in PortalRights::ALL {
            assert_eq!(PortalRights::from_name(rights.name()), Some(rights));
        }
        assert_eq!(PortalRights::from_name("Manage"), None);
        assert!(PortalRights::Manages.manages() && !PortalRights::Reads.manages());
    }
}
