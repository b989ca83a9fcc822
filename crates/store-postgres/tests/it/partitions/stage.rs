//! A store whose first tables have come to their end, by a clock that the tests hold, and events of that time.

use std::sync::Arc;
use std::time::Duration;

use signalpost_core::attempt::Verdict;
use signalpost_core::id::{EventId, WebhookId, WorkspaceId, first_id_at};
use signalpost_core::retention::{RetentionDefault, RetentionRules};
use signalpost_core::time::Timestamp;
use signalpost_core::workspace::Workspace;
use signalpost_store::Store;
use signalpost_store::ledger::{AcceptEvent, Dedupe, DueOrder, DuePage, Retain, Usage};
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::conformance::Harness;
use signalpost_store::testing::sample;

use crate::support::{Fresh, ask};

pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
/// With which tables hold an hour each.
pub(crate) const AGE_H: i64 = 8;
/// Until nothing can come to an hour any more.
const SETTLED_MS: i64 = 10 * MINUTE_MS;
/// Calls of `retain` that a walk takes at most.
const WALK_MAX: usize = 200;

pub(crate) struct Stage {
    /// Closed before its place is left.
    pub(crate) store: Option<Arc<dyn Store>>,
    pub(crate) place: Fresh,
    /// In milliseconds: where the first span ends.
    pub(crate) begins: i64,
}

impl Stage {
    /// With two spans of an hour each.
    pub(crate) fn new() -> Self {
        Self::at(Fresh::new())
    }

    pub(crate) fn at(place: Fresh) -> Self {
        let store = place.open();
        let begins = number(&format!("SELECT (max(ended) >> 22)::text FROM {}.span", place.schema));
        let stage = Self { store: Some(store), place, begins };
        stage.walk(-10 * MINUTE_MS);
        stage
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &**self.store.as_ref().expect("it is open")
    }

    /// As a process that is killed and started again: nothing is in memory.
    pub(crate) fn open_anew(&mut self) {
        self.store = None;
        self.store = Some(self.place.open());
    }

    pub(crate) fn rules() -> RetentionRules {
        let age = u64::try_from(AGE_H * HOUR_MS).expect("small");
        RetentionRules {
            event_age_max: Some(Duration::from_millis(age)),
            payload_age_max: None,
            bytes_max: None,
        }
    }

    pub(crate) fn time(&self, ms: i64) -> Timestamp {
        Timestamp::from_ms(self.begins + ms)
    }

    /// When the span that ends then may go.
    pub(crate) const fn over(ended_ms: i64) -> i64 {
        ended_ms + AGE_H * HOUR_MS + SETTLED_MS
    }

    /// One step of retention; the events that went, and whether there is more.
    pub(crate) fn step(&self, ms: i64) -> (u64, bool) {
        let done = block_on(self.store().retain(Retain { now: self.time(ms), rules: Self::rules() }))
            .expect("a step");
        (done.events, done.more)
    }

    /// A walk to its end; the events that went.
    pub(crate) fn walk(&self, ms: i64) -> u64 {
        let mut gone = 0;
        for _ in 0..WALK_MAX {
            let (events, more) = self.step(ms);
            gone += events;
            if !more {
                return gone;
            }
        }
        panic!("a walk has no end");
    }

    pub(crate) fn create(&self, workspace: Workspace, webhooks: &[i64]) -> WorkspaceId {
        let id = workspace.id;
        block_on(self.store().create_workspace(workspace)).expect("a workspace");
        for webhook in webhooks {
            block_on(self.store().create_webhook(sample::webhook(id, *webhook).into())).expect("a webhook");
        }
        id
    }

    pub(crate) fn for_ever(n: i64) -> Workspace {
        Workspace { retention: RetentionDefault::ForEver, ..sample::workspace_with_feed(n) }
    }

    /// An event of this time, whose producer calls it by its number.
    pub(crate) fn event(&self, workspace: WorkspaceId, ms: i64, n: i64, targets: &[i64]) -> AcceptEvent {
        let targets: Vec<WebhookId> = targets.iter().map(|webhook| WebhookId::from_raw(*webhook)).collect();
        let fan_out = block_on(self.store().fan_out(workspace)).expect("it reads").expect("it exists");
        let mut event = sample::event(workspace, n, fan_out.version, &targets);
        event.id = EventId::from_raw(first_id_at(self.time(ms)) + n);
        event.accepted_at = self.time(ms);
        event.content.producer_id = Some(format!("p{n}"));
        event.dedupe = Some(Dedupe { fingerprint: [1; 32], not_before: self.time(ms - HOUR_MS) });
        event
    }

    pub(crate) fn publish(&self, workspace: WorkspaceId, ms: i64, n: i64, targets: &[i64]) -> EventId {
        let event = self.event(workspace, ms, n, targets);
        let id = event.id;
        block_on(self.store().accept(vec![event])).expect("accepted");
        id
    }

    /// Ends the next attempt of everything that a webhook is owed, each as is said of it.
    pub(crate) fn attempt(
        &self,
        workspace: WorkspaceId,
        webhook: i64,
        verdict: impl Fn(EventId) -> Option<Verdict>,
    ) {
        let page =
            DuePage { webhook: WebhookId::from_raw(webhook), limit: 1_000, order: DueOrder::OLDEST_FIRST };
        let due = block_on(self.store().due_page(page)).expect("it reads");
        let ended =
            due.into_iter().filter_map(|due| Some(sample::finished(workspace, due, verdict(due.id.event)?)));
        let ended = sample::begun_by(self.store(), ended.collect());
        block_on(self.store().finish(ended.into())).expect("they are recorded");
    }

    pub(crate) fn deliver(&self, workspace: WorkspaceId, webhook: i64) {
        self.attempt(workspace, webhook, |_| Some(Verdict::Delivered));
    }

    pub(crate) fn owed(&self, webhook: i64) -> Vec<EventId> {
        let page =
            DuePage { webhook: WebhookId::from_raw(webhook), limit: 1_000, order: DueOrder::OLDEST_FIRST };
        let due = block_on(self.store().due_page(page)).expect("it reads");
        due.into_iter().map(|due| due.id.event).collect()
    }

    pub(crate) fn usage(&self, workspace: WorkspaceId) -> Usage {
        block_on(self.store().usage(workspace)).expect("it reads").expect("it exists")
    }

    /// The first column of what a query of this schema finds.
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        ask(&sql.replace("{s}", &self.place.schema))
    }

    pub(crate) fn count(&self, table: &str) -> i64 {
        number(&format!("SELECT count(*)::text FROM {}.{table}", self.place.schema))
    }

    pub(crate) fn is_there(&self, table: &str) -> bool {
        let sql = format!(
            "SELECT relname::text FROM pg_class WHERE relnamespace = '{{s}}'::regnamespace AND relname = '{table}'"
        );
        !self.ask(&sql).is_empty()
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.ask("SELECT kind FROM {s}.span ORDER BY first")
    }
}

fn number(sql: &str) -> i64 {
    ask(sql)[0].parse().expect("a number")
}
