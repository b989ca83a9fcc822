//! What may arrive at a receiver, and whether it is to be believed: the same for all languages.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use signalpost_core::event::{Event, EventContent, Sequence};
use signalpost_core::hex;
use signalpost_core::id::{EventId, WorkspaceId};
use signalpost_core::profile::DeliveryProfile;
use signalpost_core::secret::Secret;
use signalpost_core::sign::{
    Encoding, KeyForm, STANDARD_SECRET_PREFIX, Signer, standard_key, standard_secret,
};
use signalpost_core::template::{Piece, Scope};
use signalpost_core::time::Timestamp;

const NOW_S: i64 = 1_777_975_606;
/// The same, as it is signed.
const NOW: &str = "1777975606";
const BODY: &[u8] = "{\"type\":\"order.paid\",\"data\":{\"n\":1.0,\"s\":\"é\\u0000🧀\"}}".as_bytes();

/// What arrived, and whether it is to be believed.
pub(super) struct Case {
    pub(super) what: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: Vec<u8>,
    pub(super) secret: String,
    pub(super) now_s: i64,
    pub(super) is_good: bool,
}

fn secret(delivery: &DeliveryProfile, n: u8) -> Secret {
    match delivery.signature.key {
        KeyForm::Text => Secret::from_text(&format!("a secret text, number {n}")),
        KeyForm::PrefixedBase64 => standard_secret(&Secret::new(vec![n; 24])),
    }
}

fn event() -> Event {
    Event {
        id: EventId::from_raw(1),
        workspace: WorkspaceId::from_raw(1),
        sequence: Sequence(42),
        content: EventContent {
            producer_id: Some("order-1".to_owned()),
            event_type: "order.paid".to_owned(),
            subject: None,
            time: Timestamp::from_ms(NOW_S * 1_000),
            attributes: Vec::new(),
            data: bytes::Bytes::from_static(b"{}"),
            ordering_key: None,
        },
        targets: Vec::new(),
        accepted_at: Timestamp::from_ms(NOW_S * 1_000),
        payload_removed_at: None,
    }
}

const fn scope(event: &Event) -> Scope<'_> {
    Scope {
        event,
        workspace: "1743",
        webhook: "h",
        delivery: "d",
        attempt_at: Timestamp::from_ms(NOW_S * 1_000),
        body: BODY,
        signature: "",
    }
}

/// The headers of a delivery, signed with these secrets, the newest first.
fn headers(delivery: &DeliveryProfile, secrets: &[&Secret]) -> HashMap<String, String> {
    let event = event();
    let scope = scope(&event);
    let mut signer = Signer::new(Arc::clone(&delivery.signature), secrets[0]).unwrap();
    for previous in &secrets[1..] {
        signer.add_previous(previous, Timestamp::from_ms(i64::MAX)).unwrap();
    }
    let own = delivery.headers.iter().map(|(name, value)| (name.to_string(), value.render_text(scope)));
    let (name, value) = signer.sign(scope);
    own.chain([(name.to_string(), value)]).collect()
}

/// The same, signed with this secret, but its time is written in another way, which is signed as well.
fn headers_at(delivery: &DeliveryProfile, secret: &Secret, time: &str) -> HashMap<String, String> {
    let recipe = &delivery.signature;
    let event = event();
    let scope = scope(&event);
    let key = match recipe.key {
        KeyForm::Text => secret.clone(),
        KeyForm::PrefixedBase64 => standard_key(secret).unwrap(),
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).unwrap();
    mac.update(recipe.content.render_text(scope).replace(NOW, time).as_bytes());
    let digest = mac.finalize().into_bytes();
    let signature = match recipe.encoding {
        Encoding::Hex => hex::encode(&digest),
        Encoding::Base64 => BASE64.encode(digest),
    };
    let own = delivery.headers.iter().map(|(name, value)| (name.to_string(), value.render_text(scope)));
    let value = recipe.value.render_text(Scope { signature: &signature, ..scope });
    own.chain([(recipe.header.to_string(), value)])
        .map(|(name, value)| (name, value.replace(NOW, time)))
        .collect()
}

pub(super) fn cases(delivery: &DeliveryProfile) -> Vec<Case> {
    let mut cases = as_signed(delivery);
    cases.extend(with_secrets(delivery));
    if is_timed(delivery) {
        cases.extend(with_times(delivery));
    }
    cases
}

fn is_timed(delivery: &DeliveryProfile) -> bool {
    delivery.signature.content.pieces().any(|piece| piece == Piece::Placeholder("attempt.unix_s".into()))
}

/// A secret that is none verifies nothing, however it is written: anybody can sign with the key that it would be.
fn with_secrets(delivery: &DeliveryProfile) -> Vec<Case> {
    let ours = secret(delivery, 1);
    let case = |what: &str, is_good, signer: &Secret, secret: &str| Case {
        what: what.to_owned(),
        headers: headers(delivery, &[signer]),
        body: BODY.to_vec(),
        secret: secret.to_owned(),
        now_s: NOW_S,
        is_good,
    };
    if delivery.signature.key == KeyForm::Text {
        return vec![case("with no secret", false, &Secret::from_text(""), "")];
    }
    let prefix = STANDARD_SECRET_PREFIX;
    let nothing = Secret::from_text(prefix);
    let bare = ours.expose_text().strip_prefix(prefix).unwrap();
    vec![
        case("with no secret", false, &nothing, ""),
        case("with the prefix alone for a secret", false, &nothing, prefix),
        case("with rubbish for a secret", false, &nothing, &format!("{prefix}***")),
        case("with rubbish in the secret", false, &ours, &format!("{prefix}*{bare}")),
        case("with the secret's prefix left out", true, &ours, bare),
    ]
}

/// Times that are signed as they stand, and read alike in all languages.
fn with_times(delivery: &DeliveryProfile) -> Vec<Case> {
    let ours = secret(delivery, 1);
    let times = [
        (NOW, true),
        ("01777975606", true),
        ("0001777975606", false),
        ("+1777975606", false),
        ("-1777975606", false),
        (" 1777975606", false),
        ("1777975606 ", false),
        ("1777975606.0", false),
        ("1_777_975_606", false),
        ("0x69f9c136", false),
        ("１７７７９７５６０６", false),
        ("", false),
        (&"9".repeat(13), false),
        (&"9".repeat(5_000), false),
    ];
    let case = |(time, is_good): (&str, bool)| Case {
        what: format!("with the time `{}`", time.chars().take(20).collect::<String>()),
        headers: headers_at(delivery, &ours, time),
        body: BODY.to_vec(),
        secret: ours.expose_text().to_owned(),
        now_s: NOW_S,
        is_good,
    };
    times.map(case).into()
}

fn as_signed(delivery: &DeliveryProfile) -> Vec<Case> {
    let (ours, other) = (secret(delivery, 1), secret(delivery, 2));
    let good = || headers(delivery, &[&ours]);
    let name = delivery.signature.header.to_string();
    let signed = |change: &dyn Fn(&str) -> String| {
        let mut headers = good();
        let changed = change(&headers[&name]);
        headers.insert(name.clone(), changed);
        headers
    };
    let is_timed = is_timed(delivery);
    let case = |what: &str, is_good, headers| {
        let what = what.to_owned();
        let (body, secret) = (BODY.to_vec(), ours.expose_text().to_owned());
        Case { what, headers, body, secret, now_s: NOW_S, is_good }
    };
    let last_changed = |value: &str| {
        // The last characters of base64 may hold bits that mean nothing.
        let at = value.len() - 5;
        let other = if value.as_bytes()[at] == b'a' { 'b' } else { 'a' };
        format!("{}{other}{}", &value[..at], &value[at + 1..])
    };
    let mut cases = vec![
        case("as it was sent", true, good()),
        Case { body: [BODY, b" "].concat(), ..case("with another body", false, good()) },
        Case { body: Vec::new(), ..case("without a body", false, good()) },
        Case { secret: other.expose_text().to_owned(), ..case("with another secret", false, good()) },
        case("signed by somebody else", false, headers(delivery, &[&other])),
        case("with a changed signature", false, signed(&last_changed)),
        case("with half a signature", false, signed(&|value| value[..value.len() / 2].to_owned())),
        case("with letters that are none of ASCII", false, signed(&|value| format!("{value}é"))),
        case("with an empty signature", false, signed(&|_| String::new())),
        case("without headers", false, HashMap::new()),
        Case { now_s: NOW_S + 299, ..case("a little later", true, good()) },
        Case { now_s: NOW_S + 301, ..case("much later", !is_timed, good()) },
        Case { now_s: NOW_S - 301, ..case("much earlier", !is_timed, good()) },
    ];
    if delivery.signature.separator.is_some() {
        cases.push(case(
            "with a signature of another kind behind it",
            true,
            signed(&|value| format!("{value} v2,x")),
        ));
        cases.push(case("while the secret is replaced", true, headers(delivery, &[&other, &ours])));
    } else {
        cases.push(case(
            "with something behind the signature",
            false,
            signed(&|value| format!("{value},v1=00")),
        ));
    }
    for (header, _) in &delivery.headers {
        if matches!(&**header, "webhook-id" | "webhook-timestamp") {
            let mut changed = good();
            changed.insert(header.to_string(), format!("{}1", changed[&**header]));
            cases.push(case("with a changed header", false, changed));
        }
    }
    cases
}
