//! Checks a delivery's signature as its receiver would: from the recipe that the sender's documents give, with
//! an HMAC of our own making and not the product's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use signalpost_testkit::Recorded;

/// A documented signature scheme. The MAC is HMAC-SHA256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scheme {
    /// Name of the header, in lower case.
    pub(crate) header: String,
    /// The header's value, with `{signature}` and `{header:<name>}`.
    pub(crate) value: String,
    /// What is signed, with `{body}` and `{header:<name>}`.
    pub(crate) content: String,
    pub(crate) encoding: Encoding,
    pub(crate) key: KeyForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Hex,
    Base64,
}

/// How the key is made from the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// Its text in UTF-8.
    Text,
    /// Base64 after `whsec_` (Standard Webhooks 1.0).
    Whsec,
}

impl Scheme {
    /// Standard Webhooks 1.0, symmetric.
    pub(crate) fn standard_webhooks() -> Self {
        Self {
            header: "webhook-signature".to_owned(),
            value: "v1,{signature}".to_owned(),
            content: "{header:webhook-id}.{header:webhook-timestamp}.{body}".to_owned(),
            encoding: Encoding::Base64,
            key: KeyForm::Whsec,
        }
    }

    /// Lower-case hexadecimal over the body alone, the secret's text as key.
    pub(crate) fn hex_of_body(header: &str) -> Self {
        Self {
            header: header.to_owned(),
            value: "{signature}".to_owned(),
            content: "{body}".to_owned(),
            encoding: Encoding::Hex,
            key: KeyForm::Text,
        }
    }

    /// Reads `{"header", "value", "content", "encoding": "hex" | "base64", "key": "text" | "whsec"}`.
    pub(crate) fn from_json(json: &Value) -> Result<Self, String> {
        let text = |name: &str| {
            let text = json[name].as_str().map(str::to_owned);
            text.ok_or_else(|| format!("a signature needs `{name}`, a text"))
        };
        let encoding = match text("encoding")?.as_str() {
            "hex" => Encoding::Hex,
            "base64" => Encoding::Base64,
            other => return Err(format!("`{other}` is not an encoding; there are hex and base64")),
        };
        let key = match text("key")?.as_str() {
            "text" => KeyForm::Text,
            "whsec" => KeyForm::Whsec,
            other => return Err(format!("`{other}` is not a form of key; there are text and whsec")),
        };
        let header = text("header")?.to_ascii_lowercase();
        Ok(Self { header, value: text("value")?, content: text("content")?, encoding, key })
    }

    /// Whether the request carries the signature that the secret makes. The error tells both values.
    pub(crate) fn verify(&self, secret: &str, request: &Recorded) -> Result<(), String> {
        let found = request.header(&self.header).ok_or_else(|| format!("no header `{}`", self.header))?;
        let content = expand(&self.content, request, None)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key_bytes(secret)?)
            .map_err(|error| format!("the key cannot be used: {error}"))?;
        mac.update(&content);
        let digest = mac.finalize().into_bytes();
        let signature = match self.encoding {
            Encoding::Hex => digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            Encoding::Base64 => BASE64.encode(digest),
        };
        let expected = expand(&self.value, request, Some(&signature))?;
        if found.as_bytes() == expected {
            return Ok(());
        }
        Err(format!(
            "header `{}` is `{found}`, expected `{}`",
            self.header,
            String::from_utf8_lossy(&expected)
        ))
    }

    fn key_bytes(&self, secret: &str) -> Result<Vec<u8>, String> {
        match self.key {
            KeyForm::Text => Ok(secret.as_bytes().to_vec()),
            KeyForm::Whsec => {
                let encoded =
                    secret.strip_prefix("whsec_").ok_or("the secret does not begin with `whsec_`")?;
                BASE64.decode(encoded).map_err(|error| format!("the secret is not base64: {error}"))
            }
        }
    }
}

/// Replaces `{body}`, `{signature}` and `{header:<name>}`.
fn expand(template: &str, request: &Recorded, signature: Option<&str>) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or_else(|| format!("`{template}` has an open brace"))?;
        out.extend_from_slice(literal.as_bytes());
        match (name, signature, name.strip_prefix("header:")) {
            ("body", ..) => out.extend_from_slice(&request.body),
            ("signature", Some(signature), _) => out.extend_from_slice(signature.as_bytes()),
            (_, _, Some(header)) => {
                let value = request.header(header).ok_or_else(|| format!("no header `{header}`"))?;
                out.extend_from_slice(value.as_bytes());
            }
            _ => return Err(format!("`{{{name}}}` means nothing in `{template}`")),
        }
        rest = tail;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], body: &str) -> Recorded {
        Recorded {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.as_bytes().to_vec(),
            received_at: std::time::Instant::now(),
        }
    }

    #[test]
    fn accepts_published_vectors_and_nothing_else() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let headers = [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ];
        let standard = Scheme::standard_webhooks();
        let body = "{\"test\": 2432232314}";
        assert_eq!(standard.verify(secret, &request(&headers, body)), Ok(()));
        assert!(standard.verify(secret, &request(&headers, "{\"test\": 2432232315}")).is_err());
        assert!(standard.verify(secret, &request(&headers[1..], body)).is_err());
        assert!(standard.verify("MfKQ", &request(&headers, body)).is_err());

        let digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let signed = request(&[("x-signature", digest)], "Hello, World!");
        assert_eq!(Scheme::hex_of_body("x-signature").verify("It's a Secret to Everybody", &signed), Ok(()));
        assert!(Scheme::hex_of_body("x-signature").verify("another", &signed).is_err());
    }

    #[test]
    fn a_scheme_is_read_strictly() {
        let good = serde_json::json!({
            "header": "X-A", "value": "{signature}", "content": "{body}", "encoding": "hex", "key": "text"
        });
        assert_eq!(Scheme::from_json(&good), Ok(Scheme::hex_of_body("x-a")));
        for (field, value) in [("encoding", "rot13"), ("key", "door"), ("header", "")] {
            let mut bad = good.clone();
            bad[field] = if value.is_empty() { Value::Null } else { value.into() };
            assert!(Scheme::from_json(&bad).is_err(), "{field}");
        }
    }
}
