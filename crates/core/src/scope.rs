//! What an operator key may do.

/// One right. Each call needs exactly one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Publish events.
    Publish,
    /// Look at everything but secrets.
    Read,
    /// Everything: the two others, and every change.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Publish, Self::Read, Self::Admin];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// Whether a holder of `held` may do what needs `needed`.
pub fn permits(held: &[Scope], needed: Scope) -> bool {
    held.contains(&needed) || held.contains(&Scope::Admin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_includes_the_others_and_they_do_not_include_each_other() {
        for needed in Scope::ALL {
            assert!(permits(&[Scope::Admin], needed), "{needed:?}");
            assert!(!permits(&[], needed), "{needed:?}");
            assert_eq!(Scope::from_name(needed.name()), Some(needed));
        }
        assert!(permits(&[Scope::Publish], Scope::Publish));
        assert!(!permits(&[Scope::Publish], Scope::Read));
        assert!(!permits(&[Scope::Publish, Scope::Read], Scope::Admin));
        assert_eq!(Scope::from_name("root"), None);
    }
}
