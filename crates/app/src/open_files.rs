//! The number of files that this process may have open: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signalpost_core::limits::{OPERATOR_TURNED_AWAY_MAX, POOL_CONNECTIONS_MAX};

use crate::settings::Settings;

/// The database, its log, the listeners, callers who are turned away, and what the runtime needs.
const OTHERS: u64 = 64 + OPERATOR_TURNED_AWAY_MAX as u64;

/// Raises the limit to what the system permits, which shells and service managers seldom do by themselves. Warns when
/// that is below what the settings may need.
pub(crate) fn raise_limit(settings: &Settings, cores: usize) {
    warn_if_too_few(raise(), settings, cores);
}

/// The same without knowing what for. Answers what is permitted then, `None` for any number.
pub(crate) fn raise() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            current
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
