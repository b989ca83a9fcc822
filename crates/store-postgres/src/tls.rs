//! Whether connections are encrypted, and what a URL says of it.
//!
//! A server that is asked for TLS is known by its name and by an authority that is trusted: `require` is as strict as
//! `verify-full`. Where a URL says nothing, only a server on this machine is spoken to in the clear.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use rustls::ClientConfig;
use tokio_postgres::config::{Config, Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::open::OpenError;

/// Makes the settings of TLS, with the authorities in a file of PEM trusted besides. The error is a sentence.
pub type TlsSettings<'a> = dyn Fn(Option<&Path>) -> Result<ClientConfig, String> + 'a;

/// The protocol that PostgreSQL knows itself by, from version 17 on.
const ALPN: &[u8] = b"postgresql";

/// A database URL, and what stood in it of TLS.
pub(crate) struct Wishes {
    /// Without what stands below.
    pub(crate) url: String,
    mode: Option<String>,
    /// File of further authorities.
    authorities: Option<PathBuf>,
}

impl Wishes {
    pub(crate) fn of(url: &str) -> Self {
        let mut wishes = Self { url: url.to_owned(), mode: None, authorities: None };
        // The credentials end at the first `@`, whatever stands in a password before it.
        let behind_credentials = url.find('@').map_or(0, |at| at + 1);
        let Some(mark) = url[behind_credentials..].find('?').map(|mark| behind_credentials + mark) else {
            return wishes;
        };
        let (base, query) = (&url[..mark], &url[mark + 1..]);
        let mut kept = Vec::new();
        for pair in query.split('&') {
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            match pair.split_once('=') {
                Some(("sslmode", mode)) => wishes.mode = Some(decoded(mode)),
                Some(("sslrootcert", path)) => wishes.authorities = Some(decoded(path).into()),
                _ => kept.push(pair),
            }
        }
        wishes.url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
        wishes
    }

    /// Sets what is wished for; the connector, where a connection may be encrypted.
    pub(crate) fn apply(
        &self,
        config: &mut Config,
        settings: &TlsSettings<'_>,
    ) -> Result<Option<MakeRustlsConnect>, OpenError> {
        let mode = match self.mode.as_deref() {
            Some("disable") => SslMode::Disable,
            Some("allow" | "prefer") => SslMode::Prefer,
            Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
            None if stays_here(config) => SslMode::Disable,
            None => SslMode::Require,
            Some(other) => {
                let known = "disable, prefer, require, verify-ca and verify-full";
                return Err(OpenError::Url(format!("sslmode is {other:?}; there are {known}")));
            }
        };
        config.ssl_mode(mode);
        if mode == SslMode::Disable {
            return Ok(None);
        }
        let mut settings = settings(self.authorities.as_deref()).map_err(OpenError::Tls)?;
        settings.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Some(MakeRustlsConnect::new(settings)))
    }
}

/// Whether connections stay on this machine. Where addresses are given they are dialled, whatever the hosts are called.
fn stays_here(config: &Config) -> bool {
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    match addresses.is_empty() {
        true => hosts.iter().all(is_here),
        false => addresses.iter().all(IpAddr::is_loopback),
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mode that comes of a URL, and the file of authorities that was asked for.
    fn chosen(url: &str) -> Result<(SslMode, Option<PathBuf>), String> {
        let wishes = Wishes::of(url);
        let mut config: Config = wishes.url.parse().map_err(|error| format!("{error}"))?;
        let asked = std::cell::RefCell::new(None);
        let settings = |file: Option<&Path>| {
            *asked.borrow_mut() = file.map(Path::to_owned);
            Err("seen".to_owned())
        };
        match wishes.apply(&mut config, &settings) {
            Ok(_) | Err(OpenError::Tls(_)) => {}
            Err(other) => return Err(other.to_string()),
        }
        Ok((config.get_ssl_mode(), asked.into_inner()))
    }

    #[test]
    fn what_is_not_said_is_encrypted_unless_it_stays_on_this_machine() {
        for (url, mode) in [
            ("postgres://db.example.com/x", SslMode::Require),
            ("postgres://10.0.0.1/x", SslMode::Require),
            ("postgres://127.0.0.1/x", SslMode::Disable),
            ("postgres://localhost/x", SslMode::Disable),
            ("postgres://%2Fvar%2Frun/x", SslMode::Disable),
            ("postgres://localhost,db.example.com/x", SslMode::Require),
            ("postgres://db.example.com/x?sslmode=disable", SslMode::Disable),
            ("postgres://db.example.com/x?sslmode=prefer", SslMode::Prefer),
            ("postgres://localhost/x?sslmode=verify-full&connect_timeout=3", SslMode::Require),
            ("postgres://localhost/x?hostaddr=10.0.0.5", SslMode::Require),
            ("postgres://u:p@/x?hostaddr=10.0.0.5", SslMode::Require),
            ("postgres://db.example.com/x?hostaddr=127.0.0.1", SslMode::Disable),
            ("postgres://u:a?b@localhost/x?sslmode=require", SslMode::Require),
            ("postgres://u:a?sslmode=disable@db.example.com/x", SslMode::Require),
        ] {
            assert_eq!(chosen(url), Ok((mode, None)), "{url}");
        }
        assert!(chosen("postgres://localhost/x?sslmode=yes").is_err_and(|error| error.contains("\"yes\"")));
    }

    #[test]
    fn further_authorities_stand_in_a_file() {
        let url = "postgres://db/x?sslrootcert=%2Fetc%2Fca%20of%20ours.pem&sslmode=require";
        assert_eq!(chosen(url), Ok((SslMode::Require, Some("/etc/ca of ours.pem".into()))));
    }
}
