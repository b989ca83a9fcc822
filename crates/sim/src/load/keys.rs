//! Customers whose webhooks are signed with keys of their workspace: they make keys, refer to one or to none, and end them.

use std::rc::Rc;

use signalpost_core::error::ErrorCode;
use signalpost_core::principal::Principal;

use crate::chance::Chance;
use crate::facts::{Change, KeyFacts, Scope, Signing, Until, Wanted, WorkspaceFacts};
use crate::load::{everywhere, manage};
use crate::world::{Again, World};

/// Keys that a workspace begins with.
const KEYS_FIRST: usize = 2;

pub(super) async fn settle_in(world: &Rc<World>, workspace: usize) {
    for _ in 0..KEYS_FIRST {
        make(world, workspace).await;
    }
}

/// A key that is there, or none.
pub(super) fn draw(workspace: &WorkspaceFacts, chance: &mut Chance) -> (Option<String>, Vec<Signing>) {
    if workspace.keys.is_empty() || chance.permille(150) {
        return (None, Vec::new());
    }
    let key = chance.pick(&workspace.keys);
    let signing = Signing { secret: Some(key.secret.clone()), until: Until::Replaced };
    (Some(key.public_id.clone()), vec![signing])
}

/// A call whose answer was lost leaves a key that nobody knows and nothing is signed with.
async fn make(world: &Rc<World>, workspace: usize) {
    let public_id = world.facts.borrow().workspaces[workspace].public_id.clone();
    let answered = world
        .ask(|engine| {
            let public_id = public_id.clone();
            async move {
                let view = engine.workspace(&public_id).await?;
                let key = engine.create_signing_key(&view).await?;
                let secret = engine.reveal_signing_key(&key)?;
                Ok(KeyFacts { public_id: key.public_id, secret: secret.expose_text().to_owned() })
            }
        })
        .await;
    match answered.answer {
        Ok(key) => {
            world.ground.note(format_args!("workspace {workspace} has key {}", key.public_id));
            world.facts.borrow_mut().workspaces[workspace].keys.push(key);
        }
        Err(error) => world.find(format!("workspace {workspace} could not make a key: {error}")),
    }
}

/// Has a webhook signed with another key, or with none.
pub(super) async fn refer(world: &Rc<World>, workspace: usize, webhook: usize, chance: &mut Chance) {
    let (key, signing) = draw(&world.facts.borrow().workspaces[workspace], chance);
    let now = world.facts.borrow().webhooks[webhook].wanted_last().expect("it was made").clone();
    manage::change(world, webhook, Wanted { key, signing, ..now }, Scope::Properties).await;
}

/// Ends a key: whatever referred to it goes on unsigned. With the last one gone another is made.
pub(super) async fn end(world: &Rc<World>, workspace: usize, chance: &mut Chance) {
    let Some(key) = take_key(world, workspace, chance) else { return make(world, workspace).await };
    let public_id = world.facts.borrow().workspaces[workspace].public_id.clone();
    let concerned = begin(world, workspace, &key);
    let answered = world
        .ask(|engine| {
            let (public_id, key) = (public_id.clone(), key.clone());
            async move {
                let view = engine.workspace(&public_id).await?;
                engine.delete_signing_key(&view, &key, &Principal::Operator).await.map(drop)
            }
        })
        .await;
    everywhere::tell_all(world, &public_id).await;
    let done = world.ground.note(format_args!("key {key} is ended: {:?}", answered.answer));
    {
        let mut facts = world.facts.borrow_mut();
        for index in concerned {
            facts.webhooks[index].changes.last_mut().expect("it was begun").done = Some(done);
        }
    }
    match answered.answer {
        Ok(()) => {}
        Err(error) if error.code == ErrorCode::NotFound && answered.again == Again::Yes => {}
        Err(error) => world.find(format!("key {key} could not be ended: {error}")),
    }
}

fn take_key(world: &World, workspace: usize, chance: &mut Chance) -> Option<String> {
    let mut facts = world.facts.borrow_mut();
    let keys = &mut facts.workspaces[workspace].keys;
    if keys.is_empty() {
        return None;
    }
    let place = chance.index(keys.len());
    Some(keys.swap_remove(place).public_id)
}

/// Notes what is asked for of each webhook that refers to the key. Returns their places.
fn begin(world: &World, workspace: usize, key: &str) -> Vec<usize> {
    let called = world.ground.note(format_args!("ending key {key}"));
    let mut facts = world.facts.borrow_mut();
    let mut concerned = Vec::new();
    for (index, webhook) in facts.webhooks.iter_mut().enumerate() {
        let last = webhook.wanted_last().expect("it was made").clone();
        if webhook.workspace == workspace && last.key.as_deref() == Some(key) {
            let wanted = Wanted { key: None, signing: Vec::new(), ..last };
            webhook.changes.push(Change { called, done: None, wanted, scope: Scope::Properties });
            concerned.push(index);
        }
    }
    concerned
}
