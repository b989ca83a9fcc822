//! Bounds on who operates, and on what is remembered of them.

/// Operator keys of one workspace, and of those bound to none: a hundred services that rotate their keys every
/// month have far fewer. Expired ones make room for new ones.
pub const OPERATOR_KEYS_MAX: usize = 1_000;
/// How long an operator key is listed after it has expired, in milliseconds: 30 days, for somebody to find out why a
/// service is refused.
pub const OPERATOR_KEY_REMEMBERED_MS: i64 = 30 * 24 * 3_600 * 1_000;
/// Accounts of those who operate: an installation that has more people has a directory of them, and keys for that.
pub const OPERATOR_ACCOUNTS_MAX: usize = 1_000;
/// How long a session of whoever operates lasts, in milliseconds: twelve hours, a long day at work. It is not prolonged by use.
pub const OPERATOR_SESSION_MS: i64 = 12 * 3_600 * 1_000;
/// Sessions opened by one key, which several people may share, or by one account. A further one ends the oldest of them.
pub const OPERATOR_SESSIONS_MAX: usize = 1_000;
/// Length of what an act is called, of the texts beside it, and how long it is remembered, in milliseconds: 400 days, so that a
/// yearly audit has the whole year before it.
pub const ACT_ACTION_CHARS_MAX: usize = 64;
pub const ACT_TEXT_CHARS_MAX: usize = 512;
pub const ACT_REMEMBERED_MS: i64 = 400 * 24 * 3_600 * 1_000;
