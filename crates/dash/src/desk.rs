//! What all pages share.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use signalpost_core::caller_address::CallerAddress;
use signalpost_core::cidr::{Cidr, neighbourhood_of};
use signalpost_core::error::Error;
use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::{PORTAL_DEEDS_BURST, PORTAL_DEEDS_PER_S};
use signalpost_core::ports::Spawn;
use signalpost_core::rate::{Granted, RateLimit};
use signalpost_core::request_id::RequestId;
use signalpost_core::root_key::RootKey;
use signalpost_core::time::Timestamp;
use signalpost_engine::Engine;
use signalpost_engine::cells::Cells;
use signalpost_engine::guesses::Guesses;
use signalpost_engine::limiter::Limiter;

use crate::door::Door;
use crate::look::house::{self, House};
use crate::who::Who;

pub(crate) struct Desk {
    pub(crate) cells: Cells,
    pub(crate) house: Arc<House>,
    /// Where keys and passwords open; nobody comes to the portal by them.
    root: Option<RootKey>,
    pub(crate) guesses: Guesses,
    /// Ranges that webhooks may reach although they are not on the public internet.
    pub(crate) opened: Vec<Cidr>,
    /// Run what changes something to its end.
    pub(crate) tasks: Arc<dyn Spawn>,
    /// What customers do goes on record, which is the installation's: none of them can fill it.
    deeds: Limiter<WorkspaceId>,
}

const DEEDS: RateLimit = RateLimit { per_s: PORTAL_DEEDS_PER_S, burst: PORTAL_DEEDS_BURST };

impl Desk {
    pub(crate) fn of_operators(cells: Cells, root: RootKey, opened: &[Cidr], tasks: Arc<dyn Spawn>) -> Self {
        Self { root: Some(root), ..Self::of_customers(cells, Arc::clone(&house::OPERATORS), opened, tasks) }
    }

    pub(crate) fn of_customers(
        cells: Cells,
        house: Arc<House>,
        opened: &[Cidr],
        tasks: Arc<dyn Spawn>,
    ) -> Self {
        let (guesses, opened) = (Guesses::default(), opened.to_vec());
        Self { cells, house, root: None, guesses, opened, tasks, deeds: Limiter::default() }
    }

    /// The installation's own key, by its hash.
    pub(crate) fn root(&self) -> Result<&RootKey, Error> {
        self.root.as_ref().ok_or_else(|| Error::internal("no key opens anything at this door"))
    }

    /// Where accounts lie, the record of what was done, and keys that are bound to no workspace.
    pub(crate) fn first(&self) -> &Engine {
        &self.cells.first().engine
    }

    /// Who presents this, and the place of the cell that has the session. `RateLimited` from where many wrong ones came.
    pub(crate) async fn visitor(&self, token: &[u8], from: Option<IpAddr>) -> Result<(Who, usize), Error> {
        let now = self.first().now();
        match self.house.door {
            Door::Operators => {
                let is_known = || self.cells.knows_operator_session(token);
                self.guesses.judged(from, now, is_known, self.operator(token)).await
            }
            Door::Customers => {
                let is_known = || self.cells.knows_portal_session(token);
                self.guesses.judged(from, now, is_known, self.customer(token)).await
            }
        }
    }

    /// `RateLimited` for a customer who, with the others of the workspace, puts too much on record.
    pub(crate) fn check_pace(&self, who: &Who, now: Timestamp) -> Result<(), Error> {
        let Who::Customer(visitor) = who else { return Ok(()) };
        match self.deeds.take(visitor.session.workspace, DEEDS, now).granted {
            Granted::Yes => Ok(()),
            Granted::No { retry_after_s } => {
                Err(Error::too_fast("too much is done at this portal at once", retry_after_s))
            }
        }
    }

    async fn operator(&self, token: &[u8]) -> Result<(Who, usize), Error> {
        let root = self.root()?;
        let place = self.cells.of_operator_session(token, root).await?.unwrap_or(0);
        let visitor = self.cells.all()[place].engine.operator_visitor(token, root).await?;
        Ok((Who::Operator(visitor), place))
    }

    async fn customer(&self, token: &[u8]) -> Result<(Who, usize), Error> {
        let place = self.cells.of_portal_session(token).await?.unwrap_or(0);
        let visitor = self.cells.all()[place].engine.portal_visitor(token).await?;
        Ok((Who::Customer(visitor), place))
    }

    /// The engine that has a workspace; `NotFound` also for one that the visitor may not know of.
    pub(crate) async fn of_workspace(&self, who: &Who, public_id: &str) -> Result<&Engine, Error> {
        let missing = || Error::not_found("workspace");
        let place = self.cells.of_workspace(public_id).await?.ok_or_else(missing)?;
        let engine = &self.cells.all()[place].engine;
        let id = engine.workspace_id(public_id).await?;
        if who.sees(id) { Ok(engine) } else { Err(missing()) }
    }

    /// The engine that has a delivery, as [`Self::of_workspace`].
    pub(crate) async fn of_delivery(&self, who: &Who, public_id: &str) -> Result<&Engine, Error> {
        let missing = || Error::not_found("delivery");
        let place = self.cells.of_delivery(public_id).await?.ok_or_else(missing)?;
        let engine = &self.cells.all()[place].engine;
        let owner = engine.owner_of(public_id).await?;
        if who.sees(owner) { Ok(engine) } else { Err(missing()) }
    }
}

pub(crate) fn address(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<CallerAddress>().map(|CallerAddress(address)| *address)
}

/// Empty where nobody has named the request.
pub(crate) fn request_id(request: &Request) -> String {
    let named = request.extensions().get::<RequestId>();
    named.map(|RequestId(id)| id.clone()).unwrap_or_default()
}

/// Whose doings count together with this request's.
pub(crate) fn neighbourhood(request: &Request) -> Option<IpAddr> {
    address(request).map(neighbourhood_of)
}
