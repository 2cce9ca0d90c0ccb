/** What the agents of one simulator did since they were made. All of it may be added up over simulators. */
export interface Counters {
  /** Connected and welcomed at this moment. */
  connected: number;
  /** Times an agent tried to connect, was welcomed, and was no longer connected. An attempt that came to nothing is no welcome. */
  attempts: number;
  welcomes: number;
  losses: number;
  framesSent: number;
  bytesSent: number;
  framesHeard: number;
  /** Jobs that reached the point where restic would be spawned, and how they ended. */
  started: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  /** Lines of logs written to journals. */
  lines: number;
  /** Errors that an agent's own log would show. */
  errors: number;
}

export function noCounters(): Counters {
  return {
    connected: 0,
    attempts: 0,
    welcomes: 0,
    losses: 0,
    framesSent: 0,
    bytesSent: 0,
    framesHeard: 0,
    started: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    lines: 0,
    errors: 0,
  };
}

export function sumCounters(all: readonly Counters[]): Counters {
  const sum = noCounters();
  for (const one of all) for (const key of Object.keys(sum) as (keyof Counters)[]) sum[key] += one[key];
  return sum;
}
