//! Makes a connection: resolve, judge every address, connect to exactly a judged one, TLS.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, abortable, select};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use signalpost_core::attempt::Failure;
use signalpost_core::target_url::{Scheme, TargetUrl};
use tokio::net::TcpStream;
use url::Host;

use crate::client::Shared;
use crate::connection::{Connection, Parts};
use crate::egress::EgressPolicy;
use crate::exchange::Course;
use crate::guard::{Judgement, judge, judge_socket, refused_name};
use crate::outcome::{Fault, Phase};
use crate::resolve::{ResolveError, localhost_addresses};
use crate::stream::{Layer, Meter, Stream, Wire};

/// Addresses tried before a receiver counts as unreachable.
const ADDRESSES_TRIED_MAX: usize = 3;

/// Opens a connection that can serve `url`. Its phases are limited one by one; the caller limits the whole.
pub(crate) async fn open(
    shared: &Rc<Shared>,
    url: &Arc<TargetUrl>,
    course: &Course,
) -> Result<Connection, Fault> {
    let policy = shared.policy();
    let born = shared.clock.monotonic();
    let addresses = judged_addresses(shared, url, &policy, course).await?;
    course.enter(Phase::Connecting);
    let tcp = dial(shared, &addresses, &policy).await?;
    let meter = Rc::new(Meter::new());
    let wire = Wire::new(tcp, Rc::clone(&meter));
    let listener = wire.listener();
    let layer = match url.scheme() {
        Scheme::Http => Layer::Plain(wire),
        Scheme::Https => {
            course.enter(Phase::TlsHandshake);
            secure(shared, url, wire).await?
        }
    };
    course.enter(Phase::Waiting);
    let io = TokioIo::new(Stream::new(layer, Rc::clone(&meter)));
    let (sender, connection) =
        shared.http.handshake(io).await.map_err(|error| Fault::http(&error, meter.answered()))?;
    let (task, driver) = abortable(connection);
    shared.tasks.spawn_local(Box::pin(async move {
        // What goes wrong on a connection is told to the request that is on it; between requests it is no news.
        if let Ok(Err(error)) = task.await {
            tracing::trace!(%error, "a connection to a receiver ended");
        }
    }));
    Connection::new(Parts { sender, driver, meter, listener, born, judged_by: policy }, url)
}

/// The addresses of the URL's host that may be connected to, at least one.
async fn judged_addresses(
    shared: &Shared,
    url: &TargetUrl,
    policy: &EgressPolicy,
    course: &Course,
) -> Result<Vec<SocketAddr>, Fault> {
    let name = match url.host() {
        Host::Ipv4(address) => return permitted(&[address.into()], url.port(), policy),
        Host::Ipv6(address) => return permitted(&[address.into()], url.port(), policy),
        Host::Domain(name) => name,
    };
    let Some(kind) = refused_name(name) else {
        let found = resolve(shared, name, course).await?;
        return permitted(&found, url.port(), policy);
    };
    // Names of the inside pass only when the operator opened what they lead to. When nothing is open they are
    // not even looked up.
    if !policy.opens_anything() {
        return Err(Fault::blocked(kind));
    }
    let found = match localhost_addresses(name) {
        // Both loopback addresses belong to this name by definition, so one that is open is enough.
        Some(both) => both.into_iter().filter(|address| policy.opens(*address)).collect(),
        None => resolve(shared, name, course).await?,
    };
    let all_opened = found.iter().all(|address| judge(*address, policy) == Judgement::Opened);
    if found.is_empty() || !all_opened {
        return Err(Fault::blocked(kind));
    }
    permitted(&found, url.port(), policy)
}

/// Keeps the addresses that may be connected to, IPv6 and IPv4 in turn.
fn permitted(found: &[IpAddr], port: u16, policy: &EgressPolicy) -> Result<Vec<SocketAddr>, Fault> {
    let (mut six, mut four, mut reason) = (Vec::new(), Vec::new(), "without any address");
    for address in found {
        let address = SocketAddr::new(address.to_canonical(), port);
        match judge_socket(address, policy) {
            Judgement::Blocked(kind) => reason = kind,
            _ if address.is_ipv6() => six.push(address),
            _ => four.push(address),
        }
    }
    let longest = six.len().max(four.len());
    let turns = (0..longest).flat_map(|turn| [six.get(turn), four.get(turn)]);
    let kept: Vec<SocketAddr> = turns.flatten().take(ADDRESSES_TRIED_MAX).copied().collect();
    if kept.is_empty() { Err(Fault::blocked(reason)) } else { Ok(kept) }
}

async fn resolve(shared: &Shared, name: &str, course: &Course) -> Result<Vec<IpAddr>, Fault> {
    course.enter(Phase::Resolving);
    let limit = shared.limits.dns;
    match within(shared, shared.resolver.resolve(name), limit).await {
        None | Some(Err(ResolveError::Timeout)) => Err(Fault::timeout(Phase::Resolving, limit)),
        Some(Ok(found)) if !found.is_empty() => Ok(found),
        Some(Ok(_) | Err(ResolveError::NoAddress)) => Err(Fault::new(
            Failure::Dns,
            format!("The name {name} does not resolve: it does not exist or has no address."),
        )),
        Some(Err(ResolveError::Failed(reason))) => {
            tracing::debug!(name, reason, "a name server failed");
            Err(Fault::new(Failure::Dns, format!("The name servers of {name} answered with a failure.")))
        }
    }
}

/// Connects to the first address that lets us. Each gets an even share of the time that is left.
async fn dial(shared: &Shared, addresses: &[SocketAddr], policy: &EgressPolicy) -> Result<TcpStream, Fault> {
    let limit = shared.limits.connect;
    let started = shared.clock.monotonic();
    let mut fault = Fault::timeout(Phase::Connecting, limit);
    for (index, address) in addresses.iter().enumerate() {
        let gone = Duration::from_micros(shared.clock.monotonic().us_since(started));
        let candidates = u32::try_from(addresses.len() - index).expect("a handful of addresses");
        let share = limit.saturating_sub(gone) / candidates;
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the product connects to a stranger"
        )]
        let connecting = TcpStream::connect(*address);
        fault = match within(shared, connecting, share).await {
            Some(Ok(tcp)) => return checked(tcp, *address, policy),
            Some(Err(error)) => Fault::connect(&error),
            None => Fault::timeout(Phase::Connecting, limit),
        };
    }
    Err(fault)
}

/// Makes sure that the connection leads where the judgement was about.
fn checked(tcp: TcpStream, judged: SocketAddr, policy: &EgressPolicy) -> Result<TcpStream, Fault> {
    let ends = tcp.peer_addr().and_then(|peer| Ok((peer, tcp.local_addr()?)));
    let (peer, local) = ends.map_err(|error| Fault::connect(&error))?;
    if peer.ip().to_canonical() != judged.ip() || peer.port() != judged.port() {
        return Err(Fault::blocked("reached by another address than the one that was checked"));
    }
    // Only a machine that talks to itself has the same address at both ends.
    let is_self = peer.ip() == local.ip() && policy.is_own_port(peer.port());
    if is_self && !policy.opens(peer.ip()) {
        return Err(Fault::blocked("a listener of this server itself"));
    }
    // A small request must not wait for the acknowledgement of another.
    tcp.set_nodelay(true).map_err(|error| Fault::connect(&error))?;
    Ok(tcp)
}

async fn secure(shared: &Shared, url: &TargetUrl, wire: Wire) -> Result<Layer, Fault> {
    let host = url.host();
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.strip_suffix('.').unwrap_or(name).to_owned())
            .map_err(|_| Fault::new(Failure::Tls, format!("{name} is not a name that certificates know.")))?,
        Host::Ipv4(address) => ServerName::from(IpAddr::V4(address)),
        Host::Ipv6(address) => ServerName::from(IpAddr::V6(address)),
    };
    let limit = shared.limits.tls;
    match within(shared, shared.tls.connect(name, wire), limit).await {
        None => Err(Fault::timeout(Phase::TlsHandshake, limit)),
        Some(Err(error)) => Err(Fault::tls(&error, &host.to_string())),
        Some(Ok(stream)) => Ok(Layer::Tls(Box::new(stream))),
    }
}

/// Waits for `future`, at most for `limit`.
async fn within<F: Future>(shared: &Shared, future: F, limit: Duration) -> Option<F::Output> {
    match select(pin!(future), shared.clock.sleep(limit)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}
