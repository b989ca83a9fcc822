//! What befalls one node of several while the others go on: its process stands still, or cannot reach the store. And what they
//! come to when nothing befalls them any more.

use signalpost_core::limits::LANE_GROUPS;

use super::{Duty, Processes};
use crate::executor::Group;

impl Processes {
    /// Stops the process of a node, as a signal would, if it serves. Returns its number.
    pub(crate) fn freeze(&self, node: u16) -> Option<u32> {
        let running = self.running.borrow().get(&node).cloned()?;
        if running.duty.get() != Duty::Serving || self.ground.executor.is_frozen(Group(running.number)) {
            return None;
        }
        self.ground.note(format_args!("p{} stands still", running.number));
        self.ground.executor.freeze(Group(running.number));
        Some(running.number)
    }

    /// Lets a process go on; one that was killed meanwhile stays so.
    pub(crate) fn go_on(&self, process: u32) {
        self.ground.note(format_args!("p{process} goes on"));
        self.ground.executor.thaw(Group(process));
    }

    /// Cuts a node off from the store.
    pub(crate) fn cut_off(&self, node: u16) {
        self.ground.note(format_args!("node {node} cannot reach the store"));
        self.line(node, |line| line.cut());
    }

    pub(crate) fn reach_again(&self, node: u16) {
        self.line(node, |line| line.mend());
        self.ground.note(format_args!("node {node} can reach the store again"));
    }

    fn line(&self, node: u16, change: impl FnOnce(&crate::nodes::Line)) {
        if let Some(nodes) = &self.nodes {
            change(nodes.line(node));
        }
    }

    /// Looks whether all that run have the same part of the lane groups, give or take one.
    pub(crate) fn check_shares(&self) {
        let Some(nodes) = &self.nodes else { return };
        let shares = nodes.rows.shares(self.ground.clock.now_us());
        let running = self.living();
        let of_each = LANE_GROUPS / running.len().max(1);
        let is_even = |(process, count): &(u32, usize)| {
            running.contains(process) && (of_each..=of_each + 1).contains(count)
        };
        let all: usize = shares.iter().map(|(_, count)| count).sum();
        if shares.len() != running.len() || all != LANE_GROUPS || !shares.iter().all(is_even) {
            self.find(format!("lane groups are divided as {shares:?} among {running:?}, and all is calm"));
        }
        for running in self.running.borrow().values() {
            let believed = running.seat.as_ref().map_or(0, |seat| seat.ownership.groups().count());
            if !shares.contains(&(running.number, believed)) {
                self.find(format!("p{} believes that it has {believed} lane groups", running.number));
            }
        }
    }
}
