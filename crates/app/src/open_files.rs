//! The number of files that this process may have open: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signalpost_core::limits::POOL_CONNECTIONS_MAX;

use crate::settings::Settings;

/// The database, its log, the listeners and what the runtime needs.
const OTHERS: u64 = 64;

/// Raises the limit to what the system permits, which shells and service managers seldom do by themselves. Warns when
/// that is below what the settings may need.
pub(crate) fn raise_limit(settings: &Settings, cores: usize) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return warn_if_too_few(current, settings, cores);
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => warn_if_too_few(maximum, settings, cores),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            warn_if_too_few(current, settings, cores);
        }
    }
}

fn warn_if_too_few(permitted: Option<u64>, settings: &Settings, cores: usize) {
    let callers = settings.public.connections + settings.operator.connections;
    let needed = (callers + cores * POOL_CONNECTIONS_MAX) as u64 + OTHERS;
    // No limit is enough.
    if permitted.is_some_and(|permitted| permitted < needed) {
        tracing::warn!(
            permitted,
            needed,
            "fewer files may be open than the connections that the settings permit; raise the limit (ulimit -n, \
             LimitNOFILE=) or lower `limits.public_connections` and `limits.operator_connections`"
        );
    }
}
