//! How a failed exchange is told: one of the closed set of failures, and a plain sentence for the webhook's owner.
//!
//! A sentence names the phase and the usual cause. It never names an address that a lookup gave, so that nobody
//! can read a private network through it.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};
use signalpost_core::attempt::Failure;
use signalpost_core::limits::ANSWER_HEADER_BYTES_MAX;

/// A failure with its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) failure: Failure,
    pub(crate) detail: String,
}

/// What an exchange is doing; says in a sentence where a limit of time struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Resolving,
    Connecting,
    TlsHandshake,
    /// The request is on its way or was sent, no headers have come.
    Waiting,
}

impl Fault {
    pub(crate) fn new(failure: Failure, detail: impl Into<String>) -> Self {
        Self { failure, detail: detail.into() }
    }

    pub(crate) fn blocked(what: &str) -> Self {
        Self::new(Failure::Blocked, format!("The host is {what}; such addresses are never connected to."))
    }

    pub(crate) fn timeout(phase: Phase, limit: Duration) -> Self {
        let limit = spoken(limit);
        let detail = match phase {
            Phase::Resolving => format!("The host's name was not resolved within {limit}."),
            Phase::Connecting => {
                format!(
                    "No connection within {limit}: the host does not answer, or a firewall drops packets."
                )
            }
            Phase::TlsHandshake => format!("The TLS handshake did not end within {limit}."),
            Phase::Waiting => format!("The receiver sent no complete answer headers within {limit}."),
        };
        Self::new(Failure::Timeout, detail)
    }

    pub(crate) fn connect(error: &io::Error) -> Self {
        let cause = match error.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused: nothing listens on that port",
            io::ErrorKind::NetworkUnreachable => "the network of the host is unreachable",
            io::ErrorKind::HostUnreachable => "the host is unreachable",
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                "the connection was reset while it was being made"
            }
            io::ErrorKind::PermissionDenied => "this server's own firewall forbids the connection",
            io::ErrorKind::AddrNotAvailable => "this server has no free local port for the connection",
            _ => "the operating system could not make the connection",
        };
        Self::new(Failure::Connect, format!("No connection: {cause}."))
    }

    pub(crate) fn tls(error: &io::Error, host: &str) -> Self {
        let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let detail = match reason {
            Some(reason) => tls_detail(reason, host),
            None => "The receiver closed the connection during the TLS handshake.".to_owned(),
        };
        Self::new(Failure::Tls, detail)
    }

    /// `answered` says whether any byte of an answer had come.
    pub(crate) fn http(error: &hyper::Error, answered: Answered) -> Self {
        if error.is_parse_too_large() || caused_by(error, io::ErrorKind::FileTooLarge) {
            return Self::new(
                Failure::Protocol,
                format!("The answer's headers are larger than {ANSWER_HEADER_BYTES_MAX} bytes or too many."),
            );
        }
        if error.is_parse_version_h2() {
            return Self::new(
                Failure::Protocol,
                "The receiver answered with HTTP/2 where HTTP/1.1 was spoken.",
            );
        }
        if error.is_parse() {
            return Self::new(Failure::Protocol, "What the receiver sent is not a valid HTTP/1.1 answer.");
        }
        if error.is_user() {
            return Self::new(Failure::Internal, "The request could not be sent; the server's log says why.");
        }
        if error.is_canceled() && answered == Answered::Something {
            return Self::new(Failure::Protocol, "The receiver sent something before it was asked.");
        }
        let detail = match answered {
            Answered::Nothing => "The receiver closed the connection without an answer.",
            Answered::Something => {
                "The receiver closed the connection in the middle of the answer's headers."
            }
        };
        Self::new(Failure::Reset, detail)
    }
}

/// Whether a byte of the present exchange's answer had been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    Nothing,
    Something,
}

fn tls_detail(error: &rustls::Error, host: &str) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => certificate_detail(reason, host),
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure) => {
            "The receiver refused the TLS handshake; usually it offers no version or cipher that is still secure."
                .to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            format!("The receiver does not know the name {host}.")
        }
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(_) => {
            "The receiver speaks no TLS version or cipher that is still secure; TLS 1.2 is the least.".to_owned()
        }
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "The receiver asks for a client certificate.".to_owned()
        }
        rustls::Error::AlertReceived(alert) => {
            format!("The receiver refused the TLS handshake (alert {alert:?}).")
        }
        rustls::Error::InvalidMessage(_) => {
            "What the receiver sent is not TLS; is it a port for plain http?".to_owned()
        }
        _ => "The receiver broke the rules of the TLS handshake.".to_owned(),
    }
}

fn certificate_detail(reason: &CertificateError, host: &str) -> String {
    match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "The receiver's certificate has expired.".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "The receiver's certificate is not valid yet.".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("The receiver's certificate is not for {host}.")
        }
        CertificateError::UnknownIssuer => {
            "The receiver's certificate is not signed by a trusted authority: it is self-signed, or the receiver \
             does not send its intermediate certificates."
                .to_owned()
        }
        CertificateError::BadSignature => {
            "The receiver's certificate was not signed by the authority that it names.".to_owned()
        }
        CertificateError::Revoked => "The receiver's certificate was revoked.".to_owned(),
        _ => "The receiver's certificate is not acceptable.".to_owned(),
    }
}

fn caused_by(error: &hyper::Error, kind: io::ErrorKind) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == kind) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// `2 s`, `1.5 s` or `250 ms`.
fn spoken(limit: Duration) -> String {
    let ms = limit.as_millis();
    match (ms / 1_000, ms % 1_000) {
        (0, ms) => format!("{ms} ms"),
        (s, 0) => format!("{s} s"),
        _ => format!("{} s", limit.as_secs_f64()),
    }
}
