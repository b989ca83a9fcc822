//! From texts to what they mean. One place reads each key of the table.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use signalpost_core::cell::CellNumber;
use signalpost_core::cidr::Cidr;
use signalpost_core::limits::{CALLER_TIMEOUT_MAX, CALLER_TIMEOUT_MIN, CELLS_MAX, CONNECTIONS_CEILING};
use signalpost_core::retention::RetentionRules;
use signalpost_outbound::EgressPolicy;
use tracing_subscriber::EnvFilter;

use super::keys::{self, Key};
use super::layers::{Chosen, Effective};
use super::problems::Problems;
use super::value::Value;
use super::{DoorSettings, Settings, TlsFiles, amount, dialects, portal};
use crate::patience::Patience;
use crate::role::Role;

/// `None` only when a problem was noted.
pub(crate) fn from_effective(effective: &Effective, problems: &mut Problems) -> Option<Settings> {
    let mut reader = Reader { effective, problems };
    let data = reader.text(keys::DATA, data);
    let role = reader.text(keys::ROLE, Role::read);
    let new_workspaces = reader.cell(keys::NEW_WORKSPACES);
    let public =
        reader.door(keys::PUBLIC, keys::PUBLIC_CERTIFICATE, keys::PUBLIC_KEY, keys::PUBLIC_CONNECTIONS);
    let operator = reader.door(
        keys::OPERATOR,
        keys::OPERATOR_CERTIFICATE,
        keys::OPERATOR_KEY,
        keys::OPERATOR_CONNECTIONS,
    );
    let egress = reader.list(keys::EGRESS_ALLOW, |list| EgressPolicy::parse(list).map_err(|e| e.to_string()));
    let trusted_proxies =
        reader.list(keys::TRUSTED_PROXIES, |list| Cidr::parse_list(list).map_err(|e| e.to_string()));
    let log = reader.text(keys::LOG, log);
    let retention = reader.retention();
    let patience = reader.patience();
    if let (Some(public), Some(operator)) = (&public, &operator)
        && role.is_some_and(Role::serves)
    {
        reader.check_apart(public.address, operator.address);
    }
    let portal = reader.portal(public.as_ref());
    let dialects = dialects::read(effective, problems);
    if let Some(dialects) = &dialects
        && matches!(portal, Some(Some(_)))
    {
        portal::check_room(dialects, effective, problems);
    }
    Some(Settings {
        data: data?,
        databases: Vec::new(),
        new_workspaces: new_workspaces?,
        role: role?,
        public: public?,
        operator: operator?,
        egress: egress?,
        trusted_proxies: trusted_proxies?,
        log: log?,
        retention: retention?,
        patience: patience?,
        dialects: dialects?,
        portal: portal?,
    })
}

pub(super) struct Reader<'a> {
    pub(super) effective: &'a Effective,
    pub(super) problems: &'a mut Problems,
}

impl Reader<'_> {
    pub(super) fn take<T>(&mut self, key: &Key, read: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        let Chosen { value, source } = self.effective.get(key);
        // A value that is missing although it has a default was noted when the layers were laid.
        self.problems.take(source, key.name, read(value.as_ref()?))
    }

    pub(super) fn text<T>(&mut self, key: &Key, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        self.take(key, |value| read(&value.plain()))
    }

    fn list<T>(&mut self, key: &Key, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        self.text(key, read)
    }

    /// Left out is as good as any.
    fn cell(&mut self, key: &Key) -> Option<Option<CellNumber>> {
        if self.effective.get(key).value.is_none() {
            return Some(None);
        }
        let cell = self.take(key, |value| match value {
            Value::Number(number) => {
                let cell = usize::try_from(*number).ok().and_then(CellNumber::new);
                cell.ok_or_else(|| format!("must be from 0 to {}", CELLS_MAX - 1))
            }
            Value::Text(_) | Value::List(_) | Value::Switch(_) => Err("must be a number".to_owned()),
        });
        cell.map(Some)
    }

    fn door(
        &mut self,
        address: &Key,
        certificate: &Key,
        key: &Key,
        connections: &Key,
    ) -> Option<DoorSettings> {
        let tls = self.tls(certificate, key);
        let address = self.text(address, |text| {
            text.parse::<SocketAddr>()
                .map_err(|_| format!("`{text}` is not an address with a port, such as 127.0.0.1:8080"))
        });
        let connections = self.take(connections, |value| match value {
            Value::Number(number) => match usize::try_from(*number) {
                Ok(number) if (1..=CONNECTIONS_CEILING).contains(&number) => Ok(number),
                _ => Err(format!("must be from 1 to {CONNECTIONS_CEILING}")),
            },
            Value::Text(_) | Value::List(_) | Value::Switch(_) => Err("must be a number".to_owned()),
        });
        Some(DoorSettings { address: address?, tls: tls?, connections: connections? })
    }

    /// Both files or none. An empty path takes back what an earlier layer said.
    fn tls(&mut self, certificate: &Key, key: &Key) -> Option<Option<TlsFiles>> {
        let path = |key: &Key| {
            let path = self.effective.get(key).value.as_ref().map(Value::plain);
            path.filter(|path| !path.is_empty()).map(PathBuf::from)
        };
        match (path(certificate), path(key)) {
            (Some(certificate), Some(key)) => Some(Some(TlsFiles { certificate, key })),
            (None, None) => Some(None),
            (Some(_), None) => self.say_half(certificate, key),
            (None, Some(_)) => self.say_half(key, certificate),
        }
    }

    fn say_half<T>(&mut self, given: &Key, missing: &Key) -> Option<T> {
        let problem = format!("needs `{}` beside it: a certificate and its key go together", missing.name);
        self.problems.at(&self.effective.get(given).source, given.name, &problem);
        None
    }

    fn retention(&mut self) -> Option<RetentionRules> {
        let event_age_max = self.text(keys::RETENTION_EVENTS, amount::age);
        let payload_age_max = self.text(keys::RETENTION_PAYLOADS, amount::age);
        let bytes_max = self.text(keys::RETENTION_BYTES, amount::bytes);
        Some(RetentionRules {
            event_age_max: event_age_max?,
            payload_age_max: payload_age_max?,
            bytes_max: bytes_max?,
        })
    }

    fn patience(&mut self) -> Option<Patience> {
        let head = self.text(keys::HEAD_TIMEOUT, timeout);
        let body = self.text(keys::BODY_TIMEOUT, timeout);
        let silence = self.text(keys::BODY_SILENCE, timeout);
        let stall = self.text(keys::STALL_TIMEOUT, timeout);
        Some(Patience {
            handshake: head?,
            first_head: head?,
            body: body?,
            body_silence: silence?,
            stall: stall?,
            ..Patience::default()
        })
    }

    /// One address cannot be both; port 0 is a free port each.
    fn check_apart(&mut self, public: SocketAddr, operator: SocketAddr) {
        if public == operator && public.port() != 0 {
            let source = &self.effective.get(keys::OPERATOR).source;
            let problem =
                format!("{operator} is the public address as well; what customers reach is never yours");
            self.problems.at(source, keys::OPERATOR.name, &problem);
        }
    }
}

fn data(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(PathBuf::from(text)) }
}

fn log(text: &str) -> Result<String, String> {
    let text = if text.is_empty() { "info" } else { text };
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| format!("`{text}`: {error}"))
}

fn timeout(text: &str) -> Result<Duration, String> {
    let time = amount::time(text)?;
    if (CALLER_TIMEOUT_MIN..=CALLER_TIMEOUT_MAX).contains(&time) {
        return Ok(time);
    }
    let (min, max) = (CALLER_TIMEOUT_MIN.as_millis(), CALLER_TIMEOUT_MAX.as_secs());
    Err(format!("must be from {min}ms to {max}s"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::environment::Environment;
    use crate::settings::file;
    use crate::settings::layers::Flags;

    fn read(text: &str) -> (Option<Settings>, Vec<String>) {
        let mut problems = Problems::default();
        let file = file::parse("s.toml", text, &mut problems);
        let effective = Effective::lay(&Flags::default(), &Environment::default(), Some(file), &mut problems);
        let settings = from_effective(&effective, &mut problems);
        (settings, problems.sentences().to_vec())
    }

    #[test]
    fn defaults_are_the_limits_of_core() {
        let (settings, problems) = read("");
        assert_eq!(problems, [] as [&str; 0]);
        let settings = settings.expect("defaults are good");
        assert_eq!(settings.patience, Patience::default());
        assert_eq!(settings.public.connections, signalpost_core::limits::PUBLIC_CONNECTIONS_MAX);
        assert_eq!(settings.operator.connections, signalpost_core::limits::OPERATOR_CONNECTIONS_MAX);
        let days = |days: u64| Some(Duration::from_secs(days * 86_400));
        let (event_age_max, payload_age_max, bytes_max) = (days(30), days(30), Some(50 << 30));
        assert_eq!(settings.retention, RetentionRules { event_age_max, payload_age_max, bytes_max });
        assert!(settings.public.tls.is_none() && !settings.egress.opens_anything());
        let names: Vec<&str> = settings.dialects.iter().map(|dialect| dialect.name.as_str()).collect();
        let built_in = signalpost_api::built_in_dialects();
        assert_eq!(names, built_in.iter().map(|dialect| dialect.name.as_str()).collect::<Vec<_>>());
    }

    #[test]
    fn a_whole_file_is_understood() {
        let text = "public = '[::1]:80'\nlog = 'debug,h=info'\ntrusted_proxies = ['10.0.0.0/8', '::1']\n\
                    [tls.public]\ncertificate = 'c'\nkey = 'k'\n[retention]\nevents = 'off'\npayloads = '12h'\n\
                    bytes = '20GiB'\n[limits]\nbody_timeout = '5s'\npublic_connections = 7\n";
        let (settings, problems) = read(text);
        assert_eq!(problems, [] as [&str; 0]);
        let settings = settings.expect("good");
        assert_eq!(settings.public.address.port(), 80);
        let tls = TlsFiles { certificate: "c".into(), key: "k".into() };
        assert_eq!((settings.public.tls, settings.operator.tls), (Some(tls), None));
        assert_eq!(settings.trusted_proxies.len(), 2);
        assert_eq!((settings.retention.event_age_max, settings.retention.bytes_max), (None, Some(20 << 30)));
        assert_eq!(settings.patience.body, Duration::from_secs(5));
        assert_eq!(settings.public.connections, 7);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let text = "data = ''\npublic = 'nowhere'\negress_allow = '10.0.0.1/8'\nlog = '=='\n[tls.operator]\n\
                    key = 'k'\n[limits]\nbody_timeout = '1h'\npublic_connections = 0\n[retention]\nbytes = '1'";
        let (settings, problems) = read(text);
        assert!(settings.is_none());
        let begins = [
            "s.toml:1: `data`: must not be empty",
            "s.toml:2: `public`: `nowhere` is not an address",
            "s.toml:9: `limits.public_connections`: must be from 1 to 65536",
            "s.toml:6: `tls.operator.key`: needs `tls.operator.certificate` beside it",
            "s.toml:3: `egress_allow`: `10.0.0.1/8` has bits set",
            "s.toml:4: `log`: `==`",
            "s.toml:11: `retention.bytes`: `1` is not a size",
            "s.toml:8: `limits.body_timeout`: must be from 100ms to 600s",
        ];
        assert_eq!(problems.len(), begins.len(), "{problems:#?}");
        for (problem, begin) in problems.iter().zip(begins) {
            assert!(problem.starts_with(begin), "{problem}");
        }
    }

    #[test]
    fn one_address_cannot_be_both() {
        let (_, problems) = read("public = '127.0.0.1:9'\noperator = '127.0.0.1:9'");
        assert!(problems[0].starts_with("s.toml:2: `operator`: 127.0.0.1:9 is the public address as well"));
        assert!(read("public = '127.0.0.1:0'\noperator = '127.0.0.1:0'").0.is_some());
    }
}
