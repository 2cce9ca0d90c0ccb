/** How a simulated machine's restic behaves. The seed decides the rest. */
export interface Script {
  /** Lines of each backup's log. */
  lines: number;
  /** Characters of a line, about. */
  lineBytes: number;
  /** Milliseconds that a backup takes; its lines and its progress are spread over them. 0: at once, in the same turn. */
  durationMs: number;
  /** Each so-manieth backup of a machine fails, each time with another of restic's errors. 0: none. */
  failEvery: number;
  /** Each so-manieth backup could not read some files, and succeeds with issues. 0: none. */
  warnEvery: number;
  /** Each so-manieth backup takes `slowTimes` as long. 0: none. */
  slowEvery: number;
  slowTimes: number;
  /** A repository keeps so many snapshots: the oldest goes. */
  snapshots: number;
  /** Tell the server what the repository holds after each success, as the agent does. */
  reports: boolean;
  /**
   * Instead of all that: write lines as fast as the outbox takes them, for `durationMs` or until there are `lines` (0: no end but the
   * time's). The chunks are compressed once and used again, so that the load is on the journal, the link and the server.
   */
  flood: boolean;
  /** Flooding begins at that moment (see `moment()`) and not before, so that all begin together. 0: at once. */
  floodFrom: number;
}

/** A common night: 1,000 lines in half a minute, one in 20 fails, one in 10 has issues, one in 15 is slow. */
export const NIGHT: Script = {
  lines: 1_000,
  lineBytes: 90,
  durationMs: 30_000,
  failEvery: 20,
  warnEvery: 10,
  slowEvery: 15,
  slowTimes: 4,
  snapshots: 30,
  reports: true,
  flood: false,
  floodFrom: 0,
};

/** Answers at once and says nothing: what is left is the way from the request to the moment when restic would be spawned. */
export const INSTANT: Script = {
  ...NIGHT,
  lines: 0,
  durationMs: 0,
  failEvery: 0,
  warnEvery: 0,
  slowEvery: 0,
  reports: false,
};

/** Streams lines for so long. */
export function flood(durationMs: number, lines = 0): Script {
  return { ...INSTANT, flood: true, durationMs, lines };
}
