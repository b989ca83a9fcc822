//! Operations: the one table of a surface, from which its router, its rights and its documents come.
//!
//! A route that is not in the table does not exist, and one that is in it is described and has a right that its
//! caller needs. [`Permitted`] stands directly before every handler, so no route can be added without a check.

use std::future::{Ready, ready};

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use futures_util::future::Either;
use http::Method;
use signalpost_core::error::Error;
use signalpost_core::scope::Scope;

use crate::kit::description::Description;
use crate::kit::refusal::Refusal;

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody who reaches the address.
    Open,
    /// Whoever holds a credential of the surface.
    Credential,
    /// Whoever holds an operator key with this right; one that is bound to a workspace only for what belongs to it.
    Scope(Scope),
    /// As [`Self::Scope`], for calls about the installation of which a bound key sees its own part: the handler
    /// shows it no more.
    OwnPart(Scope),
}

impl Access {
    /// The right that an operator key needs.
    pub(crate) const fn scope(self) -> Option<Scope> {
        match self {
            Self::Open | Self::Credential => None,
            Self::Scope(scope) | Self::OwnPart(scope) => Some(scope),
        }
    }
}

/// A surface's judgement of its caller, made when it is known what the caller wants and before anything is read.
pub(crate) type Permit = fn(&Request, Access) -> Result<(), Error>;

/// A method on a path: what it says of itself and what it does.
pub(crate) struct Operation<S> {
    pub(crate) description: Description,
    route: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> Operation<S> {
    /// `path` is below the surface's base path, in the router's form: `/webhooks/{webhook}`.
    pub(crate) fn new<H, T>(
        method: Method,
        path: &'static str,
        access: Access,
        permit: Permit,
        handler: H,
    ) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("a method that RFC 9110 knows");
        let route = on(filter, Permitted { handler, access, permit });
        Self { description: Description::new(method, path, access), route }
    }

    /// The same operation, with more said about it.
    pub(crate) fn described(mut self, describe: impl FnOnce(Description) -> Description) -> Self {
        self.description = describe(self.description);
        self
    }
}

/// A `GET` for anybody who reaches the address.
pub(crate) fn open<S, H, T>(path: &'static str, handler: H) -> Operation<S>
where
    S: Clone + Send + Sync + 'static,
    H: Handler<T, S>,
    T: 'static,
{
    Operation::new(Method::GET, path, Access::Open, |_, _| Ok(()), handler)
}

/// The routes of a table.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(operations: Vec<Operation<S>>) -> Router<S> {
    operations.into_iter().fold(Router::new(), |router, Operation { description, route }| {
        router.route(&description.path, route)
    })
}

/// The words of a table.
pub(crate) fn descriptions<S>(operations: Vec<Operation<S>>) -> Vec<Description> {
    operations.into_iter().map(|operation| operation.description).collect()
}

/// A handler behind the check of its caller's right.
#[derive(Clone)]
struct Permitted<H> {
    handler: H,
    access: Access,
    permit: Permit,
}

impl<H, T, S> Handler<T, S> for Permitted<H>
where
    H: Handler<T, S>,
    T: 'static,
{
    type Future = Either<H::Future, Ready<Response>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        match (self.permit)(&request, self.access) {
            Ok(()) => Either::Left(self.handler.call(request, state)),
            Err(error) => Either::Right(ready(Refusal::from(error).into_response())),
        }
    }
}
