//! What was done to each of the servers that work on one database. Nobody outside knows which of them sent a delivery. So those
//! are asked that can have sent it, and each by what was done to it alone: the times around a trouble that excuse something
//! are as short as where there is one server.

use super::chronicle::{Chronicle, Counts, LEASE_LOST_MS, Outage, Reason};
use super::stopwatch::{Ms, Span};

#[derive(Clone, Debug)]
pub(super) struct Chronicles {
    /// Each has all that befell everybody too: standstills of this program, absences of receivers and of the database.
    nodes: Vec<Chronicle>,
}

impl Chronicles {
    pub(super) fn of(nodes: usize) -> Self {
        Self { nodes: vec![Chronicle::default(); nodes.max(1)] }
    }

    pub(super) fn node(&mut self, node: usize) -> &mut Chronicle {
        &mut self.nodes[node]
    }

    /// Of all together. What befell everybody is counted at the first.
    pub(super) fn counts(&self) -> Counts {
        self.nodes.iter().map(|node| node.counts).fold(Counts::default(), Counts::plus)
    }

    pub(super) fn kills_by_node(&self) -> Vec<usize> {
        self.nodes.iter().map(|node| node.counts.kills).collect()
    }

    pub(super) fn counts_of_all(&mut self) -> &mut Counts {
        &mut self.node(0).counts
    }

    /// A standstill of one process. Where there are others, one beyond its lease is an end: what was in flight, or answered
    /// and not recorded, is sent again by whoever takes over.
    pub(super) fn note_freeze(&mut self, node: usize, freeze: Span) {
        let has_others = self.nodes.len() > 1;
        let node = self.node(node);
        node.freezes.push(freeze);
        node.counts.freezes += 1;
        if has_others && freeze.length() >= LEASE_LOST_MS {
            node.outages.push(Outage { killed: freeze.from, launched: freeze.to });
        }
    }

    /// Nothing could be written. A database that was away for longer than leases live has them run out: whose outcomes were
    /// waiting for it may find that another one has taken over.
    pub(super) fn note_starved(&mut self, starved: Span) {
        let leases_end = self.nodes.len() > 1 && starved.length() >= LEASE_LOST_MS;
        for node in &mut self.nodes {
            node.starved.push(starved);
            if leases_end {
                node.outages.push(Outage { killed: starved.to, launched: starved.to });
            }
        }
    }

    pub(super) fn note_gone(&mut self, gone: Span) {
        self.nodes.iter_mut().for_each(|node| node.gone.push(gone));
    }

    /// What the machine kept waiting.
    pub(super) fn note_standstills(&mut self, stalls: &[Span], slow_syncs: &[Span]) {
        for node in &mut self.nodes {
            (node.stalls, node.slow_syncs) = (stalls.to_vec(), slow_syncs.to_vec());
        }
    }

    pub(super) fn stalls(&self) -> &[Span] {
        &self.nodes[0].stalls
    }

    pub(super) fn slow_syncs(&self) -> &[Span] {
        &self.nodes[0].slow_syncs
    }

    pub(super) fn gone(&self) -> &[Span] {
        &self.nodes[0].gone
    }

    /// Those that can have sent what came at a moment: all, when it came in spite of everything.
    fn senders(&self, at: Ms) -> impl Iterator<Item = &Chronicle> {
        let all = self.nodes.len() == 1 || !self.nodes.iter().any(|node| node.can_have_sent(at));
        self.nodes.iter().filter(move |node| all || node.can_have_sent(at))
    }

    /// As [`Chronicle::excuse`].
    pub(super) fn excuse(&self, exchange: Span, may_be_gone: bool) -> Option<Reason> {
        self.senders(exchange.from).filter_map(|node| node.excuse(exchange, may_be_gone)).min()
    }

    /// The same where it is known when it came again.
    pub(super) fn excuse_again(&self, exchange: Span, again: Ms, may_be_gone: bool) -> Option<Reason> {
        let has_others = self.nodes.len() > 1;
        let late = || has_others && self.nodes.iter().any(|node| node.sent_late(exchange.from, again));
        self.excuse(exchange, may_be_gone).or_else(|| late().then_some(Reason::Frozen))
    }

    /// Standstills that can have had an attempt time out, each one of a delivery, and that touch a span.
    pub(super) fn timeouts_within(&self, span: Span) -> usize {
        let frozen: usize = self.nodes.iter().map(|node| node.frozen_within(span)).sum();
        frozen + self.nodes[0].stalled_within(span)
    }

    /// As [`Chronicle::unrecorded_ms`], of the node whose kill was the nearest.
    pub(super) fn unrecorded_ms(&self, exchange: Span) -> Option<Ms> {
        self.senders(exchange.from).filter_map(|node| node.unrecorded_ms(exchange)).min()
    }

    /// The ends around an exchange that did not excuse it, in words for whoever looks into it.
    pub(super) fn tell_ends(&self, exchange: Span) -> String {
        let mut told = String::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let of = if self.nodes.len() > 1 { format!(" of node {number}") } else { String::new() };
            if let Some(before) = node.unrecorded_ms(exchange) {
                told.push_str(&format!("; the next kill{of} had {before} ms of work before it"));
            }
            if let Some(after) = node.since_kill_ms(exchange.from) {
                told.push_str(&format!("; the last kill{of} was {after} ms before"));
            }
        }
        told
    }

    /// Whether the outcome of an exchange may not have been on disk at a moment.
    pub(super) fn may_be_unrecorded_at(&self, exchange: Span, moment: Ms) -> bool {
        self.senders(exchange.from).any(|node| node.may_be_unrecorded_at(exchange, moment))
    }

    /// How much of a span one could work in that can have sent what came at its end: the one that had the least of it.
    pub(super) fn working_ms(&self, span: Span) -> Ms {
        self.senders(span.to).map(|node| node.working_ms(span)).min().unwrap_or(span.length())
    }

    /// How much of a span what was due had to wait, because whoever had it was not there or stood still.
    pub(super) fn idle_ms(&self, span: Span) -> Ms {
        self.nodes.iter().map(|node| node.idle_ms(span)).fold(0, Ms::saturating_add)
    }

    /// As [`Chronicle::put_off_ms`]: what one has put off another one may do.
    pub(super) fn put_off_ms(&self, span: Span) -> Ms {
        self.nodes.iter().map(|node| node.put_off_ms(span)).fold(0, Ms::saturating_add)
    }

    /// How late a clock may have been read at a moment.
    pub(super) fn stalled_ms(&self, at: Ms) -> Ms {
        self.nodes[0].stalled_ms(at)
    }

    /// As [`Chronicle::clock_was_strange`], of any clock: one node goes by what another has written.
    pub(super) fn clock_was_strange(&self, span: Span) -> bool {
        self.nodes.iter().any(|node| node.clock_was_strange(span))
    }

    /// As [`Chronicle::permits_skew`], by the clock of one that can have sent it.
    pub(super) fn permits_skew(&self, at: Ms, skew_ms: i64) -> bool {
        self.senders(at).any(|node| node.permits_skew(at, skew_ms))
    }
}

impl From<Chronicle> for Chronicles {
    fn from(only: Chronicle) -> Self {
        Self { nodes: vec![only] }
    }
}

#[cfg(test)]
mod tests {
    use super::super::chronicle::{End, Shift};
    use super::*;

    fn taken(from: Ms) -> Span {
        Span::new(from, from + 10)
    }

    #[test]
    fn a_kill_of_any_node_excuses_what_it_can_have_sent() {
        let mut both = Chronicles::of(2);
        both.node(0).note_end(10_000, End::Killed);
        both.node(0).outages[0].launched = 14_000;
        both.node(1).note_end(10_600, End::Killed);
        both.node(1).outages[0].launched = 10_700;
        assert_eq!(both.excuse(taken(9_900), false), Some(Reason::Killed), "the first node's kill");
        assert_eq!(both.excuse(taken(10_500), false), Some(Reason::Killed), "the other one's");
        assert_eq!(both.excuse(taken(9_000), false), None);
        assert_eq!(both.excuse(taken(12_000), false), None, "only one was there, and it lived on");
        assert_eq!((both.counts().kills, both.kills_by_node()), (2, vec![1, 1]));
        assert_eq!(both.unrecorded_ms(taken(10_500)), Some(90));
    }

    #[test]
    fn a_freeze_beyond_the_lease_excuses_at_its_edges_only() {
        let mut both = Chronicles::of(2);
        both.note_freeze(0, Span::new(10_000, 22_000));
        assert_eq!(both.excuse(taken(9_950), false), Some(Reason::Killed), "it was in flight");
        assert_eq!(
            both.excuse(taken(15_000), false),
            None,
            "the other one has sent it, and did not stand still"
        );
        assert_eq!(both.excuse(taken(22_100), false), Some(Reason::Frozen));
        assert_eq!(both.excuse_again(taken(19_000), 22_050, false), Some(Reason::Frozen), "begun before");
        assert_eq!(both.excuse_again(taken(19_000), 21_000, false), None);
        assert_eq!(both.excuse_again(taken(19_000), 24_000, false), None, "it was awake for long");
        let alone =
            Chronicles::from(Chronicle { freezes: vec![Span::new(10_000, 22_000)], ..Chronicle::default() });
        assert_eq!(alone.excuse(taken(15_000), false), Some(Reason::Frozen), "nobody else was there");
    }

    #[test]
    fn a_short_freeze_hands_nothing_over() {
        let mut both = Chronicles::of(2);
        both.note_freeze(0, Span::new(10_000, 13_000));
        assert_eq!(both.excuse(taken(9_950), false), Some(Reason::Frozen), "its time was over");
        assert_eq!(both.excuse_again(taken(12_000), 13_050, false), None);
    }

    #[test]
    fn nobody_works_less_because_another_stands_still() {
        let mut both = Chronicles::of(2);
        both.note_freeze(0, Span::new(10_000, 22_000));
        assert_eq!(both.working_ms(Span::new(11_000, 20_000)), 9_000, "what came then is the other one's");
        assert_eq!(both.working_ms(Span::new(11_000, 22_100)), 100, "this may be of the one that goes on");
        assert_eq!(both.idle_ms(Span::new(11_000, 20_000)), 9_000, "it may have had it");
    }

    #[test]
    fn each_node_signs_by_its_own_clock() {
        let mut both = Chronicles::of(2);
        let shift = Shift { span: Span::new(10_000, 20_000), least_ms: 20_000, most_ms: 20_000 };
        both.node(0).shifts.push(shift);
        assert!(both.permits_skew(15_000, 19_500) && both.permits_skew(15_000, -500));
        assert!(!both.permits_skew(15_000, 10_000) && !both.permits_skew(25_000, 19_500));
        both.note_freeze(1, Span::new(11_000, 19_000));
        assert!(!both.permits_skew(15_000, -500), "who had the true time stood still");
        assert!(!both.permits_skew(15_000, -4_500), "nothing of what comes meanwhile was signed before");
        assert!(both.permits_skew(19_050, -8_000));
    }

    #[test]
    fn leases_run_out_where_the_database_is_away_for_long() {
        let mut both = Chronicles::of(2);
        both.note_starved(Span::new(10_000, 13_000));
        assert_eq!(both.excuse(taken(12_000), false), None);
        both.note_starved(Span::new(20_000, 29_000));
        assert_eq!(both.excuse(taken(22_000), false), Some(Reason::Killed));
        assert_eq!(both.excuse(taken(19_000), false), None);
    }
}
