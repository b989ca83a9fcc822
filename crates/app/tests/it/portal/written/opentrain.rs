//! Verifies deliveries of webhooks, with the crates `hmac` 0.13 and `sha2` 0.11.

use std::collections::HashMap;

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
    let key = secret.as_bytes();
    if key.is_empty() {
        return false; // Anybody can sign with an empty key.
    }
    let matches = |given: &str| -> Option<()> {
        let (timestamp, signature) = given.strip_prefix("t=")?.split_once(",v1=")?;
        if is_stale(timestamp, now_s) {
            return None;
        }
        let signature = unhex(signature)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(timestamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        // In a time that tells nothing of where they differ.
        mac.verify_slice(&signature).ok()
    };
    matches(header("x-opentrain-signature")).is_some()
}

fn is_stale(timestamp: &str, now_s: u64) -> bool {
    let is_number = timestamp.len() <= 12 && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    !is_number || !timestamp.parse().is_ok_and(|seconds: u64| now_s.abs_diff(seconds) <= TOLERANCE_S)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = (0..text.len()).step_by(2);
    digits.map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
