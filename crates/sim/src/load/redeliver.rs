//! Customers who ask for deliveries once more: one that has ended, one whatever its status, or all that are lost.

use std::rc::Rc;

use signalpost_core::error::{Error, ErrorCode};
use signalpost_store::ledger::RequeueRule;

use crate::chance::Chance;
use crate::facts::{Promise, RedeliveryFacts};
use crate::ground::Moment;
use crate::network::WORKSPACE_HEADER;
use crate::world::World;

/// Asks about some delivery of the workspace that was sent before. Refusals are usual: most have not ended, or their
/// webhook is gone.
pub(crate) async fn act(world: &Rc<World>, workspace: usize, chance: &mut Chance) {
    let public_id = world.facts.borrow().workspaces[workspace].public_id.clone();
    let sent = world.network.deliveries_of(WORKSPACE_HEADER, &public_id);
    if sent.is_empty() {
        return;
    }
    let (delivery, webhook) = chance.pick(&sent).clone();
    match chance.weighted(&[3, 3, 1]) {
        0 => ended(world, delivery).await,
        1 => whatever(world, public_id, webhook, delivery).await,
        _ => lost(world, public_id, webhook).await,
    }
}

async fn ended(world: &Rc<World>, delivery: String) {
    let called = world.ground.note(format_args!("redelivering {delivery} if it has ended"));
    let asked = delivery.clone();
    let call = world.processes.call(|engine| async move { engine.redeliver(&asked, None).await.map(drop) });
    let answer = call.await;
    keep(world, delivery, RequeueRule::Ended, called, answer);
}

async fn whatever(world: &Rc<World>, workspace: String, webhook: String, delivery: String) {
    let called = world.ground.note(format_args!("redelivering {delivery} whatever its status"));
    let asked = delivery.clone();
    let call = world.processes.call(|engine| async move {
        let view = engine.workspace(&workspace).await?;
        engine.redeliver_one(&view, &webhook, &asked).await
    });
    let answer = call.await;
    keep(world, delivery, RequeueRule::Any, called, answer);
}

fn keep(
    world: &World,
    delivery: String,
    rule: RequeueRule,
    called: Moment,
    answer: Option<Result<(), Error>>,
) {
    let ended = world.ground.note(format_args!("redelivered {delivery}: {answer:?}"));
    let promise = match answer {
        Some(Ok(())) => Promise::Stored,
        // Also where a full disk was told of, which says that nothing was stored.
        Some(Err(error)) if error.code != ErrorCode::Unavailable => Promise::Refused,
        Some(Err(_)) | None => Promise::Unknown,
    };
    world.facts.borrow_mut().redeliveries.push(RedeliveryFacts { delivery, rule, promise, called, ended });
}

async fn lost(world: &Rc<World>, workspace: String, webhook: String) {
    let called = world.ground.note(format_args!("redelivering all that is lost of {webhook}"));
    world.facts.borrow_mut().redelivered_lost.push((webhook.clone(), called));
    let asked = webhook.clone();
    let call = world.processes.call(|engine| async move {
        let view = engine.workspace(&workspace).await?;
        engine.redeliver_lost(&view, &asked).await
    });
    let answer = call.await;
    world.ground.note(format_args!("redelivered lost ones of {webhook}: {answer:?}"));
    if matches!(answer, Some(Ok(count)) if count > 1) {
        world.ground.note(format_args!("several lost ones of {webhook} go out again"));
    }
}
