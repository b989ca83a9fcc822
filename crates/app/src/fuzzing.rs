//! Entries for the fuzz targets, behind the cargo feature `fuzzing`.

use std::net::IpAddr;

use http::HeaderMap;
use signalpost_core::cidr::Cidr;

use crate::cmd::config::print::{as_json, as_toml};
use crate::listen::TrustedProxies;
use crate::settings::environment::Environment;
use crate::settings::layers::{Effective, Flags};
use crate::settings::problems::Problems;
use crate::settings::{effective_tables, file, from_effective, keys};

/// Reads a configuration file. When it is good, what is printed of it must be good and say the same.
///
/// # Panics
/// When it does not, or when a problem has no words.
pub fn settings(text: &str) {
    let Ok(effective) = read(text) else { return };
    let printed = as_toml(&effective, &[]);
    let again = read(&printed).unwrap_or_else(|problems| panic!("{problems}\n{printed}"));
    for key in keys::ALL {
        assert_eq!(again.get(key).value, effective.get(key).value, "{}\n{printed}", key.name);
    }
    let tables = |effective: &Effective| {
        let tables = effective_tables(effective).into_iter();
        tables.map(|table| (table.shape, table.hosts, table.values)).collect::<Vec<_>>()
    };
    assert_eq!(tables(&again), tables(&effective), "{printed}");
    let json = as_json(&effective, &[]);
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
}

fn read(text: &str) -> Result<Effective, String> {
    let mut problems = Problems::default();
    let file = file::parse("signalpost.toml", text, &mut problems);
    let (flags, environment) = (Flags::default(), Environment::default());
    let effective = Effective::lay(&flags, &environment, Some(file), &mut problems);
    let settings = from_effective(&effective, &mut problems);
    problems.into_result().map_err(|failure| failure.what)?;
    assert!(settings.is_some(), "without a problem there are settings");
    Ok(effective)
}

/// Who calls, by `X-Forwarded-For`, when these ranges of proxies are trusted.
///
/// # Panics
/// When the ranges are none.
pub fn caller(trusted: &str, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    TrustedProxies::new(Cidr::parse_list(trusted).expect("ranges")).caller(peer, headers)
}
