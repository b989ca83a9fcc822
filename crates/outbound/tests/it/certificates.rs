//! TLS: who is trusted, and how each kind of bad certificate is told.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, ServerConfig};
use signalpost_core::attempt::Failure;
use signalpost_outbound::ClientLimits;
use signalpost_outbound::tls::client_config;

use crate::receiver::Receiver;
use crate::world::{self, Setup, assert_failed, assert_status};

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

/// A client configuration that trusts the system's and these authorities.
pub(crate) fn trusting(authorities: &[&Authority]) -> Arc<ClientConfig> {
    let pem: String = authorities.iter().map(|authority| authority.pem()).collect();
    client_config((!pem.is_empty()).then_some(pem.as_bytes())).expect("good authorities")
}

pub(crate) fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

pub(crate) fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).expect("a good name")
}

pub(crate) fn server(authority: Option<&Authority>, params: &CertificateParams) -> Arc<ServerConfig> {
    let key = KeyPair::generate().expect("a key");
    let certificate = match authority {
        Some(authority) => params.signed_by(&key, authority),
        None => params.self_signed(&key),
    };
    let chain = vec![certificate.expect("a certificate").der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows them");
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).expect("a good certificate"))
}

pub(crate) fn answering(tls: Arc<ServerConfig>) -> Receiver {
    Receiver::start_tls(tls, |_, conversation| {
        conversation.answer_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
    })
}

/// Posts to `https://{host}` of a receiver with this certificate, the name of which resolves to it.
fn check(tls: Arc<ServerConfig>, trusted: &Authority, host: &str, failure: Option<&str>) {
    let receiver = answering(tls);
    world::run(Setup { tls: trusting(&[trusted]), ..Setup::default() }, async |world| {
        world.names.tell_addresses(host, &["127.0.0.1"]);
        let exchange = world.post(&format!("https://{host}:{}/", receiver.port())).await;
        match failure {
            Some(words) => assert_failed(&exchange, Failure::Tls, words),
            None => {
                assert_status(&exchange, 200);
                assert!(exchange.timing.tls_us > 0 && exchange.answer == "hello");
            }
        }
    });
    receiver.wait_for_ends(1);
    assert_eq!(receiver.requests().len(), usize::from(failure.is_none()), "no request before trust");
}

#[test]
fn a_trusted_certificate_for_the_name_is_accepted() {
    let authority = authority("trusted");
    check(server(Some(&authority), &params("hook.example")), &authority, "hook.example", None);
    check(server(Some(&authority), &params("hook.example")), &authority, "hook.example.", None);
    check(server(Some(&authority), &params("*.hook.example")), &authority, "a.hook.example", None);
    check(server(Some(&authority), &params("127.0.0.1")), &authority, "127.0.0.1", None);
}

#[test]
fn bad_certificates_are_told_apart() {
    let (trusted, stranger) = (authority("trusted"), authority("stranger"));
    let mut expired = params("hook.example");
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2021, 1, 1);
    check(server(Some(&trusted), &expired), &trusted, "hook.example", Some("has expired"));
    let mut future = params("hook.example");
    future.not_before = date_time_ymd(4000, 1, 1);
    future.not_after = date_time_ymd(4001, 1, 1);
    check(server(Some(&trusted), &future), &trusted, "hook.example", Some("not valid yet"));
    let good = params("hook.example");
    check(server(None, &good), &trusted, "hook.example", Some("self-signed"));
    check(
        server(Some(&stranger), &good),
        &trusted,
        "hook.example",
        Some("not signed by a trusted authority"),
    );
    let impostor = authority("trusted");
    check(server(Some(&impostor), &good), &trusted, "hook.example", Some("not signed by the authority"));
    check(server(Some(&trusted), &good), &trusted, "other.example", Some("not for other.example"));
    check(server(Some(&trusted), &good), &trusted, "127.0.0.1", Some("not for 127.0.0.1"));
    let wildcard = params("*.hook.example");
    check(server(Some(&trusted), &wildcard), &trusted, "a.b.hook.example", Some("not for a.b.hook.example"));
}

/// A chain is read as far as TLS libraries are willing to, and no further.
#[test]
fn a_chain_without_end_is_a_tls_failure() {
    let authority = authority("trusted");
    let key = KeyPair::generate().expect("a key");
    let certificate = params("hook.example").signed_by(&key, &authority).expect("a certificate");
    let chain = vec![certificate.der().clone(); 1_000];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows them");
    let config = builder.with_no_client_auth().with_single_cert(chain, key).expect("the first is the key's");
    let receiver = answering(Arc::new(config));
    world::run(Setup { tls: trusting(&[&authority]), ..Setup::default() }, async |world| {
        world.names.tell_addresses("hook.example", &["127.0.0.1"]);
        let exchange = world.post(&format!("https://hook.example:{}/", receiver.port())).await;
        assert_failed(&exchange, Failure::Tls, "");
    });
    receiver.wait_for_ends(1);
    assert!(receiver.requests().is_empty());
}

#[test]
fn what_is_not_tls_is_a_tls_failure() {
    let table: [(&'static [u8], &str); 3] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is not TLS"),
        (b"", "closed the connection during the TLS handshake"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "refused the TLS handshake"),
    ];
    for (answer, words) in table {
        let receiver = Receiver::start(move |_, conversation| {
            conversation.read_hello()?;
            conversation.write(answer)
        });
        world::run(Setup::default(), async |world| {
            let exchange = world.post(&receiver.url("/").replace("http:", "https:")).await;
            assert_failed(&exchange, Failure::Tls, words);
        });
    }
}

#[test]
fn a_handshake_that_hangs_costs_its_limit() {
    let receiver = Receiver::start(|_, conversation| conversation.wait_for_close());
    let limits = ClientLimits { tls: Duration::from_millis(200), ..ClientLimits::default() };
    world::run(Setup { limits, ..Setup::default() }, async |world| {
        let exchange = world.post(&receiver.url("/").replace("http:", "https:")).await;
        assert_failed(&exchange, Failure::Timeout, "TLS handshake did not end within 200 ms");
        assert!(exchange.timing.total_us < 2_000_000, "{:?}", exchange.timing);
    });
    receiver.wait_for_ends(1);
}

#[test]
fn connections_over_tls_are_kept_too() {
    let authority = authority("trusted");
    let receiver = answering(server(Some(&authority), &params("hook.example")));
    world::run(Setup { tls: trusting(&[&authority]), ..Setup::default() }, async |world| {
        world.names.tell_addresses("hook.example", &["127.0.0.1"]);
        let url = format!("https://hook.example:{}/", receiver.port());
        for reused in [false, true, true] {
            let exchange = world.post(&url).await;
            assert_status(&exchange, 200);
            assert_eq!(exchange.timing.tls_us == 0, reused);
        }
    });
    assert_eq!(receiver.connections(), 1);
}
