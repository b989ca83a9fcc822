//! How nodes divide the lane groups among themselves, each deciding for itself by what it reads: in the end all have as many as
//! the others, give or take one, and nothing changes hands any more.

use crate::lane_group::LaneGroup;
use crate::limits::LANE_GROUPS;

/// Number of a node among those that share a store.
pub type NodeNumber = u16;

/// What a node sees.
#[derive(Clone, Copy, Debug)]
pub struct View<'v> {
    pub me: NodeNumber,
    /// Nodes whose leases have not run out, in ascending order, and this one among them.
    pub living: &'v [NodeNumber],
    /// Of each group the owner, if it is one of these.
    pub owners: &'v [Option<NodeNumber>; LANE_GROUPS],
}

/// What a node does about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Free groups to ask for. Somebody else may be faster.
    pub take: Vec<LaneGroup>,
    /// To give up as soon as nothing of them is under way.
    pub give: Vec<LaneGroup>,
}

/// Decides for one node. Nothing is given up that nobody lacks.
pub fn share(view: View<'_>) -> Share {
    let Some(rank) = view.living.iter().position(|node| *node == view.me) else { return Share::default() };
    let due = due_to(rank, view.living.len());
    let of = |owner: Option<NodeNumber>| {
        LaneGroup::all().filter(move |group| view.owners[group.number()] == owner)
    };
    let (mut mine, free): (Vec<LaneGroup>, Vec<LaneGroup>) =
        (of(Some(view.me)).collect(), of(None).collect());
    if mine.len() <= due {
        let missing = due - mine.len();
        // Each begins elsewhere, so that they do not all ask for the same ones.
        let first = if free.is_empty() { 0 } else { rank * free.len() / view.living.len() };
        let take = free.iter().cycle().skip(first).take(missing.min(free.len()));
        return Share { take: take.copied().collect(), give: Vec::new() };
    }
    let lacking = view.living.iter().enumerate();
    let lacking =
        lacking.map(|(rank, node)| due_to(rank, view.living.len()).saturating_sub(of(Some(*node)).count()));
    let wanted = lacking.sum::<usize>().saturating_sub(free.len());
    let surplus = mine.len() - due;
    Share { take: Vec::new(), give: mine.split_off(mine.len() - surplus.min(wanted)) }
}

/// How many groups the node of this rank is to have, of so many.
const fn due_to(rank: usize, nodes: usize) -> usize {
    let further = if rank < LANE_GROUPS % nodes { 1 } else { 0 };
    LANE_GROUPS / nodes + further
}

#[cfg(test)]
mod tests {
    use super::*;

    type Owners = [Option<NodeNumber>; LANE_GROUPS];

    /// Lets every node decide by what it saw before any of them did anything, until nothing changes: how many groups have
    /// changed hands.
    fn divide(owners: &mut Owners, living: &[NodeNumber]) -> usize {
        owners.iter_mut().for_each(|owner| *owner = owner.filter(|node| living.contains(node)));
        let mut moved = 0;
        for _ in 0..LANE_GROUPS {
            let seen = *owners;
            let shares = living.iter().map(|me| (*me, share(View { me: *me, living, owners: &seen })));
            let mut changed = false;
            for (me, Share { take, give }) in shares.collect::<Vec<_>>() {
                for group in take {
                    let owner = &mut owners[group.number()];
                    if owner.is_none() {
                        (*owner, changed, moved) = (Some(me), true, moved + 1);
                    }
                }
                for group in give {
                    assert_eq!(owners[group.number()], Some(me), "nobody gives what is not theirs");
                    (owners[group.number()], changed) = (None, true);
                }
            }
            if !changed {
                return moved;
            }
        }
        panic!("groups change hands for ever: {owners:?}");
    }

    fn counts(owners: &Owners, living: &[NodeNumber]) -> Vec<usize> {
        living.iter().map(|node| owners.iter().filter(|owner| **owner == Some(*node)).count()).collect()
    }

    #[test]
    fn all_come_to_have_as_many_whoever_comes_and_goes() {
        let mut owners: Owners = [None; LANE_GROUPS];
        for (living, expected, moves_max) in [
            (&[0][..], &[64][..], 64),
            (&[0, 1], &[32, 32], 32),
            (&[0, 1, 2], &[22, 21, 21], 22),
            (&[1, 2], &[32, 32], 22),
            (&[1, 2, 7, 9, 1_023], &[13, 13, 13, 13, 12], 39),
            (&[9], &[64], 64),
            (&[3], &[64], 64),
        ] {
            let moved = divide(&mut owners, living);
            assert_eq!(counts(&owners, living), expected, "{living:?}");
            assert!(moved <= moves_max, "{living:?}: {moved} have moved");
        }
    }

    #[test]
    fn more_nodes_than_groups_leave_some_without() {
        let mut owners: Owners = [None; LANE_GROUPS];
        let living: Vec<NodeNumber> = (0..100).collect();
        divide(&mut owners, &living);
        assert!(counts(&owners, &living).iter().all(|count| *count <= 1));
        assert!(owners.iter().all(Option::is_some));
    }

    #[test]
    fn whoever_is_not_among_the_living_does_nothing() {
        let owners: Owners = [None; LANE_GROUPS];
        assert_eq!(share(View { me: 4, living: &[1, 2], owners: &owners }), Share::default());
    }
}
