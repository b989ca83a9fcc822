//! Checks a delivery's signature as its receiver would: from the recipe that the sender's documents give, with
//! an HMAC of our own making and not the product's.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

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
    /// The header's value, with `{signature}` and `{header:<name>}`. Any other `{name}` is a part of the value that
    /// the sender chose.
    pub(crate) value: String,
    /// What is signed, with `{body}`, `{header:<name>}` and the parts that `value` names.
    pub(crate) content: String,
    pub(crate) encoding: Encoding,
    pub(crate) key: KeyForm,
    /// The part that tells when it was signed, in Unix seconds. It must be the time of this very request.
    pub(crate) time: Option<String>,
}

/// Between signing and arrival, on one machine and beside other work.
const SIGNED_BEFORE_ARRIVAL_S_MAX: u64 = 3;

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
            time: None,
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
            time: None,
        }
    }

    /// Reads `{"header", "value", "content", "encoding": "hex" | "base64", "key": "text" | "whsec", "time"?}`.
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
        let time = json.get("time").map(|_| text("time")).transpose()?;
        Ok(Self { header, value: text("value")?, content: text("content")?, encoding, key, time })
    }

    /// Whether the request carries the signature that the secret makes. The error tells both values.
    pub(crate) fn verify(&self, secret: &str, request: &Recorded) -> Result<(), String> {
        let found = request.header(&self.header).ok_or_else(|| format!("no header `{}`", self.header))?;
        let mut parts = parts_of(&self.value, found)?;
        let content = expand(&self.content, request, &parts)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key_bytes(secret)?)
            .map_err(|error| format!("the key cannot be used: {error}"))?;
        mac.update(&content);
        let digest = mac.finalize().into_bytes();
        let signature = match self.encoding {
            Encoding::Hex => digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            Encoding::Base64 => BASE64.encode(digest),
        };
        parts.insert(SIGNATURE.to_owned(), signature);
        let expected = expand(&self.value, request, &parts)?;
        if found.as_bytes() == expected {
            return self.time.as_ref().map_or(Ok(()), |part| check_time(part, &parts, request));
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

const SIGNATURE: &str = "signature";

/// What stands in the header where the template has names; a name reaches to the template's next literal.
fn parts_of(template: &str, found: &str) -> Result<BTreeMap<String, String>, String> {
    let mut parts = BTreeMap::new();
    let (mut rest, mut left) = (template, found);
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or_else(|| format!("`{template}` has an open brace"))?;
        let misfit = || format!("`{found}` does not have the form `{template}`");
        left = left.strip_prefix(literal).ok_or_else(misfit)?;
        let next = &tail[..tail.find('{').unwrap_or(tail.len())];
        let end = if next.is_empty() { left.len() } else { left.find(next).ok_or_else(misfit)? };
        if !name.starts_with("header:") {
            parts.insert(name.to_owned(), left[..end].to_owned());
        }
        (rest, left) = (tail, &left[end..]);
    }
    Ok(parts)
}

/// Whether the part is the Unix second in which the request was signed, shortly before it came.
fn check_time(part: &str, parts: &BTreeMap<String, String>, request: &Recorded) -> Result<(), String> {
    let text = parts.get(part).ok_or_else(|| format!("the header's value has no part `{part}`"))?;
    let signed_s: u64 = text.parse().map_err(|_| format!("`{text}` is not a number of seconds"))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let arrived_s = now.saturating_sub(request.received_at.elapsed()).as_secs();
    if (arrived_s.saturating_sub(SIGNED_BEFORE_ARRIVAL_S_MAX)..=arrived_s).contains(&signed_s) {
        return Ok(());
    }
    Err(format!("it was signed at {signed_s} and came at {arrived_s}"))
}

/// Replaces `{body}`, `{header:<name>}` and the names of parts.
fn expand(template: &str, request: &Recorded, parts: &BTreeMap<String, String>) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').ok_or_else(|| format!("`{template}` has an open brace"))?;
        out.extend_from_slice(literal.as_bytes());
        match (name, name.strip_prefix("header:"), parts.get(name)) {
            ("body", ..) => out.extend_from_slice(&request.body),
            (_, Some(header), _) => {
                let value = request.header(header).ok_or_else(|| format!("no header `{header}`"))?;
                out.extend_from_slice(value.as_bytes());
            }
            (_, None, Some(part)) => out.extend_from_slice(part.as_bytes()),
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

    /// `t=<seconds>,v1=<hex>` over `<seconds>.<body>`; the digest was made with OpenSSL.
    #[test]
    fn a_part_of_the_header_can_be_signed_and_must_be_fresh() {
        let mut scheme = Scheme::hex_of_body("x-signature");
        (scheme.value, scheme.content) = ("t={t},v1={signature}".to_owned(), "{t}.{body}".to_owned());
        let digest = "1d5c28444918a898eb2327e3dbead908593eadc36522422cced35c15baf4e931";
        let signed = |value: &str, body: &str| request(&[("x-signature", value)], body);
        let good = format!("t=1800000000,v1={digest}");
        assert_eq!(scheme.verify("whsec_secret", &signed(&good, "{\"a\":1}")), Ok(()));
        for bad in [
            format!("t=1800000001,v1={digest}"),
            format!("t=1800000000, v1={digest}"),
            format!("v1={digest},t=1800000000"),
            format!("{good} "),
            format!("{good},v1={digest}"),
            String::new(),
        ] {
            assert!(scheme.verify("whsec_secret", &signed(&bad, "{\"a\":1}")).is_err(), "{bad}");
        }
        assert!(scheme.verify("secret", &signed(&good, "{\"a\":1}")).is_err());
        assert!(scheme.verify("whsec_secret", &signed(&good, "{\"a\":2}")).is_err());
        scheme.time = Some("t".to_owned());
        assert!(scheme.verify("whsec_secret", &signed(&good, "{\"a\":1}")).is_err(), "not of today");

        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let at = |seconds: u64| {
            let parts = BTreeMap::from([("t".to_owned(), seconds.to_string())]);
            check_time("t", &parts, &signed("", ""))
        };
        assert!(at(now).is_ok() && at(now - 60).is_err() && at(now + 60).is_err());
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
