//! `X-Forwarded-For` from anybody: nobody but a trusted proxy is believed.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};
use signalpost::fuzzing;

use crate::Target;

const BYTES_MAX: usize = 256;
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// A range that is trusted, an address in it and one outside.
const TRUSTED: &str = "10.0.0.0/8";
const PROXY: &str = "10.0.0.1";
const STRANGER: &str = "198.51.100.1";

pub(super) fn target() -> Target {
    Target::new("forwarded", "nobody but a trusted proxy says who calls", BYTES_MAX, |input| {
        let mut headers = HeaderMap::new();
        for line in input.split(|byte| *byte == b'\n') {
            let value = HeaderValue::from_bytes(line).ok();
            headers.extend(value.map(|value| (FORWARDED_FOR, value)));
        }
        let stranger = STRANGER.parse().expect("an address");
        assert_eq!(fuzzing::caller(TRUSTED, stranger, &headers), stranger);
        let proxy = PROXY.parse().expect("an address");
        assert_eq!(fuzzing::caller("", proxy, &headers), proxy, "nobody is trusted");
        assert_eq!(fuzzing::caller(TRUSTED, proxy, &headers), believed(&headers));
    })
}

/// The rule a second time, from the left: of all that was written each entry counts when those right of it are trusted
/// proxies' addresses, and the left-most that counts is the caller.
fn believed(headers: &HeaderMap) -> IpAddr {
    let lines = headers.get_all(FORWARDED_FOR).iter();
    let entries: Vec<Option<IpAddr>> = lines
        .flat_map(|line| match line.to_str() {
            Ok(text) => text.split(',').map(read).collect(),
            Err(_) => vec![None],
        })
        .collect();
    let is_trusted = |entry: &Option<IpAddr>| matches!(entry, Some(IpAddr::V4(v4)) if v4.octets()[0] == 10);
    let counts = |place: usize| entries[place].is_some() && entries[place + 1..].iter().all(is_trusted);
    let caller = (0..entries.len()).find(|place| counts(*place)).and_then(|place| entries[place]);
    caller.unwrap_or_else(|| PROXY.parse().expect("an address"))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn read(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let address = match (entry.parse::<IpAddr>(), entry.parse::<SocketAddr>()) {
        (Ok(address), _) => Some(address),
        (_, Ok(with_port)) => Some(with_port.ip()),
        _ => entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok(),
    };
    address.map(|address| address.to_canonical())
}
