//! How callers prove who they are, and what they may: a session in two headers, of a user with rights on chains.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use http::{HeaderMap, HeaderValue};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::principal::Principal;
use signalpost_engine::View;
use signalpost_engine::pass::Pass;
use signalpost_engine::sessions::Visitor;

use super::profile::{self, Instance};
use super::{Surface, wire};
use crate::kit::auth::single;
use crate::kit::operation::Access;
use crate::kit::refusal::{Answer, Refusal};

/// What a call does to a chain, weakest first: each right includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Right {
    Read,
    Write,
    Delete,
}

impl Right {
    pub(super) const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Delete];

    /// As it is granted.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.name() == name)
    }
}

pub(super) async fn caller(
    surface: &Surface,
    headers: &HeaderMap,
    from: Option<IpAddr>,
) -> Result<Visitor, Error> {
    let Surface { engine, instance, guesses, .. } = surface;
    let refused =
        || Error::new(ErrorCode::Unauthenticated, "No valid session key provided or session has expired");
    let session = session(headers, instance);
    let judge = async {
        let (user, key) = session.ok_or_else(refused)?;
        let visitor = engine.authenticate_session(&instance.name, user, key).await;
        visitor.map_err(|error| if error.code == ErrorCode::Unauthenticated { refused() } else { error })
    };
    let is_known = || session.is_some_and(|(_, key)| engine.knows_session(key));
    guesses.judged(from, engine.now(), is_known, judge).await
}

/// Whoever comes here has a session; what it opens is judged by the chain, once it is known which.
pub(super) fn permit(request: &Request, access: Access) -> Result<Option<Pass>, Refusal> {
    match (access, request.extensions().get::<Visitor>()) {
        (_, Some(visitor)) => Ok(Some(visitor.pass)),
        (Access::Open, None) => Ok(None),
        (_, None) => Err(Error::new(ErrorCode::Unauthenticated, "the request was not judged").into()),
    }
}

/// The chain of this id for a visitor with the right. One answer for a chain that does not exist and for one on which the
/// right is missing.
pub(super) async fn visit(
    surface: &Surface,
    visitor: &Visitor,
    chain: &str,
    needed: Right,
) -> Result<Arc<View>, Refusal> {
    let refused = || {
        let message =
            format!("{}: no {} access to the chain, or it does not exist", wire::CHAIN_ID, needed.name());
        Refusal::with(Error::new(ErrorCode::Forbidden, message), profile::PERMISSION_DENIED)
    };
    match surface.engine.visit(visitor, chain).await {
        Ok((view, held)) if includes(&held, needed) => Ok(view),
        Ok(_) => Err(refused()),
        Err(error) if error.code == ErrorCode::NotFound => Err(refused()),
        Err(error) => Err(error.into()),
    }
}

/// What a call is told for which something was not there any more: that it was the chain, or else what `missing` says.
pub(super) async fn gone(
    surface: &Surface,
    visitor: &Visitor,
    view: &View,
    needed: Right,
    error: Error,
    missing: impl FnOnce(Error) -> Refusal,
) -> Refusal {
    if error.code != ErrorCode::NotFound {
        return error.into();
    }
    match visit(surface, visitor, &view.workspace.public_id, needed).await {
        Ok(_) => missing(error),
        Err(refusal) => refusal,
    }
}

/// What a call is told that was to take something away. Where it is refused that may be gone already, whatever the words: then
/// it is gone on every node.
pub(super) async fn refused_everywhere(surface: &Surface, answer: Answer) -> Answer {
    if answer.is_err() {
        surface.engine.settle().await?;
    }
    answer
}

fn includes(held: &[String], needed: Right) -> bool {
    held.iter().filter_map(|name| Right::from_name(name)).any(|right| right >= needed)
}

/// Who is remembered for what a visitor does.
pub(super) fn principal(visitor: &Visitor) -> Principal {
    Principal::user(&visitor.user.public_id, &visitor.user.display_name)
}

/// Whether errors are to come as a list: callers of versions before 1.4.0 expect that. What is no version is as good as
/// none, which is the newest.
pub(super) fn wants_lists(headers: &HeaderMap, instance: &Instance) -> bool {
    let version = single(headers, &instance.header(profile::VERSION_HEADER));
    let version = version.and_then(|version| std::str::from_utf8(version).ok()).and_then(version_of);
    version.is_some_and(|version| version < profile::ONE_ERROR_SINCE)
}

/// Major and minor number; the third changes nothing here.
fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// The user's id and the session's key.
pub(super) fn session<'a>(headers: &'a HeaderMap, instance: &Instance) -> Option<(&'a str, &'a [u8])> {
    let value = |end: &str, legacy: &str| one_of(headers, &[&instance.header(end), legacy]);
    let user = value(profile::USER_HEADER, profile::USER_HEADER_LEGACY)?;
    let key = value(profile::KEY_HEADER, profile::KEY_HEADER_LEGACY)?;
    Some((std::str::from_utf8(user).ok()?, key))
}

/// What stands under any of these names. Two different values are none: two readers could take different ones.
fn one_of<'a>(headers: &'a HeaderMap, names: &[&str]) -> Option<&'a [u8]> {
    let mut values = names.iter().flat_map(|name| headers.get_all(*name)).map(HeaderValue::as_bytes);
    let first = values.next()?;
    (!first.is_empty() && values.all(|value| value == first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_right_includes_those_before_it() {
        let held = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        let table = [
            (&[][..], [false, false, false]),
            (&["read"], [true, false, false]),
            (&["write"], [true, true, false]),
            (&["delete"], [true, true, true]),
            (&["read", "delete"], [true, true, true]),
            (&["reading", "DELETE"], [false, false, false]),
        ];
        for (names, expected) in table {
            assert_eq!(Right::ALL.map(|needed| includes(&held(names), needed)), expected, "{names:?}");
        }
    }

    #[test]
    fn versions_before_the_fourth_have_lists_of_errors() {
        let wants = |version: &'static str| {
            let headers =
                [(http::HeaderName::from_static("x-spaaza-api-version"), HeaderValue::from_static(version))];
            wants_lists(&HeaderMap::from_iter(headers), &Instance::default())
        };
        for old in ["1.3.9", "1.3.99", "1.3", "1.0.0", "0.9.0", " 1.3.1 "] {
            assert!(wants(old), "{old}");
        }
        for new in
            ["1.4.0", "1.4.8", "1.4.x", "1.10.0", "2.0.0", "2.0", "", "1", "one", "v1.3.0", "-1.3.0", "1.x.0"]
        {
            assert!(!wants(new), "{new}");
        }
        assert!(!wants_lists(&HeaderMap::new(), &Instance::default()));
    }

    #[test]
    fn a_session_is_read_under_old_and_new_names_and_is_one() {
        let read = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
            let headers: HeaderMap = pairs.collect();
            session(&headers, &Instance::default())
                .map(|(user, key)| (user.to_owned(), String::from_utf8_lossy(key).into_owned()))
        };
        let (user, key) = ("x-spaaza-session-user-id", "x-spaaza-session-key");
        let found = Some(("7".to_owned(), "k".to_owned()));
        assert_eq!(read(&[(user, "7"), (key, "k")]), found);
        assert_eq!(read(&[("session-user-id", "7"), ("session-key", "k")]), found);
        assert_eq!(read(&[(user, "7"), ("session-key", "k")]), found);
        assert_eq!(read(&[(user, "7"), ("session-user-id", "7"), (key, "k"), (key, "k")]), found);
        for none in [
            &[(user, "7")][..],
            &[(key, "k")],
            &[(user, ""), (key, "k")],
            &[(user, "7"), (key, "")],
            &[(user, "7"), (key, "k"), ("session-key", "l")],
            &[(user, "7"), (user, "8"), (key, "k")],
            &[(user, "7"), (key, "k"), ("session-user-id", "")],
        ] {
            assert_eq!(read(none), None, "{none:?}");
        }
    }
}
