import type { Job, JobLogPage } from "@restic-manager/protocol/api/jobs";
import type { JobId } from "@restic-manager/protocol/ids";
import type { Bus } from "../platform/bus.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import { encodeEvent } from "../platform/http/stream.ts";

/** New lines are shown at most this often: as often as a quiet agent sends them, and more than anybody reads. */
const PACE_MS = 250;
/** Most lines in one event, so that a slow viewer takes them in bites. */
const LINES_PER_EVENT = 1_000;
/** Encoded lines that are kept for other viewers of the same job. */
const MOST_KEPT_BYTES = 1024 * 1024;

export interface TailParts {
  bus: Bus;
  clock: Clock;
  readJob: (jobId: JobId) => Promise<Job | undefined>;
  readLines: (jobId: JobId, from: number, most: number) => Promise<JobLogPage | undefined>;
  onError: (error: unknown) => void;
}

/** Some lines of a log as they are sent, and the line that follows them. */
export interface Part {
  bytes: Uint8Array;
  next: number;
}

/** An event of which only the last counts. */
interface Told {
  /** How often there was one. */
  version: number;
  bytes: Uint8Array;
}

/**
 * What all viewers of one job share: each piece of its log is read, inflated and written as an event once, however many look on.
 * All of them see new lines at the same moments, so that they ask for the same pieces. A viewer that is slow or comes late reads
 * the store again for what is no longer kept; nothing waits for it and nothing is kept for it.
 */
export class Tail {
  readonly #parts: TailParts;
  readonly #jobId: JobId;
  readonly #kept = new Map<number, Part>();
  readonly #reading = new Map<number, Promise<Part | undefined>>();
  readonly #waiting = new Set<() => void>();
  #keptBytes = 0;
  #looking: Promise<void> | undefined;
  #next: Cancel | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #dirty = false;
  /** All that is told of the job, to see whether it is another now. */
  #state = "";
  /** Rises with everything that a viewer could want to know. */
  stamp = 0;
  /** Lines before this one may be read. */
  end = 0;
  /** Nothing more will come. */
  complete = false;
  /** There is no such job any more. */
  gone = false;
  /** The job as it was when it last changed. */
  job: Told = { version: 0, bytes: new Uint8Array() };
  /** The last progress that was reported since somebody looks. */
  progress: Told = { version: 0, bytes: new Uint8Array() };

  constructor(parts: TailParts, jobId: JobId) {
    this.#parts = parts;
    this.#jobId = jobId;
  }

  /** Looks at the job at once, or joins whoever does. */
  async refresh(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#dirty) this.#soon();
    });
    await this.#looking;
  }

  /** The log grew. */
  grew(): void {
    this.#dirty = true;
    this.#soon();
  }

  /** The job changed: that is told at once. */
  changed(): void {
    this.#dirty = true;
    this.#lookedAt = Number.NEGATIVE_INFINITY;
    this.#next?.();
    this.#next = undefined;
    this.#soon();
  }

  progressed(progress: Record<string, unknown>): void {
    const bytes = encodeEvent({ event: "progress", data: JSON.stringify(progress) });
    this.progress = { version: this.progress.version + 1, bytes };
    this.#wake();
  }

  /** Lines from `from` on; undefined when there are none yet. Asked for at once by many they are read once. */
  async part(from: number): Promise<Part | undefined> {
    const kept = this.#kept.get(from);
    if (kept !== undefined) return kept;
    const reading = this.#reading.get(from);
    if (reading !== undefined) return await reading;
    const read = this.#read(from).finally(() => this.#reading.delete(from));
    this.#reading.set(from, read);
    return await read;
  }

  /** Resolves when something has changed since `stamp`, or the signal aborts. */
  async changedSince(stamp: number, signal: AbortSignal): Promise<void> {
    if (this.stamp !== stamp || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  /** Nobody looks on any more. */
  stop(): void {
    this.#next?.();
    this.#dirty = false;
  }

  #soon(): void {
    if (this.#next !== undefined || this.#looking !== undefined) return;
    const { clock, onError } = this.#parts;
    const look = () => {
      this.#next = undefined;
      void this.refresh().catch(onError);
    };
    const wait = this.#lookedAt + PACE_MS - clock.elapsed();
    if (wait > 0) this.#next = clock.after(wait, look);
    else look();
  }

  async #look(): Promise<void> {
    this.#dirty = false;
    this.#lookedAt = this.#parts.clock.elapsed();
    const job = await this.#parts.readJob(this.#jobId).catch((error: unknown) => {
      // Or nobody would look again before the next change.
      this.#dirty = true;
      throw error;
    });
    if (job === undefined) this.gone = true;
    else {
      this.end = job.log.lines;
      this.complete = "finished_at" in job;
      this.#tellIfOther(job);
    }
    this.#wake();
  }

  /** That its log grew is told by the lines. */
  #tellIfOther(job: Job): void {
    const state = JSON.stringify({ ...job, log: null, progress: null });
    if (state === this.#state) return;
    this.#state = state;
    const bytes = encodeEvent({ event: "job", data: JSON.stringify(job) });
    this.job = { version: this.job.version + 1, bytes };
  }

  async #read(from: number): Promise<Part | undefined> {
    const page = await this.#parts.readLines(this.#jobId, from, LINES_PER_EVENT);
    if (page === undefined) return undefined;
    const { lines, gaps } = page;
    if (lines.length === 0 && gaps.length === 0) return undefined;
    const next = Math.max(
      ...gaps.map((gap) => gap.first_line + gap.count),
      ...lines.slice(-1).map((line) => line.n + 1),
    );
    const data = JSON.stringify({ lines, gaps });
    const part = { bytes: encodeEvent({ event: "lines", id: String(next), data }), next };
    this.#keep(from, part);
    return part;
  }

  /** Lines that are known never change, so what is kept stays true; the oldest gives way. */
  #keep(from: number, part: Part): void {
    this.#kept.set(from, part);
    this.#keptBytes += part.bytes.byteLength;
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#keptBytes <= MOST_KEPT_BYTES) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= bytes.byteLength;
    }
  }

  #wake(): void {
    this.stamp += 1;
    for (const done of this.#waiting) done();
  }
}

/** The jobs that somebody looks at. With nobody looking nothing is done. */
export class Tails {
  readonly #parts: TailParts;
  readonly #tails = new Map<JobId, { tail: Tail; viewers: number }>();
  #endings: (() => void)[] = [];

  constructor(parts: TailParts) {
    this.#parts = parts;
  }

  /** Every `open` needs its `close`. */
  open(jobId: JobId): Tail {
    if (this.#tails.size === 0) this.#listen();
    const known = this.#tails.get(jobId) ?? { tail: new Tail(this.#parts, jobId), viewers: 0 };
    known.viewers += 1;
    this.#tails.set(jobId, known);
    return known.tail;
  }

  close(jobId: JobId): void {
    const known = this.#tails.get(jobId);
    if (known === undefined) return;
    known.viewers -= 1;
    if (known.viewers > 0) return;
    known.tail.stop();
    this.#tails.delete(jobId);
    if (this.#tails.size > 0) return;
    for (const end of this.#endings) end();
    this.#endings = [];
  }

  /** Jobs that are looked at. */
  get size(): number {
    return this.#tails.size;
  }

  /** Once for all viewers: with a subscription each, every line of every job would ask all of them. */
  #listen(): void {
    const { bus } = this.#parts;
    this.#endings = [
      bus.subscribe("job.log", ({ jobId }) => this.#tails.get(jobId)?.tail.grew()),
      bus.subscribe("job.changed", ({ jobId }) => this.#tails.get(jobId)?.tail.changed()),
      bus.subscribe("job.progress", ({ jobId, progress }) =>
        this.#tails.get(jobId)?.tail.progressed(progress),
      ),
      // Lines and states may have come at another server without a word of it reaching this one.
      bus.subscribe("bus.resync", () => {
        for (const { tail } of this.#tails.values()) tail.changed();
      }),
    ];
  }
}
