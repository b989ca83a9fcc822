//! What is added up in a sequence.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::figures::{Figures, FiguresKey, FiguresOf, HOUR_MS};

use super::Compared;
use crate::rollups::TopFailing;
use crate::testing::differential::pair::Pair;
use crate::testing::differential::rollups::RollupOperation;
use crate::testing::differential::world::{World, choose};

pub(super) async fn apply(operation: RollupOperation, pair: &Pair<'_>, world: &mut World) -> Compared {
    let now = world.now();
    match operation {
        RollupOperation::Add { webhook, hours_ago, succeeded, failed } => {
            let Some((workspace, webhook)) = choose(&world.webhooks, webhook) else { return Ok(()) };
            let mut figures =
                Figures { attempts_succeeded: succeeded, attempts_failed: failed, ..Figures::default() };
            figures.latency.saw(succeeded);
            figures.oldest_due_ms = failed;
            let at = now.plus_ms(-hours_ago * HOUR_MS);
            let of = [
                FiguresOf::Installation,
                FiguresOf::Workspace(workspace),
                FiguresOf::Webhook(workspace, webhook),
            ];
            add(pair, of.map(|of| (of.at(at), figures))).await
        }
        RollupOperation::AddToWorkspace { workspace, events } => {
            let Some(workspace) = choose(&world.workspaces, workspace) else { return Ok(()) };
            let key = FiguresOf::Workspace(workspace).at(now);
            add(pair, [(key, Figures { events, ..Figures::default() })]).await
        }
        RollupOperation::LookAtFailing { webhook, caller, hours, limit } => {
            let owner = webhook.and_then(|webhook| choose(&world.webhooks, webhook));
            let workspace = owner.map(|(owner, _)| world.caller(owner, caller));
            let params = TopFailing { workspace, since: now.plus_ms(-hours * HOUR_MS), until: now, limit };
            pair.both(|store| store.top_failing(params)).await.map(drop)
        }
    }
}

async fn add<const N: usize>(pair: &Pair<'_>, rows: [(FiguresKey, Figures); N]) -> Compared {
    let batch = Arc::new(BTreeMap::from(rows));
    pair.both(|store| store.add_figures(Arc::clone(&batch))).await.map(drop)
}
