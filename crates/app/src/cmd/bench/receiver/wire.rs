//! Reading a delivery off the wire: just enough HTTP/1.1 for the one client that calls, judged strictly.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::record::{NO_NUMBER, Record};
use super::super::request::NUMBER_MARK;

/// A request's head; ours take some 400 bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// The largest event and its envelope.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How far into a body the event's number may stand: behind the envelope's first members.
const NUMBER_WITHIN_BYTES: usize = 256;

/// The parts of a delivery that matter, as they lie in the buffer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Delivery<'a> {
    pub(super) target: u32,
    pub(super) id: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) signatures: &'a str,
    pub(super) body: &'a [u8],
    /// Bytes of the whole request.
    pub(super) length: usize,
}

/// The bytes are not a request that our server would send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// The first request in the buffer; `None` while it is not complete.
pub(super) fn parse(buffer: &[u8]) -> Result<Option<Delivery<'_>>, Broken> {
    let Some(head_bytes) = buffer.windows(4).take(HEAD_BYTES_MAX).position(|four| four == b"\r\n\r\n") else {
        return if buffer.len() > HEAD_BYTES_MAX { Err(Broken) } else { Ok(None) };
    };
    let head = str::from_utf8(&buffer[..head_bytes]).map_err(|_| Broken)?;
    let mut lines = head.split("\r\n");
    let path = lines.next().and_then(|line| line.strip_prefix("POST /")).ok_or(Broken)?;
    let target = path.split(' ').next().and_then(|number| number.parse().ok()).ok_or(Broken)?;
    let mut delivery = Delivery { target, ..Delivery::default() };
    let mut body_bytes = None;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(Broken)?;
        let value = value.trim();
        match name.len() {
            10 if name.eq_ignore_ascii_case("webhook-id") => delivery.id = value,
            14 if name.eq_ignore_ascii_case("content-length") => body_bytes = value.parse::<usize>().ok(),
            17 if name.eq_ignore_ascii_case("webhook-timestamp") => delivery.timestamp = value,
            17 if name.eq_ignore_ascii_case("webhook-signature") => delivery.signatures = value,
            _ => {}
        }
    }
    let body_bytes = body_bytes.filter(|bytes| *bytes <= BODY_BYTES_MAX).ok_or(Broken)?;
    let body_at = head_bytes + 4;
    let Some(body) = buffer.get(body_at..body_at + body_bytes) else { return Ok(None) };
    Ok(Some(Delivery { body, length: body_at + body_bytes, ..delivery }))
}

impl Delivery<'_> {
    /// Whether one of the signatures is that of Standard Webhooks 1.0, `v1,` with HMAC-SHA256 over id, time and body.
    pub(super) fn verifies(&self, secret: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let mut context = hmac::Context::with_key(&key);
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body] {
            context.update(part);
        }
        let expected = BASE64.encode(context.sign());
        self.signatures.split(' ').any(|signature| signature.strip_prefix("v1,") == Some(expected.as_str()))
    }

    /// The number that the generator wrote into the event.
    pub(super) fn number(&self) -> u64 {
        let start = &self.body[..self.body.len().min(NUMBER_WITHIN_BYTES)];
        let mark = NUMBER_MARK.as_bytes();
        let found = start.windows(mark.len()).position(|window| window == mark).map(|at| at + mark.len());
        let digits = found.map(|at| &start[at..]).and_then(|rest| rest.split(|byte| *byte == b'"').next());
        digits.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(NO_NUMBER)
    }
}

/// `whsec_` and the key in base64, as the API gives it.
pub(super) fn secret_bytes(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.strip_prefix("whsec_")?).ok()
}

/// Bytes of many records, in order.
pub(super) fn encode_all(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(Record::encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks reference library: a signature that other people's code made.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const REQUEST: &str = "POST /7 HTTP/1.1\r\nhost: x\r\nContent-Length: 20\r\nwebhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\
        \r\nwebhook-timestamp: 1614265330\r\nwebhook-signature: v0,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\
        \r\n\r\n{\"test\": 2432232314}";

    #[test]
    fn a_request_is_read_when_it_is_complete() {
        let bytes = REQUEST.as_bytes();
        for cut in 0..bytes.len() {
            assert_eq!(parse(&bytes[..cut]), Ok(None), "{cut}");
        }
        let delivery = parse(bytes).expect("well formed").expect("complete");
        assert_eq!((delivery.target, delivery.length), (7, bytes.len()));
        for bad in
            ["GET /7 HTTP/1.1\r\n\r\n", "POST /x HTTP/1.1\r\n\r\n", "POST /7 HTTP/1.1\r\nhost: x\r\n\r\n"]
        {
            assert_eq!(parse(bad.as_bytes()), Err(Broken), "{bad:?}");
        }
        assert_eq!(parse(&vec![b'x'; HEAD_BYTES_MAX + 1]), Err(Broken));
    }

    #[test]
    fn a_signature_of_somebody_else_verifies_and_a_changed_body_does_not() {
        let secret = secret_bytes(SECRET).expect("a secret");
        let mut delivery = parse(REQUEST.as_bytes()).expect("well formed").expect("complete");
        assert!(delivery.verifies(&secret), "{delivery:?}");
        delivery.body = b"{\"test\": 2432232315}";
        assert!(!delivery.verifies(&secret));
        assert!(!Delivery { signatures: "", ..delivery }.verifies(&secret));
        assert_eq!(secret_bytes("MfKQ"), None);
    }

    #[test]
    fn the_number_is_found_in_the_envelope() {
        let body = br#"{"type":"bench.made","timestamp":"x","data":{"n":"0000000000000042","text":"y"}}"#;
        assert_eq!(Delivery { body, ..Delivery::default() }.number(), 42);
        assert_eq!(Delivery { body: b"{}", ..Delivery::default() }.number(), NO_NUMBER);
    }
}
