//! Where a request comes from.

use std::net::IpAddr;

use axum::extract::Request;
use signalpost_core::cidr::neighbourhood_of;

/// The caller's address, put into a request's extensions by whoever accepted its connection: the peer's, or what a
/// trusted proxy says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerAddress(pub IpAddr);

/// Whose doings count together with this request's. Where nobody says the address, all count together.
pub(crate) fn neighbourhood(request: &Request) -> Option<IpAddr> {
    let CallerAddress(address) = request.extensions().get::<CallerAddress>()?;
    Some(neighbourhood_of(*address))
}
