//! Verifies deliveries of webhooks, with the crates `hmac` 0.13 and `sha2` 0.11.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether a delivery was signed with the webhook's secret.
///
/// `headers`: names in lower case with their values. `body`: the bytes as they came, before anything has
/// parsed them. `secret`: as the page of the webhook shows it.
pub fn verify(headers: &HashMap<String, String>, body: &[u8], secret: &str) -> bool {
    let header = |name: &str| headers.get(name).map_or("", String::as_str);
    let key = secret.as_bytes();
    if key.is_empty() {
        return false; // Anybody can sign with an empty key.
    }
    let matches = |given: &str| -> Option<()> {
        let signature = given;
        let signature = unhex(signature)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(body);
        // In a time that tells nothing of where they differ.
        mac.verify_slice(&signature).ok()
    };
    matches(header("x-sigmamind-signature")).is_some()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = (0..text.len()).step_by(2);
    digits.map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
