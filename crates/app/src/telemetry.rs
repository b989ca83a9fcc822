//! Logs and the last words of a process: text for a person at a terminal, JSON lines for everything else.

use std::io::{IsTerminal, Write};

use tracing_subscriber::EnvFilter;

use crate::cmd::Failure;

/// Starts logging to standard error: the lines that `filter` wants, for example `signalpost_engine=debug,info`.
pub(crate) fn start(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Failure::new(format!("the log filter `{filter}` cannot be read: {error}")))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        lines.with_target(false).init();
    } else {
        lines.json().flatten_event(true).with_ansi(false).init();
    }
    Ok(())
}

/// Says why the process ends, and what to do about it.
pub(crate) fn print_failure(failure: &Failure) {
    let mut text = format!("signalpost: {}\n", failure.what);
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("  {hint}\n"));
    }
    // With standard error closed there is nobody left to tell; the exit status still says it.
    std::io::stderr().write_all(text.as_bytes()).unwrap_or_default();
}

/// Writes to standard error for the person who started us: what is under way.
pub(crate) fn note(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).unwrap_or_default();
}

/// Writes to standard output for the person who started us.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // A closed pipe (`signalpost demo | head`) must not stop a server.
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).unwrap_or_default();
}
