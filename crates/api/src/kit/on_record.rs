//! What a call changes, put on record before it is done.

use std::sync::Arc;

use axum::response::Response;
use signalpost_core::act::ActResult;
use signalpost_core::error::ErrorCode;
use signalpost_core::id::ActId;
use signalpost_engine::Engine;

use crate::kit::codes::meaning;
use crate::kit::refusal::Refusal;

/// Something of which it is on record that it is about to be done.
pub(crate) struct OnRecord {
    pub(crate) engine: Arc<Engine>,
    pub(crate) act: ActId,
}

impl OnRecord {
    /// Says what came of it. Where that fails, or is not known, the act stays pending: nobody knows.
    pub(crate) async fn end(self, result: Option<ActResult>) {
        let Some(result) = result else { return };
        if let Err(error) = self.engine.end_act(self.act, result).await {
            tracing::warn!(act = self.act.raw(), "what came of an act is not on record: {error}");
        }
    }
}

/// What came of a call by its answer; `None` where nobody knows whether it was done.
pub(crate) fn result_of(response: &Response) -> Option<ActResult> {
    match Refusal::carried(response) {
        None => Some(ActResult::Done { status: response.status().as_u16() }),
        Some(refusal) => match refusal.error().code {
            ErrorCode::Internal | ErrorCode::Unavailable => None,
            code => Some(ActResult::Refused { status: meaning(code).status.as_u16() }),
        },
    }
}
