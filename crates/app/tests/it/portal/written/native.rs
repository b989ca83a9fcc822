//! Verifies deliveries of webhooks, with the crates `base64` 0.23, `hmac` 0.13 and `sha2` 0.11.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const TOLERANCE_S: u64 = 300;

/// Whether a delivery was signed with the webhook's secret.
///
/// `headers`: names in lower case with their values. `body`: the bytes as they came, before anything has
/// parsed them. `secret`: as the page of the webhook shows it.
/// `now_s`: the time, in seconds since 1970.
pub fn verify(headers: &HashMap<String, String>, body: &[u8], secret: &str, now_s: u64) -> bool {
    let header = |name: &str| headers.get(name).map_or("", String::as_str);
    let key = secret.strip_prefix("whsec_").unwrap_or(secret);
    let Ok(key) = STANDARD.decode(key) else { return false };
    if key.is_empty() {
        return false; // Anybody can sign with an empty key.
    }
    let timestamp = header("webhook-timestamp");
    if is_stale(timestamp, now_s) {
        return false;
    }
    let matches = |given: &str| -> Option<()> {
        let signature = given.strip_prefix("v1,")?;
        let signature = STANDARD.decode(signature).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(header("webhook-id").as_bytes());
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        // In a time that tells nothing of where they differ.
        mac.verify_slice(&signature).ok()
    };
    header("webhook-signature").split(" ").any(|given| matches(given).is_some())
}

fn is_stale(timestamp: &str, now_s: u64) -> bool {
    let is_number = timestamp.len() <= 12 && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    !is_number || !timestamp.parse().is_ok_and(|seconds: u64| now_s.abs_diff(seconds) <= TOLERANCE_S)
}
