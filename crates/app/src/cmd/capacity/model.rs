//! The arithmetic. What is not linear stands here; all else is a product.

use signalpost_core::limits::CELLS_MAX;

use super::figures::Figures;
use crate::cmd::Failure;

const US_PER_S: f64 = 1e6;
const S_PER_DAY: f64 = 86_400.0;
/// Nodes that are of use to one database: each has a lane group at least.
const NODES_PER_CELL_MAX: u32 = 64;

/// What is asked of the installation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// At the busiest time.
    pub(super) events_per_s: f64,
    pub(super) webhooks_per_event: f64,
    /// Over days.
    pub(super) average_events_per_s: f64,
    /// For which events are kept.
    pub(super) days: f64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Machines {
    pub(super) node_cores: f64,
    pub(super) database_cores: f64,
    /// Part of each that may be busy.
    pub(super) busy: f64,
}

/// What it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Need {
    pub(super) cells: u32,
    pub(super) nodes_per_cell: u32,
    /// Processors that are busy, of all nodes.
    pub(super) node_cpu: f64,
    /// Of all databases.
    pub(super) database_cpu: f64,
    /// Tables with everything that is kept.
    pub(super) disk_bytes: f64,
    pub(super) log_bytes_per_s: f64,
}

/// The fewest cells, and for these the fewest nodes. Cells share nothing, so what one takes is by its own part of the load.
pub(super) fn need(load: Load, machines: Machines, figures: &Figures) -> Result<Need, Failure> {
    let fitting = (1..=CELLS_MAX).find_map(|cells| of_one(load, machines, figures, cells as u32));
    fitting.ok_or_else(|| {
        Failure::new(format!("{CELLS_MAX} cells of such machines do not bear this"))
            .hint("Take machines with more processors, or let more of them be busy.")
    })
}

fn of_one(load: Load, machines: Machines, figures: &Figures, cells: u32) -> Option<Need> {
    let events_per_s = load.events_per_s / f64::from(cells);
    (1..=NODES_PER_CELL_MAX).find_map(|nodes| {
        // Of so many nodes all but one do not have the webhook that the event of one of them is for.
        let crossing = f64::from(nodes - 1) / f64::from(nodes);
        let busy = |cost: &super::figures::Cost| {
            let us = cost.work.of(load.webhooks_per_event) + cost.crossing_us * crossing;
            events_per_s * us / US_PER_S
        };
        let (node_cpu, database_cpu) = (busy(&figures.node), busy(&figures.database));
        let bears = node_cpu <= f64::from(nodes) * machines.node_cores * machines.busy
            && database_cpu <= machines.database_cores * machines.busy;
        let kept = load.average_events_per_s * load.days * S_PER_DAY;
        bears.then(|| Need {
            cells,
            nodes_per_cell: nodes,
            node_cpu: node_cpu * f64::from(cells),
            database_cpu: database_cpu * f64::from(cells),
            disk_bytes: kept * figures.disk_bytes.of(load.webhooks_per_event),
            log_bytes_per_s: load.events_per_s * figures.log_bytes.of(load.webhooks_per_event),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::figures::{Cost, Line};
    use super::*;

    const FIGURES: Figures = Figures {
        node: Cost { work: Line { per_event: 20.0, per_delivery: 30.0 }, crossing_us: 40.0 },
        database: Cost { work: Line { per_event: 10.0, per_delivery: 10.0 }, crossing_us: 20.0 },
        disk_bytes: Line { per_event: 1_000.0, per_delivery: 500.0 },
        log_bytes: Line { per_event: 1_000.0, per_delivery: 600.0 },
    };
    const MACHINES: Machines = Machines { node_cores: 2.0, database_cores: 4.0, busy: 0.5 };

    fn load(events_per_s: f64) -> Load {
        Load { events_per_s, webhooks_per_event: 1.0, average_events_per_s: 10.0, days: 1.0 }
    }

    #[test]
    fn one_node_bears_what_fits_into_it_and_then_there_are_more() {
        let of = |events_per_s| {
            let need = need(load(events_per_s), MACHINES, &FIGURES).expect("it is little");
            (need.cells, need.nodes_per_cell)
        };
        // 50 us an event of half of two processors.
        assert_eq!((of(1.0), of(19_999.0)), ((1, 1), (1, 1)));
        // With two nodes half of the events cross: 70 us of two processors.
        assert_eq!((of(20_001.0), of(28_571.0)), ((1, 2), (1, 2)));
        // With three the database has 33.3 us an event, and half of its four processors: 60,000.
        assert_eq!(of(38_000.0), (1, 3));
    }

    #[test]
    fn what_no_database_bears_is_divided() {
        // 40 us at the very most in the database: 50,000 are always borne.
        let need = need(load(240_000.0), MACHINES, &FIGURES).expect("it can be divided");
        assert!(need.cells > 3 && need.cells <= 6, "{need:?}");
        let alone = of_one(load(240_000.0), MACHINES, &FIGURES, need.cells - 1);
        assert_eq!(alone, None, "one less does not do");
        assert!(super::need(load(1e9), MACHINES, &FIGURES).is_err());
    }

    #[test]
    fn the_disk_is_by_what_is_kept_and_the_log_by_the_busiest_time() {
        let need = need(load(1_000.0), MACHINES, &FIGURES).expect("it is little");
        assert_eq!(need.disk_bytes, 10.0 * 86_400.0 * 1_500.0);
        assert_eq!(need.log_bytes_per_s, 1_000.0 * 1_600.0);
    }
}
