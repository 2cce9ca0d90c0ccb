/**
 * The numbers both ends rely on. A change to one of them is a change of the protocol.
 */

/** Largest frame on the link, in bytes; a larger one closes the socket with 1009. */
export const MAX_FRAME_BYTES = 1024 * 1024;

/** Most durable frames an agent has in flight without acknowledgement. */
export const WINDOW_FRAMES = 64;

/** Most bytes of durable frames an agent has in flight without acknowledgement. */
export const WINDOW_BYTES = 4 * 1024 * 1024;

/** Most lines of a job's log that travel as one chunk. */
export const CHUNK_LINES = 256;

/** Most bytes of log text, before compression, that travel as one chunk. */
export const CHUNK_RAW_BYTES = 64 * 1024;

/** A log line longer than this many characters is cut and marked, so that any line fits into a chunk. */
export const LOG_LINE_CHARACTERS = 8 * 1024;

/** Largest JSON of a job's input, in bytes: it must fit into a frame beside everything else. */
export const JOB_INPUT_BYTES = 512 * 1024;

/** The agent sends a heartbeat when it has sent nothing else for so long. */
export const HEARTBEAT_MS = 30_000;

/** A host that sent no frame of any sort for so long is offline. */
export const OFFLINE_AFTER_MS = 90_000;

/** An agent that has not said hello so long after the socket opened is closed. */
export const HELLO_DEADLINE_MS = 10_000;

/** So many malformed frames within a minute close the socket. */
export const MALFORMED_PER_MINUTE = 10;

/** An agent remembers the outcome of a job for so long, to answer a repeated command and a resync. */
export const OUTCOME_KEPT_MS = 30 * 24 * 3600_000;

/** Largest JSON of a host's schedules together with its source groups, in bytes: they travel in one frame. */
export const SCHEDULES_BYTES = 768 * 1024;

/** Most source groups of one host, and most schedules. */
export const GROUPS_PER_HOST = 100;

/** Longest body of one hook, in characters. */
export const HOOK_CHARACTERS = 16 * 1024;

/** Largest JSON of all hooks of one host, in bytes: they travel inside its configuration. */
export const HOOKS_BYTES = 256 * 1024;

/** How long a hook may take unless it says otherwise, in seconds. */
export const HOOK_TIMEOUT_SECONDS = 600;

/** Longest wait between two tries of the same work, in milliseconds: back-off doubles up to this. */
export const BACK_OFF_CAP_MS = 30 * 60_000;

/** Longest cron expression there can be any sense in; a list of every minute has 230 characters. */
export const CRON_CHARACTERS = 512;

/** Missed instants listed in one fire: the newest, when more were missed. */
export const MISSED_LISTED = 50;

/** Missed instants are counted up to this. */
export const MISSED_COUNTED = 1_000;
