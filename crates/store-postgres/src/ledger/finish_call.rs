//! What a caller of `finish` gives, and how it is answered.

use std::sync::Arc;

use futures_channel::oneshot;
use signalpost_core::limits::OUTCOMES_LINGERING_MAX;
use signalpost_store::StoreError;
use signalpost_store::ledger::Finished;

use crate::queue::Outcomes;

/// Rough size of an attempt's rows beside its texts, in bytes.
const ROW_BYTES: usize = 400;

/// A caller's outcomes, and the caller.
pub(crate) struct FinishCall {
    pub(super) finished: Arc<Vec<Finished>>,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

impl FinishCall {
    pub(super) fn new(finished: Arc<Vec<Finished>>) -> (Self, oneshot::Receiver<Result<(), StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { finished, reply }, answer)
    }

    /// In bytes, about.
    pub(super) fn weight(&self) -> usize {
        let of = |one: &Finished| ROW_BYTES + one.attempt.answer.len() + one.attempt.detail.len();
        self.finished.iter().map(of).sum()
    }

    /// Whether something cannot go on before these outcomes are on disk, such as the next delivery of a key, or they are so
    /// many that a commit of their own is worth while.
    pub(crate) fn is_awaited(&self) -> bool {
        let holds_up = |one: &Finished| one.due.order.is_some() || one.health.is_some();
        self.finished.len() > OUTCOMES_LINGERING_MAX || self.finished.iter().any(holds_up)
    }

    pub(crate) fn outcomes(&self) -> Outcomes {
        let in_turn =
            |one: &Finished| one.due.order.is_some() || one.health.is_some() || one.concurrency.is_some();
        if self.finished.iter().any(in_turn) { Outcomes::InTurn } else { Outcomes::Free }
    }

    pub(super) fn answer(self, answer: Result<(), StoreError>) {
        // Whoever has gone is not told.
        let _ = self.reply.send(answer);
    }
}
