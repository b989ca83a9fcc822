//! The second phase of a run: in a healed world everything owed drains in bounded time, fresh events arrive at once,
//! the engine's memory empties, and its lists are taken down for the auditor.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use signalpost_core::delivery::{DeliveryState, DeliveryStatus};
use signalpost_core::error::Error;
use signalpost_core::event::Event;
use signalpost_core::id::WorkspaceId;
use signalpost_core::limits::PAGE_ROWS_MAX;
use signalpost_core::ports::Clock;
use signalpost_core::principal::Audience;
use signalpost_core::time::Timestamp;
use signalpost_engine::Engine;
use signalpost_engine::explain::{ExplainPage, Explanations};
use signalpost_store::ledger::{DeliveryRecord, DeliverySummary, ListDeliveries, ListEvents};

use crate::facts::{Again, EventFacts, Promise, Tenancy, Wanted, data_of};
use crate::load::manage::OWN_SCHEDULES_S;
use crate::load::{manage, order, publish, reader};
use crate::profiles::EVENT_TYPES;
use crate::world::{EVENTS_MAX, World};

/// Beside the longest delay: a reconciliation, the longest timeout, and the work itself.
const DRAIN_MARGIN_S: u64 = 180;
/// What is owed and was not woken for is found after this, in seconds: the pause between two searches, and one for the search.
const LATE_S: u64 = 30 + 1;
/// What was under way when the world was healed has ended after this, in seconds: the longest timeout, and an outcome's way to
/// the disk.
const SETTLING_S: u64 = 15 + 15;
/// The longest time between two probes of a paused webhook, written down a second time.
const PROBE_S: u64 = 15 * 60;
/// Longest pause between two looks at what is late, where nobody asks for a day.
const LOOK_MS_MAX: u64 = 5_000;
/// An event published into a healed world with nothing to do is settled after this.
const FRESH_MS: u64 = 10_000;
/// A core looks at the wall clock once an hour at least.
const ALARM_S: u64 = 3_600;

/// The part of all events that are explained, one in so many: enough over many worlds, and a run takes hardly longer.
const EXPLAINED_PARTS: usize = 4;

/// What the engine's lists say of one workspace.
pub(crate) struct Lists {
    pub(crate) events: Vec<Arc<Event>>,
    pub(crate) deliveries: Vec<DeliveryRecord>,
    /// Of some events, with all webhooks that there are or were.
    pub(crate) explained: Vec<Explanations>,
}

/// Runs to the end. The lists are by workspace; erased ones have none.
pub(crate) async fn drain(world: &Rc<World>) -> BTreeMap<usize, Lists> {
    order::unblock_all(world).await;
    manage::switch_all_on(world).await;
    let bound_s = drain_bound_s(world);
    let began_us = world.ground.clock.now_us();
    world.processes.check_shares();
    let settling = world.ground.clock.now().plus_ms(ms((SETTLING_S + probe_s(world)) * 1_000));
    // A receiver that was busy gets the time that it has asked for from all that its webhook is owed.
    let settled = || world.network.held_until().map_or(settling, |until| until.max(settling));
    let mut pause_ms = 500;
    let mut waits = Waits::default();
    let mut pending = look_at_pending(world, &mut waits).await;
    let late_ms = ms(late_bound_ms(world, pending.len()));
    while let Some((id, due_at)) = pending.iter().min_by_key(|(_, due_at)| *due_at) {
        if world.ground.clock.now().ms_since((*due_at).max(settled())) > late_ms {
            world.find(format!(
                "delivery {id}, due at {due_at}, is pending and late by more than {late_ms} ms"
            ));
            break;
        }
        if world.ground.clock.now_us() - began_us > bound_s * 1_000_000 {
            let pending = pending.len();
            world.find(format!("{pending} deliveries are pending {bound_s} s after the world was healed"));
            break;
        }
        world.ground.sleep_ms(pause_ms).await;
        // Where receivers ask for a day, the three hundredth part of the bound is often enough.
        pause_ms = (pause_ms * 2).min(LOOK_MS_MAX.max(bound_s * 1_000 / 300));
        pending = look_at_pending(world, &mut waits).await;
    }
    let drained_us = world.ground.clock.now_us() - began_us;
    let held_ms = settled().ms_since(world.ground.clock.now());
    world.ground.sleep_ms(u64::try_from(held_ms).expect("never below zero")).await;
    world.ground.note(format_args!("drained after {} s, the bound is {bound_s} s", drained_us / 1_000_000));
    publish_fresh(world).await;
    // Retries of webhooks that were ended stay in memory until their time comes.
    world.ground.sleep_ms(bound_s * 1_000).await;
    world.processes.check_emptiness();
    world.processes.check_shares();
    world.trouble.rest_retention();
    // What of it was under way is done by then.
    world.ground.sleep_ms(FRESH_MS).await;
    let listed = world.ground.note(format_args!("lists are taken down"));
    world.facts.borrow_mut().listed = Some(listed);
    if world.options.read_pause_ms.is_some() {
        reader::catch_up(world).await;
    }
    take_lists(world).await
}

/// The longest that a delivery can still have to wait, in seconds.
fn drain_bound_s(world: &World) -> u64 {
    let facts = world.facts.borrow();
    let longest = longest_delay_s(world);
    // A clock that was set back leaves what is due in the future; one that was set forward, sleeping cores.
    let jumps = u64::try_from(facts.jumps.len()).expect("few");
    let stray = world.options.jump_ms_max.map_or(0, |max| jumps * max / 1_000 + ALARM_S.min(jumps * ALARM_S));
    let chain = chain_bound_ms(world) / 1_000;
    let ceilings = ceilings_bound_ms(world) / 1_000;
    // To the probe that succeeds, and until the time of the one before it.
    let probes = 2 * probe_s(world);
    let stray = stray + world.options.nodes.apart_ms().div_ceil(1_000);
    let bound_s = longest + longest / 10 + stray + ceilings + chain + probes + DRAIN_MARGIN_S;
    world.options.by_any_clock_us(bound_s * 1_000_000) / 1_000_000
}

fn longest_delay_s(world: &World) -> u64 {
    let facts = world.facts.borrow();
    let delays = facts.workspaces.iter().flat_map(|workspace| workspace.schedule_s.iter().copied());
    let own = OWN_SCHEDULES_S.into_iter().flatten().copied();
    delays.chain(own).max().unwrap_or(0).max(world.options.network.retry_after_max_s())
}

/// What events of one key add that go one after the other, each found by a search when nobody is woken for it.
fn chain_bound_ms(world: &World) -> u64 {
    let facts = world.facts.borrow();
    let mut chains: BTreeMap<(usize, &str), u64> = BTreeMap::new();
    for event in &facts.events {
        let chain =
            event.ordering_key.as_deref().map(|key| chains.entry((event.workspace, key)).or_default());
        chain.into_iter().for_each(|length| *length += 1);
    }
    let searches = world.options.trouble.deaf_permille > 0 || world.options.trouble.bells_lost_permille > 0;
    let search_ms = if searches { LATE_S * 1_000 } else { 0 };
    chains.into_values().max().unwrap_or(0) * (wave_us(world) / 1_000 + search_ms)
}

/// What waits behind others of its key is as late as the first of them, which may wait for its retry.
fn held_bound_ms(world: &World) -> u64 {
    let chain_ms = chain_bound_ms(world);
    if chain_ms == 0 { 0 } else { chain_ms + longest_delay_s(world) * 1_100 }
}

/// A paused webhook may learn so much later that the world was healed, in seconds.
fn probe_s(world: &World) -> u64 {
    let facts = world.facts.borrow();
    let pauses = facts.workspaces.iter().any(|workspace| workspace.style.hold.is_some());
    if pauses { world.options.by_any_clock_us(PROBE_S * 1_000_000) / 1_000_000 } else { 0 }
}

/// The longest that a delivery may be pending after it was due, when nothing fails any more.
fn late_bound_ms(world: &World, pending: usize) -> u64 {
    // Only a page was looked at. A webhook whose receiver was strained has one at once at first, and one more with each wave
    // that goes well: so many waves take half of their square.
    let waves = (2 * u64::try_from(pending.max(EVENTS_MAX)).expect("few")).isqrt() + 2;
    // A core sleeps for as long as the wall clock says that it is, and looks at it once an hour at least.
    let jumped_s = if world.facts.borrow().jumps.is_empty() { 0 } else { ALARM_S };
    let drift = world.options.drift_permille.map_or(0, i64::unsigned_abs);
    LATE_S * 1_000
        + waves * wave_us(world) / 1_000
        + ceilings_bound_ms(world)
        + held_bound_ms(world)
        + jumped_s * 1_000
        + world.options.nodes.apart_ms()
        + ALARM_S * drift
}

/// To the receiver and back, a page and its events, an outcome behind other commits.
fn wave_us(world: &World) -> u64 {
    let pace = world.options.store;
    2 * (world.options.network.latency_us_max + pace.read_us_max) + 4 * pace.commit_us_max
}

/// What the lowest ceilings add when a webhook is owed every event that there is.
fn ceilings_bound_ms(world: &World) -> u64 {
    let facts = world.facts.borrow();
    let events = u64::try_from(facts.events.len()).expect("few");
    let last = || facts.webhooks.iter().filter_map(|webhook| webhook.wanted_last());
    let least = |ceiling: fn(&Wanted) -> Option<u64>| last().filter_map(ceiling).min();
    let rate_per_s = least(|wanted| wanted.ceilings.rate.map(|rate| rate.requests_per_second().into()));
    let in_flight = least(|wanted| wanted.ceilings.in_flight.map(|most| most.get().into()));
    let paced_ms = rate_per_s.map_or(0, |rate| events * 1_000 / rate);
    let waves = in_flight.map_or(0, |most| events.div_ceil(most));
    paced_ms + waves * wave_us(world) / 1_000
}

fn ms(ms: u64) -> i64 {
    i64::try_from(ms).expect("days")
}

/// Workspaces that live, by their place among the facts.
fn living(world: &World) -> Vec<(usize, String)> {
    let facts = world.facts.borrow();
    let all =
        facts.workspaces.iter().enumerate().filter(|(_, workspace)| workspace.tenancy == Tenancy::Living);
    all.map(|(place, workspace)| (place, workspace.public_id.clone())).collect()
}

/// What is owed, by public id, and since when or from when on: a page of each workspace.
async fn look_at_pending(world: &Rc<World>, waits: &mut Waits) -> Vec<(String, Timestamp)> {
    let mut pending = Vec::new();
    for (_, public_id) in living(world) {
        let answered = world
            .ask(|engine| {
                let public_id = public_id.clone();
                async move {
                    let workspace = engine.workspace(&public_id).await?.workspace.id;
                    let page = engine.list_deliveries(ListDeliveries {
                        status: Some(DeliveryStatus::Pending),
                        ..every_delivery(workspace)
                    });
                    Ok(page.await?.rows)
                }
            })
            .await;
        let rows = answered.answer.unwrap_or_else(|error| {
            world.find(format!("deliveries cannot be listed: {error}"));
            Vec::new()
        });
        let rows: Vec<(&DeliverySummary, Timestamp)> = rows
            .iter()
            .filter_map(|row| match row.state {
                DeliveryState::Pending { next_at } => Some((row, next_at)),
                _ => None,
            })
            .collect();
        rows.iter().for_each(|(row, next_at)| waits.note(world, &row.webhook, *next_at));
        pending
            .extend(rows.iter().map(|(row, next_at)| (row.id.to_public(), waits.of(&row.webhook, *next_at))));
    }
    pending
}

/// The latest time at which something of an ordered webhook was due: what stands behind it in the order of its key says of itself
/// when it came, and waits until then.
#[derive(Default)]
struct Waits(BTreeMap<String, Timestamp>);

impl Waits {
    fn note(&mut self, world: &World, webhook: &str, next_at: Timestamp) {
        let facts = world.facts.borrow();
        let of_it = facts.webhooks.iter().filter(|known| known.public_id == webhook);
        if of_it.flat_map(|known| &known.changes).any(|change| change.wanted.order.by_key) {
            let latest = self.0.entry(webhook.to_owned()).or_insert(next_at);
            *latest = next_at.max(*latest);
        }
    }

    fn of(&self, webhook: &str, next_at: Timestamp) -> Timestamp {
        self.0.get(webhook).map_or(next_at, |latest| next_at.max(*latest))
    }
}

const fn every_delivery(workspace: WorkspaceId) -> ListDeliveries {
    ListDeliveries { workspace, webhook: None, event: None, status: None, before: None, limit: PAGE_ROWS_MAX }
}

/// One more event for each workspace: nothing stands against its delivery at once.
async fn publish_fresh(world: &Rc<World>) {
    for (place, _) in living(world) {
        let called = world.ground.note(format_args!("a fresh event for workspace {place}"));
        let number = {
            let mut facts = world.facts.borrow_mut();
            let number = facts.events.len();
            facts.events.push(EventFacts {
                workspace: place,
                event_type: EVENT_TYPES[0].to_owned(),
                subject: None,
                ordering_key: None,
                producer_id: Some(format!("fresh-{number}")),
                data: data_of(number, place, 1),
                called,
                ended: None,
                receipts: Vec::new(),
                again: Again::No,
                promise: Promise::Unknown,
            });
            number
        };
        publish::send(world, place, &[number], None).await;
    }
    // What a node has accepted whose clock is ahead is due by the clock of whoever delivers it.
    world.ground.sleep_ms(FRESH_MS + world.options.nodes.apart_ms()).await;
    let pending = look_at_pending(world, &mut Waits::default()).await.len();
    if pending > 0 {
        world.find(format!("{pending} deliveries are pending {FRESH_MS} ms after a fresh event"));
    }
}

async fn take_lists(world: &Rc<World>) -> BTreeMap<usize, Lists> {
    let mut lists = BTreeMap::new();
    for (place, public_id) in living(world) {
        let answered = world
            .ask(|engine| {
                let public_id = public_id.clone();
                async move { take_list(&engine, &public_id).await }
            })
            .await;
        match answered.answer {
            Ok(list) => drop(lists.insert(place, list)),
            Err(error) => world.find(format!("workspace {place} cannot be listed: {error}")),
        }
    }
    lists
}

async fn take_list(engine: &Engine, public_id: &str) -> Result<Lists, Error> {
    let workspace = engine.workspace(public_id).await?.workspace.id;
    let mut lists = Lists { events: Vec::new(), deliveries: Vec::new(), explained: Vec::new() };
    let mut before = None;
    loop {
        let limit = PAGE_ROWS_MAX;
        let params = ListEvents { workspace, event_type: None, subject: None, before, limit };
        let page = engine.list_events(params).await?;
        lists.events.extend(page.rows);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let mut before = None;
    loop {
        let page = engine.list_deliveries(ListDeliveries { before, ..every_delivery(workspace) }).await?;
        for row in page.rows {
            lists.deliveries.push(engine.delivery(&row.id.to_public()).await?.record);
        }
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    for event in lists.events.iter().step_by(EXPLAINED_PARTS) {
        lists.explained.push(explain(engine, workspace, event).await?);
    }
    Ok(lists)
}

/// All pages as one.
async fn explain(engine: &Engine, workspace: WorkspaceId, event: &Event) -> Result<Explanations, Error> {
    let page =
        |before| ExplainPage { webhook: None, before, limit: PAGE_ROWS_MAX, audience: Audience::Operators };
    let id = event.id.to_public();
    let mut explained = engine.explain(workspace, &id, page(None)).await?;
    while let Some(before) = explained.next {
        let more = engine.explain(workspace, &id, page(Some(before))).await?;
        explained.rows.extend(more.rows);
        explained.next = more.next;
    }
    Ok(explained)
}
