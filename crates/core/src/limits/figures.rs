//! Bounds on what is added up for people who look: how finely, for how long, and for how many at once.

use std::time::Duration;

/// How long the figures of the whole installation are kept, minute by minute, in milliseconds: a week, to compare a day with the same
/// one before.
pub const MINUTE_FIGURES_AGE_MS: i64 = 7 * 24 * 3_600 * 1_000;
/// Those of a workspace, hour by hour: a month.
pub const WORKSPACE_FIGURES_AGE_MS: i64 = 30 * 24 * 3_600 * 1_000;
/// Those of a webhook, hour by hour: today and yesterday, for there are many webhooks.
pub const WEBHOOK_FIGURES_AGE_MS: i64 = 48 * 3_600 * 1_000;

/// How often what delivery cores have counted goes to the store. A crash loses so much of it.
pub const FIGURES_INTERVAL: Duration = Duration::from_secs(10);
/// The same of webhooks, of which there are many.
pub const FIGURES_WEBHOOKS_INTERVAL: Duration = Duration::from_secs(60);

/// Workspaces, and webhooks, for which a delivery core counts at once: some 5 MB. What happens beyond them counts for what is
/// wider alone.
pub const CORE_FIGURES_WORKSPACES_MAX: usize = 4_096;
pub const CORE_FIGURES_WEBHOOKS_MAX: usize = 16_384;
/// Rows of hours that were over before they were handed on: as many as are counted for at once. What does not fit is left out.
pub const CORE_FIGURES_OVER_MAX: usize = CORE_FIGURES_WORKSPACES_MAX + CORE_FIGURES_WEBHOOKS_MAX;
/// Rows that wait for a store that has refused them. Beyond it those of webhooks go first, and those of workspaces then. A store that
/// takes them is told of all that the cores have counted, at once.
pub const FIGURES_WAITING_MAX: usize = 65_536;
/// Rows that are added to in one commit: some 3 ms, so that nobody waits long behind them.
pub const FIGURES_ROWS_MAX: usize = 256;

/// Rows read at once: a day of minutes, or a month of hours.
pub const FIGURES_PAGE_MAX: usize = 1_440;
/// Of each hour so many webhooks that failed most are looked at for those that fail most of all.
pub const FAILING_LOOKED_AT_MAX: usize = 256;
