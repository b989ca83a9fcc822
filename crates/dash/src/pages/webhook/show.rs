//! One webhook: where it leads, how its receiver fares, and what went there of late.

use maud::{Markup, html};
use signalpost_core::figures::FiguresOf;
use signalpost_core::health::{Health, ReleaseOrder};
use signalpost_core::webhook::{DisableReason, Webhook, WebhookState};
use signalpost_core::webhook_form::SwitchRule;
use signalpost_engine::{ListDeliveries, View};

use super::pending::Pending;
use super::{rules, signing};
use crate::look::frame::{page, proof};
use crate::look::numbers::{count, counted};
use crate::look::time::moment;
use crate::look::{id, pill};
use crate::pages::deliveries::show::table;
use crate::pages::figures::Late;
use crate::pages::workspace::selection;
use crate::paths;
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::Visit;

/// Of those that went there last.
const ROWS: usize = 20;

pub(crate) async fn show(visit: Visit, Path((workspace, webhook)): Path<(String, String)>) -> Page {
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    let webhook = engine.webhook(view.workspace.id, &webhook).await?;
    let wanted = ListDeliveries {
        workspace: view.workspace.id,
        webhook: Some(webhook.id),
        event: None,
        status: None,
        before: None,
        limit: ROWS,
    };
    let found = engine.list_deliveries(wanted).await?;
    let key = signing::key_of(engine, &webhook).await?;
    let held = match webhook.health.hold {
        Some(_) => Some(Pending::of(engine, &webhook).await?),
        None => None,
    };
    let own_figures = FiguresOf::Webhook(view.workspace.id, webhook.id);
    let late = Late::of_day(engine, own_figures, visit.now).await?;
    let all = visit.paths.deliveries(&workspace);
    let own = [("webhook", Some(webhook.public_id.as_str()))];
    let failed = paths::with_query(&all, &[own[0], ("status", Some("failed"))]);
    let title = webhook.name.as_deref().unwrap_or(&webhook.public_id);
    let content = html! {
        h1.url { (webhook.url) }
        p.state { (pill::of_webhook(webhook.state, &webhook.health)) " " (sentence(&visit, &webhook)) (for_good(&view, webhook.state)) }
        (actions(&visit, &view, &webhook, held))
        (facts(&visit, &view, &webhook, &late, &signing::fact(&view, key.as_ref())))
        (signing::section(&visit, &view, &webhook, key.as_ref()))
        h2 { "Last deliveries" }
        p.tabs { a href=(paths::with_query(&all, &own)) { "All" } " " a href=(failed) { "Failed" } }
        @if found.rows.is_empty() {
            p.empty { "Nothing went there yet. The page of an event says why it did not." }
        } @else {
            (table(&visit, &view, &found.rows))
        }
    };
    Ok(page(&visit, title, &visit.paths.to_workspace(&view), &content))
}

/// At most one of the buttons stands out: what is most likely wanted in this state.
fn actions(visit: &Visit, view: &View, webhook: &Webhook, held: Option<Pending>) -> Markup {
    let at = |act: &str| visit.paths.webhook_act(&view.workspace.public_id, &webhook.public_id, act);
    let is_on = webhook.state.is_active();
    let has_feature = rules::check_feature(view).is_ok();
    html! {
        @if let Some(held) = held && visit.who.acts() && has_feature && is_on { (release(visit, &at("release"), held)) }
        div.line {
            @if visit.who.manages_webhooks() {
                @if rules::check_switching(view).is_ok() { (switch(visit, &at("switch"), webhook.state)) }
            }
            @if visit.who.acts() {
                @if has_feature { a href=(at("test")) { "Send a test event" } }
                a href=(at("replay")) { "Replay" }
            }
            @if visit.who.manages_webhooks() {
                @if rules::check_changes(view).is_ok() { a href=(at("edit")) { "Change" } }
                @if has_feature { a href=(at("delete")) { "Delete" } }
            }
        }
    }
}

fn switch(visit: &Visit, action: &str, state: WebhookState) -> Markup {
    let is_on = state.is_active();
    html! {
        form method="post" action=(action) {
            (proof(visit))
            input type="hidden" name="to" value=(if is_on { "off" } else { "on" });
            button.quiet[is_on] { @if is_on { "Switch off" } @else { "Switch on" } }
        }
    }
}

fn release(visit: &Visit, action: &str, held: Pending) -> Markup {
    html! {
        form.line method="post" action=(action) {
            (proof(visit))
            label { "What is held "
                select name="order" {
                    option value=(ReleaseOrder::OldestFirst.name()) { "oldest first" }
                    option value=(ReleaseOrder::NewestFirst.name()) { "newest first" }
                    option value=(ReleaseOrder::Skip.name()) { "drop " (held.number()) ", on record" }
                }
            }
            button { "Release now" }
        }
    }
}

/// Its state in words, and since when.
fn sentence(visit: &Visit, webhook: &Webhook) -> Markup {
    let since = |at| moment(at, visit.now);
    match webhook.state {
        WebhookState::Disabled { at, reason: DisableReason::Paused } => {
            html! { "Switched off for a while " (since(at)) ". What is pending waits until it is on again." }
        }
        WebhookState::Disabled { at, reason: DisableReason::ByOwner } => {
            html! { "Switched off " (since(at)) ". What was pending was dropped, and events go past it." }
        }
        WebhookState::Disabled { at, reason: DisableReason::Gone } => {
            html! { "Switched off " (since(at)) ", because its receiver answered 410 Gone." }
        }
        WebhookState::Disabled { at, reason: DisableReason::Failing } => {
            html! { "Switched off " (since(at)) " after too many failures in a row." }
        }
        WebhookState::Active => of_health(visit, &webhook.health),
    }
}

/// Where nobody switches a webhook, one that is off does not come back.
fn for_good(view: &View, state: WebhookState) -> Markup {
    let stays = !state.is_active() && view.profile.webhook_form.switching == SwitchRule::Never;
    html! { @if stays { " It stays off: make another in its place, and delete this one." } }
}

fn of_health(visit: &Visit, health: &Health) -> Markup {
    let failures = counted(health.consecutive_failures, "failure");
    if let Some(hold) = health.hold {
        return html! {
            "Paused " (moment(hold.since, visit.now)) " after " (failures) " in a row. What is pending waits; the next probe goes out "
            (moment(hold.next_probe(visit.now), visit.now)) "."
        };
    }
    match health.failing_since {
        Some(since) => html! { (failures) " in a row since " (moment(since, visit.now)) "." },
        None if health.consecutive_failures > 0 => html! { (failures) " in a row." },
        None => html! { "The last attempt succeeded, or there was none." },
    }
}

fn facts(visit: &Visit, view: &View, webhook: &Webhook, late: &Late, signed: &Markup) -> Markup {
    let policy = view.policy();
    html! {
        dl.facts {
            div { dt { "Id" } dd { (id::copied(&webhook.public_id)) } }
            @if let Some(name) = &webhook.name { div { dt { "Name" } dd { (name) } } }
            div { dt { "Events" } dd { (selection(&webhook.events)) } }
            @if let Some(subject) = &webhook.subject { div { dt { "Subject" } dd { code { (subject) } } } }
            @if let Some(filter) = &webhook.filter { div { dt { "Filter" } dd { code { (filter) } } } }
            (signed)
            div { dt { "Success in the last 24 hours" } dd { (late.success()) } }
            div { dt { "Requests at once" } dd {
                @match webhook.concurrency {
                    Some(learned) => { (count(learned)) " learned" }
                    None => "not learned yet",
                }
            } }
            div { dt { "Attempts" } dd { (count(policy.retry.as_seconds().len() as u64 + 1)) " at most" } }
            div { dt { "Made" } dd { (moment(webhook.created_at, visit.now)) } }
            div { dt { "Changed" } dd { (moment(webhook.updated_at, visit.now)) } }
        }
    }
}
