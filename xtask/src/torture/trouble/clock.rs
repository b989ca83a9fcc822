//! Lies to one server about the time.

use super::{Trouble, sleep};
use crate::release::START_TIMEOUT;
use crate::torture::chronicle::Shift;
use crate::torture::plan::{Card, Kind};
use crate::torture::stopwatch::{Ms, Span};
use crate::torture::strange_clock::StrangeClock;

/// The clock's steps, in seconds. What was put off while it was ahead waits that long afterwards, so they are small ahead.
const STEPS_S: [i64; 6] = [20, -3_600, 7, -15, -60, 12];
const FAST_TIMES: u32 = 5;

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
        self.lie(card.node, (0, 0), |clock| clock.step(0))?;
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
                let step = STEPS_S[usize::try_from((card.choice >> (8 * number)) % 6).unwrap_or(0)];
                self.lie(card.node, (step * 1_000, step * 1_000), |clock| clock.step(step))?;
                sleep(card.for_ms / 2 + 700);
            }
        }
        self.kill(card.node)?;
        self.end_lie(card.node);
        Ok(())
    }

    /// Tells the clock what to say, and notes it; what it said before ends.
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
        if (least_ms, most_ms) != (0, 0) {
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
