//! Arrivals of one event at one webhook, one after the other: what each of them gave reason for.

use super::{Case, Judgement, Violation};
use crate::torture::book::{Event, fingerprint};
use crate::torture::chronicle::Reason;
use crate::torture::chronicles::Chronicles;
use crate::torture::events::PARTNER;
use crate::torture::ledger::{Arrival, Hook, RETRY_AFTER_S, Reply, Temper};
use crate::torture::stage::{RETRY_DELAY_S, TIMEOUT_MS};
use crate::torture::stopwatch::{Ms, Span};

/// Clocks are read on both sides of a connection.
const EARLY_MS: Ms = 50;

/// Whether all arrivals call the event by the name that was acknowledged, or at least by one name.
pub(super) fn judge_names(event: &Event, arrivals: &[Arrival], hooks: &[Hook], judgement: &mut Judgement) {
    let known = match (event.id.is_empty(), event.workspace) {
        (true, _) => arrivals.first().map(|first| first.wire_id),
        (false, PARTNER) => Some(event.sequence),
        (false, _) => Some(fingerprint(&event.id)),
    };
    let other = arrivals.iter().find(|arrival| {
        Some(arrival.wire_id) != known
            && hooks.get(usize::from(arrival.hook)).is_some_and(|hook| hook.workspace == event.workspace)
    });
    if let Some(other) = other {
        let note = "deliveries call it by different ids".to_owned();
        judgement.find(Violation::StoredTwice, event.number, Some(other.hook), note);
    }
}

/// Each arrival but the first follows from the one before it: as a retry in its time, or as something that has an excuse.
pub(super) fn judge_repetitions(case: &Case<'_>, chronicle: &Chronicles, judgement: &mut Judgement) {
    let may_be_gone = case.hook.temper == Temper::Failing;
    let mut was_taken = false;
    for pair in case.arrivals.windows(2) {
        let (first, next) = (&pair[0], &pair[1]);
        was_taken |= first.reply.is_taken();
        judgement.duplicated += usize::from(was_taken);
        let excuse = chronicle.excuse_again(first.exchange(), next.at, may_be_gone);
        if first.reply.is_taken() {
            match excuse {
                Some(reason) => {
                    *judgement.explained.entry(reason).or_default() += 1;
                    let before_ms =
                        chronicle.unrecorded_ms(first.exchange()).filter(|_| reason == Reason::Killed);
                    judgement.unrecorded_ms_max =
                        judgement.unrecorded_ms_max.max(before_ms.unwrap_or_default());
                }
                None => {
                    let mut note =
                        format!("it came at {} ms, was taken, and came at {} ms again", first.at, next.at);
                    note.push_str(&chronicle.tell_ends(first.exchange()));
                    judgement.find(Violation::Unexplained, case.event.number, Some(case.hook_number), note);
                }
            }
            continue;
        }
        let due = first.at + delay_ms(first.reply);
        let is_early = next.at + EARLY_MS + chronicle.stalled_ms(first.at) < due;
        let strange = chronicle.clock_was_strange(Span::new(first.at, next.at));
        if is_early && excuse.is_none() && !strange {
            let note = format!("{:?} at {} ms, and came at {} ms again", first.reply, first.at, next.at);
            judgement.find(Violation::TooEarly, case.event.number, Some(case.hook_number), note);
        }
        if was_taken {
            *judgement.explained.entry(Reason::Retried).or_default() += 1;
        }
    }
}

/// From an arrival that fails until the next may come.
const fn delay_ms(reply: Reply) -> Ms {
    match reply {
        Reply::Unavailable | Reply::TooMany => RETRY_AFTER_S * 1_000,
        // The attempt began before it arrived, on a machine with much to do by some hundred milliseconds.
        Reply::Hung => TIMEOUT_MS + RETRY_DELAY_S * 1_000 - 800,
        // A connection that was used before and breaks without an answer is replaced within the attempt: its receiver
        // may have closed it before the request came.
        Reply::CutOff => 0,
        _ => RETRY_DELAY_S * 1_000,
    }
}
