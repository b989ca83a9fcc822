//! `signalpost config check`: everything that can be known to be wrong before a start.

use crate::cmd::Failure;
use crate::key_files::Keys;
use crate::settings::environment::Environment;
use crate::settings::layers::{Effective, Flags};
use crate::settings::problems::Problems;
use crate::settings::{Settings, database, from_effective};
use crate::telemetry::say;
use crate::tls;

pub(super) fn run(flags: &Flags) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let mut problems = Problems::default();
    let effective = Effective::gather(flags, &environment, &mut problems);
    let settings = from_effective(&effective, &mut problems);
    let databases = database::databases(flags, &environment).map_err(|failure| failure.what);
    let is_known = databases.is_ok();
    let databases = problems.keep(databases).unwrap_or_default();
    let settings = settings.map(|settings| Settings { databases, ..settings });
    if let Some(settings) = &settings {
        if is_known {
            settings.check_databases(&effective, &mut problems);
        }
        check_files(settings, &environment, &mut problems);
    }
    problems.into_result()?;
    let settings = settings.expect("without a problem there are settings");
    for warning in settings.warnings(&environment) {
        say(&format!("Warning: {warning}\n"));
    }
    let from = effective.file.map_or_else(String::new, |file| format!(", {file} included"));
    say(&format!("The configuration can be used{from}.\n"));
    Ok(())
}

/// What the settings point to: it must be there and make sense.
fn check_files(settings: &Settings, environment: &Environment, problems: &mut Problems) {
    let public = settings.public.tls.as_ref().filter(|_| settings.role.serves());
    for files in [public, settings.operator.tls.as_ref()].into_iter().flatten() {
        problems.keep(tls::load(files).map(drop));
    }
    problems.keep(Keys::check(settings, environment).map_err(|failure| failure.what));
}
