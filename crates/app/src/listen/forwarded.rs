//! Who calls, when a proxy stands between: `X-Forwarded-For`, believed of known proxies alone.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use signalpost_core::cidr::Cidr;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Ranges of the proxies that are believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<Cidr>);

impl TrustedProxies {
    pub(crate) const fn new(ranges: Vec<Cidr>) -> Self {
        Self(ranges)
    }

    /// The peer's own address, unless it is a trusted proxy. Each proxy adds whom it heard at the right end, so
    /// from there on entries are true as long as trusted proxies wrote them: the first that is no such proxy is the
    /// caller. What stands left of it, or left of what is no address, anybody may have invented.
    pub(crate) fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut caller = peer.to_canonical();
        if self.0.is_empty() {
            return caller;
        }
        for value in headers.get_all(FORWARDED_FOR).iter().rev() {
            let Ok(text) = value.to_str() else { return caller };
            for entry in text.rsplit(',') {
                if !self.trusts(caller) {
                    return caller;
                }
                let Some(address) = address(entry.trim()) else { return caller };
                caller = address;
            }
        }
        caller
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }
}

/// An address as proxies write it: alone, in brackets, with a port.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().ok().or_else(|| Some(entry.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn the_right_most_address_that_no_proxy_of_ours_is_counts() {
        let trusted = TrustedProxies::new(Cidr::parse_list("10.0.0.0/8,fd00::/8").expect("ranges"));
        let nobody = TrustedProxies::default();
        let table: [(&TrustedProxies, &str, &[&str], &str); 17] = [
            (&nobody, "10.0.0.1", &["203.0.113.9"], "10.0.0.1"),
            (&trusted, "198.51.100.1", &["203.0.113.9"], "198.51.100.1"),
            (&trusted, "10.0.0.1", &[], "10.0.0.1"),
            (&trusted, "10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            (&trusted, "::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            (&trusted, "fd00::1", &["2001:db8::9"], "2001:db8::9"),
            (&trusted, "10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (&trusted, "10.0.0.1", &["1.1.1.1, 203.0.113.9,10.0.0.2 "], "203.0.113.9"),
            (&trusted, "10.0.0.1", &["1.1.1.1", "203.0.113.9", "10.0.0.2"], "203.0.113.9"),
            (&trusted, "10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (&trusted, "10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            (&trusted, "10.0.0.1", &["[2001:db8::9]:4711"], "2001:db8::9"),
            (&trusted, "10.0.0.1", &["[2001:db8::9]"], "2001:db8::9"),
            (&trusted, "10.0.0.1", &["1.1.1.1, unknown"], "10.0.0.1"),
            (&trusted, "10.0.0.1", &["1.1.1.1, _hidden, 10.0.0.2"], "10.0.0.2"),
            (&trusted, "10.0.0.1", &[""], "10.0.0.1"),
            (&trusted, "10.0.0.1", &["1.1.1.1, \u{e9}"], "10.0.0.1"),
        ];
        for (trusted, peer, values, expected) in table {
            let headers: HeaderMap = values
                .iter()
                .map(|value| {
                    let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
                    (http::HeaderName::from_static(FORWARDED_FOR), value)
                })
                .collect();
            let caller = trusted.caller(peer.parse().expect("an address"), &headers);
            assert_eq!(caller.to_string(), expected, "{peer} {values:?}");
        }
    }
}
