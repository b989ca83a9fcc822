//! One delivery with every attempt: what was sent, what came back, where the time went, and what to do.

use maud::{Markup, html};
use serde::Deserialize;
use signalpost_core::attempt::{Attempt, Verdict};
use signalpost_core::delivery::{CutReason, DeliveryState, Step};
use signalpost_core::error::Error;
use signalpost_engine::lookup::FoundDelivery;
use signalpost_engine::{DeliveryRecord, View};

use super::due::{self, Pause};
use crate::look::frame::{page, proof};
use crate::look::numbers::bytes;
use crate::look::pager::pager;
use crate::look::time::moment;
use crate::look::timeline::{in_words, timeline};
use crate::look::words::{Advice, Outlook, advice};
use crate::look::{id, json, pill};
use crate::paths;
use crate::request::{Path, Query};
use crate::trouble::Page;
use crate::visit::Visit;

/// Steps of a delivery on one page, and how much of it the answer of each takes: a page stays below 60 KB.
const STEPS: usize = 8;
const ANSWER_BYTES_MAX: usize = 2_560;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// How many of the newest steps are passed over.
    #[serde(default)]
    skip: String,
}

pub(crate) async fn show(visit: Visit, Path(delivery): Path<String>, Query(asked): Query<Asked>) -> Page {
    let engine = visit.desk.of_delivery(&visit.who, &delivery).await?;
    let FoundDelivery { view, record } = engine.delivery(&delivery).await?;
    let wrong = |_| Error::field("skip", "must be a number of steps");
    let skip = if asked.skip.is_empty() { 0 } else { asked.skip.parse::<usize>().map_err(wrong)? };
    let steps: Vec<&Step> = record.steps.iter().rev().skip(skip).take(STEPS).collect();
    let attempts: Vec<&Attempt> = steps.iter().rev().filter_map(|step| attempted(step)).collect();
    let last = record.steps.iter().rev().find_map(attempted);
    let mut paused = due::paused(engine, view.workspace.id, std::slice::from_ref(&record.summary)).await?;
    let pause = paused.remove(&record.summary.webhook);
    let own = visit.paths.delivery(&delivery);
    let is_more = skip.saturating_add(STEPS) < record.steps.len();
    let older = is_more.then(|| paths::with_query(&own, &[("skip", Some(&(skip + STEPS).to_string()))]));
    let title = format!("{} to {}", record.summary.event_type, record.summary.webhook);
    let content = html! {
        h1 { (record.summary.event_type) }
        p.state { (pill::of_delivery(&record.summary.state, record.summary.attempts)) " " (sentence(&visit, &record, pause)) }
        @if let Some(last) = last { (next_step(&visit, last, outlook(&record.summary.state, pause))) }
        (actions(&visit, &record))
        (facts(&visit, &view, &record))
        h2 { "Attempts" }
        @if attempts.is_empty() { p.empty { "None yet." } }
        @else { (timeline(&attempts)) }
        ol.steps { @for step in &steps { li { (shown(&visit, &delivery, step)) } } }
        (pager((skip > 0).then_some(own.as_str()), older.as_deref()))
    };
    let crumbs = visit.paths.to_webhook(&view, &record.summary.webhook);
    Ok(page(&visit, &title, &crumbs, &content))
}

const fn attempted(step: &Step) -> Option<&Attempt> {
    match step {
        Step::Attempted(attempt) => Some(attempt),
        Step::Requeued { .. } => None,
    }
}

fn sentence(visit: &Visit, record: &DeliveryRecord, pause: Option<Pause>) -> Markup {
    let seen = |at| moment(at, visit.now);
    match record.summary.state {
        DeliveryState::Delivered { at } => html! { "Delivered " (seen(at)) "." },
        DeliveryState::Failed { at } => html! { "Given up " (seen(at)) ": no attempt is left." },
        DeliveryState::Dropped { at, reason: CutReason::Disabled } => {
            html! { "Dropped " (seen(at)) ", when its webhook was disabled." }
        }
        DeliveryState::Dropped { at, reason: CutReason::Deleted } => {
            html! { "Dropped " (seen(at)) ", when its webhook was deleted." }
        }
        DeliveryState::Dropped { at, reason: CutReason::Skipped } => {
            html! { "Dropped " (seen(at)) ", when its webhook was released without what it was owed." }
        }
        DeliveryState::Pending { next_at } => due::in_words(next_at, pause, visit.now),
    }
}

const fn outlook(state: &DeliveryState, pause: Option<Pause>) -> Outlook {
    match (state, pause) {
        (DeliveryState::Pending { .. }, Some(Pause::SwitchedOff)) => Outlook::Waits,
        (DeliveryState::Pending { .. }, Some(Pause::ByEngine) | None) => Outlook::Retried,
        _ => Outlook::Ended,
    }
}

/// What the last attempt says about what to do.
fn next_step(visit: &Visit, last: &Attempt, outlook: Outlook) -> Markup {
    html! {
        @if let Some(Advice { happened, usually, next_step }) = advice(&last.outcome, outlook, visit.door) {
            div.advice { p { strong { (happened) } " " (usually) } p { (next_step) } }
        }
    }
}

fn actions(visit: &Visit, record: &DeliveryRecord) -> Markup {
    let delivery = record.summary.id.to_public();
    let waits = matches!(record.summary.state, DeliveryState::Pending { .. });
    html! {
        @if visit.who.acts() {
            form.line method="post" action={ (visit.paths.delivery(&delivery)) "/resend" } {
                (proof(visit))
                button data-key="r" { @if waits { "Send now" } @else { "Send again" } }
            }
        }
    }
}

fn facts(visit: &Visit, view: &View, record: &DeliveryRecord) -> Markup {
    let (workspace, summary) = (&view.workspace.public_id, &record.summary);
    let event = summary.id.event.to_public();
    let others = paths::with_query(&visit.paths.deliveries(workspace), &[("event", Some(&event))]);
    html! {
        dl.facts {
            div { dt { "Id" } dd { (id::copied(&summary.id.to_public())) } }
            div { dt { "Event" } dd { a href=(visit.paths.event(workspace, &event)) { (event) } ", " a href=(others) { "its other deliveries" } } }
            div { dt { "Webhook" } dd { a href=(visit.paths.webhook(workspace, &summary.webhook)) { (summary.webhook) } } }
            div { dt { "Made" } dd { (moment(summary.created_at, visit.now)) } }
            div { dt { "Data" } dd { (bytes(record.event.content.data.len() as u64)) } }
        }
    }
}

fn shown(visit: &Visit, delivery: &str, step: &Step) -> Markup {
    match step {
        Step::Requeued { at, .. } => html! { p { "Asked for once more " (moment(*at, visit.now)) "." } },
        Step::Attempted(attempt) => html! {
            h3 { "#" (attempt.number) " " (pill::of_outcome(&attempt.outcome)) " " small { (moment(attempt.at, visit.now)) } }
            p { (in_words(&attempt.timing)) ". " (then(visit, attempt.verdict)) }
            @if !attempt.detail.is_empty() { p { (attempt.detail) } }
            div.exchange { (request(visit, delivery, attempt)) (answer(visit, attempt)) }
        },
    }
}

fn then(visit: &Visit, verdict: Verdict) -> Markup {
    match verdict {
        Verdict::Delivered => html! { "That delivered it." },
        Verdict::RetryAt(at) if at <= visit.now => html! { "The next was due " (moment(at, visit.now)) "." },
        Verdict::RetryAt(at) => html! { "Next attempt: " (moment(at, visit.now)) "." },
        Verdict::HeldUntil(at) => {
            html! { "The webhook is paused by the engine; it was held until " (moment(at, visit.now)) "." }
        }
        Verdict::GiveUp => html! { "No attempt was left." },
        Verdict::Superseded => {
            html! { "It had been asked for once more meanwhile, so nothing followed from this one." }
        }
    }
}

fn request(visit: &Visit, delivery: &str, attempt: &Attempt) -> Markup {
    html! {
        section {
            h4 { "Request" }
            @if attempt.request_headers.is_empty() { p.muted { "Nothing was sent." } }
            @else {
                dl.headers { @for (name, value) in &attempt.request_headers { div { dt { (name) } dd { (value) } } } }
                @if visit.who.reads_payloads() {
                    p { a href=(visit.paths.attempt(delivery, attempt.number)) { "Body, curl, and the steps of its signature" } span.muted { " (goes on record)" } }
                }
            }
        }
    }
}

fn answer(visit: &Visit, attempt: &Attempt) -> Markup {
    html! {
        section {
            h4 { "Answer" }
            @if attempt.answer.is_empty() { p.muted { "No body." } }
            @else if visit.who.reads_payloads() { (json::body_within(ANSWER_BYTES_MAX, &attempt.answer, "The beginning of the answer")) }
            @else { p.muted { "The role " (visit.who.role()) " does not see it." } }
        }
    }
}
