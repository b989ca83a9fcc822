//! What became of one delivery, by the receivers' ledger and by the server's record: they must agree.

use super::{Case, Evidence, Expectation, Judgement, Violation};
use crate::torture::book::Fate;
use crate::torture::ledger::{Reply, State, Temper};
use crate::torture::record::Status;
use crate::torture::stage::ATTEMPTS;

pub(super) fn judge(case: &Case<'_>, evidence: &Evidence<'_>, judgement: &mut Judgement) {
    let taken = case.arrivals.iter().any(|arrival| arrival.reply.is_taken());
    let is_owed = case.expectation == Expectation::Owed && case.event.fate != Fate::Refused;
    judgement.owed += usize::from(is_owed);
    judgement.delivered += usize::from(taken);
    let find = |judgement: &mut Judgement, violation, note: &str| {
        judgement.find(violation, case.event.number, Some(case.hook_number), note.to_owned());
    };
    match case.listed.map(|listed| listed.status) {
        None if !case.arrivals.is_empty() => {
            find(judgement, Violation::Unlisted, "it arrived, and is in no list");
        }
        None if is_owed => {
            judgement.lost += 1;
            find(judgement, Violation::Lost, "it never arrived, and is in no list");
        }
        None => {}
        Some(Status::Delivered) if !taken => {
            judgement.lost += usize::from(is_owed);
            find(
                judgement,
                Violation::Phantom,
                "the server calls it delivered; it never came, or was never taken",
            );
        }
        Some(Status::Delivered) => {}
        Some(Status::Pending) => {
            judgement.pending += 1;
            find(judgement, Violation::Pending, "it is still pending");
        }
        Some(Status::Failed) => {
            judgement.failed += usize::from(!taken);
            if let Some(note) = untrue_failure(case, evidence) {
                judgement.lost += usize::from(is_owed && !taken);
                find(judgement, Violation::UntrueReason, &note);
            }
        }
        Some(status @ (Status::DroppedByDisabling | Status::DroppedByDeletion)) => {
            judgement.dropped += usize::from(!taken);
            if !was_ended(case, status) {
                judgement.lost += usize::from(is_owed && !taken);
                find(
                    judgement,
                    Violation::UntrueReason,
                    "it was dropped, and nobody switched its webhook off",
                );
            }
        }
    }
}

/// Whether the webhook was ended in the way that the record names, at a time when the delivery could be pending.
fn was_ended(case: &Case<'_>, status: Status) -> bool {
    let ending = if status == Status::DroppedByDeletion { State::Deleted } else { State::Off };
    let accepted = case.event.asked.from;
    case.hook
        .changes
        .iter()
        .any(|change| change.to == ending && change.answered.is_none_or(|answered| answered >= accepted))
}

/// Why a failure on record is not what the receivers saw; `None` when it is.
fn untrue_failure(case: &Case<'_>, evidence: &Evidence<'_>) -> Option<String> {
    let outcomes = evidence.record.failed.get(&(case.event.number, case.hook_number));
    let outcomes = outcomes.map_or(&[][..], Vec::as_slice);
    if outcomes.len() != ATTEMPTS {
        return Some(format!("it failed after {} attempts of {ATTEMPTS}: {outcomes:?}", outcomes.len()));
    }
    let seen =
        |replies: &[Reply]| case.arrivals.iter().filter(|arrival| replies.contains(&arrival.reply)).count();
    let said = |outcome: &str| outcomes.iter().filter(|said| *said == outcome).count();
    for (status, reply) in [("500", Reply::ServerError), ("503", Reply::Unavailable), ("429", Reply::TooMany)]
    {
        if said(status) > seen(&[reply]) {
            return Some(format!(
                "{status} is on record {} times, and was answered less often",
                said(status)
            ));
        }
    }
    let answered = said("500") + said("503") + said("429");
    let broken = outcomes.len() - answered;
    let can_break = case.hook.temper == Temper::Failing && !evidence.chronicle.gone.is_empty();
    let explained = seen(&[Reply::Hung, Reply::CutOff]) + if can_break { ATTEMPTS } else { 0 };
    let frozen = if evidence.chronicle.freezes.is_empty() { 0 } else { case.arrivals.len() };
    if broken > explained + frozen {
        return Some(format!("attempts are said to have failed that had no reason to: {outcomes:?}"));
    }
    None
}
