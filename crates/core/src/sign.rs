//! How a request is signed: four knobs cover every scheme of `contracts/` and the usual ones beside them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::hex;
use crate::secret::Secret;
use crate::template::{Scope, Template};
use crate::time::Timestamp;

/// A signature scheme as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureRecipe {
    /// Name of the header, in lower case.
    pub header: Arc<str>,
    /// The header's value, around `${signature}`.
    pub value: Template,
    /// What is signed.
    pub content: Template,
    pub key: KeyForm,
    pub encoding: Encoding,
    /// What stands between the values of several secrets, newest first. `None` when the header can carry one only:
    /// that of the newest.
    pub separator: Option<Arc<str>>,
}

/// How the key's bytes are made from the secret's text. The MAC is HMAC-SHA256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// The text as it stands, in UTF-8.
    Text,
    /// Base64 after the prefix `whsec_` (Standard Webhooks 1.0).
    PrefixedBase64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Lower-case hexadecimal.
    Hex,
    /// Standard alphabet with padding.
    Base64,
}

/// Prefix of a Standard Webhooks secret.
pub const STANDARD_SECRET_PREFIX: &str = "whsec_";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the secret has not the form that its signature scheme needs")]
pub struct KeyError;

/// A recipe with its keys, prepared once per lane so that an attempt costs no key schedule.
#[derive(Clone)]
pub struct Signer {
    recipe: Arc<SignatureRecipe>,
    newest: Hmac<Sha256>,
    /// Newest first; each signs before its instant only.
    previous: Vec<(Hmac<Sha256>, Timestamp)>,
}

impl Signer {
    /// Signs with this secret, for as long as the signer lives.
    pub fn new(recipe: Arc<SignatureRecipe>, secret: &Secret) -> Result<Self, KeyError> {
        let newest = mac_of(recipe.key, secret)?;
        Ok(Self { recipe, newest, previous: Vec::new() })
    }

    /// Signs with an older secret as well until it expires, if the scheme can carry several signatures. To be called
    /// from the newest to the oldest.
    pub fn add_previous(&mut self, secret: &Secret, expires_at: Timestamp) -> Result<(), KeyError> {
        if self.recipe.separator.is_some() {
            self.previous.push((mac_of(self.recipe.key, secret)?, expires_at));
        }
        Ok(())
    }

    /// Name and value of the signature header for one attempt, at the attempt's time.
    pub fn sign(&self, scope: Scope<'_>) -> (Arc<str>, String) {
        let mut value = self.value(&self.newest, scope);
        let separator = self.recipe.separator.as_deref().unwrap_or_default();
        for (mac, _) in self.previous.iter().filter(|(_, expires_at)| scope.attempt_at < *expires_at) {
            value.push_str(separator);
            value.push_str(&self.value(mac, scope));
        }
        (Arc::clone(&self.recipe.header), value)
    }

    /// The bare signature by the newest secret, for other headers that carry it.
    pub fn newest(&self, scope: Scope<'_>) -> String {
        self.signature(&self.newest, scope)
    }

    fn value(&self, key: &Hmac<Sha256>, scope: Scope<'_>) -> String {
        let signature = self.signature(key, scope);
        self.recipe.value.render_text(Scope { signature: &signature, ..scope })
    }

    fn signature(&self, key: &Hmac<Sha256>, scope: Scope<'_>) -> String {
        let mut mac = key.clone();
        self.recipe.content.render_parts(scope, &mut |part| mac.update(part));
        let digest = mac.finalize().into_bytes();
        match self.recipe.encoding {
            Encoding::Hex => hex::encode(&digest),
            Encoding::Base64 => BASE64.encode(digest),
        }
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("recipe", &self.recipe).finish_non_exhaustive()
    }
}

/// The shown form of a Standard Webhooks key: the prefix and its padded base64.
pub fn standard_secret(key: &Secret) -> Secret {
    Secret::from_text(&format!("{STANDARD_SECRET_PREFIX}{}", BASE64.encode(key.expose())))
}

/// The key in a Standard Webhooks secret: padded base64 after the prefix.
pub fn standard_key(secret: &Secret) -> Result<Secret, KeyError> {
    let encoded = secret.expose_text().strip_prefix(STANDARD_SECRET_PREFIX).ok_or(KeyError)?;
    BASE64.decode(encoded).map(Secret::new).map_err(|_| KeyError)
}

fn mac_of(form: KeyForm, secret: &Secret) -> Result<Hmac<Sha256>, KeyError> {
    match form {
        KeyForm::Text => Ok(mac_with(secret.expose())),
        KeyForm::PrefixedBase64 => standard_key(secret).map(|key| mac_with(key.expose())),
    }
}

fn mac_with(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tests::{event, scope};

    fn text(template: &str) -> Template {
        Template::text(template).expect("a good template")
    }

    fn recipe(content: &str, value: &str, key: KeyForm, encoding: Encoding) -> SignatureRecipe {
        let separator = Some(Arc::from(" "));
        let (value, content) = (text(value), text(content));
        SignatureRecipe { header: "x-sig".into(), value, content, key, encoding, separator }
    }

    fn check(recipe: SignatureRecipe, secret: &str, (id, unix_s, body): (&str, i64, &str), expected: &str) {
        let mut event = event();
        event.content.producer_id = Some(id.to_owned());
        let attempt_at = Timestamp::from_ms(unix_s * 1_000);
        let scope = Scope { attempt_at, body: body.as_bytes(), ..scope(&event) };
        let signer = Signer::new(Arc::new(recipe), &Secret::from_text(secret)).expect("a good secret");
        assert_eq!(signer.sign(scope), ("x-sig".into(), expected.to_owned()));
    }

    #[test]
    fn standard_webhooks_vectors() {
        let standard = || {
            let content = "${event.id}.${attempt.unix_s}.${body}";
            recipe(content, "v1,${signature}", KeyForm::PrefixedBase64, Encoding::Base64)
        };
        check(
            standard(),
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        );
        check(
            standard(),
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            (
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                "{\"email\":\"test@example.com\",\"username\":\"test_user\"}",
            ),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        );
    }

    #[test]
    fn vectors_of_other_senders() {
        let body_hex = recipe("${body}", "sha256=${signature}", KeyForm::Text, Encoding::Hex);
        check(
            body_hex,
            "It's a Secret to Everybody",
            ("x", 0, "Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        );
        let timestamped = recipe(
            "${attempt.unix_s}.${body}",
            "t=${attempt.unix_s},v1=${signature}",
            KeyForm::Text,
            Encoding::Hex,
        );
        check(
            timestamped,
            "whsec_test_secret",
            ("x", 1_492_774_577, "{\"id\":\"evt_1\"}"),
            "t=1492774577,v1=799c4ba7bb339f3c8601adfd112f0e477c930a268be1243d341abb8286501c2f",
        );
        let body_base64 = recipe("${body}", "${signature}", KeyForm::Text, Encoding::Base64);
        check(body_base64, "hush", ("x", 0, "{\"a\":1}"), "3+Yq/TpwjqJ7IXuMq8EfED7b+y0XbokqOKLUdagDxMI=");
    }

    /// Both published vectors' keys over the first one's message: the second signature was computed apart.
    #[test]
    fn several_secrets_sign_newest_first_until_they_expire() {
        const OLD: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        const NEW: &str = "v1,78nXHjpFP0tVJQW5D0SBwmVyyW87BV/rL6MgfM/Bw44=";
        let signed = |separator: Option<&str>, attempt_ms: i64| {
            let content = "${event.id}.${attempt.unix_s}.${body}";
            let recipe = recipe(content, "v1,${signature}", KeyForm::PrefixedBase64, Encoding::Base64);
            let recipe = SignatureRecipe { separator: separator.map(Arc::from), ..recipe };
            let secret = |text| Secret::from_text(text);
            let mut signer = Signer::new(Arc::new(recipe), &secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"))
                .expect("a good secret");
            let expires_at = Timestamp::from_ms(1_614_265_330_500);
            signer
                .add_previous(&secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), expires_at)
                .expect("a good secret");
            let mut event = event();
            event.content.producer_id = Some("msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned());
            let attempt_at = Timestamp::from_ms(attempt_ms);
            signer.sign(Scope { attempt_at, body: b"{\"test\": 2432232314}", ..scope(&event) }).1
        };
        assert_eq!(signed(Some(" "), 1_614_265_330_499), format!("{NEW} {OLD}"));
        assert_eq!(signed(Some(" "), 1_614_265_330_500), NEW, "the instant of its expiry is too late");
        assert_eq!(signed(None, 1_614_265_330_499), NEW, "the scheme carries one signature");
    }

    #[test]
    fn a_secret_of_the_wrong_form_is_refused() {
        for secret in ["", "whsec_", "MfKQ", "whsec_***"] {
            let recipe = recipe("${body}", "${signature}", KeyForm::PrefixedBase64, Encoding::Base64);
            let mut made =
                Signer::new(Arc::new(recipe.clone()), &Secret::from_text("whsec_")).expect("an empty key");
            let previous = made.add_previous(&Secret::from_text(secret), Timestamp::default());
            assert_eq!(previous.is_err(), secret != "whsec_", "{secret}");
            let made = Signer::new(Arc::new(recipe), &Secret::from_text(secret));
            assert_eq!(made.is_err(), secret != "whsec_", "{secret}: an empty key is still a key");
        }
    }
}
