//! What somebody does on a page, put on record before it is done.

use std::net::IpAddr;

use signalpost_core::act::{ActResult, Action, Actor};
use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::desk::acts::NewAct;

use crate::door::Door;
use crate::trouble;
use crate::visit::Visit;

/// What is done, and to what.
pub(crate) struct Deed<'a> {
    pub(crate) action: &'static str,
    /// A public id.
    pub(crate) object: &'a str,
    pub(crate) workspace: Option<&'a str>,
}

impl Deed<'_> {
    /// The same by somebody, as it goes on record.
    pub(crate) fn by(self, actor: Actor, door: Door, address: Option<IpAddr>, request_id: &str) -> NewAct {
        NewAct {
            by: actor,
            action: Action::named(self.action),
            object: self.object.to_owned(),
            workspace: self.workspace.map(str::to_owned),
            surface: door.surface(),
            address,
            request_id: request_id.to_owned(),
            detail: String::new(),
        }
    }
}

impl Visit {
    /// Does it once it is on record that it is about to be done. What cannot be put on record is not done. `RateLimited` where
    /// customers of a workspace do very much.
    pub(crate) async fn on_record<T>(
        &self,
        deed: Deed<'_>,
        act: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let action = deed.action;
        self.desk.check_pace(&self.who, self.now)?;
        let desk = self.desk.first();
        let begun =
            desk.begin_act(deed.by(self.who.actor(), self.door, self.address, &self.request_id)).await?;
        let done = act.await;
        if let Some(result) = result_of(&done)
            && let Err(error) = desk.end_act(begun, result).await
        {
            // It stays pending, which says what is known of it.
            tracing::warn!(action, "what came of an act is not on record: {error}");
        }
        done
    }
}

/// `None` where nobody knows whether it was done.
fn result_of<T>(done: &Result<T, Error>) -> Option<ActResult> {
    match done {
        Ok(_) => Some(ActResult::Done { status: 200 }),
        Err(error) if matches!(error.code, ErrorCode::Internal | ErrorCode::Unavailable) => None,
        Err(error) => Some(ActResult::Refused { status: trouble::status(error.code).as_u16() }),
    }
}
