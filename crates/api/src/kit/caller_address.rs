//! Where a request comes from.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::Request;

/// The caller's address, put into a request's extensions by whoever accepted its connection: the peer's, or what a
/// trusted proxy says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerAddress(pub IpAddr);

/// Whose doings count together: one IPv4 address, or one IPv6 network of 64 bits, which is what one customer of a
/// provider has. Where nobody says the address, all count together.
pub(crate) fn neighbourhood(request: &Request) -> Option<IpAddr> {
    let CallerAddress(address) = request.extensions().get::<CallerAddress>()?;
    Some(match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn an_address_or_a_network_counts_as_one() {
        let of = |text: &str| {
            let mut request = Request::new(Body::empty());
            request.extensions_mut().insert(CallerAddress(text.parse().expect("an address")));
            neighbourhood(&request).expect("it has one").to_string()
        };
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(neighbourhood(&Request::new(Body::empty())), None);
    }
}
