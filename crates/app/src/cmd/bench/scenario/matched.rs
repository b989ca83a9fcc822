//! Figures that are known once every record was matched with the book: phases compared, backlogs timed.

use super::super::calls::Calls;
use super::super::clock::NS_PER_S;
use super::super::phase::{Figures, Phase, Timed};
use super::super::report::{Fact, Target};
use super::super::tally::Tally;

/// Everything that a scenario has found.
pub(super) struct Matched<'a> {
    pub(super) calls: &'a Calls,
    pub(super) tally: &'a Tally,
    pub(super) phases: &'a [(Phase, Timed)],
    pub(super) figures: &'a [Figures],
}

/// A fact that has to wait for the end. `None` when there is nothing to say.
pub(super) type Later = Box<dyn Fn(&Matched<'_>) -> Option<Fact>>;

/// A phase of each round beside another one of the same round, counted from zero. Noise that comes and goes takes whole rounds;
/// the median of several says more than two long phases.
#[derive(Clone, Copy)]
pub(super) struct Beside {
    pub(super) phase: usize,
    pub(super) base: usize,
    /// Phases of a round. A scenario that has no rounds is one.
    pub(super) round: usize,
}

/// How much longer deliveries took in one phase than in another, by a quantile: the median of the rounds.
pub(super) fn slower(name: &'static str, quantile: f64, beside: Beside) -> Later {
    Box::new(move |matched| {
        let at = |phase: &Figures| Some(phase.latency.as_ref()?.arrival.at(quantile));
        let of_round = |round: &[Figures]| ratio(at(round.get(beside.phase)?)?, at(round.get(beside.base)?)?);
        let ratios: Option<Vec<f64>> = matched.figures.chunks(beside.round).map(of_round).collect();
        Some(Fact::new(name, median(ratios?)?, "x"))
    })
}

/// The same with what we hold ourselves to.
pub(super) fn slower_at_most(name: &'static str, beside: Beside, most: f64) -> Later {
    let slower = slower(name, 0.99, beside);
    Box::new(move |matched| slower(matched).map(|fact| fact.against(Target::AtMost(most))))
}

/// How long after the publishing of a phase the last of the neighbours' deliveries came, in the round where it took longest.
pub(super) fn backlog_of_neighbours(name: &'static str, beside: Beside) -> Later {
    Box::new(move |matched| {
        let Matched { calls, tally, phases, .. } = matched;
        let waited_ns = phases.iter().skip(beside.phase).step_by(beside.round).filter_map(|(phase, _)| {
            let arrivals = tally.arrivals_of(&phase.numbers);
            let of_neighbours = arrivals
                .filter(|arrival| calls.get(arrival.number).is_some_and(|call| !calls.is_measured(call)));
            let last_ns = of_neighbours.map(|arrival| arrival.at_ns).max()?;
            Some(last_ns.saturating_sub(phase.published_ns))
        });
        Some(Fact::new(name, waited_ns.max()? as f64 / NS_PER_S as f64, "s"))
    })
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], upper) } else { upper })
}

/// `None` where one of them is not known, or nothing can be divided by.
fn ratio(value: f64, base: f64) -> Option<f64> {
    Some(value / base).filter(|ratio| ratio.is_finite())
}

#[cfg(test)]
mod tests {
    use super::super::super::report::canned;
    use super::*;

    fn matched(figures: &[Figures], later: &Later) -> Option<Fact> {
        let (calls, tally) = (Calls::default(), Tally::default());
        later(&Matched { calls: &calls, tally: &tally, phases: &[], figures })
    }

    const BESIDE: Beside = Beside { phase: 1, base: 0, round: 2 };

    fn slowed(phase: &Figures, times: f64) -> Figures {
        let mut slow = phase.clone();
        let points = &mut slow.latency.as_mut().expect("it has one").arrival.points;
        points.iter_mut().filter(|(quantile, _)| *quantile == 0.99).for_each(|(_, ms)| *ms *= times);
        slow
    }

    #[test]
    fn phases_are_compared_by_a_quantile() {
        let [base, same] = canned::phases_with_latency();
        let figures = [base, slowed(&same, 3.0)];
        let fact = matched(&figures, &slower_at_most("p99", BESIDE, 1.5)).expect("both were timed");
        assert_eq!((fact.value, fact.is_met()), (3.0, Some(false)));
        let fact = matched(&figures, &slower("p50", 0.5, BESIDE)).expect("both were timed");
        assert_eq!((fact.value, fact.is_met()), (1.0, None));
    }

    #[test]
    fn of_several_rounds_the_median_counts() {
        let [base, same] = canned::phases_with_latency();
        let mut figures = Vec::new();
        for times in [8.0, 2.0, 4.0] {
            figures.extend([base.clone(), slowed(&same, times)]);
        }
        let value = |figures| matched(figures, &slower("p99", 0.99, BESIDE)).map(|fact| fact.value);
        assert_eq!(value(&figures), Some(4.0));
        assert_eq!(value(&figures[..4]), Some(5.0));
        assert_eq!(value(&figures[..3]), None, "a round is missing a phase");
        assert_eq!(value(&[]), None);
    }

    #[test]
    fn what_was_not_timed_is_not_compared() {
        let [base, mut untimed] = canned::phases_with_latency();
        untimed.latency = None;
        let figures = [base, untimed];
        assert_eq!(matched(&figures, &slower("p99", 0.99, BESIDE)), None);
        assert_eq!(matched(&figures, &slower("p99", 0.99, Beside { phase: 2, ..BESIDE })), None);
        assert_eq!(ratio(1.0, 0.0), None);
    }
}
