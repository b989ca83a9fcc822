//! Bounds of webhooks' filters, in size and in what they may cost.

/// Webhooks of one workspace that have a filter, inactive ones counted. Each is asked of every event of its types before
/// the event is accepted; beyond, one workspace's filters would be a burden on its producer and on its neighbours.
pub const FILTERED_WEBHOOKS_MAX: usize = 1_000;
/// Length of a webhook's filter in characters, as a dialect documents it; whoever needs more has the wrong event types.
pub const FILTER_CHARS_MAX: usize = 2_048;
/// How deep a filter may nest: brackets, and operators with others under them. Parser and evaluation recurse, and have
/// room for several times that on the stack of a delivery core.
pub const FILTER_DEPTH_MAX: usize = 64;
/// Nodes of a compiled filter, some 100 bytes each: a list of 500 words to look into.
pub const FILTER_NODES_MAX: usize = 512;
/// States of the regular expressions of one filter in bytes, each of which may cost time for each byte of a text.
pub const FILTER_PATTERN_BYTES_MAX: usize = 16 * 1024;
/// Groups of one pattern that capture. Nobody reads what they capture, but a search keeps 32 bytes for each of them and
/// each state: 128 KiB for this many and the largest pattern.
pub const FILTER_PATTERN_GROUPS_MAX: usize = 8;
/// How often the parser goes on behind a mistake: only the first one is told, and going on takes longest.
pub const FILTER_RECOVERIES_MAX: u32 = 1;
/// Characters of the parser's message that are handed on: it repeats what it could not read, however long that is.
pub const FILTER_MESSAGE_CHARS_MAX: usize = 200;
/// Characters of a name, of the filter's or of the event's, that a message repeats: enough to know it again.
pub const FILTER_SHOWN_CHARS_MAX: usize = 64;
/// Steps of one evaluation, counted, not timed, so that a filter says the same of an event on every machine. A node, an
/// element that is looked at and 16 bytes of a text are a step; all of them take 0.2 to 0.4 ms at worst, in which the
/// thread delivers nothing.
pub const FILTER_COST_MAX: u64 = 10_000;
/// Values in the data of an event that a filter reads, 24 bytes each while it is accepted: 6 MiB. No text of
/// [`super::EVENT_BODY_BYTES_MAX`] that means something has more.
pub const FILTER_DATA_VALUES_MAX: usize = 256 * 1024;
/// Steps after which accepting an event lets others have their turn, sockets and timers too: some 100 microseconds, so that
/// a workspace with many filters delays nobody's delivery.
pub const FILTER_STEPS_BETWEEN_TURNS: u64 = 5_000;
/// Steps that evaluations take for one call with several events: what [`FILTERED_WEBHOOKS_MAX`] filters may take for one.
pub const FILTER_STEPS_PER_CALL_MAX: u64 = FILTERED_WEBHOOKS_MAX as u64 * FILTER_COST_MAX;
/// Compiled filters kept in memory: some ten thousand ordinary ones.
pub const FILTERS_CACHED_BYTES_MAX: usize = 64 * 1024 * 1024;
