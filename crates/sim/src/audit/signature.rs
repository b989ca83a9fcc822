//! Signatures, verified as a receiver would: from the secrets that the owner was shown, the headers and the body.
//!
//! The MAC is written out here (RFC 2104), so that the engine's own code cannot vouch for itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

use super::Evidence;
use crate::facts::{Signing, Until, Wanted};
use crate::network::{EVENT_HEADER, SIGNATURE_HEADER, Sent, WEBHOOK_HEADER};
use crate::profiles::SignatureStyle;

pub(super) fn check(evidence: &Evidence<'_>) -> Vec<String> {
    evidence.sent.iter().filter_map(|sent| check_request(evidence, sent)).collect()
}

fn check_request(evidence: &Evidence<'_>, sent: &Sent) -> Option<String> {
    let webhook = evidence.webhooks.get(sent.header(WEBHOOK_HEADER))?;
    let style = evidence.facts.workspaces[webhook.workspace].style.signature;
    // What was sent before its webhook was asked for is found elsewhere.
    let states: Vec<&Wanted> = webhook.between(sent.at, sent.at).into_iter().flatten().collect();
    let good = states.is_empty() || states.iter().any(|wanted| signs(evidence, sent, style, &wanted.signing));
    let fresh = sent.header("x-timestamp") == sent.at.wall.as_seconds().to_string();
    if !fresh {
        let stamp = sent.header("x-timestamp");
        return Some(format!("a request of {} carries the timestamp {stamp}", sent.at.wall));
    }
    (!good).then(|| {
        let signature = sent.header(SIGNATURE_HEADER);
        let signing: Vec<_> = states.iter().map(|wanted| &wanted.signing).collect();
        format!("the signature {signature:?} of {} does not verify, {signing:?}", sent.at.wall)
    })
}

/// Whether the request carries the signatures of these secrets, newest first, and no other.
fn signs(evidence: &Evidence<'_>, sent: &Sent, style: SignatureStyle, signing: &[Signing]) -> bool {
    // A scheme that carries one signature has that of the newest.
    let signing = if style == SignatureStyle::Stamped { &signing[..signing.len().min(1)] } else { signing };
    let header = sent.header(SIGNATURE_HEADER);
    // Without a key nothing is signed, and there is no such header.
    let mut given = header.split(' ').filter(|given| !given.is_empty()).peekable();
    for Signing { secret, until } in signing {
        // Whoever lost the answer with a secret cannot verify anything.
        let Some(secret) = secret else { return true };
        let expected = match style {
            SignatureStyle::Standard => standard(sent, secret),
            SignatureStyle::Stamped => stamped(sent, secret),
        };
        let stands = given.next_if(|given| Some(*given) == expected.as_deref()).is_some();
        let right = match until {
            Until::Replaced => stands,
            Until::Unsure => true,
            Until::At(at) if sent.at.wall >= *at => !stands,
            // After a jump of the clock it may have been wiped already, or by a node whose clock is ahead.
            Until::At(_) => {
                stands
                    || evidence.facts.apart_ms > 0
                    || evidence.facts.jumps.iter().any(|jump| *jump < sent.at)
            }
        };
        if !right {
            return false;
        }
    }
    given.next().is_none()
}

fn standard(sent: &Sent, secret: &str) -> Option<String> {
    let key = BASE64.decode(secret.strip_prefix("whsec_")?).ok()?;
    let head = format!("{}.{}.", sent.header(EVENT_HEADER), sent.header("x-timestamp"));
    Some(format!("v1,{}", BASE64.encode(hmac_sha256(&key, &[head.as_bytes(), &sent.body]))))
}

fn stamped(sent: &Sent, secret: &str) -> Option<String> {
    let stamp = sent.header("x-timestamp");
    let head = format!("{stamp}.");
    let digest = hmac_sha256(secret.as_bytes(), &[head.as_bytes(), &sent.body]);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("t={stamp},v1={hex}"))
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
