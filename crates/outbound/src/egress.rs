//! Which otherwise refused addresses the operator opened (`--egress-allow`), and which are our own listeners.

use std::net::{IpAddr, SocketAddr};

use signalpost_core::cidr::{Cidr, CidrError};

/// What the operator says about outgoing connections. The default opens nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    opened: Vec<Cidr>,
    own: Vec<SocketAddr>,
}

impl EgressPolicy {
    /// Reads a comma-separated list of CIDR ranges such as `127.0.0.0/8,::1/128,10.1.0.0/16`.
    ///
    /// A bare address is a range of one. Blanks around an entry are ignored; the empty text opens nothing.
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        Ok(Self { opened: Cidr::parse_list(text)?, own: Vec::new() })
    }

    /// Also refuses these addresses of our own listeners, unless a range opens them. An unspecified address
    /// (`0.0.0.0:8080`) stands for every address of this machine.
    #[must_use]
    pub fn with_own_listeners(mut self, own: Vec<SocketAddr>) -> Self {
        self.own = own;
        self
    }

    /// Whether the operator opened this address. An IPv4 range covers the IPv4-mapped IPv6 form of its addresses.
    pub fn opens(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.opened.iter().any(|range| range.contains(address))
    }

    /// The ranges that the operator opened.
    pub fn opened(&self) -> &[Cidr] {
        &self.opened
    }

    /// Whether any range was opened at all.
    pub fn opens_anything(&self) -> bool {
        !self.opened.is_empty()
    }

    pub(crate) fn is_own(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.own.iter().any(|own| own.port() == address.port() && own.ip().to_canonical() == ip)
    }

    /// Whether a listener of ours on all addresses has this port.
    pub(crate) fn is_own_port(&self, port: u16) -> bool {
        self.own.iter().any(|own| own.port() == port && own.ip().is_unspecified())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_open_both_forms_of_an_address() {
        let policy = EgressPolicy::parse("10.1.0.0/16").expect("a range");
        let opens = |address: &str| policy.opens(address.parse().expect("an address"));
        assert!(opens("10.1.2.3") && opens("::ffff:10.1.2.3"));
        assert!(!opens("10.2.0.1") && !opens("::10.1.2.3"));
        assert!(policy.opens_anything());
        assert!(!EgressPolicy::parse(" ").expect("nothing").opens_anything());
    }
}
