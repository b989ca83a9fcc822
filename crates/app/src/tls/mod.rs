//! TLS for those who call us: a certificate with its key, and the protocol's settings around it.

mod certificate;
mod watch;

use std::sync::Arc;

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

pub(crate) use self::certificate::{Certificate, load};
pub(crate) use self::watch::watch;

/// TLS 1.2 and 1.3, HTTP/1.1, no client certificates. New handshakes take whatever the certificate holds then.
pub(crate) fn acceptor(certificate: Arc<Certificate>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .expect("the provider knows both versions")
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}
