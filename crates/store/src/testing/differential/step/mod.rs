//! Applies one operation to both stores and remembers what came of it.

mod catalog;
mod desk;
mod ledger;
mod look;
mod operator_keys;
mod portal;
mod replays;
mod rollups;
mod signing_keys;
mod users;

use std::time::Duration;

use signalpost_core::order::OrderRule;
use signalpost_core::retention::RetentionRules;

use super::change::{Change, WebhookKind};
use super::operation::{Caller, CatalogOperation, Operation};
use super::pair::Pair;
use super::world::World;
use crate::ledger::Retain;

/// Steps of one walk of retention, far above what a sequence needs.
const STEPS_MAX: usize = 10_000;

/// The difference in words, if there is one.
type Compared = Result<(), String>;

/// What every sequence begins with: two workspaces, three webhooks and a signing key.
pub(super) async fn furnish(pair: &Pair<'_>, world: &mut World) -> Compared {
    let everything =
        WebhookKind { only_type: None, subject: None, filter: None, order: OrderRule::default() };
    for name in [0, 1] {
        catalog::apply(&CatalogOperation::CreateWorkspace { name }, pair, world).await?;
    }
    for (workspace, name) in [(0, 0), (1, 0), (1, 1)] {
        let operation = CatalogOperation::CreateWebhook { workspace, name, kind: everything, at_most: None };
        catalog::apply(&operation, pair, world).await?;
    }
    // The last of them is signed with a key of its workspace, so that a sequence has only to delete it.
    catalog::apply(&CatalogOperation::CreateSigningKey { workspace: 1, name: 0 }, pair, world).await?;
    let (caller, change) = (Caller::Owner, Change::SigningKey(Some(0)));
    catalog::apply(&CatalogOperation::UpdateWebhook { webhook: 0, caller, change }, pair, world).await?;
    Ok(())
}

/// Does nothing when there is no object of the kind that the operation is about.
pub(super) async fn apply(operation: &Operation, pair: &mut Pair<'_>, world: &mut World) -> Compared {
    match operation {
        Operation::Wait { ms } => world.wait(*ms),
        Operation::Catalog(operation) => catalog::apply(operation, pair, world).await?,
        Operation::Accept(drafts) => ledger::accept(drafts, pair, world).await?,
        Operation::AcceptOnce { drafts, call } => ledger::accept_once(drafts, *call, pair, world).await?,
        Operation::Start { webhook, rows, from } => {
            ledger::start(*webhook, *rows, *from, pair, world).await?;
        }
        Operation::Finish(ended) => ledger::finish(ended, pair, world).await?,
        Operation::Requeue { delivery, caller, rule } => {
            ledger::requeue(*delivery, *caller, *rule, pair, world).await?;
        }
        Operation::RequeueLost { deliveries, caller } => {
            ledger::requeue_lost(*deliveries, *caller, pair, world).await?;
        }
        Operation::Replay(operation) => replays::apply(*operation, pair, world).await?,
        Operation::Desk(operation) => desk::apply(*operation, pair, world).await?,
        Operation::Portal(operation) => portal::apply(*operation, pair, world).await?,
        Operation::Rollup(operation) => rollups::apply(*operation, pair, world).await?,
        Operation::Look(look) => look::apply(look, pair, world).await?,
        Operation::Upkeep { steps } => upkeep(*steps, pair, world).await?,
        Operation::Retain { event_s, payload_s } => retain(*event_s, *payload_s, pair, world).await?,
        Operation::Probe => {
            let now = world.now();
            pair.both(|store| store.probe(now)).await?.map_err(|refusal| format!("probe: {refusal:?}"))?;
        }
        Operation::Reopen(goodbye) => pair.reopen(*goodbye).await?,
    }
    Ok(())
}

/// Whether there is more to do is a store's own business, so the answers are not compared.
async fn upkeep(steps: u8, pair: &Pair<'_>, world: &mut World) -> Compared {
    let now = world.now();
    for _ in 0..steps {
        for store in pair.stores() {
            store.upkeep(now).await.map_err(|error| format!("upkeep: {error}"))?;
        }
    }
    Ok(())
}

/// How a walk is cut into steps is a store's own business; what goes in all of them is not.
async fn retain(
    event_s: Option<u64>,
    payload_s: Option<u64>,
    pair: &Pair<'_>,
    world: &mut World,
) -> Compared {
    let rules = RetentionRules {
        event_age_max: event_s.map(Duration::from_secs),
        payload_age_max: payload_s.map(Duration::from_secs),
        bytes_max: None,
    };
    let params = Retain { now: world.now(), rules };
    let mut removed = Vec::new();
    for store in pair.stores() {
        let (mut events, mut payloads, mut steps) = (0, 0, 0);
        loop {
            let done = store.retain(params.clone()).await.map_err(|error| format!("retention: {error}"))?;
            (events, payloads, steps) = (events + done.events, payloads + done.payloads, steps + 1);
            if !done.more {
                removed.push((events, payloads));
                break;
            }
            if steps > STEPS_MAX {
                return Err("retention does not come to an end".to_owned());
            }
        }
    }
    let [model, subject] = [removed[0], removed[1]];
    if model == subject { Ok(()) } else { Err(format!("the model removes {model:?}, the store {subject:?}")) }
}
