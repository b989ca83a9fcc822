//! Calls that publish events, and that look at them.

use http::StatusCode;
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;
use signalpost_core::limits::{BATCH_BODY_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BODY_BYTES_MAX};

use super::{NativeOperation, Served, in_workspace, lines, publish, read};
use crate::dialect::native::{batch, events, explain, publish as publishing, wire};
use crate::kit::description::Description;
use crate::kit::page::Page;
use crate::kit::schema::{about, event_type, instant, object, or_null, ordering_key, producer_id, subject};

const TAG: &str = "Events";

const EXPLAIN: &str = "For each webhook that the workspace has or had, newest first: whether the event was sent to it, and if not, why. What \
     decided is known exactly, by the order in which events and changes were stored and not by any clock; where a webhook \
     was made or changed after the event, the answer says so, and `now` what such an event would come to as the webhook is. \
     Reasons are looked for in this order: sent, made later, changed later, deleted, inactive, type, subject, filter. A \
     producer's id that names several events stands for the newest of them.";

pub(super) fn operations(served: &Served) -> Vec<NativeOperation> {
    let [one, many] = publications(served);
    let list = read("/workspaces/{workspace}/events", events::list).described(|call| {
        in_workspace(call)
            .named("listEvents", "List events")
            .about("Newest first. A page ends early when its events are large.")
            .query("type", "Only events of this type.", json!({"type": "string"}))
            .query("subject", "Only events about this subject.", json!({"type": "string"}))
            .paged()
            .answers::<Page<wire::Event<'static>>>(StatusCode::OK, "A page of events.")
    });
    let get = read("/workspaces/{workspace}/events/{event}", events::get).described(|call| {
        of_event(call)
            .named("getEvent", "Look at an event")
            .answers::<wire::Event<'static>>(StatusCode::OK, "The event.")
    });
    let explain =
        read("/workspaces/{workspace}/events/{event}/explain", explain::explain).described(|call| {
            of_event(call)
                .named("explainEvent", "Explain to whom an event was sent")
                .about(EXPLAIN)
                .query("webhook", "Only the webhook with this id.", json!({"type": "string"}))
                .paged()
                .answers::<explain::Explanations>(StatusCode::OK, "The event, and a page of webhooks.")
        });
    [one, many, list, get, explain].map(|call| call.described(|call| call.tag(TAG))).into()
}

fn of_event(call: Description) -> Description {
    let about =
        "Our id of the event, or the one that its producer gave it; of several with the same, the newest.";
    in_workspace(call).id_in_path("event", about, "evt_0aB3dE6gH9jK2mN5")
}

fn publications(served: &Served) -> [NativeOperation; 2] {
    let example = || json!({"type": "order.paid", "id": "order-1000-paid", "data": {"order": 1000}});
    let one = publish("/workspaces/{workspace}/events", publishing::publish).described(|call| {
        let text = format!(
            "The answer comes once the event and its deliveries are on disk. `data` is kept and sent byte for byte as \
             it came. An `id` deduplicates within the workspace for 24 hours: the same event again gets the first \
             answer, another one 409. Where retention removes the event before that, by age or for a bound on bytes, \
             its `id` may be used anew from then on. The body holds at most {EVENT_BODY_BYTES_MAX} bytes."
        );
        in_workspace(call)
            .named("publishEvent", "Publish an event")
            .about(text)
            .takes("NewEvent", event(served), example())
            .answers::<wire::Receipt>(StatusCode::ACCEPTED, "It is stored and will be delivered.")
            .refuses(&[ErrorCode::Conflict])
            .idempotent()
    });
    let many = publish("/workspaces/{workspace}/events/batch", batch::publish).described(|call| {
        let text = format!(
            "Stores all of them or none, in their order. At most {BATCH_EVENTS_MAX} events in \
             {BATCH_BODY_BYTES_MAX} bytes; pointers of broken rules begin with the event's place, counted from 0."
        );
        let items = json!({"$ref": "#/components/schemas/NewEvent"});
        let array = json!({"type": "array", "items": items, "minItems": 1, "maxItems": BATCH_EVENTS_MAX});
        let line = format!("{}\n", example());
        in_workspace(call)
            .named("publishEvents", "Publish many events")
            .about(text)
            .takes("NewEvents", array, json!([example()]))
            .takes_as(lines("NewEvent", json!(line)))
            .answers::<wire::BatchReceipt>(StatusCode::ACCEPTED, "They are stored and will be delivered.")
            .refuses(&[ErrorCode::Conflict])
            .idempotent()
    });
    [one, many]
}

fn event(served: &Served) -> Value {
    let data = json!({"description": "Any JSON value."});
    let id = "Deduplicates within the workspace for 24 hours, or for as long as its event is kept. In a dialect that takes \
              it for a label it deduplicates nothing: it goes out in deliveries, and several events may share it.";
    let key = "Webhooks with `ordered` get events with the same key one after the other, in the order of their `sequence`.";
    let mut properties = vec![
        ("type", event_type()),
        ("data", data),
        ("subject", about("What the event is about; some dialects require it.", or_null(subject()))),
        ("ordering_key", about(key, or_null(ordering_key()))),
        ("id", about(id, or_null(producer_id()))),
        ("time", about("When it happened; the time of arrival when it is left out.", or_null(instant()))),
    ];
    let text = "An attribute that some dialects know, and some require.";
    let attribute = || about(text, json!({"type": ["string", "null"], "minLength": 1}));
    properties.extend(served.attributes.iter().map(|name| (name.as_str(), attribute())));
    object(&["type", "data"], &properties)
}
