//! Verifies deliveries of webhooks, with the crates `base64` 0.23, `hmac` 0.13 and `sha2` 0.11.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
        let signature = STANDARD.decode(signature).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(body);
        // In a time that tells nothing of where they differ.
        mac.verify_slice(&signature).ok()
    };
    matches(header("x-spaaza-hmac-sha256")).is_some()
}
