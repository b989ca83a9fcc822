//! A second look at who calls, when everything that they have to say has arrived.
//!
//! A caller decides how long its body takes. A revocation that was answered meanwhile must hold for it too, so the one
//! place where bodies are read ([`crate::kit::body`]) looks again before it hands one out.

use std::sync::Arc;

use axum::extract::Request;
use signalpost_core::error::Error;
use signalpost_engine::Engine;
use signalpost_engine::pass::Pass;

/// By what a caller was let in. Put into a request's extensions before its handler.
#[derive(Clone)]
pub(crate) struct Standing {
    engine: Arc<Engine>,
    /// Nothing when it cannot be taken away.
    pass: Option<Pass>,
}

impl Standing {
    /// `engine` has judged.
    pub(crate) fn new(engine: Arc<Engine>, pass: Option<Pass>) -> Self {
        Self { engine, pass }
    }

    /// `Internal` for a request that nobody has judged: its body is not to be read.
    pub(crate) fn of(request: &Request) -> Result<Self, Error> {
        let nobody = || Error::internal("nobody has judged who sends this body");
        request.extensions().get().cloned().ok_or_else(nobody)
    }

    /// `Unauthenticated` when the caller would not be let in any more.
    pub(crate) async fn look_again(&self) -> Result<(), Error> {
        match &self.pass {
            None => Ok(()),
            Some(pass) => self.engine.confirm(pass).await,
        }
    }
}
