//! Encrypted connections: a server is known by its name and by an authority that is trusted.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use signalpost_store_postgres::{OpenError, OpenOptions, PostgresStore};
use signalpost_testkit::{Postgres, TempDir};

use crate::support::{SystemThreads, options};

/// Trusts what lies in the file, and nobody else.
fn trusting(authorities: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = authorities {
        let certificates = CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())?;
        for certificate in certificates {
            roots.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn open(url: String) -> Result<(), OpenError> {
    let threads = SystemThreads::default();
    let opened =
        PostgresStore::open(OpenOptions { tls: &trusting, ..options(&url, "s", &threads) }).map(drop);
    threads.join();
    opened
}

#[test]
fn a_server_is_spoken_to_by_tls_and_known_by_its_authority() {
    let ours = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let strange = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("another");
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let (good, bad) = (file("ours.pem", ours.cert.pem()), file("strange.pem", strange.cert.pem()));
    // Whoever comes in the clear is turned away.
    let server =
        Postgres::start_with_tls(&ours.cert.pem(), &ours.signing_key.serialize_pem()).expect("a server");
    let by_name = server.url().replace("127.0.0.1", "localhost");
    open(format!("{by_name}?sslmode=verify-full&sslrootcert={good}")).expect("it is trusted");
    for (url, why) in [
        (format!("{by_name}?sslmode=require&sslrootcert={bad}"), "another authority"),
        (format!("{by_name}?sslmode=require"), "no authority at all"),
        (format!("{}?sslmode=require&sslrootcert={good}", server.url()), "another name"),
    ] {
        let refused = open(url).expect_err(why).to_string();
        assert!(refused.contains("cannot be reached"), "{why}: {refused}");
    }
    let refused = open(format!("{by_name}?sslmode=disable")).expect_err("in the clear").to_string();
    assert!(refused.contains("no encryption"), "{refused}");
    let missing = open(format!("{by_name}?sslmode=require&sslrootcert=/nowhere")).expect_err("no such file");
    assert!(matches!(missing, OpenError::Tls(_)), "{missing}");
}

#[test]
fn a_server_without_tls_is_not_spoken_to_where_it_is_asked_for() {
    let server = Postgres::start(&[]).expect("a server");
    let refused = open(format!("{}?sslmode=require", server.url())).expect_err("it has none").to_string();
    assert!(refused.contains("TLS"), "{refused}");
}
