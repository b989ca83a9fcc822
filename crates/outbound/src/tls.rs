//! The TLS settings of outgoing connections: which authorities are trusted, which versions are spoken.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// Receivers whose sessions are kept for resumption, which saves about a fifth of a handshake.
const RESUMED_RECEIVERS_MAX: usize = 4_096;

/// Builds the settings once for the process: TLS 1.2 or 1.3, HTTP/1.1, session resumption.
///
/// Trusted are the system's authorities (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured), Mozilla's when the
/// system has none, and those in `extra_authorities_pem`.
///
/// # Errors
/// When `extra_authorities_pem` holds no certificate or one that cannot be used.
pub fn client_config(extra_authorities_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, TlsSetupError> {
    let mut roots = system_roots();
    if let Some(pem) = extra_authorities_pem {
        add_extra(&mut roots, pem)?;
    }
    Ok(Arc::new(with_roots(roots)))
}

/// Why the TLS settings cannot be built.
#[derive(Debug, Error)]
pub enum TlsSetupError {
    #[error("the extra authorities are not readable PEM: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    #[error("the extra authorities hold no certificate")]
    Empty,
    #[error("an extra authority cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

fn with_roots(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .expect("the provider knows both versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(RESUMED_RECEIVERS_MAX);
    config
}

fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a part of the system's trusted certificates cannot be read");
    }
    let mut roots = RootCertStore::empty();
    let (added, unusable) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!("the system has no trusted certificates; Mozilla's built-in list is used");
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    tracing::debug!(added, unusable, "trusted authorities loaded");
    roots
}

fn add_extra(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), TlsSetupError> {
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate?)?;
        added += 1;
    }
    if added == 0 { Err(TlsSetupError::Empty) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_authorities_must_be_certificates() {
        let table: [(&[u8], &str); 3] = [
            (b"", "the extra authorities hold no certificate"),
            (b"hello", "the extra authorities hold no certificate"),
            (
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "an extra authority cannot be used",
            ),
        ];
        for (pem, message) in table {
            let error = add_extra(&mut RootCertStore::empty(), pem).expect_err(message).to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
