//! A certificate chain and its key from two files, taken up again when the files change.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::settings::{TlsFiles, read_bounded};

/// What is shown to callers, and the files behind it.
pub(crate) struct Certificate {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
    last_look: Mutex<Look>,
}

/// How the files looked when they were last loaded, and what was wrong with them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    stamps: [Option<Stamp>; 2],
    problem: Option<String>,
}

/// Modification time in nanoseconds, size and file: one of them changes with the content.
type Stamp = (i64, i64, u64, u64);

/// Reads and checks both files. The error is a sentence that names the file.
pub(crate) fn load(files: &TlsFiles) -> Result<CertifiedKey, String> {
    let TlsFiles { certificate, key } = files;
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(read(certificate)?.as_bytes()).collect();
    let chain = chain.map_err(|error| format!("{} is not readable PEM: {error}", certificate.display()))?;
    if chain.is_empty() {
        return Err(format!("{} holds no certificate", certificate.display()));
    }
    let private = PrivateKeyDer::from_pem_slice(read(key)?.as_bytes());
    let private = private.map_err(|error| format!("{} holds no private key: {error}", key.display()))?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    CertifiedKey::from_der(chain, private, &provider).map_err(|error| {
        format!("{} and {} cannot be used together: {error}", certificate.display(), key.display())
    })
}

fn read(path: &Path) -> Result<String, String> {
    read_bounded(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

impl Certificate {
    pub(crate) fn open(files: TlsFiles) -> Result<Self, String> {
        let stamps = stamps(&files);
        let current = RwLock::new(Arc::new(load(&files)?));
        Ok(Self { files, current, last_look: Mutex::new(Look { stamps, problem: None }) })
    }

    /// Loads the files again if they have changed, or were bad at the last look.
    pub(crate) fn look(&self) {
        let last = self.last_look.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if last.problem.is_some() || stamps(&self.files) != last.stamps {
            self.reload();
        }
    }

    /// Loads the files again. Bad ones change nothing, and are told of once.
    pub(crate) fn reload(&self) {
        // Taken first: a change while they are read shows at the next look.
        let stamps = stamps(&self.files);
        let loaded = load(&self.files);
        let mut last = self.last_look.lock().unwrap_or_else(PoisonError::into_inner);
        let certificate = self.files.certificate.display();
        match loaded {
            Ok(key) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                tracing::info!(%certificate, "the certificate was taken up");
                *last = Look { stamps, problem: None };
            }
            Err(problem) => {
                let look = Look { stamps, problem: Some(problem) };
                if *last != look {
                    let problem = look.problem.as_deref();
                    tracing::warn!(%certificate, problem, "the new certificate is bad; the old one stays");
                    *last = look;
                }
            }
        }
    }
}

fn stamps(files: &TlsFiles) -> [Option<Stamp>; 2] {
    [&files.certificate, &files.key].map(|path| {
        let file = std::fs::metadata(path).ok()?;
        Some((file.mtime(), file.mtime_nsec(), file.size(), file.ino()))
    })
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("files", &self.files).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalpost_testkit::TempDir;

    struct Files {
        _folder: TempDir,
        files: TlsFiles,
    }

    /// A certificate and its key as PEM.
    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn written((certificate, key): &(String, String)) -> Files {
        let folder = TempDir::new().expect("a folder");
        let files =
            TlsFiles { certificate: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
        std::fs::write(&files.certificate, certificate).expect("written");
        std::fs::write(&files.key, key).expect("written");
        Files { _folder: folder, files }
    }

    fn shown(certificate: &Certificate) -> Vec<u8> {
        certificate.current.read().expect("not poisoned").cert[0].as_ref().to_vec()
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let (one, other) = (pair(), pair());
        for (certificate, key, expected) in [
            ("", one.1.as_str(), "holds no certificate"),
            ("hello", one.1.as_str(), "holds no certificate"),
            (one.0.as_str(), "", "holds no private key"),
            (one.0.as_str(), one.0.as_str(), "holds no private key"),
            (one.0.as_str(), other.1.as_str(), "cannot be used together"),
        ] {
            let files = written(&(certificate.to_owned(), key.to_owned()));
            let problem = load(&files.files).expect_err(expected);
            assert!(problem.contains(expected) && problem.contains(".pem"), "{problem}");
        }
        let mut files = written(&one).files;
        files.key = "/nonexistent/key.pem".into();
        assert!(load(&files).expect_err("gone").contains("cannot be read"));
    }

    #[test]
    fn changed_files_are_taken_up_and_bad_ones_keep_the_old() {
        let (first, second) = (pair(), pair());
        let Files { _folder, files } = written(&first);
        let certificate = Certificate::open(files.clone()).expect("good files");
        let before = shown(&certificate);
        certificate.look();
        assert_eq!(shown(&certificate), before, "nothing has changed");
        std::fs::write(&files.certificate, &second.0).expect("written");
        certificate.look();
        assert_eq!(shown(&certificate), before, "half of a pair");
        std::fs::write(&files.key, &second.1).expect("written");
        certificate.look();
        assert_ne!(shown(&certificate), before, "the pair is whole");
    }
}
