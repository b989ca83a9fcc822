//! One replay: what it would send, how far it has come, and how it goes on.

use maud::{Markup, html};
use signalpost_core::id::DeliveryId;
use signalpost_core::replay::{CancelReason, Phase, Replay};
use signalpost_engine::replay::ShownReplay;
use signalpost_engine::{View, Waits};

use crate::look::frame::{crumb, page, proof};
use crate::look::id;
use crate::look::numbers::count;
use crate::look::pill::{Tone, pill};
use crate::look::time::moment;
use crate::request::Path;
use crate::trouble::Page;
use crate::visit::Visit;

pub(crate) async fn show(visit: Visit, Path((workspace, replay)): Path<(String, String)>) -> Page {
    let engine = visit.engine_of(&workspace).await?;
    let view = engine.workspace(&workspace).await?;
    let (shown, sample) = engine.replay(view.workspace.id, &replay).await?;
    let is_busy = shown.replay.phase.is_busy();
    let content = html! {
        h1 { "Replay to " (target(&shown)) }
        div #live data-live=[is_busy.then_some("on")] {
            p.state { (of_phase(shown.replay.phase)) " " (sentence(&visit, &shown)) }
            (bar(&shown.replay))
            (commands(&visit, &view, &shown.replay))
            (facts(&visit, &view, &shown))
            (sampled(&visit, &view, &sample))
        }
        @if is_busy { p.muted { "Load the page again to see how far it is, where it does not follow by itself." } }
    };
    let mut crumbs = visit.paths.to_workspace(&view);
    crumbs.push(crumb(visit.paths.replays(&workspace), "Replays"));
    Ok(page(&visit, "Replay", &crumbs, &content))
}

pub(super) fn target(shown: &ShownReplay) -> &str {
    shown.target.as_deref().unwrap_or("a webhook that is gone")
}

pub(super) fn of_phase(phase: Phase) -> Markup {
    let tone = match phase {
        Phase::Planning | Phase::Running => Tone::Info,
        Phase::Planned => Tone::Warn,
        Phase::Paused | Phase::Cancelled(_) => Tone::Muted,
        Phase::Done => Tone::Ok,
    };
    pill(tone, phase.name())
}

fn sentence(visit: &Visit, shown: &ShownReplay) -> String {
    let Replay { phase, progress, per_second, .. } = &shown.replay;
    let planned = deliveries(progress.planned);
    let start = if visit.who.acts() { "for you to start" } else { "to be started" };
    match phase {
        Phase::Planning if progress.planned == 1 => {
            format!("{planned} was found so far. Nothing is sent yet.")
        }
        Phase::Planning => format!("{planned} were found so far. Nothing is sent yet."),
        Phase::Planned if progress.planned == 0 => "No delivery fits. There is nothing to send.".to_owned(),
        Phase::Planned if progress.planned == 1 => {
            format!("{planned} fits, and waits {start}.")
        }
        Phase::Planned => format!("{planned} fit, and wait {start}."),
        Phase::Running => match shown.waits {
            Some(Waits::Busy) => "The receiver is still busy with what it was sent.".to_owned(),
            Some(_) => "It waits: the webhook is paused by the engine, or is off.".to_owned(),
            None => format!("At most {per_second} a second are sent."),
        },
        Phase::Paused => "Nothing is sent until it is resumed.".to_owned(),
        Phase::Done => "It has gone through its plan.".to_owned(),
        Phase::Cancelled(CancelReason::Asked) => {
            "Somebody has cancelled it; what was sent stays sent.".to_owned()
        }
        Phase::Cancelled(CancelReason::WebhookDeleted) => "Its webhook was deleted.".to_owned(),
        Phase::Cancelled(CancelReason::TooMany) => {
            "There was more than one replay may send. Ask for a shorter time, or fewer types.".to_owned()
        }
        Phase::Cancelled(CancelReason::Forgotten) => "Nobody has started or resumed it in time.".to_owned(),
    }
}

fn deliveries(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "delivery" } else { "deliveries" })
}

fn bar(replay: &Replay) -> Markup {
    let progress = &replay.progress;
    let done = progress.sent + progress.passed_over;
    html! {
        @if progress.planned > 0 && !matches!(replay.phase, Phase::Planning | Phase::Planned) {
            p {
                progress aria-label="How far it is" value=(done) max=(progress.planned) {}
                " " (count(progress.sent)) " sent, " (count(progress.passed_over)) " passed over, of " (count(progress.planned))
            }
        }
    }
}

fn commands(visit: &Visit, view: &View, replay: &Replay) -> Markup {
    let own = visit.paths.replay(&view.workspace.public_id, &replay.id.to_public());
    let offered: &[&str] = match replay.phase {
        Phase::Planning => &["cancel"],
        Phase::Planned if replay.progress.planned == 0 => &["cancel"],
        Phase::Planned => &["start", "cancel"],
        Phase::Running => &["pause", "cancel"],
        Phase::Paused => &["resume", "cancel"],
        Phase::Done | Phase::Cancelled(_) => &[],
    };
    html! {
        @if visit.who.acts() && !offered.is_empty() {
            div.line {
                @for command in offered {
                    form method="post" action={ (own) "/" (command) } {
                        (proof(visit))
                        button.quiet[*command == "cancel" || *command == "pause"] {
                            @match *command {
                                "start" => { "Send " (deliveries(replay.progress.planned)) }
                                "pause" => "Pause",
                                "resume" => "Resume",
                                _ => "Cancel",
                            }
                        }
                    }
                }
            }
        }
    }
}

fn facts(visit: &Visit, view: &View, shown: &ShownReplay) -> Markup {
    let replay = &shown.replay;
    let selection = &replay.selection;
    html! {
        dl.facts {
            div { dt { "Id" } dd { (id::copied(&replay.id.to_public())) } }
            @if let Some(target) = &shown.target {
                div { dt { "Webhook" } dd { (id::link(&visit.paths.webhook(&view.workspace.public_id, target), target)) } }
            }
            div { dt { "Deliveries of" } dd { (source(visit, view, shown)) } }
            div { dt { "Which" } dd { (selection.which.name().replace('_', " ")) } }
            div { dt { "Events accepted" } dd { (moment(selection.since, visit.now)) " to " (moment(selection.until, visit.now)) } }
            div { dt { "Types" } dd { @if selection.types.is_empty() { "all" } @else { (selection.types.join(", ")) } } }
            @if let Some(subject) = &selection.subject { div { dt { "Subject" } dd { code { (subject) } } } }
            div { dt { "Rate" } dd { "at most " (count(replay.per_second.get())) " a second" } }
            div { dt { "Asked for" } dd { (moment(replay.made_at, visit.now)) " by " (replay.made_by.told_to(visit.door.audience()).to_text()) } }
            div { dt { "Changed" } dd { (moment(replay.changed_at, visit.now)) " by " (replay.changed_by.told_to(visit.door.audience()).to_text()) } }
        }
    }
}

/// Whose deliveries are looked at.
fn source(visit: &Visit, view: &View, shown: &ShownReplay) -> Markup {
    html! {
        @match &shown.source {
            source @ Some(_) if *source == shown.target => "the same webhook",
            Some(source) => (id::link(&visit.paths.webhook(&view.workspace.public_id, source), source)),
            None => "a webhook that is gone",
        }
    }
}

/// By their events: a delivery of an event that was not meant for the webhook is there only once it was sent.
fn sampled(visit: &Visit, view: &View, sample: &[DeliveryId]) -> Markup {
    let workspace = &view.workspace.public_id;
    html! {
        @if !sample.is_empty() {
            h2 { "The events of the oldest of them" }
            ul { @for delivery in sample { @let event = delivery.event.to_public(); li { (id::link(&visit.paths.event(workspace, &event), &event)) } } }
        }
    }
}
