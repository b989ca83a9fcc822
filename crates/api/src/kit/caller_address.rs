//! Where a request comes from.

use std::net::IpAddr;

/// The caller's address, put into a request's extensions by whoever accepted its connection: the peer's, or what a
/// trusted proxy says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerAddress(pub IpAddr);
