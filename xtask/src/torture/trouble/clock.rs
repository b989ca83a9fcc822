//! Lies to one server about the time.

use super::{Trouble, sleep};
use crate::release::START_TIMEOUT;
use crate::torture::chronicle::Shift;
use crate::torture::plan::{Card, Kind};
use crate::torture::stopwatch::{Ms, Span};
use crate::torture::strange_clock::StrangeClock;

/// The clock's steps, in seconds. What was put off while it was ahead waits that long afterwards, so they are small ahead.
const STEPS_S: [i64; 6] = [20, -3_600, 7, -15, -60, 12];
/// Where they count for nothing.
const STEPS_BESIDE_A_DATABASE_S: [i64; 6] = [20, -3_600, 3_600, -15, -60, 12];
const FAST_TIMES: u32 = 5;
/// What a server says of a clock that is not its database's.
const NOTICED: &str = "this machine's clock is not the database's";

impl Trouble<'_> {
    /// Its own life, for the clock that lies is chosen at the launch.
    pub(super) fn bend_time(&mut self, card: Card) -> Result<(), String> {
        let Some(environment) = self.stage.clock.as_ref().map(StrangeClock::environment) else {
            return Ok(());
        };
        if self.running[card.node] {
            self.kill(card.node)?;
        }
        self.chronicles.node(card.node).counts.clock_troubles += 1;
        let said_before = self.times_noticed(card.node);
        // What goes by its own clock is told the truth at first, so that it is known when the lie begins.
        let first = if self.goes_by_the_database() { self.step_s(card, 2) } else { 0 };
        self.lie(card.node, (0, 0), |clock| clock.step(first))?;
        let usual = self.stage.environment.clone();
        self.server(card.node).set_environment([usual.clone(), environment].concat());
        let launched = self.launch(card.node);
        self.server(card.node).set_environment(usual);
        launched?;
        self.server(card.node).wait_ready(START_TIMEOUT)?;
        sleep(card.life_ms / 4);
        if card.kind == Kind::ClockFast {
            let gain_ms = i64::try_from(card.for_ms).unwrap_or(0) * i64::from(FAST_TIMES - 1) + 2_000;
            // A fast clock counts from the launch.
            let gain_ms = gain_ms + i64::try_from(card.life_ms).unwrap_or(0) * i64::from(FAST_TIMES);
            self.lie(card.node, (0, gain_ms), |clock| clock.run_fast(FAST_TIMES))?;
            sleep(card.for_ms);
        } else {
            for number in 0..2 {
                let step = self.step_s(card, number);
                self.lie(card.node, (step * 1_000, step * 1_000), |clock| clock.step(step))?;
                sleep(card.for_ms / 2 + 700);
            }
        }
        self.kill(card.node)?;
        self.end_lie(card.node);
        let noticed = self.times_noticed(card.node) > said_before;
        self.chronicles.node(card.node).counts.clocks_noticed += usize::from(noticed);
        Ok(())
    }

    /// Of a database's clock nobody lies, and a server's own counts for nothing beside it.
    const fn goes_by_the_database(&self) -> bool {
        self.stage.database.is_some()
    }

    /// One of several that a card draws.
    fn step_s(&self, card: Card, number: u32) -> i64 {
        let steps = if self.goes_by_the_database() { STEPS_BESIDE_A_DATABASE_S } else { STEPS_S };
        steps[usize::try_from((card.choice >> (8 * number)) % 6).unwrap_or(0)]
    }

    fn times_noticed(&self, node: usize) -> usize {
        let log = std::fs::read_to_string(self.stage.servers[node].log_path());
        log.map_or(0, |log| log.matches(NOTICED).count())
    }

    /// Tells the clock what to say, and notes it where it counts; what it said before ends.
    fn lie(
        &mut self,
        node: usize,
        (least_ms, most_ms): (i64, i64),
        tell: impl FnOnce(&StrangeClock) -> Result<(), String>,
    ) -> Result<(), String> {
        let from = self.now();
        if let Some(clock) = &self.stage.clock {
            tell(clock)?;
        }
        self.end_lie(node);
        if (least_ms, most_ms) != (0, 0) && !self.goes_by_the_database() {
            self.chronicles.node(node).shifts.push(Shift {
                span: Span::new(from, Ms::MAX),
                least_ms,
                most_ms,
            });
        }
        Ok(())
    }

    fn end_lie(&mut self, node: usize) {
        let now = self.now();
        if let Some(shift) =
            self.chronicles.node(node).shifts.last_mut().filter(|shift| shift.span.to == Ms::MAX)
        {
            shift.span.to = now;
        }
    }
}
