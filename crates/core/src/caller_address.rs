//! Where a request comes from.

use std::net::IpAddr;

/// A caller's address, as whoever has accepted its connection says it: the peer's, or what a trusted proxy says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerAddress(pub IpAddr);
