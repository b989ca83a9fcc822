//! Who did something, as it is remembered beside what they did.

use crate::id::{CredentialId, OperatorAccountId, OperatorKeyId};
use crate::limits::NAME_CHARS_MAX;

/// Somebody who may change things. It names a caller and grants nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Whoever holds the installation's own key.
    Operator,
    OperatorKey(OperatorKeyId),
    Credential(CredentialId),
    /// A user of a dialect who had logged in; see [`Self::user`].
    User {
        public_id: String,
        name: String,
    },
    /// Nobody: a rule of the engine's own.
    Engine,
}

/// Who is told of what somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Operators,
    /// Customers of a workspace, to whom those who operate have no names.
    Customers,
}

const OPERATOR: &str = "operator";
const ENGINE: &str = "engine";
const USER_PREFIX: &str = "user ";

impl Principal {
    /// A user by the id at the edge, which holds no space, and as they were called then; a longer name than a name may be
    /// is shortened.
    pub fn user(public_id: &str, name: &str) -> Self {
        let name = name.chars().take(NAME_CHARS_MAX).collect();
        Self::User { public_id: public_id.to_owned(), name }
    }

    /// As it is told to somebody.
    pub fn told_to(&self, audience: Audience) -> Self {
        match (audience, self) {
            (Audience::Customers, Self::OperatorKey(_)) => Self::Operator,
            (Audience::Customers, Self::User { public_id, .. })
                if OperatorAccountId::from_public(public_id).is_some() =>
            {
                Self::Operator
            }
            _ => self.clone(),
        }
    }

    /// The form in which it is stored and shown: `operator`, `opk_…`, `cred_…`, `user 12 (Ann Example)`, `engine`.
    /// A user without a name is `user 12`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Operator => OPERATOR.to_owned(),
            Self::OperatorKey(id) => id.to_public(),
            Self::Credential(id) => id.to_public(),
            Self::User { public_id, name } if name.is_empty() => format!("{USER_PREFIX}{public_id}"),
            Self::User { public_id, name } => format!("{USER_PREFIX}{public_id} ({name})"),
            Self::Engine => ENGINE.to_owned(),
        }
    }

    /// `None` for anything that [`Self::to_text`] did not write.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            OPERATOR => Some(Self::Operator),
            ENGINE => Some(Self::Engine),
            _ => Self::user_from(text)
                .or_else(|| OperatorKeyId::from_public(text).map(Self::OperatorKey))
                .or_else(|| CredentialId::from_public(text).map(Self::Credential)),
        }
    }

    fn user_from(text: &str) -> Option<Self> {
        let user = text.strip_prefix(USER_PREFIX)?;
        let (public_id, name) = match user.split_once(' ') {
            None => (user, ""),
            // The name may hold anything, brackets too: its own are the first and the last.
            Some((id, name)) => {
                (id, name.strip_prefix('(')?.strip_suffix(')').filter(|name| !name.is_empty())?)
            }
        };
        (!public_id.is_empty()).then(|| Self::User { public_id: public_id.to_owned(), name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PortalSessionId;
    use proptest::prelude::*;

    fn returns(principal: &Principal) {
        assert_eq!(Principal::from_text(&principal.to_text()).as_ref(), Some(principal));
    }

    #[test]
    fn every_principal_returns_from_its_text() {
        let user = |public_id: &str, name: &str| Principal::user(public_id, name);
        for (principal, text) in [
            (Principal::Operator, Some("operator")),
            (Principal::Engine, Some("engine")),
            (Principal::OperatorKey(OperatorKeyId::from_raw(7)), None),
            (Principal::Credential(CredentialId::from_raw(7)), None),
            (user("12", "Ann Example"), Some("user 12 (Ann Example)")),
            (user("12", "Ann (the second) )("), Some("user 12 (Ann (the second) )()")),
            (user("usr_0aB", ""), Some("user usr_0aB")),
        ] {
            returns(&principal);
            assert!(text.is_none_or(|text| text == principal.to_text()), "{principal:?}");
        }
    }

    #[test]
    fn what_nobody_wrote_names_nobody() {
        let cut = &OperatorKeyId::from_raw(7).to_public()[..19];
        for text in [
            "",
            "Operator",
            "user",
            "user ",
            "user 12 ",
            "user 12 Ann",
            "user 12 (Ann",
            "user 12 ()",
            "user  (Ann)",
            cut,
        ] {
            assert_eq!(Principal::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn customers_are_told_no_names_of_those_who_operate() {
        let account = OperatorAccountId::from_raw(7).to_public();
        let theirs = [
            Principal::Operator,
            Principal::OperatorKey(OperatorKeyId::from_raw(7)),
            Principal::user(&account, "ann@ops.example"),
        ];
        for principal in &theirs {
            assert_eq!(principal.told_to(Audience::Customers), Principal::Operator);
            assert_eq!(&principal.told_to(Audience::Operators), principal);
        }
        let own = [
            Principal::user("12", "Ann Example"),
            Principal::user(&PortalSessionId::from_raw(7).to_public(), "ann@example.com"),
            Principal::Credential(CredentialId::from_raw(7)),
            Principal::Engine,
        ];
        for principal in &own {
            assert_eq!(&principal.told_to(Audience::Customers), principal);
        }
    }

    #[test]
    fn a_name_is_no_longer_than_names_are() {
        let long = "🧀".repeat(NAME_CHARS_MAX + 1);
        let Principal::User { name, .. } = Principal::user("1", &long) else { panic!("a user") };
        assert_eq!(name.chars().count(), NAME_CHARS_MAX);
    }

    proptest! {
        #[test]
        fn users_return_whatever_they_are_called(public_id in "[A-Za-z0-9_.-]{1,40}", name in any::<String>()) {
            returns(&Principal::user(&public_id, &name));
        }
    }
}
