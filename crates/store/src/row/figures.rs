//! Figures, and webhooks that fail.

use signalpost_core::figures::{FIGURES_NUMBERS, Figures};
use signalpost_core::id::WebhookId;
use signalpost_core::time::Timestamp;

use super::{Field, Fields, Row};
use crate::rollups::FailingWebhook;

/// The numbers of a row, in the order of [`Figures::numbers`].
#[macro_export]
macro_rules! figures_columns {
    () => {
        "events, attempts_succeeded, attempts_failed, delivered, failed, dropped, retries, oldest_due_ms, latency_ms, \
         latency_1, latency_2, latency_3, latency_4, latency_5, latency_6, latency_7, latency_8, \
         latency_9, latency_10, latency_11, latency_12, latency_13, latency_14, latency_15, latency_16"
    };
}
pub use figures_columns;

/// What a row becomes that is added to.
#[macro_export]
macro_rules! figures_added {
    () => {
        $crate::figures_added!(
            events
            attempts_succeeded
            attempts_failed
            delivered
            failed
            dropped
            retries
            latency_ms
            latency_1
            latency_2
            latency_3
            latency_4
            latency_5
            latency_6
            latency_7
            latency_8
            latency_9
            latency_10
            latency_11
            latency_12
            latency_13
            latency_14
            latency_15
            latency_16
        )
    };
    ($($column:ident)*) => {
        concat!(
            $(stringify!($column), " = figure.", stringify!($column), " + excluded.", stringify!($column), ", ",)*
            "oldest_due_ms = CASE WHEN excluded.oldest_due_ms > figure.oldest_due_ms
                THEN excluded.oldest_due_ms ELSE figure.oldest_due_ms END"
        )
    };
}
pub use figures_added;

/// With its beginning before the numbers.
pub fn figures(row: &Row<'_>) -> Field<(Timestamp, Figures)> {
    let mut fields = Fields::new(row, "figure", 1);
    let at = fields.time("at")?;
    let mut numbers = [0; FIGURES_NUMBERS];
    for number in &mut numbers {
        *number = fields.count("a number")?;
    }
    Ok((at, Figures::from_numbers(&numbers)))
}

/// A webhook in one hour.
pub fn failing_webhook(row: &Row<'_>) -> Field<(WebhookId, FailingWebhook)> {
    let mut fields = Fields::new(row, "figure", 1);
    let id = WebhookId::from_raw(fields.id("webhook")?);
    let webhook = FailingWebhook {
        workspace: fields.text("workspace")?.to_owned(),
        webhook: fields.text("public_id")?.to_owned(),
        url: fields.text("url")?.to_owned(),
        attempts_succeeded: fields.count("attempts_succeeded")?,
        attempts_failed: fields.count("attempts_failed")?,
    };
    Ok((id, webhook))
}
