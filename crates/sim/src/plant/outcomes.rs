//! Outcomes of attempts that a store confirms, and what it makes of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::Due;
use signalpost_core::id::WebhookId;
use signalpost_store::ledger::{DueLanes, DueOrder, DuePage, Finished, Retain};
use signalpost_store::testing::sample;
use signalpost_store::{Store, StoreError};

/// Outcomes that somebody remembers who should not.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<State>);

#[derive(Default)]
struct State {
    /// Confirmed, and not handed to the store.
    confirmed: Vec<Arc<Vec<Finished>>>,
    /// Deliveries that have ended, as if one more attempt were owed.
    ended: BTreeMap<WebhookId, Vec<Due>>,
}

impl Remembered {
    pub(crate) fn confirm(&self, finished: Arc<Vec<Finished>>) {
        self.lock().confirmed.push(finished);
    }

    pub(crate) fn take_confirmed(&self) -> Vec<Arc<Vec<Finished>>> {
        std::mem::take(&mut self.lock().confirmed)
    }

    /// Remembers one of those that have ended.
    pub(crate) fn note_end(&self, finished: &[Finished]) {
        let ended = |one: &&Finished| matches!(one.attempt.verdict, Verdict::Delivered | Verdict::GiveUp);
        if let Some(one) = finished.iter().find(ended) {
            let again = Due { steps: one.due.steps + 1, ..one.due };
            self.lock().ended.entry(one.due.id.webhook).or_default().push(again);
        }
    }

    /// The ended deliveries of a webhook, once.
    pub(crate) fn take_ended(&self, webhook: WebhookId) -> Vec<Due> {
        self.lock().ended.remove(&webhook).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics while remembering")
    }
}

pub(crate) fn without_health(finished: &[Finished]) -> Arc<Vec<Finished>> {
    Arc::new(finished.iter().map(|one| Finished { health: None, ..one.clone() }).collect())
}

/// Another verdict for each that changes.
pub(crate) fn judged_anew(
    finished: &[Finished],
    change: impl Fn(Verdict) -> Option<Verdict>,
) -> Arc<Vec<Finished>> {
    let anew = |one: &Finished| {
        let mut anew = one.clone();
        anew.attempt.verdict = change(one.attempt.verdict).unwrap_or(one.attempt.verdict);
        anew
    };
    Arc::new(finished.iter().map(anew).collect())
}

/// Records an end of everything old that is owed, so that it looks as if nothing of it were pending.
pub(crate) async fn pretend_ends(store: &dyn Store, params: &Retain) -> Result<(), StoreError> {
    let Some(age) = params.rules.event_age_max else { return Ok(()) };
    let age_ms = i64::try_from(age.as_millis()).expect("hours");
    for lane in store.due_lanes(DueLanes { after: None, limit: 100 }).await? {
        for due in store
            .due_page(DuePage { webhook: lane.webhook, limit: 100, order: DueOrder::OLDEST_FIRST })
            .await?
        {
            let events = store.events_by_id(vec![due.id.event]).await?;
            let old = events.iter().find(|event| params.now.ms_since(event.accepted_at) >= age_ms);
            if let Some(event) = old {
                let finished = sample::finished(event.workspace, due, Verdict::GiveUp);
                store.finish(Arc::new(vec![finished])).await?;
            }
        }
    }
    Ok(())
}
