//! Calls that send many deliveries once more.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::{
    REPLAY_DELIVERIES_MAX, REPLAY_PER_SECOND_DEFAULT, REPLAY_PER_SECOND_MAX, REPLAY_TYPES_MAX,
};
use signalpost_core::replay::Which;

use super::{NativeOperation, admin, in_workspace, read};
use crate::dialect::native::replay_wire::{self, Replay};
use crate::dialect::native::replays;
use crate::kit::description::Description;
use crate::kit::page::Page;
use crate::kit::schema::{about, event_pattern, event_type, instant, object, or_null, subject};

const TAG: &str = "Replays";

pub(super) fn operations() -> Vec<NativeOperation> {
    let list = read("/workspaces/{workspace}/replays", replays::list).described(|call| {
        in_workspace(call)
            .named("listReplays", "List replays")
            .about("Newest first. One that has ended is remembered for 30 days.")
            .paged()
            .answers::<Page<Replay>>(StatusCode::OK, "A page of replays.")
    });
    let get = read("/workspaces/{workspace}/replays/{replay}", replays::get).described(|call| {
        in_path(call)
            .named("getReplay", "Look at a replay")
            .about("How far it has come, and a sample of its plan.")
            .answers::<Replay>(StatusCode::OK, "The replay.")
    });
    let calls = [create(), list, get, start(), pause(), resume(), cancel()];
    calls.map(|call| call.described(|call| call.tag(TAG))).into()
}

fn create() -> NativeOperation {
    const PATH: &str = "/workspaces/{workspace}/webhooks/{webhook}/replays";
    admin(Method::POST, PATH, replays::create).described(|call| {
        let example = json!({"which": "failed", "since": "2026-05-05T08:00:00.000Z", "rate_per_second": 50});
        in_workspace(call)
            .id_in_path("webhook", "Id of the webhook that it goes to.", "wh_BUbkx3PsbzQm5V10")
            .named("createReplay", "Send many deliveries again")
            .about(
                "Of any dialect. The past is walked through first: the plan is exact and does not change once the status is \
                 `planned`, and nothing is sent before `start`. What is accepted after this call is not in it. Then it is gone \
                 through, the oldest first, at a steady rate, and gives way to new events. What has arrived meanwhile is passed \
                 over, unless `all` was asked for. A process that ends goes on where it was.",
            )
            .takes("NewReplay", new(), example)
            .answers::<Replay>(StatusCode::ACCEPTED, "The replay, which is being planned.")
            .refuses(&[ErrorCode::LimitReached])
            .idempotent()
    })
}

fn start() -> NativeOperation {
    const PATH: &str = "/workspaces/{workspace}/replays/{replay}/start";
    command(admin(Method::POST, PATH, replays::start), "startReplay", "Start a replay", "It runs.")
}

fn pause() -> NativeOperation {
    const PATH: &str = "/workspaces/{workspace}/replays/{replay}/pause";
    let about = "Nothing more of it becomes due.";
    command(admin(Method::POST, PATH, replays::pause), "pauseReplay", "Pause a replay", about)
}

fn resume() -> NativeOperation {
    const PATH: &str = "/workspaces/{workspace}/replays/{replay}/resume";
    let about = "It goes on where it was.";
    command(admin(Method::POST, PATH, replays::resume), "resumeReplay", "Resume a replay", about)
}

fn cancel() -> NativeOperation {
    const PATH: &str = "/workspaces/{workspace}/replays/{replay}/cancel";
    let about = "It has ended. What is due already is sent.";
    command(admin(Method::POST, PATH, replays::cancel), "cancelReplay", "Cancel a replay", about)
}

fn command(
    call: NativeOperation,
    id: &'static str,
    name: &'static str,
    answer: &'static str,
) -> NativeOperation {
    call.described(|call| {
        in_path(call)
            .named(id, name)
            .about("What holds already is answered as it is. Refused when it is not in a state for that.")
            .answers::<Replay>(StatusCode::OK, answer)
            .refuses(&[ErrorCode::Conflict])
    })
}

fn in_path(call: Description) -> Description {
    in_workspace(call).id_in_path("replay", "Id of the replay.", "rpl_0aB3dE6gH9jK2mN5")
}

fn new() -> Value {
    let which = "`failed`: what was attempted and ended without success; `never_attempted`: what ended before any attempt, and \
                 events that were not meant for the webhook when they came but would be by what it selects now; `all`: whatever \
                 was meant for it and is not pending.";
    let until = "Events that were accepted before then; before this call when it is left out or lies ahead.";
    let source = "Id of the webhook whose deliveries are looked at, when they are to go to another one.";
    let types = "Event types, and patterns such as `order.*`. Null or empty: every type.";
    let rate = json!({
        "type": "integer", "minimum": 1, "maximum": REPLAY_PER_SECOND_MAX, "default": REPLAY_PER_SECOND_DEFAULT,
        "examples": [50]
    });
    let items = json!({"anyOf": [event_type(), event_pattern()]});
    let types_schema = json!({"type": "array", "maxItems": REPLAY_TYPES_MAX, "items": items});
    let starts = json!({
        "type": "string", "enum": replay_wire::STARTS, "default": replay_wire::STARTS[0]
    });
    let start = format!(
        "`when_told`: once somebody has looked at the plan; `when_planned`: at once. A plan of more than {REPLAY_DELIVERIES_MAX} \
         deliveries is cancelled."
    );
    object(
        &["which", "since"],
        &[
            ("which", about(which, json!({"type": "string", "enum": Which::ALL.map(Which::name)}))),
            ("since", about("Events that were accepted from then on.", instant())),
            ("until", about(until, or_null(instant()))),
            ("source", about(source, json!({"type": ["string", "null"]}))),
            ("types", about(types, or_null(types_schema))),
            ("subject", about("Only events about it.", or_null(subject()))),
            ("rate_per_second", about("Deliveries that become due in a second, at most.", or_null(rate))),
            ("start", about(&start, or_null(starts))),
        ],
    )
}
