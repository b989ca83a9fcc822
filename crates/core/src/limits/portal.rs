//! Bounds on who is at the customers' portal.

/// How long a link to the portal opens it, in milliseconds. Ten minutes when nobody says otherwise: it is made when somebody is
/// about to follow it. A day at most: one that is sent by e-mail is read by then.
pub const PORTAL_LINK_MS_DEFAULT: i64 = 10 * 60 * 1_000;
pub const PORTAL_LINK_MS_MAX: i64 = 24 * 3_600 * 1_000;
/// How long a customer's session lasts, in milliseconds, at most and when nobody says otherwise: eight hours, a day at work. It
/// is not prolonged by use.
pub const PORTAL_SESSION_MS_MAX: i64 = 8 * 3_600 * 1_000;
/// The shortest time of both, in milliseconds.
pub const PORTAL_MS_MIN: i64 = 1_000;
/// Sessions of one workspace, which many people of a customer share. A further one ends the oldest of them.
pub const PORTAL_SESSIONS_MAX: usize = 1_000;
/// What a customer is called on record: an e-mail address of any length that there is (RFC 5321 section 4.5.3.1.3).
pub const PORTAL_NAME_CHARS_MAX: usize = 254;
/// How often one link opens the portal, in a second on average and at once: somebody who follows it again and again, or a whole
/// office to which it was sent. Each time leaves a session and an entry of the record.
pub const PORTAL_OPENINGS_PER_S: u32 = 1;
pub const PORTAL_OPENINGS_BURST: u32 = 100;
/// What the customers of one workspace do that goes on record, in a second on average and at once: looks at data, and changes.
pub const PORTAL_DEEDS_PER_S: u32 = 1;
pub const PORTAL_DEEDS_BURST: u32 = 300;
/// What a portal is called, in characters; the bytes of its logo; and the sites that may show it in a frame.
pub const PORTAL_TITLE_CHARS_MAX: usize = 64;
pub const PORTAL_LOGO_BYTES_MAX: usize = 256 * 1024;
pub const PORTAL_FRAMES_MAX: usize = 32;
