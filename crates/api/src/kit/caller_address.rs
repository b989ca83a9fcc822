//! Where a request comes from.

use std::net::IpAddr;

use axum::extract::Request;
use signalpost_core::caller_address::CallerAddress;
use signalpost_core::cidr::neighbourhood_of;

/// Whose doings count together with this request's. Where nobody says the address, all count together.
pub(crate) fn neighbourhood(request: &Request) -> Option<IpAddr> {
    let CallerAddress(address) = request.extensions().get::<CallerAddress>()?;
    Some(neighbourhood_of(*address))
}
