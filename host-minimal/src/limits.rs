//! Every limit of the host, in one place, with its unit last in the name.
//!
//! Who passes one, and what they see. A word such as `overloaded` is the code of a problem document;
//! a key such as `memory_mb` stands in `[package.metadata.umari.limits]` and lowers the limit for one
//! module.
//!
//! # Modules, while they run
//!
//! | beyond | a module's call sees | lowered by |
//! |---|---|---|
//! | [`GUEST_MEMORY_BYTES`] | the call ends: `out-of-memory` | `memory_mb` |
//! | [`GUEST_TABLE_ELEMENTS`] | the component does not start, or `table.grow` gives -1 | `table_elements` |
//! | [`GUEST_CORE_INSTANCES`], [`GUEST_MEMORIES`], [`GUEST_TABLES`] | the component is refused at its upload: `invalid-module` |  |
//! | [`GUEST_STACK_BYTES`] | the call ends: `module-trapped`, "call stack exhausted" |  |
//! | [`GUEST_HANDLES`] | the call ends: `module-trapped` | `handles` |
//! | [`HOSTCALL_BYTES`] | the call ends: `module-trapped`, "fuel" | `hostcall_kb` |
//! | [`RANDOM_BYTES`] | the call ends: `module-trapped` |  |
//! | [`COMMAND_DEADLINE`], [`PROJECTOR_DEADLINE`], [`EFFECT_DEADLINE`] | the call ends: `deadline-exceeded`; a projector or an effect tries again later | `deadline_ms` |
//! | [`READ_BATCH_EVENTS`] | the next call of `next-batch` has more |  |
//! | [`GUEST_MESSAGE_BYTES`], [`GUEST_CODE_BYTES`], [`GUEST_DETAILS_BYTES`], [`GUEST_LIST_ITEMS`], [`FAILURE_BYTES`], [`BACKTRACE_FRAMES`], [`BACKTRACE_NAME_BYTES`] | what is beyond is cut away |  |
//! | [`OUTPUT_BYTES`] | the oldest is forgotten | `output_kb` |
//! | [`LOG_FILE_BYTES`] | the file is rotated; one old one is kept | `log_mb` |
//! | [`PRINTED_LINE_BYTES`] | `umari dev` shows the line in pieces |  |
//! | [`PARKED_EVENTS`] | no more can be parked: `too-many-parked` |  |
//!
//! # SQL of projectors, effects, and questions to read models
//!
//! | beyond | a statement sees | lowered by |
//! |---|---|---|
//! | [`SQLITE_VALUE_BYTES`] | the statement fails: "too big" | `sqlite_value_kb` |
//! | [`SQLITE_VALUE_LEAST_BYTES`] | the settings are refused |  |
//! | [`SQLITE_PATTERN_BYTES`] | the statement fails: "pattern too complex" |  |
//! | [`SQLITE_SQL_BYTES`], [`SQLITE_OPERATIONS`], [`SQLITE_FUNCTION_CALLS`], [`SQLITE_ARGUMENTS`] | the statement is refused, with what it has and may have |  |
//! | [`SQLITE_PROGRESS_STEPS`] | nothing: so often the deadline is looked at |  |
//! | [`SQLITE_HEAP_BYTES`] | the statement fails: "out of memory" |  |
//! | [`SQLITE_ROWS`] | the query fails: "ask for fewer at a time" | `sqlite_rows` |
//! | [`SQLITE_RESULT_BYTES`] | the query fails: "ask for fewer rows" | `sqlite_result_kb` |
//! | [`SQLITE_PAGES`] | the statement fails: "full"; the events before it are kept | `sqlite_mb` |
//! | [`SQLITE_BUSY`] | the statement fails: "locked" |  |
//! | [`SQLITE_SPILL_RESERVE_BYTES`] | the statement fails: "the disk of SQLite's temporary files" |  |
//! | [`QUERY_ROWS`], [`QUERY_BYTES`] | `truncated`, and `result-too-large` where one row is; `beyond-limit` where more is asked for |  |
//! | [`QUERY_TIMEOUT`], [`QUERY_TIMEOUT_CAP`] | `deadline-exceeded`; `beyond-limit` where more is asked for |  |
//! | [`CONCURRENT_QUERIES`] | `too-many-queries` when none ends in time |  |
//!
//! # Requests of effects
//!
//! | beyond | a request sees |
//! |---|---|
//! | [`HTTP_REQUESTS_AT_ONCE`] | the request fails: connection limit reached |
//! | [`HTTP_REQUEST_DEADLINE`], [`HTTP_CONNECT_DEADLINE`] | the request fails: timeout |
//! | [`HTTP_RESPONSE_BYTES`] | the request fails: response too large |
//!
//! # Uploads
//!
//! | beyond | a deployment sees |
//! |---|---|
//! | [`MODULE_BYTES`] | `body-too-large` |
//! | [`MODULE_FUNCTIONS`], [`MODULE_CODE_BYTES`], [`FUNCTION_BYTES`], [`FUNCTION_LOCALS`], [`FUNCTION_MERGES`], [`MODULE_MERGES`], [`MODULE_PARTS`], [`MODULE_ITEMS`] | `invalid-module`, with what it has and may have; nothing was compiled |
//! | [`INSPECTION_DEADLINE`] | `invalid-module`: it could not be started |
//! | [`MODULE_NAME_BYTES`] | `invalid-name` |
//! | [`MODULE_ENV_BYTES`] | `invalid-environment` |
//! | [`MODULE_HTTP_TARGETS`] | `invalid-settings` |
//! | [`SWAP_MARGIN`] | `module-stuck` |
//!
//! # The log
//!
//! | beyond | an append or a read sees |
//! |---|---|
//! | [`COMMAND_NAME_BYTES`], [`EVENT_TYPE_BYTES`], [`TAG_BYTES`], [`APPEND_EVENTS`], [`EVENT_PAYLOAD_BYTES`], [`APPEND_PAYLOAD_BYTES`], [`EVENT_HEAD_BYTES`] | the commit is refused as `invalid`, with what is too much |
//! | [`QUERY_ITEMS`], [`QUERY_TERMS`] | the query is refused as `invalid` |
//!
//! # Snapshots of folds
//!
//! | beyond | what happens |
//! |---|---|
//! | [`SNAPSHOT_STATE_BYTES`], [`SNAPSHOT_SCOPES`], [`SNAPSHOT_QUEUE_STATES`] | the state is not kept; the next call reads the events again |
//! | [`SNAPSHOTS`], [`SNAPSHOTS_BYTES`] | the states that were not used for longest are deleted |
//!
//! # Clients of the API
//!
//! | beyond | a client sees |
//! |---|---|
//! | [`CONCURRENT_COMMANDS`], [`QUEUED_COMMANDS`], [`OVERLOAD_RETRY_AFTER`] | 503 `overloaded` with `Retry-After` |
//! | [`COMMAND_ATTEMPTS`] | 409 `conflict` |
//! | [`INPUT_BYTES`], [`REQUEST_HEAD_BYTES`], [`REQUEST_HEADERS`] | 413 `body-too-large`, 431 `head-too-large` |
//! | [`CONNECTIONS`], [`REFUSED_CONNECTIONS`], [`REFUSAL_PATIENCE`] | 503 `too-many-connections`, or a closed connection |
//! | [`REQUEST_HEAD_DEADLINE`], [`REQUEST_BODY_PATIENCE`], [`REQUEST_BODY_DEADLINE`], [`ANSWER_PATIENCE`] | 408 `slow-body`, or a closed connection |
//! | [`REQUEST_DEADLINE`] | 504 `request-deadline` |
//! | [`WAIT_FOR_PROJECTORS`], [`WAIT_TIMEOUT`], [`WAIT_TIMEOUT_CAP`] | `invalid-query`; 202 where a projector is late |
//! | [`EVENTS_PAGE_EVENTS`], [`EVENTS_PAGE_DEFAULT_EVENTS`], [`CORRELATION_EVENTS`], [`KEYS_PAGE_ENTRIES`], [`KEYS_PAGE_DEFAULT_ENTRIES`] | the next page has more, or the answer says that it is cut |
//! | [`OPENAPI_SCHEMA_BYTES`] | the command has no schema of its own in `/openapi.json` |
//! | [`EVENT_STREAMS`] | 503 `too-many-streams` |
//! | [`STREAM_PATIENCE`] | the stream ends |
//! | [`CONCURRENT_AS_OF`], [`CONCURRENT_BACKUPS`], [`BACKUP_RETRY_AFTER`] | 503 `too-many-replays`, `too-many-backups` |
//! | [`API_KEYS`], [`API_KEY_NAME_BYTES`] | 409 `too-many-api-keys`, 400 `invalid-name` |
//! | [`SHREDDING_REASON_BYTES`], [`SHREDDING_REQUESTER_BYTES`] | `beyond-limit` |
//! | [`PARK_PATIENCE`] | the answer says that the event is not parked yet |
//! | [`BACKUP_LINE_BYTES`] | the backup cannot be read |
//! | [`TRIAL_EVENTS`] | the test fails: "the effect feeds itself" |
//!
//! # Paces of the host, which nobody passes
//!
//! [`EPOCH_TICK`], [`MAX_INSTANCES`], [`WARM_INSTANCE_SLOTS`], [`WARM_INSTANCE_BYTES`], [`WARM_TABLE_BYTES`], [`CONFLICT_BACKOFF_BASE`], [`CONFLICT_BACKOFF_CAP`], [`PROJECTOR_BATCH_EVENTS`],
//! [`EFFECT_KEYED_WORKERS`], [`EFFECT_WINDOW_EVENTS`], [`RETRY_BACKOFF_BASE`],
//! [`RETRY_BACKOFF_CAP`], [`CONCURRENT_REPLAYS`], [`RATE_WINDOW`], [`STALL_AFTER`],
//! [`SQLITE_CACHED_STATEMENTS`], [`SQLITE_SPILL_PATIENCE`], [`STREAM_PAGE_EVENTS`], [`STREAM_HEARTBEAT`],
//! [`STREAM_RETRY`], [`ACCEPT_PAUSE`], [`STORE_READ_EVENTS`], [`STORE_READ_TARGET_BYTES`],
//! [`SEARCH_EVENTS`], [`STORE_BATCH_EVENTS`], [`STORE_QUEUE_APPENDS`], [`STORE_CACHE_MB`],
//! [`CACHED_DATA_KEYS`], [`DATA_KEY_MESSAGES`], [`DATA_KEY_MESSAGE_BLOCK`],
//! [`BACKUP_PAGE_KEYS`], [`BACKUP_CHUNK_BYTES`], [`TRIAL_CACHE_AGE`].

use std::time::Duration;

// Guests.

/// How often running guests look at their deadline.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);
/// Linear memory that one instance may have, all its memories together.
pub const GUEST_MEMORY_BYTES: usize = 128 << 20;
/// Elements that one table of a guest may have.
pub const GUEST_TABLE_ELEMENTS: usize = 20_000;
/// Core instances that one component may have; those that toolchains make have three or four.
pub const GUEST_CORE_INSTANCES: u32 = 8;
/// Linear memories that one component may have.
pub const GUEST_MEMORIES: u32 = 2;
/// Tables that one component may have.
pub const GUEST_TABLES: u32 = 8;
/// Stack that guest code may use.
pub const GUEST_STACK_BYTES: usize = 512 << 10;
/// What one call from the guest to the host may carry.
pub const HOSTCALL_BYTES: usize = 16 << 20;
/// Handles that one instance may hold.
pub const GUEST_HANDLES: usize = 1_000;
/// Random bytes that one call may ask for.
pub const RANDOM_BYTES: u64 = 1 << 20;
/// Instances that may be alive at once, over all modules.
pub const MAX_INSTANCES: u32 = 256;
/// Instance slots that are kept warm after use.
pub const WARM_INSTANCE_SLOTS: u32 = 64;
/// What each of them keeps of its memory, in bytes: a call that has changed no more than that
/// leaves its pages to the next one, emptied.
pub const WARM_INSTANCE_BYTES: usize = 512 << 10;
/// The same of each of its tables.
pub const WARM_TABLE_BYTES: usize = 16 << 10;

// Calls.

/// How long a command may take, all its attempts together.
pub const COMMAND_DEADLINE: Duration = Duration::from_secs(10);
/// How long a projector may take to start or to handle one event.
pub const PROJECTOR_DEADLINE: Duration = Duration::from_secs(30);
/// How long an effect may take to start or to handle one event, its HTTP calls included.
pub const EFFECT_DEADLINE: Duration = Duration::from_secs(300);
/// How long the check of an uploaded module may run its code.
pub const INSPECTION_DEADLINE: Duration = Duration::from_secs(10);
/// Commands that run at once; more wait.
pub const CONCURRENT_COMMANDS: usize = 64;
/// Calls of commands that wait for others to end; more are refused.
pub const QUEUED_COMMANDS: usize = 256;
/// How long a client that was refused is asked to wait.
pub const OVERLOAD_RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long a client is asked to wait for others' backups.
pub const BACKUP_RETRY_AFTER: Duration = Duration::from_secs(10);
/// Attempts after conflicts that one call of a command makes.
pub const COMMAND_ATTEMPTS: u32 = 16;
/// The longest first pause between two attempts; it doubles with each.
pub const CONFLICT_BACKOFF_BASE: Duration = Duration::from_millis(1);
/// The longest pause between two attempts.
pub const CONFLICT_BACKOFF_CAP: Duration = Duration::from_millis(100);
/// Events that one call of `next-batch` hands to a guest.
pub const READ_BATCH_EVENTS: usize = 256;

// Subscriptions.

/// Events that a projector handles in one transaction.
pub const PROJECTOR_BATCH_EVENTS: usize = 256;
/// Keyed workers of one effect.
pub const EFFECT_KEYED_WORKERS: usize = 8;
/// Positions above the watermark that an effect may work ahead of a lane that stands still.
pub const EFFECT_WINDOW_EVENTS: usize = 1_024;
/// The first pause after a module failed; it doubles with each failure at the same position.
pub const RETRY_BACKOFF_BASE: Duration = Duration::from_secs(1);
/// The longest pause after a module failed.
pub const RETRY_BACKOFF_CAP: Duration = Duration::from_secs(600);
/// Replays that handle events at once; more wait.
pub const CONCURRENT_REPLAYS: usize = 4;
/// Read models of the past that are built or sent at once.
pub const CONCURRENT_AS_OF: usize = 2;
/// Events that one effect may have parked.
pub const PARKED_EVENTS: usize = 1_000;
/// How long a call that parks an event, or delivers a parked one, waits for a lane.
pub const PARK_PATIENCE: Duration = Duration::from_secs(5);
/// Time over which the rate of a module's events is taken; whole seconds.
pub const RATE_WINDOW: Duration = Duration::from_secs(10);
/// Text of one failure that is kept.
pub const FAILURE_BYTES: usize = 8 << 10;
/// Functions of a crashed guest that are kept, the innermost ones.
pub const BACKTRACE_FRAMES: usize = 20;
/// Length of one function's name in a backtrace.
pub const BACKTRACE_NAME_BYTES: usize = 256;
/// How long a module may be behind without progress before it counts as stalled.
pub const STALL_AFTER: Duration = Duration::from_secs(30);

// Modules.

/// How much longer than a call's deadline activation waits for the running version to end.
pub const SWAP_MARGIN: Duration = Duration::from_secs(10);
/// Size of one WASM component.
pub const MODULE_BYTES: usize = 64 << 20;
/// Functions of one component. Compiling an empty one was measured at 0.1 ms and 6 KB of memory.
pub const MODULE_FUNCTIONS: u64 = 20_000;
/// Code of one component, without data and debug information. 1.5 MB of small functions took 1.8 s of
/// one core; a module of a few hundred lines of Rust has 0.2 MB.
pub const MODULE_CODE_BYTES: u64 = 8 << 20;
/// Size of one function: 1 MB of calls took 3.6 s and 850 MB of memory, 128 KiB 0.6 s and 100 MB. The
/// largest of this repository's modules has 15 KB.
pub const FUNCTION_BYTES: u64 = 128 << 10;
/// Locals of one function, parameters included.
pub const FUNCTION_LOCALS: u64 = 10_000;
/// Blocks and branches of one function, and its loops eight times, times its locals: the compiler
/// asks at each which values meet. 1,000 loops within each other with 1,000 locals, 51 KB of WASM,
/// took 22 s and 1.4 GB of memory. What is allowed took 3.7 s and 400 MB at the most; the largest
/// function of an unoptimised module has a tenth of it.
pub const FUNCTION_MERGES: u64 = 1_000_000;
/// The same for all functions of one component: 37 s of one core at the most. An unoptimised module
/// has a quarter of it, an optimised one a fiftieth.
pub const MODULE_MERGES: u64 = 10_000_000;
/// Core modules and components within one component; those that toolchains make have four, and
/// twenty with many commands.
pub const MODULE_PARTS: u64 = 100;
/// Types, imports, exports, instances and whatever else a component lists.
pub const MODULE_ITEMS: u64 = 20_000;

// SQLite.

/// Size of one string, blob or row: twice the largest payload of an event. A function takes one
/// pass over its values, which nothing interrupts; the slowest that was measured, those on JSON,
/// take 10 ns for each byte.
pub const SQLITE_VALUE_BYTES: i32 = 2 << 20;
/// The least that a module's settings may lower [`SQLITE_VALUE_BYTES`] to: the host keeps rows of
/// its own in the same file.
pub const SQLITE_VALUE_LEAST_BYTES: i32 = 64 << 10;
/// Length of a pattern of `LIKE` or `GLOB`: matching one value takes as many steps as the product
/// of both lengths, and nothing interrupts it. 1 MiB and 1,000 bytes were 1.1 s.
pub const SQLITE_PATTERN_BYTES: i32 = 200;
/// Length of one SQL text.
pub const SQLITE_SQL_BYTES: usize = 1 << 20;
/// Operations of one statement's program; SQLite doubles its room for them as far as this. Each
/// copies or compares two values at the most.
pub const SQLITE_OPERATIONS: i32 = 12_000;
/// Calls of functions in one statement's program. A match against a pattern counts as 20.
///
/// So what a statement does beyond its deadline is at most this many passes over values of
/// [`SQLITE_VALUE_BYTES`], of 20 ms each as measured, and [`SQLITE_OPERATIONS`] copies of such
/// values, of 0.1 ms each; or one pass over the pages of its database, as `count(*)` of a table, a
/// `DELETE` of all its rows and `DROP TABLE` take it, of 1 s for each GiB.
pub const SQLITE_FUNCTION_CALLS: u32 = 500;
/// Arguments of one call of a function.
pub const SQLITE_ARGUMENTS: i32 = 100;
/// Operations between two looks at the deadline, where the program jumps back.
pub const SQLITE_PROGRESS_STEPS: i32 = 20;
/// Memory of all connections of the process together. A statement that wants more fails; so would
/// others at that moment, but the host goes on.
pub const SQLITE_HEAP_BYTES: i64 = 2 << 30;
/// Rows that one query hands to a guest.
pub const SQLITE_ROWS: u32 = 100_000;
/// Text and blobs that one query hands to a guest, together.
pub const SQLITE_RESULT_BYTES: usize = 32 << 20;
/// Pages of 4 KiB in one module's database: 8 GiB.
pub const SQLITE_PAGES: u32 = 2 << 20;
/// How long one connection waits for another's write.
pub const SQLITE_BUSY: Duration = Duration::from_secs(10);
/// What the disk of SQLite's temporary files must have left, in bytes, for statements that sort or
/// join for long.
pub const SQLITE_SPILL_RESERVE_BYTES: u64 = 512 << 20;
/// How long the statements of a call run before anyone looks at that disk.
pub const SQLITE_SPILL_PATIENCE: Duration = Duration::from_secs(1);
/// Statements that one connection keeps parsed.
pub const SQLITE_CACHED_STATEMENTS: usize = 128;

// Questions to read models.

/// Rows that the answer to one question may have.
pub const QUERY_ROWS: usize = 10_000;
/// Size of one answer, about.
pub const QUERY_BYTES: usize = 8 << 20;
/// How long an answer may take, waiting for a position included, where the client does not say.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time that a client may allow.
pub const QUERY_TIMEOUT_CAP: Duration = Duration::from_secs(60);
/// Questions that are answered at once; more wait.
pub const CONCURRENT_QUERIES: usize = 16;

/// Projectors that one call of a command may wait for.
pub const WAIT_FOR_PROJECTORS: usize = 16;
/// How long a call waits for projectors where the client does not say.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that a call may wait for projectors.
pub const WAIT_TIMEOUT_CAP: Duration = Duration::from_secs(60);

// What a guest says.

/// Length of a message, as it is kept and shown; what is longer is cut.
pub const GUEST_MESSAGE_BYTES: usize = 16 << 10;
/// Length of a code, such as that of a rejection; what is longer is cut.
pub const GUEST_CODE_BYTES: usize = 128;
/// Size of a rejection's details; larger ones are left away.
pub const GUEST_DETAILS_BYTES: usize = 64 << 10;
/// Causes of a failure, and violations of an input, that are kept.
pub const GUEST_LIST_ITEMS: usize = 100;

// Outgoing HTTP.

/// Requests of one instance that are under way at once, responses that are not dropped yet
/// included.
pub const HTTP_REQUESTS_AT_ONCE: usize = 8;
/// How long one request may take, from resolving the name to the end of the body.
pub const HTTP_REQUEST_DEADLINE: Duration = Duration::from_secs(60);
/// How long resolving a name and connecting may take. A TLS handshake is part of the request, and of
/// its deadline.
pub const HTTP_CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// Size of one response body.
pub const HTTP_RESPONSE_BYTES: u64 = 16 << 20;

// Output.

/// Output of one module that is kept in memory.
pub const OUTPUT_BYTES: usize = 64 << 10;
/// Length of one line that is handed on while a module prints it.
pub const PRINTED_LINE_BYTES: usize = 4 << 10;
/// Size of a module's log file before it is rotated.
pub const LOG_FILE_BYTES: u64 = 8 << 20;

// The HTTP API.

/// Size of a command's input.
pub const INPUT_BYTES: usize = 1 << 20;
/// Size of one command's schema in `GET /openapi.json`; a larger one is left out.
pub const OPENAPI_SCHEMA_BYTES: usize = 256 << 10;
/// Events that one page of `GET /events` holds at the most.
pub const EVENTS_PAGE_EVENTS: usize = 1_000;
/// Events that a page holds where the client does not say.
pub const EVENTS_PAGE_DEFAULT_EVENTS: usize = 100;
/// Events of a causal chain that `GET /correlations/{id}` shows.
pub const CORRELATION_EVENTS: usize = 1_000;
/// Event streams that are open at once.
pub const EVENT_STREAMS: usize = 64;
/// Events that one stream reads ahead of its client.
pub const STREAM_PAGE_EVENTS: usize = 16;
/// How often a stream says something, events or not.
pub const STREAM_HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client may take nothing before its stream ends.
pub const STREAM_PATIENCE: Duration = Duration::from_secs(60);
/// How long a client of a stream that ended waits before it comes back.
pub const STREAM_RETRY: Duration = Duration::from_secs(1);
/// How long the server waits after it could not accept a connection.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections that are open at once; more are refused.
pub const CONNECTIONS: usize = 512;
/// Connections to which the server says that there is no room; more are just closed.
pub const REFUSED_CONNECTIONS: usize = 64;
/// How long a client may take to hear that there is no room.
pub const REFUSAL_PATIENCE: Duration = Duration::from_secs(1);
/// How long a client may take to send its request's head, and how long a connection may be idle.
pub const REQUEST_HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// Size of a request's target and fields. Environment variables of a module that is uploaded are
/// fields.
pub const REQUEST_HEAD_BYTES: usize = 384 << 10;
/// Fields that a request's head may have.
pub const REQUEST_HEADERS: usize = 256;
/// How long a client may take for the next part of its request's body.
pub const REQUEST_BODY_PATIENCE: Duration = Duration::from_secs(10);
/// How long a client may take to send its request's body.
pub const REQUEST_BODY_DEADLINE: Duration = Duration::from_secs(300);
/// How long a client may take to receive the next part of an answer.
pub const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// How long a request may take until its answer begins: longer than an effect that is swapped out
/// may need to end.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(360);

// API keys.

/// API keys that are valid at once.
pub const API_KEYS: usize = 100;
/// Length of an API key's name.
pub const API_KEY_NAME_BYTES: usize = 100;

// The event log.

/// Length of the name under which a command writes.
pub const COMMAND_NAME_BYTES: usize = 1_024;
/// Length of an event type's name.
pub const EVENT_TYPE_BYTES: usize = 255;
/// Length of one tag.
pub const TAG_BYTES: usize = 1_024;
/// Events that one append may carry.
pub const APPEND_EVENTS: usize = 1_000;
/// Size of one event's payload, before encryption.
pub const EVENT_PAYLOAD_BYTES: usize = 1 << 20;
/// Size of all payloads of one append together.
pub const APPEND_PAYLOAD_BYTES: usize = 8 << 20;
/// What an event's type and tags may take together, with 2 bytes more for each tag and the tags
/// that the host adds: what remains of a page of 4,096 bytes of the embedded store, which does
/// not spill them.
pub const EVENT_HEAD_BYTES: usize = 4_032;
/// Alternatives of one query.
pub const QUERY_ITEMS: usize = 1_024;
/// Terms of one query: for each item, its types (or 1) times its tags (or 1).
pub const QUERY_TERMS: usize = 4_096;
/// Events that one read of the store may return.
pub const STORE_READ_EVENTS: usize = 1_024;
/// Payload that one read of the store aims at; the number of events follows from it.
pub const STORE_READ_TARGET_BYTES: usize = 4 << 20;
/// Events that one search may return.
pub const SEARCH_EVENTS: usize = 1_000;
/// Events after which the embedded store commits a batch of appends.
pub const STORE_BATCH_EVENTS: usize = 4_096;
/// Appends that may wait for the embedded store's writer; more block their caller.
pub const STORE_QUEUE_APPENDS: usize = 1_024;
/// Pages of the embedded store that are kept in memory.
pub const STORE_CACHE_MB: usize = 64;

// Keys.

/// Unwrapped data keys that are kept in memory.
pub const CACHED_DATA_KEYS: usize = 1_024;
/// Payloads after which a scope gets a new data key. Random 96-bit nonces are safe for 2^32.
pub const DATA_KEY_MESSAGES: u32 = 1 << 30;
/// Uses of a data key that are recorded at once.
pub const DATA_KEY_MESSAGE_BLOCK: u32 = 1 << 16;
/// Scopes, or entries of the record, that one page of `GET /keys` and `GET /keys/audit` holds at
/// the most.
pub const KEYS_PAGE_ENTRIES: usize = 1_000;
/// Entries that a page holds where the client does not say.
pub const KEYS_PAGE_DEFAULT_ENTRIES: usize = 100;
/// Length of the reason for a shredding.
pub const SHREDDING_REASON_BYTES: usize = 1_024;
/// Length of the name of who asks for a shredding.
pub const SHREDDING_REQUESTER_BYTES: usize = 255;

// Snapshots.

/// Size of one state; a larger one is not kept.
pub const SNAPSHOT_STATE_BYTES: usize = 1 << 20;
/// States that are kept; those that were not used for the longest time go first.
pub const SNAPSHOTS: u64 = 10_000;
/// What all of them may take, their scopes included.
pub const SNAPSHOTS_BYTES: u64 = 128 << 20;
/// Encryption scopes of the events behind one state; with more it is not kept.
pub const SNAPSHOT_SCOPES: u64 = 100_000;
/// States that wait to be written; more are not kept.
pub const SNAPSHOT_QUEUE_STATES: usize = 64;

// The module store.

/// Length of a module's name.
pub const MODULE_NAME_BYTES: usize = 64;
/// Environment variables of one module, names and values together.
pub const MODULE_ENV_BYTES: usize = 256 << 10;
/// Destinations of requests that the settings of one module may list.
pub const MODULE_HTTP_TARGETS: usize = 64;

// Backups.

/// Length of one line: an event's payload, with each byte escaped, and its tags twice.
pub const BACKUP_LINE_BYTES: usize = 16 << 20;
/// Data keys that are read at once.
pub const BACKUP_PAGE_KEYS: usize = 1_000;
/// Size of one piece of a backup on its way to a client.
pub const BACKUP_CHUNK_BYTES: usize = 64 << 10;
/// Backups that are made at once.
pub const CONCURRENT_BACKUPS: usize = 2;

// Trials.

/// Events that one delivery hands to an effect; one that feeds itself is stopped there.
pub const TRIAL_EVENTS: usize = 1_000;
/// How long a compiled component is kept for further trials of it. Every edit makes another one.
pub const TRIAL_CACHE_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    /// What stands above is about every limit there is, and about no other.
    #[test]
    fn every_limit_is_in_the_tables() {
        let source = include_str!("limits.rs");
        let (tables, constants) = source.split_once("\nuse ").expect("tables");
        let named: Vec<&str> = constants
            .lines()
            .filter_map(|line| line.strip_prefix("pub const ")?.split(':').next())
            .collect();
        let told: Vec<&str> = tables
            .split("[`")
            .skip(1)
            .filter_map(|rest| rest.split("`]").next())
            .collect();
        let untold: Vec<_> = named.iter().filter(|name| !told.contains(name)).collect();
        let gone: Vec<_> = told.iter().filter(|name| !named.contains(name)).collect();
        assert!(untold.is_empty() && gone.is_empty(), "{untold:?} {gone:?}");
        assert_eq!(told.len(), named.len(), "each once");
    }
}
