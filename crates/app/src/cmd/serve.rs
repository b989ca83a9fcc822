//! `signalpost serve`: run until told to stop.

use crate::cmd::Failure;
use crate::cmd::stop::stop_signal;
use crate::key_files::Keys;
use crate::server::Server;
use crate::settings::Settings;
use crate::settings::environment::Environment;
use crate::settings::layers::Flags;
use crate::telemetry;

pub(super) fn run(flags: &Flags) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let settings = Settings::read(flags, &environment)?;
    telemetry::start(&settings.log)?;
    for warning in settings.warnings(&environment) {
        tracing::warn!("{warning}");
    }
    let keys = Keys::of(&settings, &environment)?;
    tracing::info!(operator_key = keys.operator_key_source, data = %settings.data.display(), "keys are in place");
    Server::start(settings, keys)?.run_until(stop_signal())
}
