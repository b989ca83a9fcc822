//! The tables that events lie in, by the time of their ids: made ahead, and dropped when what is in them is old.
//!
//! A span that is over departs: what stays of it is copied to an heir in bounded steps, while triggers note whatever is written
//! to it meanwhile. Then the heir takes its place at one moment, for which nobody works with events, and what is gone lies
//! beside: counted out page by page, and dropped. Where that stands is in `departure`, written with each step, so whoever comes
//! next goes on with it. One node at a time does a step.

mod carry;
mod count_out;
mod depart;
mod hand_over;
mod heir;
mod left;
mod make;
mod merge;
mod plan;
mod tables;

use signalpost_core::limits::PARTITION_CHANGE_PAUSE;
use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;
use signalpost_store::StoreError;

use crate::failure::Failure;
use crate::locks::{self, Locked};
use crate::pool::Pool;
use crate::work::transact_if_free;
use crate::write::Write;
pub(crate) use depart::is_under_way;
use depart::{Departure, Phase};
pub(crate) use left::LeftToTables;
pub(crate) use make::cover_what_was_before;

/// It is told when tables were not to be had so many times in a row, which is for ten minutes.
const TOLD_AT: u32 = 60;

/// What a step has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stepped {
    /// There is nothing to do, or somebody else does it.
    Idle,
    /// Others worked with the tables for longer than they may be held up.
    HeldUp,
    Done(Done),
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// Events that were counted out.
    pub(crate) events: u64,
    /// Rows touched.
    pub(crate) rows: usize,
}

impl Done {
    /// A change of the tables, or a look that many rows cost as much as.
    const CHANGE: Self = Self { events: 0, rows: 100 };
}

/// When tables were last not to be had, in the engine's time, and how often in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HeldUp {
    at: Option<Timestamp>,
    times: u32,
}

impl HeldUp {
    fn is_recent(self, now: Timestamp) -> bool {
        let pause_ms = i64::try_from(PARTITION_CHANGE_PAUSE.as_millis()).unwrap_or(i64::MAX);
        self.at.is_some_and(|at| (at..at.plus_ms(pause_ms)).contains(&now))
    }

    fn note(&mut self, now: Timestamp) {
        *self = Self { at: Some(now), times: self.times.saturating_add(1) };
        if self.times == TOLD_AT {
            tracing::warn!(
                "the tables that events lie in cannot be changed: a transaction that has read or written events is open for \
                 long, or too many lie in none that is made for their time. Old events stay meanwhile"
            );
        }
    }
}

/// One step: of a departure that is under way, or whatever is to be begun.
pub(crate) async fn step(
    pool: &Pool,
    now: Timestamp,
    rules: &RetentionRules,
    held_up: &mut HeldUp,
) -> Result<Stepped, StoreError> {
    if held_up.is_recent(now) {
        return Ok(Stepped::Idle);
    }
    let work = async |write: &mut Write<'_>| one(write, now, rules).await;
    match transact_if_free(pool, &work).await? {
        Some(stepped) => {
            *held_up = HeldUp::default();
            Ok(stepped)
        }
        None => {
            held_up.note(now);
            Ok(Stepped::HeldUp)
        }
    }
}

async fn one(write: &mut Write<'_>, now: Timestamp, rules: &RetentionRules) -> Result<Stepped, Failure> {
    if !locks::try_take(write, write.shared.schema_key, Locked::Spans).await? {
        return Ok(Stepped::Idle);
    }
    match Departure::read(write).await? {
        Some(departure) => go_on(write, &departure, now, rules).await.map(Stepped::Done),
        None if make::next(write, now, rules).await? => Ok(Stepped::Done(Done::CHANGE)),
        None if depart::begin(write, now, rules).await? || merge::begin(write).await? => {
            Ok(Stepped::Done(Done::CHANGE))
        }
        None => Ok(Stepped::Idle),
    }
}

async fn go_on(
    write: &mut Write<'_>,
    departure: &Departure,
    now: Timestamp,
    rules: &RetentionRules,
) -> Result<Done, Failure> {
    match departure.phase {
        Phase::Carrying => match carry::step(write, departure, now, rules).await? {
            Some(done) => Ok(done),
            None => hand_over::run(write, departure, now, rules).await,
        },
        Phase::Counting => match count_out::step(write, departure).await? {
            Some(done) => Ok(done),
            None => count_out::end(write).await,
        },
    }
}

/// Every statement of these verbs, for the test of their plans.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    carry::SELECT_PAGE,
    carry::SELECT_TOUCHED,
    carry::TAKE_TOUCHED,
    count_out::SELECT_PAGE,
    count_out::SELECT_CARRIED,
    count_out::SELECT_STEPS,
    count_out::DELETE_FEED,
    count_out::ANY_DROPPED,
    count_out::SELECT_GONE,
    depart::SELECT,
    depart::INSERT,
    depart::UPDATE,
    depart::SELECT_OLDEST,
    depart::SELECT_WITHIN,
    depart::NEXT_NUMBER,
    hand_over::DELETE_SPANS,
    hand_over::INSERT_HEIR,
    hand_over::UPDATE,
    heir::SELECT_RULES,
    heir::COPY_MESSAGES,
    heir::COPY_ATTEMPTS,
    heir::INSERT_CARRIED,
    heir::TAKE_BACK_MESSAGE,
    heir::TAKE_BACK_ATTEMPTS,
    heir::FORGET_CARRIED,
    left::SELECT,
    make::SELECT_LAST,
    make::SELECT_IN_NONE,
    make::INSERT,
    make::INSERT_BEFORE,
    make::SELECT_UNCOVERED,
    merge::SELECT,
];
