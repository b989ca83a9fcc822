//! Everything that a store shows through its verbs, read page by page: two stores that agree in it are equal.
//!
//! Versions are left out: their values are a store's own, only their growth is promised.

mod between;
mod operators;
mod rollups;

use std::fmt::Debug;
use std::sync::Arc;

use signalpost_core::act::Act;
use signalpost_core::credential::Credential;
use signalpost_core::delivery::{Cut, Due};
use signalpost_core::event::{Event, Sequence};
use signalpost_core::id::{DeliveryId, EventId, WebhookId, WorkspaceId};
use signalpost_core::operator_key::OperatorKey;
use signalpost_core::profile::FeedRule;
use signalpost_core::replay::Replay;
use signalpost_core::signing_key::SigningKey;
use signalpost_core::webhook::{Remembered, Webhook};
use signalpost_core::workspace::Workspace;

use crate::catalog::{HeldRight, ListWebhooks, ListWorkspaces, RememberedWebhooks};
use crate::desk::{ListActs, OpenOperatorSession, OperatorLogin};
use crate::ledger::{
    DeliveryRecord, DeliverySummary, DueLane, DueLanes, DueOrder, DuePage, Feed, ListDeliveries, ListEvents,
    ReadFeed,
};
use crate::replays::{BusyReplays, ListReplays};
use crate::{Named, Store, StoreError};

use self::operators::{all_operator_accounts, all_operator_keys, all_operator_sessions};
use self::rollups::FiguresRow;

/// Rows of a page: few, so that a handful of rows already needs several.
const PAGE_ROWS: usize = 3;

/// More than any test owes to one webhook.
const DUE_ROWS: usize = 10_000;

/// More than any test plans, or makes jobs of.
const PLAN_ROWS: usize = 10_000;

/// The visible state of a store.
#[derive(Debug, Default)]
pub struct Snapshot {
    highest_id: i64,
    workspaces: Vec<Workspace>,
    webhooks: Vec<Webhook>,
    /// The deleted ones too.
    remembered: Vec<Remembered>,
    /// Active webhooks, workspace by workspace, as fan-out sees them.
    fan_out: Vec<Webhook>,
    cuts: Vec<(WebhookId, Vec<Cut>)>,
    signing_keys: Vec<SigningKey>,
    credentials: Vec<Credential>,
    rights: Vec<HeldRight>,
    operator_keys: Vec<OperatorKey>,
    operator_accounts: Vec<OperatorLogin>,
    operator_sessions: Vec<OpenOperatorSession>,
    acts: Vec<Act>,
    figures: Vec<FiguresRow>,
    /// Each with what is in its plan.
    replays: Vec<(Replay, Vec<EventId>)>,
    /// Those of all workspaces on which the engine works.
    busy_replays: Vec<Replay>,
    events: Vec<Arc<Event>>,
    /// Of each workspace that has one, from its beginning and from place 0 on.
    feeds: Vec<(WorkspaceId, [Feed; 2])>,
    /// Events of each workspace as they are counted; bytes are a store's own measure.
    counted: Vec<(WorkspaceId, Option<u64>)>,
    summaries: Vec<DeliverySummary>,
    records: Vec<DeliveryRecord>,
    owners: Vec<(DeliveryId, Option<WorkspaceId>)>,
    due_lanes: Vec<DueLane>,
    due: Vec<Due>,
}

impl Snapshot {
    /// Reads everything. Nothing else may write meanwhile.
    ///
    /// # Panics
    /// When a list does not get on from page to page.
    pub async fn of(store: &dyn Store) -> Result<Self, StoreError> {
        let mut seen = Self { highest_id: store.highest_id(), ..Self::default() };
        seen.workspaces = all_workspaces(store).await?;
        seen.operator_keys = all_operator_keys(store).await?;
        seen.operator_accounts = all_operator_accounts(store).await?;
        seen.operator_sessions = all_operator_sessions(store).await?;
        seen.acts = all_acts(store, ListActs { limit: PAGE_ROWS, ..ListActs::default() }).await?;
        for workspace in seen.workspaces.iter().map(|workspace| workspace.id).collect::<Vec<_>>() {
            seen.read_catalog(store, workspace).await?;
            seen.read_ledger(store, workspace).await?;
        }
        seen.busy_replays = store.busy_replays(BusyReplays { after: None, limit: PLAN_ROWS }).await?;
        seen.read_figures(store).await?;
        seen.read_due(store).await?;
        Ok(seen)
    }

    /// Reads what concerns one workspace; the highest id is everybody's and left out. Empty when there is no such workspace.
    ///
    /// # Panics
    /// As [`Self::of`].
    pub async fn of_workspace(store: &dyn Store, workspace: WorkspaceId) -> Result<Self, StoreError> {
        let mut workspaces = all_workspaces(store).await?;
        workspaces.retain(|known| known.id == workspace);
        let mut seen = Self { workspaces, ..Self::default() };
        seen.read_catalog(store, workspace).await?;
        seen.read_ledger(store, workspace).await?;
        for webhook in seen.webhooks.iter().map(|webhook| webhook.id).collect::<Vec<_>>() {
            seen.due.extend(
                store.due_page(DuePage { webhook, limit: DUE_ROWS, order: DueOrder::OLDEST_FIRST }).await?,
            );
        }
        Ok(seen)
    }

    /// Events and deliveries with their attempts, as a count of what there is to lose.
    pub fn rows(&self) -> usize {
        self.events.len() + self.records.iter().map(|record| 1 + record.steps.len()).sum::<usize>()
    }

    /// All but the record of who has tried what, and the ids that it took: what is asked for in vain is on record too.
    #[must_use]
    pub fn without_record(self) -> Self {
        Self { acts: Vec::new(), highest_id: 0, ..self }
    }

    /// As after a restore that revokes keys and rights.
    #[must_use]
    pub fn without_keys(self) -> Self {
        let (credentials, rights, operator_keys) = (Vec::new(), Vec::new(), Vec::new());
        let (operator_accounts, operator_sessions) = (Vec::new(), Vec::new());
        Self { credentials, rights, operator_keys, operator_accounts, operator_sessions, ..self }
    }

    /// The first part in which two stores differ, in words; `None` when they are equal.
    pub fn difference(&self, other: &Self) -> Option<String> {
        part("highest id", &self.highest_id, &other.highest_id)
            .or_else(|| rows("workspaces", &self.workspaces, &other.workspaces))
            .or_else(|| rows("webhooks", &self.webhooks, &other.webhooks))
            .or_else(|| rows("remembered webhooks", &self.remembered, &other.remembered))
            .or_else(|| rows("fan-out", &self.fan_out, &other.fan_out))
            .or_else(|| rows("cuts", &self.cuts, &other.cuts))
            .or_else(|| rows("signing keys", &self.signing_keys, &other.signing_keys))
            .or_else(|| rows("credentials", &self.credentials, &other.credentials))
            .or_else(|| rows("rights", &self.rights, &other.rights))
            .or_else(|| rows("operator keys", &self.operator_keys, &other.operator_keys))
            .or_else(|| rows("operator accounts", &self.operator_accounts, &other.operator_accounts))
            .or_else(|| rows("operator sessions", &self.operator_sessions, &other.operator_sessions))
            .or_else(|| rows("acts", &self.acts, &other.acts))
            .or_else(|| rows("figures", &self.figures, &other.figures))
            .or_else(|| rows("replays", &self.replays, &other.replays))
            .or_else(|| rows("busy replays", &self.busy_replays, &other.busy_replays))
            .or_else(|| rows("events", &self.events, &other.events))
            .or_else(|| rows("feeds", &self.feeds, &other.feeds))
            .or_else(|| rows("counts of events", &self.counted, &other.counted))
            .or_else(|| rows("delivery summaries", &self.summaries, &other.summaries))
            .or_else(|| rows("delivery records", &self.records, &other.records))
            .or_else(|| rows("owners", &self.owners, &other.owners))
            .or_else(|| rows("due lanes", &self.due_lanes, &other.due_lanes))
            .or_else(|| rows("due", &self.due, &other.due))
    }

    async fn read_catalog(&mut self, store: &dyn Store, workspace: WorkspaceId) -> Result<(), StoreError> {
        for webhook in all_webhooks(store, workspace).await? {
            let lane = store.lane(webhook.id).await?;
            let mut cuts = lane.map(|lane| lane.cuts).unwrap_or_default();
            cuts.sort_by_key(|cut| (cut.upto, cut.at, cut.reason.name()));
            self.cuts.push((webhook.id, cuts));
            self.webhooks.push(webhook);
        }
        self.remembered.extend(all_remembered(store, workspace).await?);
        self.fan_out.extend(store.fan_out(workspace).await?.into_iter().flat_map(|fan_out| fan_out.webhooks));
        self.signing_keys.extend(store.list_signing_keys(workspace).await?);
        self.credentials.extend(store.list_credentials(workspace).await?);
        self.rights.extend(store.list_rights(workspace).await?);
        for replay in all_replays(store, workspace).await? {
            let plan = store.replay_sample(workspace, replay.id, PLAN_ROWS).await?;
            self.replays.push((replay, plan));
        }
        Ok(())
    }

    async fn read_ledger(&mut self, store: &dyn Store, workspace: WorkspaceId) -> Result<(), StoreError> {
        let everything =
            ListEvents { workspace, event_type: None, subject: None, before: None, limit: PAGE_ROWS };
        self.events.extend(all_events(store, everything).await?);
        if self.workspaces.iter().any(|known| known.id == workspace && known.feed == FeedRule::Kept) {
            let read = |after| ReadFeed { workspace, after, types: Vec::new(), limit: PAGE_ROWS };
            let from_the_beginning = whole_feed(store, read(None)).await?.expect("the workspace was listed");
            let from_0 = whole_feed(store, read(Some(Sequence(0)))).await?.expect("the workspace was listed");
            self.feeds.push((workspace, [from_the_beginning, from_0]));
        }
        let usage = store.usage(workspace).await?;
        self.counted.push((workspace, usage.map(|usage| usage.events)));
        let everything = ListDeliveries {
            workspace,
            webhook: None,
            event: None,
            status: None,
            before: None,
            limit: PAGE_ROWS,
        };
        for summary in all_deliveries(store, everything).await? {
            self.records.extend(store.delivery(workspace, summary.id).await?);
            self.owners.push((summary.id, store.owner_of(Named::Delivery(summary.id)).await?));
            self.summaries.push(summary);
        }
        Ok(())
    }

    async fn read_due(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = store.due_lanes(DueLanes { after, limit: PAGE_ROWS }).await?;
            let Some(last) = page.last() else { return Ok(()) };
            assert!(after.is_none_or(|after| last.webhook > after), "the list of lanes stands still");
            after = Some(last.webhook);
            for lane in page {
                self.due.extend(
                    store
                        .due_page(DuePage {
                            webhook: lane.webhook,
                            limit: DUE_ROWS,
                            order: DueOrder::OLDEST_FIRST,
                        })
                        .await?,
                );
                self.due_lanes.push(lane);
            }
        }
    }
}

async fn all_workspaces(store: &dyn Store) -> Result<Vec<Workspace>, StoreError> {
    let mut found: Vec<Workspace> = Vec::new();
    loop {
        let after = found.last().map(|workspace| workspace.id);
        let page = store.list_workspaces(ListWorkspaces { after, limit: PAGE_ROWS }).await?;
        let Some(last) = page.last() else { return Ok(found) };
        assert!(after.is_none_or(|after| last.id > after), "the list of workspaces stands still");
        found.extend(page);
    }
}

async fn all_webhooks(store: &dyn Store, workspace: WorkspaceId) -> Result<Vec<Webhook>, StoreError> {
    let mut found: Vec<Webhook> = Vec::new();
    loop {
        let before = found.last().map(|webhook| webhook.id);
        let params =
            ListWebhooks { workspace, subject: None, active: None, before, offset: 0, limit: PAGE_ROWS };
        let page = store.list_webhooks(params).await?;
        let Some(last) = page.rows.last() else { return Ok(found) };
        assert!(before.is_none_or(|before| last.id < before), "the list of webhooks stands still");
        found.extend(page.rows);
    }
}

async fn all_replays(store: &dyn Store, workspace: WorkspaceId) -> Result<Vec<Replay>, StoreError> {
    let mut found: Vec<Replay> = Vec::new();
    loop {
        let before = found.last().map(|replay| replay.id);
        let page = store.list_replays(ListReplays { workspace, before, limit: PAGE_ROWS }).await?;
        let Some(last) = page.last() else { return Ok(found) };
        assert!(before.is_none_or(|before| last.id < before), "the list of replays stands still");
        found.extend(page);
    }
}

async fn all_remembered(store: &dyn Store, workspace: WorkspaceId) -> Result<Vec<Remembered>, StoreError> {
    let mut found: Vec<Remembered> = Vec::new();
    loop {
        let before = found.last().map(Remembered::id);
        let params = RememberedWebhooks { workspace, public_id: None, before, limit: PAGE_ROWS };
        let page = store.remembered_webhooks(params).await?;
        let Some(last) = page.last() else { return Ok(found) };
        assert!(before.is_none_or(|before| last.id() < before), "what is remembered stands still");
        found.extend(page);
    }
}

/// Follows a list of events to its end, from the page that `params` asks for.
///
/// # Panics
/// When a page is longer than asked for or the list does not get on.
pub async fn all_events(store: &dyn Store, mut params: ListEvents) -> Result<Vec<Arc<Event>>, StoreError> {
    let mut found = Vec::new();
    loop {
        let page = store.list_events(params.clone()).await?;
        assert!(page.rows.len() <= params.limit, "a page of {} for {params:?}", page.rows.len());
        found.extend(page.rows);
        let Some(next) = page.next else { return Ok(found) };
        assert!(params.before.is_none_or(|before| next < before), "the list of events stands still");
        params.before = Some(next);
    }
}

/// Follows a feed to its end, from the page that `params` asks for: all events as one page. The first answer when that
/// is none.
///
/// # Panics
/// When a page is longer than asked for or the feed does not get on.
pub async fn whole_feed(store: &dyn Store, mut params: ReadFeed) -> Result<Option<Feed>, StoreError> {
    let mut found = Vec::new();
    loop {
        match store.feed(params.clone()).await? {
            Some(Feed::Page { events, next, more }) => {
                assert!(events.len() <= params.limit, "a page of {} for {params:?}", events.len());
                assert!(params.after.is_none_or(|after| next > after || !more), "the feed stands still");
                found.extend(events);
                if !more {
                    return Ok(Some(Feed::Page { events: found, next, more }));
                }
                params.after = Some(next);
            }
            other => return Ok(other),
        }
    }
}

/// Follows a list of acts to its end, as [`all_events`].
pub async fn all_acts(store: &dyn Store, mut params: ListActs) -> Result<Vec<Act>, StoreError> {
    let mut found = Vec::new();
    loop {
        let page = store.list_acts(params.clone()).await?;
        assert!(page.rows.len() <= params.limit, "a page of {} for {params:?}", page.rows.len());
        found.extend(page.rows);
        let Some(next) = page.next else { return Ok(found) };
        assert!(params.before.is_none_or(|before| next < before), "the list of acts stands still");
        params.before = Some(next);
    }
}

/// Follows a list of deliveries to its end, as [`all_events`].
pub async fn all_deliveries(
    store: &dyn Store,
    mut params: ListDeliveries,
) -> Result<Vec<DeliverySummary>, StoreError> {
    let mut found = Vec::new();
    loop {
        let page = store.list_deliveries(params.clone()).await?;
        assert!(page.rows.len() <= params.limit, "a page of {} for {params:?}", page.rows.len());
        found.extend(page.rows);
        let Some(next) = page.next else { return Ok(found) };
        assert!(params.before.is_none_or(|before| next < before), "the list of deliveries stands still");
        params.before = Some(next);
    }
}

fn rows<T: Debug + PartialEq>(name: &str, ours: &[T], theirs: &[T]) -> Option<String> {
    let place = ours.iter().zip(theirs).position(|(one, other)| one != other);
    match place {
        Some(place) => part(&format!("{name}, row {place}"), &ours[place], &theirs[place]),
        None => part(&format!("number of {name}"), &ours.len(), &theirs.len()),
    }
}

fn part<T: Debug + PartialEq>(name: &str, ours: &T, theirs: &T) -> Option<String> {
    (ours != theirs).then(|| format!("{name}:\n  {ours:?}\n  {theirs:?}"))
}
