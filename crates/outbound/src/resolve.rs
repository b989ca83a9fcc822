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

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "these tests run a name server of their own")]
mod tests {
    use super::*;
    use hickory_resolver::config::{ConnectionConfig, NameServerConfig};
    use hickory_resolver::proto::rr::Name;
    use std::net::UdpSocket;
    use std::sync::mpsc;

    /// What the test's name server does with a question.
    #[derive(Clone, Copy)]
    enum Reply {
        /// One A record for `IN A`, nothing for the rest. It may be kept for a day.
        Address([u8; 4]),
        /// The same behind another name. It may not be kept at all.
        Alias([u8; 4]),
        /// A response code without records.
        Code(u8),
        Silence,
    }

    /// Answers questions on a socket of its own; sends each name that was asked for.
    fn name_server(reply: Reply) -> (ResolverConfig, mpsc::Receiver<(String, Kind)>) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = socket.local_addr().expect("it listens").port();
        let (asked, questions) = mpsc::channel();
        std::thread::spawn(move || {
            let mut packet = [0; 1500];
            while let Ok((length, client)) = socket.recv_from(&mut packet) {
                let (name, end) = question(&packet[..length]);
                if asked.send((name, kind(&packet[..end]))).is_err() {
                    return;
                }
                if let Some(answer) = answer(&packet[..end], reply) {
                    socket.send_to(&answer, client).expect("loopback takes it");
                }
            }
        });
        let mut server = NameServerConfig::udp(Ipv4Addr::LOCALHOST.into());
        let mut connection = ConnectionConfig::udp();
        connection.port = port;
        server.connections = vec![connection];
        let search = vec![Name::from_ascii("search.example.").expect("a name")];
        (ResolverConfig::from_parts(None, search, vec![server]), questions)
    }

    /// The name in a question, and where the question ends (RFC 1035 section 4.1.2).
    fn question(packet: &[u8]) -> (String, usize) {
        let (mut name, mut at) = (String::new(), 12);
        while packet[at] != 0 {
            let length = usize::from(packet[at]);
            name.push_str(std::str::from_utf8(&packet[at + 1..=at + length]).expect("an ASCII name"));
            name.push('.');
            at += length + 1;
        }
        (name, at + 5)
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Kind {
        A,
        Other,
    }

    fn kind(question: &[u8]) -> Kind {
        if question.ends_with(&[0, 1, 0, 1]) { Kind::A } else { Kind::Other }
    }

    fn answer(question: &[u8], reply: Reply) -> Option<Vec<u8>> {
        // A pointer to the name, type A, class IN, a lifetime of a day, four bytes.
        const RECORD: [u8; 12] = [0xc0, 12, 0, 1, 0, 1, 0, 1, 0x51, 0x80, 0, 4];
        // A pointer to the name, type CNAME, class IN, no lifetime, seven bytes: `inside` in the root.
        const ALIAS: [u8; 20] =
            [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 0, 0, 8, 6, b'i', b'n', b's', b'i', b'd', b'e', 0];
        // `inside`, type A, class IN, no lifetime, four bytes.
        const ALIASED: [u8; 18] = [6, b'i', b'n', b's', b'i', b'd', b'e', 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4];
        let is_a = kind(question) == Kind::A;
        let (code, count, records) = match reply {
            Reply::Silence => return None,
            Reply::Code(code) => (code, 0, Vec::new()),
            Reply::Address(address) if is_a => (0, 1, [&RECORD[..], &address].concat()),
            Reply::Alias(address) if is_a => (0, 2, [&ALIAS[..], &ALIASED, &address].concat()),
            Reply::Address(_) | Reply::Alias(_) => (0, 0, Vec::new()),
        };
        let mut packet = question.to_vec();
        packet[2..4].copy_from_slice(&[0x81, 0x80 | code]);
        packet[6..8].copy_from_slice(&[0, count]);
        packet[8..12].fill(0);
        packet.extend(records);
        Some(packet)
    }

    fn resolve(config: ResolverConfig, names: &[&str]) -> Vec<Result<Vec<IpAddr>, ResolveError>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut options = ResolverOpts::default();
            options.ndots = 5;
            let resolver = SystemResolver::with(config, options).expect("a good configuration");
            let mut found = Vec::new();
            for name in names {
                found.push(resolver.resolve(name).await);
            }
            found
        })
    }

    #[test]
    fn the_whole_name_is_asked_once_and_kept() {
        let (config, questions) = name_server(Reply::Address([192, 0, 2, 7]));
        let found = resolve(config, &["hook.example", "hook.example."]);
        let expected: IpAddr = [192, 0, 2, 7].into();
        assert_eq!(found, [Ok(vec![expected]), Ok(vec![expected])]);
        let asked: Vec<(String, Kind)> = questions.try_iter().collect();
        assert!(asked.iter().all(|(name, _)| name == "hook.example."), "no search domain: {asked:?}");
        assert_eq!(asked.iter().filter(|(_, kind)| *kind == Kind::A).count(), 1, "the answer was kept");
        assert!(asked.iter().any(|(_, kind)| *kind == Kind::Other), "IPv6 was asked for");
    }

    /// What stands behind an alias is what would be dialled, so that is what comes to be judged; and an answer that may not be
    /// kept is asked for again.
    #[test]
    fn aliases_are_followed_to_their_addresses_and_lifetimes_are_kept() {
        let (config, questions) = name_server(Reply::Alias([10, 0, 0, 1]));
        let found = resolve(config, &["hook.example", "hook.example"]);
        let expected: IpAddr = [10, 0, 0, 1].into();
        assert_eq!(found, [Ok(vec![expected]), Ok(vec![expected])]);
        let asked = questions.try_iter().filter(|(name, kind)| name == "hook.example." && *kind == Kind::A);
        assert_eq!(asked.count(), 2, "a lifetime of nothing");
    }

    #[test]
    fn absence_failure_and_silence_are_told_apart() {
        let (config, _questions) = name_server(Reply::Code(3));
        assert_eq!(resolve(config, &["missing.example"]), [Err(ResolveError::NoAddress)]);
        let (config, _questions) = name_server(Reply::Code(2));
        let failed = resolve(config, &["broken.example"]).remove(0);
        assert!(matches!(failed, Err(ResolveError::Failed(_))), "{failed:?}");
        let (config, _questions) = name_server(Reply::Silence);
        assert_eq!(resolve(config, &["silent.example"]), [Err(ResolveError::Timeout)]);
    }

    #[test]
    fn localhost_is_loopback_by_definition() {
        for name in ["localhost", "localhost.", "a.localhost", "a.localhost."] {
            assert!(
                localhost_addresses(name).is_some_and(|both| both.iter().all(IpAddr::is_loopback)),
                "{name}"
            );
        }
        for name in ["localhost.example", "mylocalhost", ""] {
            assert_eq!(localhost_addresses(name), None, "{name}");
        }
    }
}
