//! The name under which a request stands in answers and in the log.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use signalpost_core::base62;
use signalpost_core::time::Timestamp;

use crate::kit::auth::single;

pub(crate) const HEADER: &str = "x-request-id";
const CHARS_MAX: usize = 128;
const PREFIX: &str = "req_";
/// 62^16 is above 2^95: 16 digits hold 42 bits of milliseconds and 48 bits of counter.
const DIGITS: usize = 16;
const COUNTER_BITS: u32 = 48;

/// Mints ids that do not repeat within a process: the time, then a counter.
#[derive(Debug, Default)]
pub(crate) struct RequestIds(AtomicU64);

impl RequestIds {
    /// The caller's own id when it gave a sane one, else a new one.
    pub(crate) fn of(&self, headers: &HeaderMap, now: Timestamp) -> String {
        let given = single(headers, HEADER).filter(|given| is_sane(given));
        let given = given.and_then(|given| std::str::from_utf8(given).ok());
        given.map_or_else(|| self.mint(now), str::to_owned)
    }

    fn mint(&self, now: Timestamp) -> String {
        let ms = u128::try_from(now.as_ms()).unwrap_or_default() & ((1 << 42) - 1);
        let count = u128::from(self.0.fetch_add(1, Ordering::Relaxed)) & ((1 << COUNTER_BITS) - 1);
        format!("{PREFIX}{}", base62::encode(ms << COUNTER_BITS | count, DIGITS))
    }
}

/// Safe in a header, a log line and a file name; anything else is replaced, not repaired.
fn is_sane(given: &[u8]) -> bool {
    let permitted = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(byte);
    (1..=CHARS_MAX).contains(&given.len()) && given.iter().all(permitted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn id_for(given: &[u8]) -> String {
        let value = HeaderValue::from_bytes(given).expect("a header value");
        RequestIds::default()
            .of(&HeaderMap::from_iter([(http::HeaderName::from_static(HEADER), value)]), Timestamp::default())
    }

    #[test]
    fn a_sane_id_is_kept_and_any_other_replaced() {
        for good in ["a", "Az09_.:-", &"x".repeat(128)] {
            assert_eq!(id_for(good.as_bytes()), good);
        }
        for bad in [&b""[..], b"a b", b"a,b", b"\xff", "x".repeat(129).as_bytes()] {
            assert!(id_for(bad).starts_with(PREFIX), "{bad:?}");
        }
    }

    #[test]
    fn minted_ids_differ() {
        let ids = RequestIds::default();
        let mint = || ids.of(&HeaderMap::new(), Timestamp::from_ms(i64::MAX));
        assert_ne!(mint(), mint());
    }
}
