//! The rows by which nodes share a store: which of them live, and who has which lane group under which epoch. Beside them, what
//! the store itself would not keep: everybody who ever had a group, and until when.

use std::sync::{Arc, Mutex, MutexGuard};

use signalpost_core::id::DeliveryId;
use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_core::lane_share::NodeNumber;
use signalpost_core::limits::LANE_GROUPS;
use signalpost_store::ledger::Finished;

use super::{LEASE, us};
use crate::ground::Moment;
use crate::tally::Tally;

/// What a node has for ever, and no other ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token(u64);

/// Whether outcomes of an older epoch are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fence {
    Stands,
    /// A mistake, planted.
    LetsThrough,
}

/// How a group came to be nobody's, or another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HowLeft {
    /// Given up, with nothing of it under way.
    Idle,
    /// Given up with attempts under way that took too long.
    Busy,
    /// Given up by a process that was asked to stop, at its end.
    AtStop,
    /// Taken by somebody else when its owner's lease had run out.
    Expired,
}

/// The time for which a process had a group under one epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenure {
    pub(crate) process: u32,
    /// When it stopped to be the owner by the rows.
    pub(crate) left: Option<(Moment, HowLeft)>,
    /// When somebody had the group under the next epoch: nothing is recorded under this one from then on.
    pub(crate) superseded: Option<Moment>,
}

/// What a node reads when it renews its lease.
pub(crate) struct Seen {
    pub(crate) me: NodeNumber,
    pub(crate) living: Vec<NodeNumber>,
    pub(crate) owners: [Option<NodeNumber>; LANE_GROUPS],
    /// Of groups that are this node's.
    pub(crate) mine: Vec<(LaneGroup, GroupEpoch)>,
}

/// Shared by all nodes of a world.
pub(crate) struct Rows {
    fence: Fence,
    tally: Arc<Tally>,
    state: Mutex<State>,
}

struct State {
    nodes: Vec<NodeRow>,
    groups: [GroupRow; LANE_GROUPS],
    tokens: u64,
    tenures: Vec<Tenure>,
    findings: Vec<String>,
}

#[derive(Clone, Copy)]
struct NodeRow {
    number: NodeNumber,
    token: Token,
    process: u32,
    renewed_us: u64,
}

#[derive(Clone, Copy, Default)]
struct GroupRow {
    epoch: u64,
    owner: Option<Token>,
    /// Place of its last tenure.
    tenure: usize,
}

impl NodeRow {
    fn lives(&self, now_us: u64) -> bool {
        now_us < self.renewed_us + us(LEASE)
    }
}

impl State {
    fn living(&self, now_us: u64) -> impl Iterator<Item = &NodeRow> {
        self.nodes.iter().filter(move |node| node.lives(now_us))
    }

    fn living_owner(&self, group: LaneGroup, now_us: u64) -> Option<&NodeRow> {
        let owner = self.groups[group.number()].owner?;
        self.living(now_us).find(|node| node.token == owner)
    }

    fn of(&self, token: Token) -> impl Iterator<Item = LaneGroup> + '_ {
        LaneGroup::all().filter(move |group| self.groups[group.number()].owner == Some(token))
    }

    fn leave(&mut self, group: LaneGroup, at: Moment, how: HowLeft) {
        let row = &mut self.groups[group.number()];
        row.owner = None;
        self.tenures[row.tenure].left.get_or_insert((at, how));
    }
}

impl Rows {
    pub(crate) fn new(fence: Fence, tally: Arc<Tally>) -> Self {
        let state = State {
            nodes: Vec::new(),
            groups: [GroupRow::default(); LANE_GROUPS],
            tokens: 0,
            tenures: Vec::new(),
            findings: Vec::new(),
        };
        Self { fence, tally, state: Mutex::new(state) }
    }

    /// A row with the lowest number that no living node has, and the token in it.
    pub(super) fn join(&self, process: u32, at: Moment) -> Token {
        let mut state = self.lock();
        state.nodes.retain(|node| node.lives(at.us));
        let is_free = |number: &NodeNumber| state.nodes.iter().all(|node| node.number != *number);
        let number = (0..NodeNumber::MAX).find(is_free).expect("nodes are few");
        state.tokens += 1;
        let token = Token(state.tokens);
        state.nodes.push(NodeRow { number, token, process, renewed_us: at.us });
        token
    }

    /// Renews a lease, also one that has run out as long as its row is there; `None` when it is gone. Says what there is.
    pub(super) fn renew(&self, token: Token, at: Moment) -> Option<Seen> {
        let mut state = self.lock();
        let row = state.nodes.iter_mut().find(|node| node.token == token)?;
        row.renewed_us = at.us;
        let me = row.number;
        let mut living: Vec<NodeNumber> = state.living(at.us).map(|node| node.number).collect();
        living.sort_unstable();
        let mut owners = [None; LANE_GROUPS];
        for group in LaneGroup::all() {
            owners[group.number()] = state.living_owner(group, at.us).map(|node| node.number);
        }
        let epoch = |group: LaneGroup| GroupEpoch::numbered(state.groups[group.number()].epoch);
        let mine = state.of(token).filter_map(|group| Some((group, epoch(group)?))).collect();
        Some(Seen { me, living, owners, mine })
    }

    /// Takes those groups that no living node has. Whoever does not live takes none.
    pub(super) fn take(
        &self,
        token: Token,
        groups: &[LaneGroup],
        at: Moment,
    ) -> Vec<(LaneGroup, GroupEpoch)> {
        let mut state = self.lock();
        let Some(process) = state.living(at.us).find(|node| node.token == token).map(|node| node.process)
        else {
            return Vec::new();
        };
        let mut taken = Vec::new();
        for group in groups {
            if state.living_owner(*group, at.us).is_some() {
                continue;
            }
            if state.groups[group.number()].owner.is_some() {
                self.tally.count("lease", "group of a dead owner taken");
            }
            taken.extend(state.hand_over(*group, token, process, at).map(|epoch| (*group, epoch)));
        }
        taken
    }

    pub(super) fn give(&self, token: Token, group: LaneGroup, at: Moment, how: HowLeft) {
        let mut state = self.lock();
        if state.groups[group.number()].owner == Some(token) {
            state.leave(group, at, how);
            self.tally.count("lease", "group given up");
        }
    }

    /// Gives up everything, and the row with it.
    pub(super) fn part(&self, token: Token, at: Moment) {
        let mut state = self.lock();
        let groups: Vec<LaneGroup> = state.of(token).collect();
        groups.into_iter().for_each(|group| state.leave(group, at, HowLeft::AtStop));
        state.nodes.retain(|node| node.token != token);
        self.tally.count("lease", "handed over at a stop");
    }

    /// Those outcomes that may be written: each under the present epoch of its group.
    pub(crate) fn admit(&self, finished: &Arc<Vec<Finished>>) -> Arc<Vec<Finished>> {
        let state = self.lock();
        let stands = |one: &Finished| {
            let row = state.groups[LaneGroup::of(one.due.id.webhook).number()];
            row.epoch == one.epoch.number() || self.fence == Fence::LetsThrough
        };
        if finished.iter().all(stands) {
            return Arc::clone(finished);
        }
        let kept: Vec<Finished> = finished.iter().filter(|one| stands(one)).cloned().collect();
        (kept.len()..finished.len()).for_each(|_| self.tally.count("lease", "late outcome refused"));
        Arc::new(kept)
    }

    /// The process that has a group, as long as its lease lives.
    pub(crate) fn owner(&self, group: LaneGroup, now_us: u64) -> Option<u32> {
        self.lock().living_owner(group, now_us).map(|node| node.process)
    }

    /// Looks at an attempt that begins: its group is the process's by the rows at this very instant. Returns the place of the
    /// tenure under which it is made.
    pub(crate) fn note_start(&self, process: u32, delivery: &str, at: Moment) -> Option<usize> {
        let group = LaneGroup::of(DeliveryId::from_public(delivery)?.webhook);
        let mut state = self.lock();
        let owner = state.living_owner(group, at.us).map(|node| node.process);
        if owner == Some(process) {
            return Some(state.groups[group.number()].tenure);
        }
        let whose = owner.map_or("nobody's".to_owned(), |owner| format!("p{owner}'s"));
        let finding = format!(
            "p{process} starts an attempt of {delivery} at {at:?} while its lane group {} is {whose}",
            group.number()
        );
        if state.findings.len() < 8 {
            state.findings.push(finding);
        }
        None
    }

    pub(crate) fn tenures(&self) -> Vec<Tenure> {
        self.lock().tenures.clone()
    }

    pub(crate) fn findings(&self) -> Vec<String> {
        self.lock().findings.clone()
    }

    /// How many groups each process has whose lease lives, in the order of their numbers.
    pub(crate) fn shares(&self, now_us: u64) -> Vec<(u32, usize)> {
        let state = self.lock();
        let mut living: Vec<&NodeRow> = state.living(now_us).collect();
        living.sort_by_key(|node| node.number);
        living.into_iter().map(|node| (node.process, state.of(node.token).count())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while looking at rows")
    }
}

impl State {
    fn hand_over(&mut self, group: LaneGroup, token: Token, process: u32, at: Moment) -> Option<GroupEpoch> {
        let row = &mut self.groups[group.number()];
        let before = (row.epoch > 0).then_some(row.tenure);
        row.epoch += 1;
        (row.owner, row.tenure) = (Some(token), self.tenures.len());
        let epoch = GroupEpoch::numbered(row.epoch);
        if let Some(before) = before {
            let before = &mut self.tenures[before];
            before.left.get_or_insert((at, HowLeft::Expired));
            before.superseded = Some(at);
        }
        self.tenures.push(Tenure { process, left: None, superseded: None });
        epoch
    }
}

#[cfg(test)]
mod tests {
    use signalpost_core::attempt::Verdict;
    use signalpost_core::delivery::Due;
    use signalpost_core::event::Sequence;
    use signalpost_core::id::{EventId, WebhookId, WorkspaceId};
    use signalpost_core::time::Timestamp;
    use signalpost_store::testing::sample;

    use super::*;

    fn moment(seconds: u64) -> Moment {
        Moment { order: seconds, us: seconds * 1_000_000, wall: Timestamp::from_ms(0) }
    }

    fn group(number: usize) -> LaneGroup {
        LaneGroup::numbered(number).expect("there are more")
    }

    fn rows() -> Rows {
        Rows::new(Fence::Stands, Arc::default())
    }

    #[test]
    fn a_group_is_its_owners_for_as_long_as_the_lease_lives() {
        let rows = rows();
        let [one, other] = [1, 2].map(|process| rows.join(process, moment(0)));
        assert_eq!(rows.take(one, &[group(3)], moment(0)).len(), 1);
        assert!(rows.take(other, &[group(3)], moment(9)).is_empty());
        assert!(rows.renew(other, moment(9)).is_some());
        assert_eq!((rows.owner(group(3), 9_999_999), rows.owner(group(3), 10_000_000)), (Some(1), None));
        let taken = rows.take(other, &[group(3)], moment(10));
        assert_eq!(taken, [(group(3), GroupEpoch::numbered(2).expect("not zero"))]);
        let left = rows.tenures()[0].left.map(|(at, how)| (at.us, how));
        assert_eq!(left, Some((10_000_000, HowLeft::Expired)));
        let seen = rows.renew(one, moment(11)).expect("its row is still there");
        assert_eq!((seen.mine.len(), seen.owners[3], seen.living), (0, Some(1), vec![0, 1]));
    }

    #[test]
    fn whoever_was_away_too_long_takes_nothing_and_has_to_join_anew() {
        let rows = rows();
        let away = rows.join(1, moment(0));
        assert!(rows.take(away, &[group(0)], moment(10)).is_empty());
        let next = rows.join(2, moment(10));
        assert!(rows.renew(away, moment(11)).is_none());
        assert_eq!(rows.renew(next, moment(11)).map(|seen| seen.me), Some(0), "the number is free again");
    }

    #[test]
    fn what_is_given_up_is_nobodys_and_its_epoch_writes_until_the_next_one() {
        let webhook = WebhookId::from_raw(1);
        let lanes = LaneGroup::of(webhook);
        let (rows, at) = (rows(), Timestamp::from_ms(0));
        let [one, other] = [1, 2].map(|process| rows.join(process, moment(0)));
        let taken = rows.take(one, &[lanes], moment(0));
        let id = DeliveryId { event: EventId::from_raw(1), webhook };
        let due = Due { id, due_at: at, born: Sequence(1), steps: 0, tries: 0, order: None };
        let finished = sample::finished(WorkspaceId::from_raw(1), due, Verdict::Delivered);
        let finished = Arc::new(vec![Finished { epoch: taken[0].1, ..finished }]);
        rows.give(one, lanes, moment(1), HowLeft::Busy);
        assert_eq!((rows.owner(lanes, 1_000_000), rows.admit(&finished).len()), (None, 1));
        rows.take(other, &[lanes], moment(2));
        assert_eq!((rows.owner(lanes, 2_000_000), rows.admit(&finished).len()), (Some(2), 0));
    }

    #[test]
    fn an_attempt_that_begins_elsewhere_is_found() {
        let rows = rows();
        let one = rows.join(1, moment(0));
        let delivery = DeliveryId { event: EventId::from_raw(1), webhook: WebhookId::from_raw(1) };
        let (lanes, delivery) = (LaneGroup::of(delivery.webhook), delivery.to_public());
        rows.take(one, &[lanes], moment(0));
        assert_eq!(rows.note_start(1, &delivery, moment(9)), Some(0));
        assert_eq!(rows.note_start(2, &delivery, moment(9)), None);
        assert_eq!(rows.note_start(1, &delivery, moment(10)), None, "nobody has it by then");
        assert_eq!(rows.findings().len(), 2);
    }
}
