//! Customers who replace and revoke the secrets of their webhooks. They bring their own, so that they can ask again
//! after an answer was lost.

use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::WEBHOOK_PREVIOUS_SECRETS_MAX;
use signalpost_core::secret::Secret;
use signalpost_engine::secrets::Rotation;

use crate::chance::Chance;
use crate::facts::{Change, Scope, Signing, Until, Wanted};
use crate::load::everywhere;
use crate::profiles::{SignatureStyle, Style};
use crate::world::{Again, World};

const OVERLAPS_S: [u64; 5] = [0, 1, 20, 400, 86_400];

/// A secret in the form of a style.
pub(crate) fn draw(style: Style, chance: &mut Chance) -> String {
    let mut byte = |bound: u64| u8::try_from(chance.between(0, bound)).expect("below 256");
    match style.signature {
        SignatureStyle::Standard => {
            let key: Vec<u8> = (0..24).map(|_| byte(255)).collect();
            format!("whsec_{}", BASE64.encode(key))
        }
        SignatureStyle::Stamped => (0..40).map(|_| char::from(b'a' + byte(25))).collect(),
    }
}

pub(crate) async fn rotate(world: &Rc<World>, index: usize, chance: &mut Chance) {
    let overlap = Duration::from_secs(*chance.pick(&OVERLAPS_S));
    let before = wanted_last(world, index);
    let style = {
        let facts = world.facts.borrow();
        facts.workspaces[facts.webhooks[index].workspace].style
    };
    let secret = draw(style, chance);
    let mut signing = before.signing.clone();
    signing[0].until = Until::Unsure;
    if overlap.is_zero() {
        signing.remove(0);
    }
    signing.insert(0, Signing { secret: Some(secret.clone()), until: Until::Replaced });
    let (workspace, webhook) = begin(world, index, Wanted { signing, ..before.clone() });
    let answered = everywhere::ask(world, (&workspace, &webhook), |engine| {
        let (workspace, webhook) = (workspace.clone(), webhook.clone());
        let rotation = Rotation { overlap, secret: Some(Secret::from_text(&secret)) };
        async move {
            let view = engine.workspace(&workspace).await?;
            let rotated = engine.rotate_secret(&view, &webhook, rotation, None).await?.now();
            let rotated = rotated.expect("a call without a key is never a repetition");
            Ok((rotated.secret.expose_text().to_owned(), rotated.previous_expires_at))
        }
    })
    .await;
    end(world, index, format_args!("rotated: {:?}", answered.answer.as_ref().map(|(_, at)| at)));
    match answered.answer {
        Ok((shown, _)) if shown != secret => {
            world.find(format!("webhook {index} got another secret than its own"));
        }
        Ok((_, previous_expires_at)) if answered.again == Again::No && !overlap.is_zero() => {
            let mut facts = world.facts.borrow_mut();
            let change = facts.webhooks[index].changes.last_mut().expect("it was begun");
            change.wanted.signing[1].until = Until::At(previous_expires_at);
        }
        Ok(_) => {}
        // Had a call before been carried out, the secret would be the newest and no conflict.
        Err(error) if error.code == ErrorCode::Conflict => {
            if before.signing.len() <= WEBHOOK_PREVIOUS_SECRETS_MAX {
                world.find(format!("webhook {index} had room for a secret: {error}"));
            }
            let mut facts = world.facts.borrow_mut();
            facts.webhooks[index].changes.last_mut().expect("it was begun").wanted = before;
        }
        Err(error) => world.find(format!("the secret of webhook {index} could not be replaced: {error}")),
    }
}

pub(crate) async fn revoke(world: &Rc<World>, index: usize) {
    let before = wanted_last(world, index);
    let signing = before.signing[..1].to_vec();
    let (workspace, webhook) = begin(world, index, Wanted { signing, ..before });
    let answered = everywhere::ask(world, (&workspace, &webhook), |engine| {
        let (workspace, webhook) = (workspace.clone(), webhook.clone());
        async move {
            let view = engine.workspace(&workspace).await?;
            engine.revoke_previous_secrets(view.workspace.id, &webhook).await
        }
    })
    .await;
    end(world, index, format_args!("revoked: {:?}", answered.answer));
    if let Err(error) = answered.answer {
        world.find(format!("previous secrets of webhook {index} could not be revoked: {error}"));
    }
}

fn wanted_last(world: &World, index: usize) -> Wanted {
    world.facts.borrow().webhooks[index].wanted_last().expect("it was made").clone()
}

/// Notes what is asked for. Returns the public ids of the workspace and the webhook.
fn begin(world: &World, index: usize, wanted: Wanted) -> (String, String) {
    let called = world.ground.note(format_args!("signing of webhook {index}: {:?}", wanted.signing));
    let mut facts = world.facts.borrow_mut();
    let webhook = &mut facts.webhooks[index];
    webhook.changes.push(Change { called, done: None, wanted, scope: Scope::Properties });
    let (workspace, webhook) = (webhook.workspace, webhook.public_id.clone());
    (facts.workspaces[workspace].public_id.clone(), webhook)
}

fn end(world: &World, index: usize, line: std::fmt::Arguments<'_>) {
    let done = world.ground.note(format_args!("webhook {index} {line}"));
    let mut facts = world.facts.borrow_mut();
    facts.webhooks[index].changes.last_mut().expect("it was begun").done = Some(done);
}
