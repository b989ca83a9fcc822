//! Changes where several nodes share the store: asked of the node that delivers for the webhook, and answered when no other goes
//! by what was before.
//!
//! That the product's nodes tell each other of changes is not simulated. Instead each of them is made to look again.

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::lane_group::LaneGroup;
use signalpost_engine::Engine;
use signalpost_engine::workspaces::WorkspaceChange;

use crate::world::{Again, Answered, World, passes};

const AGAIN_MS: u64 = 150;

/// Calls until there is a clear answer, as [`World::ask`] does.
pub(super) async fn ask<T, F>(
    world: &Rc<World>,
    (workspace, webhook): (&str, &str),
    mut verb: impl FnMut(Arc<Engine>) -> F,
) -> Answered<T>
where
    T: 'static,
    F: Future<Output = Result<T, Error>> + 'static,
{
    if world.options.nodes.count == 1 {
        return world.ask(verb).await;
    }
    let group = group_of(world, workspace, webhook).await;
    let mut again = Again::No;
    loop {
        let owner = || group.and_then(|group| world.processes.owner(group));
        let asked = owner();
        let answer = match asked {
            Some(owner) => world.processes.call_of(owner, &mut verb).await,
            None => world.processes.call(&mut verb).await,
        };
        match answer {
            Some(Err(error)) if passes(&error) => {}
            // Whoever has the webhook by now has not heard of it.
            Some(_) if owner() != asked => {}
            Some(answer) => {
                tell_all(world, workspace).await;
                return Answered { answer, again };
            }
            None => {}
        }
        again = Again::Yes;
        world.ground.sleep_ms(AGAIN_MS).await;
    }
}

/// Returns when no process goes by what it knew of the workspace before. One that starts later knows nothing.
pub(super) async fn tell_all(world: &Rc<World>, workspace: &str) {
    if world.options.nodes.count == 1 {
        return;
    }
    for process in world.processes.living() {
        loop {
            let workspace = workspace.to_owned();
            let look = |engine: Arc<Engine>| async move {
                engine.update_workspace(&workspace, WorkspaceChange::default()).await.map(drop)
            };
            match world.processes.call_of(process, look).await {
                Some(Err(error)) if error.code != ErrorCode::NotFound => {
                    world.ground.sleep_ms(AGAIN_MS).await;
                }
                _ => break,
            }
        }
    }
}

async fn group_of(world: &Rc<World>, workspace: &str, webhook: &str) -> Option<LaneGroup> {
    let answered = world
        .ask(|engine| {
            let (workspace, webhook) = (workspace.to_owned(), webhook.to_owned());
            async move {
                let view = engine.workspace(&workspace).await?;
                engine.webhook(view.workspace.id, &webhook).await
            }
        })
        .await;
    answered.answer.ok().map(|webhook| LaneGroup::of(webhook.id))
}
