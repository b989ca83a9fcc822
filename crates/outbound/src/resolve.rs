//! From a host name to addresses: the system's name servers, asked directly so that every address is seen.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use signalpost_core::limits::{DNS_TIMEOUT, POOL_AGE_MAX};
use signalpost_core::ports::LocalBoxFuture;
use thiserror::Error;

/// Looks host names up. Literal addresses and `localhost` never come here.
pub trait Resolve {
    /// All IPv4 and IPv6 addresses of `host`, in any order. `host` is in ASCII and lower case and is always the
    /// whole name: search domains of the system are not appended.
    fn resolve(&self, host: &str) -> LocalBoxFuture<'static, Result<Vec<IpAddr>, ResolveError>>;
}

/// Why a name gave no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ResolveError {
    #[error("the name does not exist or has no address")]
    NoAddress,
    #[error("no name server answered in time")]
    Timeout,
    #[error("the name server answered with a failure: {0}")]
    Failed(String),
}

/// Addresses answered for one name are kept for their own lifetime, at most as long as a connection.
const CACHE_NAMES_MAX: u64 = 8_192;
/// A name that does not exist may be created any moment.
const CACHE_ABSENCE_MAX: Duration = Duration::from_secs(10);
/// Addresses looked at of one answer: a hostile name server may send hundreds.
const ADDRESSES_MAX: usize = 32;

/// The name servers and the hosts file of the system. Belongs to the delivery core that made it.
#[derive(Clone)]
pub struct SystemResolver {
    inner: TokioResolver,
}

impl SystemResolver {
    /// Reads the system's configuration (`/etc/resolv.conf`, `/etc/hosts`).
    ///
    /// # Errors
    /// When that configuration cannot be read or names no usable server.
    pub fn from_system() -> Result<Self, ResolverSetupError> {
        let (config, options) = hickory_resolver::system_conf::read_system_conf()?;
        Self::with(config, options)
    }

    fn with(config: ResolverConfig, options: ResolverOpts) -> Result<Self, ResolverSetupError> {
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = bounded(options);
        Ok(Self { inner: builder.build()? })
    }
}

/// The system's resolver settings cannot be used.
#[derive(Debug, Error)]
#[error("the system's name servers cannot be used: {0}")]
pub struct ResolverSetupError(#[from] NetError);

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> LocalBoxFuture<'static, Result<Vec<IpAddr>, ResolveError>> {
        let resolver = self.inner.clone();
        // A final dot keeps the resolver from trying the system's search domains.
        let name = if host.ends_with('.') { host.to_owned() } else { format!("{host}.") };
        Box::pin(async move {
            let answer = resolver.lookup_ip(name).await.map_err(|error| told(&error))?;
            let addresses: Vec<IpAddr> = answer.iter().take(ADDRESSES_MAX).collect();
            if addresses.is_empty() { Err(ResolveError::NoAddress) } else { Ok(addresses) }
        })
    }
}

/// The addresses that `localhost` and names under it have by definition (RFC 6761 section 6.3).
pub(crate) fn localhost_addresses(host: &str) -> Option<Vec<IpAddr>> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_localhost = host == "localhost" || host.ends_with(".localhost");
    is_localhost.then(|| vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
}

fn bounded(mut options: ResolverOpts) -> ResolverOpts {
    // Two tries must fit into the time that a lookup has.
    options.timeout = DNS_TIMEOUT / 2;
    options.attempts = 1;
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.cache_size = CACHE_NAMES_MAX;
    options.positive_max_ttl = Some(POOL_AGE_MAX);
    options.negative_max_ttl = Some(CACHE_ABSENCE_MAX);
    options
}

fn told(error: &NetError) -> ResolveError {
    match error {
        NetError::Timeout => ResolveError::Timeout,
        error if error.is_no_records_found() => ResolveError::NoAddress,
        error => ResolveError::Failed(error.to_string()),
    }
}
