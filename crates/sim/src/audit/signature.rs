//! Signatures, verified as a receiver would: from the secret that the owner was shown, the headers and the body.
//!
//! The MAC is written out here (RFC 2104), so that the engine's own code cannot vouch for itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

use super::Evidence;
use crate::network::{EVENT_HEADER, SIGNATURE_HEADER, Sent, WEBHOOK_HEADER};
use crate::profiles::SignatureStyle;

pub(super) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    evidence.sent.iter().filter_map(|sent| check_request(evidence, sent)).collect()
}

fn check_request(evidence: &Evidence<'_>, sent: &Sent) -> Option<String> {
    let webhook = evidence.webhooks.get(sent.header(WEBHOOK_HEADER))?;
    let secret = webhook.secret.as_deref()?;
    let style = evidence.facts.workspaces[webhook.workspace].style.signature;
    let signature = sent.header(SIGNATURE_HEADER);
    let good = match style {
        SignatureStyle::Standard => verify_standard(sent, secret, signature),
        SignatureStyle::Stamped => verify_stamped(sent, secret, signature),
    };
    let fresh = sent.header("x-timestamp") == sent.at.wall.as_seconds().to_string();
    (good != Some(()) || !fresh)
        .then(|| format!("the signature {signature:?} of {} does not verify", sent.at.wall))
}

fn verify_standard(sent: &Sent, secret: &str, signature: &str) -> Option<()> {
    let key = BASE64.decode(secret.strip_prefix("whsec_")?).ok()?;
    let given = BASE64.decode(signature.strip_prefix("v1,")?).ok()?;
    let head = format!("{}.{}.", sent.header(EVENT_HEADER), sent.header("x-timestamp"));
    (given == hmac_sha256(&key, &[head.as_bytes(), &sent.body])).then_some(())
}

fn verify_stamped(sent: &Sent, secret: &str, signature: &str) -> Option<()> {
    let (stamp, given) = signature.strip_prefix("t=")?.split_once(",v1=")?;
    let head = format!("{stamp}.");
    let digest = hmac_sha256(secret.as_bytes(), &[head.as_bytes(), &sent.body]);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    (given == hex && stamp == sent.header("x-timestamp")).then_some(())
}

/// HMAC-SHA256 of parts in order.
fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut block = [0u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let mut inner = Sha256::new();
    inner.update(block.map(|byte| byte ^ 0x36));
    parts.iter().for_each(|part| inner.update(part));
    let mut outer = Sha256::new();
    outer.update(block.map(|byte| byte ^ 0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_agrees_with_a_published_vector() {
        // RFC 4231, test case 2.
        let digest = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
