//! Giving lanes to another core. A lane that is to leave starts nothing more; it goes when nothing of it is under way, so that no
//! two cores ever send for it at the same time.

use std::cmp::Reverse;

use signalpost_core::id::WebhookId;
use signalpost_core::lane_group::LaneGroup;
use signalpost_core::limits::{LANE_MOVE_WAIT, LANES_MOVED_AT_ONCE};
use signalpost_core::time::Timestamp;

use super::Running;
use crate::balance::Lighten;
use crate::lane::{Lane, Luggage};

/// Attempts of the lanes are counted from one request to the next, and believed if that was not longer ago.
const COUNTED_MS_MAX: i64 = 30_000;

/// A lane that is about to leave.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leaving {
    ToCore {
        to: usize,
        /// It stays if it is not still by then.
        until: Timestamp,
    },
    /// Another node has it, or will have it.
    Lost,
}

impl Running {
    /// Picks lanes that have made together about the part of the attempts that is asked for.
    pub(super) fn lighten(&mut self, asked: Lighten) {
        if self.stopping.is_some() || !self.leaving.is_empty() || !self.engine.doorbell.can_give() {
            return;
        }
        let lanes = self.lanes.iter_mut();
        let made: Vec<_> =
            lanes.filter_map(|(webhook, lane)| Some((lane.take_attempts()?, *webhook))).collect();
        let now = self.engine.clock.now();
        // What was counted for longer says little of what there is to do now; the next request will come soon.
        let since = std::mem::replace(&mut self.counted_since, now);
        if now.ms_since(since) > COUNTED_MS_MAX {
            return;
        }
        let until = now.plus_ms(i64::try_from(LANE_MOVE_WAIT.as_millis()).expect("less than a second"));
        for webhook in pick(made, asked.permille) {
            self.leaving.insert(webhook, Leaving::ToCore { to: asked.to, until });
            self.touch(webhook, Lane::leave);
            self.timers.wake_by(webhook, until);
        }
    }

    /// Lets those go of which nothing is under way any more.
    pub(super) fn see_off(&mut self) {
        if self.leaving.is_empty() {
            return;
        }
        let now = self.engine.clock.now();
        for (webhook, leaving) in std::mem::take(&mut self.leaving) {
            let Some(is_still) = self.lanes.get(&webhook).map(|lane| lane.is_still()) else { continue };
            match leaving {
                Leaving::Lost if is_still => self.let_go(webhook, now),
                Leaving::Lost => drop(self.leaving.insert(webhook, leaving)),
                Leaving::ToCore { to, .. } if is_still && self.stopping.is_none() => {
                    self.give_away(webhook, to);
                }
                Leaving::ToCore { until, .. } if now >= until || self.stopping.is_some() => {
                    self.touch(webhook, Lane::stay);
                }
                Leaving::ToCore { until, .. } => {
                    self.leaving.insert(webhook, leaving);
                    // The lane may have been woken before, for something else.
                    self.timers.wake_by(webhook, until);
                }
            }
        }
    }

    /// Lets all lanes go whose groups are another's by now, or were meanwhile.
    pub(super) fn look_at_owners(&mut self) {
        let ownership = &self.engine.ownership;
        let is_lost =
            |webhook: WebhookId, lane: &Lane| lane.epoch != ownership.epoch_of(LaneGroup::of(webhook));
        let lost = self.lanes.iter().filter(|(webhook, lane)| is_lost(**webhook, lane));
        let lost: Vec<WebhookId> = lost.map(|(webhook, _)| *webhook).collect();
        lost.into_iter().for_each(|webhook| self.lose(webhook));
    }

    /// Starts nothing more for a webhook; its lane goes when nothing of it is under way.
    pub(super) fn lose(&mut self, webhook: WebhookId) {
        if !matches!(self.leaving.insert(webhook, Leaving::Lost), Some(Leaving::Lost)) {
            self.touch(webhook, Lane::lose);
        }
    }

    fn let_go(&mut self, webhook: WebhookId, now: Timestamp) {
        drop(self.take_out(webhook));
        self.resting.remove(&webhook);
        // It may be ours again, and then nothing is known of it.
        if self.is_ours(webhook) {
            self.timers.wake_by(webhook, now);
        }
    }

    /// Whether this node delivers for a webhook.
    pub(super) fn is_ours(&self, webhook: WebhookId) -> bool {
        self.engine.ownership.epoch_of(LaneGroup::of(webhook)).is_some()
    }

    fn give_away(&mut self, webhook: WebhookId, to: usize) {
        let Some(lane) = self.take_out(webhook) else { return };
        match self.engine.doorbell.give(webhook, to, Box::new(lane.pack())) {
            None => self.engine.metrics.lanes_moved.add(1),
            Some(luggage) => self.take_over(webhook, *luggage),
        }
    }

    /// A lane that another core has had, or this one before.
    pub(super) fn take_over(&mut self, webhook: WebhookId, luggage: Luggage) {
        let now = self.engine.clock.now();
        if luggage.epoch == self.engine.ownership.epoch_of(LaneGroup::of(webhook)) {
            self.touch(webhook, |lane| lane.unpack(luggage, now));
        } else if self.is_ours(webhook) {
            self.timers.wake_by(webhook, now);
        }
    }
}

/// The largest first, as long as they are not much more than what is left to give away.
fn pick(mut made: Vec<(u64, WebhookId)>, permille: u64) -> Vec<WebhookId> {
    let all: u64 = made.iter().map(|(attempts, _)| attempts).sum();
    let mut left = all * permille / 1_000;
    made.sort_unstable_by_key(|(attempts, webhook)| (Reverse(*attempts), *webhook));
    let mut picked = Vec::new();
    for (attempts, webhook) in made {
        if attempts == 0 || left == 0 || picked.len() >= LANES_MOVED_AT_ONCE {
            break;
        }
        if attempts <= left + left / 2 {
            left = left.saturating_sub(attempts);
            picked.push(webhook);
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(made: &[u64], permille: u64) -> Vec<i64> {
        let made = (1i64..).zip(made).map(|(raw, attempts)| (*attempts, WebhookId::from_raw(raw))).collect();
        pick(made, permille).into_iter().map(WebhookId::raw).collect()
    }

    #[test]
    fn lanes_are_picked_that_make_up_what_is_to_be_given_away() {
        assert_eq!(picked(&[100; 10], 500), [1, 2, 3, 4, 5]);
        assert_eq!(
            picked(&[1_000, 10, 30], 500),
            [3, 2],
            "one that has nearly everything stays: it can be nowhere else"
        );
        assert_eq!(picked(&[600, 400], 500), [1]);
        assert_eq!(picked(&[700, 0, 0], 500), [0i64; 0]);
        assert_eq!(picked(&[0, 0], 500), [0i64; 0]);
        assert_eq!(picked(&[1; 1_000], 500).len(), LANES_MOVED_AT_ONCE);
    }
}
