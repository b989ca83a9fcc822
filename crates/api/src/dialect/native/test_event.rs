//! `POST …/webhooks/{webhook}/test`: an event for this webhook alone.

use axum::extract::{Request, State};
use bytes::Bytes;
use http::StatusCode;
use signalpost_core::limits::MANAGEMENT_BODY_BYTES_MAX;
use signalpost_engine::Done;
use signalpost_engine::test_event::{TestEvent, TestReceipt};

use super::webhooks::check_native;
use super::{Shared, webhook_wire};
use crate::kit::body::read_json_if_any;
use crate::kit::fields::{Fields, Member};
use crate::kit::idempotency::{Announced, mark_replayed};
use crate::kit::json::Object;
use crate::kit::paths::Ids;
use crate::kit::refusal::Answer;
use crate::kit::reply;

const TYPE: &str = "webhook.test";
const DATA: &[u8] = br#"{"message":"This is a test of your webhook."}"#;

pub(super) async fn send(
    State(surface): Shared,
    Ids([workspace, webhook]): Ids<2>,
    request: Request,
) -> Answer {
    let announced = Announced::of("testWebhook", &request)?;
    let body = read_json_if_any(request, MANAGEMENT_BODY_BYTES_MAX).await?;
    check_native(surface.engine.workspace(&workspace).await?.as_ref())?;
    let mut fields = Fields::new(Object::parse(&body)?);
    let event_type = fields.optional_text("type").unwrap_or_else(|| TYPE.to_owned());
    let data = match fields.raw("data") {
        Member::Value(raw) => Bytes::copy_from_slice(raw.get().as_bytes()),
        Member::Null => Bytes::from_static(b"null"),
        Member::Absent | Member::Broken => Bytes::from_static(DATA),
    };
    fields.refuse_rest("is not a property of a test");
    fields.finish()?;
    let (test, call) = (TestEvent { event_type, data }, announced.with(&body).call());
    match surface.engine.send_test(&workspace, &webhook, test, call).await? {
        Done::Now(receipt) => shown(receipt),
        Done::Before(receipt) => {
            let mut response = shown(receipt)?;
            mark_replayed(&mut response);
            Ok(response)
        }
    }
}

fn shown(receipt: TestReceipt) -> Answer {
    let TestReceipt { id, sequence, delivery } = receipt;
    let receipt = webhook_wire::TestReceipt { id, sequence: sequence.0, delivery };
    reply::json(StatusCode::ACCEPTED, &receipt)
}
