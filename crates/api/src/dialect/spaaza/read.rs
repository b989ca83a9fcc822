//! Reading the parameters of calls, by the vendor's names and bounds.

use axum::extract::Request;
use signalpost_core::basic_auth::{check_password, check_user};
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_core::secret::Secret;
use signalpost_core::target_url::TargetUrl;
use signalpost_engine::webhooks::check_filter;

use super::{Surface, profile, wire};
use crate::kit::fields::Member;
use crate::kit::params::Params;
use crate::kit::refusal::Refusal;

/// Three numbers of so many digits, and two points.
const VERSION_DIGITS_MAX: usize = 5;
pub(super) const VERSION_CHARS_MAX: usize = 3 * VERSION_DIGITS_MAX + 2;

/// The parameters of a call being read, and what was wrong with them so far. Those that nobody asks for mean nothing here:
/// clients send along what other calls know.
pub(super) struct Reader<'a> {
    params: Params,
    surface: &'a Surface,
}

impl<'a> Reader<'a> {
    pub(super) async fn of(request: Request, surface: &'a Surface) -> Result<Self, Refusal> {
        Ok(Self { params: Params::read(request, MANAGEMENT_BODY_BYTES_MAX).await?, surface })
    }

    /// An id that must be there, as text.
    pub(super) fn id(&mut self, name: &str) -> Option<String> {
        let member = self.params.integer(name);
        self.params.required(name, member).map(|id| id.to_string())
    }

    /// An event type of the catalogue: a webhook for any other would never fire.
    pub(super) fn event_name(&mut self) -> Member<String> {
        let instance = &self.surface.instance;
        self.checked_text(wire::EVENT_NAME, instance.event_name_chars_max, |name| {
            if instance.events.iter().any(|known| known.name == name) {
                return Ok(name);
            }
            let known: Vec<&str> = instance.events.iter().map(|known| known.name.as_str()).collect();
            Err(format!("is unknown; known are {}", known.join(", ")))
        })
    }

    /// The one type that there is here.
    pub(super) fn kind(&mut self) -> Member<String> {
        self.checked_text(wire::TYPE, profile::TYPE_CHARS_MAX, |kind| {
            if kind == profile::HTTPS { Ok(kind) } else { Err(only_https()) }
        })
    }

    /// `https` to any host; plain `http` to this machine, and to addresses that the operator has opened.
    pub(super) fn url(&mut self) -> Member<TargetUrl> {
        let Surface { instance, opened, .. } = self.surface;
        self.checked_text(wire::URL, instance.url_chars_max, |text| {
            let url = TargetUrl::parse(&text)?;
            url.check_secure(opened).map(|()| url)
        })
    }

    pub(super) fn filter(&mut self) -> Member<String> {
        self.checked_text(wire::FILTER, self.surface.instance.filter_chars_max, |text| {
            check_filter(&text).map(|()| text)
        })
    }

    pub(super) fn identifier_key(&mut self) -> Member<String> {
        self.checked_text(wire::IDENTIFIER_KEY, self.surface.instance.identifier_key_chars_max, |user| {
            check_user(&user).map(|()| user)
        })
    }

    pub(super) fn identifier_secret(&mut self) -> Member<Secret> {
        self.checked_text(
            wire::IDENTIFIER_SECRET,
            self.surface.instance.identifier_secret_chars_max,
            |text| {
                let password = Secret::from_text(&text);
                check_password(&password).map(|()| password)
            },
        )
    }

    /// Null for none, which 0 says as well: no signature has that id.
    pub(super) fn signature(&mut self) -> Member<String> {
        match self.params.integer(wire::SIGNATURE_ID) {
            Member::Value(0) => Member::Null,
            Member::Value(id) => Member::Value(id.to_string()),
            Member::Absent => Member::Absent,
            Member::Null => Member::Null,
            Member::Broken => Member::Broken,
        }
    }

    pub(super) fn campaign(&mut self) -> Member<String> {
        match self.params.integer(profile::CAMPAIGN) {
            Member::Value(id) => Member::Value(id.to_string()),
            Member::Absent => Member::Absent,
            Member::Null => Member::Null,
            Member::Broken => Member::Broken,
        }
    }

    pub(super) fn payload_version(&mut self) -> Member<String> {
        self.checked_text(profile::PAYLOAD_VERSION, VERSION_CHARS_MAX, |version| {
            check_version(&version).map(|()| version)
        })
    }

    /// One that is empty is as if it were not there.
    pub(super) fn truth(&mut self, name: &str) -> Option<bool> {
        self.params.truth(name).given()
    }

    /// The value of a parameter that must be there.
    pub(super) fn required<T>(&mut self, name: &str, member: Member<T>) -> Option<T> {
        self.params.required(name, member)
    }

    /// The value of a parameter that may be left out, and cannot be empty.
    pub(super) fn unless_absent<T>(&mut self, name: &str, member: Member<T>) -> Option<T> {
        self.params.unless_absent(name, member)
    }

    pub(super) fn finish(self) -> Result<(), Refusal> {
        self.params.finish()
    }

    fn checked_text<T>(
        &mut self,
        name: &str,
        chars_max: usize,
        check: impl FnOnce(String) -> Result<T, String>,
    ) -> Member<T> {
        match self.params.text(name, chars_max) {
            Member::Value(text) => self.params.check(name, check(text)),
            Member::Absent => Member::Absent,
            Member::Null => Member::Null,
            Member::Broken => Member::Broken,
        }
    }
}

/// What a change does to a property that can be taken away: nothing, or take it away, or set it.
pub(super) fn change<T>(member: Member<T>) -> Option<Option<T>> {
    match member {
        Member::Absent | Member::Broken => None,
        Member::Null => Some(None),
        Member::Value(value) => Some(Some(value)),
    }
}

fn only_https() -> String {
    format!("must be `{}`", profile::HTTPS)
}

/// Three numbers with points between them, such as `1.4.8`.
pub(super) fn check_version(text: &str) -> Result<(), String> {
    let is_number = |part: &str| {
        (1..=VERSION_DIGITS_MAX).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if text.split('.').count() == 3 && text.split('.').all(is_number) {
        return Ok(());
    }
    Err("must be a version such as 1.4.8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers() {
        for good in ["1.4.8", "0.0.0", "10.20.30", "99999.99999.99999"] {
            assert!(check_version(good).is_ok() && good.len() <= VERSION_CHARS_MAX, "{good}");
        }
        for bad in
            ["", "1", "1.4", "1.4.8.1", "v1.4.8", "-1.4.8", "1.4.x", "1..8", "1.4.8 ", "latest", "1.4.100000"]
        {
            assert!(check_version(bad).is_err(), "{bad}");
        }
    }
}
