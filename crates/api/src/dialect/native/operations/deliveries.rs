//! Calls about what became of events.

use http::{Method, StatusCode};
use serde_json::json;
use signalpost_core::delivery::DeliveryStatus;
use signalpost_core::error::ErrorCode;

use super::{NativeOperation, admin, in_workspace, read};
use crate::dialect::native::{deliveries, wire};
use crate::kit::description::Description;
use crate::kit::page::Page;

const TAG: &str = "Deliveries";

pub(super) fn operations() -> Vec<NativeOperation> {
    let list = read("/workspaces/{workspace}/deliveries", deliveries::list).described(|call| {
        let statuses = json!({"type": "string", "enum": DeliveryStatus::ALL.map(DeliveryStatus::name)});
        in_workspace(call)
            .named("listDeliveries", "List deliveries")
            .about("Newest first. A filter that names nothing in this workspace is refused.")
            .query("webhook", "Only deliveries of the webhook with this id.", json!({"type": "string"}))
            .query(
                "event",
                "Only deliveries of the event with this id; of a label, the newest that carries it.",
                json!({"type": "string"}),
            )
            .query("status", "Only deliveries in this state.", statuses)
            .paged()
            .answers::<Page<wire::Delivery>>(StatusCode::OK, "A page of deliveries.")
    });
    let get = read("/deliveries/{delivery}", deliveries::get).described(|call| {
        in_path(call)
            .named("getDelivery", "Look at a delivery")
            .about("With every attempt: request headers (credentials masked), answer, timing and the class of error.")
            .answers::<wire::DeliveryWithHistory>(StatusCode::OK, "The delivery and its history.")
    });
    let redeliver = admin(Method::POST, "/deliveries/{delivery}/redeliver", deliveries::redeliver);
    let redeliver = redeliver.described(|call| {
        in_path(call)
            .named("redeliver", "Send a delivery again")
            .about("Begins a new round of attempts with the same event id. A delivery that is pending stays as it is.")
            .answers::<wire::Redelivery>(StatusCode::ACCEPTED, "It is on its way again.")
            .refuses(&[ErrorCode::Conflict, ErrorCode::TooLarge, ErrorCode::RequestTimeout])
            .idempotent()
    });
    [list, get, redeliver].map(|call| call.described(|call| call.tag(TAG))).into()
}

fn in_path(call: Description) -> Description {
    call.id_in_path("delivery", "Id of the delivery.", "dlv_0aB3dE6gH9jK2mN5pQ8sT1")
}
