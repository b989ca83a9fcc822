//! Configuration files: settings or sentences, and what `config print` writes is read as the same settings.

use std::str::from_utf8;

use crate::Target;

const BYTES_MAX: usize = 4_096;

pub(super) fn target() -> Target {
    Target::new(
        "config",
        "settings or sentences; printed settings are read as the same",
        BYTES_MAX,
        |input| {
            from_utf8(input).into_iter().for_each(signalpost::fuzzing::settings);
        },
    )
}
