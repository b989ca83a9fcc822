//! Seeing to it that no delivery core has much more to do than another.
//!
//! What counts is the attempts that end in a second: each takes about as much of the processor as any other, whatever its
//! receiver does.

use std::time::Duration;

use signalpost_core::limits::{BALANCE_ATTEMPTS_MIN, BALANCE_INTERVAL};

use crate::Engine;

/// When lanes are moved. The default is that of the product.
#[derive(Clone, Copy, Debug)]
pub struct BalanceRule {
    /// Between two looks.
    pub every: Duration,
    /// Attempts of the busiest core in that time below which nothing is moved.
    pub attempts_min: u64,
}

impl Default for BalanceRule {
    fn default() -> Self {
        Self { every: BALANCE_INTERVAL, attempts_min: BALANCE_ATTEMPTS_MIN }
    }
}

/// What a core that has too much to do is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lighten {
    /// The core that has least to do.
    pub(crate) to: usize,
    /// Attempts to give away of a thousand that it makes.
    pub(crate) permille: u64,
}

/// Looks between two requests for a skew that stays, at most: the lanes may be too few or too large to be divided any better.
const PATIENCE_MAX: u32 = 8;

impl Engine {
    /// Moves lanes from a core that has much more to do than another. Never returns; run it once per process, beside the cores.
    pub async fn watch_balance(&self, rule: BalanceRule) {
        // One that does not run yet would have least to do.
        while !self.doorbell.is_open() {
            self.clock.sleep(rule.every).await;
        }
        let (mut before, mut patience, mut waited) = (self.doorbell.attempts(), 1, 0);
        loop {
            self.clock.sleep(rule.every).await;
            let now = self.doorbell.attempts();
            let made: Vec<u64> = now.iter().zip(&before).map(|(now, before)| now - before).collect();
            before = now;
            waited += 1;
            match skew(&made, rule.attempts_min) {
                None => (patience, waited) = (1, 0),
                Some((from, lighten)) if waited >= patience => {
                    self.doorbell.lighten(from, lighten);
                    (patience, waited) = ((patience * 2).min(PATIENCE_MAX), 0);
                }
                Some(_) => {}
            }
        }
    }
}

/// The core that is to give something away, when it has made half as many attempts again as another.
fn skew(made: &[u64], attempts_min: u64) -> Option<(usize, Lighten)> {
    let (from, most) = made.iter().copied().enumerate().max_by_key(|(_, attempts)| *attempts)?;
    let (to, least) = made.iter().copied().enumerate().min_by_key(|(_, attempts)| *attempts)?;
    let is_skewed = most >= attempts_min.max(1) && most / 3 * 2 > least;
    is_skewed.then(|| (from, Lighten { to, permille: (most - least) * 500 / most }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_away_makes_two_cores_equal() {
        let asked =
            |made: &[u64]| skew(made, 2_000).map(|(from, lighten)| (from, lighten.to, lighten.permille));
        assert_eq!(asked(&[6_000, 0]), Some((0, 1, 500)));
        assert_eq!(asked(&[2_000, 9_000, 4_000]), Some((1, 0, 388)));
        assert_eq!(asked(&[3_000, 2_000]), None, "near enough");
        assert_eq!(asked(&[1_999, 0]), None, "not worth it");
        assert_eq!((asked(&[9_000]), asked(&[])), (None, None));
        assert_eq!(skew(&[0, 0], 0), None);
    }
}
