//! Requests by stint: a process that has a lane group for a while is to the auditor what a process is that has all of them for
//! as long as it lives. What it knew is gone when the group is another's, and what it had under way may be on record or not.

use super::{HowLeft, Tenure};
use crate::network::Sent;
use crate::process::{HowEnded, ProcessEnd};

/// Numbers of stints begin here, one for each tenure; the rest of a number is that of its process.
const STINT: u32 = 1_000;

/// The same requests and ends with stints in the place of processes.
pub(crate) fn by_stint(
    sent: &[Sent],
    ends: &[ProcessEnd],
    tenures: &[Tenure],
) -> (Vec<Sent>, Vec<ProcessEnd>) {
    let stint = |place: usize| {
        let place = u32::try_from(place + 1).expect("few");
        place * STINT + tenures[place as usize - 1].process
    };
    let renamed = |sent: &Sent| {
        let process = sent.tenure.map_or(sent.process, stint);
        Sent { process, ..sent.clone() }
    };
    let of_stints = tenures.iter().enumerate().filter_map(|(place, tenure)| {
        let of_process = ends.iter().find(|end| end.process == tenure.process).copied();
        let first = [end_of(tenure), of_process].into_iter().flatten().min_by_key(|end| end.at)?;
        Some(ProcessEnd { process: stint(place), ..first })
    });
    (sent.iter().map(renamed).collect(), ends.iter().copied().chain(of_stints).collect())
}

/// How a tenure ended, when its process did not end before.
fn end_of(tenure: &Tenure) -> Option<ProcessEnd> {
    let ended = |how, at| ProcessEnd { process: tenure.process, how, asked: at, at };
    match (tenure.left, tenure.superseded) {
        (Some((at, HowLeft::Idle)), _) => Some(ended(HowEnded::HandedOver, at)),
        (Some((_, HowLeft::AtStop)), _) => None,
        (_, Some(at)) => Some(ended(HowEnded::Fenced, at)),
        (_, None) => None,
    }
}
