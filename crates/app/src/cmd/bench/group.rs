//! Two groups of events: those whose latency is reported, and their neighbours, whose load or receiver disturbs them.

/// Which of the two an event belongs to, by its route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Group {
    /// Latency is that of these alone, and the ledger wants every one of them delivered.
    #[default]
    Measured,
    /// Whoever shares the server with them.
    Neighbour,
}
