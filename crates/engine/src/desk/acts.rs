//! What operators have done: put on record before it is done, and once more with what came of it.

use std::net::IpAddr;

use signalpost_core::act::{Act, ActResult, Action, Actor, Surface};
use signalpost_core::error::Error;
use signalpost_core::id::ActId;
use signalpost_core::operator_session::Opener;
use signalpost_store::desk::{ActPage, ListActs};

use super::sessions::OperatorVisitor;
use crate::Engine;
use crate::operator::Operator;

/// What somebody is about to do; see [`Act`].
#[derive(Clone, Debug)]
pub struct NewAct {
    pub by: Actor,
    pub action: Action,
    pub object: String,
    pub workspace: Option<String>,
    pub surface: Surface,
    pub address: Option<IpAddr>,
    pub request_id: String,
    pub detail: String,
}

impl Engine {
    /// When this returns it is on record that somebody is about to do this. What fails to be put on record must not be done.
    pub async fn begin_act(&self, new: NewAct) -> Result<ActId, Error> {
        let NewAct { by, action, object, workspace, surface, address, request_id, detail } = new;
        let (id, at, result) = (ActId::from_raw(self.mint_id()), self.clock.now(), ActResult::Pending);
        let act = Act { id, at, by, action, object, workspace, surface, address, request_id, result, detail };
        self.store.begin_act(act.within_bounds()).await?;
        Ok(id)
    }

    /// Says what came of it, once: `Conflict` when something else was said before. Where this fails the act stays pending, and
    /// that is what it says: nobody knows.
    pub async fn end_act(&self, act: ActId, result: ActResult) -> Result<(), Error> {
        Ok(self.store.end_act(act, result).await?)
    }

    /// Newest first.
    pub async fn list_acts(&self, params: ListActs) -> Result<ActPage, Error> {
        Ok(self.store.list_acts(params).await?)
    }
}

impl Operator {
    /// As it is called on record.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Root => Actor::Root,
            Self::Key { key, .. } => Actor::Key { id: key.id, name: key.name.clone() },
        }
    }
}

impl OperatorVisitor {
    /// As it is called on record: by what has opened the session.
    pub fn actor(&self) -> Actor {
        match self.session.opener {
            Opener::Root { .. } => Actor::Root,
            Opener::Key(id) => Actor::Key { id, name: self.opener_name().map(str::to_owned) },
            Opener::Account(id) => Actor::Account { id, username: self.name.clone() },
        }
    }
}
