//! Steps of a delivery's history.

use bytes::Bytes;
use signalpost_core::attempt::{Attempt, Failure as AttemptFailure, Outcome, Timing, Verdict};
use signalpost_core::delivery::Step;
use signalpost_core::event::Sequence;

use super::{Field, Fields, Row, Value};
use crate::pack::{Detail, unpack_detail};

pub const DELIVERED: i64 = 0;
const RETRY: i64 = 1;
pub const GIVEN_UP: i64 = 2;
pub const REQUEUED: i64 = 3;
pub const SUPERSEDED: i64 = 4;
const HELD: i64 = 5;

pub const fn verdict_code(verdict: Verdict) -> i64 {
    match verdict {
        Verdict::Delivered => DELIVERED,
        Verdict::RetryAt(_) => RETRY,
        Verdict::HeldUntil(_) => HELD,
        Verdict::GiveUp => GIVEN_UP,
        Verdict::Superseded => SUPERSEDED,
    }
}

/// Columns of `attempt`: event, webhook, n, at, verdict, outcome, retry_at, born, detail.
pub fn step(row: &Row<'_>) -> Field<Step> {
    let mut fields = Fields::new(row, "attempt", 3);
    fields.skip();
    fields.skip();
    let number = fields.count("n")?;
    let at = fields.time("at")?;
    let verdict = fields.integer("verdict")?;
    let outcome = fields.value("outcome")?;
    let retry_at = fields.optional_time("retry_at")?;
    let born = fields.optional_integer("born")?;
    let missing = |fields: &Fields<'_>, column| fields.corrupt(column, "missing".to_owned());
    let verdict = match verdict {
        DELIVERED => Verdict::Delivered,
        RETRY => Verdict::RetryAt(retry_at.ok_or_else(|| missing(&fields, "retry_at"))?),
        HELD => Verdict::HeldUntil(retry_at.ok_or_else(|| missing(&fields, "retry_at"))?),
        GIVEN_UP => Verdict::GiveUp,
        SUPERSEDED => Verdict::Superseded,
        REQUEUED => {
            let born = Sequence(born.ok_or_else(|| missing(&fields, "born"))?);
            return Ok(Step::Requeued { number, at, born });
        }
        other => return Err(fields.corrupt("verdict", format!("unknown verdict {other}"))),
    };
    let outcome = outcome_of(outcome).map_err(|problem| fields.corrupt("outcome", problem))?;
    let Detail { timing_us, text, headers, answer } = match fields.optional_blob("detail")? {
        None => Detail { timing_us: [0; 5], text: String::new(), headers: Vec::new(), answer: Bytes::new() },
        Some(blob) => unpack_detail(blob).map_err(|problem| fields.corrupt("detail", problem))?,
    };
    let timing = timing_of(timing_us);
    let attempt =
        Attempt { number, at, outcome, verdict, detail: text, timing, request_headers: headers, answer };
    Ok(Step::Attempted(attempt))
}

fn outcome_of(value: Value<'_>) -> Result<Outcome, String> {
    match value {
        Value::Integer(status) => {
            u16::try_from(status).map(Outcome::Status).map_err(|_| format!("{status} is no status"))
        }
        Value::Text(name) => {
            let name = String::from_utf8_lossy(name);
            // Where a column has one type for all of its values.
            if let Ok(status) = name.parse() {
                return Ok(Outcome::Status(status));
            }
            let failure = AttemptFailure::from_name(&name);
            failure.map(Outcome::Failed).ok_or_else(|| format!("unknown failure {name:?}"))
        }
        other => Err(format!("{other} is neither a status nor a failure")),
    }
}

const fn timing_of([dns_us, connect_us, tls_us, first_byte_us, total_us]: [u64; 5]) -> Timing {
    Timing { dns_us, connect_us, tls_us, first_byte_us, total_us }
}
