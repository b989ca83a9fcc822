//! A refusal on its way from a handler to the surface that renders it.
//!
//! A handler does not know how its surface writes errors. It returns a [`Refusal`]; as a response that is an
//! empty shell which carries it, and the surface's outermost layer puts the surface's own error in its place.

use std::any::Any;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use signalpost_core::error::{Error, ErrorCode};

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    error: Error,
    /// What the surface's errors say beside that, in a type of its own.
    details: Option<Box<dyn Any + Send + Sync>>,
}

/// Beside the refusal of a method: those that the path offers.
#[derive(Debug)]
pub(crate) struct Offered(pub(crate) Arc<[Method]>);

/// What a handler answers.
pub(crate) type Answer = Result<Response, Refusal>;

impl Refusal {
    pub(crate) fn with<D: Any + Send + Sync>(error: Error, details: D) -> Self {
        Self { error, details: Some(Box::new(details)) }
    }

    pub(crate) fn error(&self) -> &Error {
        &self.error
    }

    /// The details, if they are of this type.
    pub(crate) fn details<D: Any>(&self) -> Option<&D> {
        self.details.as_ref()?.downcast_ref()
    }

    pub(crate) fn map(self, map: impl FnOnce(Error) -> Error) -> Self {
        Self { error: map(self.error), ..self }
    }

    /// The refusal that a response carries, if it carries one.
    pub(crate) fn carried(response: &Response) -> Option<&Self> {
        response.extensions().get::<Carried>().map(|carried| carried.0.as_ref())
    }

    /// Takes the refusal out of a response that carries one.
    pub(crate) fn take(response: &mut Response) -> Option<Arc<Self>> {
        response.extensions_mut().remove::<Carried>().map(|carried| carried.0)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, details: None }
    }
}

#[derive(Clone)]
struct Carried(Arc<Refusal>);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        // A placeholder: what a client sees is made by the surface.
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Carried(Arc::new(self)));
        response
    }
}

/// Fallback of a surface: no such path.
pub(crate) async fn path_unknown() -> Refusal {
    Error::not_found("path").into()
}

/// Fallback of a process that has another part of the work.
pub(crate) async fn misdirected() -> Refusal {
    let message = "this process only delivers; ask one that serves the API";
    Error::new(ErrorCode::Misdirected, message).into()
}

/// The path exists, the method does not.
pub(crate) fn method_unknown(offered: Arc<[Method]>) -> Refusal {
    let error = Error::new(ErrorCode::MethodNotAllowed, "this path does not offer this method");
    Refusal::with(error, Offered(offered))
}
