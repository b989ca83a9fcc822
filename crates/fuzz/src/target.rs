//! The targets, one file for each kind.

mod answer;
mod config;
mod cursor;
mod dialect;
mod filter;
mod forwarded;
mod header;
mod id;
mod instant;
mod publish;
mod row;
mod seal;
mod template;
mod url;

use signalpost_api::built_in_dialects;

use crate::Target;
use crate::server::Setup;

pub(crate) fn all() -> Vec<Target> {
    let setups: Vec<Setup> = built_in_dialects().iter().map(Setup::read).collect();
    let mut targets: Vec<Target> = built_in_dialects().iter().map(dialect::target).collect();
    targets.extend([
        publish::target(setups.clone()),
        cursor::target(setups),
        filter::target(),
        url::target(),
        answer::target(),
        header::target(),
        template::target(),
        instant::target(),
        id::target(),
        seal::target(),
        row::target(),
        config::target(),
        forwarded::target(),
    ]);
    targets
}
