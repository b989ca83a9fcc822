//! What operators have done, as it is on record.
//!
//! An act is written down before it is done, as pending, and once more with what came of it. One that stays pending is one of
//! which nobody knows whether it was done: the process has ended in between. So there is never a gap.

use std::net::IpAddr;

use crate::id::{ActId, OperatorAccountId, OperatorKeyId, PortalSessionId};
use crate::limits::{ACT_ACTION_CHARS_MAX, ACT_REMEMBERED_MS, ACT_TEXT_CHARS_MAX};
use crate::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub id: ActId,
    pub at: Timestamp,
    pub by: Actor,
    pub action: Action,
    /// To what it was done: a public id, or a path.
    pub object: String,
    /// Public id of the workspace that it concerns, which may be gone by the time that somebody reads this.
    pub workspace: Option<String>,
    pub surface: Surface,
    /// From where it was asked for, as far as that is known.
    pub address: Option<IpAddr>,
    pub request_id: String,
    pub result: ActResult,
    /// For people. Never holds a secret, nor what a customer has sent.
    pub detail: String,
}

impl Act {
    /// With no text longer than one may be, nor with NUL, which not every database takes: something that was done is on record
    /// whatever its path is.
    #[must_use]
    pub fn within_bounds(mut self) -> Self {
        let texts = [&mut self.object, &mut self.request_id, &mut self.detail];
        texts.into_iter().chain(&mut self.workspace).for_each(fit);
        self
    }
}

fn fit(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
    if let Some((end, _)) = text.char_indices().nth(ACT_TEXT_CHARS_MAX) {
        text.truncate(end);
    }
}

/// Acts of this instant or before it are remembered no longer.
pub fn forgotten_since(now: Timestamp) -> Timestamp {
    now.plus_ms(-ACT_REMEMBERED_MS)
}

/// Who did it, and what they were called then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever holds the installation's own key.
    Root,
    Key {
        id: OperatorKeyId,
        name: Option<String>,
    },
    Account {
        id: OperatorAccountId,
        username: String,
    },
    /// A customer at the portal, in one session.
    Customer {
        session: PortalSessionId,
        name: Option<String>,
    },
}

impl Actor {
    pub const fn id(&self) -> ActorId {
        match self {
            Self::Root => ActorId::Root,
            Self::Key { id, .. } => ActorId::Key(*id),
            Self::Account { id, .. } => ActorId::Account(*id),
            Self::Customer { session, .. } => ActorId::Customer(*session),
        }
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Root => None,
            Self::Key { name, .. } | Self::Customer { name, .. } => name.as_deref(),
            Self::Account { username, .. } => Some(username),
        }
    }

    /// `None` for an account without a name: there is none.
    pub fn from_parts(id: ActorId, name: Option<String>) -> Option<Self> {
        match id {
            ActorId::Root => Some(Self::Root),
            ActorId::Key(id) => Some(Self::Key { id, name }),
            ActorId::Account(id) => name.map(|username| Self::Account { id, username }),
            ActorId::Customer(session) => Some(Self::Customer { session, name }),
        }
    }
}

/// Who did it, whatever they were called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorId {
    Root,
    Key(OperatorKeyId),
    Account(OperatorAccountId),
    Customer(PortalSessionId),
}

const ROOT: &str = "root";
const KEY: &str = "key";
const ACCOUNT: &str = "account";
const CUSTOMER: &str = "customer";

impl ActorId {
    /// The form in which it is stored: a kind, and an id where there are several of that kind.
    pub const fn parts(self) -> (&'static str, Option<i64>) {
        match self {
            Self::Root => (ROOT, None),
            Self::Key(id) => (KEY, Some(id.raw())),
            Self::Account(id) => (ACCOUNT, Some(id.raw())),
            Self::Customer(id) => (CUSTOMER, Some(id.raw())),
        }
    }

    /// `None` for anything that [`Self::parts`] did not give.
    pub fn from_parts(kind: &str, id: Option<i64>) -> Option<Self> {
        match (kind, id) {
            (ROOT, None) => Some(Self::Root),
            (KEY, Some(id @ 0..)) => Some(Self::Key(OperatorKeyId::from_raw(id))),
            (ACCOUNT, Some(id @ 0..)) => Some(Self::Account(OperatorAccountId::from_raw(id))),
            (CUSTOMER, Some(id @ 0..)) => Some(Self::Customer(PortalSessionId::from_raw(id))),
            _ => None,
        }
    }
}

/// What was done, in words of small letters from the general to the particular: `webhook.delete`, `payload.view`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(String);

impl Action {
    /// One that the program knows.
    ///
    /// # Panics
    /// When it has not the form, for it is a constant of the program.
    pub fn named(name: &'static str) -> Self {
        Self::from_text(name).unwrap_or_else(|| panic!("{name:?} is no name of an action"))
    }

    /// `None` when it has not the form.
    pub fn from_text(text: &str) -> Option<Self> {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let fits = text.len() <= ACT_ACTION_CHARS_MAX && text.split('.').all(is_word);
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it begins with these words: `webhook` leads to `webhook.delete`, `web` does not.
    pub fn is_among(&self, words: &str) -> bool {
        let rest = self.0.strip_prefix(words.trim_end_matches('.'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || words.is_empty())
    }
}

/// Where it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// The operator API.
    Api,
    /// A page of the dashboard.
    Page,
    /// The customers' portal.
    Portal,
}

impl Surface {
    pub const ALL: [Self; 3] = [Self::Api, Self::Page, Self::Portal];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Page => "page",
            Self::Portal => "portal",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|surface| surface.name() == name)
    }
}

/// What came of it, with the status of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActResult {
    /// It is under way, or nobody knows whether it was done.
    Pending,
    Done {
        status: u16,
    },
    /// It was not done.
    Refused {
        status: u16,
    },
}

const PENDING: &str = "pending";
const DONE: &str = "done";
const REFUSED: &str = "refused";

impl ActResult {
    pub const fn parts(self) -> (&'static str, Option<u16>) {
        match self {
            Self::Pending => (PENDING, None),
            Self::Done { status } => (DONE, Some(status)),
            Self::Refused { status } => (REFUSED, Some(status)),
        }
    }

    /// `None` for anything that [`Self::parts`] did not give.
    pub fn from_parts(name: &str, status: Option<u16>) -> Option<Self> {
        match (name, status) {
            (PENDING, None) => Some(Self::Pending),
            (DONE, Some(status)) => Some(Self::Done { status }),
            (REFUSED, Some(status)) => Some(Self::Refused { status }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_record_holds_nothing_that_a_database_refuses() {
        let object = "a\0b".to_owned();
        let fitting = Act { object, workspace: Some("\0".to_owned()), ..act() }.within_bounds();
        assert_eq!((&*fitting.object, fitting.workspace.as_deref()), ("a\u{fffd}b", Some("\u{fffd}")));
    }

    fn act() -> Act {
        Act {
            id: ActId::from_raw(1),
            at: Timestamp::from_ms(0),
            by: Actor::Root,
            action: Action::named("webhook.delete"),
            object: "wh_1".to_owned(),
            workspace: Some("ws-1".to_owned()),
            surface: Surface::Page,
            address: None,
            request_id: "r".to_owned(),
            result: ActResult::Pending,
            detail: String::new(),
        }
    }

    #[test]
    fn texts_are_cut_where_they_are_too_long_and_nowhere_else() {
        assert_eq!(act().within_bounds(), act());
        let long = "🧀".repeat(ACT_TEXT_CHARS_MAX + 1);
        let cut = "🧀".repeat(ACT_TEXT_CHARS_MAX);
        let all_long = Act {
            object: long.clone(),
            workspace: Some(long.clone()),
            request_id: long.clone(),
            detail: long,
            ..act()
        };
        let Act { object, workspace, request_id, detail, .. } = all_long.within_bounds();
        assert_eq!(
            [object, workspace.expect("as before"), request_id, detail],
            [(); 4].map(|()| cut.clone())
        );
    }

    #[test]
    fn an_action_is_words_of_small_letters() {
        for text in ["webhook.delete", "payload.view", "operator_key.rotate", "x"] {
            assert_eq!(Action::from_text(text).as_ref().map(Action::as_str), Some(text));
        }
        let long = "a".repeat(ACT_ACTION_CHARS_MAX + 1);
        for text in ["", ".", "a.", ".a", "a..b", "A.b", "a b", "a.b-c", "é", &long] {
            assert_eq!(Action::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn an_action_is_among_those_that_begin_with_the_same_words() {
        let action = Action::named("webhook.secret.rotate");
        for words in ["", "webhook", "webhook.", "webhook.secret", "webhook.secret.rotate"] {
            assert!(action.is_among(words), "{words}");
        }
        for words in ["web", "webhook.sec", "secret", "webhook.secret.rotate.now", "webhooks"] {
            assert!(!action.is_among(words), "{words}");
        }
    }

    #[test]
    fn actors_surfaces_and_results_return_from_their_parts() {
        let (key, account) = (OperatorKeyId::from_raw(7), OperatorAccountId::from_raw(8));
        let (username, name) = ("ann".to_owned(), Some("Night".to_owned()));
        let session = PortalSessionId::from_raw(9);
        for actor in [
            Actor::Root,
            Actor::Key { id: key, name },
            Actor::Key { id: key, name: None },
            Actor::Account { id: account, username },
            Actor::Customer { session, name: Some("bob@example.com".to_owned()) },
            Actor::Customer { session, name: None },
        ] {
            let (kind, id) = actor.id().parts();
            let id = ActorId::from_parts(kind, id).expect("as it was written");
            assert_eq!(Actor::from_parts(id, actor.name().map(str::to_owned)), Some(actor));
        }
        for (kind, id) in [
            ("root", Some(1)),
            ("key", None),
            ("key", Some(-1)),
            ("account", None),
            ("customer", None),
            ("x", None),
        ] {
            assert_eq!(ActorId::from_parts(kind, id), None, "{kind} {id:?}");
        }
        assert_eq!(Actor::from_parts(ActorId::Account(account), None), None);
        for result in
            [ActResult::Pending, ActResult::Done { status: 204 }, ActResult::Refused { status: 403 }]
        {
            let (name, status) = result.parts();
            assert_eq!(ActResult::from_parts(name, status), Some(result));
        }
        assert_eq!(ActResult::from_parts("pending", Some(200)), None);
        assert_eq!(ActResult::from_parts("done", None), None);
        for surface in Surface::ALL {
            assert_eq!(Surface::from_name(surface.name()), Some(surface));
        }
    }
}
