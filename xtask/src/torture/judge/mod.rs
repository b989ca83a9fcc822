//! Holds what was promised against what arrived and against what the server says of it. Pure, so that the judge can be judged.

mod arrivals;
mod expectation;
mod fate;
mod order;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::book::{Book, Event, Fate};
use super::chronicle::{Chronicle, Reason};
use super::chronicles::Chronicles;
use super::ledger::{Arrival, Hook, Reply, Signed, Temper};
use super::record::{Listed, Record, Status};
use super::stopwatch::Ms;
use expectation::Expectation;

/// Losses that are named, and violations of each other kind; of more only the number is.
const LOST_NAMED_MAX: usize = 20;
const NAMED_MAX: usize = 3;

/// A promise that was broken; the names are those of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Violation {
    /// Acknowledged, and neither arrived nor ended with a true reason on record.
    Lost,
    /// Still owed when nothing moved any more.
    Pending,
    /// Arrived again although nothing kept the first answer from being recorded.
    Unexplained,
    /// Sent to a webhook that did not select it, or that was off or deleted when it was accepted.
    Misdirected,
    /// Began after the answer that switched its webhook off or deleted it.
    AfterTheEnd,
    /// Refused to its publisher, and sent all the same.
    RefusedButSent,
    /// The server calls it delivered, and it never came.
    Phantom,
    /// The reason on record for a failure or a drop is not true.
    UntrueReason,
    /// It arrived, and the server has no record of it.
    Unlisted,
    /// A retry came before its time.
    TooEarly,
    /// The server lists more than one delivery of an event for one webhook.
    ListedTwice,
    /// Not signed as documented.
    Forged,
    /// A signed timestamp that no clock in force showed.
    Stale,
    /// One call became two events.
    StoredTwice,
    /// The acknowledgement named a number of webhooks that cannot be.
    Miscounted,
    /// A sequence number that another event has, or below one that was acknowledged before the event was sent.
    Disordered,
    /// An event came to an ordered webhook before another of its key that stands before it had been taken.
    Overtaken,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) violation: Violation,
    pub(super) number: u32,
    pub(super) hook: Option<u16>,
    pub(super) note: String,
}

/// Everything that both sides have written down.
pub(super) struct Evidence<'a> {
    pub(super) book: &'a Book,
    pub(super) hooks: &'a [Hook],
    pub(super) arrivals: Vec<Arrival>,
    pub(super) record: &'a Record,
    pub(super) chronicle: &'a Chronicles,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Judgement {
    /// Deliveries that acknowledged events are owed, as far as the state of each webhook was certain.
    pub(super) owed: usize,
    /// Of all deliveries: arrived and were taken.
    pub(super) delivered: usize,
    pub(super) failed: usize,
    pub(super) dropped: usize,
    pub(super) pending: usize,
    /// What is pending at the end too: nobody knows that it would ever have come.
    pub(super) lost: usize,
    pub(super) arrivals: usize,
    /// Pairs of events with the same ordering key that an ordered webhook got one after the other.
    pub(super) in_order: usize,
    /// Arrivals that were taken.
    pub(super) taken: usize,
    /// Of those: what might have come again, and why. At most so many duplicates can be; of the others each would be a finding.
    pub(super) excused: BTreeMap<Reason, usize>,
    /// Arrivals after one that was taken.
    pub(super) duplicated: usize,
    /// Of those: why.
    pub(super) explained: BTreeMap<Reason, usize>,
    /// The longest time between a good answer and the kill that kept it from being recorded.
    pub(super) unrecorded_ms_max: Ms,
    /// Stored although nobody was told.
    pub(super) stored_unanswered: usize,
    /// Whose secret nobody knows, because the answer that told it was lost.
    pub(super) unverified: usize,
    /// Arrivals with a timestamp that a strange clock explains and a true one does not.
    pub(super) strangely_stamped: usize,
    /// The oldest timestamp of all others.
    pub(super) stamp_age_ms_max: i64,
    pub(super) violations: BTreeMap<Violation, usize>,
    /// The first ones.
    pub(super) findings: Vec<Finding>,
}

/// One event and one webhook, with all that is known of both together.
struct Case<'a> {
    event: &'a Event,
    hook: &'a Hook,
    hook_number: u16,
    /// In the order in which they came.
    arrivals: &'a [Arrival],
    listed: Option<Listed>,
    expectation: Expectation,
}

pub(super) fn judge(mut evidence: Evidence<'_>) -> Judgement {
    let mut judgement = Judgement { arrivals: evidence.arrivals.len(), ..Judgement::default() };
    let mut arrivals = std::mem::take(&mut evidence.arrivals);
    // Stable: what came in the same millisecond stays in the order in which it was answered.
    arrivals.sort_by_key(|arrival| (arrival.number, arrival.hook, arrival.at));
    let mut listed = evidence.record.deliveries.clone();
    listed.sort_unstable_by_key(|listed| (listed.number, listed.hook));
    for arrival in &arrivals {
        judgement.judge_arrival(arrival, &evidence);
    }
    for foreign in &evidence.record.foreign {
        let note = format!("nobody published it, or nobody made its webhook: {foreign}");
        judgement.find(Violation::Misdirected, u32::MAX, None, note);
    }
    let (mut next_arrival, mut next_listed) = (0, 0);
    for event in evidence.book.events() {
        let mine = take_run(&arrivals, &mut next_arrival, |arrival| arrival.number.cmp(&event.number));
        let said = take_run(&listed, &mut next_listed, |listed| listed.number.cmp(&event.number));
        judgement.judge_event(event, mine, said, &evidence);
    }
    order::judge(evidence.book, &mut judgement);
    order::judge_keys(evidence.book, evidence.hooks, (&arrivals, &listed), &mut judgement);
    judgement.findings.sort_by_key(|finding| finding.violation);
    judgement
}

/// The elements that belong to an event, of a sorted list whose earlier ones were taken.
fn take_run<'a, T>(list: &'a [T], next: &mut usize, compare: impl Fn(&T) -> std::cmp::Ordering) -> &'a [T] {
    let from = *next + list[*next..].iter().take_while(|item| compare(item).is_lt()).count();
    *next = from + list[from..].iter().take_while(|item| compare(item).is_eq()).count();
    &list[from..*next]
}

impl Judgement {
    fn judge_event(
        &mut self,
        event: &Event,
        arrivals: &[Arrival],
        listed: &[Listed],
        evidence: &Evidence<'_>,
    ) {
        let is_stored = match event.fate {
            Fate::Acknowledged => true,
            Fate::Refused => false,
            Fate::Unknown => !listed.is_empty() || !arrivals.is_empty(),
        };
        if event.fate == Fate::Unknown && is_stored {
            self.stored_unanswered += 1;
        }
        if event.fate == Fate::Refused && !(arrivals.is_empty() && listed.is_empty()) {
            self.find(Violation::RefusedButSent, event.number, None, "it was refused".to_owned());
        }
        arrivals::judge_names(event, arrivals, evidence.hooks, self);
        let (mut certain, mut possible) = (0, 0);
        for (hook_number, hook) in (0u16..).zip(evidence.hooks) {
            if hook.workspace != event.workspace {
                continue;
            }
            let expectation = expectation::of(hook, event);
            let mine = of_hook(arrivals, hook_number, |arrival| arrival.hook);
            let rows = of_hook(listed, hook_number, |listed| listed.hook);
            let listed = rows.first().copied();
            if rows.len() > 1 {
                let said: Vec<Status> = rows.iter().map(|row| row.status).collect();
                let note = format!("it is listed {} times: {said:?}", rows.len());
                self.find(Violation::ListedTwice, event.number, Some(hook_number), note);
            }
            certain += u32::from(expectation == Expectation::Owed);
            possible += u32::from(expectation != Expectation::Forbidden);
            let is_idle = mine.is_empty() && listed.is_none();
            if is_idle && (expectation != Expectation::Owed || !is_stored) {
                continue;
            }
            let case = Case { event, hook, hook_number, arrivals: mine, listed, expectation };
            self.judge_case(&case, evidence);
        }
        if event.fate == Fate::Acknowledged && !(certain..=possible).contains(&event.targets) {
            let note = format!("{} webhooks, where {certain} to {possible} can be", event.targets);
            self.find(Violation::Miscounted, event.number, None, note);
        }
    }

    fn judge_case(&mut self, case: &Case<'_>, evidence: &Evidence<'_>) {
        if case.expectation == Expectation::Forbidden && case.event.fate != Fate::Refused {
            let note = "the webhook did not select it, or was not active".to_owned();
            self.find(Violation::Misdirected, case.event.number, Some(case.hook_number), note);
        }
        arrivals::judge_repetitions(case, evidence.chronicle, self);
        fate::judge(case, evidence, self);
    }

    /// What can be said of an arrival by itself.
    fn judge_arrival(&mut self, arrival: &Arrival, evidence: &Evidence<'_>) {
        let find = |this: &mut Self, violation, note: String| {
            this.find(violation, arrival.number, Some(arrival.hook), note);
        };
        match arrival.signed {
            Signed::Well => {}
            Signed::Unverified => self.unverified += 1,
            Signed::Badly if arrival.reply == Reply::Strange => {
                find(self, Violation::Forged, "a delivery that is none of ours".to_owned());
            }
            Signed::Badly => find(self, Violation::Forged, "its signature is wrong".to_owned()),
        }
        if let Some(skew_ms) = arrival.skew_ms.map(i64::from) {
            let chronicle = evidence.chronicle;
            if !chronicle.permits_skew(arrival.at, skew_ms) {
                find(self, Violation::Stale, format!("its timestamp is off by {skew_ms} ms"));
            } else if !Chronicle::default().permits_skew(arrival.at, skew_ms) {
                self.strangely_stamped += 1;
            } else {
                self.stamp_age_ms_max = self.stamp_age_ms_max.max(-skew_ms);
            }
        }
        if arrival.reply.is_taken() {
            self.taken += 1;
            let hook = evidence.hooks.get(usize::from(arrival.hook));
            let may_be_gone = hook.is_some_and(|hook| hook.temper == Temper::Failing);
            if let Some(reason) = evidence.chronicle.excuse(arrival.exchange(), may_be_gone) {
                *self.excused.entry(reason).or_default() += 1;
            }
        }
        if let Some(hook) = evidence.hooks.get(usize::from(arrival.hook))
            && let Some(note) = expectation::began_after_the_end(hook, arrival, evidence.chronicle)
        {
            find(self, Violation::AfterTheEnd, note);
        }
        if evidence.book.get(arrival.number).is_none() && arrival.reply != Reply::Strange {
            find(self, Violation::Misdirected, "nobody published it".to_owned());
        }
    }

    fn find(&mut self, violation: Violation, number: u32, hook: Option<u16>, note: String) {
        let count = self.violations.entry(violation).or_default();
        *count += 1;
        let is_loss = matches!(violation, Violation::Lost | Violation::Phantom);
        if *count <= if is_loss { LOST_NAMED_MAX } else { NAMED_MAX } {
            self.findings.push(Finding { violation, number, hook, note });
        }
    }
}

/// The part of an event's sorted list that belongs to one webhook.
fn of_hook<T>(list: &[T], hook: u16, of: impl Fn(&T) -> u16) -> &[T] {
    let from = list.partition_point(|item| of(item) < hook);
    let to = list.partition_point(|item| of(item) <= hook);
    &list[from..to]
}

impl Violation {
    /// What it is, in the words of the report.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Pending => "still pending",
            Self::Unexplained => "duplicated without a reason",
            Self::Misdirected => "sent where it was not owed",
            Self::AfterTheEnd => "begun after an answered end",
            Self::RefusedButSent => "refused and sent all the same",
            Self::Phantom => "called delivered and never came",
            Self::UntrueReason => "ended for a reason that is not true",
            Self::Unlisted => "arrived and is in no list",
            Self::TooEarly => "tried again too early",
            Self::ListedTwice => "listed twice",
            Self::Forged => "not signed as documented",
            Self::Stale => "signed with a wrong time",
            Self::StoredTwice => "stored twice",
            Self::Miscounted => "acknowledged with a wrong count",
            Self::Disordered => "sequence out of order",
            Self::Overtaken => "overtaken within an ordering key",
        }
    }
}
