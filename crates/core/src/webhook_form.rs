//! What a webhook of a dialect consists of, for whoever fills it in on a page. The dialect's own calls read the same by its
//! names for it.

use crate::limits::{
    FILTER_CHARS_MAX, NAME_CHARS_MAX, SUBJECT_CHARS_MAX, URL_CHARS_MAX, WEBHOOK_PASSWORD_CHARS_MAX,
    WEBHOOK_USER_CHARS_MAX,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookForm {
    /// What a workspace must have to have webhooks at all, where that is a feature.
    pub feature: Option<String>,
    pub name: TextRule,
    pub url: UrlRule,
    pub events: EventsRule,
    pub subject: TextRule,
    /// What its customers call a subject.
    pub subject_word: String,
    pub filter: TextRule,
    /// The name and the password of HTTP basic authentication; `None` where there is none.
    pub login: Option<LoginBounds>,
    pub changes: ChangeRule,
    pub switching: SwitchRule,
    pub secret: SecretRule,
}

/// What of a webhook can be another later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeRule {
    /// Nothing: who wants another one makes another one.
    Nothing,
    AllButSubject,
    All,
}

/// Whether its owner switches a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchRule {
    /// It stays as it is, also when something else has switched it off.
    Never,
    OffAndOn,
}

/// When the owner of a webhook sees what signs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretRule {
    /// When it is made; it is not replaced.
    Once,
    /// At any time, and it can be replaced.
    OnDemand,
}

/// Whether there is such a text, and of how many characters at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextRule {
    Absent,
    Optional { chars_max: usize },
    Required { chars_max: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlRule {
    pub chars_max: usize,
    pub schemes: Schemes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    /// `http` and `https`.
    Any,
    /// The same, written in lower case.
    AnyInLowerCase,
    /// As [`crate::target_url::TargetUrl::check_secure`] has it.
    Secure,
}

/// How many event types a webhook names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventsRule {
    /// Any number; none are all.
    AllOrSome,
    Some,
    One,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginBounds {
    pub user_chars_max: usize,
    pub password_chars_max: usize,
}

impl WebhookForm {
    /// Everything, and nothing that must be there but the URL.
    pub fn plain() -> Self {
        Self {
            feature: None,
            name: TextRule::Optional { chars_max: NAME_CHARS_MAX },
            url: UrlRule { chars_max: URL_CHARS_MAX, schemes: Schemes::Any },
            events: EventsRule::AllOrSome,
            subject: TextRule::Optional { chars_max: SUBJECT_CHARS_MAX },
            subject_word: "Subject".to_owned(),
            filter: TextRule::Optional { chars_max: FILTER_CHARS_MAX },
            login: Some(LoginBounds {
                user_chars_max: WEBHOOK_USER_CHARS_MAX,
                password_chars_max: WEBHOOK_PASSWORD_CHARS_MAX,
            }),
            changes: ChangeRule::All,
            switching: SwitchRule::OffAndOn,
            secret: SecretRule::OnDemand,
        }
    }

    /// Nothing but a URL and event types, and a secret that is seen once.
    pub fn bare(schemes: Schemes) -> Self {
        Self {
            name: TextRule::Absent,
            url: UrlRule { chars_max: URL_CHARS_MAX, schemes },
            events: EventsRule::Some,
            subject: TextRule::Absent,
            filter: TextRule::Absent,
            login: None,
            secret: SecretRule::Once,
            ..Self::plain()
        }
    }
}

impl TextRule {
    /// `None` where there is no such text.
    pub const fn chars_max(self) -> Option<usize> {
        match self {
            Self::Absent => None,
            Self::Optional { chars_max } | Self::Required { chars_max } => Some(chars_max),
        }
    }

    pub const fn is_required(self) -> bool {
        matches!(self, Self::Required { .. })
    }

    /// The error is a sentence for who has filled it in; what is empty was not filled in.
    pub fn check(self, text: &str) -> Result<(), String> {
        match (self, text.chars().count()) {
            (Self::Required { .. }, 0) => Err("is required".to_owned()),
            (_, 0) => Ok(()),
            (Self::Absent, _) => Err("is not a property of webhooks here".to_owned()),
            (Self::Optional { chars_max } | Self::Required { chars_max }, chars) if chars > chars_max => {
                Err(format!("must be at most {chars_max} characters long"))
            }
            _ => Ok(()),
        }
    }
}

impl EventsRule {
    /// The error is a sentence for who has chosen so many.
    pub fn check(self, chosen: usize) -> Result<(), String> {
        match (self, chosen) {
            (Self::Some, 0) => Err("must name at least one event type".to_owned()),
            (Self::One, 1) | (Self::Some | Self::AllOrSome, _) => Ok(()),
            (Self::One, _) => Err("must name exactly one event type".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_there_where_it_must_be_and_only_where_it_may_be() {
        let (optional, required) = (TextRule::Optional { chars_max: 2 }, TextRule::Required { chars_max: 2 });
        for (rule, text, good) in [
            (TextRule::Absent, "", true),
            (TextRule::Absent, "a", false),
            (optional, "", true),
            (optional, "éé", true),
            (optional, "abc", false),
            (required, "", false),
            (required, "ab", true),
            (required, "abc", false),
        ] {
            assert_eq!(rule.check(text).is_ok(), good, "{rule:?} {text:?}");
        }
    }

    #[test]
    fn as_many_event_types_are_named_as_the_dialect_wants() {
        let good = |rule: EventsRule| [0, 1, 2].map(|chosen| rule.check(chosen).is_ok());
        assert_eq!(good(EventsRule::AllOrSome), [true; 3]);
        assert_eq!(good(EventsRule::Some), [false, true, true]);
        assert_eq!(good(EventsRule::One), [false, true, false]);
    }
}
