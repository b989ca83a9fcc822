//! A login at the receiver: a user name and a password, sent as HTTP Basic (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;

use crate::custom_header::CustomHeader;
use crate::limits::{WEBHOOK_PASSWORD_CHARS_MAX, WEBHOOK_USER_CHARS_MAX};
use crate::secret::{SealedSecret, Secret};

/// Field name under which a password is sealed, see [`crate::seal::Place`].
pub const PASSWORD_FIELD: &str = "webhook.password";

/// The header that a login is sent in, in lower case.
pub const AUTHORIZATION: &str = "authorization";

/// Requests carry it if and only if it has both parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login<P = SealedSecret> {
    pub user: Option<String>,
    pub password: Option<P>,
}

/// `None` leaves a part as it is; an inner `None` takes it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginChange<P> {
    pub user: Option<Option<String>>,
    pub password: Option<Option<P>>,
}

/// A login and a header would both be the request's authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a login and a header `authorization` exclude one another: a request has one authorization")]
pub struct TwoAuthorizations;

impl<P> Login<P> {
    pub const fn none() -> Self {
        Self { user: None, password: None }
    }

    /// Whether requests carry it.
    pub const fn is_sent(&self) -> bool {
        self.user.is_some() && self.password.is_some()
    }

    /// Whether it can stand beside these headers.
    pub fn check_beside(&self, headers: &[CustomHeader]) -> Result<(), TwoAuthorizations> {
        let has_header = headers.iter().any(|header| header.name == AUTHORIZATION);
        if self.is_sent() && has_header { Err(TwoAuthorizations) } else { Ok(()) }
    }
}

impl<P: Clone> Login<P> {
    /// The login after a change.
    pub fn after(&self, change: &LoginChange<P>) -> Self {
        Self {
            user: change.user.clone().unwrap_or_else(|| self.user.clone()),
            password: change.password.clone().unwrap_or_else(|| self.password.clone()),
        }
    }
}

impl<P> Default for Login<P> {
    fn default() -> Self {
        Self::none()
    }
}

impl<P> LoginChange<P> {
    /// Takes both parts away.
    pub const fn clear() -> Self {
        Self { user: Some(None), password: Some(None) }
    }

    /// Whether it leaves both parts as they are.
    pub const fn is_nothing(&self) -> bool {
        self.user.is_none() && self.password.is_none()
    }
}

impl<P> Default for LoginChange<P> {
    fn default() -> Self {
        Self { user: None, password: None }
    }
}

/// A user name that RFC 7617 section 2 permits. The error is a sentence for the customer.
pub fn check_user(user: &str) -> Result<(), String> {
    let length = user.chars().count();
    if length == 0 || length > WEBHOOK_USER_CHARS_MAX {
        return Err(format!("must be 1 to {WEBHOOK_USER_CHARS_MAX} characters long"));
    }
    if user.contains(':') {
        return Err("must not contain a colon, at which the password begins (RFC 7617)".to_owned());
    }
    check_controls(user)
}

/// The same of a password. It may be empty, as where a key stands for the user name.
pub fn check_password(password: &Secret) -> Result<(), String> {
    let text = password.expose_text();
    if text.chars().count() > WEBHOOK_PASSWORD_CHARS_MAX {
        return Err(format!("must be at most {WEBHOOK_PASSWORD_CHARS_MAX} characters long"));
    }
    check_controls(text)
}

fn check_controls(text: &str) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    Ok(())
}

/// The value of [`AUTHORIZATION`], with both parts in UTF-8.
pub fn authorization(user: &str, password: &Secret) -> Secret {
    let pair = Secret::new([user.as_bytes(), b":", password.expose()].concat());
    // Of its final length at once: growing would leave copies behind.
    let mut value = String::with_capacity(6 + pair.expose().len().div_ceil(3) * 4);
    value.push_str("Basic ");
    BASE64.encode_string(pair.expose(), &mut value);
    Secret::new(value.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7617 sections 2 and 2.1, and an empty password.
    #[test]
    fn the_rfcs_examples() {
        for (user, password, value) in [
            ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("test", "123\u{a3}", "Basic dGVzdDoxMjPCow=="),
            ("key", "", "Basic a2V5Og=="),
        ] {
            assert_eq!(authorization(user, &Secret::from_text(password)).expose_text(), value, "{user}");
        }
    }

    #[test]
    fn what_would_be_read_as_something_else_is_refused() {
        for good in ["a", "a b", "ü", &"🧀".repeat(128)] {
            assert_eq!(check_user(good), Ok(()), "{good}");
        }
        for bad in ["", "a:b", "a\r\nb", "\0", "\u{7f}", &"🧀".repeat(129)] {
            assert!(check_user(bad).is_err(), "{bad:?}");
        }
        for good in ["", "a:b", "ü", &"🧀".repeat(256)] {
            assert_eq!(check_password(&Secret::from_text(good)), Ok(()), "{good}");
        }
        for bad in ["a\nb", "\t", "\u{85}", &"🧀".repeat(257)] {
            assert!(check_password(&Secret::from_text(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_change_touches_what_it_names() {
        let whole = Login { user: Some("u".to_owned()), password: Some(1) };
        let change = |user: Option<Option<&str>>, password| LoginChange {
            user: user.map(|user| user.map(str::to_owned)),
            password,
        };
        assert_eq!(whole.after(&LoginChange::default()), whole);
        assert_eq!(whole.after(&change(None, Some(Some(2)))), Login { password: Some(2), ..whole.clone() });
        assert_eq!(whole.after(&change(Some(None), None)), Login { user: None, ..whole.clone() });
        assert_eq!(whole.after(&LoginChange::clear()), Login::none());
        assert!(LoginChange::<u8>::default().is_nothing() && !change(Some(None), None).is_nothing());
    }

    #[test]
    fn only_a_whole_login_is_an_authorization() {
        let header =
            |name: &str| CustomHeader { name: name.to_owned(), value: SealedSecret::from_bytes(Vec::new()) };
        let (user, password) = (Some("u".to_owned()), Some(()));
        let table = [
            (Login { user: user.clone(), password }, true),
            (Login { user, password: None }, false),
            (Login { user: None, password }, false),
            (Login::none(), false),
        ];
        for (login, is_sent) in table {
            assert_eq!(login.is_sent(), is_sent);
            assert_eq!(login.check_beside(&[header("x-a"), header(AUTHORIZATION)]).is_err(), is_sent);
            assert_eq!(login.check_beside(&[header("x-authorization")]), Ok(()));
        }
    }
}
