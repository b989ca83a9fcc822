//! One attempt: its request byte by byte, and what its signature is made of.

pub(crate) mod body;
mod curl;
pub(crate) mod show;
mod signature;

use signalpost_core::attempt::Attempt;
use signalpost_core::delivery::Step;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_engine::lookup::FoundDelivery;
use signalpost_engine::sent::SentRequest;

use crate::on_record::Deed;
use crate::visit::Visit;

/// An attempt with what it has sent, which it is on record that somebody looks at.
struct Found {
    delivery: FoundDelivery,
    attempt: Attempt,
    sent: SentRequest,
}

async fn find(visit: &Visit, delivery: &str, number: &str) -> Result<Found, Error> {
    if !visit.who.reads_payloads() {
        let message = format!("the role `{}` does not see what customers are sent", visit.who.role());
        return Err(Error::new(ErrorCode::Forbidden, message));
    }
    let missing = || Error::not_found("attempt");
    let number: u32 = number.parse().map_err(|_| missing())?;
    let engine = visit.desk.of_delivery(&visit.who, delivery).await?;
    let found = engine.delivery(delivery).await?;
    let attempts = found.record.steps.iter().filter_map(|step| match step {
        Step::Attempted(attempt) => Some(attempt),
        Step::Requeued { .. } => None,
    });
    let attempt = attempts.clone().find(|attempt| attempt.number == number).cloned().ok_or_else(missing)?;
    let workspace = Some(found.view.workspace.public_id.as_str());
    let deed = Deed { action: "payload.view", object: delivery, workspace };
    let sent = visit.on_record(deed, engine.sent_request(&found.view, &found.record, &attempt)).await?;
    Ok(Found { delivery: found, attempt, sent })
}
