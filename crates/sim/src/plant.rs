//! Faults planted on purpose: each is a mistake that somebody could make, and the auditor must see it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use signalpost_core::attempt::Verdict;
use signalpost_core::delivery::Due;
use signalpost_core::id::WebhookId;
use signalpost_core::webhook::Remembered;
use signalpost_store::catalog::{CloseWorkspace, EraseWorkspace, LaneRecord};
use signalpost_store::ledger::{AcceptEvent, Accepted, DueLane, DueLanes, DuePage, Ledger, Retain};
use signalpost_store::testing::sample;
use signalpost_store::{Answer, Catalog, Done, Once};

use crate::store::{Inner, at_once};

/// One planted fault, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    Nothing,
    /// The store forgets that a retry is owed: only the process that made the attempt still knows.
    ForgetRetryRow,
    /// Some lanes are never found among those that are owed something.
    HideLane,
    /// Some events are acknowledged and not stored.
    LoseAcknowledged,
    /// Some outcomes are confirmed and not stored.
    ForgetOutcome,
    /// Retention takes what is pending for ended.
    RemovePending,
    /// A lane always sees its webhook as it was when the process first looked.
    StaleLane,
    /// A lane goes on with the secrets that its webhook had when the process first looked.
    StaleSecrets,
    /// A retry carries another event id than the first attempt.
    ChangeEventId,
    /// Some requests go out twice.
    SendTwice,
    /// Some requests carry a damaged signature.
    DamageSignature,
    /// Requests of one webhook go to the URL of another workspace's.
    WrongHost,
    /// The store does not know a call again by its idempotency key.
    ForgetCalls,
    /// A workspace is closed without its last event.
    ForgetFarewell,
    /// The store forgets that webhooks have changed since they were made.
    ForgetChanges,
}

impl Plant {
    pub const ALL: [Self; 14] = [
        Self::ForgetRetryRow,
        Self::HideLane,
        Self::LoseAcknowledged,
        Self::ForgetOutcome,
        Self::RemovePending,
        Self::StaleLane,
        Self::StaleSecrets,
        Self::ChangeEventId,
        Self::SendTwice,
        Self::DamageSignature,
        Self::WrongHost,
        Self::ForgetCalls,
        Self::ForgetFarewell,
        Self::ForgetChanges,
    ];

    pub(crate) fn close_workspace(self, store: &Inner, params: CloseWorkspace) -> Answer<Option<Accepted>> {
        if self != Self::ForgetFarewell {
            return store.close_workspace(params);
        }
        let AcceptEvent { workspace, accepted_at: at, .. } = params.farewell;
        Box::pin(store.erase_workspace(EraseWorkspace { workspace, at }).map(|ended| ended.map(|_| None)))
    }

    pub(crate) fn accept_once(
        self,
        store: &Inner,
        events: Vec<AcceptEvent>,
        once: Once,
    ) -> Answer<Done<Vec<Accepted>, Vec<Accepted>>> {
        if self != Self::ForgetCalls {
            return store.accept_once(events, once);
        }
        Box::pin(store.accept(events).map(|accepted| accepted.map(Done::Now)))
    }

    pub(crate) fn hide_rows(self, rows: Answer<Vec<Due>>) -> Answer<Vec<Due>> {
        if self != Self::ForgetRetryRow {
            return rows;
        }
        Box::pin(rows.map(|rows| Ok(rows?.into_iter().filter(|due| due.tries == 0).collect())))
    }

    pub(crate) fn remembered(self, webhooks: Answer<Vec<Remembered>>) -> Answer<Vec<Remembered>> {
        if self != Self::ForgetChanges {
            return webhooks;
        }
        Box::pin(webhooks.map(|webhooks| Ok(webhooks?.into_iter().map(as_if_unchanged).collect())))
    }

    /// Hides lanes by what they are called alone, so that the same ones stay hidden. A page keeps its last lane,
    /// from which the reader goes on.
    pub(crate) fn hide_lanes(self, lanes: Answer<Vec<DueLane>>) -> Answer<Vec<DueLane>> {
        if self != Self::HideLane {
            return lanes;
        }
        let hidden = |lane: &DueLane| (lane.webhook.raw() >> 22) % 2 == 0;
        Box::pin(lanes.map(move |lanes| Ok(lanes?.into_iter().filter(|lane| !hidden(lane)).collect())))
    }
}

fn as_if_unchanged(mut webhook: Remembered) -> Remembered {
    match &mut webhook {
        Remembered::Living(webhook) => webhook.settled_after = webhook.created_after,
        Remembered::Deleted(tombstone) => tombstone.settled_after = tombstone.created_after,
    }
    webhook
}

/// Records an end of everything old that is owed, so that it looks as if nothing of it were pending.
pub(crate) fn pretend_ends(store: &Inner, params: &Retain) {
    let Some(age) = params.rules.event_age_max else { return };
    let age_ms = i64::try_from(age.as_millis()).expect("hours");
    let lanes = at_once(store.due_lanes(DueLanes { after: None, limit: 100 })).unwrap_or_default();
    for lane in lanes {
        let page = DuePage { webhook: lane.webhook, limit: 100 };
        for due in at_once(store.due_page(page)).unwrap_or_default() {
            let events = at_once(store.events_by_id(vec![due.id.event])).unwrap_or_default();
            let old = events.iter().find(|event| params.now.ms_since(event.accepted_at) >= age_ms);
            if let Some(event) = old {
                let finished = sample::finished(event.workspace, due, Verdict::GiveUp);
                // A store that refuses hides the fault this once.
                drop(at_once(store.finish(Arc::new(vec![finished]))));
            }
        }
    }
}

/// First answers about lanes, kept for ever: as wholes, or their secrets alone.
#[derive(Clone, Default)]
pub(crate) struct StaleLanes {
    kept: Arc<Mutex<BTreeMap<WebhookId, LaneRecord>>>,
    part: Part,
}

#[derive(Clone, Copy, Default)]
pub(crate) enum Part {
    #[default]
    Whole,
    Secrets,
}

impl StaleLanes {
    /// The same answers, of which this part is believed.
    pub(crate) fn believing(&self, part: Part) -> Self {
        Self { part, ..self.clone() }
    }

    pub(crate) fn answer(
        self,
        webhook: WebhookId,
        fresh: Answer<Option<LaneRecord>>,
    ) -> Answer<Option<LaneRecord>> {
        Box::pin(fresh.map(move |fresh| {
            let mut kept = self.kept.lock().expect("nobody panics while looking");
            if let Ok(Some(record)) = &fresh {
                kept.entry(webhook).or_insert_with(|| record.clone());
            }
            fresh.map(|fresh| match (kept.get(&webhook), self.part) {
                (None, _) => fresh,
                (Some(kept), Part::Whole) => Some(kept.clone()),
                (Some(kept), Part::Secrets) => fresh.map(|fresh| with_secrets_of(fresh, kept)),
            })
        }))
    }
}

fn with_secrets_of(mut fresh: LaneRecord, kept: &LaneRecord) -> LaneRecord {
    fresh.webhook.secret.clone_from(&kept.webhook.secret);
    fresh.webhook.previous_secrets.clone_from(&kept.webhook.previous_secrets);
    fresh
}
