//! Every bound of the product with the reason for its value. Nothing grows without an entry here.

use std::time::Duration;

mod desk;
mod elsewhere;
mod figures;
mod filter;
mod health;
mod looks;
mod moving;
mod nodes;
mod partitions;
mod portal;
mod replay;
mod transfer;
mod upkeep;

pub use desk::{
    ACT_ACTION_CHARS_MAX, ACT_REMEMBERED_MS, ACT_TEXT_CHARS_MAX, OPERATOR_ACCOUNTS_MAX,
    OPERATOR_KEY_REMEMBERED_MS, OPERATOR_KEYS_MAX, OPERATOR_SESSION_MS, OPERATOR_SESSIONS_MAX,
};
pub use elsewhere::{TOLD_AT_ONCE_MAX, TOLD_WAITING_MAX};
pub use figures::{
    CORE_FIGURES_OVER_MAX, CORE_FIGURES_WEBHOOKS_MAX, CORE_FIGURES_WORKSPACES_MAX, FAILING_LOOKED_AT_MAX,
    FIGURES_INTERVAL, FIGURES_PAGE_MAX, FIGURES_ROWS_MAX, FIGURES_WAITING_MAX, FIGURES_WEBHOOKS_INTERVAL,
    MINUTE_FIGURES_AGE_MS, WEBHOOK_FIGURES_AGE_MS, WORKSPACE_FIGURES_AGE_MS,
};
pub use filter::{
    FILTER_CHARS_MAX, FILTER_COST_MAX, FILTER_DATA_VALUES_MAX, FILTER_DEPTH_MAX, FILTER_MESSAGE_CHARS_MAX,
    FILTER_NODES_MAX, FILTER_PATTERN_BYTES_MAX, FILTER_PATTERN_GROUPS_MAX, FILTER_RECOVERIES_MAX,
    FILTER_SHOWN_CHARS_MAX, FILTER_STEPS_BETWEEN_TURNS, FILTER_STEPS_PER_CALL_MAX, FILTERED_WEBHOOKS_MAX,
    FILTERS_CACHED_BYTES_MAX,
};
pub use health::{
    HOLD_AFTER_DEFAULT, HOLD_AFTER_MAX, HOLD_AFTER_MIN, HOLD_FAILURES_MIN, PROBE_DELAY_MAX, PROBE_DELAY_MIN,
    SLOW_AFTER_FAILURES,
};
pub use looks::{LANE_LOOK_BACK_INTERVAL, RECONCILE_INTERVAL, RECONCILE_INTERVAL_MAX, RECONCILE_REST_FACTOR};
pub use moving::{
    BALANCE_ATTEMPTS_MIN, BALANCE_INTERVAL, LANE_MOVE_WAIT, LANES_MOVED_AT_ONCE, LANES_MOVED_MAX,
};
pub use nodes::{CELL_PUBLIC_NUMBERS, CELLS_MAX, LANE_GROUPS, NODES_MAX};
pub use partitions::{
    PARTITION_CHANGE_PAUSE, PARTITION_CHANGE_WAIT, PARTITION_WIDTH_MAX, PARTITION_WIDTH_MIN, PARTITIONS_MAX,
    PARTITIONS_PER_AGE,
};
pub use portal::{
    PORTAL_DEEDS_BURST, PORTAL_DEEDS_PER_S, PORTAL_FRAMES_MAX, PORTAL_LINK_MS_DEFAULT, PORTAL_LINK_MS_MAX,
    PORTAL_LOGO_BYTES_MAX, PORTAL_MS_MIN, PORTAL_NAME_CHARS_MAX, PORTAL_OPENINGS_BURST,
    PORTAL_OPENINGS_PER_S, PORTAL_SESSION_MS_MAX, PORTAL_SESSIONS_MAX, PORTAL_TITLE_CHARS_MAX,
};
pub use replay::{
    REPLAY_DELIVERIES_MAX, REPLAY_EVENT_TARGETS_MAX, REPLAY_IDLE_MS, REPLAY_PER_SECOND_DEFAULT,
    REPLAY_PER_SECOND_MAX, REPLAY_REMEMBERED_MS, REPLAY_STEP_BYTES_MAX, REPLAY_TYPES_MAX, REPLAYS_BUSY_MAX,
    REPLAYS_OPEN_MAX, REPLAYS_REMEMBERED_MAX,
};
pub use transfer::{TRANSFER_BYTES_MAX, TRANSFER_ROWS_MAX};
pub use upkeep::{UNINDEXED_EVENTS_MAX, UPKEEP_INTERVAL, UPKEEP_ROWS_MAX, UPKEEP_STEPS_MAX};

/// One published event as it arrives, in bytes: above the largest payload that peers accept (Hook0's 512 KiB).
pub const EVENT_BODY_BYTES_MAX: usize = 1024 * 1024;
/// A batch of events as it arrives, in bytes; held in memory once while it is parsed.
pub const BATCH_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Events of one batch: they share one commit, which must not delay its neighbours by more than some 50 ms.
pub const BATCH_EVENTS_MAX: usize = 1_000;
/// Bodies of management calls: ten times the largest sensible one.
pub const MANAGEMENT_BODY_BYTES_MAX: usize = 64 * 1024;
/// A body up to this size is read whatever else is on its way: with all connections of the operator address it is 128 MiB.
pub const SMALL_BODY_BYTES_MAX: usize = 64 * 1024;
/// Larger bodies on their way at one address, together: as much as may wait for the writer. Sixteen of the largest
/// batches at once; whoever comes then is told to come back.
pub const LARGE_BODIES_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Parameters of one query string or form: each is compared with each for repetitions, and no call knows a tenth of them.
pub const PARAMETERS_MAX: usize = 256;
/// Length of an event type in characters; CloudEvents senders and Svix stop at 256 as well.
pub const EVENT_TYPE_CHARS_MAX: usize = 256;
/// Length of an event id given by a producer.
pub const EVENT_ID_CHARS_MAX: usize = 128;
/// Length of an idempotency key in characters, as the best-known API has it (Stripe's).
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// How long an idempotency key keeps its meaning, in milliseconds: 24 hours, so that a caller may come back the next
/// morning.
pub const IDEMPOTENCY_KEPT_MS: i64 = 24 * 3_600 * 1_000;
/// What a kept answer takes beside its own bytes: a row with two hashes, and its index entries.
pub const IDEMPOTENCY_ROW_BYTES: u64 = 256;
/// All answers that are kept for idempotency keys: some four million of calls that publish one event each, 2 % of what
/// a store holds when nobody says otherwise. For what comes beyond, the oldest go before their time.
pub const IDEMPOTENCY_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Of those of one workspace, or of the operator side as a whole: a quarter, some million. A publisher that never
/// repeats a call forgets its own keys before it can take those of all others.
pub const IDEMPOTENCY_SHARE_BYTES_MAX: u64 = IDEMPOTENCY_BYTES_MAX / 4;
/// How long a producer's event id keeps its meaning, in milliseconds: 24 hours.
pub const EVENT_ID_KEPT_MS: i64 = 24 * 3_600 * 1_000;
/// Length of an attribute of an event beside its data, as JSON: an id of somebody's, however it is escaped.
pub const ATTRIBUTE_BYTES_MAX: usize = 1_024;
/// Length of a subject; the longest that a built-in dialect documents is 64.
pub const SUBJECT_CHARS_MAX: usize = 256;
/// Length of an ordering key: an id of somebody's, as for events.
pub const ORDERING_KEY_CHARS_MAX: usize = 128;
/// Length of a target URL in characters, as most vendors document it.
pub const URL_CHARS_MAX: usize = 2_048;
/// A name in the DNS without a last full stop, and each label of it (RFC 1035 section 2.3.4).
pub const DNS_NAME_CHARS_MAX: usize = 253;
pub const DNS_LABEL_CHARS_MAX: usize = 63;
/// The highest id that is a number: every whole number up to it is exact in every reader of JSON (RFC 8259 section 6).
pub const PUBLIC_NUMBER_MAX: i64 = (1 << 53) - 1;
/// Length of a name of a workspace, webhook or credential.
pub const NAME_CHARS_MAX: usize = 128;
/// Calls a second that an operator key may be limited to; no single node serves more.
pub const KEY_RATE_PER_S_MAX: u32 = 100_000;
/// Seconds in which a limited key's burst fills up: a client that sends once a second what it has gathered is within
/// its rate.
pub const KEY_BURST_S: u32 = 2;
/// The longest time for which a rotated key stays valid beside its successor, in seconds: 30 days.
pub const KEY_OVERLAP_S_MAX: u64 = 30 * 24 * 3_600;
/// The same when the caller does not say: a day.
pub const KEY_OVERLAP_S_DEFAULT: u64 = 24 * 3_600;
/// Memory, passes and lanes of one password's hash: the first choice of OWASP's password storage cheat sheet for
/// argon2id, some 20 ms. Hashes are made one at a time, so this is all the memory that they take together.
pub const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
pub const ARGON2_PASSES: u32 = 2;
pub const ARGON2_LANES: u32 = 1;
/// The shortest password that a caller may choose, in characters: NIST SP 800-63B has 8 as the least that any verifier
/// accepts, and passwords come along from systems that asked for no more. Those that are made here are longer.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// The longest, in bytes: above any sentence, and nothing to hash beside what the memory costs.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Letters and digits of a password that is made here: 142 bits.
pub const PASSWORD_MINTED_CHARS: usize = 24;
/// Length of a username in characters: an e-mail address of any length that is met.
pub const USERNAME_CHARS_MAX: usize = 128;
/// Rights of users on one workspace, and rights of one user. A session in memory holds all of its user's. Expired ones
/// make room for new ones of the same workspace.
pub const WORKSPACE_RIGHTS_MAX: usize = 1_000;
pub const USER_RIGHTS_MAX: usize = 1_000;
/// How long a right of a user is listed after it has expired, in milliseconds: as an operator key.
pub const RIGHT_REMEMBERED_MS: i64 = OPERATOR_KEY_REMEMBERED_MS;
/// Rights of all sessions that are kept in memory after their first use: some 20 MB.
pub const SESSION_CACHE_RIGHTS_MAX: usize = 100_000;
/// Passwords waiting to be hashed, some 1.5 s of work; beyond, callers are told to come back.
pub const HEAVY_WORK_QUEUE_MAX: usize = 64;
/// Of those, from callers of the public address: three quarters, so that the operator's side finds a place for the users
/// that it makes, however many strangers log in.
pub const HEAVY_WORK_STRANGERS_MAX: usize = HEAVY_WORK_QUEUE_MAX / 4 * 3;
/// Wrong passwords for one username, known or not: five at once, then one in twelve seconds. At that rate the commonest
/// hundred passwords take twenty minutes, and the million after them four months.
pub const LOGIN_FAILURES_BURST: u32 = 5;
pub const LOGIN_FAILURE_S: u32 = 12;
/// Wrong passwords from one address, whatever the username: fifty at once, then one in two seconds. An office behind one
/// address stays below it; trying one password on many names does not.
pub const ADDRESS_LOGIN_FAILURES_BURST: u32 = 50;
pub const ADDRESS_LOGIN_FAILURE_S: u32 = 2;
/// Logins from one address that are judged at once, each with a password to be hashed: some fifty a second when they keep
/// coming, and a twelfth of the places that strangers have.
pub const ADDRESS_LOGINS_AT_ONCE_MAX: usize = 4;
/// Failed authentications that one address may make on one surface, on average a second and at once. Nobody
/// honest comes near it; a guesser is slowed down and costs the store next to nothing.
pub const FAILED_LOGINS_PER_S: u32 = 50;
pub const FAILED_LOGINS_BURST: u32 = 200;
/// Callers whose rate is remembered. Beyond it newcomers share one allowance until earlier ones have theirs back.
pub const RATE_CALLERS_MAX: usize = 10_000;
/// Event types of a webhook that an explanation names: the sentence stays one; the webhook itself shows all.
pub const EXPLAINED_TYPES_MAX: usize = 5;
/// Event types of one webhook.
pub const WEBHOOK_EVENTS_MAX: usize = 256;
/// Secrets of one webhook that sign beside the newest. Each costs a MAC and some 50 bytes of header an attempt, and
/// one overlap has ended long before a sixth rotation of any sane plan.
pub const WEBHOOK_PREVIOUS_SECRETS_MAX: usize = 5;
/// How long a replaced secret goes on signing when nobody says: a working day for the receiver's side to follow.
pub const SECRET_OVERLAP_DEFAULT: Duration = Duration::from_secs(24 * 3_600);
/// The longest overlap: a secret that is known to be on its way out must not stay for good.
pub const SECRET_OVERLAP_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Custom headers of one webhook, and the sizes that common servers take without their settings being touched.
pub const WEBHOOK_HEADERS_MAX: usize = 16;
pub const WEBHOOK_HEADER_NAME_CHARS_MAX: usize = 64;
pub const WEBHOOK_HEADER_VALUE_CHARS_MAX: usize = 1_024;
/// Names and values of all custom headers of one webhook: half of what the strictest common servers read.
pub const WEBHOOK_HEADERS_BYTES_MAX: usize = 4 * 1024;
/// A user name of a login at a receiver, and its password: the longest that common gateways take. In base64 they are
/// 2 KiB at most, which with all custom headers is below what the strictest common servers read.
pub const WEBHOOK_USER_CHARS_MAX: usize = 128;
pub const WEBHOOK_PASSWORD_CHARS_MAX: usize = 256;
/// What an owner may note of a webhook: half of what well-known APIs permit, for it is read with every list.
pub const WEBHOOK_METADATA_ENTRIES_MAX: usize = 16;
/// Names and values of it, as the best-known API has them (Stripe's).
pub const WEBHOOK_METADATA_NAME_CHARS_MAX: usize = 40;
pub const WEBHOOK_METADATA_VALUE_CHARS_MAX: usize = 500;
/// Webhooks of one workspace whose dialect lists them without pages: an answer of some 25 MB, which is put together in
/// memory. A hundred pages of any other list.
pub const UNPAGED_WEBHOOKS_MAX: usize = 25_000;
/// Signing keys of one workspace, deleted ones not counted: one for each of a thousand webhooks. They are listed without
/// pages, some 300 bytes each, and the end of a workspace wipes them in one commit.
pub const SIGNING_KEYS_MAX: usize = 1_000;
/// Rows of one page of any list.
pub const PAGE_ROWS_MAX: usize = 250;
/// Rows of a page when the caller does not say.
pub const PAGE_ROWS_DEFAULT: usize = 50;
/// Event data of one page in bytes: a page ends early after the event that reaches it.
pub const PAGE_DATA_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Rows that a filtered list looks at before it hands out a shorter page with a cursor.
pub const LIST_SCAN_ROWS_MAX: usize = 5_000;

/// Connections of callers to the public address; each costs some 30 KB at most while idle, with TLS twice that.
pub const PUBLIC_CONNECTIONS_MAX: usize = 8_192;
/// Connections to the operator address, counted apart: customers cannot use up what operating needs.
pub const OPERATOR_CONNECTIONS_MAX: usize = 2_048;
/// Callers of the operator address who find all connections taken and are told so, at once; beyond it they wait in the system's
/// queue. Telling takes about a millisecond.
pub const OPERATOR_TURNED_AWAY_MAX: usize = 256;
/// How often the log is told that connections are wanting.
pub const TURNED_AWAY_TOLD_INTERVAL: Duration = Duration::from_secs(60);
/// The part of the connections to the public address that one caller's address may hold, one in so many: a half, so that no
/// single machine keeps all others out, and a proxy that nobody has said to trust still serves thousands. An IPv6 network
/// of 64 bits counts as one address.
pub const ADDRESS_CONNECTIONS_PARTS: usize = 2;
/// What an address may hold in any case: a proxy of a company, behind which several programs work.
pub const ADDRESS_CONNECTIONS_MIN: usize = 64;
/// The most that a configuration may permit of either: beyond, descriptors and memory end first.
pub const CONNECTIONS_CEILING: usize = 65_536;
/// Bytes that a caller's request line and headers may take.
pub const CALLER_HEADER_BYTES_MAX: usize = 64 * 1024;
/// A caller's TLS handshake; honest ones take a few round trips.
pub const CALLER_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// The first head of a connection: whoever connects has something to say.
pub const CALLER_FIRST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Any later head, the silence between two requests included: clients keep connections for some time.
pub const CALLER_HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// A request's body as a whole: the largest batch at 2.2 Mbit/s.
pub const CALLER_BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Silence within a body: several retransmissions of a lost packet fit in.
pub const CALLER_BODY_SILENCE: Duration = Duration::from_secs(10);
/// A caller who lets an answer wait must take [`CALLER_STALL_BYTES_MIN`] of it in this time, or is cut off.
pub const CALLER_STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Some 17 kbit/s over [`CALLER_STALL_TIMEOUT`]: below any line that a program calls from.
pub const CALLER_STALL_BYTES_MIN: usize = 64 * 1024;
/// How long, and for how many bytes, a caller is still listened to that was refused before it had sent its whole body:
/// the time that common servers take, and four of the largest bodies.
pub const CALLER_LINGER_TIMEOUT: Duration = Duration::from_secs(5);
pub const CALLER_LINGER_BYTES_MAX: usize = 4 * BATCH_BODY_BYTES_MAX;
/// Range in which a configuration may set the limits above.
pub const CALLER_TIMEOUT_MIN: Duration = Duration::from_millis(100);
pub const CALLER_TIMEOUT_MAX: Duration = Duration::from_secs(600);
/// A configuration file, a key file or a certificate chain: far above any that is meant.
pub const SETTINGS_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// How often certificate files are looked at; renewals come days before they must.
pub const CERTIFICATE_LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Delays in a retry schedule.
pub const RETRY_DELAYS_MAX: usize = 32;
/// The longest single delay, and the longest wait that a receiver may ask for with `Retry-After`.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Shortest and longest time that one attempt may take as a whole.
pub const ATTEMPT_TIMEOUT_MIN: Duration = Duration::from_millis(100);
pub const ATTEMPT_TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// Resolving a name, connecting, and the TLS handshake, each inside the whole attempt's limit.
pub const DNS_TIMEOUT: Duration = Duration::from_secs(2);
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
pub const TLS_TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes of an answer's body, after decompression, that are read before the connection is closed.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an answer's headers.
pub const ANSWER_HEADER_BYTES_MAX: usize = 32 * 1024;
/// Prefix of an answer kept with a successful and with a failed attempt.
pub const ANSWER_KEPT_SUCCESS_BYTES: usize = 256;
pub const ANSWER_KEPT_FAILURE_BYTES: usize = 4 * 1024;
/// Characters from which on a credential is hidden in what receivers answer, and so is the beginning of one that an answer's
/// end cuts off. Shorter ones stand in many a text by chance, and stars in their place would tell what they are.
pub const MASKED_CHARS_MIN: usize = 6;
/// The same of a part of a header's value, which may be an ordinary word, and how many of one value are hidden.
pub const MASKED_PART_CHARS_MIN: usize = 8;
pub const MASKED_PARTS_MAX: usize = 16;
/// Looks at a credential or one of its characters to find credentials in one answer: well below a
/// millisecond. Only texts and headers that were made to be alike take more.
pub const MASKING_STEPS_MAX: usize = 64 * 1024;
/// An idle connection to a receiver is dropped after this; below the 60 s of common servers.
pub const POOL_IDLE: Duration = Duration::from_secs(30);
/// A connection lives this long at most, so that a changed DNS answer or egress rule takes effect.
pub const POOL_AGE_MAX: Duration = Duration::from_secs(60);
/// Idle connections kept by one delivery core.
pub const POOL_CONNECTIONS_MAX: usize = 2_048;

/// Steps in the history of one delivery: the longest schedule some thirty times over. Beyond it nobody can have the
/// delivery sent once more; a history is read as a whole, by lists and by the writer.
pub const DELIVERY_STEPS_MAX: u32 = 1_000;
/// Attempts in flight of one webhook at most, and of one that nothing is known of. What is learned lies between one and the
/// first.
pub const LANE_IN_FLIGHT_MAX: usize = 256;
pub const LANE_IN_FLIGHT_START: usize = 8;
/// How long a webhook's receiver can keep us from sending anything with one `Retry-After`; the deliveries that it was answered
/// to wait as long as it said.
pub const LANE_HOLD_MAX: Duration = Duration::from_secs(5 * 60);
/// The highest rate that a webhook may be limited to; no single node sends more.
pub const WEBHOOK_RATE_PER_S_MAX: u32 = 10_000;
/// Lateness that costs a limited webhook none of its rate: several wake-ups of a timer under load.
pub const PACE_TOLERANCE: Duration = Duration::from_millis(20);
/// Attempts in flight on one delivery core. A workspace holds no more of these slots than are free.
pub const CORE_IN_FLIGHT_MAX: usize = 1_024;
/// The part of the slots, and of the worker time where others wait too, that further attempts to receivers that fail have:
/// one in so many.
pub const AGAIN_PARTS: usize = 5;
/// The part of the slots that attempts to receivers have that take long, one in so many. Three tenths remain that neither of
/// the two can take.
pub const SLOW_PARTS: usize = 2;
/// A receiver takes long when its attempts take so much time, or when none of those under way has ended for so long.
pub const SLOW_AFTER: Duration = Duration::from_secs(1);
/// Worker time by which somebody may be behind others in their turns: on a core that is overloaded it is made up for in some
/// 0.06 s for each of the others.
pub const FAIR_DEBT_US_MAX: u64 = 60_000_000;
/// Worker time that further attempts may have saved up while others were served: that of some thirty quick ones.
pub const AGAIN_CREDIT_US_MAX: i64 = 1_000_000;
/// Worker time that an attempt counts for at least. One slot of [`CORE_IN_FLIGHT_MAX`] for this long is as large a part of a
/// core as the processor's time that any attempt takes, some 30 microseconds.
pub const ATTEMPT_COST_US_MIN: u64 = 30_000;
/// Attempts that are planned and have not begun. The rest of what may start waits in the order that is fair, and not in the
/// line for the processor.
pub const CORE_WAVE_MAX: usize = 32;
/// Webhooks of one delivery core whose configuration is being read.
pub const CORE_LOADS_MAX: usize = 256;
/// Deliveries of one webhook held in memory; the rest wait on disk.
pub const LANE_MEMORY_DELIVERIES_MAX: usize = 1_024;
/// Deliveries that one core holds in memory over all its lanes.
pub const CORE_MEMORY_DELIVERIES_MAX: usize = 100_000;
/// Event bytes that one core keeps in memory for deliveries; beyond it they are read again from the store.
pub const CORE_MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Rows of a page when a lane reads its backlog.
pub const LANE_PAGE_ROWS: usize = 256;
/// Workspaces whose webhooks are kept in memory for fan-out.
pub const DIRECTORY_WORKSPACES_MAX: usize = 10_000;
/// Credentials, and operator keys, kept in memory after their first use.
pub const CREDENTIAL_CACHE_MAX: usize = 10_000;

/// Operations and bytes of one commit, and operations waiting for one; beyond, publishers are told to come back.
pub const COMMIT_OPERATIONS_MAX: usize = 1_024;
pub const COMMIT_BYTES_MAX: usize = 4 * 1024 * 1024;
pub const COMMIT_QUEUE_MAX: usize = 16_384;
pub const COMMIT_QUEUE_BYTES_MAX: usize = 128 * 1024 * 1024;
/// How long outcomes of attempts wait for a commit that is made anyway, and how many of them make one worth while. Each commit
/// costs as much as dozens of rows, and those that nobody waits for stand in the way of publishers.
pub const OUTCOMES_LINGER: Duration = Duration::from_millis(5);
pub const OUTCOMES_LINGERING_MAX: usize = 64;
/// Reads waiting for one of the store's readers: some 100 ms of work; beyond, callers are told to come back.
pub const READ_QUEUE_MAX: usize = 16_384;
/// How long events, and payloads, are kept when nobody says otherwise: a month of history to look into.
pub const RETENTION_AGE_DEFAULT: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Bytes of the whole store when nobody says otherwise: what a small server's disk has to spare.
pub const RETENTION_BYTES_DEFAULT: u64 = 50 * 1024 * 1024 * 1024;
/// The shortest age, with which an operator can watch retention work, and the longest: ten years.
pub const RETENTION_AGE_MIN: Duration = Duration::from_secs(1);
pub const RETENTION_AGE_MAX: Duration = Duration::from_secs(3_650 * 24 * 3_600);
/// The smallest bound on stored bytes: the largest event fits.
pub const RETENTION_BYTES_MIN: u64 = 1024 * 1024;
/// The largest bound on stored bytes, 1 PiB: above the largest database file, and exact in every reader of JSON.
pub const RETENTION_BYTES_MAX: u64 = 1 << 50;
/// Pause between two walks over what is stored: the shortest age is kept to the second, an idle server rests.
pub const RETENTION_PAUSE_MIN: Duration = Duration::from_secs(1);
pub const RETENTION_PAUSE_MAX: Duration = Duration::from_secs(60);
/// Pause for each look of a walk in vain, at a workspace or at an event of which something is pending: at some 3 µs
/// for a look they cost 3 % of the writer's time, however many they are.
pub const RETENTION_PAUSE_PER_LOOK: Duration = Duration::from_micros(100);
/// Events under the server's rules that retention remembers because they could not go when their time had come.
pub const RETENTION_HELD_MAX: usize = 10_000;
/// Workspaces with rules of their own of which retention remembers how far it need not look again: some 60 bytes each.
pub const RETENTION_PLACES_MAX: usize = 10 * DIRECTORY_WORKSPACES_MAX;
/// How far a restore takes every sequence ahead at least: what a workspace can have handed out while the backup was
/// under way, and before somebody noticed that it is needed.
pub const RESTORE_SEQUENCE_STEP_MIN: i64 = 1 << 20;
/// Numbers of a sequence that a workspace can have taken in each second since a backup: eight times what one node has
/// been measured to commit for all of them. A thousand years of it are exact in every reader of JSON.
pub const SEQUENCE_NUMBERS_PER_S_MAX: i64 = 100_000;
/// How far a restore takes a counter of ids ahead at most; as far as sequences else, for no counter gives out numbers faster.
/// It is what sequences go ahead for a backup of eight months, and more than a store has room for objects. Four thousand
/// such restores leave ids that are exact in every reader of JSON.
pub const RESTORE_NUMBER_STEP_MAX: i64 = 1 << 41;
/// Free room that is kept for outcomes, deletions and revocations while the disk is full, and its largest share of a
/// small filesystem (one in so many parts). A checkpoint of the write-ahead log comes on top.
pub const STORAGE_RESERVE_BYTES_MAX: u64 = 64 * 1024 * 1024;
pub const STORAGE_RESERVE_PARTS: u64 = 10;
/// Time that a stopping process gives to attempts in flight; what is left is owed at the next start.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(20);

const _: () = assert!(RESTORE_NUMBER_STEP_MAX <= PUBLIC_NUMBER_MAX / 4_000);
const _: () = assert!(IDEMPOTENCY_BYTES_MAX < RETENTION_BYTES_DEFAULT);
const _: () = assert!(HEAVY_WORK_STRANGERS_MAX < HEAVY_WORK_QUEUE_MAX);
const _: () = assert!(ADDRESS_LOGINS_AT_ONCE_MAX * 10 <= HEAVY_WORK_STRANGERS_MAX);
const _: () = assert!(ANSWER_KEPT_FAILURE_BYTES <= ANSWER_BYTES_MAX);
const _: () = assert!(CALLER_BODY_SILENCE.as_secs() <= CALLER_BODY_TIMEOUT.as_secs());
const _: () =
    assert!(PUBLIC_CONNECTIONS_MAX <= CONNECTIONS_CEILING && OPERATOR_CONNECTIONS_MAX <= CONNECTIONS_CEILING);
const _: () =
    assert!(SMALL_BODY_BYTES_MAX < BATCH_BODY_BYTES_MAX && BATCH_BODY_BYTES_MAX < LARGE_BODIES_BYTES_MAX);
const _: () = assert!(MANAGEMENT_BODY_BYTES_MAX <= SMALL_BODY_BYTES_MAX);
const _: () = assert!(POOL_IDLE.as_secs() <= POOL_AGE_MAX.as_secs());
const _: () =
    assert!(LANE_IN_FLIGHT_START <= LANE_IN_FLIGHT_MAX && LANE_IN_FLIGHT_MAX <= LANE_MEMORY_DELIVERIES_MAX);
const _: () = assert!(LANE_PAGE_ROWS <= LANE_MEMORY_DELIVERIES_MAX);
const _: () = assert!(BATCH_EVENTS_MAX <= COMMIT_OPERATIONS_MAX);
const _: () = assert!(PAGE_ROWS_DEFAULT <= PAGE_ROWS_MAX && PAGE_ROWS_MAX <= LIST_SCAN_ROWS_MAX);
