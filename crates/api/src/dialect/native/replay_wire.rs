//! The JSON of this surface's answers about replays, field for field.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use signalpost_core::id::DeliveryId;
use signalpost_core::replay::{CancelReason, Phase, Start, Which};
use signalpost_engine::Waits;
use signalpost_engine::replay::ShownReplay;

use crate::kit::schema::Instant;

/// Many deliveries that are sent once more, or to another webhook.
#[derive(Serialize, JsonSchema)]
pub(super) struct Replay {
    #[schemars(example = &"rpl_0aB3dE6gH9jK2mN5")]
    id: String,
    /// Where it goes. Null when the webhook is not known any more.
    #[schemars(example = &"wh_BUbkx3PsbzQm5V10")]
    webhook: Option<String>,
    /// The webhook whose deliveries are looked at. Null as above.
    #[schemars(example = &"wh_BUbkx3PsbzQm5V10")]
    source: Option<String>,
    #[schemars(extend("enum" = Which::ALL.map(Which::name)))]
    which: &'static str,
    /// Events that were accepted from then on,
    #[schemars(with = "Instant")]
    since: String,
    /// and before then.
    #[schemars(with = "Instant")]
    until: String,
    /// Event types and patterns such as `order.*`; of any type when it is empty.
    #[schemars(example = ["order.*"])]
    types: Vec<String>,
    /// Only events about it; null for events about anything.
    #[schemars(example = Value::Null)]
    subject: Option<String>,
    /// Deliveries that become due in a second, at most.
    #[schemars(example = 50)]
    rate_per_second: u32,
    #[schemars(extend("enum" = STARTS))]
    start: &'static str,
    /// `planning`: the past is walked through, and the counts grow; `planned`: the plan is complete and does not change any
    /// more, and nothing is sent before it is started; `done`: it has gone through its plan.
    #[schemars(example = &"planned", extend("enum" = STATUSES))]
    status: &'static str,
    /// `too_many`: there is more than one replay may send; `forgotten`: nobody has started or resumed it for seven days.
    #[schemars(example = Value::Null, extend("enum" = CANCELLED_REASONS))]
    cancelled_reason: Option<&'static str>,
    /// Why it sends less than it might, while it runs: `target_busy`: about as much as it sends in a second was asked for
    /// again and is due at the webhook already; `target_off`: the webhook is disabled, or paused by the engine.
    #[schemars(example = Value::Null, extend("enum" = WAITS))]
    waits: Option<&'static str>,
    /// Deliveries in the plan.
    #[schemars(example = 1_250)]
    planned: u64,
    /// Those that were owed once more.
    #[schemars(example = 0)]
    sent: u64,
    /// Those that were not: delivered or pending meanwhile, sent as often as one may be, or without a payload any more.
    #[schemars(example = 0)]
    passed_over: u64,
    /// The ten oldest of the plan, as deliveries of the webhook that it goes to; none when it has ended. Only of a replay that
    /// was asked for by itself.
    #[schemars(example = ["dlv_0aB3dE6gH9jK2mN5pQ8sT1"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<Vec<String>>,
    #[schemars(with = "Instant")]
    created_at: String,
    /// `operator` or an operator key (`opk_…`).
    #[schemars(example = &"operator")]
    created_by: String,
    /// When its status changed last.
    #[schemars(with = "Instant")]
    updated_at: String,
    /// As `created_by`; `engine` when a plan was complete, or it came to its end.
    #[schemars(example = &"engine")]
    updated_by: String,
}

const STATUSES: [&str; 6] = ["planning", "planned", "running", "paused", "done", "cancelled"];
const CANCELLED_REASONS: [Option<&str>; 5] =
    [Some("asked"), Some("webhook_deleted"), Some("too_many"), Some("forgotten"), None];
const WAITS: [Option<&str>; 3] = [Some("target_busy"), Some("target_off"), None];
/// What happens when a plan is complete, the default first.
pub(super) const STARTS: [&str; 2] = ["when_told", "when_planned"];

/// Its plan's sample only where it was asked for.
pub(super) fn replay(shown: ShownReplay, sample: Option<Vec<DeliveryId>>) -> Replay {
    let ShownReplay { replay, source, target, waits } = shown;
    let selection = replay.selection;
    Replay {
        id: replay.id.to_public(),
        webhook: target,
        source,
        which: selection.which.name(),
        since: selection.since.to_rfc3339_ms(),
        until: selection.until.to_rfc3339_ms(),
        types: selection.types,
        subject: selection.subject,
        rate_per_second: replay.per_second.get(),
        start: start_name(replay.start),
        status: status(replay.phase),
        cancelled_reason: cancelled_reason(replay.phase),
        waits: waits.map(wait),
        planned: replay.progress.planned,
        sent: replay.progress.sent,
        passed_over: replay.progress.passed_over,
        sample: sample.map(|sample| sample.into_iter().map(DeliveryId::to_public).collect()),
        created_at: replay.made_at.to_rfc3339_ms(),
        created_by: replay.made_by.to_text(),
        updated_at: replay.changed_at.to_rfc3339_ms(),
        updated_by: replay.changed_by.to_text(),
    }
}

/// The error completes a sentence about the property.
pub(super) fn start_named(name: &str) -> Result<Start, String> {
    [Start::WhenTold, Start::WhenPlanned]
        .into_iter()
        .find(|start| start_name(*start) == name)
        .ok_or_else(|| format!("must be {}", STARTS.join(" or ")))
}

const fn start_name(start: Start) -> &'static str {
    match start {
        Start::WhenTold => STARTS[0],
        Start::WhenPlanned => STARTS[1],
    }
}

const fn status(phase: Phase) -> &'static str {
    match phase {
        Phase::Planning => STATUSES[0],
        Phase::Planned => STATUSES[1],
        Phase::Running => STATUSES[2],
        Phase::Paused => STATUSES[3],
        Phase::Done => STATUSES[4],
        Phase::Cancelled(_) => STATUSES[5],
    }
}

const fn cancelled_reason(phase: Phase) -> Option<&'static str> {
    match phase {
        Phase::Planning | Phase::Planned | Phase::Running | Phase::Paused | Phase::Done => None,
        Phase::Cancelled(CancelReason::Asked) => CANCELLED_REASONS[0],
        Phase::Cancelled(CancelReason::WebhookDeleted) => CANCELLED_REASONS[1],
        Phase::Cancelled(CancelReason::TooMany) => CANCELLED_REASONS[2],
        Phase::Cancelled(CancelReason::Forgotten) => CANCELLED_REASONS[3],
    }
}

const fn wait(waits: Waits) -> &'static str {
    match waits {
        Waits::Busy => "target_busy",
        Waits::TargetOff => "target_off",
    }
}
