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

/// How much longer deliveries took in one phase than in another, by a quantile. Phases are counted from zero.
pub(super) fn slower(name: &'static str, quantile: f64, phase: usize, base: usize) -> Later {
    Box::new(move |matched| {
        let at = |phase: usize| Some(matched.figures.get(phase)?.latency.as_ref()?.arrival.at(quantile));
        Some(Fact::new(name, ratio(at(phase)?, at(base)?)?, "x"))
    })
}

/// The same with what we hold ourselves to.
pub(super) fn slower_at_most(name: &'static str, phase: usize, base: usize, most: f64) -> Later {
    let slower = slower(name, 0.99, phase, base);
    Box::new(move |matched| slower(matched).map(|fact| fact.against(Target::AtMost(most))))
}

/// How long after the publishing of a phase the last of the neighbours' deliveries came.
pub(super) fn backlog_of_neighbours(name: &'static str, phase: usize) -> Later {
    Box::new(move |matched| {
        let Matched { calls, tally, phases, .. } = matched;
        let (phase, _) = phases.get(phase)?;
        let arrivals = tally.arrivals_of(&phase.numbers);
        let of_neighbours =
            arrivals.filter(|arrival| calls.get(arrival.number).is_some_and(|call| !calls.is_measured(call)));
        let last_ns = of_neighbours.map(|arrival| arrival.at_ns).max()?;
        Some(Fact::new(name, last_ns.saturating_sub(phase.published_ns) as f64 / NS_PER_S as f64, "s"))
    })
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

    #[test]
    fn phases_are_compared_by_a_quantile() {
        let [base, mut slow] = canned::phases_with_latency();
        let points = &mut slow.latency.as_mut().expect("it has one").arrival.points;
        points.iter_mut().filter(|(quantile, _)| *quantile == 0.99).for_each(|(_, ms)| *ms *= 3.0);
        let figures = [base, slow];
        let fact = matched(&figures, &slower_at_most("p99", 1, 0, 1.5)).expect("both were timed");
        assert_eq!((fact.value, fact.is_met()), (3.0, Some(false)));
        let fact = matched(&figures, &slower("p50", 0.5, 1, 0)).expect("both were timed");
        assert_eq!((fact.value, fact.is_met()), (1.0, None));
    }

    #[test]
    fn what_was_not_timed_is_not_compared() {
        let [base, mut untimed] = canned::phases_with_latency();
        untimed.latency = None;
        let figures = [base, untimed];
        assert_eq!(matched(&figures, &slower("p99", 0.99, 1, 0)), None);
        assert_eq!(matched(&figures, &slower("p99", 0.99, 2, 0)), None);
        assert_eq!(ratio(1.0, 0.0), None);
    }
}
