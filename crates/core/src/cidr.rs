//! Ranges of IP addresses, as operators write them: `10.1.0.0/16`, `::1`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// Why a list of ranges was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CidrError {
    #[error("an entry of the list is empty")]
    Empty,
    #[error("`{entry}` is not an IP address or a CIDR range such as 10.1.0.0/16")]
    Address { entry: String },
    #[error("`{entry}`: the prefix length must be a number from 0 to {max}")]
    Length { entry: String, max: u8 },
    #[error("`{entry}` has bits set after its prefix; write {meant} for the whole range")]
    HostBits { entry: String, meant: String },
}

/// A range of addresses, as the bits that its members share. IPv4-mapped IPv6 ranges are kept as IPv4 ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cidr {
    V4 { network: u32, mask: u32 },
    V6 { network: u128, mask: u128 },
}

impl Cidr {
    /// Reads a comma-separated list. Blanks around an entry are ignored; the empty text is an empty list.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, CidrError> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        text.split(',').map(|entry| Self::parse(entry.trim())).collect()
    }

    /// A range in a constant; bits after the prefix are dropped.
    pub const fn v4(address: [u8; 4], length: u32) -> Self {
        let mask = mask_32(length);
        Self::V4 { network: u32::from_be_bytes(address) & mask, mask }
    }

    /// As [`Cidr::v4`], in the eight groups of the text form.
    pub const fn v6(address: [u16; 8], length: u32) -> Self {
        let [a, b, c, d, e, f, g, h] = address;
        let mask = mask_128(length);
        Self::V6 { network: Ipv6Addr::new(a, b, c, d, e, f, g, h).to_bits() & mask, mask }
    }

    /// Whether a canonical address (no IPv4-mapped form) is in this range.
    pub const fn contains(&self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { network, mask }, IpAddr::V4(v4)) => v4.to_bits() & *mask == *network,
            (Self::V6 { network, mask }, IpAddr::V6(v6)) => v6.to_bits() & *mask == *network,
            _ => false,
        }
    }

    /// Reads one range. A bare address is a range of one.
    pub fn parse(entry: &str) -> Result<Self, CidrError> {
        if entry.is_empty() {
            return Err(CidrError::Empty);
        }
        let (address, length) = match entry.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (entry, None),
        };
        match address.parse() {
            Ok(IpAddr::V4(v4)) => Self::parse_v4(entry, v4, length),
            Ok(IpAddr::V6(v6)) => Self::parse_v6(entry, v6, length),
            Err(_) => Err(CidrError::Address { entry: entry.to_owned() }),
        }
    }

    fn parse_v4(entry: &str, address: Ipv4Addr, length: Option<&str>) -> Result<Self, CidrError> {
        let length = parse_length(entry, length, 32)?;
        let (bits, mask) = (address.to_bits(), mask_32(length));
        if bits & !mask != 0 {
            let meant = format!("{}/{length}", Ipv4Addr::from_bits(bits & mask));
            return Err(CidrError::HostBits { entry: entry.to_owned(), meant });
        }
        Ok(Self::V4 { network: bits, mask })
    }

    fn parse_v6(entry: &str, address: Ipv6Addr, length: Option<&str>) -> Result<Self, CidrError> {
        let length = parse_length(entry, length, 128)?;
        let (bits, mask) = (address.to_bits(), mask_128(length));
        if bits & !mask != 0 {
            let meant = format!("{}/{length}", Ipv6Addr::from_bits(bits & mask));
            return Err(CidrError::HostBits { entry: entry.to_owned(), meant });
        }
        match address.to_ipv4_mapped() {
            Some(inner) if length >= 96 => {
                Ok(Self::V4 { network: inner.to_bits(), mask: mask_32(length - 96) })
            }
            _ => Ok(Self::V6 { network: bits, mask }),
        }
    }
}

fn parse_length(entry: &str, length: Option<&str>, max: u8) -> Result<u32, CidrError> {
    let Some(text) = length else { return Ok(u32::from(max)) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u8>() {
        Ok(length) if digits && length <= max => Ok(u32::from(length)),
        _ => Err(CidrError::Length { entry: entry.to_owned(), max }),
    }
}

const fn mask_32(length: u32) -> u32 {
    if length == 0 { 0 } else { u32::MAX << (32 - length) }
}

const fn mask_128(length: u32) -> u128 {
    if length == 0 { 0 } else { u128::MAX << (128 - length) }
}

/// Whose doings count together: one IPv4 address, or one IPv6 network of 64 bits, which one machine or one customer of a
/// provider has to itself (RFC 4291 section 2.5.4).
pub fn neighbourhood_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(list: &str, address: &str) -> bool {
        let ranges = Cidr::parse_list(list).unwrap_or_else(|error| panic!("{list}: {error}"));
        let address: IpAddr = address.parse().expect("an address");
        ranges.iter().any(|range| range.contains(address.to_canonical()))
    }

    #[test]
    fn ranges_contain_their_members_and_nothing_else() {
        let table = [
            ("127.0.0.0/8", "127.0.0.0", true),
            ("127.0.0.0/8", "127.255.255.255", true),
            ("127.0.0.0/8", "128.0.0.0", false),
            ("127.0.0.0/8", "126.255.255.255", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
            ("127.0.0.0/8", "::127.0.0.1", false),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("::1", "::1", true),
            ("::1", "::2", false),
            ("::1", "127.0.0.1", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "fe80::1", true),
            ("::/0", "10.0.0.1", false),
            ("fd00::/8 , 10.1.0.0/16", "10.1.255.255", true),
            ("", "127.0.0.1", false),
        ];
        for (list, address, expected) in table {
            assert_eq!(contains(list, address), expected, "{list} and {address}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let table = [
            ("10.0.0.0/8,", "an entry of the list is empty"),
            ("localhost", "`localhost` is not an IP address or a CIDR range such as 10.1.0.0/16"),
            ("10.0/8", "`10.0/8` is not an IP address or a CIDR range such as 10.1.0.0/16"),
            ("10.0.0.0/33", "`10.0.0.0/33`: the prefix length must be a number from 0 to 32"),
            ("10.0.0.0/", "`10.0.0.0/`: the prefix length must be a number from 0 to 32"),
            ("10.0.0.0/+8", "`10.0.0.0/+8`: the prefix length must be a number from 0 to 32"),
            ("::1/129", "`::1/129`: the prefix length must be a number from 0 to 128"),
            (
                "10.1.2.3/8",
                "`10.1.2.3/8` has bits set after its prefix; write 10.0.0.0/8 for the whole range",
            ),
            ("fd00::1/8", "`fd00::1/8` has bits set after its prefix; write fd00::/8 for the whole range"),
        ];
        for (list, message) in table {
            let error = Cidr::parse_list(list).expect_err(list);
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn an_address_or_a_network_counts_as_one() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(neighbourhood_of(address).to_string(), expected);
        }
    }
}
