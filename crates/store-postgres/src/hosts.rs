//! The servers of a URL that names several, as libpq has it: one of them takes writes, and after a fail-over another does.
//!
//! Each is tried by itself with its own time, so that one that is frozen does not take the time of the next.

use std::net::IpAddr;

use tokio_postgres::config::{Config, Host, TargetSessionAttrs};

use crate::open::OpenError;

/// PostgreSQL's own.
const PORT_DEFAULT: u16 = 5432;

/// The same settings for each server by itself. Whatever the URL says, one that takes no writes is not used.
pub(crate) fn each(config: &Config) -> Result<Vec<Config>, OpenError> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    let fits = |given: usize| given <= 1 || given == count;
    if count == 0
        || !fits(ports.len())
        || !(addresses.is_empty() || hosts.is_empty() || addresses.len() == hosts.len())
    {
        return Err(OpenError::Url(
            "it needs a host, and as many ports and addresses as hosts, or one port".to_owned(),
        ));
    }
    let port = |place: usize| ports.get(place).or(ports.first()).copied().unwrap_or(PORT_DEFAULT);
    Ok((0..count).map(|place| only(config, hosts.get(place), addresses.get(place), port(place))).collect())
}

/// How a server is named in a sentence.
pub(crate) fn name(config: &Config) -> String {
    let port = config.get_ports().first().copied().unwrap_or(PORT_DEFAULT);
    match (config.get_hosts().first(), config.get_hostaddrs().first()) {
        (Some(Host::Tcp(host)), _) => format!("{host}:{port}"),
        (Some(Host::Unix(path)), _) => format!("{}:{port}", path.display()),
        (None, Some(address)) => format!("{address}:{port}"),
        (None, None) => format!(":{port}"),
    }
}

fn only(all: &Config, host: Option<&Host>, address: Option<&IpAddr>, port: u16) -> Config {
    let mut one = Config::new();
    all.get_user().map(|user| one.user(user));
    all.get_password().map(|password| one.password(password));
    all.get_dbname().map(|name| one.dbname(name));
    all.get_options().map(|options| one.options(options));
    all.get_application_name().map(|name| one.application_name(name));
    all.get_connect_timeout().map(|timeout| one.connect_timeout(*timeout));
    all.get_tcp_user_timeout().map(|timeout| one.tcp_user_timeout(*timeout));
    all.get_keepalives_interval().map(|interval| one.keepalives_interval(interval));
    all.get_keepalives_retries().map(|retries| one.keepalives_retries(retries));
    match host {
        Some(Host::Tcp(name)) => drop(one.host(name)),
        Some(Host::Unix(path)) => drop(one.host_path(path)),
        None => {}
    }
    address.map(|address| one.hostaddr(*address));
    one.port(port)
        .ssl_mode(all.get_ssl_mode())
        .ssl_negotiation(all.get_ssl_negotiation())
        .keepalives(all.get_keepalives())
        .keepalives_idle(all.get_keepalives_idle())
        .channel_binding(all.get_channel_binding())
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(url: &str) -> Vec<String> {
        let config = url.parse().expect("a URL");
        each(&config).expect("it has servers").iter().map(name).collect()
    }

    #[test]
    fn every_server_of_a_url_is_tried_by_itself_and_must_take_writes() {
        assert_eq!(names("postgres://u@a:1,b:2/x"), ["a:1", "b:2"]);
        assert_eq!(names("postgres://u@a,b/x"), ["a:5432", "b:5432"]);
        assert_eq!(names("host=a,b port=7 user=u"), ["a:7", "b:7"]);
        assert_eq!(names("postgres://u@%2Frun%2Fpg:3/x"), ["/run/pg:3"]);
        for attributes in ["any", "read-only", "read-write"] {
            let config =
                format!("postgres://u:p@a,b/x?target_session_attrs={attributes}&options=-c%20jit%3Don");
            let each = each(&config.parse().expect("a URL")).expect("it has servers");
            for one in each {
                assert_eq!(one.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
                assert_eq!((one.get_user(), one.get_password()), (Some("u"), Some(&b"p"[..])));
                assert_eq!((one.get_dbname(), one.get_options()), (Some("x"), Some("-c jit=on")));
            }
        }
    }

    #[test]
    fn a_url_with_too_many_ports_or_no_host_is_refused() {
        for url in ["host=a,b,c port=1,2 user=u", "user=u"] {
            assert!(matches!(each(&url.parse().expect("it parses")), Err(OpenError::Url(_))), "{url}");
        }
    }
}
