//! TLS on both addresses, and certificates that change while callers come.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use signalpost_testkit::{Server, TempDir, wait_for};

use crate::raw::Raw;
use crate::{PATIENCE, options};

/// Writes a new certificate for this machine and its key; returns what trusts it.
fn renew(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("chain.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

/// The answer to a request of somebody who trusts one certificate.
fn get(
    address: SocketAddr,
    path: &str,
    trusted: &CertificateDer<'static>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut stream = StreamOwned::new(client, stream);
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    Ok(answer)
}

fn is_served(address: SocketAddr, trusted: &CertificateDer<'static>) -> bool {
    get(address, "/nothing", trusted, rustls::DEFAULT_VERSIONS)
        .is_ok_and(|answer| answer.starts_with("HTTP/1.1 404"))
}

/// A server with TLS on both addresses, and the certificate that it shows.
fn start(folder: &TempDir, more: &[&str]) -> (Server, CertificateDer<'static>) {
    let trusted = renew(folder.path());
    let [chain, key] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name).display().to_string());
    let mut arguments = vec!["--public-tls-cert", &chain, "--public-tls-key", &key];
    arguments.extend(["--operator-tls-cert", &chain, "--operator-tls-key", &key]);
    arguments.extend(more);
    let mut server = Server::new(options(&arguments)).unwrap();
    server.launch().unwrap();
    wait_for("the operator's door", PATIENCE, || is_served(server.operator_address(), &trusted)).unwrap();
    (server, trusted)
}

fn hang_up(server: &Server) {
    let kill = format!("kill -HUP {}", server.pid().unwrap());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

#[test]
fn both_addresses_speak_tls_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let (server, trusted) = start(&folder, &["--head-timeout", "500ms"]);
    for version in rustls::ALL_VERSIONS {
        let live = get(server.operator_address(), "/livez", &trusted, &[version]).unwrap();
        assert!(live.starts_with("HTTP/1.1 200"), "{live}");
        let keyless = get(server.public(), "/v1/webhooks", &trusted, &[version]).unwrap();
        assert!(keyless.starts_with("HTTP/1.1 401"), "{keyless}");
    }
    for address in [server.public(), server.operator_address()] {
        let plain = Raw::until_closed(address, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n");
        assert!(!plain.contains("HTTP/"), "{plain}");
        let mut silent = Raw::connect(address);
        silent.send([22, 3, 1]);
        silent.listen_until("the end of a handshake that is none", b"", |raw| raw.closed);
    }
}

#[test]
fn a_renewed_certificate_is_taken_up_and_a_bad_one_is_not() {
    let folder = TempDir::new().unwrap();
    let (server, first) = start(&folder, &[]);
    let second = renew(folder.path());
    hang_up(&server);
    for address in [server.public(), server.operator_address()] {
        wait_for("the second certificate", PATIENCE, || is_served(address, &second)).unwrap();
        assert!(!is_served(address, &first), "the first is gone");
    }
    std::fs::write(folder.path().join("key.pem"), "not a key").unwrap();
    hang_up(&server);
    let told = || server.log_tail().contains("the old one stays");
    wait_for("a line about the bad file", PATIENCE, told).unwrap();
    assert!(is_served(server.public(), &second));
    let third = renew(folder.path());
    let taken = || is_served(server.public(), &third) && is_served(server.operator_address(), &third);
    wait_for("the third certificate, without a signal", PATIENCE, taken).unwrap();
}

#[test]
fn a_server_does_not_start_with_a_certificate_that_is_not_its_keys() {
    let folder = TempDir::new().unwrap();
    renew(folder.path());
    let key = std::fs::read(folder.path().join("key.pem")).unwrap();
    renew(folder.path());
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    let [chain, key] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name).display().to_string());
    let started = Server::start(options(&["--public-tls-cert", &chain, "--public-tls-key", &key]), PATIENCE);
    let error = started.map(drop).unwrap_err();
    assert!(error.contains("cannot be used together"), "{error}");
}
