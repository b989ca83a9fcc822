//! What a limited caller's answers say of the limit.

use http::{HeaderMap, HeaderName, HeaderValue};
use signalpost_core::rate::{Allowance, RateLimit};

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Says in an answer's headers what the limit is and what is left of it.
pub(crate) fn tell(headers: &mut HeaderMap, limit: RateLimit, allowance: Allowance) {
    let policy = format!("\"key\";q={};w={}", limit.burst, limit.window_s());
    let left = format!("\"key\";r={};t={}", allowance.remaining, allowance.full_in_s);
    for (name, value) in [(POLICY, policy), (LEFT, left)] {
        headers.insert(name, HeaderValue::try_from(value).expect("digits and signs"));
    }
}
