//! Operations: the one table of a surface, from which its router, its rights and its documents come.
//!
//! A route that is not in the table does not exist, and one that is in it is described and has a right that its
//! caller needs. [`Guarded`] stands directly before every handler, so no route can be added without a check, and none
//! whose work could be left half done.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, get, on};
use futures_util::FutureExt as _;
use futures_util::future::Either;
use http::Method;
use signalpost_core::error::Error;
use signalpost_core::ports::{BoxFuture, Spawn};
use signalpost_core::scope::Scope;
use signalpost_engine::Engine;
use signalpost_engine::pass::Pass;
use signalpost_engine::to_its_end::to_its_end;

use crate::kit::description::{Description, Text};
use crate::kit::on_record::{OnRecord, result_of};
use crate::kit::refusal::{Refusal, method_unknown};
use crate::kit::standing::Standing;

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody who reaches the address.
    Open,
    /// Whoever holds a credential of the surface.
    Credential,
    /// Whoever holds a credential of the surface with this right. What a right takes is the surface's business.
    Right(&'static str),
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
            Self::Open | Self::Credential | Self::Right(_) => None,
            Self::Scope(scope) | Self::OwnPart(scope) => Some(scope),
        }
    }
}

/// What the operations of a surface need of it.
pub(crate) trait Surface: Send + Sync + 'static {
    /// The judgement of a caller, made when it is known what the caller wants and before anything is read. Returns by
    /// what it was let in, for a second look once everything was read; nothing when that cannot be taken away.
    fn permit(&self, request: &Request, access: Access) -> Result<Option<Pass>, Refusal>;

    fn engine(&self) -> &Arc<Engine>;

    /// Whose the judgement was, by which the pass can be confirmed.
    fn judge(&self, _: &Request) -> Arc<Engine> {
        Arc::clone(self.engine())
    }

    /// Runs calls to their end.
    fn tasks(&self) -> &dyn Spawn;

    /// Puts it on record that this call, which may change something, is about to be done; nothing where a surface keeps no record.
    fn begin(&self, _: &Request) -> Option<Begun> {
        None
    }
}

/// What fails to be put on record is not done.
pub(crate) type Begun = BoxFuture<'static, Result<OnRecord, Error>>;

/// What becomes of a call whose caller goes away before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abandoned {
    /// It is dropped wherever it stands: what it has begun needs nothing more from it.
    Dropped,
    /// It goes on to its end: what follows a commit is a part of it, such as telling the lanes.
    Completed,
}

/// A method on a path: what it says of itself and what it does.
pub(crate) struct Operation<S> {
    pub(crate) description: Description,
    route: MethodRouter<S>,
}

impl<S: Surface> Operation<Arc<S>> {
    /// `path` is below the surface's base path, in the router's form: `/webhooks/{webhook}`. Whatever may change
    /// something is brought to its end.
    pub(crate) fn new<H, T>(method: Method, path: impl Into<Text>, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<S>>,
        T: 'static,
    {
        let abandoned = if method == Method::GET { Abandoned::Dropped } else { Abandoned::Completed };
        Self::guarded(method, path, access, abandoned, handler)
    }

    /// A `POST` that ends with its commit: nothing of it needs to be completed, and no task is made for it.
    pub(crate) fn ending_with_its_commit<H, T>(path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<S>>,
        T: 'static,
    {
        Self::guarded(Method::POST, path, access, Abandoned::Dropped, handler)
    }

    fn guarded<H, T>(
        method: Method,
        path: impl Into<Text>,
        access: Access,
        abandoned: Abandoned,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<S>>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("a method that RFC 9110 knows");
        let route = on(filter, Guarded { handler, access, abandoned });
        Self { description: Description::new(method, path, access), route }
    }
}

impl<S> Operation<S> {
    /// The same operation, with more said about it.
    pub(crate) fn described(mut self, describe: impl FnOnce(Description) -> Description) -> Self {
        self.description = describe(self.description);
        self
    }

    /// The same operation behind a layer, which stands where path and method are known.
    pub(crate) fn behind(self, layer: impl FnOnce(MethodRouter<S>) -> MethodRouter<S>) -> Self {
        Self { route: layer(self.route), ..self }
    }
}

/// A `GET` for anybody who reaches the address.
pub(crate) fn open<S, H, T>(path: &'static str, handler: H) -> Operation<S>
where
    S: Clone + Send + Sync + 'static,
    H: Handler<T, S>,
    T: 'static,
{
    Operation { description: Description::new(Method::GET, path, Access::Open), route: get(handler) }
}

/// The routes of a table. A method that a path does not offer is refused with those that it does.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(operations: Vec<Operation<S>>) -> Router<S> {
    let mut paths: BTreeMap<Text, (MethodRouter<S>, Vec<Method>)> = BTreeMap::new();
    for Operation { description, route } in operations {
        let (routes, offered) = paths.entry(description.path).or_default();
        *routes = std::mem::take(routes).merge(route);
        offered.push(description.method);
    }
    paths.into_iter().fold(Router::new(), |router, (path, (routes, offered))| {
        let offered: Arc<[Method]> = offered.into();
        router.route(&path, routes.fallback(move || ready(method_unknown(Arc::clone(&offered)))))
    })
}

/// The words of a table.
pub(crate) fn descriptions<S>(operations: Vec<Operation<S>>) -> Vec<Description> {
    operations.into_iter().map(|operation| operation.description).collect()
}

/// A handler behind the check of its caller's right.
#[derive(Clone)]
struct Guarded<H> {
    handler: H,
    access: Access,
    abandoned: Abandoned,
}

impl<H, T, S> Handler<T, Arc<S>> for Guarded<H>
where
    H: Handler<T, Arc<S>>,
    T: 'static,
    S: Surface,
{
    type Future = Either<H::Future, BoxFuture<'static, Response>>;

    fn call(self, mut request: Request, surface: Arc<S>) -> Self::Future {
        let pass = match surface.permit(&request, self.access) {
            Ok(pass) => pass,
            Err(refusal) => return Either::Right(Box::pin(ready(refusal.into_response()))),
        };
        let judge = surface.judge(&request);
        request.extensions_mut().insert(Standing::new(judge, pass));
        match self.abandoned {
            Abandoned::Dropped => Either::Left(self.handler.call(request, surface)),
            Abandoned::Completed => {
                let begun = surface.begin(&request);
                let work = self.handler.call(request, Arc::clone(&surface));
                let done = to_its_end(surface.tasks(), recorded(begun, work));
                let broken = |error| Refusal::from(error).into_response();
                Either::Right(Box::pin(done.map(move |done| done.unwrap_or_else(broken))))
            }
        }
    }
}

async fn recorded(begun: Option<Begun>, work: impl Future<Output = Response>) -> Response {
    let Some(begun) = begun else { return work.await };
    match begun.await {
        Ok(on_record) => {
            let response = work.await;
            let result = result_of(&response);
            on_record.end(result).await;
            response
        }
        Err(error) => Refusal::from(error).into_response(),
    }
}
