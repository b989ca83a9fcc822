//! How the ids look that customers see of a dialect's objects, and where numbers among them come from.

use crate::base62;
use crate::limits::PUBLIC_NUMBER_MAX;

/// Form of the public ids of one kind of object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdForm {
    Random(RandomText),
    /// The next number of the kind's [`Counter`] in decimal digits: from 1 to [`PUBLIC_NUMBER_MAX`], without sign or
    /// leading zero.
    Number,
}

/// A prefix and this many random alphanumerics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RandomText {
    pub prefix: String,
    pub length: usize,
}

/// A counter of the catalogue, for all workspaces and dialects together: kinds of objects whose ids may be numbers.
/// It begins at 1, and a number that was taken is never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    Workspace,
    Webhook,
    SigningKey,
    User,
}

impl IdForm {
    /// `prefix` and `length` random alphanumerics.
    pub fn random(prefix: &str, length: usize) -> Self {
        Self::Random(RandomText::new(prefix, length))
    }

    /// Whether a text could have been minted.
    pub fn fits(&self, text: &str) -> bool {
        match self {
            Self::Random(form) => form.fits(text),
            Self::Number => is_number(text),
        }
    }

    /// As [`Self::fits`]; the error is a sentence for whoever brings an id along.
    pub fn check(&self, text: &str) -> Result<(), String> {
        match self {
            form if form.fits(text) => Ok(()),
            Self::Random(RandomText { prefix, length }) => {
                Err(format!("must be `{prefix}` and {length} letters or digits in this dialect"))
            }
            Self::Number => Err(format!(
                "must be a whole number from 1 to {PUBLIC_NUMBER_MAX}, written in digits, in this dialect"
            )),
        }
    }
}

impl RandomText {
    pub fn new(prefix: &str, length: usize) -> Self {
        Self { prefix: prefix.to_owned(), length }
    }

    pub fn mint(&self, fill: &mut dyn FnMut(&mut [u8])) -> String {
        format!("{}{}", self.prefix, base62::random(self.length, fill))
    }

    /// Whether a text could have been minted.
    pub fn fits(&self, text: &str) -> bool {
        let digits = text.strip_prefix(&self.prefix);
        digits.is_some_and(|d| d.len() == self.length && d.bytes().all(|b| b.is_ascii_alphanumeric()))
    }

    /// Whether a text ends as one that was minted. A brand may change its prefix; what was minted before stays good.
    pub fn fits_after_any_prefix(&self, text: &[u8]) -> bool {
        let digits = text.len().checked_sub(self.length).map(|start| &text[start..]);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_alphanumeric))
    }
}

impl Counter {
    pub const ALL: [Self; 4] = [Self::Workspace, Self::Webhook, Self::SigningKey, Self::User];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Webhook => "webhook",
            Self::SigningKey => "signing_key",
            Self::User => "user",
        }
    }
}

/// One text for each number, so that no two texts name one object.
fn is_number(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain && text.parse::<i64>().is_ok_and(|number| number <= PUBLIC_NUMBER_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_texts_have_their_form() {
        let form = RandomText::new("wh_", 16);
        let id = form.mint(&mut |bytes| bytes.fill(7));
        assert_eq!(id, format!("wh_{}", "7".repeat(16)));
        assert!(form.fits(&id));
        for other in
            ["", "wh_", "wh_777", "xx_7777777777777777", "wh_777777777777777é", "wh_77777777777777777"]
        {
            assert!(!form.fits(other), "{other}");
        }
        let later = RandomText { prefix: "hook_".to_owned(), ..form };
        assert!(!later.fits(&id) && later.fits_after_any_prefix(id.as_bytes()));
        for other in [&b""[..], b"wh_777", b"wh_777777777777777\xff", b"wh_77777777_7777777"] {
            assert!(!later.fits_after_any_prefix(other), "{other:?}");
        }
    }

    #[test]
    fn a_number_has_one_text() {
        for good in ["1", "9", "10", "1743", "9007199254740991"] {
            assert_eq!(IdForm::Number.check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "0",
            "01",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "0x1",
            "١",
            "9007199254740992",
            "99999999999999999999",
            "ws_1",
        ] {
            assert!(!IdForm::Number.fits(bad) && IdForm::Number.check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn counters_have_names_of_their_own() {
        let mut names = Counter::ALL.map(Counter::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Counter::ALL.len());
    }
}
