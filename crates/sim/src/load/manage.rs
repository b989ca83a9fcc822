//! Customers: they make, change and end webhooks while events flow, and repeat what got no clear answer.

use std::rc::Rc;
use std::sync::Arc;

use signalpost_core::ceilings::CeilingsChange;
use signalpost_core::custom_header::HeadersChange;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::order::OrderChange;
use signalpost_core::policy::{Patience, PolicyOverrides, RetrySchedule};
use signalpost_core::principal::Principal;
use signalpost_core::profile::SigningRule;
use signalpost_core::secret::Secret;
use signalpost_core::target_url::TargetUrl;
use signalpost_core::webhook::{EventSelection, Webhook};
use signalpost_engine::Engine;
use signalpost_engine::webhooks::{Activity, IssuedWebhook, NewWebhook, WebhookChange};
use signalpost_engine::workspaces::NewWorkspace;
use signalpost_store::catalog::ListWebhooks;

use crate::chance::Chance;
use crate::facts::{
    Change, FeedFacts, Life, Scope, Signing, Tenancy, Until, Wanted, WebhookFacts, WorkspaceFacts,
};
use crate::filters::FILTERS;
use crate::load::{ceilings, crowd, everywhere, keys, order, redeliver, secrets};
use crate::network::OWN_HEADER;
use crate::profiles::{EVENT_TYPES, KEYED, STYLES, SUBJECTS, SigningStyle, WEARY};
use crate::world::{Again, World};

/// Workspaces whose failing webhooks are paused, of a thousand.
const WEARY_PERMILLE: u64 = 150;
/// Webhooks that one workspace has made in a run.
const WEBHOOKS_MAX: usize = 12;
/// Retry schedules that some workspaces choose for themselves.
pub(crate) const OWN_SCHEDULES_S: [&[u64]; 3] = [&[], &[0], &[3, 600]];

/// Makes the workspaces and their first webhooks.
pub(crate) async fn settle_in(world: &Rc<World>) {
    let mut chance = world.chance("settling in");
    for workspace in 0..world.options.workspaces {
        make_workspace(world, workspace, &mut chance).await;
        for _ in 0..world.options.webhooks_a_workspace {
            let wanted = draw_wanted(world, workspace, &mut chance);
            create(world, workspace, wanted).await;
        }
    }
    if let Some(webhooks) = world.options.publish.crowd {
        crowd::settle_in(world, crowd::WORKSPACE, webhooks).await;
    }
}

/// One customer, who does one thing after the other.
pub(crate) async fn manager(world: Rc<World>, workspace: usize, pause_ms: u64) {
    let mut chance = world.chance(&format!("manager {workspace}"));
    let pause_ms = pause_ms.max(world.options.load_ms / 80);
    loop {
        world.ground.sleep_us(chance.around(pause_ms * 1_000)).await;
        if !world.is_loading() {
            return;
        }
        if chance.permille(world.options.erase_permille) {
            return erase(&world, workspace).await;
        }
        act(&world, workspace, &mut chance).await;
    }
}

async fn act(world: &Rc<World>, workspace: usize, chance: &mut Chance) {
    let (mine, made) = {
        let facts = world.facts.borrow();
        let of_mine = |index: &usize| facts.webhooks[*index].workspace == workspace;
        let all: Vec<usize> = (0..facts.webhooks.len()).filter(of_mine).collect();
        let lives =
            |index: &usize| facts.webhooks[*index].wanted_last().is_some_and(|w| w.life != Life::Deleted);
        (all.iter().copied().filter(lives).collect::<Vec<_>>(), all.len())
    };
    let shared = world.facts.borrow().workspaces[workspace].style.signing == SigningStyle::Shared;
    let action = chance.weighted(&[1, 4, 2, 4, 5, 1, 6, 4, 1, 2]);
    if action == 6 {
        return redeliver::act(world, workspace, chance).await;
    }
    if mine.is_empty() || action == 0 {
        if made < WEBHOOKS_MAX {
            let wanted = draw_wanted(world, workspace, chance);
            create(world, workspace, wanted).await;
        }
        return;
    }
    let webhook = *chance.pick(&mine);
    match action {
        7 if shared => return keys::refer(world, workspace, webhook, chance).await,
        8 if shared => return keys::end(world, workspace, chance).await,
        7 => return secrets::rotate(world, webhook, chance).await,
        8 => return secrets::revoke(world, webhook).await,
        _ => {}
    }
    let drawn = draw_wanted(world, workspace, chance);
    let now = world.facts.borrow().webhooks[webhook].wanted_last().expect("it was made").clone();
    let wanted = match action {
        1 => Wanted { url: drawn.url, ..now },
        2 => Wanted { events: drawn.events, subject: drawn.subject, filter: drawn.filter, ..now },
        3 => Wanted { life: Life::Disabled, ..now },
        4 => Wanted { life: Life::Active, ..now },
        9 => Wanted { schedule_s: drawn.schedule_s, token: drawn.token, ceilings: drawn.ceilings, ..now },
        _ => Wanted { life: Life::Deleted, ..now },
    };
    let scope = if matches!(action, 1 | 2 | 9) { Scope::Properties } else { Scope::Life };
    change(world, webhook, wanted, scope).await;
}

async fn make_workspace(world: &Rc<World>, workspace: usize, chance: &mut Chance) {
    let mut style = *chance.pick(&STYLES);
    if world.chance(&format!("keys of {workspace}")).permille(world.options.shared_keys_permille) {
        style = KEYED;
    } else if world.chance(&format!("weariness of {workspace}")).permille(WEARY_PERMILLE) {
        style = WEARY;
    }
    let own = chance.permille(250).then(|| *chance.pick(&OWN_SCHEDULES_S));
    let public_id = format!("ws_{workspace:012}");
    let new = NewWorkspace {
        dialect: style.name.to_owned(),
        name: format!("Workspace {workspace}"),
        id: Some(public_id.clone()),
        features: None,
        policy: PolicyOverrides { retry: own.map(schedule), ..PolicyOverrides::default() },
    };
    let schedule_s = own.unwrap_or(style.schedule_s).to_vec();
    let hosts =
        (0..world.options.hosts_a_workspace).map(|host| format!("w{workspace}-h{host}.test")).collect();
    let answered = world
        .ask(|engine| {
            let new = new.clone();
            async move { engine.create_workspace(new, None).await }
        })
        .await;
    match answered.answer {
        Ok(_) => {}
        // The call before had succeeded, and its answer was lost.
        Err(error) if error.code == ErrorCode::Conflict && answered.again == Again::Yes => {}
        Err(error) => world.find(format!("workspace {workspace} could not be made: {error}")),
    }
    world.ground.note(format_args!("workspace {workspace} is {} with {schedule_s:?}", style.name));
    let (keys, feed, tenancy) = (Vec::new(), FeedFacts::default(), Tenancy::Living);
    let facts = WorkspaceFacts { public_id, style, schedule_s, hosts, keys, feed, tenancy, erased: None };
    world.facts.borrow_mut().workspaces.push(facts);
    if style.signing == SigningStyle::Shared {
        keys::settle_in(world, workspace).await;
    }
}

/// A webhook at a URL that no other webhook has ever had.
pub(super) fn draw_wanted(world: &World, workspace: usize, chance: &mut Chance) -> Wanted {
    let facts = world.facts.borrow();
    let host = chance.pick(&facts.workspaces[workspace].hosts);
    let number = chance.between(0, u64::MAX / 2);
    let url = format!("http://{host}/{number}");
    let events = if chance.permille(500) {
        EventSelection::All
    } else if chance.permille(300) {
        EventSelection::Only(vec!["order.*".to_owned()])
    } else {
        let first = chance.index(EVENT_TYPES.len() - 1);
        EventSelection::Only(EVENT_TYPES[first..first + 2].iter().map(|name| (*name).to_owned()).collect())
    };
    let subject = chance.permille(200).then(|| (*chance.pick(&SUBJECTS)).to_owned());
    let schedule_s = chance.permille(200).then(|| chance.pick(&OWN_SCHEDULES_S).to_vec());
    let own = chance.permille(500).then(|| secrets::draw(facts.workspaces[workspace].style, chance));
    let token = number.is_multiple_of(3).then(|| format!("token {number}"));
    let filter = draw_filter(world, number);
    let ceilings = ceilings::draw(world, number);
    let order = order::draw(world, number);
    let (key, signing) = match facts.workspaces[workspace].style.signing {
        SigningStyle::Own => (None, vec![Signing { secret: own, until: Until::Replaced }]),
        SigningStyle::Shared => keys::draw(&facts.workspaces[workspace], chance),
    };
    Wanted {
        url,
        events,
        subject,
        filter,
        schedule_s,
        ceilings,
        order,
        token,
        key,
        signing,
        life: Life::Active,
    }
}

/// From a stream of its own, so that a world without filters does not depend on them.
fn draw_filter(world: &World, number: u64) -> Option<usize> {
    let mut chance = world.chance(&format!("filter {number}"));
    chance.permille(world.options.filter_permille).then(|| chance.index(FILTERS.len()))
}

pub(super) async fn create(world: &Rc<World>, workspace: usize, wanted: Wanted) {
    let called = world.ground.note(format_args!("creating {wanted:?}"));
    let index = {
        let mut facts = world.facts.borrow_mut();
        let changes = vec![Change { called, done: None, wanted: wanted.clone(), scope: Scope::Life }];
        facts.webhooks.push(WebhookFacts { workspace, public_id: String::new(), changes });
        facts.webhooks.len() - 1
    };
    let public_id = world.facts.borrow().workspaces[workspace].public_id.clone();
    let answered = world.ask(|engine| create_or_find(engine, public_id.clone(), wanted.clone())).await;
    let done = world.ground.note(format_args!("created: {:?}", answered.answer.as_ref().map(|(id, _)| id)));
    let mut facts = world.facts.borrow_mut();
    let webhook = &mut facts.webhooks[index];
    webhook.changes[0].done = Some(done);
    match answered.answer {
        Ok((public_id, secret)) => {
            webhook.public_id = public_id;
            // Signed by a key that is shared, it has none of its own.
            if webhook.changes[0].wanted.key.is_none() {
                webhook.changes[0].wanted.signing.iter_mut().for_each(|own| own.secret.clone_from(&secret));
            }
        }
        Err(error) => facts.findings.push(format!("webhook {index} could not be made: {error}")),
    }
}

/// Switches on every webhook that is off, so that whatever was held for it goes out. Those that are on are left alone:
/// being switched on would cover up that they were forgotten.
pub(crate) async fn switch_all_on(world: &Rc<World>) {
    let webhooks = world.facts.borrow().webhooks.len();
    for index in 0..webhooks {
        let last = world.facts.borrow().webhooks[index].wanted_last().expect("it was made").clone();
        if last.life != Life::Deleted && is_off(world, index).await {
            change(world, index, Wanted { life: Life::Active, ..last }, Scope::Life).await;
        }
    }
}

async fn is_off(world: &Rc<World>, index: usize) -> bool {
    let (workspace, webhook) = {
        let facts = world.facts.borrow();
        let webhook = &facts.webhooks[index];
        (facts.workspaces[webhook.workspace].public_id.clone(), webhook.public_id.clone())
    };
    let answered = world
        .ask(|engine| {
            let (workspace, webhook) = (workspace.clone(), webhook.clone());
            async move {
                let view = engine.workspace(&workspace).await?;
                engine.webhook(view.workspace.id, &webhook).await
            }
        })
        .await;
    match answered.answer {
        Ok(webhook) => !webhook.state.is_active(),
        Err(error) => {
            world.find(format!("webhook {index} cannot be read: {error}"));
            false
        }
    }
}

/// Makes a webhook, or finds the one that a call before had made without its answer coming through.
async fn create_or_find(
    engine: Arc<Engine>,
    workspace: String,
    wanted: Wanted,
) -> Result<(String, Option<String>), Error> {
    let view = engine.workspace(&workspace).await?;
    let all = ListWebhooks {
        workspace: view.workspace.id,
        subject: None,
        active: None,
        before: None,
        offset: 0,
        limit: 100,
    };
    let known = engine.list_webhooks(all).await?.rows.into_iter().find(|webhook| webhook.url == wanted.url);
    let own = wanted.signing.first().filter(|_| wanted.key.is_none()).and_then(|own| own.secret.clone());
    if let Some(Webhook { public_id, .. }) = known {
        return Ok((public_id, own));
    }
    let url = TargetUrl::parse(&wanted.url).expect("URLs of this world are good");
    let new = NewWebhook {
        events: wanted.events,
        subject: wanted.subject,
        patience: Patience { retry: wanted.schedule_s.as_deref().map(schedule), timeout: None },
        headers: wanted.token.iter().map(|token| (OWN_HEADER.to_owned(), Secret::from_text(token))).collect(),
        secret: own.as_deref().map(Secret::from_text),
        filter: wanted.filter.map(|place| FILTERS[place].text.to_owned()),
        signing_key: wanted.key,
        ceilings: wanted.ceilings,
        order: wanted.order,
        ..NewWebhook::to(url)
    };
    let issued = engine.create_webhook(&view, new, None).await?.now();
    let IssuedWebhook { webhook, secret } = issued.expect("a call without a key is never a repetition");
    Ok((webhook.public_id, secret.map(|secret| secret.expose_text().to_owned())))
}

pub(super) async fn change(world: &Rc<World>, index: usize, wanted: Wanted, scope: Scope) {
    let called = world.ground.note(format_args!("changing webhook {index} to {wanted:?}"));
    let (workspace, webhook) = {
        let mut facts = world.facts.borrow_mut();
        facts.webhooks[index].changes.push(Change { called, done: None, wanted: wanted.clone(), scope });
        let webhook = &facts.webhooks[index];
        (facts.workspaces[webhook.workspace].public_id.clone(), webhook.public_id.clone())
    };
    let answered = everywhere::ask(world, (&workspace, &webhook), |engine| {
        let (workspace, webhook, wanted) = (workspace.clone(), webhook.clone(), wanted.clone());
        async move { apply(&engine, &workspace, &webhook, wanted, scope).await }
    })
    .await;
    let done = world.ground.note(format_args!("changed webhook {index}: {:?}", answered.answer));
    let mut facts = world.facts.borrow_mut();
    facts.webhooks[index].changes.last_mut().expect("just pushed").done = Some(done);
    match answered.answer {
        Ok(()) => {}
        Err(error)
            if error.code == ErrorCode::NotFound
                && wanted.life == Life::Deleted
                && answered.again == Again::Yes => {}
        Err(error) => facts.findings.push(format!("webhook {index} could not be changed: {error}")),
    }
}

async fn apply(
    engine: &Engine,
    workspace: &str,
    webhook: &str,
    wanted: Wanted,
    scope: Scope,
) -> Result<(), Error> {
    let view = engine.workspace(workspace).await?;
    if wanted.life == Life::Deleted {
        return engine.delete_webhook(&view, webhook, &Principal::Operator).await.map(drop);
    }
    let activity = if wanted.life == Life::Active { Activity::Active } else { Activity::Paused };
    let change = WebhookChange {
        url: Some(TargetUrl::parse(&wanted.url).expect("URLs of this world are good")),
        events: Some(wanted.events),
        subject: Some(wanted.subject),
        filter: Some(wanted.filter.map(|place| FILTERS[place].text.to_owned())),
        // Where each has its own secret there is nothing to refer to.
        signing_key: (view.profile.signing != SigningRule::OwnSecret).then_some(wanted.key),
        retry: Some(wanted.schedule_s.as_deref().map(schedule)),
        headers: Some(HeadersChange::Merge(vec![(
            OWN_HEADER.to_owned(),
            wanted.token.as_deref().map(Secret::from_text),
        )])),
        order: OrderChange {
            by_key: Some(wanted.order.by_key),
            on_exhausted: Some(wanted.order.on_exhausted),
        },
        ceilings: CeilingsChange {
            in_flight: Some(wanted.ceilings.in_flight),
            rate: Some(wanted.ceilings.rate),
        },
        active: (scope == Scope::Life).then_some(activity),
        ..WebhookChange::default()
    };
    engine.update_webhook(&view, webhook, change).await.map(|_| ())
}

fn schedule(seconds: &[u64]) -> RetrySchedule {
    RetrySchedule::from_seconds(seconds).expect("short and few")
}

async fn erase(world: &Rc<World>, workspace: usize) {
    let called = world.ground.note(format_args!("erasing workspace {workspace}"));
    let public_id = {
        let mut facts = world.facts.borrow_mut();
        facts.workspaces[workspace].tenancy = Tenancy::Erased;
        facts.workspaces[workspace].erased = Some(called);
        for webhook in facts.webhooks.iter_mut().filter(|webhook| webhook.workspace == workspace) {
            let last = webhook.wanted_last().expect("it was made").clone();
            let wanted = Wanted { life: Life::Deleted, ..last };
            webhook.changes.push(Change { called, done: None, wanted, scope: Scope::Life });
        }
        facts.workspaces[workspace].public_id.clone()
    };
    let answered = world
        .ask(|engine| {
            let public_id = public_id.clone();
            async move { engine.erase_workspace(&public_id).await }
        })
        .await;
    let done = world.ground.note(format_args!("erased workspace {workspace}: {:?}", answered.answer));
    let mut facts = world.facts.borrow_mut();
    for webhook in facts.webhooks.iter_mut().filter(|webhook| webhook.workspace == workspace) {
        webhook.changes.last_mut().expect("just pushed").done = Some(done);
    }
    match answered.answer {
        Ok(()) => {}
        Err(error) if error.code == ErrorCode::NotFound && answered.again == Again::Yes => {}
        Err(error) => facts.findings.push(format!("workspace {workspace} could not be erased: {error}")),
    }
}
