//! `signalpost serve`: run until told to stop.

use crate::cli::ServeArgs;
use crate::cmd::Failure;
use crate::cmd::stop::stop_signal;
use crate::server::Server;
use crate::settings::Settings;
use crate::telemetry;

pub(super) fn run(args: ServeArgs) -> Result<(), Failure> {
    telemetry::start()?;
    let settings = Settings::read(args)?;
    tracing::info!(operator_key = settings.operator_key_source, data = %settings.data.display(), "keys are in place");
    Server::start(settings)?.run_until(stop_signal())
}
