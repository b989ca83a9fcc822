//! Applies one operation to both stores and remembers what came of it.

mod catalog;
mod ledger;
mod look;

use super::operation::{CatalogOperation, Operation, WebhookKind};
use super::pair::Pair;
use super::world::World;

/// The difference in words, if there is one.
type Compared = Result<(), String>;

/// What every sequence begins with: two workspaces and three webhooks.
pub(super) async fn furnish(pair: &Pair<'_>, world: &mut World) -> Compared {
    let everything = WebhookKind { only_type: None, subject: None };
    for name in [0, 1] {
        catalog::apply(&CatalogOperation::CreateWorkspace { name }, pair, world).await?;
    }
    for (workspace, name) in [(0, 0), (1, 0), (1, 1)] {
        let operation = CatalogOperation::CreateWebhook { workspace, name, kind: everything };
        catalog::apply(&operation, pair, world).await?;
    }
    Ok(())
}

/// Does nothing when there is no object of the kind that the operation is about.
pub(super) async fn apply(operation: &Operation, pair: &mut Pair<'_>, world: &mut World) -> Compared {
    match operation {
        Operation::Wait { ms } => world.wait(*ms),
        Operation::Catalog(operation) => catalog::apply(operation, pair, world).await?,
        Operation::Accept(drafts) => ledger::accept(drafts, pair, world).await?,
        Operation::Start { webhook, rows } => ledger::start(*webhook, *rows, pair, world).await?,
        Operation::Finish(ended) => ledger::finish(ended, pair, world).await?,
        Operation::Requeue { delivery, caller } => ledger::requeue(*delivery, *caller, pair, world).await?,
        Operation::Look(look) => look::apply(look, pair, world).await?,
        Operation::Upkeep { steps } => upkeep(*steps, pair, world).await?,
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
    for _ in 0..steps {
        let now = world.now();
        for store in pair.stores() {
            store.upkeep(now).await.map_err(|error| format!("upkeep: {error}"))?;
        }
    }
    Ok(())
}
