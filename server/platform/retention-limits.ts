const DAY_MS = 24 * 3600_000;
const MIB = 2 ** 20;

/** How long what the server has gathered is kept; null keeps it for ever. */
export interface RetentionLimits {
  /** After a job's end, in milliseconds. */
  logsMs: number | null;
  /** Compressed, of one host. */
  logBytesPerHost: number | null;
  /** Compressed, of all hosts together. */
  logBytes: number | null;
  jobsMs: number | null;
  auditMs: number | null;
}

/**
 * A season of logs shows what changed since it last went well; the sizes are far beyond what a fleet of daily backups writes
 * (a log of 300 lines takes about 5 KiB) and keep one machine gone mad from filling the disk. Jobs stay a year and a month, so
 * that a month can be compared with the one a year before. Auditors ask for two years.
 */
const DEFAULTS: RetentionLimits = {
  logsMs: 90 * DAY_MS,
  logBytesPerHost: 256 * MIB,
  logBytes: 10_240 * MIB,
  jobsMs: 400 * DAY_MS,
  auditMs: 730 * DAY_MS,
};

/** Reads one variable with a fallback; what `parse` throws is told with its name. */
type Read = <T>(name: string, fallback: T, parse: (value: string) => T) => T;

/**
 * Reads `RM_KEEP_LOGS_DAYS` (90), `RM_KEEP_LOGS_MIB_PER_HOST` (256), `RM_KEEP_LOGS_MIB` (10240), `RM_KEEP_JOBS_DAYS` (400) and
 * `RM_KEEP_AUDIT_DAYS` (730): whole numbers from 1, or `forever`.
 */
export function readRetention(read: Read): RetentionLimits {
  const days = (name: string, fallback: number | null) =>
    read(name, fallback, (text) => amount(text, DAY_MS));
  const mib = (name: string, fallback: number | null) => read(name, fallback, (text) => amount(text, MIB));
  return {
    logsMs: days("RM_KEEP_LOGS_DAYS", DEFAULTS.logsMs),
    logBytesPerHost: mib("RM_KEEP_LOGS_MIB_PER_HOST", DEFAULTS.logBytesPerHost),
    logBytes: mib("RM_KEEP_LOGS_MIB", DEFAULTS.logBytes),
    jobsMs: days("RM_KEEP_JOBS_DAYS", DEFAULTS.jobsMs),
    auditMs: days("RM_KEEP_AUDIT_DAYS", DEFAULTS.auditMs),
  };
}

function amount(text: string, unit: number): number | null {
  if (text.toLowerCase() === "forever") return null;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error(`${text} is neither a whole number from 1 nor forever`);
  return Number(text) * unit;
}
